"""The JT/T 808 server on real sockets: what is confirmed is kept, and nobody can hurt the rest."""

import asyncio
import socket
import threading
from collections.abc import Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from edge.gps.gateway import CannotListen, Gateway, Limits, NoAnswer, NotConnected
from edge.gps.jt808.frame import Frame, Framer
from edge.gps.jt808.orders import BadOrder
from edge.gps.jt808.session import Fleet
from edge.gps.jt808.told import Report
from tests import media_files
from tests.edge.gps.jt808.reports import frame, report

FLEET = Fleet({}, secret=b"x", is_open=True)
QUICK = Limits(tick_s=0.02)


class Shelf:
    """A store in memory that can be slow or broken."""

    def __init__(self) -> None:
        self.groups: list[list[Report]] = []
        self.broken = False
        self.may_finish = threading.Event()
        self.may_finish.set()

    def keep(self, reports: Sequence[Report]) -> None:
        self.may_finish.wait(60)
        if self.broken:
            raise OSError("disk full")
        self.groups.append(list(reports))

    @property
    def vehicles(self) -> list[str]:
        return [each.vehicle for group in self.groups for each in group]


class Terminal:
    """A terminal that says what it is told to."""

    def __init__(self, reader, writer, phone: str) -> None:
        self.reader, self.writer, self.phone = reader, writer, phone
        self.serial = 0
        self.framer = Framer()
        self.heard: list[Frame] = []

    def say(self, msg_id: int, body: bytes = b"") -> None:
        self.serial += 1
        self.writer.write(frame(msg_id, body, self.serial, phone=self.phone))

    async def hear(self) -> tuple[int, str] | None:
        """The next answer; None when the connection has ended."""
        out = await self.hear_frame()
        return out and (out.header.msg_id, out.body.hex())

    async def hear_frame(self) -> Frame | None:
        while not self.heard:
            chunk = await asyncio.wait_for(self.reader.read(4096), 60)
            if not chunk:
                return None
            self.heard += [out for out in self.framer.feed(chunk) if isinstance(out, Frame)]
        return self.heard.pop(0)

    async def ask(self, msg_id: int, body: bytes = b"") -> tuple[int, str] | None:
        self.say(msg_id, body)
        return await self.hear()

    async def log_in(self) -> None:
        code = FLEET.code(self.phone.lstrip("0")).encode()
        assert await self.ask(0x0102, code) == (0x8001, f"{self.serial:04x}010200")


@asynccontextmanager
async def terminal(gateway: Gateway, phone: str = "013912344321"):
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    try:
        yield Terminal(reader, writer, phone)
    finally:
        writer.close()


async def until(holds) -> None:
    async with asyncio.timeout(60):
        while not holds():  # noqa: ASYNC110 - nobody tells of it
            await asyncio.sleep(0.01)


def listening(shelf: Shelf, limits: Limits = QUICK, fleet: Fleet = FLEET) -> Gateway:
    return Gateway(fleet, shelf, host="127.0.0.1", port=0, limits=limits)


def test_a_day_of_a_terminal():
    async def run() -> None:
        shelf = Shelf()
        async with listening(shelf) as gateway, terminal(gateway) as one:
            answer = await one.ask(0x0100, bytes(37))
            assert answer is not None
            assert answer[0] == 0x8100
            await one.log_in()
            assert set(gateway.connected) == {"13912344321"}
            assert await one.ask(0x0002) == (0x8001, "0003000200")
            assert await one.ask(0x0200, report()) == (0x8001, "0004020000")
            assert shelf.vehicles == ["13912344321"]
            assert await one.ask(0x0003) == (0x8001, "0005000300")
            assert await one.hear() is None
        assert gateway.connected == {}

    asyncio.run(run())


def test_nothing_is_confirmed_before_it_is_kept():
    async def run() -> None:
        shelf = Shelf()
        async with listening(shelf) as gateway, terminal(gateway) as one:
            await one.log_in()
            shelf.may_finish.clear()
            one.say(0x0200, report())
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(asyncio.shield(one.reader.read(1)), 0.1)
            shelf.may_finish.set()

    asyncio.run(run())


