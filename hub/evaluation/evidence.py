"""Facts from the database, as they were known at a moment.

Only cases that something happened to in the span, or that were due in it, are read, each with its
whole history up to the moment asked for.
"""

import gc
import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from operator import itemgetter
from zoneinfo import ZoneInfo

from shapely import Polygon
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    CompoundSelect,
    Integer,
    Select,
    String,
    Table,
    cast,
    column,
    func,
    or_,
    select,
    type_coerce,
    union,
)
from sqlalchemy.engine import Connection

from hub import audit
from hub.alerts.store import alerts
from hub.cases import record_store
from hub.cases.clock_store import history
from hub.cases.power import LOWEST, settling_level
from hub.cases.record import Kind, RecordState
from hub.cases.store import cases, duties
from hub.evaluation.facts import CaseFacts, CheckFacts, Facts, OpinionFacts, ReportFacts, VisitFacts
from hub.evaluation.history import GRANTED_EXTENSION, PASSED_UP, Said, Sent, Story, Turn, story
from hub.evaluation.period import Span
from hub.grid.grid import Grid
from hub.grid.store import grids
from hub.intake.report import Channel
from hub.intake.store import reports
from hub.patrol import store as patrol_store
from hub.patrol.coverage import Frequency, Period, Span as DaySpan
from hub.patrol.store import Which
from hub.patrol.visit import Manner
from hub.proof.check import Result
from hub.proof.store import checks as checks_table
from hub.store import from_ms, path_of, plain, to_ms
from wire.alert import PlaceSource

Ids = Select[tuple[int]] | CompoundSelect[tuple[int]]
Plan = Mapping[int | None, Frequency]

