"""Extensions, suspensions, joint handling, supervision, escalation: what is allowed and when."""

from datetime import datetime, timedelta

import pytest

from hub import audit, records, steps
from hub.calendar import store as calendar_store
from hub.calendar.limit import TimeLimit, Unit
from hub.cases import clock_store
from hub.cases.clock import ClockState
from hub.roles import Role
from hub.store import now
from tests.hub.cases.workflow import acts, department, take
from tests.hub.test_api import case  # noqa: F401

OPERATOR, CHIEF = Role.OPERATOR, Role.SUPERVISOR
SPRING = (now() + timedelta(days=120)).isoformat()


@pytest.fixture
def handled(call, case):  # noqa: F811
    """A case in the hands of a department, its clock running."""
    for code in ("huanwei", "chengguan", "ziran"):
        department(call, code)
    take(call, case, "file", role=OPERATOR)
    take(call, case, "dispatch", role=OPERATOR, department="huanwei")
    take(call, case, "accept", role=OPERATOR)
    return case


def state(call, case):  # noqa: F811
    return call("GET", f"/api/cases/{case['id']}").json()


def ask(call, case, kind, role=OPERATOR, **more):  # noqa: F811
    body = {"kind": kind, "version": state(call, case)["version"], "note": "why"} | more
    return call("POST", f"/api/cases/{case['id']}/records", role=role, json=body)


def newest(call, case):  # noqa: F811
    return call("GET", f"/api/cases/{case['id']}/records").json()["items"][-1]


def decide(call, case, approve=True, role=CHIEF, note="so be it"):  # noqa: F811
    body = {"version": state(call, case)["version"], "approve": approve, "note": note}
    return call(
        "POST", f"/api/case-records/{newest(call, case)['id']}/decision", role=role, json=body
    )


def answer(call, case, record, role=OPERATOR, note="seen"):  # noqa: F811
    body = {"version": state(call, case)["version"], "note": note}
    return call("POST", f"/api/case-records/{record['id']}/answer", role=role, json=body)


def code_of(answer):
    return answer.json()["error"]["code"]


def at(moment):
    return datetime.fromisoformat(moment)


def later(monkeypatch, moment):
    for module in (steps, records):
        monkeypatch.setattr(module, "now", lambda: moment)


# extension


def extend(call, case, **more):  # noqa: F811
    return ask(call, case, "extension", number=2, unit="work_day", **more)


def test_an_extension_is_asked_for_granted_by_another_and_moves_the_deadline(call, hub, handled):
    due = at(state(call, handled)["clock"]["due_at"])
    assert extend(call, handled).status_code == 201
    assert at(state(call, handled)["clock"]["due_at"]) == due
    assert code_of(decide(call, handled, role=OPERATOR)) == "forbidden"
    assert decide(call, handled).json()["items"][0]["state"] == "approved"
    clock = state(call, handled)["clock"]
    with hub.store.read() as tx:
        calendar = calendar_store.calendar(tx, hub.config.zone)
    assert at(clock["due_at"]) == calendar.due(due, TimeLimit(2, Unit.WORK_DAY)).at
    assert acts(call, handled)[-2:] == ["ask_extension", "extend"]


def test_two_extensions_of_one_limit_and_refused_ones_do_not_count(call, handled):
    for approve in (True, False, False, True):
        assert extend(call, handled).status_code == 201
        assert code_of(extend(call, handled)) == "waiting"
        assert decide(call, handled, approve=approve).status_code == 200
    assert code_of(extend(call, handled)) == "used_up"


def test_a_refusal_has_its_reason(call, handled):
    extend(call, handled)
    assert code_of(decide(call, handled, approve=False, note=" ")) == "reason_needed"
    assert newest(call, handled)["state"] == "asked"


def test_whoever_asked_does_not_grant_it_and_it_is_decided_once(call, handled):
    extend(call, handled, role=CHIEF)
    assert code_of(decide(call, handled)) == "forbidden"
    assert decide(call, handled, role=Role.ADMIN).status_code == 200
    assert code_of(decide(call, handled, role=Role.ADMIN)) == "not_waiting"


