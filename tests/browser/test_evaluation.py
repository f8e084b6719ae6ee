"""Evaluation and the big screen, in real Chromium, on a real hub whose city had a month of work."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from hub.app import Hub
from hub.store import Store
from tests.browser.accessible import faults
from tests.browser.conftest import Opener
from tests.browser.paper import on_paper
from tests.browser.running import answering
from tests.hub.evaluation.city import City
from tests.hub.world import make_site
from tests.servers.port import free_port

CLOSED, OPEN = 11, 3


def live_through(store: Store, site: object, folder: object) -> str:
    """Eleven cases closed in time, three overdue, all a month ago; returns the month."""
    begun = datetime.now(UTC).replace(day=1, hour=2, minute=0, second=0, microsecond=0)
    begun = (begun - timedelta(days=1)).replace(day=3)
    city = City(store, site, folder)
    try:
        with city.store.block():
            for number in range(CLOSED + OPEN):
                case = city.to_work(begun)
                if number < CLOSED:
                    city.close(case, begun + timedelta(hours=1))
    finally:
        city.stop()
    return f"{begun:%Y-%m}"


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """Address of the hub, and the month of which it knows something."""
    folder = tmp_path_factory.mktemp("hub")
    store = Store(f"sqlite:///{folder}/hub.sqlite")
    store.migrate()
    port = free_port()
    site = make_site(store, folder, demo=True, broker={"port": 1}, listen={"port": port})
    month = live_through(store, site, folder)
    hub = Hub.build(site.config, store)
    with answering(hub, port) as url:
        yield url, month


def go_back(page: Page, month: str) -> None:
    page.get_by_role("button", name="上一期").click()
    expect(page.locator(".period")).to_have_text(month)


def test_a_figure_opens_into_its_cases(opened: Opener, lived: tuple[str, str]) -> None:
    url, month = lived
    page = opened(url, "/#/evaluation")
    go_back(page, month)
    figure = page.get_by_role("button", name="按期结案率 78.57 % 11 / 14").first
    figure.click()
    dialog = page.get_by_role("dialog")
    cases = dialog.get_by_role("listitem").get_by_role("link")
    expect(cases).to_have_count(OPEN)
    dialog.get_by_role("button", name="分子").click()
    expect(cases).to_have_count(CLOSED)
    with page.expect_download() as download:
        dialog.get_by_role("link", name="XLSX").click()
    assert download.value.suggested_filename == f"指标案件-按期结案率-{month}.xlsx"
    cases.first.click()
    expect(page).to_have_url(f"{url}/#/cases/1")


def test_figures_and_rankings_go_on_paper(opened: Opener, lived: tuple[str, str]) -> None:
    url, month = lived
    page = opened(url, "/#/evaluation")
    go_back(page, month)
    expect(page.get_by_role("button", name="按期结案率 78.57 % 11 / 14").first).to_be_visible()
    paper = " ".join(on_paper(page).split())
    for said in (month, "按期结案率", "78.57 % 11 / 14", "排名"):
        assert said in paper
    assert "生成 PDF" not in paper


def test_grids_stand_ranked_with_their_counts_and_as_tiles(
    opened: Opener, lived: tuple[str, str]
) -> None:
    url, month = lived
    page = opened(url, "/#/evaluation")
    go_back(page, month)
    first = page.locator("table").nth(1).locator("tbody tr").first
    expect(first.locator("td").first).to_have_text("1")
    expect(first).to_contain_text("11 / 14")
    expect(page.get_by_role("button", name="79 % (11 / 14)")).to_be_visible()


def test_a_report_is_made_and_offered(opened: Opener, lived: tuple[str, str]) -> None:
    url, month = lived
    page = opened(url, "/#/evaluation")
    go_back(page, month)
    page.get_by_role("button", name="生成 XLSX").click()
    link = page.get_by_role("link", name=f"月排名 {month} XLSX")
    with page.expect_download() as download:
        link.first.click()
    assert download.value.suggested_filename == f"evaluation-{month}.xlsx"


@pytest.mark.parametrize(("theme", "language"), [("light", "zh"), ("dark", "en")])
@pytest.mark.parametrize("path", ["/#/evaluation", "/#/wall"])
def test_no_accessibility_faults(
    opened: Opener, lived: tuple[str, str], path: str, theme: str, language: str
) -> None:
    url, month = lived
    page = opened(url, "/#/ledgers", theme=theme, language=language)
    page.goto("about:blank")
    page.goto(f"{url}{path}?every=month&day={month}-15")
    page.wait_for_selector(".tile" if "evaluation" in path else ".keys dd")
    assert faults(page) == []


def test_the_wall_needs_no_click_and_hears_what_happens(
    opened: Opener, lived: tuple[str, str]
) -> None:
    url, _ = lived
    page = opened(url, "/#/evaluation", language="zh")
    page.goto(f"{url}/#/wall")
    expect(page.locator(".numbers strong").first).to_have_text(str(OPEN))
    expect(page.locator("header.bar")).to_be_hidden()
    expect(page.locator(".stale")).to_have_count(0)
    answer = page.evaluate(
        """fetch('/api/cases/14').then((said) => said.json()).then(({version}) =>
           fetch('/api/cases/14/actions', {method: 'POST', headers: {'X-Tianyan': '1',
           'Content-Type': 'application/json'}, body: JSON.stringify(
           {action: 'feedback', version, note: 'done'})})).then((said) => said.text())"""
    )
    assert '"state":"handled"' in answer
    event = page.locator(".events li").first
    expect(event).to_contain_text("已反馈")
    page.get_by_role("link", name="退出大屏").click()
    expect(page.locator(".counters")).to_be_visible()
