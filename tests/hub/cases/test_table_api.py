"""The filtered list of cases as a table."""

import csv
import io

import openpyxl
import pytest

from tests.hub.test_api import open_case


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_the_table_holds_what_the_list_shows(call, form):
    case = open_case(call)
    answer = call("GET", "/api/case-table", params={"format": form, "open": "true"})
    assert answer.status_code == 200
    if form == "csv":
        rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    else:
        book = openpyxl.load_workbook(io.BytesIO(answer.content))
        rows = [list(row) for row in book.worksheets[0].iter_rows(values_only=True)]
    assert len(rows) == 2
    assert dict(zip(rows[0], rows[1], strict=True))["number"] == case["number"]
    shut = call("GET", "/api/case-table", params={"format": "csv", "open": "false"})
    assert len(shut.text.strip().splitlines()) == 1
