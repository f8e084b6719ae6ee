import pytest

from hub.alerts.alert import Surroundings, alert_id, matter_of, taken
from tests.hub.world import NOON, after, alert_message, received
from wire.alert import AlertState

NEW = alert_message(seq=1)
UPDATE = alert_message(seq=2, state=AlertState.UPDATE, at=after(30), since=NEW.since, score=0.9)
END = alert_message(seq=3, state=AlertState.END, at=after(60), since=NEW.since, level=2)
HERE = Surroundings(("city", "q00"), "North gate", generated=True)


def told(*messages):
    alert = None
    for message in messages:
        alert = taken(alert, received(message), HERE)
    return alert


def test_a_first_message_makes_an_alert():
    alert = told(NEW)
    assert (alert.state, alert.since, alert.at) == ("active", after(-60), NOON)
    assert (alert.path, alert.source_name, alert.generated) == (("city", "q00"), "North gate", True)
    assert alert.matter == "06010"


@pytest.mark.parametrize(
    "order",
    [(NEW, UPDATE, END), (END, NEW, UPDATE), (UPDATE, END, NEW), (NEW, END, UPDATE)],
)
def test_the_order_of_arrival_does_not_matter(order):
    alert = told(*order)
    assert (alert.state, alert.ended_at, alert.since) == ("ended", after(60), after(-60))
    assert (alert.at, alert.seq, alert.level) == (after(60), 3, 2)


def test_a_late_end_ends_it():
    later = alert_message(seq=4, state=AlertState.UPDATE, at=after(90))
    assert told(NEW, later, END).state == "ended"


def test_messages_of_one_thing_have_one_id():
    assert alert_id(NEW) == alert_id(END)
    others = [{"dev": "cam-2"}, {"epoch": "f" * 16}, {"alert": "a-2"}]
    assert len({alert_id(alert_message(**other)) for other in others} | {alert_id(NEW)}) == 4


@pytest.mark.parametrize(
    ("label", "matter", "expected"),
    [
        ("garbage", None, "06010"),
        ("garbage", "06042", "06042"),
        ("street_vending", None, "09006"),
        ("illegal_structure", None, "06001"),
        ("unknown_object", None, None),
    ],
)
def test_what_a_label_means(label, matter, expected):
    assert matter_of(alert_message(label=label, matter=matter)) == expected


def test_a_clock_far_ahead_is_not_believed():
    alert = taken(None, received(alert_message(at=after(86_400)), NOON), HERE)
    assert (alert.at, alert.since, alert.clock_suspect) == (NOON, after(-60), True)


def test_a_since_before_1970_is_cut():
    assert told(alert_message(since=0)).since.year == 1970
