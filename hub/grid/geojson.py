"""GeoJSON (RFC 7946) to grids and back, with every problem of a file at once.

Problems named here: `unreadable`, `too_large`, `not_utf8`, `not_json`, `not_a_collection`,
`empty`, `wrong_type`, `bad_code`, `bad_identifier`, `duplicate_code`, `missing_geometry`,
`wrong_datum`, `not_finite`, `out_of_range`, `swapped`, `invalid_ring`, `self_intersection`.
What concerns several grids is in `hub.grid.topology`.
"""

import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import shapely
from shapely import MultiPolygon, Polygon

from hub.grid.errors import GridError, Problem
from hub.grid.grid import Grid
from hub.grid.topology import DEFAULT_TOLERANCES, Tolerances, topology_problems
from wire.coded import Coded, coded

MAX_BYTES = 256 * 1024 * 1024
KINDS = ("unit_grid", "duty_grid", "admin_grid")
DATUM = re.compile(r".*(WGS84|CGCS2000|EPSG4326|EPSG4490|CRS84)")
UNIT_GRID_CODE = re.compile(r"\d{12}(?!000)\d{3}", re.ASCII)
CODE = re.compile(r"\S(?:.{0,62}\S)?")
AN_AREA = coded("an_area", "a Polygon or MultiPolygon")
INVALID: Mapping[str, Coded] = {
    str(text): text
    for text in (
        coded("self_crossing", "Self-intersection"),
        coded("ring_crossing", "Ring Self-intersection"),
        coded("hole_outside", "Hole lies outside shell"),
        coded("holes_nested", "Holes are nested"),
        coded("shells_nested", "Nested shells"),
        coded("interior_split", "Interior is disconnected"),
        coded("rings_twice", "Duplicate Rings"),
    )
}
"""What GEOS says of a shape that is none."""
VALID_RINGS = coded(
    "valid_rings",
    "rings that do not cross, holes inside their outer ring, parts that do not overlap",
)
OWN_PROPERTIES = frozenset({"code", "name", "level", "parent"})

# China lies in 3-54 N and 73-136 E: what looks like 73-136 N and 3-54 E was swapped.
CHINA_LAT = (3.0, 54.0)
CHINA_LON = (73.0, 136.0)

Position = tuple[float, float]
Ring = list[Position]
# Where in the document, the properties, the polygon.
NamedArea = tuple[str, Mapping[str, object], Polygon | MultiPolygon]
Report = Callable[[str, str, str, str], None]


@dataclass(slots=True)
class Reading:
    """The grids of a document that can be used, and what is wrong with the others.

    `unusable` has the code (or the place) of each grid that is there but cannot be used, with
    its parent; `places` says where in the document each code stands first.
    """

    grids: list[Grid] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    unusable: dict[str, str | None] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)


def problems(document: object, tolerances: Tolerances = DEFAULT_TOLERANCES) -> Iterator[Problem]:
    """Every problem of a FeatureCollection: of each grid, then of grids among each other."""
    reading = read(document)
    yield from reading.problems
    yield from topology_problems(reading.grids, reading.unusable, tolerances)


def load_grids(path: Path) -> tuple[Grid, ...]:
    """The grids of a file, in the file's order.

    Overlaps, gaps and parents are not judged here (`problems` does).
    Raises GridError that names every feature which cannot be read.
    """
    reading = read(load_document(path))
    if reading.problems:
        raise GridError.from_problems(reading.problems)
    return tuple(reading.grids)


def load_document(path: Path) -> object:
    """Any JSON document of a file. Raises GridError with one problem where it is none."""
    try:
        with path.open("rb") as source:
            data = source.read(MAX_BYTES + 1)
    except OSError as error:
        raise _file_error("unreadable", path, error.strerror or str(error), "a file") from None
    if len(data) > MAX_BYTES:
        mebibytes = MAX_BYTES // 2**20
        raise _file_error("too_large", path, "the file is too large", f"up to {mebibytes} MiB")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        message = f"byte {error.start} is not UTF-8"
        raise _file_error("not_utf8", path, message, "UTF-8") from None
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _file_error("not_json", path, f"not JSON: {error}", "a GeoJSON document") from None


def _file_error(problem: str, path: Path, message: str, allowed: str) -> GridError:
    return GridError.from_problems([Problem(problem, None, str(path), message, allowed)])


def read(document: object) -> Reading:
    """Grids of a FeatureCollection, and the problems of its features one by one."""
    reading = Reading()
    for where, feature, inherited in _features(document, reading.problems):
        _read_grid(where, feature, inherited, reading)
    return reading


