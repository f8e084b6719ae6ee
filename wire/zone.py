"""A part of a camera's picture with a meaning, and what else of a camera the hub may set.

The same models check a device's file, what the console draws and what the hub pushes.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args

import msgspec
from pydantic import AfterValidator, BeforeValidator, Field, field_validator, model_validator

from wire.calendar import Calendar
from wire.coded import Coded, coded, joined
from wire.settings import Settings

MATTERS_FILE = Path(__file__).with_name("matters.json")

Fraction = Annotated[float, Field(ge=0, le=1)]
Id = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
Label = Literal["street_vending", "garbage", "illegal_structure", "unknown_object"]
LABELS: tuple[Label, ...] = get_args(Label)
STRUCTURE: Label = "illegal_structure"
UNNAMED: Label = "unknown_object"
"""What has no class."""

WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
WORKDAYS, HOLIDAYS, REST_DAYS = "workdays", "holidays", "rest_days"
BY_CALENDAR = frozenset({WORKDAYS, HOLIDAYS, REST_DAYS})
DayName = Literal[
    "mon", "tue", "wed", "thu", "fri", "sat", "sun", "workdays", "holidays", "rest_days"
]

MOST_ZONES = 32
_LEAST_AREA = 1e-5


class _Code(msgspec.Struct):
    code: str


class _Table(msgspec.Struct):
    matters: list[_Code]


@cache
def matter_codes() -> frozenset[str]:
    """Codes of all matters of GB/T 47678.5-2026, annex C."""
    table = msgspec.json.decode(MATTERS_FILE.read_bytes(), type=_Table)
    return frozenset(matter.code for matter in table.matters)


def _matter(code: str) -> str:
    if code not in matter_codes():
        raise ValueError(
            coded("matter_code", "is no matter of GB/T 47678.5-2026, annex C; write it like 09006")
        )
    return code


MatterCode = Annotated[str, AfterValidator(_matter)]


def _spot(given: Any) -> Any:
    if not isinstance(given, list | tuple) or len(given) != 2:
        raise ValueError(coded("no_corner", "a corner is two numbers, [x, y]"))
    if all(isinstance(each, int | float) for each in given) and not (
        0 <= given[0] <= 1 and 0 <= given[1] <= 1
    ):
        x, y = given
        message = "({x}, {y}) lies outside the picture; x and y are fractions, 0 to 1"
        raise ValueError(coded("outside_picture", message, x=f"{x:g}", y=f"{y:g}"))
    return given


Point = Annotated[tuple[float, float], BeforeValidator(_spot)]
WHOLE_PICTURE: list[Point] = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)]


class GroundPoint(Settings):
    """A spot on the ground seen at (x, y), fractions of the picture, and its place on earth."""

    x: Fraction
    y: Fraction
    lat: Annotated[float, Field(ge=-90, le=90)]
    lon: Annotated[float, Field(ge=-180, le=180)]


class Hours(Settings):
    """A daily span in the site's time zone; `until` before `from` runs over midnight.

    `days`: none = every day. `workdays`, `holidays`, `rest_days` are as the calendar has them:
    rest days are all that are no workdays. Span and day belong together by the span's beginning.
    """

    start: time = Field(alias="from")
    until: time
    days: list[DayName] = []

    def runs(self, local: datetime, calendar: Calendar) -> bool:
        """Whether it runs at a time of the site's clock."""
        now = local.time().replace(tzinfo=None)
        if self.start < self.until:
            return self.start <= now < self.until and self._is_day(local.date(), calendar)
        if now >= self.start:
            return self._is_day(local.date(), calendar)
        return now < self.until and self._is_day(local.date() - timedelta(days=1), calendar)

    def _is_day(self, day: date, calendar: Calendar) -> bool:
        if not self.days or WEEK[day.weekday()] in self.days:
            return True
        is_workday = calendar.is_workday(day)
        return (
            (WORKDAYS in self.days and is_workday)
            or (REST_DAYS in self.days and not is_workday)
            or (HOLIDAYS in self.days and calendar.is_holiday(day))
        )


class Permit(Settings):
    """Somebody may trade here: the permit's number, its holder, its first and last day.

    `hours`: none = all day.
    """

    number: Annotated[str, Field(min_length=1, max_length=64)]
    holder: Annotated[str, Field(min_length=1, max_length=100)]
    valid_from: date
    valid_until: date
    hours: Annotated[list[Hours], Field(max_length=20)] = []

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Self:
        if self.valid_until < self.valid_from:
            raise ValueError(
                coded(
                    "valid_before",
                    "valid_until {last} lies before valid_from {first}",
                    last=self.valid_until,
                    first=self.valid_from,
                )
            )
        return self

    def runs(self, local: datetime, calendar: Calendar) -> bool:
        """Whether it permits trading at a time of the site's clock."""
        if not self.valid_from <= local.date() <= self.valid_until:
            return False
        return not self.hours or any(hours.runs(local, calendar) for hours in self.hours)


