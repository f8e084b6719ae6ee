"""Sentences with a code: English as it is, and what another language says it by."""

from collections.abc import Mapping
from typing import Any


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


def codes_of(texts: Mapping[str, object]) -> dict[str, dict[str, Any]]:
    """The parts of those texts that are coded, by name."""
    return {name: text.parts() for name, text in texts.items() if isinstance(text, Coded)}


def _plain(value: object) -> object:
    if isinstance(value, Coded):
        return value.parts()
    return value if isinstance(value, int | float | str) else str(value)
