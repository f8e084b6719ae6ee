"""Street pictures drawn for tests, and photographs of them as a phone writes them."""

import io

import numpy as np
from PIL import ExifTags, Image, ImageDraw, ImageFilter


def street(seed, heap=True, size=(960, 720)):
    """A street of its own for each seed: houses, pavement, things; a heap where it is wanted."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(40, 215, (9, 12, 3), dtype=np.uint8)
    picture = Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC)
    draw = ImageDraw.Draw(picture)
    for _ in range(24):
        x, y = rng.integers(0, size[0]), rng.integers(0, size[1])
        w, h = rng.integers(30, 220, 2)
        draw.rectangle((x, y, x + w, y + h), fill=tuple(int(v) for v in rng.integers(0, 255, 3)))
    if heap:
        for _ in range(40):
            x, y = 360 + rng.integers(0, 240), 420 + rng.integers(0, 180)
            draw.ellipse((x, y, x + 60, y + 50), fill=tuple(int(v) for v in rng.integers(0, 90, 3)))
    grain = rng.normal(0, 3, (size[1], size[0], 3))
    noisy = np.clip(np.asarray(picture, dtype=float) + grain, 0, 255).astype(np.uint8)
    return Image.fromarray(noisy).filter(ImageFilter.GaussianBlur(0.6))


def photo(picture, at=None, place=None, quality=88, offset="+08:00"):
    """A JPEG with time (local, aware) and place in its EXIF, where they are given."""
    exif = Image.Exif()
    if at is not None:
        tags = exif.get_ifd(ExifTags.IFD.Exif)
        tags[ExifTags.Base.DateTimeOriginal] = at.strftime("%Y:%m:%d %H:%M:%S")
        if offset:
            tags[ExifTags.Base.OffsetTimeOriginal] = offset
    if place is not None:
        gps = exif.get_ifd(ExifTags.IFD.GPSInfo)
        gps[ExifTags.GPS.GPSLatitudeRef], gps[ExifTags.GPS.GPSLongitudeRef] = "N", "E"
        gps[ExifTags.GPS.GPSLatitude] = _parts(place[0])
        gps[ExifTags.GPS.GPSLongitude] = _parts(place[1])
    exif[ExifTags.Base.Make] = "somebody's phone"
    data = io.BytesIO()
    picture.save(data, "JPEG", quality=quality, exif=exif)
    return data.getvalue()


def _parts(degrees):
    whole = int(degrees)
    minutes = int((degrees - whole) * 60)
    return (whole, minutes, round((degrees - whole - minutes / 60) * 3600, 4))
