"""How long after its commit an alert stands on an operator's open page, in a real browser.

    python -m bench.console_latency [--rate 50] [--seconds 10] [--pages 200]

A hub on SQLite in a folder of its own takes alerts through its pipeline, without a broker: the
clock starts when the transaction has been committed and stops when the alert's row is in the page's
document (a MutationObserver in Chromium). `--pages` more clients, in another process, listen to the
same stream. `floor`: how long the time of day takes to the same page from a server that does
nothing else, as many times as said in a second: what the machine and the browser leave at best.
Prints one JSON object. Software WebGL is off: the page draws no map.
"""

import argparse
import asyncio
import json
import multiprocessing
import socket
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path

import httpx2 as httpx
import uvicorn
from playwright.sync_api import sync_playwright

from hub import pipeline
from hub.alerts.alert import alert_id
from hub.app import Hub, create_app
from hub.store import Store, now
from tests.browser.conftest import CHROMIUM, FLAGS, NO_WEBGL
from tests.hub.world import LAT, LON, alert_message, birth, make_site, received

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

SIZE = {"width": 1440, "height": 900}
FLOOR = """(port) => {
  const waits = (window.floor = [])
  new EventSource(`http://127.0.0.1:${port}/`).onmessage = (told) =>
    waits.push(performance.timeOrigin + performance.now() - Number(told.data))
}"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def serve(hub: Hub, port: int) -> uvicorn.Server:
    config = uvicorn.Config(create_app(hub.config, hub), port=port, log_level="error")
    server = uvicorn.Server(config)
    threading.Thread(target=server.run, daemon=True).start()
    while not server.started:
        time.sleep(0.02)
    return server


def take_alerts(hub: Hub, rate: float, seconds: float) -> dict[str, float]:
    """Alerts of different places, one transaction each; when each was committed, in ms."""
    committed: dict[str, float] = {}
    began = time.monotonic()
    for number in range(round(rate * seconds)):
        time.sleep(max(0.0, began + number / rate - time.monotonic()))
        message = alert_message(
            number,
            alert=f"bench-{number}",
            level=3,
            at=now(),
            lat=LAT + (number % 60) * 0.001,
            lon=LON + (number // 60) * 0.001,
        )
        with hub.store.write() as tx:
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


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def measure(rate: float, seconds: float, pages: int) -> dict[str, object]:
    """Run it all; latencies in milliseconds."""
    processes = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        port, bare = free_port(), free_port()
        store = Store(f"sqlite:///{folder}/hub.sqlite")
        store.migrate()
        site = make_site(store, Path(folder), demo=True, listen={"host": "127.0.0.1", "port": port})
        hub = Hub.build(site.config, store)
        with store.write() as tx:
            pipeline.take(tx, site, "birth", [received(birth())])
        server = serve(hub, port)
        url = f"http://127.0.0.1:{port}"
        cookie = httpx.post(f"{url}/api/session", json={"demo": True}).headers["set-cookie"]
        others = [
            processes.Process(target=listen, args=(port, cookie.partition(";")[0], pages)),
            processes.Process(target=push_bare, args=(bare,)),
        ]
        for other in others:
            other.start()
        while hub.bus.pages < pages:
            time.sleep(0.1)
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        page = browser.new_context(viewport=SIZE, bypass_csp=True).new_page()
        page.add_init_script(NO_WEBGL)
        page.add_init_script("localStorage.setItem('tianyan.guide', 'off')")
        page.goto(url)
        page.wait_for_selector(".pill.live")
        page.evaluate(WATCH)
        page.evaluate(FLOOR, bare)
        took: dict[str, float] = {}
        cpu_s = time.process_time()
        work = threading.Thread(target=lambda: took.update(take_alerts(hub, rate, seconds)))
        work.start()
        while work.is_alive():
            page.wait_for_timeout(200)
        cpu_s = time.process_time() - cpu_s
        page.wait_for_timeout(1500)
        seen, floor = page.evaluate("window.seen"), page.evaluate("window.floor")
        for other in others:
            other.terminate()
        browser.close()
        server.should_exit = True
        time.sleep(0.5)
    waits = [seen[name] - at for name, at in took.items() if name in seen]
    return {
        "alerts": len(took),
        "seen": len(waits),
        "rate_per_s": rate,
        "open_pages": pages + 1,
        "p50_ms": round(percentile(waits, 0.5)),
        "p95_ms": round(percentile(waits, 0.95)),
        "p99_ms": round(percentile(waits, 0.99)),
        "max_ms": round(max(waits)),
        "floor_p50_ms": round(percentile(floor, 0.5)),
        "floor_p99_ms": round(percentile(floor, 0.99)),
        "hub_cpu_s": round(cpu_s, 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rate", type=float, default=50)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--pages", type=int, default=200)
    chosen = parser.parse_args()
    rate, seconds = min(chosen.rate, 50), min(chosen.seconds, 60)
    print(json.dumps(measure(rate, seconds, chosen.pages)))


if __name__ == "__main__":
    main()
