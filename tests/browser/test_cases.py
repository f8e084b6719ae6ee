"""Many cases at once: board, saved filters, several in one go, on paper."""

import re

from playwright.sync_api import expect

from tests.browser.accessible import faults
from tests.browser.conftest import Opener, Served, enter
from tests.browser.paper import on_paper


def test_the_board_counts_what_is_in_each_stage(still_hub: Served, opened: Opener) -> None:
    page = opened(still_hub.url, "/#/cases?open=all&view=board")
    cases = still_hub.hub.city.cases.values()
    for stage, name in (("collect", "信息收集"), ("dispatch", "派遣")):
        count = sum(case["stage"] == stage for case in cases)
        column = page.get_by_role("region", name=name, exact=True)
        expect(column.locator("header b")).to_have_text(str(count))
        expect(column.locator("li")).to_have_count(count)
    assert faults(page) == []


def test_one_step_for_several_cases_says_what_became_of_each(
    served: Served, opened: Opener
) -> None:
    page = opened(served.url, "/#/cases?open=all")
    for number in ("1", "3"):
        case = served.hub.city.cases[number]["number"]
        page.get_by_label(f"选 {case}").check()
    bar = page.get_by_role("region", name="批量办理")
    bar.get_by_label("办理什么").select_option("return")
    expect(bar.get_by_role("button", name="逐件办理")).to_be_disabled()
    bar.get_by_label("理由").fill("不属于本部门")
    bar.get_by_role("button", name="逐件办理").click()
    results = bar.get_by_role("listitem")
    expect(results).to_have_count(2)
    expect(results.nth(1)).to_contain_text("已回退")
    expect(results.nth(0)).to_contain_text("✕")
    assert served.hub.city.cases["3"]["history"][-1]["note"] == "不属于本部门"
    expect(bar.get_by_label("办理什么").locator("option[value=return]")).to_have_count(0)
    assert served.hub.city.cases["1"]["state"] == "reported"


def test_a_filter_is_kept_under_its_name(still_hub: Served, opened: Opener) -> None:
    page = opened(still_hub.url, "/#/cases?open=all")
    page.get_by_label("时限").select_option("true")
    page.get_by_role("button", name="保存筛选").click()
    page.get_by_label("名称").fill("超期的")
    enter(page.get_by_label("名称"))
    expect(page.get_by_label("已存筛选")).to_contain_text("超期的")
    page.reload()
    page.get_by_label("时限").select_option("")
    page.get_by_label("已存筛选").select_option("超期的")
    expect(page.get_by_label("时限")).to_have_value("true")
    page.get_by_role("button", name="删除这个筛选").click()
    expect(page.get_by_label("已存筛选")).to_have_count(0)


def test_a_case_goes_on_paper_without_its_controls(still_hub: Served, opened: Opener) -> None:
    page = opened(still_hub.url, "/#/cases/3")
    page.wait_for_selector(".timeline")
    page.emulate_media(media="print")
    expect(page.locator(".bar")).to_be_hidden()
    expect(page.get_by_role("button", name="打印")).to_have_count(0)
    expect(page.locator(".case .number")).to_be_visible()
    paper = on_paper(page)
    assert re.search(r"办理经过.*20\d\d/\d\d/\d\d \d\d:\d\d:\d\d", paper, re.DOTALL)
    expect(page.locator(".timeline time").first).not_to_contain_text(re.compile(r"20\d\d/"))


def test_a_list_goes_on_paper_with_what_was_asked(still_hub: Served, opened: Opener) -> None:
    page = opened(still_hub.url, "/#/cases")
    page.wait_for_selector("tbody tr")
    paper = on_paper(page)
    for said in ("全部阶段", page.locator("tbody tr a").first.inner_text()):
        assert said in paper
    assert "XLSX" not in paper
