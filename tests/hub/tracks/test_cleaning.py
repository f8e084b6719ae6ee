import random
from dataclasses import replace

import pytest

from hub.tracks.cleaning import Believed, are_plain, clean
from hub.tracks.point import Point
from hub.tracks.settings import DEFAULTS
from tests.hub.tracks.reports import report

ZERO = replace(report(5), lat=0.0, lon=0.0)


def believed(points: list[Point]) -> tuple[list[int], list[str]]:
    """Numbers of the believed points, and the doubts, both in order."""
    state = Believed()
    numbers: list[int] = []
    doubts: list[str] = []
    for point in points:
        state, fresh, doubt = clean(state, point, DEFAULTS)
        numbers += [points.index(each) for each in fresh]
        doubts += [str(doubt)] if doubt else []
    return numbers, doubts


@pytest.mark.parametrize(
    ("points", "numbers", "doubts"),
    [
        pytest.param([report(0), report(5, 100)], [0, 1], [], id="driving"),
        pytest.param([ZERO, report(10)], [1], ["zero"], id="no fix yet"),
        pytest.param([report(0), report(0, 9)], [0], ["same_time"], id="two at one moment"),
        pytest.param([report(9), report(0)], [0], ["late"], id="late"),
        pytest.param(
            [report(0), report(5, 900), report(10)], [0, 2], ["jump"], id="a spike and back"
        ),
        pytest.param(
            [report(0), report(5, 900), report(40)], [0, 2], ["jump"], id="a spike and late back"
        ),
        pytest.param(
            [report(0), report(5, 900), report(10, 910)], [0, 1, 2], [], id="elsewhere, confirmed"
        ),
        pytest.param(
            [report(0), report(30, 1820), report(35, 1825)], [0, 1, 2], [], id="slightly too fast"
        ),
        pytest.param(
            [report(0), report(5, 900), report(10, -900), report(15, 5)],
            [0, 3],
            ["jump", "jump"],
            id="two spikes",
        ),
        pytest.param([report(0), report(5, 900)], [0], [], id="not decided yet"),
        pytest.param([report(0), report(3600, 90_000)], [0, 1], [], id="far after an hour"),
    ],
)
def test_what_is_believed(points: list[Point], numbers: list[int], doubts: list[str]) -> None:
    assert believed(points) == (numbers, doubts)


@pytest.mark.parametrize("track", range(60))
def test_a_plain_track_is_one_of_which_nothing_is_in_doubt_at_any_time(track: int) -> None:
    rng = random.Random(track)
    points, seconds, east_m = [], 0.0, 0.0
    for _ in range(rng.choice([0, 1, 2, 40])):
        points.append(report(seconds, east_m))
        seconds += rng.choice([1, 5, 10]) if track % 2 else rng.choice([-1, 0, 5, 10])
        east_m += seconds and rng.choice([0, 20, 50, 55.5, 55.6] if track % 3 else [0, 20, 900])
    if points and track % 5 == 4:
        points[-1] = rng.choice([replace(points[-1], located=False), ZERO])
    state, doubts = Believed(), []
    for point in points:
        state, _, doubt = clean(state, point, DEFAULTS)
        doubts += [doubt or state.suspect]
    assert are_plain(points, DEFAULTS) == (not any(doubts))


def test_both_sorts_of_tracks_were_tried() -> None:
    assert are_plain([report(0), report(1, 55.5)], DEFAULTS)  # 199.8 km/h
    assert not are_plain([report(0), report(1, 55.6)], DEFAULTS)  # 200.2 km/h
    assert not are_plain([report(0), report(0)], DEFAULTS)
    assert not are_plain([ZERO], DEFAULTS)
    assert are_plain([], DEFAULTS)
