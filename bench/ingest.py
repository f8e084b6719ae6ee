"""How fast the hub takes messages, beside the bars of the design and the raw rate of SQLite.

    .venv/bin/python bench/ingest.py [--quick]

Starts a private Mosquitto and a hub as a deployment would, publishes with QoS 1 from a raw socket
(so that the publisher costs little), and measures to the commit: fixes by what is in the
database, alerts by the receipt that follows the commit. Prints one JSON line a measurement.
"""

import argparse
import contextlib
import json
import os
import signal
import socket
import sqlite3
import struct
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from tianyan.broker import free_port, start_broker
from wire.alert import Alert, AlertState
from wire.codec import encode
from wire.topics import up
from wire.track import Track, TrackPoint

EPOCH = "00000000000000ab"
USERS = {"hub": "h", "bench": "b"}
WINDOW = 2000


class Publisher:
    """The least of an MQTT 3.1.1 client that can publish with QoS 1 and read what it subscribed."""

    def __init__(self, port: int, name: str) -> None:
        """Connect as the hub's user, who may speak for every device."""
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.on_message = lambda _topic, _payload: None
        self.acked = 0
        self.sent = 0
        self.room = threading.Semaphore(WINDOW)
        body = b"\x00\x04MQTT\x04\xc2\x01\x2c" + text(name) + text("hub") + text("h")
        self.socket.sendall(packet(0x10, body))
        self.socket.recv(4)
        threading.Thread(target=self._read, daemon=True).start()

    def subscribe(self, topic: str) -> None:
        """Ask for what is published on a topic."""
        self.socket.sendall(packet(0x82, b"\x00\x01" + text(topic) + b"\x01"))

    def publish(self, messages: list[tuple[str, bytes]]) -> None:
        """Send; waits while too many are unanswered."""
        parts = []
        for topic, payload in messages:
            self.room.acquire()
            self.sent += 1
            mid = struct.pack(">H", self.sent % 65535 + 1)
            parts.append(packet(0x32, text(topic) + mid + payload))
        self.socket.sendall(b"".join(parts))

    def _read(self) -> None:
        buffer = bytearray()
        with contextlib.suppress(OSError):
            while data := self.socket.recv(65536):
                buffer += data
                while (got := take(buffer)) is not None:
                    self._one(*got)

    def _one(self, kind: int, body: bytes) -> None:
        if kind & 0xF0 == 0x40:
            self.acked += 1
            self.room.release()
        elif kind & 0xF0 == 0x30:
            (size,) = struct.unpack(">H", body[:2])
            topic, rest = body[2 : 2 + size], body[2 + size :]
            if kind & 6:
                self.socket.sendall(packet(0x40, rest[:2]))
                rest = rest[2:]
            self.on_message(topic.decode(), rest)


def text(value: str) -> bytes:
    raw = value.encode()
    return struct.pack(">H", len(raw)) + raw


def packet(kind: int, body: bytes) -> bytes:
    size, length = len(body), bytearray()
    while True:
        size, digit = divmod(size, 128)
        length.append(digit | (0x80 if size else 0))
        if not size:
            return bytes([kind]) + bytes(length) + body


def take(buffer: bytearray) -> tuple[int, bytes] | None:
    size, shift, at = 0, 0, 1
    while True:
        if len(buffer) <= at:
            return None
        digit = buffer[at]
        size |= (digit & 127) << shift
        shift, at = shift + 7, at + 1
        if digit < 128:
            break
    if len(buffer) < at + size:
        return None
    kind, body = buffer[0], bytes(buffer[at : at + size])
    del buffer[: at + size]
    return kind, body


@dataclass
class Bench:
    """A broker and a hub, and the numbers already used."""

    folder: Path
    port: int
    hub: subprocess.Popen
    seqs: dict[str, int] = field(default_factory=dict)

    @property
    def database(self) -> sqlite3.Connection:
        """The hub's database, to look at."""
        return sqlite3.connect(f"file:{self.folder / 'hub.sqlite'}?mode=ro", uri=True)

    def next_seq(self, dev: str, count: int = 1) -> int:
        """Take the next `count` numbers of a device; returns the first."""
        first = self.seqs.get(dev, 0)
        self.seqs[dev] = first + count
        return first


