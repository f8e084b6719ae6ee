"""Two operators at one queue, and what one does with an alert besides judging it."""

import sys
import time

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.accessible import faults
from tests.browser.conftest import Opener, Served, until


def chosen(page: Page, alert: str) -> None:
    row = page.locator(f"[data-alert='{alert}']")
    row.click()
    expect(row).to_have_attribute("aria-current", "true")
    expect(page.locator(".panel")).to_be_visible()


def test_a_second_operator_sees_who_is_at_it_and_passes_it_by(
    served: Served, opened: Opener
) -> None:
    served.hub.demo = False
    first = opened(served.url, token="operator-token")
    second = opened(served.url, token="supervisor-token")
    alert = served.new_alert(level=3)
    chosen(first, alert)
    row = second.locator(f"[data-alert='{alert}']")
    expect(row).to_contain_text("王敏 在看")
    row.click()
    expect(second.locator(".panel")).to_contain_text("王敏 正在看")
    # The first to decide stands; the second is told who it was and what was said.
    first.keyboard.press("f")
    expect(second.locator(".detail footer")).to_contain_text("误报")
    second.keyboard.press("c")
    assert served.hub.city.alerts[alert]["decision"] == "false_alarm"
    assert served.hub.city.alerts[alert]["decided_by"] == "王敏"


def test_both_at_once_and_only_one_decision_stands(served: Served, opened: Opener) -> None:
    served.hub.demo = False
    pages = [opened(served.url, token=f"{role}-token") for role in ("operator", "supervisor")]
    alert = served.new_alert(level=3)
    for page in pages:
        chosen(page, alert)
    # The second decision is on its way before the first is told.
    pages[0].keyboard.press("c")
    pages[1].keyboard.press("f")
    # The second may have been told in time to send nothing.
    expect(pages[0].locator(".toasts li").first).to_be_visible()
    assert served.hub.city.alerts[alert]["decision"] in ("confirmed", "false_alarm")
    assert served.hub.city.alerts[alert]["decided_by"] in ("王敏", "赵处长")
    decided = [s for s in served.hub.city.alerts[alert]["history"] if s["what"] in
               ("confirmed", "false_alarm")]  # fmt: skip
    assert len(decided) == 1


@pytest.mark.parametrize("key", ["m", "s"])
def test_a_dialog_open_while_another_decides_closes_and_says_who_it_was(
    served: Served, opened: Opener, key: str
) -> None:
    page = opened(served.url)
    city = served.hub.city
    alert = served.new_alert(level=3)
    chosen(page, alert)
    page.keyboard.press(key)
    expect(page.get_by_role("dialog")).to_be_visible()
    city.decide(alert, "false_alarm", "王敏", "")
    served.tell("alert", city.alerts[alert])
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(page.locator(".toasts li")).to_contain_text("王敏已先判定为“误报”")
    expect(page.locator(f"[data-alert='{alert}']")).to_have_count(0)
    expect(page.locator("[data-alert][aria-current='true']")).to_have_count(1)


def test_the_claim_is_gone_with_the_page(served: Served, opened: Opener) -> None:
    served.hub.demo = False
    first = opened(served.url, token="operator-token")
    second = opened(served.url, token="supervisor-token")
    alert = served.new_alert(level=3)
    chosen(first, alert)
    row = second.locator(f"[data-alert='{alert}']")
    expect(row).to_contain_text("王敏 在看")
    first.keyboard.press("Escape")
    expect(row).not_to_contain_text("在看")


def test_an_alert_is_put_off_and_comes_back_by_itself(served: Served, opened: Opener) -> None:
    page = opened(served.url)
    alert = served.new_alert(level=2)
    before = served.waiting()
    expect(page.locator(".queue .segments b").first).to_have_text(str(before))
    chosen(page, alert)
    page.keyboard.press("s")
    expect(page.get_by_role("dialog", name="缓办")).to_be_visible()
    page.keyboard.press("2")
    expect(page.locator(".queue .segments b").first).to_have_text(str(before - 1))
    snooze = served.hub.city.alerts[alert]["snooze"]
    assert snooze["by"] == "演示操作员"
    page.get_by_role("button", name="缓办 1").click()
    row = page.locator(f"[data-alert='{alert}']")
    expect(row).to_contain_text("演示操作员 缓至")
    # Its time is over: nothing is told, the page knows by itself.
    snooze["until"] = "2020-01-01T00:00:00Z"
    served.tell("alert", served.hub.city.alerts[alert])
    expect(row).to_have_count(0)
    page.get_by_role("button", name="待判定").click()
    expect(page.locator(f"[data-alert='{alert}']")).to_be_visible()


