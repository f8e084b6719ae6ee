"""Numbers that say who somebody is, where people wrote them into a text."""

import re

PHONE = re.compile(r"(?<!\d)1[3-9]\d{9}(?!\d)", re.ASCII)
IDENTITY = re.compile(r"(?<!\d)\d{17}[\dXx](?!\d)", re.ASCII)


def blotted(text: str) -> str:
    """The text without such numbers."""
    return PHONE.sub("***", IDENTITY.sub("***", text))
