"""Permits of a CSV table or a workbook: all of them, or every bad row by its place.

Columns have an English or a Chinese name (`COLUMNS`); others are left alone. A sheet without a
column for the number is no sheet of permits and is passed over, unless there is none at all.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from hub.grid.datum import Datum, convert
from hub.grid.errors import GridError
from hub.grid.hours import ALWAYS, Hours
from hub.grid.sheets import Sheet, read_sheets
from hub.grid.titled import A_ROW, row_at
from hub.permits.permit import DEFAULT_HALF_WIDTH_M, ROUTES, Permit, Route, faults, plate_key
from wire.coded import coded

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "number": ("permit", "permit_no", "number", "处置证号", "核准证号", "证号", "许可证号"),
    "vehicles": ("vehicles", "plates", "车牌", "车牌号", "车辆", "运输车辆"),
    "loading_site": ("loading_site", "工地", "装载工地", "装载地点", "产生地", "装土点"),
    "dump_site": ("dump_site", "消纳场", "消纳地点", "处置场所", "卸土点"),
    "route": ("route", "路线", "运输路线"),
    "half_width_m": ("half_width_m", "路线半宽", "路线半宽米"),
    "hours": ("hours", "时段", "运输时段", "准运时段"),
    "valid_from": ("valid_from", "有效期起", "开始日期", "生效日期"),
    "valid_until": ("valid_until", "有效期止", "结束日期", "失效日期"),
}
NEEDED = ("number", "vehicles", "loading_site", "dump_site", "valid_from", "valid_until")
BETWEEN = re.compile(r"[;；,，、\n]+")
PARTS = re.compile(r"[;；\n]+")
SPAN = re.compile(r"\s*(\d{1,2}:\d{2})\s*(?:-|–|—|~|～|至)\s*(\d{1,2}:\d{2})\s*")
LINESTRING = re.compile(r"\s*LINESTRING\s*\((.*)\)\s*", re.IGNORECASE | re.DOTALL)
TABLES = coded("csv_or_xlsx", "a CSV table or an XLSX workbook")
OTHER_SHEET = coded("other_sheet", "another sheet")
NUMBER_ONCE = coded("number_once", "each number once")
DATE = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?")


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong, where a person finds it (`sheet`, `row` from 1, `column` as it is titled)."""

    sheet: str
    row: int
    column: str
    message: str
    allowed: str

    def line(self) -> dict[str, object]:
        """The fault as one JSON object."""
        return {
            "problem": "bad_permit",
            "sheet": self.sheet,
            "row": self.row,
            "column": self.column,
            "message": self.message,
            "allowed": self.allowed,
        }


@dataclass
class Reading:
    """The permits of a file and everything that is wrong with it; `rows`: how many were read."""

    permits: list[Permit] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    rows: int = 0


SiteKnown = Callable[[str], bool]


def read_permits(
    data: bytes, datum: Datum = Datum.WGS84, is_site: SiteKnown | None = None
) -> Reading:
    """Permits of a CSV or XLSX file, routes turned into WGS-84.

    `is_site`: whether a code or name is that of a known site; None: nobody knows.
    """
    reading = Reading()
    try:
        sheets = read_sheets(data)
    except GridError as fault:
        reading.faults.append(Fault("", 1, "", fault.message, TABLES))
        return reading
    permit_sheets = [sheet for sheet in sheets if "number" in _columns(sheet)]
    for sheet in permit_sheets or sheets[:1]:
        _read_sheet(sheet, datum, is_site, reading)
    return reading


def _columns(sheet: Sheet) -> dict[str, str]:
    """The title in the sheet of each column that is known."""
    found: dict[str, str] = {}
    for title in sheet.header:
        word = title.strip().lower().replace(" ", "").rstrip("（(m米)）") or title
        for name, titles in COLUMNS.items():
            if word in titles or title.strip().lower().replace(" ", "_") in titles:
                found.setdefault(name, title)
    return found


def _read_sheet(sheet: Sheet, datum: Datum, is_site: SiteKnown | None, reading: Reading) -> None:
    columns = _columns(sheet)
    missing = [name for name in NEEDED if name not in columns]
    for name in missing:
        message, allowed = coded("no_column", "the column is missing"), " / ".join(COLUMNS[name])
        reading.faults.append(Fault(sheet.name, 1, name, message, allowed))
    reading.faults += [Fault(sheet.name, bad.line, "", bad.message, A_ROW) for bad in sheet.bad]
    if missing:
        return
    seen: dict[str, int] = {permit.number: 0 for permit in reading.permits}
    for row, cells in sheet.rows:
        reading.rows += 1
        found: list[Fault] = []
        permit = _Row(sheet.name, row, columns, cells, datum, found).permit(is_site)
        if permit is not None and permit.number in seen:
            where = row_at(seen[permit.number]) if seen[permit.number] else OTHER_SHEET
            message = coded(
                "already_in", "{given!r} is in {where} already", given=permit.number, where=where
            )
            found.append(Fault(sheet.name, row, columns["number"], message, NUMBER_ONCE))
        if permit is not None:
            seen.setdefault(permit.number, row)
            if not found:
                reading.permits.append(permit)
        reading.faults += found


