"""The JT/T 808 server: thousands of terminals on one loop, each report safe before its answer.

Connections hand their reports to one keeper, which stores what has gathered in one go and only
then lets the answers out; while it stores, the next ones gather, so the disk sets the size of a
group, not the number of terminals. What a connection may cost is bounded: strangers have 30 s to
authenticate and make way for others, who brings no readable frame is shown out however many bytes
it sends, and who sends too fast is read more slowly, which TCP hands on to it. A terminal that
connects again takes over from itself.
"""

import asyncio
import logging
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol, Self, cast

from edge.gps.errors import GpsError
from edge.gps.jt808.join import Room
from edge.gps.jt808.orders import order_of
from edge.gps.jt808.session import Fleet, Memory, Reply, Session
from edge.gps.jt808.told import Media, Told
from edge.gps.pace import Pace
from wire.coded import coded

log = logging.getLogger(__name__)

CHUNK = 16_384
SEND_BUFFER = 16_384
RECEIVE_BUFFER = 65_536
MOST_WAITING_BYTES = 64 * 1024 * 1024
MOST_REPORTS_AT_ONCE = 2_000
FAREWELL_S = 3.0
LONGEST_PAUSE_S = 0.5
ANSWER_S = 20.0
RESEND_REQUEST = 0x0005


class NotConnected(GpsError):
    """The terminal is not here."""


class Absent(NotConnected):
    """It was not here to begin with, so nothing was sent to it."""


class NoAnswer(GpsError):
    """The terminal took the order and said nothing."""


class CannotListen(GpsError):
    """The gateway's address cannot be used."""


@dataclass(frozen=True)
class Limits:
    """What the gateway allows. Seconds, and counts of connections.

    `strangers`: connections that have not authenticated; the oldest of them makes way for a new
    one. `per_s`, `burst`: messages and positions of one connection, `bytes_per_s` and `byte_burst`
    its bytes. `split_bytes`: what unfinished split messages of all connections hold.
    """

    connections: int = 20_000
    login_s: float = 30.0
    idle_s: float = 300.0
    send_s: float = 10.0
    tick_s: float = 1.0
    strangers: int = 4_000
    per_s: float = 100.0
    burst: float = 2_000.0
    bytes_per_s: float = 524_288.0
    byte_burst: float = 4_194_304.0
    split_bytes: int = 268_435_456


class Store(Protocol):
    """Where reports are safe."""

    def keep(self, reports: Sequence[Told]) -> None:
        """Store all of them; durable on return. Runs on a thread of its own."""


