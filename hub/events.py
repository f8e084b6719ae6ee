"""What changed, told to open pages: server-sent events that follow the database.

An event is a row written in the transaction of the change, so nothing is told before its commit
and every hub process sees what the others did. Positions of vehicles are not events of their own:
once a second the bus looks which vehicles moved.
"""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import BigInteger, Column, Integer, String, Table, delete, func, select
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError
from sse_starlette import ServerSentEvent

from hub.roles import Spot
from hub.store import Instant, Store, metadata, now

log = logging.getLogger(__name__)

events = Table(
    "events",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("at", Instant, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("item", String(140), nullable=False),
    sqlite_autoincrement=True,
)

POLL_S = 0.5
PAUSE_S = 0.02
VEHICLES_EVERY_S = 1.0
RESYNC = "resync"
STILL_EVERY_S = 30.0
CLIENT_QUEUE = 1000
CATCH_UP = 1000
OVERLAP = 200


@dataclass(frozen=True)
class Change:
    """An item of a kind (alert, case, camera, device, vehicle) that changed."""

    kind: str
    item: str


@dataclass(frozen=True)
class Shown:
    """An item as pages hear of it, and where it is; None for what is the whole city's."""

    json: str
    spot: Spot | None = None


@dataclass(frozen=True)
class Told:
    """A change as it goes out: `id` 0 for what cannot be asked for again."""

    id: int
    kind: str
    shown: Shown

    @property
    def is_for_all(self) -> bool:
        """Whether everybody must hear of it: it shows nothing."""
        return self.kind == RESYNC


_NOTHING = Told(0, "nothing", Shown(""))

Render = Callable[[Connection, Sequence[Change]], dict[Change, Shown]]
Moved = Callable[[Connection, datetime], list[Change]]


def record(tx: Connection, changes: Sequence[Change], at: datetime) -> None:
    """Write changes down in the caller's transaction; each item once."""
    rows = [{"at": at, "kind": c.kind, "item": c.item} for c in dict.fromkeys(changes)]
    if rows:
        tx.execute(events.insert(), rows)


def forget_old(tx: Connection, keep: int) -> None:
    """Keep the newest `keep` events."""
    last = tx.execute(select(func.max(events.c.id))).scalar()
    if last is not None:
        tx.execute(delete(events).where(events.c.id <= last - keep))


class Bus:
    """Follows the events table and hands each change to every open page."""

    def __init__(self, store: Store, render: Render, moved: Moved) -> None:
        """Take how changes become JSON, and how moved vehicles are found."""
        self._store = store
        self._render = render
        self._moved = moved
        self._clients: set[asyncio.Queue[Told | None]] = set()
        self._seen: OrderedDict[int, None] = OrderedDict()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wake = asyncio.Event()
        self._last: int | None = None
        self._floor = 0
        self._closed = False

    def wake(self) -> None:
        """Something was committed in this process: look at once. Any thread may call."""
        loop = self._loop
        if loop is not None and not self._closed:
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(self._wake.set)

    async def run(self) -> None:
        """Follow the table until closed; with no page open there is nothing to do."""
        self._loop = asyncio.get_running_loop()
        moved_since = now()
        while not self._closed:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), POLL_S)
            self._wake.clear()
            if self._last is None or not self._clients:
                self._last = None
                continue
            last = self._last
            told = await self._patiently(partial(self._after, last))
            self._last = max([last, *(each.id for each in told)])
            self._hand_out(told)
            if (at := now()) - moved_since >= timedelta(seconds=VEHICLES_EVERY_S):
                since, moved_since = moved_since, at
                self._hand_out(await self._patiently(partial(self._movements, since)))
            await asyncio.sleep(PAUSE_S)

    async def stream(
        self,
        last_id: int | None,
        may_see: Callable[[Spot | None], bool] = lambda _: True,
        still: Callable[[], bool] = lambda: True,
    ) -> AsyncIterator[ServerSentEvent]:
        """The events of one page, beginning after `last_id` where it is known.

        `may_see`: whether the reader hears of what is there. `still`: whether he may go on; it is
        asked now and then, and the stream ends when not.
        """
        newest = await asyncio.to_thread(self._newest)
        queue: asyncio.Queue[Told | None] = asyncio.Queue(CLIENT_QUEUE)
        self._clients.add(queue)
        if self._last is None:
            self._last = self._floor = newest
        try:
            for told in await asyncio.to_thread(self._catch_up, last_id):
                if told.is_for_all or may_see(told.shown.spot):
                    yield _sse(told)
            asked_at = time.monotonic()
            while not self._closed:
                told_or_end: Told | None = _NOTHING
                with suppress(TimeoutError):
                    told_or_end = await asyncio.wait_for(queue.get(), STILL_EVERY_S)
                if told_or_end is None:
                    break
                if time.monotonic() - asked_at >= STILL_EVERY_S:
                    if not await asyncio.to_thread(still):
                        break
                    asked_at = time.monotonic()
                if told_or_end is _NOTHING:
                    continue
                if told_or_end.is_for_all or may_see(told_or_end.shown.spot):
                    yield _sse(told_or_end)
        finally:
            self._clients.discard(queue)

    def close(self) -> None:
        """End every stream."""
        self._closed = True
        self._wake.set()
        for queue in self._clients:
            _clear(queue)
            queue.put_nowait(None)

    def _hand_out(self, told: Sequence[Told]) -> None:
        for queue in self._clients:
            if queue.qsize() + len(told) > CLIENT_QUEUE:
                _clear(queue)
                queue.put_nowait(Told(told[-1].id, RESYNC, Shown("{}")))
                continue
            for each in told:
                queue.put_nowait(each)

    async def _patiently(self, call: Callable[[], list[Told]]) -> list[Told]:
        try:
            return await asyncio.to_thread(call)
        except DBAPIError as fault:
            log.warning("Events wait for the database: %s", fault.orig)
            await asyncio.sleep(1)
            return []

    def _newest(self) -> int:
        with self._store.read() as tx:
            return tx.execute(select(func.max(events.c.id))).scalar() or 0

    def _after(self, last: int) -> list[Told]:
        # PostgreSQL hands out numbers before commit: a lower one may appear after a higher one.
        since = last if self._store.is_sqlite else max(self._floor, last - OVERLAP)
        with self._store.read() as tx:
            rows = tx.execute(
                select(events).where(events.c.id > since).order_by(events.c.id).limit(CATCH_UP)
            ).all()
            fresh = [row for row in rows if row.id > last or row.id not in self._seen]
            for row in fresh:
                self._seen[row.id] = None
            while len(self._seen) > 10 * OVERLAP:
                self._seen.popitem(last=False)
            return self._rendered(tx, [(row.id, Change(row.kind, row.item)) for row in fresh])

    def _catch_up(self, last: int | None) -> list[Told]:
        if last is None:
            return []
        with self._store.read() as tx:
            first, newest = tx.execute(select(func.min(events.c.id), func.max(events.c.id))).one()
            if last == (newest or 0):
                return []
            if newest is None or last > newest or last < first - 1 or newest - last > CATCH_UP:
                return [Told(newest or 0, RESYNC, Shown("{}"))]
            rows = tx.execute(select(events).where(events.c.id > last).order_by(events.c.id)).all()
            return self._rendered(tx, [(row.id, Change(row.kind, row.item)) for row in rows])

    def _movements(self, since: datetime) -> list[Told]:
        with self._store.read() as tx:
            return self._rendered(tx, [(0, change) for change in self._moved(tx, since)])

    def _rendered(self, tx: Connection, numbered: Sequence[tuple[int, Change]]) -> list[Told]:
        newest = {change: number for number, change in numbered}
        texts = self._render(tx, list(newest))
        return [
            Told(number, change.kind, texts[change])
            for change, number in sorted(newest.items(), key=lambda item: item[1])
            if change in texts
        ]


def _clear(queue: asyncio.Queue[Told | None]) -> None:
    while not queue.empty():
        queue.get_nowait()


def _sse(told: Told) -> ServerSentEvent:
    number = str(told.id) if told.id else None
    return ServerSentEvent(data=told.shown.json, event=told.kind, id=number)
