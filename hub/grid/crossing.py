"""What a moving thing does to fences and grids: state and point in, state and events out.

The words are those of Tile38: enter, exit, inside, outside, cross.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from hub.grid.fence import Fence, contains

# A way between two points this far apart in time says nothing about what lay between them.
MAX_WAY_S = 120.0


class Crossing(StrEnum):
    """`cross`: outside before and after, but the way between went through."""

    ENTER = "enter"
    EXIT = "exit"
    INSIDE = "inside"
    OUTSIDE = "outside"
    CROSS = "cross"


@dataclass(frozen=True, slots=True)
class Presence:
    """Where a thing was last seen, and since when it has been inside or outside a fence."""

    at: datetime
    lat: float
    lon: float
    inside: bool
    since: datetime


def step(
    fence: Fence,
    state: Presence | None,
    at: datetime,
    lat: float,
    lon: float,
    *,
    max_way_s: float = MAX_WAY_S,
) -> tuple[Presence, Crossing | None]:
    """Move on by one point.

    A first point inside enters. A point older than the state changes nothing and says nothing.
    """
    if state is not None and at < state.at:
        return state, None
    inside = contains(fence, lat, lon)
    was_inside = state is not None and state.inside
    since = state.since if state is not None and inside == was_inside else at
    moved = Presence(at, lat, lon, inside, since)
    if inside:
        return moved, Crossing.INSIDE if was_inside else Crossing.ENTER
    if was_inside:
        return moved, Crossing.EXIT
    if state is None or (at - state.at).total_seconds() > max_way_s:
        return moved, Crossing.OUTSIDE
    went_through = fence.passes(state.lat, state.lon, lat, lon)
    return moved, Crossing.CROSS if went_through else Crossing.OUTSIDE


@dataclass(frozen=True, slots=True)
class GridStay:
    """The grid a thing is in, None outside of all; since when, and when it was last seen."""

    code: str | None
    since: datetime
    at: datetime


@dataclass(frozen=True, slots=True)
class GridCrossing:
    """`grid` was entered or left at `at`, the first point on the other side.

    `last_at` is the last point before; the border was crossed between the two.
    """

    kind: Crossing
    grid: str
    at: datetime
    last_at: datetime | None


def move(
    state: GridStay | None, at: datetime, code: str | None
) -> tuple[GridStay, tuple[GridCrossing, ...]]:
    """Move on into the grid `code` of a set whose grids do not overlap: exit, then enter."""
    if state is None:
        entered = () if code is None else (GridCrossing(Crossing.ENTER, code, at, None),)
        return GridStay(code, at, at), entered
    if at < state.at:
        return state, ()
    if code == state.code:
        return GridStay(code, state.since, at), ()
    events = []
    if state.code is not None:
        events.append(GridCrossing(Crossing.EXIT, state.code, at, state.at))
    if code is not None:
        events.append(GridCrossing(Crossing.ENTER, code, at, state.at))
    return GridStay(code, at, at), tuple(events)
