from datetime import UTC, datetime, timedelta

import pytest

from edge.camera.health import Health, Limits
from edge.camera.view import View
from wire.status import CameraState as S

BEGIN = datetime(2026, 5, 1, tzinfo=UTC)
STILL, BLACK = View(is_still=True), View(S.BLACK)
SAME = View(is_still=True, is_repeated=True)
SHIFTED, ALIEN, UNSURE = View(S.MOVED), View(is_alien=True), View()


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
            assert BEGIN <= health.since <= at
            states.append((second, health.state))
    return states


@pytest.mark.parametrize(
    ("view", "state"),
    [
        (BLACK, S.BLACK),
        (View(S.DARK), S.DARK),
        (View(S.OUT_OF_FOCUS), S.OUT_OF_FOCUS),
        (View(S.BLOCKED), S.BLOCKED),
        (SAME, S.FROZEN),
        (SHIFTED, S.MOVED),
        (ALIEN, S.MOVED),
        (None, S.STALLED),
    ],
)
def test_a_state_is_counted_from_its_beginning_not_from_when_it_was_known(view, state):
    health = Health(0, BEGIN)
    for second in range(99):
        at = BEGIN + timedelta(seconds=second)
        if second < 10 or view is not None:
            health.saw(STILL if second < 10 else view, second, at)
        else:
            health.tick(second, at)
    last_well = 9 if state in {S.FROZEN, S.STALLED} else 10
    assert (health.state, health.since) == (state, BEGIN + timedelta(seconds=last_well))


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
    "night falls": (
        [(1, STILL), *views(View(S.DARK), range(2, 30)), *views(STILL, range(30, 40))],
        [START, OK, (10, S.DARK), (33, S.OK)],
    ),
    "a car's lamps shine into it": (
        [(1, STILL), *views(View(S.OVER_EXPOSED), range(2, 9)), *views(STILL, [9])],
        [START, OK],
    ),
    "the sun shines into it": (
        [(1, STILL), *views(View(S.OVER_EXPOSED), range(2, 20))],
        [START, OK, (10, S.OVER_EXPOSED)],
    ),
    "dew on the lens": (
        [(1, STILL), *views(View(S.OUT_OF_FOCUS), range(2, 20))],
        [START, OK, (10, S.OUT_OF_FOCUS)],
    ),
    "a bus stops before it": (
        [(1, STILL), *views(View(S.BLOCKED), range(2, 21)), *views(STILL, range(21, 40))],
        [START, OK],
    ),
    "a poster hangs before it, then it is taken down": (
        [(1, STILL), *views(View(S.BLOCKED), range(2, 50)), *views(STILL, range(50, 60))],
        [START, OK, (22, S.BLOCKED), (53, S.OK)],
    ),
    "dusk wavers about what can be judged": (
        [(1, STILL), *((s, STILL if s % 15 == 0 else View(S.DARK)) for s in range(2, 60))],
        [START, OK, (10, S.DARK)],
    ),
    "the same picture again and again": (
        [(1, STILL), *views(SAME, range(2, 60)), (60, STILL)],
        [START, OK, (46, S.FROZEN), (60, S.OK)],
    ),
    "a still street with a clock in the picture": (
        [(s, STILL if s % 30 == 1 else SAME) for s in range(1, 120)],
        [START, OK],
    ),
    "frozen, then silent": (
        [(1, STILL), *views(SAME, range(2, 50)), *ticks(range(50, 60))],
        [START, OK, (46, S.FROZEN), (56, S.STALLED)],
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


@pytest.mark.parametrize(
    ("view", "sight"),
    [
        (STILL, S.OK),
        (UNSURE, S.OK),
        (View(S.BLOCKED), S.BLOCKED),
        (View(S.DARK), S.DARK),
        (SHIFTED, S.MOVED),
        (ALIEN, S.BLOCKED),
        (SAME, S.OK),
    ],
)
def test_a_flaw_counts_in_the_very_picture_that_has_it(view, sight):
    health = Health(0, BEGIN)
    health.saw(STILL, 1, BEGIN)
    health.saw(view, 2, BEGIN)
    assert health.sight_of(view) == sight


def test_a_frozen_picture_is_believed_for_a_while_and_no_longer():
    health = Health(0, BEGIN)
    sights = []
    for second in range(200):
        view = STILL if second == 0 else SAME
        health.saw(view, second, BEGIN)
        sights.append(health.sight_of(view))
    assert sights.index(S.FROZEN) == 135
    assert set(sights[:135]) == {S.OK}
