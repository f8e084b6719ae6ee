"""Pages of administration about the city and its devices, in real Chromium on a real hub."""

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from playwright.sync_api import Browser, Page, expect

from hub import quarantine
from hub.app import Hub
from hub.config import Quarantine
from hub.devices import keys, store as device_store
from hub.quarantine import Suspect
from hub.store import now, to_ms
from tests.browser.accessible import THEMED, faults, faults_in_both_themes
from tests.browser.conftest import Opener, enter, press
from tests.browser.real_hub import real_hub
from tests.hub.cases.test_condition_sheet import workbook
from tests.hub.test_pipeline import take
from tests.hub.world import alert_message, birth, received, square, state, track_message
from wire.coded import coded
from wire.status import Health
from wire.topics import ROOT

WIDE, PHONE = {"width": 1280, "height": 800}, {"width": 360, "height": 740}


def furnish(hub: Hub) -> None:
    """Two devices, one of them with worries."""
    at = now()
    for name in ("cam-1", "cam-2"):
        take(hub.store, hub.site, "state", state(dev=name))
        take(hub.store, hub.site, "birth", birth(name))
    said = Health(dev="cam-2", ts=to_ms(at + timedelta(hours=2)), disk_free_mb=120.0)
    take(hub.store, hub.site, "health", received(said, at))
    take(hub.store, hub.site, "track", track_message(0, 5, dev="cam-1"))
    with hub.store.write() as tx:
        device_store.enrol(tx, "cam-1", at)
        keys.heard(tx, "cam-1", "first", at)
        keys.heard(tx, "cam-1", "second", at)


@pytest.fixture(scope="module")
def hubs() -> list[Hub]:
    return []


@pytest.fixture(scope="module")
def city(tmp_path_factory, hubs: list[Hub]) -> Iterator[tuple[str, str]]:
    """Address of the hub (which is in `hubs`), and an administrator's token."""

    def keep(hub: Hub) -> None:
        furnish(hub)
        hubs.append(hub)

    with real_hub(tmp_path_factory.mktemp("hub"), keep) as served:
        yield served


@pytest.fixture
def two_refused(city: tuple[str, str], hubs: list[Hub]) -> None:
    """Two messages in quarantine, whatever another test did with them."""
    at = now()
    whole = msgspec.json.encode(alert_message(dev="cam-1", alert="late"))
    unknown = coded("not_enrolled", "device {device} is not enrolled", device="cam-1")
    suspects = [
        Suspect(at, f"{ROOT}/cam-2/up/alert", "cam-2", "E_JSON", "not JSON", b"\xff{"),
        Suspect(at, f"{ROOT}/cam-1/up/alert", "cam-1", "E_DEVICE", unknown, whole),
    ]
    with hubs[0].store.write() as tx:
        tx.execute(quarantine.refused.delete())
        quarantine.keep(tx, suspects, Quarantine())


class Administrator:
    """One page for the whole module: logging in and loading is most of a test's time."""

    def __init__(self, page: Page, url: str) -> None:
        self.page, self._url = page, url

    def at(self, path: str) -> Page:
        self.page.goto("about:blank")  # else the page before is there when its like is looked for
        self.page.goto(f"{self._url}/#{path}")
        return self.page


@pytest.fixture(scope="module")
def admin(chromium: Browser, city: tuple[str, str]) -> Iterator[Administrator]:
    opener = Opener(chromium)
    url, token = city
    page = opener(url, token=token)
    page.set_viewport_size(WIDE)
    yield Administrator(page, url)
    opener.close()
    assert opener.faults == []


def document(folder: Path, *features: object) -> Path:
    file = folder / "city.geojson"
    file.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return file


BESIDE = [
    ("/admin/devices", "button:has-text('登记入网')"),
    ("/admin/matters", "button:has-text('新增标准')"),
    ("/admin/quarantine", "tbody .opens"),
    ("/duty", "tbody button"),
]


