"""The phone page on a real hub: an officer goes, the network goes, the work is sent once."""

import io
import re
from datetime import timedelta

import httpx2
import pytest
from PIL import Image
from playwright.sync_api import expect

from hub import audit, auth, pipeline
from hub.app import Hub
from hub.housekeeping import judge_patrols
from hub.people import password, users
from hub.people.users import User
from hub.roles import Post, Role
from hub.store import Store, now
from tests import media_files
from tests.browser.accessible import faults_in_both_themes
from tests.browser.conftest import DIST, PATIENCE_MS, need, until, until_true
from tests.browser.running import answering
from tests.hub.world import LAT, LON, alert_message, birth, make_site, received, state
from tests.servers.port import free_port

SECRET = "correct horse battery"
KEPT = "JSON.parse(localStorage['tianyan.phone'] ?? null)"
BY_THAT_CLOCK = """Object.defineProperty(GeolocationPosition.prototype, 'timestamp', {
  get() { return Date.now() },
})"""


class City:
    """A hub, served, with a case in each of q01 and q10 that were dispatched."""

    def __init__(self, folder):
        port, self.store = free_port(), Store(f"sqlite:///{folder / 'hub.sqlite'}")
        self.store.migrate()
        site = make_site(
            self.store, folder, listen={"port": port}, broker={"port": free_port()},
            rules={"garbage": {"open_case": "at_once"}}, proof={"photos": "required"},
            time_zone="Asia/Tokyo",
        )  # fmt: skip
        self.hub, self.zone = Hub.build(site.config, self.store), site.config.zone
        self.port, self.url = port, f"http://127.0.0.1:{port}"
        at = now() - timedelta(minutes=10)
        with self.store.write() as tx:
            for name, message in (("birth", birth()), ("state", state())):
                pipeline.take(tx, site, name, [received(message, at)])
            for seq, (lat, lon) in enumerate([(LAT, LON), (32.65, 109.15)]):
                message = alert_message(seq, alert=f"a-{seq}", lat=lat, lon=lon, at=at)
                pipeline.take(tx, site, "alert", [received(message, at)])
            post = (Post(Role.HANDLER, grid="q01"),)
            users.add(tx, User("li", "李明", at, post, hash=password.hashed(SECRET)))
            self.key = auth.issue_token(tx, "chief", Role.SUPERVISOR)

    def dispatch(self):
        """Send both on their way."""
        with httpx2.Client(
            base_url=self.url, timeout=60, headers={"Authorization": f"Bearer {self.key}"}
        ) as chief:
            for case in chief.get("/api/cases").json()["items"]:
                version = case["version"]
                for action in ("file", "dispatch"):
                    body = {"action": action, "version": version}
                    done = chief.post(f"/api/cases/{case['id']}/actions", json=body)
                    assert done.status_code == 200, done.text
                    version = done.json()["version"]
        with self.store.read() as tx:
            rows = tx.exec_driver_sql("SELECT id, number, lat FROM cases").all()
        self.mine = next(row for row in rows if row.lat == LAT)
        self.other = next(row for row in rows if row.lat != LAT)

    def steps(self):
        with self.store.read() as tx:
            return [act.action for act in audit.of(tx, "case", str(self.mine.id))]


@pytest.fixture
def city(tmp_path):
    made = City(tmp_path)
    with answering(made.hub, made.port):
        made.dispatch()
        yield made


def pocket(chromium, city, *, at=None):
    """The page on a phone, logged in; `at`: what its clock says when it begins."""
    need(DIST / "phone.html", "npm run build in hub/console")
    context = chromium.new_context(
        viewport={"width": 360, "height": 640},
        has_touch=True,
        reduced_motion="reduce",
        geolocation={"latitude": LAT, "longitude": LON + 0.0003, "accuracy": 8},
        permissions=["geolocation"],
        locale="zh-CN",
    )
    if at is not None:
        context.clock.install(time=at)
        context.add_init_script(BY_THAT_CLOCK)
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.goto(city.url + "/phone")
    page.get_by_label("用户名").fill("li")
    page.get_by_label("密码").fill(SECRET)
    page.get_by_role("button", name="登录").click()
    return page


@pytest.fixture
def phone(chromium, city):
    page = pocket(chromium, city)
    faults = []
    page.on("pageerror", lambda fault: faults.append(str(fault)))
    yield page
    assert faults == []
    page.context.close()


