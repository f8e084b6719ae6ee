"""How somebody was in a grid: by looking, parked, or passing; never more than the rule before."""

import random
from itertools import pairwise

import numpy as np
import pytest

from hub.grid.index import GridIndex
from hub.patrol.stand import stands
from hub.patrol.visit import Legs, Manner, Visit, VisitSettings, Way, visits
from hub.tracks.point import Point
from tests.hub.patrol.test_coverage import ROAD
from tests.hub.tracks.reports import EAST, LAT, LON, NORTH, at_s, drive, report, stand

INDEX = GridIndex(ROAD)
LOOKED, PARKED, PASSED = Manner.LOOKED, Manner.PARKED, Manner.PASSED


def codes_of(points: list[Point]) -> list[str | None]:
    return [INDEX.locate(point.lat, point.lon) for point in points]


def found(points: list[Point], settings: VisitSettings | None = None) -> list[Visit]:
    return visits(points, codes_of(points), settings or VisitSettings())


def drift(start_s: float, end_s: float, east_m: float, wander_m: float = 6) -> list[Point]:
    """A parked receiver: it wanders around its place, as correlated errors do, and strays twice."""
    rng = random.Random(7)
    x = y = 0.0
    points = []
    for n in range(int(end_s - start_s) // 5 + 1):
        x, y = 0.95 * x + rng.gauss(0, wander_m / 3), 0.95 * y + rng.gauss(0, wander_m / 3)
        stray = 35 if n in (90, 200) else 0
        lon, lat = LON + (east_m + x + stray) / EAST, LAT + y / NORTH
        points.append(Point(at_s(start_s + 5 * n), lat, lon))
    return points


@pytest.mark.parametrize(
    ("points", "expected"),
    [
        pytest.param(drive(0, 60, 10, 990), [(f"c{n}", PASSED) for n in range(10)], id="60 km/h"),
        pytest.param(drive(0, 72, 0, 300), [("c0", LOOKED), ("c1", LOOKED), ("c2", LOOKED)],
                     id="15 km/h"),
        pytest.param(stand(0, 900, 150), [("c1", LOOKED)], id="standing for a quarter of an hour"),
        pytest.param(stand(0, 3600, 150), [("c1", PARKED)], id="parked for an hour"),
        pytest.param(drift(0, 3600, 150), [("c1", PARKED)], id="parked, the receiver wanders"),
        pytest.param(drift(0, 3600, 194), [("c1", PARKED)], id="parked at a border"),
        pytest.param(
            [*drive(0, 5, 0, 150), *stand(10, 2000, 150), *drive(2005, 2010, 150, 300)],
            [("c0", PASSED), ("c1", PARKED), ("c2", PASSED)],
            id="comes fast, parks, leaves fast",
        ),
        pytest.param(
            [*drive(0, 24, 102, 198, 4), *stand(30, 2000, 195)], [("c1", LOOKED)],
            id="looks, then parks",
        ),
        pytest.param(stand(0, 7200, 150, every_s=130), [], id="nothing is known between reports"),
        pytest.param(
            [*stand(0, 800, 150), *stand(1000, 1800, 150)], [("c1", LOOKED)],
            id="silence between two stands is neither",
        ),
        pytest.param(
            [*stand(0, 700, 150), *stand(705, 1400, 250)], [("c1", LOOKED), ("c2", LOOKED)],
            id="goes on to the next place in time",
        ),
        pytest.param([report(0, 95), report(5, 105)], [("c0", PASSED), ("c1", PASSED)],
                     id="brushed"),
        pytest.param(drive(0, 20, -400, -50), [], id="outside all"),
    ],
)  # fmt: skip
def test_manners_are_told_apart(points, expected):
    assert [(visit.grid, visit.manner) for visit in found(points)] == expected


def test_seconds_metres_and_passes_of_a_visit():
    points = [
        *drive(0, 5, 0, 102),  # 73 km/h into c1
        *drive(10, 46, 105, 195, 4),  # 9 km/h through it
        *drive(50, 60, 260, 460),  # fast away
        *drive(65, 75, 260, 60),  # and back through it
    ]
    (visit,) = [each for each in found(points) if each.grid == "c1"]
    way = visit.way
    assert way is not None
    assert (visit.start, visit.end) == (at_s(5), at_s(46))
    assert visit.slow_s == way.moving_s == pytest.approx(41)
    assert way.standing_s == 0
    # 3 m, then 90 m, and half of the leg on which it speeds up is too fast.
    assert way.slow_m == pytest.approx(93, abs=0.2)
    assert way.passes == 2
    assert way.inside_s > way.moving_s


def test_standing_is_counted_as_standing_and_parking_never_as_looking():
    brief, long = (found(stand(0, seconds, 150))[0] for seconds in (300, 3600))
    assert (brief.slow_s, brief.way) == (300, Way(300, 0, 300, 0, 1))
    assert (long.slow_s, long.way) == (0, Way(3600, 0, 3600, 0, 1))
    less = found(stand(0, 300, 150), VisitSettings(park_s=200))
    assert [visit.manner for visit in less] == [PARKED]


def test_a_fast_pass_between_two_looks_neither_joins_them_nor_adds_up():
    look = 12  # seconds, less than a visit asks for
    points = [
        *drive(0, look, 110, 140, 4), *drive(look + 5, 40, 240, 740),
        *drive(600, 620, 40, 400),  # past, within a quarter of an hour of both
        *drive(1200, 1200 + look, 110, 140, 4),
    ]  # fmt: skip
    manners = [visit.manner for visit in found(points) if visit.grid == "c1"]
    assert manners == [PASSED, PASSED]


@pytest.mark.parametrize("track", range(40))
def test_nothing_is_a_visit_that_was_none_before_parking_was_told_apart(track):
    """The rule before, written down as simply as can be: all seconds at the pace, chained."""
    points, settings = wandering(random.Random(track)), VisitSettings()
    codes = codes_of(points)
    before = simple(points, codes, settings)
    for visit in visits(points, codes, settings):
        if visit.manner is Manner.LOOKED:
            assert any(
                grid == visit.grid
                and start <= visit.start <= visit.end <= end
                and visit.slow_s <= slow_s + 1e-6
                for grid, start, end, slow_s in before
            ), visit


def wandering(rng):
    """Drives, looks, stands and silences along the road, an hour or two."""
    points, s, x = [], 0.0, rng.uniform(0, 900)
    while s < 6000:
        speed_ms = rng.choice([0, 0, 1, 4, 5, 12, 16])
        lasts, every = rng.choice([10, 40, 400, 1200]), rng.choice([2, 5, 10])
        until = s + lasts
        while s < until:
            points.append(report(s, x + rng.gauss(0, 1)))
            s, x = s + every, (x + speed_ms * every) % 1000
        s += rng.choice([0, 0, 60, 400, 1000])
    return points


def simple(points, codes, settings):
    halves = []
    for (a, here), (b, there) in pairwise(zip(points, codes, strict=True)):
        seconds = (b.at - a.at).total_seconds()
        kmh = float(Legs.of([a, b]).kmh[0])
        if seconds <= settings.leg_max_s and kmh <= settings.pace_kmh:
            middle = a.at + (b.at - a.at) / 2
            halves += [(here, a.at, middle), (there, middle, b.at)]
    chains = []
    for grid, start, end in halves:
        last = next((chain for chain in reversed(chains) if chain[0] == grid), None)
        if last is None or (start - last[2]).total_seconds() > settings.again_s:
            chains.append([grid, start, end, 0.0])
            last = chains[-1]
        last[2], last[3] = end, last[3] + (end - start).total_seconds()
    return [chain for chain in chains if chain[0] and chain[3] >= settings.dwell_s]


@pytest.mark.parametrize(
    ("east_m", "step_s", "expected"),
    [
        ([0] * 30, 5, [(0, 29)]),
        ([0] * 5, 5, []),
        ([*[0] * 20, 60, *[0] * 20], 5, [(0, 40)]),
        ([*[0] * 20, *[60] * 20], 5, [(0, 19), (20, 39)]),
        (np.arange(0, 300, 2.0).tolist(), 1, []),
        (np.arange(0, 60, 0.1).tolist(), 1, [(0, 399), (400, 599)]),
        ([], 1, []),
    ],
    ids=["one place", "too short", "one stray", "two places", "walking", "creeping", "nothing"],
)
def test_where_a_track_stood(east_m, step_s, expected):
    at_ms = [n * step_s * 1000 for n in range(len(east_m))]
    north_m = [0.0] * len(east_m)
    stood = stands(east_m, north_m, at_ms, within_m=20, least_s=60, silence_s=120)
    assert [(each.first, each.last) for each in stood] == expected
