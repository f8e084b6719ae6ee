"""A page shows what its address says, also when the address changes while it is open."""

from playwright.sync_api import expect

from tests.browser.conftest import Opener, Served


def test_a_list_follows_a_link_to_itself_and_the_way_back(
    still_hub: Served, opened: Opener
) -> None:
    page = opened(still_hub.url, "/#/cases")
    late = page.get_by_label("时限")
    expect(late).to_have_value("")
    page.goto(f"{still_hub.url}/#/cases?open=all&overdue=true")  # as a link does
    expect(late).to_have_value("true")
    expect(page.get_by_role("button", name="全部", exact=True)).to_have_attribute(
        "aria-pressed", "true"
    )
    page.get_by_role("button", name="在办", exact=True).click()
    expect(page).to_have_url(f"{still_hub.url}/#/cases?open=true&overdue=true")
    page.go_back()
    expect(late).to_have_value("")
    page.go_forward()
    expect(late).to_have_value("true")
