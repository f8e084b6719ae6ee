"""How fast positions are read, per second of processor time; look at the ratios.

`python bench/gps.py nmea [LOG…]`: sentences a second, beside pynmea2 in a plain loop. Without logs
a made one is used: four systems, twenty sentences an epoch, as a modern receiver sends them. The
rival gets clean lines and a right answer for free; `lazy` only parses, `fields` also reads what a
fix needs from RMC and GGA.

`python bench/gps.py jt808`: JT/T 808 reports a second through a session, beside the 1,000 a second
that 10,000 terminals send.

`python bench/gps.py gateway [TERMINALS [SECONDS]]`: that many terminals on loopback, a report each
10 s, into a real outbox and beside it into a store that only counts; the share of one core the
gateway took, and whether every report was confirmed and kept.

`python bench/gps.py fleet [TERMINALS [SECONDS]]`: the same with everything behind it: a deployed
gateway, Mosquitto and a hub; every report must be a fix in the hub's database.
"""

import asyncio
import io
import json
import multiprocessing
import resource
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext, suppress
from datetime import UTC, datetime
from functools import reduce
from multiprocessing.connection import Connection
from operator import xor
from pathlib import Path
from tempfile import TemporaryDirectory

import ingest
import pynmea2

from edge.gps.commands import decode_nmea
from edge.gps.gateway import Gateway, Limits
from edge.gps.jt808.frame import Frame, Header, encode
from edge.gps.jt808.position import CHINA
from edge.gps.jt808.session import Fleet, Memory, Session
from edge.gps.jt808.told import Told
from edge.gps.reports import OutboxReports
from edge.outbox import Outbox
from tianyan.broker import free_port

EPOCH = (
    "GNRMC,{tod},A,3240.00{n:03d},N,10902.00{n:03d},E,10.040,90.0,011026,,,D,V",
    "GNVTG,,T,,M,0.040,N,0.075,K,D",
    "GNGGA,{tod},3240.00{n:03d},N,10902.00{n:03d},E,2,12,0.54,83.1,M,-29.5,M,,0000",
    *["GNGSA,A,3,29,20,18,16,51,13,44,26,,,,,0.99,0.54,0.83,1"] * 4,
    *["GPGSV,4,1,16,05,01,047,,10,29,224,,13,22,062,23,15,40,094,,1"] * 11,
    "GNGLL,3240.00{n:03d},N,10902.00{n:03d},E,{tod},A,D",
    "GNZDA,{tod},01,10,2026,00,00",
)


def made_log(epochs: int = 2000) -> bytes:
    lines = []
    for n in range(epochs):
        tod = f"{10 + n // 3600:02d}{n // 60 % 60:02d}{n % 60:02d}.00"
        lines += [body.format(tod=tod, n=n % 1000) for body in EPOCH]
    return b"".join(b"$%b*%02X\r\n" % (b.encode(), reduce(xor, b.encode())) for b in lines)


def ours(data: bytes) -> int:
    *_, last = decode_nmea(io.BytesIO(data))
    return last["summary"]["checksum_ok"]


def rival_lazy(data: bytes) -> int:
    read = 0
    for text in data.decode("latin-1").splitlines():
        try:
            pynmea2.parse(text, check=True)
        except pynmea2.ParseError:
            continue
        read += 1
    return read


def rival_fields(data: bytes) -> int:
    read = 0
    for text in data.decode("latin-1").splitlines():
        try:
            message = pynmea2.parse(text, check=True)
        except pynmea2.ParseError:
            continue
        read += 1
        if isinstance(message, pynmea2.RMC) and message.status == "A":
            _ = (message.datetime, message.latitude, message.longitude, message.spd_over_grnd)
        elif isinstance(message, pynmea2.GGA) and message.gps_qual:
            _ = (message.latitude, message.longitude, message.altitude, message.num_sats)
    return read


def rate(work: Callable[[bytes], int], data: bytes) -> float:
    best = 0.0
    for _ in range(3):
        began = time.process_time()
        read = work(data)
        best = max(best, read / (time.process_time() - began))
    return best


