"""People are shown by name; what is kept, and what programs are called, stays as it is."""

import pytest
from sqlalchemy import select

from hub.events import events
from hub.people import person_names, users
from hub.people.users import User
from hub.roles import Post, Role
from hub.store import now

PEOPLE = {"wu.gang": "吴刚", "li.na": "李娜", "wu.gang2": "吴刚"}


@pytest.fixture
def peopled(each_hub):
    with each_hub.store.write() as tx:
        for login, name in PEOPLE.items():
            users.add(tx, User(login, name, now(), (Post(Role.OPERATOR),)))
    return each_hub


def asked(call, *logins, role=Role.VIEWER):
    answer = call("GET", "/api/names", role, params={"login": logins})
    assert answer.status_code == 200, answer.text
    return {item["login"]: item["name"] for item in answer.json()["items"]}


def test_two_of_one_name_are_told_apart_even_when_one_has_left(peopled, each_call):
    assert asked(each_call, "li.na", "wu.gang", "system", "cam-1") == {
        "li.na": "李娜",
        "wu.gang": "吴刚 (wu.gang)",
    }
    each_call("PATCH", "/api/users/wu.gang2", json={"disabled": True})
    assert asked(each_call, "wu.gang2") == {"wu.gang2": "吴刚 (wu.gang2)"}
    each_call("PATCH", "/api/users/wu.gang2", json={"display_name": "吴小刚"})
    assert asked(each_call, "wu.gang", "wu.gang2") == {"wu.gang": "吴刚", "wu.gang2": "吴小刚"}


def test_nobody_is_told_of_people_he_does_not_ask_for(peopled, each_call):
    assert each_call("GET", "/api/names", Role.VIEWER).status_code == 422
    assert asked(each_call, "wu") == {}
    many = {"login": [f"p{i}" for i in range(101)]}
    assert each_call("GET", "/api/names", Role.VIEWER, params=many).status_code == 422


def test_a_column_has_names_of_people_and_what_programs_are_called(peopled):
    rows = [User(login, "", now()) for login in ("li.na", "bridge", "")]
    with peopled.store.read() as tx:
        who = person_names.column(tx, rows, "name")
    assert [who(row) for row in rows] == ["李娜", "bridge", ""]


def test_open_pages_hear_that_somebody_is_called_differently(peopled, each_call):
    def told():
        with peopled.store.read() as tx:
            found = select(events.c.kind, events.c.item).order_by(events.c.id)
            return [tuple(row) for row in tx.execute(found) if row.kind == person_names.NAME]

    each_call("PATCH", "/api/users/li.na", json={"display_name": "李娜娜"})
    each_call("PATCH", "/api/users/li.na", json={"phone": "13891500000"})
    assert told() == [("name", "li.na")]
    with peopled.store.read() as tx:
        shown = person_names.name_items(tx, ["li.na", "nobody"])
    assert {login: item.name for login, item in shown.items()} == {"li.na": "李娜娜"}
    one = {"name": "he", "display_name": "何", "posts": [{"role": "operator"}]}
    assert each_call("POST", "/api/users", json=one).status_code == 201
    assert told() == [("name", "li.na"), ("name", "he")]
