import pytest

from hub.tracks.errors import TrackError
from hub.tracks.motion import Gap, Motion, MotionState, Stop, Trip, finish, move
from hub.tracks.point import Point
from hub.tracks.settings import DEFAULTS, TrackSettings
from tests.hub.tracks.reports import LAT, LON, at_s, drive, report, stand


def happened(points: list[Point], settings: TrackSettings = DEFAULTS) -> list[Motion]:
    state: MotionState | None = None
    events: list[Motion] = []
    for point in points:
        state, found = move(state, point, settings)
        events += found
    return [*events, *finish(state, settings)]


def words(points: list[Point], settings: TrackSettings = DEFAULTS) -> list[str]:
    return [type(event).__name__.lower() for event in happened(points, settings)]


@pytest.mark.parametrize(
    ("points", "expected"),
    [
        pytest.param([], [], id="nothing"),
        pytest.param([report(0)], [], id="one point"),
        pytest.param(stand(0, 290, 0), [], id="a short stay"),
        pytest.param(stand(0, 300, 0), ["stop"], id="a stay of five minutes"),
        pytest.param(drive(0, 600, 0, 6000), ["trip"], id="driving"),
        pytest.param(drive(0, 100, 0, 150), [], id="too short for a trip"),
        pytest.param(
            drive(0, 300, 0, 3000) + stand(305, 700, 3000) + drive(705, 1000, 3000, 6000),
            ["trip", "stop", "trip"],
            id="there and on",
        ),
        pytest.param(
            drive(0, 300, 0, 3000) + stand(305, 500, 3000) + drive(505, 1000, 3000, 8000),
            ["trip"],
            id="a traffic light",
        ),
        pytest.param(
            [*stand(0, 400, 0), report(405, 700), *stand(410, 800, 0)],
            ["stop"],
            id="one stray fix does not end a stop",
        ),
        pytest.param(
            stand(0, 400, 0) + drive(405, 420, 110, 130) + stand(425, 800, 0),
            ["stop"],
            id="out for less than a minute",
        ),
        pytest.param(
            stand(0, 400, 0) + stand(1400, 1800, 0), ["stop", "gap", "stop"], id="silent at a stop"
        ),
        pytest.param(
            drive(0, 300, 0, 3000) + drive(1300, 1600, 9000, 12_000),
            ["trip", "gap", "trip"],
            id="silent on the way",
        ),
        pytest.param(
            stand(0, 200, 0) + stand(1400, 1600, 0), ["gap"], id="a stay across a gap is no stop"
        ),
        pytest.param(
            [report(n * 10.0, n * 8.0) for n in range(200)], ["trip"], id="creeping at 3 km/h"
        ),
    ],
)
def test_stops_trips_and_gaps(points: list[Point], expected: list[str]) -> None:
    assert words(points) == expected


def test_times_places_distances_and_speeds() -> None:
    way = drive(0, 300, 0, 3000) + stand(305, 700, 3000) + drive(705, 1000, 3010, 6000)
    first, stop, second = happened(way)
    assert isinstance(stop, Stop)
    assert isinstance(first, Trip)
    assert isinstance(second, Trip)
    assert (first.start, second.end) == (at_s(0), at_s(1000))
    assert first.end == stop.start
    assert stop.end == second.start
    # A stay is found within its radius: the last metres before it and after it are part of it.
    assert at_s(285) <= stop.start <= at_s(305)
    assert at_s(700) <= stop.end <= at_s(715)
    assert stop.lat == pytest.approx(LAT)
    assert stop.lon == pytest.approx(report(0, 3000).lon, abs=2e-4)
    assert first.distance_m + second.distance_m == pytest.approx(6000, abs=200)
    assert first.top_kmh == pytest.approx(36, rel=1e-3)


def test_speed_said_by_the_vehicle_counts_before_that_of_the_legs() -> None:
    points = [report(n * 5.0, n * 50.0, speed_kmh=33) for n in range(100)]
    (trip,) = happened(points)
    assert isinstance(trip, Trip)
    assert trip.top_kmh == 33


def test_a_leg_that_nobody_can_drive_adds_no_distance() -> None:
    (trip,) = happened(drive(0, 300, 0, 3000) + drive(305, 600, 9000, 12_000))
    assert isinstance(trip, Trip)
    assert trip.distance_m == pytest.approx(6000, rel=1e-3)
    assert trip.top_kmh < 40


def test_a_gap_lasts_from_point_to_point() -> None:
    assert happened([report(0), report(900)]) == [Gap(at_s(0), at_s(900), LAT, LON)]
    assert happened([report(0), report(899)]) == [Stop(at_s(0), at_s(899), LAT, LON)]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (TrackSettings(stop_min_s=180), ["trip", "stop", "trip"]),
        (TrackSettings(stop_min_s=180, trip_min_m=5000), ["stop"]),
        (TrackSettings(gap_min_s=4), ["gap"] * 200),
    ],
)
def test_thresholds_are_settings(settings: TrackSettings, expected: list[str]) -> None:
    way = drive(0, 300, 0, 3000) + stand(305, 500, 3000) + drive(505, 1000, 3000, 6000)
    assert words(way, settings) == expected


@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf")])
def test_a_setting_is_a_positive_number(value: float) -> None:
    with pytest.raises(TrackError, match=r"stop_radius_m .* above 0"):
        TrackSettings(stop_radius_m=value)
