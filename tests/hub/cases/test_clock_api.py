from datetime import timedelta

from hub import audit, steps
from hub.store import now
from tests.hub.cases.test_condition_sheet import workbook
from tests.hub.test_api import call, case, client, hub, tokens  # noqa: F401

TABLE = workbook(
    ("06010", "", "沿街散落", "清理干净", "4紧急工作时", "环卫处"),
    ("06010", "", "堆积成片", "清运完毕", "1工作日", "环卫处"),
    ("09006", "", "流动摊点", "离开", "2紧急工作时", ""),
    before=0,
)


def bring_in(call, data=TABLE, **query):  # noqa: F811
    return call("PUT", "/api/conditions", content=data, params=query)


def take(call, case, action, **more):  # noqa: F811
    """Take a step as the case stands now."""
    path = f"/api/cases/{case['id']}"
    version = call("GET", path).json()["version"]
    return call("POST", f"{path}/actions", json={"action": action, "version": version, **more})


def test_a_sheet_becomes_the_table_and_a_dry_run_changes_nothing(call):  # noqa: F811
    tried = bring_in(call, dry_run=True).json()
    assert tried == {"rows": 3, "new": 3, "retired": 0, "dry_run": True}
    assert call("GET", "/api/conditions").json()["total"] == 0

    assert bring_in(call).json()["new"] == 3
    shown = call("GET", "/api/conditions", params={"matter": "06010"}).json()["items"]
    assert [(row["opening"], row["number"], row["unit"]) for row in shown] == [
        ("沿街散落", 4, "urgent_hour"),
        ("堆积成片", 1, "work_day"),
    ]
    assert shown[0]["matter_zh"] == "暴露垃圾"
    assert bring_in(call).json() == {"rows": 3, "new": 0, "retired": 0, "dry_run": False}


def test_a_bad_sheet_is_refused_with_every_fault_and_the_table_stays(call):  # noqa: F811
    bring_in(call)
    bad = workbook(("1", "", "", "", "", ""), ("06010", "", "a", "b", "soon", ""), before=0)
    error = bring_in(call, bad).json()["error"]
    assert [problem["where"] for problem in error["problems"]] == [
        "立结案, row 2, 小类代码",
        "立结案, row 3, 处置时限",
    ]
    assert call("GET", "/api/conditions").json()["total"] == 3


def test_filing_asks_which_condition_holds_and_the_clock_runs_from_dispatch(call, case):  # noqa: F811
    assert case["clock"]["state"] == "waiting"
    assert case["clock"]["usual"]
    bring_in(call)
    refused = take(call, case, "file")
    assert refused.status_code == 422
    assert refused.json()["error"]["code"] == "condition_needed"

    wanted = call("GET", "/api/conditions", params={"matter": case["matter"]["code"]}).json()
    filed = take(call, case, "file", condition=wanted["items"][0]["id"]).json()
    assert filed["clock"]["opening"] == "沿街散落"
    assert not filed["clock"]["usual"]
    clock = take(call, case, "dispatch").json()["clock"]
    assert clock["state"] == "running"
    assert clock["due_at"] > clock["started_at"]


def overdue(call, hub, case):  # noqa: F811
    """Let the case run over its time, and the hub say so."""
    take(call, case, "file")
    take(call, case, "dispatch")
    take(call, case, "accept")
    late = now() + timedelta(days=20)
    assert steps.say_what_is_due(hub.store, late) == 1
    assert steps.say_what_is_due(hub.store, late) == 0
    return late


def test_what_runs_out_is_said_once_and_stands_in_the_history(call, hub, case):  # noqa: F811
    overdue(call, hub, case)
    history = call("GET", f"/api/cases/{case['id']}").json()["history"]
    assert [act["action"] for act in history][-3:] == ["overdue", "silent", "warned"]
    with hub.store.read() as tx:
        assert audit.verify(tx) == []


def test_a_case_that_is_overdue_cannot_be_suspended(call, hub, case, monkeypatch):  # noqa: F811
    late = overdue(call, hub, case)
    monkeypatch.setattr(steps, "now", lambda: late)
    spring = (late + timedelta(days=90)).isoformat()
    refused = take(call, case, "suspend", note="winter", reason="season", until=spring)
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "overdue")


def test_cases_are_listed_by_what_is_due_first(call, hub, case):  # noqa: F811
    take(call, case, "file")
    take(call, case, "dispatch")
    month = (now() + timedelta(days=30)).isoformat()

    def total(**query):
        return call("GET", "/api/cases", params=query).json()["total"]

    assert total(due_before=month) == 1
    assert total(due_before=now().isoformat()) == 0
    assert (total(overdue=True), total(overdue=False)) == (0, 1)
    assert call("GET", "/api/cases", params={"order": "due"}).json()["items"][0]["id"] == case["id"]
