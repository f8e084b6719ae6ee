"""The command centre under load: alerts, vehicles and open pages at once, on a real hub.

    python -m bench.command_centre [--vehicles 5000] [--cameras 2000] [--pages 200] [--rate 50]
                                   [--seconds 10] [--no-map]

A hub on SQLite in a folder of its own, without a broker, takes `--rate` alerts a second through its
pipeline. Beside it, each in a process of its own: an ingest member that takes a position of every
vehicle for each second, `tianyan hub judge`, and `--pages` more clients that read the same stream
as a page in Chromium. For that page are given

- `idle`: its frames and heap before anything moves, `busy`: the same under the load;
- `latency`: from the commit of an alert to its row in the document (a MutationObserver);
- `floor`: how long the time of day takes to the same page from a server that does nothing else:
  what the machine and the browser leave at best;
- `hub`: processor time and memory of this process, which is the hub and makes the alerts as well;
- `vehicles`: positions a second that were stored and that were judged meanwhile.

The page is drawn without a graphics card and WebGL by SwiftShader, on the processors that the hub
uses as well: a machine with a graphics card is far faster. `--no-map` leaves the map out.
`long_tasks`: times the page's own work took above 50 ms; `busiest`: the scripts with the most time
of their own, ms a second. Prints one JSON object.
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import resource
import tempfile
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2 as httpx
from playwright.sync_api import CDPSession, Page, sync_playwright
from sqlalchemy import case, func, select

from hub import commands, pipeline
from hub.alerts.alert import alert_id
from hub.app import Hub
from hub.config import HubConfig
from hub.evidence.store import Vault
from hub.grid import store as grid_store
from hub.grid.places import Places
from hub.pipeline import Site
from hub.store import Store, now
from hub.tracks.store import batches, vehicles
from tests.browser.conftest import CHROMIUM, FLAGS, NO_WEBGL
from tests.browser.running import answering
from tests.hub.world import LAT, LON, alert_message, birth, make_site, received, track_message
from tests.servers.port import free_port
from wire.status import CameraBirth, VehicleBirth

EVERY_S = 5
"""A vehicle sends a message so often, with a position of each second."""
AT_ONCE = 250
"""Messages of one transaction."""
SIZE = {"width": 1440, "height": 900}
PATIENCE_MS = 120_000
WATCH = """
  const seen = (window.seen = {})
  new MutationObserver((changes) => {
    const at = performance.timeOrigin + performance.now()
    for (const change of changes) for (const node of change.addedNodes) {
      if (!(node instanceof Element)) continue
      const rows = node.matches('[data-alert]') ? [node] : node.querySelectorAll('[data-alert]')
      for (const row of rows) seen[row.dataset.alert] ??= at
    }
  }).observe(document.documentElement, { childList: true, subtree: true })
"""
FLOOR = """(port) => {
  const waits = (window.floor = [])
  new EventSource(`http://127.0.0.1:${port}/`).onmessage = (told) =>
    waits.push(performance.timeOrigin + performance.now() - Number(told.data))
}"""
BEGIN = """() => {
  const kept = (window.kept = { frames: [], tasks: [], on: true })
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) kept.tasks.push(entry.duration)
  }).observe({ entryTypes: ['longtask'] })
  let last = performance.now()
  const tick = (now) => {
    kept.frames.push(now - last)
    last = now
    if (kept.on) requestAnimationFrame(tick)
  }
  requestAnimationFrame(tick)
}"""
END = "() => { kept.on = false; return { frames: kept.frames, tasks: kept.tasks } }"


@dataclass(frozen=True)
class Load:
    """What happens at once; `pages` beside the one that is watched."""

    vehicles: int
    cameras: int
    pages: int
    rate: float
    seconds: float
    has_map: bool


def furnish(hub: Hub, load: Load) -> None:
    """Cameras and vehicles, spread over a city of 0.2 degrees."""
    cameras = [
        CameraBirth(
            id=f"c{n}", name=f"Gate {n}", lat=LAT + n % 45 * 0.001, lon=LON + n // 45 * 0.001
        )
        for n in range(load.cameras)
    ]
    fleet = [
        VehicleBirth(id=f"v{n}", plate=f"陕G·{n:05}", kind="spoil_truck")
        for n in range(load.vehicles)
    ]
    with hub.store.write() as tx:
        pipeline.take(tx, hub.site, "birth", [received(birth())])
        for dev, more in (("box", {"cameras": cameras}), ("fleet", {"vehicles": fleet})):
            born = birth(dev, **{"cameras": [], "vehicles": []} | more)
            pipeline.take(tx, hub.site, "birth", [received(born)])


def drive(folder: Path, vehicles: int) -> None:
    """Every vehicle moves, taken by an ingest member of its own."""
    store, places = Store(f"sqlite:///{folder}/hub.sqlite"), Places()
    grid_store.load(store, places)
    config = HubConfig.model_validate({"data_dir": folder})
    site = Site(config, places, Vault(folder / "evidence"))
    began, second = time.monotonic(), 0
    while True:
        for number in range(second % EVERY_S, vehicles, EVERY_S * AT_ONCE):
            at = now()
            messages = [
                received(
                    track_message(
                        second, EVERY_S, at=at - timedelta(seconds=EVERY_S), dev="fleet",
                        vehicle=f"v{n}", lat=LAT + n % 70 * 0.001,
                        lon=LON + n // 70 * 0.001 + second * 1e-4,
                    ), at,
                )
                for n in range(number, min(number + EVERY_S * AT_ONCE, vehicles), EVERY_S)
            ]  # fmt: skip
            with store.write() as tx:
                pipeline.take(tx, site, "track", messages)
        second += 1
        time.sleep(max(0.0, began + second - time.monotonic()))


def judge(folder: Path) -> None:
    """`tianyan hub judge` on the hub's database, as its unit in `deploy/systemd` runs it."""
    os.nice(5)
    path = folder / "judge.yaml"
    path.write_text(f"data_dir: {folder}\nvehicles: {{judge: false}}\n")
    commands.judge(path)


