"""Administering people: nobody raises himself, nobody hands out what he lacks."""

from datetime import timedelta

import pytest

from hub import audit
from hub.auth import COOKIE, hashed
from hub.people import sessions, users
from hub.people.sessions import Kind, Session
from hub.people.users import User
from hub.roles import RANK, RIGHTS, Post, Role
from hub.store import now
from tests.hub.people.test_session_api import WRITE, browser  # noqa: F401
from tests.hub.test_api import client  # noqa: F401

ADMIN_POST = [{"role": "admin"}]
WAYS_UP = [
    ("POST", "/api/users", {"name": "mine", "display_name": "Mine", "posts": ADMIN_POST}),
    ("PATCH", "/api/users/{name}", {"posts": ADMIN_POST}),
    ("PATCH", "/api/users/{name}", {"disabled": False}),
    ("POST", "/api/users/{name}/password", None),
    ("POST", "/api/tokens", {"name": "mine", "role": "admin"}),
    ("POST", "/api/tokens", {"name": "mine", "role": "viewer"}),
    ("DELETE", "/api/users/{name}/sessions", None),
    ("DELETE", "/api/users/{name}/single-sign-on", None),
]


@pytest.fixture
def let_in(hub, browser):  # noqa: F811
    """A person with these posts, logged in; no password is hashed, which takes its time."""

    def enter(name, *posts):
        page, secret, at = browser(), f"secret of {name}", now()
        user = User(name, name.title(), at, tuple(Post(**post) for post in posts))
        later = at + timedelta(hours=1)
        session = Session(hashed(secret), Kind.USER, name, at, at, later, "127.0.0.1", "a browser")
        with hub.store.write() as tx:
            users.add(tx, user)
            sessions.add(tx, session)
        page.cookies.set(COOKIE, secret)
        return page

    return enter


LESS = [
    *([{"role": role}] for role in Role if role is not Role.ADMIN),
    [{"role": Role.ADMIN, "grid": "q01"}],
    [{"role": Role.ADMIN, "matter_class": "06"}],
    [{"role": Role.SUPERVISOR}, {"role": Role.ADMIN, "grid": "q01"}],
]


def test_nobody_raises_himself_or_another(let_in, hub):
    other = let_in("other", {"role": Role.VIEWER})
    for number, posts in enumerate(LESS):
        own = f"person-{number}"
        page = let_in(own, *posts)
        for method, path, body in WAYS_UP:
            for name in (own, "other"):
                answer = page.request(method, path.format(name=name), json=body, headers=WRITE)
                assert answer.status_code == 403, (posts, method, path, answer.text)
        with hub.store.read() as tx:
            assert users.load(tx, own).posts == tuple(Post(**post) for post in posts)
            assert users.load(tx, "mine") is None
    assert other.get("/api/cases").status_code == 200


def test_an_administrator_changes_others_and_not_himself(let_in, hub):
    page = let_in("boss", {"role": Role.ADMIN})
    let_in("second", {"role": Role.ADMIN})
    for method, path, body in [
        ("PATCH", "", {"posts": [{"role": "viewer"}]}),
        ("PATCH", "", {"posts": [*ADMIN_POST, {"role": "handler", "grid": "q01"}]}),
        ("PATCH", "", {"disabled": True}),
        ("POST", "/password", None),
    ]:
        answer = page.request(method, f"/api/users/boss{path}", json=body, headers=WRITE)
        assert answer.status_code == 409, answer.text
        assert answer.json()["error"]["code"] == "own_account"
    rename = {"display_name": "王", "phone": "+86 0915-3212345", "posts": ADMIN_POST}
    changed = page.patch("/api/users/boss", json=rename, headers=WRITE)
    assert (changed.json()["display_name"], changed.json()["phone"]) == ("王", rename["phone"])
    lower = page.patch("/api/users/second", json={"posts": [{"role": "viewer"}]}, headers=WRITE)
    assert lower.json()["posts"][0]["role"] == "viewer"
    with hub.store.read() as tx:
        history = [(act.actor, act.action) for act in audit.of(tx, "user", "boss")]
        assert ("boss", "change") in history
        assert "0915" not in str(audit.of(tx, "user", "boss"))


