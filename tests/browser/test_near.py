"""What lies near: cases that are the same thing, fences and permits on the map, a look again."""

import math
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import mock_map
from tests.browser.accessible import faults
from tests.browser.conftest import Opener, Served, until_true
from tests.browser.made_up_city import CENTRE_LAT, CENTRE_LON

# What the map tells its worker: the data of each source, the layers as they were changed last.
LISTEN = """
  window.told = { sources: {}, layers: {} }
  const { postMessage } = Worker.prototype
  Worker.prototype.postMessage = function (message, ...rest) {
    const { type, data } = message ?? {}
    if (type === 'LD' && data.data) told.sources[data.source] = data.data
    if (type === 'UL') for (const layer of data.layers) told.layers[layer.id] = layer
    return postMessage.call(this, message, ...rest)
  }
"""


@pytest.fixture(scope="module")
def desk(chromium: Browser, still_hub: Served) -> Iterator[Page]:
    """One page for the module, without a drawn map: loading it is most of a test's time."""
    opener = Opener(chromium)
    page = opener(still_hub.url)
    yield page
    opener.close()
    assert opener.faults == []


def at(page: Page, served: Served, path: str) -> Page:
    page.goto(f"{served.url}/#{path}")
    return page


def test_twins_stand_side_by_side_and_are_merged_by_keyboard(desk: Page, still_hub: Served) -> None:
    city = still_hub.hub.city
    own = city.twin("1", away_lon=0.05, matter=city.cases["1"]["matter"])
    near = city.twin(str(own["id"]), away_lon=0.0001)
    further = city.twin(str(own["id"]), away_lon=0.0002)
    page = at(desk, still_hub, f"/cases/{own['id']}")
    expect(page.locator(".twins")).to_contain_text("100 米内还有 2 件")
    page.keyboard.press("d")
    dialog = page.get_by_role("dialog", name="并排比对")
    sides = dialog.locator(".side")
    expect(sides.nth(0)).to_contain_text(f"本条 · {own['number']}")
    expect(sides.nth(1)).to_contain_text(f"1/2 · {near['number']}")
    assert faults(page, "dialog") == []
    page.keyboard.press("ArrowRight")
    expect(sides.nth(1)).to_contain_text(f"2/2 · {further['number']}")
    page.keyboard.press("ArrowRight")
    expect(sides.nth(1)).to_contain_text(f"2/2 · {further['number']}")
    page.keyboard.press("Escape")
    page.keyboard.press("d")  # at once: the dialog is gone with the key
    assert own["state"] == "reported"
    expect(sides.nth(1)).to_contain_text(further["number"])
    page.keyboard.press("m")
    expect(page.locator("dialog")).to_have_count(0)
    expect(page.locator(".head .state")).to_have_text("已合并")
    assert (own["state"], own["merged_into"]) == ("merged", further["number"])
    why = f"{further['number']}: 同一件事，相距 "
    assert own["history"][-1]["note"].startswith(why)
    expect(page.locator(".merged")).to_contain_text(f"已并入 {why}")
    expect(page.locator(".twins")).to_have_count(0)
    assert faults(page, ".merged") == []


def test_why_a_filed_case_is_not_merged_is_read_without_a_mouse(
    desk: Page, still_hub: Served
) -> None:
    city = still_hub.hub.city
    filed = city.twin("1", away_lon=0.1, matter=city.cases["1"]["matter"])
    city.twin(str(filed["id"]), away_lon=0.0001)
    filed["state"] = "filed"
    page = at(desk, still_hub, f"/cases/{filed['id']}")
    expect(page.locator(".twins")).to_be_visible()
    page.keyboard.press("d")
    dialog = page.get_by_role("dialog", name="并排比对")
    expect(dialog).to_contain_text("已立案的案件不能再合并")
    expect(dialog.get_by_role("button", name="把本案并入")).to_be_disabled()
    page.keyboard.press("Escape")


