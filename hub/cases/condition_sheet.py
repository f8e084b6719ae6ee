"""The city's table of conditions as the sheet that cities keep (XLSX or CSV).

All faults are named at once, by sheet, row and column, and then nothing is taken.
"""

from collections.abc import Mapping

from hub.calendar.limit import BadLimit, TimeLimit
from hub.cases.condition import Condition
from hub.grid.titled import BadSheet, Fault, Headings, Line, characters, one_to, values_of
from hub.words import word
from wire.coded import coded

__all__ = ["BadSheet", "Fault", "read_conditions"]

HEADINGS: Headings = {
    "matter": ("小类代码", "事项代码", "代码", "matter", "code"),
    "name": ("小类名称", "matter_name"),
    "opening": ("立案条件", "opening"),
    "closing": ("结案条件", "结案标准", "closing"),
    "limit": ("处置时限", "处理时限", "时限", "limit"),
    "department": ("责任部门", "主管部门", "责任单位", "department"),
}
NEEDED = ("matter", "opening", "closing", "limit")
LONGEST = 500


def read_conditions(data: bytes, standard_ref: str, known: Mapping[str, str]) -> list[Condition]:
    """The conditions of a file. `known`: matter codes that exist, and their Chinese names.

    Raises BadSheet.
    """
    return values_of(data, HEADINGS, NEEDED, lambda line: _condition(line, standard_ref, known))


def row_of(condition: Condition, name_zh: str) -> list[str]:
    """A condition under `HEADINGS`; it reads back as the same."""
    unit = word("zh", "unit", condition.limit.unit)
    limit = f"{condition.limit.number:g}{unit}"
    return [
        condition.matter, name_zh, condition.opening, condition.closing, limit,
        condition.department,
    ]  # fmt: skip


def _condition(line: Line, standard_ref: str, known: Mapping[str, str]) -> Condition | Fault:
    matter = line["matter"].zfill(5)
    if matter not in known:
        given = line["matter"] or coded("nothing", "nothing")
        return line.fault(
            "matter",
            coded("no_matter", "{given} is no matter", given=given),
            coded("code_of", "a five-digit code of {standard}", standard=standard_ref),
        )
    for name in ("opening", "closing"):
        if not 0 < len(line[name]) <= LONGEST:
            return line.fault(name, characters(len(line[name])), one_to(LONGEST))
    try:
        limit = TimeLimit.read(line["limit"])
    except BadLimit as bad:
        return line.fault("limit", bad.message, bad.allowed)
    department = line["department"][:100]
    return Condition(0, standard_ref, matter, line["opening"], line["closing"], limit, department)
