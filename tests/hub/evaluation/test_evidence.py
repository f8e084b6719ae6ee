"""Facts from the database, through real steps, and what they come to as of any day."""

from datetime import timedelta

import pytest

from hub import records
from hub.app import Hub
from hub.calendar.limit import TimeLimit, Unit
from hub.cases import record_store, store as case_store
from hub.cases.record import Kind
from hub.cases.store import cases
from hub.departments import store as department_store
from hub.departments.department import Department
from hub.evaluation.grouping import By, Grouping
from hub.evaluation.indicator import BY_ID, measure_by
from hub.intake.report import Channel
from tests.hub.evaluation.city import CHIEF, MONDAY, WORKER
from tests.hub.evaluation.conftest import facts_of
from tests.hub.test_api import caller, client_of, tokens_of

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MONTH, AFTER = "2026-11", "2026-12"


def test_a_deadline_counts_in_the_period_it_falls_in_whenever_it_was_filed(city, figure):
    city.to_work(MONDAY + 25 * DAY)  # Friday: three work days are over on Wednesday, 2 December
    early = city.to_work(MONDAY)
    city.close(early, MONDAY + HOUR)
    assert figure("close_rate", MONTH) == (1, 1)
    assert figure("close_rate", AFTER) == (0, 1)
    assert figure("overdue_open_rate", AFTER) == (1, 1)


def test_what_is_due_later_is_not_due_yet(city, figure):
    city.to_work(MONDAY)
    assert figure("close_rate", MONTH, as_of=MONDAY + DAY) == (0, 0)
    assert figure("close_rate", MONTH, as_of=MONDAY + 4 * DAY) == (0, 1)


def test_a_figure_of_a_past_day_stays_when_cases_move_on(city, figure):
    late, back = city.to_work(MONDAY), city.to_work(MONDAY)
    city.close(back, MONDAY + HOUR)
    before = {name: figure(name, MONTH) for name in ("close_rate", "on_time_close_rate")}
    assert before == {"close_rate": (1, 2), "on_time_close_rate": (1, 2)}
    city.close(late, MONDAY + 40 * DAY)
    city.step(back, "reopen", MONDAY + 41 * DAY, note="it is there again")
    city.step(back, "dispatch", MONDAY + 41 * DAY)
    for name, was in before.items():
        assert figure(name, MONTH) == was
    now = MONDAY + 60 * DAY
    assert figure("close_rate", MONTH, as_of=now) == (2, 2)
    assert figure("on_time_close_rate", MONTH, as_of=now) == (0, 2)
    assert figure("close_rate", AFTER, as_of=now) == (0, 1)


def test_a_rebound_takes_back_the_credit_and_opens_a_second_round(city, figure):
    case = city.to_work(MONDAY)
    city.close(case, MONDAY + HOUR)
    assert figure("rebound_rate", MONTH, as_of=MONDAY + DAY) == (0, 1)
    city.step(case, "reopen", MONDAY + 2 * DAY, note="it is there again")
    city.steps(case, MONDAY + 2 * DAY, "dispatch", "accept")
    city.close(case, MONDAY + 2 * DAY + HOUR)
    assert figure("rebound_rate", MONTH) == (1, 2)
    assert figure("close_rate", MONTH) == (2, 2)
    assert figure("on_time_close_rate", MONTH) == (1, 2)
    facts, _ = facts_of(city, MONTH)
    assert [each.round for each in facts.cases] == [1, 2]
    assert facts.cases[1].reported_ms is None


def test_a_rework_is_not_handled_until_it_is_reported_done_again(city, figure):
    case = city.to_work(MONDAY)
    city.steps(case, MONDAY + HOUR, "feedback", "verify_result", "rework")
    assert figure("handle_rate", MONTH) == (0, 1)
    assert figure("rework_rate", MONTH) == (1, 1)
    assert figure("false_rectification_rate", MONTH) == (1, 1)
    city.close(case, MONDAY + 20 * DAY)
    assert figure("handle_rate", MONTH) == (1, 1)
    assert figure("on_time_handle_rate", MONTH) == (0, 1)
    assert figure("false_rectification_rate", MONTH) == (1, 2)


def test_suspended_cases_are_out_of_what_is_due_unless_asked_for(city, figure):
    case = city.to_work(MONDAY)
    city.step(case, "suspend", MONDAY + HOUR, note="waits for the dry season")
    assert figure("close_rate", MONTH) == (0, 0)
    assert figure("close_rate", MONTH, with_suspended=True) == (0, 1)
    city.step(case, "resume", MONDAY + 10 * DAY)
    assert figure("close_rate", MONTH) == (0, 1)


@pytest.mark.parametrize(("minutes", "expected"), [(14, 1), (16, 0)])
def test_filing_and_dispatch_have_their_quarter_of_an_hour(city, figure, minutes, expected):
    at, wait = MONDAY, timedelta(minutes=minutes)
    case = city.report(at)
    city.steps(case, at + wait, "file", "dispatch", every=wait)
    assert figure("on_time_file_rate", MONTH) == (expected, 1)
    assert figure("on_time_dispatch_rate", MONTH) == (expected, 1)
    assert figure("dispatch_accuracy", MONTH) == (1, 1)
    assert figure("dispatch_rate", MONTH) == (1, 1)


@pytest.mark.parametrize(("minutes", "expected"), [(29, 1), (31, 0)])
def test_the_two_checks_have_half_an_hour(city, figure, minutes, expected):
    at, wait = MONDAY, timedelta(minutes=minutes)
    case = city.report(at)
    city.steps(case, at, "verify_report", "file", every=wait)
    assert figure("on_time_verify_report_rate", MONTH) == (expected, 1)
    done = city.steps(case, at + HOUR, "dispatch", "accept", "feedback", "verify_result")
    city.step(case, "close", done + wait)
    assert figure("on_time_verify_result_rate", MONTH) == (expected, 1)


