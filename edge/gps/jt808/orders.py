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
from edge.gps.jt808 import fences, parameters
from edge.gps.jt808.frame import Version
from wire.track import ALARMS

GENERAL_ANSWER, PARAMETERS, ATTRIBUTES, POSITION = 0x0001, 0x0104, 0x0107, 0x0201
VEHICLE_ANSWER, SHOT = 0x0500, 0x0805
SET_PARAMETERS, ASK_PARAMETERS, ASK_SOME_PARAMETERS, ASK_ATTRIBUTES = 0x8103, 0x8104, 0x8106, 0x8107
CONTROL, ASK_POSITION, TRACK, CONFIRM_ALARMS = 0x8105, 0x8201, 0x8202, 0x8203
TEXT, VEHICLE_CONTROL, SHOOT = 0x8300, 0x8500, 0x8801

CONTROLS = {"power_off": 3, "reset": 4, "factory_reset": 5, "data_off": 6, "radio_off": 7}
SIZES = {"320x240": 1, "640x480": 2, "800x600": 3, "1024x768": 4}
MIDDLE = 128
DOORS_2019 = 1
CONFIRMED = [ALARMS[bit] for bit in (0, 3, 20, 21, 22, 27, 28)]
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


class AskParameters(Struct, frozen=True, forbid_unknown_fields=True):
    """Which parameters: names (`interval_s`) or IDs in hex (`0029`); all without any."""

    names: Annotated[list[str], Meta(max_length=100)] = []


class SetParameters(Struct, frozen=True, forbid_unknown_fields=True):
    """Parameters by name or ID in hex: a number, a text, or bytes as {"hex": "…"}."""

    parameters: Annotated[dict[str, parameters.Value], Meta(min_length=1, max_length=100)]


class Track(Struct, frozen=True, forbid_unknown_fields=True):
    """A report each `interval_s` for `seconds`; 0 ends it."""

    interval_s: Annotated[int, Meta(ge=0, le=0xFFFF)]
    seconds: Annotated[int, Meta(ge=1, le=0xFFFF_FFFF)] = 600


class ConfirmAlarms(Struct, frozen=True, forbid_unknown_fields=True):
    """Alarms somebody has seen; `serial` of the report that raised them, 0 = all of the kind."""

    alarms: Annotated[list[str], Meta(min_length=1, max_length=32)]
    serial: Annotated[int, Meta(ge=0, le=0xFFFF)] = 0


class Control(Struct, frozen=True, forbid_unknown_fields=True):
    """What the terminal does to itself. After `factory_reset` it may find no platform any more."""

    command: Literal["power_off", "reset", "factory_reset", "data_off", "radio_off"]


class Doors(Struct, frozen=True, forbid_unknown_fields=True):
    """Lock or unlock. `as_2013`: a 2019 terminal that takes 1 for locked."""

    locked: bool
    as_2013: bool = False


class Photo(Struct, frozen=True, forbid_unknown_fields=True):
    """Pictures of a channel, sent at once; `quality` 1 is the best."""

    channel: Annotated[int, Meta(ge=1, le=255)] = 1
    count: Annotated[int, Meta(ge=1, le=20)] = 1
    interval_s: Annotated[int, Meta(ge=0, le=3600)] = 0
    size: Literal["320x240", "640x480", "800x600", "1024x768"] = "640x480"
    quality: Annotated[int, Meta(ge=1, le=10)] = 5


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


def _parameters(order: AskParameters, _: Version) -> Order:
    if not order.names:
        return Order(ASK_PARAMETERS, b"", PARAMETERS)
    numbers = [_parameter_id(name) for name in order.names]
    return Order(ASK_SOME_PARAMETERS, parameters.write_ids(numbers), PARAMETERS)


def _set_parameters(order: SetParameters, _: Version) -> Order:
    items = [_parameter(name, value) for name, value in order.parameters.items()]
    return Order(SET_PARAMETERS, bytes([len(items)]) + b"".join(items))


def _parameter_id(name: str) -> int:
    try:
        return parameters.parameter_id(name)
    except ValueError as fault:
        raise BadOrder(f"parameters: {name!r} {fault}") from None


def _parameter(name: str, value: parameters.Value) -> bytes:
    number = _parameter_id(name)
    try:
        return parameters.write_parameter(number, value)
    except ValueError as fault:
        raise BadOrder(f"parameters.{name}: {value!r} is not allowed: {fault}") from None


def _track(order: Track, _: Version) -> Order:
    if order.interval_s == 0:
        return Order(TRACK, bytes(2))
    return Order(TRACK, order.interval_s.to_bytes(2) + order.seconds.to_bytes(4))


def _confirm_alarms(order: ConfirmAlarms, _: Version) -> Order:
    bits = sum(1 << bit for bit, name in ALARMS.items() if name in order.alarms)
    if wrong := [name for name in order.alarms if name not in CONFIRMED]:
        raise BadOrder(f"alarms: {wrong[0]!r} is not one of {', '.join(CONFIRMED)}")
    return Order(CONFIRM_ALARMS, order.serial.to_bytes(2) + bits.to_bytes(4))


def _control(order: Control, _: Version) -> Order:
    return Order(CONTROL, bytes([CONTROLS[order.command]]))


def _doors(order: Doors, version: Version) -> Order:
    if version == "2013":
        return Order(VEHICLE_CONTROL, bytes([order.locked]), VEHICLE_ANSWER)
    # 2019 says 0 locked, 1 open; some makers keep the sense of 2013.
    state = order.locked if order.as_2013 else not order.locked
    item = DOORS_2019.to_bytes(2) + bytes([state])
    return Order(VEHICLE_CONTROL, (1).to_bytes(2) + item, VEHICLE_ANSWER)


def _photo(order: Photo, _: Version) -> Order:
    body = b"".join((
        bytes([order.channel]), order.count.to_bytes(2), order.interval_s.to_bytes(2),
        bytes([0, SIZES[order.size], order.quality, MIDDLE, MIDDLE >> 1, MIDDLE >> 1, MIDDLE]),
    ))  # fmt: skip
    return Order(SHOOT, body, SHOT)


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
    "track": (Track, _track),
    "photo": (Photo, _photo),
    "parameters": (AskParameters, _parameters),
    "attributes": (Nothing, lambda _, __: Order(ASK_ATTRIBUTES, b"", ATTRIBUTES)),
    "set_parameters": (SetParameters, _set_parameters),
    "set_fence": (SetFence, _set_fence),
    "delete_fences": (DeleteFences, _delete_fences),
    "confirm_alarms": (ConfirmAlarms, _confirm_alarms),
    "doors": (Doors, _doors),
    "control": (Control, _control),
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
