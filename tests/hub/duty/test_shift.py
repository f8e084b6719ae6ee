from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from hub.calendar.work_calendar import WorkCalendar, Year
from hub.duty.errors import DutyError
from hub.duty.shift import WEEKDAYS, Shift, read_clock, read_days

ANKANG = ZoneInfo("Asia/Shanghai")
MONDAY, THURSDAY, SATURDAY = date(2026, 9, 28), date(2026, 10, 1), date(2026, 10, 10)
YEAR = Year(frozenset({THURSDAY}), frozenset({SATURDAY}))
CALENDAR = WorkCalendar(1, ANKANG, ((time(8), time(12)),), {2026: YEAR})


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("daily", ("daily",)),
        ("每天", ("daily",)),
        ("工作日", ("workdays",)),
        ("mon-fri", WEEKDAYS[:5]),
        ("周一至周五", WEEKDAYS[:5]),
        ("周六、周日", ("sat", "sun")),
        (" Sat, sun ", ("sat", "sun")),
        ("fri-mon", ("fri", "sat", "sun", "mon")),
    ],
)
def test_days_as_people_write_them(text, days):
    assert read_days(text) == days


@pytest.mark.parametrize("text", ["", "every day", "mon-", "周八", "mon-tue-wed"])
def test_other_days_are_refused(text):
    with pytest.raises(DutyError, match="mon-fri"):
        read_days(text)


@pytest.mark.parametrize(
    ("text", "at"), [("8:00", time(8)), ("08：30", time(8, 30)), ("24:00", time(0)),
                     ("17:30:00", time(17, 30))],
)  # fmt: skip
def test_clocks(text, at):
    assert read_clock("start", text) == at


@pytest.mark.parametrize("text", ["", "8", "25:00", "24:01", "8:7", "08:60", "²:00"])
def test_other_clocks_are_refused(text):
    with pytest.raises(DutyError, match="start"):
        read_clock("start", text)


def shift(days, start="08:00", end="17:00"):
    return Shift("s", "s", read_days(days), read_clock("start", start), read_clock("end", end))


@pytest.mark.parametrize(
    ("days", "day", "runs"),
    [
        ("daily", THURSDAY, True),
        ("workdays", MONDAY, True),
        ("workdays", THURSDAY, False),
        ("workdays", SATURDAY, True),
        ("mon-fri", THURSDAY, False),
        ("mon-fri", SATURDAY, False),
        ("sat", SATURDAY, True),
    ],
)
def test_the_calendar_decides(days, day, runs):
    assert shift(days).runs_on(day, CALENDAR) is runs


def test_a_night_shift_ends_on_the_next_day():
    night = shift("mon", "22:00", "06:00")

    def moment(day, hour):
        return datetime(2026, 9, day, hour, tzinfo=ANKANG)

    assert night.window(MONDAY, ANKANG) == (moment(28, 22), moment(29, 6))
    assert night.holds(moment(29, 5), ANKANG, CALENDAR) == MONDAY
    assert night.holds(moment(29, 6), ANKANG, CALENDAR) is None
    assert night.holds(moment(28, 21), ANKANG, CALENDAR) is None
