"""Posts limited to a grid, a department or a class of matters: what is read and done with them."""

import asyncio
import csv
import io
import json
import re

import openpyxl
import pytest

from hub import auth
from hub.alerts.alert import alert_id
from hub.app import create_app
from hub.roles import Actor, Post, Right, Role, Spot
from tests.hub.client import Client
from tests.hub.test_api import LOCAL, caller, furnished, take, tokens_of
from tests.hub.world import (
    LAT,
    LON,
    after,
    alert_message,
    birth,
    health,
    told_in,
    track_message,
)
from wire.status import CameraBirth, VehicleBirth

THERE = (32.65, 109.15)
"""In q10, while everything else of the world is in q01."""


# the rule


IN_Q01 = Spot(("city", "q01"), "06010", frozenset({"sanitation"}))


@pytest.mark.parametrize(
    ("post", "covers"),
    [
        (Post(Role.VIEWER), True),
        (Post(Role.VIEWER, grid="q01"), True),
        (Post(Role.VIEWER, grid="city"), True),
        (Post(Role.VIEWER, grid="q0"), False),
        (Post(Role.VIEWER, grid="q01", matter_class="06"), True),
        (Post(Role.VIEWER, grid="q01", matter_class="09"), False),
        (Post(Role.VIEWER, department="sanitation"), True),
        (Post(Role.VIEWER, department="parks"), False),
        (Post(Role.VIEWER, grid="q10", department="sanitation"), False),
    ],
)
def test_what_a_post_covers(post, covers):
    assert post.covers(IN_Q01) is covers


def test_a_person_has_at_a_place_the_rights_of_his_posts_there():
    parks, q10 = Post(Role.HANDLER, department="parks"), Post(Role.SUPERVISOR, grid="q10")
    li = Actor("li", Role.SUPERVISOR, posts=(Post(Role.VIEWER), parks, q10))
    assert li.at([IN_Q01], Right.READ).role is Role.VIEWER
    assert li.at([IN_Q01], Right.HANDLE) is None
    assert (
        li.at([Spot(("city",), "06010", frozenset({"parks"}))], Right.HANDLE).role is Role.HANDLER
    )
    there = li.at([Spot(("city", "q10"))], Right.ACT)
    assert there.role is Role.SUPERVISOR
    assert there.may(Right.SEE_ORIGINAL)
    assert not li.at([IN_Q01], Right.READ).may(Right.EVIDENCE)
    assert li.at([], Right.READ).role is Role.VIEWER
    assert li.grids == ()
    assert li.department == "parks"


# the whole API


@pytest.fixture(scope="module")
def world(tmp_path_factory, sqlite_template):
    """A hub with a camera, a truck, an alert, a case and a report in each of q01 and q10."""
    import shutil

    from tests.hub.stores import open_store

    folder = tmp_path_factory.mktemp("scope")
    hub = furnished(folder, open_store(f"sqlite:///{shutil.copy(sqlite_template, folder)}"))
    lat, lon = THERE
    there = alert_message(dev="cam-2", source="back", lat=lat, lon=lon)
    take(
        hub,
        "birth",
        birth(
            "cam-2",
            cameras=[CameraBirth(id="back", name="South door", lat=lat, lon=lon)],
            vehicles=[VehicleBirth(id="v2", plate="陕G·99999", kind="spoil_truck")],
        ),
    )
    take(hub, "health", health("black", after(3), dev="cam-2"))
    far = track_message(0, 5, dev="cam-2", vehicle="v2", lat=lat, lon=lon)
    take(hub, "track", far)
    take(hub, "alert", there)
    client = Client(create_app(hub.config, hub), raise_server_exceptions=False, **LOCAL)
    call = caller(client, tokens_of(hub))
    for name in (alert_id(alert_message()), alert_id(there)):
        call("POST", f"/api/alerts/{name}/decision", json={"decision": "confirmed"})
    told = {"channel": "letter", "matter": "09001", "wants_reply": True}
    for text, place in (("SECRET-HERE", (LAT, LON)), ("SECRET-THERE", THERE)):
        body = told | {"content": text, "lat": place[0], "lon": place[1]}
        assert call("POST", "/api/reports", json=body).status_code == 201
    cases = {
        tuple(step["code"] for step in case["grids"])[-1] + case["label"]: case
        for case in call("GET", "/api/cases").json()["items"]
    }
    reports = {r["content"]: r["number"] for r in call("GET", "/api/reports").json()["items"]}
    other = {
        "case_id": str(cases["q10garbage"]["id"]),
        "case": str(cases["q10garbage"]["id"]),
        "alert": alert_id(there),
        "number": reports["SECRET-THERE"],
        "vehicle": "cam-2/v2",
        "device": "cam-2",
        "camera": "back",
    }
    yield call, hub, client, cases, other
    hub.store.close()


