"""Writes a small PMTiles v3 file of pictures: one colour everywhere, so that it is recognised."""

import io
import struct
from pathlib import Path

from PIL import Image

HEADER = 127
NONE, PNG = 1, 2


def write_pmtiles(path: Path, colour: tuple[int, int, int], zooms: int = 3) -> Path:
    """Tiles of zoom 0 to `zooms`, the whole world in `colour`."""
    tile = io.BytesIO()
    Image.new("RGB", (256, 256), colour).save(tile, "PNG")
    data = tile.getvalue()
    count = sum(4**zoom for zoom in range(zooms + 1))
    # One entry: tile numbers begin at 0 and run through all zooms, each the same picture.
    root = b"".join(_varint(number) for number in (1, 0, count, len(data), 1))
    at = {"root": HEADER, "meta": HEADER + len(root), "tiles": HEADER + len(root) + 2}
    header = b"PMTiles" + struct.pack(
        "<B11Q6B4iB2i",
        3, at["root"], len(root), at["meta"], 2, at["tiles"], 0, at["tiles"], len(data),
        count, 1, 1,
        1, NONE, NONE, PNG, 0, zooms,
        -1_800_000_000, -850_000_000, 1_800_000_000, 850_000_000, 0, 0, 0,
    )  # fmt: skip
    assert len(header) == HEADER
    path.write_bytes(header + root + b"{}" + data)
    return path


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])
