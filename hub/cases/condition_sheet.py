"""The city's table of conditions as the sheet that cities keep (XLSX or CSV).

All faults are named at once, by sheet, row and column, and then nothing is taken.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from hub.calendar.limit import BadLimit, TimeLimit
from hub.cases.condition import Condition
from hub.errors import HubError
from hub.grid.errors import GridError
from hub.grid.sheets import Sheet, read_sheets

HEADINGS: Mapping[str, tuple[str, ...]] = {
    "matter": ("小类代码", "事项代码", "代码", "matter", "code"),
    "opening": ("立案条件", "opening"),
    "closing": ("结案条件", "结案标准", "closing"),
    "limit": ("处置时限", "处理时限", "时限", "limit"),
    "department": ("责任部门", "主管部门", "责任单位", "department"),
}
NEEDED = ("matter", "opening", "closing", "limit")
LONGEST = 500


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong in the sheet; `where` as a person finds it: 立结案, row 7, 处置时限."""

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
    """The conditions of a file. `known`: matter codes that exist, and their Chinese names.

    Raises BadSheet.
    """
    try:
        sheets = read_sheets(data)
    except GridError as fault:
        allowed = "an XLSX workbook or a CSV table"
        raise BadSheet([Fault("file", f"cannot be read: {fault}", allowed)]) from None
    tables = [(sheet, columns) for sheet in sheets if (columns := _columns(sheet)) is not None]
    if not tables:
        words = ", ".join(HEADINGS[name][0] for name in NEEDED)
        raise BadSheet([Fault("file", "no sheet has the headings", f"a row with {words}")])
    found = [
        _condition(sheet.name, number, cells, columns, standard_ref, known)
        for sheet, columns in tables
        for number, cells in sheet.rows
    ]
    faults = [each for each in found if isinstance(each, Fault)]
    faults += [
        Fault(f"{sheet.name}, row {bad.line}", bad.message, "a row")
        for sheet, _ in tables
        for bad in sheet.bad
    ]
    if not found:
        faults.append(Fault("file", "has headings and no rows", "one row or more"))
    if faults:
        raise BadSheet(faults)
    return [each for each in found if isinstance(each, Condition)]


def _columns(sheet: Sheet) -> dict[str, str] | None:
    """The title in the sheet of each column that is known; None where a needed one lacks."""
    titles = {title.replace(" ", "").lower(): title for title in sheet.header}
    columns = {
        name: titles[word]
        for name, allowed in HEADINGS.items()
        if (word := next((each for each in allowed if each in titles), None)) is not None
    }
    return columns if all(name in columns for name in NEEDED) else None


def _condition(  # noqa: PLR0917 - where it stands and what is read
    title: str,
    number: int,
    cells: Mapping[str, str],
    columns: Mapping[str, str],
    standard_ref: str,
    known: Mapping[str, str],
) -> Condition | Fault:
    texts = {name: cells.get(column, "").strip() for name, column in columns.items()}

    def fault(name: str, message: str, allowed: str) -> Fault:
        place = f"{title}, row {number}, {columns[name]}" if title else f"row {number}"
        return Fault(place, message, allowed)

    matter = texts["matter"].zfill(5)
    if matter not in known:
        given = texts["matter"] or "nothing"
        return fault("matter", f"{given} is no matter", f"a five-digit code of {standard_ref}")
    for name in ("opening", "closing"):
        if not 0 < len(texts[name]) <= LONGEST:
            return fault(name, f"{len(texts[name])} characters", f"1 to {LONGEST} characters")
    try:
        limit = TimeLimit.read(texts["limit"])
    except BadLimit as bad:
        message, _, allowed = str(bad).partition(": allowed is ")
        return fault("limit", message, allowed)
    department = texts.get("department", "")[:100]
    return Condition(0, standard_ref, matter, texts["opening"], texts["closing"], limit, department)