def test_what_is_open_beside_a_list_is_the_page_on_a_phone(
    admin: Administrator, two_refused: None
) -> None:
    found = []
    for path, opens in BESIDE:
        page = admin.at(path)
        page.locator(opens).first.click()
        panel = page.locator(".side-panel")
        panel.wait_for()
        page.set_viewport_size(PHONE)
        expect(page.locator("h1:visible")).to_have_count(1)
        expect(panel.locator("h1")).to_be_visible()
        found += faults(page)
        page.set_viewport_size(WIDE)
    assert found == []


def test_a_file_of_grids_is_tried_mended_and_put_in_force(admin, tmp_path) -> None:
    page = admin.at("/admin/grids")
    chooser = page.get_by_label("选择网格文件")
    bad = [square("a", 109.0, 32.6, 0.06, 3, "q00"), square("b", 109.05, 32.6, 0.05, 3, "q00")]
    chooser.set_input_files(document(tmp_path, *bad))
    problems = page.locator(".problems li")
    expect(problems).not_to_have_count(0)
    overlap = page.locator(".problems button", has_text="重叠").first
    expect(overlap).to_contain_text(
        re.compile(r"与“\w+”重叠 [\d,]+,\d{3} 平方米应为：边界相差不超过 [\d.]+ 米")
    )
    expect(overlap).to_contain_text("a，32.6")
    expect(page.get_by_role("button", name="导入并生效")).to_be_disabled()
    press(overlap)
    expect(overlap).to_have_attribute("aria-pressed", "true")
    press(page.get_by_role("button", name=re.compile(r"^空隙 \d+$")))
    expect(page.locator(".problems button", has_text="重叠")).to_have_count(0)

    renamed = square("q00", 109.0, 32.6, 0.1, 2, "city", name="城东")
    chooser.set_input_files(document(tmp_path, renamed))
    expect(page.get_by_text("没有问题，可以生效。")).to_be_visible()
    press(page.get_by_role("button", name="导入并生效"))
    newest = page.locator(".versions tbody tr").first
    expect(newest).to_contain_text("最新")
    expect(newest).to_contain_text("api: city.geojson")
    expect(newest).to_contain_text("root")


@pytest.mark.parametrize(
    ("path", "first", "other"),
    [
        ("/admin/matters", ("table", "立结案标准"), ("history", "变更记录")),
        ("/admin/devices", ("list", "设备"), ("models", "模型下发")),
    ],
)
def test_tabs_follow_a_link_to_the_same_page_and_the_way_back(admin, path, first, other) -> None:
    page = admin.at(f"{path}?tab={first[0]}")

    def shows(title: str) -> None:
        chosen = page.locator(".page-head .segments [aria-pressed=true]")
        expect(chosen).to_have_text(title)

    shows(first[1])
    page.evaluate(
        "tab => (location.hash = location.hash.replace(/tab=.*/, `tab=${tab}`))", other[0]
    )
    shows(other[1])
    page.go_back()
    shows(first[1])


