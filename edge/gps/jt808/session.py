"""One terminal's connection as a state: bytes in, answers and reports out. No I/O, no clock.

A terminal registers (0x0100), authenticates with the code it was given (0x0102) and then talks;
whatever has no answer of its own is answered by 0x8001. The answers of a turn are to be sent when
its reports are safe, not before: a terminal forgets what was confirmed. `kept` then makes the turn
part of the memory: repeats are confirmed again and reported once, and alarm bits are told as edges,
raised once, however many reports repeat them, and cleared once. (The packets of a split message
are confirmed as they come: many terminals send the next only then.)

Source: JT/T 808-2013 clause 5 and 7.
"""

import hashlib
import hmac
import logging
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from edge.gps.jt808 import reply
from edge.gps.jt808.body import Values, read_body
from edge.gps.jt808.frame import LONGEST_BODY, Frame, Framer, Header, Refused, Version, encode
from edge.gps.jt808.join import EXPIRY_S, BadPacket, Incomplete, Joiner, Message, Room
from edge.gps.jt808.position import BadBody
from edge.gps.jt808.told import Report, Told, driver_card_of, media_of, media_type

log = logging.getLogger(__name__)

REPEATS_REMEMBERED = 64
SPLITS_REMEMBERED = 16
MOST_RUBBISH = 65_536
MOST_STRANGE = 10
MOST_SPLIT_BYTES = 4 * 1024 * 1024
MOST_PLAIN_BYTES = 131_072
"""A message that is no file: 4,000 positions of a blind area."""

PATIENCE_S = 5.0

REGISTER, AUTHENTICATE = 0x0100, 0x0102
LOGOUT, ASK_TIME, ANSWER, MEDIA, DRIVER_CARD = 0x0003, 0x0004, 0x0001, 0x0801, 0x0702


@dataclass(frozen=True)
class Fleet:
    """Which terminals may speak, and for which vehicle: terminal's digits → vehicle's name.

    `secret` makes the authentication codes: the same for a terminal at every registration and on
    every gateway, so none has to be stored. `is_open`: a terminal nobody entered speaks under its
    own digits.
    """

    vehicles: Mapping[str, str]
    secret: bytes
    is_open: bool = False

    def vehicle(self, terminal: str) -> str | None:
        """Name the terminal's vehicle; None when it is not ours."""
        return self.vehicles.get(terminal, terminal if self.is_open else None)

    def code(self, terminal: str) -> str:
        """Give the authentication code of a terminal."""
        return hmac.new(self.secret, terminal.encode(), hashlib.sha256).hexdigest()[:16]


@dataclass(frozen=True)
class Reply:
    """What a terminal answers to the message `serial` of ours."""

    serial: int
    msg_id: int
    values: Values


_MessageKey = tuple[int, int, bytes]


@dataclass
class Memory:
    """What outlives a connection: the alarms that stand, and what was already kept."""

    alarm: int = 0
    kept: deque[_MessageKey] = field(default_factory=lambda: deque(maxlen=REPEATS_REMEMBERED))


@dataclass
class Turn:
    """What became of some bytes: reports to keep, then answers to send, then perhaps the end.

    `alarm` and `messages` become memory once the reports are kept. `frames`: how many could be
    read; a connection that brings none is silent, however many bytes it sends.
    """

    frames: int = 0
    reports: list[Told] = field(default_factory=list)
    answers: list[bytes] = field(default_factory=list)
    end: str = ""
    alarm: int = 0
    messages: list[_MessageKey] = field(default_factory=list)
    replies: list[Reply] = field(default_factory=list)


