"""Areas and routes kept in a terminal: what a person says of them → bodies of 0x8600 to 0x8607.

Source: JT/T 808-2013 tables 54 to 62; 808-2019 tables 56 to 64 (night speeds and names). A terminal
checks its areas coarsely and holds few of them: the hub judges for itself.
"""

from collections.abc import Sequence
from typing import Annotated, Literal

from msgspec import Meta, Struct

from edge.gps.jt808.frame import Version

CIRCLE, RECTANGLE, POLYGON, ROUTE = 0x8600, 0x8602, 0x8604, 0x8606
APPEND = 1
MOST_DELETED = 125

Id = Annotated[int, Meta(ge=0, le=0xFFFF_FFFF)]
Metres = Annotated[int, Meta(ge=1, le=0xFFFF_FFFF)]
Kmh = Annotated[int, Meta(ge=1, le=0xFFFF)]
Shape = Literal["circle", "rectangle", "polygon", "route"]
Clock = Annotated[str, Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
Place = tuple[Annotated[float, Meta(ge=-90, le=90)], Annotated[float, Meta(ge=-180, le=180)]]
"""Latitude and longitude in degrees; all places of one area lie on one side of equator and 0°."""


class Speed(Struct, frozen=True, forbid_unknown_fields=True):
    """Top speed in an area; for `seconds` it may be passed. `night_kmh`: 2019 only."""

    top_kmh: Kmh
    seconds: Annotated[int, Meta(ge=0, le=255)] = 10
    night_kmh: Kmh | None = None


class Area(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What all areas share. `tell`: the platform of entering and leaving; `hours`: daily."""

    id: Id
    name: Annotated[str, Meta(max_length=100)] = ""
    tell: Literal["enter", "leave", "both", "none"] = "both"
    hours: tuple[Clock, Clock] | None = None
    speed: Speed | None = None


class Circle(Area, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="shape",
             tag="circle"):  # fmt: skip
    """Within `radius_m` of `centre`."""

    centre: Place
    radius_m: Metres


class Rectangle(Area, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="shape",
                tag="rectangle"):  # fmt: skip
    """Between two corners."""

    north_west: Place
    south_east: Place


class Polygon(Area, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="shape",
              tag="polygon"):  # fmt: skip
    """Inside its corners."""

    corners: Annotated[list[Place], Meta(min_length=3, max_length=2000)]


class Stretch(Struct, frozen=True, forbid_unknown_fields=True):
    """A stretch of a route: from `at` to the next one's, `width_m` wide."""

    at: Place
    id: Id
    width_m: Annotated[int, Meta(ge=1, le=255)] = 50
    speed: Speed | None = None


class Route(Area, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="shape",
            tag="route"):  # fmt: skip
    """Along its stretches; the limits of speed are theirs."""

    stretches: Annotated[list[Stretch], Meta(min_length=2, max_length=2000)]


Fence = Circle | Rectangle | Polygon | Route

_TELL = {"none": 0, "enter": 1 << 3, "leave": 1 << 5, "both": 1 << 3 | 1 << 5}
_HOURS, _SPEED, _SOUTH, _WEST = 1 << 0, 1 << 1, 1 << 6, 1 << 7
_STRETCH_SPEED, _STRETCH_SOUTH, _STRETCH_WEST = 1 << 1, 1 << 2, 1 << 3


def setting(fence: Fence, version: Version) -> tuple[int, bytes]:
    """Give message ID and body that add the fence to those of the terminal."""
    match fence:
        case Circle():
            shape = _place(fence.centre) + fence.radius_m.to_bytes(4)
            return CIRCLE, _counted(_area(fence, [fence.centre], shape, version))
        case Rectangle():
            corners = [fence.north_west, fence.south_east]
            shape = b"".join(map(_place, corners))
            return RECTANGLE, _counted(_area(fence, corners, shape, version))
        case Polygon():
            return POLYGON, _polygon(fence, version)
        case Route():
            return ROUTE, _route(fence, version)


def deletion(shape: Shape, ids: Sequence[int]) -> tuple[int, bytes]:
    """Give message ID and body that delete these fences of a shape; all of them without `ids`."""
    shapes = {"circle": CIRCLE, "rectangle": RECTANGLE, "polygon": POLYGON, "route": ROUTE}
    if len(ids) > MOST_DELETED:
        raise ValueError(f"ids: {len(ids)} given, at most {MOST_DELETED} fit in one message")
    return shapes[shape] + 1, bytes([len(ids)]) + b"".join(n.to_bytes(4) for n in ids)


def _counted(item: bytes) -> bytes:
    return bytes([APPEND, 1]) + item


def _area(fence: Area, places: Sequence[Place], shape: bytes, version: Version) -> bytes:
    """0x8600 and 0x8602: the speeds stand together behind the shape."""
    return b"".join((
        fence.id.to_bytes(4), _attribute(fence, places).to_bytes(2), shape, _hours(fence),
        _speed(fence.speed), _night(fence.speed, version), _name(fence, version),
    ))  # fmt: skip


def _polygon(fence: Polygon, version: Version) -> bytes:
    return b"".join((
        fence.id.to_bytes(4), _attribute(fence, fence.corners).to_bytes(2), _hours(fence),
        _speed(fence.speed), len(fence.corners).to_bytes(2), *map(_place, fence.corners),
        _night(fence.speed, version), _name(fence, version),
    ))  # fmt: skip


def _route(fence: Route, version: Version) -> bytes:
    attribute = _TELL[fence.tell] | (_HOURS if fence.hours else 0)
    stretches = (_stretch(n, each, version) for n, each in enumerate(fence.stretches, 1))
    return b"".join((
        fence.id.to_bytes(4), attribute.to_bytes(2), _hours(fence),
        len(fence.stretches).to_bytes(2), *stretches, _name(fence, version),
    ))  # fmt: skip


def _stretch(number: int, stretch: Stretch, version: Version) -> bytes:
    lat, lon = stretch.at
    attribute = (_STRETCH_SPEED if stretch.speed else 0) | (_STRETCH_SOUTH if lat < 0 else 0)
    attribute |= _STRETCH_WEST if lon < 0 else 0
    return b"".join((
        number.to_bytes(4), stretch.id.to_bytes(4), _place(stretch.at),
        bytes([stretch.width_m, attribute]), _speed(stretch.speed),
        _night(stretch.speed, version),
    ))  # fmt: skip


def _attribute(fence: Area, places: Sequence[Place]) -> int:
    south = {lat < 0 for lat, _ in places}
    west = {lon < 0 for _, lon in places}
    if len(south) > 1 or len(west) > 1:
        raise ValueError(f"fence {fence.id}: lies on both sides of the equator or of 0° longitude")
    attribute = _TELL[fence.tell] | (_HOURS if fence.hours else 0) | (_SPEED if fence.speed else 0)
    return attribute | (_SOUTH if True in south else 0) | (_WEST if True in west else 0)


def _place(place: Place) -> bytes:
    return b"".join(round(abs(degrees) * 1_000_000).to_bytes(4) for degrees in place)


def _hours(fence: Area) -> bytes:
    """BCD[6] each, the date all zero: daily."""
    hours = ("000000" + at.replace(":", "") + "00" for at in fence.hours or ())
    return bytes.fromhex("".join(hours))


def _speed(speed: Speed | None) -> bytes:
    return b"" if speed is None else speed.top_kmh.to_bytes(2) + bytes([speed.seconds])


def _night(speed: Speed | None, version: Version) -> bytes:
    if speed is None or version == "2013":
        return b""
    return (speed.night_kmh or speed.top_kmh).to_bytes(2)


def _name(fence: Area, version: Version) -> bytes:
    if version == "2013":
        return b""
    name = fence.name.encode("gb18030")
    return len(name).to_bytes(2) + name
