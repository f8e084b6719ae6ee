"""Something that a vehicle did, for a moment or for a while: what the rules say in one shape."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

Fact = str | float | bool | None


class Kind(StrEnum):
    """What happened; docs/reference/vehicle-events.md tells each one's rule."""

    STOP = "stop"
    TRIP = "trip"
    GAP = "gap"
    UNLOAD = "unload"
    IDLE = "idle"
    OVERSPEED = "overspeed"
    NIGHT_RUNNING = "night_running"
    OFFLINE = "offline"
    SILENT_MOVING = "silent_moving"
    JUMP = "jump"
    FENCE_ENTER = "fence_enter"
    FENCE_EXIT = "fence_exit"
    FENCE_INSIDE = "fence_inside"
    FENCE_CROSS = "fence_cross"
    NO_PERMIT = "no_permit"
    OFF_HOURS = "off_hours"
    OFF_ROUTE = "off_route"
    WRONG_SITE = "wrong_site"
    UNCOVERED_LOAD = "uncovered_load"
    TERMINAL_ALARM = "terminal_alarm"


@dataclass(frozen=True, slots=True)
class Episode:
    """One thing that happened; `over` is False while it lasts and `end` is its latest point.

    `subject`: the fence, permit, site or alarm it is about; `lat`, `lon`: where it began.
    `certainty`: 1 measured, less where something had to be presumed. The same kind, subject and
    start are the same episode: the later word about it replaces the earlier.
    """

    kind: Kind
    start: datetime
    end: datetime
    lat: float
    lon: float
    subject: str = ""
    over: bool = True
    certainty: float = 1.0
    facts: Mapping[str, Fact] = field(default_factory=dict)

    @property
    def key(self) -> tuple[Kind, str, datetime]:
        """What makes it the same episode."""
        return self.kind, self.subject, self.start