def test_a_wrong_filing_and_a_wrong_dispatch_are_counted(city, figure):
    right, wrong, gone = (city.report(MONDAY) for _ in range(3))
    city.steps(right, MONDAY, "file", "dispatch", every=timedelta(0))
    city.steps(
        wrong, MONDAY, "file", "dispatch", "return", "correct", "dispatch", every=timedelta(0)
    )
    city.steps(gone, MONDAY, "file", "cancel", every=timedelta(0))
    assert figure("file_accuracy", MONTH) == (1, 3)
    assert figure("dispatch_accuracy", MONTH) == (1, 3)


def test_reports_are_counted_one_by_one_and_are_valid_when_their_case_is_filed(city, figure):
    place = city.new_place()
    case = city.report(MONDAY, place=place)
    again = city.report(MONDAY, channel=Channel.PHONE, place=place)
    assert again == case
    assert city.report(MONDAY, channel=Channel.LETTER, matter=None) is None
    city.step(case, "file", MONDAY + HOUR)
    assert figure("valid_report_rate", MONTH, as_of=MONDAY + HOUR / 2) == (0, 3)
    assert figure("valid_report_rate", MONTH) == (2, 3)
    assert figure("patrol_share", MONTH) == (1, 1)


PARTNERS = {"SH": "in time", "JT": "too late", "GA": "never", "ZJ": "not needed"}


def test_partners_answer_for_their_silence(store, city, figure):
    with city.store.write() as tx:
        named = [Department(code, code) for code in ("CG", *PARTNERS)]
        department_store.put(tx, named, MONDAY - DAY)
    ids = {}
    for partner, answers in PARTNERS.items():
        case = city.report(MONDAY)
        city.step(case, "file", MONDAY)
        city.step(case, "dispatch", MONDAY, department="CG")
        city.step(case, "accept", MONDAY)
        city.step(case, "join", MONDAY, partners=(partner,), until=MONDAY + DAY)
        ids[partner] = case
        if answers in ("in time", "too late"):
            answer(city, case, MONDAY + (HOUR if answers == "in time" else DAY + HOUR))
        elif answers == "not needed":
            city.steps(case, MONDAY + HOUR, "suspend", "resume", "return", "cancel")
    assert figure("partner_answer_rate", MONTH, as_of=MONDAY + HOUR) == (0, 0)
    assert figure("partner_answer_rate", MONTH, as_of=MONDAY + 2 * DAY) == (1, 3)
    city.step(ids["GA"], "feedback", MONDAY + 3 * DAY)
    assert figure("partner_answer_rate", MONTH) == (1, 3)
    facts, span = facts_of(city, MONTH)
    by = measure_by(BY_ID["partner_answer_rate"], facts.opinions, span,
                    Grouping(By.DEPARTMENT).key())  # fmt: skip
    assert {code: (len(each.numerator), len(each.denominator)) for code, each in by.items()} == {
        "SH": (1, 1), "JT": (0, 1), "GA": (0, 1),
    }  # fmt: skip
    hub = Hub.build(city.site.config, store)
    call = caller(client_of(hub), tokens_of(hub))
    asked = {"period": MONTH, "indicator": "partner_answer_rate", "side": "rest"}
    silent = call("GET", "/api/evaluation/cases", params=asked).json()["items"]
    assert {each["id"] for each in silent} == {ids["JT"], ids["GA"]}


def answer(city, case, at):
    city.at(at)
    with city.store.read() as tx:
        (asked,) = record_store.of_cases(tx, [case])[case]
    said = records.Said(city.versions[case], "seen")
    records.answer(city.store, city.site, asked.id, said, actor=WORKER)
    city.versions[case] += 1


def test_facts_need_nothing_that_may_change_later(city):
    city.to_work(MONDAY)
    before, _ = facts_of(city, MONTH)
    with city.store.write() as tx:
        tx.execute(cases.update().values(state="archived", closed_at=None, version=99))
    assert facts_of(city, MONTH)[0] == before


def test_an_extension_that_was_granted_and_a_step_up_the_ladder_are_counted(city, figure):
    case = city.to_work(MONDAY)
    city.to_work(MONDAY)
    city.at(MONDAY + HOUR)
    limit = TimeLimit(2, Unit.WORK_DAY)
    wanted = records.WantedRecord(Kind.EXTENSION, 4, "the part is on its way", extra=limit)
    records.record(city.store, city.site, case, wanted, WORKER)
    assert figure("extension_rate", MONTH) == (0, 2)
    with city.store.read() as tx:
        (asked,) = record_store.of_cases(tx, [case])[case]
        version = case_store.load(tx, [case])[case].version
    city.at(MONDAY + 2 * HOUR)
    said = records.Said(version)
    records.decide(city.store, city.site, asked.id, said, approve=True, actor=CHIEF)
    assert figure("extension_rate", MONTH) == (1, 2)
    assert figure("extension_rate", MONTH, as_of=MONDAY + HOUR) == (0, 0)
    facts, _ = facts_of(city, MONTH)
    extended, plain = sorted(facts.cases, key=lambda each: each.id)
    assert extended.due_ms > plain.due_ms


def test_no_visit_was_due_before_the_grids_were_known(figure):
    """They came at noon of 23 November: the first whole day is the 24th."""
    assert figure("patrol_coverage", "2026-10") == (0, 0)
    day = figure("patrol_coverage", "2026-11-24")[1]
    assert day > 0
    assert figure("patrol_coverage", "2026-11-23") == (0, 0)
