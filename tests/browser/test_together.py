"""Two operators with the same alert before them, on a real hub: one joins it to another."""

from collections.abc import Iterator

import httpx2 as httpx
import pytest
from playwright.sync_api import expect

from hub import audit, auth, pipeline
from hub.alerts.alert import alert_id
from hub.app import Hub
from hub.audit import Entry
from hub.people import users
from hub.people.users import User
from hub.roles import Role
from hub.store import now
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
            tokens["admin"] = auth.issue_token(tx, "admin-1", Role.ADMIN)
            users.add(tx, User("li.na", "李娜", now()))
            looked = Entry(now(), "li.na", "operator", "alert", alert_id(near[0]), "bring_back")
            audit.append(tx, [looked])

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


def test_who_is_called_differently_is_so_on_pages_that_are_open(city, opened: Opener) -> None:
    url, tokens = city
    page = opened(url, token=tokens["zhang"])
    chosen(page, alert_id(alert_message(0, alert="a-0")))
    history = page.locator(".history")
    expect(history).to_contain_text("李娜")
    admin = {"Authorization": f"Bearer {tokens['admin']}"}
    named = httpx.patch(f"{url}/api/users/li.na", json={"display_name": "李娜娜"}, headers=admin)
    assert named.status_code == 200, named.text
    expect(history).to_contain_text("李娜娜")
