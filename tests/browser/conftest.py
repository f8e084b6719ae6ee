"""Real Chromium, the built console, and a hub to open it from."""

import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Locator,
    Page,
    expect,
    sync_playwright,
)

from tests.browser.made_up_city import City
from tests.browser.mock_hub import DIST, MockHub, Told
from tests.browser.running import listening
from tests.servers.port import free_port

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",  # no graphics card: SwiftShader draws WebGL alone, not the page around it
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--force-color-profile=srgb",
]
PATIENCE_MS = 60_000
TEST_S = 300
expect.set_options(timeout=PATIENCE_MS)  # a loaded machine is slow, not wrong
NO_WEBGL = """
  const { getContext } = HTMLCanvasElement.prototype
  HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {
    return kind.startsWith('webgl') ? null : getContext.call(this, kind, ...rest)
  }
"""
# What is said for some seconds is said for a minute: a slow machine may look late.
WORDS_STAY = """
  const { setTimeout } = window
  window.setTimeout = (call, ms, ...rest) =>
    setTimeout(call, ms === 5000 || ms === 9000 ? 60_000 : ms, ...rest)
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent == Path(__file__).parent and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(TEST_S))


def press(button: Locator, key: str = "Enter") -> None:
    """By keyboard, once it can be: a key on what is disabled is lost."""
    expect(button).to_be_enabled()
    button.press(key)


def enter(field: Locator) -> None:
    """Enter in a field, once its form can be sent."""
    expect(field.locator("xpath=ancestor::form").locator("button[type=submit]")).to_be_enabled()
    field.press("Enter")


def until(page: Page, question: Callable[[], object]) -> None:
    """Let the page go on until something beside it has come true."""
    end = time.monotonic() + PATIENCE_MS / 1000
    while not question():
        assert time.monotonic() < end, "it did not come true"
        page.wait_for_timeout(50)


def until_true(page: Page, script: str, arg: Any = None) -> None:
    """Let the page go on until a script says so; Playwright's own wait is against our CSP."""
    until(page, lambda: page.evaluate(script, arg))


def need(path: Path, remedy: str) -> None:
    if path.exists():
        return
    message = f"{path} is absent: {remedy}"
    if os.environ.get("TIANYAN_REQUIRE_SERVERS") == "1":
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    need(CHROMIUM, "apt-get install chromium")
    need(DIST / "index.html", "npm ci && npm run build in hub/console")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield browser
        browser.close()


@dataclass
class Served:
    """A mock hub that answers at `url`."""

    hub: MockHub
    url: str

    def new_alert(self, level: int | None = None, *, told: bool = True) -> str:
        item = self.hub.city.new_alert(level=level)
        if told:
            self.tell("alert", item)
        return str(item["id"])

    def tell(self, kind: str, item: Told) -> None:
        self.run(lambda: self.hub.publish(kind, item))

    def drop(self, seconds: float) -> None:
        httpx.post(f"{self.url}/mock/drop", params={"s": seconds})

    def waiting(self) -> int:
        """How many alerts nobody has decided on, put off or held back."""
        return sum(
            item["decision"] is None
            and not any(item.get(why) for why in ("suppressed_until", "duplicate_of", "snooze"))
            for item in self.hub.city.alerts.values()
        )

    def run(self, call: Callable[[], object]) -> None:
        self.loop.call_soon_threadsafe(call)

    @property
    def loop(self) -> Any:
        return self.hub.loop


@pytest.fixture
def served() -> Iterator[Served]:
    yield from serve(MockHub(City(), demo=True, live=False))


@pytest.fixture(scope="module")
def still_hub() -> Iterator[Served]:
    """One for tests that only look."""
    yield from serve(MockHub(City(), demo=True, live=False))


def serve(hub: MockHub) -> Iterator[Served]:
    with listening(hub.app(), free_port()) as url:
        yield Served(hub, url)
        hub.close()


class Opener:
    """Opens the console; whatever a page writes to its log as an error is kept in `faults`."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._contexts: list[BrowserContext] = []
        self.faults: list[str] = []

    def __call__(
        self,
        url: str,
        path: str = "/",
        *,
        theme: str = "light",
        language: str = "zh",
        guide: bool = False,
        token: str = "",
        draw_map: bool = False,
        at: datetime | None = None,
    ) -> Page:
        """The page, ready; `at`: when it is there, for good."""
        context = self._browser.new_context(
            viewport={"width": 1440, "height": 900}, locale="zh-CN", reduced_motion="reduce"
        )
        self._contexts.append(context)
        wishes = {"theme": theme, "language": language, "guide": "on" if guide else "off"}
        context.add_init_script(
            "if (location.protocol !== 'about:')"  # a blank page may keep nothing
            f"  for (const [key, value] of Object.entries({json.dumps(wishes)}))"
            "    localStorage.setItem(`tianyan.${key}`, value)"
        )
        context.add_init_script(WORDS_STAY)
        if not draw_map:  # software WebGL takes seconds of CPU
            context.add_init_script(NO_WEBGL)
        if at is not None:
            context.clock.set_fixed_time(at)
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("pageerror", lambda fault: self.faults.append(str(fault)))
        page.on("console", self._note)
        if token:
            headers = {"X-Tianyan": "1"}
            context.request.post(f"{url}/api/session", data={"token": token}, headers=headers)
        page.goto(url + path)
        page.wait_for_selector(".counters")
        return page

    def _note(self, said: ConsoleMessage) -> None:
        # Answers that a test asks for (401, 409, a dropped line) are not faults of the page.
        if said.type == "error" and "Failed to load resource" not in said.text:
            self.faults.append(said.text)

    def close(self) -> None:
        for context in self._contexts:
            context.close()


@pytest.fixture
def opened(chromium: Browser) -> Iterator[Opener]:
    opener = Opener(chromium)
    yield opener
    opener.close()
    assert opener.faults == []
