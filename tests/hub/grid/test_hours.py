from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from hub.grid.errors import GridError
from hub.grid.hours import ALWAYS, Hours

ANKANG = ZoneInfo("Asia/Shanghai")


def local(clock: str) -> datetime:
    """A moment of a day in Ankang, as UTC."""
    return datetime.fromisoformat(f"2026-10-01T{clock}+08:00").astimezone(UTC)


@pytest.mark.parametrize(
    ("hours", "clock", "is_open"),
    [
        ([["10:00", "13:00"]], "09:59:59", False),
        ([["10:00", "13:00"]], "10:00:00", True),
        ([["10:00", "13:00"]], "12:59:59", True),
        ([["10:00", "13:00"]], "13:00:00", False),
        ([["22:00", "06:00"]], "23:30:00", True),
        ([["22:00", "06:00"]], "05:59:59", True),
        ([["22:00", "06:00"]], "06:00:00", False),
        ([["22:00", "06:00"]], "12:00:00", False),
        ([["00:00", "24:00"]], "23:59:59", True),
        ([["18:00", "24:00"]], "00:00:00", False),
        ([["06:00", "08:00"], ["18:00", "20:00"]], "19:00:00", True),
        ([["06:00", "08:00"], ["18:00", "20:00"]], "12:00:00", False),
        ([], "12:00:00", False),
    ],
)
def test_when_hours_are_open(hours: list[list[str]], clock: str, is_open: bool) -> None:
    assert Hours.read(hours).are_open(local(clock), ANKANG) is is_open


def test_always() -> None:
    assert ALWAYS.are_open(local("03:00:00"), ANKANG)


@pytest.mark.parametrize(
    "given",
    [
        None,
        "10:00-13:00",
        ["10:00", "13:00"],
        [["10:00"]],
        [["25:00", "26:00"]],
        [[1, 2]],
        [["10:00", "10:00"]],
        [["10:0", "11:00"]],
        [["１0:00", "11:00"]],
    ],
)
def test_hours_that_cannot_be_read(given: object) -> None:
    with pytest.raises(GridError, match="hours"):
        Hours.read(given)
