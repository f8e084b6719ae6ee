"""Words of the hub in the languages that people read, by `group.name`, and its sentences.

The console shows the same ones: `hub/console/src/i18n` and `coded.ts` take them from these files.
"""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any, Literal
from zoneinfo import ZoneInfo

from wire.coded import Coded

Language = Literal["zh", "en"]
PLACE = re.compile(r"\{(\w+)\}")
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)")


@cache
def _read(name: str) -> Mapping[str, Any]:
    found: dict[str, Any] = json.loads((files(__name__) / f"{name}.json").read_text("utf-8"))
    return found


def texts(language: Language) -> Mapping[str, str]:
    """All words."""
    return _read(language)


def word(language: Language, group: str, name: str) -> str:
    """What a word is called; a word that is new to us as it is."""
    return texts(language).get(f"{group}.{name}", name)


def said(text: str, language: Language, zone: ZoneInfo) -> str:
    """A sentence (`wire.coded`) in the reader's language, its moments by the clock of `zone`.

    One without a code, or with a code that is new to us, stays as it is.
    """
    sentence = _read("zh-coded")["sentences"].get(text.code) if isinstance(text, Coded) else None
    if language != "zh" or sentence is None or not isinstance(text, Coded):
        return str(text)
    values = text.values

    def filled(place: re.Match[str]) -> str:
        name = place[1]
        return _value(name, values[name], zone) if name in values else place[0]

    return PLACE.sub(filled, sentence)


def _value(name: str, value: object, zone: ZoneInfo) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    chinese, plain = _read("zh-coded"), str(value)
    if isinstance(value, Coded):
        return said(value, "zh", zone)
    if isinstance(value, datetime) or MOMENT.fullmatch(plain):
        return f"{datetime.fromisoformat(plain).astimezone(zone):%Y-%m-%d %H:%M}"
    if name == "thing":
        return str(chinese["things"].get(plain, plain))
    if name in chinese["groups"]:
        return re.sub(r"\w+", lambda hit: _of_groups(hit[0], chinese["groups"][name]), plain)
    if name in chinese["column_values"]:
        return re.sub("[a-z_]+", lambda hit: _column(hit[0]), plain)
    return f"{value:,}" if name == "m2" and isinstance(value, int | float) else plain


def _of_groups(name: str, groups: list[str]) -> str:
    known = texts("zh")
    return next((known[key] for group in groups if (key := f"{group}.{name}") in known), name)


def _column(name: str) -> str:
    return str(_read("zh-coded")["columns"].get(name) or word("zh", "head", name))
