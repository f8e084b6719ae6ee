"""What is held back, what is not, and what ends it."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from hub import audit, decisions
from hub.alerts import suppression_store
from hub.alerts.alert import alert_id
from hub.alerts.store import alerts, load
from hub.alerts.suppression import Area, Suppression, area_of, covers, grounds, overlap
from hub.cases.store import cases
from hub.config import Suppression as Rule
from hub.errors import Problem
from hub.roles import Actor, Role
from hub.store import now
from tests.hub.test_pipeline import count, rows, take
from tests.hub.world import after, alert_message, health, known_alert, make_site
from wire.alert import AlertState, Box

OPERATOR = Actor("wang", Role.OPERATOR)
RULE = Rule(false_alarms=3, within_days=14, for_days=7, overlap=0.4)
HERE = Box("garbage", 0.6, 0.4, 0.4, 0.2, 0.2)
NEAR = Box("garbage", 0.7, 0.42, 0.42, 0.2, 0.2)
ELSEWHERE = Box("garbage", 0.7, 0.7, 0.4, 0.2, 0.2)


def judged(name, decision="false_alarm", box=HERE, at=100, **changes):
    return known_alert(
        id=name, decision=decision, decided_at=after(at), boxes=(box,) if box else (), **changes
    )


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        ([judged("a"), judged("b"), judged("c", box=NEAR)], 3),
        ([judged("a"), judged("b")], 0),
        ([judged("a"), judged("b"), judged("c", box=ELSEWHERE)], 0),
        ([judged("a"), judged("b"), judged("c", box=None)], 0),
        # one thing seen three times is one thing
        ([judged("a"), judged("b", duplicate_of="a"), judged("c", duplicate_of="a")], 0),
        # too long ago
        ([judged("a"), judged("b"), judged("c", at=-15 * 86_400)], 0),
        # it was real in between: only what was judged false since counts
        ([judged("a"), judged("b"), judged("y", "confirmed", at=150), judged("c", at=200)], 0),
        ([judged("y", "confirmed", at=50), judged("a"), judged("b"), judged("c")], 3),
        ([judged("y", "confirmed", ELSEWHERE, 150), judged("a"), judged("b"), judged("c")], 3),
    ],
)
def test_it_takes_so_many_false_alarms_of_different_things_at_one_place(others, expected):
    found = grounds(judged("a"), others, RULE, after(200))
    assert len(found) == expected


def test_switched_off_there_are_no_grounds():
    many = [judged(str(i)) for i in range(50)]
    assert grounds(many[0], many, Rule(false_alarms=0), after(200)) == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, True),
        ({"boxes": (NEAR,)}, True),
        ({"boxes": (ELSEWHERE,)}, False),
        ({"boxes": ()}, False),
        ({"label": "street_vending"}, False),
        ({"source": "south"}, False),
        ({"device": "cam-2"}, False),
        ({"level": 3}, False),
        ({"level": 2}, True),
        ({"place": "vehicle"}, False),
        ({"at": after(-1)}, False),
        ({"at": after(1000)}, False),
    ],
)
def test_what_is_held_back(changes, expected):
    held = Suppression(
        1, "cam-1", "gate", "garbage", Area(0.4, 0.4, 0.2, 0.2), after(0), after(1000), ()
    )
    alert = known_alert(**({"boxes": (HERE,), "at": after(10)} | changes))
    assert covers(held, alert, 0.4) is expected


def test_overlap_is_intersection_over_union():
    assert overlap(Area(0, 0, 0.2, 0.2), Area(0.1, 0, 0.2, 0.2)) == pytest.approx(1 / 3)
    assert overlap(Area(0, 0, 0.2, 0.2), Area(0.3, 0, 0.2, 0.2)) == 0
    assert area_of([judged("a"), judged("b", box=NEAR)]) == Area(0.41, 0.41, 0.2, 0.2)


# ---------------------------------------------------------------- through the pipeline


def sees(store, site, number, *, at=None, box=HERE, **changes):
    """The camera tells of something new; the alert's id."""
    message = alert_message(
        number, alert=f"a-{number}", at=at or now(), boxes=[box] if box else [], **changes
    )
    take(store, site, "alert", message)
    return alert_id(message)


def decide(store, site, name, decision="false_alarm"):
    decisions.decide(store, site, name, decision, note="", actor=OPERATOR)


def three_false(store, site):
    for number in range(3):
        decide(store, site, sees(store, site, number))


def alert(store, name):
    with store.read() as tx:
        return load(tx, [name])[name]


@pytest.fixture
def site(store, tmp_path):
    """A site where garbage opens a case without asking."""
    return make_site(store, tmp_path, rules={"garbage": {"open_case": "at_once"}})


