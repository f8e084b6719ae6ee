from io import BytesIO

import openpyxl
import pytest

from hub.grid import sheets
from hub.grid.errors import GridError
from hub.grid.sheets import read_sheets


def workbook(*rows, merge=()):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    for area in merge:
        book.active.merge_cells(area)
    kept = BytesIO()
    book.save(kept)
    return kept.getvalue()


ROWS = (("某市表格", None), (None, None), ("code", "name"), ("a", 1.0), (None, "two"), ("b", "x"))


def test_a_title_is_passed_over_and_a_merged_cell_counts_for_all_its_rows():
    (sheet,) = read_sheets(workbook(*ROWS, merge=["A1:B1", "A4:A5"]))
    assert sheet.header == ("code", "name")
    assert sheet.rows == (
        (4, {"code": "a", "name": "1"}),
        (5, {"code": "a", "name": "two"}),
        (6, {"code": "b", "name": "x"}),
    )


def test_a_large_workbook_is_read_in_parts_without_its_merged_cells(monkeypatch):
    monkeypatch.setattr(sheets, "MERGED_UNPACKED", 0)
    (sheet,) = read_sheets(workbook(*ROWS, merge=["A4:A5"]))
    assert sheet.rows[1] == (5, {"code": "", "name": "two"})


def test_a_table_of_one_column_has_its_first_row_for_a_title():
    (sheet,) = read_sheets(workbook(("code",), ("a",)))
    assert (sheet.header, sheet.rows) == (("code",), ((2, {"code": "a"}),))


@pytest.mark.parametrize("data", [b"PK\x03\x04no", b"\xd0\xcf\x11\xe0old", b"", b"\0\0"])
def test_what_is_no_table_is_refused(data):
    with pytest.raises(GridError):
        read_sheets(data)
