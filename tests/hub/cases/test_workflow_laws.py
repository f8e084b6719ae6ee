"""Laws of the workflow, over random acts of several people on real rows.

Who handled a case never closes it; a suspended clock never counts; an extension never shortens;
every change is in the history, and the chain of it is whole.
"""

import shutil
import tempfile
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings, strategies as st

from hub import audit, records, steps
from hub.calendar import store as calendar_store
from hub.calendar.limit import TimeLimit, Unit
from hub.cases import clock_store, record_store, store as case_store
from hub.cases.case import ACTIONS, NEXT, SEVERAL, State, WantedStep
from hub.cases.clock import ClockState
from hub.cases.opening import open_all
from hub.cases.record import Kind, RecordState
from hub.departments import store as department_store
from hub.departments.department import Department
from hub.errors import Problem
from hub.roles import Actor, Post, Role
from tests.hub.cases.test_case import a_case
from tests.hub.stores import open_store
from tests.hub.world import NOON, make_site

PEOPLE = [
    Actor("li", Role.OPERATOR),
    Actor("wang", Role.SUPERVISOR),
    Actor("zhao", Role.SUPERVISOR),
    Actor("crew", Role.HANDLER, posts=(Post(Role.HANDLER, department="huanwei"),)),
]
HANDLING = {"accept", "feedback", "answer_joint"}
SAID = {"warned", "overdue", "silent", "stage_overdue"}
ROAD = ["file", "dispatch", "accept"]

someone = st.integers(0, len(PEOPLE) - 1)
acts = st.one_of(
    st.tuples(st.just("step"), st.sampled_from([*ACTIONS, *SEVERAL]), someone),
    st.tuples(st.just("judge"), st.sampled_from(["close", "rework"]), someone),
    st.tuples(st.just("step"), st.just("suspend"), st.just(1)),
    st.tuples(st.just("record"), st.sampled_from([*Kind]), someone),
    st.tuples(st.just("decide"), st.booleans(), someone),
    st.tuples(st.just("answer"), st.just(""), someone),
    st.tuples(st.just("wait"), st.integers(1, 40), st.just(0)),
)


class World:
    """A case, the time, and what is checked after every act."""

    def __init__(self, store, site, patch):
        self.store, self.site, self.at = store, site, NOON
        for module in (steps, records):
            patch.setattr(module, "now", lambda: self.at)
        with store.write() as tx:
            found = [Department("huanwei", "环卫处"), Department("ziran", "市自然资源局", level=1)]
            department_store.put(tx, found, NOON)
            (case,) = open_all(
                tx, [lambda _: a_case()], prefix="AK", zone=site.config.zone, at=NOON,
                actor=PEOPLE[0],
            )  # fmt: skip
        self.id = case.id

    def look(self):
        with self.store.read() as tx:
            case = case_store.load(tx, [self.id])[self.id]
            kept = record_store.of_cases(tx, [self.id])[self.id]
            return case, clock_store.load(tx, [self.id])[self.id], kept

    def step(self, action, actor):
        case, _, _ = self.look()
        sends = action in ("dispatch", "redirect", "join")
        other = "ziran" if case.department == "huanwei" else "huanwei"
        wanted = WantedStep(
            action, case.version, "why", department=other if sends else None,
            until=self.at + timedelta(days=30), reason="season",
            partners=("huanwei",) if other == "ziran" else ("ziran",),
        )  # fmt: skip
        steps.take_step(self.store, self.site, self.id, wanted, actor)

    def judge(self, verdict, actor):
        """Report it done and judge the result, all by one person as far as he may."""
        for action in ("feedback", "verify_result", verdict):
            with suppress(Problem):
                self.step(action, actor)

    def record(self, kind, actor):
        case, _, _ = self.look()
        wanted = records.WantedRecord(
            kind, case.version, "why", until=self.at + timedelta(days=9),
            extra=TimeLimit(3, Unit.WORK_HOUR), reason="season", department="ziran",
        )  # fmt: skip
        records.record(self.store, self.site, self.id, wanted, actor)

    def decide(self, approve, actor):
        case, _, kept = self.look()
        for each in [one for one in kept if one.state is RecordState.ASKED][:1]:
            said = records.Said(case.version, "why")
            records.decide(self.store, self.site, each.id, said, approve=approve, actor=actor)

    def answer(self, _, actor):
        case, _, kept = self.look()
        for each in [one for one in kept if one.state is RecordState.OPEN][:1]:
            said = records.Said(case.version, "why")
            records.answer(self.store, self.site, each.id, said, actor=actor)

    def wait(self, hours, _):
        self.at += timedelta(hours=hours)
        records.resume_suspended(self.store, self.site, self.at)
        steps.say_what_is_due(self.store, self.at)
        records.escalate_overdue(self.store, self.site, self.at)

    def check(self, before):
        case, clock, kept = self.look()
        was, ticked, had = before
        if case.state is State.SUSPENDED:
            assert clock.state(self.at + timedelta(days=400)) is ClockState.STOPPED
        if was.state is State.SUSPENDED and case.state is State.HANDLING:
            calendar = self._calendar()
            left_s = calendar.counted_s(clock.stopped_at or self.at, clock.due_at, clock.limit.unit)
            assert left_s <= ticked.left_s + 0.01
        granted = [len([r for r in rs if r.state is RecordState.APPROVED]) for rs in (had, kept)]
        if granted[1] > granted[0] and case.state is was.state:
            assert clock.due_at >= ticked.due_at
        assert case.version >= was.version

    def _calendar(self):
        with self.store.read() as tx:
            return calendar_store.calendar(tx, self.site.config.zone)

    def check_history(self):
        case, _, _ = self.look()
        with self.store.read() as tx:
            history = audit.of(tx, "case", str(self.id))
            assert audit.verify(tx) == []
        handled: set[str] = set()
        state = ""
        for act in history:
            assert act.from_state == state
            if act.to_state != act.from_state and act.from_state:
                assert NEXT[State(act.from_state), act.action] == act.to_state
            if act.action in HANDLING:
                handled.add(act.actor)
            if act.action in ("close", "rework"):
                assert act.actor not in handled
            state = act.to_state
        assert state == case.state
        moves = [act for act in history if act.action not in SAID]
        assert case.version == len(moves)


@settings(
    max_examples=30,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # shrinking takes minutes of database
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(acts, min_size=5, max_size=30))
def test_the_laws_hold_whatever_people_do(sqlite_template, several):
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        store = open_store(f"sqlite:///{shutil.copy(sqlite_template, folder)}")
        world = World(store, make_site(store, Path(folder)), patch)
        road = [("step", action, 0) for action in ROAD]
        for what, argument, who in [*road, *several]:
            before = world.look()
            try:
                getattr(world, what)(argument, PEOPLE[who])
            except Problem:
                case, clock, kept = world.look()
                assert (case, clock, kept) == before
            world.check(before)
        world.check_history()
        store.close()
