import io
import time as clock

import openpyxl
import pytest

from hub.duty.duty import Five, PersonRole
from hub.duty.errors import BadDuty
from hub.duty.table import Known, read_duty, read_rows
from hub.grid.errors import GridError

KNOWN = Known(frozenset({"g1", "g2"}))
POSTS = [
    ["岗位编号", "岗位名称", "网格", "巡查网格", "班次"],
    ["p1", "早班岗", "g1", "g1；g2", "day"],
]
PEOPLE = [
    ["人员编号", "姓名", "角色", "岗位", "电话", "定位终端"],
    [1001, "王芳", "网格长", "p1", 13900000000, None],
    [1002, "李明", "网格员", "p1", "", "car-1/v1"],
]
SHIFTS = [
    ["班次编号", "班次名称", "日期", "开始", "结束"],
    ["day", "白班", "周一至周五", "08:00", "17:00"],
]


def workbook(**sheets):
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    data = io.BytesIO()
    book.save(data)
    return data.getvalue()


def problems(data, known=KNOWN, kind=""):
    with pytest.raises(BadDuty) as caught:
        read_duty(data, known, kind)
    return [(p.where, p.message) for p in caught.value.problems]


def csv(*lines):
    return "\n".join(lines).encode()


def test_a_workbook_with_chinese_titles():
    duty = read_duty(
        workbook(岗位=POSTS, 人员=PEOPLE, 班次=SHIFTS, 职责=[["网格", "内容"], ["g1", "巡查"]]),
        KNOWN,
    )
    (post,) = duty.posts
    assert (post.patrols, post.shifts) == (("g1", "g2"), ("day",))
    head, worker = duty.people
    assert (head.id, head.role, head.phone) == ("1001", PersonRole.GRID_HEAD, "13900000000")
    assert worker.trackers == ("car-1/v1",)
    assert [(text.grid, text.kind, text.text) for text in duty.texts] == [
        ("g1", Five.DUTIES, "巡查")
    ]
    assert duty.shifts[0].days == ("mon", "tue", "wed", "thu", "fri")
    assert duty.count() == 5


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_csv_in_the_encodings_people_have(encoding):
    text = "人员编号,姓名,角色,岗位\n7,张三,网格员,p1\n"
    known = Known(KNOWN.grids, frozenset({"p1"}))
    (person,) = read_duty(text.encode(encoding), known).people
    assert person.name == "张三"


def test_every_bad_row_is_named_with_its_place():
    data = workbook(
        岗位=[
            *POSTS,
            ["p1", "again", "g1"],
            ["p 3", "x", "g1"],
            ["p4", "", "g9"],
            ["p5", "x", "g9"],
        ],
        人员=[*PEOPLE, ["a", "b", "king", "p1"], ["c", "d", "网格员", "p77"]],
        班次=SHIFTS,
        什么=[["a"], ["b"]],
    )
    assert problems(data) == [
        ("sheet '人员', row 4", "role 'king' is not allowed"),
        ("sheet '人员', row 5", "post 'p77' does not exist"),
        ("sheet '什么'", "is no table of duty"),
        ("sheet '岗位', row 3", "'p1' stands in sheet '岗位', row 2 already"),
        ("sheet '岗位', row 4", "code 'p 3' is not allowed"),
        ("sheet '岗位', row 5", "name is empty"),
        ("sheet '岗位', row 6", "grid 'g9' does not exist"),
    ]


@pytest.mark.parametrize(
    ("lines", "kind", "expected"),
    [
        (["grid,text", "g1,a"], "",
         [("line 1", "which table this is cannot be told (columns: grid, text)")]),
        (["grid", "g1"], "tasks", [("line 1", "no column text (columns: grid)")]),
        (["grid,text", "g1,a,b", "g9,x", ",y"], "tasks",
         [("line 2", "3 fields where the header has 2"), ("line 3", "grid 'g9' does not exist"),
          ("line 4", "grid '' is not allowed")]),
        (["code,name,days,start,end", "a,a,daily,08:00,08:00", "b,b,often,08:00,09:00",
          "c,c,daily,8,9"], "",
         [("line 2", "end '08:00' is not allowed"), ("line 3", "days 'often' are not allowed"),
          ("line 4", "start '8' is no time of day")]),
    ],
)  # fmt: skip
def test_bad_tables(lines, kind, expected):
    assert problems(csv(*lines), kind=kind) == expected


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "names of columns"),
        (b"\xd0\xcf\x11\xe0 old", "save it as .xlsx"),
        (b"PK\x03\x04 no zip", "not an XLSX workbook"),
        (b"\xff\xfe\x00a\x00", "not text"),
    ],
)
def test_files_that_are_no_tables(data, message):
    with pytest.raises(GridError, match=message):
        read_duty(data, KNOWN)


def test_a_workbook_without_rows():
    assert problems(workbook(岗位=[])) == [("file", "no sheet has a header")]


def test_a_hundred_thousand_rows_name_all_their_bad_ones_at_once():
    lines = ["grid,text"]
    lines += [f"{'g1' if n % 3 else 'nowhere'},task {n}" for n in range(100_000)]
    began = clock.process_time()
    found = problems(csv(*lines), kind="tasks")
    assert len(found) == 33_334
    assert (found[0][0], found[-1][0]) == ("line 2", "line 100001")
    assert clock.process_time() - began < 30


def test_rows_through_the_api():
    duty = read_rows("tasks", [{"grid": "g1", "text": "每日一巡"}], KNOWN)
    assert duty.texts[0].text == "每日一巡"
    with pytest.raises(BadDuty, match="row 2"):
        read_rows("tasks", [{"grid": "g1", "text": "a"}, {"grid": "zz", "text": "a"}], KNOWN)