class ZoneConfig(Settings):
    """A part of the picture with a meaning.

    `labels`: what must not be there; `matters`: the code each is reported as. `dwell_s`: how long
    a thing must stay before it is an alert. `min_area`: the smallest thing that counts, as a
    fraction of the picture (0.0004 = 29 × 29 pixels of 1920 × 1080); `min_ground_m2`: the smallest
    that counts by the ground it covers, which needs ground points. `allowed_hours`: while one of
    them runs, street vending is permitted here (a morning market); `permits`: while one is valid.
    `no_build`: nothing may be built here; watched over days by comparing the same hours.
    """

    id: Id
    name: Annotated[str, Field(max_length=64)] = ""
    polygon: Annotated[list[Point], Field(min_length=3, max_length=100)] = WHOLE_PICTURE
    labels: Annotated[list[Label], Field(min_length=1)] = list(LABELS)
    matters: dict[Label, MatterCode] = {}
    dwell_s: Annotated[float, Field(ge=0, le=2_592_000)] = 60
    min_area: Fraction = 0.0004
    min_ground_m2: Annotated[float, Field(gt=0, le=10_000)] | None = None
    allowed_hours: Annotated[list[Hours], Field(max_length=50)] = []
    permits: Annotated[list[Permit], Field(max_length=100)] = []
    severity: Annotated[int, Field(ge=1, le=3)] = 1
    no_build: bool = False

    @field_validator("polygon")
    @classmethod
    def _is_simple(cls, polygon: list[Point]) -> list[Point]:
        sides = list(pairwise([*polygon, polygon[0]]))
        for i, side in enumerate(sides):
            for j in range(i + 2, len(sides)):
                if (i, j) != (0, len(sides) - 1) and _cross(side, sides[j]):
                    message = "sides {one} and {other} cross; a zone may not"
                    raise ValueError(coded("sides_cross", message, one=i + 1, other=j + 1))
        if abs(_area(polygon)) < _LEAST_AREA:
            raise ValueError(
                coded("in_one_line", "its corners lie in one line; a zone must enclose something")
            )
        return polygon

    @model_validator(mode="after")
    def _names_what_it_watches(self) -> Self:
        for label in self.matters:
            if label not in self.labels:
                raise ValueError(
                    coded(
                        "matters_of_label",
                        "matters: {label} is not among the labels {labels}",
                        label=label,
                        labels=", ".join(self.labels),
                    )
                )
        if self.no_build and not {"illegal_structure", "unknown_object"} & set(self.labels):
            raise ValueError(
                coded(
                    "no_build_needs",
                    "no_build: needs illegal_structure or unknown_object among the labels,"
                    " got {labels}",
                    labels=", ".join(self.labels),
                )
            )
        numbers = Counter(permit.number for permit in self.permits)
        if twice := [number for number, count in numbers.items() if count > 1]:
            message = "permits: each number once, got {numbers} more often"
            raise ValueError(coded("permits_once", message, numbers=", ".join(twice)))
        return self

    def permits_vending(self, local: datetime, calendar: Calendar) -> bool:
        """Whether street vending is permitted at a time of the site's clock."""
        spans: list[Hours | Permit] = [*self.allowed_hours, *self.permits]
        return any(span.runs(local, calendar) for span in spans)

    def days_by_calendar(self) -> list[str]:
        """Day names used here that mean nothing without a calendar."""
        hours = [*self.allowed_hours, *(each for permit in self.permits for each in permit.hours)]
        return sorted(BY_CALENDAR.intersection(day for each in hours for day in each.days))


class CameraSettings(Settings):
    """What may be set of a camera from the hub: its zones and its ground points."""

    ground_points: Annotated[list[GroundPoint], Field(max_length=100)] = []
    zones: Annotated[list[ZoneConfig], Field(min_length=1, max_length=MOST_ZONES)] = [
        ZoneConfig(id="all")
    ]

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if faults := list(self._misfits()):
            raise ValueError(joined(faults))
        return self

    def _misfits(self) -> Iterator[str]:
        if 0 < len(self.ground_points) < 4:
            yield few_points(len(self.ground_points))
        names = [zone.id for zone in self.zones]
        if len(set(names)) < len(names):
            yield coded("zones_once", "zones: each id once, got {names}", names=names)
        for i, zone in enumerate(self.zones):
            if zone.min_ground_m2 is not None and not self.ground_points:
                yield coded(
                    "unmeasured",
                    "zones.{place}.min_ground_m2: {m2} m² in zone {zone!r}, but"
                    " the camera has no ground_points to measure with; give 4 or more",
                    place=i,
                    m2=f"{zone.min_ground_m2:g}",
                    zone=zone.id,
                )


def few_points(count: int) -> Coded:
    """Too few points on the ground to measure with."""
    return coded("few_points", "ground_points: {count} given, 4 or more needed", count=count)


def calendar_faults(zones: Sequence[ZoneConfig], calendar: Calendar) -> Iterator[str]:
    """Zones that go by a calendar which lists nothing."""
    for i, zone in enumerate(zones):
        if not calendar and (days := zone.days_by_calendar()):
            yield coded(
                "no_calendar",
                "zones.{place}: zone {zone!r} goes by {days}, but there is no calendar;"
                " list holidays and the weekend days worked for them",
                place=i,
                zone=zone.id,
                days=", ".join(days),
            )


def _area(polygon: Sequence[Point]) -> float:
    """Of the unit square; positive when the corners run clockwise as seen in the picture."""
    sides = pairwise([*polygon, polygon[0]])
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in sides) / 2


def _cross(a: tuple[Point, Point], b: tuple[Point, Point]) -> bool:
    def turn(p: Point, q: Point, r: Point) -> float:
        return (q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0])

    return turn(*a, b[0]) * turn(*a, b[1]) < 0 and turn(*b, a[0]) * turn(*b, a[1]) < 0