def test_after_the_deadline_nothing_is_extended(call, handled, monkeypatch):
    due = at(state(call, handled)["clock"]["due_at"])
    later(monkeypatch, due)
    assert code_of(extend(call, handled)) == "too_late"
    later(monkeypatch, due - timedelta(seconds=1))
    assert extend(call, handled).status_code == 201


@pytest.mark.parametrize("steps_taken", [(), ("file",)])
def test_what_nobody_handles_is_not_extended(call, case, steps_taken):  # noqa: F811
    for action in steps_taken:
        take(call, case, action)
    assert code_of(extend(call, case)) == "illegal_record"


def test_what_is_reported_done_is_not_extended(call, handled):
    extend(call, handled)
    take(call, handled, "feedback", role=OPERATOR, note="swept")
    assert code_of(decide(call, handled)) == "illegal_record"
    assert decide(call, handled, approve=False).status_code == 200


def test_two_people_at_once_the_second_sees_the_first(call, handled):
    version = state(call, handled)["version"]
    assert extend(call, handled).status_code == 201
    assert code_of(extend(call, handled, version=version)) == "stale"


# suspension


def suspend(call, case, role=OPERATOR, **more):  # noqa: F811
    return ask(call, case, "suspension", role, **{"until": SPRING, "reason": "season"} | more)


def test_a_suspension_is_asked_for_approved_and_over_by_itself(call, hub, handled):
    suspend(call, handled)
    assert state(call, handled)["clock"]["state"] == "running"
    decide(call, handled)
    seen = state(call, handled)
    assert (seen["state"], seen["clock"]["state"]) == ("suspended", "stopped")
    assert at(seen["suspended_until"]) == at(SPRING)
    left_s = seen["clock"]["left_s"]

    end = at(SPRING)
    assert records.resume_suspended(hub.store, hub.site, end - timedelta(seconds=1)) == 0
    assert records.resume_suspended(hub.store, hub.site, end + timedelta(days=2)) == 1
    assert records.resume_suspended(hub.store, hub.site, end + timedelta(days=3)) == 0
    seen = state(call, handled)
    assert (seen["state"], seen["suspended_until"]) == ("handling", None)
    with hub.store.read() as tx:
        clock = clock_store.load(tx, [handled["id"]])[handled["id"]]
        calendar = calendar_store.calendar(tx, hub.config.zone)
    assert clock.due_at == calendar.after(end, left_s, clock.limit.unit).at
    assert acts(call, handled)[-3:] == ["ask_suspension", "suspend", "resume"]


def test_a_suspended_clock_never_runs_out(call, hub, handled):
    take(call, handled, "suspend", note="winter", until=SPRING, reason="season")
    assert steps.say_what_is_due(hub.store, at(SPRING) - timedelta(days=1)) == 0
    with hub.store.read() as tx:
        clock = clock_store.load(tx, [handled["id"]])[handled["id"]]
    assert clock.state(at(SPRING) - timedelta(days=1)) is ClockState.STOPPED


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"until": None}, "bad_end"),
        ({"until": (now() - timedelta(days=1)).isoformat()}, "bad_end"),
        ({"until": (now() + timedelta(days=367)).isoformat()}, "bad_end"),
        ({"reason": "no time"}, "bad_reason"),
        ({"note": ""}, "invalid"),
    ],
)
def test_a_suspension_has_an_end_and_a_reason(call, handled, more, code):
    assert code_of(suspend(call, handled, **more)) == code
    assert state(call, handled)["state"] == "handling"


def test_one_suspension_a_case(call, handled):
    take(call, handled, "suspend", note="winter", until=SPRING, reason="season")
    take(call, handled, "resume")
    assert code_of(suspend(call, handled)) == "used_up"
    again = take(call, handled, "suspend", note="winter", until=SPRING, reason="season")
    assert code_of(again) == "used_up"


def test_a_suspension_may_end_early(call, handled):
    take(call, handled, "suspend", note="winter", until=SPRING, reason="season")
    assert take(call, handled, "resume").json()["clock"]["state"] == "running"
    assert newest(call, handled)["state"] == "done"


# joint handling


def join(call, case, *partners, **more):  # noqa: F811
    return take(call, case, "join", role=CHIEF, note="three bureaus", partners=partners, **more)


