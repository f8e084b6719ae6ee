"""A patrol on foot: begun and ended on an officer's phone, its positions stored like a vehicle's.

The phone speaks for one person, so its track is no vehicle's: it is in no list of vehicles, on no
map of them, and judged by no rule for them. What counts are the visits that its positions prove.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from uuid import UUID

from sqlalchemy import Column, Index, Integer, String, Table, delete, func, select, update
from sqlalchemy.engine import Connection

from hub.duty import store as duty_store
from hub.inbox import CLOCK_TOLERANCE, Received
from hub.patrol import store as patrol_store
from hub.people import users
from hub.store import Instant, from_ms, insert_new, metadata, to_ms, upsert
from hub.tracks import store as track_store
from hub.tracks.store import PHONE, PHONES, vehicle_id, vehicles
from wire.track import VALID, Track, TrackPoint

EPOCH_CHARS = 16
LONGEST = timedelta(hours=16)
"""A patrol that nobody ended is over by then; what is later belongs to none."""

phone_patrols = Table(
    "phone_patrols",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("who", String(64), nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("received_at", Instant, nullable=False),
    Column("fixes", Integer, nullable=False),
    Column("last_fix_at", Instant),
    Index("ix_phone_patrols_who", "who", "started_at"),
)


@dataclass(frozen=True, slots=True)
class PhonePatrol:
    """One patrol: `started_at`, `ended_at` by the phone's clock, `received_at` by ours.

    `ended_at` is None while it runs. `fixes`: positions stored so far.
    """

    id: str
    who: str
    started_at: datetime
    ended_at: datetime | None
    received_at: datetime
    fixes: int = 0
    last_fix_at: datetime | None = None

    @property
    def vehicle(self) -> str:
        """Under which name its track is stored."""
        return tracker_of(self.who)

    @property
    def epoch(self) -> str:
        """What numbers of positions count within."""
        return UUID(self.id).hex[:EPOCH_CHARS]

    @property
    def latest(self) -> datetime:
        """The last moment that can belong to it."""
        return self.ended_at or self.started_at + LONGEST


@dataclass(frozen=True, slots=True)
class PhoneFix:
    """A position as a phone tells it; `seq` counts within its patrol."""

    seq: int
    at: datetime
    lat: float
    lon: float
    acc_m: float
    speed_kmh: float | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of positions: `stored` anew, `known` before, others refused with a reason."""

    stored: int
    known: int
    refused: tuple[tuple[int, str], ...]


def tracker_of(who: str) -> str:
    """What is written beside a person on duty so that his patrols count for his post."""
    return vehicle_id(PHONES, who)


def who_of(tracker: str) -> str | None:
    """Whose phone a tracker is; None for a vehicle."""
    device, _, who = tracker.partition("/")
    return who if device == PHONES else None


def people_of(tx: Connection, who: str) -> list[str]:
    """Ids of the duty table that are this user: by his phone as a tracker, or by its number."""
    user = users.load(tx, who)
    number = user.phone if user is not None else ""
    return [
        each.id
        for each in duty_store.load_people(tx)
        if tracker_of(who) in each.trackers or (number and each.phone == number)
    ]


def start(tx: Connection, patrol: PhonePatrol) -> bool:
    """Begin a patrol, ending an earlier one that was left running; whether it is new.

    What is the same again changes nothing.
    """
    row = {
        "id": patrol.id, "who": patrol.who, "started_at": patrol.started_at, "ended_at": None,
        "received_at": patrol.received_at, "fixes": 0, "last_fix_at": None,
    }  # fmt: skip
    before = one(tx, patrol.id)
    insert_new(tx, phone_patrols, [row], ["id"])
    if before is not None:
        return False
    here = phone_patrols.c
    tx.execute(
        update(phone_patrols)
        .where(here.who == patrol.who, here.id != patrol.id, here.ended_at.is_(None))
        .where(here.started_at <= patrol.started_at)
        .values(ended_at=patrol.started_at)
    )
    vehicle = {
        "id": patrol.vehicle, "device": PHONES, "vehicle": patrol.who, "kind": PHONE,
        "updated_at": patrol.received_at,
    }  # fmt: skip
    upsert(tx, vehicles, [vehicle], ["id"], ("kind",))
    return True


def end(tx: Connection, patrol: PhonePatrol, at: datetime) -> PhonePatrol:
    """End a patrol at a moment of the phone's clock; the earliest end that was told holds."""
    ended_at = max(at, patrol.started_at)
    if patrol.ended_at is not None and patrol.ended_at <= ended_at:
        return patrol
    which = phone_patrols.c.id == patrol.id
    tx.execute(update(phone_patrols).where(which).values(ended_at=ended_at))
    return replace(patrol, ended_at=ended_at)


