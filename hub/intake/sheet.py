"""Reports of other systems as rows: CSV, XLSX or JSON of a hotline (12345, 12319) through a map.

An adapter says which column of a city's export is which field of ours; there is no national list of
fields (case-handling practice; DB36/T 1180-2019 is one province's). Every bad row is named by its
place, and then nothing is taken.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from hub.grid.errors import GridError
from hub.grid.sheets import read_sheets
from hub.grid.titled import A_ROW, FILE, BadSheet, Fault, row_at, unreadable
from hub.intake.report import Caller, Channel, NewReport, matter_of
from wire.coded import coded

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "external_id": ("工单编号", "工单号", "编号", "external_id", "id"),
    "received_at": ("受理时间", "来电时间", "登记时间", "received_at"),
    "content": ("诉求内容", "工单内容", "内容", "content"),
    "category_hint": ("诉求类别", "问题类别", "事项", "category"),
    "place_text": ("事发地点", "地址", "地点", "place"),
    "lat": ("纬度", "lat"),
    "lon": ("经度", "lon", "long"),
    "caller_name": ("诉求人", "来电人", "姓名", "caller_name"),
    "caller_phone": ("联系电话", "来电号码", "电话", "caller_phone"),
    "reply_due_at": ("办结期限", "答复期限", "reply_due_at"),
    "urgent": ("紧急程度", "urgency"),
}
NEEDED = ("external_id", "received_at", "content")
FORMS = coded("report_files", "CSV, XLSX or a JSON list of objects")
HEADED = coded("headed_rows", "a heading row and one row or more")
A_TIME = coded("a_time", "2026-11-28 09:30 or ISO 8601")
_URGENCY = {"": 1, "一般": 1, "1": 1, "紧急": 2, "2": 2, "特急": 3, "3": 3}
_TIMES = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M")


def read_reports(data: bytes, *, channel: Channel, system: str, zone: ZoneInfo) -> list[NewReport]:
    """The reports of a file; its kind is told by its first bytes. Times without offset are local.

    Raises BadSheet.
    """
    rows = _rows(data)
    if not rows:
        raise BadSheet([Fault(FILE, coded("no_rows", "has no rows"), HEADED)])
    names = _names(rows[0][1])
    reports, faults = [], []
    for number, cells in rows:
        row = _Row(number, cells, names, zone)
        found = _report(row, channel, system)
        faults += row.faults
        if found is not None:
            reports.append(found)
    if faults:
        raise BadSheet(faults)
    return reports


def _names(row: Mapping[str, object]) -> dict[str, str]:
    """Our field → the file's column."""
    names = {
        field: column
        for field, allowed in COLUMNS.items()
        if (column := next((each for each in allowed if each in row), None)) is not None
    }
    if missing := [field for field in NEEDED if field not in names]:
        raise BadSheet(
            [
                Fault(
                    coded("headings", "headings"),
                    coded("no_column_for", "no column for {field}", field=field),
                    " or ".join(COLUMNS[field]),
                )
                for field in missing
            ]
        )
    return names


def _rows(data: bytes) -> list[tuple[int, Mapping[str, object]]]:
    """Rows by number and column; of a workbook the first sheet."""
    if data[:1] in (b"[", b"{"):
        return list(enumerate(_json(data), 1))
    try:
        sheets = read_sheets(data)
    except GridError as fault:
        raise BadSheet([Fault(FILE, unreadable(fault.message), FORMS)]) from None
    if bad := [bad for sheet in sheets[:1] for bad in sheet.bad]:
        raise BadSheet([Fault(row_at(row.line), row.message, A_ROW) for row in bad])
    return [row for sheet in sheets[:1] for row in sheet.rows]


def _json(data: bytes) -> list[Mapping[str, object]]:
    try:
        document = json.loads(data)
    except ValueError as fault:
        raise BadSheet([Fault(FILE, unreadable(str(fault)), FORMS)]) from None
    listed = document.get("items", []) if isinstance(document, dict) else document
    if not isinstance(listed, list) or not all(isinstance(row, dict) for row in listed):
        raise BadSheet([Fault(FILE, coded("no_list", "is no list of objects"), FORMS)])
    return listed


class _Row:
    """A row, read field by field; what cannot be read is noted by its place."""

    def __init__(
        self, number: int, cells: Mapping[str, object], names: Mapping[str, str], zone: ZoneInfo
    ) -> None:
        """`names`: our field → the file's column."""
        self.faults: list[Fault] = []
        self._number, self._names, self._zone = number, names, zone
        self._texts = {field: _text(cells.get(column)) for field, column in names.items()}

    def text(self, field: str, longest: int, *, needed: bool = False) -> str:
        """A text, cut to its longest."""
        given = self._texts.get(field, "")
        if needed and not given:
            self._fault(field, coded("empty", "is empty"), coded("a_value", "a value in every row"))
        return given[:longest]

    def moment(self, field: str, *, needed: bool = False) -> datetime | None:
        """A time; None where the cell is empty."""
        given = self.text(field, 64, needed=needed)
        at = _moment(given, self._zone) if given else None
        if given and at is None:
            self._fault(field, coded("no_time", "{given!r} is no time", given=given), A_TIME)
        return at

    def degrees(self, field: str, most: float) -> float | None:
        """A coordinate; None where the cell is empty."""
        given = self.text(field, 64)
        value = _number(given) if given else None
        if given and (value is None or not -most <= value <= most):
            message = coded("no_coordinate", "{given!r} is no coordinate", given=given)
            self._fault(
                field, message, coded("degrees", "degrees from -{most} to {most}", most=most)
            )
        return value

    def urgency(self) -> int:
        """1 to 3; 1 where nothing is said."""
        given = self.text("urgent", 16)
        if given not in _URGENCY:
            message = coded("no_urgency", "{given!r}", given=given)
            self._fault("urgent", message, coded("urgencies", "一般, 紧急, 特急 or 1 to 3"))
        return _URGENCY.get(given, 1)

    def _fault(self, field: str, message: str, allowed: str) -> None:
        column = self._names[field]
        where = coded("row_column", "row {row}, column {column}", row=self._number, column=column)
        self.faults.append(Fault(where, message, allowed))


def _report(row: _Row, channel: Channel, system: str) -> NewReport | None:
    """The report of a row; None where the row has faults."""
    received_at = row.moment("received_at", needed=True)
    hint = row.text("category_hint", 200)
    matter = matter_of(hint)
    given = {
        "external_id": row.text("external_id", 128, needed=True),
        "content": row.text("content", 4000, needed=True),
        "place_text": row.text("place_text", 500),
        "lat": row.degrees("lat", 90),
        "lon": row.degrees("lon", 180),
        "urgency": row.urgency(),
        "reply_due_at": row.moment("reply_due_at"),
        "caller": Caller(row.text("caller_name", 100), row.text("caller_phone", 40)),
    }
    if row.faults or received_at is None:
        return None
    fields: Any = given
    return NewReport(
        channel=channel,
        received_at=received_at,
        external_system=system,
        matter=matter.code if matter else None,
        category_hint=hint,
        wants_reply=True,
        **fields,
    )


def _moment(text: str, zone: ZoneInfo) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        for form in _TIMES:
            try:
                return datetime.strptime(text, form).replace(tzinfo=zone)
            except ValueError:
                continue
        return None
    return at if at.tzinfo else at.replace(tzinfo=zone)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _text(value: object) -> str:
    return "" if value is None else str(value).strip()
