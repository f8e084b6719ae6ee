"""How long after its commit an alert stands on an operator's open page, in a real browser.

    python -m bench.console_latency [--rate 50] [--seconds 10] [--pages 20]

A hub on SQLite in a folder of its own takes alerts through its pipeline, without a broker: the
clock starts when the transaction has been committed and stops when the alert's row is in the page's
document (a MutationObserver in Chromium). `--pages` more clients listen to the same stream.
Prints one JSON object. Software WebGL is off: the page draws no map.
"""

import argparse
import asyncio
import json
import socket
import tempfile
import threading
import time
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


def listen(url: str, pages: int, stop: threading.Event) -> threading.Thread:
    """So many more open pages: clients that read the stream."""

    async def one(client: httpx.AsyncClient) -> None:
        async with client.stream("GET", f"{url}/api/events") as answer:
            async for _ in answer.aiter_bytes():
                if stop.is_set():
                    return

    async def every() -> None:
        async with httpx.AsyncClient(timeout=None) as client:
            await client.post(f"{url}/api/session", json={"demo": True})
            tasks = [asyncio.create_task(one(client)) for _ in range(pages)]
            await asyncio.to_thread(stop.wait)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    thread = threading.Thread(target=lambda: asyncio.run(every()), daemon=True)
    thread.start()
    return thread


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def measure(rate: float, seconds: float, pages: int) -> dict[str, object]:
    """Run it all; latencies in milliseconds."""
    stop = threading.Event()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        port = free_port()
        store = Store(f"sqlite:///{folder}/hub.sqlite")
        store.migrate()
        site = make_site(store, Path(folder), demo=True, listen={"host": "127.0.0.1", "port": port})
        hub = Hub.build(site.config, store)
        with store.write() as tx:
            pipeline.take(tx, site, "birth", [received(birth())])
        server = serve(hub, port)
        url = f"http://127.0.0.1:{port}"
        listening = listen(url, pages, stop)
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
        page.add_init_script(NO_WEBGL)
        page.add_init_script("localStorage.setItem('tianyan.guide', 'off')")
        page.goto(url)
        page.wait_for_selector(".pill.live")
        page.evaluate(WATCH)
        took: dict[str, float] = {}
        work = threading.Thread(target=lambda: took.update(take_alerts(hub, rate, seconds)))
        work.start()
        while work.is_alive():
            page.wait_for_timeout(200)
        page.wait_for_timeout(1500)
        seen = page.evaluate("window.seen")
        stop.set()
        listening.join(timeout=5)
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
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rate", type=float, default=50)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--pages", type=int, default=20)
    chosen = parser.parse_args()
    rate, seconds = min(chosen.rate, 50), min(chosen.seconds, 60)
    print(json.dumps(measure(rate, seconds, chosen.pages)))


if __name__ == "__main__":
    main()