@contextlib.contextmanager
def running(folder: Path) -> Iterator[Bench]:
    broker = start_broker(folder / "broker", USERS, free_port())
    (folder / "hub-password").write_text("h")
    http = free_port()
    (folder / "grids.geojson").write_text(json.dumps(grids()))
    config = {
        "data_dir": str(folder),
        "listen": {"port": http},
        "broker": {"port": broker.port, "password_file": str(folder / "hub-password")},
        "grids": [str(folder / "grids.geojson")],
    }
    (folder / "hub.yaml").write_text(yaml.safe_dump(config))
    hub = subprocess.Popen([sys.executable, "-m", "tianyan.cli", "hub", "run", folder / "hub.yaml"])
    try:
        wait_ready(http)
        yield Bench(folder, broker.port, hub)
    finally:
        hub.send_signal(signal.SIGTERM)
        hub.wait(10)
        broker.child.stop()


def grids() -> dict:
    """A city of 91 grids in one, two levels, so that every fix is located and may cross."""

    def square(x: float, y: float, w: float, h: float) -> dict:
        ring = [[x, y], [x + w, y], [x + w, y + h], [x, y + h], [x, y]]
        return {"type": "Polygon", "coordinates": [ring]}

    step_x, step_y = 0.2 / 13, 0.2 / 7
    features = [feature("city", 1, None, square(109.0, 32.6, 0.2, 0.2))]
    for column in range(13):
        for row in range(7):
            shape = square(109.0 + column * step_x, 32.6 + row * step_y, step_x, step_y)
            features.append(feature(f"g{column:02d}{row}", 2, "city", shape))
    return {"type": "FeatureCollection", "features": features}


def feature(code: str, level: int, parent: str | None, geometry: dict) -> dict:
    properties = {"code": code, "name": code, "level": level, "parent": parent}
    return {"type": "Feature", "properties": properties, "geometry": geometry}


def wait_ready(http: int) -> None:
    for _ in range(300):
        with contextlib.suppress(OSError):
            address = f"http://127.0.0.1:{http}/healthz"
            if json.load(urllib.request.urlopen(address))["status"] == "ok":
                return
        time.sleep(0.1)
    sys.exit("the hub did not start")


def tracks(bench: Bench, devices: int, messages: int, fixes: int) -> list[tuple[str, bytes]]:
    now = int(time.time() * 1000) - messages * 10
    made = []
    for number in range(messages):
        dev = f"car-{number % devices:04d}"
        first = bench.next_seq(dev, fixes)
        points = [
            TrackPoint(
                first + i,
                now + number * 10 + i,
                109.0 + (first + i) % 997 / 5000,
                32.6 + (number + i) % 991 / 5000,
                36.0,
                90.0,
            )
            for i in range(fixes)
        ]
        track = Track(
            dev=dev, epoch=EPOCH, seq=first, ts=points[-1].ts, tq=2, vehicle="v", fixes=points
        )
        made.append((up(dev, "track"), encode(track)))
    return made


def alerts(bench: Bench, devices: int, count: int) -> list[tuple[str, bytes]]:
    made = []
    for _ in range(count):
        number = bench.next_seq("alerts")
        dev = f"cam-{number % devices:04d}"
        seq = bench.next_seq(dev)
        now = int(time.time() * 1000)
        alert = Alert(
            dev=dev,
            epoch=EPOCH,
            seq=seq,
            ts=now,
            tq=1,
            alert=f"{dev}-{seq}",
            state=AlertState.NEW,
            source="c1",
            label="garbage",
            since=now - 60_000,
            lat=32.6 + (seq * 7 + number) % 971 / 5000,
            lon=109.0 + (seq * 11 + number) % 977 / 5000,
            score=0.9,
        )
        made.append((up(dev, "alert"), encode(alert)))
    return made


def rate_of_fixes(bench: Bench, messages: int, fixes: int, bar: float, name: str) -> dict:
    made = tracks(bench, 500, messages, fixes)
    with contextlib.closing(bench.database) as db:
        before = stored_fixes(db)
        publisher = Publisher(bench.port, f"bench-{name}")
        cpu = cpu_seconds(bench.hub.pid)
        begun = time.perf_counter()
        for start in range(0, len(made), 100):
            publisher.publish(made[start : start + 100])
        wanted = before + messages * fixes
        while (here := stored_fixes(db)) < wanted and time.perf_counter() - begun < 120:
            time.sleep(0.02)
        took = time.perf_counter() - begun
    used = cpu_seconds(bench.hub.pid) - cpu
    raw = raw_sqlite(bench.folder, [payload for _, payload in made])
    per_s = messages * fixes / took
    return {
        "measure": name,
        "messages_per_s": round(messages / took),
        "fixes_per_s": round(per_s),
        "bar": bar,
        "holds": per_s >= bar,
        "lost": wanted - here,
        "hub_cpu_us_a_message": round(used / messages * 1e6, 1),
        "raw_sqlite_messages_per_s": round(raw),
        "share_of_raw_sqlite": round(messages / took / raw, 3),
    }


