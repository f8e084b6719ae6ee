"""Fences and a vehicle: enter, exit, inside, cross. State and point in, state and episodes out."""

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime, tzinfo
from itertools import pairwise

import numpy as np
import shapely
from msgspec import Struct, structs

from hub.grid.crossing import MAX_WAY_S
from hub.tracks.episode import Episode, Kind
from hub.tracks.geofence import Geofence, bounds
from hub.tracks.point import Point
from hub.tracks.settings import TrackSettings

Place = tuple[float, float]
Step = Callable[["Presence | None", Point, TrackSettings], tuple["Presence", tuple[Episode, ...]]]


class Stay(Struct, frozen=True):
    """Inside a fence since `since`, and during its hours since `in_force_since`.

    `told_at`: when that was long enough to be told.
    """

    since: datetime
    lat: float
    lon: float
    in_force_since: datetime | None = None
    told_at: datetime | None = None


class Presence(Struct, frozen=True):
    """The last point, and the fences it lies in."""

    at: datetime
    lat: float
    lon: float
    stays: dict[str, Stay] = {}


class FenceIndex:
    """Fences to be asked many points at once; what was asked is remembered until `forget`."""

    def __init__(self, fences: Sequence[Geofence]) -> None:
        """Index the fences by the boxes around them."""
        self.fences = tuple(fences)
        boxes = [shapely.box(*bounds(fence.shape)) for fence in self.fences]
        self._tree = shapely.STRtree(boxes)
        self._held: dict[Place, frozenset[int]] = {}
        self._passed: dict[tuple[Place, Place], frozenset[int]] = {}

    def prepare(self, points: Sequence[Point]) -> None:
        """Ask for a run of points and the ways between them in a few vectorised calls."""
        if not self.fences or not points:
            return
        places = [(point.lat, point.lon) for point in points]
        self._held.update(zip(places, self._holders(places), strict=True))
        if len(places) > 1:
            ways = list(pairwise(places))
            self._passed.update(zip(ways, self._near_ways(ways), strict=True))

    def forget(self) -> None:
        """Drop what was remembered."""
        self._held.clear()
        self._passed.clear()

    def holding(self, point: Point) -> frozenset[int]:
        """Numbers of the fences that hold a point."""
        place = (point.lat, point.lon)
        known = self._held.get(place)
        if known is None:
            known = self._held[place] = self._holders([place])[0]
        return known

    def passed(self, before: Place, after: Place) -> Iterable[int]:
        """Numbers of the fences that the way between two places touches."""
        near = self._passed.get((before, after))
        if near is None:
            near = self._near_ways([(before, after)])[0]
        return (number for number in near if self.fences[number].shape.passes(*before, *after))

    def _holders(self, places: Sequence[Place]) -> list[frozenset[int]]:
        lats, lons = np.array(places, dtype=float).T
        found: list[list[int]] = [[] for _ in places]
        at, numbers = self._tree.query(shapely.points(lons, lats))
        for number in np.unique(numbers).tolist():
            where = at[numbers == number]
            inside = self.fences[number].shape.contains_many(lats[where], lons[where])
            for index in where[inside].tolist():
                found[index].append(number)
        return [frozenset(each) for each in found]

    def _near_ways(self, ways: Sequence[tuple[Place, Place]]) -> list[frozenset[int]]:
        ends = np.array(ways, dtype=float)[:, :, ::-1]
        found: list[list[int]] = [[] for _ in ways]
        at, numbers = self._tree.query(shapely.linestrings(ends))
        for index, number in zip(at.tolist(), numbers.tolist(), strict=True):
            found[index].append(number)
        return [frozenset(each) for each in found]


def presence(index: FenceIndex, mine: Collection[int], zone: tzinfo) -> Step:
    """The rule for one vehicle, whom the fences of the numbers `mine` concern."""
    mine = frozenset(mine)

    def step(
        state: Presence | None, point: Point, _settings: TrackSettings
    ) -> tuple[Presence, tuple[Episode, ...]]:
        here = {index.fences[n].code: index.fences[n] for n in index.holding(point) & mine}
        before = state.stays if state is not None else {}
        said: list[Episode] = []
        for code, stay in before.items():
            if code not in here:
                fence = _by_code(index, mine, code)
                said += _left(fence, stay, state, point, zone)
        stays = {}
        for code, fence in here.items():
            stays[code], told = _inside(fence, before.get(code), point, zone)
            said += told
        if state is not None:
            said += _crossed(index, mine, state, point, known={*before, *here}, zone=zone)
        return Presence(point.at, point.lat, point.lon, stays), tuple(said)

    return step


def finish(state: Presence | None, _settings: TrackSettings) -> tuple[Episode, ...]:
    """The stays that have been told and last."""
    stays = state.stays if state is not None else {}
    return tuple(each for code, stay in stays.items() for each in _stayed(code, stay, None))


def _by_code(index: FenceIndex, mine: Collection[int], code: str) -> Geofence | None:
    return next((index.fences[n] for n in mine if index.fences[n].code == code), None)


def _inside(
    fence: Geofence, stay: Stay | None, point: Point, zone: tzinfo
) -> tuple[Stay, list[Episode]]:
    in_force = fence.is_in_force(point.at, zone)
    said: list[Episode] = []
    if stay is None:
        stay = Stay(point.at, point.lat, point.lon, point.at if in_force else None)
        if in_force:
            said.append(_moment(Kind.FENCE_ENTER, fence.code, point))
    elif not in_force and stay.in_force_since is not None:
        said += _stayed(fence.code, stay, point.at)
        stay = structs.replace(stay, in_force_since=None, told_at=None)
    elif in_force and stay.in_force_since is None:
        stay = structs.replace(stay, in_force_since=point.at, lat=point.lat, lon=point.lon)
    since = stay.in_force_since
    if since is not None and stay.told_at is None:
        lasted_s = (point.at - since).total_seconds()
        if lasted_s >= fence.inside_min_s and point.at > since:
            stay = structs.replace(stay, told_at=point.at)
            said += _stayed(fence.code, stay, None)
    return stay, said


def _left(
    fence: Geofence | None, stay: Stay, state: Presence | None, point: Point, zone: tzinfo
) -> list[Episode]:
    """A fence that is no more ends quietly: nothing was left."""
    until = state.at if state is not None else point.at
    said = list(_stayed(fence.code if fence else "", stay, until)) if fence else []
    if fence is not None and fence.is_in_force(point.at, zone):
        said.append(_moment(Kind.FENCE_EXIT, fence.code, point))
    return said


def _crossed(
    index: FenceIndex,
    mine: Collection[int],
    state: Presence,
    point: Point,
    *,
    known: Collection[str],
    zone: tzinfo,
) -> Iterable[Episode]:
    if not 0 < (point.at - state.at).total_seconds() <= MAX_WAY_S:
        return
    for number in index.passed((state.lat, state.lon), (point.lat, point.lon)):
        fence = index.fences[number]
        concerns = number in mine and fence.code not in known
        if concerns and fence.is_in_force(point.at, zone):
            yield _moment(Kind.FENCE_CROSS, fence.code, point)


def _moment(kind: Kind, code: str, point: Point) -> Episode:
    return Episode(kind, point.at, point.at, point.lat, point.lon, code)


def _stayed(code: str, stay: Stay, until: datetime | None) -> tuple[Episode, ...]:
    if stay.told_at is None or stay.in_force_since is None:
        return ()
    end = until or stay.told_at
    return (
        Episode(
            Kind.FENCE_INSIDE,
            stay.in_force_since,
            end,
            stay.lat,
            stay.lon,
            code,
            over=until is not None,
        ),
    )
