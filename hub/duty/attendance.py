"""Attendance: what the positions of somebody on duty prove, and what they leave unknown.

Every answer has three values. Who sends no positions is not absent: nobody knows where he is.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from hub.duty.errors import DutyError
from hub.store import from_ms, to_ms

Seconds = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class AttendanceSettings:
    """Tolerances.

    `silence_s`: between positions further apart in time nobody knows. `late_s`, `early_s`: so
    much later or earlier is no fault. `away_s`: so much outside the grid during a shift is none.
    `margin_m`: as near to the grid counts as inside, for receivers err. `known_share`: the part
    of a shift with positions from which on somebody never seen inside was absent. `inside_s`:
    who was first and last seen inside so far apart was present.
    """

    silence_s: float = 600.0
    late_s: float = 600.0
    early_s: float = 600.0
    away_s: float = 1800.0
    margin_m: float = 50.0
    known_share: float = 0.8
    inside_s: float = 60.0

    def __post_init__(self) -> None:
        """Raises DutyError for a setting out of its bounds."""
        for setting in fields(self):
            value = getattr(self, setting.name)
            if not 0 <= value < float("inf"):
                raise DutyError(f"{setting.name} {value!r} is not allowed (0 or more)")
        if not 0 < self.known_share <= 1:
            raise DutyError(f"known_share {self.known_share!r} is not allowed (above 0, up to 1)")


class Presence(StrEnum):
    """Whether somebody was at his post; `waiting` before the shift has begun."""

    PRESENT = "present"
    ABSENT = "absent"
    UNKNOWN = "unknown"
    WAITING = "waiting"


@dataclass(frozen=True, slots=True)
class Position:
    """Where somebody was at a moment: inside the grid of his post or not."""

    ms: int
    inside: bool


@dataclass(frozen=True, slots=True)
class Attendance:
    """What is known of one shift of one person.

    `late`, `left_early`, `away`: True, False, or None where the positions do not tell; a shift
    that still runs has no early leave yet. `first_at`, `last_at`: first and last seen inside.
    `away_s`: known outside between these two (all of it when never inside). `no_positions`: none
    at all came during the shift.
    """

    presence: Presence
    late: bool | None
    left_early: bool | None
    away: bool | None
    first_at: datetime | None
    last_at: datetime | None
    inside_s: int
    away_s: int
    unknown_s: int
    no_positions: bool


NOTHING = Attendance(Presence.WAITING, None, None, None, None, None, 0, 0, 0, no_positions=True)


def attendance(
    tracks: Sequence[Sequence[Position]],
    start: datetime,
    end: datetime,
    now: datetime,
    settings: AttendanceSettings,
) -> Attendance:
    """Judge one shift by the positions of all trackers of a person, each in order of time.

    Somebody is inside while any of them is. Of a running shift the part until `now` is judged.
    """
    first_ms = to_ms(start)
    length = (to_ms(end) - first_ms) // 1000
    count = min(length, (to_ms(now) - first_ms) // 1000)
    if count <= 0:
        return NOTHING
    inside, known = np.zeros(count, dtype=bool), np.zeros(count, dtype=bool)
    for track in tracks:
        _mark(track, first_ms, inside, known, settings)
    here = np.nonzero(inside)[0]
    inside_s = int(inside.sum())
    seen_s = int(here[-1] - here[0] + 1) if len(here) else 0
    presence = _presence(seen_s, int(known.sum()), count, length, settings)
    was_there = presence is Presence.PRESENT
    between = slice(here[0], here[-1] + 1) if was_there else slice(None)
    away_s = int((known & ~inside)[between].sum())
    unseen_s = int((~known)[between].sum())
    return Attendance(
        presence=presence,
        late=_missed(inside, known, settings.late_s, length) if was_there else None,
        left_early=_missed(inside[::-1], known[::-1], settings.early_s, length)
        if was_there and count == length
        else None,
        away=_exceeds(away_s, unseen_s, settings.away_s) if was_there else None,
        first_at=from_ms(first_ms + int(here[0]) * 1000) if len(here) else None,
        last_at=from_ms(first_ms + int(here[-1] + 1) * 1000) if len(here) else None,
        inside_s=inside_s,
        away_s=away_s,
        unknown_s=int((~known).sum()),
        no_positions=not known.any(),
    )


def _mark(
    track: Sequence[Position],
    first_ms: int,
    inside: Seconds,
    known: Seconds,
    settings: AttendanceSettings,
) -> None:
    """Each half of a leg is where its end is; a leg too long in time says nothing.

    A position alone is known for its own second.
    """

    def second(ms: float) -> int:
        return min(max(round((ms - first_ms) / 1000), 0), len(inside))

    for here in track:
        at = (here.ms - first_ms) // 1000
        if 0 <= at < len(inside):
            known[at] = True
            inside[at] |= here.inside
    for before, after in pairwise(track):
        if not 0 < after.ms - before.ms <= settings.silence_s * 1000:
            continue
        middle = (before.ms + after.ms) / 2
        for begin, until, is_in in (
            (before.ms, middle, before.inside),
            (middle, after.ms, after.inside),
        ):
            span = slice(second(begin), second(until))
            known[span] = True
            if is_in:
                inside[span] = True


def _presence(
    seen_s: int, known_s: int, count: int, length: int, settings: AttendanceSettings
) -> Presence:
    """`seen_s`: from first to last seen inside, 0 when never."""
    if seen_s >= min(settings.inside_s, length) and seen_s > 0:
        return Presence.PRESENT
    # Of a shift that has just begun nobody is absent: his tolerance to come late still runs.
    if count == length or count > settings.late_s:
        if seen_s == 0 and count == length and known_s >= settings.known_share * length:
            return Presence.ABSENT
        return Presence.UNKNOWN
    return Presence.WAITING


def _missed(inside: Seconds, known: Seconds, tolerance_s: float, length: int) -> bool | None:
    """Whether surely nobody was inside during the tolerance at this end of the shift."""
    span = slice(0, min(int(tolerance_s) + 1, length))
    if inside[span].any():
        return False
    return True if known[span].all() and len(inside) >= span.stop else None


def _exceeds(known_s: int, unseen_s: int, tolerance_s: float) -> bool | None:
    """Whether more than the tolerance was spent outside, for all that is known."""
    if known_s > tolerance_s:
        return True
    return False if known_s + unseen_s <= tolerance_s else None
