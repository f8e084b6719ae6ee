"""A truck and its permits: state and point in, state and episodes out.

Only a loaded truck breaks a permit. Where the truck tells of its load, that counts. Where it does
not, it is presumed loaded after standing at a loading site for `loading_min_s`, until it stands at
a dump site or lifts its hopper, and what is told then has a lower certainty.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from msgspec import Struct, structs

from hub.grid.fence import Corridor
from hub.permits.permit import Permit
from hub.tracks import lasting
from hub.tracks.episode import Episode, Kind
from hub.tracks.geofence import Geofence, Purpose
from hub.tracks.lasting import Condition, Lasting
from hub.tracks.point import Point
from hub.tracks.presence import FenceIndex
from hub.tracks.settings import TrackSettings
from hub.tracks.track import Rule

MEASURED, PRESUMED = 0.9, 0.6
CONFIRM_S = 10.0
CONDITIONS = (Kind.NO_PERMIT, Kind.OFF_HOURS, Kind.OFF_ROUTE, Kind.UNCOVERED_LOAD)


@dataclass(frozen=True)
class Warrant:
    """A permit with its places as they are in force; None: a site that is known no more."""

    permit: Permit
    loading: Geofence | None
    dump: Geofence | None
    corridor: Corridor | None


@dataclass(frozen=True)
class Haul:
    """What a truck is judged by: its warrants, and the index that holds all sites."""

    warrants: Sequence[Warrant]
    index: FenceIndex
    zone: tzinfo

    def sites_at(self, point: Point) -> list[Geofence]:
        """The loading and dump sites that hold a point."""
        fences = [self.index.fences[number] for number in sorted(self.index.holding(point))]
        return [fence for fence in fences if fence.purpose is not Purpose.WATCH]


class Turn(Struct, frozen=True):
    """The load changed at a site; a second report has to confirm it."""

    at: datetime
    lat: float
    lon: float
    before: int
    after: int


class HaulState(Struct, frozen=True):
    """What is known of the load, and which conditions hold.

    `standing_at`: the site the truck stands at and since when. `presumed`: loaded, though it does
    not say. `wrong_at`: the wrong site told last, not to be told again before it is left.
    """

    load: int | None = None
    turn: Turn | None = None
    standing_at: str = ""
    standing_since: datetime | None = None
    presumed: bool = False
    wrong_at: str = ""
    holds: dict[str, Lasting] = {}


@dataclass(frozen=True)
class _Scene:
    """One report of a truck, the sites it lies in, and the list of what is told of it."""

    point: Point
    here: Sequence[Geofence]
    haul: Haul
    settings: TrackSettings
    said: list[Episode]

    @property
    def stands(self) -> bool:
        """Whether the truck stands; without a word about its speed it may."""
        kmh = self.point.speed_kmh
        return kmh is None or kmh <= self.settings.standing_kmh

    def valid(self, at: datetime) -> list[Warrant]:
        """The warrants of a day."""
        return [w for w in self.haul.warrants if w.permit.is_valid(at, self.haul.zone)]


def permit_rule(haul: Haul) -> Rule:
    """The rule for one truck."""

    def step(
        state: HaulState | None, point: Point, settings: TrackSettings
    ) -> tuple[HaulState, tuple[Episode, ...]]:
        scene = _Scene(point, haul.sites_at(point), haul, settings, [])
        state = _stand(state or HaulState(), scene)
        state = _turn(state, scene)
        state = _presume(state, scene)
        return _hold(state, scene), tuple(scene.said)

    return Rule("permits", step, finish, takes_every_report=True, state=HaulState)


def finish(state: HaulState | None, settings: TrackSettings) -> tuple[Episode, ...]:
    """What has been told and lasts."""
    holds = state.holds if state is not None else {}
    conditions = _conditions(settings)
    return tuple(
        each for kind, held in holds.items() for each in lasting.finish(held, conditions[kind])
    )


def _stand(state: HaulState, scene: _Scene) -> HaulState:
    """Note at which site the truck stands, and since when."""
    inside = [site.code for site in scene.here]
    codes = inside if scene.stands else []
    wrong_at = state.wrong_at if state.wrong_at in inside else ""
    if state.standing_at and state.standing_at in codes:
        return structs.replace(state, wrong_at=wrong_at)
    at = codes[0] if codes else ""
    since = scene.point.at if at else None
    return structs.replace(state, standing_at=at, standing_since=since, wrong_at=wrong_at)


def _turn(state: HaulState, scene: _Scene) -> HaulState:
    """Tell loading and unloading at a site that is not the permit's, once a report confirms it."""
    point, load, turn = scene.point, scene.point.load, state.turn
    if load is None:
        return state
    before, state = state.load, structs.replace(state, load=load)
    if turn is None:
        if before is None or load == before or not state.standing_at:
            return state
        changed = Turn(point.at, point.lat, point.lon, before, load)
        return structs.replace(state, turn=changed)
    if load == turn.before:
        return structs.replace(state, turn=None)
    if (point.at - turn.at).total_seconds() < CONFIRM_S:
        return state
    purpose = Purpose.LOADING if turn.after > turn.before else Purpose.DUMP
    return _wrong(structs.replace(state, turn=None), scene, turn, purpose, MEASURED)


