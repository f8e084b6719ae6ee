"""Photos of fixes, checks and rebounds in the database."""

import json
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Float,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    bindparam,
    select,
    update,
)
from sqlalchemy.engine import Connection, Row

from hub.cases.store import cases
from hub.proof.check import Check, Means, Result
from hub.proof.photo import FixPhoto, Reason, Source, Taken, Use
from hub.proof.rebound import Rebound
from hub.store import Instant, in_parts, metadata

photos = Table(
    "fix_photos",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("case_id", Integer, nullable=False, index=True),
    Column("use", String(8), nullable=False),
    Column("sha256", String(64), nullable=False, index=True),
    Column("shown", String(64), nullable=False),
    Column("type", String(32), nullable=False),
    Column("size", Integer, nullable=False),
    Column("by", String(100), nullable=False),
    Column("uploaded_at", Instant, nullable=False),
    Column("taken_at", Instant),
    Column("taken_from", String(8), nullable=False),
    Column("lat", Float),
    Column("lon", Float),
    Column("place_from", String(8), nullable=False),
    Column("acc_m", Float, nullable=False),
    Column("verdict", String(10), nullable=False),
    Column("reasons", Text, nullable=False),
    Column("copy_of", String(80), nullable=False),
    Column("copy_of_case", Integer),
    Column("phash", String(16), nullable=False),
    Column("windows", LargeBinary, nullable=False),
    Column("used_at", Instant),
)
checks = Table(
    "checks",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("case_id", Integer, nullable=False, index=True),
    Column("claimed_at", Instant, nullable=False),
    Column("claimed_by", String(100), nullable=False),
    Column("means", String(8), nullable=False),
    Column("asked_at", Instant, nullable=False),
    Column("look", String(64), nullable=False, index=True),
    Column("assignee", String(100), nullable=False),
    Column("is_forced", Boolean, nullable=False),
    Column("result", String(12)),
    Column("reasons", Text, nullable=False),
    Column("checked_at", Instant),
    Column("checked_by", String(100), nullable=False),
    Column("photos", Text, nullable=False),
    Column("note", Text, nullable=False),
    Index("ix_checks_result", "result", "means"),
)
rebounds = Table(
    "rebounds",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("case_id", Integer, nullable=False, index=True),
    Column("closed_at", Instant, nullable=False),
    Column("reopened_at", Instant, nullable=False, index=True),
    Column("cause_kind", String(8), nullable=False),
    Column("cause", String(64), nullable=False),
    Column("distance_m", Float, nullable=False),
)


# ---------------------------------------------------------------- photos


def add_photo(tx: Connection, photo: FixPhoto) -> FixPhoto:
    """Store a new photo; returns it with its id."""
    key = tx.execute(photos.insert().values(_photo_row(photo))).inserted_primary_key
    return replace(photo, id=key[0] if key else 0)


def photos_of(tx: Connection, case_id: int) -> list[FixPhoto]:
    """The photos of a case, first come first."""
    found = select(photos).where(photos.c.case_id == case_id).order_by(photos.c.id)
    return [_photo(row) for row in tx.execute(found)]


def use_photos(tx: Connection, judged: Sequence[FixPhoto], at: datetime) -> None:
    """Photos that are named in a feedback or a visit now, as they were judged there."""
    for photo in judged:
        row = _photo_row(replace(photo, used_at=at))
        tx.execute(update(photos).where(photos.c.id == photo.id).values(row))


def same_file(tx: Connection, sha256: str) -> list[FixPhoto]:
    """Photos of the very same bytes, first come first."""
    found = select(photos).where(photos.c.sha256 == sha256).order_by(photos.c.id)
    return [_photo(row) for row in tx.execute(found)]


def load_photos(tx: Connection, ids: Collection[int]) -> dict[int, FixPhoto]:
    """Photos by id."""
    if not ids:
        return {}
    found = tx.execute(select(photos).where(photos.c.id.in_(ids)).order_by(photos.c.id))
    return {row.id: _photo(row) for row in found}


# ---------------------------------------------------------------- checks

# Built once: they run in steps of cases.
_CHECKS_OF = (
    select(checks)
    .where(checks.c.case_id.in_(bindparam("cases", expanding=True)))
    .order_by(checks.c.id)
)
_END_AWAITED = (
    update(checks)
    .where(
        checks.c.case_id == bindparam("of_case"),
        checks.c.result.is_(None),
        checks.c.checked_at.is_(None),
    )
    .values(checked_at=bindparam("at"), checked_by=bindparam("by"), note=bindparam("why"))
)
_ADD_CHECK = checks.insert()
_SAVE_CHECK = update(checks).where(checks.c.id == bindparam("check_id"))


def add_check(tx: Connection, check: Check) -> Check:
    """Store a new check; returns it with its id."""
    key = tx.execute(_ADD_CHECK, _check_row(check)).inserted_primary_key
    return replace(check, id=key[0] if key else 0)


def save_check(tx: Connection, check: Check) -> None:
    """Overwrite a check."""
    tx.execute(_SAVE_CHECK, {**_check_row(check), "check_id": check.id})


