"""Questions to the evidence: figures by group, trends, rankings, the year, deductions.

Facts of a span are kept in memory for a while: many figures are asked of the same month.
"""

import threading
from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.engine import Connection

from hub import audit
from hub.cases import store as case_store
from hub.config import HubConfig
from hub.evaluation import store as evaluation_store
from hub.evaluation.confidence import Confidence, confidences
from hub.evaluation.evidence import Question, grids_at, load
from hub.evaluation.facts import Facts
from hub.evaluation.grouping import By, Grouping
from hub.evaluation.indicator import BY_ID, INDICATORS, Indicator, Measure, measure_by, of_unit
from hub.evaluation.period import Every, Period, Span
from hub.evaluation.ranking import Measures, Place, ranking, year_score
from hub.evaluation.scheme import Version
from hub.grid.places import Places
from hub.patrol import store as patrol_store
from hub.patrol.settings import plan_of
from hub.store import Store, in_parts, now

KEPT = 24
RANKED_BY = frozenset({By.GRID, By.DEPARTMENT, By.PERSON})


@dataclass(frozen=True, slots=True)
class Asked:
    """A period as known at a moment. `with_suspended` None: as the scheme of that moment says."""

    period: Period
    as_of: datetime
    with_suspended: bool | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """A ranking, the scheme it was made by, and how far each grid's evidence can be trusted."""

    places: list[Place]
    scheme: Version
    confidence: Mapping[str, Confidence]


@dataclass(frozen=True, slots=True)
class YearLine:
    """A group's year: the monthly scores, the year-end score that was entered, the whole."""

    group: str
    months: Mapping[str, float]
    year_end: float | None
    score: float | None


@dataclass(frozen=True, slots=True)
class Deduction:
    """Points taken from a group for a case."""

    group: str
    indicator: str
    case: int
    points: float


