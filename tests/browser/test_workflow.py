"""Dispatch with its explanation, its correction and records, in real Chromium on a real hub."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from hub import auth, decisions
from hub.alerts.alert import alert_id
from hub.app import Hub
from hub.cases import dispatch_store
from hub.cases.dispatch import Conditions, Rule, Target
from hub.departments import store as department_store
from hub.departments.department import Department
from hub.roles import Actor, Role
from hub.store import Store, now
from tests.browser.accessible import faults
from tests.browser.conftest import Opener, enter, press
from tests.browser.running import answering
from tests.hub.test_pipeline import take
from tests.hub.world import alert_message, make_site
from tests.servers.port import free_port

CLERK = Actor("clerk", Role.OPERATOR)


@pytest.fixture
def city(tmp_path) -> Iterator[tuple[str, str]]:
    """Address of a hub with a case and two rules, and a supervisor's token."""
    store = Store(f"sqlite:///{tmp_path}/hub.sqlite")
    store.migrate()
    port = free_port()
    site = make_site(store, tmp_path, broker={"port": 1}, listen={"port": port})
    hub = Hub.build(site.config, store)
    take(store, site, "alert", alert_message())
    decisions.decide(store, site, alert_id(alert_message()), "confirmed", note="", actor=CLERK)
    with store.write() as tx:
        found = [
            Department("huanwei", "环卫处", level=3, grid="q01", generated=True),
            Department("chengguan", "市城管执法局", level=1),
        ]
        department_store.put(tx, found, now())
        for rule in (
            Rule(0, 0, 0, Conditions(), Target("chengguan")),
            Rule(0, 0, 0, Conditions("06010"), Target("huanwei", "李师傅")),
        ):
            dispatch_store.put(tx, rule, by="test", at=now())
        token = auth.issue_token(tx, "zhao", Role.SUPERVISOR)
    with answering(hub, port) as url:
        yield url, token


def test_a_case_is_sent_by_rule_corrected_and_the_correction_becomes_a_rule(
    city, opened: Opener
) -> None:
    url, token = city
    page = opened(url, "/#/cases/1", token=token)
    box = page.locator(".dispatch")
    expect(box).to_contain_text("建议派往 环卫处 · 李师傅")
    box.get_by_text("为什么").press("Enter")
    expect(box).to_contain_text("规则 1 → 市城管执法局：事项不如上者具体")
    page.get_by_role("button", name="立案", exact=True).click()
    page.get_by_role("button", name="派遣", exact=True).click()
    expect(box).to_contain_text("现由 环卫处 · 李师傅 处置")

    page.get_by_label("办理意见").first.fill("店外堆物，应由城管处理")
    page.get_by_role("button", name="改派").click()
    expect(page.get_by_role("alert")).to_contain_text("另一个部门")
    page.get_by_label("派往部门").select_option("chengguan")
    page.get_by_role("button", name="改派").click()
    expect(box).to_contain_text("现由 市城管执法局 处置")
    expect(box).to_contain_text("已更正：店外堆物")
    box.get_by_role("button", name="采用为规则").click()
    expect(box.get_by_role("button", name="采用为规则")).to_have_count(0)
    page.goto(f"{url}/#/dispatch")
    expect(page.locator("tbody tr")).to_have_count(3)


def test_a_supervision_is_demanded_shown_and_answered(city, opened: Opener) -> None:
    url, token = city
    page = opened(url, "/#/cases/1", token=token)
    for name, state in (("立案", "已立案"), ("派遣", "已派遣")):
        page.get_by_role("button", name=name, exact=True).click()
        expect(page.locator(".head .state")).to_have_text(state)
    records = page.locator(".records")
    records.get_by_text("新增记录").click()
    records.get_by_label("记录什么").select_option("supervision")
    records.get_by_label("截止日期").fill("2099-01-01")
    records.get_by_label("说明").fill("三日内清理")
    records.get_by_role("button", name="提交").click()
    expect(page.locator(".right")).to_contain_text("督办：")
    records.get_by_label("意见: 督办").fill("已清理")
    records.get_by_role("button", name="答复").click()
    expect(records.locator("li").first).to_contain_text("已答复")


