"""What the platform says to a terminal: bodies of its messages.

Source: JT/T 808-2013 and -2019, clause 8. Results of a general reply: 0 done, 1 failed, 2 bad
message, 3 not supported, 4 alarm confirmed.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from edge.gps.jt808.frame import Header

GENERAL_REPLY, RESEND, SERVER_TIME, REGISTER_REPLY, MEDIA_REPLY = (
    0x8001, 0x8003, 0x8004, 0x8100, 0x8800,
)  # fmt: skip

MEDIA_ID_SIZE = 4

DONE, FAILED, BAD_MESSAGE, NOT_SUPPORTED = 0, 1, 2, 3
REGISTERED, NO_SUCH_TERMINAL = 0, 4


def general(answered: Header, result: int) -> bytes:
    """0x8001: which message is answered, and how it went."""
    return answered.serial.to_bytes(2) + answered.msg_id.to_bytes(2) + bytes([result])


def registered(answered: Header, result: int, code: str = "") -> bytes:
    """0x8100: the authentication code follows only result 0."""
    text = code.encode("ascii") if result == REGISTERED else b""
    return answered.serial.to_bytes(2) + bytes([result]) + text


def server_time(now: datetime) -> bytes:
    """0x8004 (2019): the one time of the standard that is UTC."""
    return bytes.fromhex(now.astimezone(UTC).strftime("%y%m%d%H%M%S"))


def resend(first: Header, missing: Sequence[int]) -> bytes:
    """0x8003: serial of the first packet, numbers of those that never came (at most 255)."""
    count = len(missing).to_bytes(1 if first.version == "2013" else 2)
    return first.serial.to_bytes(2) + count + b"".join(n.to_bytes(2) for n in missing)


def media_taken(media_id: int) -> bytes:
    """0x8800: all of it has come."""
    return media_id.to_bytes(4)


def media_lacking(media_id: int, missing: Sequence[int]) -> bytes:
    """0x8800: numbers of the packets that never came (at most 255)."""
    return media_taken(media_id) + bytes([len(missing)]) + b"".join(n.to_bytes(2) for n in missing)
