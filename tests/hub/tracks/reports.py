"""Reports of a vehicle on a straight road, for tests."""

from datetime import UTC, datetime, timedelta

from hub.grid.geodesy import metres_per_degree
from hub.tracks.point import Point

NOON = datetime(2026, 10, 1, 4, tzinfo=UTC)  # 12:00 in Ankang
LAT, LON = 32.69, 109.02
NORTH, EAST = metres_per_degree(LAT)


def at_s(seconds: float) -> datetime:
    """A moment after noon."""
    return NOON + timedelta(seconds=seconds)


def report(
    seconds: float,
    east_m: float = 0.0,
    *,
    speed_kmh: float | None = None,
    load: int | None = None,
    hopper: bool | None = None,
) -> Point:
    """A report so long after noon, so far east of the start of the road."""
    lon = LON + east_m / EAST
    return Point(at_s(seconds), LAT, lon, speed_kmh=speed_kmh, load=load, hopper=hopper)


def drive(
    start_s: float, end_s: float, from_m: float, to_m: float, every_s: float = 5.0
) -> list[Point]:
    """Reports at an even speed from one place on the road to another, both ends included."""
    count = round((end_s - start_s) / every_s)
    return [
        report(start_s + n * every_s, from_m + (to_m - from_m) * n / count)
        for n in range(count + 1)
    ]


def stand(start_s: float, end_s: float, east_m: float, every_s: float = 5.0) -> list[Point]:
    """Reports from one place."""
    return drive(start_s, end_s, east_m, east_m, every_s)
