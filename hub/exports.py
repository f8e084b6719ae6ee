"""Tables for people who go on in a spreadsheet: CSV and XLSX, the same rows."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any, Literal

from fastapi.responses import Response

Format = Literal["csv", "xlsx"]
TYPES: dict[Format, str] = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
FILES: dict[int | str, dict[str, Any]] = {200: {"content": {kind: {} for kind in TYPES.values()}}}
FORMULA = ("=", "+", "-", "@", "\t", "\r")
Cell = str | int | float | None


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


def safe(text: str) -> str:
    """Text that no spreadsheet runs as a formula."""
    return f"'{text}" if text.startswith(FORMULA) else text


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