@pytest.fixture(scope="module")
def grid_head(world):
    """Calls of a supervisor whose post is for q01 alone."""
    call, *_ = world
    wanted = {"name": "grid head", "role": "supervisor", "grids": ["q01"]}
    made = call("POST", "/api/tokens", json=wanted)
    assert made.status_code == 201
    key = {"Authorization": f"Bearer {made.json()['token']}"}

    def send(method, path, **more):
        return call(method, path, role=None, headers=key, **more)

    return send


def test_lists_and_counts_show_what_the_posts_cover(world, grid_head):
    call, *_ = world
    for path, total in [
        ("/api/cases", 2),
        ("/api/alerts", 1),
        ("/api/reports", 1),
        ("/api/cameras", 1),
        ("/api/vehicles", 1),
    ]:
        mine, all_of_them = (send("GET", path).json() for send in (grid_head, call))
        assert (mine["total"], all_of_them["total"]) == (total, 2 * total)
        for item in mine["items"]:
            assert "q01" in json.dumps(item)
    mine = grid_head("GET", "/api/summary").json()
    assert mine["cases"] == {"open": 2, "by_state": {"reported": 2}}
    assert mine["cameras"] == {"total": 1, "ok": 1}
    assert mine["blind"] == []
    assert mine["vehicles"]["total"] == 1
    assert mine["alerts"]["today"] <= 1


def plain(cell):
    """A cell as both kinds of file have it: 30.0 is 30 in a workbook."""
    text = "" if cell is None else str(cell)
    try:
        return float(text)
    except ValueError:
        return text


@pytest.mark.parametrize(
    ("table", "listed", "key"),
    [
        ("alert-table", "alerts", "id"),
        ("camera-table", "cameras", "id"),
        ("report-table", "reports", "number"),
        ("vehicle-table", "vehicles", "id"),
        ("case-table", "cases", "number"),
        ("visit-table", "visits", "number"),
        ("device-table", "devices", "id"),
        ("order-table", "orders", "id"),
        ("permit-table", "permits", "number"),
        ("vehicle-event-table", "vehicle-events", "id"),
    ],
)
def test_a_table_shows_what_the_list_shows_to_the_same_person(world, grid_head, table, listed, key):
    call, *_ = world
    for send in (call, grid_head):
        shown = send("GET", f"/api/{listed}", params={"limit": 500})
        told = send("GET", f"/api/{table}", params={"format": "csv"})
        book = send("GET", f"/api/{table}")
        if shown.status_code == 403:  # of the whole city
            assert (told.status_code, book.status_code) == (403, 403)
            continue
        rows = list(csv.reader(io.StringIO(told.content.decode("utf-8-sig"))))
        wanted = sorted(str(item[key]) for item in shown.json()["items"])
        assert sorted(row[0] for row in rows[1:]) == wanted
        sheet = openpyxl.load_workbook(io.BytesIO(book.content)).active
        cells = [[cell.value for cell in row] for row in sheet.iter_rows()]
        assert [[plain(v) for v in row] for row in cells] == [[plain(v) for v in r] for r in rows]
        assert told.headers["content-disposition"].endswith('.csv"')
        assert not any(cell.data_type == "f" for row in sheet.iter_rows() for cell in row)


def test_a_table_runs_no_formula_and_masks_who_reported(world):
    call, *_ = world
    told = {
        "channel": "phone",
        "content": '=HYPERLINK("http://evil.example","prize")',
        "caller": {"name": "王建国", "phone": "13800138000"},
    }
    assert call("POST", "/api/reports", json=told).status_code == 201
    text = call("GET", "/api/report-table", params={"format": "csv"}).content.decode("utf-8-sig")
    (row,) = (r for r in csv.DictReader(io.StringIO(text)) if "evil" in r["content"])
    assert row["content"].startswith("'=HYPERLINK")
    assert row["caller"]
    assert "13800138000" not in text
    assert "王建国" not in text