def test_an_alert_is_merged_into_an_open_case_by_keyboard(served: Served, opened: Opener) -> None:
    page = opened(served.url)
    alert = served.new_alert(level=3)
    chosen(page, alert)
    page.keyboard.press("m")
    dialog = page.get_by_role("dialog", name="并入已知的事")
    expect(dialog.get_by_role("option").first).to_have_attribute("aria-selected", "true")
    expect(dialog.get_by_role("listbox")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(dialog.get_by_role("option").nth(1)).to_have_attribute("aria-selected", "true")
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    item = served.hub.city.alerts[alert]
    assert item["decision"] == "confirmed"
    assert item["case"]["number"]


def test_the_next_comes_after_a_merge_whichever_is_told_first(
    served: Served, opened: Opener
) -> None:
    """The stream may bring the merged alert before the answer to the merging does."""
    known = next(iter(served.hub.city.alerts.values()))
    known |= {"case": None, "decision": None}
    page = opened(served.url)
    alert = served.new_alert(level=3)
    chosen(page, alert)
    waiting, before = page.locator(".queue .segments b").first, served.waiting()
    expect(waiting).to_have_text(str(before))

    def answer_late(route: Route) -> None:
        answer = route.fetch()
        expect(waiting).to_have_text(str(before - 1))
        route.fulfill(response=answer)

    page.route("**/alerts/*/merge", answer_late)
    page.keyboard.press("m")
    dialog = page.get_by_role("dialog", name="并入已知的事")
    expect(dialog.get_by_role("listbox")).to_be_focused()
    page.keyboard.press(str(dialog.get_by_role("option").count()))
    page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    expect(page.locator(f"[data-alert='{alert}']")).to_have_count(0)
    expect(page.locator("[data-alert][aria-current='true']")).to_have_count(1)
    assert served.hub.city.alerts[alert]["duplicate_of"]


def test_what_was_read_before_a_decision_does_not_undo_it(served: Served, opened: Opener) -> None:
    page = opened(served.url)
    alert = served.new_alert(level=3)
    waiting, before = page.locator(".queue .segments b").first, served.waiting()
    expect(waiting).to_have_text(str(before))
    read: list[Route] = []

    def keep(route: Route) -> None:
        read.append(route)

    page.route(f"**/api/alerts/{alert}", keep, times=1)
    chosen(page, alert)
    until(page, lambda: read)
    late = read[0].fetch()
    page.keyboard.press("f")
    expect(waiting).to_have_text(str(before - 1))
    with page.expect_response(f"**/api/alerts/{alert}"):
        read[0].fulfill(response=late)
    page.wait_for_timeout(200)
    expect(waiting).to_have_text(str(before - 1))


def test_in_a_rush_only_the_newest_slide_in(served: Served, opened: Opener) -> None:
    page = opened(served.url)
    page.wait_for_selector(".queue [data-alert]")
    sliding = page.locator(".rows li.fresh")
    expect(sliding).to_have_count(0)
    came = [served.new_alert() for _ in range(7)]
    for alert in came:
        expect(page.locator(f".queue [data-alert='{alert}']")).to_have_count(1)
    expect(sliding).to_have_count(4)
    for alert in came[-4:]:
        expect(sliding.locator(f"[data-alert='{alert}']")).to_have_count(1)


def test_ten_alerts_in_a_minute_by_keyboard_alone(served: Served, opened: Opener) -> None:
    for _ in range(10):
        served.new_alert()
    page = opened(served.url)
    waiting, before = page.locator(".queue .segments b").first, served.waiting()
    expect(waiting).to_have_text(str(before))
    began = time.monotonic()
    page.keyboard.press("j")
    for count, key in enumerate("cfsmfcfsfc", start=1):
        page.keyboard.press(key)
        if key == "s":
            expect(page.get_by_role("dialog", name="缓办")).to_be_visible()
            page.keyboard.press("1")
        if key == "m":
            expect(page.locator("dialog [role=option]").first).to_be_visible()
            expect(page.locator("dialog [role=listbox]")).to_be_focused()
            page.keyboard.press("Enter")
        expect(waiting).to_have_text(str(before - count))
        expect(page.locator("dialog")).to_have_count(0)
    took_s = time.monotonic() - began
    sys.stderr.write(f"ten alerts by keyboard: {took_s:.1f} s of machine time\n")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_dialogs_are_accessible(still_hub: Served, opened: Opener, theme: str) -> None:
    page = opened(still_hub.url, "/#/?alert=a-00018", theme=theme)
    page.wait_for_selector(".panel .spot li")
    found = []
    for key, name in (("m", "并入已知的事"), ("s", "缓办")):
        page.keyboard.press(key)
        dialog = page.get_by_role("dialog", name=name)
        expect(dialog).to_be_visible()
        found += faults(page)
        page.keyboard.press("Escape")
        expect(dialog).to_be_hidden()
    assert found == []