def read_areas(document: object) -> tuple[list[NamedArea], list[Problem]]:
    """Polygons of a FeatureCollection whose properties are no grid's, and its problems."""
    areas: list[NamedArea] = []
    found: list[Problem] = []
    for where, feature, _inherited in _features(document, found):
        report = _reporter(found, None, where)
        properties = _properties(feature, report)
        area = _area(feature.get("geometry"), report)
        if properties is not None and area is not None:
            areas.append((where, properties, area))
    return areas, found


def feature_collection(grids: Iterable[Grid]) -> dict[str, object]:
    """The grids as a GeoJSON FeatureCollection."""
    return {"type": "FeatureCollection", "features": [_feature(grid) for grid in grids]}


def _feature(grid: Grid) -> dict[str, object]:
    own = {"code": grid.code, "name": grid.name, "level": grid.level, "parent": grid.parent}
    return {
        "type": "Feature",
        "properties": {**own, **grid.properties},
        "geometry": json.loads(shapely.to_geojson(grid.geometry)),
    }


def _reporter(found: list[Problem], code: str | None, where: str) -> Report:
    def report(problem: str, at: str, message: str, allowed: str) -> None:
        found.append(Problem(problem, code, where + at, message, allowed))

    return report


def _features(
    document: object, found: list[Problem]
) -> Iterator[tuple[str, Mapping[str, object], Mapping[str, object]]]:
    """Each feature with its place and with what the collection says for all of them."""
    report = _reporter(found, None, "")
    allowed = '{"type": "FeatureCollection", "features": [...]}'
    if not isinstance(document, dict) or document.get("type") != "FeatureCollection":
        message = coded("no_collection", "not a FeatureCollection")
        report("not_a_collection", "type", message, allowed)
        return
    features = document.get("features")
    if not isinstance(features, list):
        message = coded("not_a_list", "{given} is not a list", given=_shown(features))
        report("not_a_collection", "features", message, allowed)
        return
    if not features:
        message, allowed = coded("no_feature", "no feature"), coded("one_grid", "at least one grid")
        report("empty", "features", message, allowed)
    _check_datum(_crs_name(document), ".crs", report)
    _check_datum(document.get("datum"), ".datum", report)
    for number, feature in enumerate(features):
        where = f"features[{number}]"
        if isinstance(feature, dict) and feature.get("type") == "Feature":
            yield where, feature, document
        else:
            message = coded("not_a_feature", "{given} is not a Feature", given=_shown(feature))
            report("wrong_type", where, message, coded("a_feature", "a Feature object"))


def _crs_name(document: Mapping[str, object]) -> object:
    crs = document.get("crs")
    if not isinstance(crs, dict) or not isinstance(crs.get("properties"), dict):
        return crs
    return crs["properties"].get("name")


def _check_datum(datum: object, at: str, report: Report) -> None:
    """Refuse what is said to be neither; names come as `WGS-84`, `EPSG:4490`, URNs of the OGC."""
    if datum is not None and not DATUM.fullmatch(re.sub(r"[^A-Z0-9]", "", str(datum).upper())):
        message = "{given} is not WGS-84: convert the coordinates first"
        allowed = coded("datums", "WGS-84 or CGCS2000")
        report("wrong_datum", at, coded("not_wgs84", message, given=_shown(datum)), allowed)


def _read_grid(
    where: str, feature: Mapping[str, object], inherited: Mapping[str, object], reading: Reading
) -> None:
    known = len(reading.problems)
    raw = feature.get("properties")
    code = raw.get("code") if isinstance(raw, dict) and _is_text(raw.get("code")) else None
    report = _reporter(reading.problems, code, where)
    properties = _properties(feature, report)
    if properties is None:
        return
    _check_code(properties, reading.places, report)
    name = _text(properties, "name", coded("some_text", "text"), report)
    level = _level(properties, report)
    parent = _text(
        properties, "parent", coded("other_grid", "the code of another grid, or null"), report
    )
    _check_kind(properties, {**inherited, **properties}.get("standard"), report)
    _check_datum(properties.get("datum"), ".properties.datum", report)
    area = _area(feature.get("geometry"), report)
    if area is None or len(reading.problems) > known:
        reading.unusable[where if code is None or code in reading.places else code] = parent
    else:
        extra = {key: value for key, value in properties.items() if key not in OWN_PROPERTIES}
        reading.grids.append(Grid(str(code), area, name or "", level, parent, extra))
    if code is not None:
        reading.places.setdefault(code, where)