def test_the_lead_reports_done_after_each_partner_gave_its_opinion(call, handled):
    joined = join(call, handled, "chengguan", "ziran").json()
    assert (joined["state"], joined["department"]["code"]) == ("joint", "huanwei")
    for _ in range(2):
        early = take(call, handled, "feedback", role=OPERATOR, note="done")
        assert code_of(early) == "opinions_missing"
        kept = call("GET", f"/api/cases/{handled['id']}/records").json()["items"]
        waiting = next(each for each in kept if each["state"] == "open")
        assert answer(call, handled, waiting, role=CHIEF).status_code == 200
    assert take(call, handled, "feedback", role=OPERATOR, note="done").json()["state"] == "handled"


def test_a_partner_that_never_answers_does_not_keep_the_lead_for_ever(call, handled, monkeypatch):
    partners = ["chengguan", "ziran"]
    until = now() + timedelta(hours=3)
    joined = {"partners": partners, "note": "two needed", "until": until.isoformat()}
    past = joined | {"until": "2026-01-01T00:00:00Z"}
    assert code_of(take(call, handled, "join", role=CHIEF, **past)) == "bad_end"
    assert take(call, handled, "join", role=CHIEF, **joined).status_code == 200
    first, second = call("GET", f"/api/cases/{handled['id']}/records").json()["items"]
    assert answer(call, handled, first).status_code == 200
    early = take(call, handled, "feedback", role=OPERATOR, note="swept")
    assert code_of(early) == "opinions_missing"
    assert "ziran (until" in early.json()["error"]["message"]
    later(monkeypatch, until + timedelta(seconds=1))
    assert take(call, handled, "feedback", role=OPERATOR, note="swept alone").status_code == 200
    missed = newest(call, handled)
    assert (missed["state"], missed["department"]["code"]) == ("missed", "ziran")
    assert "swept alone" in missed["decision"]
    against = call("GET", "/api/case-records?kind=joint&state=missed&department=ziran").json()
    assert against["total"] == 1
    assert code_of(answer(call, handled, second)) == "not_waiting"


def test_a_partner_has_two_working_days_where_nobody_says_until_when(call, hub, handled):
    take(call, handled, "join", role=CHIEF, partners=["ziran"], note="two needed")
    made = newest(call, handled)
    with hub.store.read() as tx:
        calendar = calendar_store.calendar(tx, hub.config.zone)
    assert at(made["until"]) == calendar.due(at(made["at"]), TimeLimit(2, Unit.WORK_DAY)).at


def test_what_waits_when_a_case_ends_is_settled(call, handled):
    extend(call, handled)
    ask(call, handled, "dual_report")
    take(call, handled, "feedback", role=OPERATOR, note="swept")
    assert call("GET", "/api/case-records?waiting=true").json()["total"] == 3
    take(call, handled, "verify_result", role=CHIEF)
    assert take(call, handled, "close", role=CHIEF).status_code == 200
    found = call("GET", f"/api/cases/{handled['id']}/records").json()["items"]
    assert {each["state"] for each in found} == {"lapsed"}
    assert {each["decision"] for each in found} == {"the case is closed"}
    assert call("GET", "/api/case-records?waiting=true").json()["total"] == 0


def test_what_waits_when_a_case_is_cancelled_is_settled(call, handled):
    until = (now() + timedelta(days=1)).isoformat()
    ask(call, handled, "supervision", role=CHIEF, until=until)
    take(call, handled, "return", role=OPERATOR, note="not ours")
    assert take(call, handled, "cancel", role=CHIEF, note="told twice").status_code == 200
    assert newest(call, handled)["state"] == "lapsed"


def test_who_was_sent_is_called_back_before_the_case_goes_back(call, handled):
    assert code_of(ask(call, handled, "withdrawal")) == "illegal_record"
    assert code_of(ask(call, handled, "assignment")) == "bad_officer"
    assert ask(call, handled, "assignment", officer="张三").status_code == 201
    assert state(call, handled)["officer"] == "张三"
    refused = take(call, handled, "return", role=OPERATOR, note="not ours")
    assert code_of(refused) == "withdraw_first"
    assert "张三" in refused.json()["error"]["message"]
    assert ask(call, handled, "withdrawal").status_code == 201
    assert state(call, handled)["officer"] is None
    assert take(call, handled, "return", role=OPERATOR, note="not ours").status_code == 200
    assert acts(call, handled)[-3:] == ["assign", "withdraw", "return"]


