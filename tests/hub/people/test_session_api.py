"""Logging in as people do: a cookie jar, a password, a second browser."""

from datetime import timedelta

import pytest

from hub import audit
from hub.people import session_api, sessions, users
from hub.roles import Role
from hub.store import now
from tests.hub.client import Client
from tests.hub.test_api import LOCAL, call, client, hub, tokens  # noqa: F401

WRITE = {"X-Tianyan": "1"}
GOOD = "correct horse battery"
POSTS = [{"role": "operator", "grid": "q01"}]


@pytest.fixture
def browser(client):  # noqa: F811
    """Open one more browser."""
    return lambda: Client(client.app, raise_server_exceptions=False, **LOCAL)


@pytest.fixture
def li(call):  # noqa: F811
    """Li Ming, who was just let in; his password for the first time."""
    wanted = {"name": "li.ming", "display_name": "李明", "posts": POSTS}
    made = call("POST", "/api/users", json=wanted)
    assert made.status_code == 201
    return made.json()


def log_in(page, name="li.ming", password=GOOD):
    return page.post("/api/session", json={"name": name, "password": password})


def settle(browser, li):
    """Li Ming's browser after his first login."""
    page = browser()
    assert log_in(page, password=li["password"]).json()["must_change"] is True
    wanted = {"old": li["password"], "new": GOOD}
    assert page.post("/api/session/password", json=wanted, headers=WRITE).status_code == 200
    return page


def test_the_first_login_asks_for_a_password_of_ones_own(browser, li):
    page = browser()
    opened = log_in(page, password=li["password"])
    assert opened.status_code == 200
    cookie = opened.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    refused = page.get("/api/cases")
    assert refused.status_code == 403
    assert refused.json()["error"]["code"] == "password_change_needed"

    def change(old, new):
        wanted = {"old": old, "new": new}
        return page.post("/api/session/password", json=wanted, headers=WRITE)

    assert change("x", GOOD).json()["error"]["code"] == "wrong_password"
    assert change(li["password"], "password2026").json()["error"]["code"] == "weak_password"
    assert change(li["password"], "li.ming is here").json()["error"]["code"] == "weak_password"
    changed = change(li["password"], GOOD).json()
    assert (changed["must_change"], changed["display_name"]) == (False, "李明")
    assert changed["posts"] == [POSTS[0] | {"department": None, "matter_class": None}]
    assert page.get("/api/cases").status_code == 200
    assert log_in(browser(), password=li["password"]).status_code == 401


def test_whatever_is_wrong_the_answer_is_the_same(browser, li):
    settle(browser, li)
    wrong = [
        log_in(browser(), password="not it at all").json(),
        log_in(browser(), name="nobody").json(),
        log_in(browser(), name="").json(),
    ]
    assert wrong[0] == wrong[1] == wrong[2]
    assert log_in(browser(), name=" LI.Ming ").status_code == 200


def test_guessing_is_slowed_down(browser, li, monkeypatch):
    settle(browser, li)
    moment = now()
    monkeypatch.setattr(session_api, "now", lambda: moment)
    page = browser()
    answers = [log_in(page, password=f"guess number {i}").status_code for i in range(5)]
    assert answers == [401, 401, 401, 401, 429]
    late = log_in(page)
    assert late.status_code == 429
    assert int(late.headers["Retry-After"]) >= 1


def test_own_sessions_are_listed_and_ended(browser, li):
    page = settle(browser, li)
    phone = browser()
    log_in(phone)
    listed = page.get("/api/sessions").json()
    assert listed["total"] == 2
    assert [each["here"] for each in listed["items"]].count(True) == 1
    (other,) = [each["id"] for each in listed["items"] if not each["here"]]
    assert page.delete(f"/api/sessions/{other}").status_code == 403  # no header
    assert page.delete(f"/api/sessions/{other}", headers=WRITE).status_code == 204
    assert page.delete(f"/api/sessions/{other}", headers=WRITE).status_code == 404
    assert phone.get("/api/cases").status_code == 401
    log_in(phone)
    assert page.delete("/api/sessions", headers=WRITE).json() == {"ended": 2}
    for each in (page, phone):
        assert each.get("/api/cases").status_code == 401


def test_a_session_ends_with_the_password_the_person_and_the_post(browser, call, li):  # noqa: F811
    page = settle(browser, li)
    phone = browser()
    log_in(phone)
    wanted = {"old": GOOD, "new": "another four word phrase"}
    page.post("/api/session/password", json=wanted, headers=WRITE)
    assert page.get("/api/cases").status_code == 200
    assert phone.get("/api/cases").status_code == 401

    viewer = {"posts": [{"role": "viewer"}]}
    assert call("PATCH", "/api/users/li.ming", json=viewer).status_code == 200
    assert page.get("/api/reports").status_code == 403  # at once, in the same session

    assert call("PATCH", "/api/users/li.ming", json={"disabled": True}).status_code == 200
    assert page.get("/api/cases").status_code == 401
    assert log_in(browser(), password=wanted["new"]).status_code == 401
    call("PATCH", "/api/users/li.ming", json={"disabled": False})
    assert page.get("/api/cases").status_code == 401
    assert log_in(page, password=wanted["new"]).status_code == 200

    reset = call("POST", "/api/users/li.ming/password").json()
    assert page.get("/api/cases").status_code == 401
    assert log_in(page, password=reset["password"]).json()["must_change"] is True


