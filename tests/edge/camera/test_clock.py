import math
from itertools import pairwise

import pytest

from edge.camera.clock import STAMPS_S, Thinning, Timeline


@pytest.mark.parametrize(
    ("stamps", "expected"),
    [
        pytest.param([0, 1, 2], [0, 1, 2], id="as stamped"),
        pytest.param([90, 91, 92], [0, 1, 2], id="begins at nought"),
        pytest.param([-1, 0, 1], [0, 1, 2], id="begins before nought"),
        pytest.param([0, None, 1], [0, 0.5, 1], id="a stamp is missing"),
        pytest.param([None, None, None], [0, 0.5, 1], id="no stamps"),
        pytest.param([0, 1, 0.5, 1.5], [0, 1, 1, 1.5], id="a small step back is held"),
        pytest.param([0, 10, 0, 1], [0, 10, 10.5, 11.5], id="joined files"),
        pytest.param([0, 1, 95000, 95001], [0, 1, 1.5, 2.5], id="wrapped or damaged"),
        pytest.param([0, 600, 601], [0, 600, 601], id="a recorder that paused"),
    ],
)
def test_timeline(stamps, expected):
    timeline = Timeline(frame_s=0.5)
    assert [timeline.seconds(stamp) for stamp in stamps] == expected


@pytest.mark.parametrize(
    ("stamps", "expected"),
    [
        pytest.param([-2, -1, 0, 1], [0, 1, 2, 3], id="in the middle of a stream"),
        pytest.param([-1000, 2000, 5000], [0, 3000, 6000], id="while nothing came"),
        pytest.param([0, 10, 0, 1], [0, 10, 10.5, 11.5], id="joined files"),
    ],
)
def test_stamps_that_came_to_their_end_go_on(stamps, expected):
    timeline = Timeline(frame_s=0.5, stamps_s=STAMPS_S)
    got = [timeline.seconds(stamp % STAMPS_S) for stamp in stamps]
    assert got == pytest.approx(expected, abs=1e-6)


def test_time_goes_on_when_a_recording_begins_again():
    timeline = Timeline(frame_s=0.5)
    first = [timeline.seconds(stamp) for stamp in (5, 6)]
    timeline.restart()
    assert first + [timeline.seconds(stamp) for stamp in (5, 6)] == [0, 1, 1.5, 2.5]


@pytest.mark.parametrize("fps", [5, 10, 25, 30])
@pytest.mark.parametrize("looks_per_s", [0.5, 1, 2, 5])
def test_thinning_is_even(fps, looks_per_s):
    thinning = Thinning(looks_per_s)
    taken = [i / fps for i in range(20 * fps) if thinning.take(i / fps)]
    assert len(taken) == 20 * looks_per_s
    gaps = [b - a for a, b in pairwise(taken)]
    assert max(gaps) <= 1 / looks_per_s + 1 / fps + 1e-6


@pytest.mark.parametrize(
    ("times", "taken"),
    [
        pytest.param([0, 0.96, 1.97, 2.98], [0, 0.96, 1.97, 2.98], id="keyframes a little early"),
        pytest.param([0, 0.5, 1, 1.5, 2], [0, 1, 2], id="twice as many as wanted"),
        pytest.param([0, 7, 7.1, 8], [0, 7, 8], id="no rush after a pause"),
        pytest.param([0, 5, 10], [0, 5, 10], id="fewer than wanted"),
    ],
)
def test_thinning_by_time_not_by_count(times, taken):
    thinning = Thinning(1)
    assert [t for t in times if thinning.take(t, early_s=0.25)] == taken


def test_a_timeline_without_limit_follows_any_leap():
    timeline = Timeline(jump_s=math.inf)
    assert [timeline.seconds(s) for s in (0, 86400)] == [0, 86400]
