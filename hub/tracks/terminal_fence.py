"""The hub's fences in the words of a terminal's order: what JT/T 808 can hold, and what it cannot.

A terminal knows circles, rectangles, polygons and routes, one window of the day and one top speed;
no holes, parts, weekdays or vehicles. What does not fit is refused by name rather than bent: the
hub judges every fence itself, and the terminal's is a second opinion.
"""

from zlib import crc32

from shapely import MultiPolygon, Polygon, box

from hub.grid.errors import GridError
from hub.grid.fence import Area, Circle, Corridor
from hub.grid.hours import ALWAYS
from hub.tracks.geofence import ALL_DAYS, Geofence, Watched
from wire.coded import coded

WIDEST_M = 255
MOST_CORNERS = 500
DECIMALS = 6
LAST_MINUTE = 24 * 60 - 1
Order = dict[str, object]


def fence_id(code: str) -> int:
    """The number a terminal knows a fence by: always the same for a code."""
    return crc32(code.encode()) & 0x7FFF_FFFF


def terminal_fence(fence: Geofence) -> Order:
    """The argument `fence` of the order `set_fence`. Raises GridError for what does not fit."""
    said: Order = {
        "id": fence_id(fence.code),
        "name": fence.name[:20],
        "tell": _tell(fence),
        **_shape(fence),
    }
    if fence.limit_kmh is not None:
        if said["shape"] == "route":
            raise _unfit(
                fence, coded("route_speed", "a top speed along a route is each stretch's own")
            )
        said["speed"] = {"top_kmh": round(fence.limit_kmh)}
    if hours := _hours(fence):
        said["hours"] = hours
    return said


def shape_name(fence: Geofence) -> str:
    """What a terminal calls the fence's shape, to delete it by. Raises GridError."""
    return str(_shape(fence)["shape"])


def _tell(fence: Geofence) -> str:
    enters = bool({Watched.ENTER, Watched.CROSS, Watched.INSIDE} & fence.watch)
    leaves = bool({Watched.EXIT, Watched.CROSS} & fence.watch)
    if enters:
        return "both" if leaves else "enter"
    return "leave" if leaves else "none"


def _shape(fence: Geofence) -> Order:
    match fence.shape:
        case Circle(lat=lat, lon=lon, radius_m=radius_m):
            return {"shape": "circle", "centre": _place(lat, lon), "radius_m": round(radius_m)}
        case Corridor(route=route, half_width_m=half_width_m):
            return _route(fence, list(route), round(2 * half_width_m))
        case Area(geometry=geometry):
            return _polygon(fence, geometry)
    raise _unfit(fence, coded("shape_unknown", "no terminal knows its shape"))


def _route(fence: Geofence, route: list[tuple[float, float]], width_m: int) -> Order:
    if width_m > WIDEST_M:
        raise _unfit(
            fence,
            coded("fence_wide", "it is {m} m wide, at most {most} m fit", m=width_m, most=WIDEST_M),
        )
    if len(route) > MOST_CORNERS:
        raise _unfit(
            fence,
            coded(
                "fence_points",
                "it has {count} points, at most {most} fit",
                count=len(route),
                most=MOST_CORNERS,
            ),
        )
    stretches = [
        {"at": _place(lat, lon), "id": number, "width_m": width_m}
        for number, (lat, lon) in enumerate(route, 1)
    ]
    return {"shape": "route", "stretches": stretches}


def _polygon(fence: Geofence, geometry: Polygon | MultiPolygon) -> Order:
    parts = list(geometry.geoms) if isinstance(geometry, MultiPolygon) else [geometry]
    if len(parts) > 1:
        raise _unfit(
            fence,
            coded("fence_parts", "it has {count} parts, a terminal's has one", count=len(parts)),
        )
    (part,) = parts
    if part.interiors:
        raise _unfit(fence, coded("fence_holes", "it has holes, a terminal's has none"))
    west, south, east, north = part.bounds
    if part.equals(box(west, south, east, north)):
        corners = {"north_west": _place(north, west), "south_east": _place(south, east)}
        return {"shape": "rectangle", **corners}
    ring = [_place(lat, lon) for lon, lat, *_ in part.exterior.coords[:-1]]
    if len(ring) > MOST_CORNERS:
        raise _unfit(
            fence,
            coded(
                "fence_corners",
                "it has {count} corners, at most {most} fit",
                count=len(ring),
                most=MOST_CORNERS,
            ),
        )
    return {"shape": "polygon", "corners": ring}


def _hours(fence: Geofence) -> list[str]:
    if fence.days != ALL_DAYS:
        raise _unfit(fence, coded("fence_weekdays", "it has weekdays, a terminal knows none"))
    if fence.hours == ALWAYS:
        return []
    if len(fence.hours.intervals) > 1:
        raise _unfit(
            fence, coded("fence_windows", "it has several windows of the day, a terminal's has one")
        )
    ((start, end),) = fence.hours.intervals
    return [_clock(start), _clock(min(end, LAST_MINUTE))]


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


def _place(lat: float, lon: float) -> list[float]:
    return [round(float(lat), DECIMALS), round(float(lon), DECIMALS)]


def _unfit(fence: Geofence, why: str) -> GridError:
    return GridError(coded("fence_unfit", "fence {fence}: {why}", fence=fence.code, why=why))
