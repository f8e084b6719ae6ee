"""An operator and a vehicle's terminal: a text, a position, a photo, and what comes back."""

import pytest
from playwright.sync_api import expect

from tests.browser.accessible import faults
from tests.browser.conftest import Opener, Served, enter

VEHICLE = "/#/vehicles?id=veh-0002"


def test_orders_are_given_and_their_answers_come_by_themselves(
    served: Served, opened: Opener
) -> None:
    page = opened(served.url, VEHICLE)
    part = page.get_by_role("region", name="终端指令")
    expect(part).to_contain_text("驾驶员 王强")
    part.get_by_label("给驾驶员发文字").fill("前方管制，请绕行")
    enter(part.get_by_label("给驾驶员发文字"))
    expect(part.locator("li").first).to_contain_text("前方管制，请绕行")
    expect(part.locator("li").first).to_contain_text("终端已确认")
    expect(part.get_by_label("给驾驶员发文字")).to_have_value("")
    part.get_by_role("button", name="问位置").click()
    expect(part.locator("li").first).to_contain_text("32.71000, 109.04000")
    part.get_by_label("通道").select_option("2")
    part.get_by_role("button", name="拍照").click()
    expect(part.locator("li").first).to_contain_text("照片编号 9")
    part.get_by_role("button", name="读参数").click()
    part.locator("summary").click()
    expect(part.locator("dl")).to_contain_text("interval_s")
    given = [(order["op"], order["args"]) for order in served.hub.terminals.orders["veh-0002"]]
    assert given == [
        ("terminal.text", {"text": "前方管制，请绕行", "urgent": False}),
        ("terminal.position", {}),
        ("terminal.photo", {"channel": 2}),
        ("terminal.parameters", {}),
    ]


def test_a_terminal_that_cannot_be_reached_is_said(served: Served, opened: Opener) -> None:
    served.hub.terminals.deaf.add("veh-0002")
    page = opened(served.url, VEHICLE)
    part = page.get_by_role("region", name="终端指令")
    part.get_by_role("button", name="跟踪 10 分钟").click()
    expect(part.locator("li").first).to_contain_text("未完成")
    expect(part.locator("li").first).to_contain_text("is not connected")


def test_who_may_only_look_is_offered_no_orders(served: Served, opened: Opener) -> None:
    served.hub.terminals._may_act = lambda _request: False
    page = opened(served.url, VEHICLE)
    part = page.get_by_role("region", name="终端指令")
    expect(part).to_contain_text("王强")
    expect(part.get_by_role("button")).to_have_count(0)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_it_is_accessible_with_answers(
    served: Served, opened: Opener, theme: str, language: str
) -> None:
    page = opened(served.url, VEHICLE, theme=theme, language=language)
    part = page.locator(".terminal")
    for number in range(3):
        part.locator(".row button[type=button]").nth(number).click()
        expect(part.locator(".state.good")).to_have_count(number + 1)
    page.locator(".toasts").evaluate("said => said.remove()")
    assert faults(page, ".terminal") == []