def _properties(feature: Mapping[str, object], report: Report) -> dict[str, object] | None:
    properties = feature.get("properties")
    if isinstance(properties, dict):
        return properties
    message = coded("no_object", "{given} is not an object", given=_shown(properties))
    report("wrong_type", ".properties", message, coded("an_object", "an object"))
    return None


def _check_code(
    properties: Mapping[str, object], places: Mapping[str, str], report: Report
) -> None:
    at, code = ".properties.code", properties.get("code")
    if not isinstance(code, str) or not _is_text(code):
        message = coded("code_no_text", "code {given} is not text", given=_shown(code))
        report("wrong_type", at, message, coded("unique_text", "text, unique in the file"))
    elif not CODE.fullmatch(code):
        message = coded("bad_code", "code {given} cannot be used", given=_shown(code))
        allowed = coded("code_signs", "1 to 64 characters with no space at either end")
        report("bad_code", at, message, allowed)
    elif code in places:
        message = coded(
            "code_of_both",
            "code {given} is also that of {place}",
            given=_shown(code),
            place=places[code],
        )
        report("duplicate_code", at, message, coded("code_once", "each code once"))


def _text(properties: Mapping[str, object], key: str, allowed: str, report: Report) -> str | None:
    value = properties.get(key)
    if value is not None and not _is_text(value):
        message = coded(
            "is_not",
            "{column} {given} is not {allowed}",
            column=key,
            given=_shown(value),
            allowed=allowed,
        )
        report("wrong_type", f".properties.{key}", message, allowed)
        return None
    return str(value) if value is not None else None


def _is_text(value: object) -> bool:
    """Whether this is text that can be written: JSON can also spell halves of characters."""
    return isinstance(value, str) and value.encode(errors="ignore").decode() == value


def _level(properties: Mapping[str, object], report: Report) -> int | None:
    level = properties.get("level")
    if level is None or (type(level) is int and 1 <= level <= 9):
        return level
    message = coded("level_no_level", "level {given} is no level", given=_shown(level))
    allowed = coded("level_1_to_9", "a whole number from 1 (the whole city) to 9")
    report("wrong_type", ".properties.level", message, allowed)
    return None


def _check_kind(properties: Mapping[str, object], standard: object, report: Report) -> None:
    kind = properties.get("kind")
    if kind is not None and kind not in KINDS:
        at, allowed = ".properties.kind", ", ".join(KINDS)
        message = coded("unknown_kind", "kind {given} is not known", given=_shown(kind))
        report("wrong_type", at, message, allowed)
    if kind != "unit_grid" or "47678.3" not in str(standard):
        return
    code, parent = str(properties.get("code")), properties.get("parent")
    if not UNIT_GRID_CODE.fullmatch(code):
        allowed = coded(
            "unit_grid_code",
            "15 digits: 6 county, 3 town, 3 community, 3 sequence from 001 (GB/T 47678.3)",
        )
        report("bad_identifier", ".properties.code", _unit_grid(code), allowed)
    elif re.fullmatch(r"\d{12}", str(parent)) and not code.startswith(str(parent)):
        allowed = coded(
            "begins_with", "a code that begins with its community's {parent}", parent=parent
        )
        report("bad_identifier", ".properties.code", _unit_grid(code), allowed)


def _unit_grid(code: str) -> Coded:
    return coded("unit_grid", "unit grid {given}", given=_shown(code))


def _area(geometry: object, report: Report) -> Polygon | MultiPolygon | None:
    at = ".geometry"
    if geometry is None:
        report("missing_geometry", at, coded("geometry_missing", "there is no geometry"), AN_AREA)
        return None
    kind = geometry.get("type") if isinstance(geometry, dict) else None
    if not isinstance(geometry, dict) or kind not in ("Polygon", "MultiPolygon"):
        message = coded("no_area", "{given} is no area", given=_shown(kind or geometry))
        report("wrong_type", f"{at}.type", message, AN_AREA)
        return None
    at = f"{at}.coordinates"
    given = geometry.get("coordinates")
    parts = _lists(given if kind == "MultiPolygon" else [given], at, report)
    if parts is None:
        return None
    labels = [f"{at}[{i}]" if kind == "MultiPolygon" else at for i in range(len(parts))]
    rings = [_rings(part, label, report) for part, label in zip(parts, labels, strict=True)]
    polygons = [Polygon(part[0], part[1:]) for part in rings if part]
    if len(polygons) < len(parts):
        return None
    area = MultiPolygon(polygons) if kind == "MultiPolygon" else polygons[0]
    return area if _is_valid(area, at, report) else None