def nmea(paths: list[str]) -> None:
    logs = {path: Path(path).read_bytes() for path in paths} or {"made log": made_log()}
    for name, data in logs.items():
        repeated = data * max(1, 2_000_000 // len(data))
        own = rate(ours, repeated)
        print(f"{name}: {own:,.0f} sentences/s with framing, epochs and fixes")
        for label, work in (("lazy", rival_lazy), ("fields", rival_fields)):
            other = rate(work, repeated)
            print(f"  pynmea2 {label}: {other:,.0f}/s, ratio {own / other:.2f}")


# JT/T 808

FLEET_REPORTS_PER_S = 1000
Look = Callable[[], tuple[int, float]]
"""Gives how many reports are kept, and the processor time (s) it took so far."""

FLEET = Fleet({}, secret=b"bench", is_open=True)
ITEMS = bytes.fromhex("01040000000b0202001630011e310109250400000063")


def phone_of(n: int) -> str:
    return f"1{n:011d}"


def report_of(phone: str, serial: int, at: datetime) -> bytes:
    fixed = struct.pack(">IIIIhHH", 0, 3, 32_680_000 + serial, 109_030_000, 250, 365, 90)
    time_bcd = bytes.fromhex(at.astimezone(CHINA).strftime("%y%m%d%H%M%S"))
    return encode(Frame(Header(0x0200, "2013", phone, serial), fixed + time_bcd + ITEMS))


def login_of(phone: str) -> bytes:
    code = FLEET.code(phone.lstrip("0")).encode()
    return encode(Frame(Header(0x0102, "2013", phone, 0), code))


def jt808(_: list[str]) -> None:
    now = datetime.now(UTC)
    count = 20_000
    wires = [report_of(phone_of(1), n & 0xFFFF, now) for n in range(count)]
    session = Session(FLEET, lambda _: Memory())
    session.feed(login_of(phone_of(1)), 0.0, now)
    began = time.process_time()
    for wire in wires:
        session.kept(session.feed(wire, 0.0, now))
    own = count / (time.process_time() - began)
    print(f"jt808: {own:,.0f} reports/s framed, read, answered; {own / FLEET_REPORTS_PER_S:.1f} x")


class Counted:
    """Keeps nothing but the number."""

    count = 0

    def keep(self, reports: Sequence[Told]) -> None:
        """Count them."""
        self.count += len(reports)


class Kept(OutboxReports):
    """Keeps them in an outbox on disk, as the agent does."""

    count = 0

    def keep(self, reports: Sequence[Told]) -> None:
        """Store and count them."""
        super().keep(reports)
        self.count += len(reports)


@contextmanager
def real_outbox() -> Iterator[Kept]:
    with TemporaryDirectory(dir=Path.cwd()) as folder:
        outbox = Outbox(Path(folder) / "outbox.db", "gateway-1", lambda: int(time.time() * 1000))
        yield Kept(outbox)
        outbox.close()


STORES: dict[str, Callable[[], AbstractContextManager[Counted | Kept]]] = {
    "counting": lambda: nullcontext(Counted()),
    "outbox": real_outbox,
}


def allow_files(count: int) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if hard != resource.RLIM_INFINITY and hard < count + 100:
        sys.exit(f"{count} terminals need {count + 100} open files, {hard} are allowed: ulimit -Hn")


def serve(pipe: Connection, terminals: int, store_name: str) -> None:
    async def run(store: Counted | Kept) -> None:
        limits = Limits(connections=terminals + 10)
        async with Gateway(FLEET, store, host="127.0.0.1", port=0, limits=limits) as gateway:
            pipe.send(gateway.port)
            await asyncio.to_thread(pipe.recv)
            pipe.send((store.count, time.process_time()))
            await asyncio.to_thread(pipe.recv)
            pipe.send((store.count, time.process_time()))

    allow_files(terminals)
    with STORES[store_name]() as store:
        asyncio.run(run(store))


async def drive(port: int, n: int, gate: asyncio.Event, until_s: list[float]) -> tuple[int, int]:
    """One terminal: reports sent and confirmed."""
    phone = phone_of(n)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(login_of(phone))
    await reader.readexactly(1)
    await reader.readuntil(b"\x7e")
    await gate.wait()
    await asyncio.sleep(10 * n * 0.618 % 10)
    sent = confirmed = 0
    while time.monotonic() < until_s[0]:
        due_s = time.monotonic() + 10
        sent += 1
        writer.write(report_of(phone, sent, datetime.now(UTC)))
        await reader.readexactly(1)
        await reader.readuntil(b"\x7e")
        confirmed += 1
        await asyncio.sleep(max(0.0, due_s - time.monotonic()))
    writer.close()
    return sent, confirmed


async def soak(port: int, terminals: int, seconds: float, look: Look) -> tuple[int, float]:
    """Let the terminals talk; give how many reports were sent and the share of a core it took."""
    gate, until_s = asyncio.Event(), [0.0]
    tasks = []
    for n in range(terminals):
        tasks.append(asyncio.create_task(drive(port, n, gate, until_s)))
        if n % 200 == 0:
            await asyncio.sleep(0.1)
    await asyncio.sleep(3)
    kept_before, cpu_before = await asyncio.to_thread(look)
    began_s = time.monotonic()
    until_s[0] = began_s + seconds
    gate.set()
    done = await asyncio.gather(*tasks)
    took_s = time.monotonic() - began_s
    kept, cpu = await asyncio.to_thread(look)
    sent, confirmed = sum(each[0] for each in done), sum(each[1] for each in done)
    share = float(cpu - cpu_before) / took_s
    print(
        f"  {terminals} terminals, {sent} reports in {took_s:.0f} s, {confirmed} confirmed,"
        f" {kept - kept_before} kept; {share:.0%} of one core"
    )
    return sent, share


def gateway(arguments: list[str]) -> None:
    terminals, seconds = (*map(int, arguments), *(10_000, 60)[len(arguments) :])
    allow_files(terminals)
    shares = {}
    for name in STORES:
        print(f"gateway, {name}:")
        here, there = multiprocessing.Pipe()
        server = multiprocessing.Process(target=serve, args=(there, terminals, name))
        server.start()
        port = here.recv()

        def look(pipe: Connection = here) -> tuple[int, float]:
            pipe.send("look")
            return pipe.recv()

        _, shares[name] = asyncio.run(soak(port, terminals, seconds, look))
        server.join()
    print(f"outbox : counting = {shares['outbox'] / shares['counting']:.2f}")


def fleet(arguments: list[str]) -> None:
    terminals, seconds = (*map(int, arguments), *(10_000, 60)[len(arguments) :])
    allow_files(terminals)
    with TemporaryDirectory(dir=Path.cwd()) as name, ingest.running(Path(name)) as bench:
        folder, port = Path(name), free_port()
        (folder / "secret").write_bytes(FLEET.secret)
        (folder / "password").write_text(ingest.USERS["bench"])
        config = {
            "device": "bench",
            "data_dir": str(folder / "edge"),
            "broker": {"port": bench.port, "password_file": str(folder / "password")},
            "gateway": {
                "host": "127.0.0.1",
                "port": port,
                "open": True,
                "secret_file": str(folder / "secret"),
            },
        }
        (folder / "edge.yaml").write_text(json.dumps(config))
        command = [sys.executable, "-m", "tianyan.cli", "gps", "gateway", folder / "edge.yaml"]
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as gateway_process:
            while not is_open(port):
                time.sleep(0.1)

            def look() -> tuple[int, float]:
                with closing(bench.database) as db:
                    return ingest.stored_fixes(db), ingest.cpu_seconds(gateway_process.pid)

            hub_before, began_s = ingest.cpu_seconds(bench.hub.pid), time.monotonic()
            sent, _ = asyncio.run(soak(port, terminals, seconds, look))
            took_s = time.monotonic() - began_s
            hub_share = (ingest.cpu_seconds(bench.hub.pid) - hub_before) / took_s
            ended_s = time.monotonic()
            while (stored := look()[0]) < sent and time.monotonic() - ended_s < 120:
                time.sleep(0.2)
            print(
                f"  {stored} of {sent} in the hub's database {time.monotonic() - ended_s:.1f} s"
                f" after the last; hub {hub_share:.0%} of one core"
            )
            gateway_process.terminate()


def is_open(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
        return True
    return False


PARTS = {"fleet": fleet, "nmea": nmea, "jt808": jt808, "gateway": gateway}


def main() -> None:
    name, *arguments = sys.argv[1:] or ["nmea"]
    PARTS[name](arguments)


if __name__ == "__main__":
    main()
