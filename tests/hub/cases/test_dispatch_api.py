from io import BytesIO

import openpyxl
import pytest

from hub import audit
from hub.roles import Role
from tests.hub.cases.test_condition_sheet import workbook
from tests.hub.cases.workflow import acts, department, rule, take
from tests.hub.test_api import case  # noqa: F401

HEADINGS = (
    "事项代码",
    "网格代码",
    "严重程度",
    "时段",
    "责任部门代码",
    "责任人",
    "值班角色",
    "备注",
)


@pytest.fixture
def city(call):
    """Two departments; one rule for garbage, one for everything."""
    for code in ("huanwei", "chengguan"):
        department(call, code)
    rule(call, "chengguan")
    rule(call, "huanwei", matter="06010", officer="李师傅")
    return call


def dispatch_of(call, case):  # noqa: F811
    return call("GET", f"/api/cases/{case['id']}/dispatch").json()


def test_a_case_is_sent_by_rule_and_says_by_which(city, case):  # noqa: F811
    proposed = dispatch_of(city, case)["proposal"]
    assert proposed["department"]["code"] == "huanwei"
    assert proposed["winner"]["rule"]["number"] == 2
    assert [(each["rule"]["number"], each["yields_by"]) for each in proposed["others"]] == [
        (1, "matter")
    ]
    take(city, case, "file")
    sent = take(city, case, "dispatch").json()
    assert (sent["department"]["code"], sent["officer"]) == ("huanwei", "李师傅")
    assert sent["dispatched_by_rule"] == proposed["winner"]["rule"]["id"]


def test_a_case_keeps_the_version_that_sent_it(city, case):  # noqa: F811
    take(city, case, "file")
    take(city, case, "dispatch")
    changed = {"version": 1, "rule": {"department": "chengguan", "matter": "06010"}}
    assert city("PUT", "/api/dispatch-rules/2", json=changed).json()["version"] == 2
    assert city("PUT", "/api/dispatch-rules/2", json=changed).json()["error"]["code"] == "stale"
    seen = dispatch_of(city, case)
    assert seen["sent"][0]["rule"]["version"] == 1
    assert seen["sent"][0]["rule"]["until"] is not None
    assert seen["proposal"]["department"]["code"] == "chengguan"
    versions = city("GET", "/api/dispatch-rules/2/versions").json()["items"]
    assert [each["rule"]["department"] for each in versions] == ["huanwei", "chengguan"]


def test_a_person_may_choose_another_and_then_no_rule_sent_it(city, case):  # noqa: F811
    take(city, case, "file")
    sent = take(city, case, "dispatch", department="chengguan").json()
    assert (sent["department"]["code"], sent["dispatched_by_rule"]) == ("chengguan", None)
    assert sent["officer"] is None


def test_a_wrong_dispatch_is_corrected_in_one_step_and_offered_as_a_rule(city, hub, case):  # noqa: F811
    take(city, case, "file")
    take(city, case, "dispatch")
    assert dispatch_of(city, case)["offered"] is None
    moved = take(city, case, "redirect", department="chengguan", note="a shop's goods").json()
    assert (moved["state"], moved["department"]["code"]) == ("dispatched", "chengguan")
    assert acts(city, case)[-4:] == ["dispatch", "recall", "correct", "dispatch"]
    seen = dispatch_of(city, case)
    assert [
        (each["department"]["code"], each["corrected_at"] is None) for each in seen["sent"]
    ] == [
        ("huanwei", False),
        ("chengguan", True),
    ]
    assert seen["sent"][0]["reason"] == "a shop's goods"

    offer = seen["offered"]
    assert (offer["matter"], offer["grid"], offer["department"]) == ("06010", "q01", "chengguan")
    for role, status in ((Role.OPERATOR, 403), (Role.SUPERVISOR, 201)):
        accepted = city(
            "POST", "/api/dispatch-rules", role=role, json={"rule": offer, "from_case": case["id"]}
        )
        assert accepted.status_code == status
    seen = dispatch_of(city, case)
    assert seen["offered"] is None
    assert seen["proposal"]["department"]["code"] == "chengguan"
    with hub.store.read() as tx:
        assert audit.verify(tx) == []


