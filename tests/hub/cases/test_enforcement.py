"""The eleven steps of a penalty: in order, with their papers, by the right people."""

from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given, strategies as st

from hub import audit
from hub.cases import enforcement_api, enforcement_store
from hub.cases.enforcement import (
    FOLLOWING,
    NAMES_ZH,
    BadProcedure,
    Enforcement,
    Procedure,
    Taken,
    may_take,
)
from hub.published import of_cases
from hub.roles import Role
from hub.store import now
from tests.hub.cases.test_dispatch import CALENDAR
from tests.hub.test_api import case  # noqa: F401
from tests.hub.world import NOON


@pytest.fixture
def hub(each_hub):
    return each_hub


@pytest.fixture
def call(each_call):
    return each_call


TEXT = {"basis": "城乡规划法第六十四条", "matter": "私搭乱建", "result": "限期拆除"}


def begin(call, case, party="王小明建材店"):  # noqa: F811
    return call("POST", f"/api/cases/{case['id']}/enforcement", json={"party": party})


def step(call, case, name, role=Role.OPERATOR, **more):  # noqa: F811
    path = f"/api/cases/{case['id']}/enforcement"
    version = call("GET", path).json()["version"]
    body = {"version": version, "step": name, "document": f"安执〔2026〕{name}"} | more
    if name == "investigate":
        body = {"officers": ["李队员", "赵队员"]} | body
    if name == "notify":
        body = {"hearing_applies": False} | body
    role = Role.SUPERVISOR if name == "review" else role
    return call("POST", f"{path}/steps", role=role, json=body)


def go(call, case, *names):  # noqa: F811
    for name in names:
        answer = step(call, case, name)
        assert answer.status_code == 200, answer.text
    return answer.json()


def publish(call, case, role=Role.SUPERVISOR, **more):  # noqa: F811
    path = f"/api/cases/{case['id']}/enforcement"
    body = {"version": call("GET", path).json()["version"], "publish": True} | TEXT | more
    return call("PUT", f"{path}/public", role=role, json=body)


def code_of(answer):
    return answer.json()["error"]["code"]


def test_there_are_eleven_steps_in_the_papers_order():
    assert "、".join(NAMES_ZH.values()) == (
        "登记、立案、调查取证、联合执法、审查、告知、听证、决定、送达、申请强制执行、备案"
    )
    assert set(FOLLOWING) == {None, *Procedure}


def test_a_penalty_runs_through_all_eleven_steps(call, hub, case):  # noqa: F811
    begun = begin(call, case).json()
    assert (begun["steps"][0]["step_zh"], begun["following"]) == ("登记", ["file"])
    go(call, case, "file", "investigate", "joint_enforcement", "review")
    assert step(call, case, "notify", hearing_applies=True).json()["following"] == [
        "hearing",
        "decide",
    ]
    done = go(call, case, "hearing", "decide", "serve", "enforce", "record")
    assert [each["step"] for each in done["steps"]] == list(Procedure)
    assert done["following"] == []
    with hub.store.read() as tx:
        kept = audit.of(tx, "enforcement", str(case["id"]))
        assert [each.action for each in kept] == list(Procedure)
        assert audit.verify(tx) == []


def test_a_step_that_does_not_follow_is_refused_with_what_does(call, case):  # noqa: F811
    begin(call, case)
    refused = step(call, case, "decide")
    assert (refused.status_code, refused.json()["error"]["allowed"]) == (409, "file")
    assert code_of(begin(call, case)) == "taken"


@pytest.mark.parametrize(
    ("name", "more", "code"),
    [
        ("file", {"document": " "}, "document_needed"),
        ("investigate", {"officers": ["李队员"]}, "two_officers"),
        ("investigate", {"officers": ["李队员", "李队员"]}, "two_officers"),
        ("notify", {"hearing_applies": None}, "hearing_unsaid"),
        ("file", {"version": 9}, "stale"),
    ],
)
def test_a_step_lacks_something(call, case, name, more, code):  # noqa: F811
    begin(call, case)
    road = ["file", "investigate", "review", "notify"]
    go(call, case, *road[: road.index(name)]) if road.index(name) else None
    assert code_of(step(call, case, name, **more)) == code


def test_who_investigated_does_not_review(call, case):  # noqa: F811
    begin(call, case)
    go(call, case, "file")
    step(call, case, "investigate", role=Role.SUPERVISOR)
    assert code_of(step(call, case, "review")) == "not_your_step"


