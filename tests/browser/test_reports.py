"""What citizens report is taken into a case, answered or refused in the console, on a real hub."""

import re
from collections.abc import Iterator

import httpx2 as httpx
import pytest
from playwright.sync_api import expect

from hub import auth
from hub.app import Hub
from hub.roles import Role
from tests.browser.accessible import faults, faults_in_both_themes
from tests.browser.conftest import Opener, press, until, until_true
from tests.browser.paper import on_paper
from tests.browser.real_hub import real_hub
from tests.hub.intake.test_public_api import picture
from tests.hub.world import LAT, LON

HEAP = "菜市场门口垃圾堆了三天"
NOISE = "楼上装修太吵"


@pytest.fixture
def city(tmp_path) -> Iterator[tuple[str, str]]:
    """Address of a hub with two reports that wait, and an operator's token."""
    tokens = []

    def furnish(hub: Hub) -> None:
        with hub.store.write() as tx:
            tokens.append(auth.issue_token(tx, "zhao", Role.OPERATOR))

    with real_hub(tmp_path, furnish) as (url, root):
        headers = {"Authorization": f"Bearer {root}"}
        with httpx.Client(base_url=url, headers=headers, timeout=60) as clerk:
            for content, name in ((HEAP, "王小明"), (NOISE, "")):
                told = {"channel": "12345", "content": content, "place_text": "南门菜市场"}
                told |= {"caller": {"name": name, "phone": "13812345678"}} if name else {}
                clerk.post("/api/reports", json=told).raise_for_status()
        yield url, tokens[0]


# A person closes the dialog when all is printed; a PDF says so before its last page is drawn.
PRINTER = """
  window.print = () => { window.printed = true }
  window.isPrinted = false
  addEventListener('afterprint', (event) => isPrinted || event.stopImmediatePropagation())
"""


def test_a_report_is_taken_in_answered_and_another_refused(city, opened: Opener) -> None:
    url, token = city
    page = opened(url, "/#/reports", token=token)
    expect(page.locator("tbody tr")).to_have_count(2)
    press(page.locator("tbody tr", has_text=HEAP).locator("button"))
    panel = page.locator(".side-panel")
    expect(panel).to_contain_text("王** 138****5678")
    assert faults(page) == []

    panel.get_by_label("事项").select_option("06010")
    press(panel.get_by_role("button", name="保存"))
    expect(panel.locator("dl")).to_contain_text("暴露垃圾")
    panel.get_by_label("纬度").fill(str(LAT))
    panel.get_by_label("经度").fill(str(LON))
    press(panel.get_by_role("button", name="受理进案件"))
    expect(panel.locator("dl a")).to_have_attribute("href", "#/cases/1")
    expect(page.locator("tbody tr")).to_have_count(1)

    panel.get_by_label("答复内容").fill("今天清走")
    press(panel.get_by_role("button", name="答复"))
    expect(panel.locator("dl")).to_contain_text("今天清走")
    expect(panel.locator("form", has_text="答复内容")).to_have_count(0)

    press(page.locator("tbody tr", has_text=NOISE).locator("button"))
    panel.get_by_label("理由").fill("属于住建部门")
    press(panel.get_by_role("button", name="不予受理"))
    expect(panel.locator("dl")).to_contain_text("属于住建部门")
    page.get_by_role("button", name="不予受理").first.click()
    expect(page.locator("tbody tr")).to_have_count(1)
    assert "state=refused" in page.url


def test_a_case_and_what_was_reported_lead_to_each_other(city, opened: Opener) -> None:
    url, token = city
    told = {"channel": "12345", "content": HEAP, "matter": "06010", "lat": LAT, "lon": LON}
    told |= {"caller": {"name": "王小明"}}
    clerk = httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=60)
    with clerk:
        number = clerk.post("/api/reports", json=told).raise_for_status().json()["number"]
        clerk.put(f"/api/reports/{number}/photos", content=picture()).raise_for_status()
    page = opened(url, token=token)
    refused: list[str] = []
    page.on("response", lambda said: refused.append(said.url) if said.status >= 400 else None)
    page.goto(f"{url}/#/cases/1")
    section = page.get_by_role("region", name="群众反映")
    expect(section).to_contain_text(HEAP)
    expect(section).to_contain_text("12345 热线")
    expect(section).not_to_contain_text("王")
    photo = section.get_by_role("img", name="照片 1")
    until(page, lambda: photo.evaluate("(one) => one.complete && one.naturalWidth > 0"))
    assert faults(page, ".reports") == []
    expect(page.locator(".left .facts")).to_contain_text("12345 热线")
    expect(page.locator(".enforcement")).to_be_visible()
    section.get_by_role("link", name=number).click()
    panel = page.locator(".side-panel")
    expect(panel).to_contain_text(HEAP)
    panel.get_by_role("link", name=re.compile("-0001")).click()
    expect(section).to_contain_text(HEAP)
    assert refused == []


def test_a_call_is_written_down_with_its_picture_and_stays_to_be_taken_in(
    city, opened: Opener
) -> None:
    url, token = city
    page = opened(url, "/#/reports", token=token)
    press(page.get_by_role("button", name="登记反映"))
    entry = page.get_by_role("complementary", name="登记反映")
    entry.get_by_label("反映内容").fill("井盖松了，车一过就响")
    entry.get_by_label("地点（反映人怎么说）").fill("兴安东路")
    entry.get_by_label("反映人", exact=True).fill("李秀英")
    entry.get_by_label("联系电话").fill("13912345678")
    entry.get_by_label("要求答复").check()
    assert faults_in_both_themes(page) == []
    press(entry.get_by_role("button", name="登记", exact=True))

    panel = page.get_by_role("complementary", name=re.compile("反映 AK"))
    expect(panel).to_contain_text("李** 139****5678")
    expect(panel.get_by_role("heading", name="受理", exact=True)).to_be_visible()
    expect(page.locator("tbody tr")).to_have_count(3)
    files = [
        {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": picture()},
        {"name": "b.jpg", "mimeType": "image/jpeg", "buffer": b"no picture"},
    ]
    panel.get_by_label("添加照片").set_input_files(files)
    expect(panel.get_by_role("img", name="照片 1")).to_be_visible()
    expect(panel.get_by_role("alert")).to_contain_text("图片打不开")
    expect(panel.get_by_role("img")).to_have_count(1)


def test_the_list_goes_on_paper_with_all_that_the_filter_finds(city, opened: Opener) -> None:
    url, token = city
    with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}) as clerk:
        for number in range(60):
            told = {"channel": "phone", "content": f"第{number}件"}
            clerk.post("/api/reports", json=told, timeout=60).raise_for_status()
    page = opened(url, "/#/reports", token=token)
    page.locator(".page-head").get_by_label("来源").select_option("phone")
    expect(page.locator(".pager")).to_contain_text("共 60 条")
    expect(page.locator("tbody tr")).to_have_count(50)
    partly = on_paper(page)
    assert "第0件" not in partly
    assert "第 1–50 条，共 60 条" in partly
    page.add_init_script(PRINTER)
    page.reload()
    expect(page.locator(".pager")).to_contain_text("共 60 条")
    page.get_by_role("button", name="打印").click()
    until_true(page, "window.printed")
    paper = on_paper(page)
    assert [number for number in range(60) if f"第{number}件" not in paper] == []
    assert HEAP not in paper
    page.evaluate("isPrinted = true; dispatchEvent(new Event('afterprint'))")
    expect(page.locator("tbody tr")).to_have_count(50)
