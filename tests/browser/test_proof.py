"""What proves a fix, as the case page and the ledgers show it."""

import pytest
from playwright.sync_api import expect

from tests.browser.accessible import faults
from tests.browser.conftest import Opener, Served


def test_a_case_shows_what_was_claimed_and_what_was_found(
    still_hub: Served, opened: Opener
) -> None:
    page = opened(still_hub.url, "/#/cases/5")
    proof = page.get_by_role("region", name="整改核查")
    expect(proof.locator(".three li")).to_have_count(3)
    expect(proof).to_contain_text("照片重复使用")
    expect(proof.get_by_role("link", name="与 AK20261101-0003 的图片相同")).to_be_visible()
    expect(proof).to_contain_text("虚假整改")
    expect(proof).to_contain_text("必须到场")
    expect(proof).to_contain_text("反弹")


def test_the_ledgers_open_into_their_cases(still_hub: Served, opened: Opener) -> None:
    page = opened(still_hub.url, "/#/ledgers")
    expect(page.locator("tbody tr")).to_have_count(3)
    page.get_by_role("button", name="反复发生").click()
    expect(page.locator("tbody")).to_contain_text("含反弹 1、未立案告警 1")
    expect(page.get_by_role("link", name="XLSX", exact=True)).to_have_attribute(
        "href", "/api/ledgers/recurring/file?format=xlsx&language=zh"
    )
    page.locator("tbody a").first.click()
    expect(page.locator(".timeline")).to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_both_are_accessible(still_hub: Served, opened: Opener, theme: str) -> None:
    page = opened(still_hub.url, theme=theme)
    found = []
    for path, ready in (("/#/ledgers", "tbody tr"), ("/#/cases/5", ".proof .list")):
        page.goto(still_hub.url + path)
        page.wait_for_selector(ready)
        found += faults(page)
    assert found == []
