"""Which grid is this point in: a raster of the grids, exact where a border runs.

A raster over the set holds, for each of its cells, the one grid that fills it, or nothing, or
a mark that borders run through it. Only points in marked cells are tested against edges, and
only against the edges of the same raster row that lie in their cell or east of it, by the
parity of the edges that a ray to the east crosses. Edges that every such ray of the cell
crosses are counted once, when the raster is built. Where rounding leaves the side of an edge
in doubt, GEOS decides, so that answers equal `shapely.intersects` to the last bit.

The rule at borders: a border belongs to the grids on both sides, and a point that several
grids of a level hold gets the one that comes first in the set.
"""

from array import array
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from shapely import MultiPolygon, Polygon

from hub.grid.errors import GridError
from hub.grid.grid import Grid

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

OUTSIDE = -1
# Border cell k is stored as FIRST_BORDER - k.
FIRST_BORDER = -2

CELLS_PER_GRID = 4096
MIN_CELLS = 2**14
MAX_CELLS = 2**22
# Cells are taken this much larger, in cells, than they are: rounding never leaves an edge out.
MARGIN = 1e-6
# Below this height, in cells, an edge's place within a row is no longer sure enough.
FLAT = 1e-2
# Shewchuk's bound for the sign of a 2 by 2 determinant of differences, with the underflow.
DOUBT = 3.4e-16
TINY = 1e-290
CHUNK = 2**16


class GridIndex:
    """The grids of every level, asked by point.

    `grids` keeps the order given; `levels` runs from the whole city downwards (a flat set has
    the one level None). Each level is answered for itself.
    """

    def __init__(self, grids: Iterable[Grid]) -> None:
        """Build the rasters. Raises GridError for an invalid polygon, naming its grid."""
        self.grids = tuple(grids)
        members: dict[int | None, list[int]] = defaultdict(list)
        for number, grid in enumerate(self.grids):
            if not shapely.is_valid(grid.geometry):
                reason = shapely.is_valid_reason(grid.geometry)
                raise GridError(f"grid {grid.code!r}: invalid polygon: {reason}")
            members[grid.level].append(number)
        self.levels = tuple(sorted(members, key=lambda level: level or 0))
        self._layers = tuple(
            _Layer([self.grids[n].geometry for n in members[level]], members[level])
            for level in self.levels
        )
        self._deepest_first = self._layers[::-1]

    def locate(self, lat: float, lon: float) -> str | None:
        """Code of the deepest grid that holds the point; None outside every grid."""
        for layer in self._deepest_first:
            number = layer.at(lat, lon)
            if number >= 0:
                return self.grids[number].code
        return None

    def locate_levels(self, lat: float, lon: float) -> tuple[str | None, ...]:
        """Code per level of `levels`, None where no grid of the level holds the point."""
        numbers = (layer.at(lat, lon) for layer in self._layers)
        return tuple(self.grids[n].code if n >= 0 else None for n in numbers)

    def locate_many(self, lats: ArrayLike, lons: ArrayLike) -> Ints:
        """For each point the number of its deepest grid within `grids`, -1 outside.

        `lats` and `lons` are one-dimensional and equally long; NaN is outside.
        """
        x, y = _columns(lats, lons)
        found = np.full(len(x), OUTSIDE, dtype=np.int64)
        for layer in self._layers:
            deeper = layer.at_many(y, x)
            found = np.where(deeper >= 0, deeper, found)
        return found

    def locate_levels_many(self, lats: ArrayLike, lons: ArrayLike) -> Ints:
        """The same per level: an array of shape (points, levels)."""
        x, y = _columns(lats, lons)
        columns = [layer.at_many(y, x) for layer in self._layers]
        return np.stack(columns, axis=1) if columns else np.empty((len(x), 0), dtype=np.int64)


def _columns(lats: ArrayLike, lons: ArrayLike) -> tuple[Floats, Floats]:
    x, y = np.asarray(lons, dtype=np.float64), np.asarray(lats, dtype=np.float64)
    if x.ndim != 1 or x.shape != y.shape:
        raise GridError(f"lats {y.shape} and lons {x.shape}: want two equally long columns")
    return x, y


