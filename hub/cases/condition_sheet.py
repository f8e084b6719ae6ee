"""The city's table of conditions as an XLSX sheet: the one that cities keep.

The heading row is found by its words; merged cells count for every row they cover. All faults are
named at once, with sheet, cell, what was given and what is allowed, and then nothing is taken.
"""

import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import openpyxl
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet.worksheet import Worksheet

from hub.calendar.limit import BadLimit, TimeLimit
from hub.cases.condition import Condition
from hub.errors import HubError

HEADINGS: Mapping[str, tuple[str, ...]] = {
    "matter": ("小类代码", "事项代码", "代码", "matter", "code"),
    "opening": ("立案条件", "opening"),
    "closing": ("结案条件", "结案标准", "closing"),
    "limit": ("处置时限", "处理时限", "时限", "limit"),
    "department": ("责任部门", "主管部门", "责任单位", "department"),
}
NEEDED = ("matter", "opening", "closing", "limit")
SEARCHED_ROWS = 20
MOST_ROWS = 20_000
LONGEST = 500
MOST_SIZE = 200_000_000


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong in the sheet; `where` as a person finds it, such as 立结案!D7."""

    where: str
    message: str
    allowed: str


class BadSheet(HubError):
    """A sheet nothing was taken of, with everything that is wrong with it."""

    def __init__(self, faults: list[Fault]) -> None:
        """Keep the faults."""
        super().__init__("; ".join(f"{f.where}: {f.message} ({f.allowed})" for f in faults[:20]))
        self.faults = faults


def read_conditions(data: bytes, standard_ref: str, known: Mapping[str, str]) -> list[Condition]:
    """The conditions of a workbook. `known`: matter codes that exist, and their Chinese names.

    Raises BadSheet.
    """
    rows: list[Condition] = []
    faults: list[Fault] = []
    found_any = False
    for sheet in _workbook(data):
        columns = _headings(sheet)
        if columns is None:
            continue
        found_any = True
        for row in _rows(sheet, *columns):
            found = _condition(row, standard_ref, known)
            if isinstance(found, Fault):
                faults.append(found)
            else:
                rows.append(found)
    if not found_any:
        words = ", ".join(HEADINGS[name][0] for name in NEEDED)
        faults = [Fault("workbook", "no sheet has the headings", f"a row with {words}")]
    elif not rows and not faults:
        faults = [Fault("workbook", "has headings and no rows", "one row or more")]
    if faults:
        raise BadSheet(faults)
    return rows


def _workbook(data: bytes) -> list[Worksheet]:
    try:
        with zipfile.ZipFile(BytesIO(data)) as packed:
            size = sum(each.file_size for each in packed.infolist())
        book = openpyxl.load_workbook(BytesIO(data), data_only=True) if size < MOST_SIZE else None
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, OSError) as fault:
        raise BadSheet([Fault("file", f"cannot be read: {fault}", "an XLSX workbook")]) from None
    if book is None:
        raise BadSheet([Fault("file", f"is {size} bytes unpacked", f"less than {MOST_SIZE}")])
    return list(book.worksheets)


def _headings(sheet: Worksheet) -> tuple[int, dict[str, int]] | None:
    """The heading row's number and the columns (from 1) of what is needed; None without."""
    for number, row in enumerate(sheet.iter_rows(max_row=SEARCHED_ROWS, values_only=True), 1):
        words = [_text(value).replace(" ", "").lower() for value in row]
        columns = {
            name: words.index(word) + 1
            for name, allowed in HEADINGS.items()
            if (word := next((each for each in allowed if each in words), None))
        }
        if all(name in columns for name in NEEDED):
            return number, columns
    return None


@dataclass(frozen=True, slots=True)
class _Row:
    """A row's texts and the places they stand at, by what they are."""

    texts: Mapping[str, str]
    places: Mapping[str, str]


def _rows(sheet: Worksheet, first: int, columns: Mapping[str, int]) -> Iterator[_Row]:
    """Rows below the headings that are not empty; a merged cell's value in every row it covers."""
    last = min(sheet.max_row, first + MOST_ROWS)
    covered = {
        (row, area.min_col): sheet.cell(area.min_row, area.min_col).value
        for area in sheet.merged_cells.ranges
        for row in range(area.min_row, min(area.max_row, last) + 1)
    }
    for number in range(first + 1, last + 1):
        values: dict[str, Any] = {
            name: covered.get((number, column), sheet.cell(number, column).value)
            for name, column in columns.items()
        }
        texts = {name: _text(value) for name, value in values.items()}
        if any(texts.values()):
            places = {
                n: f"{sheet.title}!{get_column_letter(c)}{number}" for n, c in columns.items()
            }
            yield _Row(texts, places)


def _condition(row: _Row, standard_ref: str, known: Mapping[str, str]) -> Condition | Fault:
    texts = row.texts
    matter = texts["matter"].zfill(5)
    if matter not in known:
        given = texts["matter"] or "nothing"
        allowed = f"a five-digit code of {standard_ref}"
        return Fault(row.places["matter"], f"{given} is no matter", allowed)
    for name in ("opening", "closing"):
        if not 0 < len(texts[name]) <= LONGEST:
            allowed = f"1 to {LONGEST} characters"
            return Fault(row.places[name], f"{len(texts[name])} characters", allowed)
    try:
        limit = TimeLimit.read(texts["limit"])
    except BadLimit as bad:
        message, _, allowed = str(bad).partition(": allowed is ")
        return Fault(row.places["limit"], message, allowed)
    department = texts.get("department", "")[:100]
    return Condition(0, standard_ref, matter, texts["opening"], texts["closing"], limit, department)


def _text(value: object) -> str:
    if value is None:
        return ""
    return (
        str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip()
    )
