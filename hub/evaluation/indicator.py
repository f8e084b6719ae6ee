"""The indicators (指标): what is counted, of what, and from where the rule comes.

One row each in `INDICATORS`. A figure is a share of a denominator; both are kept as the ids of
what they count, so that each opens into its cases. A figure with a small denominator is shown
with its counts and not ranked: a list led by a council with one case is no ranking.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from hub.cases.case import State
from hub.evaluation.facts import CaseFacts, Fact, Facts
from hub.evaluation.period import Span

MINIMUM = 10
"""The least denominator that is ranked."""


class Unit(StrEnum):
    """What an indicator counts."""

    CASE = "case"
    CHECK = "check"
    REPORT = "report"
    VISIT = "visit"
    OPINION = "opinion"


class Better(StrEnum):
    """Which way is good; `neither` describes and is not ranked."""

    HIGH = "high"
    LOW = "low"
    NEITHER = "neither"


@dataclass(frozen=True, slots=True)
class Indicator:
    """A row of the table.

    `of` says whether a fact is in the denominator, `counts` whether one of those is in the
    numerator.
    `says_zh` and `says_en` are the formula in words. `mark`: [2] two public sources agree, [1]
    one, [P] this project's own rule (see `docs/reference/indicators.md`).
    """

    id: str
    zh: str
    en: str
    says_zh: str
    says_en: str
    counts: Callable[[Any, Span], bool]
    of: Callable[[Any, Span], bool]
    mark: str
    better: Better = Better.HIGH
    unit: Unit = Unit.CASE


@dataclass(frozen=True, slots=True)
class Measure:
    """A figure: the ids of what is counted in the numerator and the denominator.

    A case that came back within the span is in them once for each of its rounds.
    """

    indicator: str
    numerator: tuple[int, ...]
    denominator: tuple[int, ...]

    @property
    def value(self) -> float | None:
        """The share, 0 to 1; None of nothing."""
        return len(self.numerator) / len(self.denominator) if self.denominator else None

    def is_ranked(self, minimum: int = MINIMUM) -> bool:
        """Whether there is enough to compare it with others'."""
        return len(self.denominator) >= minimum


def due(case: CaseFacts, span: Span) -> bool:
    """Whether it is due to be handled and closed (应处置、应结案): by its deadline, not its filing.

    Suspended cases are out unless the span says otherwise; cancelled ones always.
    """
    return (
        span.holds(case.due_ms)
        and (span.with_suspended or not case.is_suspended)
        and case.state is not State.CANCELLED
    )


def handled(case: CaseFacts, _span: Span) -> bool:
    """Reported done, and not sent back since."""
    return case.handled_ms is not None


def handled_in_time(case: CaseFacts, _span: Span) -> bool:
    """Reported done by its deadline."""
    return (
        case.handled_ms is not None and case.due_ms is not None and case.handled_ms <= case.due_ms
    )


def closed(case: CaseFacts, _span: Span) -> bool:
    """Closed after its check."""
    return case.closed_ms is not None


def closed_in_time(case: CaseFacts, span: Span) -> bool:
    """Closed, reported done by its deadline, and not come back: a rebound takes the credit."""
    return closed(case, span) and handled_in_time(case, span) and case.reopened_ms is None


def waits_overdue(case: CaseFacts, _span: Span) -> bool:
    """Past its deadline and nobody has reported it done."""
    return case.handled_ms is None


def in_time(done_ms: int | None, due_ms: int | None) -> bool:
    """Whether something was done by its deadline."""
    return done_ms is not None and due_ms is not None and done_ms <= due_ms


def patrolled_before_seen(case: CaseFacts, _span: Span) -> bool:
    """The grid's own patrol had reported it before the camera saw it."""
    return case.patrol_ms is not None and case.seen_ms is not None and case.patrol_ms < case.seen_ms


def _reported(case: CaseFacts, span: Span) -> bool:
    return span.holds(case.reported_ms)


def _filed(case: CaseFacts, span: Span) -> bool:
    return span.holds(case.filed_ms)


def _closed_within(case: CaseFacts, span: Span) -> bool:
    return span.holds(case.closed_ms)


def _must_pass_up(case: CaseFacts, span: Span) -> bool:
    return _filed(case, span) and case.above_level


def _seen(case: CaseFacts, span: Span) -> bool:
    return span.holds(case.seen_ms) and case.state is not State.REJECTED