class _Layer:
    """The raster of one level. `numbers` are what the polygons are called outside."""

    def __init__(self, polygons: Sequence[Polygon | MultiPolygon], numbers: Sequence[int]) -> None:
        self._polygons = np.array(polygons, dtype=object)
        self._numbers = np.array([*numbers, OUTSIDE], dtype=np.int64)
        edges = _edges(self._polygons)
        frame = _Frame(self._polygons)
        raster = _rasterise(edges, frame, len(polygons))
        self._x0, self._y0, self._x1, self._y1 = frame.bounds
        self._sx, self._sy = frame.scale
        self._width, self._height = frame.width, frame.height
        self._cells = raster.cells
        self._candidates = raster.candidates
        self._edges = edges
        # The same numbers where plain Python reads them one by one, faster than from numpy.
        self._fast_cells = _compact(raster.cells)
        self._fast_numbers: list[int] = self._numbers.tolist()
        self._fast_edges = edges.rows()
        self._fast = raster.candidates.columns()

    def at(self, lat: float, lon: float) -> int:
        """Number of the first polygon that holds the point, -1 outside."""
        if not (self._x0 <= lon <= self._x1 and self._y0 <= lat <= self._y1):
            return OUTSIDE
        row = int((lat - self._y0) * self._sy)
        col = int((lon - self._x0) * self._sx)
        value: int = self._fast_cells[row * self._width + col]
        if value > FIRST_BORDER:
            return self._fast_numbers[value]
        return self._at_border(FIRST_BORDER - value, lat, lon)

    def _at_border(self, border: int, y: float, x: float) -> int:
        first, polygons, parities, first_edge, edge_numbers = self._fast
        edges = self._fast_edges
        for candidate in range(first[border], first[border + 1]):
            inside = parities[candidate]
            for k in range(first_edge[candidate], first_edge[candidate + 1]):
                x1, y1, x2, y2, left, right = edges[edge_numbers[k]]
                if not y1 <= y <= y2 or x > right:
                    continue
                if x < left:
                    inside ^= y < y2
                    continue
                rise, run = (x2 - x1) * (y - y1), (x - x1) * (y2 - y1)
                if abs(rise - run) <= DOUBT * (abs(rise) + abs(run)) + TINY:
                    polygon = self._polygons[polygons[candidate]]
                    inside = bool(shapely.intersects_xy(polygon, x, y))
                    break
                if rise > run:
                    inside ^= y < y2
            if inside:
                return self._fast_numbers[polygons[candidate]]
        return OUTSIDE

    def at_many(self, lats: Floats, lons: Floats) -> Ints:
        found = np.empty(len(lats), dtype=np.int64)
        for start in range(0, len(lats), CHUNK):
            part = slice(start, start + CHUNK)
            found[part] = self._numbers[self._chunk_at(lats[part], lons[part])]
        return found

    def _chunk_at(self, y: Floats, x: Floats) -> NDArray[np.int32]:
        row = np.fmin(np.fmax((y - self._y0) * self._sy, 0), self._height - 1).astype(np.int32)
        col = np.fmin(np.fmax((x - self._x0) * self._sx, 0), self._width - 1).astype(np.int32)
        values: NDArray[np.int32] = self._cells[row * np.int32(self._width) + col]
        off = (x >= self._x0) & (x <= self._x1) & (y >= self._y0) & (y <= self._y1)
        values[~off] = OUTSIDE
        at_border = np.nonzero(values <= FIRST_BORDER)[0]
        if len(at_border):
            borders = (FIRST_BORDER - values[at_border]).astype(np.int64)
            values[at_border] = self._many_at_border(borders, y[at_border], x[at_border])
        return values

    def _many_at_border(self, borders: Ints, y: Floats, x: Floats) -> Ints:
        """Polygon number of each point, whose raster cell is the border cell given."""
        table = self._candidates
        points, candidates = _expand(table.first[borders], table.first[borders + 1])
        inside = self._hold(candidates, y[points], x[points])
        found = np.full(len(borders), OUTSIDE, dtype=np.int64)
        # Backwards, so that the first of several candidates is written last.
        hits = np.nonzero(inside)[0][::-1]
        found[points[hits]] = table.polygons[candidates[hits]]
        return found

    def _hold(self, candidates: Ints, y: Floats, x: Floats) -> NDArray[np.bool_]:
        """Whether each candidate's polygon holds its point."""
        table, edges = self._candidates, self._edges
        pairs, refs = _expand(table.first_edge[candidates], table.first_edge[candidates + 1])
        edge = table.edges[refs]
        px, py = x[pairs], y[pairs]
        x1, y1, x2, y2 = edges.x1[edge], edges.y1[edge], edges.x2[edge], edges.y2[edge]
        rise, run = (x2 - x1) * (py - y1), (px - x1) * (y2 - y1)
        reached = (py >= y1) & (py <= y2) & (px <= np.maximum(x1, x2))
        east = px < np.minimum(x1, x2)
        doubt = np.abs(rise - run) <= DOUBT * (np.abs(rise) + np.abs(run)) + TINY
        crossed = reached & (py < y2) & (east | (rise > run))
        crossings = np.bincount(pairs[crossed], minlength=len(candidates))
        inside = table.parities[candidates] ^ (crossings % 2 == 1)
        unsure = np.unique(pairs[reached & ~east & doubt])
        if len(unsure):
            polygons = self._polygons[table.polygons[candidates[unsure]]]
            inside[unsure] = shapely.intersects_xy(polygons, x[unsure], y[unsure])
        return np.asarray(inside)


