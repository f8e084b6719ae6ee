from io import BytesIO
from itertools import product

import openpyxl
import pytest

from hub import audit
from tests.hub.cases.test_condition_sheet import workbook
from tests.hub.test_api import case, open_case  # noqa: F401

HEADINGS = ("部门代码", "部门名称", "统一社会信用代码", "联系电话", "网格级别", "网格代码")
GOOD = ("huanwei", "环卫处", "91110000600037341L", "0915-3212345", "二级", "q01")


def put(call, code="huanwei", version=0, **fields):
    body = {"version": version, "department": {"name_zh": "环卫处"} | fields}
    return call("PUT", f"/api/departments/{code}", json=body)


def take(call, case, action, **more):  # noqa: F811
    path = f"/api/cases/{case['id']}"
    version = call("GET", path).json()["version"]
    return call("POST", f"{path}/actions", json={"action": action, "version": version, **more})


def test_a_department_is_kept_changed_and_retired(call, hub):
    made = put(call, credit_code="91110000600037341L", level=2, grid="q01").json()
    assert (made["version"], made["grid"], made["retired_at"]) == (1, "q01", None)
    assert put(call, version=0).json()["error"]["code"] == "stale"
    assert put(call, version=1, name_zh="市环卫处").json()["version"] == 2

    assert call("DELETE", "/api/departments/huanwei").status_code == 204
    assert call("GET", "/api/departments").json()["total"] == 0
    assert call("GET", "/api/departments", params={"retired": True}).json()["total"] == 1
    assert put(call, version=3).json()["retired_at"] is None
    with hub.store.read() as tx:
        acts = [act.action for act in audit.of(tx, "department", "huanwei")]
        assert audit.verify(tx) == []
    assert acts == ["put", "put", "retire", "put"]


@pytest.mark.parametrize(
    "fields",
    [
        {"credit_code": "91110000600037341N"},
        {"grid": "nowhere"},
        {"phone": "<script>"},
        {"level": 9},
        {"name_zh": ""},
    ],
)
def test_a_department_that_cannot_be_is_refused(call, fields):
    assert put(call, **fields).status_code == 422
    assert call("GET", "/api/departments").json()["total"] == 0


def test_a_table_is_taken_whole_and_comes_back_as_it_was(call):
    path = "/api/department-table"
    data = workbook(GOOD, ("ziran", "市自然资源局", None, None, 1, None), headings=HEADINGS)
    tried = call("PUT", path, content=data, params={"dry_run": True}).json()
    assert tried == {"rows": 2, "new": 2, "changed": 0, "dry_run": True}
    assert call("GET", "/api/departments").json()["total"] == 0
    assert call("PUT", path, content=data).json()["new"] == 2
    assert call("PUT", path, content=data).json() == tried | {"new": 0, "dry_run": False}

    for form, language in product(("xlsx", "csv"), ({}, {"language": "zh"}, {"language": "en"})):
        exported = call("GET", path, params={"format": form} | language)
        assert call("PUT", path, content=exported.content).json()["changed"] == 0
    sheet = openpyxl.load_workbook(BytesIO(call("GET", path).content)).active
    assert [cell.value for cell in sheet[2]][:3] == list(GOOD[:3])


def test_a_bad_table_names_every_fault_and_nothing_is_taken(call):
    data = workbook(
        GOOD,
        ("huanwei", "again", "", "", "", ""),
        ("b", "环卫", "91110000600037341N", "", "", ""),
        ("c", "环卫", "", "", "五级", ""),
        ("d", "环卫", "", "", "", "nowhere"),
        ("", "环卫", "", "", "", ""),
        headings=HEADINGS,
        title="部门",
    )
    answer = call("PUT", "/api/department-table", content=data)
    assert answer.status_code == 422
    assert [each["where"] for each in answer.json()["error"]["problems"]] == [
        "部门, row 4, 部门代码",
        "部门, row 5, 统一社会信用代码",
        "部门, row 6, 网格级别",
        "部门, row 7, 网格代码",
        "部门, row 8, 部门代码",
    ]
    assert call("GET", "/api/departments").json()["total"] == 0


def test_a_case_is_sent_to_a_department_and_a_person(call, case):  # noqa: F811
    put(call)
    take(call, case, "file")
    for wrong in ("nobody", "x" * 33):
        assert take(call, case, "dispatch", department=wrong).status_code == 422
    sent = take(call, case, "dispatch", department="huanwei", officer="李师傅").json()
    assert sent["department"] == {"code": "huanwei", "name_zh": "环卫处"}
    assert sent["officer"] == "李师傅"
    assert sent["history"][-1]["note"] == "环卫处 / 李师傅"
    listed = call("GET", "/api/cases", params={"department": "huanwei"}).json()["items"]
    assert [each["id"] for each in listed] == [case["id"]]
    assert call("GET", "/api/cases", params={"department": "ziran"}).json()["total"] == 0


def test_only_a_dispatch_sends_a_case(call, case):  # noqa: F811
    put(call)
    refused = take(call, case, "file", department="huanwei")
    assert (refused.status_code, refused.json()["error"]["code"]) == (422, "not_sent")
    assert call("GET", f"/api/cases/{case['id']}").json()["state"] == "reported"


def test_a_retired_department_is_sent_nothing(call, case):  # noqa: F811
    put(call)
    call("DELETE", "/api/departments/huanwei")
    take(call, case, "file")
    refused = take(call, case, "dispatch", department="huanwei")
    assert refused.json()["error"]["code"] == "bad_department"
