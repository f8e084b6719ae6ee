"""What the console weighs and how soon it is seen, from a real hub, with nothing kept before.

    python -m bench.first_paint [--times 5]

For the console, the officer's page and the citizens' page, with an empty cache each time: kilobytes
on the line and unpacked, first contentful paint, and when the first view is there, in ms since the
address was entered; medians. `slow`: the same with a processor four times as slow and 10 Mbit/s
with 40 ms, about a cheap phone. `built`: every file of the build, in kB as it is and with gzip.
Prints a JSON object a line.
"""

import argparse
import gzip
import json
import statistics
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tests.browser.conftest import CHROMIUM, DIST, FLAGS, NO_WEBGL
from tests.browser.real_hub import real_hub

PAGES = {"/": ".pill.live", "/phone": "form", "/public/": "form"}
MBIT_10 = 10e6 / 8
PAINTED = "() => performance.getEntriesByName('first-contentful-paint').length > 0"
SIZES = """() => {
  const loaded = [
    ...performance.getEntriesByType('navigation'),
    ...performance.getEntriesByType('resource'),
  ].filter((one) => !new URL(one.name).pathname.startsWith('/api/'))
  const paint = performance.getEntriesByName('first-contentful-paint')[0]
  return {
    line: loaded.reduce((sum, one) => sum + one.transferSize, 0) / 1000,
    unpacked: loaded.reduce((sum, one) => sum + one.decodedBodySize, 0) / 1000,
    paint: paint.startTime,
  }
}"""


def look(browser: Browser, url: str, token: str, path: str, *, slow: bool) -> dict[str, float]:
    """One visit."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="zh-CN")
    context.add_init_script(NO_WEBGL)
    headers = {"X-Tianyan": "1"}
    if path == "/":
        context.request.post(f"{url}/api/session", data={"token": token}, headers=headers)
    page = context.new_page()
    inside = context.new_cdp_session(page)
    if slow:
        inside.send("Emulation.setCPUThrottlingRate", {"rate": 4})
        inside.send("Network.enable")
        line = {"latency": 40, "downloadThroughput": MBIT_10, "uploadThroughput": MBIT_10}
        inside.send("Network.emulateNetworkConditions", {"offline": False, **line})
    page.goto(url + path)
    page.wait_for_selector(PAGES[path])
    ready: float = page.evaluate("performance.now()")
    page.wait_for_function(PAINTED)
    found: dict[str, float] = page.evaluate(SIZES)
    context.close()
    return found | {"ready": ready}


def built() -> dict[str, object]:
    """Every file of the build by kind, in kB: as it is and with gzip."""
    told: dict[str, list[float]] = {}
    for file in (DIST / "assets").iterdir():
        data = file.read_bytes()
        sums = told.setdefault(file.suffix.removeprefix("."), [0, 0])
        sums[0] += len(data) / 1000
        sums[1] += len(gzip.compress(data)) / 1000
    return {"built": {kind: [round(each) for each in sums] for kind, sums in told.items()}}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--times", type=int, default=5)
    times = parser.parse_args().times
    print(json.dumps(built()))
    with (
        tempfile.TemporaryDirectory() as folder,
        real_hub(Path(folder), lambda _hub: None, intake={"public": True}) as (url, token),
        sync_playwright() as driver,
    ):
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        for path in PAGES:
            for slow in (False, True):
                visits = [look(browser, url, token, path, slow=slow) for _ in range(times)]
                told = {
                    name: round(statistics.median(visit[name] for visit in visits))
                    for name in visits[0]
                }
                names = {
                    "line_kb": "line",
                    "unpacked_kb": "unpacked",
                    "first_paint_ms": "paint",
                    "ready_ms": "ready",
                }
                figures = {name: told[of] for name, of in names.items()}
                print(json.dumps({"page": path, "slow": slow, **figures}), flush=True)
        browser.close()


if __name__ == "__main__":
    main()
