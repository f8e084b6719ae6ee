"""What messages of a terminal say, by message ID: tables, and a function where a table ends.

A body is a dictionary of named values; one whose positions count has them under `positions`. What
has no row here is kept as bytes by whoever holds the message. A body of the wrong length raises
BadBody: the message stays known, with its header.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from edge.gps.jt808.frame import Header
from edge.gps.jt808.parameters import read_parameter
from edge.gps.jt808.position import (
    FIXED_SIZE,
    BadBody,
    Position,
    read_position,
    read_time,
)

Values = dict[str, Any]
Field = tuple[str, int, Callable[[bytes], Any]]
REST = -1


def number(data: bytes) -> int:
    """Read BYTE, WORD or DWORD."""
    return int.from_bytes(data)


def text(data: bytes) -> str:
    """Read a STRING or padded BYTE[n]: GBK, in its modern form GB 18030."""
    return data.strip(b"\0").decode("gb18030", "replace").strip()


def digits(data: bytes) -> str:
    """Read BCD as its digits."""
    return data.hex()


def read_fields(body: bytes, fields: tuple[Field, ...]) -> tuple[Values, bytes]:
    """Read a row of fields; give their values and what is left. Raises BadBody."""
    values: Values = {}
    at = 0
    for name, size, read in fields:
        end = len(body) if size == REST else at + size
        if end > len(body):
            raise BadBody(f"{name}: {size} bytes needed, {len(body) - at} left")
        values[name] = read(body[at:end])
        at = end
    return values, body[at:]


# Tables ------------------------------------------------------------------------------------------

GENERAL_REPLY: tuple[Field, ...] = (
    ("reply_serial", 2, number),
    ("reply_msg_id", 2, number),
    ("result", 1, number),
)


def _registration(maker: int, model: int, terminal_id: int) -> tuple[Field, ...]:
    return (
        ("province", 2, number),
        ("city", 2, number),
        ("maker", maker, text),
        ("model", model, text),
        ("terminal_id", terminal_id, text),
        ("plate_color", 1, number),
        ("plate", REST, text),
    )


# The layout is known by the header's version and the least length of each (8.5, table 7).
REGISTRATIONS: tuple[tuple[str, str, int, tuple[Field, ...]], ...] = (
    ("2019", "2019", 76, _registration(11, 30, 30)),
    ("2013", "2013", 37, _registration(5, 20, 7)),
    ("2013", "2011", 25, _registration(5, 8, 7)),
    ("2019", "2013", 37, _registration(5, 20, 7)),
)

CARD_STATES = (1, 2)
DRIVER_CARD: tuple[Field, ...] = (("card", 1, number), ("at", 6, read_time))

MEDIA: tuple[Field, ...] = (
    ("id", 4, number),
    ("type", 1, number),
    ("format", 1, number),
    ("event", 1, number),
    ("channel", 1, number),
)

MEDIA_TYPES = ("image", "audio", "video")
MEDIA_FORMATS = ("jpeg", "tif", "mp3", "wav", "wmv")

ATTRIBUTES: tuple[Field, ...] = (
    ("terminal_type", 2, number),
    ("maker", 5, text),
    ("model", 20, text),
    ("terminal_id", 7, text),
    ("iccid", 10, digits),
)

ATTRIBUTES_2019: tuple[Field, ...] = (
    ("terminal_type", 2, number),
    ("maker", 11, text),
    ("model", 30, text),
    ("terminal_id", 30, text),
    ("iccid", 10, digits),
)

PASSTHROUGH: tuple[Field, ...] = (("passthrough_type", 1, number), ("data", REST, bytes))


# Bodies ------------------------------------------------------------------------------------------


def _nothing(_body: bytes, _header: Header) -> Values:
    return {}


def _general_reply(body: bytes, _header: Header) -> Values:
    return read_fields(body, GENERAL_REPLY)[0]


def _register(body: bytes, header: Header) -> Values:
    for version, layout, least, fields in REGISTRATIONS:
        if version == header.version and len(body) >= least:
            return {"layout": layout, **read_fields(body, fields)[0]}
    raise BadBody(f"registration: 25 bytes needed, {len(body)} given")


def _authenticate(body: bytes, header: Header) -> Values:
    if header.version == "2013":
        return {"auth": text(body)}
    length = body[0] if body else 0
    fields: tuple[Field, ...] = (
        ("length", 1, number),
        ("auth", length, text),
        ("imei", 15, text),
        ("software", 20, text),
    )
    try:
        values, _ = read_fields(body, fields)
    except BadBody:
        values, _ = read_fields(body, fields[:2])
    del values["length"]
    return values


def _position(body: bytes, _header: Header) -> Values:
    return {"positions": [read_position(body)]}


def _answered_position(body: bytes, _header: Header) -> Values:
    values, rest = read_fields(body, GENERAL_REPLY[:1])
    return {**values, "positions": [read_position(rest)]}


def _batch(body: bytes, _header: Header) -> Values:
    """Read 0x0704. The lengths are trusted, not the count; type 1 is backfill of a blind area."""
    values, rest = read_fields(body, (("count", 2, number), ("batch_type", 1, number)))
    positions: list[Position] = []
    problems = []
    while rest:
        size = number(rest[:2])
        report, rest = rest[2 : 2 + size], rest[2 + size :]
        try:
            positions.append(read_position(report, backfill=values["batch_type"] == 1))
        except BadBody as fault:
            problems.append(str(fault))
    values["positions"] = positions
    if problems:
        values["problem"] = "; ".join(problems[:3])
    return values


def _driver_card(body: bytes, header: Header) -> Values:
    """Read 0x0702. That of 2011 begins with the name's length and knows no card."""
    if body and body[0] not in CARD_STATES:
        return _driver_of_2011(body)
    values, rest = read_fields(body, DRIVER_CARD)
    if values["card"] != 1 or not rest:
        return values
    read, rest = read_fields(rest, (("read_result", 1, number),))
    values |= read
    if values["read_result"] != 0 or not rest:
        return values
    driver, rest = _counted_text(rest)
    certificate, rest = read_fields(rest, (("certificate", 20, text),))
    issuer, rest = _counted_text(rest)
    expiry, rest = read_fields(rest, (("expires_on", 4, _day),))
    values |= {"driver": driver, **certificate, "issuer": issuer, **expiry}
    if header.version == "2019" and rest:
        values |= read_fields(rest, (("identity_number", 20, text),))[0]
    return values


