"""The main pages compared with how they looked when somebody last looked at them.

    make pictures       draws the references anew; look at each before it is committed

The city, its day and its clock are made up and stand still; a canvas of WebGL is left out. Every
letter is of Inter, which the console brings, or of Debian's `fonts-noto-cjk`.
"""

import io
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import time_machine
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from hub.app import Hub
from hub.roles import Role
from hub.store import Store
from tests.browser import likeness, test_phone
from tests.browser.conftest import Opener, Served, serve
from tests.browser.made_up_city import City
from tests.browser.mock_hub import MockHub
from tests.browser.running import answering
from tests.browser.test_evaluation import live_through
from tests.browser.test_tracks import Watched, day_of, watched_in
from tests.hub.world import make_site
from tests.servers.port import free_port

REFERENCES = Path(__file__).with_name("pictures")
REDRAW = os.environ.get("TIANYAN_REDRAW") == "1"
QUALITY = 75
PATIENCE_S = 45.0
THEN = datetime(2026, 11, 23, 7, 4, 5, tzinfo=UTC)
"""A Monday afternoon at the site."""
DESK = {"width": 1280, "height": 800}
SETTLED = """Promise.all([
  document.fonts.ready,
  ...[...document.images].filter((one) => one.loading !== 'lazy').map((one) => one.decode()),
])"""
NO_CANVAS = """() => {
  const canvas = document.querySelector('.maplibregl-canvas')
  if (canvas) canvas.style.visibility = 'hidden'
}"""
STILL_MS = 400


@pytest.fixture(autouse=True, scope="module")
def then() -> Iterator[None]:
    with time_machine.travel(THEN, tick=False):
        yield


@pytest.fixture(scope="module")
def city(then: None) -> Iterator[Served]:
    yield from serve(MockHub(City(), demo=True, live=False))


@pytest.fixture(scope="module")
def month(then: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a hub whose city had work a month ago."""
    folder = tmp_path_factory.mktemp("month")
    store = Store(f"sqlite:///{folder}/hub.sqlite")
    store.migrate()
    site = make_site(store, folder, demo=True, broker={"port": 1}, name="安康中心城区")
    live_through(store, site, folder)
    with answering(Hub.build(site.config, store), free_port()) as url:
        yield url


@pytest.fixture(scope="module")
def day(then: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    with watched_in(tmp_path_factory.mktemp("day")) as watched:
        yield watched


def picture_of(page: Page) -> Image.Image:
    page.evaluate(SETTLED)
    page.evaluate(NO_CANVAS)
    taken = page.screenshot(animations="disabled", caret="hide")
    return Image.open(io.BytesIO(taken)).convert("RGB")


def at_rest(page: Page) -> Image.Image:
    """Its picture once it has been the same four times."""
    now, same = picture_of(page), 0
    while same < 3:
        page.wait_for_timeout(STILL_MS)
        then, now = now, picture_of(page)
        same = same + 1 if now == then else 0
    return now


def compare(name: str, page: Page, folder: Path) -> None:
    """Wait until the page looks like its reference; else three pictures in `folder` say how not."""
    path = REFERENCES / f"{name}.webp"
    if REDRAW:
        at_rest(page).save(path, "WEBP", quality=QUALITY, method=6)
        return
    with Image.open(path) as kept:
        reference = kept.convert("RGB")
    end = time.monotonic() + PATIENCE_S
    while True:
        now = picture_of(page)
        assert now.size == reference.size
        found = likeness.differences(reference, now)
        if found.max() <= likeness.LIMIT:
            return
        if time.monotonic() > end:
            break
        page.wait_for_timeout(STILL_MS)
    reference.save(folder / "reference.png")
    now.save(folder / "now.png")
    likeness.marked(now, found).save(folder / "difference.png")
    pytest.fail(
        f"{name} differs by {found.max():.0f} (allowed {likeness.LIMIT:.0f}): see reference.png, "
        f"now.png and difference.png in {folder}. Meant so? Run `make pictures`"
    )


SEEN = {
    "shift": ("/#/?alert=a-00018", ".panel .evidence img"),
    "cases": ("/#/cases?open=all", "tbody tr"),
    "board": ("/#/cases?open=all&view=board", "main li"),
    "case": ("/#/cases/5", ".timeline"),
    "cameras": ("/#/cameras", ".tile img"),
}
DARK = ["shift", "case"]


@pytest.mark.parametrize(
    ("name", "theme"),
    [(name, "light") for name in SEEN] + [(name, "dark") for name in DARK],
)
def test_a_page_of_the_made_up_city(
    city: Served, opened: Opener, tmp_path: Path, name: str, theme: str
) -> None:
    path, ready = SEEN[name]
    language = "en" if theme == "dark" else "zh"
    page = opened(city.url, path, theme=theme, language=language, at=THEN)
    page.set_viewport_size(DESK)
    if name == "cameras":
        page.get_by_role("button", name="画面墙").click()
    page.locator(ready).first.wait_for()
    compare(name if theme == "light" else f"{name}-dark-en", page, tmp_path)


def test_the_map_with_its_controls(city: Served, opened: Opener, tmp_path: Path) -> None:
    page = opened(city.url, draw_map=True, at=THEN)
    page.set_viewport_size(DESK)
    page.locator(".maplibregl-canvas").wait_for()
    page.get_by_role("button", name="图层").click()
    page.get_by_role("button", name="回看过去某一刻").click()
    expect(page.get_by_role("slider", name="过去的某一刻")).to_be_visible()
    compare("map", page, tmp_path)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_evaluation(month: str, opened: Opener, tmp_path: Path, theme: str) -> None:
    path = "/#/evaluation?every=month&day=2026-10-15"
    page = opened(month, path, theme=theme, at=THEN)
    page.set_viewport_size(DESK)
    page.locator(".tile").first.wait_for()
    compare("evaluation" if theme == "light" else "evaluation-dark", page, tmp_path)


def test_the_big_screen(city: Served, opened: Opener, tmp_path: Path) -> None:
    page = opened(city.url, "/#/cameras", at=THEN)
    page.set_viewport_size(DESK)
    page.goto(f"{city.url}/#/wall")
    page.locator(".places li").first.wait_for()
    compare("wall", page, tmp_path)


def test_a_day_of_a_vehicle(day: Watched, opened: Opener, tmp_path: Path) -> None:
    page = opened(day.url, day_of(day), token=day.tokens[Role.OPERATOR], at=THEN)
    page.set_viewport_size(DESK)
    page.locator(".rows li").first.wait_for()
    compare("vehicle-day", page, tmp_path)


def test_the_phone(chromium: Browser, then: None, tmp_path: Path) -> None:
    city = test_phone.City(tmp_path)
    with answering(city.hub, city.port):
        city.dispatch()
        page = test_phone.pocket(chromium, city, at=THEN)
        page.get_by_role("button").filter(has_text=city.mine.number).click()
        page.get_by_role("button", name="接收", exact=True).click()
        expect(page.get_by_text("已上传 1 件")).to_be_visible()
        compare("phone", page, tmp_path)
        page.context.close()
