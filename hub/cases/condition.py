"""The city's table of conditions: when a matter is filed, when closed, and how long it may take.

A limit belongs to an opening condition (立案条件), not to a matter: a missing manhole cover and a
rattling one are the same matter with two limits. No case is filed or closed without one, where the
table has any for its matter.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from hub.calendar.limit import TimeLimit, Unit
from hub.errors import HubError
from wire.coded import coded


@dataclass(frozen=True, slots=True)
class Condition:
    """A row of the table. `matter`: five digits of `standard_ref`; `id` 0 before it is stored."""

    id: int
    standard_ref: str
    matter: str
    opening: str
    closing: str
    limit: TimeLimit
    department: str = ""


USUAL = {
    1: TimeLimit(3, Unit.WORK_DAY),
    2: TimeLimit(1, Unit.WORK_DAY),
    3: TimeLimit(4, Unit.URGENT_HOUR),
}
"""The limit by severity for a matter the city's table does not have. The project's own values."""


class ConditionNeeded(HubError):
    """A matter with several conditions: somebody must say which one holds."""


def pick(conditions: Sequence[Condition], wanted: int | None) -> Condition | None:
    """The condition a case is filed under; None where the table has none for its matter.

    `conditions` are those of the matter. Raises ConditionNeeded when a choice is needed or the
    wanted one is not among them.
    """
    if wanted is not None:
        found = next((each for each in conditions if each.id == wanted), None)
        if found is None:
            raise ConditionNeeded(
                coded(
                    "other_condition",
                    "condition {condition} is not of this matter: {conditions}",
                    condition=wanted,
                    conditions=_named(conditions),
                )
            )
        return found
    if len(conditions) > 1:
        raise ConditionNeeded(
            coded(
                "several_conditions",
                "this matter has several conditions: {conditions}",
                conditions=_named(conditions),
            )
        )
    return conditions[0] if conditions else None


def _named(conditions: Sequence[Condition]) -> str:
    return "; ".join(f"{each.id} = {each.opening}" for each in conditions) or "it has none"