def test_a_device_is_enrolled_looked_at_and_taken_off_the_list(admin) -> None:
    page = admin.at("/admin/devices")
    row = page.locator("tbody tr", has_text="cam-2")
    for worry in ("未登记", "磁盘将满", "时钟不准"):
        expect(row).to_contain_text(worry)
    page.get_by_role("button", name="登记入网").click()
    panel = page.get_by_role("complementary", name="登记一台设备")
    panel.get_by_label("设备编号").fill("cam-9")
    enter(panel.get_by_label("设备编号"))
    expect(panel).to_contain_text("cam-9 的接入口令")
    first = panel.locator("code").inner_text()
    assert len(first) > 20
    page.locator("tbody").get_by_role("link", name="cam-9").click()
    expect(page.get_by_role("heading", name="cam-9")).to_be_visible()
    expect(page.locator("code")).to_have_count(0)
    page.get_by_role("button", name="换发口令").click()
    page.get_by_role("button", name="不换").click()
    expect(page.get_by_text("的接入口令")).to_have_count(0)
    page.get_by_role("button", name="换发口令").click()
    expect(page.get_by_text("旧口令随即失效")).to_be_visible()
    page.get_by_role("button", name="确认换发").click()
    expect(page.locator("code")).not_to_have_text(first)
    page.get_by_label("注销原因").fill("被盗")
    enter(page.get_by_label("注销原因"))
    expect(page.locator(".page-head")).to_contain_text("已注销")
    expect(page.get_by_text("注销时间：")).to_contain_text("原因：被盗")

    page = admin.at("/admin/devices/cam-1")
    page.get_by_role("button", name="接受新公钥").click()
    expect(page.locator(".key").first).to_have_text("second")
    expect(page.get_by_text("按设备自己的配置文件运行")).to_be_visible()


def test_the_table_of_matters_is_imported_edited_and_remembers_by_whom(admin, tmp_path) -> None:
    page = admin.at("/admin/matters")
    chooser = page.get_by_label("导入 XLSX/CSV")
    sheet = tmp_path / "table.xlsx"
    sheet.write_bytes(
        workbook(("06010", "", "开", "关", "4 weeks", ""), ("1", "", "", "关", "", ""))
    )
    chooser.set_input_files(sheet)
    faults = page.get_by_role("alert")
    expect(faults.locator("li")).to_have_count(2)
    expect(faults).to_contain_text("工作表“立结案”第 3 行“处置时限” 时限“4 weeks”读不出来")
    assert faults_in_both_themes(page) == []
    sheet.write_bytes(workbook(("06010", "", "沿街散落", "清理干净", "4工作时", "环卫处")))
    chooser.set_input_files(sheet)
    expect(page.locator(".trial")).to_contain_text("新增 1 行")
    press(page.get_by_role("button", name="导入并生效"))
    press(page.get_by_role("button", name="沿街散落"))
    panel = page.get_by_role("complementary")
    panel.get_by_label("处置时限").fill("2")
    press(panel.get_by_role("button", name="保存"))
    row = page.locator("tbody tr", has_text="沿街散落")
    expect(row).to_contain_text("2 工作时")
    expect(row).to_contain_text("root")
    press(page.get_by_role("button", name="变更记录"))
    expect(page.locator("tbody tr")).to_have_count(2)
    expect(page.locator("tbody tr").last).to_contain_text("4 工作时")


def test_a_provisional_year_is_published_day_by_day(admin) -> None:
    page = admin.at("/admin/matters?tab=calendar")
    built_in = page.locator(".versions li").last
    expect(built_in).to_contain_text("国务院办公厅的节假日安排")
    expect(built_in).not_to_contain_text("Holiday")
    year = now().year + 1
    press(page.get_by_role("button", name=re.compile(f"^{year}")))
    expect(page.get_by_text(f"{year} 年的放假安排尚未公布")).to_be_visible()
    day = page.locator(".months section").nth(5).locator("button.cell.work").first
    label = day.get_attribute("aria-label") or ""
    press(day)
    turned = page.get_by_label(label.replace("工作日", "放假"))
    expect(turned).to_be_visible()
    page.get_by_label("依据").fill("国办发明电")
    press(page.get_by_role("button", name=f"公布 {year} 年"))
    expect(page.locator("ol.versions li").first).to_contain_text(f"year {year}: 国办发明电")
    expect(turned).to_be_visible()
    press(page.get_by_role("button", name=f"撤回 {year} 年"))
    expect(page.get_by_text(f"{year} 年的放假安排尚未公布")).to_be_visible()


