"""A photo that anybody may send: decoded within bounds, and written anew without what it carried.

What a phone writes into a photo (place, time, device, a preview of the uncropped picture) is
dropped; so is whatever was hidden behind the picture's data.
"""

import hashlib
import io
import secrets
from dataclasses import dataclass

from PIL import Image, ImageOps, UnidentifiedImageError

from hub.errors import Problem
from hub.evidence.store import Vault

MOST_PIXELS = 50_000_000
LONGEST_SIDE = 1920
QUALITY = 85
ALLOWED = "a JPEG or PNG picture of up to 50 megapixels"


@dataclass(frozen=True, slots=True)
class CleanPhoto:
    """A JPEG that shows what was sent and says nothing else."""

    sha256: str
    data: bytes


def cleaned(sent: bytes) -> CleanPhoto:
    """The photo as it is kept. Raises Problem 422 for what is no picture, or too large a one."""
    try:
        with Image.open(io.BytesIO(sent), formats=("JPEG", "PNG")) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                raise Problem(
                    422,
                    "bad_picture",
                    f"{picture.width} x {picture.height} pixels are too many",
                    ALLOWED,
                )
            upright = ImageOps.exif_transpose(picture).convert("RGB")
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        raise Problem(422, "bad_picture", "the file cannot be decoded", ALLOWED) from None
    upright.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    bare = Image.new("RGB", upright.size)
    bare.paste(upright)
    written = io.BytesIO()
    bare.save(written, "JPEG", quality=QUALITY, optimize=True)
    data = written.getvalue()
    return CleanPhoto(hashlib.sha256(data).hexdigest(), data)


def keep(vault: Vault, photo: CleanPhoto) -> None:
    """Put a photo among the evidence files."""
    if vault.is_here(photo.sha256):
        return
    temporary = vault.incoming / f"photo-{secrets.token_hex(8)}"
    temporary.write_bytes(photo.data)
    vault.place(temporary, photo.sha256)
