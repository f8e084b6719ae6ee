"""What `tianyan gps …` prints, as plain dictionaries: one a line of JSON."""

import hashlib
import logging
import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any, BinaryIO

from edge.gps.fix import Fix
from edge.gps.jt808 import frame as jt808
from edge.gps.jt808.body import read_body
from edge.gps.jt808.join import BadPacket, Incomplete, Joiner, Message
from edge.gps.jt808.position import BadBody, Position
from edge.gps.nmea import NmeaDecoder
from edge.gps.sentence import Refused

log = logging.getLogger(__name__)

CHUNK = 65_536
LONGEST_HEX_LINE = 1_048_576
_NO_DIGITS = re.compile(rb"\A\xef\xbb\xbf|0[xX]")


def decode_nmea(stream: BinaryIO, received_at: datetime | None = None) -> Iterator[dict[str, Any]]:
    """Decode a receiver's log or a pipe, in constant memory.

    Yields for each epoch the receiver vouches for `{"kind":"fix","at","lat","lon","speed_kmh",
    "heading_deg","alt_m","satellites","hdop","quality"}`, for each sentence that is not used
    `{"kind":"refused","reason","offset","raw"}` (`offset` in bytes of the input), and last
    `{"summary":{"sentences","checksum_ok","fixes","refused","reasons"}}`. `received_at` (UTC) is
    the reference to undo a GPS week rollover; such a fix has `said_at` as well. Without it dates
    stay as they are: a log of 2015 stays in 2015.
    """
    decoder = NmeaDecoder()
    reasons: Counter[str] = Counter()
    while chunk := _read(stream):
        for out in decoder.feed(chunk, received_at):
            yield _line(out, reasons)
    for out in decoder.close():
        yield _line(out, reasons)
    counts = decoder.counts
    yield {
        "summary": {
            "sentences": counts.sentences,
            "checksum_ok": counts.checksum_ok,
            "fixes": counts.fixes,
            "refused": counts.refused,
            "reasons": dict(reasons),
        }
    }


def _read(stream: BinaryIO) -> bytes:
    """Take what a pipe has without waiting for a whole chunk."""
    read1 = getattr(stream, "read1", stream.read)
    chunk: bytes = read1(CHUNK)
    return chunk


def _line(out: Fix | Refused, reasons: Counter[str]) -> dict[str, Any]:
    if isinstance(out, Refused):
        reasons[out.reason] += 1
        return {"kind": "refused", "reason": out.reason, "offset": out.offset, "raw": out.raw}
    line: dict[str, Any] = {
        "kind": "fix",
        "at": _utc(out.at),
        "lat": out.lat,
        "lon": out.lon,
        "speed_kmh": out.speed_kmh,
        "heading_deg": out.heading_deg,
        "alt_m": out.alt_m,
        "satellites": out.satellites,
        "hdop": out.hdop,
        "quality": out.quality,
    }
    if out.said_at is not None:
        line["said_at"] = _utc(out.said_at)
    return line


