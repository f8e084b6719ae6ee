import pytest

from hub import inbox
from hub.inbox import moment, sort_out
from tests.hub.world import EPOCH, NOON, after, alert_message, received


def outcome(result):
    return [len(result.new), len(result.repeated), len(result.refused)]


ONE = alert_message(seq=1)


@pytest.mark.parametrize(
    ("arriving", "expected"),
    [
        ([alert_message(seq=2)], [1, 0, 0]),
        ([ONE], [0, 1, 0]),
        ([alert_message(seq=1, hist=True)], [0, 1, 0]),
        ([alert_message(seq=1, score=0.1)], [0, 0, 1]),
        ([alert_message(seq=1, epoch="f" * 16)], [1, 0, 0]),
        ([alert_message(seq=1, dev="cam-2")], [1, 0, 0]),
        ([alert_message(seq=3), alert_message(seq=3)], [1, 1, 0]),
        ([alert_message(seq=3), alert_message(seq=3, level=3)], [1, 0, 1]),
    ],
)
def test_new_repeated_and_changed_are_told_apart(store, arriving, expected):
    with store.write() as tx:
        inbox.keep(tx, "alert", [received(ONE)], {})
        result = sort_out(tx, "alert", [received(message) for message in arriving])
    assert outcome(result) == expected
    assert all(refusal.fault.code == "E_REPLAY" for refusal in result.refused)


def test_another_stream_has_other_numbers(store):
    with store.write() as tx:
        inbox.keep(tx, "alert", [received(ONE)], {})
        assert outcome(sort_out(tx, "gap", [received(ONE)])) == [1, 0, 0]


def test_a_message_is_kept_as_it_came(store):
    body = received(ONE)
    newer = type(body)(body.dev, ONE, b'{"from":"a newer edge"}', NOON)
    with store.write() as tx:
        inbox.keep(tx, "alert", [newer], {(ONE.dev, EPOCH, 1): "subject"})
        assert inbox.of(tx, "subject") == [(NOON, "cam-1", b'{"from":"a newer edge"}')]


@pytest.mark.parametrize(
    ("changes", "came", "at", "suspect"),
    [
        ({"tq": 0}, after(5), NOON, False),
        ({"tq": 1}, after(600), NOON, False),
        ({"tq": 0}, after(600), after(600), True),
        ({"tq": 0, "hist": True}, after(600), NOON, True),
        ({"tq": 2, "hist": True}, after(86400), NOON, False),
        ({"tq": 2}, after(-600), after(-600), True),
    ],
)
def test_whose_clock_is_believed(changes, came, at, suspect):
    assert moment(alert_message(**changes), came) == (at, suspect)
