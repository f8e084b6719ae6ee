"""Is this file what it says it is: picture that decodes, hash; and may a browser show it."""

import hashlib
import hmac
import io
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote, urlencode

from PIL import Image, UnidentifiedImageError

from hub.errors import Problem
from wire.coded import coded
from wire.media import SUFFIXES

IMAGE_TYPES = ("image/jpeg", "image/png")
"""What is decoded to see whether it is whole; everything else is kept as it came."""

SHOWN = (*IMAGE_TYPES, "video/mp4")
"""What a browser may show by itself; everything else is to be saved."""


_SIGNED = ("dev", "size", "type", "exp", "sealed")


class BadSignature(Problem):
    """An upload address that is wrong, changed or too old."""

    def __init__(self, why: str) -> None:
        """Say why; the remedy is always a new offer."""
        super().__init__(403, "bad_signature", why, "offer the file again for a new address")


def check_picture(path: Path | io.BytesIO, max_pixels: int) -> None:
    """Decode a picture whole.

    Raises Problem 422 for a broken picture or one with more pixels than allowed, before they
    are unpacked.
    """
    try:
        with Image.open(path, formats=("JPEG", "PNG")) as picture:
            if picture.width * picture.height > max_pixels:
                raise Problem(
                    422,
                    "bad_picture",
                    coded(
                        "many_pixels",
                        "{width} x {height} pixels are too many",
                        width=picture.width,
                        height=picture.height,
                    ),
                    coded("at_most_so", "at most {most}", most=max_pixels),
                )
            picture.load()
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as fault:
        message = coded("undecodable", "cannot be decoded: {why}", why=fault)
        raise Problem(
            422, "bad_picture", message, coded("whole_picture", "a whole picture")
        ) from None
    except Image.DecompressionBombError as fault:
        raise Problem(
            422,
            "bad_picture",
            str(fault),
            coded("pixels_at_most", "at most {most} pixels", most=max_pixels),
        ) from None


def disposition(sha256: str, kind: str) -> str:
    """The header by which a browser shows a file, or saves it under its hash."""
    how = "inline" if kind in SHOWN else "attachment"
    return f'{how}; filename="{sha256}.{SUFFIXES[kind]}"'


def signed_path(
    key: bytes, sha256: str, *, dev: str, size: int, kind: str, exp: int, sealed: bool = False
) -> str:
    """The upload address of one file, good until `exp` (ms UTC); `sealed`: to be locked away."""
    query = {"dev": dev, "size": size, "type": kind, "exp": exp, "sealed": int(sealed)}
    signature = _signature(key, sha256, query)
    return f"/upload/{sha256}?{urlencode({**query, 'sig': signature}, quote_via=quote)}"


def check_signature(
    key: bytes, sha256: str, query: Mapping[str, object], sig: str, now_ms: int
) -> None:
    """Raises BadSignature unless the address is ours, unchanged and not over."""
    if not hmac.compare_digest(_signature(key, sha256, query).encode(), sig.encode()):
        raise BadSignature("the signature does not belong to this address")
    if int(str(query["exp"])) < now_ms:
        raise BadSignature("the address has run out")


def _signature(key: bytes, sha256: str, query: Mapping[str, object]) -> str:
    words = ["PUT", sha256, *(str(query[name]) for name in _SIGNED)]
    return hmac.new(key, "\n".join(words).encode(), hashlib.sha256).hexdigest()
