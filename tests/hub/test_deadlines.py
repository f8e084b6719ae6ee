"""One's deadlines as a calendar: written by the hub, read back as a calendar program reads it."""

from datetime import datetime, timedelta

import pytest
from icalendar import Calendar

from hub.app import create_app
from hub.people import password, users
from hub.people.users import User
from hub.roles import Post, Role
from hub.store import now
from tests.hub.cases.test_condition_sheet import workbook
from tests.hub.client import Client
from tests.hub.test_api import LOCAL, caller, client_of, furnished, tokens_of
from tests.hub.world import LAT, LON

WORDS = "correct horse battery"
FAR = (32.72, 109.12)
"""In the grid q11."""
SECRETS = ("SECRET-TEXT", "13800138000", "王先生")


@pytest.fixture
def hub(store, tmp_path):
    built = furnished(tmp_path, store)
    with store.write() as tx:
        for name, post in [
            ("li", Post(Role.HANDLER, grid="q01")),
            ("wu", Post(Role.VIEWER, department="parks")),
            ("chief", Post(Role.SUPERVISOR)),
        ]:
            users.add(tx, User(name, name, now(), (post,), hash=password.hashed(WORDS)))
    return built


@pytest.fixture
def call(hub):
    return caller(client_of(hub), tokens_of(hub))


def due_case(call, place):
    """A case that is dispatched, with a limit of four working hours; its page."""
    told = {
        "channel": "phone", "content": SECRETS[0], "matter": "06010",
        "lat": place[0], "lon": place[1],
        "caller": {"name": SECRETS[2], "phone": SECRETS[1]},
    }  # fmt: skip
    made = call("POST", "/api/reports", json=told)
    assert made.status_code == 201, made.text
    case = made.json()["case_id"]
    for action in ("file", "dispatch"):
        version = call("GET", f"/api/cases/{case}").json()["version"]
        body = {"action": action, "version": version, "note": "x"}
        assert call("POST", f"/api/cases/{case}/actions", json=body).status_code == 200
    return call("GET", f"/api/cases/{case}").json()


@pytest.fixture
def cases(call):
    table = workbook(("06010", "", "scattered", "cleared", "4工作时", ""))
    assert call("PUT", "/api/conditions", content=table).status_code == 200
    return [due_case(call, (LAT, LON)), due_case(call, FAR)]


def page_of(hub, name):
    page = Client(create_app(hub.config, hub), headers={"X-Tianyan": "1"}, **LOCAL)
    assert page.post("/api/session", json={"name": name, "password": WORDS}).status_code == 200
    return page


def events(page, url):
    answer = page.get(url.partition("8000")[2])
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    assert b"\r\n" in answer.content
    assert all(len(line) <= 75 for line in answer.content.split(b"\r\n"))
    for secret in SECRETS:
        assert secret not in answer.text
    book = Calendar.from_ical(answer.content)
    assert (book["version"], bool(book["prodid"])) == ("2.0", True)
    assert book.errors == []
    return list(book.walk("VEVENT"))


def test_a_person_subscribes_to_the_deadlines_of_his_posts(hub, call, cases):
    mine, other = cases
    page = page_of(hub, "li")
    assert page.get("/api/deadlines").json() == {"made_at": None, "used_at": None}
    url = page.post("/api/deadlines").json()["url"]
    calendar = Client(create_app(hub.config, hub), **LOCAL)  # no session, no token
    (event,) = events(calendar, url)
    due = datetime.fromisoformat(mine["clock"]["due_at"])
    assert event.start == due.replace(microsecond=0)
    assert event.start.utcoffset() == timedelta(0)
    assert event["summary"] == f"{mine['number']} {mine['matter']['name_zh']} grid q01"
    assert event["url"].endswith(f"/#/cases/{mine['id']}")
    assert event["class"] == "CONFIDENTIAL"
    assert page.get("/api/deadlines").json()["used_at"] is not None
    everything = events(calendar, page_of(hub, "chief").post("/api/deadlines").json()["url"])
    assert {str(e["uid"]).partition("@")[0] for e in everything} == {
        f"case-{each['id']}" for each in (mine, other)
    }
    assert len({str(e["uid"]) for e in everything}) == 2
    assert events(calendar, page_of(hub, "wu").post("/api/deadlines").json()["url"]) == []


def test_a_calendar_ends_when_its_person_says_so_or_may_not_read_any_more(hub, call, cases):
    page = page_of(hub, "li")
    calendar = Client(create_app(hub.config, hub), **LOCAL)
    path = page.post("/api/deadlines").json()["url"].partition("8000")[2]
    newer = page.post("/api/deadlines").json()["url"].partition("8000")[2]
    assert calendar.get(path).status_code == 404  # one a person
    assert calendar.get(newer).status_code == 200
    assert call("PATCH", "/api/users/li", json={"disabled": True}).status_code == 200
    assert calendar.get(newer).status_code == 404
    assert call("PATCH", "/api/users/li", json={"disabled": False}).status_code == 200
    assert calendar.get(newer).status_code == 200
    page = page_of(hub, "li")
    assert page.delete("/api/deadlines").status_code == 204
    assert calendar.get(newer).status_code == 404
    assert page.delete("/api/deadlines").status_code == 404
    for method in ("PUT", "POST", "DELETE"):
        assert calendar.request(method, newer).status_code == 405


def test_the_address_is_no_key_to_anything_else_and_is_not_kept(hub, cases, store):
    page = page_of(hub, "li")
    secret = page.post("/api/deadlines").json()["url"].rpartition("/")[2].removesuffix(".ics")
    outside = Client(create_app(hub.config, hub), **LOCAL)
    key = {"Authorization": f"Bearer {secret}"}
    assert outside.get("/api/cases", headers=key).status_code == 401
    assert outside.post("/api/session", json={"token": secret}).status_code == 401
    with store.read() as tx:
        kept = tx.exec_driver_sql("SELECT * FROM calendar_feeds").all()
        noted = tx.exec_driver_sql("SELECT * FROM audit").all()
    assert secret not in repr(kept) + repr(noted)


def test_what_is_done_or_stands_still_has_no_deadline(hub, call, cases):
    page = page_of(hub, "chief")
    url = page.post("/api/deadlines").json()["url"]
    calendar = Client(create_app(hub.config, hub), **LOCAL)
    case, other = cases
    for action, more in [("accept", {}), ("feedback", {})]:
        version = call("GET", f"/api/cases/{case['id']}").json()["version"]
        body = {"action": action, "version": version, "note": "x"} | more
        answer = call("POST", f"/api/cases/{case['id']}/actions", json=body)
        assert answer.status_code == 200, answer.text
    assert [str(e["uid"]).partition("@")[0] for e in events(calendar, url)] == [
        f"case-{other['id']}"
    ]


def test_a_program_has_no_calendar(call):
    assert call("POST", "/api/deadlines").status_code == 409