def lock_check(tx: Connection, check_id: int) -> Check | None:
    """One check, kept from others until the transaction ends."""
    found = select(checks).where(checks.c.id == check_id).with_for_update()
    row = tx.execute(found).one_or_none()
    return None if row is None else _check(row)


def checks_of(tx: Connection, cases: Collection[int]) -> dict[int, list[Check]]:
    """The checks of cases, oldest first."""
    found: dict[int, list[Check]] = {case: [] for case in cases}
    for part in in_parts(list(found)):
        for row in tx.execute(_CHECKS_OF, {"cases": part}):
            found[row.case_id].append(_check(row))
    return found


def end_awaited(tx: Connection, case_id: int, at: datetime, by: str, note: str) -> None:
    """Checks of a case that are awaited get no answer any more."""
    tx.execute(_END_AWAITED, {"of_case": case_id, "at": at, "by": by, "why": note})


def awaited_looks(tx: Connection) -> list[Check]:
    """Checks that wait for a camera, oldest first."""
    never = checks.c.result.is_(None) & checks.c.checked_at.is_(None)
    waits = never & (checks.c.means == Means.LOOK.value)
    return [_check(row) for row in tx.execute(select(checks).where(waits).order_by(checks.c.id))]


def awaited_visits(
    tx: Connection, of_cases: ColumnElement[bool], assignee: str | None = None
) -> list[Check]:
    """Visits that somebody has to make, oldest first; of one person where he is named."""
    never = checks.c.result.is_(None) & checks.c.checked_at.is_(None)
    waits = never & (checks.c.means == Means.VISIT.value) & of_cases
    if assignee is not None:
        waits &= checks.c.assignee == assignee
    found = select(checks).join(cases, cases.c.id == checks.c.case_id).where(waits)
    return [_check(row) for row in tx.execute(found.order_by(checks.c.id))]


def of_look(tx: Connection, order: str) -> Check | None:
    """The check that asked for a look."""
    row = tx.execute(select(checks).where(checks.c.look == order).limit(1)).one_or_none()
    return None if row is None else _check(row)


# ---------------------------------------------------------------- rebounds


def add_rebound(tx: Connection, rebound: Rebound) -> None:
    """Store a rebound."""
    row = {name: getattr(rebound, name) for name in _REBOUND if name != "id"}
    tx.execute(rebounds.insert().values(row))


def rebounds_of(tx: Connection, cases: Collection[int]) -> dict[int, list[Rebound]]:
    """The rebounds of cases, oldest first."""
    found: dict[int, list[Rebound]] = {case: [] for case in cases}
    for part in in_parts(list(found)):
        mine = rebounds.c.case_id.in_(part)
        for row in tx.execute(select(rebounds).where(mine).order_by(rebounds.c.id)):
            found[row.case_id].append(Rebound(**{name: getattr(row, name) for name in _REBOUND}))
    return found


_REBOUND = ("id", "case_id", "closed_at", "reopened_at", "cause_kind", "cause", "distance_m")
_PHOTO = (
    "id", "case_id", "sha256", "shown", "type", "size", "by", "uploaded_at", "copy_of",
    "copy_of_case", "phash", "used_at",
)  # fmt: skip
_CHECK = (
    "id", "case_id", "claimed_at", "claimed_by", "asked_at", "look", "assignee", "is_forced",
    "checked_at", "checked_by", "note",
)  # fmt: skip


def _photo(row: Row[Any]) -> FixPhoto:
    place = None if row.lat is None or row.lon is None else (row.lat, row.lon)
    return FixPhoto(
        **{name: getattr(row, name) for name in _PHOTO},
        use=Use(row.use),
        taken=Taken(row.taken_at, Source(row.taken_from), place, Source(row.place_from), row.acc_m),
        reasons=tuple(Reason(each) for each in json.loads(row.reasons)),
        windows=bytes(row.windows),
    )


def _photo_row(photo: FixPhoto) -> dict[str, object]:
    taken = photo.taken
    lat, lon = taken.place or (None, None)
    return {
        **{name: getattr(photo, name) for name in _PHOTO if name != "id"},
        "use": photo.use.value,
        "taken_at": taken.at,
        "taken_from": taken.at_from.value,
        "lat": lat,
        "lon": lon,
        "place_from": taken.place_from.value,
        "acc_m": taken.acc_m,
        "verdict": photo.verdict.value,
        "reasons": json.dumps(photo.reasons),
        "windows": photo.windows,
    }


def _check(row: Row[Any]) -> Check:
    return Check(
        **{name: getattr(row, name) for name in _CHECK},
        means=Means(row.means),
        result=None if row.result is None else Result(row.result),
        reasons=tuple(json.loads(row.reasons)),
        photos=tuple(json.loads(row.photos)),
    )


def _check_row(check: Check) -> dict[str, object]:
    return {
        **{name: getattr(check, name) for name in _CHECK if name != "id"},
        "means": check.means.value,
        "result": None if check.result is None else check.result.value,
        "reasons": json.dumps(check.reasons, ensure_ascii=False),
        "photos": json.dumps(check.photos),
    }
