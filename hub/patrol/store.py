"""Visits and sweeping passes of every vehicle-day in the database.

They are computed from the stored fixes and may be computed again at any time: a vehicle-day is
judged anew when more fixes of it are here than it was judged by, or the grids have changed.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta, tzinfo
from functools import cache
from typing import TypeVarTuple

import shapely
from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Float,
    Index,
    Integer,
    LargeBinary,
    Select,
    String,
    Table,
    case,
    column,
    delete,
    func,
    or_,
    select,
    values,
)
from sqlalchemy.engine import Connection

from hub.grid import store as grid_store
from hub.patrol.sweeping import Pass
from hub.patrol.visit import Manner, Visit, Way
from hub.store import Instant, from_ms, metadata, now, plain, to_ms, upsert
from hub.tracks.store import Run, batches, vehicles

LATE_AFTER = timedelta(hours=36)
"""Fixes older than this when they come are late: their day is noted, to be judged again."""

visits = Table(
    "patrol_visits",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("vehicle", String(140), nullable=False),
    Column("day", String(10), nullable=False),
    Column("grid", String(64), nullable=False),
    Column("start", Instant, nullable=False),
    Column("end", Instant, nullable=False),
    Column("slow_s", Float, nullable=False),
    Column("manner", String(16), nullable=False),
    # Unknown of visits that were judged before it was kept.
    Column("inside_s", Float),
    Column("moving_s", Float),
    Column("standing_s", Float),
    Column("slow_m", Float),
    Column("passes", Integer),
    Index("ix_patrol_visits_day", "day", "vehicle"),
    Index("ix_patrol_visits_grid", "grid", "start"),
)
passes = Table(
    "patrol_passes",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("vehicle", String(140), nullable=False),
    Column("day", String(10), nullable=False),
    Column("start", Instant, nullable=False),
    Column("end", Instant, nullable=False),
    Column("width_m", Float, nullable=False),
    Column("length_m", Float, nullable=False),
    Column("line", LargeBinary, nullable=False),
    Index("ix_patrol_passes_day", "day", "vehicle"),
)
days = Table(
    "patrol_days",
    metadata,
    Column("vehicle", String(140), primary_key=True),
    Column("day", String(10), primary_key=True),
    Column("fixes", BigInteger, nullable=False),
    Column("grids", Integer, nullable=False),
    Column("judged_at", Instant, nullable=False),
)
late_days = Table(
    "patrol_late_days",
    metadata,
    Column("vehicle", String(140), primary_key=True),
    Column("day", String(10), primary_key=True),
    Column("noted_at", Instant, nullable=False),
)
widths = Table(
    "patrol_widths",
    metadata,
    Column("vehicle", String(140), primary_key=True),
    Column("width_m", Float, nullable=False),
)

MANNERS = {manner.value: manner for manner in Manner}
WAY = [field.name for field in fields(Way)]
_VISIT = [visits.c[name] for name in ("vehicle", "grid", "start", "end", "slow_s", "manner", *WAY)]
QUARTER_MS = 900_000

VehicleDay = tuple[str, date]
Ts = TypeVarTuple("Ts")


@dataclass(frozen=True, slots=True)
class MadeVisit:
    """A visit and who made it."""

    vehicle: str
    visit: Visit


@dataclass(frozen=True, slots=True)
class Judged:
    """What a vehicle-day was judged by: how many fixes, which import of the grids."""

    fixes: int
    grids: int


def required_from(tx: Connection, zone: tzinfo) -> dict[str, date]:
    """From which day on visits to each grid that was ever in force are required, by code.

    The first whole day on which it was known. Those with which the city began count from the first
    day that anybody patrolled, if that is earlier: past days may be brought in later.
    """
    known = grid_store.first_days(tx, zone)
    patrolled = tx.execute(select(func.min(days.c.day)).where(days.c.fixes > 0)).scalar()
    if patrolled is None or not known:
        return known
    began, first = min(known.values()), date.fromisoformat(patrolled)
    return {code: min(day, first) if day == began else day for code, day in known.items()}


def note_late(tx: Connection, runs: Iterable[Run], zone: tzinfo) -> None:
    """Remember the days that fixes have come for too late to be looked at anyway."""
    found: dict[tuple[str, str], datetime] = {}
    for run in runs:
        before = to_ms(run.received.received_at - LATE_AFTER)
        # No zone's midnight lies within a quarter of an hour.
        for ms in {fix.ts // QUARTER_MS * QUARTER_MS for fix in run.fixes if fix.ts < before}:
            day = from_ms(ms).astimezone(zone).date()
            found[run.vehicle, day.isoformat()] = run.received.received_at
    _note(tx, found)


def note(tx: Connection, vehicle: str, day: date, at: datetime) -> None:
    """Remember that a day must be judged again."""
    _note(tx, {(vehicle, day.isoformat()): at})


def _note(tx: Connection, found: Mapping[tuple[str, str], datetime]) -> None:
    # Written over on purpose: whoever takes a note away waits for the fixes that renewed it.
    rows = [{"vehicle": v, "day": day, "noted_at": at} for (v, day), at in sorted(found.items())]
    upsert(tx, late_days, rows, ["vehicle", "day"])


def late(tx: Connection, most: int = 200) -> list[VehicleDay]:
    """Days that want to be judged again."""
    rows = tx.execute(select(late_days).limit(most))
    return [(row.vehicle, date.fromisoformat(row.day)) for row in rows]


def on_patrol(
    tx: Connection, kinds: Collection[str], trackers: Collection[str], heard_since: datetime | None
) -> dict[str, str]:
    """Vehicles whose visits count, with their kinds: by kind, or because somebody carries one."""
    which: list[ColumnElement[bool]] = [
        or_(vehicles.c.kind.in_(kinds), vehicles.c.id.in_(trackers))
    ]
    if heard_since is not None:
        which.append(vehicles.c.updated_at >= heard_since)
    rows = tx.execute(select(vehicles.c.id, vehicles.c.kind).where(*which))
    return {row.id: row.kind for row in rows}


def kinds_of(tx: Connection, names: Collection[str]) -> dict[str, str]:
    """The kinds of vehicles."""
    rows = tx.execute(select(vehicles.c.id, vehicles.c.kind).where(vehicles.c.id.in_(names)))
    return {row.id: row.kind for row in rows}


def plates_of(tx: Connection, names: Collection[str]) -> dict[str, str]:
    """The plates of vehicles."""
    rows = tx.execute(select(vehicles.c.id, vehicles.c.plate).where(vehicles.c.id.in_(names)))
    return {row.id: row.plate for row in rows}


def fix_count(tx: Connection, vehicle: str, since: datetime, until: datetime) -> int:
    """How many fixes the batches hold that reach into a span: grows with every new one."""
    count = select(func.sum(batches.c.last - batches.c.first + 1)).where(
        batches.c.vehicle == vehicle,
        batches.c.until_ms >= to_ms(since),
        batches.c.from_ms < to_ms(until),
    )
    return int(tx.execute(count).scalar() or 0)


def judged(tx: Connection, names: Collection[str], day: date) -> dict[str, Judged]:
    """What each vehicle's day was judged by; those never judged are not there."""
    found = select(days).where(days.c.day == day.isoformat(), days.c.vehicle.in_(names))
    return {row.vehicle: Judged(row.fixes, row.grids) for row in tx.execute(found)}


