"""From stored fixes to visits and sweeping passes, a vehicle and a day at a time.

Reading and computing hold no lock; only the exchange of a day's rows is written. Judging the same
fixes twice gives the same rows, so it may be stopped anywhere and done again.
"""

import logging
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy.engine import Connection

from hub.config import HubConfig
from hub.duty import store as duty_store
from hub.grid.index import GridIndex
from hub.patrol import store as patrol_store
from hub.patrol.settings import sweep_settings, visit_settings
from hub.patrol.store import Judged, VehicleDay
from hub.patrol.sweeping import Pass, sweeping_passes
from hub.patrol.visit import Visit, Walk, visits_of_walk
from hub.store import Store, from_ms, now
from hub.tracks.cleaning import Believed, are_plain, clean
from hub.tracks.point import Point
from hub.tracks.settings import DEFAULTS
from hub.tracks.store import PHONE, fixes_between
from wire.track import DEAD_RECKONED, VALID, TrackPoint

log = logging.getLogger(__name__)

MARGIN = timedelta(hours=1)
"""A day is read with an hour around it, so that a visit across midnight is one visit."""


@dataclass(frozen=True)
class Work:
    """What judging needs to know of the place it runs at. `revision`: the import of the grids."""

    config: HubConfig
    index: GridIndex
    revision: int

    @property
    def kinds(self) -> list[str]:
        """The kinds of vehicles that are looked at."""
        return [*self.visitors, *self.config.patrol.sweeper_kinds]

    @property
    def visitors(self) -> list[str]:
        """The kinds whose visits count wherever they are; a phone on patrol is one."""
        return [*self.config.patrol.kinds, PHONE]


def look_at_recent(store: Store, work: Work, heard_since: datetime | None) -> int:
    """Judge today and yesterday of every vehicle heard since, and the days late fixes came for.

    Only where more fixes are here than a day was judged by. Returns how many days were judged.
    """
    today = now().astimezone(work.config.zone).date()
    with store.read() as tx:
        trackers = duty_store.trackers(tx)
        names = patrol_store.on_patrol(tx, work.kinds, trackers, heard_since)
        wanted: list[VehicleDay] = [
            (name, day)
            for day in (today, today - timedelta(days=1))
            for name in _changed(tx, work, sorted(names), day)
        ]
        noted = patrol_store.late(tx)
        of_patrols = patrol_store.on_patrol(tx, work.kinds, trackers, None) if noted else {}
    wanted += [each for each in noted if each[0] in of_patrols]
    judge(store, work, wanted)
    if others := [each for each in noted if each[0] not in of_patrols]:
        with store.write() as tx:
            patrol_store.forget_late(tx, others)
    return len(wanted)


def judge(store: Store, work: Work, wanted: Iterable[VehicleDay]) -> None:
    """Judge vehicle-days."""
    for vehicle, day in wanted:
        with store.read() as tx:
            by, made, swept = _judged(tx, work, vehicle, day)
        with store.write() as tx:
            patrol_store.forget_late(tx, [(vehicle, day)])
            patrol_store.replace_day(tx, (vehicle, day), by, made, swept)
            if _fix_count(tx, work, vehicle, day) != by.fixes:
                patrol_store.note(tx, vehicle, day, now())


def judge_again(
    store: Store, work: Work, since: date, until: date, names: Collection[str] | None
) -> int:
    """Judge all vehicles' days of a span anew, whatever they were judged by; returns how many."""
    with store.read() as tx:
        found = patrol_store.on_patrol(tx, work.kinds, duty_store.trackers(tx), None)
    chosen = sorted(found if names is None else found.keys() & set(names))
    count = (until - since).days
    wanted = [(name, since + timedelta(days=n)) for n in range(count) for name in chosen]
    judge(store, work, wanted)
    return len(wanted)


def believed(fixes: Iterable[TrackPoint]) -> list[Point]:
    """The fixes that prove something: located by the sky, none that jumped."""
    proving = [
        Point(from_ms(fix.ts), fix.lat, fix.lon, fix.speed_kmh)
        for fix in fixes
        if fix.flags & VALID and not fix.flags & DEAD_RECKONED
    ]
    if are_plain(proving, DEFAULTS):
        return proving
    state = Believed()
    points: list[Point] = []
    for point in proving:
        state, taken, _ = clean(state, point, DEFAULTS)
        points += taken
    return points


def day_bounds(day: date, work: Work) -> tuple[datetime, datetime]:
    """The first moment of a local day, and that of the next."""
    zone = work.config.zone
    after = day + timedelta(days=1)
    return datetime.combine(day, time(), zone), datetime.combine(after, time(), zone)


def _fix_count(tx: Connection, work: Work, vehicle: str, day: date) -> int:
    start, end = day_bounds(day, work)
    return patrol_store.fix_count(tx, vehicle, start - MARGIN, end + MARGIN)


def _changed(tx: Connection, work: Work, names: Sequence[str], day: date) -> list[str]:
    known = patrol_store.judged(tx, names, day)
    return [
        name
        for name in names
        if (fixes := _fix_count(tx, work, name, day))
        and known.get(name) != Judged(fixes, work.revision)
    ]


def _judged(
    tx: Connection, work: Work, vehicle: str, day: date
) -> tuple[Judged, list[Visit], list[Pass]]:
    start, end = day_bounds(day, work)
    by = Judged(_fix_count(tx, work, vehicle, day), work.revision)
    points = believed(fixes_between(tx, vehicle, start - MARGIN, end + MARGIN))
    if len(points) < 2:
        return by, [], []
    kind = patrol_store.kinds_of(tx, [vehicle]).get(vehicle, "")
    made: list[Visit] = []
    if kind in work.visitors or vehicle in duty_store.trackers(tx):
        made = [visit for visit in _visits(points, work) if start <= visit.start < end]
    if kind not in work.config.patrol.sweeper_kinds:
        return by, made, []
    settings = sweep_settings(work.config.patrol)
    width_m = patrol_store.width_of(tx, vehicle, settings.width_m)
    # A pass is cut at midnight: its metres belong to the day they were swept on.
    within = [point for point in points if start <= point.at < end]
    return by, made, sweeping_passes(within, width_m, settings)


def _visits(points: Sequence[Point], work: Work) -> list[Visit]:
    settings = visit_settings(work.config.patrol)
    walk = Walk.of(points, settings)
    numbers = work.index.locate_levels_many(
        [point.lat for point in points], [point.lon for point in points]
    )
    names = [grid.code for grid in work.index.grids]
    return [
        visit
        for level in range(numbers.shape[1])
        for visit in visits_of_walk(walk, numbers[:, level], names, settings)
    ]
