"""Bytes to message and back: JSON, checked while it is read.

Sizes: an alert at most 16 KiB, a configuration 250 kB, a camera's settings 128 KiB, any other
message 64 KiB.
"""

import hashlib
import re
from collections.abc import Callable
from enum import StrEnum
from functools import cache

import msgspec

from wire.alert import Alert
from wire.coded import coded
from wire.command import Command, Reply
from wire.driver import DriverCard
from wire.envelope import Envelope
from wire.receipt import EvidenceOffer, Grant, Receipt
from wire.revision import ConfigPush, SettingsReport
from wire.status import Birth, Gap, Health, HostState, State
from wire.track import Track
from wire.update import ModelUpdate
from wire.version import VERSION

MESSAGES: dict[str, type[msgspec.Struct]] = {
    "state": State,
    "birth": Birth,
    "health": Health,
    "alert": Alert,
    "track": Track,
    "driver": DriverCard,
    "evidence": EvidenceOffer,
    "gap": Gap,
    "receipt": Receipt,
    "grant": Grant,
    "cmd": Command,
    "reply": Reply,
    "config": ConfigPush,
    "settings": SettingsReport,
    "update": ModelUpdate,
    "host": HostState,
}
STREAMS = ("alert", "track", "gap", "driver")

MAX_BYTES = {"alert": 16_384, "config": 250_000, "settings": 131_072}
MAX_BYTES_OTHER = 65_536


class Code(StrEnum):
    """Why a message was refused; all but BUSY are for good."""

    JSON = "E_JSON"
    SCHEMA = "E_SCHEMA"
    SIZE = "E_SIZE"
    VERSION = "E_VERSION"
    DEVICE = "E_DEVICE"
    REPLAY = "E_REPLAY"
    TIME = "E_TIME"
    BUSY = "E_BUSY"


class Refused(ValueError):
    """A message that cannot be taken: `code` and a sentence naming the field."""

    def __init__(self, code: Code, message: str) -> None:
        """Refuse for `code`; `message` names the field and what is allowed."""
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class _AnyVersion(msgspec.Struct):
    v: int = VERSION


@cache
def _decoder(name: str) -> msgspec.json.Decoder[msgspec.Struct]:
    return msgspec.json.Decoder(MESSAGES[name])


_encoder = msgspec.json.Encoder()


def encode(message: msgspec.Struct) -> bytes:
    """JSON bytes of a message."""
    return _encoder.encode(message)


def decode(name: str, payload: bytes) -> msgspec.Struct:
    """Read the message called `name` (a key of MESSAGES).

    Raises Refused with a code and the place of the fault.
    """
    limit = MAX_BYTES.get(name, MAX_BYTES_OTHER)
    if len(payload) > limit:
        text = "{message}: {count} bytes, at most {most} are allowed"
        raise Refused(
            Code.SIZE, coded("long_message", text, message=name, count=len(payload), most=limit)
        )
    try:
        return _decoder(name).decode(payload)
    except msgspec.ValidationError as fault:
        raise Refused(_code(payload), _said(name, str(fault))) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as fault:
        raise Refused(Code.JSON, _said(name, str(fault))) from None


def _said(name: str, said: str) -> str:
    """What msgspec says of a message, with a code where it is common."""
    what, apart, place = said.partition(" - at `")
    why = next((say(what, hit) for words, say in _WHYS if (hit := words.fullmatch(what))), what)
    if not apart:
        return coded("bad_message", "{message}: {why}", message=name, why=why)
    text = "{message}: {why} - at `{place}`"
    return coded("bad_message_at", text, message=name, why=why, place=place.removesuffix("`"))


_WHYS: tuple[tuple[re.Pattern[str], Callable[[str, re.Match[str]], str]], ...] = (
    (
        re.compile(r"Object missing required field `(.+)`"),
        lambda said, hit: coded("member_missing", "{said}", said=said, member=hit[1]),
    ),
    (
        re.compile(r"Expected `(.+)`, got `(.+)`"),
        lambda said, hit: coded("other_form", "{said}", said=said, form=hit[1], given_form=hit[2]),
    ),
    (
        re.compile(r"Expected `.+` ([<>]=? .+)"),
        lambda said, hit: coded("beyond_bound", "{said}", said=said, bound=hit[1]),
    ),
    (
        re.compile(r"Expected `.+` of length (.+)"),
        lambda said, hit: coded("other_length", "{said}", said=said, bound=hit[1]),
    ),
    (
        re.compile(r"Expected `str` matching regex '(.+)'", re.DOTALL),
        lambda said, hit: coded("other_pattern", "{said}", said=said, pattern=hit[1]),
    ),
    (
        re.compile(r"Invalid enum value (.+)", re.DOTALL),
        lambda said, hit: coded("no_such_value", "{said}", said=said, given=hit[1]),
    ),
    (
        re.compile("Input data was truncated"),
        lambda said, _hit: coded("json_cut", "{said}", said=said),
    ),
    (
        re.compile(r"JSON is malformed: .+ \(byte (\d+)\)"),
        lambda said, hit: coded("bad_json_at", "{said}", said=said, byte=hit[1]),
    ),
    (
        re.compile(r"'utf-8' codec can't decode .+", re.DOTALL),
        lambda said, _hit: coded("no_utf8", "{said}", said=said),
    ),
)


def _code(payload: bytes) -> Code:
    try:
        version = msgspec.json.decode(payload, type=_AnyVersion).v
    except msgspec.MsgspecError:
        return Code.SCHEMA
    return Code.SCHEMA if version == VERSION else Code.VERSION


def fingerprint(message: Envelope) -> str:
    """SHA-256 of a message's content, to tell a repeat from a reused number.

    `hist` is left out: the same item is sent again with the mark once it is no longer live.
    """
    return hashlib.sha256(encode(msgspec.structs.replace(message, hist=False))).hexdigest()