def _lists(value: object, at: str, report: Report) -> list[object] | None:
    if isinstance(value, list) and value:
        return value
    message = coded("no_rings", "{given} is not a list of rings", given=_shown(value))
    report("wrong_type", at, message, coded("rfc_lists", "lists as in RFC 7946"))
    return None


def _rings(part: object, at: str, report: Report) -> list[Ring] | None:
    """The rings of one polygon, outer first; None where one of them cannot be used."""
    given = _lists(part, at, report)
    if given is None:
        return None
    rings = [_ring(ring, f"{at}[{number}]", report) for number, ring in enumerate(given)]
    good = [ring for ring in rings if ring is not None]
    return good if len(good) == len(rings) else None


def _ring(ring: object, at: str, report: Report) -> Ring | None:
    given = _lists(ring, at, report)
    if given is None:
        return None
    bad = next((n for n, position in enumerate(given) if not _is_position(position)), None)
    if bad is not None:
        message = coded("no_position", "{given} is not a position", given=_shown(given[bad]))
        allowed = coded("lon_lat_numbers", "[longitude, latitude] as numbers")
        report("wrong_type", f"{at}[{bad}]", message, allowed)
        return None
    positions: list[Position] = [(p[0], p[1]) for p in given]  # type: ignore[index]
    if not _are_on_earth(positions, at, report):
        return None
    if positions[0] != positions[-1]:
        message = coded("open_ring", "the last position is not the first")
        report("invalid_ring", at, message, coded("closed_ring", "a closed ring"))
        return None
    if len(set(positions)) < 3:
        count = len(set(positions))
        message = coded("few_positions", "{count} different positions make no area", count=count)
        allowed = coded("three_positions", "at least 3 different positions")
        report("invalid_ring", at, message, allowed)
        return None
    return [(float(x), float(y)) for x, y in positions]


def _is_position(value: object) -> bool:
    return (
        isinstance(value, list)
        and len(value) >= 2
        and all(type(number) in (int, float) for number in value[:2])
    )


def _are_on_earth(positions: list[Position], at: str, report: Report) -> bool:
    infinite = [n for n, position in enumerate(positions) if not _is_finite(position)]
    if infinite:
        message = coded(
            "not_finite",
            "{given} is not finite ({count} of such)",
            given=_shown(positions[infinite[0]]),
            count=len(infinite),
        )
        allowed = coded("finite", "finite numbers")
        report("not_finite", f"{at}[{infinite[0]}]", message, allowed)
        return False
    lons, lats = zip(*positions, strict=True)
    off = [n for n, (x, y) in enumerate(positions) if not (abs(x) <= 180 and abs(y) <= 90)]
    if _look_swapped(lons, lats):
        message = coded(
            "looks_swapped",
            "{given} looks like latitude before longitude",
            given=_shown(positions[0]),
        )
        report("swapped", f"{at}[0]", message, coded("lon_lat", "[longitude, latitude]"))
    elif off:
        message = coded(
            "not_on_earth",
            "{given} is not on Earth ({count} of such)",
            given=_shown(positions[off[0]]),
            count=len(off),
        )
        allowed = coded("on_earth", "longitude -180 to 180, latitude -90 to 90")
        report("out_of_range", f"{at}[{off[0]}]", message, allowed)
    else:
        return True
    return False


def _is_finite(position: Position) -> bool:
    try:
        return math.isfinite(position[0]) and math.isfinite(position[1])
    except OverflowError:  # a whole number of more than 308 digits
        return False


def _look_swapped(lons: tuple[float, ...], lats: tuple[float, ...]) -> bool:
    beyond_pole = min(map(abs, lats)) > 90 and max(map(abs, lons)) <= 90
    in_china = _all_within(lons, CHINA_LAT) and _all_within(lats, CHINA_LON)
    return beyond_pole or in_china


def _all_within(values: tuple[float, ...], limits: tuple[float, float]) -> bool:
    return limits[0] <= min(values) and max(values) <= limits[1]


def _is_valid(area: Polygon | MultiPolygon, at: str, report: Report) -> bool:
    if shapely.is_valid(area):
        return True
    reason = shapely.is_valid_reason(area)
    problem = "self_intersection" if "elf-intersection" in reason else "invalid_ring"
    what, _, place = reason.partition("[")
    message = coded(
        "invalid_shape",
        "{what} at longitude, latitude [{place}]",
        what=INVALID.get(what, what),
        place=place.removesuffix("]"),
    )
    report(problem, at, message if place else INVALID.get(what, what), VALID_RINGS)
    return False


def _shown(value: object, limit: int = 60) -> str:
    text = repr(value)
    return text if len(text) <= limit else text[: limit - 3] + "..."
