"""What people teach, in real Chromium: boxes drawn by mouse and keys, places lifted, rollouts."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.accessible import faults
from tests.browser.conftest import Opener, Served, press, until_true


def with_picture(served: Served) -> str:
    """An undecided alert whose clean picture is here."""
    return next(
        key
        for key, item in served.hub.city.alerts.items()
        if item["decision"] is None
        and any(e["role"] == "clean" and e["url"] for e in item["evidence"])
    )


def editor(served: Served, opened: Opener, alert: str) -> Page:
    page = opened(served.url, f"/#/?alert={alert}")
    page.get_by_role("button", name="修正方框").click()
    until_true(page, "() => document.querySelector('.stage img')?.naturalWidth > 0")
    expect(page.get_by_role("button", name="添加方框")).to_be_enabled()
    return page


def test_boxes_are_drawn_moved_named_and_deleted_with_the_mouse(
    served: Served, opened: Opener
) -> None:
    alert = with_picture(served)
    page = editor(served, opened, alert)
    for _ in range(page.locator(".list li").count()):
        page.get_by_role("button", name="删除方框").first.click()
    expect(page.get_by_text("没有方框")).to_be_visible()

    def drag(begin: tuple[float, float], end: tuple[float, float]) -> None:
        """By shares of the picture, as it lies now."""
        area = page.locator(".stage").bounding_box()
        assert area is not None
        (x, y), (to_x, to_y) = (
            (area["x"] + x * area["width"], area["y"] + y * area["height"]) for x, y in (begin, end)
        )
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(to_x, to_y, steps=4)
        page.mouse.up()

    drag((0.2, 0.3), (0.5, 0.7))
    expect(page.locator(".list li")).to_have_count(1)
    drag((0.35, 0.5), (0.45, 0.5))
    drag((0.6, 0.7), (0.8, 0.9))
    page.get_by_label("方框 1 的类别").select_option("illegal_structure")
    page.get_by_role("button", name="保存").click()
    expect(page.locator(".toasts")).to_contain_text("方框已保存")
    (box,) = served.hub.learning.corrections[alert]["boxes"]
    assert box["label"] == "illegal_structure"
    assert [round(box[side], 1) for side in ("x", "y", "w", "h")] == [0.3, 0.3, 0.5, 0.6]


def test_boxes_are_drawn_with_the_keyboard_alone(served: Served, opened: Opener) -> None:
    alert = with_picture(served)
    page = editor(served, opened, alert)
    before = page.locator(".list li").count()
    press(page.get_by_role("button", name="添加方框"))
    expect(page.locator(".list li")).to_have_count(before + 1)
    expect(page.locator(".stage .box").last).to_be_focused()
    for key in ("ArrowLeft", "ArrowUp", "ArrowUp", "Shift+ArrowRight"):
        page.keyboard.press(key)
    press(page.get_by_role("button", name="保存"))
    expect(page.locator(".toasts")).to_contain_text("方框已保存")
    box = served.hub.learning.corrections[alert]["boxes"][-1]
    assert [round(box[side], 2) for side in ("x", "y", "w", "h")] == [0.39, 0.38, 0.21, 0.2]
    page = editor(served, opened, alert)
    expect(page.get_by_text("上次修正：王敏")).to_be_visible()
    page.locator(".stage .box").last.focus()
    page.keyboard.press("Delete")
    expect(page.locator(".list li")).to_have_count(before)


def test_who_comes_second_is_told(served: Served, opened: Opener) -> None:
    alert = with_picture(served)
    page = editor(served, opened, alert)
    served.hub.learning.corrections[alert] = {
        "alert": alert, "version": 1, "picture": "0" * 64, "boxes": [], "at": None, "by": "李",
    }  # fmt: skip
    page.get_by_role("button", name="保存").click()
    expect(page.get_by_role("alert")).to_contain_text("已有人先一步修正")


def test_a_held_back_alert_waits_in_no_queue_until_it_is_lifted(
    served: Served, opened: Opener
) -> None:
    alert = with_picture(served)
    served.hub.learning.hold_back(alert)
    page = opened(served.url, f"/#/?alert={alert}")
    panel = page.locator(".panel")
    expect(panel).to_contain_text("已抑制，至")
    page.get_by_role("button", name="全部").click()
    expect(page.locator(f"[data-alert='{alert}']")).to_contain_text("已抑制")
    waiting, before = page.locator(".queue .segments b"), served.waiting()
    expect(waiting).to_have_text(str(before))
    panel.get_by_role("button", name="解除抑制").click()
    expect(waiting).to_have_text(str(before + 1))
    expect(panel).not_to_contain_text("已抑制，至")


def test_a_place_is_lifted_from_the_list(served: Served, opened: Opener) -> None:
    page = opened(served.url, "/#/learning")
    row = page.locator("tbody tr").filter(has_text="育才路摄像头")
    expect(row).to_contain_text("垃圾")
    row.get_by_role("button", name="解除抑制").click()
    expect(page.get_by_text("目前没有被抑制的位置")).to_be_visible()
    expect(page.locator(".rollout").first).to_be_visible()
    expect(page.get_by_role("button", name="下一阶段")).to_have_count(0)  # an operator only looks


def test_an_administrator_leads_a_rollout(served: Served, opened: Opener) -> None:
    served.hub.demo = False
    page = opened(served.url, "/#/learning", token="admin-token")
    running = page.locator(".rollout").first
    expect(running).to_contain_text("第 1/3 阶段")
    expect(running.locator("section", has_text="第 3 阶段 · 2 台").locator("li")).to_have_count(2)
    running.get_by_role("button", name="下一阶段").click()
    expect(running).to_contain_text("第 2/3 阶段")
    stopped = page.locator(".rollout").nth(1)
    expect(stopped).to_contain_text("box-07")
    stopped.get_by_label("理由").fill("那台硬盘坏了")
    stopped.get_by_role("button", name="继续").click()
    expect(stopped).to_contain_text("进行中")
    expect(stopped.get_by_label("理由")).to_have_value("")
    assert served.hub.learning.moves[-1] == {"action": "next", "note": "那台硬盘坏了"}
    expect(page.get_by_role("link", name="下载数据集")).to_be_visible()


def test_a_rollout_is_cancelled_when_it_was_asked_for_and_errors_stand_beside_it(
    served: Served, opened: Opener
) -> None:
    served.hub.demo = False
    page = opened(served.url, "/#/learning", token="admin-token")
    running, stopped = page.locator(".rollout").first, page.locator(".rollout").nth(1)
    dialog = page.get_by_role("dialog")
    running.get_by_role("button", name="取消推送").click()
    expect(dialog).to_contain_text("不能继续")
    page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    assert served.hub.learning.moves == []
    running.get_by_role("button", name="取消推送").click()
    dialog.get_by_label("理由").fill("换新模型")
    dialog.get_by_role("button", name="取消推送").click()
    expect(running).to_contain_text("已取消")
    expect(dialog).to_be_hidden()
    assert served.hub.learning.moves == [{"action": "cancel", "note": "换新模型"}]

    stopped.get_by_role("button", name="取消推送").click()
    served.hub.learning.rollouts[1]["state"] = "done"  # somebody was first
    dialog.get_by_role("button", name="取消推送").click()
    expect(dialog.get_by_role("alert")).to_contain_text("已经结束")
    page.keyboard.press("Escape")
    expect(stopped.get_by_role("alert")).to_contain_text("已经结束")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_is_accessible(served: Served, opened: Opener, theme: str) -> None:
    served.hub.demo = False
    page = opened(served.url, "/#/learning", theme=theme, token="admin-token")
    page.wait_for_selector(".rollout")
    found = []
    for open_editor in (False, True):
        if open_editor:
            page.goto(f"{served.url}/#/?alert={with_picture(served)}")
            page.get_by_role("button", name="修正方框").click()
            page.wait_for_selector(".stage .box")
        found += faults(page)
    assert found == []