def acts(store, number=1):
    with store.read() as tx:
        return [entry.action for entry in audit.of(tx, "suppression", str(number))]


def test_the_fourth_is_stored_and_rings_nowhere(store, site):
    three_false(store, site)
    before = count(store, cases)
    held = alert(store, sees(store, site, 10))
    assert held.suppressed_by == 1
    assert (held.suppressed_until - now()).days == 13
    assert count(store, cases) == before
    assert acts(store) == ["suppress"]
    free = alert(store, sees(store, site, 11, box=ELSEWHERE))
    assert free.suppressed_until is None
    assert count(store, cases) == before + 1


def test_an_urgent_one_is_never_held_back(store, site):
    three_false(store, site)
    assert alert(store, sees(store, site, 10, level=3)).suppressed_by is None


def test_one_that_becomes_urgent_rings(store, site):
    three_false(store, site)
    name = sees(store, site, 10)
    before = count(store, cases)
    take(
        store, site, "alert",
        alert_message(11, alert="a-10", at=now(), state=AlertState.UPDATE, level=3, boxes=[HERE]),
    )  # fmt: skip
    assert alert(store, name).suppressed_until is None
    assert count(store, cases) == before + 1


def test_what_is_held_back_swallows_nothing_of_another_camera(store, site):
    three_false(store, site)
    sees(store, site, 10)
    other = sees(store, site, 0, dev="cam-2")
    assert alert(store, other).duplicate_of is None
    assert alert(store, other).suppressed_by is None


def test_a_confirmation_there_lifts_it_and_frees_the_others(store, site):
    three_false(store, site)
    one, two = sees(store, site, 10), sees(store, site, 11, box=NEAR)
    decide(store, site, one, "confirmed")
    assert alert(store, one).case_id is not None
    assert alert(store, two).suppressed_until is None
    assert alert(store, two).case_id is not None  # the site's rule, late but not forgotten
    assert acts(store) == ["suppress", "lift"]
    assert alert(store, sees(store, site, 12)).suppressed_by is None


def test_a_person_lifts_it_once(store, site):
    three_false(store, site)
    held = sees(store, site, 10)
    for _ in range(2):
        decisions.lift_suppression(store, site, 1, note="new bins", actor=OPERATOR)
    assert alert(store, held).suppressed_until is None
    assert acts(store) == ["suppress", "lift"]
    with pytest.raises(Problem, match="suppression 9 does not exist"):
        decisions.lift_suppression(store, site, 9, note="", actor=OPERATOR)


def test_more_false_alarms_make_it_longer_not_two(store, site):
    three_false(store, site)
    decide(store, site, sees(store, site, 10))
    assert count(store, suppression_store.suppressions) == 1
    (row,) = rows(store, suppression_store.suppressions)
    assert len(suppression_store.to_suppression(row).alerts) == 4
    assert acts(store) == ["suppress", "suppress"]


def test_when_its_time_is_over_what_is_still_there_asks_again(store, site):
    three_false(store, site)
    lasting, gone = sees(store, site, 10), sees(store, site, 11, box=NEAR)
    take(
        store, site, "alert",
        alert_message(12, alert="a-11", at=now(), state=AlertState.END, boxes=[NEAR]),
    )  # fmt: skip
    decisions.end_suppressions(store, site, now())
    assert alert(store, lasting).suppressed_until is not None
    decisions.end_suppressions(store, site, now() + 15 * (after(86_400) - after(0)))
    assert alert(store, lasting).suppressed_until is None
    assert alert(store, gone).suppressed_until is not None
    assert acts(store) == ["suppress", "expire"]


def test_a_camera_that_was_turned_holds_nothing_back_any_more(store, site):
    three_false(store, site)
    held = sees(store, site, 10)
    take(store, site, "health", health("moved", since=now() - timedelta(minutes=5)))
    assert acts(store) == ["suppress"], "it was turned before, and the alarms are of the new view"
    take(store, site, "health", health("moved", since=now()))
    assert acts(store) == ["suppress", "lift"]
    assert alert(store, held).suppressed_until is None
    assert alert(store, held).case_id is not None
    assert alert(store, sees(store, site, 11)).suppressed_by is None
    take(store, site, "health", health("moved", since=now()))
    assert acts(store) == ["suppress", "lift"]


def test_a_vehicle_is_never_held_back(store, site):
    for number in range(3):
        decide(store, site, sees(store, site, number, place="vehicle"))
    with store.read() as tx:
        assert tx.execute(select(suppression_store.suppressions)).all() == []
        assert tx.execute(select(alerts.c.suppressed_by)).scalars().all() == [None] * 3
