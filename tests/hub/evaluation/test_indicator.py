"""The table of indicators: each row by facts made for it, and its page in the documents."""

from dataclasses import replace
from pathlib import Path

import pytest

from hub.cases.case import State
from hub.evaluation.facts import CaseFacts, CheckFacts, ReportFacts, VisitFacts
from hub.evaluation.indicator import BY_ID, INDICATORS, Measure, measure, measure_by
from hub.evaluation.period import Span
from hub.evaluation.reference import page

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "indicators.md"
SPAN = Span(0, 1000)
DONE = CaseFacts(
    1, channel="phone", reported_ms=10, filed_ms=20, dispatch_due_ms=40, dispatched_ms=30,
    verify_report_due_ms=15, verified_report_ms=15, due_ms=500, handled_ms=400, check_due_ms=450,
    checked_ms=440, closed_ms=440, seen_ms=50, patrol_ms=10, state=State.CLOSED, patrolled=True,
    above_level=True,
)  # fmt: skip


@pytest.mark.parametrize(
    ("indicator", "changes", "counted"),
    [
        ("handle_rate", {}, True),
        ("handle_rate", {"handled_ms": None}, False),
        ("on_time_handle_rate", {"handled_ms": 500}, True),
        ("on_time_handle_rate", {"handled_ms": 501}, False),
        ("close_rate", {"closed_ms": None}, False),
        ("on_time_close_rate", {}, True),
        ("on_time_close_rate", {"handled_ms": 501}, False),
        ("on_time_close_rate", {"reopened_ms": 900}, False),
        ("rework_rate", {"reworks": 1}, True),
        ("extension_rate", {"extensions": 1}, True),
        ("overdue_open_rate", {"handled_ms": None}, True),
        ("overdue_open_rate", {}, False),
        ("dispatch_accuracy", {"returns": 1}, False),
        ("on_time_dispatch_rate", {"dispatched_ms": 41}, False),
        ("on_time_file_rate", {"file_late": True}, False),
        ("file_accuracy", {"corrections": 1}, False),
        ("on_time_verify_report_rate", {"verified_report_ms": 16}, False),
        ("on_time_verify_result_rate", {"check_late": True}, False),
        ("open_rate", {}, False),
        ("dispatch_rate", {"dispatched_ms": None}, False),
        ("escalation_rate", {"passed_up": True}, True),
        ("escalation_rate", {}, False),
        ("discovery_rate", {}, True),
        ("discovery_rate", {"patrol_ms": 60}, False),
        ("rebound_rate", {"reopened_ms": 900}, True),
        ("patrol_action_rate", {}, False),
        ("patrol_action_rate", {"channel": "patrol"}, True),
        ("patrol_share", {"channel": "patrol"}, True),
        ("solved_in_grid_rate", {"passed_up": True}, False),
    ],
)
def test_a_case_is_counted_by_the_rule_of_its_row(indicator, changes, counted):
    found = measure(BY_ID[indicator], [replace(DONE, **changes)], SPAN)
    assert found == Measure(indicator, (1,) if counted else (), (1,))


@pytest.mark.parametrize(
    ("indicator", "changes"),
    [
        ("close_rate", {"due_ms": 1000}),
        ("close_rate", {"due_ms": None}),
        ("close_rate", {"state": State.SUSPENDED}),
        ("close_rate", {"state": State.CANCELLED}),
        ("dispatch_accuracy", {"dispatch_due_ms": 1000}),
        ("file_accuracy", {"filed_ms": None}),
        ("open_rate", {"reported_ms": None}),
        ("discovery_rate", {"state": State.REJECTED}),
        ("escalation_rate", {"above_level": False}),
        ("rebound_rate", {"closed_ms": 1000}),
    ],
)
def test_what_is_in_no_denominator_is_counted_nowhere(indicator, changes):
    found = measure(BY_ID[indicator], [replace(DONE, **changes)], SPAN)
    assert (found.denominator, found.value) == ((), None)


def test_suspended_cases_are_due_when_the_switch_says_so():
    held = replace(DONE, state=State.SUSPENDED)
    assert measure(BY_ID["close_rate"], [held], Span(0, 1000, with_suspended=True)).denominator


def test_checks_reports_and_visits_are_counted_one_by_one():
    checks = [CheckFacts(DONE, 10, True), CheckFacts(DONE, 20, False), CheckFacts(DONE, 2000, True)]
    assert measure(BY_ID["false_rectification_rate"], checks, SPAN).value == 0.5
    told = [ReportFacts(n, 10, n == 1, DONE) for n in (1, 2, 3, 4)]
    assert measure(BY_ID["valid_report_rate"], told, SPAN).value == 0.25
    visits = [VisitFacts(7, 10, 1, True, DONE), VisitFacts(7, 10, 2, False, DONE)]
    assert measure(BY_ID["patrol_coverage"], visits, SPAN).value == 0.5
    assert measure(BY_ID["patrol_seen_rate"], visits, SPAN).value == 1


def test_groups_add_up_to_the_whole():
    cases = [replace(DONE, id=n, department=f"d{n % 3}" if n % 4 else None) for n in range(40)]
    groups = measure_by(BY_ID["close_rate"], cases, SPAN, lambda case: case.department)
    assert sorted(groups) == ["d0", "d1", "d2"]
    assert sum(len(each.denominator) for each in groups.values()) == 30


def test_identifiers_and_names_are_used_once():
    for name in ("id", "zh", "en"):
        assert len({getattr(each, name) for each in INDICATORS}) == len(INDICATORS)


def test_the_page_is_what_the_table_says():
    assert PAGE.read_text(encoding="utf-8") == page()