def test_whom_one_department_sent_keeps_no_other_from_returning(call, handled):
    department(call, "town", level=2, grid="q01")
    ask(call, handled, "assignment", officer="张三")
    assert ask(call, handled, "escalation").status_code == 201
    assert (state(call, handled)["department"]["code"], state(call, handled)["officer"]) == (
        "town",
        None,
    )
    assert code_of(ask(call, handled, "withdrawal")) == "illegal_record"
    assert take(call, handled, "return", role=OPERATOR, note="not ours").status_code == 200


def test_where_departments_are_kept_a_case_goes_to_one_of_them(call, case):  # noqa: F811
    take(call, case, "file")
    department(call, "huanwei")
    refused = take(call, case, "dispatch")
    assert (refused.status_code, code_of(refused)) == (422, "department_needed")
    assert state(call, case)["state"] == "filed"
    assert take(call, case, "dispatch", department="huanwei").status_code == 200


def test_a_city_without_departments_sends_its_cases_all_the_same(call, case):  # noqa: F811
    take(call, case, "file")
    assert take(call, case, "dispatch").json()["department"] is None


def test_who_gave_a_partners_opinion_handled_the_case_and_may_not_close_it(call, handled):
    join(call, handled, "chengguan")
    answer(call, handled, newest(call, handled), role=CHIEF)
    take(call, handled, "feedback", role=OPERATOR, note="done")
    take(call, handled, "verify_result", role=OPERATOR)
    assert take(call, handled, "close", role=CHIEF).status_code == 403
    assert take(call, handled, "close", role=Role.ADMIN).status_code == 200


@pytest.mark.parametrize("partners", [(), ("huanwei",), ("ziran", "ziran"), ("nobody",)])
def test_a_joint_handling_has_partners_that_are_not_the_lead(call, handled, partners):
    assert join(call, handled, *partners).status_code == 422
    assert state(call, handled)["state"] == "handling"


def test_another_lead_may_be_named(call, handled):
    led = join(call, handled, "huanwei", department="ziran").json()
    assert led["department"]["code"] == "ziran"


# supervision, dual report


def test_a_supervised_case_is_shown_as_such_and_closes_after_the_answer(call, handled):
    tomorrow = (now() + timedelta(days=1)).isoformat()
    assert code_of(ask(call, handled, "supervision", until=tomorrow)) == "forbidden"
    assert code_of(ask(call, handled, "supervision", CHIEF)) == "bad_end"
    assert ask(call, handled, "supervision", CHIEF, until=tomorrow).status_code == 201
    demanded = newest(call, handled)
    assert demanded["department"]["code"] == "huanwei"
    assert at(state(call, handled)["answer_due_at"]) == at(tomorrow)
    take(call, handled, "feedback", role=OPERATOR, note="done")
    take(call, handled, "verify_result", role=OPERATOR)
    assert code_of(take(call, handled, "close", role=CHIEF)) == "unanswered"
    assert answer(call, handled, demanded, note="swept twice").status_code == 200
    assert code_of(answer(call, handled, demanded)) == "not_waiting"
    assert state(call, handled)["answer_due_at"] is None
    assert take(call, handled, "close", role=CHIEF).status_code == 200


def test_a_dual_report_goes_to_the_grid_and_the_posted_officer(call, handled):
    rows = {
        "posts": [{"code": "p", "name": "岗", "grid": "q01"}],
        "people": [
            {"id": "a", "name": "周队员", "role": "officer", "post": "p"},
            {"id": "b", "name": "张支书", "role": "grid_head", "post": "p"},
        ],
    }
    for kind, given in rows.items():
        call("PUT", "/api/duty/rows", json={"kind": kind, "rows": given})
    ask(call, handled, "dual_report", note="a new heap")
    told = call("GET", f"/api/cases/{handled['id']}/records").json()["items"]
    assert [(each["reason"], each["note"]) for each in told] == [
        ("grid", "张支书: a new heap"),
        ("officer", "周队员: a new heap"),
    ]
    for each in told:
        assert answer(call, handled, each).status_code == 200
    assert state(call, handled)["waiting"] == 0