class _Frame:
    """Where the raster lies: bounds in degrees, cells per degree, cells each way."""

    def __init__(self, polygons: NDArray[np.object_]) -> None:
        x0, y0, x1, y1 = (float(value) for value in shapely.total_bounds(polygons))
        cells = min(max(len(polygons) * CELLS_PER_GRID, MIN_CELLS), MAX_CELLS)
        aspect = min(max((x1 - x0) / (y1 - y0), 1e-2), 1e2)
        self.bounds = x0, y0, x1, y1
        # The point on the eastern or northern bound falls into a row or column of its own.
        columns = max(round((cells * aspect) ** 0.5), 1)
        rows = max(round((cells / aspect) ** 0.5), 1)
        self.width, self.height = columns + 1, rows + 1
        self.scale = columns / (x1 - x0), rows / (y1 - y0)

    def in_cells(self, edges: "_Edges") -> tuple[Floats, Floats, Floats, Floats]:
        """The ends of edges in cells from the lower left corner."""
        x0, y0 = self.bounds[:2]
        u1, u2 = (edges.x1 - x0) * self.scale[0], (edges.x2 - x0) * self.scale[0]
        v1, v2 = (edges.y1 - y0) * self.scale[1], (edges.y2 - y0) * self.scale[1]
        return u1, v1, u2, v2


class _Edges:
    """Edges of all polygons, each from its lower to its upper end."""

    def __init__(self, ends: NDArray[np.float64], polygon: Ints) -> None:
        up = ends[:, 1] <= ends[:, 3]
        self.x1, self.y1, self.x2, self.y2 = np.where(up[:, None], ends, ends[:, [2, 3, 0, 1]]).T
        self.polygon = polygon

    def rows(self) -> list[tuple[float, float, float, float, float, float]]:
        columns = (self.x1, self.y1, self.x2, self.y2)
        sides = (np.minimum(self.x1, self.x2), np.maximum(self.x1, self.x2))
        return list(zip(*(column.tolist() for column in columns + sides), strict=True))


def _edges(polygons: NDArray[np.object_]) -> _Edges:
    parts, part_of = shapely.get_parts(polygons, return_index=True)
    rings, ring_of = shapely.get_rings(parts, return_index=True)
    positions, position_of = shapely.get_coordinates(rings, return_index=True)
    same_ring = position_of[1:] == position_of[:-1]
    moved = np.any(positions[1:] != positions[:-1], axis=1)
    start = np.nonzero(same_ring & moved)[0]
    ends = np.hstack([positions[start], positions[start + 1]])
    return _Edges(ends, part_of[ring_of[position_of[start]]])


