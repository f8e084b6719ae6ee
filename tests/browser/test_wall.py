"""The cameras as a wall of pictures."""

from playwright.sync_api import expect

from tests.browser.accessible import faults
from tests.browser.conftest import Opener, Served


def test_every_camera_is_on_the_wall_with_its_state(still_hub: Served, opened: Opener) -> None:
    page = opened(still_hub.url, "/#/cameras")
    page.get_by_role("button", name="画面墙").click()
    cameras = still_hub.hub.city.cameras
    expect(page.locator(".tile")).to_have_count(len(cameras))
    expect(page.locator(".tile img").first).to_be_visible()
    page.locator(".tile").first.click()
    expect(page.locator(".about")).to_be_visible()
    assert faults(page) == []