INDICATORS: tuple[Indicator, ...] = (
    Indicator(
        "handle_rate", "处置率", "Handled", "已处置 ÷ 应处置", "handled ÷ due to be handled",
        handled, due, "2",
    ),
    Indicator(
        "on_time_handle_rate", "按期处置率", "Handled in time", "按期处置 ÷ 应处置",
        "handled in time ÷ due to be handled", handled_in_time, due, "2",
    ),
    Indicator(
        "close_rate", "结案率", "Closed", "已结案 ÷ 应结案", "closed ÷ due to be closed",
        closed, due, "2",
    ),
    Indicator(
        "on_time_close_rate", "按期结案率", "Closed in time", "按期结案 ÷ 应结案",
        "closed in time ÷ due to be closed", closed_in_time, due, "2",
    ),
    Indicator(
        "rework_rate", "返工率", "Reworked", "返工 ÷ 应结案", "reworked ÷ due to be closed",
        lambda case, _: case.reworks > 0, due, "1", Better.LOW,
    ),
    Indicator(
        "extension_rate", "延期率", "Extended", "延期 ÷ 应处置", "extended ÷ due to be handled",
        lambda case, _: case.extensions > 0, due, "1", Better.LOW,
    ),
    Indicator(
        "overdue_open_rate", "超期待处置率", "Overdue and open", "超期未处置 ÷ 应处置",
        "overdue and still open ÷ due to be handled", waits_overdue, due, "1", Better.LOW,
    ),
    Indicator(
        "dispatch_accuracy", "准确派遣率", "Dispatched right", "派遣无误 ÷ 应派遣",
        "dispatched and never returned ÷ due to be dispatched",
        lambda case, _: case.dispatched_ms is not None and case.returns == 0,
        lambda case, span: span.holds(case.dispatch_due_ms), "1",
    ),
    Indicator(
        "on_time_dispatch_rate", "按期派遣率", "Dispatched in time", "按期派遣 ÷ 应派遣",
        "dispatched in time ÷ due to be dispatched",
        lambda case, _: in_time(case.dispatched_ms, case.dispatch_due_ms),
        lambda case, span: span.holds(case.dispatch_due_ms), "1",
    ),
    Indicator(
        "on_time_file_rate", "按时立案率", "Filed in time", "按时立案 ÷ 立案",
        "filed in time ÷ filed", lambda case, _: not case.file_late, _filed, "1",
    ),
    Indicator(
        "file_accuracy", "准确立案率", "Filed right", "立案无误 ÷ 立案",
        "neither cancelled nor corrected since ÷ filed",
        lambda case, _: case.state is not State.CANCELLED and case.corrections == 0, _filed, "1",
    ),
    Indicator(
        "valid_report_rate", "有效上报率", "Valid reports", "有效上报 ÷ 上报",
        "reports whose case was filed ÷ reports",
        lambda report, _: report.is_valid,
        lambda report, span: span.holds(report.received_ms), "1", unit=Unit.REPORT,
    ),
    Indicator(
        "on_time_verify_report_rate", "按期核实率", "Verified in time", "按期核实 ÷ 应核实",
        "verified in time ÷ due to be verified",
        lambda case, _: in_time(case.verified_report_ms, case.verify_report_due_ms),
        lambda case, span: span.holds(case.verify_report_due_ms), "1",
    ),
    Indicator(
        "on_time_verify_result_rate", "按期核查率", "Checked in time", "按期核查 ÷ 应核查",
        "checked in time ÷ due to be checked",
        lambda case, _: in_time(case.checked_ms, case.check_due_ms) and not case.check_late,
        lambda case, span: span.holds(case.check_due_ms), "1",
    ),
    Indicator(
        "open_rate", "未结案率", "Not closed", "未结案 ÷ 上报", "not closed ÷ reported",
        lambda case, _: case.closed_ms is None, _reported, "1", Better.LOW,
    ),
    Indicator(
        "dispatch_rate", "派案率", "Dispatched", "已派遣 ÷ 立案", "dispatched ÷ filed",
        lambda case, _: case.dispatched_ms is not None, _filed, "P",
    ),
    Indicator(
        "escalation_rate", "上报率", "Passed up", "已逐级上报 ÷ 超出本级权限",
        "passed up ÷ above this level's power", lambda case, _: case.passed_up, _must_pass_up, "P",
    ),
    Indicator(
        "discovery_rate", "发现率", "Discovered", "巡查先行上报 ÷ 摄像头发现的问题",
        "reported by the grid's patrol before a camera saw it ÷ seen by cameras",
        patrolled_before_seen, _seen, "P",
    ),
    Indicator(
        "rebound_rate", "反弹率", "Came back", "结案后反弹 ÷ 结案", "came back ÷ closed",
        lambda case, _: case.reopened_ms is not None, _closed_within, "P", Better.LOW,
    ),
    Indicator(
        "false_rectification_rate", "虚假整改率", "False fixes", "核查仍在 ÷ 核查的整改",
        "reported done and found not done ÷ reported done and checked",
        lambda check, _: check.is_present, lambda check, span: span.holds(check.at_ms), "P",
        Better.LOW, Unit.CHECK,
    ),
    Indicator(
        "partner_answer_rate", "协办按期答复率", "Partners' answers",
        "协办部门按期答复 ÷ 应答复的协办",
        "opinions that partners gave in time ÷ opinions asked of partners and due",
        lambda opinion, _: in_time(opinion.answered_ms, opinion.due_ms),
        lambda opinion, span: span.holds(opinion.due_ms), "P", unit=Unit.OPINION,
    ),
    Indicator(
        "patrol_coverage", "巡查覆盖率", "Patrol coverage", "轨迹证实的巡查 ÷ 应巡查",
        "visits that a track proves ÷ visits required",
        lambda visit, _: visit.is_made, lambda visit, span: span.holds(visit.at_ms), "P",
        unit=Unit.VISIT,
    ),
    Indicator(
        "patrol_seen_rate", "见巡率", "Days patrolled", "有巡查的日 ÷ 应巡查的日",
        "days with a proven visit ÷ days with a visit required",
        lambda visit, _: visit.is_made,
        lambda visit, span: visit.nth == 1 and span.holds(visit.at_ms), "P", unit=Unit.VISIT,
    ),
    Indicator(
        "patrol_action_rate", "管事率", "Patrol acts", "当日巡查自行上报 ÷ 巡查当日的问题",
        "reported by the patrol itself ÷ reported on a day it was there",
        lambda case, _: case.channel == "patrol",
        lambda case, span: _reported(case, span) and case.patrolled, "P",
    ),
    Indicator(
        "patrol_share", "采集员上报占比", "Reported by patrols", "采集员上报 ÷ 立案",
        "filed cases reported by collectors ÷ filed",
        lambda case, _: case.channel == "patrol", _filed, "1", Better.NEITHER,
    ),
    Indicator(
        "solved_in_grid_rate", "网格内办结率", "Solved in the grid", "未上交的结案 ÷ 结案",
        "closed without being passed up ÷ closed (小事不出网格)",
        lambda case, _: not case.passed_up, _closed_within, "P",
    ),
)  # fmt: skip

