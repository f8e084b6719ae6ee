"""How smooth the map stays: frame times in Chromium with thousands of moving vehicles and cameras.

    python -m bench.map_frames [--vehicles 5000] [--cameras 2000] [--seconds 10]

The mock hub moves every vehicle once a second under the page's map; the same page with one vehicle
comes first, in the same run. Drawn by SwiftShader, WebGL on the processor: a machine with a
graphics card is far faster. `long_tasks`: times that the page's own work took above 50 ms.
`script_ms_a_s`: JavaScript of the page in a second of the clock; `busiest`: which scripts that was,
by Chromium's CPU profile (milliseconds a second, time of its own). Prints a JSON object for each.
"""

import argparse
import copy
import json
import socket
import threading
import time
from collections import Counter
from typing import Any

import uvicorn
from playwright.sync_api import CDPSession, sync_playwright

from tests.browser.conftest import CHROMIUM, FLAGS
from tests.browser.made_up_city import City
from tests.browser.mock_hub import MockHub

FRAMES = """(ms) => new Promise((done) => {
  const frames = [], tasks = []
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) tasks.push(entry.duration)
  }).observe({ entryTypes: ['longtask'] })
  const began = performance.now()
  let last = began
  const tick = (now) => {
    frames.push(now - last)
    last = now
    if (now - began < ms) requestAnimationFrame(tick)
    else done({ frames, tasks })
  }
  requestAnimationFrame(tick)
})"""


def city_of(vehicles: int, cameras: int) -> City:
    city = City(vehicle_count=vehicles)
    known = list(city.cameras.values())
    for number in range(cameras - len(known)):
        one = copy.deepcopy(known[number % len(known)])
        one["id"] = f"bench/cam-{number}"
        one["lat"] += (number % 45 - 22) * 0.002
        one["lon"] += (number // 45 - 22) * 0.002
        city.cameras[one["id"]] = one
    return city


def spent(inside: CDPSession) -> float:
    """Milliseconds of JavaScript on the page's main thread so far."""
    found = inside.send("Performance.getMetrics")["metrics"]
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


def measure(vehicles: int, cameras: int, seconds: float) -> dict[str, object]:
    hub = MockHub(city_of(vehicles, cameras), demo=True, live=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(hub.app(), port=port, log_level="error"))
    threading.Thread(target=server.run, daemon=True).start()
    while not server.started:
        time.sleep(0.02)
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
        page.add_init_script("localStorage.setItem('tianyan.guide', 'off')")
        page.set_default_timeout(120_000)
        page.goto(f"http://127.0.0.1:{port}")
        page.wait_for_selector(".counters")
        page.wait_for_selector("canvas.maplibregl-canvas")
        page.wait_for_timeout(5000)
        inside = page.context.new_cdp_session(page)
        inside.send("Performance.enable")
        inside.send("Profiler.enable")
        inside.send("Profiler.start")
        before = spent(inside)
        found = page.evaluate(FRAMES, seconds * 1000)
        after = spent(inside)
        busiest = by_script(inside.send("Profiler.stop")["profile"])
        heap = page.evaluate("performance.memory?.usedJSHeapSize ?? 0")
        browser.close()
    hub.close()
    server.should_exit = True
    frames = sorted(found["frames"][1:])
    return {
        "vehicles": vehicles,
        "cameras": cameras,
        "frames": len(frames),
        "frame_ms_p50": round(frames[len(frames) // 2], 1),
        "frame_ms_p95": round(frames[int(len(frames) * 0.95)], 1),
        "frame_ms_max": round(frames[-1], 1),
        "long_tasks": len(found["tasks"]),
        "long_task_ms_max": round(max(found["tasks"], default=0)),
        "script_ms_a_s": round((after - before) / seconds),
        "busiest": {name: round(ms / seconds) for name, ms in busiest},
        "heap_mb": round(heap / 1e6),
        "drawn_by": "SwiftShader (WebGL on the processor)",
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--vehicles", type=int, default=5000)
    parser.add_argument("--cameras", type=int, default=2000)
    parser.add_argument("--seconds", type=float, default=10)
    chosen = parser.parse_args()
    for vehicles in (1, chosen.vehicles):
        print(json.dumps(measure(vehicles, chosen.cameras, chosen.seconds)), flush=True)


if __name__ == "__main__":
    main()