@dataclass(frozen=True, slots=True)
class _Candidates:
    """Border cell -> polygons to ask, in order -> edges to test.

    Border cell k has candidates `first[k]` to `first[k + 1]`; candidate c is polygon
    `polygons[c]`, holds the cell's points by `parities[c]` before its edges
    `edges[first_edge[c] : first_edge[c + 1]]` are counted.
    """

    first: Ints
    polygons: Ints
    parities: NDArray[np.bool_]
    first_edge: Ints
    edges: Ints

    def columns(self) -> "tuple[array[int], array[int], list[bool], array[int], array[int]]":
        return (
            _compact(self.first),
            _compact(self.polygons),
            self.parities.tolist(),
            _compact(self.first_edge),
            _compact(self.edges),
        )


@dataclass(frozen=True, slots=True)
class _Raster:
    cells: NDArray[np.int32]
    candidates: _Candidates


def _rasterise(edges: _Edges, frame: _Frame, count: int) -> _Raster:
    spans = _RowSpans(edges, frame)
    cells, owners, groups = spans.touched()
    filled = _fill(edges, frame, count, cells, owners)
    return _mark_borders(filled, cells, owners, groups, spans)


class _RowSpans:
    """For each edge and each raster row it meets: the columns it may touch there.

    Coordinates are in cells from the frame's lower left corner.
    """

    def __init__(self, edges: _Edges, frame: _Frame) -> None:
        u1, v1, u2, v2 = frame.in_cells(edges)
        low = np.maximum(np.floor(v1 - MARGIN), 0).astype(np.int64)
        high = np.minimum(np.floor(v2 + MARGIN), frame.height - 1).astype(np.int64)
        self.edge, self.row = _expand(low, high + 1)
        u1, u2, v1, v2 = u1[self.edge], u2[self.edge], v1[self.edge], v2[self.edge]
        rise = np.where(v2 - v1 < FLAT, 1.0, v2 - v1)
        from_v = np.where(v2 - v1 < FLAT, v1, np.maximum(v1, self.row - MARGIN))
        to_v = np.where(v2 - v1 < FLAT, v1 + 1.0, np.minimum(v2, self.row + 1 + MARGIN))
        ends = u1 + (from_v - v1) / rise * (u2 - u1), u1 + (to_v - v1) / rise * (u2 - u1)
        self.left, self.right = np.minimum(*ends) - MARGIN, np.maximum(*ends) + MARGIN
        self.through = (v1 <= self.row - MARGIN) & (v2 >= self.row + 1 + MARGIN)
        self._sort_by_group(edges, frame)

    def _sort_by_group(self, edges: _Edges, frame: _Frame) -> None:
        """Bring together what one polygon has in one row: a group."""
        key = edges.polygon[self.edge] * frame.height + self.row
        order = np.argsort(key, kind="stable")
        for name in ("edge", "row", "left", "right", "through"):
            setattr(self, name, getattr(self, name)[order])
        keys, self.group = np.unique(key[order], return_inverse=True)
        self.group_first = np.searchsorted(key[order], np.append(keys, keys[-1] + 1))
        self.group_polygon, self._group_row = np.divmod(keys, frame.height)
        self._width = frame.width

    def touched(self) -> tuple[Ints, Ints, Ints]:
        """Raster cell, polygon and group of every pair that meets, by cell, then polygon."""
        first = np.maximum(np.floor(self.left), 0).astype(np.int64)
        last = np.minimum(np.floor(self.right), self._width - 1).astype(np.int64)
        span, col = _expand(first, last + 1)
        pair = np.unique(self.group[span] * self._width + col)
        group, col = np.divmod(pair, self._width)
        cell, polygon = self._group_row[group] * self._width + col, self.group_polygon[group]
        order = np.lexsort((polygon, cell))
        return cell[order], polygon[order], group[order]

    def tests(self, cells: Ints, groups: Ints) -> tuple[NDArray[np.bool_], Ints, Ints]:
        """Parity, first edge and edges of each (cell, group), as _Candidates has them."""
        pair, span = _expand(self.group_first[groups], self.group_first[groups + 1])
        col = (cells % self._width)[pair]
        east = self.left[span] >= col + 1
        always = east & self.through[span]
        needed = ~always & (self.right[span] >= col)
        crossings = np.bincount(pair[always], minlength=len(cells))
        first_edge = np.searchsorted(pair[needed], np.arange(len(cells) + 1))
        return crossings % 2 == 1, first_edge, self.edge[span[needed]]