BY_ID: Mapping[str, Indicator] = {each.id: each for each in INDICATORS}


def of_unit(facts: Facts, unit: Unit) -> Sequence[Fact]:
    """What indicators of a unit count."""
    kinds: Mapping[Unit, Sequence[Fact]] = {
        Unit.CASE: facts.cases,
        Unit.CHECK: facts.checks,
        Unit.REPORT: facts.reports,
        Unit.VISIT: facts.visits,
        Unit.OPINION: facts.opinions,
    }
    return kinds[unit]


def measure(indicator: Indicator, facts: Iterable[Fact], span: Span) -> Measure:
    """The figure of one indicator over facts of its unit."""
    denominator = [fact for fact in facts if indicator.of(fact, span)]
    numerator = [fact.id for fact in denominator if indicator.counts(fact, span)]
    return Measure(indicator.id, tuple(numerator), tuple(fact.id for fact in denominator))


Key = str | None


def measure_by(
    indicator: Indicator, facts: Iterable[Fact], span: Span, key: Callable[[CaseFacts], Key]
) -> dict[str, Measure]:
    """The figure of one indicator for each group; facts whose key is None are in none."""
    numerators: dict[str, list[int]] = {}
    denominators: dict[str, list[int]] = {}
    for fact in facts:
        if not indicator.of(fact, span) or (group := key(fact.case)) is None:
            continue
        denominators.setdefault(group, []).append(fact.id)
        if indicator.counts(fact, span):
            numerators.setdefault(group, []).append(fact.id)
    return {
        group: Measure(indicator.id, tuple(numerators.get(group, ())), tuple(ids))
        for group, ids in denominators.items()
    }
