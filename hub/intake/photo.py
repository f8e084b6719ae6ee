"""A photo that anybody may send: decoded within bounds, and written anew without what it carried.

What a phone writes into a photo (place, time, device, a preview of the uncropped picture) is
dropped; so is whatever was hidden behind the picture's data.
"""

import hashlib
import io
import secrets
from dataclasses import dataclass, replace

from PIL import Image, ImageOps, UnidentifiedImageError
from pydantic import BaseModel

from hub.errors import Problem, not_found
from hub.evidence import store as evidence_store
from hub.evidence.store import Vault
from hub.intake import store as intake_store
from hub.intake.report import Report
from hub.intake.sealing import Seal
from hub.store import Store, now
from wire.coded import coded

MOST_PHOTOS = 3
MOST_PIXELS = 50_000_000
LONGEST_SIDE = 1920
QUALITY = 85
ALLOWED = "a JPEG or PNG picture of up to 50 megapixels"


class PhotoTaken(BaseModel):
    """How many photos the report has now."""

    photos: int


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
                    coded(
                        "many_pixels",
                        "{width} x {height} pixels are too many",
                        width=picture.width,
                        height=picture.height,
                    ),
                    ALLOWED,
                )
            upright = ImageOps.exif_transpose(picture).convert("RGB")
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        raise Problem(
            422, "bad_picture", coded("no_picture_file", "the file cannot be decoded"), ALLOWED
        ) from None
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


def add_photo(store: Store, seal: Seal, vault: Vault, number: str, sent: bytes) -> PhotoTaken:
    """Keep a photo with a report; the same again changes nothing. Raises Problem."""
    clean = cleaned(sent)
    with store.read() as tx:
        _with_room(intake_store.by_number(tx, seal, number), number, clean.sha256)
    keep(vault, clean)
    with store.write() as tx:
        report = _with_room(intake_store.lock(tx, seal, number), number, clean.sha256)
        evidence_store.add(
            tx, clean.sha256, kind="image/jpeg", size=len(clean.data), device="public", at=now()
        )
        files = tuple(dict.fromkeys([*report.new.files, clean.sha256]))
        intake_store.save(tx, seal, replace(report, new=replace(report.new, files=files)))
    return PhotoTaken(photos=len(files))


def _with_room(report: Report | None, number: str, sha256: str) -> Report:
    if report is None:
        raise not_found("report", number)
    if len({*report.new.files, sha256}) > MOST_PHOTOS:
        raise Problem(
            409,
            "enough",
            coded(
                "report_photos",
                "report {report} has {most} photos",
                report=number,
                most=MOST_PHOTOS,
            ),
            coded("another_report", "another report"),
        )
    return report
