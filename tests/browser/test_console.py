"""What an operator does, in real Chromium, against a hub that only talks."""

import httpx2 as httpx
import pytest
from playwright.sync_api import expect

from tests.browser.accessible import faults
from tests.browser.conftest import Opener, Served, until

LOOK_AT = {
    "shift": "/#/",
    "alert": "/#/?alert=a-00018",
    "cases": "/#/cases?open=all",
    "case": "/#/cases/5",
    "cameras": "/#/cameras",
    "vehicles": "/#/vehicles?id=veh-0002",
}
READY = {
    "shift": "[data-alert]",
    "alert": ".panel",
    "cases": "tbody tr",
    "case": ".timeline",
    "cameras": "tbody tr",
    "vehicles": ".chart",
}


def test_an_alert_appears_is_confirmed_and_its_case_opened(served: Served, opened: Opener) -> None:
    page = opened(served.url)
    expect(page.get_by_role("status").first).to_have_text("实时")
    alert = served.new_alert(level=3)
    found = page.locator(f"[data-alert='{alert}']")
    expect(found).to_be_visible()
    page.keyboard.press("j")
    expect(found).to_have_attribute("aria-current", "true")
    page.keyboard.press("c")
    page.get_by_role("link", name="打开案件").first.click()
    number = served.hub.city.alerts[alert]["case"]["number"]
    expect(page.locator(".case .number")).to_have_text(number)
    expect(page.locator(".head .state")).to_have_text("已立案")
    expect(page.get_by_role("listitem").filter(has_text="立案").first).to_be_visible()


def test_ten_alerts_are_decided_without_the_mouse(served: Served, opened: Opener) -> None:
    for _ in range(3):
        served.new_alert()
    page = opened(served.url)
    before = served.waiting()
    waiting = page.locator(".queue .segments b")
    expect(waiting).to_have_text(str(before))
    page.keyboard.press("j")
    for count in range(1, 11):
        page.keyboard.press("f" if count % 3 else "c")
        expect(waiting).to_have_text(str(before - count))
    until(page, lambda: served.waiting() == before - 10)


def test_the_first_of_two_decisions_stands(served: Served, opened: Opener) -> None:
    page = opened(served.url)
    alert = served.new_alert(level=3)
    page.locator(f"[data-alert='{alert}']").click()
    expect(page.locator(".panel")).to_be_visible()
    served.run(lambda: served.hub.city.decide(alert, "false_alarm", "李建国"))
    page.keyboard.press("c")
    told = page.locator(".toasts li")
    expect(told).to_contain_text("李建国")
    told.get_by_role("link").click()
    expect(page.locator(".detail footer")).to_contain_text("误报")
    assert served.hub.city.alerts[alert]["decision"] == "false_alarm"


def test_a_broken_line_shows_and_heals_with_nothing_lost(served: Served, opened: Opener) -> None:
    page = opened(served.url)
    page.wait_for_selector("[data-alert]")
    page.keyboard.press("j")
    page.keyboard.press("n")
    expect(page.get_by_label("备注（可不填）")).to_be_focused()
    page.keyboard.type("占用盲道")
    served.drop(3600)
    expect(page.locator(".pill")).to_have_text("正在重连")
    missed = served.new_alert(told=False)
    served.drop(0)
    expect(page.locator(".pill")).to_have_text("实时")
    expect(page.locator(f"[data-alert='{missed}']")).to_be_attached()
    expect(page.get_by_label("备注（可不填）")).to_have_value("占用盲道")


def test_a_lost_session_keeps_what_was_typed(served: Served, opened: Opener) -> None:
    page = opened(served.url, "/#/cases/3")
    page.get_by_label("办理意见").fill("请先联系物业")
    httpx.post(f"{served.url}/mock/forget", params={"s": 0})
    login = page.get_by_role("dialog", name="登录")
    login.get_by_role("button", name="改用访问令牌").click()
    login.get_by_label("访问令牌").fill("operator-token")
    login.get_by_role("button", name="进入", exact=True).click()
    expect(login).to_be_hidden()
    expect(page.get_by_label("办理意见")).to_have_value("请先联系物业")


def test_a_case_moved_by_somebody_else_is_said_and_shown(served: Served, opened: Opener) -> None:
    page = opened(served.url, "/#/cases/3")
    page.get_by_label("办理意见").fill("已到现场")
    httpx.post(f"{served.url}/mock/move", params={"case": "3"})
    page.get_by_role("button", name="接收处置").click()
    expect(page.get_by_role("alert")).to_contain_text("李建国")
    expect(page.get_by_label("办理意见")).to_have_value("已到现场")
    expect(page.locator(".head .state")).to_have_text("处理中")


def test_a_step_that_needs_a_reason_asks_for_it(served: Served, opened: Opener) -> None:
    page = opened(served.url, "/#/cases/3")
    page.get_by_role("button", name="回退").click()
    expect(page.get_by_role("alert")).to_contain_text("须写明理由")
    page.get_by_label("办理意见").fill("不属于本部门")
    page.get_by_role("button", name="回退").click()
    expect(page.locator(".head .state")).to_have_text("已回退")
    assert served.hub.city.cases["3"]["history"][-1]["note"] == "不属于本部门"


