"""Administration in real Chromium on a real hub: people, keys, webhooks, the history."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime

import httpx2 as httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from hub import audit, auth, decisions
from hub.alerts.alert import alert_id
from hub.app import Hub
from hub.departments import store as department_store
from hub.departments.department import Department
from hub.people import users
from hub.people.users import User
from hub.roles import Actor, Post, Role
from hub.store import Store, now
from tests.browser.accessible import THEMED, faults
from tests.browser.conftest import Opener
from tests.browser.running import answering
from tests.hub.out.test_out import Listener
from tests.hub.test_pipeline import take
from tests.hub.world import alert_message, make_site
from tests.servers.port import free_port

CLERK = Actor("zhao", Role.OPERATOR)
MAKE_HOOK = """
  fetch('/api/webhooks', {
    method: 'POST',
    headers: { 'X-Tianyan': '1', 'Content-Type': 'application/json' },
    body: JSON.stringify(
      { name: 'look', url: 'https://hooks.example.cn/', topics: ['report.received'] }),
  }).then((answer) => answer.status)
"""


class City:
    """A hub with people, a key, a webhook and a history; `token`: an administrator's."""

    def __init__(self, hub: Hub, url: str, token: str, listener: Listener) -> None:
        self.hub = hub
        self.url = url
        self.token = token
        self.listener = listener


@pytest.fixture(scope="module")
def city(tmp_path_factory) -> Iterator[City]:
    folder = tmp_path_factory.mktemp("admin")
    store = Store(f"sqlite:///{folder}/hub.sqlite")
    store.migrate()
    port = free_port()
    site = make_site(
        store, folder, broker={"port": 1}, listen={"port": port}, out={"allow": ["127.0.0.1"]}
    )
    hub = Hub.build(site.config, store)
    take(store, site, "alert", alert_message())
    decisions.decide(store, site, alert_id(alert_message()), "confirmed", note="", actor=CLERK)
    with store.write() as tx:
        department_store.put(tx, [Department("huanwei", "环卫处", level=3)], now())
        posts = (Post(Role.HANDLER, department="huanwei"), Post(Role.VIEWER, grid="q01"))
        users.add(tx, User("wu.gang", "吴刚", now(), posts, phone="0915-3212345"))
        users.add(tx, User("zhao", "赵敏", now(), (Post(Role.OPERATOR),), disabled_at=now()))
        token = auth.issue_token(tx, "root", Role.ADMIN)
        auth.issue_token(
            tx, "12345 bridge", Role.SERVICE, ["q01"], datetime(2999, 1, 1, tzinfo=UTC)
        )
    listener = Listener()
    with answering(hub, port) as url:
        yield City(hub, url, token, listener)
    listener.shutdown()
    listener.server_close()
    store.close()


@pytest.fixture(scope="module")
def desk(chromium: Browser, city: City) -> Iterator[Page]:
    """The administrator's page, at the size of a small desk."""
    opener = Opener(chromium)
    page = opener(city.url, token=city.token)
    page.set_viewport_size({"width": 1280, "height": 800})
    yield page
    opener.close()
    assert opener.faults == []


def go(page: Page, city: City, path: str) -> None:
    page.goto(f"{city.url}/#/")
    page.goto(f"{city.url}/#/admin/{path}")


def history(city: City, kind: str, subject: str) -> list[str]:
    with city.hub.store.read() as tx:
        return [act.action for act in audit.of(tx, kind, subject)]


def test_a_person_is_let_in_given_a_post_and_shut_out(desk: Page, city: City) -> None:
    go(desk, city, "people")
    desk.get_by_role("button", name="新增人员").click()
    side = desk.get_by_role("complementary", name="新增人员")
    side.get_by_label("登录名").fill("li.ming")
    side.get_by_label("姓名").fill("李明")
    side.get_by_label("电话").fill("13800000000")
    first = side.get_by_role("group", name="岗位 1")
    first.get_by_label("角色").select_option("operator")
    expect(first).to_contain_text("可以：查看")
    first.get_by_label("网格").select_option("q01")
    side.get_by_role("button", name="建立账号").click()
    side = desk.get_by_role("complementary", name="李明")
    once = side.locator(".secret code").inner_text()
    assert len(once) >= 12
    row = desk.get_by_role("row").filter(has_text="李明")
    expect(row).to_contain_text("操作员 · grid q01")

    side.get_by_role("button", name="加一个岗位").click()
    second = side.get_by_role("group", name="岗位 2")
    second.get_by_label("角色").select_option("handler")
    second.get_by_label("部门").select_option("huanwei")
    side.get_by_role("button", name="保存").click()
    expect(row).to_contain_text("处置人员 · 环卫处")
    side.get_by_role("button", name="去掉岗位 1").click()
    side.get_by_role("button", name="保存").click()
    expect(row).not_to_contain_text("操作员")

    side.get_by_role("button", name="重置密码").click()
    expect(side.locator(".secret code")).not_to_have_text(once)
    side.get_by_role("button", name="停用", exact=True).click()
    expect(desk.locator("tbody")).not_to_contain_text("李明")
    assert history(city, "user", "li.ming") == [
        "add",
        "posts",
        "posts",
        "reset_password",
        "disable",
    ]
    desk.get_by_label("状态").select_option("true")
    expect(desk.locator("tbody tr")).to_have_count(2)
    desk.get_by_placeholder("姓名、登录名或电话").fill("138000")
    expect(desk.locator("tbody tr")).to_have_count(1)


