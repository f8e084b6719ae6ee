import re
from datetime import UTC, datetime

import pytest

from hub.grid.errors import GridError
from hub.tracks.point import Point, read_points

HEADER = "time_utc,lat,lon,speed_kmh,load,hopper,cover_open\n"


def read(*rows: str, header: str = HEADER) -> tuple[list[Point], list[str]]:
    points, bad = read_points([header, *(f"{row}\n" for row in rows)])
    return points, [str(row) for row in bad]


@pytest.mark.parametrize(
    ("row", "point"),
    [
        (
            "2026-10-01T04:00:00Z,32.69,109.02,12.5,3,1,0",
            Point(datetime(2026, 10, 1, 4, tzinfo=UTC), 32.69, 109.02, 12.5, 3, True, False),
        ),
        (
            "2026-10-01T12:00:00+08:00,32.69,109.02,,,,",
            Point(datetime(2026, 10, 1, 4, tzinfo=UTC), 32.69, 109.02),
        ),
        (
            "2026-10-01 04:00:00.5, 32.69 ,109.02, 0 , 0 , 0 , ",
            Point(datetime(2026, 10, 1, 4, 0, 0, 500_000, UTC), 32.69, 109.02, 0.0, 0, False),
        ),
    ],
)
def test_a_row_is_a_point(row: str, point: Point) -> None:
    assert read(row) == ([point], [])


@pytest.mark.parametrize(
    ("states", "load", "hopper", "cover_open"),
    [
        ("full,true,False", 3, True, False),
        ("3.0,1.0,0.0", 3, True, False),
        ("空载,否,是", 0, False, True),
        ("半,TRUE,", 1, True, None),
        ("满,,", 3, None, None),
        ("true,false,true", 3, False, True),
    ],
)
def test_states_are_also_written_as_words(
    states: str, load: int, hopper: bool | None, cover_open: bool | None
) -> None:
    (point,), bad = read(f"2026-10-01T04:00:00Z,32.69,109.02,,{states}")
    assert (point.load, point.hopper, point.cover_open, bad) == (load, hopper, cover_open, [])


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("yesterday,32,109,,,,", "time_utc 'yesterday' is no time"),
        ("1980-01-06T00:00:00Z,32,109,,,,", "years 1990 to 2099"),
        ("0001-01-01T00:00:00+08:00,32,109,,,,", "is no time"),
        ("2026-10-01T04:00:00Z,91,109,,,,", "lat '91'"),
        ("2026-10-01T04:00:00Z,32,,,,,", "lon '' is not a number"),
        ("2026-10-01T04:00:00Z,32,109,-1,,,", "speed_kmh '-1'"),
        ("2026-10-01T04:00:00Z,32,109,nan,,,", "speed_kmh 'nan'"),
        ("2026-10-01T04:00:00Z,32,109,1,4,,", r"load '4' is not allowed \(0, 1, 2, 3"),
        ("2026-10-01T04:00:00Z,32,109,1,,up,", "hopper 'up'"),
        ("2026-10-01T04:00:00Z,32,109,1,0.5,,", "load '0.5'"),
        ("2026-10-01T04:00:00Z,32,109", "3 fields where the header has 7"),
    ],
)
def test_a_bad_row_is_told_by_line(row: str, said: str) -> None:
    good = "2026-10-01T04:00:00Z,32.69,109.02,,,,"
    points, bad = read(good, row, good)
    assert len(points) == 2
    assert len(bad) == 1
    assert re.search(f"^line 3: .*{said}", bad[0])


def test_late_rows_take_their_true_place_and_equal_times_stay_in_order() -> None:
    rows = ["2026-10-01T04:00:05Z,1,1", "2026-10-01T04:00:00Z,2,2", "2026-10-01T04:00:05Z,3,3"]
    points, bad = read(*rows, header="time_utc,lat,lon\n")
    assert [point.lat for point in points] == [2, 1, 3]
    assert bad == []


def test_a_table_without_positions_is_refused() -> None:
    with pytest.raises(GridError, match="no column 'lon'"):
        read(header="time_utc,lat\n")


def test_a_hundred_thousand_rows_tell_all_their_bad_ones_at_once():
    bad = {
        7: "2026-10-01T08:30:00Z,91,109",
        13: "yesterday,32,109",
        17: "2026-10-01T08:30:00Z,32",
        19: '2026-10-01T08:30:00Z,32,"109',
        23: "2026-10-01T08:30:00Z,nan,109",
    }
    rows = [
        next((row for step, row in bad.items() if n % (step * 100) == step), None)
        or f"2026-10-01T{n % 24:02d}:00:00Z,32.{n:05d},109.0"
        for n in range(2, 100_002)
    ]
    expected = [n for n in range(2, 100_002) if any(n % (s * 100) == s for s in bad)]
    points, told = read_points(["time_utc,lat,lon\n", *(f"{row}\n" for row in rows)])
    assert [row.line for row in told] == expected
    assert len(points) + len(told) == 100_000
    assert {row.message.split(" ")[0] for row in told} == {"lat", "time_utc", "2", "not"}