def forget_late(tx: Connection, wanted: Iterable[VehicleDay]) -> None:
    """Take notes away: these days are judged, or no patrol's."""
    for vehicle, day in wanted:
        here = (late_days.c.vehicle == vehicle, late_days.c.day == day.isoformat())
        tx.execute(delete(late_days).where(*here))


def replace_day(
    tx: Connection,
    of: VehicleDay,
    by: Judged,
    made: Sequence[Visit],
    swept: Sequence[Pass],
) -> None:
    """Put what a vehicle-day is now judged to be in the place of what it was."""
    vehicle, day = of
    key = {"vehicle": vehicle, "day": day.isoformat()}
    for table in (visits, passes):
        here = (table.c.vehicle == vehicle, table.c.day == key["day"])
        tx.execute(delete(table).where(*here))
    if made:
        tx.execute(visits.insert(), [key | _columns(visit) for visit in made])
    if swept:
        tx.execute(
            passes.insert(),
            [
                {
                    **key,
                    "start": p.start,
                    "end": p.end,
                    "width_m": p.width_m,
                    "length_m": p.length_m,
                    "line": shapely.to_wkb(p.line),
                }
                for p in swept
            ],
        )
    row = {**key, "fixes": by.fixes, "grids": by.grids, "judged_at": now()}
    upsert(tx, days, [row], ["vehicle", "day"])


@dataclass(frozen=True, slots=True)
class Which:
    """Visits that began on the local days from `since` before `until`; None: all there are.

    `hours`: local days with moments within which they began. `by`: when at the latest.
    """

    since: date
    until: date
    grids: Collection[str] | None = None
    vehicles: Collection[str] | None = None
    hours: Sequence[tuple[date, datetime, datetime]] | None = None
    manner: Manner | None = None
    by: datetime | None = None


@dataclass(frozen=True, slots=True)
class Tally:
    """What visits of one grid in one manner come to.

    `days`: the local day of each. `count`, `slow_s`, `last` (end): of some of the days.
    """

    grid: str
    manner: Manner
    days: tuple[date, ...]
    count: int
    slow_s: float
    last: datetime | None