def test_what_the_hub_refuses_is_said_beside_the_form(desk: Page, city: City) -> None:
    go(desk, city, "people")
    desk.get_by_role("button", name="新增人员").click()
    side = desk.get_by_role("complementary", name="新增人员")
    side.get_by_label("登录名").fill("wu.gang")
    side.get_by_label("姓名").fill("另一个")
    side.get_by_role("button", name="建立账号").click()
    expect(side.get_by_role("alert")).to_contain_text("wu.gang")
    expect(side.get_by_label("姓名")).to_have_value("另一个")
    desk.keyboard.press("Escape")
    expect(side).to_be_hidden()


def test_of_two_who_change_one_person_the_second_is_told(desk: Page, city: City) -> None:
    go(desk, city, "people?name=wu.gang")
    side = desk.get_by_role("complementary", name="吴刚")
    side.get_by_label("电话").fill("13900000001")
    headers = {"Authorization": f"Bearer {city.token}"}
    changed = {"display_name": "吴刚强", "phone": "13900000002"}
    done = httpx.patch(f"{city.url}/api/users/wu.gang", json=changed, headers=headers, timeout=60)
    assert done.status_code == 200
    side.get_by_role("button", name="保存").click()
    side = desk.locator(".side-panel")
    expect(side.get_by_role("alert")).to_contain_text("别人同时改了 wu.gang")
    expect(side.get_by_label("电话")).to_have_value("13900000001")
    with city.hub.store.read() as tx:
        kept = users.load(tx, "wu.gang")
    assert kept is not None
    assert (kept.display_name, kept.phone) == ("吴刚强", "13900000002")
    desk.keyboard.press("Escape")


def test_a_key_is_made_shown_once_and_revoked(desk: Page, city: City) -> None:
    go(desk, city, "keys")
    expect(desk.get_by_role("row").filter(has_text="12345 bridge")).to_contain_text("grid q01")
    desk.get_by_role("button", name="新建密钥").click()
    side = desk.get_by_role("complementary")
    side.get_by_label("名称").fill("大屏")
    side.get_by_label("角色").select_option("viewer")
    side.get_by_label("范围").select_option(["q01"])
    side.get_by_label("有效期至").select_option("30")
    side.get_by_role("button", name="生成密钥").click()
    secret = desk.locator(".secret code").inner_text()
    assert len(secret) > 30
    with city.hub.store.read() as tx:
        row = tx.execute(auth.tokens.select().where(auth.tokens.c.name == "大屏")).one()
    assert (row.role, row.grids) == ("viewer", '["q01"]')
    assert row.hash == auth.hashed(secret)
    desk.reload()
    side = desk.get_by_role("complementary", name="大屏")
    expect(side).to_contain_text("从未")
    expect(desk.locator(".secret")).to_have_count(0)
    side.get_by_role("button", name="吊销").click()
    expect(side.get_by_role("alert")).to_contain_text("不能恢复")
    side.get_by_role("button", name="确认吊销").click()
    expect(desk.get_by_role("row").filter(has_text="大屏")).to_have_count(0)
    assert history(city, "token", "大屏") == ["issue", "revoke"]