def test_what_is_overdue_is_seen_and_can_be_shown_alone(served: Served, opened: Opener) -> None:
    page = opened(served.url, "/#/cases?open=all")
    late = page.locator("tbody tr").filter(has_text="已超期 3 小时")
    expect(late.first).to_be_visible()
    count = sum(case["clock"]["state"] == "overdue" for case in served.hub.city.cases.values())
    page.get_by_label("时限").select_option("true")
    expect(page.locator("tbody tr")).to_have_count(count)


def test_filing_asks_under_which_condition(served: Served, opened: Opener) -> None:
    page = opened(served.url, "/#/cases/1")
    page.get_by_role("button", name="立案", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("多条立案条件")
    page.get_by_label("堆积成片").check()
    page.get_by_role("button", name="立案", exact=True).click()
    expect(page.locator(".head .state")).to_have_text("已立案")
    assert served.hub.city.cases["1"]["filed_under"] == 8


def test_a_case_on_the_page_follows_the_hub(served: Served, opened: Opener) -> None:
    page = opened(served.url, "/#/cases/3")
    expect(page.locator(".head .state")).to_have_text("已派遣")
    served.run(lambda: served.hub.city.move("3", "handling", "李建国", "已接收"))
    served.tell("case", served.hub.city.cases["3"])
    expect(page.locator(".head .state")).to_have_text("处理中")


def test_who_may_only_look_cannot_decide(served: Served, opened: Opener) -> None:
    served.hub.demo = False
    page = opened(served.url, token="viewer-token")
    page.wait_for_selector("[data-alert]")
    page.keyboard.press("j")
    expect(page.locator(".detail footer")).to_contain_text("只能查看")
    page.keyboard.press("c")
    assert all(item["decided_by"] != "访客" for item in served.hub.city.alerts.values())


def test_what_stands_on_the_map_can_be_pointed_at(still_hub: Served, opened: Opener) -> None:
    camera = still_hub.hub.city.cameras["box-04/cam-14"]
    page = opened(still_hub.url, f"/#/?camera={camera['id']}", draw_map=True)
    card = page.locator(".card")
    expect(card).to_contain_text(camera["name"])
    canvas = page.locator("canvas.maplibregl-canvas")
    canvas.wait_for()
    page.keyboard.press("Escape")
    expect(card).to_be_hidden()

    def is_hit() -> bool:
        canvas.click()  # the middle, where the camera is brought
        return card.is_visible()

    until(page, is_hit)
    expect(card).to_contain_text(camera["name"])


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_page_is_accessible(still_hub: Served, opened: Opener, theme: str) -> None:
    page = opened(still_hub.url, theme=theme, guide=True)
    found = []
    for name, path in LOOK_AT.items():
        page.goto(still_hub.url + path)
        page.wait_for_selector(READY[name])
        found += faults(page)
    assert found == []


def test_evidence_is_compared_played_and_proven(still_hub: Served, opened: Opener) -> None:
    page = opened(still_hub.url, "/#/?alert=a-00018")
    viewer = page.locator(".panel .evidence")
    expect(viewer.get_by_role("group", name="证据核验")).to_contain_text("已核验：由 box-")
    expect(viewer.get_by_role("group", name="证据核验")).to_contain_text("配置 3fa96b2c+12")
    viewer.get_by_role("button", name="前后对比").click()
    expect(viewer.locator(".two img")).to_have_count(2)
    expect(viewer.locator(".when")).to_have_text(["之前", "告警时"])
    viewer.get_by_role("button", name="视频", exact=True).click()
    video = viewer.locator("video")
    video.evaluate(
        "film => film.play().then(() => new Promise((done) => {"
        "  const look = () => (film.currentTime > 0.5 ? done() : setTimeout(look, 50)); look() }))"
    )
    assert video.evaluate("film => [film.videoWidth > 0, film.duration > 4]") == [True, True]
    expect(viewer.get_by_role("button", name="查看原图")).to_be_hidden()


def test_the_original_is_shown_to_who_may_see_it_for_a_reason(
    served: Served, opened: Opener
) -> None:
    served.hub.demo = False
    page = opened(served.url, "/#/?alert=a-00018", token="supervisor-token")
    page.locator(".panel").get_by_role("button", name="查看原图").click()
    dialog = page.get_by_role("dialog", name="查看原图")
    dialog.get_by_role("button", name="记录并查看").click()
    expect(dialog.get_by_role("alert")).to_contain_text("理由")
    dialog.get_by_label("查看原图的理由").fill("公安机关调取")
    dialog.get_by_role("button", name="记录并查看").click()
    expect(dialog.locator("img")).to_be_visible()
    expect(dialog).to_contain_text("本次查看已记录")
    alert = served.hub.city.alerts["a-00018"]
    sealed = next(file["sha256"] for file in alert["evidence"] if file["sealed"])
    assert served.hub.opened == [("赵处长", sealed, "公安机关调取")]
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
