"""Two operators with the same alert before them, on a real hub: one joins it to another."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from hub import auth, pipeline
from hub.app import Hub
from hub.roles import Role
from tests.browser.conftest import Opener
from tests.browser.real_hub import real_hub
from tests.browser.test_shift import chosen
from tests.hub.world import alert_message, birth, received


@pytest.fixture
def city(tmp_path) -> Iterator[tuple[str, dict[str, str]]]:
    """Address of a hub with two alerts, and the tokens of its operators by name."""
    tokens: dict[str, str] = {}

    def furnish(hub: Hub) -> None:
        near = [alert_message(n, alert=f"a-{n}", lat=32.72 + n / 5000) for n in range(2)]
        with hub.store.write() as tx:
            pipeline.take(tx, hub.site, "birth", [received(birth())])
            pipeline.take(tx, hub.site, "alert", [received(each) for each in near])
            for name in ("zhang", "li", "wang"):
                tokens[name] = auth.issue_token(tx, name, Role.OPERATOR)

    with real_hub(tmp_path, furnish) as (url, _root):
        yield url, tokens


def test_a_merge_is_told_to_whoever_looks_and_to_whoever_was_about_to(city, opened: Opener) -> None:
    url, tokens = city
    zhang, li, wang = (opened(url, token=tokens[name]) for name in ("zhang", "li", "wang"))
    alert = zhang.locator("[data-alert]").first.get_attribute("data-alert") or ""
    for page in (zhang, li, wang):
        chosen(page, alert)
    for page in (zhang, wang):
        page.keyboard.press("m")
        expect(page.get_by_role("dialog").get_by_role("listbox")).to_be_focused()

    zhang.keyboard.press("Enter")
    expect(wang.get_by_role("dialog")).to_have_count(0)
    expect(wang.locator(".toasts")).to_contain_text("zhang 已把它并入另一条警情")
    expect(li.locator(".verdict")).to_contain_text("zhang 已把它并入另一条警情")
    expect(li.locator(".history")).to_contain_text("zhang")
    li.keyboard.press("f")
    for page in (zhang, li, wang):
        expect(page.locator(".queue .segments b").first).to_have_text("1")
    expect(li.locator(".toasts li")).to_have_count(0)
