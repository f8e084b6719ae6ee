"""The key with which a device signs its evidence: drawn at the first start, never leaves it."""

import base64
import os
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

FILE = "device-key.pem"


class BadKey(ValueError):
    """The device's key cannot be used; says which file and why."""


class DeviceKey:
    """An Ed25519 key in a file that its owner alone may read."""

    def __init__(self, path: Path) -> None:
        """Read the key at `path`, or draw one.

        A damaged key is not replaced: the hub would have to trust a new one.
        Raises BadKey.
        """
        try:
            if not path.exists():
                _draw(path)
            key = load_pem_private_key(path.read_bytes(), None)
        except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as fault:
            raise BadKey(f"{path}: is no key that can be used: {fault}") from None
        if not isinstance(key, Ed25519PrivateKey):
            raise BadKey(f"{path}: must hold an Ed25519 key")
        self._key = key
        self.public = _text(key.public_key().public_bytes_raw())

    def sign(self, data: bytes) -> str:
        """The signature over `data`, base64 without padding."""
        return _text(self._key.sign(data))


def _draw(path: Path) -> None:
    key = Ed25519PrivateKey.generate()
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode().rstrip("=")
