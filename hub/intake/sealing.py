"""Personal data of reporters, encrypted at rest with a key only the hub's account can read."""

import hashlib
import hmac
import os
from pathlib import Path

import msgspec
from cryptography.fernet import Fernet, InvalidToken

from hub.errors import HubError
from hub.intake.report import NOBODY, Caller

KEY_FILE = "caller-key"


class Seal:
    """Encrypts and decrypts callers (Fernet: AES-128-CBC with HMAC-SHA-256)."""

    def __init__(self, folder: Path) -> None:
        """Use the key in `folder`; one is drawn where there is none."""
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / KEY_FILE
        try:
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            pass
        else:
            with os.fdopen(descriptor, "wb") as file:
                file.write(Fernet.generate_key())
        key = self._path.read_bytes().strip()
        self._tickets = hashlib.sha256(b"ticket" + key).digest()
        try:
            self._fernet = Fernet(key)
        except ValueError:
            raise HubError(f"{self._path}: is no key; restore it from the backup") from None

    def close(self, caller: Caller) -> bytes:
        """What is stored of a caller."""
        return self._fernet.encrypt(msgspec.json.encode(caller)) if caller else b""

    def open(self, sealed: bytes) -> Caller:
        """The caller.

        Raises HubError when it was sealed with another key.
        """
        if not sealed:
            return NOBODY
        try:
            return msgspec.json.decode(self._fernet.decrypt(sealed), type=Caller)
        except InvalidToken:
            raise HubError(f"{self._path}: is not the key this was sealed with") from None

    def close_text(self, text: str) -> bytes:
        """A secret as it is stored."""
        return self._fernet.encrypt(text.encode())

    def open_text(self, sealed: bytes) -> str:
        """The secret. Raises HubError when it was sealed with another key."""
        try:
            return self._fernet.decrypt(sealed).decode()
        except InvalidToken:
            raise HubError(f"{self._path}: is not the key this was sealed with") from None

    def ticket(self, number: str) -> str:
        """What the reporter of a number is given to ask with: 16 hex digits."""
        return hmac.new(self._tickets, number.encode(), hashlib.sha256).hexdigest()[:16]

    def is_ticket(self, number: str, key: str) -> bool:
        """Whether a key belongs to a number."""
        return hmac.compare_digest(self.ticket(number).encode(), key.encode())