def test_who_changes_a_person_that_somebody_changed_meanwhile_is_told(call, let_in):
    let_in("li.ming", {"role": Role.VIEWER})
    seen = call("GET", "/api/users/li.ming").json()["version"]
    first = call("PATCH", "/api/users/li.ming", json={"phone": "13800000000", "version": seen})
    assert first.status_code == 200
    assert first.json()["version"] == call("GET", "/api/users/li.ming").json()["version"] != seen
    stale = {"posts": [{"role": "operator"}], "version": seen}
    second = call("PATCH", "/api/users/li.ming", json=stale)
    assert (second.status_code, second.json()["error"]["code"]) == (409, "conflict")
    assert "li.ming" in second.json()["error"]["message"]
    now_seen = {**stale, "version": first.json()["version"]}
    third = call("PATCH", "/api/users/li.ming", json=now_seen).json()
    assert (third["phone"], third["posts"][0]["role"]) == ("13800000000", "operator")
    shut = call("PATCH", "/api/users/li.ming", json={"disabled": True, "version": third["version"]})
    again = call(
        "PATCH", "/api/users/li.ming", json={"disabled": False, "version": third["version"]}
    )
    assert (shut.status_code, again.status_code) == (200, 409)


def test_people_are_found_by_phone_and_post(call, let_in):
    let_in("li.ming", {"role": Role.OPERATOR, "grid": "q01"})
    let_in("wu", {"role": Role.VIEWER, "grid": "q01"}, {"role": Role.HANDLER, "grid": "q10"})
    call("PATCH", "/api/users/li.ming", json={"phone": "0915-3212345"})
    call("PATCH", "/api/users/wu", json={"disabled": True})
    for query, names in [
        ("q=0915", ["li.ming"]),
        ("q=LI.M", ["li.ming"]),
        ("role=operator", ["li.ming"]),
        ("grid=q01&role=operator", ["li.ming"]),
        ("grid=q01&role=handler", []),
        ("grid=q10&role=handler", ["wu"]),
        ("department=x", []),
        ("role=viewer&disabled=false", []),
        ("", ["li.ming", "wu"]),
    ]:
        found = call("GET", f"/api/users?{query}").json()
        assert [person["name"] for person in found["items"]] == names, query
        assert found["total"] == len(names)


def test_what_is_no_phone_is_refused(call, let_in):
    let_in("wu", {"role": Role.VIEWER})
    for phone in ("call me", "1", "1" * 41, "0915<b>"):
        assert call("PATCH", "/api/users/wu", json={"phone": phone}).status_code == 422
    assert call("PATCH", "/api/users/wu", json={"phone": ""}).status_code == 200


def test_sessions_of_a_person_are_seen_and_ended(let_in):
    boss = let_in("boss", {"role": Role.ADMIN})
    page = let_in("li.ming", {"role": Role.VIEWER})
    (listed,) = boss.get("/api/users/li.ming/sessions").json()["items"]
    assert (listed["address"], listed["agent"], listed["here"]) == ("127.0.0.1", "a browser", False)
    assert boss.get("/api/users/boss/sessions").json()["items"][0]["here"] is True
    assert boss.delete("/api/users/li.ming/sessions").status_code == 403  # no header
    assert page.get("/api/cases").status_code == 200
    assert boss.delete("/api/users/li.ming/sessions", headers=WRITE).json() == {"ended": 1}
    assert page.get("/api/cases").status_code == 401
    assert boss.get("/api/users/li.ming/sessions").json()["total"] == 0
    assert boss.get("/api/users/nobody/sessions").status_code == 404
    assert boss.delete("/api/users/nobody/sessions", headers=WRITE).status_code == 404


def test_the_roles_say_what_they_allow(call):
    told = call("GET", "/api/roles").json()["items"]
    assert {item["role"]: set(item["rights"]) for item in told} == RIGHTS
    ranks = [RANK[Role(item["role"])] for item in told]
    assert ranks == sorted(ranks)