class Session:
    """A connection; `memory_of` gives what is remembered of a terminal once it is known."""

    def __init__(
        self, fleet: Fleet, memory_of: Callable[[str], Memory], room: Room | None = None
    ) -> None:
        """Begin with a stranger; `room`: what split messages of all connections may take."""
        self.terminal = ""
        """The terminal's digits, once it has authenticated."""
        self._fleet = fleet
        self._memory_of = memory_of
        self._memory = Memory()
        self._framer = Framer()
        self._joiner = Joiner(most_bytes=MOST_SPLIT_BYTES, room=room)
        self._serial = 0
        self._rubbish = 0
        self._strange = 0
        self._speaks: Header | None = None
        self._joined: deque[tuple[_SplitKey, float]] = deque(maxlen=SPLITS_REMEMBERED)

    def feed(self, chunk: bytes, now_s: float, received_at: datetime) -> Turn:
        """Read the next bytes; `now_s` monotonic, `received_at` UTC."""
        turn = Turn(alarm=self._memory.alarm)
        for out in self._framer.feed(chunk):
            if turn.end:
                break
            if isinstance(out, Refused):
                self._refuse(out, turn)
                continue
            self._rubbish = 0
            turn.frames += 1
            self._take(out, now_s, received_at, turn)
        return turn

    def kept(self, turn: Turn) -> None:
        """Remember a turn whose reports are safe."""
        if turn.reports:
            self._memory.kept.extend(turn.messages)
            self._memory.alarm = turn.alarm

    @property
    def version(self) -> Version:
        """The layout the terminal speaks."""
        return self._speaks.version if self._speaks else "2013"

    def order(self, msg_id: int, body: bytes) -> dict[int, bytes]:
        """Write a message of ours: its packets as they travel, by serial.

        One packet, or as many as the body needs. Raises ValueError before the terminal is known.
        """
        if self._speaks is None:
            raise ValueError("nobody has authenticated on this connection")
        parts = [body[at : at + LONGEST_BODY] for at in range(0, len(body), LONGEST_BODY)] or [b""]
        packets = {}
        for number, part in enumerate(parts, 1):
            header = self._next_header(self._speaks, msg_id)
            if len(parts) > 1:
                header = replace(header, total=len(parts), number=number)
            packets[header.serial] = encode(Frame(header, part))
        return packets

    @property
    def is_waiting(self) -> bool:
        """Whether `tick` may have something to ask for."""
        return self._joiner.is_waiting

    def tick(self, now_s: float) -> Turn:
        """Ask again for packets that are overdue, and give up those that never came."""
        turn = Turn()
        for late in self._joiner.overdue(now_s, PATIENCE_S):
            self._say(turn, late.header, *_request(late))
        for lost in self._joiner.expired(now_s):
            log.warning("terminal %s: %s", self.terminal, _incomplete(lost))
        return turn

    def close(self) -> None:
        """Leave the room to others."""
        for lost in self._joiner.close():
            log.warning("terminal %s: %s", self.terminal, _incomplete(lost))

    def _refuse(self, refused: Refused, turn: Turn) -> None:
        self._rubbish += len(refused.raw)
        log.debug("terminal %s: frame refused: %s", self.terminal, refused.reason)
        if self._rubbish > MOST_RUBBISH:
            turn.end = f"{self._rubbish} bytes of rubbish in a row"

    def _take(self, frame: Frame, now_s: float, received_at: datetime, turn: Turn) -> None:
        if not self._may_speak(frame.header, turn):
            return
        whole = False
        if self._was_joined(frame.header, now_s):
            self._say_result(turn, frame.header, reply.DONE)
            return
        for out in self._joiner.add(frame, now_s):
            match out:
                case Message():
                    whole = True
                    if out.packets > 1:
                        self._joined.append((_split_key(frame.header), now_s))
                    self._answer(frame.header, out, received_at, turn)
                case BadPacket():
                    self._say_result(turn, frame.header, reply.BAD_MESSAGE)
                    return
                case Incomplete():
                    log.warning("terminal %s: %s", self.terminal, _incomplete(out))
        if not whole:
            self._say_result(turn, frame.header, reply.DONE)

    def _was_joined(self, header: Header, now_s: float) -> bool:
        """Whether it repeats a packet of a split message that is complete."""
        if header.total is None:
            return False
        key = _split_key(header)
        return any(key == old and now_s - at_s < EXPIRY_S for old, at_s in self._joined)

    def _may_speak(self, header: Header, turn: Turn) -> bool:
        """Whether the terminal is known, or this is how it becomes known."""
        if header.msg_id in {REGISTER, AUTHENTICATE} and header.total is None:
            return True
        if self.terminal and header.terminal == self.terminal:
            return True
        self._strange += 1
        self._say_result(turn, header, reply.FAILED)
        if self._strange >= MOST_STRANGE:
            turn.end = f"{self._strange} messages of {header.terminal} without authentication"
        return False

    def _answer(self, packet: Header, message: Message, received_at: datetime, turn: Turn) -> None:
        """Answer under the serial of the last `packet`, which is what the terminal waits for."""
        header = message.header
        try:
            values = _values(message)
        except BadBody as fault:
            log.warning("terminal %s, 0x%04X: %s", header.terminal, header.msg_id, fault)
            self._say_result(turn, packet, reply.BAD_MESSAGE)
            return
        if header.msg_id in _OWN_ANSWERS:
            _OWN_ANSWERS[header.msg_id](self, packet, values or {}, received_at, turn)
        else:
            done = values is not None
            self._say_result(turn, packet, reply.DONE if done else reply.NOT_SUPPORTED)
        if values and "reply_serial" in values:
            turn.replies.append(Reply(values["reply_serial"], header.msg_id, values))
        told = values and (values.get("positions") or header.msg_id == DRIVER_CARD)
        if values and told and self.terminal:
            self._report(message, values, received_at, turn)

    def _report(self, message: Message, values: Values, received_at: datetime, turn: Turn) -> None:
        digest = hashlib.blake2b(message.body, digest_size=8).digest()
        key = (message.header.serial, message.header.msg_id, digest)
        if key in self._memory.kept or key in turn.messages:
            return
        turn.messages.append(key)
        vehicle = self._fleet.vehicle(self.terminal) or self.terminal
        if message.header.msg_id == DRIVER_CARD:
            turn.reports.append(driver_card_of(vehicle, values, received_at))
            return
        if message.header.msg_id == MEDIA:
            if media_type(values) is not None:
                turn.reports.append(media_of(vehicle, values, received_at))
            return
        for position in values["positions"]:
            raised = cleared = 0
            if not position.backfill:
                raised, cleared = position.alarm & ~turn.alarm, turn.alarm & ~position.alarm
                turn.alarm = position.alarm
            turn.reports.append(Report(vehicle, position, received_at, raised, cleared))

    def _on_register(
        self, packet: Header, _values: Values, _received_at: datetime, turn: Turn
    ) -> None:
        known = self._fleet.vehicle(packet.terminal) is not None
        result = reply.REGISTERED if known else reply.NO_SUCH_TERMINAL
        body = reply.registered(packet, result, self._fleet.code(packet.terminal))
        self._say(turn, packet, reply.REGISTER_REPLY, body)
        self._strange += not known
        if self._strange >= MOST_STRANGE:
            turn.end = f"terminal {packet.terminal} is not entered"

    def _on_authenticate(
        self, packet: Header, values: Values, _received_at: datetime, turn: Turn
    ) -> None:
        known = self._fleet.vehicle(packet.terminal) is not None
        right = hmac.compare_digest(
            str(values.get("auth", "")).encode(), self._fleet.code(packet.terminal).encode()
        )
        if not known or not right:
            self._say_result(turn, packet, reply.FAILED)
            turn.end = f"terminal {packet.terminal}: wrong code or not entered"
            return
        self._speaks = packet
        if self.terminal != packet.terminal:
            self.terminal = packet.terminal
            self._memory = self._memory_of(packet.terminal)
            turn.alarm = self._memory.alarm
        self._strange = 0
        self._say_result(turn, packet, reply.DONE)

    def _on_logout(
        self, packet: Header, _values: Values, _received_at: datetime, turn: Turn
    ) -> None:
        self._say_result(turn, packet, reply.DONE)
        turn.end = "logged out"

    def _on_ask_time(
        self, packet: Header, _values: Values, received_at: datetime, turn: Turn
    ) -> None:
        self._say(turn, packet, reply.SERVER_TIME, reply.server_time(received_at))

    def _on_media(self, packet: Header, values: Values, _received_at: datetime, turn: Turn) -> None:
        if not values or media_type(values) is None:
            self._say_result(turn, packet, reply.NOT_SUPPORTED)
            return
        self._say(turn, packet, reply.MEDIA_REPLY, reply.media_taken(values["media"]["id"]))

    def _on_answer(
        self, packet: Header, values: Values, _received_at: datetime, _turn: Turn
    ) -> None:
        log.debug("terminal %s answered: %s", packet.terminal, values)

    def _say_result(self, turn: Turn, answered: Header, result: int) -> None:
        self._say(turn, answered, reply.GENERAL_REPLY, reply.general(answered, result))

    def _say(self, turn: Turn, to: Header, msg_id: int, body: bytes) -> None:
        """Write to the terminal as it writes: same version, same digits."""
        turn.answers.append(encode(Frame(self._next_header(to, msg_id), body)))

    def _next_header(self, to: Header, msg_id: int) -> Header:
        header = Header(msg_id, to.version, to.phone, self._serial, to.protocol_version)
        self._serial = (self._serial + 1) & 0xFFFF
        return header


