"""The camera's page in real Chromium, on a real hub: zones drawn, checked, saved, followed."""

import hashlib
import re
import time

import cv2
import httpx2 as httpx
import numpy as np
import pytest
from playwright.sync_api import expect

from hub import auth, pipeline
from hub.app import Hub
from hub.devices.orders import store as order_store
from hub.devices.revisions import store as revision_store
from hub.evidence import store as evidence_store
from hub.live import view as live_view
from hub.roles import Role
from hub.store import Store, now
from tests.browser.accessible import faults
from tests.browser.conftest import until_true
from tests.browser.running import answering
from tests.edge.detect.scripted import street
from tests.hub.broker import wait_for
from tests.hub.world import birth, health, make_site, received, state
from tests.servers.port import free_port
from wire.command import CommandState, Reply
from wire.revision import SettingsReport, reply_id

PAGE = "/#/cameras/cam-1/gate"
ZONE = {
    "id": "corner",
    "name": "东门路口",
    "polygon": [[0.1, 0.5], [0.5, 0.45], [0.55, 0.9], [0.12, 0.95]],
    "labels": ["street_vending", "garbage"],
    "dwell_s": 300.0,
    "allowed_hours": [{"from": "05:00:00", "until": "08:30:00", "days": ["workdays"]}],
}


class Site:
    """A hub with one camera, served."""

    def __init__(self, folder, store):
        self.store = store
        port = free_port()
        config = make_site(
            store, folder, listen={"port": port}, broker={"port": free_port()}
        ).config
        self.hub = Hub.build(config, store)
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        at = now()
        self.take("birth", birth())
        self.take("state", state())
        self.take("health", health("ok", at))
        doc = {"zones": [ZONE], "ground_points": []}
        self.take("settings", SettingsReport(dev="cam-1", camera="gate", doc=doc))
        with store.write() as tx:
            self.tokens = {role: auth.issue_token(tx, f"{role}-1", role) for role in Role}

    def take(self, name, message):
        with self.store.write() as tx:
            pipeline.take(tx, self.hub.site, name, [received(message, now())])

    def send_picture(self):
        """The device answers the order for a snapshot and uploads its file."""
        (order,) = self.orders()
        data = cv2.imencode(".jpg", street(size=(1280, 720)))[1].tobytes()
        sha256 = hashlib.sha256(data).hexdigest()
        part = self.hub.site.vault.incoming / "made-up"
        part.write_bytes(data)
        self.hub.site.vault.place(part, sha256)
        with self.store.write() as tx:
            evidence_store.add(
                tx, sha256, kind="image/jpeg", size=len(data), device="cam-1", at=now()
            )
        out = {"evidence": [{"sha256": sha256, "type": "image/jpeg", "role": "clean"}]}
        self.take("reply", Reply(dev="cam-1", id=order.id, st=CommandState.DONE, out=out))

    def answers(self, st, faults=()):
        """The device answers the newest revision."""
        with self.store.read() as tx:
            newest = revision_store.latest(tx, "cam-1")
        out = {"faults": list(faults)}
        self.take("reply", Reply(dev="cam-1", id=reply_id(newest.rev), st=st, out=out))
        if st is CommandState.DONE:
            doc = newest.doc["cameras"]["gate"]
            report = SettingsReport(dev="cam-1", camera="gate", revision=newest.rev, doc=doc)
            self.take("settings", report)
        return newest

    def orders(self):
        with self.store.read() as tx:
            return [order_store.to_order(row) for row in tx.execute(order_store.orders.select())]


@pytest.fixture
def site(tmp_path):
    store = Store(f"sqlite:///{tmp_path / 'hub.sqlite'}")
    store.migrate()
    built = Site(tmp_path, store)
    with answering(built.hub, built.port):
        yield built


def drag(page, handle, dx, dy):
    """By shares of the picture, as it lies now."""
    canvas, box = page.locator(".canvas").bounding_box(), handle.bounding_box()
    dx, dy = dx * canvas["width"], dy * canvas["height"]
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + dx / 2, y + dy / 2)
    page.mouse.move(x + dx, y + dy)
    page.mouse.up()