def stored_fixes(db: sqlite3.Connection) -> int:
    return db.execute("SELECT COALESCE(SUM(last - first + 1), 0) FROM track_batches").fetchone()[0]


def raw_sqlite(folder: Path, payloads: list[bytes]) -> float:
    """Messages a second that one thread puts into one table, 500 a durable transaction."""
    path = folder / "raw.sqlite"
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=FULL")
        db.execute("CREATE TABLE m (dev TEXT, seq INTEGER, body BLOB, PRIMARY KEY (dev, seq))")
        begun = time.perf_counter()
        for start in range(0, len(payloads), 500):
            db.execute("BEGIN IMMEDIATE")
            rows = [
                (f"car-{i % 500}", i, p) for i, p in enumerate(payloads[start : start + 500], start)
            ]
            db.executemany("INSERT INTO m VALUES (?, ?, ?)", rows)
            db.execute("COMMIT")
        took = time.perf_counter() - begun
    for left in folder.glob("raw.sqlite*"):
        left.unlink()
    return len(payloads) / took


def alert_latency(bench: Bench, per_s: int, seconds: float, fixes_per_s: int) -> dict:
    sent: dict[tuple[str, int], float] = {}
    took: list[float] = []

    def receipt(_topic: str, payload: bytes) -> None:
        at = time.perf_counter()
        said = json.loads(payload)
        if said["stream"] == "alert":
            for first, last in said["seqs"]:
                for seq in range(first, last + 1):
                    begun = sent.pop((said["dev"], seq), None)
                    if begun is not None:
                        took.append(at - begun)

    listener = Publisher(bench.port, "bench-receipts")
    listener.on_message = receipt
    listener.subscribe("ty/v1/+/down/receipt")
    stop = threading.Event()
    beside = threading.Thread(target=stream_fixes, args=(bench, fixes_per_s, stop))
    beside.start()
    publisher = Publisher(bench.port, "bench-alerts")
    every = 0.01
    cpu = cpu_seconds(bench.hub.pid)
    begun = time.perf_counter()
    for tick in range(int(seconds / every)):
        made = alerts(bench, 200, round(per_s * every))
        at = time.perf_counter()
        for topic, payload in made:
            sent[topic.split("/")[2], json.loads(payload)["seq"]] = at
        publisher.publish(made)
        time.sleep(max(0.0, begun + (tick + 1) * every - time.perf_counter()))
    wall = time.perf_counter() - begun
    until = time.perf_counter() + 20
    while sent and time.perf_counter() < until:
        time.sleep(0.05)
    stop.set()
    beside.join()
    used = cpu_seconds(bench.hub.pid) - cpu
    took.sort()
    return {
        "measure": f"alerts {per_s}/s beside {fixes_per_s} fixes/s, publish to receipt",
        "alerts_per_s": round((len(took) + len(sent)) / wall),
        "p50_ms": round(took[len(took) // 2] * 1000, 1),
        "p99_ms": round(took[int(len(took) * 0.99)] * 1000, 1),
        "worst_ms": round(took[-1] * 1000, 1),
        "hub_cpu_us_an_alert": round(used / max(1, len(took)) * 1e6, 1),
        "bar_p99_ms": 100,
        "holds": took[int(len(took) * 0.99)] <= 0.1 and not sent,
        "lost": len(sent),
    }


def stream_fixes(bench: Bench, per_s: int, stop: threading.Event) -> None:
    if not per_s:
        return
    publisher = Publisher(bench.port, "bench-beside")
    begun, number = time.perf_counter(), 0
    while not stop.is_set():
        publisher.publish(tracks(bench, 500, max(1, per_s // 30 // 20), 30))
        number += 1
        time.sleep(max(0.0, begun + number * 0.05 - time.perf_counter()))


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the load")
    small = 10 if parser.parse_args().quick else 1
    with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as bench:
        print(
            json.dumps(rate_of_fixes(bench, 60_000 // small, 1, 8_000, "single fixes")), flush=True
        )
        print(
            json.dumps(rate_of_fixes(bench, 30_000 // small, 30, 120_000, "30 fixes a message")),
            flush=True,
        )
        print(json.dumps(alert_latency(bench, 500, 30 / small, 5_000)), flush=True)
        print(json.dumps(alert_latency(bench, 1_000, 60 / small, 0)), flush=True)


if __name__ == "__main__":
    main()
