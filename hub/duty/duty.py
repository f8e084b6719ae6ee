"""五定: the five things that are fixed for every grid, and which of them a grid lacks."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Five(StrEnum):
    """定区域、定人员、定职责、定任务、定奖惩 (安政发〔2020〕20号)."""

    AREA = "area"
    PEOPLE = "people"
    DUTIES = "duties"
    TASKS = "tasks"
    REWARDS = "rewards"


TEXTS = (Five.DUTIES, Five.TASKS, Five.REWARDS)
"""Those that are said in words."""


class PersonRole(StrEnum):
    """总网格长, 网格长, 网格员, 监管员, 采集员, 执法人员: case-standards §9."""

    CHIEF_GRID_HEAD = "chief_grid_head"
    GRID_HEAD = "grid_head"
    GRID_WORKER = "grid_worker"
    SUPERVISOR = "supervisor"
    COLLECTOR = "collector"
    OFFICER = "officer"


ROLE_WORDS = {
    "总网格长": PersonRole.CHIEF_GRID_HEAD,
    "网格长": PersonRole.GRID_HEAD,
    "网格员": PersonRole.GRID_WORKER,
    "监管员": PersonRole.SUPERVISOR,
    "采集员": PersonRole.COLLECTOR,
    "信息采集员": PersonRole.COLLECTOR,
    "执法人员": PersonRole.OFFICER,
    "执法队员": PersonRole.OFFICER,
}
HEADS = frozenset({PersonRole.CHIEF_GRID_HEAD, PersonRole.GRID_HEAD})


@dataclass(frozen=True, slots=True)
class Post:
    """A post: the grid it belongs to, the grids it patrols (its own when none), its shifts."""

    code: str
    name: str
    grid: str
    areas: tuple[str, ...] = ()
    shifts: tuple[str, ...] = ()

    @property
    def patrols(self) -> tuple[str, ...]:
        """The grids it goes through."""
        return self.areas or (self.grid,)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody at a post. `trackers`: the phones and cars (DEVICE/VEHICLE) that say where."""

    id: str
    name: str
    role: PersonRole
    post: str
    phone: str = ""
    trackers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Text:
    """One duty, task or reward of a grid, in words."""

    grid: str
    kind: Five
    text: str


def missing(
    *, is_in_force: bool, roles: Sequence[PersonRole], texts: Iterable[Five]
) -> tuple[Five, ...]:
    """Which of the five a grid lacks.

    Its area is fixed while the grid is in force; its people are when somebody leads it and
    somebody goes out in it.
    """
    there = set(texts)
    if is_in_force:
        there.add(Five.AREA)
    if HEADS.intersection(roles) and set(roles) - HEADS:
        there.add(Five.PEOPLE)
    return tuple(each for each in Five if each not in there)