def stored_and_judged(store: Store) -> tuple[int, int]:
    """Positions that were stored, and that were judged."""
    many = batches.c.last - batches.c.first + 1
    done = case((batches.c.arrival <= vehicles.c.judged, many), else_=0)
    found = select(func.sum(many), func.sum(done)).join(
        vehicles, vehicles.c.id == batches.c.vehicle
    )
    with store.read() as tx:
        stored, judged = tx.execute(found).one()
    return stored or 0, judged or 0


def take_alerts(hub: Hub, load: Load) -> dict[str, float]:
    """Alerts of different places, one transaction each; when each was committed, in ms."""
    committed: dict[str, float] = {}
    began = time.monotonic()
    for number in range(round(load.rate * load.seconds)):
        time.sleep(max(0.0, began + number / load.rate - time.monotonic()))
        message = alert_message(
            number,
            alert=f"bench-{number}",
            level=3,
            at=now(),
            lat=LAT + (number % 60) * 0.001,
            lon=LON + (number // 60) * 0.001,
        )
        with hub.store.write(urgent=True) as tx:
            pipeline.take(tx, hub.site, "alert", [received(message, now())])
        committed[alert_id(message)] = time.time() * 1000
    return committed


def listen(port: int, cookie: str, pages: int) -> None:
    """So many more open pages: connections that read the stream, in a process of their own."""

    async def one() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        asked = f"GET /api/events HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nCookie: {cookie}\r\n\r\n"
        writer.write(asked.encode())
        while await reader.read(1 << 16):
            pass

    async def every() -> None:
        await asyncio.gather(*(one() for _ in range(pages)), return_exceptions=True)

    asyncio.run(every())


def push_bare(port: int) -> None:
    """The floor: a server that does nothing but tell a page what time it is, ten times a second."""

    async def tell(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
            b"Access-Control-Allow-Origin: *\r\nConnection: close\r\n\r\n"
        )
        with suppress(ConnectionError):
            while True:
                writer.write(f"data: {time.time() * 1000}\n\n".encode())
                await writer.drain()
                await asyncio.sleep(0.1)

    async def serve_bare() -> None:
        server = await asyncio.start_server(tell, "127.0.0.1", port)
        await server.serve_forever()

    asyncio.run(serve_bare())


def shares(values: list[float]) -> dict[str, float]:
    """Percentiles of milliseconds."""
    ranked = sorted(values) or [float("nan")]
    at = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
    told = {f"{name}_ms": ranked[int(len(ranked) * share)] for name, share in at.items()}
    return {name: round(value, 1) for name, value in {**told, "max_ms": ranked[-1]}.items()}


class Watched:
    """The page: its frames, heap and scripts between two moments."""

    def __init__(self, page: Page) -> None:
        """Nothing is counted yet."""
        self._page = page
        self._inside: CDPSession = page.context.new_cdp_session(page)
        self._inside.send("Performance.enable")
        self._inside.send("Profiler.enable")

    def begin(self) -> None:
        """Count from now on."""
        self._page.evaluate(BEGIN)
        self._inside.send("Profiler.start")
        self._began, self._before = time.monotonic(), self._scripts_ms()

    def end(self) -> dict[str, object]:
        """What was counted since."""
        seconds = time.monotonic() - self._began
        script = self._scripts_ms() - self._before
        profile = self._inside.send("Profiler.stop")["profile"]
        kept = self._page.evaluate(END)
        heap = self._page.evaluate("performance.memory?.usedJSHeapSize ?? 0")
        return {
            "frame": shares(kept["frames"][1:]),
            "frames_a_s": round(len(kept["frames"]) / seconds, 1),
            "long_tasks": len(kept["tasks"]),
            "long_task_ms_max": round(max(kept["tasks"], default=0)),
            "script_ms_a_s": round(script / seconds),
            "busiest": {name: round(ms / seconds) for name, ms in by_script(profile)},
            "heap_mb": round(heap / 1e6),
        }

    def _scripts_ms(self) -> float:
        found = self._inside.send("Performance.getMetrics")["metrics"]
        return next(each["value"] for each in found if each["name"] == "ScriptDuration") * 1000


def by_script(profile: dict[str, Any]) -> list[tuple[str, float]]:
    """The scripts with the most time of their own and how many milliseconds, the busiest first."""
    script_of = {
        node["id"]: node["callFrame"]["url"].rpartition("/")[2] or node["callFrame"]["functionName"]
        for node in profile["nodes"]
    }
    took: Counter[str] = Counter()
    for node, micros in zip(profile["samples"], profile["timeDeltas"], strict=True):
        took[script_of[node]] += micros
    return [(name, micros / 1000) for name, micros in took.most_common(6) if name != "(idle)"]


def run(hub: Hub, url: str, port: int, load: Load) -> dict[str, object]:
    """Everything at once, seen by a page; times in milliseconds."""
    bare = free_port()
    cookie = httpx.post(f"{url}/api/session", json={"demo": True}).headers["set-cookie"]
    processes = multiprocessing.get_context("spawn")
    others = [
        processes.Process(target=listen, args=(port, cookie.partition(";")[0], load.pages)),
        processes.Process(target=push_bare, args=(bare,)),
    ]
    for other in others:
        other.start()
    while hub.bus.pages < load.pages:
        time.sleep(0.1)
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        page = browser.new_context(viewport=SIZE, bypass_csp=True).new_page()
        page.set_default_timeout(PATIENCE_MS)
        if not load.has_map:
            page.add_init_script(NO_WEBGL)
        page.add_init_script("localStorage.setItem('tianyan.guide', 'off')")
        page.goto(url)
        page.wait_for_selector(".pill.live")
        if load.has_map:
            page.wait_for_selector("canvas.maplibregl-canvas")
        page.wait_for_timeout(5000)
        page.evaluate(WATCH)
        page.evaluate(FLOOR, bare)
        watched = Watched(page)
        watched.begin()
        page.wait_for_timeout(3000)
        idle = watched.end()

        took: dict[str, float] = {}
        cpu_s = time.process_time()
        fleet = [
            processes.Process(target=drive, args=(hub.config.data_dir, load.vehicles)),
            processes.Process(target=judge, args=(hub.config.data_dir,)),
        ]
        work = threading.Thread(target=lambda: took.update(take_alerts(hub, load)))
        for each in fleet:
            each.start()
        page.wait_for_timeout(4000)
        before, began = stored_and_judged(hub.store), time.monotonic()
        watched.begin()
        work.start()
        while work.is_alive():
            page.wait_for_timeout(200)
        busy = watched.end()
        cpu_s = time.process_time() - cpu_s
        took_s, after = time.monotonic() - began, stored_and_judged(hub.store)
        for each in fleet:
            each.terminate()
            each.join()
        page.wait_for_timeout(1500)
        seen, floor = page.evaluate("window.seen"), page.evaluate("window.floor")
        browser.close()
    for other in others:
        other.terminate()
        other.join()
    waits = [seen[name] - at for name, at in took.items() if name in seen]
    return {
        "alerts": len(took),
        "seen": len(waits),
        "latency": shares(waits),
        "floor": shares(floor),
        "idle": idle,
        "busy": busy,
        "vehicles": {
            f"{name}_a_s": round((now - then) / took_s)
            for name, now, then in zip(("stored", "judged"), after, before, strict=True)
        },
        "hub": {
            "cpu_s": round(cpu_s, 1),
            "memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        },
    }


def measure(load: Load) -> dict[str, object]:
    """The load, and what came of it."""
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        store = Store(f"sqlite:///{folder}/hub.sqlite")
        store.migrate()
        listening = {"host": "127.0.0.1", "port": port}
        site = make_site(
            store,
            Path(folder),
            demo=True,
            listen=listening,
            broker={"port": 1},
            vehicles={"judge": False},
        )
        hub = Hub.build(site.config, store)
        furnish(hub, load)
        with answering(hub, port) as url:
            commands.settle()
            found = run(hub, url, port, load)
    drawn = "SwiftShader (WebGL on the processor)" if load.has_map else "no map"
    return {
        "fleet": load.vehicles, "cameras": load.cameras, "open_pages": load.pages + 1,
        "rate_per_s": load.rate, "drawn_by": drawn, **found,
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--vehicles", type=int, default=5000)
    parser.add_argument("--cameras", type=int, default=2000)
    parser.add_argument("--pages", type=int, default=200)
    parser.add_argument("--rate", type=float, default=50)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--no-map", action="store_true")
    chosen = parser.parse_args()
    seconds = min(chosen.seconds, 60)
    load = Load(
        chosen.vehicles, chosen.cameras, chosen.pages, chosen.rate, seconds, not chosen.no_map
    )
    print(json.dumps(measure(load)))


if __name__ == "__main__":
    main()