def test_a_webhook_is_made_tested_changed_and_paused(desk: Page, city: City) -> None:
    go(desk, city, "webhooks")
    desk.get_by_role("button", name="新增接收方").click()
    side = desk.get_by_role("complementary")
    side.get_by_role("button", name="企业微信群").click()
    expect(side.get_by_label("模板")).to_have_value(re.compile("msgtype"))
    side.get_by_label("名称").fill("值班群")
    side.get_by_label("地址").fill("http://10.0.0.1/in")
    side.get_by_role("button", name="建立", exact=True).click()
    expect(side.get_by_role("alert")).to_contain_text("out.allow")
    city.listener.answers[:] = [500]
    side.get_by_label("地址").fill(city.listener.url)
    side.get_by_role("button", name="建立", exact=True).click()
    expect(desk.locator(".secret code")).to_contain_text("whsec_")

    side = desk.get_by_role("complementary", name="值班群")
    told = side.get_by_role("region", name="最近发送")
    side.get_by_role("button", name="发一条测试").click()
    expect(told.locator("li").first).to_contain_text("500")
    expect(told.locator("li").first).to_contain_text("失败，将重试")
    told.get_by_role("button", name="重发").first.click()
    expect(told.locator("li").first).to_contain_text("已送达")
    assert "测试 test root" in city.listener.heard[-1][1].decode()

    side.get_by_label("案件超期").uncheck()
    side.get_by_role("button", name="保存").click()
    row = desk.get_by_role("row").filter(has_text="值班群")
    expect(row).not_to_contain_text("案件超期")
    side.get_by_role("button", name="暂停").click()
    expect(row).to_contain_text("已暂停")
    expect(side.get_by_role("button", name="发一条测试")).to_be_disabled()
    assert history(city, "webhook", "值班群") == ["add", "again", "change", "pause"]


def test_the_history_is_searched_taken_out_and_proven(desk: Page, city: City) -> None:
    go(desk, city, "history")
    expect(desk.locator(".chain")).to_contain_text("哈希链完整")
    desk.get_by_label("何人").fill("赵敏")
    rows = desk.locator("tbody tr")
    expect(rows.filter(has_text="确认").first).to_be_visible()
    desk.get_by_label("何物").select_option("alert")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("赵敏 zhao · 操作员")
    expect(rows.get_by_role("link")).to_have_attribute("href", re.compile(r"#/\?alert="))
    with desk.expect_download() as taken:
        desk.get_by_role("link", name="CSV").click()
    text = taken.value.path().read_text("utf-8-sig")
    assert text.count("\n") == 2
    assert ",zhao,操作员,告警," in text
    assert text.rstrip().endswith(",赵敏")
    alert = alert_id(alert_message())
    desk.goto(f"{city.url}/#/?alert={alert}")
    expect(desk.locator(".panel .history")).to_contain_text("赵敏")
    expect(desk.locator(".panel .history")).not_to_contain_text("zhao")
    expect(desk.locator(".verdict")).to_contain_text("赵敏")
    go(desk, city, "history")
    desk.get_by_label("从", exact=True).fill("2999-01-01")
    expect(desk.get_by_text("没有这样的记录。")).to_be_visible()
    desk.get_by_role("button", name="清除").click()
    expect(rows.filter(has_text="导出").first).to_contain_text("root")


def test_who_may_not_sees_nothing_of_it(city: City, opened: Opener) -> None:
    with city.hub.store.write() as tx:
        token = auth.issue_token(tx, "chief", Role.SUPERVISOR)
    page = opened(city.url, token=token)
    bar = page.get_by_role("banner")
    expect(bar.get_by_role("button", name="管理", exact=True)).to_be_visible()
    expect(bar.get_by_role("button", name="系统管理")).to_have_count(0)
    page.goto(f"{city.url}/#/admin/people")
    expect(page.get_by_role("alert").first).to_contain_text("没有“管理系统”的权限")
    bar.get_by_role("button", name="的菜单").click()
    bar.get_by_role("button", name="退出").click()
    expect(page.get_by_role("dialog", name="登录")).to_be_visible()


LOOKS = {
    "people?name=wu.gang": ".side-panel .facts",
    "people?name=%2B": ".side-panel .posts .post",
    "keys?name=%2B": ".side-panel select[multiple] option",
    "webhooks?id=1": ".side-panel .deliveries",
    "history": "tbody tr",
}


@pytest.mark.parametrize(("theme", "language"), [("light", "zh"), ("dark", "en")])
def test_every_page_is_accessible_wide_and_narrow(
    city: City, chromium: Browser, theme: str, language: str
) -> None:
    opener = Opener(chromium)
    page = opener(city.url, token=city.token, theme=theme)
    page.evaluate(f"localStorage.setItem('tianyan.language', '{language}')")
    page.evaluate(MAKE_HOOK)
    page.goto(f"{city.url}/#/admin/people")
    page.reload()
    found = []
    only = THEMED if theme == "dark" else None
    for path, ready in LOOKS.items():
        page.set_viewport_size({"width": 1280, "height": 800})
        page.goto(f"{city.url}/#/admin/{path}")
        page.wait_for_selector(ready, state="attached")
        for width in (1280, 360):
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
            found += [f"{width} {fault}" for fault in faults(page, only=only)]
    opener.close()
    assert not found, "\n".join(found)
