"""Tables for people who go on in a spreadsheet: CSV and XLSX, the same rows.

Programs read them by the names of our fields, with moments in UTC. A person asks for a language:
then heads and words are those of the console, and moments are the site's, which the first head of
them says once.
"""

import csv
import io
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Annotated, Any, Literal
from urllib.parse import quote
from zoneinfo import ZoneInfo

from fastapi import Depends, Query, Request
from fastapi.responses import Response

from hub.http import iso
from hub.words import Language, said, texts, word
from wire.coded import Coded, with_code

Format = Literal["csv", "xlsx"]
TYPES: dict[Format, str] = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
FILES: dict[int | str, dict[str, Any]] = {200: {"content": {kind: {} for kind in TYPES.values()}}}
NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
FORMULA = ("=", "+", "-", "@", "\t", "\r")
MOST = 20_000
"""Rows of a table at most: what a spreadsheet still opens at once."""
CODES = frozenset({"state_zh", "indicator"})
"""Columns for programs: another says the same in words."""
WIDEST = 60
"""Of a column, in digits."""


@dataclass(frozen=True, slots=True)
class Form:
    """How a table is wanted: as which file, and for whom.

    `language`: the reader's, None for a program. `zone`: whose moments are shown to him.
    """

    format: Format
    language: Language | None
    zone: ZoneInfo


def form(
    request: Request,
    form: Annotated[Format, Query(alias="format")] = "xlsx",
    language: Language | None = None,
) -> Form:
    """How the caller wants a table. `language`: of its heads and words; none: as our fields say."""
    return Form(form, language, request.app.state.zone)


AskedForm = Annotated[Form, Depends(form)]


@dataclass(frozen=True, slots=True)
class Word:
    """A word of the hub, of one of the groups of `hub.words`: the first that has it says it."""

    name: str | int | None
    groups: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Named:
    """What has a name in each language; programs read the Chinese one."""

    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Several:
    """Cells in one, with `apart` between them.

    A person reads the sign of his language instead, unless it is `kept`.
    """

    parts: Sequence[object]
    apart: str = "; "
    kept: bool = False


Cell = object
"""Text, a number, a moment, a boolean, a Word, a Named, Several; None is an empty one."""
Source = str | Callable[[Any], object]


def table(
    name: str,
    titles: Sequence[str],
    rows: Iterable[Sequence[Cell]],
    wanted: Form,
    about: str = "",
    *,
    spoken: Cell = None,
    are_heads: bool = False,
) -> Response:
    """A download called NAME-ABOUT.FORMAT, in the reader's language where he has one.

    `spoken`: ABOUT as people say it. `titles`: our fields; `are_heads`: as people call them, for a
    table that is taken back. Text that a spreadsheet would run as a formula is marked as text.
    """
    shown = [n for n, title in enumerate(titles) if not (wanted.language and title in CODES)]
    given = [[row[n] for n in shown] for row in rows]
    kept = [titles[n] for n in shown]
    heads = kept if are_heads else _heads(name, kept, given, wanted)
    lines = [[_safe(_cell(cell, wanted)) for cell in row] for row in given]
    called = word(wanted.language, "table", name) if wanted.language else name
    data = _csv(heads, lines) if wanted.format == "csv" else _xlsx(called, heads, lines)
    said = about if spoken is None else str(_cell(spoken, wanted))
    file = "-".join(filter(None, [called, said if wanted.language else about]))
    plain = "-".join(filter(None, [name, about]))
    headers = {
        "Content-Disposition": f'attachment; filename="{plain}.{wanted.format}"'
        + ("" if file == plain else f"; filename*=UTF-8''{quote(file)}.{wanted.format}")
    }
    return Response(data, media_type=TYPES[wanted.format], headers=headers)


def sheet(
    name: str,
    items: Iterable[object],
    columns: Mapping[str, Source],
    wanted: Form,
    about: str = "",
    *,
    spoken: Cell = None,
) -> Response:
    """The items of a list as a table: what the list shows, no more.

    `columns`: title to the field it comes from (`grid.name` for a field of a field), or what makes
    the cell of an item.
    """
    getters = [_getter(source) for source in columns.values()]
    rows = ([get(item) for get in getters] for item in items)
    return table(name, list(columns), rows, wanted, about, spoken=spoken)


def worded(source: Source, *groups: str) -> Source:
    """A column of words of the hub."""
    get = _getter(source)
    return lambda item: Word(get(item), groups)


