"""What can be wrong with grids, fences and tables of points."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from shapely.geometry.base import BaseGeometry


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a set of grids, where, and what would be right.

    `problem` is a fixed word (the list is in `hub.grid.geojson` and `hub.grid.topology`). `shape`:
    the overlap, gap or overhang itself, longitude and latitude; a line of output does not have it.
    """

    problem: str
    code: str | None
    where: str
    message: str
    allowed: str
    details: Mapping[str, object] = field(default_factory=dict, hash=False)
    shape: BaseGeometry | None = field(default=None, compare=False, repr=False)

    def line(self) -> dict[str, object]:
        """The problem as one JSON object."""
        return {
            "problem": self.problem,
            "code": self.code,
            "where": self.where,
            "message": self.message,
            "allowed": self.allowed,
            **self.details,
        }


class GridError(ValueError):
    """A set of grids, a fence or a table of points that cannot be used as it is."""

    def __init__(self, message: str, problems: Iterable[Problem] = ()) -> None:
        """Keep the message, coded where it is, and the problems behind it where it has several."""
        super().__init__(message)
        self.message = message
        self.problems = tuple(problems)

    @classmethod
    def from_problems(cls, problems: Iterable[Problem], shown: int = 20) -> "GridError":
        """One error that names up to `shown` of the problems and counts the rest."""
        found = tuple(problems)
        lines = [f"{each.where}: {each.message} ({each.allowed})" for each in found[:shown]]
        if len(found) > shown:
            lines.append(f"and {len(found) - shown} more")
        return cls("\n".join(lines), found)
