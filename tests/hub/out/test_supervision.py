"""A supervision reaches who has to answer, and its answer or silence who demanded it."""

import json
from datetime import timedelta

import pytest

from hub import audit, records
from hub.cases.told import Reader, unread
from hub.out import store as out_store, teller
from hub.people import users
from hub.people.users import User
from hub.roles import Post, Role
from hub.scope import EVERYTHING
from hub.store import now
from tests.hub.cases.workflow import department, take
from tests.hub.test_api import open_case

TELEGRAM = {"name": "sms", "url": "https://sms.example.cn/", "topics": ["case.supervision"],
            "template": "mobile=${phone}&content=${person} ${text}"}  # fmt: skip
PEOPLE = (
    User("supervisor-1", "刘督查", now(), (Post(Role.SUPERVISOR),), phone="13900000003"),
    User("handler-1", "王处置", now(), (Post(Role.HANDLER, department="CG"),), phone="13900000004"),
)


@pytest.fixture
def case(each_call, each_hub):
    """Dispatched to a department and its officer, and supervised; SMS is told of it."""
    call = each_call
    with each_hub.store.write() as tx:
        for person in PEOPLE:
            users.add(tx, person)
    department(call, "CG", "城管局", phone="0915-3212345")
    case = open_case(call)
    to = {"department": "CG", "officer": "王处置"}
    for action, more in (("file", {}), ("dispatch", to)):
        answer = take(call, case, action, **more)
        assert answer.status_code == 200, answer.text
    case = answer.json()
    teller.tell(each_hub.store, each_hub.site.places, "")
    assert call("POST", "/api/webhooks", json=TELEGRAM).status_code == 201
    until = now() + timedelta(hours=4)
    wanted = {"kind": "supervision", "version": case["version"], "note": "SECRET WORDS",
              "until": until.isoformat()}  # fmt: skip
    answer = call("POST", f"/api/cases/{case['id']}/records", Role.SUPERVISOR, json=wanted)
    assert answer.status_code == 201, answer.text
    return case


def told(hub):
    """What waits to be sent, oldest first; the same is not told twice."""
    for _ in range(2):
        teller.tell(hub.store, hub.site.places, "https://city.example")
    with hub.store.read() as tx:
        ((hook, _),) = out_store.listed(tx)
        found = [json.loads(each.body) for each in out_store.messages_of(tx, hook.id, 99, 0)[0]]
    assert "SECRET" not in str(found)
    return [
        (each["case"]["step"], each["case"]["to"], each["words"]["person"], each["words"]["phone"])
        for each in reversed(found)
    ]


def test_both_sides_are_told_with_their_numbers(case, each_call, each_hub):
    demanded = [
        ("demanded", "department", "城管局", "0915-3212345"),
        ("demanded", "officer", "王处置", "13900000004"),
    ]
    assert sorted(told(each_hub)) == sorted(demanded)

    assert records.say_unanswered(each_hub.store, now() + timedelta(hours=5)) == 1
    assert records.say_unanswered(each_hub.store, now() + timedelta(hours=6)) == 0
    overdue = [
        ("overdue", "department", "城管局", "0915-3212345"),
        ("overdue", "officer", "王处置", "13900000004"),
        ("overdue", "demander", "刘督查", "13900000003"),
    ]
    assert sorted(told(each_hub)[2:]) == sorted(overdue)


def read_list(call, role):
    found = call("GET", "/api/told-records", role).json()
    return [(each["news"], each["case_number"], each["id"]) for each in found["items"]]


def record_of(case, call):
    (item,) = call("GET", f"/api/cases/{case['id']}/records").json()["items"]
    return item["id"]


def test_who_has_to_answer_sees_it_until_he_has_read_it(case, each_call, each_hub):
    number = record_of(case, each_call)
    assert read_list(each_call, Role.HANDLER) == [("demanded", case["number"], number)]
    assert read_list(each_call, Role.SUPERVISOR) == read_list(each_call, Role.VIEWER) == []
    for reader, count in ((Reader("x", departments=frozenset({"CG"})), 1),
                          (Reader("x", departments=frozenset({"HW"})), 0)):  # fmt: skip
        with each_hub.store.read() as tx:
            assert len(unread(tx, reader, EVERYTHING)) == count

    path = f"/api/told-records/{number}/read"
    assert each_call("POST", path, Role.VIEWER).status_code == 404
    assert each_call("POST", path, Role.HANDLER).status_code == 204
    assert each_call("POST", path, Role.HANDLER).status_code == 404
    assert read_list(each_call, Role.HANDLER) == []
    with each_hub.store.read() as tx:
        acts = audit.of(tx, "case", str(case["id"]))
    assert [(act.action, act.actor) for act in acts][-1] == ("read_supervision", "handler-1")


def test_silence_and_answer_come_back_to_who_demanded_it(case, each_call, each_hub):
    number = record_of(case, each_call)
    path = f"/api/told-records/{number}/read"
    records.say_unanswered(each_hub.store, now() + timedelta(hours=5))
    for role in (Role.HANDLER, Role.SUPERVISOR):
        assert read_list(each_call, role) == [("overdue", case["number"], number)]
        assert each_call("POST", path, role).status_code == 204
        assert read_list(each_call, role) == []
    version = each_call("GET", f"/api/cases/{case['id']}").json()["version"]
    answer = {"version": version, "note": "SECRET: cleared tonight"}
    answered = each_call("POST", f"/api/case-records/{number}/answer", Role.HANDLER, json=answer)
    assert answered.status_code == 200, answered.text
    assert read_list(each_call, Role.HANDLER) == []
    assert read_list(each_call, Role.SUPERVISOR) == [("answered", case["number"], number)]
    assert told(each_hub)[-1] == ("answered", "demander", "刘督查", "13900000003")
    assert each_call("POST", path, Role.SUPERVISOR).status_code == 204
    assert read_list(each_call, Role.SUPERVISOR) == []
