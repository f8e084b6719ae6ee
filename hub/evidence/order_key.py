"""The key that files of an order are noted under, where an alert has its id."""

import base64
import re

MARK = "~"
"""Begins the key of an order; an alert's id is hexadecimal."""

_ORDER = re.compile(r"[0-9a-f]{27}")


def key_of(order: str) -> str:
    """What pictures of an order are kept under: its id in twenty characters, as an alert's."""
    if not _ORDER.fullmatch(order):
        raise ValueError(f"{order!r} is no id of an order")
    packed = bytes.fromhex(f"0{order}")
    return MARK + base64.urlsafe_b64encode(packed).decode().rstrip("=")


def order_of(key: str) -> str | None:
    """The order that a key stands for; None for an alert's id."""
    if not key.startswith(MARK):
        return None
    return base64.urlsafe_b64decode(f"{key[1:]}=").hex()[1:]
