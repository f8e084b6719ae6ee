"""The patrol section of the configuration, as the rules take it."""

from collections.abc import Mapping

from hub.config import Patrol
from hub.patrol.coverage import Frequency, Period
from hub.patrol.sweeping import SweepSettings
from hub.patrol.visit import VisitSettings


def visit_settings(patrol: Patrol) -> VisitSettings:
    """What makes a visit here."""
    return VisitSettings(**patrol.visits.model_dump())


def sweep_settings(patrol: Patrol) -> SweepSettings:
    """What counts as sweeping here."""
    return SweepSettings(**patrol.sweeping.model_dump())


def plan_of(patrol: Patrol) -> Mapping[int | None, Frequency]:
    """How often the grids of each level must be visited; None is a flat set."""
    return {
        level or None: Frequency(each.times, Period(each.period))
        for level, each in patrol.frequency.items()
    }
