"""The line from the camera to the case, seen through the operator's own page."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Opener, until_true
from tests.browser.demo import running_demo

# Drawing the scenes takes a minute the first time; a thing must then stay before it is an alert.
FIRST_ALERT_MS = 300_000


@pytest.mark.timeout(480)
def test_an_alert_of_the_demo_becomes_a_case(opened: Opener, tmp_path: Path) -> None:
    with running_demo(tmp_path) as url:
        page = opened(url, draw_map=True)
        expect(page.locator(".pill")).to_have_text("实时")
        alerts = page.locator("[data-alert]")
        before = alerts.evaluate_all("rows => rows.map((row) => row.dataset.alert)")
        known = "".join(f":not([data-alert='{alert}'])" for alert in before)
        # Vehicles ring too, without a picture: the line from the camera is what is followed.
        fresh = page.locator(f"[data-alert]{known}").filter(has_not_text="陕G").first
        fresh.wait_for(timeout=FIRST_ALERT_MS)
        alert = fresh.get_attribute("data-alert")
        row = page.locator(f"[data-alert='{alert}']")
        row.click()
        picture = page.locator(".detail .evidence img")
        expect(picture).to_be_visible(timeout=30_000)
        until_true(page, "() => document.querySelector('.detail .evidence img').naturalWidth > 0")
        page.keyboard.press("c")
        page.locator(".toasts a").first.click()
        expect(page.locator(".head .state")).to_have_text("已立案")
        # Not always the first of the day: garbage opens its case by itself in the demo.
        expect(page.locator(".head .number")).to_have_text(re.compile(r"^\s*AK\d{8}-\d{4}\s*$"))
        expect(page.locator(".timeline")).to_contain_text("由 已上报 到 已立案")
        expect(page.locator(".evidence img")).to_be_visible()
