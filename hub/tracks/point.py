"""A point of a vehicle's track, and how to read points from a table."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from hub.grid.rows import BadRow, BadValue, Rows, check_width, degrees, number

MAX_SPEED_KMH = 1000.0
LOADS = {
    "0": 0, "1": 1, "2": 2, "3": 3,
    "false": 0, "true": 3, "empty": 0, "half": 1, "full": 3,
    "空": 0, "空载": 0, "半": 1, "半载": 1, "满": 3, "满载": 3,
}  # fmt: skip
SWITCHES = {"0": False, "1": True, "false": False, "true": True, "否": False, "是": True}
YEARS = range(1990, 2100)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Point:
    """One report of a vehicle, WGS-84; None where it did not say.

    `load` as in bits 8-9 of the status of JT/T 808: 0 empty, 1 half, 3 full; `hopper` raised;
    `acc_on`: the ignition; `alarm`: the bits of wire.track.ALARMS that stand. A report that is not
    `located` repeats an older place.
    """

    at: datetime
    lat: float
    lon: float
    speed_kmh: float | None = None
    load: int | None = None
    hopper: bool | None = None
    cover_open: bool | None = None
    acc_on: bool | None = None
    located: bool = True
    alarm: int = 0


def read_points(lines: Iterable[str]) -> tuple[list[Point], list[BadRow]]:
    """Points of a table with the columns time_utc, lat, lon and perhaps the others of Point.

    They come in order of time, equal times in order of the table; bad rows are told apart.
    Raises GridError for a header that cannot be used.
    """
    rows = Rows(lines, required=("time_utc", "lat", "lon"))
    points: list[Point] = []
    bad: list[BadRow] = []
    for row in rows:
        if isinstance(row, BadRow):
            bad.append(row)
            continue
        line, texts = row
        try:
            check_width(texts, rows.header)
            points.append(_point(dict(zip(rows.header, texts, strict=True))))
        except BadValue as error:
            bad.append(BadRow(line, str(error)))
    points.sort(key=lambda point: point.at)
    return points, bad


def _point(given: dict[str, str]) -> Point:
    return Point(
        _time(given["time_utc"]),
        degrees("lat", given["lat"], 90),
        degrees("lon", given["lon"], 180),
        _speed(given.get("speed_kmh", "")),
        _choice("load", given.get("load", ""), LOADS),
        _choice("hopper", given.get("hopper", ""), SWITCHES),
        _choice("cover_open", given.get("cover_open", ""), SWITCHES),
    )


def _time(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text.strip())
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadValue(f"time_utc {text!r} is no time (2026-10-01T08:30:00Z)") from None
    if at.year not in YEARS:
        raise BadValue(f"time_utc {text!r} is not allowed (years 1990 to 2099)")
    return at


def _speed(text: str) -> float | None:
    if not text.strip():
        return None
    speed = number("speed_kmh", text)
    if not 0 <= speed <= MAX_SPEED_KMH:
        raise BadValue(f"speed_kmh {text!r} is not allowed (0 to {MAX_SPEED_KMH:g})")
    return speed


def _choice(name: str, text: str, choices: dict[str, T]) -> T | None:
    # Programs write the whole numbers of a column with gaps as 3.0.
    value = text.strip().lower().removesuffix(".0")
    if value and value not in choices:
        raise BadValue(f"{name} {text!r} is not allowed ({', '.join(choices)} or nothing)")
    return choices.get(value)
