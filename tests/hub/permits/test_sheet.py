import io
from datetime import date, datetime

import openpyxl
import pytest

from hub.grid.datum import Datum, convert
from hub.grid.hours import ALWAYS
from hub.permits.sheet import read_permits

HEADER = "处置证号,车牌号,工地,消纳场,路线,时段,有效期起,有效期止"
GOOD = (
    '安渣证2026-001,陕G·00001;陕G12345,东坝工地,西沟消纳场,"109.02,32.69;109.03,32.70",'
    "22:00-05:00,2026-10-01,2026年12月31日"
)
ENGLISH = "permit,vehicles,loading_site,dump_site,valid_from,valid_until"


def csv(*rows, header=HEADER, encoding="utf-8"):
    return "\n".join([header, *rows]).encode(encoding)


def workbook(*rows, header=HEADER, title="处置证"):
    book = openpyxl.Workbook()
    book.active.title = title
    book.active.append(["说明", "本表由业务科填写"] if title == "说明" else header.split(","))
    if title == "说明":
        sheet = book.create_sheet("处置证")
        sheet.append(header.split(","))
    else:
        sheet = book.active
    for row in rows:
        sheet.append(row)
    data = io.BytesIO()
    book.save(data)
    return data.getvalue()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_table_in_chinese(encoding):
    reading = read_permits(csv(GOOD, encoding=encoding))
    assert reading.faults == []
    (permit,) = reading.permits
    assert permit.number == "安渣证2026-001"
    assert permit.vehicles == {"陕G00001", "陕G12345"}
    assert (permit.first, permit.last) == (date(2026, 10, 1), date(2026, 12, 31))
    assert permit.hours.intervals == ((22 * 60, 5 * 60),)
    assert permit.route == ((32.69, 109.02), (32.70, 109.03))


def test_a_table_in_english_with_what_may_be_left_out():
    (permit,) = read_permits(csv("p1,A1,a,b,2026-01-01,2026-01-01", header=ENGLISH)).permits
    assert permit.hours == ALWAYS
    assert permit.corridor() is None


def test_a_workbook_with_real_dates_beside_a_sheet_of_words():
    day = date(2026, 2, 1)
    row = ["证1", "陕G00001", "a", "b", "", "全天", datetime(2026, 1, 1), day]  # noqa: DTZ001
    (permit,) = read_permits(workbook(row, title="说明")).permits
    assert (permit.first, permit.last) == (date(2026, 1, 1), date(2026, 2, 1))


@pytest.mark.parametrize("datum", [Datum.GCJ02, Datum.BD09])
def test_a_route_of_another_map(datum):
    lats, lons = convert([32.69, 32.70], [109.02, 109.03], Datum.WGS84, datum)
    route = ";".join(f"{lon:.9f},{lat:.9f}" for lat, lon in zip(lats, lons, strict=True))
    row = ["证1", "A1", "a", "b", route, "", "2026-01-01", "2026-01-01"]
    (permit,) = read_permits(workbook(row), datum).permits
    assert permit.route[0] == pytest.approx((32.69, 109.02), abs=1e-8)


@pytest.mark.parametrize(
    ("row", "column", "says"),
    [
        (",A1,a,b,,,2026-01-01,2026-01-01", "处置证号", "no number"),
        ("p,,a,b,,,2026-01-01,2026-01-01", "车牌号", "0 vehicles"),
        ("p,A1,,b,,,2026-01-01,2026-01-01", "工地", "no site"),
        ("p,A1,a,,,,2026-01-01,2026-01-01", "消纳场", "no site"),
        ('p,A1,a,b,"109.02",,2026-01-01,2026-01-01', "路线", "109.02"),
        ('p,A1,a,b,"32.69,109.02;32.7,109.03",,2026-01-01,2026-01-01', "路线", "no position"),
        ('p,A1,a,b,"109.02,32.69;109.02,32.69",,2026-01-01,2026-01-01', "路线", "two different"),
        ("p,A1,a,b,,22-5,2026-01-01,2026-01-01", "时段", "22-5"),
        ("p,A1,a,b,,22:00-25:00,2026-01-01,2026-01-01", "时段", "25:00"),
        ("p,A1,a,b,,,2026-02-30,2026-03-01", "有效期起", "2026-02-30"),
        ("p,A1,a,b,,,soon,2026-03-01", "有效期起", "soon"),
        ("p,A1,a,b,,,2026-03-02,2026-03-01", "valid_until", "before"),
    ],
)
def test_a_bad_row_is_named_by_row_and_column(row, column, says):
    reading = read_permits(csv(GOOD, row))
    (fault,) = reading.faults
    assert fault.row == 3
    assert fault.column == {"valid_until": "有效期止"}.get(column, column)
    assert says in fault.message
    assert fault.allowed


def test_a_number_given_twice():
    (fault,) = read_permits(csv(GOOD, GOOD)).faults
    assert "row 2 already" in fault.message


def test_a_site_that_nobody_knows():
    reading = read_permits(csv(GOOD), is_site={"东坝工地"}.__contains__)
    (fault,) = reading.faults
    assert fault.column == "消纳场"


def test_a_missing_column_is_named_with_what_it_may_be_called():
    (fault,) = read_permits(csv("p,A1,a,b,2026-01-01", header=ENGLISH.rpartition(",")[0])).faults
    assert fault.column == "valid_until"
    assert "有效期止" in fault.allowed


@pytest.mark.parametrize("data", [b"", b"\x00\x01", b"PK\x03\x04 no", b"a,b\n1,2\n"])
def test_what_is_no_table_of_permits(data):
    reading = read_permits(data)
    assert reading.permits == []
    assert reading.faults


def test_every_bad_row_of_a_long_table_at_once():
    rows = [f"p{n},A1,a,b,2026-01-01,{'never' if n % 2 else '2026-02-01'}" for n in range(20_000)]
    reading = read_permits(csv(*rows, header=ENGLISH))
    assert (reading.rows, len(reading.permits), len(reading.faults)) == (20_000, 10_000, 10_000)
    assert reading.faults[0].row == 3
