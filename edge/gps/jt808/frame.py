"""Frames of JT/T 808 out of a byte stream, and into one.

The theory: `7E`, header, body, XOR of both, `7E`; inside, `7E` travels as `7D 02` and `7D` as
`7D 01` (4.4.2). Every `7E` ends a frame and may begin the next, so whatever lies between two of
them is judged on its own: a cut frame never swallows the one behind it, and rubbish costs only
itself. The outcome depends on the bytes alone, not on how they were chunked.
"""

import re
from dataclasses import dataclass, replace
from functools import reduce
from operator import xor
from typing import Literal

from edge.gps.errors import GpsError

Version = Literal["2013", "2019"]
"""The header's layout; 2011 has that of 2013."""

FLAG = b"\x7e"
LONGEST = 4096
"""Bytes kept without a flag; a whole frame has at most 2 × 1045 when every byte is escaped."""

LONGEST_BODY = 1023
SHORTEST = 13
SPLIT, VERSION_FLAG = 1 << 13, 1 << 14

_BAD_ESCAPE = re.compile(rb"\x7d(?![\x01\x02])")


class BadFrame(GpsError):
    """Bytes between two flags that are no frame."""

    def __init__(self, reason: str) -> None:
        """Name the `reason`: `bad_escape`, `too_short`, `bad_checksum`, `bad_length`."""
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Header:
    """What every message begins with (4.4.3).

    `phone` has the digits as sent, 12 or 20 of them (any hex digit: exported trackers put an IMEI
    there). `encrypt`: 0 none, 1 RSA. `total` and `number` (from 1) of a split message, else None.
    """

    msg_id: int
    version: Version
    phone: str
    serial: int
    protocol_version: int | None = None
    encrypt: int = 0
    total: int | None = None
    number: int | None = None

    @property
    def terminal(self) -> str:
        """The key of a terminal: its digits without the padding, the same in every version."""
        return self.phone.lstrip("0") or "0"


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame whose checksum and length are right. `body` is unescaped, perhaps encrypted."""

    header: Header
    body: bytes


@dataclass(frozen=True, slots=True)
class Refused:
    """Bytes that are no frame, and why.

    Reasons: those of BadFrame, `no_start` (before the first flag), `too_long`, `cut` (the input
    ended inside it). `offset` counts bytes from the start of the stream; `raw` is as received.
    """

    reason: str
    offset: int
    raw: bytes


class Framer:
    """Chunks of bytes in any split → frames and refusals, in the order of the stream."""

    def __init__(self) -> None:
        """Start at offset 0, before the first flag."""
        self._rest = b""
        self._rest_at = 0
        self._started = False
        self._skipping = False

    def feed(self, chunk: bytes) -> list[Frame | Refused]:
        """Give what became certain with this chunk."""
        out: list[Frame | Refused] = []
        *pieces, rest = (self._rest + chunk).split(FLAG)
        at = self._rest_at
        self._rest = b""
        for piece in pieces:
            if (outcome := self._judge(piece, at)) is not None:
                out.append(outcome)
            at += len(piece) + len(FLAG)
            self._started, self._skipping = True, False
        if len(rest) > LONGEST:
            if not self._skipping:
                out.append(Refused("too_long", at, rest[:LONGEST]))
            self._skipping = True
            at, rest = at + len(rest), b""
        self._rest, self._rest_at = rest, at
        return out

    def close(self) -> list[Refused]:
        """Give what the end of the input cut off."""
        rest, self._rest = self._rest, b""
        if not rest or self._skipping:
            return []
        return [Refused("cut" if self._started else "no_start", self._rest_at, rest)]

    def _judge(self, piece: bytes, at: int) -> Frame | Refused | None:
        if not piece or self._skipping:
            return None
        if len(piece) > LONGEST:
            return Refused("too_long", at, piece[:LONGEST])
        if not self._started:
            return Refused("no_start", at, piece)
        try:
            return parse(piece)
        except BadFrame as fault:
            return Refused(fault.reason, at, piece)


def parse(piece: bytes) -> Frame:
    """Read what stood between two flags. Raises BadFrame."""
    data = unescape(piece)
    if len(data) < SHORTEST:
        raise BadFrame("too_short")
    if reduce(xor, data) != 0:
        raise BadFrame("bad_checksum")
    attributes = int.from_bytes(data[2:4])
    at = 5 if attributes & VERSION_FLAG else 4
    digits_end = at + (10 if attributes & VERSION_FLAG else 6)
    body_at = digits_end + (6 if attributes & SPLIT else 2)
    if len(data) != body_at + (attributes & LONGEST_BODY) + 1:
        raise BadFrame("bad_length")
    header = Header(
        msg_id=int.from_bytes(data[:2]),
        version="2019" if attributes & VERSION_FLAG else "2013",
        phone=data[at:digits_end].hex(),
        serial=int.from_bytes(data[digits_end : digits_end + 2]),
        protocol_version=data[4] if attributes & VERSION_FLAG else None,
        encrypt=attributes >> 10 & 7,
    )
    if attributes & SPLIT:
        total, number = data[digits_end + 2 : digits_end + 4], data[digits_end + 4 : body_at]
        header = replace(header, total=int.from_bytes(total), number=int.from_bytes(number))
    return Frame(header, data[body_at:-1])


def unescape(piece: bytes) -> bytes:
    """Give the bytes that were meant. Raises BadFrame."""
    if b"\x7d" not in piece:
        return piece
    if _BAD_ESCAPE.search(piece):
        raise BadFrame("bad_escape")
    return piece.replace(b"\x7d\x02", b"\x7e").replace(b"\x7d\x01", b"\x7d")


def encode(frame: Frame) -> bytes:
    """Write a frame as it travels, flags included; the body has at most 1023 bytes."""
    header, body = frame.header, frame.body
    if len(body) > LONGEST_BODY:
        raise ValueError(f"body of {len(body)} bytes; {LONGEST_BODY} fit in one packet")
    attributes = len(body) | header.encrypt << 10
    attributes |= SPLIT if header.total is not None else 0
    attributes |= VERSION_FLAG if header.version == "2019" else 0
    data = b"".join((
        header.msg_id.to_bytes(2),
        attributes.to_bytes(2),
        b"" if header.protocol_version is None else bytes([header.protocol_version]),
        bytes.fromhex(header.phone),
        header.serial.to_bytes(2),
        b"" if header.total is None else header.total.to_bytes(2),
        b"" if header.total is None else (header.number or 0).to_bytes(2),
        body,
    ))  # fmt: skip
    data += bytes([reduce(xor, data)])
    return FLAG + data.replace(b"\x7d", b"\x7d\x01").replace(b"\x7e", b"\x7d\x02") + FLAG
