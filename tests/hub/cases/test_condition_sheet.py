from io import BytesIO

import openpyxl
import pytest

from hub.calendar.limit import TimeLimit, Unit
from hub.cases.condition_sheet import BadSheet, read_conditions

KNOWN = {"06010": "暴露垃圾", "09006": "占道经营"}
HEADINGS = ("小类代码", "小类名称", "立案条件", "结案条件", "处置时限", "责任部门")


def workbook(*rows, headings=HEADINGS, title="立结案", merge=(), before=1):
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = title
    for _ in range(before):
        sheet.append(["某市城市管理事项立结案标准"])
    sheet.append(headings)
    for each in rows:
        sheet.append(each)
    for area in merge:
        sheet.merge_cells(area)
    kept = BytesIO()
    book.save(kept)
    return kept.getvalue()


def read(data):
    return read_conditions(data, "GB", KNOWN)


def test_reads_the_sheet_a_city_keeps_with_merged_cells_and_lost_zeros():
    data = workbook(
        (6010, "暴露垃圾", "沿街散落", "清理干净", "4工作时", "环卫处"),
        (None, None, "堆积成片", "清运完毕", "1个工作日", "环卫处"),
        ("09006", "占道经营", "流动摊点", "离开", "2紧急工作时", None),
        merge=["A3:A4"],
    )
    found = read(data)
    assert [(c.matter, c.opening, c.limit, c.department) for c in found] == [
        ("06010", "沿街散落", TimeLimit(4, Unit.WORK_HOUR), "环卫处"),
        ("06010", "堆积成片", TimeLimit(1, Unit.WORK_DAY), "环卫处"),
        ("09006", "流动摊点", TimeLimit(2, Unit.URGENT_HOUR), ""),
    ]


def test_names_every_fault_by_its_place_and_takes_nothing():
    data = workbook(
        ("06010", "", "沿街散落", "清理干净", "4工作时", ""),
        ("99999", "", "a", "b", "4工作时", ""),
        ("06010", "", "", "b", "4工作时", ""),
        ("06010", "", "a", "b", "soon", ""),
        ("06010", "", "a", "x" * 501, "4工作时", ""),
    )
    with pytest.raises(BadSheet) as refused:
        read(data)
    assert [fault.where for fault in refused.value.faults] == [
        "立结案, row 4, 小类代码",
        "立结案, row 5, 立案条件",
        "立结案, row 6, 处置时限",
        "立结案, row 7, 结案条件",
    ]
    assert "99999 is no matter" in str(refused.value)
    assert "4工作时" in refused.value.faults[2].allowed


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "cannot be read"),
        (b"PK not", "cannot be read"),
        (b"a,b\n1,2\n", "no sheet has the headings"),
        (workbook(headings=("a", "b")), "no sheet has the headings"),
        (workbook(), "has headings and no rows"),
    ],
)
def test_refuses_what_is_no_such_sheet(data, says):
    with pytest.raises(BadSheet, match=says):
        read(data)
