"""NMEA 0183 sentences out of a byte stream, whatever stands between them. No I/O.

The theory: a sentence is `$`, address, fields without `$`, `*`, CR or LF, `*`, and two hex digits
that are the XOR of everything between `$` and `*` (IEC 61162-1, 7.2). It is looked for at every
`$` of the stream, so a line cut by the next `$`, a doubled `$$`, binary packets, NULs or missing
line ends never cost the sentence that follows. NUL bytes are skipped wherever they stand, which
also reads UTF-16 files. A line that is a sentence but for its `$` is told of and not used. The
outcome depends on the bytes alone, not on how they were chunked.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from operator import xor

LONGEST = 4096
"""Bytes kept of an unfinished sentence. The standard allows 82; receivers send a few hundred."""

RAW_SHOWN = 200
LONGEST_LINE = 200
SHORTEST_LINE = len("GPRMC,1*00")
NO_START = "no_start"

_CANDIDATE = re.compile(
    rb"\$([^$*\r\n]{0,%d})(?:\*\0{0,8}([0-9A-Fa-f])\0{0,8}([0-9A-Fa-f])|(\*?))" % LONGEST
)
# A whole line without its "$", told of as such; LONGEST_LINE bounds what is kept of an open one.
_STARTLESS = (
    rb"(?:(?<=[\r\n])|\A)([A-OQ-Z][A-Z]{4},[ -#%%-)+-~]{1,%d}\*[0-9A-Fa-f]{2})" % LONGEST_LINE
)
_STARTLESS_LINE = re.compile(_STARTLESS + rb"(?=[\r\n])")
_STARTLESS_REST = re.compile(_STARTLESS + rb"(?=[\r\n]|\Z)")
_UNFINISHED_CHECKSUM = re.compile(rb"\*\0{0,8}(?:[0-9A-Fa-f]\0{0,8})?\Z")
# Talker and type ("GN" "RMC"); addresses on P are makers' own ($PGRMC is Garmin's, no RMC).
_STANDARD = re.compile(rb"[A-OQ-Z][A-Z][A-Z]{3}")
_MAKERS_OWN = re.compile(rb"P[A-Z0-9]{2,9}")
_PRINTABLE = re.compile(rb"[ -~]+")


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence whose checksum is right: `text` is all of it from the address to the digits.

    `kind` is the three-letter type (`RMC`), empty for a maker's own sentence; `talker` the two
    letters before it, `P` for a maker's. `offset`: bytes from the start of the stream to its `$`.
    """

    offset: int
    talker: str
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Refused:
    """Something that began like a sentence and is not used, and why.

    Reasons of the framing: `bad_checksum`, `no_checksum`, `cut` (the next sentence began, or the
    input ended, inside it), `too_long`, `no_start` (a line without its `$`). `nmea.py` adds those
    of the contents.
    """

    reason: str
    offset: int
    raw: str


class Framer:
    """Chunks of bytes in any split → sentences and refusals, in the order of the stream."""

    def __init__(self) -> None:
        """Start at offset 0 with nothing read."""
        self._rest = b""
        self._rest_at = 0
        self._at_line_start = True

    def feed(self, chunk: bytes) -> list[Sentence | Refused]:
        """Give what became certain with this chunk."""
        return list(self._split(self._rest + chunk))

    def close(self) -> list[Refused]:
        """Give what the end of the input cut off."""
        rest, at = self._rest, self._rest_at
        if not rest.startswith(b"$"):
            refusals = list(self._startless(_STARTLESS_REST, rest, 0, len(rest)))
            self._keep(rest, len(rest), at)
            return refusals
        self._keep(rest, len(rest), at)
        refused = _refuse("cut", at, rest[1:])
        return [] if refused is None else [refused]

    def _split(self, data: bytes) -> Iterator[Sentence | Refused]:
        base = self._rest_at
        position = 0
        while (start := data.find(b"$", position)) >= 0:
            yield from self._startless(_STARTLESS_REST, data, position, start)
            match = _CANDIDATE.match(data, start)
            assert match is not None  # noqa: S101 - "$" stands at start, the rest may be empty
            end = match.end(1)
            if end - start > LONGEST:
                outcome: Sentence | Refused | None = _refuse("too_long", base + start, match[1])
            elif match[2] is not None:
                outcome = _check(base + start, match[1], match[2] + match[3])
                end = match.end()
            elif end == len(data) or _UNFINISHED_CHECKSUM.match(data, end):
                self._keep(data, start, base)
                return
            else:
                reason = "cut" if data[end : end + 1] == b"$" else "no_checksum"
                outcome = _refuse(reason, base + start, match[1])
            position = end
            if outcome is not None:
                yield outcome
        yield from self._startless(_STARTLESS_LINE, data, position, len(data))
        self._keep(data, _open_line(data, position), base)

    def _startless(
        self, lines: re.Pattern[bytes], data: bytes, start: int, end: int
    ) -> Iterator[Refused]:
        if end - start < SHORTEST_LINE:
            return
        for match in lines.finditer(data, start, end):
            if match.start() or self._at_line_start:
                shown = match[1][:RAW_SHOWN].decode("ascii")
                yield Refused(NO_START, self._rest_at + match.start(), shown)

    def _keep(self, data: bytes, start: int, base: int) -> None:
        self._at_line_start = data[start - 1] in b"\r\n" if start else self._at_line_start
        self._rest = data[start:]
        self._rest_at = base + start


def _open_line(data: bytes, position: int) -> int:
    """Where the last line begins if it may still become one without `$`; else the end."""
    begins = max(data.rfind(b"\n"), data.rfind(b"\r"), position - 1) + 1
    return begins if len(data) - begins <= LONGEST_LINE + 10 else len(data)


def _check(offset: int, body: bytes, digits: bytes) -> Sentence | Refused | None:
    """Judge a complete one; None when it is right but not an address of NMEA (`$LOG108,…`)."""
    if b"\0" in body:
        body = body.replace(b"\0", b"")
    if reduce(xor, body, 0) != int(digits, 16):
        return _refuse("bad_checksum", offset, body + b"*" + digits)
    address = body.partition(b",")[0]
    text = (body + b"*" + digits).decode("latin-1")
    if _STANDARD.fullmatch(address):
        return Sentence(offset, text[:2], text[2:5], text)
    if _MAKERS_OWN.fullmatch(address):
        return Sentence(offset, "P", "", text)
    return None


def _refuse(reason: str, offset: int, body: bytes) -> Refused | None:
    """Say why, unless the `$` was a byte of a binary packet: then there is nothing to say."""
    body = body.replace(b"\0", b"")
    if not _PRINTABLE.fullmatch(body.partition(b",")[0].partition(b"*")[0]):
        return None
    return Refused(reason, offset, "$" + body[:RAW_SHOWN].decode("ascii", "backslashreplace"))