def test_a_penalty_goes_its_steps_and_is_published(city, tmp_path, opened: Opener) -> None:
    url, zhao = city
    store = Store(f"sqlite:///{tmp_path}/hub.sqlite")
    with store.write() as tx:
        qian = auth.issue_token(tx, "qian", Role.OPERATOR)
        reader = auth.issue_token(tx, "sun", Role.VIEWER)
    store.close()

    page = opened(url, "/#/cases/1", token=zhao)
    record, take = page.locator(".enforcement"), page.locator(".enforcement .next button")
    steps, alert = record.get_by_role("list", name="已办程序"), record.get_by_role("alert")
    record.get_by_text("开始处罚记录").press("Enter")
    record.get_by_label("当事人").fill("王小明建材店")
    record.get_by_role("button", name="登记").click()
    record.get_by_label("文书").fill("立案〔2026〕1 号")
    take.click()
    expect(steps.locator("li").last).to_contain_text("立案〔2026〕1 号")
    record.get_by_label("文书").fill("笔录 1")
    record.get_by_label("调查人员").fill("李队员")
    take.click()
    expect(alert).to_contain_text("两名以上")
    record.get_by_label("调查人员").fill("李队员，赵队员")
    take.click()
    expect(steps).to_contain_text("李队员, 赵队员")
    record.get_by_label("下一步").select_option("review")
    record.get_by_label("文书").fill("审查 1")
    take.click()
    expect(alert).to_contain_text("参加调查的人不能审查")

    other = opened(url, "/#/cases/1", token=qian)
    theirs = other.locator(".enforcement")
    theirs.get_by_label("下一步").select_option("review")
    for number, name in enumerate(("审查", "告知", "决定", "送达"), 4):
        theirs.get_by_label("文书").fill(f"{name} 1")
        if name == "告知":
            theirs.get_by_label("是否有权要求听证").select_option("no")
        theirs.get_by_role("button", name=f"办理：{name}").click()
        expect(theirs.locator(".done li")).to_have_count(number)
    theirs.get_by_text("编写公开内容").click()
    theirs.get_by_label("执法依据").fill("市容条例第十四条")
    theirs.get_by_role("button", name="存为草稿").click()
    expect(theirs.locator("dd").first).to_have_text("市容条例第十四条")
    expect(theirs.get_by_role("button", name="公开", exact=True)).to_have_count(0)

    expect(record.locator("dd").first).to_have_text("市容条例第十四条")
    record.get_by_text("编写公开内容").click()
    record.get_by_label("执法依据").fill("市容条例第十四条")
    record.get_by_label("事项").fill("占道堆物")
    record.get_by_label("结果").fill("对王小明建材店罚款")
    record.get_by_role("button", name="公开", exact=True).click()
    expect(alert).to_contain_text("“结果”中有当事人的姓名")
    record.get_by_label("结果").fill("罚款二百元")
    record.get_by_role("button", name="公开", exact=True).click()
    expect(record).to_contain_text("已公开 · zhao")
    expect(record.get_by_role("button", name="公开", exact=True)).to_be_enabled()
    assert faults(page, ".enforcement") == []

    page = opened(url, "/#/cases/1", token=reader, language="en")
    expect(page.locator(".enforcement")).to_contain_text("Party: 王**")
    expect(page.locator(".enforcement")).to_contain_text("public · zhao")
    expect(page.locator(".enforcement form")).to_have_count(0)


def test_rules_are_tried_out_by_keyboard(city, opened: Opener) -> None:
    url, token = city
    page = opened(url, "/#/dispatch", token=token, language="zh")
    page.locator("form").first.get_by_label("事项").fill("06010")
    page.locator("form").first.get_by_label("网格").fill("q01")
    enter(page.locator("form").first.get_by_label("网格"))
    expect(page.locator(".answer")).to_contain_text("环卫处 · 李师傅")
    press(page.get_by_role("button", name="部门", exact=True))
    expect(page.locator("tbody tr")).to_have_count(2)
    expect(page.locator("tbody tr").last).to_contain_text("生成")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_everybody_can_use_the_pages(city, opened: Opener, theme: str) -> None:
    url, token = city
    page = opened(url, "/#/ledgers", theme=theme, token=token)
    for path, ready in (
        ("/#/dispatch?tab=rules", "tbody tr"),
        ("/#/dispatch?tab=departments", "tbody tr"),
        ("/#/cases/1", ".dispatch"),
    ):
        page.goto("about:blank")
        page.goto(f"{url}{path}")
        page.wait_for_selector(ready)
        assert faults(page) == []
