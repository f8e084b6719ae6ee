from datetime import UTC, datetime, timedelta

import pytest

from edge.camera.health import Health, Limits
from edge.camera.view import View
from wire.status import CameraState as S

BEGIN = datetime(2026, 5, 1, tzinfo=UTC)
STILL, BLACK = View(is_still=True), View(is_black=True)
SHIFTED, ALIEN, UNSURE = View(is_shifted=True), View(is_alien=True), View()


def story(events, limits=None):
    """Play (second, event) rows; the states it went through with the second of each."""
    health = Health(0, BEGIN, limits)
    states = [(0, health.state)]
    for second, event in events:
        at = BEGIN + timedelta(seconds=second)
        if isinstance(event, View):
            change = health.saw(event, second, at)
        elif event == "heard":
            change = health.heard(second, at)
        elif event == "tick":
            change = health.tick(second, at)
        else:
            change = health.failed(event, second, at)
        if change is not None:
            assert (change.before, change.after) == (states[-1][1], health.state)
            assert health.since == at
            states.append((second, health.state))
    return states


def views(view, seconds):
    return [(second, view) for second in seconds]


def ticks(seconds):
    return [(second, "tick") for second in seconds]


START, OK = (0, S.STARTING), (1, S.OK)

STORIES = {
    "it starts": ([(0.5, "heard"), (1, STILL)], [START, OK]),
    "it never answers": (ticks(range(20)), [START, (10, S.UNREACHABLE)]),
    "it refuses at once": ([(1, "refused")], [START, (1, S.UNREACHABLE)]),
    "it comes after a while": (
        [(1, "refused"), (3, "refused"), (9, STILL)],
        [START, (1, S.UNREACHABLE), (9, S.OK)],
    ),
    "it falls silent and speaks again": (
        [(1, STILL), *ticks(range(2, 20)), (20, STILL)],
        [START, OK, (8, S.STALLED), (20, S.OK)],
    ),
    "a short break is none": ([(1, STILL), (5, "broken"), (6, "tick"), (6.5, STILL)], [START, OK]),
    "it breaks and is gone": (
        [(1, STILL), (5, "broken"), (6, "refused"), (9, "refused"), (30, "heard"), (31, STILL)],
        [START, OK, (6, S.UNREACHABLE), (30, S.OK)],
    ),
    "it stalls, then cannot be opened": (
        [(1, STILL), *ticks([7.5]), (11, "broken"), (16, "no answer"), (20, STILL)],
        [START, OK, (7.5, S.STALLED), (16, S.UNREACHABLE), (20, S.OK)],
    ),
    "packets without a picture": (
        [(1, STILL), *((s, "heard") for s in range(2, 40))],
        [START, OK, (32, S.STALLED)],
    ),
    "packets and never a picture": (
        [(s, "heard") for s in range(40)],
        [START, (31, S.STALLED)],
    ),
    "a lens is covered": (
        [(1, STILL), *views(BLACK, range(2, 10)), (10, STILL)],
        [START, OK, (6, S.BLACK), (10, S.OK)],
    ),
    "lightning is not darkness": (
        [(1, STILL), *views(BLACK, [2, 3]), (4, STILL), *views(BLACK, [5, 6, 7]), (8, STILL)],
        [START, OK],
    ),
    "it is turned": (
        [(1, STILL), *views(SHIFTED, range(2, 12)), *views(STILL, [12, 13])],
        [START, OK, (7, S.MOVED), (12, S.OK)],
    ),
    "unsure looks change nothing": (
        [(1, STILL), *views(SHIFTED, range(2, 9)), *views(UNSURE, range(9, 99)), (99, STILL)],
        [START, OK, (7, S.MOVED), (99, S.OK)],
    ),
    "a lorry stops in front": (
        [(1, STILL), *views(ALIEN, range(2, 50)), *views(STILL, [50])],
        [START, OK],
    ),
    "it looks somewhere else": (
        [(1, STILL), *views(ALIEN, range(2, 90))],
        [START, OK, (62, S.MOVED)],
    ),
    "wind shakes it": (
        [(1, STILL), *((s, SHIFTED if s % 3 else STILL) for s in range(2, 60))],
        [START, OK],
    ),
    "dark and then silent": (
        [(1, STILL), *views(BLACK, range(2, 9)), *ticks(range(9, 20))],
        [START, OK, (6, S.BLACK), (15, S.STALLED)],
    ),
}


@pytest.mark.parametrize("name", STORIES)
def test_stories(name):
    events, expected = STORIES[name]
    assert story(events) == expected


def test_nothing_wrong_goes_unnoticed_for_ten_seconds():
    """The default limits, asked once a second."""
    limits = Limits()
    assert max(limits.start_s, limits.stall_s, limits.black_s) + 1 <= 10


@pytest.mark.parametrize("leap", [timedelta(days=-400), timedelta(hours=8)])
def test_a_clock_that_is_set_changes_no_state(leap):
    health = Health(0, BEGIN)
    health.saw(STILL, 1, BEGIN)
    for second in range(2, 30):
        at = BEGIN + timedelta(seconds=second) + leap
        assert health.saw(STILL, second, at) is None
        assert health.tick(second + 0.5, at) is None