@pytest.fixture
def officer(chromium, city):
    """A phone half an hour behind, so that a patrol of minutes can be walked in seconds."""
    page = pocket(chromium, city, at=now() - timedelta(minutes=30))
    faults = []
    page.on("pageerror", lambda fault: faults.append(str(fault)))
    yield page
    assert faults == []
    page.context.close()


def photo():
    written = io.BytesIO()
    Image.effect_noise((1200, 900), 60).convert("RGB").save(written, "JPEG", quality=80)
    return {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": written.getvalue()}


def page_is_kept(phone):
    until_true(phone, "navigator.serviceWorker.controller !== null")
    until_true(
        phone,
        "caches.open('tianyan-phone-1').then((kept) => kept.match('/phone'))"
        ".then((found) => Boolean(found))",
    )


def film():
    return {"name": "a.mp4", "mimeType": "video/mp4", "buffer": media_files.film("mp4")}


def test_what_was_reported_is_read_on_the_spot_and_not_by_whom(city, phone):
    report = {
        "channel": "12345", "content": "垃圾堆了三天", "matter": "06010", "place_text": "南门",
        "lat": LAT, "lon": LON, "caller": {"name": "王小明", "phone": "13812345678"},
    }  # fmt: skip
    headers = {"Authorization": f"Bearer {city.key}"}
    with httpx2.Client(base_url=city.url, timeout=60, headers=headers) as chief:
        made = chief.post("/api/reports", json=report).raise_for_status().json()
        assert made["case_id"] == city.mine.id
        path = f"/api/reports/{made['number']}/photos"
        chief.put(path, content=photo()["buffer"]).raise_for_status()
    phone.get_by_role("button", name="刷新").click()
    left = phone.locator(".row span").first.inner_text()
    assert left.startswith("剩")
    until_true(phone, f"{KEPT}?.cases[0]?.reports === 1")
    phone.get_by_role("button").filter(has_text=city.mine.number).click()
    expect(phone.locator("article")).to_contain_text(left)
    told = phone.get_by_role("region", name="群众反映")
    expect(told).to_contain_text("垃圾堆了三天")
    expect(told).to_contain_text("南门")
    expect(told).not_to_contain_text("王")
    shown = told.get_by_role("img", name="反映附图 1")
    until(phone, lambda: shown.evaluate("(one) => one.complete && one.naturalWidth > 0"))
    assert faults_in_both_themes(phone) == []
    phone.get_by_role("button", name="返回").click()
    until_true(phone, f"{KEPT}?.reported[{city.mine.id}]?.told.length === 1")
    page_is_kept(phone)
    phone.context.set_offline(True)
    phone.get_by_role("button").filter(has_text=city.mine.number).click()
    expect(told).to_contain_text("垃圾堆了三天")
    expect(told).to_contain_text("照片 1 张，联网后可看")
    phone.reload()  # the battery died
    phone.get_by_role("button").filter(has_text=city.mine.number).click()
    expect(told).to_contain_text("垃圾堆了三天")
    assert "王" not in phone.evaluate("localStorage['tianyan.phone']")


def test_what_was_reported_and_never_fetched_is_said_to_be_so(city, phone):
    report = {"channel": "12345", "content": "堆了", "matter": "06010", "lat": LAT, "lon": LON}
    headers = {"Authorization": f"Bearer {city.key}"}
    phone.route("**/api/cases/*/reports", lambda route: route.abort())
    httpx2.post(f"{city.url}/api/reports", json=report, headers=headers).raise_for_status()
    phone.get_by_role("button", name="刷新").click()
    until_true(phone, f"{KEPT}?.cases[0]?.reports === 1")
    phone.get_by_role("button").filter(has_text=city.mine.number).click()
    expect(phone.get_by_role("region", name="群众反映")).to_contain_text("没有取到")


def test_nothing_of_what_was_reported_is_kept_by_a_phone_whose_officer_has_left(city, phone):
    report = {"channel": "12345", "content": "堆了", "matter": "06010", "lat": LAT, "lon": LON}
    headers = {"Authorization": f"Bearer {city.key}"}
    held = []
    phone.route("**/api/cases/*/reports", lambda route: held.append(route))  # noqa: PLW0108
    httpx2.post(f"{city.url}/api/reports", json=report, headers=headers).raise_for_status()
    phone.get_by_role("button", name="刷新").click()
    until(phone, lambda: held)
    phone.get_by_role("button", name="退出").click()
    expect(phone.get_by_role("button", name="登录")).to_be_visible()
    for route in held:
        told = {"number": 1, "content": "堆了", "photos": [], "place_text": "", "received_at": ""}
        route.fulfill(json={"items": [told], "total": 1})
    phone.wait_for_timeout(500)
    assert phone.evaluate("localStorage['tianyan.phone'] ?? null") is None


def test_work_done_without_a_network_is_sent_once_when_there_is_one(city, phone):
    row = phone.get_by_role("button").filter(has_text=city.mine.number)
    expect(row).to_contain_text("30 m")
    assert phone.get_by_text(city.other.number).count() == 0
    assert faults_in_both_themes(phone) == []
    demanded = {"id": 1, "case": city.mine.id, "case_number": city.mine.number, "note": "从速",
                "until": None, "overdue": False, "decision": "", "news": "demanded"}  # fmt: skip
    further = demanded | {"id": 2, "case": city.other.id, "case_number": city.other.number}
    phone.route("**/told-records", lambda route: route.fulfill(json={"items": [demanded, further]}))
    phone.get_by_role("button", name="刷新").click()
    expect(phone.locator(".told .notice")).to_have_count(2)
    phone.get_by_role("button", name="打开案件").click()  # of one's own case alone
    phone.unroute("**/told-records")
    link = phone.get_by_role("link", name="导航").get_attribute("href")
    assert link.startswith(f"geo:{LAT},{LON}")
    phone.get_by_role("button", name="接收", exact=True).click()
    expect(phone.get_by_label("处置情况")).to_be_visible()
    page_is_kept(phone)
    expect(phone.get_by_text("已上传 1 件")).to_be_visible()
    assert "accept" in city.steps()

    phone.context.set_offline(True)
    phone.reload()
    expect(phone.get_by_text("没有网络")).to_be_visible()
    phone.get_by_role("button").filter(has_text=city.mine.number).click()
    phone.get_by_label("拍照").set_input_files([photo()])
    phone.get_by_text("1 个文件").wait_for()
    odd = {"name": "a.avi", "mimeType": "video/x-msvideo", "buffer": b"RIFF0000AVI LIST"}
    phone.get_by_label("录像").set_input_files([odd])
    expect(phone.get_by_role("alert")).to_contain_text("MP4")
    phone.get_by_label("录像").set_input_files([film()])
    phone.get_by_text("2 个文件").wait_for()
    phone.get_by_text("位置误差约 8 米").wait_for()
    phone.get_by_role("button", name="提交反馈").click()
    expect(phone.get_by_role("alert")).to_have_text("请写明处置情况。")
    phone.get_by_label("处置情况").fill("已清运")
    assert faults_in_both_themes(phone) == []
    phone.get_by_role("button", name="提交反馈").click()
    expect(phone.get_by_text("待上传 1 件")).to_be_visible()
    assert "feedback" not in city.steps()
    phone.reload()  # the battery died
    expect(phone.get_by_text("待上传 1 件")).to_be_visible()

    # The first answer gets lost on the way: the hub has it, the phone does not know.
    lost = []

    def lose(route):
        route.fetch()
        lost.append(route.request.url)
        route.abort()
        phone.unroute("**/actions")

    phone.route("**/actions", lose)
    phone.context.set_offline(False)
    phone.evaluate("dispatchEvent(new Event('online'))")
    until(phone, lambda: lost)
    phone.get_by_role("button", name="刷新").click()
    expect(phone.get_by_text("已上传 1 件")).to_be_visible()
    assert city.steps().count("feedback") == 1
    with city.store.read() as tx:
        photos = tx.exec_driver_sql(
            'SELECT verdict, "by", taken_at, lat, lon FROM fix_photos ORDER BY id'
        ).all()
        kinds = tx.exec_driver_sql("SELECT type FROM evidence ORDER BY type DESC").all()
    assert [(each.verdict, each.by) for each in photos] == [("good", "li")] * 2
    assert [each.lon for each in photos] == pytest.approx([LON + 0.0003] * 2)
    assert all(each.taken_at for each in photos)
    assert [each.type for each in kinds] == ["video/mp4", "image/jpeg"]
    expect(phone.get_by_text("没有待处置的案件。")).to_be_visible()


def test_what_the_hub_refuses_is_said_and_kept_until_the_officer_gives_it_up(city, phone):
    hours = {f"{at.astimezone(city.zone):%H}:" for at in (now(), now() - timedelta(minutes=5))}
    expect(phone.get_by_text("列表截至")).to_have_text(re.compile(f"截至 ({'|'.join(hours)})"))
    phone.get_by_role("button").filter(has_text=city.mine.number).click()
    phone.get_by_role("button", name="接收", exact=True).click()
    phone.get_by_label("处置情况").fill("已清运")
    phone.get_by_role("button", name="提交反馈").click()  # without a photo
    refusal = phone.get_by_role("alert")
    expect(refusal).to_contain_text("没有被接受：这一步要有现场照片")
    expect(refusal).to_contain_text(f"案件 {city.mine.number} 的反馈要有")  # the hub's own words
    phone.reload()
    expect(phone.get_by_role("alert")).to_contain_text("没有被接受")
    phone.get_by_role("button", name="放弃").click()
    expect(phone.get_by_role("button").filter(has_text=city.mine.number)).to_be_visible()


def stop_the_clock(page):
    """Else a slow machine records more positions than the test walks."""
    page.clock.pause_at(page.evaluate("Date.now()") / 1000 + 1)


def walk(page, steps, begun=0):
    """Go on: every ten seconds a metre further east."""
    for n in range(begun, begun + steps):
        place = {"latitude": LAT, "longitude": LON + n * 1e-5, "accuracy": 8}
        page.clock.run_for(10_000)
        page.context.set_geolocation(place)
        expect(page.get_by_text(f"已记录 {n + 1} 个位置")).to_be_visible()


def patrols(city):
    with city.store.read() as tx:
        return tx.exec_driver_sql("SELECT fixes, ended_at FROM phone_patrols").all()


def test_a_patrol_is_walked_without_a_network_and_stored_once(city, officer):
    expect(officer.get_by_text("未在巡查，不记录位置。")).to_be_visible()
    assert faults_in_both_themes(officer) == []
    until_true(officer, "navigator.serviceWorker.controller !== null")
    officer.get_by_role("button", name="开始巡查").click()
    expect(officer.get_by_text("巡查中")).to_be_visible()
    expect(officer.get_by_text("@phone/li")).to_be_visible()  # in no duty table
    assert faults_in_both_themes(officer) == []
    stop_the_clock(officer)
    expect(officer.get_by_text("已记录 1 个位置")).to_be_visible()
    walk(officer, 3, begun=1)

    officer.context.set_offline(True)
    walk(officer, 3, begun=4)
    officer.reload()  # the battery died
    expect(officer.get_by_text("已记录 7 个位置")).to_be_visible()
    walk(officer, 3, begun=7)
    lost = []

    def lose(route):
        route.fetch()
        lost.append(route.request.url)
        route.abort()
        officer.unroute("**/fixes")

    officer.route("**/fixes", lose)
    officer.context.set_offline(False)
    officer.evaluate("dispatchEvent(new Event('online'))")
    until(officer, lambda: lost)  # the hub has them, the phone does not know
    officer.get_by_role("button", name="结束巡查").click()
    expect(officer.get_by_text("未在巡查")).to_be_visible()
    for _ in range(600):
        if [each for each in patrols(city) if each.ended_at]:
            break
        officer.clock.run_for(61_000)  # what failed is sent again every minute
        officer.wait_for_timeout(50)
    stored = patrols(city)
    assert [each.fixes for each in stored] == [10]
    assert stored[0].ended_at

    officer.context.set_geolocation({"latitude": LAT, "longitude": LON, "accuracy": 8})
    officer.clock.run_for(90_000)
    expect(officer.get_by_text("待上传")).to_have_count(0)
    assert [each.fixes for each in patrols(city)] == [10]
    judge_patrols(city.store, city.hub.site, None)
    with city.store.read() as tx:
        seen = tx.exec_driver_sql("SELECT vehicle, grid FROM patrol_visits ORDER BY grid").all()
    assert [tuple(each) for each in seen] == [("@phone/li", "city"), ("@phone/li", "q01")]


def test_the_page_is_small_and_quick_on_a_slow_phone(chromium, city):
    need(DIST / "phone.html", "npm run build in hub/console")
    context = chromium.new_context(viewport={"width": 360, "height": 640}, locale="zh-CN")
    page = context.new_page()
    slow = context.new_cdp_session(page)
    slow.send("Emulation.setCPUThrottlingRate", {"rate": 6})
    loaded = []

    def note(answer):
        loaded.append(answer)

    page.on("response", note)
    page.goto(city.url + "/phone")
    page.get_by_label("用户名").wait_for()
    bodies = [a.body() for a in loaded if "/assets/" in a.url and not a.url.endswith(".woff2")]
    size = sum(len(body) for body in bodies)
    paint = page.evaluate(
        "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? -1"
    )
    assert 0 < paint < 15_000
    assert size < 200_000, f"{size} bytes, first paint {paint} ms"
    context.close()