def take(
    tx: Connection,
    patrol: PhonePatrol,
    fixes: Sequence[PhoneFix],
    at: datetime,
    *,
    worst_m: float,
    zone: tzinfo,
) -> Taken:
    """Store positions of a patrol, each once however often and late they come.

    One worse than `worst_m` is kept and proves nothing. One before the patrol began, after it
    ended, or later than our clock `at` is refused.
    """
    ordered = sorted({fix.seq: fix for fix in fixes}.values(), key=lambda fix: fix.seq)
    refused = [(fix.seq, why) for fix in ordered if (why := _fault(patrol, fix, at))]
    bad = {seq for seq, _ in refused}
    points = [_point(fix, worst_m) for fix in ordered if fix.seq not in bad]
    if not points:
        return Taken(0, 0, tuple(refused))
    message = Track(
        dev=PHONES,
        epoch=patrol.epoch,
        seq=points[0].seq,
        ts=points[-1].ts,
        tq=1,
        vehicle=patrol.who,
        fixes=points,
    )
    arrived = [Received(PHONES, message, b"", at)]
    known = track_store.known_vehicles(tx, arrived)
    kept = track_store.keep(tx, arrived, known)
    track_store.move(tx, kept, {}, known)
    which = vehicles.c.id == patrol.vehicle
    tx.execute(update(vehicles).where(which).values(judged=vehicles.c.heard, unjudged_ms=None))
    patrol_store.note_late(tx, kept.runs, zone)
    refused += [(each.seq or 0, "stored before with another place") for each in kept.refused]
    new = [fix for run in kept.runs for fix in run.fixes]
    _count(tx, patrol, new)
    return Taken(len(new), len(points) - len(new) - len(kept.refused), tuple(refused))


def one(tx: Connection, patrol: str) -> PhonePatrol | None:
    """A patrol by its id."""
    row = tx.execute(select(phone_patrols).where(phone_patrols.c.id == patrol)).one_or_none()
    return None if row is None else PhonePatrol(**row._mapping)  # noqa: SLF001


def listed(
    tx: Connection, since: datetime, until: datetime, who: str | None, *, limit: int, offset: int
) -> tuple[list[PhonePatrol], int]:
    """Patrols that began within a span, the newest first, and how many there are."""
    here = phone_patrols.c
    which = [here.started_at >= since, here.started_at < until]
    if who is not None:
        which.append(here.who == who)
    total = tx.execute(select(func.count()).select_from(phone_patrols).where(*which)).scalar_one()
    found = select(phone_patrols).where(*which).order_by(here.started_at.desc(), here.id)
    rows = tx.execute(found.limit(limit).offset(offset))
    return [PhonePatrol(**row._mapping) for row in rows], total  # noqa: SLF001


def track(tx: Connection, patrol: PhonePatrol) -> list[TrackPoint]:
    """The positions of a patrol, in order of time."""
    here = track_store.batches.c
    found = select(here.fixes).where(
        here.device == PHONES, here.epoch == patrol.epoch, here.vehicle == patrol.vehicle
    )
    bodies = tx.execute(found).scalars()
    fixes = [fix for body in bodies for fix in track_store.decode_fixes(body)]
    return sorted(fixes, key=lambda fix: (fix.ts, fix.seq))


def at_moments(
    tx: Connection, moments: Collection[tuple[str, datetime]]
) -> dict[tuple[str, datetime], str]:
    """The patrol that each (tracker, moment) belongs to, where it is a phone's."""
    asked = [(who, at) for name, at in moments if (who := who_of(name)) is not None]
    if not asked:
        return {}
    here = phone_patrols.c
    first, last = min(at for _, at in asked), max(at for _, at in asked)
    found = select(phone_patrols).where(
        here.who.in_({who for who, _ in asked}),
        here.started_at <= last,
        here.started_at >= first - LONGEST,
    )
    known = [PhonePatrol(**row._mapping) for row in tx.execute(found)]  # noqa: SLF001
    return {
        (tracker_of(who), at): each.id
        for who, at in asked
        for each in known
        if each.who == who and each.started_at - CLOCK_TOLERANCE <= at <= each.latest
    }


def running(tx: Connection, who: Collection[str], at: datetime) -> set[str]:
    """Who of them is on patrol at a moment."""
    here = phone_patrols.c
    open_now = select(here.who).where(
        here.who.in_(who), here.ended_at.is_(None), here.started_at > at - LONGEST
    )
    return set(tx.execute(open_now).scalars())


def forget_old(tx: Connection, before: datetime) -> None:
    """Delete patrols whose positions are forgotten."""
    tx.execute(delete(phone_patrols).where(phone_patrols.c.started_at < before))


def _fault(patrol: PhonePatrol, fix: PhoneFix, at: datetime) -> str:
    if fix.at > at + CLOCK_TOLERANCE:
        return "later than the hub's clock"
    if fix.at < patrol.started_at - CLOCK_TOLERANCE:
        return "before the patrol began"
    if fix.at > patrol.latest + CLOCK_TOLERANCE:
        return "after the patrol ended"
    return ""


def _point(fix: PhoneFix, worst_m: float) -> TrackPoint:
    flags = VALID if fix.acc_m <= worst_m else 0
    return TrackPoint(fix.seq, to_ms(fix.at), fix.lon, fix.lat, fix.speed_kmh, None, flags)


def _count(tx: Connection, patrol: PhonePatrol, new: Sequence[TrackPoint]) -> None:
    if not new:
        return
    row = phone_patrols.c
    newest = max(fix.ts for fix in new)
    before = 0 if patrol.last_fix_at is None else to_ms(patrol.last_fix_at)
    values: dict[str, object] = {"fixes": row.fixes + len(new)}
    if newest > before:
        values["last_fix_at"] = from_ms(newest)
    tx.execute(update(phone_patrols).where(row.id == patrol.id).values(values))