def test_one_acts_where_ones_posts_are_and_nowhere_else(world, grid_head):
    _, _, _, cases, other = world
    mine = cases["q01garbage"]["id"]
    seen = grid_head("GET", f"/api/cases/{mine}")
    assert seen.status_code == 200
    verify = {"action": "verify_report", "version": seen.json()["version"]}
    assert grid_head("POST", f"/api/cases/{mine}/actions", json=verify).status_code == 200
    refused = grid_head("POST", f"/api/cases/{other['case_id']}/actions", json=verify)
    assert refused.status_code == 403
    error = refused.json()["error"]
    assert error["code"] == "elsewhere"
    assert "q01" in error["allowed"]
    merge = {"action": "merge", "version": 2, "note": "same", "into": cases["q10garbage"]["number"]}
    assert grid_head("POST", f"/api/cases/{mine}/actions", json=merge).status_code == 403
    assert grid_head("GET", "/api/cases/99999").status_code == 404
    # What has to be named by its grid is answered for one's own, and for no other.
    assert grid_head("GET", "/api/duty/posts?grid=q01").status_code == 200
    assert grid_head("GET", "/api/duty/posts?grid=q10").status_code == 403
    assert grid_head("GET", "/api/duty/posts?grid=city").status_code == 403
    assert grid_head("GET", "/api/duty/posts").status_code == 403
    assert grid_head("GET", "/api/patrol/coverage?grid=q01").status_code == 200


def test_no_endpoint_shows_or_changes_what_is_elsewhere(world, grid_head):
    """Every path of the OpenAPI document, with the ids of things in another grid."""
    call, hub, _, cases, other = world
    marks = [
        cases["q10garbage"]["number"],
        next(c["number"] for k, c in cases.items() if k.startswith("q10") and "garbage" not in k),
        other["alert"],
        other["number"],
        "SECRET-THERE",
        "cam-2",
        "陕G·99999",
        "South door",
    ]
    document = call("GET", "/api/openapi.json").json()
    with hub.store.read() as tx:
        before = tx.exec_driver_sql("SELECT count(*) FROM audit").scalar_one()
    asked = 0
    for path, methods in document["paths"].items():
        if path in ("/api/events", "/api/session"):
            continue
        named = re.sub(r"\{(\w+)(?::\w+)?\}", lambda m: other.get(m[1], "1"), path)
        for method in methods:
            body = None if method == "get" else {}
            for query in ({}, {"grid": "q10"}, {"case": other["case_id"], "grid": "q01"}):
                answer = grid_head(method.upper(), named, params=query, json=body)
                asked += 1
                assert answer.status_code < 500, (method, path, answer.text)
                found = [mark for mark in marks if mark in answer.text]
                # An id that was asked for may stand in the refusal.
                if answer.status_code < 300:
                    assert not found, (method, path, query, found)
                about = re.match(r"/api/(cases|alerts|reports|vehicles|cameras)/\{", path)
                if about:
                    assert answer.status_code in (403, 422), (method, path, answer.text)
    assert asked > 150
    with hub.store.read() as tx:
        after_all = tx.exec_driver_sql("SELECT count(*) FROM audit").scalar_one()
    assert after_all == before


def test_events_tell_a_limited_person_of_his_part_alone(world):
    _, hub, _, cases, _ = world
    from hub import events

    def heard(posts):
        actor = Actor("li", Role.VIEWER, posts=posts)

        async def listen():
            stream = hub.bus.stream(
                newest - 2, lambda spot: actor.at([spot] if spot else [], Right.READ) is not None
            )
            found = []
            async for piece in stream:
                found += told_in(piece)
                if len(found) >= most:
                    break
            await stream.aclose()
            return [json.loads(event.data)["number"] for event in found]

        return asyncio.run(listen())

    mine, others = cases["q01garbage"], cases["q10garbage"]
    with hub.store.write() as tx:
        changes = [events.Change("case", str(c["id"])) for c in (others, mine)]
        events.record(tx, changes, after(9))
    newest = hub.bus._newest()
    most = 2
    assert heard(()) == [others["number"], mine["number"]]
    most = 1
    assert heard((Post(Role.VIEWER, grid="q01"),)) == [mine["number"]]


# tokens


def test_a_token_runs_out_and_says_when_it_was_used(world):
    call, hub, client, *_ = world
    wanted = {"name": "short", "role": "viewer", "expires_at": "2020-01-01T00:00:00Z"}
    assert call("POST", "/api/tokens", json=wanted).status_code == 422
    assert (
        call(
            "POST", "/api/tokens", json={"name": "x", "role": "viewer", "grids": ["none"]}
        ).status_code
        == 422
    )
    with hub.store.write() as tx:
        secret = auth.issue_token(tx, "short", Role.VIEWER, expires_at=after(0))
        good = auth.issue_token(tx, "long", Role.VIEWER)
    key = {"Authorization": f"Bearer {secret}"}
    assert client.get("/api/alerts", headers=key).status_code == 401
    assert client.post("/api/session", json={"token": secret}).status_code == 401
    client.get("/api/alerts", headers={"Authorization": f"Bearer {good}"})
    known = {t["name"]: t for t in call("GET", "/api/tokens").json()["items"]}
    assert known["short"]["used_at"] is None
    assert known["long"]["used_at"] is not None
