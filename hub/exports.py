"""Tables for people who go on in a spreadsheet: CSV and XLSX, the same rows."""

import csv
import io
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from enum import Enum
from typing import Annotated, Any, Literal

from fastapi import Query
from fastapi.responses import Response

Format = Literal["csv", "xlsx"]
TYPES: dict[Format, str] = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
FILES: dict[int | str, dict[str, Any]] = {200: {"content": {kind: {} for kind in TYPES.values()}}}
NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
FORMULA = ("=", "+", "-", "@", "\t", "\r")
Cell = str | int | float | None
MOST = 20_000
"""Rows of a table at most: what a spreadsheet still opens at once."""

Form = Annotated[Format, Query(alias="format")]


def table(
    name: str, titles: Sequence[str], rows: Iterable[Sequence[Cell]], form: Format
) -> Response:
    """A download called NAME.FORM.

    Text that a spreadsheet would run as a formula is marked as text.
    """
    checked = ([_safe(cell) for cell in row] for row in rows)
    data = _csv(titles, checked) if form == "csv" else _xlsx(name, titles, checked)
    headers = {"Content-Disposition": f'attachment; filename="{name}.{form}"'}
    return Response(data, media_type=TYPES[form], headers=headers)


def sheet(
    name: str, items: Iterable[object], columns: Mapping[str, "Source"], form: Format
) -> Response:
    """The items of a list as a table: what the list shows, no more.

    `columns`: title to the field it comes from (`grid.name` for a field of a field), or what makes
    the cell of an item.
    """
    getters = [_getter(source) for source in columns.values()]
    rows = ([_cell(get(item)) for get in getters] for item in items)
    return table(name, list(columns), rows, form)


Source = str | Callable[[Any], object]


def _getter(source: Source) -> Callable[[Any], object]:
    if not isinstance(source, str):
        return source
    path = source.split(".")
    return lambda item: _field(item, path)


def _field(item: object, path: Sequence[str]) -> object:
    for name in path:
        item = None if item is None else getattr(item, name)
    return item


def _cell(value: object) -> Cell:
    match value:
        case datetime():
            return _iso(value)
        case bool():
            return "yes" if value else ""
        case Enum():
            return str(value.value)
        case str() | int() | float():
            return value
        case list() | tuple():
            return len(value)
        case _:
            return "" if value is None else str(value)


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def safe(text: str) -> str:
    """Text without signs that no file can hold, which no spreadsheet runs as a formula."""
    written = NOT_IN_XML.sub("", text)
    return f"'{written}" if written.startswith(FORMULA) else written


def _safe(cell: Cell) -> Cell:
    return safe(cell) if isinstance(cell, str) else cell


def _csv(titles: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(titles)
    writer.writerows(rows)
    # Excel takes a file without the mark for one in the local encoding.
    return text.getvalue().encode("utf-8-sig")


def _xlsx(name: str, titles: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    import openpyxl  # noqa: PLC0415 - half a second that no other start waits for

    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet(name[:31])
    sheet.freeze_panes = "A2"
    sheet.append(list(titles))
    for row in rows:
        sheet.append(list(row))
    data = io.BytesIO()
    book.save(data)
    return data.getvalue()