def _fill(edges: _Edges, frame: _Frame, count: int, cells: Ints, owners: Ints) -> NDArray[np.int32]:
    """For each cell the first polygon that fills it without touching it with an edge, or -1."""
    flat = np.full(frame.width * frame.height, OUTSIDE, dtype=np.int32)
    runs = _filled_runs(edges, frame)
    by_owner = np.argsort(owners, kind="stable")
    starts = np.searchsorted(owners[by_owner], np.arange(count + 1))
    run_starts = np.searchsorted(runs[:, 0], np.arange(count + 1))
    for polygon in range(count - 1, -1, -1):
        own_border = cells[by_owner[starts[polygon] : starts[polygon + 1]]]
        before = flat[own_border]
        for _, begin, end in runs[run_starts[polygon] : run_starts[polygon + 1]].tolist():
            flat[begin:end] = polygon
        flat[own_border] = before
    return flat


def _filled_runs(edges: _Edges, frame: _Frame) -> Ints:
    """(polygon, first cell, last cell + 1) of the cells whose middle lies in the polygon."""
    u1, v1, u2, v2 = frame.in_cells(edges)
    edge, row = _expand(np.ceil(v1 - 0.5).astype(np.int64), np.ceil(v2 - 0.5).astype(np.int64))
    rise = (row + 0.5 - v1[edge]) / (v2 - v1)[edge]
    u = u1[edge] + rise * (u2 - u1)[edge]
    col = np.clip(np.ceil(u - 0.5).astype(np.int64), 0, frame.width)
    polygon = edges.polygon[edge]
    order = np.lexsort((col, row, polygon))
    begin, end = order[0::2], order[1::2]
    start = row[begin] * frame.width
    return np.stack([polygon[begin], start + col[begin], start + col[end]], axis=1)


def _mark_borders(
    filled: NDArray[np.int32], cells: Ints, owners: Ints, groups: Ints, spans: _RowSpans
) -> _Raster:
    """Put the border cells into the raster, each with its candidates."""
    full = filled[cells]
    kept = (full == OUTSIDE) | (owners < full)
    cells, owners, groups = cells[kept], owners[kept], groups[kept]
    parities, first_edge, edge_numbers = spans.tests(cells, groups)
    border_cells, first = np.unique(cells, return_index=True)
    last = filled[border_cells].astype(np.int64)
    table = _with_last(np.append(first, len(cells)), owners, parities, first_edge, last)
    numbers = np.arange(len(border_cells), dtype=np.int32)
    filled[border_cells] = FIRST_BORDER - numbers
    return _Raster(filled, _Candidates(*table, edge_numbers))


def _with_last(
    first: Ints, polygons: Ints, parities: NDArray[np.bool_], first_edge: Ints, last: Ints
) -> tuple[Ints, Ints, NDArray[np.bool_], Ints]:
    """Append to each border cell the polygon that fills it whole, where there is one."""
    has_last = last != OUTSIDE
    at = first[1:][has_last]
    polygons = np.insert(polygons, at, last[has_last])
    parities = np.insert(parities, at, values=True)
    first_edge = np.insert(first_edge, at, first_edge[at])
    return first + np.append(0, np.cumsum(has_last)), polygons, parities, first_edge


def _expand(first: Ints, end: Ints) -> tuple[Ints, Ints]:
    """Every (number of the range, value) of the ranges first[i] to end[i] - 1, in order."""
    lengths = end - first
    number = np.repeat(np.arange(len(first), dtype=np.int64), lengths)
    begin = np.cumsum(lengths) - lengths
    value = np.arange(len(number), dtype=np.int64) - begin[number] + first[number]
    return number, value


def _compact(values: NDArray[np.int32] | Ints) -> "array[int]":
    return array("i", values.astype(np.int32).tobytes())
