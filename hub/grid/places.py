"""Which grids a place lies in: the grids in force, kept in memory, one index a level."""

from collections.abc import Sequence

import numpy as np
from pydantic import BaseModel

from hub.errors import BOTH_OR_NONE, Problem
from hub.grid.grid import Grid
from hub.grid.index import GridIndex
from wire.coded import coded

Path = tuple[str, ...]


class GridRef(BaseModel):
    """A grid by code and name."""

    code: str
    name: str


class GridStep(GridRef):
    """A grid on the way from the largest to the smallest; `level` is null in a flat set."""

    level: int | None


class _View:
    """Grids in force and the names of those that were."""

    def __init__(self, revision: int, in_force: Sequence[Grid], ended: Sequence[GridStep]) -> None:
        """Build the index; `ended` grids are known by name only."""
        self.revision = revision
        self.index = GridIndex(in_force)
        self.known = {step.code: step for step in ended}
        for grid in in_force:
            self.known[grid.code] = GridStep(code=grid.code, name=grid.name, level=grid.level)
        self._paths: dict[tuple[int, ...], Path] = {}

    def path(self, numbers: tuple[int, ...]) -> Path:
        """The codes of grid numbers, one a level."""
        path = self._paths.get(numbers)
        if path is None:
            path = tuple(self.index.grids[number].code for number in numbers if number >= 0)
            self._paths[numbers] = path
        return path


def place_of(lat: float | None, lon: float | None) -> tuple[float, float] | None:
    """A place as a caller gives it, in degrees; None where none is given.

    Raises Problem for half of one.
    """
    if lat is None and lon is None:
        return None
    if lat is None or lon is None:
        text = coded("lat_and_lon", "lat and lon are needed together")
        raise Problem(422, "bad_place", text, BOTH_OR_NONE)
    return lat, lon


class Places:
    """A view of the grids that threads share: replaced whole, never changed."""

    def __init__(self) -> None:
        """Begin with no grids."""
        self._view = _View(-1, (), ())

    @property
    def revision(self) -> int:
        """The import this view was made from."""
        return self._view.revision

    @property
    def index(self) -> tuple[int, GridIndex]:
        """The grids in force as an index, and the import they are from."""
        view = self._view
        return view.revision, view.index

    def load(self, revision: int, in_force: Sequence[Grid], ended: Sequence[GridStep]) -> None:
        """Take these grids; `ended` are known by name only."""
        self._view = _View(revision, in_force, ended)

    def locate(self, points: Sequence[tuple[float, float]]) -> list[Path]:
        """The grids of each (lat, lon), from the largest to the smallest; () outside."""
        view = self._view
        if not points:
            return []
        lats, lons = np.array(points, dtype=np.float64).T
        rows = view.index.locate_levels_many(lats, lons).tolist()
        return [view.path(tuple(row)) for row in rows]

    def steps(self, path: Path) -> list[GridStep]:
        """The grids of a path with their names and levels."""
        known = self._view.known
        return [known.get(code) or GridStep(code=code, name="", level=None) for code in path]

    def ref(self, path: Path) -> GridRef | None:
        """The smallest grid of a path; None outside all grids."""
        if not path:
            return None
        step = self.steps(path[-1:])[0]
        return GridRef(code=step.code, name=step.name)
