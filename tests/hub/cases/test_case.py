from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given, strategies as st

from hub.cases.case import (
    ACTIONS,
    FINISHED,
    NEXT,
    STAGES,
    Case,
    IllegalStep,
    NotYourStep,
    ReasonNeeded,
    Stage,
    State,
    advance,
    offers,
    state_zh,
)
from hub.roles import RANK, Actor, Post, Role
from tests.hub.world import LAT, LON, NOON, after

# The table of the practice, state by state: where a case may go next.
TABLE = {
    "reported": {"verifying_report", "filed", "merged", "rejected"},
    "verifying_report": {"filed", "rejected", "merged"},
    "filed": {"dispatched", "cancelled"},
    "dispatched": {"handling", "returned"},
    "returned": {"dispatched", "filed", "cancelled"},
    "handling": {"handled", "returned", "suspended", "joint"},
    "joint": {"handled", "suspended"},
    "suspended": {"handling"},
    "handled": {"verifying_result"},
    "verifying_result": {"closed", "rework"},
    "rework": {"handled", "suspended"},
    "closed": {"watching", "reopened"},
    "watching": {"archived", "reopened"},
    "reopened": {"dispatched"},
    "merged": set(),
    "rejected": set(),
    "cancelled": set(),
    "archived": set(),
}
CHIEF = Actor("chief", Role.SUPERVISOR)
CREW = Actor("crew", Role.OPERATOR)


def a_case(state=State.REPORTED, handlers=()):
    return Case(
        id=1,
        number="AK20261123-0001",
        state=state,
        version=1,
        title="暴露垃圾",
        label="garbage",
        matter="06010",
        standard_ref="GB/T 47678.5-2026",
        level=1,
        lat=LAT,
        lon=LON,
        path=("city",),
        source="camera",
        generated=False,
        opened_at=NOON,
        updated_at=NOON,
        handlers=handlers,
    )


@pytest.mark.parametrize("state", State)
def test_the_table_is_the_practice(state):
    assert {to for (come_from, _), to in NEXT.items() if come_from == state} == TABLE[state]


def test_every_action_is_used_and_every_state_has_its_stage():
    assert {action for _, action in NEXT} == ACTIONS.keys()
    assert STAGES.keys() == set(State)
    assert STAGES[State.HANDLED] is Stage.FEEDBACK
    assert state_zh(State.HANDLED) == "已反馈"


@pytest.mark.parametrize(("state", "action"), list(product(State, ACTIONS)))
def test_a_step_follows_from_the_table_or_is_refused(state, action):
    case = a_case(state)
    if (state, action) not in NEXT:
        with pytest.raises(IllegalStep, match=f"is {state}; cannot {action} it"):
            advance(case, action, CHIEF, "because", after(1))
        return
    moved = advance(case, action, CHIEF, "because", after(1))
    assert (moved.state, moved.version) == (NEXT[state, action], 2)
    assert moved.is_open is (moved.state not in FINISHED)
    assert (moved.closed_at is not None) is (moved.state in FINISHED)


def test_an_unknown_action_names_what_is_possible():
    with pytest.raises(IllegalStep, match="possible: dispatch, cancel"):
        advance(a_case(State.FILED), "explode", CHIEF, "", NOON)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize(("state", "action"), list(NEXT))
def test_a_lower_role_may_not(state, action, role):
    actor = Actor("someone", role)
    if RANK[role] >= RANK[ACTIONS[action].role]:
        advance(a_case(state), action, actor, "because", NOON)
        return
    with pytest.raises(NotYourStep, match=f"needs the role {ACTIONS[action].role}"):
        advance(a_case(state), action, actor, "because", NOON)


@pytest.mark.parametrize(
    ("state", "action"),
    [
        (State.HANDLING, "return"),
        (State.VERIFYING_RESULT, "rework"),
        (State.REPORTED, "reject"),
        (State.CLOSED, "reopen"),
        (State.HANDLING, "suspend"),
    ],
)
@pytest.mark.parametrize("note", ["", "  \n"])
def test_a_reason_is_needed(state, action, note):
    with pytest.raises(ReasonNeeded):
        advance(a_case(state), action, CHIEF, note, NOON)


@pytest.mark.parametrize("actor", [CHIEF, Actor("root", Role.ADMIN)])
def test_who_handled_never_closes(actor):
    case = a_case(State.DISPATCHED)
    for action in ("accept", "feedback", "verify_result"):
        case = advance(case, action, actor, "done", NOON)
    for action in ("close", "rework"):
        with pytest.raises(NotYourStep, match="handled case"):
            advance(case, action, actor, "fine", NOON)
    assert advance(case, "close", Actor("other", Role.SUPERVISOR), "", NOON).state == "closed"


def test_the_memory_of_who_handled_outlives_a_rework():
    case = a_case(State.REWORK, handlers=("crew",))
    case = advance(case, "feedback", Actor("second", Role.OPERATOR), "again", NOON)
    assert case.handlers == ("crew", "second")


def test_offers_say_why_not():
    case = a_case(State.VERIFYING_RESULT, handlers=("chief",))
    why = {offer.action: offer.why_not for offer in offers(case, CHIEF)}
    assert why.keys() == {"close", "rework"}
    assert "handled case" in why["close"]
    assert {offer.why_not for offer in offers(case, Actor("x", Role.SUPERVISOR))} == {""}


def test_a_closed_case_keeps_its_time_of_closing_while_watched():
    case = advance(a_case(State.VERIFYING_RESULT), "close", CHIEF, "", after(10))
    case = advance(case, "watch", CHIEF, "", after(20))
    assert case.closed_at == after(10)
    assert advance(case, "reopen", CHIEF, "back again", after(30)).closed_at is None


@given(st.lists(st.sampled_from(sorted(ACTIONS)), max_size=30))
def test_whatever_is_tried_a_case_only_walks_the_table(actions):
    case = a_case()
    for action in actions:
        before = case
        try:
            case = advance(case, action, CHIEF, "because", NOON)
        except (IllegalStep, NotYourStep):
            assert case is before
            continue
        assert case.state in TABLE[before.state]
        assert not (case.state is State.CLOSED and "chief" in case.handlers)


def test_nobody_of_the_department_that_handled_it_judges_the_result():
    case = replace(a_case(State.VERIFYING_RESULT), department="huanwei")
    theirs = Actor("w", Role.SUPERVISOR, posts=(Post(Role.SUPERVISOR, department="huanwei"),))
    others = Actor("w", Role.SUPERVISOR, posts=(Post(Role.SUPERVISOR, department="ziran"),))
    for action in ("close", "rework"):
        with pytest.raises(NotYourStep, match="may not judge"):
            advance(case, action, theirs, "why", NOON)
        assert advance(case, action, others, "why", NOON).state is not case.state
