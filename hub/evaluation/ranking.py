"""Rankings: a score from the scheme's weights, places with ties, streaks at the bottom, awards.

The score is the weighted mean of the indicators, 0 to 100, each turned so that more is better. An
indicator with fewer than the minimum of cases is left out of it; who has not enough cases for half
the weight has no place, only counts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hub.evaluation.indicator import BY_ID, Better, Measure
from hub.evaluation.scheme import Scheme

Measures = Mapping[str, Measure]
ENOUGH_WEIGHT = 0.5


@dataclass(frozen=True, slots=True)
class Place:
    """Where a group stands. `place` None: too little to be ranked, the counts stand alone.

    `in_bottom`: checks running, this one included, in the last places; `is_flagged`: as many as
    the scheme allows. `award`: the name and amount of a class of rewards.
    """

    group: str
    score: float | None
    place: int | None
    measures: Measures
    in_bottom: int = 0
    is_flagged: bool = False
    award: tuple[str, float] | None = None


def goodness(measure: Measure) -> float | None:
    """The share, turned so that 1 is good."""
    value = measure.value
    if value is None:
        return None
    return 1 - value if BY_ID[measure.indicator].better is Better.LOW else value


def score(measures: Measures, scheme: Scheme) -> tuple[float | None, bool]:
    """The score, 0 to 100 with two decimals, and whether it may be ranked."""
    total = got = points = 0.0
    for name, weight in scheme.weights.items():
        total += weight
        found = measures.get(name)
        good = None if found is None else goodness(found)
        if found is None or good is None or not found.is_ranked(scheme.minimum):
            continue
        got += weight
        points += weight * good
    if not got:
        return None, False
    return round(100 * points / got, 2), got >= ENOUGH_WEIGHT * total


def ranking(
    groups: Mapping[str, Measures], scheme: Scheme, earlier: Sequence[Sequence[Place]] = ()
) -> list[Place]:
    """All groups, the best first, those without a place last.

    `earlier`: the rankings of the checks before, the latest first.
    """
    scored = {group: (*score(found, scheme), found) for group, found in groups.items()}
    order = sorted(scored, key=lambda group: (-(scored[group][0] or 0.0), group))
    ranked = [group for group in order if scored[group][1]]
    places: dict[str, int] = {}
    for position, group in enumerate(ranked, 1):
        before = ranked[position - 2] if position > 1 else None
        same = before is not None and scored[before][0] == scored[group][0]
        places[group] = places[before] if same and before is not None else position
    now = [
        Place(group, scored[group][0] if group in places else None, places.get(group),
              scored[group][2])
        for group in (*ranked, *(each for each in order if each not in places))
    ]  # fmt: skip
    low = [bottom(now, scheme.bottom), *(bottom(each, scheme.bottom) for each in earlier)]
    awards = _awards(now, scheme)
    return [
        Place(
            each.group,
            each.score,
            each.place,
            each.measures,
            in_bottom=(running := _running(each.group, low)),
            is_flagged=running >= scheme.streak,
            award=awards.get(each.group),
        )
        for each in now
    ]


def bottom(places: Sequence[Place], count: int) -> frozenset[str]:
    """Who stands in the last `count` places, ties included; nobody where that would be all."""
    ranked = [each for each in places if each.place is not None]
    if len(ranked) <= count:
        return frozenset()
    last = ranked[-count].place or 0
    return frozenset(each.group for each in ranked if (each.place or 0) >= last)


def year_score(monthly: Sequence[float], year_end: float | None, share: float) -> float | None:
    """`share` the mean of the monthly scores, the rest the year-end score; None without either."""
    if not monthly or year_end is None:
        return None
    return round(share * sum(monthly) / len(monthly) + (1 - share) * year_end, 2)


def _running(group: str, low: Sequence[frozenset[str]]) -> int:
    count = 0
    for each in low:
        if group not in each:
            break
        count += 1
    return count


def _awards(places: Sequence[Place], scheme: Scheme) -> dict[str, tuple[str, float]]:
    """Classes are given in order; who shares the last place of a class has it too."""
    found: dict[str, tuple[str, float]] = {}
    taken = 0
    for award in scheme.awards:
        until = taken + award.places if award.places else len(places)
        for each in places:
            is_in = each.place is not None and taken < each.place <= until
            if is_in and (each.score or 0.0) >= award.from_score:
                found.setdefault(each.group, (award.name, award.amount))
        taken = until
    return found
