"""A photo that is to prove a fix: when and where it was taken, and what speaks against it.

Judged are facts that can be told from the file and its record: the same picture used before, too
far away, too early, too late, without time or place. Whether somebody photographed a screen or had
a picture made by a machine is not told by any of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from hub.grid.geodesy import distance_m


class Use(StrEnum):
    """What a photo is for: the handler's claim, or the visit that checks it."""

    CLAIM = "claim"
    VISIT = "visit"


class Reason(StrEnum):
    """What speaks against a photo."""

    SAME_FILE = "same_file"
    REUSED = "reused"
    TOO_FAR = "too_far"
    BEFORE_DISPATCH = "before_dispatch"
    IN_FUTURE = "in_future"
    TOO_OLD = "too_old"
    NO_TIME = "no_time"
    NO_PLACE = "no_place"


LACKING = frozenset({Reason.NO_TIME, Reason.NO_PLACE})
"""Nothing is wrong with such a photo; it only proves nothing."""


class Verdict(StrEnum):
    """What a photo is worth: `unproved` says nothing wrong, but does not say when and where."""

    GOOD = "good"
    UNPROVED = "unproved"
    BAD = "bad"


class Source(StrEnum):
    """Where a time or place is from: written into the file, or told by the device that sent it."""

    NONE = ""
    EXIF = "exif"
    DEVICE = "device"


@dataclass(frozen=True, slots=True)
class Taken:
    """When and where a photo was taken, as far as anybody says. `acc_m`: how well that is known."""

    at: datetime | None = None
    at_from: Source = Source.NONE
    place: tuple[float, float] | None = None
    place_from: Source = Source.NONE
    acc_m: float = 0.0


@dataclass(frozen=True, slots=True)
class Match:
    """The picture that a photo is a copy of: `photo:ID` or `evidence:SHA256`, and its case."""

    of: str
    case_id: int | None
    same_file: bool


@dataclass(frozen=True, slots=True)
class FixPhoto:
    """A photo or clip that was uploaded for a case.

    `sha256`: the file as it was sent, locked away. `shown`: the copy for all who may see evidence,
    without its hidden notes, faces and plates covered; empty while there is none. `used_at`: when
    it was named in a feedback or a visit. `copy_of`: the picture it is a copy of.
    """

    id: int
    case_id: int
    use: Use
    sha256: str
    shown: str
    type: str
    size: int
    by: str
    uploaded_at: datetime
    taken: Taken
    reasons: tuple[Reason, ...] = ()
    copy_of: str = ""
    copy_of_case: int | None = None
    phash: str = ""
    windows: bytes = b""
    used_at: datetime | None = None

    @property
    def verdict(self) -> Verdict:
        """What the reasons come to."""
        return verdict(self.reasons)


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a photo is held against.

    `far_m`: from the case's place. `begun_at`: since when the work could be done. `old`: taken so
    long before `at`. `ahead`: a clock may be so much before ours.
    """

    at: datetime
    place: tuple[float, float]
    far_m: float
    begun_at: datetime | None
    old: timedelta
    ahead: timedelta = timedelta(minutes=5)


def verdict(reasons: Sequence[Reason]) -> Verdict:
    """What reasons come to."""
    if any(reason not in LACKING for reason in reasons):
        return Verdict.BAD
    return Verdict.UNPROVED if reasons else Verdict.GOOD


def judge(taken: Taken, bounds: Bounds, match: Match | None) -> tuple[Reason, ...]:
    """Everything that speaks against a photo, the worst first."""
    found = []
    if match is not None:
        found.append(Reason.SAME_FILE if match.same_file else Reason.REUSED)
    return (*found, *_place(taken, bounds), *_time(taken, bounds))


def _place(taken: Taken, bounds: Bounds) -> list[Reason]:
    if taken.place is None:
        return [Reason.NO_PLACE]
    away_m = distance_m(*taken.place, *bounds.place)
    # What is known badly may be as near as it can be, but not without bound.
    return [Reason.TOO_FAR] if away_m - min(taken.acc_m, bounds.far_m) > bounds.far_m else []


def _time(taken: Taken, bounds: Bounds) -> list[Reason]:
    if taken.at is None:
        return [Reason.NO_TIME]
    if taken.at > bounds.at + bounds.ahead:
        return [Reason.IN_FUTURE]
    if bounds.begun_at is not None and taken.at < bounds.begun_at - bounds.ahead:
        return [Reason.BEFORE_DISPATCH]
    return [Reason.TOO_OLD] if taken.at < bounds.at - bounds.old else []
