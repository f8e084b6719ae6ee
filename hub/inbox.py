"""Which messages are here already: late, repeated and changed ones are told apart.

The key of a message is (device, epoch, stream, seq). The same key with the same content is a
repeat, to be confirmed again; with other content it is refused as E_REPLAY.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

import msgspec
from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    LargeBinary,
    String,
    Table,
    bindparam,
    select,
    tuple_,
)
from sqlalchemy.engine import Connection

from hub.store import Instant, from_ms, in_parts, metadata, put, to_ms
from wire.codec import Code, Refused
from wire.coded import coded
from wire.envelope import Envelope

CLOCK_TOLERANCE = timedelta(minutes=2)

messages = Table(
    "inbox",
    metadata,
    Column("device", String(64), primary_key=True),
    Column("epoch", String(16), primary_key=True),
    Column("stream", String(16), primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("hash", LargeBinary(16), nullable=False),
    Column("subject", String(64), nullable=False),
    Column("at", Instant, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("ix_inbox_subject", "subject"),
)

_KEY = (messages.c.device, messages.c.epoch, messages.c.seq)
_STORED = select(*_KEY, messages.c.hash).where(
    messages.c.stream == bindparam("stream"),
    tuple_(*_KEY).in_(bindparam("keys", expanding=True)),
)

M = TypeVar("M", bound=msgspec.Struct)
E = TypeVar("E", bound=Envelope)
Key = tuple[str, str, int]
_COLUMNS = (
    "device",
    "epoch",
    "stream",
    "seq",
    "hash",
    "subject",
    "at",
    "received_at",
    "body",
)


@dataclass(frozen=True)
class Received(Generic[M]):
    """A message that could be read: `dev` from its topic, `raw` as it came, `received_at` ours."""

    dev: str
    message: M
    raw: bytes
    received_at: datetime


@dataclass(frozen=True)
class Refusal:
    """A message, or one number of it, that will never be taken."""

    received: Received[Any]
    fault: Refused
    seq: int


@dataclass
class Sorted(Generic[E]):
    """Messages told apart; `repeated` are stored already and only want a receipt."""

    new: list[Received[E]] = field(default_factory=list)
    repeated: list[Received[E]] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)


def key(message: Envelope) -> Key:
    """What names a message within its stream."""
    return message.dev, message.epoch, message.seq


def content_hash(message: Envelope) -> bytes:
    """16 bytes that stand for the content; a re-send may differ in `hist` alone."""
    steady = msgspec.structs.replace(message, hist=False)
    return hashlib.blake2b(msgspec.json.encode(steady), digest_size=16).digest()


def moment(message: Envelope, received_at: datetime) -> tuple[datetime, bool]:
    """When it was, for people, and whether the device's clock is suspect.

    A clock near ours is believed; so is one with a source (`tq`) that speaks of the past, or any
    that re-sends the past. Otherwise the time of arrival stands.
    """
    at = from_ms(message.ts)
    if abs(at - received_at) <= CLOCK_TOLERANCE:
        return at, False
    if at < received_at and (message.tq > 0 or message.hist):
        return at, message.tq == 0
    return received_at, True


def sort_out(tx: Connection, stream: str, arrived: Sequence[Received[E]]) -> Sorted[E]:
    """Tell new messages from repeats, those in the store and those among themselves."""
    stored = _hashes(tx, stream, [key(each.message) for each in arrived])
    result: Sorted[E] = Sorted()
    for each in arrived:
        name, content = key(each.message), content_hash(each.message)
        known = stored.setdefault(name, content)
        if known is content:
            result.new.append(each)
        elif known == content:
            result.repeated.append(each)
        else:
            fault = replayed(stream, each.message.seq)
            result.refused.append(Refusal(each, fault, each.message.seq))
    return result


def replayed(stream: str, seq: int) -> Refused:
    """Why a number that came before, with something else, is not taken."""
    text = "{message} {seq}: stored before with other content"
    return Refused(Code.REPLAY, coded("other_content", text, message=stream, seq=seq))


def keep(
    tx: Connection, stream: str, arrived: Sequence[Received[E]], subjects: Mapping[Key, str]
) -> None:
    """Store new messages as they came; `subjects` names what each tells of."""
    rows = [
        (
            each.message.dev,
            each.message.epoch,
            stream,
            each.message.seq,
            content_hash(each.message),
            subjects.get(key(each.message), ""),
            to_ms(moment(each.message, each.received_at)[0]),
            to_ms(each.received_at),
            each.raw,
        )
        for each in arrived
    ]
    put(tx, messages, _COLUMNS, rows)


def of(tx: Connection, subject: str, limit: int = 500) -> list[tuple[datetime, str, bytes]]:
    """The messages that tell of a subject, oldest first: (at, device, body)."""
    found = (
        select(messages.c.at, messages.c.device, messages.c.body)
        .where(messages.c.subject == subject)
        .order_by(messages.c.at, messages.c.seq)
        .limit(limit)
    )
    return [(row.at, row.device, row.body) for row in tx.execute(found)]


def _hashes(tx: Connection, stream: str, keys: Sequence[Key]) -> dict[Key, bytes]:
    found: dict[Key, bytes] = {}
    for part in in_parts(keys):
        for row in tx.execute(_STORED, {"stream": stream, "keys": part}):
            found[row.device, row.epoch, row.seq] = bytes(row.hash)
    return found
