from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from hub.evaluation.errors import EvaluationError
from hub.evaluation.period import Every, Period
from hub.store import from_ms

ANKANG = ZoneInfo("Asia/Shanghai")


@pytest.mark.parametrize(
    ("text", "every", "first", "last"),
    [
        ("2026-11-28", Every.DAY, date(2026, 11, 28), date(2026, 11, 28)),
        ("2026-W53", Every.WEEK, date(2026, 12, 28), date(2027, 1, 3)),
        ("2026-W01", Every.WEEK, date(2025, 12, 29), date(2026, 1, 4)),
        ("2026-12", Every.MONTH, date(2026, 12, 1), date(2026, 12, 31)),
        ("2024-02", Every.MONTH, date(2024, 2, 1), date(2024, 2, 29)),
        ("2026-Q4", Every.QUARTER, date(2026, 10, 1), date(2026, 12, 31)),
        ("2026", Every.YEAR, date(2026, 1, 1), date(2026, 12, 31)),
    ],
)
def test_a_period_is_read_and_written_alike(text, every, first, last):
    period = Period.read(text)
    assert (period.every, period.first, period.last, period.name) == (every, first, last, text)
    assert Period.of(every, last) == period


@pytest.mark.parametrize(
    "text",
    ["", "2026-13", "2026-W54", "2025-W53", "2026-Q5", "2026-2-1", "2026-02-30", "x", "9999"],
)
def test_what_is_no_period_is_refused_with_what_is_allowed(text):
    with pytest.raises(EvaluationError, match="2026-W48"):
        Period.read(text)


def test_the_period_before():
    assert Period.read("2026-01").before().name == "2025-12"
    assert Period.read("2026-W01").before().name == "2025-W52"
    assert Period.read("2026-Q1").before(2).name == "2025-Q3"


def test_a_period_is_of_local_days_and_ends_with_what_is_known():
    november = Period.read("2026-11")
    span = november.span(ANKANG, datetime(2027, 1, 1, tzinfo=UTC))
    assert from_ms(span.start_ms) == datetime(2026, 10, 31, 16, tzinfo=UTC)
    assert from_ms(span.until_ms) == datetime(2026, 11, 30, 16, tzinfo=UTC)
    noon = datetime(2026, 11, 15, 4, tzinfo=UTC)
    running = november.span(ANKANG, noon)
    assert running.holds(running.until_ms - 1)
    assert from_ms(running.until_ms - 1) == noon
    assert not running.holds(None)


def test_months_of_a_year_and_weeks_of_a_month():
    assert len(Period.read("2026").parts(Every.MONTH)) == 12
    weeks = [week.name for week in Period.read("2026-11").parts(Every.WEEK)]
    assert weeks == ["2026-W45", "2026-W46", "2026-W47", "2026-W48", "2026-W49"]
