"""Webhooks, and the outbox of what they are to be told: rows, so that nothing is lost.

A message is written in the transaction of what it tells of, one row for each who wants it.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    and_,
    delete,
    func,
    select,
    true,
    update,
)
from sqlalchemy.engine import Connection, Row

from hub.out.webhook import Topic, Webhook
from hub.store import Instant, Sentence, insert_new, metadata
from wire.coded import cut

webhooks = Table(
    "webhooks",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(64), nullable=False, unique=True),
    Column("url", String(500), nullable=False),
    Column("topics", Text, nullable=False),
    Column("grid", String(64)),
    Column("secret", LargeBinary, nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("made_by", String(100), nullable=False),
    Column("paused_at", Instant),
    Column("template", Text, nullable=False),
)
cursors = Table(
    "webhook_cursors",
    metadata,
    Column("source", String(16), primary_key=True),
    Column("last_id", BigInteger, nullable=False),
)
outbox = Table(
    "webhook_outbox",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("webhook", Integer, nullable=False),
    Column("key", String(80), nullable=False),
    Column("topic", String(32), nullable=False),
    Column("body", Text, nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("next_at", Instant),
    Column("attempts", Integer, nullable=False),
    Column("sent_at", Instant),
    Column("status", Integer),
    Column("fault", Sentence, nullable=False),
    UniqueConstraint("webhook", "key"),
    Index("ix_webhook_outbox_next_at", "next_at"),
    Index("ix_webhook_outbox_webhook", "webhook", "id"),
    sqlite_autoincrement=True,
)


@dataclass(frozen=True)
class Message:
    """Something to be told. `next_at`: when it is tried; None when sent or given up."""

    id: int
    webhook: int
    key: str
    topic: str
    body: str
    made_at: datetime
    next_at: datetime | None
    attempts: int
    sent_at: datetime | None
    status: int | None
    fault: str

    @property
    def name(self) -> str:
        """What names it to the one who is told, at every attempt."""
        return f"msg_{self.id}"


def listed(tx: Connection, *which: ColumnElement[bool]) -> list[tuple[Webhook, bytes]]:
    """Webhooks by name, each with its sealed secret."""
    rows = tx.execute(select(webhooks).where(*which).order_by(webhooks.c.name)).all()
    return [(_webhook(row), bytes(row.secret)) for row in rows]


def add(tx: Connection, hook: Webhook, sealed: bytes) -> int:
    """Store a webhook; its number."""
    values = {
        "name": hook.name,
        "url": hook.url,
        "topics": json.dumps(sorted(hook.topics)),
        "grid": hook.grid,
        "secret": sealed,
        "made_at": hook.made_at,
        "made_by": hook.made_by,
        "template": hook.template,
    }
    key = tx.execute(webhooks.insert().values(values)).inserted_primary_key
    return int(key[0]) if key else 0


def change(tx: Connection, hook: Webhook) -> None:
    """Overwrite what a webhook is told, and where; its secret and who made it stay."""
    values = {
        "name": hook.name,
        "url": hook.url,
        "topics": json.dumps(sorted(hook.topics)),
        "grid": hook.grid,
        "template": hook.template,
    }
    tx.execute(update(webhooks).where(webhooks.c.id == hook.id).values(values))


def put_secret(tx: Connection, number: int, sealed: bytes) -> None:
    """Sign with another secret from now on."""
    tx.execute(update(webhooks).where(webhooks.c.id == number).values(secret=sealed))


def pause(tx: Connection, number: int, at: datetime | None) -> bool:
    """Stop telling, or go on (None); whether it is there."""
    mine = update(webhooks).where(webhooks.c.id == number)
    return tx.execute(mine.values(paused_at=at)).rowcount == 1


def remove(tx: Connection, number: int) -> bool:
    """Forget a webhook and what it was to be told."""
    tx.execute(delete(outbox).where(outbox.c.webhook == number))
    return tx.execute(delete(webhooks).where(webhooks.c.id == number)).rowcount == 1


@dataclass(frozen=True)
class Telling:
    """What is to be told to a webhook; the same `key` is told once."""

    webhook: int
    key: str
    topic: str
    body: str


def put(tx: Connection, tellings: Sequence[Telling], at: datetime) -> None:
    """Write down what is to be told, unless it was."""
    rows = [
        {**vars(each), "made_at": at, "next_at": at, "attempts": 0, "fault": ""}
        for each in tellings
    ]
    insert_new(tx, outbox, rows, ["webhook", "key"])


def cursor(tx: Connection, source: str, newest: int) -> int:
    """Up to where a source was read; `newest` where nobody has read it: the past is not told."""
    insert_new(tx, cursors, [{"source": source, "last_id": newest}], ["source"])
    mine = select(cursors.c.last_id).where(cursors.c.source == source).with_for_update()
    return int(tx.execute(mine).scalar_one())


def is_read_to(tx: Connection, newest: Mapping[str, int]) -> bool:
    """Whether every source was read to its end: then nothing has to be written."""
    known = {row.source: row.last_id for row in tx.execute(select(cursors))}
    return all(known.get(source, -1) >= last for source, last in newest.items())


def is_due(tx: Connection, at: datetime) -> bool:
    """Whether anything is to be tried now."""
    return tx.execute(select(outbox.c.id).where(_is_due(at)).limit(1)).first() is not None


def move_cursor(tx: Connection, source: str, last_id: int) -> None:
    """A source was read up to there."""
    mine = update(cursors).where(cursors.c.source == source)
    tx.execute(mine.values(last_id=last_id))


def due(tx: Connection, at: datetime, limit: int, lease: timedelta) -> list[Message]:
    """Messages to be tried now, lent to the caller: nobody else is given them for a while.

    What a paused webhook is to be told waits.
    """
    found = (
        select(outbox)
        .where(_is_due(at))
        .order_by(outbox.c.next_at, outbox.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    messages = [_message(row) for row in tx.execute(found)]
    lent = update(outbox).where(outbox.c.id.in_([each.id for each in messages]))
    tx.execute(lent.values(next_at=at + lease))
    return messages


def _is_due(at: datetime) -> ColumnElement[bool]:
    paused = select(webhooks.c.id).where(webhooks.c.paused_at.is_not(None))
    return and_(outbox.c.next_at <= at, outbox.c.webhook.not_in(paused))


def settle(
    tx: Connection,
    message: int,
    *,
    sent_at: datetime | None,
    next_at: datetime | None,
    status: int | None,
    fault: str,
) -> None:
    """Note how an attempt went."""
    mine = update(outbox).where(outbox.c.id == message)
    tx.execute(
        mine.values(
            attempts=outbox.c.attempts + 1,
            sent_at=sent_at,
            next_at=next_at,
            status=status,
            fault=cut(fault, 300),
        )
    )


def again(tx: Connection, hook: int, message: int, at: datetime) -> bool:
    """Try one that was given up (or sent) once more, from the first wait on."""
    mine = update(outbox).where(outbox.c.id == message, outbox.c.webhook == hook)
    return tx.execute(mine.values(next_at=at, attempts=0, sent_at=None)).rowcount == 1


def messages_of(
    tx: Connection, hook: int | None, limit: int, offset: int
) -> tuple[list[Message], int]:
    """The messages of a webhook, or of all (None), newest first, and how many there are."""
    mine = true() if hook is None else outbox.c.webhook == hook
    total = tx.execute(select(func.count()).select_from(outbox).where(mine)).scalar_one()
    newest = select(outbox).where(mine).order_by(outbox.c.id.desc())
    rows = tx.execute(newest.limit(limit).offset(offset)).all()
    return [_message(row) for row in rows], total


def waiting(tx: Connection, hooks: Collection[int]) -> dict[int, tuple[int, int]]:
    """Of each webhook: messages that wait, and those given up."""
    gone = outbox.c.next_at.is_(None) & outbox.c.sent_at.is_(None)
    found = (
        select(
            outbox.c.webhook,
            func.count(outbox.c.next_at).label("waiting"),
            func.count().filter(gone).label("dead"),
        )
        .where(outbox.c.webhook.in_(hooks))
        .group_by(outbox.c.webhook)
    )
    return {row.webhook: (row.waiting, row.dead) for row in tx.execute(found)}


def forget_old(tx: Connection, before: datetime) -> None:
    """Forget what was sent or given up before a moment."""
    tx.execute(delete(outbox).where(outbox.c.next_at.is_(None), outbox.c.made_at < before))


def topics_of(text: str) -> frozenset[Topic]:
    """Topics as they are kept; one this program does not know is left out."""
    known = {each.value for each in Topic}
    kept: Sequence[str] = json.loads(text)
    return frozenset(Topic(each) for each in kept if each in known)


def _webhook(row: Row[tuple[object, ...]]) -> Webhook:
    return Webhook(
        row.id, row.name, row.url, topics_of(row.topics), row.grid, "", row.made_at, row.made_by,
        row.paused_at, row.template,
    )  # fmt: skip


def _message(row: Row[tuple[object, ...]]) -> Message:
    return Message(**row._mapping)  # noqa: SLF001
