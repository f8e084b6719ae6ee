"""Dispatch rules as a table that people keep in a spreadsheet, in and out."""

import re
from collections.abc import Collection
from dataclasses import dataclass

from hub.cases.dispatch import (
    MATTER_ALLOWED,
    OFF_TIME,
    WORK_TIME,
    BadRule,
    Conditions,
    Rule,
    Target,
    checked,
)
from hub.duty.duty import ROLE_WORDS, PersonRole
from hub.grid.titled import Fault, Headings, Line, values_of

HEADINGS: Headings = {
    "matter": ("事项代码", "小类代码", "大类代码", "matter"),
    "grid": ("网格代码", "网格", "grid"),
    "level": ("严重程度", "级别", "severity", "level"),
    "hours": ("时段", "hours"),
    "department": ("责任部门代码", "部门代码", "责任部门", "department"),
    "officer": ("责任人", "officer"),
    "role": ("值班角色", "角色", "role"),
    "note": ("备注", "说明", "note"),
}
TITLES = tuple(titles[0] for titles in HEADINGS.values())
NEEDED = ("department",)
_HOURS = {"工作时间": WORK_TIME, "非工作时间": OFF_TIME, "全天": "", "任何时间": ""}
_LEVELS = {"": (1, 3), "一般": (1, 1), "较重": (2, 2), "重大": (3, 3)}
_RANGE = re.compile(r"([1-3])(?:\s*[-~至到]\s*([1-3]))?", re.ASCII)
_SPAN = re.compile(r"(\d{1,2}):(\d{2})\s*[-–—~～至]\s*(\d{1,2}):(\d{2})", re.ASCII)
LONGEST = {"officer": 100, "note": 300}


@dataclass(frozen=True)
class Codes:
    """What a rule may name: matters and classes, grids in force, departments in force by code.

    `names`: the codes of departments by name; a sheet may say either.
    """

    matters: Collection[str]
    grids: Collection[str]
    departments: Collection[str]
    names: dict[str, str]


def read_rules(data: bytes, codes: Codes) -> list[Rule]:
    """The rules of a file.

    Raises BadSheet.
    """
    return values_of(
        data,
        HEADINGS,
        NEEDED,
        lambda line: _rule(line, codes),
        key=lambda rule: rule.when,
        twice=lambda line, _rule, first: line.fault(
            "department",
            f"the same conditions stand in row {first}",
            "each set of conditions once",
        ),
    )


def _rule(line: Line, codes: Codes) -> Rule | Fault:
    department = codes.names.get(line["department"], line["department"])
    levels = _levels(line["level"])
    if levels is None:
        return line.fault("level", f"{line['level']!r} is no severity", "1 to 3, 1-2, 一般 … 重大")
    role = _role(line["role"])
    if role is None:
        allowed = ", ".join([*ROLE_WORDS, *PersonRole])
        return line.fault("role", f"{line['role']!r} is no role", allowed)
    for field, longest in LONGEST.items():
        if len(line[field]) > longest:
            return line.fault(field, f"{len(line[field])} characters", f"at most {longest}")
    when = Conditions(_code(line["matter"]), line["grid"] or None, *levels, _hours(line["hours"]))
    to = Target(department, line["officer"], role)
    try:
        return Rule(0, 0, 0, known(checked(when), to, codes), to, line["note"])
    except BadRule as fault:
        return line.fault(fault.field, fault.message, fault.allowed)


def known(when: Conditions, to: Target, codes: Codes) -> Conditions:
    """The same conditions.

    Raises BadRule for a code that nobody knows, or a person who is named and looked for too.
    """
    if when.matter is not None and when.matter not in codes.matters:
        raise BadRule("matter", f"{when.matter!r} is no matter and no class", MATTER_ALLOWED)
    if when.grid is not None and when.grid not in codes.grids:
        message = f"{when.grid!r} is no grid in force"
        raise BadRule("grid", message, "a code of GET /api/grids")
    if to.department not in codes.departments:
        message = f"{to.department!r} is no department in force"
        raise BadRule("department", message, "a code of GET /api/departments")
    if to.officer and to.role:
        raise BadRule("role", "a person is named already", "either a person or a role on duty")
    return when


def row_of(rule: Rule) -> tuple[str | int | None, ...]:
    """A rule under TITLES."""
    when, to = rule.when, rule.to
    words = {hours: word for word, hours in reversed(_HOURS.items()) if hours}
    level = "" if (when.level_from, when.level_to) == (1, 3) else _range(when)
    hours = words.get(when.hours, when.hours)
    return (when.matter, when.grid, level, hours, to.department, to.officer, to.role, rule.note)


def _range(when: Conditions) -> str:
    if when.level_from == when.level_to:
        return str(when.level_from)
    return f"{when.level_from}-{when.level_to}"


def _code(text: str) -> str | None:
    """A matter or class; spreadsheets lose the leading zero of a number."""
    return text.zfill(5 if len(text) > 2 else 2) if text else None


def _levels(text: str) -> tuple[int, int] | None:
    if text in _LEVELS:
        return _LEVELS[text]
    found = _RANGE.fullmatch(text)
    return None if found is None else (int(found[1]), int(found[2] or found[1]))


def _hours(text: str) -> str:
    """Hours as rules keep them; what is none stays as it is, to be refused by its own words."""
    found = _SPAN.fullmatch(text.replace("：", ":"))
    if found is not None:
        return f"{int(found[1]):02d}:{found[2]}-{int(found[3]):02d}:{found[4]}"
    return _HOURS.get(text, text)


def _role(text: str) -> str | None:
    """A role of the duty table, "" for none; None for what is no role."""
    if not text or text in list(PersonRole):
        return text
    role = ROLE_WORDS.get(text)
    return None if role is None else role.value
