"""Dispatch rules as a table that people keep in a spreadsheet, in and out."""

import re
from collections.abc import Collection, Mapping
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
from hub.grid.titled import (
    A_GRID,
    Fault,
    Headings,
    Line,
    at_most,
    characters,
    no_grid,
    values_of,
)
from hub.words import Language
from wire.coded import coded

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
            coded("same_conditions", "the same conditions stand in row {first}", first=first),
            coded("conditions_once", "each set of conditions once"),
        ),
    )


def _rule(line: Line, codes: Codes) -> Rule | Fault:
    department = codes.names.get(line["department"], line["department"])
    levels = _levels(line["level"])
    if levels is None:
        message = coded("no_severity", "{given!r} is no severity", given=line["level"])
        return line.fault("level", message, coded("severities", "1 to 3, 1-2, 一般 … 重大"))
    role = _role(line["role"])
    if role is None:
        allowed = ", ".join([*ROLE_WORDS, *PersonRole])
        return line.fault(
            "role", coded("no_role", "{given!r} is no role", given=line["role"]), allowed
        )
    for field, longest in LONGEST.items():
        if len(line[field]) > longest:
            return line.fault(field, characters(len(line[field])), at_most(longest))
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
        message = coded("no_class", "{given!r} is no matter and no class", given=when.matter)
        raise BadRule("matter", message, MATTER_ALLOWED)
    if when.grid is not None and when.grid not in codes.grids:
        raise BadRule("grid", no_grid(when.grid), A_GRID)
    if to.department not in codes.departments:
        message = coded("no_department", "{given!r} is no department in force", given=to.department)
        raise BadRule(
            "department", message, coded("a_department", "a code of GET /api/departments")
        )
    if to.officer and to.role:
        message = coded("person_named", "a person is named already")
        raise BadRule("role", message, coded("one_of_two", "either a person or a role on duty"))
    return when


def row_of(rule: Rule, language: Language | None) -> tuple[str | int | None, ...]:
    """A rule under `HEADINGS`; it reads back as the same."""
    when, to = rule.when, rule.to
    level = "" if (when.level_from, when.level_to) == (1, 3) else _range(when)
    hours, role = when.hours, to.role
    if language != "en":
        hours, role = _usual(_HOURS, hours), _usual(ROLE_WORDS, role)
    return (when.matter, when.grid, level, hours, to.department, to.officer, role, rule.note)


def _usual(words: Mapping[str, str], meant: str) -> str:
    """The first of the words that mean this; none is needed for nothing."""
    return next((word for word, each in words.items() if meant and each == meant), meant)


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