def sentence(name: str) -> Source:
    """A column of sentences that may have a code, beside which the items say it (`coded`)."""

    def of(item: Any) -> str:
        text, code = getattr(item, name), item.coded.get(name)
        return with_code(text, code.model_dump()) if code else text

    return of


def matter_name(item: Any) -> Named | None:
    """The column of what the matter of an item is called."""
    return None if item.matter is None else Named(item.matter.name_zh, item.matter.name_en)


def _getter(source: Source) -> Callable[[Any], Any]:
    if not isinstance(source, str):
        return source
    path = source.split(".")
    return lambda item: _field(item, path)


def _field(item: object, path: Sequence[str]) -> object:
    for name in path:
        item = None if item is None else getattr(item, name)
    return item


def _heads(
    name: str, titles: Sequence[str], rows: Sequence[Sequence[Cell]], wanted: Form
) -> Sequence[str]:
    language = wanted.language
    if language is None:
        return titles
    known = texts(language)
    heads = [known.get(f"head.{name}.{t}") or known.get(f"head.{t}", t) for t in titles]
    timed = (n for n in range(len(heads)) if any(isinstance(row[n], datetime) for row in rows))
    if (first := next(timed, None)) is not None:
        zone = word(language, "timeZone", wanted.zone.key)
        heads[first] = known["sign.zoned"].format(head=heads[first], zone=zone)
    return heads


def _cell(value: object, wanted: Form) -> object:
    """A cell as it is written: text, a number, a moment of a workbook."""
    match value:
        case Word(name, groups):
            return _word(name, groups, wanted)
        case Coded():
            return said(value, wanted.language, wanted.zone) if wanted.language else str(value)
        case Named(zh, en):
            return en if wanted.language == "en" and en else zh
        case Several(parts, apart, kept):
            language = None if kept else wanted.language
            between = texts(language)["sign.several"] if language else apart
            return between.join(str(_cell(part, wanted)) for part in parts)
        case datetime():
            return _moment(value, wanted)
    return _plain(value, wanted.language)


def _plain(value: object, language: Language | None) -> object:
    match value:
        case bool():
            return _yes(value, language)
        case Enum():
            return str(value.value)
        case str() | int() | float():
            return value
        case list() | tuple():
            return len(value)
        case _:
            return "" if value is None else str(value)


def _word(name: str | int | None, groups: Sequence[str], wanted: Form) -> object:
    if name is None or name == "" or wanted.language is None:
        return _cell(name, wanted)
    known = texts(wanted.language)
    keys = (f"{group}.{name}" for group in groups)
    return next((known[key] for key in keys if key in known), name)


def _moment(at: datetime, wanted: Form) -> object:
    if wanted.language is None:
        return iso(at)
    local = at.astimezone(wanted.zone).replace(microsecond=0, tzinfo=None)
    return local if wanted.format == "xlsx" else str(local)


def _yes(value: bool, language: Language | None) -> str:  # noqa: FBT001 - it is the cell
    if language is None:
        return "yes" if value else ""
    return word(language, "yesNo", "yes" if value else "no")


def safe(text: str) -> str:
    """Text without signs that no file can hold, which no spreadsheet runs as a formula."""
    written = NOT_IN_XML.sub("", text)
    return f"'{written}" if written.startswith(FORMULA) else written


def _safe(cell: object) -> object:
    return safe(cell) if isinstance(cell, str) else cell


def _csv(titles: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(titles)
    writer.writerows(rows)
    # Excel takes a file without the mark for one in the local encoding.
    return text.getvalue().encode("utf-8-sig")


def _xlsx(name: str, titles: Sequence[str], rows: Sequence[Sequence[object]]) -> bytes:
    import openpyxl  # noqa: PLC0415 - half a second that no other start waits for
    from openpyxl.utils import get_column_letter  # noqa: PLC0415

    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet(name[:31])
    sheet.freeze_panes = "A2"
    for number, column in enumerate(zip(titles, *rows, strict=True), 1):
        sheet.column_dimensions[get_column_letter(number)].width = _width(column)
    sheet.append(list(titles))
    for row in rows:
        sheet.append(list(row))
    data = io.BytesIO()
    book.save(data)
    return data.getvalue()


def _width(column: Sequence[object]) -> int:
    """So wide that the longest line of a column is seen; a Chinese sign is two digits wide."""
    longest = max(len(str(cell)) + sum(sign > "\u2e7f" for sign in str(cell)) for cell in column)
    return min(WIDEST, longest + 2)
