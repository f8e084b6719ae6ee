import json
from datetime import UTC, datetime
from io import BytesIO
from zoneinfo import ZoneInfo

import openpyxl
import pytest

from hub.grid.titled import BadSheet
from hub.intake.report import Caller, Channel
from hub.intake.sheet import read_reports

ZONE = ZoneInfo("Asia/Shanghai")
CSV = """工单编号,受理时间,诉求内容,诉求类别,事发地点,诉求人,联系电话,纬度,经度,紧急程度
G1,2026-11-28 09:30:00,门口有垃圾,暴露垃圾,育才路1号,王小明,13812345678,32.72,109.02,紧急
G2,2026/11/28 10:00,太吵了,噪音,,,,,,
"""


def read(data):
    return read_reports(data, channel=Channel.HOTLINE_12345, system="city-12345", zone=ZONE)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_reads_a_hotlines_export_however_it_is_encoded(encoding):
    one, two = read(CSV.encode(encoding))
    assert (one.external_system, one.external_id, one.channel) == ("city-12345", "G1", "12345")
    assert one.received_at == datetime(2026, 11, 28, 1, 30, tzinfo=UTC)
    assert (one.matter, one.place, one.urgency) == ("06010", (32.72, 109.02), 2)
    assert one.caller == Caller("王小明", "13812345678")
    assert one.wants_reply
    assert (two.matter, two.category_hint, two.place, two.urgency) == (None, "噪音", None, 1)


def test_reads_the_same_from_json_and_xlsx():
    header, *lines = [line.split(",") for line in CSV.strip().splitlines()]
    rows = [dict(zip(header, line, strict=True)) for line in lines]
    book = openpyxl.Workbook()
    for line in (header, *lines):
        book.active.append(line)
    kept = BytesIO()
    book.save(kept)
    assert read(json.dumps({"items": rows}).encode()) == read(CSV.encode())
    assert read(kept.getvalue()) == read(CSV.encode())


def test_names_every_bad_row_by_its_place_and_takes_nothing():
    bad = (
        "工单编号,受理时间,诉求内容,纬度,经度,紧急程度\n"
        ",2026-11-28 09:30,x,,,\n"
        "G2,gestern,x,95,abc,\n"
        "G3,,,,,sehr\n"
    )
    with pytest.raises(BadSheet) as refused:
        read(bad.encode())
    assert [fault.where for fault in refused.value.faults] == [
        "row 2, column 工单编号",
        "row 3, column 受理时间",
        "row 3, column 纬度",
        "row 3, column 经度",
        "row 4, column 受理时间",
        "row 4, column 诉求内容",
        "row 4, column 紧急程度",
    ]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "cannot be read"),
        ("工单编号,受理时间,诉求内容\n".encode(), "has no rows"),
        (b"[", "cannot be read"),
        (b"PK\x03\x04rest", "cannot be read"),
        (b"[1, 2]", "is no list of objects"),
        (b'[{"a": 1}]', "no column for external_id"),
        (b"a,b\n1,2\n", "no column for external_id"),
        (b"\xff\xfe\x00", "cannot be read"),
    ],
)
def test_refuses_what_is_no_such_file(data, says):
    with pytest.raises(BadSheet, match=says):
        read(data)
