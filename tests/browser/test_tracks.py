"""Vehicle days, permits and leads in real Chromium, on the real hub with a truck's day in it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import expect

from hub import auth, pipeline
from hub.app import Hub
from hub.grid.fence import Circle
from hub.judging import Judge
from hub.permits import store as permit_store
from hub.permits.permit import Permit
from hub.roles import Role
from hub.store import Store, from_ms
from hub.tracks import fence_store
from hub.tracks.geofence import Geofence, Purpose
from tests.browser.accessible import faults
from tests.browser.conftest import Opener
from tests.browser.running import answering
from tests.hub.world import LAT, LON, birth, make_site, received
from tests.servers.port import free_port
from wire.alert import Alert, AlertState
from wire.status import VehicleBirth
from wire.track import EMPTY, FULL, VALID, Track, TrackPoint, body_of

EPOCH = "0123456789abcdef"
TRUCK = "car-1/v1"
EAST_PER_M = 1 / 93_600
DUMPED_S = 1500


@dataclass
class Watched:
    """The hub's address, its tokens, when the truck's day began, and its alerts by label."""

    url: str
    tokens: dict[Role, str]
    noon: datetime
    alerts: dict[str, str]


def leg(start_s, seconds, from_m, kmh, **said):
    return [
        (start_s + n, from_m + kmh / 3.6 * n, kmh, body_of(**said)) for n in range(0, seconds, 10)
    ]


DAY = [
    *leg(0, 600, 0, 0.0, load=FULL, hopper=False),
    *leg(600, 400, 0, 75.0, load=FULL, hopper=False),
    *leg(1000, 480, 8333, 40.0, load=FULL, hopper=False),
    *leg(DUMPED_S, 120, 13_600, 0.0, load=FULL, hopper=True),
    *leg(DUMPED_S + 120, 240, 13_600, 0.0, load=EMPTY, hopper=False),
    *leg(DUMPED_S + 360, 600, 13_600, 50.0, load=EMPTY, hopper=False),
]


def furnish(store, folder):
    """A city with a truck that tipped its load where a camera then saw a heap."""
    noon = datetime.now(UTC).replace(hour=4, minute=0, second=0, microsecond=0) - timedelta(days=1)
    site = make_site(store, folder, name="安康", view={"lat": LAT, "lon": LON, "zoom": 12})
    at_ms = int(noon.timestamp() * 1000)
    fixes = [
        TrackPoint(seq, at_ms + s * 1000, LON + m * EAST_PER_M, LAT, kmh, 90.0, VALID, body)
        for seq, (s, m, kmh, body) in enumerate(DAY)
    ]
    sites = [
        Geofence("pit", "东坝工地", Circle(LAT, LON, 300), Purpose.LOADING),
        Geofence("tip", "西沟消纳场", Circle(LAT, LON + 0.3, 300), Purpose.DUMP),
    ]
    route = tuple((LAT, LON + m * EAST_PER_M) for m in (0, 8000, 27_000))
    today = noon.date()
    permit = Permit(
        "安渣证2026-001", frozenset({"陕G00001"}), "pit", "tip",
        today - timedelta(days=9), today + timedelta(days=9), route=route,
    )  # fmt: skip
    heap = Alert(
        dev="cam-1", epoch=EPOCH, seq=1, ts=at_ms + 2_600_000, tq=1, alert="heap",
        state=AlertState.NEW, source="gate", label="unknown_object", since=at_ms + 2_500_000,
        lat=LAT, lon=LON + 13_620 * EAST_PER_M, score=0.8,
    )  # fmt: skip
    vehicles = [VehicleBirth(id="v1", plate="陕G·00001", kind="spoil_truck")]
    with store.write() as tx:
        fence_store.put(tx, sites, "test", noon)
        permit_store.put(tx, [permit], "test", noon)
        for born in (birth("cam-1", vehicles=[]), birth("car-1", cameras=[], vehicles=vehicles)):
            pipeline.take(tx, site, "birth", [received(born, noon - timedelta(days=3))])
        for start in range(0, len(fixes), 100):
            part = fixes[start : start + 100]
            sent = Track(
                dev="car-1", epoch=EPOCH, seq=part[0].seq, ts=part[-1].ts, tq=2, vehicle="v1",
                fixes=part,
            )  # fmt: skip
            pipeline.take(tx, site, "track", [received(sent, from_ms(part[-1].ts))])
        pipeline.take(tx, site, "alert", [received(heap)])
    judge = Judge(store, site, lambda: False)
    while judge.work():
        pass
    return site, noon


@contextmanager
def watched_in(folder: Path) -> Iterator[Watched]:
    """A hub of that truck, answering."""
    store = Store(f"sqlite:///{folder / 'hub.sqlite'}")
    store.migrate()
    site, noon = furnish(store, folder)
    hub = Hub.build(site.config, store)
    with store.write() as tx:
        tokens = {role: auth.issue_token(tx, f"{role}-1", role) for role in Role}
    with store.read() as tx:
        found = tx.exec_driver_sql("SELECT label, id FROM alerts").all()
    with answering(hub, free_port()) as url:
        yield Watched(url, tokens, noon, dict(found))


@pytest.fixture(scope="module")
def watched(tmp_path_factory) -> Iterator[Watched]:
    with watched_in(tmp_path_factory.mktemp("watched")) as watched:
        yield watched


def day_of(watched: Watched) -> str:
    return f"/#/vehicles/day?id={TRUCK}&date={watched.noon.date().isoformat()}"


def test_a_day_is_told_and_replayed(watched: Watched, opened: Opener) -> None:
    page = opened(watched.url, day_of(watched), token=watched.tokens[Role.OPERATOR])
    rows = page.locator(".rows li")
    expect(rows.filter(has_text="超速")).to_have_count(1)
    expect(rows.filter(has_text="在消纳场以外卸土")).to_have_count(1)
    expect(page.locator(".figures")).to_contain_text("km")
    slider = page.get_by_label("回放时刻")
    rows.filter(has_text="超速").get_by_role("button").click()
    expect(slider).to_have_attribute("aria-valuetext", "12:10:00")
    page.get_by_label("倍速").select_option("30")
    page.get_by_role("button", name="播放").click()
    expect(slider).to_have_attribute("aria-valuetext", re.compile(r"12:(1[1-9]|[234]\d)"))
    page.get_by_role("button", name="暂停").click()
    slider.focus()
    page.keyboard.press("End")
    expect(slider).to_have_attribute("aria-valuetext", "12:40:50")
    with page.expect_download() as file:
        page.get_by_role("link", name="导出 XLSX").click()
    assert file.value.suggested_filename.endswith(".xlsx")
    page.get_by_role("button", name="前一天").click()
    expect(page.locator(".report")).to_contain_text("这一天没有位置")


def test_an_alert_of_a_truck_shows_its_stretch_of_track(watched: Watched, opened: Opener) -> None:
    path = f"/#/?alert={watched.alerts['illegal_dumping']}"
    page = opened(watched.url, path, token=watched.tokens[Role.OPERATOR])
    stretch = page.locator(".stretch")
    expect(stretch).to_contain_text("在消纳场以外卸土")
    stretch.get_by_role("link").click()
    expect(page.locator("h1")).to_contain_text("陕G·00001")


def test_a_heap_names_the_truck_as_a_lead_and_no_verdict(watched: Watched, opened: Opener) -> None:
    path = f"/#/?alert={watched.alerts['unknown_object']}"
    page = opened(watched.url, path, token=watched.tokens[Role.OPERATOR])
    page.get_by_role("button", name="查找线索").click()
    leads = page.locator(".leads")
    expect(leads).to_contain_text("只是线索，不是结论")
    expect(leads.get_by_role("listitem")).to_have_count(1)
    expect(leads.get_by_role("listitem")).to_contain_text("满载 → 空载")
    expect(leads.locator("figure").nth(0)).to_contain_text("摄像机所见 · ")
    expect(leads.locator("figure").nth(1)).to_contain_text("陕G·00001 · ")


def test_a_viewer_is_told_that_leads_are_not_for_him(watched: Watched, opened: Opener) -> None:
    path = f"/#/?alert={watched.alerts['unknown_object']}"
    page = opened(watched.url, path, token=watched.tokens[Role.VIEWER])
    page.get_by_role("button", name="查找线索").click()
    expect(page.locator(".leads [role=alert]")).to_contain_text("需要操作员权限")


def test_permits_are_brought_in_and_problems_shown(watched: Watched, opened: Opener) -> None:
    page = opened(watched.url, "/#/vehicles/permits", token=watched.tokens[Role.SUPERVISOR])
    page.get_by_role("button", name="安渣证2026-001").click()
    expect(page.locator(".about")).to_contain_text("东坝工地 → 西沟消纳场")
    header = "处置证号,车牌号,工地,消纳场,有效期起,有效期止\n"
    good = "证-2,陕G·00002,pit,tip,2026-01-01,2026-12-31\n"
    bad = "证-3,陕G·00003,pit,nowhere,2026-01-01,soon\n"

    def choose(text: str) -> None:
        page.locator("input[type=file]").set_input_files(
            {"name": "permits.csv", "mimeType": "text/csv", "buffer": text.encode()}
        )

    choose(header + good + bad)
    problems = page.locator(".troubles li")
    expect(problems.first).to_contain_text("第 3 行 有效期止 “soon”不是日期 应为：2026-10-01")
    expect(page.locator("tbody tr")).to_have_count(1)
    choose(header + good)
    expect(page.get_by_role("status").filter(has_text="已导入")).to_be_visible()
    expect(page.locator("tbody tr")).to_have_count(2)
    page.get_by_label("证号或车牌").fill("00002")
    expect(page.locator("tbody tr")).to_have_count(1)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", ["day", "permits", "leads"])
def test_pages_are_open_to_everybody(
    watched: Watched, opened: Opener, name: str, theme: str
) -> None:
    heap = watched.alerts["unknown_object"]
    path = {"day": day_of(watched), "permits": "/#/vehicles/permits", "leads": f"/#/?alert={heap}"}[
        name
    ]
    page = opened(watched.url, path, theme=theme, token=watched.tokens[Role.SUPERVISOR])
    ready = {"day": ".rows li", "permits": "tbody tr", "leads": ".leads button"}[name]
    page.wait_for_selector(ready)
    if name == "leads":
        page.locator(ready).click()
        page.wait_for_selector(".found")
    assert faults(page) == []
