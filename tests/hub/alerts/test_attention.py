"""Who looks at what, what is put off, and that nothing is decided twice."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from hub import audit, merging
from hub.alerts import attention_store
from hub.alerts.alert import alert_id
from hub.alerts.attention import LEASE, Snooze, longest
from hub.alerts.store import alerts, counts, load
from hub.errors import Problem
from hub.roles import Actor, Role
from tests.hub.test_api import ALERT, take as take_of
from tests.hub.test_pipeline import take
from tests.hub.world import after, alert_message, known_alert

ZHANG, LI = Actor("zhang", Role.OPERATOR), Actor("li", Role.OPERATOR)
PAGE, OTHER = {"page": "page-one-1"}, {"page": "page-two-2"}


@pytest.mark.parametrize(
    ("snooze", "alert", "at", "expected"),
    [
        ({}, {}, 10, True),
        ({}, {}, 60, False),
        ({}, {"level": 2}, 10, False),
        ({"times_seen": 1}, {"times_seen": 2}, 10, False),
        ({"times_seen": 2}, {"times_seen": 2}, 10, True),
        ({}, {"times_seen": 9}, 10, True),
    ],
)
def test_what_is_put_off_comes_back_by_itself(store, snooze, alert, at, expected):
    fields = {"level": 1, "times_seen": None} | snooze
    made = Snooze("a", "zhang", after(0), after(60), "", **fields)
    known = known_alert(id="a", **({"level": 1} | alert))
    assert made.holds(known, after(at)) is expected
    # The database's own condition says the same.
    message = alert_message()
    with store.write() as tx:
        from hub.alerts import store as alert_store

        alert_store.save(tx, [known])
        attention_store.put_off(tx, made)
        waiting, _ = counts(tx, after(-86_400), after(at))
    assert waiting == (0 if expected else 1), message


def test_an_urgent_alert_is_put_off_for_minutes_only(hub, call):
    assert longest(3) < longest(2)
    with hub.store.write() as tx:
        tx.execute(update(alerts).values(level=3))
    refused = call("POST", f"/api/alerts/{ALERT}/snooze", json={"minutes": 30})
    assert refused.status_code == 422
    assert refused.json()["error"]["allowed"] == "1 to 15"
    assert call("POST", f"/api/alerts/{ALERT}/snooze", json={"minutes": 15}).status_code == 200


def test_put_off_by_whom_and_until_seen_again(hub, call):
    asked = {"minutes": 60, "until_seen": True, "note": "crew is on its way"}
    item = call("POST", f"/api/alerts/{ALERT}/snooze", json=asked, role=Role.OPERATOR).json()
    assert item["snooze"] | {"at": "", "until": ""} == {
        "by": "operator-1", "at": "", "until": "", "until_seen": True, "note": "crew is on its way",
    }  # fmt: skip
    assert item["history"][-1]["what"] == "snooze"
    assert call("GET", "/api/summary").json()["alerts"]["undecided"] == 0
    assert call("GET", "/api/alerts?snoozed=false").json()["total"] == 0
    again = alert_message(1, dev="cam-2", alert="b-1")
    take_of(hub, "alert", again)
    assert call("GET", f"/api/alerts/{ALERT}").json()["snooze"] is None
    assert call("GET", "/api/summary").json()["alerts"]["undecided"] == 1


def test_brought_back_by_hand(call):
    call("POST", f"/api/alerts/{ALERT}/snooze", json={})
    item = call("DELETE", f"/api/alerts/{ALERT}/snooze").json()
    assert item["snooze"] is None
    assert item["history"][-1]["what"] == "bring_back"


def test_what_is_decided_is_not_put_off(call):
    call("POST", f"/api/alerts/{ALERT}/decision", json={"decision": "false_alarm"})
    answer = call("POST", f"/api/alerts/{ALERT}/snooze", json={})
    assert answer.status_code == 409
    assert "admin-1" in answer.json()["error"]["message"]


def test_the_first_page_keeps_its_claim_until_it_lets_go(call):
    path = f"/api/alerts/{ALERT}/claim"
    assert call("POST", path, json=PAGE, role=Role.OPERATOR).json()["by"] == "operator-1"
    assert call("POST", path, json=OTHER).json()["by"] == "operator-1"
    (standing,) = call("GET", "/api/claims").json()["items"]
    assert (standing["alert"], standing["page"]) == (ALERT, "page-one-1")
    assert call("DELETE", path, params=OTHER).status_code == 204
    assert call("POST", path, json=OTHER).json()["by"] == "operator-1"
    call("DELETE", path, params=PAGE)
    assert call("POST", path, json=OTHER).json()["by"] == "admin-1"
    assert call("POST", "/api/alerts/none/claim", json=PAGE).status_code == 404
    assert call("POST", path, json={"page": "x"}).status_code == 422


def test_a_claim_runs_out(store):
    start = after(0)
    with store.write() as tx:
        first = attention_store.claim(tx, "a", "zhang", "page-one", start)
        during = attention_store.claim(tx, "a", "li", "page-two", start + LEASE / 2)
        later = attention_store.claim(tx, "a", "li", "page-two", start + LEASE)
        assert [first.by, during.by, later.by] == ["zhang", "zhang", "li"]
        assert attention_store.claimed(tx, start + 3 * LEASE) == []
        attention_store.forget_old(tx, start + timedelta(days=3))
        assert attention_store.claimed(tx, start) == []


def test_the_stream_tells_claims_and_their_end(hub, call):
    from hub.alerts.attention_api import claim_items

    call("POST", f"/api/alerts/{ALERT}/claim", json=PAGE)
    with hub.store.read() as tx:
        assert claim_items(tx, [ALERT])[ALERT].by == "admin-1"
        assert claim_items(tx, ["x"])["x"].by == ""


def test_a_second_person_is_told_who_decided_the_same(call):
    path = f"/api/alerts/{ALERT}/decision"
    said = {"decision": "confirmed"}
    assert call("POST", path, json=said, role=Role.OPERATOR).status_code == 200
    assert call("POST", path, json=said, role=Role.OPERATOR).status_code == 200
    second = call("POST", path, json=said)
    assert second.status_code == 409
    assert "confirmed by operator-1" in second.json()["error"]["message"]


# ---------------------------------------------------------------- merging


def far(number, **changes):
    return alert_message(number, alert="b-1", lat=32.75, **changes)


@pytest.fixture
def two(store, site):
    """Two things that nobody would take for one."""
    messages = [alert_message(0), far(1)]
    take(store, site, "alert", *messages)
    return [alert_id(each) for each in messages]


def known(store, name):
    with store.read() as tx:
        return load(tx, [name])[name]


def test_an_alert_joins_the_thing_of_another(store, site, two):
    first, second = two
    merging.merge_into_alert(store, second, first, note="same heap", actor=ZHANG)
    assert known(store, second).duplicate_of == first
    assert known(store, first).times_seen == 2
    # What comes later of the merged one changes nothing of that.
    take(store, site, "alert", far(2, state="update", at=after(60)))
    assert known(store, second).duplicate_of == first
    with store.read() as tx:
        assert audit.of(tx, "alert", second)[-1].note == f"into alert {first} same heap"


def test_a_merged_alert_is_not_decided_by_whoever_did_not_see_it(store, site, two):
    from hub import decisions

    first, second = two
    merging.merge_into_alert(store, second, first, note="", actor=ZHANG)
    with pytest.raises(Problem, match=f"merged into alert {first} by zhang"):
        decisions.decide(store, site, second, "false_alarm", note="", actor=LI)
    other = alert_message(3, alert="c-1", lat=32.79)
    take(store, site, "alert", other)
    with pytest.raises(Problem, match=f"merged into alert {first} by zhang"):
        merging.merge_into_alert(store, second, alert_id(other), note="", actor=LI)
    assert known(store, second).duplicate_of == first


def test_an_alert_joins_an_open_case(store, site, two):
    from hub import decisions

    first, second = two
    decisions.decide(store, site, first, "confirmed", note="", actor=LI)
    case = known(store, first).case_id
    merging.merge_into_case(store, site, second, case, note="", actor=ZHANG)
    joined = known(store, second)
    assert (joined.case_id, joined.decision, joined.decided_by) == (case, "confirmed", "zhang")
    with store.read() as tx:
        assert audit.of(tx, "case", str(case))[-1].action == "join_alert"
    with pytest.raises(Problem, match="confirmed by zhang"):
        merging.merge_into_alert(store, second, first, note="", actor=LI)


def test_what_cannot_be_merged_says_why(store, site, two):
    from hub import decisions

    first, second = two
    with pytest.raises(Problem, match="same thing"):
        merging.merge_into_alert(store, first, first, note="", actor=ZHANG)
    with pytest.raises(Problem, match="not known"):
        merging.merge_into_alert(store, first, "none", note="", actor=ZHANG)
    with pytest.raises(Problem, match="not an open case"):
        merging.merge_into_case(store, site, first, 99, note="", actor=ZHANG)
    decisions.decide(store, site, first, "false_alarm", note="", actor=LI)
    with pytest.raises(Problem, match="judged false"):
        merging.merge_into_alert(store, second, first, note="", actor=ZHANG)
    assert known(store, second).duplicate_of is None


def test_merging_names_one_of_both(call):
    for body in ({}, {"alert": "x", "case": 1}):
        answer = call("POST", f"/api/alerts/{ALERT}/merge", json=body)
        assert answer.status_code == 422
        assert "either" in answer.json()["error"]["message"]