def _presume(state: HaulState, scene: _Scene) -> HaulState:
    """Say loaded after loading, and empty after unloading, of a truck that does not tell."""
    if state.load is not None:
        return structs.replace(state, presumed=False) if state.presumed else state
    point, since = scene.point, state.standing_since
    if point.hopper and scene.stands:
        state = structs.replace(state, presumed=False)
    if since is None or (point.at - since).total_seconds() < scene.settings.loading_min_s:
        return state
    site = next(site for site in scene.here if site.code == state.standing_at)
    if site.purpose is Purpose.LOADING:
        return structs.replace(state, presumed=True)
    if not state.presumed:
        return state
    stood = Turn(since, point.lat, point.lon, 1, 0)
    return _wrong(structs.replace(state, presumed=False), scene, stood, Purpose.DUMP, PRESUMED)


def _wrong(
    state: HaulState, scene: _Scene, turn: Turn, purpose: Purpose, certainty: float
) -> HaulState:
    """Tell a load taken or left at a site of this purpose that no valid permit names."""
    valid = scene.valid(turn.at)
    ends = [each.loading if purpose is Purpose.LOADING else each.dump for each in valid]
    named = {site.code for site in ends if site is not None}
    sites = [site for site in scene.here if site.purpose is purpose]
    if not valid or not sites or any(site.code in named for site in sites):
        return state
    wrong = sites[0]
    if wrong.code == state.wrong_at:
        return state
    facts = {"site": wrong.name, "purpose": purpose.value, "permit": valid[0].permit.number}
    scene.said.append(
        Episode(
            Kind.WRONG_SITE,
            turn.at,
            scene.point.at,
            turn.lat,
            turn.lon,
            wrong.code,
            certainty=certainty,
            facts=facts,
        )
    )
    return structs.replace(state, wrong_at=wrong.code)


@dataclass(frozen=True)
class _Look:
    """What a loaded truck looks like at a point."""

    point: Point
    moving: bool | None
    valid: Sequence[Warrant]
    open_now: Sequence[Warrant]
    here: Collection[str]


def _hold(state: HaulState, scene: _Scene) -> HaulState:
    point, haul, settings = scene.point, scene.haul, scene.settings
    loaded = state.load > 0 if state.load is not None else state.presumed
    kmh = point.speed_kmh
    moving = None if kmh is None else kmh >= settings.moving_kmh
    valid = scene.valid(point.at)
    open_now = [w for w in valid if w.permit.hours.are_open(point.at, haul.zone)]
    look = _Look(point, moving, valid, open_now, {site.code for site in scene.here})
    certainty = MEASURED if state.load is not None else PRESUMED
    subject = (open_now or valid)[0].permit.number if valid else ""
    kept: dict[str, Lasting] = {}
    for kind, condition in _conditions(settings).items():
        holds, value = _LOOKS[kind](look) if loaded else (False, 0.0)
        held, told = lasting.follow(
            state.holds.get(kind),
            point,
            condition,
            holds=holds,
            value=value,
            subject=subject,
            certainty=certainty,
        )
        scene.said.extend(told)
        if held is not None:
            kept[kind] = held
    return structs.replace(state, holds=kept)


def _conditions(settings: TrackSettings) -> dict[str, Condition]:
    leg_s, gap_s = settings.leg_max_s, settings.gap_min_s
    return {
        Kind.NO_PERMIT.value: Condition(Kind.NO_PERMIT, settings.haul_min_s, leg_s, gap_s),
        Kind.OFF_HOURS.value: Condition(Kind.OFF_HOURS, settings.haul_min_s, leg_s, gap_s),
        Kind.OFF_ROUTE.value: Condition(Kind.OFF_ROUTE, settings.off_route_min_s, leg_s),
        Kind.UNCOVERED_LOAD.value: Condition(
            Kind.UNCOVERED_LOAD, settings.uncovered_min_s, leg_s, gap_s
        ),
    }


def _no_permit(look: _Look) -> tuple[bool | None, float]:
    return (False if look.valid else look.moving), 0.0


def _off_hours(look: _Look) -> tuple[bool | None, float]:
    return (look.moving if look.valid and not look.open_now else False), 0.0


def _off_route(look: _Look) -> tuple[bool | None, float]:
    """Outside every corridor and every site; a permit without a route leaves the way free."""
    warrants = look.open_now or look.valid
    if not warrants or any(each.corridor is None for each in warrants):
        return False, 0.0
    point = look.point
    if look.here:
        return False, 0.0
    off_m = [
        float(each.corridor.deviations_m([point.lat], [point.lon])[0]) - each.corridor.half_width_m
        for each in warrants
        if each.corridor is not None
    ]
    return min(off_m) > 0, max(0.0, min(off_m))


def _uncovered(look: _Look) -> tuple[bool | None, float]:
    cover_open = look.point.cover_open
    if cover_open is None:
        return None, 0.0
    return (look.moving if cover_open else False), 0.0


_LOOKS: dict[str, Callable[[_Look], tuple[bool | None, float]]] = {
    Kind.NO_PERMIT.value: _no_permit,
    Kind.OFF_HOURS.value: _off_hours,
    Kind.OFF_ROUTE.value: _off_route,
    Kind.UNCOVERED_LOAD.value: _uncovered,
}
