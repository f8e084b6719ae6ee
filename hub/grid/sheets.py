"""Tables that people bring: CSV, or the sheets of a workbook, as rows of text with their numbers.

A damaged row costs that row alone; every row keeps the number that the program it was written in
shows. A title above the columns is passed over; a merged cell counts for every row it covers. CSV
may be UTF-8 or, as Excel writes it in China, GB 18030.
"""

import io
import warnings
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from itertools import chain
from typing import Any
from zipfile import BadZipFile

from hub.grid.errors import GridError
from hub.grid.rows import BadRow, BadValue, Rows, check_width
from wire.coded import coded

MAX_ROWS = 1_000_000
MAX_UNPACKED = 1 << 30
MERGED_UNPACKED = 64 << 20
"""Merged cells are known only of a workbook that is read whole, which takes memory."""

OLD_EXCEL, ZIP = b"\xd0\xcf\x11\xe0", b"PK"


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table: `name` of the sheet ("" for CSV), columns, rows as (number, cells by column).

    `bad`: rows that are no rows at all.
    """

    name: str
    header: tuple[str, ...]
    rows: tuple[tuple[int, dict[str, str]], ...]
    bad: tuple[BadRow, ...] = ()


def read_sheets(data: bytes) -> list[Sheet]:
    """The sheets of a workbook that have a header, or the one table of a CSV.

    Raises GridError for a file that is neither.
    """
    if data.startswith(OLD_EXCEL):
        message = "an Excel file of the old kind (.xls); save it as .xlsx or as CSV"
        raise GridError(coded("old_excel", message))
    return list(_workbook(data)) if data.startswith(ZIP) else [_csv(data)]


def _csv(data: bytes) -> Sheet:
    rows = Rows(io.StringIO(_text(data), newline=""), required=())
    header = tuple(title.strip() for title in rows.titles)
    if not any(header):
        raise GridError(coded("no_columns", "line 1: no names of columns"))
    taken: list[tuple[int, dict[str, str]]] = []
    bad: list[BadRow] = []
    for row in rows:
        if isinstance(row, BadRow):
            bad.append(row)
            continue
        line, cells = row
        if not any(cell.strip() for cell in cells):
            continue
        try:
            check_width(cells, header)
        except BadValue as fault:
            bad.append(BadRow(line, fault.message))
            continue
        taken.append((line, _by_column(header, [cell.strip() for cell in cells])))
    return Sheet("", header, tuple(taken), tuple(bad))


def _text(data: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" in text:
            break
        return text
    message = "not text in UTF-8 or GB 18030 (save the table as .xlsx or as CSV in UTF-8)"
    raise GridError(coded("no_text", message))


def _workbook(data: bytes) -> Iterator[Sheet]:
    import openpyxl  # noqa: PLC0415 - half a second that no other start waits for

    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            unpacked = sum(part.file_size for part in packed.infolist())
        if unpacked > MAX_UNPACKED:
            message = "the workbook unpacks to {mib} MiB (at most 1024)"
            raise GridError(coded("large_workbook", message, mib=unpacked >> 20))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            in_parts = unpacked > MERGED_UNPACKED
            book = openpyxl.load_workbook(io.BytesIO(data), read_only=in_parts, data_only=True)
            for sheet in book.worksheets:
                table = _sheet(sheet)
                if table is not None:
                    yield table
            book.close()
    except (BadZipFile, KeyError, ValueError, OSError, EOFError, SyntaxError) as fault:
        if isinstance(fault, GridError):
            raise
        raise GridError(coded("no_workbook", "not an XLSX workbook: {why}", why=fault)) from None


def _sheet(sheet: Any) -> Sheet | None:
    rows = _filled_rows(sheet)
    above: list[tuple[int, list[str]]] = []
    for number, cells in rows:
        above.append((number, cells))
        if sum(map(bool, cells)) > 1:
            above = above[-1:]
            break
    if not above:
        return None
    # Only a table of one column has no row with two titles: its first row is its header.
    header = tuple(above[0][1])
    taken = [(number, _by_column(header, cells)) for number, cells in chain(above[1:], rows)]
    return Sheet(sheet.title, header, tuple(taken))


def _filled_rows(sheet: Any) -> Iterator[tuple[int, list[str]]]:
    covered = _covered(sheet)
    taken = 0
    for number, values in enumerate(sheet.iter_rows(values_only=True), 1):
        cells = [
            _cell(covered.get((number, column), value)) for column, value in enumerate(values, 1)
        ]
        if any(cells):
            taken += 1
            if taken > MAX_ROWS:
                message = "sheet {sheet!r}: more than {most} rows"
                raise GridError(coded("many_rows", message, sheet=sheet.title, most=MAX_ROWS))
            yield number, cells


def _covered(sheet: Any) -> dict[tuple[int, int], object]:
    """The values of cells merged down, by (row, column) from 1, for every row they cover."""
    if not hasattr(sheet, "merged_cells"):
        sheet.reset_dimensions()
        return {}
    return {
        (row, area.min_col): sheet.cell(area.min_row, area.min_col).value
        for area in sheet.merged_cells.ranges
        for row in range(area.min_row, area.max_row + 1)
    }


def _by_column(header: tuple[str, ...], cells: list[str]) -> dict[str, str]:
    """Cells under the names of their columns; columns without a name are nobody's."""
    padded = [*cells, *[""] * (len(header) - len(cells))]
    return {name: cell for name, cell in zip(header, padded, strict=False) if name}


def _cell(value: object) -> str:
    """What a person sees in a cell, near enough: no 12.0 for 12, no midnight for a date."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        at_midnight = value.time() == time(0)
        return value.date().isoformat() if at_midnight else value.isoformat(" ", "minutes")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, time):
        return value.isoformat("minutes")
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value).strip()
