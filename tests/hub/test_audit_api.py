"""The history over HTTP: searched, taken out as a table, verified."""

import io

import openpyxl
from sqlalchemy import text

from hub.people import users
from hub.people.users import User
from hub.roles import Role
from hub.store import now
from tests.hub.test_api import ALERT
from tests.hub.test_audit import forge


def act(call):
    """An operator's decision, a supervisor's too, and a department put."""
    call("POST", f"/api/alerts/{ALERT}/decision", Role.OPERATOR, json={"decision": "confirmed"})
    body = {"version": 0, "department": {"name_zh": "环卫处"}}
    assert call("PUT", "/api/departments/huanwei", Role.SUPERVISOR, json=body).status_code == 200


def test_one_finds_who_did_what_when(call, hub):
    act(call)
    with hub.store.write() as tx:
        users.add(tx, User("supervisor-1", "赵处长", now()))

    def found(**query):
        answer = call("GET", "/api/audit", params=query)
        assert answer.status_code == 200, answer.text
        return [(item["actor"], item["kind"], item["action"]) for item in answer.json()["items"]]

    everything = call("GET", "/api/audit").json()
    assert everything["items"][0]["number"] == everything["total"]
    for who in ("supervisor-1", "赵处长"):
        assert found(actor=who) == [("supervisor-1", "department", "put")]
    assert found(actor="赵") == []
    assert ("operator-1", "alert", "confirmed") in found(kind="alert", subject=ALERT)
    assert found(action="put", q="环卫") == [("supervisor-1", "department", "put")]
    called = {(one["kind"], one["subject"]): one["called"] for one in everything["items"]}
    (put,) = call("GET", "/api/audit", params={"action": "put"}).json()["items"]
    assert put["coded"]["note"]["values"]["name_zh"] == "环卫处"
    assert put["note"] == "环卫处, credit code –, phone –, level –, grid –, generated no"
    assert called["department", "huanwei"] == "环卫处"
    assert called["case", "1"].endswith("-0001")
    assert found(**{"from": "2999-01-01T00:00:00Z"}) == []
    assert len(found(to="2999-01-01T00:00:00Z")) == everything["total"]
    words = call("GET", "/api/audit/words").json()
    assert {"alert", "case", "department"} <= set(words["kinds"])
    assert "put" in words["actions"]
    for wrong in ({"from": "yesterday"}, {"limit": 501}, {"q": "x" * 101}):
        assert call("GET", "/api/audit", params=wrong).status_code == 422


def test_a_table_is_taken_out_and_that_is_written_down(call):
    act(call)
    lines = call("GET", "/api/audit-table?format=csv&kind=department").text.splitlines()
    assert lines[0].lstrip("\ufeff").startswith("number,at,actor,role,kind,subject")
    assert len(lines) == 2
    assert "supervisor-1,supervisor,department,huanwei,put" in lines[1]
    book = openpyxl.load_workbook(io.BytesIO(call("GET", "/api/audit-table").content))
    (latest,) = list(book.active.iter_rows(min_row=2, max_row=2, values_only=True))
    assert latest[2:7] == ("admin-1", "admin", "audit", "table", "export")
    (noted,) = [
        item["note"]
        for item in call("GET", "/api/audit?kind=audit").json()["items"]
        if "kind department" in item["note"]
    ]
    assert noted == "1 entries kind department"


def test_too_much_for_one_table_is_said(call, monkeypatch):
    monkeypatch.setattr("hub.audit_api.MOST_ROWS", 0)
    act(call)
    answer = call("GET", "/api/audit-table")
    assert answer.status_code == 422
    assert answer.json()["error"]["code"] == "too_many"
    assert call("GET", "/api/audit?kind=audit").json()["total"] == 0


def test_what_was_forged_is_shown(call, hub):
    act(call)
    whole = call("GET", "/api/audit/chain").json()
    assert (whole["whole"], whole["broken"], whole["faults"]) == (True, 0, [])
    assert whole["entries"] == call("GET", "/api/audit").json()["total"]
    forge(hub.store, "UPDATE audit SET actor = 'zhao' WHERE id = 1")
    broken = call("GET", "/api/audit/chain").json()
    assert broken["whole"] is False
    assert broken["faults"] == ["audit 1: changed after it was written"]
    with hub.store.read() as tx:
        assert tx.execute(text("SELECT actor FROM audit WHERE id = 1")).scalar() == "zhao"


def test_it_is_for_administrators_of_the_whole_city(call):
    made = {"name": "part", "role": "admin", "grids": ["q01"]}
    key = call("POST", "/api/tokens", json=made).json()["token"]
    bearer = {"Authorization": f"Bearer {key}"}
    for path in ("/api/audit", "/api/audit/words", "/api/audit/chain", "/api/audit-table"):
        assert call("GET", path, role=Role.SUPERVISOR).status_code == 403
        assert call("GET", path, role=None, headers=bearer).status_code == 403
