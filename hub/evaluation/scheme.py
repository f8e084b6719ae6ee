"""The city's scheme: weights, the least number that is ranked, streaks, awards, deductions.

All of it is data: every change is a new version, and a figure of a past day is made with the
version that was in force on that day.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from hub.evaluation.errors import EvaluationError
from hub.evaluation.indicator import BY_ID, MINIMUM, Better, Unit
from wire.coded import coded

WEIGHTS = {
    "on_time_close_rate": 40.0,
    "rework_rate": 15.0,
    "false_rectification_rate": 20.0,
    "rebound_rate": 10.0,
    "patrol_coverage": 15.0,
}
DEDUCTIONS = {
    "overdue_open_rate": 1.0,
    "rework_rate": 1.0,
    "false_rectification_rate": 2.0,
    "rebound_rate": 1.0,
}


class Award(msgspec.Struct, frozen=True):
    """A class of rewards: the next `places` places of the ranking get `amount` yuan each.

    `places` 0: all others whose score is at least `from_score`.
    """

    name: str
    places: int
    amount: float
    from_score: float = 0.0


class Scheme(msgspec.Struct, frozen=True):
    """How a city judges.

    `weights`: what each indicator is worth in the score. `deductions`: points for each case in an
    indicator's numerator, listed and never part of a ranking. `monthly_share`: of the year's score
    the mean of the months is worth this, the year-end score the rest. `streak`: in the last
    `bottom` places in so many checks running is flagged.
    """

    weights: Mapping[str, float] = msgspec.field(default_factory=WEIGHTS.copy)
    minimum: int = MINIMUM
    with_suspended: bool = False
    monthly_share: float = 0.6
    streak: int = 3
    bottom: int = 3
    awards: Sequence[Award] = ()
    deductions: Mapping[str, float] = msgspec.field(default_factory=DEDUCTIONS.copy)


class Version(msgspec.Struct, frozen=True):
    """A version of the scheme and who made it; nobody made version 0."""

    number: int
    scheme: Scheme
    at: datetime | None = None
    by: str = ""
    note: str = ""


def check(scheme: Scheme) -> Scheme:
    """The scheme, when it can be used.

    Raises EvaluationError naming the key, its value and what is allowed.
    """
    ranked = [each.id for each in BY_ID.values() if each.better is not Better.NEITHER]
    countable = [each for each in ranked if BY_ID[each].unit in (Unit.CASE, Unit.CHECK)]
    for key, allowed, given in (
        ("weights", ranked, scheme.weights),
        ("deductions", countable, scheme.deductions),
    ):
        for name, value in given.items():
            if name not in allowed:
                text = "{key}: {name!r} is not one of {allowed}"
                raise EvaluationError(
                    coded("not_one_of", text, key=key, name=name, allowed=", ".join(allowed))
                )
            if not 0 < value <= 1000:
                text = "{key}.{name}: {value:g} is not above 0 and up to 1000"
                raise EvaluationError(coded("no_weight", text, key=key, name=name, value=value))
    for key, value, least, most in (
        ("minimum", scheme.minimum, 1, 10_000),
        ("streak", scheme.streak, 2, 12),
        ("bottom", scheme.bottom, 1, 100),
        ("monthly_share", scheme.monthly_share, 0, 1),
    ):
        if not least <= value <= most:
            text = "{key}: {value:g} is not {least} to {most}"
            raise EvaluationError(
                coded("not_from_to", text, key=key, value=value, least=least, most=most)
            )
    if not scheme.weights:
        raise EvaluationError(
            coded("no_weights", "weights: none given; at least one indicator is needed")
        )
    return scheme
