"""Originals under lock: AES-256-GCM with a key that lies beside them for the hub alone.

A sealed file is `TYSEAL1`, twelve bytes of nonce, and the encrypted bytes with their tag; the
file's SHA-256 is authenticated with it, so that one cannot be put in another's place.
"""

import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from wire.coded import coded

MAGIC = b"TYSEAL1\n"
NONCE = 12


class BrokenSeal(ValueError):
    """What lies there is not what was sealed, or the key is another one."""


def seal(key: bytes, data: bytes, sha256: str) -> bytes:
    """Encrypt a file."""
    nonce = secrets.token_bytes(NONCE)
    return MAGIC + nonce + AESGCM(key).encrypt(nonce, data, sha256.encode())


def unseal(key: bytes, sealed: bytes, sha256: str) -> bytes:
    """Decrypt a file.

    Raises BrokenSeal.
    """
    nonce, rest = sealed[len(MAGIC) :][:NONCE], sealed[len(MAGIC) + NONCE :]
    if not sealed.startswith(MAGIC) or len(nonce) < NONCE:
        raise BrokenSeal(coded("no_sealed_file", "is no sealed file"))
    try:
        return AESGCM(key).decrypt(nonce, rest, sha256.encode())
    except InvalidTag:
        raise BrokenSeal(
            coded("other_seal", "was changed after it was sealed, or sealed with another key")
        ) from None
