"""Going from page to page, by keyboard and on a small screen."""

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.accessible import faults
from tests.browser.conftest import Opener, Served, until

WIDE = {"width": 1280, "height": 800}
PHONE = {"width": 360, "height": 720}


def no_sideways(page: Page) -> bool:
    return bool(
        page.evaluate(
            "[...document.querySelectorAll('.bar, .bar *')].every((it) => {"
            "  const box = it.getBoundingClientRect();"
            "  return box.width <= 1 || box.right <= innerWidth + 1 })"
        )
    )


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_bar_fits_a_small_desk(still_hub: Served, opened: Opener, language: str) -> None:
    page = opened(still_hub.url, language=language)
    for width in (1920, 1440, 1280, 1101, 1024, 721, 360):
        page.set_viewport_size({"width": width, "height": 800})
        assert no_sideways(page), width


def test_a_menu_is_opened_and_left_by_keyboard(still_hub: Served, opened: Opener) -> None:
    page = opened(still_hub.url)
    page.set_viewport_size(WIDE)
    menu = page.get_by_role("navigation", name="主要页面").get_by_role("button", name="巡查")
    menu.focus()
    page.keyboard.press("ArrowDown")
    expect(menu).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("Escape")
    expect(menu).to_be_focused()
    expect(menu).to_have_attribute("aria-expanded", "false")
    page.keyboard.press("Enter")
    expect(menu).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("link", name="五定")).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url("**/#/duty")
    expect(menu).to_have_attribute("aria-expanded", "false")
    menu.click()
    expect(page.get_by_role("link", name="五定")).to_have_attribute("aria-current", "page")
    page.locator("main").click(position={"x": 5, "y": 300})
    expect(page.get_by_role("link", name="五定")).to_be_hidden()


def test_a_phone_gets_one_menu(still_hub: Served, opened: Opener) -> None:
    page = opened(still_hub.url)
    page.set_viewport_size(PHONE)
    bar = page.get_by_role("banner")
    bar.get_by_role("button", name="主要页面").click()
    bar.get_by_role("link", name="案件").click()
    page.wait_for_url("**/#/cases")
    expect(bar.get_by_role("link", name="案件")).to_be_hidden()
    bar.get_by_role("button", name="的菜单").click()
    bar.get_by_role("button", name="English").click()
    expect(bar.get_by_role("button", name="Main pages")).to_contain_text("Cases")


def test_open_menus_are_accessible(still_hub: Served, opened: Opener) -> None:
    page = opened(still_hub.url)
    for name in ("巡查", "的菜单"):
        page.get_by_role("banner").get_by_role("button", name=name).click()
        assert faults(page, "header") == []


def test_a_page_left_open_over_a_new_version_is_read_anew(
    still_hub: Served, opened: Opener
) -> None:
    """What it asks for is there no more; it comes back where one wanted to go."""
    page = opened(still_hub.url)
    page.route("**/assets/cases-page*.js", lambda route: route.abort(), times=1)
    page.get_by_role("link", name="案件", exact=True).click()
    expect(page.get_by_role("heading", name="案件")).to_be_visible()
    page.wait_for_url("**/#/cases")
    opened.faults.clear()  # the part that was not there


def test_an_address_written_before_the_first_page_is_there_is_followed(
    still_hub: Served, opened: Opener
) -> None:
    page = opened(still_hub.url)
    page.goto("about:blank")
    parts: list[Route] = []

    def keep(route: Route) -> None:
        parts.append(route)

    page.route("**/assets/cases-page*.js", keep, times=1)
    page.goto(f"{still_hub.url}/#/cases", wait_until="commit")
    until(page, lambda: parts)
    page.goto(f"{still_hub.url}/#/cameras?q=x")
    parts[0].continue_()
    expect(page.get_by_role("heading", name="摄像机", exact=True)).to_be_visible()
    assert page.url.endswith("/#/cameras?q=x")
