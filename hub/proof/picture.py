"""What a photo says of itself, and the copy of it that others see.

The copy is written anew: upright, no larger than needed, without any hidden note (place, device,
owner). Whoever covers faces and plates is given it before anybody sees it.
"""

import io
import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

from PIL import ExifTags, Image, ImageOps

from hub.proof import likeness
from hub.proof.likeness import Grey
from hub.proof.photo import Source, Taken

SHOWN_SIDE = 1920
SHOWN_QUALITY = 85

Cover = Callable[[bytes], bytes | None]
"""A picture with faces and plates covered; None when nobody can tell what is in it."""


def told(exif: Image.Exif, zone: ZoneInfo) -> Taken:
    """When and where a file says it was taken; what cannot be read is not there.

    The clock of a camera has no zone unless it says so: then it is the site's.
    """
    at, place = _when(exif, zone), _where(exif)
    return Taken(
        at=at,
        at_from=Source.EXIF if at else Source.NONE,
        place=place,
        place_from=Source.EXIF if place else Source.NONE,
        acc_m=_error_m(exif) if place else 0.0,
    )


def read(data: bytes, zone: ZoneInfo) -> tuple[Taken, Grey]:
    """A picture's own word and what it is compared by; `data` has been checked to decode."""
    with Image.open(io.BytesIO(data), formats=("JPEG", "PNG")) as picture:
        taken = told(picture.getexif(), zone)
        return taken, seen(data)


def seen(data: bytes) -> Grey:
    """What a picture is compared by."""
    with Image.open(io.BytesIO(data), formats=("JPEG", "PNG")) as picture:
        picture.draft("L", (4 * likeness.SIDE, 4 * likeness.SIDE))
        return likeness.grey(ImageOps.exif_transpose(picture))


def bare(data: bytes) -> bytes:
    """The picture as a JPEG, upright and without hidden notes."""
    with Image.open(io.BytesIO(data), formats=("JPEG", "PNG")) as picture:
        picture.draft("RGB", (SHOWN_SIDE, SHOWN_SIDE))
        upright = ImageOps.exif_transpose(picture).convert("RGB")
    upright.thumbnail((SHOWN_SIDE, SHOWN_SIDE), Image.Resampling.LANCZOS)
    # A new picture: nothing that hung on the old one comes along.
    clean = Image.new("RGB", upright.size)
    clean.paste(upright)
    out = io.BytesIO()
    clean.save(out, "JPEG", quality=SHOWN_QUALITY)
    return out.getvalue()


def _when(exif: Image.Exif, zone: ZoneInfo) -> datetime | None:
    tags = exif.get_ifd(ExifTags.IFD.Exif)
    text = tags.get(ExifTags.Base.DateTimeOriginal) or exif.get(ExifTags.Base.DateTime)
    try:
        local = datetime.strptime(str(text).strip("\x00 "), "%Y:%m:%d %H:%M:%S")  # noqa: DTZ007
        return local.replace(tzinfo=_offset(tags) or zone).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _offset(tags: dict[int, Any]) -> timezone | None:
    text = str(tags.get(ExifTags.Base.OffsetTimeOriginal, "")).strip("\x00 ")
    try:
        sign = {"+": 1, "-": -1}[text[:1]]
        hours, minutes = text[1:].split(":")
        return timezone(sign * timedelta(hours=int(hours), minutes=int(minutes)))
    except (KeyError, ValueError):
        return None


def _where(exif: Image.Exif) -> tuple[float, float] | None:
    gps = exif.get_ifd(ExifTags.IFD.GPSInfo)
    lat = _degrees(gps, ExifTags.GPS.GPSLatitude, ExifTags.GPS.GPSLatitudeRef, "S")
    lon = _degrees(gps, ExifTags.GPS.GPSLongitude, ExifTags.GPS.GPSLongitudeRef, "W")
    if lat is None or lon is None or abs(lat) > 90 or abs(lon) > 180:
        return None
    # Phones without a fix write zeroes.
    return None if lat == lon == 0 else (lat, lon)


def _degrees(gps: dict[int, Any], value: int, ref: int, negative: str) -> float | None:
    try:
        degrees, minutes, seconds = (float(part) for part in gps[value])
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None
    total = degrees + minutes / 60 + seconds / 3600
    if not math.isfinite(total):
        return None
    return -total if str(gps.get(ref, "")).strip("\x00 ").upper() == negative else total


def _error_m(exif: Image.Exif) -> float:
    gps = exif.get_ifd(ExifTags.IFD.GPSInfo)
    try:
        error = float(gps[ExifTags.GPS.GPSHPositioningError])
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return 0.0
    return error if math.isfinite(error) and error >= 0 else 0.0
