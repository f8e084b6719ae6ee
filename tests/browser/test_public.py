"""The public page on a real hub, in a browser as narrow as an old phone: report, ask, look up."""

import io

import pytest
from PIL import Image
from playwright.sync_api import expect

from hub.app import Hub
from hub.http import iso
from hub.store import Store, now
from tests.browser.accessible import faults_in_both_themes
from tests.browser.conftest import DIST, PATIENCE_MS, need, until
from tests.browser.running import answering
from tests.hub.world import LAT, LON, make_site
from tests.servers.port import free_port

SCRIPT = "<img src=x onerror=document.title='taken'> 垃圾堆在门口"


@pytest.fixture
def city(tmp_path):
    port, store = free_port(), Store(f"sqlite:///{tmp_path / 'hub.sqlite'}")
    store.migrate()
    site = make_site(
        store, tmp_path, listen={"port": port}, broker={"port": free_port()},
        intake={"public": True},
    )  # fmt: skip
    hub = Hub.build(site.config, store)
    with answering(hub, port) as url:
        yield hub, url


@pytest.fixture
def phone(chromium, city):
    need(DIST / "public.html", "npm run build in hub/console")
    context = chromium.new_context(
        viewport={"width": 320, "height": 640},
        has_touch=True,
        reduced_motion="reduce",
        geolocation={"latitude": LAT, "longitude": LON, "accuracy": 9},
        permissions=["geolocation"],
        locale="zh-CN",
    )
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    faults = []
    page.on("pageerror", lambda fault: faults.append(str(fault)))
    page.goto(city[1] + "/public/")
    yield page
    assert faults == []
    context.close()


def photo():
    written = io.BytesIO()
    Image.effect_noise((3000, 2000), 80).convert("RGB").save(written, "JPEG", quality=95)
    return written.getvalue()


def is_narrow_enough(page):
    return page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_citizen_reports_with_photo_and_place_and_asks(city, phone):
    hub, _ = city
    phone.get_by_label("什么问题").fill(SCRIPT)
    phone.get_by_label("类别（不确定可不选）").select_option("06010")
    phone.get_by_label("在哪里").fill("兴安路 12 号")
    phone.get_by_role("button", name="使用我现在的位置").click()
    expect(phone.get_by_text("已定位")).to_contain_text("误差约 9 米")
    sent = photo()
    assert len(sent) > 1 << 20  # more than the hub takes: the page makes it smaller
    files = [{"name": "a.jpg", "mimeType": "image/jpeg", "buffer": sent}]
    phone.get_by_label("照片（最多 3 张）").set_input_files(files)
    phone.get_by_label("电话").fill("13812345678")
    assert is_narrow_enough(phone)
    assert faults_in_both_themes(phone) == []
    phone.get_by_role("button", name="提交").click()
    receipt = phone.get_by_role("status").filter(has_text="已收到")
    expect(receipt).to_be_visible()
    number, key = receipt.locator("dd").all_inner_texts()
    assert phone.locator(".notice.bad").count() == 0
    with hub.store.read() as tx:
        row = tx.exec_driver_sql("SELECT content, lat, files, matter FROM reports").one()
    assert (row.content, row.lat, row.matter) == (SCRIPT, LAT, "06010")
    assert row.files.count('"') == 2

    phone.get_by_role("link", name="查询进度").click()
    phone.get_by_label("编号").fill(number.lower())
    phone.get_by_label("查询码").fill("wrong")
    phone.get_by_role("button", name="查询", exact=True).click()
    expect(phone.get_by_role("alert")).to_contain_text("查询码不对")
    phone.get_by_label("查询码").fill(key)
    phone.get_by_role("button", name="查询", exact=True).click()
    expect(phone.get_by_text("GB/T 47678.5-2026 06010")).to_be_visible()
    expect(phone.get_by_text("还没有答复。")).to_be_visible()
    assert is_narrow_enough(phone)
    assert faults_in_both_themes(phone) == []
    text = phone.inner_text("body")
    assert "138" not in text
    assert "门口" not in text
    assert phone.title() == "城市管理 · 公众服务"


def test_closed_matters_are_looked_up_by_grid_in_two_languages(city, phone):
    hub, url = city
    import httpx2

    body = {"content": "x", "matter": "06010", "lat": LAT, "lon": LON}
    httpx2.post(f"{url}/public/reports", json=body)
    with hub.store.write() as tx:
        at = int(now().timestamp() * 1000)
        tx.exec_driver_sql(f"UPDATE cases SET state = 'closed', closed_at = {at}")
    held = []

    def hold(route):
        held.append(route)

    phone.route(lambda asked: asked.endswith("&grid="), hold)
    with phone.expect_request(lambda asked: asked.url.endswith("&grid=")):
        phone.get_by_role("link", name="办结公示").click()
    phone.get_by_label("网格").select_option("q10")
    expect(phone.get_by_text("没有已办结的事项。")).to_be_visible()
    # What was asked first is answered last.
    with phone.expect_response(lambda answer: answer.url.endswith("&grid=")) as late:
        until(phone, lambda: bool(held))
        held[0].continue_()
    late.value.finished()
    expect(phone.get_by_text("没有已办结的事项。")).to_be_visible()
    phone.get_by_label("网格").select_option("q01")
    expect(phone.get_by_text("共 1 件")).to_be_visible()
    phone.get_by_role("button", name="English").click()
    expect(phone.get_by_text("1 in all")).to_be_visible()
    phone.get_by_text("Exposed garbage").first.click()
    expect(phone.get_by_text("Basis", exact=True)).to_be_visible()
    step = phone.locator(".steps li").first  # when and what side by side, on a phone too
    time, said = (step.locator(name).bounding_box() for name in ("time", "span"))
    assert said["y"] == time["y"]
    assert said["x"] > time["x"] + time["width"]
    assert phone.locator("html").get_attribute("lang") == "en"
    assert is_narrow_enough(phone)
    assert faults_in_both_themes(phone) == []
    assert iso(now())[:4] in phone.inner_text("main")
