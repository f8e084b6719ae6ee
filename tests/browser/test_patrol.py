"""The pages of patrol and duty, in real Chromium, on a real hub with a day of one patrol car."""

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from hub.app import Hub
from hub.duty import store as duty_store
from hub.duty.duty import Five, Person, PersonRole, Post, Text
from hub.duty.shift import Shift, read_clock
from hub.duty.table import Duty
from hub.housekeeping import judge_patrols
from hub.store import Store
from tests.browser.accessible import faults
from tests.browser.conftest import Opener, press
from tests.browser.paper import on_paper
from tests.browser.running import answering
from tests.hub.patrol.test_judge import CAR, arrive, stay, today_at
from tests.hub.test_pipeline import take
from tests.hub.world import LAT, LON, make_site
from tests.servers.port import free_port


def furnish(hub: Hub) -> str:
    """A car looked at q01 yesterday morning; another parked in q11 and drove through q10.

    One post has its officer, one nobody to be seen.
    """
    arrive(hub.store, hub.site)
    arrive(hub.store, hub.site, dev="car-2")
    day = today_at(0, hub.site) - timedelta(days=1)
    for track in (
        stay(day + timedelta(hours=8), 3600, east_deg=1e-4),  # 7 km/h
        stay(day + timedelta(hours=9), 3600, lon=LON + 0.1, dev="car-2"),
        stay(day + timedelta(hours=11), 60, 5000, LON + 0.1, LAT - 0.1, dev="car-2", east_deg=1e-3),
    ):
        take(hub.store, hub.site, "track", track)
    shift = Shift(
        "am", "早班", ("daily",), read_clock("start", "08:00"), read_clock("end", "09:00")
    )
    posts = [Post("p1", "一号岗", "q01", (), ("am",)), Post("p2", "二号岗", "q00", (), ("am",))]
    people = [
        Person("h1", "王芳", PersonRole.GRID_HEAD, "p1"),
        Person("w1", "李明", PersonRole.OFFICER, "p1", "", (CAR,)),
        Person("w2", "赵强", PersonRole.GRID_WORKER, "p2"),
    ]
    texts = [Text("q01", kind, "示意") for kind in (Five.DUTIES, Five.TASKS, Five.REWARDS)]
    with hub.store.write() as tx:
        duty_store.put(tx, Duty(posts=posts, people=people, texts=texts, shifts=[shift]))
    judge_patrols(hub.store, hub.site, None)
    return day.date().isoformat()


@pytest.fixture(scope="module")
def city(tmp_path_factory) -> Iterator[tuple[str, str]]:
    """Address of a hub and the day of which it knows something."""
    folder = tmp_path_factory.mktemp("hub")
    store = Store(f"sqlite:///{folder}/hub.sqlite")
    store.migrate()
    port = free_port()
    site = make_site(store, folder, demo=True, broker={"port": 1}, listen={"port": port})
    hub = Hub.build(site.config, store)
    day = furnish(hub)
    with answering(hub, port) as url:
        yield url, day


def test_a_missed_grid_is_seen_and_a_visit_opens_its_track(city, opened: Opener) -> None:
    url, day = city
    page = opened(url, f"/#/patrol?since={day}&until={day}&level=2")
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(4)
    expect(rows.first).to_contain_text("漏巡")
    expect(page.locator(".totals")).to_contain_text("应巡 4 次，实巡 1 次")
    paper = on_paper(page)
    for said in ("grid q01", "漏巡", "2 级网格"):
        assert said in paper
    page.get_by_role("button", name="✓ 已巡查 1").click()
    expect(rows).to_have_count(1)
    with page.expect_response(lambda answer: "/track?" in answer.url) as track:
        press(page.get_by_role("button", name="grid q01"))
        press(page.locator(".visits li button").first)
    assert track.value.json()["total"] > 100
    page.get_by_label("岗位").select_option("p2")
    expect(page.locator(".totals")).to_contain_text("应巡 1 次，实巡 0 次")


def test_a_token_patrol_is_seen_as_one_and_opens_its_day(city, opened: Opener) -> None:
    url, day = city
    page = opened(url, f"/#/patrol?since={day}&until={day}&level=2")
    expect(page.locator("tbody tr", has_text="grid q10")).to_contain_text("匆匆路过")
    expect(page.locator("tbody tr", has_text="grid q00")).to_contain_text("漏巡")
    expect(page.locator(".legend")).to_contain_text("仅停车")
    page.get_by_role("button", name="P 仅停车 1").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    press(page.get_by_role("button", name="grid q11"))
    visit = page.locator(".visits li")
    expect(visit).to_contain_text("仅停车")
    expect(visit).to_contain_text("慢行 0 秒、0 米，停留 1 小时")
    with page.expect_response(lambda answer: "/track?" in answer.url) as track:
        press(visit.get_by_role("button"))
    assert track.value.json()["total"] > 700
    visit.get_by_role("link").click()
    expect(page).to_have_url(re.compile(r"#/vehicles/day\?id=car-2/v1&at="))
    expect(page.get_by_role("heading", level=1)).to_contain_text("陕G·00001")


def test_every_standing_can_be_chosen_on_a_narrow_page(city, opened: Opener) -> None:
    url, day = city
    page = opened(url, f"/#/patrol?since={day}&until={day}&level=2", language="en")
    page.set_viewport_size({"width": 360, "height": 640})
    expect(page.locator("tbody tr")).to_have_count(4)
    for button in page.locator(".totals .segments button").all():
        box = button.bounding_box()
        assert box is not None
        assert box["x"] + box["width"] <= 360


def test_what_a_grid_lacks_is_named(city, opened: Opener) -> None:
    page = opened(city[0], "/#/duty")
    row = page.locator("tbody tr", has_text="grid q01")
    expect(row.locator(".lacks")).to_have_count(0)
    expect(page.locator("tbody tr", has_text="grid q00").locator(".lacks")).to_have_count(4)
    page.get_by_label("筛选").select_option("complete")
    expect(page.locator("tbody tr")).to_have_count(1)


def test_who_was_not_heard_is_unknown_and_not_absent(city, opened: Opener) -> None:
    url, day = city
    page = opened(url, f"/#/duty?tab=roll&day={day}", language="en")
    expect(page.locator("tbody tr", has_text="李明")).to_contain_text("present")
    silent = page.locator("tbody tr", has_text="赵强")
    expect(silent).to_contain_text("unknown")
    expect(silent).to_contain_text("no positions")
    expect(page.get_by_text("absent", exact=True)).to_have_count(0)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("path", ["/#/patrol", "/#/duty", "/#/duty?tab=roll"])
def test_everybody_can_use_the_pages(city, opened: Opener, path: str, theme: str) -> None:
    url, day = city
    page = opened(
        url, f"{path}{'&' if '?' in path else '?'}since={day}&level=2&day={day}", theme=theme
    )
    page.wait_for_selector("tbody tr")
    assert faults(page) == []
