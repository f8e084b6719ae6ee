"""The matters a city manages (管理事项): code, names, old number, as the standard lists them.

GB/T 47678.5-2026, annex C, classes 06 to 10. The same five digits may name a component, so the
key is (`standard_ref`, matter, `code`).
"""

from functools import cache

import msgspec

from wire.zone import MATTERS_FILE


class Matter(msgspec.Struct, frozen=True, omit_defaults=True):
    """A matter: five-digit code, identifier, names; `six_disorders` (六乱) where it belongs."""

    code: str
    identifier: str
    name_zh: str
    name_en: str
    code_2013: str = ""
    six_disorders: str = ""


class MatterClass(msgspec.Struct, frozen=True):
    """A class of matters: two-digit code and names."""

    code: str
    identifier: str
    name_zh: str
    name_en: str


class MatterTable(msgspec.Struct, frozen=True):
    """All matters of one standard."""

    standard_ref: str
    source: str
    classes: list[MatterClass]
    matters: list[Matter]


@cache
def table() -> MatterTable:
    """The matters of GB/T 47678.5-2026, classes 06 to 10."""
    return msgspec.json.decode(MATTERS_FILE.read_bytes(), type=MatterTable)


@cache
def _by_code() -> dict[str, Matter]:
    return {matter.code: matter for matter in table().matters}


def matter(code: str | None) -> Matter | None:
    """The matter of a code; None for no code. An unknown code names itself."""
    if code is None:
        return None
    return _by_code().get(code) or Matter(code, f"matter_{code}", code, code)


# What a camera's label means when the device names no matter. `unknown_object` means nothing yet.
LABEL_MATTERS = {
    "street_vending": "09006",
    "garbage": "06010",
    "illegal_structure": "06001",
}
