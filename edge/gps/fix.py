"""One position of one vehicle: the value that flows from every receiver and terminal."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

Quality = Literal["gnss", "differential", "pps", "rtk_fixed", "rtk_float"]

WEEK = timedelta(weeks=1)
ROLLOVER_WEEKS = 1024


@dataclass(frozen=True, slots=True)
class Fix:
    """A position its receiver vouches for. WGS-84 degrees; north and east positive.

    `at`: when the position was true (UTC), `received_at`: when its bytes came (our clock, UTC;
    None for a recording). `said_at`: what the receiver said when `at` was repaired for a GPS week
    rollover. `alt_m`: above the geoid. `heading_deg`: clockwise from true north, as sent; frozen
    or empty at standstill. `located` is False when the sender itself says that this position is
    not current.
    """

    at: datetime
    lat: float
    lon: float
    speed_kmh: float | None = None
    heading_deg: float | None = None
    alt_m: float | None = None
    satellites: int | None = None
    hdop: float | None = None
    quality: Quality | None = None
    located: bool = True
    received_at: datetime | None = None
    said_at: datetime | None = None


def undo_rollover(at: datetime, reference: datetime) -> datetime:
    """Add or take whole 1024 weeks when `at` is more than 512 weeks from `reference`.

    GPS counts weeks modulo 1024 (IS-GPS-200, 20.3.3.3.1.1); old receivers then report dates 7168
    days early. Smaller differences are left alone, and so is a date that would land in the future:
    that is no rollover but an old recording.
    """
    periods = round((reference - at) / (ROLLOVER_WEEKS * WEEK))
    try:
        repaired = at + periods * ROLLOVER_WEEKS * WEEK
    except OverflowError:
        return at
    return repaired if repaired <= reference + timedelta(days=1) else at
