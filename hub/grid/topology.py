"""Grids among each other: the tree of levels, overlaps, gaps, children outside their parent.

Problems named here: `missing_level`, `missing_parent`, `unknown_parent`, `wrong_level`, `cycle`,
`outside_parent`, `overlap`, `gap`.
Borders drawn twice never match to the last digit, so a strip narrower than a tolerance is none.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set as AbstractSet
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import MultiPolygon, Polygon, STRtree
from shapely.geometry.base import BaseGeometry

from hub.grid.errors import Problem
from hub.grid.geodesy import metres_per_degree
from hub.grid.grid import Grid
from wire.coded import coded


@dataclass(frozen=True, slots=True)
class Tolerances:
    """What still counts as the same border.

    `strip_m`: overlaps, gaps and overhangs nowhere wider than this are taken for rounding.
    `gap_m2`: a gap of less area is none.
    """

    strip_m: float = 0.5
    gap_m2: float = 10.0


DEFAULT_TOLERANCES = Tolerances()
NO_CHILD = coded("no_child_covers", "no child of it covers")


def topology_problems(
    grids: Sequence[Grid],
    unusable: Mapping[str, str | None] = MappingProxyType({}),
    tolerances: Tolerances = DEFAULT_TOLERANCES,
) -> Iterator[Problem]:
    """Every problem of the tree and of the borders.

    `unusable` are codes that exist without a usable polygon, with their parents: nothing is
    said against their children, and no gap is claimed where they may lie.
    """
    if not grids:
        return
    yield from _tree_problems(grids, unusable)
    plane = _Plane(grids, tolerances)
    yield from _overlaps(grids, plane)
    yield from _overhangs(grids, plane)
    incomplete = set(unusable.values())
    yield from _gaps_in_parents(grids, plane, incomplete)
    if None not in incomplete:
        yield from _gaps_at_the_top(grids, plane)


def _tree_problems(grids: Sequence[Grid], unusable: Mapping[str, str | None]) -> Iterator[Problem]:
    if all(grid.level is None and grid.parent is None for grid in grids):
        return
    by_code = {grid.code: grid for grid in grids}
    top = min((grid.level for grid in grids if grid.level is not None), default=1)
    for grid in grids:
        if grid.level is None:
            message = coded("level_missing", "the grid has no level")
            allowed = coded(
                "levels_for_all",
                "a level for every grid, or no level and no parent in the whole file",
            )
            yield _problem("missing_level", grid, message, allowed)
        elif grid.parent is None:
            if grid.level > top:
                message = coded(
                    "parent_missing", "a grid of level {level} has no parent", level=grid.level
                )
                allowed = coded(
                    "grid_of_level", "the code of a grid of level {level}", level=grid.level - 1
                )
                yield _problem("missing_parent", grid, message, allowed)
        elif grid.parent not in by_code:
            if grid.parent not in unusable:
                message = coded(
                    "parent_not_there", "parent {given!r} is not there", given=grid.parent
                )
                allowed = coded("code_of_file", "a code of this file")
                yield _problem("unknown_parent", grid, message, allowed)
        else:
            yield from _level_problem(grid, by_code[grid.parent])
    yield from _cycles(grids, by_code)


def _level_problem(grid: Grid, parent: Grid) -> Iterator[Problem]:
    if grid.level is not None and parent.level is not None and grid.level != parent.level + 1:
        message = coded(
            "level_under",
            "level {level} under {parent!r} of level {above}",
            level=grid.level,
            parent=parent.code,
            above=parent.level,
        )
        allowed = coded("level_wanted", "level {level} under this parent", level=parent.level + 1)
        yield _problem("wrong_level", grid, message, allowed, parent=parent.code)


def _cycles(grids: Sequence[Grid], by_code: dict[str, Grid]) -> Iterator[Problem]:
    cleared: set[str] = set()
    for grid in grids:
        path: list[str] = []
        code: str | None = grid.code
        while code in by_code and code not in cleared and code not in path:
            path.append(code)
            code = by_code[code].parent
        if code in path:
            ring = path[path.index(code) :]
            message = coded(
                "parents_lead_back",
                "the parents lead back to it: {way}",
                way=" -> ".join([*ring, code]),
            )
            tree = coded("tree", "a tree")
            yield _problem("cycle", by_code[code], message, tree, others=ring[1:])
        cleared.update(path)


class _Plane:
    """The grids in metres, on a plane that touches the Earth in the middle of the set."""

    def __init__(self, grids: Sequence[Grid], tolerances: Tolerances) -> None:
        geometries = np.array([grid.geometry for grid in grids], dtype=object)
        bounds = shapely.total_bounds(geometries)
        self._origin = np.array([(bounds[0] + bounds[2]) / 2, (bounds[1] + bounds[3]) / 2])
        north, east = metres_per_degree(float(self._origin[1]))
        self._scale = np.array([east, north])
        self.areas = shapely.transform(geometries, self._to_metres)
        self.tolerances = tolerances

    def _to_metres(self, positions: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray((positions - self._origin) * self._scale)

    def wide(self, shape: BaseGeometry) -> bool:
        """Whether the shape is somewhere wider than the tolerance."""
        return not shapely.is_empty(shapely.buffer(shape, -self.tolerances.strip_m / 2))

    def _to_degrees(self, positions: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(np.round(positions / self._scale + self._origin, 7))

    def on_earth(self, shape: BaseGeometry) -> BaseGeometry:
        """The shape in longitude and latitude."""
        return shapely.transform(shape, self._to_degrees)

    def place(self, shape: BaseGeometry) -> str:
        """A position inside the shape, as `lat, lon`."""
        inside = shapely.get_coordinates(self.on_earth(shapely.point_on_surface(shape)))[0]
        lon, lat = inside
        return f"{lat:.6f}, {lon:.6f}"


def _overlaps(grids: Sequence[Grid], plane: _Plane) -> Iterator[Problem]:
    for members in _by_level(grids):
        areas = plane.areas[members]
        first, second = STRtree(areas).query(areas, predicate="intersects")
        first, second = first[first < second], second[first < second]
        shared = shapely.intersection(areas[first], areas[second])
        for k in np.nonzero(shapely.area(shared) > 0)[0]:
            if plane.wide(shared[k]):
                a, b = grids[members[first[k]]], grids[members[second[k]]]
                message = coded(
                    "overlaps", "overlaps {other!r} by {m2} m2", other=b.code, m2=_m2(shared[k])
                )
                yield _border_problem(
                    "overlap", a, plane, shared[k], message=message, others=[b.code]
                )


def _by_level(grids: Sequence[Grid]) -> list[NDArray[np.intp]]:
    """Indexes of grids that may not overlap: those of one level and one kind."""
    members: dict[tuple[int | None, object], list[int]] = defaultdict(list)
    for number, grid in enumerate(grids):
        members[grid.level, grid.properties.get("kind")].append(number)
    return [np.array(each, dtype=np.intp) for each in members.values()]


def _overhangs(grids: Sequence[Grid], plane: _Plane) -> Iterator[Problem]:
    numbers = {grid.code: number for number, grid in enumerate(grids)}
    for number, grid in enumerate(grids):
        parent = numbers.get(grid.parent) if grid.parent is not None else None
        if parent is None or parent == number:
            continue
        outside = shapely.difference(plane.areas[number], plane.areas[parent])
        if plane.wide(outside):
            message = coded(
                "lies_outside",
                "{m2} m2 lie outside parent {parent!r}",
                m2=_m2(outside),
                parent=grid.parent,
            )
            others = [grids[parent].code]
            yield _border_problem(
                "outside_parent", grid, plane, outside, message=message, others=others
            )


def _gaps_in_parents(
    grids: Sequence[Grid], plane: _Plane, incomplete: AbstractSet[str | None]
) -> Iterator[Problem]:
    children: dict[str, list[int]] = defaultdict(list)
    for number, grid in enumerate(grids):
        if grid.parent is not None:
            children[grid.parent].append(number)
    for number, grid in enumerate(grids):
        if grid.code in children and grid.code not in incomplete:
            covered = shapely.union_all(plane.areas[children[grid.code]])
            missing = shapely.difference(plane.areas[number], covered)
            yield from _gaps(grid, plane, _polygons(missing), NO_CHILD)


def _gaps_at_the_top(grids: Sequence[Grid], plane: _Plane) -> Iterator[Problem]:
    """Holes that several top grids (or those of a flat set) enclose and none covers."""
    roots = [number for number, grid in enumerate(grids) if grid.parent is None]
    areas = plane.areas[roots]
    tree = STRtree(areas)
    for part in _polygons(shapely.union_all(areas)):
        for ring in part.interiors:
            hole = Polygon(ring)
            around = sorted(tree.query(hole, predicate="intersects"))
            if len(around) > 1:
                names = ", ".join(grids[roots[k]].code for k in around[:6])
                owner = grids[roots[around[0]]]
                between = coded("no_grid_covers", "no grid covers, between {names}:", names=names)
                yield from _gaps(owner, plane, [hole], between)


def _gaps(grid: Grid, plane: _Plane, shapes: Iterable[Polygon], what: str) -> Iterator[Problem]:
    for shape in shapes:
        if shape.area >= plane.tolerances.gap_m2 and plane.wide(shape):
            message = coded("not_covered", "{what} {m2} m2", what=what, m2=_m2(shape))
            yield _border_problem("gap", grid, plane, shape, message=message)


def _m2(shape: BaseGeometry) -> int:
    return round(float(shape.area))


def _polygons(shape: BaseGeometry) -> list[Polygon]:
    if isinstance(shape, Polygon):
        return [] if shape.is_empty else [shape]
    parts = shapely.get_parts(shape)
    return [part for part in parts if isinstance(part, Polygon | MultiPolygon)]


def _border_problem(
    problem: str,
    grid: Grid,
    plane: _Plane,
    shape: BaseGeometry,
    *,
    message: str,
    others: Sequence[str] = (),
) -> Problem:
    tolerances = plane.tolerances
    allowed = coded("agreeing", "borders that agree to {m} m", m=tolerances.strip_m)
    if problem == "gap":
        allowed = coded(
            "agreeing_gaps",
            "{borders}, gaps below {m2} m2",
            borders=allowed,
            m2=f"{tolerances.gap_m2:.0f}",
        )
    return Problem(
        problem,
        grid.code,
        coded("grid_at", "{grid} at {place}", grid=grid.code, place=plane.place(shape)),
        message,
        allowed,
        {"others": list(others), "area_m2": round(shape.area, 1)},
        plane.on_earth(shape),
    )


def _problem(problem: str, grid: Grid, message: str, allowed: str, **details: object) -> Problem:
    return Problem(problem, grid.code, grid.code, message, allowed, details)
