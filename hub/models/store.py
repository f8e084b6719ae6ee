"""Models and rollouts in the database, and which devices are to hear of one now."""

import json
import os
import shutil
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    and_,
    or_,
    select,
    update,
)
from sqlalchemy.engine import Connection, Row

from hub import audit
from hub.courier import Letter, Source
from hub.devices.store import cameras, devices
from hub.errors import Problem
from hub.events import Change
from hub.evidence.store import sync
from hub.inbox import Received
from hub.models.model import Model, download_path
from hub.models.rollout import (
    FINAL,
    DeviceState,
    Rollout,
    RolloutState,
    Target,
    judge,
    said,
)
from hub.roles import SYSTEM
from hub.store import Instant, Sentence, metadata, to_ms
from wire.codec import encode
from wire.coded import coded, cut, with_code
from wire.status import Health
from wire.update import ModelUpdate

AGAIN = timedelta(minutes=5)
"""After so long without a last word the update is sent again, with a fresh address."""

HOLDS = timedelta(minutes=15)
AT_ONCE = 50

models = Table(
    "models",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(64), nullable=False),
    Column("version", String(64), nullable=False),
    Column("sha256", String(64), nullable=False, unique=True),
    Column("size", BigInteger, nullable=False),
    Column("weights", String(64), nullable=False),
    Column("labels", Text, nullable=False),
    Column("licence", String(200), nullable=False),
    Column("promotion", Text, nullable=False),
    Column("added_at", Instant, nullable=False),
    Column("added_by", String(100), nullable=False),
    UniqueConstraint("name", "version", name="uq_models_name_version"),
)
rollouts = Table(
    "rollouts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("sha256", String(64), nullable=False),
    Column("stages", Integer, nullable=False),
    Column("stage", Integer, nullable=False),
    Column("state", String(12), nullable=False),
    Column("why", Sentence, nullable=False),
    Column("clean_s", Float),
    Column("trial_s", Integer, nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("made_by", String(100), nullable=False),
)
targets = Table(
    "rollout_devices",
    metadata,
    Column("rollout", Integer, primary_key=True, autoincrement=False),
    Column("device", String(64), primary_key=True),
    Column("stage", Integer, nullable=False),
    Column("state", String(12), nullable=False),
    Column("why", Sentence, nullable=False),
    Column("received", BigInteger, nullable=False),
    Column("at", Instant),
    Column("sent_at", Instant),
    Index("ix_rollout_devices_device", "device"),
)


class Shelf:
    """The folder of bundles, named by SHA-256."""

    def __init__(self, folder: Path) -> None:
        """Make the folder where it is missing."""
        self.folder = folder
        self.incoming = folder / "incoming"
        self.incoming.mkdir(parents=True, exist_ok=True)

    def path(self, sha256: str) -> Path:
        """Where a bundle lies."""
        return self.folder / f"{sha256}.zip"

    def put(self, file: Path, sha256: str) -> None:
        """Take a finished file in, whole and safe."""
        part = self.incoming / f"{sha256}.part"
        if file.parent == self.incoming:
            part = file
        else:
            shutil.copyfile(file, part)
        with part.open("rb+") as stream:
            os.fsync(stream.fileno())
        part.replace(self.path(sha256))
        sync(self.folder)


# ------------------------------------------------------------ models


def is_here(tx: Connection, model: Model) -> bool:
    """Whether this model is here; raises Problem 409 when another has its name and version."""
    known = find(tx, model.name, model.version)
    if known is not None and known.sha256 != model.sha256:
        raise Problem(
            409,
            "taken",
            coded(
                "model_taken",
                "{model} {version} is here already, with other content",
                model=model.name,
                version=model.version,
            ),
            coded("new_version", "a new version"),
        )
    return known is not None


def add(tx: Connection, model: Model, at: datetime, by: str) -> bool:
    """Note a model whose bundle is here; whether it is new.

    Raises Problem 409 when another one has its name and version.
    """
    if is_here(tx, model):
        return False
    tx.execute(
        models.insert().values(
            name=model.name,
            version=model.version,
            sha256=model.sha256,
            size=model.size,
            weights=model.weights,
            labels=json.dumps(model.labels, ensure_ascii=False),
            licence=model.licence[:200],
            promotion=json.dumps(model.promotion, ensure_ascii=False, default=str),
            added_at=at,
            added_by=by,
        )
    )
    return True


def find(tx: Connection, name: str, version: str) -> Model | None:
    """A model by name and version."""
    which = (models.c.name == name) & (models.c.version == version)
    row = tx.execute(select(models).where(which)).one_or_none()
    return None if row is None else to_model(row)


def to_model(row: Row[Any]) -> Model:
    """A row as a value."""
    return Model(
        name=row.name,
        version=row.version,
        sha256=row.sha256,
        size=row.size,
        weights=row.weights,
        labels=tuple(json.loads(row.labels)),
        licence=row.licence,
        promotion=json.loads(row.promotion),
        added_at=row.added_at,
        added_by=row.added_by,
    )


def watching(tx: Connection) -> dict[str, bool]:
    """Devices with cameras, and whether they are online."""
    has_camera = select(cameras.c.device).where(cameras.c.retired_at.is_(None))
    found = select(devices.c.id, devices.c.online).where(devices.c.id.in_(has_camera))
    return {row.id: row.online for row in tx.execute(found)}


# ------------------------------------------------------------ rollouts


def begin(tx: Connection, rollout: Rollout, stages: Sequence[Sequence[str]]) -> int:
    """Store a rollout with its devices; its number.

    Raises Problem 409 when one of them is in another one that runs.
    """
    names = [name for stage in stages for name in stage]
    busy = (
        select(targets.c.device, targets.c.rollout)
        .join(rollouts, rollouts.c.id == targets.c.rollout)
        .where(rollouts.c.state == RolloutState.RUNNING, targets.c.device.in_(names))
    )
    if (row := tx.execute(busy).first()) is not None:
        raise Problem(
            409,
            "busy",
            coded(
                "in_rollout",
                "{device} is in rollout {rollout}, which is running",
                device=row.device,
                rollout=row.rollout,
            ),
            coded("stop_first", "stop that one first"),
        )
    row_of = {
        "sha256": rollout.sha256,
        "stages": len(stages),
        "stage": 0,
        "state": rollout.state.value,
        "why": "",
        "clean_s": rollout.clean_s,
        "trial_s": rollout.trial_s,
        "made_at": rollout.made_at,
        "made_by": rollout.made_by,
    }
    (number,) = tx.execute(rollouts.insert().values(row_of)).inserted_primary_key or (0,)
    tx.execute(
        targets.insert(),
        [
            {
                "rollout": number,
                "device": name,
                "stage": stage,
                "state": DeviceState.WAITING.value,
                "why": "",
                "received": 0,
            }
            for stage, some in enumerate(stages)
            for name in some
        ],
    )
    return int(number)


_ALL = select(rollouts, models.c.name, models.c.version).join(
    models, models.c.sha256 == rollouts.c.sha256
)


def load(tx: Connection, ids: Collection[int]) -> dict[int, Rollout]:
    """Rollouts by number."""
    return {row.id: to_rollout(row) for row in tx.execute(_ALL.where(rollouts.c.id.in_(ids)))}


def newest(tx: Connection, limit: int, offset: int) -> list[Rollout]:
    """Rollouts, the newest first."""
    found = _ALL.order_by(rollouts.c.id.desc()).limit(limit).offset(offset)
    return [to_rollout(row) for row in tx.execute(found)]


def targets_of(tx: Connection, ids: Collection[int]) -> dict[int, list[Target]]:
    """The devices of rollouts, by stage and name."""
    found: dict[int, list[Target]] = {number: [] for number in ids}
    rows = select(targets).where(targets.c.rollout.in_(ids))
    for row in tx.execute(rows.order_by(targets.c.stage, targets.c.device)):
        found[row.rollout].append(
            Target(row.device, row.stage, DeviceState(row.state), row.why, row.received, row.at)
        )
    return found


def set_standing(tx: Connection, number: int, state: RolloutState, stage: int, why: str) -> None:
    """Where a rollout stands from now on."""
    values = {"state": state.value, "stage": stage, "why": cut(why, 600)}
    tx.execute(update(rollouts).where(rollouts.c.id == number).values(values))


def forgive(tx: Connection, number: int, at: datetime) -> None:
    """Leave failed devices aside: they keep what they have, and stop nothing any more."""
    bad = and_(
        targets.c.rollout == number,
        targets.c.state.in_([DeviceState.FAILED.value, DeviceState.FELL_BACK.value]),
    )
    tx.execute(update(targets).where(bad).values(stage=-1, at=at))


def advance(tx: Connection, at: datetime, ids: Collection[int] | None = None) -> list[Change]:
    """Judge what runs, all or some: next stage, stopped, done."""
    running = select(rollouts.c.id).where(rollouts.c.state == RolloutState.RUNNING.value)
    if ids is not None:
        running = running.where(rollouts.c.id.in_(ids))
    numbers = list(tx.execute(running.with_for_update()).scalars())
    known, devices_of = load(tx, numbers), targets_of(tx, numbers)
    changes = []
    for number, rollout in known.items():
        state, stage, why = judge(rollout, counted(devices_of[number]), at)
        if (state, stage) == (rollout.state, rollout.stage):
            continue
        set_standing(tx, number, state, stage, why)
        action = "stage" if state is RolloutState.RUNNING else str(state)
        note = why or coded("stage_of", "stage {at} of {of}", at=stage + 1, of=rollout.stages)
        act = audit.Entry(
            at, SYSTEM.name, SYSTEM.role, "rollout", str(number), action,
            str(rollout.state), str(state), note,
        )  # fmt: skip
        audit.append(tx, [act])
        changes.append(Change("rollout", str(number)))
    return changes


def counted(some: Sequence[Target]) -> list[Target]:
    """Those that the rollout waits for: devices left aside are none."""
    return [target for target in some if target.stage >= 0]


def take_health(tx: Connection, received: Received[Health]) -> list[Change]:
    """What a device says of its update; a failure stops the rollout at once."""
    model = received.message.model
    report = model.update if model is not None else None
    if report is None or not report.id.removeprefix("r").isdigit():
        return []
    number = int(report.id.removeprefix("r"))
    row = tx.execute(
        select(targets).where(targets.c.rollout == number, targets.c.device == received.dev)
    ).one_or_none()
    if row is None:
        return []
    known = Target(row.device, row.stage, DeviceState(row.state), row.why, row.received, row.at)
    new = said(known, report.state)
    if new is None and report.received == known.received:
        return []
    why = with_code(report.why, report.said)
    changed = replace(known, state=new or known.state, why=why, received=report.received)
    at = received.received_at
    values = {"state": changed.state.value, "why": changed.why, "received": changed.received}
    mine = (targets.c.rollout == number) & (targets.c.device == received.dev)
    tx.execute(update(targets).where(mine).values(**values, at=at if new else row.at))
    return [Change("rollout", str(number)), *advance(tx, at, [number])]


# ------------------------------------------------------------ down to devices


def source(base_url: Callable[[], str], key: bytes) -> Source:
    """Updates that are due, for the courier; the addresses in them are signed with `key`."""

    def due(tx: Connection, at: datetime) -> Sequence[Letter]:
        never = targets.c.sent_at.is_(None) | (targets.c.sent_at < devices.c.state_since)
        found = (
            select(targets.c.device, rollouts, models.c.name, models.c.version, models.c.size)
            .join(rollouts, rollouts.c.id == targets.c.rollout)
            .join(models, models.c.sha256 == rollouts.c.sha256)
            .join(devices, devices.c.id == targets.c.device)
            .where(
                rollouts.c.state == RolloutState.RUNNING.value,
                targets.c.stage <= rollouts.c.stage,
                targets.c.stage >= 0,
                targets.c.state.not_in([state.value for state in FINAL]),
                devices.c.online,
                or_(never, targets.c.sent_at < at - AGAIN),
            )
            .order_by(rollouts.c.id, targets.c.stage, targets.c.device)
            .limit(AT_ONCE)
        )
        exp = to_ms(at + HOLDS)
        return [_letter(row, base_url(), key, exp) for row in tx.execute(found)]

    return Source(due, _note_sent)


def _letter(row: Row[Any], base_url: str, key: bytes, exp: int) -> Letter:
    path = download_path(key, row.sha256, dev=row.device, exp=exp)
    wanted = ModelUpdate(
        dev=row.device,
        id=f"r{row.id}",
        model=row.name,
        version=row.version,
        url=base_url + path,
        sha256=row.sha256,
        size=row.size,
        exp=exp,
        trial_s=row.trial_s,
    )
    return Letter(f"{row.id}/{row.device}", row.device, "update", encode(wanted))


def _note_sent(tx: Connection, keys: Sequence[str], at: datetime) -> list[Change]:
    changes = []
    for key in keys:
        number, _, device = key.partition("/")
        mine = (targets.c.rollout == int(number)) & (targets.c.device == device)
        tx.execute(update(targets).where(mine).values(sent_at=at))
        waiting = mine & (targets.c.state == DeviceState.WAITING.value)
        tx.execute(update(targets).where(waiting).values(state=DeviceState.SENT.value, at=at))
        changes.append(Change("rollout", number))
    return changes


def to_rollout(row: Row[Any]) -> Rollout:
    """A row as a value."""
    return Rollout(
        id=row.id,
        model=row.name,
        version=row.version,
        sha256=row.sha256,
        stages=row.stages,
        stage=row.stage,
        state=RolloutState(row.state),
        clean_s=row.clean_s,
        trial_s=row.trial_s,
        made_at=row.made_at,
        made_by=row.made_by,
        why=row.why,
    )