_SplitKey = tuple[int, int, int]
_Answer = Callable[[Session, Header, Values, datetime, Turn], None]

_OWN_ANSWERS: dict[int, _Answer] = {
    REGISTER: Session._on_register,  # noqa: SLF001 - the table of this very class
    AUTHENTICATE: Session._on_authenticate,  # noqa: SLF001
    LOGOUT: Session._on_logout,  # noqa: SLF001
    ASK_TIME: Session._on_ask_time,  # noqa: SLF001
    ANSWER: Session._on_answer,  # noqa: SLF001
    MEDIA: Session._on_media,  # noqa: SLF001
}


def _values(message: Message) -> Values | None:
    header, size = message.header, len(message.body)
    if header.encrypt:
        return None
    if header.msg_id != MEDIA and size > MOST_PLAIN_BYTES:
        raise BadBody(f"{size} bytes, at most {MOST_PLAIN_BYTES} are allowed")
    return read_body(header, message.body)


def _split_key(header: Header) -> _SplitKey:
    first = (header.serial - (header.number or 1) + 1) & 0xFFFF
    return header.msg_id, first, header.total or 0


def _request(late: Incomplete) -> tuple[int, bytes]:
    """Ask for media by 0x8800, which is theirs, and by 0x8003; for the rest by 0x8003 alone."""
    is_media = late.header.msg_id == MEDIA and len(late.first) >= reply.MEDIA_ID_SIZE
    if is_media and late.asked % 2:
        media_id = int.from_bytes(late.first[: reply.MEDIA_ID_SIZE])
        return reply.MEDIA_REPLY, reply.media_lacking(media_id, late.missing)
    return reply.RESEND, reply.resend(late.header, late.missing)


def _incomplete(lost: Incomplete) -> str:
    header = lost.header
    return f"0x{header.msg_id:04X} from serial {header.serial} lacks packets {lost.missing}"