def test_a_case_alone_has_no_twins(desk: Page, still_hub: Served) -> None:
    city = still_hub.hub.city
    other = {"code": "06044", "name_zh": "道路破损", "name_en": "Broken road"}
    alone = city.twin("1", away_lon=-0.05, matter=other)
    city.twin(str(alone["id"]), away_lon=0.0001, matter={**other, "code": "06045"})
    with desk.expect_response(lambda answer: "/api/spot" in answer.url):
        at(desk, still_hub, f"/cases/{alone['id']}")
    expect(desk.locator(".head .number")).to_contain_text(alone["number"])
    desk.keyboard.press("d")
    expect(desk.locator(".twins")).to_have_count(0)
    expect(desk.get_by_role("dialog")).to_have_count(0)


def test_l_asks_the_camera_to_look_again_once(desk: Page, still_hub: Served) -> None:
    hub = still_hub.hub
    alert = next(
        key
        for key, item in hub.city.alerts.items()
        if item["decision"] is None and item["place"] != "vehicle"
    )
    page = at(desk, still_hub, "/")
    page.locator(f"[data-alert='{alert}']").click()
    looks = page.get_by_role("region", name="复看现场")
    expect(looks).to_contain_text("还没有复看过")
    page.keyboard.press("l")
    expect(looks.get_by_role("listitem")).to_contain_text("正在看…")
    expect(page.locator(".toasts")).to_contain_text("已请摄像机再看一次")
    asked = hub.looks.asked[alert]
    assert [(one["seconds"], one["looks"]) for one in asked] == [(60, 12)]
    expect(looks.get_by_role("button", name="请摄像机复看")).to_be_disabled()
    page.keyboard.press("l")  # the camera is looking already
    still_hub.run(lambda: hub.looks.answer(alert, "gone"))
    expect(looks.get_by_role("listitem")).to_contain_text("把握 82%")
    assert len(asked) == 1
    page.keyboard.press("l")
    expect(looks.get_by_role("listitem")).to_have_count(2)
    assert len(asked) == 2


def names(source: dict[str, Any]) -> list[str]:
    return [str(feature["properties"]["name"]) for feature in source["features"]]


def test_fences_and_routes_lie_on_the_map_and_are_switched(
    still_hub: Served, opened: Opener
) -> None:
    page = opened(still_hub.url, "/#/ledgers", draw_map=True)
    page.add_init_script(LISTEN)
    page.goto(still_hub.url)
    until_true(page, "() => told.sources.fences?.features.length > 0")
    until_true(page, "() => told.sources.permits?.features.length > 0")
    fences, permits = page.evaluate("[told.sources.fences, told.sources.permits]")
    assert names(fences) == ["育才路工地", "北山消纳场", "江北大道"]
    assert [f["properties"]["tone"] for f in fences["features"]] == ["loading", "dump", "watch"]
    assert [f["geometry"]["type"] for f in fences["features"]] == [
        "Polygon", "Polygon", "LineString",
    ]  # fmt: skip
    ring = fences["features"][1]["geometry"]["coordinates"][0]
    assert ring[0] == pytest.approx(ring[-1])
    assert {round(metres(corner)) for corner in ring} == {200}
    assert names(permits) == ["渣准字2026-031"]
    assert permits["features"][0]["geometry"]["coordinates"] == mock_map.WAY

    page.get_by_role("button", name="图层").click()
    for label, layers in (
        ("围栏与场地", ["fence-areas", "fence-lines", "fence-names"]),
        ("准运路线", ["permit-routes"]),
    ):
        for wanted, visibility in ((False, "none"), (True, "visible")):
            page.get_by_label(label).set_checked(wanted)
            until_true(
                page,
                "([ids, wanted]) => ids.every("
                "  (id) => told.layers[id]?.layout.visibility === wanted)",
                [layers, visibility],
            )


def metres(corner: list[float]) -> float:
    """From the middle of the round fence."""
    east = (corner[0] - CENTRE_LON) * 111_320 * math.cos(math.radians(CENTRE_LAT))
    return math.hypot(east, (corner[1] - CENTRE_LAT) * 110_950)
