"""Finding things on the map, and looking back."""

import io

import numpy as np
from PIL import Image
from playwright.sync_api import Locator, expect

from hub import auth
from hub.app import Hub
from hub.base_map import PATH
from hub.positions import KIND
from hub.roles import Role
from hub.store import Store, now, to_ms
from tests.browser.accessible import faults
from tests.browser.conftest import Opener, Served, press, until
from tests.browser.running import answering
from tests.hub.world import make_site
from tests.pmtiles import write_pmtiles
from tests.servers.port import free_port


def test_the_map_fills_its_frame(still_hub: Served, opened: Opener) -> None:
    page = opened(still_hub.url, draw_map=True)
    canvas, frame = page.locator(".maplibregl-canvas"), page.locator(".map-frame")
    canvas.wait_for()
    drawn = page.locator(".maplibregl-map")
    until(page, lambda: drawn.bounding_box() == frame.bounding_box())
    around = frame.bounding_box()
    assert around is not None
    assert around["height"] > 400


def test_a_plate_is_found_by_keyboard_and_shown(still_hub: Served, opened: Opener) -> None:
    page = opened(still_hub.url)
    vehicle = next(iter(still_hub.hub.city.vehicles.values()))
    box = page.get_by_role("combobox", name="车牌、网格、案号、地点")
    expect(box).to_be_visible()
    page.keyboard.press("/")
    expect(box).to_be_focused()
    page.keyboard.type(vehicle["plate"])
    hit = page.locator("[role=search] [role=option]").first
    expect(hit).to_contain_text(vehicle["plate"])
    assert faults(page, "[role=search]") == []
    page.keyboard.press("Enter")
    expect(page.locator(".card")).to_contain_text(vehicle["plate"])
    still_hub.tell(KIND, [[vehicle["id"], to_ms(now()), vehicle["lat"], vehicle["lon"], 87.6, 90]])
    expect(page.locator(".card")).to_contain_text("88 km/h")
    page.keyboard.press("/")
    expect(box).to_be_focused()
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


def test_a_vehicle_is_followed_until_the_map_is_dragged(still_hub: Served, opened: Opener) -> None:
    page = opened(still_hub.url, "/#/vehicles", draw_map=True)
    canvas = page.locator(".maplibregl-canvas")
    canvas.wait_for()
    press(page.locator("tbody button").first)
    follow = page.get_by_role("button", name="跟随", exact=True)
    press(follow)
    expect(page.get_by_role("button", name="停止跟随")).to_have_attribute("aria-pressed", "true")
    box = canvas.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 3, box["y"] + box["height"] / 3
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 90, y + 60, steps=6)
    page.mouse.up()
    expect(follow).to_have_attribute("aria-pressed", "false")


def test_a_pmtiles_file_lies_under_the_map(tmp_path, opened: Opener) -> None:
    archive = write_pmtiles(tmp_path / "city.pmtiles", (230, 40, 200), zooms=13)
    store = Store(f"sqlite:///{tmp_path / 'hub.sqlite'}")
    store.migrate()
    port = free_port()
    site = make_site(
        store, tmp_path, base_map={"pmtiles": str(archive)}, listen={"port": port},
        broker={"port": free_port()}, view={"lat": 10.0, "lon": 20.0, "zoom": 12},
    )  # fmt: skip
    with store.write() as tx:
        token = auth.issue_token(tx, "li", Role.VIEWER)
    with answering(Hub.build(site.config, store), port) as url:
        page = opened(url, "/#/ledgers", token=token, draw_map=True)
        parts: list[int] = []
        page.on("response", lambda each: PATH in each.url and parts.append(each.status))
        page.goto(url)
        canvas = page.locator(".maplibregl-canvas")
        canvas.wait_for()
        until(page, lambda: is_pink(canvas))
        assert set(parts) == {206}


def is_pink(canvas: Locator) -> bool:
    shot = np.asarray(Image.open(io.BytesIO(canvas.screenshot())).convert("RGB"), int)
    middle = shot[shot.shape[0] // 3 : -shot.shape[0] // 3, shot.shape[1] // 3 : -200]
    red, green, blue = np.median(middle, axis=(0, 1))
    return bool(red > green + 80 and blue > green + 80)
