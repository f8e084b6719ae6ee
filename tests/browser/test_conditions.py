"""Filing from the queue under one of several opening conditions."""

import pytest
from playwright.sync_api import expect

from tests.browser.accessible import faults
from tests.browser.conftest import Opener, Served, until
from tests.browser.made_up_city import CONDITIONS
from tests.browser.test_shift import chosen


def of_several(served: Served) -> str:
    """An alert whose matter has several opening conditions."""
    alert = served.new_alert(level=3, told=False)
    matter = {"code": "06010", "name_zh": "暴露垃圾", "name_en": "exposed garbage"}
    served.hub.city.alerts[alert]["matter"] = matter
    served.hub.conditions_known = [{**row, "matter": "06010"} for row in CONDITIONS]
    return alert


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_choice_of_a_condition_is_open_to_everybody(
    served: Served, opened: Opener, theme: str
) -> None:
    alert = of_several(served)
    page = opened(served.url, theme=theme)
    chosen(page, alert)
    page.keyboard.press("c")
    dialog = page.get_by_role("dialog", name="符合哪条立案条件")
    expect(dialog.get_by_role("listitem")).to_have_count(2)
    assert faults(page) == []


def test_a_matter_of_several_conditions_is_confirmed_with_a_number_key(
    served: Served, opened: Opener
) -> None:
    alert = of_several(served)
    page = opened(served.url)
    chosen(page, alert)
    page.keyboard.press("c")
    dialog = page.get_by_role("dialog", name="符合哪条立案条件")
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    assert served.hub.city.alerts[alert]["decision"] is None
    page.keyboard.press("c")
    expect(dialog.get_by_role("listitem")).to_have_count(2)
    page.keyboard.press("3")  # there is no third
    page.keyboard.press("2")
    expect(dialog).to_be_hidden()
    expect(page.locator(f"[data-alert='{alert}']")).to_have_count(0)
    case = str(served.hub.city.alerts[alert]["case"]["id"])
    until(page, lambda: served.hub.city.cases[case].get("filed_under") == CONDITIONS[1]["id"])