def test_refused_messages_are_seen_whole_taken_and_deleted(admin, two_refused) -> None:
    page = admin.at("/admin/quarantine")
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(2)
    page.get_by_label("原因").select_option("E_DEVICE")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("告警")
    expect(rows).to_contain_text("设备 cam-1 没有登记")
    press(rows.first.get_by_role("button"))
    panel = page.get_by_role("complementary")
    expect(panel.locator("pre")).to_contain_text('"alert":"late"')
    press(panel.get_by_role("button", name="十六进制"))
    expect(panel.locator("pre")).to_contain_text("7b 22")
    press(panel.get_by_role("button", name="重新接收"))
    expect(page.get_by_text("没有被拒收的报文")).to_be_visible()
    page.get_by_label("原因").select_option("")
    expect(rows).to_have_count(1)
    press(page.get_by_role("button", name="删除这 1 条"))
    press(page.get_by_role("button", name="确认删除 1 条"))
    expect(page.get_by_text("没有被拒收的报文")).to_be_visible()


def test_refused_messages_are_taken_at_once_and_what_is_still_wrong_stays(
    admin, two_refused
) -> None:
    page = admin.at("/admin/quarantine")
    expect(page.locator("tbody tr")).to_have_count(2)
    press(page.get_by_role("button", name="重新接收这 2 条"))
    expect(page.locator(".toasts")).to_contain_text("已接收 1 条，仍被拒收 1 条")
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.locator("tbody tr")).to_contain_text("cam-2")


def test_what_a_grid_lacks_comes_first_and_is_written(admin) -> None:
    page = admin.at("/duty")
    row = page.locator("tbody tr", has_text="grid q01")
    expect(row.locator(".lacks")).to_have_count(4)
    press(row.get_by_role("button"))
    panel = page.get_by_role("complementary", name="grid q01")
    expect(panel).to_contain_text("尚缺：定人员、定职责、定任务、定奖惩")
    panel.get_by_label("岗位编号").fill("p1")
    panel.get_by_label("岗位名称").fill("一号岗")
    enter(panel.get_by_label("岗位名称"))
    for number, (name, role) in enumerate([("王芳", "grid_head"), ("李明", "grid_worker")]):
        panel.get_by_label("人员编号").fill(f"h{number}")
        panel.get_by_label("姓名").fill(name)
        panel.get_by_label("角色").select_option(role)
        press(panel.get_by_role("button", name="保存人员"))
        expect(panel.locator(".post li", has_text=name)).to_be_visible()
    for left, what in ((2, "定职责"), (1, "定任务"), (0, "定奖惩")):
        panel.get_by_label(what, exact=True).fill("一\n二")
        save = panel.get_by_role("button", name=f"保存{what}")
        press(save)
        expect(row.locator(".lacks")).to_have_count(left)
    expect(panel).to_contain_text("五定齐全。")
    page.keyboard.press("Escape")
    expect(row.locator(".lacks")).to_have_count(0)
    expect(page.locator("tbody tr").last).to_contain_text("grid q01")


PAGES = [
    ("/admin/grids", "table"),
    ("/admin/devices", "tbody tr"),
    ("/admin/devices/cam-1", ".parts"),
    ("/admin/matters", "tbody tr"),
    ("/admin/matters?tab=calendar", ".months"),
    ("/admin/quarantine", ".about"),
    ("/duty", "tbody tr"),
    ("/duty?tab=sweep", ".empty, tbody tr"),
]


@pytest.mark.parametrize(("theme", "language"), [("light", "zh"), ("dark", "en")])
def test_everybody_can_use_the_pages(city, opened: Opener, theme: str, language: str) -> None:
    url, token = city
    page = opened(url, theme=theme, language=language, token=token)
    only = THEMED if theme == "dark" else None
    for path, ready in PAGES:
        page.goto("about:blank")
        page.goto(f"{url}/#{path}")
        page.wait_for_selector(ready)
        for size in (WIDE, PHONE):
            page.set_viewport_size(size)
            assert (size["width"], faults(page, only=only)) == (size["width"], [])
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
