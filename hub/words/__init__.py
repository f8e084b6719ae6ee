"""Words of the hub in the languages that people read, by `group.name`.

The console shows the same ones: `hub/console/src/i18n` takes them from these files.
"""

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Literal

Language = Literal["zh", "en"]


@cache
def texts(language: Language) -> Mapping[str, str]:
    """All of them."""
    found: dict[str, str] = json.loads((files(__name__) / f"{language}.json").read_text("utf-8"))
    return found


def word(language: Language, group: str, name: str) -> str:
    """What a word is called; a word that is new to us as it is."""
    return texts(language).get(f"{group}.{name}", name)
