"""Sentences with a code: English as it is, and what another language says it by."""

import errno
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

MOST_BYTES = 2000
"""How much code and values may take besides the text; what has more is its text alone."""
MARK = "\x1f"
"""Stands between a text that is kept and its code; in the text it becomes a space."""
DEEPEST = 8
"""Sentences in a sentence; what a device sends may be nested to any depth."""


class Coded(str):
    """An English sentence that also says its code and what stands in it.

    `values`: text, numbers or other coded sentences, by name.
    """

    __slots__ = ("code", "values")
    code: str
    values: Mapping[str, Any]

    def parts(self) -> dict[str, Any]:
        """The sentence as JSON: `text`, `code`, `values`."""
        return {
            "text": str(self),
            "code": self.code,
            "values": {name: _plain(value) for name, value in self.values.items()},
        }

    def __str__(self) -> str:
        """The text alone."""
        return str.__str__(self)


def coded(code: str, text: str, **values: object) -> Coded:
    """The sentence `text` with its `{values}` filled in, as `str.format` does."""
    sentence = Coded(text.format_map(values))
    sentence.code = code
    sentence.values = values
    return sentence


def joined(texts: Sequence[str]) -> str:
    """Several sentences in one; a single one as it is."""
    first, *rest = texts
    for each in rest:
        first = coded("and", "{first}; {next}", first=first, next=each)
    return first


def remarked(what: str, note: str, mark: str = ":") -> str:
    """What the program says, and behind it and `mark` what a person wrote to it, if he did."""
    text = f"{{what}}{mark} {{note}}"
    return coded("remarked", text, what=what, note=note) if note else what


def cut(text: str, most: int) -> str:
    """At most so much of a text; one that is cut has no code."""
    return text if len(text) <= most else text[:most]


def words_of(fault: BaseException) -> str:
    """What an error says, coded where it was made so."""
    first = fault.args[0] if fault.args else None
    return first if isinstance(first, Coded) else str(fault)


def of_system(fault: OSError) -> str:
    """What the operating system says of a file or a line, coded where it is common."""
    said = fault.strerror or str(fault)
    match fault.errno:
        case errno.ENOENT:
            return coded("no_such_file", "{said}", said=said)
        case errno.ENOSPC | errno.EDQUOT:
            return coded("disk_full", "{said}", said=said)
        case errno.EACCES | errno.EPERM | errno.EROFS:
            return coded("no_access", "{said}", said=said)
        case errno.ECONNREFUSED:
            return coded("nobody_listens", "{said}", said=said)
        case errno.ETIMEDOUT | errno.EHOSTUNREACH | errno.ENETUNREACH:
            return coded("out_of_reach", "{said}", said=said)
    return said


def code_of(text: str) -> dict[str, Any]:
    """Code and values of a text as JSON, to be sent beside it; empty where it has none."""
    if not isinstance(text, Coded):
        return {}
    parts = text.parts()
    del parts["text"]
    return parts if len(json.dumps(parts)) <= MOST_BYTES else {}


def with_code(text: str, said: Mapping[str, Any], deepest: int = DEEPEST) -> str:
    """A text with what was sent beside it (`code_of`); what is no code leaves it as it is."""
    code, values = said.get("code"), said.get("values")
    if not isinstance(code, str) or not isinstance(values, dict) or not deepest:
        return text
    sentence = Coded(text)
    sentence.code = code
    sentence.values = {name: _heard(value, deepest - 1) for name, value in values.items()}
    return sentence


def kept(text: str) -> str:
    """A text as it is stored: its code, where it has one, behind it."""
    code, plain = code_of(text), str(text).replace(MARK, " ")
    return f"{plain}{MARK}{json.dumps(code, ensure_ascii=False)}" if code else plain


def read_kept(stored: str) -> str:
    """A text that was stored, with its code."""
    text, mark, code = stored.partition(MARK)
    try:
        said = json.loads(code) if mark else None
    except (ValueError, RecursionError):
        said = None
    # A mark without a code behind it: somebody wrote it before texts had codes.
    return with_code(text, said) if isinstance(said, dict) else stored


def codes_of(texts: Mapping[str, object]) -> dict[str, dict[str, Any]]:
    """The parts of those texts that are coded, by name."""
    return {name: text.parts() for name, text in texts.items() if isinstance(text, Coded)}


def _heard(value: object, deepest: int) -> object:
    """A value as a device sent it; empty where it is none of those that are sent."""
    if isinstance(value, dict):
        text = value.get("text")
        return with_code(text if isinstance(text, str) else "", value, deepest)
    return value if isinstance(value, int | float | str) else ""


def _plain(value: object) -> object:
    if isinstance(value, Coded):
        return value.parts()
    if isinstance(value, datetime):
        return value.isoformat()
    return value if isinstance(value, int | float | str) else str(value)
