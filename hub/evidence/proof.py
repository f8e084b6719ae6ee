"""Does a device's signature stand for what its message says of a file: pure, no I/O.

A file is proven when the statement of its message (`wire.statement`) carries a signature by a key
that the hub holds for that device. What was signed by another key, or was changed since, is bad; a
device that does not sign leaves its files unsigned, which is shown and is no fault. Once it has a
key, it signs: what comes without a signature from then on is bad. A signature of a device that has
not said its key yet proves nothing and refutes nothing: it is judged when the key is heard.
"""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from wire.coded import coded
from wire.statement import Statement, signed_bytes

State = Literal["verified", "unsigned", "bad"]
VERIFIED: State = "verified"
UNSIGNED: State = "unsigned"
BAD: State = "bad"

NO_SIGNATURE = coded("no_signature", "no signature, though the device has a key")
NO_STATEMENT = coded("no_statement", "no telling what was signed, though the device has a key")

_statement = msgspec.json.Decoder(Statement)


@dataclass(frozen=True)
class TrustedKey:
    """A public key of a device, base64: since when it is known, until when it was in force."""

    key: str
    accepted_at: datetime
    retired_at: datetime | None = None

    def was_in_force(self, at: datetime | None) -> bool:
        """Whether what came at that time may be signed with it."""
        return self.retired_at is None or at is None or at <= self.retired_at


@dataclass(frozen=True)
class Proof:
    """How far a file can be relied on; `fault` says what differs."""

    state: State
    fault: str = ""


class BadKeyText(ValueError):
    """Not an Ed25519 public key in base64."""


def judge(
    statement: Statement | None,
    signature: str,
    keys: Sequence[TrustedKey],
    at: datetime | None,
) -> Proof:
    """What a signature that came `at` that time is worth; None is before all keys."""
    if statement is None or not signature:
        has_key = at is not None and any(trusted.accepted_at <= at for trusted in keys)
        if not has_key:
            return Proof(UNSIGNED)
        return Proof(BAD, NO_STATEMENT if signature else NO_SIGNATURE)
    if not keys:
        return Proof(UNSIGNED)
    in_force = [trusted for trusted in keys if trusted.was_in_force(at)]
    if not in_force:
        return Proof(BAD, coded("no_key", "no key of {device} is accepted", device=statement.dev))
    if any(is_signed(statement, signature, trusted.key) for trusted in in_force):
        return Proof(VERIFIED)
    message = "the signature is not {device}'s, or what it stands for was changed"
    return Proof(BAD, coded("other_signature", message, device=statement.dev))


def is_signed(statement: Statement, signature: str, key: str) -> bool:
    """Whether the signature over the statement was made with that key."""
    try:
        public_key(key).verify(_bytes(signature), signed_bytes(statement))
    except (InvalidSignature, BadKeyText, binascii.Error, ValueError):
        return False
    return True


def public_key(text: str) -> Ed25519PublicKey:
    """Read a key.

    Raises BadKeyText.
    """
    try:
        return Ed25519PublicKey.from_public_bytes(_bytes(text))
    except (binascii.Error, ValueError) as fault:
        raise BadKeyText(f"{text!r} is no Ed25519 public key in base64: {fault}") from None


def kept_statement(text: str) -> Statement | None:
    """A statement as it is kept; None of a file that nothing was said of.

    Raises msgspec.MsgspecError.
    """
    return read_statement(text) if text else None


def read_statement(text: str) -> Statement:
    """A statement as it is kept.

    Raises msgspec.MsgspecError.
    """
    return _statement.decode(text.encode())


def statement_text(statement: Statement) -> str:
    """A statement as it is kept: the signed bytes without their prefix."""
    return msgspec.json.encode(statement, order="sorted").decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
