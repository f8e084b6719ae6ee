"""Finding things on the map, and looking back."""

from playwright.sync_api import expect

from tests.browser.conftest import AXE, Opener, Served, need


def test_the_map_fills_its_frame(still_hub: Served, opened: Opener) -> None:
    page = opened(still_hub.url, draw_map=True)
    canvas, frame = page.locator(".maplibregl-canvas"), page.locator(".map-frame")
    canvas.wait_for(timeout=60_000)
    drawn, around = page.locator(".maplibregl-map").bounding_box(), frame.bounding_box()
    assert drawn == around
    assert around is not None
    assert around["height"] > 400


def test_a_plate_is_found_by_keyboard_and_shown(still_hub: Served, opened: Opener) -> None:
    page = opened(still_hub.url)
    vehicle = next(iter(still_hub.hub.city.vehicles.values()))
    page.keyboard.press("/")
    box = page.get_by_role("combobox", name="车牌、网格、案号、地点")
    expect(box).to_be_focused()
    page.keyboard.type(vehicle["plate"])
    hit = page.locator("[role=search] [role=option]").first
    expect(hit).to_contain_text(vehicle["plate"])
    need(AXE, "npm ci in hub/console")
    page.evaluate(AXE.read_text())
    found = page.evaluate("axe.run('[role=search]')")
    assert [(f["id"], n["target"]) for f in found["violations"] for n in f["nodes"]] == []
    page.keyboard.press("Enter")
    expect(page.locator(".card")).to_contain_text(vehicle["plate"])
    page.keyboard.press("/")
    page.keyboard.type("没有这样的")
    expect(page.locator("[role=search] [role=status]")).to_have_text("没有找到")


def test_the_map_looks_back_and_returns(still_hub: Served, opened: Opener) -> None:
    page = opened(still_hub.url, draw_map=True)
    page.wait_for_selector(".maplibregl-canvas")
    with page.expect_request(lambda asked: "/api/past" in asked.url):
        page.get_by_role("button", name="回看过去某一刻").click()
    slider = page.get_by_role("slider", name="过去的某一刻")
    with page.expect_request(lambda asked: "/api/past" in asked.url):
        slider.focus()
        page.keyboard.press("ArrowLeft")
    page.get_by_role("button", name="回到现在").click()
    expect(slider).to_have_count(0)
