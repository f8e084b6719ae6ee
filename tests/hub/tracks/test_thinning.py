import numpy as np
import pytest
from hypothesis import given, strategies as st

from hub.grid.geodesy import distance_m
from hub.tracks.thinning import thin
from tests.hub.test_judging import numbered, way


def off_m(fixes, kept):
    """How far the thinned track is from each fix at its time."""
    t = [fix.ts for fix in kept]
    lats = np.interp([f.ts for f in fixes], t, [f.lat for f in kept])
    lons = np.interp([f.ts for f in fixes], t, [f.lon for f in kept])
    there = zip(fixes, lats, lons, strict=True)
    return max(distance_m(f.lat, f.lon, lat, lon) for f, lat, lon in there)


def test_an_even_way_is_its_two_ends_and_a_stop_keeps_both_of_its():
    fixes = numbered(way(0, 600, kmh=36), way(600, 1200, 6000), way(1800, 600, 6000, kmh=36))
    kept = thin(fixes, 5.0, 1000)
    assert len(kept) <= 6
    assert off_m(fixes, kept) <= 5.5


def test_speeds_stay_what_they_were():
    fixes = numbered(way(0, 600), way(600, 300, kmh=72))
    kept = thin(fixes, 3.0, 1000)
    assert len(kept) <= 6
    speeds = np.interp([f.ts for f in fixes], [f.ts for f in kept], [f.speed_kmh for f in kept])
    assert np.abs(speeds - [f.speed_kmh for f in fixes]).max() <= 6.0


def test_what_lies_before_and_after_silence_stays():
    fixes = numbered(way(0, 300, kmh=36), way(3600, 300, 3000, kmh=36))
    kept = [fix.ts for fix in thin(fixes, 50.0, 1000)]
    assert {fixes[29].ts, fixes[30].ts} <= set(kept)


@given(st.lists(st.integers(0, 400), min_size=2, max_size=60), st.sampled_from([3.0, 20.0, 100.0]))
def test_no_moment_is_further_off_than_the_tolerance(places, tolerance_m):
    fixes = numbered([(10 * n, east, {}) for n, east in enumerate(places)])
    kept = thin(fixes, tolerance_m, 10_000)
    assert kept[0] == fixes[0]
    assert kept[-1] == fixes[-1]
    assert off_m(fixes, kept) <= tolerance_m * 1.01 + 0.1


@pytest.mark.parametrize("most", [10, 100])
def test_no_more_than_wanted(most):
    zigzag = numbered([(10 * n, 500 * (n % 2), {}) for n in range(1000)])
    assert len(thin(zigzag, 1.0, most)) <= most
