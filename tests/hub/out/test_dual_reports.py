"""A dual report reaches those who must hear of it: by message, and where they are logged in."""

import json
from dataclasses import replace
from datetime import datetime

import pytest

from hub.out import store as out_store, teller
from hub.patrol.phone import people_of, tracker_of
from hub.people import users
from hub.people.users import User
from hub.roles import Post, Role
from hub.store import now
from tests.hub.test_api import open_case

PEOPLE = [
    {"id": "a", "name": "周队员", "role": "officer", "post": "p",
     "trackers": tracker_of("operator-1"), "phone": "13900000001"},
    {"id": "b", "name": "张支书", "role": "grid_head", "post": "p", "phone": "13900000002"},
]  # fmt: skip


@pytest.fixture
def case(each_call, each_hub):
    """A dual report of it was made, told to a bridge and to nobody else."""
    call = each_call
    rows = {"posts": [{"code": "p", "name": "岗", "grid": "q01"}], "people": PEOPLE}
    for kind, given in rows.items():
        put = call("PUT", "/api/duty/rows", json={"kind": kind, "rows": given})
        assert put.status_code == 200, put.text
    teller.tell(each_hub.store, each_hub.site.places, "")
    for name, topic in (("bridge", "case.dual_report"), ("other", "case.moved")):
        body = {"name": name, "url": "https://hooks.example.cn/x", "topics": [topic]}
        assert call("POST", "/api/webhooks", json=body).status_code == 201
    case = open_case(call)
    body = {"kind": "dual_report", "version": case["version"], "note": "SECRET WORDS"}
    assert call("POST", f"/api/cases/{case['id']}/records", json=body).status_code == 201
    return case


def told(hub):
    for _ in range(2):  # and once only
        teller.tell(hub.store, hub.site.places, "https://city.example")
    with hub.store.read() as tx:
        hooks = {hook.name: hook.id for hook, _ in out_store.listed(tx)}
        return {
            name: [json.loads(each.body) for each in out_store.messages_of(tx, number, 9, 0)[0]]
            for name, number in hooks.items()
        }


def test_each_addressee_has_a_message_with_his_number(case, each_hub):
    found = told(each_hub)
    assert found["other"] == []
    words = {each["case"]["to"]: each["words"] for each in found["bridge"]}
    assert {to: (each["person"], each["phone"]) for to, each in words.items()} == {
        "grid": ("张支书", "13900000002"),
        "officer": ("周队员", "13900000001"),
    }
    for each in words.values():
        assert each["link"] == f"https://city.example/#/cases/{case['id']}"
        assert case["number"] in each["text"]
        assert "双报告" in each["text"]
    until = found["bridge"][0]["case"]["read_until"]
    assert datetime.fromisoformat(until) > datetime.fromisoformat(found["bridge"][0]["case"]["at"])
    assert "SECRET" not in str(found)


def test_a_place_of_a_template_is_the_persons_number(each_call):
    body = {"name": "sms", "url": "https://sms.example.cn/", "topics": ["case.dual_report"],
            "template": "mobile=${phone}&content=${person} ${text}"}  # fmt: skip
    assert each_call("POST", "/api/webhooks", json=body).status_code == 201


def test_who_is_logged_in_sees_what_is_for_him_until_he_has_read_it(case, each_call):
    mine = "/api/case-records?waiting=true&mine=true"
    (each,) = each_call("GET", mine, Role.OPERATOR).json()["items"]
    assert (each["case"], each["kind"], each["reason"]) == (case["id"], "dual_report", "officer")
    assert each_call("GET", mine, Role.SUPERVISOR).json()["items"] == []
    version = each_call("GET", f"/api/cases/{case['id']}").json()["version"]
    read = {"version": version, "note": "read"}
    path = f"/api/case-records/{each['id']}/answer"
    assert each_call("POST", path, Role.OPERATOR, json=read).status_code == 200
    assert each_call("GET", mine, Role.OPERATOR).json()["items"] == []


def test_a_user_is_known_by_the_number_of_his_phone(case, each_hub):
    made = User("zhang", "张支书", now(), (Post(Role.OPERATOR),), phone="13900000002")
    with each_hub.store.write() as tx:
        users.add(tx, made)
        users.add(tx, replace(made, name="li", phone=""))
        assert people_of(tx, "zhang") == ["b"]
        assert people_of(tx, "li") == []