class Figures:
    """Answers from one database; any thread may ask."""

    all: Sequence[Indicator] = INDICATORS

    def __init__(self, store: Store, config: HubConfig, places: Places) -> None:
        """Begin with nothing in memory."""
        self._store = store
        self._config = config
        self._places = places
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[object, ...], Facts] = OrderedDict()

    def asked(
        self, period: Period, as_of: datetime | None = None, *, with_suspended: bool | None = None
    ) -> Asked:
        """A question, by default as of the period's end, or of now while it runs."""
        _, ends = period.bounds(self._config.zone)
        moment = min(ends, now()) if as_of is None else min(as_of, now())
        return Asked(period, moment, with_suspended)

    def span(self, tx: Connection, asked: Asked) -> Span:
        """The part of the period that has gone by, by the rules of that moment."""
        suspended = asked.with_suspended
        if suspended is None:
            suspended = self.scheme(tx, asked).scheme.with_suspended
        return asked.period.span(self._config.zone, asked.as_of, with_suspended=suspended)

    def scheme(self, tx: Connection, asked: Asked) -> Version:
        """The scheme in force at that moment."""
        return evaluation_store.scheme_at(tx, asked.as_of)

    def patrol_since(self, tx: Connection, asked: Asked) -> date | None:
        """The day of the period on which patrol began to be asked for; None: it was all along."""
        begun = patrol_store.required_from(tx, self._config.zone).values()
        first = min(begun, default=None)
        period = asked.period
        return first if first is not None and period.first < first < period.end else None

    def facts(self, tx: Connection, asked: Asked) -> Facts:
        """What there is to count."""
        zone, period = self._config.zone, asked.period
        _, ends = period.bounds(zone)
        # While a period runs, what is due moves with the clock; every act counts at once.
        moment = asked.as_of
        if moment < ends:
            moment = moment.replace(second=0, microsecond=0)
        key = (period.name, moment, _written(tx), self._places.revision)
        with self._lock:
            if (kept := self._kept.get(key)) is not None:
                self._kept.move_to_end(key)
                return kept
        span = period.span(zone, asked.as_of)
        question = Question(
            span, period.first, period.end, asked.as_of, zone, plan_of(self._config.patrol)
        )
        found = load(tx, question)
        with self._lock:
            self._kept[key] = found
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return found

    def by_group(
        self,
        tx: Connection,
        asked: Asked,
        grouping: Grouping,
        indicators: Sequence[Indicator] = INDICATORS,
    ) -> dict[str, dict[str, Measure]]:
        """Every group's figures; who had nothing in any denominator is not there."""
        facts, span, key = self.facts(tx, asked), self.span(tx, asked), grouping.key()
        groups: dict[str, dict[str, Measure]] = {}
        for indicator in indicators:
            found = measure_by(indicator, of_unit(facts, indicator.unit), span, key)
            for group, figure in found.items():
                groups.setdefault(group, {})[indicator.id] = figure
        return groups

    def measure(
        self, tx: Connection, asked: Asked, grouping: Grouping, group: str, indicator: Indicator
    ) -> Measure:
        """One figure with its ids."""
        found = self.by_group(tx, asked, grouping, [indicator]).get(group, {})
        return found.get(indicator.id, Measure(indicator.id, (), ()))

    def trend(
        self,
        tx: Connection,
        last: Asked,
        count: int,
        grouping: Grouping,
        indicators: Sequence[Indicator],
    ) -> list[tuple[Period, dict[str, dict[str, Measure]]]]:
        """The same figures of the periods before and of the last, each as of its own end."""
        periods = [last.period.before(n) for n in range(count - 1, -1, -1)]
        return [
            (
                each,
                self.by_group(
                    tx,
                    last if each == last.period else self._ended(each, last),
                    grouping,
                    indicators,
                ),
            )
            for each in periods
        ]

    def standing(self, tx: Connection, asked: Asked, grouping: Grouping) -> Standing:
        """The ranking of a period, with streaks over the periods before it."""
        scheme = self.scheme(tx, asked)
        earlier = []
        for back in range(1, scheme.scheme.streak):
            before = self.asked(asked.period.before(back), with_suspended=asked.with_suspended)
            groups = self._groups(tx, before, grouping)
            earlier.append(ranking(groups, self.scheme(tx, before).scheme))
        places = ranking(self._groups(tx, asked, grouping), scheme.scheme, earlier)
        trust = confidences(tx, self.span(tx, asked), self._places, self._config.patrol.kinds,
                            self._config.zone)  # fmt: skip
        return Standing(places, scheme, trust if grouping.by is By.GRID else {})

    def year(self, tx: Connection, asked: Asked, grouping: Grouping) -> list[YearLine]:
        """The year's score of every group: the months gone by, and what was entered at its end."""
        months: dict[str, dict[str, float]] = {}
        for month in asked.period.parts(Every.MONTH):
            begins, ends = month.bounds(self._config.zone)
            if begins >= asked.as_of:
                break
            then = self.asked(month, min(ends, asked.as_of), with_suspended=asked.with_suspended)
            scheme = self.scheme(tx, then).scheme
            for place in ranking(self._groups(tx, then, grouping), scheme):
                if place.score is not None:
                    months.setdefault(place.group, {})[month.name] = place.score
        entered = {
            each.subject: each.score
            for each in evaluation_store.entered(tx, asked.period.name, asked.as_of)
            if each.kind == "year_end" and each.subject_kind == grouping.by
        }
        share = self.scheme(tx, asked).scheme.monthly_share
        return [
            YearLine(
                group,
                months.get(group, {}),
                entered.get(group),
                year_score(list(months.get(group, {}).values()), entered.get(group), share),
            )
            for group in sorted(months.keys() | entered.keys())
        ]

    def deductions(self, tx: Connection, asked: Asked, grouping: Grouping) -> list[Deduction]:
        """Every case that costs its group points."""
        points = self.scheme(tx, asked).scheme.deductions
        wanted = [BY_ID[name] for name in points]
        return [
            Deduction(group, name, case, points[name])
            for group, found in sorted(self.by_group(tx, asked, grouping, wanted).items())
            for name in points
            if name in found
            for case in found[name].numerator
        ]

    def case_numbers(self, tx: Connection, cases: Collection[int]) -> dict[int, str]:
        """Numbers of cases by id."""
        found: dict[int, str] = {}
        for part in in_parts(sorted(cases)):
            found |= case_store.numbers_of(tx, part)
        return found

    def grid_names(self, tx: Connection, asked: Asked) -> dict[str, str]:
        """Names of the grids in force at that moment."""
        return {grid.code: grid.name or grid.code for grid in grids_at(tx, asked.as_of)}

    def _ended(self, period: Period, like: Asked) -> Asked:
        _, ends = period.bounds(self._config.zone)
        return self.asked(period, min(ends, like.as_of), with_suspended=like.with_suspended)

    def _groups(self, tx: Connection, asked: Asked, grouping: Grouping) -> dict[str, Measures]:
        wanted = [BY_ID[name] for name in self.scheme(tx, asked).scheme.weights]
        return dict(self.by_group(tx, asked, grouping, wanted))


def _written(tx: Connection) -> int:
    """Grows with every act that is written down: what is kept in memory is as good as new."""
    return audit.last(tx)