def _utc(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def decode_jt808(stream: BinaryIO, *, is_hex: bool = False) -> Iterator[dict[str, Any]]:
    """Decode what terminals sent, as a socket delivers it or, `is_hex`, a chunk of hex a line.

    Yields for each whole message, split ones when complete, `{"kind":"message","msg_id","version",
    "phone","terminal","serial","encrypt","packets","positions":[…],…}` with what its body says
    (`body_hex` where nothing is known of it, `problem` where it does not hold what it should); for
    bytes that are no frame `{"kind":"refused","reason","offset","raw"}` (`raw` in hex); at the end
    for each split message that lacks packets `{"kind":"incomplete",…,"missing"}`; and last
    `{"summary":{"frames","messages","positions","refused","incomplete","reasons"}}`.
    """
    framer, joiner = jt808.Framer(), Joiner()
    counts: Counter[str] = Counter()
    reasons: Counter[str] = Counter()

    def line(out: _Jt808) -> dict[str, Any]:
        told = _jt808_line(out)
        counts[told["kind"]] += 1
        counts["positions"] += len(told.get("positions", ()))
        if told["kind"] == "refused":
            reasons[told["reason"]] += 1
        return told

    for chunk in _hex_chunks(stream) if is_hex else iter(lambda: _read(stream), b""):
        if isinstance(chunk, jt808.Refused):
            yield line(chunk)
            continue
        for out in framer.feed(chunk):
            if isinstance(out, jt808.Refused):
                yield line(out)
                continue
            counts["frames"] += 1
            yield from map(line, joiner.add(out))
    yield from map(line, framer.close())
    yield from map(line, joiner.close())
    yield {
        "summary": {
            "frames": counts["frames"],
            "messages": counts["message"],
            "positions": counts["positions"],
            "refused": counts["refused"],
            "incomplete": counts["incomplete"],
            "reasons": dict(reasons),
        }
    }


_Jt808 = jt808.Refused | Message | Incomplete | BadPacket


def _hex_chunks(stream: BinaryIO) -> Iterator[bytes | jt808.Refused]:
    """Hex digits with spaces, `0x` and a byte order mark where anybody likes to put them."""
    at = 0
    half = b""
    while line := stream.readline(LONGEST_HEX_LINE):
        text = half + b"".join(_NO_DIGITS.sub(b"", line).split())
        goes_on = len(line) == LONGEST_HEX_LINE and not line.endswith(b"\n")
        text, half = (text[:-1], text[-1:]) if goes_on and len(text) % 2 else (text, b"")
        try:
            chunk = bytes.fromhex(text.decode("ascii"))
        except ValueError:
            yield jt808.Refused("bad_hex", at, text[: jt808.LONGEST])
            continue
        at += len(chunk)
        yield chunk


def _jt808_line(out: _Jt808) -> dict[str, Any]:
    match out:
        case jt808.Refused(reason, offset, raw):
            shown = raw.decode("ascii", "backslashreplace") if reason == "bad_hex" else raw.hex()
            return {"kind": "refused", "reason": reason, "offset": offset, "raw": shown}
        case BadPacket(frame):
            raw_hex = jt808.encode(frame).hex()
            return {"kind": "refused", "reason": "bad_packet_number", "raw": raw_hex}
        case Incomplete(header, missing):
            return {"kind": "incomplete", **_header(header), "missing": list(missing)}
        case Message():
            return _message(out)


def _header(header: jt808.Header) -> dict[str, Any]:
    return {
        "msg_id": header.msg_id,
        "version": header.version,
        "protocol_version": header.protocol_version,
        "phone": header.phone,
        "terminal": header.terminal,
        "serial": header.serial,
        "encrypt": header.encrypt,
        "packets": header.total or 1,
    }


def _message(message: Message) -> dict[str, Any]:
    line = {"kind": "message", **_header(message.header), "body_len": len(message.body)}
    line["positions"] = []
    if message.header.encrypt:
        # Unreadable without the terminal's key: said, and not parsed.
        return line | {"body_hex": message.body.hex()}
    try:
        values = read_body(message.header, message.body)
    except BadBody as fault:
        return line | {"problem": str(fault), "body_hex": message.body.hex()}
    if values is None:
        return line | {"body_hex": message.body.hex()}
    return line | {name: plain(value) for name, value in values.items()}


def plain(value: Any) -> Any:
    """Give a value of a message as JSON can hold it."""
    match value:
        case Position():
            return _position(value)
        case bytes():
            return {"bytes": len(value), "sha256": hashlib.sha256(value).hexdigest()}
        case datetime():
            return value.isoformat()
        case list():
            return [plain(each) for each in value]
    return value


def _position(position: Position) -> dict[str, Any]:
    return {
        "lat": position.lat,
        "lon": position.lon,
        "alt_m": position.alt_m,
        "speed_kmh": position.speed_kmh,
        "heading_deg": position.heading_deg,
        "at": position.at and position.at.isoformat(),
        "valid": position.valid,
        "acc": position.acc,
        "load": position.load,
        "alarm": position.alarm,
        "alarms": position.alarms,
        "status": position.status,
        "states": position.states,
        "mileage_km": None,
        **position.values,
        "items": [{"id": item.id, "hex": item.data.hex()} for item in position.items],
        "items_ok": not position.rest,
        "items_unread": position.items_unread,
        "rest_hex": position.rest.hex(),
        "backfill": position.backfill,
        "flags": list(position.flags),
    }
