"""By what figures are told apart: grids of a level, departments, people, matters, channels."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from hub.evaluation.facts import CaseFacts
from hub.roles import Post, Spot

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

    `within`: only what lies in the grid of that code. `posts`: only what one of them covers, for a
    person whose posts are limited; a grid is told apart only where a post answers for all of it.
    """

    by: By = By.ALL
    grid_level: int = 3
    within: str | None = None
    posts: tuple[Post, ...] = ()

    def key(self) -> Key:
        """The group of a fact; None for none."""
        group = _KEYS.get(self.by) or self._grid
        within, posts = self.within, self.posts
        if within is None and not posts:
            return group

        def limited(case: CaseFacts) -> str | None:
            if within is not None and within not in case.path:
                return None
            return group(case) if not posts or self._is_covered(case) else None

        return limited

    def _grid(self, case: CaseFacts) -> str | None:
        depth = self.grid_level
        return case.path[depth - 1] if len(case.path) >= depth else None

    def _is_covered(self, case: CaseFacts) -> bool:
        """Whether the fact, and all of the grid it is counted for, is somebody's business."""
        departments = frozenset([case.department] if case.department else [])
        spot = Spot(case.path, case.matter, departments)
        shown = case.path[: self.grid_level] if self.by is By.GRID else case.path
        return any(
            post.covers(spot) and (post.grid is None or post.grid in shown) for post in self.posts
        )


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