class _Row:
    """One row on its way to a permit; notes every fault of it."""

    def __init__(  # noqa: PLR0917 - where it stands and what is read
        self,
        sheet: str,
        row: int,
        columns: Mapping[str, str],
        cells: Mapping[str, str],
        datum: Datum,
        found: list[Fault],
    ) -> None:
        self._sheet, self._row, self._columns = sheet, row, columns
        self._cells, self._datum, self._found = cells, datum, found

    def permit(self, is_site: SiteKnown | None) -> Permit | None:
        """The permit, or None with a fault noted."""
        plates = (plate_key(each) for each in BETWEEN.split(self._text("vehicles")))
        values = {
            "first": self._date("valid_from"),
            "last": self._date("valid_until"),
            "hours": self._hours(),
            "route": self._route(),
            "half_width_m": self._half_width(),
        }
        if any(value is None for value in values.values()):
            return None
        known: dict[str, Any] = values
        permit = Permit(
            number=self._text("number"),
            vehicles=frozenset(plate for plate in plates if plate),
            loading_site=self._text("loading_site"),
            dump_site=self._text("dump_site"),
            **known,
        )
        for name, message, allowed in faults(permit):
            self._bad(name, message, allowed)
        for name in ("loading_site", "dump_site"):
            site = self._text(name)
            if site and is_site is not None and not is_site(site):
                message = coded("unknown_site", "{given!r} is no known site", given=site)
                self._bad(name, message, coded("a_fence", "the code or name of a fence"))
        return permit

    def _bad(self, name: str, message: str, allowed: str) -> None:
        title = self._columns.get(name, name)
        self._found.append(Fault(self._sheet, self._row, title, message, allowed))

    def _text(self, name: str) -> str:
        return self._cells.get(self._columns.get(name, ""), "").strip()

    def _date(self, name: str) -> date | None:
        text = self._text(name)
        # Spreadsheets write a date as midnight of it.
        match = DATE.fullmatch(text.removesuffix("00:00:00").removesuffix("00:00").strip())
        try:
            if match is not None:
                return date(*(int(part) for part in match.groups()))
        except ValueError:
            pass
        self._bad(
            name, coded("no_date", "{given!r} is no date", given=self._text(name)), "2026-10-01"
        )
        return None

    def _hours(self) -> Hours | None:
        text = self._text("hours")
        if not text or text in {"全天", "24小时"}:
            return ALWAYS
        try:
            return Hours.read([_span(part) for part in BETWEEN.split(text) if part.strip()])
        except GridError as fault:
            self._bad("hours", fault.message, "22:00-05:00;12:00-13:00")
            return None

    def _half_width(self) -> float | None:
        text = self._text("half_width_m")
        try:
            return float(text) if text else DEFAULT_HALF_WIDTH_M
        except ValueError:
            message = coded("no_number", "{given!r} is no number", given=text)
            self._bad("half_width_m", message, coded("half_width", "metres to each side"))
            return None

    def _route(self) -> Route | None:
        text = self._text("route")
        try:
            return read_route(text, self._datum)
        except GridError as fault:
            self._bad("route", fault.message, ROUTES)
            return None


def read_route(text: str, datum: Datum = Datum.WGS84) -> Route:
    """A route of `lon,lat;lon,lat;…` or WKT, turned into WGS-84; () for nothing.

    Raises GridError.
    """
    if not text.strip():
        return ()
    line = LINESTRING.fullmatch(text)
    pairs = [_pair(part) for part in (line[1].split(",") if line else PARTS.split(text)) if part]
    lats, lons = convert([lat for lat, _ in pairs], [lon for _, lon in pairs], datum, Datum.WGS84)
    return tuple(zip(lats.tolist(), lons.tolist(), strict=True))


def _pair(part: str) -> tuple[float, float]:
    words = [word for word in re.split(r"[,，\s]+", part.strip()) if word]
    try:
        lon, lat = (float(word) for word in words)
    except ValueError:
        raise GridError(
            coded("no_lon_lat", "{given!r} is no lon,lat", given=part.strip())
        ) from None
    return lat, lon


def _span(part: str) -> list[str]:
    match = SPAN.fullmatch(part)
    if match is None:
        raise GridError(coded("no_span", "{given!r} is no HH:MM-HH:MM", given=part.strip()))
    return [clock.rjust(5, "0") for clock in match.groups()]


def lines(reading: Reading) -> Iterator[dict[str, object]]:
    """A line a fault, then what was read."""
    for each in reading.faults:
        yield each.line()
    summary = {"rows": reading.rows, "good": len(reading.permits), "faults": len(reading.faults)}
    yield {"summary": summary}
