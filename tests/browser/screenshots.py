"""Pictures of the console for the documents, taken from a demo of one's own.

    python -m tests.browser.screenshots docs/images [NAME ...]

Not a test: run it when the pages have changed. What takes a city months is taken from the cities
of the tests; the public page, closed in the demo, from a hub of its own.
"""

import contextlib
import io
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.conftest import CHROMIUM, FLAGS, NO_WEBGL, serve
from tests.browser.demo import running_demo
from tests.browser.made_up_city import City
from tests.browser.mock_hub import MockHub
from tests.browser.real_hub import real_hub
from tests.browser.test_evaluation import live_through
from tests.browser.tour import DEMO, DESK, LIVED, MADE_UP, PHONE, POCKET, PUBLIC, SHOTS, Shot
from tests.browser.tour_city import OFFICER, PASSWORD, Told, furnish
from tests.hub.world import LAT, LON

WAIT_MS = 60_000
SETTLE_MS = 700
MAP_S = 40.0
STILL_S = 10.0
MARGIN_PX = 30
FRAME_COLOURS = 60  # an empty frame has a few, of its edges
QUALITY = 80
CITY = "安康中心城区"


@contextlib.contextmanager
def _looking(browser: Browser, shot: Shot, size: tuple[int, int]) -> Iterator[Page]:
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]}, locale="zh-CN", reduced_motion="reduce",
        geolocation={"latitude": LAT, "longitude": LON, "accuracy": 8},
        permissions=["geolocation"],
    )  # fmt: skip
    wishes = {
        "theme": shot.theme, "language": shot.language, "guide": "on" if shot.guide else "off",
    }  # fmt: skip
    context.add_init_script(
        f"for (const [key, value] of Object.entries({json.dumps(wishes)}))"
        "  localStorage.setItem(`tianyan.${key}`, value)"
    )
    if not shot.draws_map:
        context.add_init_script(NO_WEBGL)
    page = context.new_page()
    page.set_default_timeout(WAIT_MS)
    yield page
    context.close()


def _wait_for_map(page: Page) -> bool:
    """Until the map has more colours than its frame, and is still, but for what moves on it."""
    frame = page.locator(".drawn").first
    begun, drawn_at, before = time.monotonic(), 0.0, None
    while (now := time.monotonic()) < begun + MAP_S:
        box = frame.bounding_box()
        if box and min(box["width"], box["height"]) > 3 * MARGIN_PX:
            left, top = box["x"] + MARGIN_PX, box["y"] + MARGIN_PX
            right, bottom = box["x"] + box["width"], box["y"] + box["height"]
            with Image.open(io.BytesIO(page.screenshot())) as picture:
                middle = (left, top, right - MARGIN_PX, min(picture.height, bottom) - MARGIN_PX)
                seen = picture.convert("RGB").crop(middle)
            if seen.getcolors(FRAME_COLOURS) is None:
                drawn_at = drawn_at or now
                if seen == before or now > drawn_at + STILL_S:
                    return True
            before = seen
        page.wait_for_timeout(SETTLE_MS)
    return False


def _keep(page: Page, shot: Shot, folder: Path) -> None:
    path = folder / shot.file
    with Image.open(io.BytesIO(page.screenshot())) as picture:
        picture.convert("RGB").save(path, "WEBP", quality=QUALITY, method=6)
    sys.stderr.write(f"{time.strftime('%X')} {path} {path.stat().st_size // 1024} KiB\n")


def _desk(browser: Browser, told: Told, shot: Shot, folder: Path) -> None:
    with _looking(browser, shot, DESK) as page:
        opening = page.context.request.post(
            f"{told.url}/api/session", data={"token": told.token}, headers={"X-Tianyan": "1"}
        )
        assert opening.ok, opening.text()
        page.goto(f"{told.url}/#{told.path(shot.path)}")
        page.locator(shot.ready).first.wait_for()
        for step in shot.steps:
            if step.startswith("press:"):
                page.keyboard.press(step.removeprefix("press:"))
            elif step.startswith("pick:"):
                page.locator("main select").first.select_option(step.removeprefix("pick:"))
            else:
                page.locator(told.path(step)).first.click()
            page.wait_for_timeout(SETTLE_MS)
        if shot.draws_map and not _wait_for_map(page):
            sys.stderr.write(f"{shot.name}: no map within {MAP_S:.0f} s, take it again\n")
        page.wait_for_timeout(SETTLE_MS)
        _keep(page, shot, folder)


def _phone(browser: Browser, told: Told, folder: Path) -> None:
    with _looking(browser, PHONE, POCKET) as page:
        page.goto(told.url + PHONE.path)
        page.get_by_label("用户名").fill(OFFICER)
        page.get_by_label("密码").fill(PASSWORD)
        page.get_by_role("button", name="登录").click()
        page.get_by_role("button", name="AK").first.click()
        page.get_by_role("button", name="接收", exact=True).click()
        page.get_by_label("处置情况").fill("已清运")
        page.wait_for_timeout(SETTLE_MS)
        _keep(page, PHONE, folder)


def _made_up(browser: Browser, shots: list[Shot], folder: Path) -> None:
    with contextlib.contextmanager(serve)(MockHub(City(), demo=True, live=False)) as served:
        city = served.hub.city
        own = city.twin("1", away_lon=0.05)
        city.twin(str(own["id"]), away_lon=0.0001)
        told = Told(served.url, "supervisor-token", "", own["id"], "", "")
        for shot in shots:
            _desk(browser, told, shot, folder)


def _lived(browser: Browser, shots: list[Shot], folder: Path) -> None:
    months: list[str] = []
    with (
        tempfile.TemporaryDirectory() as state,
        real_hub(
            Path(state),
            lambda hub: months.append(live_through(hub.store, hub.site, Path(state))),
            demo=True,
        ) as (url, token),
    ):
        for shot in shots:
            _desk(browser, Told(url, token, "", 0, "", f"{months[0]}-15"), shot, folder)


def _public(browser: Browser, folder: Path) -> None:
    settings = {"intake": {"public": True}, "name": CITY}
    with (
        tempfile.TemporaryDirectory() as state,
        real_hub(Path(state), lambda _hub: None, **settings) as (url, _token),
        _looking(browser, PUBLIC, POCKET) as page,
    ):
        page.goto(url + PUBLIC.path)
        page.locator("form").first.wait_for()
        page.wait_for_timeout(SETTLE_MS)
        _keep(page, PUBLIC, folder)


def main(folder: Path, names: set[str]) -> None:
    """Start a demo, wait until there is something to see, take every picture (or the named)."""
    if unknown := names - {shot.name for shot in SHOTS}:
        sys.exit(f"no picture is named {', '.join(sorted(unknown))}: see tests/browser/tour.py")
    folder.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="tianyan-demo-") as state,
        running_demo(Path(state)) as url,
        sync_playwright() as driver,
    ):
        told = furnish(url, Path(state))
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        for shot in DEMO:
            if not names or shot.name in names:
                _desk(browser, told, shot, folder)
        if made_up := [shot for shot in MADE_UP if not names or shot.name in names]:
            _made_up(browser, made_up, folder)
        if lived := [shot for shot in LIVED if not names or shot.name in names]:
            _lived(browser, lived, folder)
        if not names or PHONE.name in names:
            _phone(browser, told, folder)
        if not names or PUBLIC.name in names:
            _public(browser, folder)
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), set(sys.argv[2:]))
