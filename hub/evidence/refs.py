"""Which file shows what, what the device said of it, and how far that is proven."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    String,
    Table,
    Text,
    and_,
    bindparam,
    false,
    or_,
    select,
    update,
)
from sqlalchemy.engine import Connection, Row

from hub.evidence.proof import (
    BAD,
    UNSIGNED,
    Proof,
    TrustedKey,
    judge,
    kept_statement,
    statement_text,
)
from hub.store import Instant, Sentence, from_ms, insert_new, metadata
from wire.alert import EvidenceRef
from wire.coded import coded, cut
from wire.statement import Scene, Statement, statement_of

pictures = Table(
    "alert_evidence",
    metadata,
    Column("alert", String(20), primary_key=True),
    Column("sha256", String(64), primary_key=True),
    Column("role", String(12), primary_key=True),
    Column("type", String(32), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("place", Integer, nullable=False),
    Column("held", Boolean, nullable=False),
    Column("sealed", Boolean, nullable=False, server_default=false()),
    Column("original", String(64)),
    Column("device", String(64), nullable=False, server_default=""),
    Column("taken_at", Instant),
    Column("noted_at", Instant),
    Column("statement", Text, nullable=False, server_default=""),
    Column("sig", String(88), nullable=False, server_default=""),
    Column("proof", String(10), nullable=False, server_default=UNSIGNED),
    Column("fault", Sentence, nullable=False, server_default=""),
    Index("ix_alert_evidence_sha256", "sha256"),
    Index("ix_alert_evidence_proof", "device", "proof"),
)

NO_PROOF = Proof(UNSIGNED)

KEPT_ASIDE = "kept aside: "
"""Begins what `kept_aside` says."""


def kept_aside(what: str) -> str:
    """The fault of a file whose bytes are not what was promised."""
    return cut(coded("kept_aside", "kept aside: {what}", what=what), 300)


@dataclass(frozen=True)
class Picture:
    """A file that shows an alert; `held` when the hub has it.

    `statement`: what the device said of it, None of a device that says nothing.
    """

    role: str
    type: str
    sha256: str
    held: bool
    sealed: bool = False
    size: int = 0
    original: str | None = None
    taken_at: datetime | None = None
    statement: Statement | None = None
    proof: Proof = NO_PROOF

    @property
    def is_for_all(self) -> bool:
        """Whether it may be shown to everybody who may see evidence."""
        return self.held and not self.sealed and self.proof.state != BAD


@dataclass(frozen=True)
class Told:
    """What a message of `device` says of files: which, showing which scene, and when it came.

    `scene`: None where the device does not say it, or not of itself.
    """

    device: str
    scene: Scene | None
    refs: Sequence[EvidenceRef]
    at: datetime


def add_pictures(
    tx: Connection,
    told: Mapping[str, Sequence[Told]],
    held: Collection[str],
    keys: Mapping[str, Sequence[TrustedKey]],
) -> None:
    """Note the files that show alerts (or looks); `held` are the hashes that are here already.

    `keys`: of each device, to judge the signatures by.
    """
    rows = []
    for alert, messages in told.items():
        for message in messages:
            rows += _rows(alert, message, held, keys.get(message.device, ()))
    insert_new(tx, pictures, rows, ["alert", "sha256", "role"])


def _rows(
    alert: str, told: Told, held: Collection[str], keys: Sequence[TrustedKey]
) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for place, ref in enumerate(told.refs):
        statement = statement_of(told.scene, ref) if told.scene else None
        proof = judge(statement, ref.sig, keys, told.at)
        rows.append(
            {
                "alert": alert,
                "sha256": ref.sha256,
                "role": ref.role,
                "type": ref.type,
                "size": ref.size,
                "place": place,
                "held": ref.sha256 in held,
                "sealed": ref.sealed,
                "original": ref.original,
                "device": told.device,
                "taken_at": _moment(ref.at),
                "noted_at": told.at,
                "statement": statement_text(statement) if statement else "",
                "sig": ref.sig,
                "proof": proof.state,
                "fault": proof.fault,
            }
        )
    return rows


def picture_arrived(
    tx: Connection, sha256: str, keys: Mapping[str, Sequence[TrustedKey]]
) -> list[str]:
    """Note that a whole file is here; returns the alerts it shows."""
    rows = tx.execute(select(pictures).where(pictures.c.sha256 == sha256)).all()
    tx.execute(update(pictures).where(pictures.c.sha256 == sha256).values(held=True))
    _judge_again(tx, [row for row in rows if row.fault.startswith(KEPT_ASIDE)], keys)
    return list(dict.fromkeys(row.alert for row in rows))


def picture_differs(tx: Connection, sha256: str, what: str) -> list[str]:
    """Note that what is here under a name is not that file; returns the alerts it was to show."""
    of_it = pictures.c.sha256 == sha256
    tx.execute(update(pictures).where(of_it).values(held=False, proof=BAD, fault=kept_aside(what)))
    return list(tx.execute(select(pictures.c.alert).where(of_it).distinct()).scalars())


def key_accepted(tx: Connection, device: str, keys: Sequence[TrustedKey]) -> list[str]:
    """Judge again what could not be proven with the keys of before; returns the alerts."""
    is_unknown = and_(pictures.c.proof == UNSIGNED, pictures.c.sig != "")
    rows = tx.execute(
        select(pictures).where(
            pictures.c.device == device,
            or_(pictures.c.proof == BAD, is_unknown),
            ~pictures.c.fault.startswith(KEPT_ASIDE),
        )
    ).all()
    return _judge_again(tx, rows, {device: keys})


def _judge_again(
    tx: Connection,
    rows: Sequence[Row[tuple[object, ...]]],
    keys: Mapping[str, Sequence[TrustedKey]],
) -> list[str]:
    changed = []
    for row in rows:
        proof = judge(
            kept_statement(row.statement), row.sig, keys.get(row.device, ()), row.noted_at
        )
        changed.append(
            {
                "a": row.alert,
                "s": row.sha256,
                "r": row.role,
                "proof": proof.state,
                "fault": proof.fault,
            }
        )
    if changed:
        which = (
            (pictures.c.alert == bindparam("a"))
            & (pictures.c.sha256 == bindparam("s"))
            & (pictures.c.role == bindparam("r"))
        )
        tx.execute(update(pictures).where(which), changed)
    return list(dict.fromkeys(str(row["a"]) for row in changed))


def mark_bad(tx: Connection, alert: str, sha256: str, fault: str) -> None:
    """Note that a file is no proof of an alert."""
    which = (pictures.c.alert == alert) & (pictures.c.sha256 == sha256)
    tx.execute(update(pictures).where(which).values(proof=BAD, fault=cut(fault, 300)))


def fault_of(tx: Connection, sha256: str) -> str | None:
    """Why a file must not be shown; None when some alert may show it, or none speaks of it."""
    rows = tx.execute(
        select(pictures.c.proof, pictures.c.fault).where(pictures.c.sha256 == sha256)
    ).all()
    if rows and all(row.proof == BAD for row in rows):
        fault: str = rows[0].fault
        return fault
    return None


def is_sealed(tx: Connection, sha256: str) -> bool:
    """Whether some message says that the file is for few eyes."""
    found = select(pictures.c.alert).where(pictures.c.sha256 == sha256, pictures.c.sealed)
    return tx.execute(found.limit(1)).first() is not None


def pictures_of(
    tx: Connection, ids: Collection[str], *, with_sealed: bool = False
) -> dict[str, list[Picture]]:
    """The files of alerts, in the device's order.

    Without `with_sealed` those that everybody may see; a bad one counts as not held.
    """
    found: dict[str, list[Picture]] = {name: [] for name in ids}
    rows = select(pictures).where(pictures.c.alert.in_(ids))
    if not with_sealed:
        rows = rows.where(~pictures.c.sealed)
    order = (pictures.c.alert, pictures.c.noted_at, pictures.c.place)
    for row in tx.execute(rows.order_by(*order)):
        found[row.alert].append(to_picture(row))
    return found


def to_picture(row: Row[tuple[object, ...]]) -> Picture:
    """A row as the value it stands for."""
    return Picture(
        role=row.role,
        type=row.type,
        sha256=row.sha256,
        held=row.held and row.proof != BAD,
        sealed=row.sealed,
        size=row.size,
        original=row.original,
        taken_at=row.taken_at,
        statement=kept_statement(row.statement),
        proof=Proof(row.proof, row.fault),
    )


def _moment(at_ms: int) -> datetime | None:
    return from_ms(at_ms) if at_ms else None