def test_what_cannot_be_kept_is_not_confirmed_and_taken_when_it_comes_again():
    async def run() -> None:
        shelf = Shelf()
        async with listening(shelf) as gateway:
            async with terminal(gateway) as one:
                await one.log_in()
                shelf.broken = True
                assert await one.ask(0x0200, report()) is None
            shelf.broken = False
            async with terminal(gateway) as one:
                await one.log_in()
                assert await one.ask(0x0200, report()) == (0x8001, "0002020000")
        assert len(shelf.vehicles) == 1

    asyncio.run(run())


def test_reports_gather_while_the_store_is_busy():
    async def run() -> None:
        shelf = Shelf()
        async with listening(shelf) as gateway:
            phones = [f"0139000000{n:02d}" for n in range(20)]
            async with asyncio.TaskGroup() as group:
                for phone in phones:
                    group.create_task(talk(gateway, phone, shelf))
        assert sorted(shelf.vehicles) == sorted(phone.lstrip("0") for phone in phones)
        assert len(shelf.groups) < len(phones)

    async def talk(gateway: Gateway, phone: str, shelf: Shelf) -> None:
        async with terminal(gateway, phone) as one:
            await one.log_in()
            shelf.may_finish.clear()
            one.say(0x0200, report())
            await asyncio.sleep(0.1)
            shelf.may_finish.set()
            assert (await one.hear() or ("", ""))[0] == 0x8001

    asyncio.run(run())


def test_a_terminal_that_connects_again_takes_over():
    async def run() -> None:
        shelf = Shelf()
        async with listening(shelf) as gateway, terminal(gateway) as old:
            await old.log_in()
            async with terminal(gateway) as new:
                await new.log_in()
                assert await old.hear() is None
                assert await new.ask(0x0200, report()) == (0x8001, "0002020000")
                assert set(gateway.connected) == {"13912344321"}

    asyncio.run(run())


@pytest.mark.parametrize(
    ("limits", "login"),
    [(replace(QUICK, login_s=2.0), False), (replace(QUICK, idle_s=2.0), True)],
)
def test_who_says_nothing_is_shown_out_and_the_rest_stays(limits, login):
    async def run() -> None:
        shelf = Shelf()
        async with listening(shelf, limits) as gateway, terminal(gateway, "013900000001") as silent:
            if login:
                await silent.log_in()
            async with terminal(gateway) as one:
                await one.log_in()
                shown_out = asyncio.create_task(silent.hear())
                while not shown_out.done():
                    await asyncio.sleep(0.05)
                    await one.ask(0x0002)
                assert set(gateway.connected) == {"13912344321"}
                with pytest.raises((ConnectionError, AssertionError)):
                    assert await shown_out is not None

    asyncio.run(run())


def test_rubbish_and_cut_frames_hurt_nobody_else():
    async def run() -> None:
        shelf = Shelf()
        async with listening(shelf) as gateway, terminal(gateway) as one:
            await one.log_in()
            async with terminal(gateway, "013900000001") as mad:
                await mad.log_in()
                mad.writer.write(b"\x7e" + b"\xff" * 1000 + frame(0x0200, report())[:20])
                mad.say(0x0002)
                assert (await mad.hear() or (0, ""))[0] == 0x8001
                mad.writer.write(b"\x7e".join([b"\x00" * 900] * 100))
                with pytest.raises((ConnectionError, AssertionError)):
                    assert await mad.hear() is not None
            assert await one.ask(0x0200, report()) == (0x8001, "0002020000")

    asyncio.run(run())


def test_connections_are_bounded():
    async def run() -> None:
        shelf = Shelf()
        async with (
            listening(shelf, replace(QUICK, connections=1)) as gateway,
            terminal(gateway) as one,
        ):
            await one.log_in()
            async with terminal(gateway, "013900000001") as other:
                with pytest.raises((ConnectionError, AssertionError)):
                    assert await other.hear() is not None
            assert await one.ask(0x0002) == (0x8001, "0002000200")

    asyncio.run(run())