@pytest.mark.parametrize(("column", "hours"), [("expires_at", -0.01), ("seen_at", -2.1)])
def test_a_session_runs_out(browser, hub, li, column, hours):  # noqa: F811
    page = settle(browser, li)
    with hub.store.write() as tx:
        back = now() + timedelta(hours=hours)
        tx.execute(sessions.sessions.update().values({column: back}))
    assert page.get("/api/cases").status_code == 401
    with hub.store.write() as tx:
        sessions.forget_old(tx, now(), hub.config.access.idle)
        assert tx.execute(sessions.sessions.select()).all() == []


def test_being_used_keeps_a_session(browser, hub, li):  # noqa: F811
    page = settle(browser, li)
    with hub.store.write() as tx:
        back = now() - timedelta(hours=1.9)
        tx.execute(sessions.sessions.update().values(seen_at=back))
    assert page.get("/api/cases").status_code == 200
    with hub.store.read() as tx:
        (known,) = sessions.load(tx, sessions.of_user("li.ming"))
    assert now() - known.seen_at < timedelta(minutes=1)


def test_a_token_has_no_password_and_no_sessions(client, tokens):  # noqa: F811
    key = {"Authorization": f"Bearer {tokens[Role.ADMIN]}"}
    assert client.get("/api/sessions", headers=key).status_code == 401
    client.post("/api/session", json={"token": tokens[Role.OPERATOR]})
    assert client.get("/api/session").json()["has_password"] is False
    wanted = {"old": "x", "new": GOOD}
    answer = client.post("/api/session/password", json=wanted, headers=WRITE)
    assert answer.json()["error"]["code"] == "no_password"


# people


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"name": "Li Ming"}, "invalid"),
        ({"name": "admin-1"}, "taken"),  # a token's
        ({"name": "li.ming"}, "taken"),
        ({"posts": []}, "invalid"),
        ({"posts": [{"role": "king"}]}, "invalid"),
        ({"posts": [{"role": "viewer", "grid": "nowhere"}]}, "bad_grid"),
        ({"posts": [{"role": "viewer", "department": "none"}]}, "bad_department"),
        ({"posts": [{"role": "viewer", "matter_class": "6"}]}, "invalid"),
    ],
)
def test_what_is_wrong_with_a_person_is_said(call, li, changes, code):  # noqa: F811
    wanted = {"name": "wu", "display_name": "吴", "posts": POSTS} | changes
    answer = call("POST", "/api/users", json=wanted)
    assert answer.status_code in (409, 422)
    assert answer.json()["error"]["code"] == code
    assert call("GET", "/api/users").json()["total"] == 1


def test_people_are_found_and_their_changes_written_down(call, hub, li):  # noqa: F811
    assert "hash" not in str(li)
    assert call("GET", "/api/users?q=李").json()["total"] == 1
    assert call("GET", "/api/users?q=%25").json()["total"] == 0
    assert call("GET", "/api/users?disabled=true").json()["total"] == 0
    call("PATCH", "/api/users/li.ming", json={"posts": [{"role": "handler", "grid": "q10"}]})
    with hub.store.read() as tx:
        history = audit.of(tx, "user", "li.ming")
        assert [entry.action for entry in history] == ["add", "posts"]
        assert history[-1].note == "handler q10 * *"
        assert users.load(tx, "li.ming").hash.startswith("$argon2id$")


def test_the_last_administrator_stays(call, browser, hub):  # noqa: F811
    wanted = {"name": "boss", "display_name": "Boss", "posts": [{"role": "admin"}]}
    once = call("POST", "/api/users", json=wanted).json()["password"]
    page = browser()
    log_in(page, "boss", once)
    change = {"old": once, "new": GOOD}
    page.post("/api/session/password", json=change, headers=WRITE)
    assert page.delete("/api/tokens/admin-1", headers=WRITE).status_code == 204
    for wanted in ({"disabled": True}, {"posts": [{"role": "admin", "grid": "q01"}]}):
        answer = page.patch("/api/users/boss", json=wanted, headers=WRITE)
        assert answer.json()["error"]["code"] == "last_administrator"
    assert page.get("/api/users/boss").json()["disabled_at"] is None
    # An administrator of one grid administers nobody.
    made = {"name": "small", "role": "admin", "grids": ["q01"]}
    key = page.post("/api/tokens", json=made, headers=WRITE).json()["token"]
    bearer = {"Authorization": f"Bearer {key}"}
    assert browser().get("/api/users", headers=bearer).status_code == 403