def click(page, x, y):
    """On the picture, by shares of it."""
    canvas = page.locator(".canvas")
    box = canvas.bounding_box()
    canvas.click(position={"x": x * box["width"], "y": y * box["height"]})


def test_a_zone_is_drawn_checked_saved_refused_and_applied(site, opened):
    page = opened(site.url, PAGE, token=site.tokens[Role.SUPERVISOR])
    expect(page.locator(".stands")).to_contain_text("按设备自己的配置文件运行")
    expect(page.get_by_role("button", name="东门路口").first).to_be_visible()

    page.get_by_role("button", name="抓拍新画面").click()
    expect(page.get_by_role("button", name="等设备上线")).to_be_disabled()
    site.send_picture()
    until_true(page, "() => document.querySelector('.canvas img')?.naturalWidth > 0")

    corners = page.locator(".corner")
    corners.nth(0).press("Shift+ArrowLeft")
    corners.nth(0).press("Enter")
    expect(corners).to_have_count(5)
    corners.nth(1).press("Delete")
    expect(corners).to_have_count(4)

    # Dragging a corner across the opposite side is found while it is done.
    drag(page, corners.nth(1), -0.45, 0.3)
    expect(page.locator(".form .notice")).to_contain_text(re.compile(r"第 \d+ 边与第 \d+ 边相交"))
    save = page.get_by_role("button", name="保存为新版本")
    expect(save).to_be_disabled()
    drag(page, corners.nth(1), 0.45, -0.3)
    expect(page.locator(".form .notice")).to_have_count(0)

    page.get_by_role("button", name="画区域").click()
    for x, y in ((0.62, 0.5), (0.9, 0.5), (0.9, 0.85), (0.62, 0.85), (0.62, 0.5)):
        click(page, x, y)
    expect(page.locator(".zones > li")).to_have_count(2)
    page.get_by_label("名称").fill("停车位")
    page.get_by_role("button", name="较重").click()
    page.get_by_label("改了什么、为什么（可不填）").fill("新增停车位")
    save.click()
    expect(page.locator(".stands")).to_contain_text("版本 1 等设备上线")

    site.answers(CommandState.FAILED, ["cameras.gate.zones.1: the made-up reason"])
    expect(page.locator(".stands")).to_contain_text("设备拒绝了版本 1")
    expect(page.locator(".stands")).to_contain_text("the made-up reason")
    page.get_by_role("button", name="从现用的改起").click()
    expect(page.locator(".zones > li")).to_have_count(1)
    expect(save).to_be_enabled()
    page.get_by_role("button", name="放弃修改").click()
    expect(page.locator(".zones > li")).to_have_count(2)
    page.get_by_role("button", name="停车位").first.click()
    page.get_by_label("停留").fill("10")
    page.get_by_label("停留").blur()
    expect(save).to_be_enabled()
    save.click()
    expect(page.locator(".stands")).to_contain_text("版本 2 等设备上线")
    done = site.answers(CommandState.DONE)
    expect(page.locator(".stands")).to_contain_text("版本 2 已生效，设备报告 2")
    zones = done.doc["cameras"]["gate"]["zones"]
    assert [zone["name"] for zone in zones] == ["东门路口", "停车位"]
    assert (zones[1]["severity"], zones[1]["dwell_s"]) == (2, 600)
    assert zones[1]["polygon"][1] == pytest.approx([0.9, 0.5], abs=0.01)
    page.locator(".tabs").get_by_role("button", name="版本").click()
    expect(page.locator(".revisions > li")).to_have_count(2)
    newest, first = page.locator(".revisions > li").all()
    expect(newest.locator("summary")).to_have_text(re.compile(r"^\d+ 处改动$"))
    newest.locator("summary").click()
    expect(newest.locator("dd", has_text="→").first).to_be_visible()
    expect(first.locator("summary")).to_have_text(re.compile(r"^第一个版本，\d+ 项设置$"))
    first.locator("summary").click()
    expect(first.locator("dd").first).to_be_visible()
    expect(first.locator("dd", has_text="→")).to_have_count(0)


def live_picture(grey):
    return cv2.imencode(".jpg", np.full((360, 640, 3), grey, np.uint8))[1].tobytes()


