"""The grids of central Ankang as the city's paper counts them: 1 city, 8 towns, 91 communities.

Names, counts and the towns' official codes are facts (安政发〔2020〕20号; 国家统计局 2022). The
polygons are not: nobody has published the real ones, so they are drawn here with a fixed seed
and say so in their properties. What shows them must say 示意网格，非行政界线.
"""

import heapq
import math
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import MultiPoint, Polygon, STRtree

from hub.grid.geodesy import distance_m, metres_per_degree
from hub.grid.geojson import feature_collection
from hub.grid.grid import Grid

SEED = 2020
CITY = "ak"
NOTE = "示意网格，非行政界线"
CENTRE = (32.690, 109.020)
# The drawn area is an oval around the centre; cells are finer towards the middle of the city.
REACH_DEG = (0.088, 0.135)
CELL_STEP = 0.042
DIGITS = 6
# Synthetic communities are numbered from here, so that no code is taken for a real one.
FIRST_COMMUNITY = 901
UNIT_GRID_SIDE_M = 100.0
MAX_UNIT_GRIDS = 999

Position = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Town:
    """A second-level grid; `slowness` holds its drawn area back, as a dense town's is small."""

    id: str
    name: str
    admin_code: str
    communities: int
    centre: Position
    slowness: float


TOWNS = (
    Town("ak-xincheng", "新城办", "610902002", 15, (32.676, 109.006), 1.5),
    Town("ak-laocheng", "老城办", "610902001", 9, (32.684, 109.036), 1.9),
    Town("ak-jiangbei", "江北办", "610902003", 8, (32.706, 109.016), 1.8),
    Town("ak-jianmin", "建民办", "610902004", 1, (32.711, 108.972), 2.4),
    Town("ak-zhangtan", "张滩镇", "610902101", 14, (32.665, 109.103), 1.0),
    Town("ak-guanmiao", "关庙镇", "610902100", 12, (32.741, 109.060), 1.0),
    Town("ak-wuli", "五里镇", "610902104", 18, (32.722, 108.925), 1.0),
    Town("ak-jihe", "吉河镇", "610902109", 14, (32.630, 108.985), 1.0),
)


def ankang_grids(unit_grids_of: str | None = None) -> dict[str, object]:
    """The grids as a GeoJSON FeatureCollection, the same at every call.

    With `unit_grids_of`, the code of a third-level grid, its unit grids of about 10,000 m2 follow
    as level 4, coded as in GB/T 47678.3. Raises ValueError for any other code.
    """
    grids = list(_grids())
    if unit_grids_of is not None:
        community = next((g for g in grids if g.level == 3 and g.code == unit_grids_of), None)
        if community is None:
            raise ValueError(f"{unit_grids_of!r} is no third-level grid (ak-xincheng-01 ...)")
        grids.extend(_unit_grids(community))
    return {**feature_collection(grids), "datum": "WGS-84"}


@cache
def _grids() -> tuple[Grid, ...]:
    """City, towns and communities; a second's work, and always the same."""
    return tuple(_draw())


def _draw() -> Iterator[Grid]:
    cells = _Cells()
    town_of = cells.grow(
        {cells.nearest(town.centre): town.slowness for town in TOWNS}, range(len(cells.polygons))
    )
    by_town = _members(town_of, len(TOWNS))
    yield Grid(CITY, cells.joined(town_of), "安康中心城区", 1, None, _properties("central_city"))
    communities: list[Grid] = []
    for town, members in zip(TOWNS, by_town, strict=True):
        kind = "town" if town.name.endswith("镇") else "subdistrict_office"
        extra = _properties(kind, admin_code=town.admin_code)
        yield Grid(town.id, cells.joined(members), town.name, 2, CITY, extra)
        communities.extend(_communities(town, members, cells))
    yield from communities


def _communities(town: Town, members: Sequence[int], cells: "_Cells") -> Iterator[Grid]:
    seeds = cells.spread(members, town.communities)
    owner = cells.grow(dict.fromkeys(seeds, 1.0), members)
    groups = _members(owner, town.communities)
    for number, group in enumerate(groups, start=1):
        code = f"{town.admin_code}{FIRST_COMMUNITY - 1 + number}"
        extra = _properties("community_or_village", community_code=code)
        name = f"{town.name}{number:02d} 示意网格"
        yield Grid(f"{town.id}-{number:02d}", cells.joined(group), name, 3, town.id, extra)


def _members(owner: Mapping[int, int], count: int) -> list[list[int]]:
    members: list[list[int]] = [[] for _ in range(count)]
    for cell in sorted(owner):
        members[owner[cell]].append(cell)
    return members


def _properties(unit_type: str, **more: object) -> dict[str, object]:
    return {
        "kind": "admin_grid",
        "unit_type": unit_type,
        "synthetic": True,
        "boundary_source": "generated",
        "note": NOTE,
        **more,
    }


