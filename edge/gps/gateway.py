"""The JT/T 808 server: thousands of terminals on one loop, each report safe before its answer.

Connections hand their reports to one keeper, which stores what has gathered in one go and only
then lets the answers out; while it stores, the next ones gather, so the disk sets the size of a
group, not the number of terminals. What a connection may cost is bounded: strangers have 30 s to
authenticate, the silent and the unreadable are shown out, a terminal that connects again takes
over from itself.
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
from edge.gps.jt808.orders import order_of
from edge.gps.jt808.session import Fleet, Memory, Reply, Session, Told

log = logging.getLogger(__name__)

CHUNK = 16_384
SEND_BUFFER = 16_384
MOST_REPORTS_AT_ONCE = 2_000
FAREWELL_S = 3.0
ANSWER_S = 20.0
RESEND_REQUEST = 0x0005


class NotConnected(GpsError):
    """The terminal is not here."""


class NoAnswer(GpsError):
    """The terminal took the order and said nothing."""


class CannotListen(GpsError):
    """The gateway's address cannot be used."""


@dataclass(frozen=True)
class Limits:
    """What the gateway allows. Seconds, and counts of connections."""

    connections: int = 20_000
    login_s: float = 30.0
    idle_s: float = 300.0
    send_s: float = 10.0
    tick_s: float = 1.0


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
        self._server: asyncio.Server | None = None
        self._sweeper: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Listen. Raises CannotListen."""
        try:
            self._server = await asyncio.start_server(
                self._serve, self.host, self.port, limit=CHUNK, backlog=1024
            )
        except OSError as fault:
            raise CannotListen(f"JT/T 808 gateway on {self.host}:{self.port}: {fault}") from None
        self.port = self._server.sockets[0].getsockname()[1]
        self._keeper.start()
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
        connection = _Connection(Session(self._fleet, self._memory_of), reader, writer)
        if len(self._connections) >= self._limits.connections:
            log.warning("connection refused: %d are open already", len(self._connections))
            writer.close()
            return
        self._connections.add(connection)
        link = writer.get_extra_info("socket")
        link.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        try:
            await self._converse(connection)
        except TimeoutError:
            connection.end = f"took no answer for {self._limits.send_s:.0f} s"
            writer.transport.abort()
        except OSError as fault:
            connection.end = connection.end or str(fault)
        finally:
            terminal = connection.session.terminal
            log.debug("terminal %s: %s", terminal or "?", connection.end or "hung up")
            self._connections.discard(connection)
            if self.connected.get(terminal) is connection:
                del self.connected[terminal]
            connection.give_up()
            writer.close()

    async def _converse(self, connection: "_Connection") -> None:
        connection.task = asyncio.current_task()
        session, reader, writer = connection.session, connection.reader, connection.writer
        while not connection.end and (chunk := await reader.read(CHUNK)):
            connection.heard_s = time.monotonic()
            turn = session.feed(chunk, connection.heard_s, self._now())
            if session.terminal:
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

        Raises BadOrder, NotConnected, NoAnswer.
        """
        connection = self.connected.get(terminal)
        if connection is None:
            raise NotConnected(f"terminal {terminal} is not connected")
        order = order_of(name, arguments, connection.session.version)
        packets = connection.session.order(order.msg_id, order.body)
        answer: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        asked = _Asked(order.answer, packets, answer)
        connection.asked.append(asked)
        try:
            connection.writer.write(b"".join(packets.values()))
            return await asyncio.wait_for(answer, timeout_s)
        except TimeoutError:
            raise NoAnswer(f"terminal {terminal} did not answer in {timeout_s:.0f} s") from None
        finally:
            connection.asked.remove(asked)

    def _take_over(self, terminal: str, connection: "_Connection") -> None:
        before = self.connected.get(terminal)
        if before is not None and before is not connection:
            log.info("terminal %s connected again", terminal)
            before.writer.close()
        self.connected[terminal] = connection

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


@dataclass(eq=False)
class _Connection:
    session: Session
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    began_s: float = field(default_factory=time.monotonic)
    heard_s: float = field(default_factory=time.monotonic)
    end: str = ""
    task: asyncio.Task[None] | None = None
    asked: list[_Asked] = field(default_factory=list)

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
        safe: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((reports, safe))
        self._wake.set()
        await safe

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