def _driver_of_2011(body: bytes) -> Values:
    driver, rest = _counted_text(body)
    numbers: tuple[Field, ...] = (("identity_number", 20, text), ("certificate", 40, text))
    values, rest = read_fields(rest, numbers)
    issuer, _ = _counted_text(rest)
    return {"card": 1, "at": None, "read_result": 0, "driver": driver, **values, "issuer": issuer}


def _day(data: bytes) -> str:
    """Read BCD YYYYMMDD as a date; empty when it is none."""
    try:
        return datetime.strptime(data.hex(), "%Y%m%d").date().isoformat()  # noqa: DTZ007
    except ValueError:
        return ""


def _counted_text(data: bytes) -> tuple[str, bytes]:
    size = data[0] if data else 0
    values, rest = read_fields(data, (("size", 1, number), ("text", size, text)))
    return values["text"], rest


def _media_event(body: bytes, _header: Header) -> Values:
    return {"media": read_fields(body, MEDIA)[0]}


def _media(body: bytes, _header: Header) -> Values:
    media, rest = read_fields(body, MEDIA)
    position = read_position(rest[:FIXED_SIZE])
    return {"media": media, "positions": [position], "data": rest[FIXED_SIZE:]}


def _parameters(body: bytes, _header: Header) -> Values:
    """Read 0x0104: a cut last parameter loses only itself."""
    fields: tuple[Field, ...] = (("reply_serial", 2, number), ("count", 1, number))
    values, rest = read_fields(body, fields)
    parameters: list[Values] = []
    while len(rest) >= 5 and len(rest) >= 5 + rest[4]:
        parameters.append(read_parameter(number(rest[:4]), rest[5 : 5 + rest[4]]))
        rest = rest[5 + rest[4] :]
    values["parameters"] = parameters
    if rest or len(parameters) != values["count"]:
        values["problem"] = (
            f"parameters: {values['count']} announced, {len(parameters)} whole,"
            f" {len(rest)} bytes left"
        )
    return values


def _attributes(body: bytes, header: Header) -> Values:
    table = ATTRIBUTES if header.version == "2013" else ATTRIBUTES_2019
    values, rest = read_fields(body, table)
    values["hardware"], rest = _counted_text(rest)
    values["firmware"], rest = _counted_text(rest)
    return values


def _resend_request(body: bytes, _header: Header) -> Values:
    values, rest = read_fields(body, (("reply_serial", 2, number),))
    counted = 2 if len(rest) % 2 == 0 else 1  # WORD in 2019, BYTE before
    packets = rest[counted:]
    numbers = [number(packets[at : at + 2]) for at in range(0, len(packets) - 1, 2)]
    return {**values, "packets_missing": numbers}


def _shot(body: bytes, _header: Header) -> Values:
    """Read 0x0805: which media a camera command made; nothing follows a failure."""
    values, rest = read_fields(body, (("reply_serial", 2, number), ("result", 1, number)))
    ids = [number(rest[at : at + 4]) for at in range(2, len(rest) - 3, 4)]
    return {**values, "media_ids": ids}


def _waybill(body: bytes, _header: Header) -> Values:
    values, rest = read_fields(body, (("length", 4, number),))
    if values["length"] > len(rest):
        raise BadBody(f"waybill: {values['length']} bytes needed, {len(rest)} left")
    return {"waybill": rest[: values["length"]]}


def _passthrough(body: bytes, _header: Header) -> Values:
    return read_fields(body, PASSTHROUGH)[0]


BODIES: dict[int, Callable[[bytes, Header], Values]] = {
    0x0001: _general_reply,
    0x0002: _nothing,
    0x0003: _nothing,
    0x0004: _nothing,
    0x0005: _resend_request,
    0x0100: _register,
    0x0102: _authenticate,
    0x0104: _parameters,
    0x0107: _attributes,
    0x0200: _position,
    0x0201: _answered_position,
    0x0500: _answered_position,
    0x0701: _waybill,
    0x0702: _driver_card,
    0x0704: _batch,
    0x0800: _media_event,
    0x0801: _media,
    0x0805: _shot,
    0x0900: _passthrough,
}


def read_body(header: Header, body: bytes) -> Values | None:
    """Read a whole, unencrypted body; None when its message ID has no row. Raises BadBody."""
    read = BODIES.get(header.msg_id)
    return None if read is None else read(body, header)