def test_who_never_reads_its_answers_is_shown_out():
    async def flood(link: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(20):
            while True:
                await loop.sock_sendall(link, frame(0x0002, phone="013912344321") * 100)

    async def run() -> None:
        limits = replace(QUICK, send_s=0.1, per_s=1e6, bytes_per_s=1e9)
        async with listening(Shelf(), limits) as gateway:
            with socket.create_connection(("127.0.0.1", gateway.port)) as link:
                link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                link.sendall(frame(0x0102, FLEET.code("13912344321").encode()))
                link.setblocking(False)
                with pytest.raises(ConnectionError):
                    await flood(link)
            assert gateway.connected == {}

    asyncio.run(run())


def test_a_byte_now_and_then_is_silence():
    async def run() -> None:
        limits = replace(QUICK, login_s=2.0, idle_s=2.0)
        async with (
            listening(Shelf(), limits) as gateway,
            terminal(gateway, "013900000001") as stranger,
            terminal(gateway, "013900000002") as known,
        ):
            await known.log_in()
            ends = [asyncio.create_task(drip(each)) for each in (stranger, known)]
            assert all(seconds < 60 for seconds in await asyncio.gather(*ends))
            assert gateway.connected == {}

    async def drip(one: Terminal) -> float:
        began = asyncio.get_running_loop().time()
        try:
            for byte in frame(0x0200, report()) * 100:
                one.writer.write(bytes([byte]))
                await one.writer.drain()
                await asyncio.sleep(0.05)
                if one.reader.at_eof():
                    break
        except ConnectionError:
            pass
        return asyncio.get_running_loop().time() - began

    asyncio.run(run())


def test_sockets_that_say_nothing_make_way_for_terminals():
    async def run() -> None:
        limits = replace(QUICK, strangers=50, connections=60)
        async with listening(Shelf(), limits) as gateway:
            opened = [await asyncio.open_connection("127.0.0.1", gateway.port) for _ in range(200)]
            await until(lambda: len(gateway._connections) <= 50)
            for n in range(60):
                async with terminal(gateway, f"0139000000{n:02d}") as one:
                    await one.log_in()
                    assert await one.ask(0x0200, report()) == (0x8001, "0002020000")
            for _, writer in opened:
                writer.close()

    asyncio.run(run())


def test_one_that_floods_is_slowed_and_loses_nothing_and_the_rest_is_served_at_once():
    many = 1200  # many chunks: what was read in the last one is answered without waiting

    async def run() -> None:
        shelf = Shelf()
        limits = replace(QUICK, per_s=400.0, burst=200.0)
        async with (
            listening(shelf, limits) as gateway,
            terminal(gateway, "013900000001") as mad,
            terminal(gateway) as one,
        ):
            await mad.log_in()
            await one.log_in()
            loop = asyncio.get_running_loop()
            began_s, waits = loop.time(), []
            for n in range(many):
                mad.say(0x0200, report(lat=32 + n / 1e4))
            for _ in range(10):
                asked_s = loop.time()
                await one.ask(0x0200, report(lat=33))
                waits.append(loop.time() - asked_s)
                await asyncio.sleep(0.02)
            heard = [await mad.hear() for _ in range(many)]
            assert all(answer and answer[0] == 0x8001 for answer in heard)
            took_s = loop.time() - began_s
            assert took_s > (2 * many - 200) / 400 / 2
            assert max(waits) < took_s / 2
        assert shelf.vehicles.count("13900000001") == many

    asyncio.run(run())


def test_who_was_taken_over_from_says_no_more():
    async def run() -> None:
        shelf = Shelf()
        async with listening(shelf) as gateway, terminal(gateway) as old:
            await old.log_in()
            shelf.may_finish.clear()
            old.say(0x0200, report())
            await asyncio.sleep(0.05)
            old.say(0x0200, report(lat=32.5))
            async with terminal(gateway) as new:
                await new.log_in()
                shelf.may_finish.set()
                assert await new.ask(0x0200, report(lat=32.6)) == (0x8001, "0002020000")
                assert gateway.connected["13912344321"].writer.is_closing() is False

    asyncio.run(run())


def test_a_connection_may_change_its_terminal():
    async def run() -> None:
        async with listening(Shelf()) as gateway, terminal(gateway) as one:
            await one.log_in()
            one.phone = "013900000001"
            await one.log_in()
            assert set(gateway.connected) == {"13900000001"}
        assert gateway.connected == {}

    asyncio.run(run())


def test_split_messages_of_all_share_a_room_and_leave_it():
    async def run() -> None:
        limits = replace(QUICK, split_bytes=100_000)
        async with listening(Shelf(), limits) as gateway:
            for n in range(20):
                async with terminal(gateway, f"0139000000{n:02d}") as one:
                    await one.log_in()
                    for number in range(1, 20):
                        one.writer.write(
                            frame(0x0801, b"x" * 1000, 100 + number, phone=one.phone, total=99,
                                  number=number)
                        )  # fmt: skip
                        await one.hear()
                    assert 0 < gateway._room.size <= 100_000
            await until(lambda: gateway._room.size == 0)

    asyncio.run(run())


def test_a_terminal_that_confirms_and_sends_nothing_more():
    async def run() -> None:
        async with listening(Shelf()) as gateway, terminal(gateway) as one:
            await one.log_in()
            asked = asyncio.create_task(gateway.ask("13912344321", "photo", {}, 0.2))
            heard = await one.hear_frame()
            one.say(0x0001, heard.header.serial.to_bytes(2) + bytes.fromhex("880100"))
            assert (await asked).values["result"] == 0

    asyncio.run(run())


def test_a_port_in_use_is_said():
    async def run() -> None:
        async with listening(Shelf()) as gateway:
            other = Gateway(FLEET, Shelf(), host="127.0.0.1", port=gateway.port)
            with pytest.raises(CannotListen, match=f"127.0.0.1:{gateway.port}"):
                await other.__aenter__()

    asyncio.run(run())


def test_missing_packets_are_asked_for(monkeypatch):
    monkeypatch.setattr("edge.gps.jt808.session.PATIENCE_S", 0.05)

    async def run() -> None:
        async with listening(Shelf()) as gateway, terminal(gateway) as one:
            await one.log_in()
            one.writer.write(frame(0x0801, b"x", 9, phone=one.phone, total=3, number=2))
            assert await one.hear() == (0x8001, "0009080100")
            assert await one.hear() == (0x8003, "00080200010003")

    asyncio.run(run())


def test_what_was_heard_is_kept_and_confirmed_before_the_end(caplog):
    async def run() -> None:
        shelf = Shelf()
        gateway = listening(shelf)
        await gateway.__aenter__()
        async with terminal(gateway) as one, terminal(gateway, "013900000001") as idle:
            await one.log_in()
            await idle.log_in()
            shelf.may_finish.clear()
            one.say(0x0200, report())
            await asyncio.sleep(0.1)
            end = asyncio.create_task(gateway.__aexit__())
            await asyncio.sleep(0.1)
            shelf.may_finish.set()
            assert await one.hear() == (0x8001, "0002020000")
            assert await one.hear() is None
            assert await idle.hear() is None
            await end
        assert len(shelf.vehicles) == 1

    asyncio.run(run())
    assert "exception" not in caplog.text.lower()


@pytest.mark.parametrize(
    ("data", "kept", "answer"),
    [
        (b"\xff\xd8\xff" + bytes(range(256)) * 9, 1, (0x8800, "00000007")),
        (b"RIFF" + bytes(2000), 0, None),
        (media_files.wav()[:9000], 1, (0x8800, "00000007")),
        (media_files.tif()[:9000], 1, (0x8800, "00000007")),
        (media_files.film("asf")[:9000], 1, (0x8800, "00000007")),
    ],
)
def test_a_picture_in_packets_is_taken_when_it_is_kept(data, kept, answer):
    async def run() -> None:
        shelf = Shelf()
        body = bytes.fromhex("0000000700000301") + report() + data
        parts = [body[at : at + 900] for at in range(0, len(body), 900)]
        async with listening(shelf) as gateway, terminal(gateway) as one:
            await one.log_in()
            for number, part in enumerate(parts, 1):
                heard = {"total": len(parts), "number": number}
                one.writer.write(frame(0x0801, part, 50 + number, phone=one.phone, **heard))
            for number in range(1, len(parts)):
                assert await one.hear() == (0x8001, f"{50 + number:04x}080100")
            last = 50 + len(parts)
            assert await one.hear() == (answer or (0x8001, f"{last:04x}080103"))
        media = [each for group in shelf.groups for each in group]
        assert [(each.event, each.channel, each.data) for each in media] == [(3, 1, data)][:kept]

    asyncio.run(run())


async def answered(one: Terminal, msg_id: int, body: bytes, gateway: Gateway, *order):
    """Order something; the terminal hears it and says `msg_id` with its serial and `body`."""
    asked = asyncio.create_task(gateway.ask("13912344321", *order))
    heard = await one.hear_frame()
    one.say(msg_id, heard.header.serial.to_bytes(2) + body)
    return heard, asked


def test_an_order_waits_for_its_own_answer():
    async def run() -> None:
        async with listening(Shelf()) as gateway, terminal(gateway) as one:
            await one.log_in()
            heard, asked = await answered(
                one, 0x0001, bytes.fromhex("830000"), gateway, "text", {"text": "停车"}
            )
            assert (heard.header.msg_id, heard.body) == (0x8300, b"\x0c\xcd\xa3\xb3\xb5")
            assert (await asked).values["result"] == 0

            # A general reply that all is well is not the position yet.
            asked = asyncio.create_task(gateway.ask("13912344321", "position", {}))
            heard = await one.hear_frame()
            serial = heard.header.serial.to_bytes(2)
            one.say(0x0001, serial + bytes.fromhex("820100"))
            one.say(0x0201, serial + report(lat=32.5))
            assert (await asked).values["positions"][0].lat == 32.5

    asyncio.run(run())


def test_an_order_that_is_refused_or_never_answered():
    async def run() -> None:
        async with listening(Shelf()) as gateway:
            with pytest.raises(NotConnected):
                await gateway.ask("13912344321", "position", {})
            async with terminal(gateway) as one:
                await one.log_in()
                _, asked = await answered(
                    one, 0x0001, bytes.fromhex("820103"), gateway, "position", {}
                )
                assert (await asked).values["result"] == 3
                with pytest.raises(BadOrder):
                    await gateway.ask("13912344321", "reboot", {})
                with pytest.raises(NoAnswer):
                    await gateway.ask("13912344321", "position", {}, 0.05)
                asked = asyncio.create_task(gateway.ask("13912344321", "position", {}))
                await one.hear_frame()
            with pytest.raises(NotConnected):
                await asked

    asyncio.run(run())


def test_a_long_order_travels_in_packets_and_missing_ones_again():
    corners = [[32.0 + n / 1000, 109.0 + n % 2] for n in range(200)]
    fence = {"shape": "polygon", "id": 1, "corners": corners}

    async def run() -> None:
        async with listening(Shelf()) as gateway, terminal(gateway) as one:
            await one.log_in()
            asked = asyncio.create_task(gateway.ask("13912344321", "set_fence", {"fence": fence}))
            first, second = await one.hear_frame(), await one.hear_frame()
            assert [(f.header.total, f.header.number) for f in (first, second)] == [(2, 1), (2, 2)]
            assert len(first.body + second.body) == 8 + 8 * 200
            serial = first.header.serial.to_bytes(2)
            one.say(0x0005, serial + bytes.fromhex("010002"))
            again = [await one.hear_frame(), await one.hear_frame()]
            assert second in again
            one.say(0x0001, serial + bytes.fromhex("860400"))
            one.say(0x0001, second.header.serial.to_bytes(2) + bytes.fromhex("860400"))
            assert (await asked).values["result"] == 0

    asyncio.run(run())
