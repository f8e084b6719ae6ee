"""The city's table row by row: edit it, see who changed what, bring it out and in."""

from itertools import product

import pytest

from hub.roles import Role
from tests.hub.cases.test_condition_sheet import workbook
from tests.hub.test_api import furnished
from tianyan.condition_sample import sample_rows

ROW = {
    "matter": "06010",
    "opening": "沿街散落",
    "closing": "清理干净",
    "number": 4,
    "unit": "work_hour",
    "department": "环卫处",
}


@pytest.fixture
def hub(tmp_path, store):
    return furnished(tmp_path, store)


def table(call, **query):
    return call("GET", "/api/conditions", Role.VIEWER, params=query).json()["items"]


def test_a_row_is_added_changed_and_taken_out_and_each_is_written_down(call):
    added = call("POST", "/api/conditions", json=ROW)
    assert (added.status_code, added.json()["by"]) == (201, "admin-1")
    number = added.json()["id"]
    changed = call("PUT", f"/api/conditions/{number}", json=ROW | {"number": 2}).json()
    assert changed["id"] != number
    assert [(each["id"], each["number"]) for each in table(call)] == [(changed["id"], 2)]

    new, old = call("GET", "/api/conditions/history", params={"matter": "06010"}).json()["items"]
    assert (new["until"], old["ended_by"], old["until"]) == (None, "admin-1", new["since"])

    assert call("DELETE", f"/api/conditions/{changed['id']}").status_code == 204
    assert table(call) == []
    assert call("GET", "/api/conditions/history").json()["total"] == 2


def test_two_people_cannot_change_the_same_row(call):
    number = call("POST", "/api/conditions", json=ROW).json()["id"]
    call("PUT", f"/api/conditions/{number}", json=ROW | {"number": 2})
    late = call("PUT", f"/api/conditions/{number}", json=ROW | {"number": 3})
    assert (late.status_code, late.json()["error"]["code"]) == (409, "stale")
    assert "admin-1" in late.json()["error"]["message"]
    assert call("DELETE", f"/api/conditions/{number}").status_code == 409
    assert [each["number"] for each in table(call)] == [2]


REFUSED = [
    ({"matter": "99999"}, 422, "bad_matter"),
    ({"matter": "6010"}, 422, "invalid"),
    ({"opening": "  "}, 422, "invalid"),
    ({"number": 0}, 422, "invalid"),
    ({"unit": "hours"}, 422, "invalid"),
    ({}, 409, "taken"),
]


def test_refuses_a_row_by_name(call):
    number = call("POST", "/api/conditions", json=ROW).json()["id"]
    for method, path in (("POST", ""), ("PUT", f"/{number}")):
        for change, status, code in REFUSED:
            answer = call(method, f"/api/conditions{path}", json=ROW | change)
            assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert [each["id"] for each in table(call)] == [number]


def test_the_table_goes_out_and_comes_in_unchanged(call):
    call("POST", "/api/conditions", json=ROW)
    call(
        "POST", "/api/conditions", json=ROW | {"opening": "成片", "number": 1.5, "unit": "work_day"}
    )
    for form, language in product(("xlsx", "csv"), ({}, {"language": "zh"}, {"language": "en"})):
        file = call("GET", "/api/condition-table", params={"format": form} | language)
        done = call("PUT", "/api/conditions", content=file.content)
        assert done.json() == {"rows": 2, "new": 0, "retired": 0, "dry_run": False}


def test_a_sheet_says_who_retired_what_and_a_dry_run_does_nothing(call):
    call("POST", "/api/conditions", json=ROW)
    sheet = workbook(("06010", "", "新", "清", "1自然日", ""))
    dry = call("PUT", "/api/conditions", params={"dry_run": True}, content=sheet)
    assert dry.json() == {"rows": 1, "new": 1, "retired": 1, "dry_run": True}
    assert [each["opening"] for each in table(call)] == ["沿街散落"]
    call("PUT", "/api/conditions", content=sheet)
    history = call("GET", "/api/conditions/history").json()["items"]
    assert [(each["opening"], each["ended_by"]) for each in history] == [
        ("新", ""),
        ("沿街散落", "admin-1"),
    ]


def test_every_bad_row_of_a_sheet_is_named_at_once(call):
    sheet = workbook(("06010", "", "开", "关", "4 weeks", ""), ("1", "", "", "关", "1工作日", ""))
    error = call("PUT", "/api/conditions", content=sheet).json()["error"]
    assert [each["where"] for each in error["problems"]] == [
        "立结案, row 3, 处置时限",
        "立结案, row 4, 小类代码",
    ]


def test_matters_are_shown_with_what_the_table_has_for_them(call):
    call("POST", "/api/conditions", json=ROW)
    shown = call("GET", "/api/matters", Role.VIEWER).json()
    known = {each["code"]: each for each in shown["items"]}
    assert (known["06010"]["conditions"], known["09006"]["conditions"]) == (1, 0)
    assert known["09006"]["matter_class"] == "09"
    assert [each["level"] for each in shown["usual"]] == [1, 2, 3]


def test_the_demos_conditions_are_taken_and_marked(call):
    for row in sample_rows():
        assert call("POST", "/api/conditions", json=row).status_code == 201
    shown = table(call)
    assert len(shown) == len({each["matter"] for each in shown}) == len(sample_rows())
    assert all(each["opening"].startswith("示意") for each in shown)
