"""Which days are holidays and which are worked, as the State Council announces them each year."""

from datetime import date, timedelta
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, model_validator

from wire.coded import coded
from wire.settings import Settings

LONGEST_DAYS = 60


class DaySpan(Settings):
    """Days `from` to `until`, both included (without `until` one day), and what they are called."""

    start: date = Field(alias="from")
    until: date | None = None
    name: Annotated[str, Field(max_length=64)] = ""

    @model_validator(mode="after")
    def _runs_forward(self) -> Self:
        if not timedelta() <= self._last - self.start < timedelta(days=LONGEST_DAYS):
            raise ValueError(
                coded(
                    "long_holiday",
                    "{first} to {last}: must end within {days} days of the first",
                    first=self.start,
                    last=self._last,
                    days=LONGEST_DAYS,
                )
            )
        return self

    def includes(self, day: date) -> bool:
        """Whether a day is one of them."""
        return self.start <= day <= self._last

    @property
    def _last(self) -> date:
        return self.until or self.start


def _one_day(given: Any) -> Any:
    return {"from": given} if isinstance(given, date | str) else given


class Calendar(Settings):
    """`holidays`: days off. `workdays`: weekend days worked in exchange (调休上班)."""

    holidays: Annotated[
        list[Annotated[DaySpan, BeforeValidator(_one_day)]], Field(max_length=200)
    ] = []
    workdays: Annotated[list[date], Field(max_length=200)] = []

    @model_validator(mode="after")
    def _is_one_or_the_other(self) -> Self:
        for day in self.workdays:
            if self.is_holiday(day):
                raise ValueError(
                    coded("day_twice", "{day} is listed as a holiday and as a workday", day=day)
                )
        return self

    def __bool__(self) -> bool:
        """Whether anything is listed."""
        return bool(self.holidays or self.workdays)

    def is_holiday(self, day: date) -> bool:
        """Whether a day is a listed holiday."""
        return any(span.includes(day) for span in self.holidays)

    def is_workday(self, day: date) -> bool:
        """Whether people work: Monday to Friday and days worked in exchange, but on no holiday."""
        return day in self.workdays or (day.weekday() < 5 and not self.is_holiday(day))
