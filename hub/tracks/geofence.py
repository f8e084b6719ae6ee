"""A fence with what it is for: watched area, loading or dump site; when, and for which vehicles.

One GeoJSON feature is one fence: a Polygon or MultiPolygon is an area, a Point with `radius_m` a
circle, a LineString with `half_width_m` a corridor.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from typing import Any

import numpy as np
import shapely
from shapely.geometry import mapping, shape

from hub.grid.datum import Datum, convert
from hub.grid.errors import GridError, Problem
from hub.grid.fence import Area, Circle, Corridor, Fence
from hub.grid.geodesy import metres_per_degree
from hub.grid.hours import ALWAYS, Hours
from hub.grid.titled import one_to
from hub.tracks.episode import Kind
from wire.coded import Coded, coded

CODE_LENGTH, NAME_LENGTH = 64, 200
MOST_VERTICES = 20_000
ALL_DAYS = frozenset(range(1, 8))
TWICE = coded("code_twice", "the code is there twice")
OWN = (
    "code", "name", "purpose", "radius_m", "half_width_m", "hours", "days", "from", "until",
    "vehicles", "kinds", "watch", "inside_min_s", "limit_kmh",
)  # fmt: skip
MAX_LIMIT_KMH = 300.0
DEFAULT_INSIDE_S = 300.0


class Purpose(StrEnum):
    """What a fence is there for; only a `watch` fence tells of what passes through."""

    WATCH = "watch"
    LOADING = "loading"
    DUMP = "dump"


class Watched(StrEnum):
    """What a fence raises an alert for."""

    ENTER = "enter"
    EXIT = "exit"
    INSIDE = "inside"
    CROSS = "cross"


WATCHED: Mapping[Kind, Watched] = {
    Kind.FENCE_ENTER: Watched.ENTER,
    Kind.FENCE_EXIT: Watched.EXIT,
    Kind.FENCE_INSIDE: Watched.INSIDE,
    Kind.FENCE_CROSS: Watched.CROSS,
}
"""What must be watched for an episode of a kind to become an alert."""


@dataclass(frozen=True, slots=True)
class Geofence:
    """One fence, WGS-84.

    It is in force on `days` (1 Monday to 7 Sunday) during `hours` of local time, from the date
    `first` until `last`, both included; for the `vehicles` (plates or ids) and `kinds` it names,
    or for all. `inside_min_s`: so long inside is a stay. `limit_kmh`: nobody drives faster there.
    """

    code: str
    name: str
    shape: Fence
    purpose: Purpose = Purpose.WATCH
    hours: Hours = ALWAYS
    days: frozenset[int] = ALL_DAYS
    first: date | None = None
    last: date | None = None
    vehicles: frozenset[str] = frozenset()
    kinds: frozenset[str] = frozenset()
    watch: frozenset[Watched] = frozenset()
    inside_min_s: float = DEFAULT_INSIDE_S
    limit_kmh: float | None = None

    def concerns(self, names: Iterable[str], kind: str) -> bool:
        """Whether it is for a vehicle of these names (id, plate) and kind."""
        if not self.vehicles and not self.kinds:
            return True
        return kind in self.kinds or not self.vehicles.isdisjoint(names)

    def is_in_force(self, at: datetime, zone: tzinfo) -> bool:
        """Whether it is judged at a moment."""
        local = at.astimezone(zone)
        day = local.date()
        in_time = (self.first or day) <= day <= (self.last or day)
        return in_time and local.isoweekday() in self.days and self.hours.are_open(at, zone)


def read_fences(document: object, datum: Datum = Datum.WGS84) -> list[Geofence]:
    """Fences of a FeatureCollection or of one Feature, turned into WGS-84.

    Raises GridError with every problem of the document.
    """
    features = _features(document)
    found: list[Problem] = []
    fences: dict[str, Geofence] = {}
    for number, feature in enumerate(features):
        where = f"features[{number}]"
        problems: list[Problem] = []
        fence = _Reader(feature, where, datum, problems).fence()
        if fence is not None and fence.code in fences:
            problems.append(
                Problem("duplicate_code", fence.code, where, TWICE, coded("one_each", "one each"))
            )
        found += problems
        if fence is not None and not problems:
            fences[fence.code] = fence
    if found:
        raise GridError.from_problems(found)
    return list(fences.values())


def feature_of(fence: Geofence, datum: Datum = Datum.WGS84) -> dict[str, Any]:
    """The fence as the GeoJSON feature that reads back to it."""
    geometry, own = _geometry(fence.shape, datum)
    properties: dict[str, Any] = {
        "code": fence.code,
        "name": fence.name,
        "purpose": fence.purpose.value,
        **own,
        "hours": [[_clock(start), _clock(end)] for start, end in fence.hours.intervals],
        "days": sorted(fence.days),
        "from": fence.first.isoformat() if fence.first else None,
        "until": fence.last.isoformat() if fence.last else None,
        "vehicles": sorted(fence.vehicles),
        "kinds": sorted(fence.kinds),
        "watch": sorted(fence.watch),
        "inside_min_s": fence.inside_min_s,
        "limit_kmh": fence.limit_kmh,
    }
    return {"type": "Feature", "properties": properties, "geometry": geometry}


def bounds(fence: Fence) -> tuple[float, float, float, float]:
    """A box (west, south, east, north) that holds the fence, with a little room."""
    if isinstance(fence, Area):
        west, south, east, north = fence.geometry.bounds
        return west, south, east, north
    if isinstance(fence, Circle):
        route, reach_m = [(fence.lat, fence.lon)], fence.radius_m
    elif isinstance(fence, Corridor):
        route, reach_m = list(fence.route), fence.half_width_m
    else:
        return -180.0, -90.0, 180.0, 90.0
    lats, lons = np.array(route).T
    furthest = min(89.0, float(np.abs(lats).max()) + 1.0)
    up, across = (reach_m * 1.01 / scale for scale in metres_per_degree(furthest))
    return lons.min() - across, lats.min() - up, lons.max() + across, lats.max() + up


def _features(document: object) -> list[object]:
    if isinstance(document, Mapping):
        if document.get("type") == "Feature":
            return [document]
        features = document.get("features")
        if document.get("type") == "FeatureCollection" and isinstance(features, list):
            if features:
                return features
            message = coded("no_fence", "no fence in it")
            allowed = coded("feature_or_more", "one feature or more")
            problem = Problem("empty", None, "features", message, allowed)
            raise GridError.from_problems([problem])
    problem = Problem(
        "not_a_collection",
        None,
        "document",
        coded("no_features", "no GeoJSON features"),
        "a FeatureCollection",
    )
    raise GridError.from_problems([problem])


def _not_allowed(given: object) -> Coded:
    """A value that cannot be."""
    return coded("value_not_allowed", "{given!r} is not allowed", given=given)


class _Reader:
    """One feature on its way to a fence; notes each problem with its place."""

    def __init__(self, feature: object, where: str, datum: Datum, found: list[Problem]) -> None:
        self._feature = feature if isinstance(feature, Mapping) else {}
        self._where, self._datum, self._found = where, datum, found
        given = self._feature.get("properties")
        self._given: Mapping[str, Any] = given if isinstance(given, Mapping) else {}
        code = self._given.get("code")
        self._code = code if isinstance(code, str) else None

    def fence(self) -> Geofence | None:
        """The fence, or None with at least one problem noted."""
        for name in self._given:
            if name not in OWN:
                self._bad(
                    f"properties.{name}",
                    coded("unknown_property", "unknown property"),
                    ", ".join(OWN),
                )
        fence_shape = self._shape()
        first, last = self._date("from"), self._date("until")
        if first and last and last < first:
            message = coded("before_from", "{given} is before from", given=last)
            self._bad("properties.until", message, coded("later_date", "a later date"))
        values = Geofence(
            code=self._text("code", CODE_LENGTH),
            name=self._text("name", NAME_LENGTH, self._code or ""),
            shape=fence_shape or Circle(0.0, 0.0, 1.0),
            purpose=Purpose(self._choice("purpose", Purpose, Purpose.WATCH)),
            hours=self._hours(),
            days=self._days(),
            first=first,
            last=last,
            vehicles=self._texts("vehicles"),
            kinds=self._texts("kinds"),
            watch=self._watch(),
            inside_min_s=self._number("inside_min_s", 0, 86_400, DEFAULT_INSIDE_S),
            limit_kmh=self._number("limit_kmh", 1, MAX_LIMIT_KMH, 0.0) or None,
        )
        return None if fence_shape is None or self._found else values

    def _bad(self, at: str, message: str, allowed: str) -> None:
        where = f"{self._where}.{at}"
        self._found.append(Problem("bad_fence", self._code, where, message, allowed))

    def _text(self, name: str, longest: int, otherwise: str = "") -> str:
        value = self._given.get(name, otherwise)
        if not isinstance(value, str) or not 0 < len(value.strip()) <= longest:
            message = coded("no_text_of", "{given!r} is no {column}", given=value, column=name)
            self._bad(f"properties.{name}", message, one_to(longest))
            return ""
        return value.strip()

    def _texts(self, name: str) -> frozenset[str]:
        values = self._given.get(name) or []
        if not isinstance(values, list) or not all(isinstance(v, str) and v for v in values):
            message = coded("no_names", "{given!r} is no list of names", given=values)
            self._bad(f"properties.{name}", message, '["…", "…"]')
            return frozenset()
        return frozenset(values)

    def _choice(self, name: str, choices: type[StrEnum], otherwise: StrEnum) -> str:
        value = self._given.get(name, otherwise.value)
        if value not in list(choices):
            self._bad(f"properties.{name}", _not_allowed(value), ", ".join(choices))
            return otherwise.value
        return str(value)

    def _watch(self) -> frozenset[Watched]:
        values = self._texts("watch")
        wrong = values - set(Watched)
        if wrong:
            message = coded("are_not_allowed", "{given} are not allowed", given=sorted(wrong))
            self._bad("properties.watch", message, ", ".join(Watched))
        return frozenset(Watched(value) for value in values - wrong)

    def _number(self, name: str, least: float, most: float, otherwise: float) -> float:
        value = self._given.get(name)
        if value is None:
            return otherwise
        if isinstance(value, bool) or not isinstance(value, int | float):
            value = float("nan")
        if not least <= value <= most:
            allowed = coded("from_to", "{least} to {most}", least=f"{least:g}", most=f"{most:g}")
            self._bad(f"properties.{name}", _not_allowed(self._given[name]), allowed)
            return otherwise
        return float(value)

    def _hours(self) -> Hours:
        given = self._given.get("hours")
        if given is None:
            return ALWAYS
        try:
            return Hours.read(given)
        except GridError as fault:
            self._bad("properties.hours", fault.message, '[["HH:MM", "HH:MM"], …]')
            return ALWAYS

    def _days(self) -> frozenset[int]:
        given = self._given.get("days")
        if given is None:
            return ALL_DAYS
        if not isinstance(given, list) or not given or not ALL_DAYS.issuperset(map(_whole, given)):
            message = coded("no_weekdays", "{given!r} are no weekdays", given=given)
            self._bad("properties.days", message, coded("weekdays", "1 Monday to 7 Sunday"))
            return ALL_DAYS
        return frozenset(given)

    def _date(self, name: str) -> date | None:
        given = self._given.get(name)
        if given is None:
            return None
        try:
            return date.fromisoformat(given)
        except (TypeError, ValueError):
            message = coded("no_date", "{given!r} is no date", given=given)
            self._bad(f"properties.{name}", message, "2026-10-01")
            return None

    def _shape(self) -> Fence | None:
        geometry = self._feature.get("geometry")
        try:
            drawn = shape(geometry)
            self._check_size(shapely.get_num_coordinates(drawn))
            return self._fence_of(shapely.transform(drawn, self._moved))
        except GridError as fault:
            self._bad("geometry", fault.message, _SHAPES)
        except Exception as fault:  # noqa: BLE001 - shapely raises whatever its input provokes
            message = coded("no_geometry", "no geometry: {why}", why=str(fault)[:280])
            self._bad("geometry", message, _SHAPES)
        return None

    def _check_size(self, vertices: int) -> None:
        if not 0 < vertices <= MOST_VERTICES:
            message = "{count} vertices are not allowed (1 to {most})"
            raise GridError(coded("vertex_count", message, count=vertices, most=MOST_VERTICES))

    def _moved(self, positions: Any) -> Any:
        lats, lons = convert(positions[:, 1], positions[:, 0], self._datum, Datum.WGS84)
        return np.stack([lons, lats], axis=1)

    def _fence_of(self, drawn: Any) -> Fence:
        if drawn.geom_type in {"Polygon", "MultiPolygon"}:
            return Area(drawn)
        if drawn.geom_type == "Point":
            return Circle(drawn.y, drawn.x, self._reach("radius_m"))
        if drawn.geom_type == "LineString":
            route = tuple((lat, lon) for lon, lat, *_ in drawn.coords)
            return Corridor(route, self._reach("half_width_m"))
        raise GridError(coded("no_fence_shape", "{given} is no fence", given=drawn.geom_type))

    def _reach(self, name: str) -> float:
        value = self._given.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float):
            message = "properties.{column} {given!r} is no number of metres"
            raise GridError(coded("no_metres", message, column=name, given=value))
        return float(value)


_SHAPES = coded(
    "fence_shapes",
    "Polygon, MultiPolygon, Point with radius_m, LineString with half_width_m; lon, lat",
)


def _whole(value: object) -> object:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


def _geometry(fence: Fence, datum: Datum) -> tuple[dict[str, Any], dict[str, float]]:
    drawn: Any
    own: dict[str, float] = {}
    if isinstance(fence, Circle):
        drawn, own = shapely.Point(fence.lon, fence.lat), {"radius_m": fence.radius_m}
    elif isinstance(fence, Corridor):
        drawn = shapely.LineString([(lon, lat) for lat, lon in fence.route])
        own = {"half_width_m": fence.half_width_m}
    elif isinstance(fence, Area):
        drawn = fence.geometry
    else:
        raise GridError(f"{fence!r} has no geometry")

    def moved(positions: Any) -> Any:
        lats, lons = convert(positions[:, 1], positions[:, 0], Datum.WGS84, datum)
        return np.stack([lons, lats], axis=1)

    return dict(mapping(shapely.transform(drawn, moved))), own


def midnight_after(day: date, zone: tzinfo) -> datetime:
    """The moment a day of local time ends."""
    return datetime.combine(day + timedelta(days=1), time(), zone)