def test_a_hearing_is_held_only_where_one_applies(call, case):  # noqa: F811
    begin(call, case)
    go(call, case, "file", "investigate", "review", "notify")
    assert code_of(step(call, case, "hearing")) == "no_hearing"
    assert step(call, case, "decide").status_code == 200


def test_a_party_has_five_working_days_to_ask_for_its_hearing(call, case, monkeypatch):  # noqa: F811
    begin(call, case)
    go(call, case, "file", "investigate", "review")
    step(call, case, "notify", hearing_applies=True)
    assert code_of(step(call, case, "decide")) == "hearing_open"
    soon, later = now() + timedelta(days=4), now() + timedelta(days=20)
    monkeypatch.setattr(enforcement_api, "now", lambda: soon)
    assert code_of(step(call, case, "decide")) == "hearing_open"
    monkeypatch.setattr(enforcement_api, "now", lambda: later)
    assert step(call, case, "decide").status_code == 200


def test_a_hearing_may_be_given_up_in_writing(call, case):  # noqa: F811
    begin(call, case)
    go(call, case, "file", "investigate", "review")
    step(call, case, "notify", hearing_applies=True)
    assert step(call, case, "decide", waived=True).status_code == 200


def served(call, case):  # noqa: F811
    begin(call, case)
    go(call, case, "file", "investigate", "review", "notify", "decide", "serve")


def test_what_everybody_may_read_is_published_by_a_supervisor(call, hub, case):  # noqa: F811
    begin(call, case)
    assert code_of(publish(call, case)) == "not_served"
    go(call, case, "file", "investigate", "review", "notify", "decide", "serve")
    assert publish(call, case, role=Role.OPERATOR, publish=False).status_code == 200
    assert code_of(publish(call, case, role=Role.OPERATOR)) == "forbidden"
    assert publish(call, case).json()["published_by"] == "supervisor-1"
    with hub.store.read() as tx:
        assert enforcement_store.published(tx, [case["id"]])[case["id"]].text.result == "限期拆除"
        shown = of_cases(tx, hub.site.places, [case["id"]])[case["id"]]
    assert shown.penalty.model_dump(include=set(TEXT)) == TEXT
    assert [step.step for step in shown.penalty.procedure][-3:] == ["notify", "decide", "serve"]
    assert "王小明" not in shown.model_dump_json()
    assert "队员" not in shown.model_dump_json()
    assert publish(call, case, publish=False).json()["published_at"] is None
    with hub.store.read() as tx:
        assert enforcement_store.published(tx, [case["id"]]) == {}
        assert of_cases(tx, hub.site.places, [case["id"]])[case["id"]].penalty is None


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"result": "对王小明建材店罚款"}, "personal_data"),
        ({"matter": "电话13812345678"}, "personal_data"),
        ({"basis": "610902199001011234"}, "personal_data"),
        ({"result": " "}, "text_missing"),
    ],
)
def test_no_personal_data_is_published(call, case, more, code):  # noqa: F811
    served(call, case)
    assert code_of(publish(call, case, **more)) == code


def test_a_reader_does_not_see_whom_it_is_about(call, case):  # noqa: F811
    path = f"/api/cases/{case['id']}/enforcement"
    nothing = call("GET", path, role=Role.VIEWER)
    assert (nothing.status_code, nothing.json()) == (200, None)
    begin(call, case)
    assert call("GET", path, role=Role.VIEWER).json()["party"] == "王**"
    assert call("GET", "/api/cases/77/enforcement").status_code == 404


@given(st.lists(st.sampled_from(list(Procedure)), max_size=40), st.booleans())
def test_whatever_is_tried_the_steps_stand_in_an_order_of_the_table(tried, applies):
    record = Enforcement(1, 0, "party")
    for number, name in enumerate(tried):
        wanted = Taken(
            name,
            NOON + timedelta(days=30 * number),
            "reviewer" if name is Procedure.REVIEW else "officer",
            "paper",
            officers=("a", "b"),
            hearing_applies=applies,
        )
        try:
            may_take(record, wanted, CALENDAR)
        except BadProcedure:
            continue
        record = Enforcement(1, 0, "party", (*record.steps, wanted))
    taken = [None, *(each.step for each in record.steps)]
    assert all(after in FOLLOWING[before] for before, after in pairwise(taken))
    assert applies or Procedure.HEARING not in taken
