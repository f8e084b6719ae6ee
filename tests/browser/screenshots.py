"""Pictures of the console for the documents, taken from a demo of one's own.

    python -m tests.browser.screenshots docs/images

Not a test: run it when the pages have changed.
"""

import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.conftest import CHROMIUM, FLAGS
from tests.browser.demo import running_demo

WANTED_ALERTS = 6
WAIT_MS = 420_000
SETTLE_MS = 4000


@dataclass(frozen=True)
class Shot:
    """A picture: its file, the page, and how the page is looked at."""

    name: str
    path: str
    theme: str = "light"
    language: str = "zh"
    press: str = ""
    click: str = ""


SHOTS = (
    Shot("console.png", "/", press="j"),
    Shot("console-dark-en.png", "/", theme="dark", language="en", press="j"),
    Shot("case.png", "/#/cases/1"),
    Shot("merge.png", "/", press="j m"),
    Shot("cases-board.png", "/#/cases?open=all&view=board"),
    Shot("cameras.png", "/#/cameras", click="text=画面墙"),
    Shot("camera.png", "/#/cameras", click="tbody tr >> nth=0, .settings"),
    Shot("patrol.png", "/#/patrol"),
    Shot("duty.png", "/#/duty"),
    Shot("permits.png", "/#/vehicles/permits"),
    Shot("learning.png", "/#/learning"),
    Shot("keys.png", "/", press="?"),
    Shot("vehicles.png", "/#/vehicles", theme="dark", click="tbody tr:nth-child(2)"),
)


def _open(browser: Browser, url: str, shot: Shot) -> Page:
    context = browser.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    context.add_init_script(
        f"localStorage.setItem('tianyan.theme', '{shot.theme}');"
        f"localStorage.setItem('tianyan.language', '{shot.language}');"
        "localStorage.setItem('tianyan.guide', 'off')"
    )
    page = context.new_page()
    page.goto(url + shot.path)
    page.wait_for_selector(".counters")
    return page


def _confirm_one(browser: Browser, url: str) -> None:
    page = _open(browser, url, SHOTS[0])
    page.locator("[data-alert]").nth(WANTED_ALERTS).wait_for(timeout=WAIT_MS)
    page.wait_for_timeout(SETTLE_MS)
    page.keyboard.press("j")
    page.keyboard.press("c")
    page.wait_for_selector(".toasts a")
    page.context.close()


def _take(browser: Browser, url: str, shot: Shot, folder: Path) -> None:
    page = _open(browser, url, shot)
    page.wait_for_timeout(SETTLE_MS)
    for key in shot.press.split():
        page.keyboard.press(key)
        page.wait_for_timeout(SETTLE_MS // 4)
    for spot in filter(None, shot.click.split(", ")):
        page.click(spot)
    page.wait_for_timeout(SETTLE_MS)
    path = folder / shot.name
    page.screenshot(path=path)
    page.context.close()
    with Image.open(path) as picture:
        picture.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)
    sys.stderr.write(f"{path} {path.stat().st_size // 1024} KiB\n")


def main(folder: Path) -> None:
    """Start a demo, wait until there is something to see, take every picture."""
    folder.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as state,
        running_demo(Path(state)) as url,
        sync_playwright() as driver,
    ):
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        _confirm_one(browser, url)
        for shot in SHOTS:
            _take(browser, url, shot, folder)
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