def puts(site, order, grey):
    """The device sends a picture to where the order says; the hub's answer."""
    headers = {"X-Taken-Ms": str(int(time.time() * 1000)), "X-Sight": "ok"}
    sent = httpx.put(order.args["url"], content=live_picture(grey), headers=headers)
    return sent.status_code


def test_a_camera_is_watched_while_the_page_is_open(site, opened, monkeypatch):
    page = opened(site.url, PAGE, token=site.tokens[Role.OPERATOR])
    page.get_by_role("button", name="看实时").click()
    bar = page.locator(".left .bar")
    expect(bar).to_contain_text("等设备送来第一张画面")
    order = wait_for(lambda: next(iter(site.orders()), None), 60)
    assert order.op == "camera.watch"
    picture = page.locator(".canvas img")
    seen = set()
    for grey in (40, 200):
        assert puts(site, order, grey) == 204
        expect(picture).to_have_attribute("src", re.compile(r"^blob:"))
        wait_for(lambda: picture.get_attribute("src") not in seen, 60)
        seen.add(picture.get_attribute("src"))
    expect(bar).to_contain_text("1 人在看")
    page.get_by_role("button", name="停止").click()
    expect(picture).to_have_count(0)
    monkeypatch.setattr(live_view, "STILL_S", 0.0)
    assert puts(site, order, 90) == 410


def test_a_watch_that_the_device_refuses_says_why(site, opened):
    page = opened(site.url, PAGE, token=site.tokens[Role.OPERATOR])
    page.get_by_role("button", name="看实时").click()
    order = wait_for(lambda: next(iter(site.orders()), None), 60)
    why = "a, b, c are watched already; 3 at a time"
    site.take("reply", Reply(dev="cam-1", id=order.id, st=CommandState.FAILED, why=why))
    expect(page.locator(".toasts")).to_contain_text(why)
    expect(page.get_by_role("button", name="看实时")).to_be_visible()


def test_ground_points_are_typed_and_an_operator_may_only_look(site, opened):
    page = opened(site.url, PAGE, token=site.tokens[Role.SUPERVISOR], theme="dark", language="zh")
    page.locator(".tabs").get_by_role("button", name="地面点").click()
    page.get_by_role("button", name="添加地面点").click()
    click(page, 0.3, 0.4)
    page.get_by_label("地面点 1 的纬度").fill("32.7")
    page.get_by_label("地面点 1 的纬度").blur()
    expect(page.locator(".save .notice")).to_have_text("地面点有 1 个，要 4 个以上")
    other = opened(site.url, PAGE, token=site.tokens[Role.OPERATOR])
    expect(other.get_by_role("button", name="保存为新版本")).to_have_count(0)
    expect(other.get_by_role("button", name="画区域")).to_be_disabled()


def test_of_two_who_change_one_camera_the_second_is_told(site, opened):
    page = opened(site.url, PAGE, token=site.tokens[Role.SUPERVISOR])
    name = page.get_by_role("textbox", name="名称")
    name.fill("我的名称")
    name.blur()
    save = page.get_by_role("button", name="保存为新版本")
    expect(save).to_be_enabled()
    headers = {"Authorization": f"Bearer {site.tokens[Role.ADMIN]}"}
    with httpx.Client(base_url=site.url, headers=headers, timeout=60) as other:
        path = "/api/cameras/cam-1/gate/settings"
        settings = other.get(path).json()["in_force"]
        settings["zones"][0]["name"] = "别人的名称"
        body = {"settings": settings, "seen": 0, "note": ""}
        assert other.put(path, json=body).status_code == 201
    save.click()
    expect(page.locator(".notice.bad")).to_contain_text("设备 cam-1 在第 0 版之后已有第 1 版")
    expect(name).to_have_value("我的名称")
    with site.store.read() as tx:
        kept = revision_store.latest(tx, "cam-1")
    assert [zone["name"] for zone in kept.doc["cameras"]["gate"]["zones"]] == ["别人的名称"]
    save.click()
    expect(page.locator(".stands")).to_contain_text("版本 2 等设备上线")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_stands_in_the_way_of_those_who_see_or_point_badly(site, opened, theme):
    page = opened(site.url, PAGE, token=site.tokens[Role.SUPERVISOR], theme=theme)
    page.wait_for_selector(".zones > li")
    assert faults(page) == []