class _Cells:
    """Small polygons that fill the area without gaps; everything larger is made of them."""

    def __init__(self) -> None:
        inner, outer = _seeds(random.Random(SEED))  # noqa: S311 - a drawing, no secret
        positions = np.array([(lon, lat) for lat, lon in inner + outer])
        pieces = shapely.get_parts(shapely.voronoi_polygons(MultiPoint(positions)))
        found = STRtree(pieces).query(shapely.points(positions[: len(inner)]), "intersects")
        drawn = pieces[found[1][np.argsort(found[0])]]
        self.polygons = shapely.transform(drawn, lambda xy: np.round(xy, DIGITS))
        self.seeds = inner
        self.neighbours = _neighbours(self.polygons)

    def nearest(self, position: Position) -> int:
        return min(range(len(self.seeds)), key=lambda n: distance_m(*position, *self.seeds[n]))

    def joined(self, members: Iterable[int]) -> Polygon:
        return shapely.normalize(shapely.coverage_union_all(self.polygons[list(members)]))

    def grow(self, slowness: Mapping[int, float], within: Iterable[int]) -> dict[int, int]:
        """Let regions grow from their first cells until they meet: cell -> number of region.

        Each region is connected, for a cell is reached only through cells of its own region.
        """
        allowed = set(within)
        queue = [(0.0, cell, region) for region, cell in enumerate(slowness)]
        speeds = list(slowness.values())
        owner: dict[int, int] = {}
        while queue:
            cost, cell, region = heapq.heappop(queue)
            if cell in owner:
                continue
            owner[cell] = region
            for other in self.neighbours[cell]:
                if other in allowed and other not in owner:
                    way = distance_m(*self.seeds[cell], *self.seeds[other]) * speeds[region]
                    heapq.heappush(queue, (cost + way, other, region))
        return owner

    def spread(self, members: Sequence[int], count: int) -> list[int]:
        """`count` cells far from each other, in the order from north-west to south-east."""
        chosen = [min(members, key=lambda n: (-self.seeds[n][0], self.seeds[n][1]))]
        while len(chosen) < count:
            chosen.append(max(members, key=lambda n: self._apart(n, chosen)))
        for _ in range(4):
            groups = _members(self.grow(dict.fromkeys(chosen, 1.0), members), count)
            chosen = [self._middle(group) for group in groups]
        return sorted(chosen, key=lambda n: (-round(self.seeds[n][0], 2), self.seeds[n][1]))

    def _apart(self, cell: int, chosen: Sequence[int]) -> float:
        return min(distance_m(*self.seeds[cell], *self.seeds[other]) for other in chosen)

    def _middle(self, group: Sequence[int]) -> int:
        lat, lon = (math.fsum(self.seeds[n][i] for n in group) / len(group) for i in (0, 1))
        return min(group, key=lambda n: distance_m(lat, lon, *self.seeds[n]))


def _seeds(dice: random.Random) -> tuple[list[Position], list[Position]]:
    """Shaken points of a lattice within the oval, and a rim of others around it."""
    inner, outer = [], []
    steps = range(-round(1.2 / CELL_STEP), round(1.2 / CELL_STEP) + 1)
    for row in steps:
        for column in steps:
            u = (column + 0.5 * (row % 2) + dice.uniform(-0.42, 0.42)) * CELL_STEP
            v = (row + dice.uniform(-0.42, 0.42)) * CELL_STEP
            radius = math.hypot(u, v)
            stretch = 0.5 + 0.5 * radius
            position = (
                CENTRE[0] + v * stretch * REACH_DEG[0],
                CENTRE[1] + u * stretch * REACH_DEG[1],
            )
            if radius <= 1:
                inner.append(position)
            elif radius <= 1.2:
                outer.append(position)
    return inner, outer


def _neighbours(polygons: NDArray[np.object_]) -> list[list[int]]:
    """For each cell those that share a border with it, not only a corner."""
    first, second = STRtree(polygons).query(polygons, predicate="touches")
    lines = shapely.length(shapely.intersection(polygons[first], polygons[second])) > 0
    neighbours: list[list[int]] = [[] for _ in polygons]
    for a, b in zip(first[lines].tolist(), second[lines].tolist(), strict=True):
        neighbours[a].append(b)
    return [sorted(each) for each in neighbours]


def _unit_grids(community: Grid) -> Iterator[Grid]:
    """Squares of 100 m cut to the community, numbered in rows from the north, each from the west.

    Scraps at the border join a neighbour. Squares grow where 999 would not be enough.
    """
    prefix = community.properties["community_code"]
    for number, area in enumerate(_joined_scraps(_squares(community.geometry)), start=1):
        extra = {**_properties("unit_grid"), "kind": "unit_grid", "standard": "GB/T 47678.3"}
        name = f"{community.code} {number:03d} 示意网格"
        yield Grid(f"{prefix}{number:03d}", area, name, 4, community.code, extra)


def _squares(area: Polygon) -> list[Polygon]:
    """Pieces of the area by rows from north to south, within a row from west to east."""
    west, south, east, north = area.bounds
    north_m, east_m = metres_per_degree((south + north) / 2)
    side_m = max(UNIT_GRID_SIDE_M, math.sqrt(area.area * north_m * east_m / (0.9 * MAX_UNIT_GRIDS)))
    height, width = side_m / north_m, side_m / east_m
    rows, columns = math.ceil((north - south) / height), math.ceil((east - west) / width)
    xs = np.round(west + width * np.arange(columns + 1), DIGITS)
    ys = np.round(north - height * np.arange(rows + 1), DIGITS)
    boxes = [
        shapely.box(xs[i], ys[j + 1], xs[i + 1], ys[j]) for j in range(rows) for i in range(columns)
    ]
    pieces = shapely.get_parts(shapely.intersection(boxes, area))
    return [piece for piece in pieces if isinstance(piece, Polygon) and not piece.is_empty]


def _joined_scraps(pieces: Sequence[Polygon]) -> list[Polygon]:
    """Join each piece of less than 40 % of a full one to the neighbour it borders most."""
    kept: dict[int, Polygon] = dict(enumerate(pieces))
    least = 0.4 * max(piece.area for piece in pieces)
    for number in sorted(kept, key=lambda n: pieces[n].area):
        piece = kept[number]
        others = [n for n in kept if n != number and kept[n].intersects(piece)]
        if piece.area >= least or not others:
            continue
        best = max(others, key=lambda n: (kept[n].intersection(piece).length, -n))
        kept[best] = shapely.union(kept[best], kept.pop(number))
    return list(kept.values())
