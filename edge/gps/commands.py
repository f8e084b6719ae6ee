"""What `tianyan gps …` prints, as plain dictionaries: one a line of JSON."""

import logging
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any, BinaryIO

from edge.gps.fix import Fix
from edge.gps.nmea import NmeaDecoder
from edge.gps.sentence import Refused

log = logging.getLogger(__name__)

CHUNK = 65_536


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