# escalation and powers


def test_a_case_goes_up_level_by_level_with_its_clock_running(call, handled):
    department(call, "town", level=2, grid="q01")
    department(call, "mayor", level=1, grid="city")
    before = state(call, handled)
    assert before["at_level"] == 3
    assert ask(call, handled, "escalation").status_code == 201
    up = state(call, handled)
    assert (up["at_level"], up["department"]["code"]) == (2, "town")
    ask(call, handled, "escalation")
    top = state(call, handled)
    assert (top["at_level"], top["department"]["code"]) == (1, "mayor")
    assert top["clock"] == before["clock"] | {"silent": top["clock"]["silent"]}
    assert code_of(ask(call, handled, "escalation")) == "illegal_record"
    assert acts(call, handled)[-2:] == ["escalate", "escalate"]


def test_a_level_settles_only_what_it_may(call, case):  # noqa: F811
    department(call, "village", level=3, grid="q01")
    rows = [{"matter": "06010", "level_to": 1, "grid_level": 2}]
    powers = call("PUT", "/api/settling-powers", json={"rows": rows}).json()
    assert powers["rows"][0]["grid_level"] == 2
    for action in ("file", "dispatch", "accept"):
        more = {"department": "village"} if action == "dispatch" else {}
        take(call, case, action, **more)
    assert code_of(take(call, case, "feedback", note="done")) == "above_power"
    ask(call, case, "escalation")
    assert take(call, case, "feedback", note="done").status_code == 200


def test_an_overdue_case_goes_up_by_itself(call, hub, handled):
    due = at(state(call, handled)["clock"]["due_at"])
    assert records.escalate_overdue(hub.store, hub.site, due + timedelta(minutes=1)) == 0
    for days, level in ((10, 2), (20, 1)):
        late = due + timedelta(days=days)
        assert records.escalate_overdue(hub.store, hub.site, late) == 1
        assert records.escalate_overdue(hub.store, hub.site, late) == 0
        assert state(call, handled)["at_level"] == level
    assert records.escalate_overdue(hub.store, hub.site, due + timedelta(days=40)) == 0


@pytest.mark.parametrize(
    "row",
    [
        {"matter": "99999", "grid_level": 2},
        {"level_from": 3, "level_to": 1, "grid_level": 2},
        {"grid_level": 4},
    ],
)
def test_a_bad_power_is_refused(call, row):
    assert call("PUT", "/api/settling-powers", json={"rows": [row]}).status_code == 422


# ownerless


def test_an_ownerless_case_goes_to_its_ground_and_is_made_safe_before_it_is_settled(call, case):  # noqa: F811
    department(call, "chengguan")
    department(call, "town", level=2, grid="q01")
    department(call, "mayor", level=1, grid="city")
    filed = take(call, case, "file", ownerless=True).json()
    assert filed["ownerless"]
    sent = take(call, case, "dispatch").json()
    assert (sent["department"]["code"], sent["dispatched_by_rule"]) == ("town", None)
    take(call, case, "accept")
    early = ask(call, case, "settlement", department="chengguan")
    assert code_of(early) == "make_safe_first"
    assert code_of(take(call, case, "feedback", note="done")) == "make_safe_first"
    assert ask(call, case, "made_safe", note="fenced off").status_code == 201
    assert ask(call, case, "settlement", department="chengguan").status_code == 201
    assert code_of(ask(call, case, "settlement", department="town")) == "used_up"
    assert take(call, case, "feedback", note="done").status_code == 200


def test_what_has_an_owner_is_not_settled(call, handled):
    ask(call, handled, "made_safe")
    assert code_of(ask(call, handled, "settlement", department="ziran")) == "illegal_record"


# all of it


def test_what_waits_is_listed_and_the_chain_is_whole(call, hub, handled):
    extend(call, handled)
    waiting = call("GET", "/api/case-records", params={"waiting": True}).json()
    assert [each["case_number"] for each in waiting["items"]] == [handled["number"]]
    assert state(call, handled)["waiting"] == 1
    decide(call, handled)
    assert call("GET", "/api/case-records", params={"waiting": True}).json()["total"] == 0
    with hub.store.read() as tx:
        assert audit.verify(tx) == []