EMPTY = Polygon()
BY_TIME, BY_NUMBER = itemgetter(0), itemgetter(4)
IN_PASSING = (PlaceSource.VEHICLE.value, PlaceSource.LAST.value)


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: the local days from `first` before `end`, as known at `as_of`."""

    span: Span
    first: date
    end: date
    as_of: datetime
    zone: ZoneInfo
    plan: Plan


def load(tx: Connection, asked: Question) -> Facts:
    """All there is to count in a span, as known at a moment.

    Nothing of it is garbage until it is done, and looking for some took a third of the time.
    """
    collects = gc.isenabled()
    gc.disable()
    try:
        return _loaded(tx, asked)
    finally:
        if collects:
            gc.enable()


def _loaded(tx: Connection, asked: Question) -> Facts:
    wanted = _looked_up(tx, _candidates(asked.span, asked.as_of))
    grids_then = grids_at(tx, asked.as_of)
    visits, patrolled = _visits(tx, asked, grids_then)
    found = _found(tx, wanted, asked.as_of)
    rounds: dict[int, list[CaseFacts]] = {}
    checks: list[CheckFacts] = []
    for case_id, told in _stories(tx, wanted, asked):
        rounds[case_id] = [_with_patrol(each, patrolled, asked.zone) for each in told.rounds]
        checks += (
            CheckFacts(
                rounds[case_id][check.round - 1],
                check.at_ms,
                found.get((case_id, check.claimed_ms), check.is_present),
            )
            for check in told.checks
        )
    return Facts(
        tuple(each for found in rounds.values() for each in found),
        tuple(checks),
        tuple(_reports(tx, asked, rounds)),
        tuple(visits),
        tuple(_opinions(tx, asked, rounds)),
    )


def _candidates(span: Span, as_of: datetime) -> Ids:
    """Ids of the cases that can be in any denominator of a span."""
    since, until = from_ms(span.start_ms), from_ms(span.until_ms)

    def within(column: ColumnElement[datetime]) -> ColumnElement[bool]:
        return (column >= since) & (column < until) & (history.c.at <= as_of)

    told = reports.c.received_at.between(since, until) & reports.c.case_id.is_not(None)
    opinion = record_store.records.c
    asked = (opinion.kind == Kind.JOINT.value) & (opinion.at <= as_of)
    return union(
        select(history.c.case_id).where(within(history.c.at)),
        select(history.c.case_id).where(within(history.c.due_at)),
        select(history.c.case_id).where(within(history.c.stage_due_at)),
        select(reports.c.case_id).where(told),
        select(opinion.case_id).where(asked, opinion.until >= since, opinion.until < until),
    )


def _looked_up(tx: Connection, wanted: Ids) -> Ids:
    """The same ids for many questions: SQLite would look them up anew for each."""
    if tx.dialect.name != "sqlite":
        return wanted
    ids = json.dumps(sorted(tx.execute(wanted).scalars()), separators=(",", ":"))
    listed = func.json_each(ids).table_valued(column("value", Integer))
    return select(listed.c.value.label("case_id"))


def _stories(tx: Connection, wanted: Ids, asked: Question) -> Iterator[tuple[int, Story]]:
    turns: defaultdict[str, list[Turn]] = defaultdict(list)
    subjects = select(cast(wanted.subquery().c.case_id, String))
    act = audit.entries.c
    happened = select(
        type_coerce(act.at, BigInteger), act.action, act.from_state, act.to_state, act.id,
        act.subject,
    ).where(act.kind == "case", act.subject.in_(subjects), act.at <= asked.as_of)  # fmt: skip
    for turn in plain(tx, happened):
        turns[turn[5]].append(turn)
    records = _records(tx, wanted, asked.as_of)
    powers = record_store.load_powers(tx)
    said, sent = _said(tx, wanted, asked.as_of), _sent(tx, wanted, asked.as_of)
    by_patrol = reports.c.channel == Channel.PATROL.value
    seen = _first(tx, alerts, wanted, asked.as_of, alerts.c.place.not_in(IN_PASSING))
    walked = _first(tx, reports, wanted, asked.as_of, by_patrol)
    paths: dict[str, tuple[str, ...]] = {}
    case = cases.c
    about = select(
        case.id, case.source, case.matter, case.level, type_coerce(case.path, String),
        case.generated,
    ).where(case.id.in_(select(wanted.subquery().c.case_id)))  # fmt: skip
    for number, source, matter, level, path, generated in tx.execute(about):
        told = turns.get(str(number))
        if not told:
            continue
        told.sort(key=BY_NUMBER)
        if number in records:
            told = sorted([*told, *records[number]], key=BY_TIME)
        if path not in paths:
            paths[path] = path_of(path)
        fixed = {
            "id": number,
            "channel": source,
            "matter": matter,
            "level": level,
            "path": paths[path],
            "generated": generated,
            "above_level": settling_level(matter, level, powers) < LOWEST,
            "seen_ms": seen.get(number),
            "patrol_ms": walked.get(number),
        }
        yield (
            number,
            story(fixed, told, said.get(number, ()), sent.get(number, ())),
        )


def _said(tx: Connection, wanted: Ids, as_of: datetime) -> dict[int, list[Said]]:
    clock = history.c
    found = select(
        type_coerce(clock.at, BigInteger), type_coerce(clock.due_at, BigInteger),
        type_coerce(clock.stage_due_at, BigInteger), clock.case_id,
    ).where(clock.case_id.in_(select(wanted.subquery().c.case_id)), clock.at <= as_of)  # fmt: skip
    said: defaultdict[int, list[Said]] = defaultdict(list)
    for word in plain(tx, found.order_by(clock.id)):
        said[word[3]].append(word)
    return said


def _sent(tx: Connection, wanted: Ids, as_of: datetime) -> dict[int, list[Sent]]:
    duty = duties.c
    found = select(
        duty.case_id, type_coerce(duty.at, BigInteger), duty.department, duty.officer
    ).where(duty.case_id.in_(select(wanted.subquery().c.case_id)), duty.at <= as_of)
    sent: defaultdict[int, list[Sent]] = defaultdict(list)
    for case_id, at_ms, department, officer in tx.execute(found.order_by(duty.id)):
        sent[case_id].append((at_ms, department, officer))
    return sent


def _records(tx: Connection, wanted: Ids, as_of: datetime) -> dict[int, list[Turn]]:
    """Extensions that were granted and steps up the ladder, by case."""
    record = record_store.records.c
    granted = (record.kind == Kind.EXTENSION) & (record.state == RecordState.APPROVED)
    when = func.coalesce(record.decided_at, record.at)
    found = select(record.case_id, record.kind, type_coerce(when, BigInteger)).where(
        record.case_id.in_(select(wanted.subquery().c.case_id)),
        granted | (record.kind == Kind.ESCALATION),
        when <= as_of,
    )
    turns: defaultdict[int, list[Turn]] = defaultdict(list)
    for case_id, kind, at_ms in tx.execute(found):
        action = GRANTED_EXTENSION if kind == Kind.EXTENSION else PASSED_UP
        turns[case_id].append((at_ms, action, "", "", 0, ""))
    return turns


def _found(tx: Connection, wanted: Ids, as_of: datetime) -> dict[tuple[int, int], bool]:
    """Whether checks with an answer found the thing still there, by case and time of the claim."""
    check = checks_table.c
    answered = select(
        check.case_id, type_coerce(check.claimed_at, BigInteger), check.result
    ).where(
        check.case_id.in_(select(wanted.subquery().c.case_id)),
        check.checked_at <= as_of,
        check.result.in_([Result.PRESENT.value, Result.GONE.value]),
    )  # fmt: skip
    return {
        (case_id, claimed_ms): result == Result.PRESENT
        for case_id, claimed_ms, result in tx.execute(answered.order_by(check.checked_at))
    }


def _first(
    tx: Connection, table: Table, wanted: Ids, as_of: datetime, which: ColumnElement[bool]
) -> dict[int, int]:
    """When each case was first told of in a table of alerts or reports."""
    case_id, at = table.c.case_id, table.c.received_at
    earliest = type_coerce(func.min(at), BigInteger)
    found = select(case_id, earliest).where(
        case_id.in_(select(wanted.subquery().c.case_id)), at <= as_of, which
    )
    return {row[0]: row[1] for row in tx.execute(found.group_by(case_id))}


def _reports(
    tx: Connection, asked: Question, rounds: Mapping[int, Sequence[CaseFacts]]
) -> Iterator[ReportFacts]:
    report, span = reports.c, asked.span
    found = select(
        report.id, type_coerce(report.received_at, BigInteger), report.case_id, report.channel,
        report.matter, report.urgency, report.path,
    ).where(
        report.received_at >= from_ms(span.start_ms), report.received_at < from_ms(span.until_ms)
    ).order_by(report.id)  # fmt: skip
    for number, at_ms, case_id, channel, matter, urgency, path in tx.execute(found):
        first = rounds[case_id][0] if case_id in rounds else None
        about = CaseFacts(
            case_id or 0, 1, channel, matter, urgency, path,
            first.department if first else None, first.officer if first else None,
        )  # fmt: skip
        is_valid = first is not None and first.filed_ms is not None
        yield ReportFacts(number, at_ms, is_valid, about)


def _opinions(
    tx: Connection, asked: Question, rounds: Mapping[int, Sequence[CaseFacts]]
) -> Iterator[OpinionFacts]:
    """What partners were asked and had to answer in the span.

    An opinion that fell away with its case before it was due had not to be given.
    """
    record, span = record_store.records.c, asked.span
    found = select(
        record.id, record.case_id, record.department, record.state,
        type_coerce(record.until, BigInteger), type_coerce(record.decided_at, BigInteger),
    ).where(
        record.kind == Kind.JOINT.value, record.at <= asked.as_of,
        record.until >= from_ms(span.start_ms), record.until < from_ms(span.until_ms),
    ).order_by(record.id)  # fmt: skip
    as_of_ms = to_ms(asked.as_of)
    for number, case_id, partner, state, due_ms, settled_ms in tx.execute(found):
        if case_id not in rounds:
            continue
        by_then = settled_ms if settled_ms is not None and settled_ms <= as_of_ms else None
        if state == RecordState.LAPSED and by_then is not None and by_then < due_ms:
            continue
        about = replace(rounds[case_id][-1], department=partner, officer=None)
        answered_ms = by_then if state == RecordState.ANSWERED else None
        yield OpinionFacts(number, due_ms, answered_ms, about)


def grids_at(tx: Connection, as_of: datetime) -> list[Grid]:
    """The grids in force at a moment, without their geometry."""
    grid = grids.c
    then = (grid.valid_from <= as_of) & or_(grid.valid_until.is_(None), grid.valid_until > as_of)
    found = tx.execute(
        select(grid.code, grid.name, grid.level, grid.parent).where(then).order_by(grid.id)
    )
    return [Grid(row.code, EMPTY, row.name, row.level, row.parent) for row in found]


def _visits(
    tx: Connection, asked: Question, grids_then: Sequence[Grid]
) -> tuple[list[VisitFacts], set[tuple[str, date]]]:
    """Visits that were due, and on which days each grid had any.

    What a day or week that still runs waits for is not due, nor what lay before a grid was known.
    """
    today = asked.as_of.astimezone(asked.zone).date()
    days = DaySpan(asked.first, min(asked.end, today + timedelta(days=1)), asked.zone, today)
    which = Which(*days.reach, manner=Manner.LOOKED, by=asked.as_of)
    made = {
        each.grid: Counter(each.days)
        for each in patrol_store.tallies(tx, which, which.since, which.until)
    }
    periods = {period: list(_turns(asked, days, period)) for period in Period}
    none: Counter[date] = Counter()
    facts = []
    paths, begun = _paths(grids_then), patrol_store.required_from(tx, asked.zone)
    for grid in grids_then:
        if grid.level not in asked.plan:
            continue
        about = CaseFacts(0, path=paths[grid.code])
        frequency, here, on = asked.plan[grid.level], begun[grid.code], made.get(grid.code, none)
        for ordinal, midnight_ms, within, is_over in periods[frequency.period]:
            count = sum(on[day] for day in within)
            is_due = is_over and within[0] >= here
            facts += [
                VisitFacts(ordinal, midnight_ms, nth, count >= nth, about)
                for nth in range(1, frequency.times + 1)
                if count >= nth or is_due
            ]
    return facts, {(grid, day) for grid, on in made.items() for day in on}


def _turns(
    asked: Question, days: DaySpan, period: Period
) -> Iterator[tuple[int, int, Sequence[date], bool]]:
    """Each day or week: its number, when it begins within the question, its days, if it is over."""
    for first, end in days.periods(period):
        midnight = datetime.combine(max(first, asked.first), datetime.min.time(), asked.zone)
        within = [first + timedelta(days=n) for n in range((end - first).days)]
        yield first.toordinal(), to_ms(midnight), within, not days.is_running(end)


def _paths(grids_then: Sequence[Grid]) -> dict[str, tuple[str, ...]]:
    """The grids above each, largest first, itself last."""
    parents = {grid.code: grid.parent for grid in grids_then}
    paths = {}
    for code in parents:
        path: list[str] = []
        above: str | None = code
        while above is not None and above in parents and above not in path:
            path.insert(0, above)
            above = parents[above]
        paths[code] = tuple(path)
    return paths


def _with_patrol(
    case: CaseFacts, patrolled: Collection[tuple[str, date]], zone: ZoneInfo
) -> CaseFacts:
    if not patrolled or case.reported_ms is None:
        return case
    day = from_ms(case.reported_ms).astimezone(zone).date()
    # The whole city is visited once a week; only what is smaller says that somebody was near.
    near = any((code, day) in patrolled for code in case.path[1:] or case.path)
    return replace(case, patrolled=near)