def test_a_correction_names_another_department_and_a_reason(city, case):  # noqa: F811
    take(city, case, "file")
    take(city, case, "dispatch")
    before = acts(city, case)
    for more, code in (
        ({"note": "wrong"}, "not_corrected"),
        ({"note": "wrong", "department": "huanwei"}, "not_corrected"),
        ({"department": "chengguan"}, "reason_needed"),
        ({"department": "nobody", "note": "wrong"}, "bad_department"),
    ):
        assert take(city, case, "redirect", **more).json()["error"]["code"] == code
    assert acts(city, case) == before
    assert city("GET", f"/api/cases/{case['id']}").json()["state"] == "dispatched"


def test_what_is_not_sent_cannot_be_corrected(city, case):  # noqa: F811
    refused = take(city, case, "redirect", department="huanwei", note="x")
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "illegal_step")


def test_a_department_that_returns_a_case_was_the_wrong_one_when_another_gets_it(city, case):  # noqa: F811
    take(city, case, "file")
    take(city, case, "dispatch")
    take(city, case, "return", note="not ours")
    take(city, case, "dispatch")
    assert [each["corrected_at"] for each in dispatch_of(city, case)["sent"]] == [None, None]
    take(city, case, "return", note="really not ours")
    take(city, case, "dispatch", department="chengguan")
    wrong = [each["corrected_at"] is not None for each in dispatch_of(city, case)["sent"]]
    assert wrong == [False, True, False]


def test_rules_are_tried_out(city):
    def tried(**query):
        return city("GET", "/api/dispatch-rules/try", params=query).json()

    rule(city, "chengguan", matter="06010", grid="q00", hours="off")
    night, noon = "2026-11-23T23:00:00+08:00", "2026-11-23T11:00:00+08:00"
    assert tried(matter="06010", grid="q00", at=night)["winner"]["rule"]["number"] == 3
    assert tried(matter="06010", grid="q00", at=noon)["winner"]["rule"]["number"] == 2
    assert tried(matter="09006")["winner"]["rule"]["number"] == 1
    assert tried(grid="nowhere")["error"]["code"] == "bad_grid"


@pytest.mark.parametrize(
    ("wanted", "status"),
    [
        ({"department": "nobody"}, 422),
        ({"department": "huanwei", "matter": "99999"}, 422),
        ({"department": "huanwei", "matter": "6010"}, 422),
        ({"department": "huanwei", "grid": "nowhere"}, 422),
        ({"department": "huanwei", "hours": "night"}, 422),
        ({"department": "huanwei", "level_from": 3, "level_to": 1}, 422),
        ({"department": "huanwei", "officer": "x", "role": "officer"}, 422),
        ({"department": "huanwei", "role": "king"}, 422),
        ({"department": "huanwei", "matter": "06010"}, 409),
    ],
)
def test_a_rule_that_cannot_be_is_refused(city, wanted, status):
    answer = city("POST", "/api/dispatch-rules", json={"rule": wanted})
    assert answer.status_code == status
    assert answer.json()["error"]["message"]
    assert city("GET", "/api/dispatch-rules").json()["total"] == 2


