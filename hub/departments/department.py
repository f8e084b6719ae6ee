"""A department (责任部门): whom a case is sent to, by its code, name and credit code."""

import re
from dataclasses import dataclass

from hub.errors import HubError
from hub.grid.titled import characters, one_to
from wire.coded import coded

CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}", re.ASCII)
CODE_ALLOWED = coded(
    "codes", "1 to 32 letters, digits, '.', '-' or '_', beginning with a letter or digit"
)
PHONE = re.compile(r"\+?[0-9][0-9 ()\-,/;]{2,39}", re.ASCII)
PHONE_ALLOWED = coded("phones", "digits, spaces and -, such as 0915-3212345; several with commas")
LONGEST_NAME = 100
LEVELS = (1, 2, 3)

CREDIT_SIGNS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
"""GB 32100-2015, table 2: digits and letters without I, O, S, V and Z."""
CREDIT_SHAPE = re.compile(r"[0-9A-HJ-NPQRTUWXY]{2}[0-9]{6}[0-9A-HJ-NPQRTUWXY]{10}", re.ASCII)
CREDIT_ALLOWED = coded(
    "credit_codes", "18 signs by GB 32100-2015: digits and capitals without I, O, S, V, Z"
)


class BadDepartment(HubError):
    """A department that cannot be; says which field, what was given and what is allowed."""

    def __init__(self, field: str, message: str, allowed: str) -> None:
        """Keep where it is."""
        super().__init__(f"{field}: {message} ({allowed})")
        self.field = field
        self.message = message
        self.allowed = allowed


@dataclass(frozen=True, slots=True)
class Department:
    """A department.

    `credit_code`: its unified social credit code (统一社会信用代码), "" where none is known.
    `level`: of the grids it works at, 1 the whole city; None for all. `grid`: the grid it serves;
    None for the whole city. `generated`: made up for a demonstration.
    """

    code: str
    name_zh: str
    credit_code: str = ""
    phone: str = ""
    level: int | None = None
    grid: str | None = None
    generated: bool = False


def checked(department: Department) -> Department:
    """The same department.

    Raises BadDepartment for the first field that cannot be.
    """
    if not CODE.fullmatch(department.code):
        message = coded("no_code", "{given!r} is no code", given=department.code)
        raise BadDepartment("code", message, CODE_ALLOWED)
    if not 0 < len(department.name_zh.strip()) <= LONGEST_NAME:
        length = len(department.name_zh.strip())
        raise BadDepartment("name_zh", characters(length), one_to(LONGEST_NAME))
    if department.credit_code:
        check_credit_code(department.credit_code)
    if department.phone and not PHONE.fullmatch(department.phone):
        message = coded("no_phone", "{given!r} is no number", given=department.phone)
        raise BadDepartment("phone", message, PHONE_ALLOWED)
    if department.level not in (None, *LEVELS):
        message = coded("no_level", "{given} is no level", given=department.level)
        raise BadDepartment("level", message, coded("levels", "1, 2, 3 or none"))
    return department


def check_credit_code(code: str) -> None:
    """Raises BadDepartment unless the code has the shape and its check sign is right."""
    if not CREDIT_SHAPE.fullmatch(code):
        message = coded("no_credit_code", "{given!r} is no credit code", given=code)
        raise BadDepartment("credit_code", message, CREDIT_ALLOWED)
    if (right := check_sign(code)) != code[-1]:
        message = coded(
            "check_sign",
            "{given!r} ends in {last}, its check sign is {right}",
            given=code,
            last=code[-1],
            right=right,
        )
        allowed = coded("as_certified", "the code as it stands on the certificate")
        raise BadDepartment("credit_code", message, allowed)


def check_sign(code: str) -> str:
    """The eighteenth sign of a credit code: weights 3ⁿ mod 31, what lacks to a multiple of 31."""
    total = sum(
        CREDIT_SIGNS.index(sign) * pow(3, place, 31) for place, sign in enumerate(code[:17])
    )
    return CREDIT_SIGNS[-total % 31]