def tallies(tx: Connection, which: Which, since: date, until: date) -> list[Tally]:
    """Visits by grid and manner; counted and summed those from `since` before `until`."""
    on = visits.c.day
    counts = (on >= since.isoformat()) & (on < until.isoformat())
    found = _chosen(
        select(
            visits.c.grid,
            visits.c.manner,
            func.aggregate_strings(on, " "),
            func.sum(case((counts, 1), else_=0)),
            func.sum(case((counts, visits.c.slow_s), else_=0.0)),
            func.max(case((counts, visits.c.end)), type_=Instant),
        ).group_by(visits.c.grid, visits.c.manner),
        which,
    )
    day_of = cache(date.fromisoformat)
    return [
        Tally(grid, MANNERS[manner], tuple(map(day_of, days.split(" "))), *sums)
        for grid, manner, days, *sums in tx.execute(found)
    ]


def find(tx: Connection, which: Which) -> Iterator[tuple[int, str, str]]:
    """The number, grid and vehicle of each visit, by start."""
    found = _chosen(select(visits.c.id, visits.c.grid, visits.c.vehicle), which)
    return plain(tx, found.order_by(visits.c.start, visits.c.id))


def load(tx: Connection, numbers: Collection[int]) -> list[MadeVisit]:
    """The visits of some numbers, by start."""
    found = select(*_VISIT).where(visits.c.id.in_(numbers))
    return [
        MadeVisit(
            vehicle,
            Visit(grid, start, end, slow_s, MANNERS[manner], None if way[0] is None else Way(*way)),
        )
        for vehicle, grid, start, end, slow_s, manner, *way in tx.execute(
            found.order_by(visits.c.start, visits.c.id)
        )
    ]


def _chosen(found: Select[*Ts], which: Which) -> Select[*Ts]:
    found = found.where(
        visits.c.day >= which.since.isoformat(), visits.c.day < which.until.isoformat()
    )
    if which.grids is not None:
        found = found.where(visits.c.grid.in_(which.grids))
    if which.vehicles is not None:
        found = found.where(visits.c.vehicle.in_(which.vehicles))
    if which.manner is not None:
        found = found.where(visits.c.manner == which.manner)
    if which.by is not None:
        found = found.where(visits.c.start <= which.by)
    if which.hours is not None:
        names = (column("day", String), column("since", Instant), column("until", Instant))
        rows = [(day.isoformat(), since, until) for day, since, until in which.hours]
        hours = values(*names, name="hours").data(rows).cte()
        begun = visits.c.start
        within = (begun >= hours.c.since) & (begun < hours.c.until)
        found = found.join(hours, (hours.c.day == visits.c.day) & within)
    return found


def _columns(visit: Visit) -> dict[str, object]:
    return {
        "grid": visit.grid,
        "start": visit.start,
        "end": visit.end,
        "slow_s": visit.slow_s,
        "manner": visit.manner.value,
        **{name: getattr(visit.way, name, None) for name in WAY},
    }


def passes_between(
    tx: Connection, since: date, until: date, names: Collection[str] | None = None
) -> list[tuple[str, Pass]]:
    """Sweeping passes that began on the days from `since` before `until`, by start."""
    which = [passes.c.day >= since.isoformat(), passes.c.day < until.isoformat()]
    if names is not None:
        which.append(passes.c.vehicle.in_(names))
    rows = tx.execute(select(passes).where(*which).order_by(passes.c.start, passes.c.id))
    return [
        (
            r.vehicle,
            Pass(r.start, r.end, shapely.from_wkb(bytes(r.line)), r.width_m, r.length_m),
        )
        for r in rows
    ]


def width_of(tx: Connection, vehicle: str, default_m: float) -> float:
    """How wide a sweeper sweeps."""
    found = select(widths.c.width_m).where(widths.c.vehicle == vehicle)
    width_m: float | None = tx.execute(found).scalar()
    return default_m if width_m is None else width_m


def set_width(tx: Connection, vehicle: str, width_m: float) -> None:
    """Say how wide a sweeper sweeps."""
    upsert(tx, widths, [{"vehicle": vehicle, "width_m": width_m}], ["vehicle"])


def judged_days(tx: Connection, vehicle: str) -> list[date]:
    """The days a vehicle was judged on."""
    found = select(days.c.day).where(days.c.vehicle == vehicle).order_by(days.c.day)
    return [date.fromisoformat(day) for day in tx.execute(found).scalars()]


def forget_old(tx: Connection, before: date) -> None:
    """Delete what is older than the retention of tracks: it could not be shown any more."""
    for table in (visits, passes, days, late_days):
        tx.execute(delete(table).where(table.c.day < before.isoformat()))
