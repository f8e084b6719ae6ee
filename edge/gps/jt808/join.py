"""Split messages put together: every packet under its number, in whatever order they come.

A message is known by terminal, message ID, total and the serial its first packet has
(`serial - (number - 1)`, cyclic). What stops coming is told as Incomplete, so that it can be asked
for again (0x8003), and given up in the end. Memory is bounded twice: in messages and bytes of one
joiner, and in a Room that the joiners of all connections share, where the oldest message of any
of them makes way.
"""

from dataclasses import dataclass, field, replace
from math import inf

from edge.gps.jt808.frame import Frame, Header

EXPIRY_S = 60.0
LONGEST_S = 600.0
ASKED_TIMES = 3
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
    """A split message that lacks packets: `missing` are the numbers (from 1) that never came.

    `first`: the body of its first packet, if that came; `asked`: how often they were asked for.
    """

    header: Header
    missing: tuple[int, ...]
    first: bytes = b""
    asked: int = 0


@dataclass(frozen=True, slots=True)
class BadPacket:
    """A packet whose number does not fit its total: it belongs to no message."""

    frame: Frame


@dataclass(slots=True)
class _Parts:
    header: Header
    since_s: float
    heard_s: float
    asked: int = 0
    bodies: dict[int, bytes] = field(default_factory=dict)

    @property
    def missing(self) -> tuple[int, ...]:
        """At most 255 numbers, as many as one request may name."""
        gaps = (n for n in range(1, (self.header.total or 0) + 1) if n not in self.bodies)
        return tuple(number for number, _ in zip(gaps, range(255), strict=False))

    @property
    def lack(self) -> Incomplete:
        """What is missing."""
        return Incomplete(self.header, self.missing, self.bodies.get(1, b""), self.asked)


class Room:
    """Memory that many joiners share: when it is full, the oldest message of any makes way."""

    def __init__(self, most_bytes: float) -> None:
        """Hold at most `most_bytes`, packets with what each costs."""
        self.size = 0
        self._most_bytes = most_bytes
        self._holders: dict[tuple[Joiner, Key], None] = {}

    def note(self, joiner: "Joiner", key: Key, more: int) -> None:
        """Count `more` bytes of a message, and free the oldest ones until all fit."""
        self._holders[joiner, key] = None
        self.size += more
        while self.size > self._most_bytes:
            oldest, its_key = next(iter(self._holders))
            oldest.forget(its_key)

    def leave(self, joiner: "Joiner", key: Key, freed: int) -> None:
        """Forget a message."""
        self._holders.pop((joiner, key), None)
        self.size -= freed


class Joiner:
    """Packets → whole messages. `now_s` is any clock that does not go back, or always 0."""

    def __init__(
        self,
        expiry_s: float = EXPIRY_S,
        most_bytes: int = MOST_BYTES,
        room: Room | None = None,
    ) -> None:
        """Give a message up `expiry_s` after its last packet; hold `most_bytes` for all of them.

        `room`: what it shares with others.
        """
        self._expiry_s = expiry_s
        self._most_bytes = most_bytes
        self._room = room or Room(inf)
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
        more = _weight(frame.body) - _weight(parts.bodies.get(header.number))
        parts.bodies[header.number] = frame.body
        parts.heard_s = now_s
        self._size += more
        self._room.note(self, key, more)
        if len(parts.bodies) == header.total:
            self.forget(key)
            out.append(Message(parts.header, _joined(parts), header.total))
        while len(self._parts) > MOST_MESSAGES or self._size > self._most_bytes:
            out += self.forget(next(iter(self._parts)))
        return out

    def expired(self, now_s: float) -> list[Incomplete]:
        """Give and forget the messages whose time is over."""
        late = [
            key
            for key, parts in self._parts.items()
            if now_s - parts.heard_s >= self._expiry_s or now_s - parts.since_s >= LONGEST_S
        ]
        return [lost for key in late for lost in self.forget(key)]

    def overdue(self, now_s: float, patience_s: float) -> list[Incomplete]:
        """Give each message that has been silent for `patience_s`: its packets can be asked for.

        Each three times at most, `patience_s` apart.
        """
        late = [
            parts
            for parts in self._parts.values()
            if parts.asked < ASKED_TIMES and now_s - parts.heard_s >= patience_s * (parts.asked + 1)
        ]
        for parts in late:
            parts.asked += 1
        return [parts.lack for parts in late]

    @property
    def is_waiting(self) -> bool:
        """Whether some message lacks packets."""
        return bool(self._parts)

    def close(self) -> list[Incomplete]:
        """Give everything unfinished."""
        return [lost for key in list(self._parts) for lost in self.forget(key)]

    def forget(self, key: Key) -> list[Incomplete]:
        """Give up a message, if it is still here."""
        parts = self._parts.pop(key, None)
        if parts is None:
            return []
        freed = sum(map(_weight, parts.bodies.values()))
        self._size -= freed
        self._room.leave(self, key, freed)
        return [parts.lack]

    def _parts_of(self, header: Header, now_s: float) -> tuple[Key, _Parts]:
        first = (header.serial - (header.number or 1) + 1) & 0xFFFF
        key = (header.terminal, header.msg_id, first, header.total or 0)
        if key not in self._parts:
            self._parts[key] = _Parts(replace(header, serial=first, number=1), now_s, now_s)
        return key, self._parts[key]


def _weight(body: bytes | None) -> int:
    """What a packet costs in memory; an empty one is not free."""
    return 0 if body is None else len(body) + PACKET_OVERHEAD


def _joined(parts: _Parts) -> bytes:
    return b"".join(parts.bodies[number] for number in sorted(parts.bodies))
