"""Tables read by the titles of their columns; what is wrong is named by sheet, row and column.

All faults are found at once. What a sheet does not title is left alone.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from hub.errors import SEE_PROBLEMS, HubError, Problem
from hub.grid.errors import GridError
from hub.grid.sheets import Sheet, read_sheets
from hub.words import Language
from wire.coded import Coded, coded

Value = TypeVar("Value")
Headings = Mapping[str, tuple[str, ...]]
"""Our field → the titles people give it, the usual one first."""

SHOWN_FAULTS = 500
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
SHEET_BODY = {"requestBody": {"content": {XLSX: {}, "text/csv": {}}, "required": True}}
"""What OpenAPI says of a call that takes a table."""


FILE = coded("file", "file")
TABLES = coded("tables", "an XLSX workbook or a CSV table")
A_GRID = coded("a_grid", "a code of GET /api/grids")
A_ROW = coded("a_row", "a row")
ROW_OR_MORE = coded("row_or_more", "one row or more")


def row_at(number: int) -> Coded:
    """The place of a row."""
    return coded("row", "row {row}", row=number)


def in_sheet(sheet: str, place: Coded) -> Coded:
    """A place in a sheet; the same place where the table has no name."""
    return coded("in_sheet", "{sheet}, {place}", sheet=sheet, place=place) if sheet else place


def characters(count: int) -> Coded:
    """A text of the wrong length."""
    return coded("characters", "{count} characters", count=count)


def one_to(most: int) -> Coded:
    """How long a text may be."""
    return coded("one_to", "1 to {most} characters", most=most)


def at_most(most: int) -> Coded:
    """The greatest number there may be."""
    return coded("at_most", "at most {most}", most=most)


def of_field(field: str, message: str) -> Coded:
    """What is wrong in a field of a call."""
    return coded("of_field", "{field}: {what}", field=field, what=message)


def no_grid(code: str) -> Coded:
    """A code of no grid in force."""
    return coded("no_grid", "{given!r} is no grid in force", given=code)


def unreadable(message: str) -> Coded:
    """Why a file is no table."""
    return coded("cannot_be_read", "cannot be read: {why}", why=message)


def titles(headings: Headings, language: Language | None) -> list[str]:
    """The usual titles of a table that goes out and is taken back, in the reader's language."""
    english = language == "en"
    return [
        next((title for title in known if english and title.isascii()), known[0])
        for known in headings.values()
    ]


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong in the sheet; `where` as a person finds it: 立结案, row 7, 处置时限."""

    where: str
    message: str
    allowed: str


class BadSheet(HubError):
    """A sheet nothing was taken of, with everything that is wrong with it."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        """Keep the faults."""
        super().__init__("; ".join(f"{f.where}: {f.message} ({f.allowed})" for f in faults[:20]))
        self.faults = faults


class BadTable(Problem):
    """The answer for a sheet that was not taken, with every fault."""

    def __init__(self, fault: BadSheet) -> None:
        """List the faults by place."""
        count = len(fault.faults)
        super().__init__(
            422,
            "bad_sheet",
            coded("table_faults", "{count} faults; nothing was taken", count=count),
            SEE_PROBLEMS,
        )
        self.problems = [
            {"where": f.where, "message": f.message, "allowed": f.allowed}
            for f in fault.faults[:SHOWN_FAULTS]
        ]


@dataclass(frozen=True, slots=True)
class Line:
    """A row: what stands in it by our fields, and the titles its sheet has for them."""

    sheet: str
    number: int
    titles: Mapping[str, str]
    texts: Mapping[str, str]

    def __getitem__(self, field: str) -> str:
        """The text of a field, "" where the sheet has no such column."""
        return self.texts.get(field, "")

    def fault(self, field: str, message: str, allowed: str) -> Fault:
        """Something wrong in a field."""
        column = self.titles.get(field, field)
        cell = coded("cell", "row {row}, {column}", row=self.number, column=column)
        return Fault(in_sheet(self.sheet, cell), message, allowed)


def values_of(
    data: bytes,
    headings: Headings,
    needed: Sequence[str],
    read: Callable[[Line], Value | Fault],
    *,
    key: Callable[[Value], Hashable] | None = None,
    twice: Callable[[Line, Value, int], Fault] | None = None,
) -> list[Value]:
    """What the rows of a file say, all of them or none.

    With `key`, rows of the same key are refused; `twice` words it, given the later line, its
    value and the number of the row that was first. Raises BadSheet with every fault.
    """
    lines, faults = lines_of(data, headings, needed)
    first: dict[Hashable, int] = {}
    found: list[Value] = []
    for line in lines:
        each = read(line)
        if isinstance(each, Fault):
            faults.append(each)
            continue
        same = key(each) if key else line.number
        if same in first and twice:
            faults.append(twice(line, each, first[same]))
            continue
        first.setdefault(same, line.number)
        found.append(each)
    if faults:
        raise BadSheet(faults)
    return found


def lines_of(
    data: bytes, headings: Headings, needed: Sequence[str]
) -> tuple[list[Line], list[Fault]]:
    """The rows of every sheet that has the needed columns, and those that are no rows at all.

    Raises BadSheet where a file cannot be read, has no such sheet, or none with a row.
    """
    try:
        sheets = read_sheets(data)
    except GridError as fault:
        raise BadSheet([Fault(FILE, unreadable(fault.message), TABLES)]) from None
    tables = [(sheet, titles) for sheet in sheets if (titles := _titles(sheet, headings, needed))]
    if not tables:
        words = ", ".join(headings[name][0] for name in needed)
        message = coded("no_headings", "no sheet has the headings")
        allowed = coded("row_with", "a row with {titles}", titles=words)
        raise BadSheet([Fault(FILE, message, allowed)])
    bad = [
        Fault(in_sheet(sheet.name, row_at(row.line)), row.message, A_ROW)
        for sheet, _ in tables
        for row in sheet.bad
    ]
    found = [
        Line(
            sheet.name,
            number,
            titles,
            {name: cells.get(title, "").strip() for name, title in titles.items()},
        )
        for sheet, titles in tables
        for number, cells in sheet.rows
    ]
    if not found and not bad:
        message = coded("headings_alone", "has headings and no rows")
        raise BadSheet([Fault(FILE, message, ROW_OR_MORE)])
    return found, bad


def _titles(sheet: Sheet, headings: Headings, needed: Sequence[str]) -> dict[str, str] | None:
    """The title in the sheet of each field that it has; None where a needed one lacks."""
    known = {title.replace(" ", "").lower(): title for title in sheet.header}
    titles = {
        field: known[word]
        for field, allowed in headings.items()
        if (word := next((each for each in allowed if each in known), None)) is not None
    }
    return titles if all(field in titles for field in needed) else None
