"""Departments as a table that people keep in a spreadsheet, in and out."""

from collections.abc import Collection

from hub.departments.department import BadDepartment, Department, checked
from hub.grid.titled import A_GRID, Fault, Headings, Line, no_grid, values_of
from wire.coded import coded

HEADINGS: Headings = {
    "code": ("部门代码", "单位代码", "代码", "code"),
    "name_zh": ("部门名称", "单位名称", "名称", "name", "name_zh"),
    "credit_code": ("统一社会信用代码", "信用代码", "credit_code"),
    "phone": ("联系电话", "电话", "phone"),
    "level": ("网格级别", "级别", "level"),
    "grid": ("网格代码", "网格", "grid"),
}
NEEDED = ("code", "name_zh")
_LEVELS = {"": None, "一级": 1, "二级": 2, "三级": 3, "1": 1, "2": 2, "3": 3}


def read_departments(
    data: bytes, grids: Collection[str], *, generated: bool = False
) -> list[Department]:
    """The departments of a file. `grids`: the codes in force.

    Raises BadSheet.
    """
    return values_of(
        data,
        HEADINGS,
        NEEDED,
        lambda line: _department(line, grids, generated=generated),
        key=lambda department: department.code,
        twice=lambda line, department, first: line.fault(
            "code",
            coded(
                "stands_too",
                "{given} stands in row {first} too",
                given=department.code,
                first=first,
            ),
            coded("code_once", "each code once"),
        ),
    )


def _department(line: Line, grids: Collection[str], *, generated: bool) -> Department | Fault:
    if line["level"] not in _LEVELS:
        message = coded("no_level", "{given!r} is no level", given=line["level"])
        return line.fault("level", message, coded("levels", "1, 2, 3 or empty"))
    grid = line["grid"] or None
    if grid is not None and grid not in grids:
        return line.fault("grid", no_grid(grid), A_GRID)
    department = Department(
        code=line["code"],
        name_zh=line["name_zh"],
        credit_code=line["credit_code"].upper(),
        phone=line["phone"],
        level=_LEVELS[line["level"]],
        grid=grid,
        generated=generated,
    )
    try:
        return checked(department)
    except BadDepartment as fault:
        return line.fault(fault.field, fault.message, fault.allowed)


def row_of(department: Department) -> tuple[str | int | None, ...]:
    """A department under `HEADINGS`."""
    return (
        department.code,
        department.name_zh,
        department.credit_code,
        department.phone,
        department.level,
        department.grid,
    )