class Gateway:
    """Listens for terminals. Use as `async with Gateway(…) as gateway: …`."""

    def __init__(
        self,
        fleet: Fleet,
        store: Store,
        *,
        host: str = "0.0.0.0",  # noqa: S104 - terminals come from outside
        port: int = 8808,
        limits: Limits | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Prepare; port 0 takes a free one, named in `port` once it listens."""
        self.host = host
        self.port = port
        self.connected: dict[str, _Connection] = {}
        """Authenticated terminals and where to write to them."""
        self._fleet = fleet
        self._limits = limits or Limits()
        self._now = now
        self._keeper = _Keeper(store)
        self._memories: dict[str, Memory] = {}
        self._connections: set[_Connection] = set()
        self._strangers: dict[_Connection, None] = {}
        self._room = Room(self._limits.split_bytes)
        self._server: asyncio.Server | None = None
        self._sweeper: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Listen. Raises CannotListen."""
        try:
            self._server = await asyncio.start_server(
                self._serve, self.host, self.port, limit=CHUNK, backlog=1024, start_serving=False
            )
        except OSError as fault:
            raise CannotListen(f"JT/T 808 gateway on {self.host}:{self.port}: {fault}") from None
        for listener in self._server.sockets:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        self.port = self._server.sockets[0].getsockname()[1]
        self._keeper.start()
        await self._server.start_serving()
        self._sweeper = asyncio.create_task(self._sweep(), name="show out the silent")
        log.info("JT/T 808 gateway listens on %s:%d", self.host, self.port)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop listening; keep and confirm what has been reported, then hang up."""
        if self._server is not None:
            self._server.close()
        if self._sweeper is not None:
            self._sweeper.cancel()
        connections = list(self._connections)
        for connection in connections:
            connection.hear_no_more()
        talks = [each.task for each in connections if each.task is not None]
        if talks:
            await asyncio.wait(talks, timeout=FAREWELL_S)
        await self._keeper.stop()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session = Session(self._fleet, self._memory_of, self._room)
        connection = _Connection(session, reader, writer, self._limits)
        if not self._make_way():
            log.warning("connection refused: %d are open already", len(self._connections))
            writer.close()
            return
        self._connections.add(connection)
        self._strangers[connection] = None
        link = writer.get_extra_info("socket")
        link.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        writer.transport.set_write_buffer_limits(high=SEND_BUFFER)
        try:
            await self._converse(connection)
        except TimeoutError:
            connection.end = f"took no answer for {self._limits.send_s:.0f} s"
            writer.transport.abort()
        except OSError as fault:
            connection.end = connection.end or str(fault)
        finally:
            log.debug("terminal %s: %s", session.terminal or "?", connection.end or "hung up")
            self._connections.discard(connection)
            self._strangers.pop(connection, None)
            self._leave(session.terminal, connection)
            connection.give_up()
            session.close()
            writer.close()

    def _make_way(self) -> bool:
        """Whether there is room for one more, when need be by showing out the oldest stranger."""
        if len(self._connections) < self._limits.connections and (
            len(self._strangers) < self._limits.strangers
        ):
            return True
        if not self._strangers:
            return False
        oldest = next(iter(self._strangers))
        del self._strangers[oldest]
        self._connections.discard(oldest)
        oldest.end = "made way for a new connection"
        oldest.writer.transport.abort()
        return True

    async def _converse(self, connection: "_Connection") -> None:
        connection.task = asyncio.current_task()
        session, reader, writer = connection.session, connection.reader, connection.writer
        while not connection.end and (chunk := await reader.read(CHUNK)):
            now_s = time.monotonic()
            before = session.terminal
            turn = session.feed(chunk, now_s, self._now())
            if turn.frames:
                connection.heard_s = now_s
            if session.terminal != before:
                self._leave(before, connection)
                self._take_over(session.terminal, connection)
            if turn.reports:
                await self._keeper.keep(turn.reports)
                session.kept(turn)
            for reply in turn.replies:
                connection.settle(reply)
            if turn.answers:
                writer.write(b"".join(turn.answers))
                await asyncio.wait_for(writer.drain(), self._limits.send_s)
            connection.end = connection.end or turn.end
            await connection.slow_down(len(chunk), turn.frames + len(turn.reports))

    async def _sweep(self) -> None:
        """Every second: ask for missing packets, show out who says nothing."""
        while True:
            await asyncio.sleep(self._limits.tick_s)
            now_s = time.monotonic()
            for connection in list(self._connections):
                if connection.session.is_waiting and not connection.writer.is_closing():
                    turn = connection.session.tick(now_s)
                    connection.writer.write(b"".join(turn.answers))
                if end := connection.overdue(now_s, self._limits):
                    connection.end = end
                    connection.writer.transport.abort()

    async def ask(
        self, terminal: str, name: str, arguments: dict[str, Any], timeout_s: float = ANSWER_S
    ) -> Reply:
        """Give an order (see `jt808.orders`) and wait for the terminal's answer.

        A terminal that confirms and sends nothing more gives its confirmation.
        Raises BadOrder, Absent, NotConnected where it hung up, NoAnswer.
        """
        connection = self.connected.get(terminal)
        if connection is None:
            message = "terminal {terminal} is not connected"
            raise Absent(coded("terminal_absent", message, terminal=terminal))
        order = order_of(name, arguments, connection.session.version)
        packets = connection.session.order(order.msg_id, order.body)
        answer: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        asked = _Asked(order.answer, packets, answer)
        connection.asked.append(asked)
        try:
            connection.writer.write(b"".join(packets.values()))
            return await asyncio.wait_for(answer, timeout_s)
        except TimeoutError:
            if asked.confirmed is not None:
                return asked.confirmed
            raise NoAnswer(f"terminal {terminal} did not answer in {timeout_s:.0f} s") from None
        finally:
            connection.asked.remove(asked)

    def knows(self, terminal: str) -> bool:
        """Whether it has been here since the start."""
        return terminal in self._memories

    def _take_over(self, terminal: str, connection: "_Connection") -> None:
        self._strangers.pop(connection, None)
        before = self.connected.get(terminal)
        if before is not None:
            log.info("terminal %s connected again", terminal)
            before.end = "connected again"
            before.writer.close()
        self.connected[terminal] = connection

    def _leave(self, terminal: str, connection: "_Connection") -> None:
        if self.connected.get(terminal) is connection:
            del self.connected[terminal]

    def _memory_of(self, terminal: str) -> Memory:
        memory = self._memories.pop(terminal, None) or Memory()
        self._memories[terminal] = memory
        if len(self._memories) > 2 * self._limits.connections:
            del self._memories[next(iter(self._memories))]
        return memory


@dataclass(eq=False)
class _Asked:
    """An order on its way: the ID of the message that answers it, our packets by serial."""

    answer_id: int
    packets: dict[int, bytes]
    answer: asyncio.Future[Reply]
    confirmed: Reply | None = None


@dataclass(eq=False)
class _Connection:
    session: Session
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    limits: Limits
    began_s: float = field(default_factory=time.monotonic)
    heard_s: float = field(default_factory=time.monotonic)
    end: str = ""
    leaving: bool = False
    task: asyncio.Task[None] | None = None
    asked: list[_Asked] = field(default_factory=list)

    def __post_init__(self) -> None:
        limits = self.limits
        self._messages = Pace(limits.per_s, limits.burst, self.began_s)
        self._bytes = Pace(limits.bytes_per_s, limits.byte_burst, self.began_s)

    async def slow_down(self, size: int, count: int) -> None:
        """After `size` bytes with `count` messages and positions: wait when that was too fast."""
        now_s = time.monotonic()
        wait_s = max(self._messages.take(count, now_s), self._bytes.take(size, now_s))
        while wait_s > 0 and not self.end and not self.leaving:
            await asyncio.sleep(min(wait_s, LONGEST_PAUSE_S))
            wait_s -= LONGEST_PAUSE_S

    def settle(self, reply: Reply) -> None:
        """Find the order that is answered."""
        for asked in self.asked:
            if reply.serial not in asked.packets or asked.answer.done():
                continue
            if reply.msg_id == RESEND_REQUEST:
                self._send_again(asked, reply.values["packets_missing"])
            elif reply.values.get("result", 0) != 0 or (
                # Every packet may be confirmed, but only with the last one it is done.
                reply.msg_id == asked.answer_id and reply.serial == [*asked.packets][-1]
            ):
                asked.answer.set_result(reply)
            elif reply.serial == [*asked.packets][-1]:
                asked.confirmed = reply

    def _send_again(self, asked: _Asked, numbers: Sequence[int]) -> None:
        packets = list(asked.packets.values())
        self.writer.writelines(packets[n - 1] for n in numbers if 1 <= n <= len(packets))

    def give_up(self) -> None:
        """Tell those who wait for answers that none will come."""
        for asked in self.asked:
            if not asked.answer.done():
                asked.answer.set_exception(NotConnected("the terminal has hung up"))

    def hear_no_more(self) -> None:
        """Let the talk end with what has been heard so far."""
        self.leaving = True
        if not self.writer.is_closing():
            cast("asyncio.ReadTransport", self.writer.transport).pause_reading()
        self.reader.feed_eof()

    def overdue(self, now_s: float, limits: Limits) -> str:
        """Why it is to end now; empty when it may stay."""
        if not self.session.terminal and now_s - self.began_s > limits.login_s:
            return f"not authenticated within {limits.login_s:.0f} s"
        if now_s - self.heard_s > limits.idle_s:
            return f"silent for {limits.idle_s:.0f} s"
        return ""


class _Keeper:
    """Gathers reports while the last group is being stored; wakes their senders when it is."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: list[tuple[list[Told], asyncio.Future[None]]] = []
        self._waiting_bytes = 0
        self._wake = asyncio.Event()
        self._stopping = False
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="keep reports")

    async def stop(self) -> None:
        self._stopping = True
        self._wake.set()
        if self._task is not None:
            await self._task

    async def keep(self, reports: list[Told]) -> None:
        """Return when they are safe; raises OSError when they cannot be kept."""
        size = sum(len(each.data) for each in reports if isinstance(each, Media))
        if size and self._waiting_bytes + size > MOST_WAITING_BYTES:
            raise OSError("too many pictures wait for the disk")
        safe: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((reports, safe))
        self._waiting_bytes += size
        self._wake.set()
        try:
            await safe
        finally:
            self._waiting_bytes -= size

    async def _run(self) -> None:
        while not (self._stopping and not self._waiting):
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                await self._store_group(self._next_group())

    def _next_group(self) -> list[tuple[list[Told], asyncio.Future[None]]]:
        size = count = 0
        for reports, _ in self._waiting:
            if size and size + len(reports) > MOST_REPORTS_AT_ONCE:
                break
            size += len(reports)
            count += 1
        group, self._waiting = self._waiting[:count], self._waiting[count:]
        return group

    async def _store_group(self, group: list[tuple[list[Told], asyncio.Future[None]]]) -> None:
        reports = [report for reports, _ in group for report in reports]
        failure: Exception | None = None
        try:
            await asyncio.to_thread(self._store.keep, reports)
        except Exception as fault:
            # Unconfirmed, the terminals send again; the loop must live to take it then.
            log.exception("%d reports could not be stored", len(reports))
            failure = OSError(f"not stored: {fault}")
        for _, safe in group:
            if safe.done():
                continue
            if failure is None:
                safe.set_result(None)
            else:
                safe.set_exception(failure)
