"""What changed, told to open pages: server-sent events that follow the database.

An event is a row written in the transaction of the change, so nothing is told before its commit
and every hub process sees what the others did. Positions of vehicles are not events of their own:
once a second the bus looks which vehicles moved, and tells of them in portions, so that an alert
never waits behind a whole fleet (`hub.positions`). What is told is made into bytes once for all
pages, and each gets what there is for it in one piece: many pages make the pieces larger, not more.
"""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from sqlalchemy import BigInteger, Column, Integer, String, Table, delete, func, select
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError
from sse_starlette import ServerSentEvent

from hub.feed import Feed, MaySee, Shown, Told, piece, resync
from hub.positions import Position, Positions
from hub.store import Instant, Store, metadata, now, put, to_ms

log = logging.getLogger(__name__)
Answer = TypeVar("Answer")

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
PAUSE_A_PAGE_S = 0.0001
"""Between two looks at the table: a piece costs each page the same, whatever is in it."""
VEHICLES_EVERY_S = 1.0
PORTION = 200_000
"""So many positions times pages are told between two looks for what is more urgent."""
STILL_EVERY_S = 30.0
TURN_S = 5.0
"""Pages look up so often though there is nothing to tell."""
PING_S = 15.0
PING = ServerSentEvent(comment="still here").encode()
"""So that whatever lies between sees a silent stream live."""
CATCH_UP = 1000
OVERLAP = 200


@dataclass(frozen=True)
class Change:
    """An item of a kind (alert, case, camera, device, vehicle) that changed."""

    kind: str
    item: str


Render = Callable[[Connection, Sequence[Change]], dict[Change, Shown]]
Moved = Callable[[Connection, datetime], list[Position]]


def record(tx: Connection, changes: Sequence[Change], at: datetime) -> None:
    """Write changes down in the caller's transaction; each item once."""
    at_ms = to_ms(at)
    rows = [(at_ms, each.kind, each.item) for each in dict.fromkeys(changes)]
    put(tx, events, ("at", "kind", "item"), rows)


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
        self.pages = 0
        self._feed = Feed()
        self._positions = Positions()
        self._turn = asyncio.Event()
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
        try:
            await self._follow()
        finally:
            self._next_turn()

    async def _follow(self) -> None:
        moved_since = now()
        moved: list[Position] = []
        looking: asyncio.Task[_Movement | None] | None = None
        turned_s = time.monotonic()
        while not self._closed:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), PAUSE_S if moved or looking else POLL_S)
            self._wake.clear()
            if self._last is None or not self.pages:
                self._last, moved = None, []
                continue
            last, before = self._last, self._number
            told = await self._patiently(partial(self._after, last)) or []
            self._last = max([last, *(each.id for each in told)])
            self._tell(told)
            portion = max(1, PORTION // max(1, self.pages))
            if moved:
                self._positions.add(moved[:portion])
            moved = moved[portion:]
            if looking is not None and looking.done():
                if movement := looking.result():
                    self._tell(movement.told)
                    moved = movement.positions
                looking = None
                self._wake.set()
            elif (
                looking is None
                and not moved
                and (at := now()) - moved_since >= timedelta(seconds=VEHICLES_EVERY_S)
            ):
                since, moved_since = moved_since, at
                looking = asyncio.create_task(self._patiently(partial(self._movements, since)))
            if self._number != before or time.monotonic() - turned_s >= TURN_S:
                turned_s = time.monotonic()
                self._next_turn()
            await asyncio.sleep(PAUSE_S + PAUSE_A_PAGE_S * self.pages)
        if looking is not None:
            await looking

    async def stream(
        self,
        last_id: int | None,
        may_see: MaySee | None = None,
        still: Callable[[], bool] = lambda: True,
    ) -> AsyncGenerator[bytes, None]:
        """The events of one page in pieces, beginning after `last_id` where it is known.

        `may_see`: whether the reader hears of what is there; None: of everything. `still`: whether
        he may go on; it is asked now and then, and the stream ends when not.
        """
        newest = await asyncio.to_thread(self._newest)
        told = self._number
        self.pages += 1
        if self._last is None:
            self._last = self._floor = newest
        try:
            if missed := piece(await asyncio.to_thread(self._catch_up, last_id), may_see):
                yield missed
            asked_s = sent_s = time.monotonic()
            while not self._closed:
                if told == self._number:
                    await self._turn.wait()
                if time.monotonic() - asked_s >= STILL_EVERY_S:
                    if not await asyncio.to_thread(still):
                        break
                    asked_s = time.monotonic()
                since, told = told, self._number
                news = self._feed.since(since[0], may_see)
                news += self._positions.since(since[1], may_see)
                if news or time.monotonic() - sent_s >= PING_S:
                    sent_s = time.monotonic()
                    yield news or PING
        finally:
            self.pages -= 1

    def close(self) -> None:
        """End every stream. Any thread may call."""
        self._closed = True
        loop = self._loop
        if loop is not None:
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(self._wake.set)

    @property
    def _number(self) -> tuple[int, int]:
        """Up to where pages are told: of changes, of positions."""
        return self._feed.number, self._positions.number

    def _tell(self, told: Sequence[Told]) -> None:
        if told:
            self._feed.add(told)

    def _next_turn(self) -> None:
        """Let every page look for what it has not been told."""
        turn, self._turn = self._turn, asyncio.Event()
        turn.set()

    async def _patiently(self, call: Callable[[], Answer]) -> Answer | None:
        try:
            return await asyncio.to_thread(call)
        except DBAPIError as fault:
            log.warning("Events wait for the database: %s", fault.orig)
            await asyncio.sleep(1)
            return None

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
                return [resync(newest or 0)]
            rows = tx.execute(select(events).where(events.c.id > last).order_by(events.c.id)).all()
            return self._rendered(tx, [(row.id, Change(row.kind, row.item)) for row in rows])

    def _movements(self, since: datetime) -> "_Movement":
        with self._store.read() as tx:
            positions = self._moved(tx, since)
            whole = self._positions.to_be_told_whole(positions, time.monotonic())
            told = self._rendered(tx, [(0, Change("vehicle", name)) for name in whole])
        return _Movement(told, positions)

    def _rendered(self, tx: Connection, numbered: Sequence[tuple[int, Change]]) -> list[Told]:
        newest = {change: number for number, change in numbered}
        texts = self._render(tx, list(newest))
        return [
            Told(number, change.kind, change.item, texts[change])
            for change, number in sorted(newest.items(), key=lambda item: item[1])
            if change in texts
        ]


@dataclass(frozen=True)
class _Movement:
    """What happened to vehicles: those that are told whole, and where all that moved are."""

    told: list[Told]
    positions: list[Position]
