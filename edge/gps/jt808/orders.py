"""What may be asked of a terminal: an order by name and its arguments → message, expected answer.

Source: JT/T 808-2013 and -2019, clause 8. Every order is answered by 0x0001 with a result, or by a
message of its own.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from edge.gps.errors import GpsError
from edge.gps.jt808 import fences
from edge.gps.jt808.frame import Version

GENERAL_ANSWER, PARAMETERS, ATTRIBUTES, POSITION = 0x0001, 0x0104, 0x0107, 0x0201
SET_PARAMETERS, ASK_PARAMETERS, ASK_ATTRIBUTES = 0x8103, 0x8104, 0x8107
ASK_POSITION, TEXT = 0x8201, 0x8300

MOST_TEXT = 1024
URGENT, DISPLAY, SPEAK = 1 << 0, 1 << 2, 1 << 3
SERVICE_2019, URGENT_2019, NOTICE, SERVICE = 1, 2, 1, 2


class BadOrder(GpsError):
    """An order that cannot be sent: says which argument, and what is allowed."""


@dataclass(frozen=True)
class Order:
    """A message to a terminal; `answer`: the ID of the one that answers it."""

    msg_id: int
    body: bytes
    answer: int = GENERAL_ANSWER


class Nothing(Struct, frozen=True, forbid_unknown_fields=True):
    """No arguments."""


class Text(Struct, frozen=True, forbid_unknown_fields=True):
    """Words for the driver: shown, spoken, or both."""

    text: Annotated[str, Meta(min_length=1, max_length=MOST_TEXT)]
    urgent: bool = False
    display: bool = True
    speak: bool = True


class Parameters(Struct, frozen=True, forbid_unknown_fields=True):
    """Parameters by their ID in hex (`0029`): a number, a text, or bytes as {"hex": "…"}."""

    parameters: Annotated[dict[str, int | str | dict[Literal["hex"], str]],
                          Meta(min_length=1, max_length=100)]  # fmt: skip


class SetFence(Struct, frozen=True, forbid_unknown_fields=True):
    """A fence to keep."""

    fence: fences.Fence


class DeleteFences(Struct, frozen=True, forbid_unknown_fields=True):
    """Fences of a shape to forget; all of it without `ids`."""

    shape: fences.Shape
    ids: list[fences.Id] = []


def _text(order: Text, version: Version) -> Order:
    words = order.text.encode("gb18030")
    if len(words) > MOST_TEXT:
        raise BadOrder(f"text: {len(words)} bytes, at most {MOST_TEXT} are allowed")
    where = (DISPLAY if order.display else 0) | (SPEAK if order.speak else 0)
    if version == "2013":
        return Order(TEXT, bytes([where | (URGENT if order.urgent else 0)]) + words)
    kind = URGENT_2019 if order.urgent else SERVICE_2019
    return Order(TEXT, bytes([where | kind, NOTICE if order.urgent else SERVICE]) + words)


# Parameters that are no DWORD (2013 table 12, 2019 table 12): how many bytes, None = STRING.
_STRINGS = (
    *range(0x10, 0x18), 0x1A, 0x1D, *range(0x23, 0x27), *range(0x40, 0x45), 0x48, 0x49, 0x83,
)  # fmt: skip
_WIDTHS: dict[int, int | None] = {
    **dict.fromkeys(_STRINGS),
    **dict.fromkeys((0x31, 0x5B, 0x5C, 0x5D, 0x5E, 0x81, 0x82, 0x101, 0x103), 2),
    **dict.fromkeys((0x84, 0x90, 0x91, 0x92, 0x94), 1),
}
_LAST_OF_THE_STANDARD = 0xFF


def _set_parameters(order: Parameters, _: Version) -> Order:
    items = [_parameter(name, value) for name, value in order.parameters.items()]
    return Order(SET_PARAMETERS, bytes([len(items)]) + b"".join(items))


def _parameter(name: str, value: int | str | dict[Literal["hex"], str]) -> bytes:
    try:
        number = int(name, 16)
        data = _parameter_data(number, value)
        return number.to_bytes(4) + bytes([len(data)]) + data
    except (ValueError, OverflowError, LookupError) as fault:
        raise BadOrder(f"parameters.{name}: {value!r} is not allowed: {fault}") from None


def _parameter_data(number: int, value: int | str | dict[Literal["hex"], str]) -> bytes:
    if isinstance(value, dict):
        return bytes.fromhex(value["hex"])
    if number > _LAST_OF_THE_STANDARD and number not in _WIDTHS:
        raise ValueError('a maker\'s own parameter is given as {"hex": "…"}')
    width = _WIDTHS.get(number, 4)
    if isinstance(value, str) != (width is None):
        raise ValueError(f"a {'text' if width is None else 'number'} is needed")
    return value.encode("gb18030") if isinstance(value, str) else value.to_bytes(width or 4)


def _set_fence(order: SetFence, version: Version) -> Order:
    try:
        return Order(*fences.setting(order.fence, version))
    except ValueError as fault:
        raise BadOrder(str(fault)) from None


def _delete_fences(order: DeleteFences, _: Version) -> Order:
    try:
        return Order(*fences.deletion(order.shape, order.ids))
    except ValueError as fault:
        raise BadOrder(str(fault)) from None


ORDERS: dict[str, tuple[type[Struct], Callable[[Any, Version], Order]]] = {
    "text": (Text, _text),
    "position": (Nothing, lambda _, __: Order(ASK_POSITION, b"", POSITION)),
    "parameters": (Nothing, lambda _, __: Order(ASK_PARAMETERS, b"", PARAMETERS)),
    "attributes": (Nothing, lambda _, __: Order(ASK_ATTRIBUTES, b"", ATTRIBUTES)),
    "set_parameters": (Parameters, _set_parameters),
    "set_fence": (SetFence, _set_fence),
    "delete_fences": (DeleteFences, _delete_fences),
}


def order_of(name: str, arguments: dict[str, Any], version: Version) -> Order:
    """Make the order called `name`. Raises BadOrder."""
    if name not in ORDERS:
        raise BadOrder(f"order {name!r} is not one of {', '.join(ORDERS)}")
    kind, make = ORDERS[name]
    try:
        return make(msgspec.convert(arguments, kind), version)
    except msgspec.ValidationError as fault:
        raise BadOrder(f"{name}: {fault}") from None
