"""How a table is written: for programs as it is stored, for people in their words and time."""

import csv
import io
import json
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import openpyxl
import pytest

from hub.exports import Form, Named, Several, Word, table

AT = datetime(2026, 11, 30, 17, 4, 22, 250_000, tzinfo=UTC)
TITLES = (
    "number",
    "state",
    "state_zh",
    "matter_name",
    "opened_at",
    "closed_at",
    "generated",
    "own",
)
ROW = (
    "A-1", Word("filed", ("state",)), "已立案", Named("暴露垃圾", "Litter"), AT, AT, False,
    Several((Word("yes", ("yesNo",)), Word("=1", ("state",)))),
)  # fmt: skip


def written(form, language, *rows, zone="Asia/Shanghai"):
    return table("cases", TITLES, rows or [ROW], Form(form, language, ZoneInfo(zone)), "2026")


def lines(answer):
    assert answer.body.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(answer.body.decode("utf-8-sig"))))


def test_a_program_reads_fields_codes_and_utc():
    assert lines(written("csv", None)) == [
        list(TITLES),
        ["A-1", "filed", "已立案", "暴露垃圾", "2026-11-30T17:04:22.250Z",
         "2026-11-30T17:04:22.250Z", "", "yes; =1"],
    ]  # fmt: skip


def test_a_person_reads_his_words_and_the_sites_time_said_once():
    heads, row = lines(written("csv", "zh"))
    assert heads == ["案号", "状态", "事项", "建立时间（北京时间）", "结案时间", "演示数据", "own"]
    assert row == [
        "A-1", "已立案", "暴露垃圾", "2026-12-01 01:04:22", "2026-12-01 01:04:22", "否", "是；=1",
    ]  # fmt: skip
    heads, row = lines(written("csv", "en", zone="Asia/Urumqi"))
    assert heads[:4] == ["Number", "State", "Matter", "Opened (Asia/Urumqi)"]
    assert row[1:4] == ["Filed", "Litter", "2026-11-30 23:04:22"]


def test_no_zone_is_said_where_there_is_no_time():
    heads, _ = lines(written("csv", "zh", [*ROW[:4], None, None, *ROW[6:]]))
    assert "建立时间" in heads


@pytest.mark.parametrize("language", [None, "zh", "en"])
def test_what_would_run_as_a_formula_is_text(language):
    evil = '=HYPERLINK("http://evil.example","x")'
    (_, row) = lines(written("csv", language, [evil, Word("-1+1", ("state",)), *ROW[2:]]))
    assert row[:2] == [f"'{evil}", "'-1+1"]


def test_a_workbook_has_moments_wide_enough_to_be_read_and_is_named_for_its_reader():
    answer = written("xlsx", "zh")
    sheet = openpyxl.load_workbook(io.BytesIO(answer.body)).active
    assert sheet.title == "案件"
    assert (sheet["D2"].is_date, str(sheet["D2"].value)) == (True, "2026-12-01 01:04:22")
    assert sheet.column_dimensions["D"].width >= len("2026-12-01 01:04:22")
    named = answer.headers["content-disposition"]
    assert "filename=\"cases-2026.xlsx\"; filename*=UTF-8''%E6%A1%88%E4%BB%B6-2026.xlsx" in named
    assert json.dumps(named).isascii()