def test_a_table_is_taken_whole_and_comes_back_as_it_was(city):
    path = "/api/dispatch-rule-table"
    data = workbook(
        (6010, None, None, None, "huanwei", "李师傅", None, None),
        ("09", "q00", "1-2", "非工作时间", "chengguan", None, "执法人员", "夜市"),
        ("9006", None, "重大", "22:00 至 6:00", "chengguan", None, None, None),
        headings=HEADINGS,
    )
    tried = city("PUT", path, content=data, params={"dry_run": True}).json()
    assert tried == {"rows": 3, "changed": 2, "ended": 1, "dry_run": True}
    city("PUT", path, content=data)
    rules = city("GET", "/api/dispatch-rules").json()["items"]
    assert [(each["number"], each["version"]) for each in rules] == [(2, 1), (3, 1), (4, 1)]
    assert (rules[1]["rule"]["hours"], rules[1]["rule"]["role"]) == ("off", "officer")
    assert rules[2]["rule"]["hours"] == "22:00-06:00"
    for form in ("xlsx", "csv"):
        for language in ({}, {"language": "zh"}, {"language": "en"}):
            again = city("GET", path, params={"format": form} | language).content
            assert city("PUT", path, content=again).json()["changed"] == 0
    sheet = openpyxl.load_workbook(BytesIO(city("GET", path).content)).active
    assert [cell.value for cell in sheet[3]][:4] == ["09", "q00", "1-2", "非工作时间"]
    assert sheet[3][6].value == "执法人员"
    english = city("GET", path, params={"language": "en"}).content
    sheet = openpyxl.load_workbook(BytesIO(english)).active
    assert [cell.value for cell in sheet[3]][:4] == ["09", "q00", "1-2", "off"]
    assert (sheet[1][4].value, sheet[3][6].value) == ("department", "officer")


def test_a_bad_table_names_every_fault_and_nothing_is_taken(city):
    bad = (
        ("99999", "", "", "", "huanwei", "", "", ""),
        ("", "nowhere", "", "", "huanwei", "", "", ""),
        ("", "", "9", "", "huanwei", "", "", ""),
        ("", "", "", "night", "huanwei", "", "", ""),
        ("", "", "", "", "nobody", "", "", ""),
        ("", "", "", "", "huanwei", "", "king", ""),
        ("", "", "", "", "huanwei", "x", "officer", ""),
        ("", "q00", "", "", "huanwei", "", "", ""),
        ("", "q00", "", "", "chengguan", "", "", ""),
    )
    data = workbook(*bad, headings=HEADINGS, before=0, title="规则")
    problems = city("PUT", "/api/dispatch-rule-table", content=data).json()["error"]["problems"]
    assert [each["where"] for each in problems] == [
        "规则, row 2, 事项代码",
        "规则, row 3, 网格代码",
        "规则, row 4, 严重程度",
        "规则, row 5, 时段",
        "规则, row 6, 责任部门代码",
        "规则, row 7, 值班角色",
        "规则, row 8, 值班角色",
        "规则, row 10, 责任部门代码",
    ]
    assert city("GET", "/api/dispatch-rules").json()["total"] == 2


def test_the_person_on_duty_nearest_to_the_case_is_proposed(city, hub, case):  # noqa: F811
    rows = {
        "shifts": [
            {"code": "am", "name": "白班", "days": "daily", "start": "00:00", "end": "12:00"},
            {"code": "pm", "name": "白班", "days": "daily", "start": "12:00", "end": "24:00"},
            {"code": "none", "name": "夜班", "days": "sat", "start": "03:00", "end": "03:01"},
        ],
        "posts": [
            {"code": "far", "name": "全市", "grid": "city", "shifts": "am,pm"},
            {"code": "near", "name": "片区", "grid": "q01", "shifts": "am,pm"},
            {"code": "off", "name": "下班", "grid": "q01", "shifts": "none"},
        ],
        "people": [
            {"id": "a", "name": "市队长", "role": "officer", "post": "far"},
            {"id": "b", "name": "王队员", "role": "officer", "post": "near"},
            {"id": "0", "name": "休息者", "role": "officer", "post": "off"},
            {"id": "1", "name": "网格员", "role": "grid_worker", "post": "near"},
        ],
    }
    for kind, given in rows.items():
        answer = city("PUT", "/api/duty/rows", json={"kind": kind, "rows": given})
        assert answer.status_code == 200, answer.text
    rule(city, "chengguan", matter="06010", grid="q01", role="officer")
    assert dispatch_of(city, case)["proposal"]["officer"] == "王队员"
    take(city, case, "file")
    assert take(city, case, "dispatch").json()["officer"] == "王队员"
    city("DELETE", "/api/duty/people/b")
    assert dispatch_of(city, case)["proposal"]["officer"] == "市队长"
