"""By what figures are told apart: grids of a level, departments, people, matters, channels."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from hub.evaluation.facts import CaseFacts

Key = Callable[[CaseFacts], str | None]


class By(StrEnum):
    """What a group is."""

    ALL = "all"
    GRID = "grid"
    DEPARTMENT = "department"
    PERSON = "person"
    MATTER = "matter"
    MATTER_CLASS = "matter_class"
    KIND = "kind"
    LEVEL = "level"
    CHANNEL = "channel"


PERSONAL = frozenset({By.PERSON})
"""Groupings that need a higher right: figures of single people."""


@dataclass(frozen=True, slots=True)
class Grouping:
    """How facts are grouped. `grid_level`: of the grids, by their depth from 1, the largest.

    `within`: only what lies in the grid of that code.
    """

    by: By = By.ALL
    grid_level: int = 3
    within: str | None = None

    def key(self) -> Key:
        """The group of a fact; None for none."""
        group = _KEYS.get(self.by) or self._grid
        within = self.within
        if within is None:
            return group
        return lambda case: group(case) if within in case.path else None

    def _grid(self, case: CaseFacts) -> str | None:
        depth = self.grid_level
        return case.path[depth - 1] if len(case.path) >= depth else None


def _known(text: str | None) -> str | None:
    return text or None


_KEYS: Mapping[By, Key] = {
    By.ALL: lambda _: "all",
    By.DEPARTMENT: lambda case: _known(case.department),
    By.PERSON: lambda case: _known(case.officer),
    By.MATTER: lambda case: _known(case.matter),
    By.MATTER_CLASS: lambda case: _known(case.matter_class),
    By.KIND: lambda case: case.kind if case.matter else None,
    By.LEVEL: lambda case: str(case.level),
    By.CHANNEL: lambda case: _known(case.channel),
}
