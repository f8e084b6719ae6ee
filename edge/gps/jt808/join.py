"""Split messages put together: every packet under its number, in whatever order they come.

A message is known by terminal, message ID, total and the serial its first packet has
(`serial - (number - 1)`, cyclic). Memory is bounded in messages and bytes; what does not complete
in time is told as Incomplete, so that it can be asked for again (0x8003).
"""

from dataclasses import dataclass, field, replace

from edge.gps.jt808.frame import Frame, Header

EXPIRY_S = 60.0
MOST_MESSAGES = 256
MOST_BYTES = 16 * 1024 * 1024
PACKET_OVERHEAD = 128

Key = tuple[str, int, int, int]


@dataclass(frozen=True, slots=True)
class Message:
    """A whole message; of a split one the header is that of its first packet."""

    header: Header
    body: bytes
    packets: int = 1


@dataclass(frozen=True, slots=True)
class Incomplete:
    """A split message given up; `missing` are the numbers (from 1) that never came."""

    header: Header
    missing: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class BadPacket:
    """A packet whose number does not fit its total: it belongs to no message."""

    frame: Frame


@dataclass(slots=True)
class _Parts:
    header: Header
    since_s: float
    asked: bool = False
    bodies: dict[int, bytes] = field(default_factory=dict)

    @property
    def missing(self) -> tuple[int, ...]:
        """At most 255 numbers, as many as one request may name."""
        gaps = (n for n in range(1, (self.header.total or 0) + 1) if n not in self.bodies)
        return tuple(number for number, _ in zip(gaps, range(255), strict=False))


class Joiner:
    """Packets → whole messages. `now_s` is any clock that does not go back, or always 0."""

    def __init__(self, expiry_s: float = EXPIRY_S, most_bytes: int = MOST_BYTES) -> None:
        """Give a message `expiry_s` from its first packet to its last, and all `most_bytes`."""
        self._expiry_s = expiry_s
        self._most_bytes = most_bytes
        self._parts: dict[Key, _Parts] = {}
        self._size = 0

    def add(self, frame: Frame, now_s: float = 0.0) -> list[Message | Incomplete | BadPacket]:
        """Take a frame; give the message it is or completes, and what had to make room for it."""
        header = frame.header
        if header.total is None or header.number is None:
            return [Message(header, frame.body)]
        if not 1 <= header.number <= header.total:
            return [BadPacket(frame)]
        out: list[Message | Incomplete | BadPacket] = [*self.expired(now_s)]
        key, parts = self._parts_of(header, now_s)
        self._size += _weight(frame.body) - _weight(parts.bodies.get(header.number))
        parts.bodies[header.number] = frame.body
        if len(parts.bodies) == header.total:
            self._forget(key)
            out.append(Message(parts.header, _joined(parts), header.total))
        while len(self._parts) > MOST_MESSAGES or self._size > self._most_bytes:
            out.append(self._forget(next(iter(self._parts))))
        return out

    def expired(self, now_s: float) -> list[Incomplete]:
        """Give and forget the messages whose time is over."""
        late = [k for k, parts in self._parts.items() if now_s - parts.since_s >= self._expiry_s]
        return [self._forget(key) for key in late]

    def overdue(self, now_s: float, patience_s: float) -> list[Incomplete]:
        """Give once each message that has waited `patience_s`: its missing packets can be asked."""
        late = [
            parts
            for parts in self._parts.values()
            if not parts.asked and now_s - parts.since_s >= patience_s
        ]
        for parts in late:
            parts.asked = True
        return [Incomplete(parts.header, parts.missing) for parts in late]

    @property
    def is_waiting(self) -> bool:
        """Whether some message lacks packets."""
        return bool(self._parts)

    def close(self) -> list[Incomplete]:
        """Give everything unfinished."""
        return [self._forget(key) for key in list(self._parts)]

    def _parts_of(self, header: Header, now_s: float) -> tuple[Key, _Parts]:
        first = (header.serial - (header.number or 1) + 1) & 0xFFFF
        key = (header.terminal, header.msg_id, first, header.total or 0)
        if key not in self._parts:
            self._parts[key] = _Parts(replace(header, serial=first, number=1), now_s)
        return key, self._parts[key]

    def _forget(self, key: Key) -> Incomplete:
        parts = self._parts.pop(key)
        self._size -= sum(map(_weight, parts.bodies.values()))
        return Incomplete(parts.header, parts.missing)


def _weight(body: bytes | None) -> int:
    """What a packet costs in memory; an empty one is not free."""
    return 0 if body is None else len(body) + PACKET_OVERHEAD


def _joined(parts: _Parts) -> bytes:
    return b"".join(parts.bodies[number] for number in sorted(parts.bodies))
