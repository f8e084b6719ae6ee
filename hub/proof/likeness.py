"""Is this picture a copy of one that was shown before? Asked of pixels, in two steps.

First a fingerprint: 64 bits of the lowest frequencies of the whole picture and of windows of it,
compared with every other by the number of bits that differ. That finds candidates, through
recompression, other sizes, brightness, a mirror, and what was cut off the edges. Then the two
pictures are laid over each other as well as they go and compared part by part: the same street
photographed again, or the same camera's view with the heap gone, is not a copy.

Pure numpy and Pillow, no I/O. The thresholds are measured: `bench/likeness.py` and
docs/decisions on reuse.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product

import numpy as np
import numpy.typing as npt
from PIL import Image

Grey = npt.NDArray[np.float32]
Hashes = npt.NDArray[np.uint64]

SIDE = 128
"""Pictures are compared at this many pixels a side, their shape dropped."""

NEAR_BITS = 14
"""Candidates differ in at most so many of 64 bits."""
LEAST_LIKENESS = 0.93
"""The correlation from which two laid-over pictures may be one."""
MOST_APART = 0.65
"""How far one part of the picture may differ, in standard deviations of the whole."""

_DCT, _LOW = 32, 8
_PARTS = 10
_SHARES = (0.9, 0.8)
_CORNERS = ((0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0), (0.5, 0.5))
WINDOWS = 1 + len(_SHARES) * len(_CORNERS)
"""Hashes of a fingerprint: the whole picture first."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two pictures laid over each other: how alike on the whole, how far apart in one part."""

    likeness: float
    apart: float

    @property
    def is_copy(self) -> bool:
        """Whether one is a copy of the other."""
        return self.likeness >= LEAST_LIKENESS and self.apart <= MOST_APART


def grey(picture: Image.Image) -> Grey:
    """A picture as it is compared; upright already."""
    small = picture.convert("L").resize((SIDE, SIDE), Image.Resampling.BOX)
    return np.asarray(small, dtype=np.float32)


def fingerprint(picture: Grey) -> Hashes:
    """The hashes of a picture and of its windows."""
    return np.array([_hash(picture, box) for box in _windows()], dtype=np.uint64)


def mirrored(picture: Grey) -> Grey:
    """Left and right exchanged."""
    return np.ascontiguousarray(picture[:, ::-1])


def bits_apart(query: Hashes, known: Hashes) -> npt.NDArray[np.uint8]:
    """How many bits a fingerprint differs from each of `known` (a row each), at best.

    The whole of one is held against every window of the other, both ways.
    """
    whole_in_known = np.bitwise_count(known ^ query[0]).min(axis=1)
    known_in_whole = np.bitwise_count(known[:, :1] ^ query[None, :]).min(axis=1)
    return np.asarray(np.minimum(whole_in_known, known_in_whole), dtype=np.uint8)


def compare(one: Grey, other: Grey) -> Comparison:
    """How alike two pictures are, whichever of them was cut from the other, mirrored or not."""
    ways = ((one, other), (one, mirrored(other)), (other, one), (other, mirrored(one)))
    fits = [(-1.0, way, lay) for way in range(len(ways)) for lay in _starts()]
    for side, steps, kept, least in _ROUNDS:
        pyramid = [(_shrunk(whole, 2 * side), _unit(_shrunk(part, side))) for whole, part in ways]
        fits = [_fitted(*pyramid[way], way, lay, steps) for _, way, lay in fits]
        fits = sorted(fits, reverse=True)[:kept]
        if fits[0][0] < least:
            return Comparison(fits[0][0], float("inf"))
    _, way, lay = fits[0]
    whole, part = ways[way]
    return _compared(_laid(_shrunk(whole, 2 * _FINE), lay), _shrunk(part, _FINE))


# ---------------------------------------------------------------- fingerprints

Box = tuple[float, float, float, float]


def _windows() -> Iterator[Box]:
    yield (0.0, 0.0, float(SIDE), float(SIDE))
    for share, (x, y) in product(_SHARES, _CORNERS):
        size, rest = SIDE * share, SIDE * (1 - share)
        yield (x * rest, y * rest, x * rest + size, y * rest + size)


def _resized(picture: Grey, box: Box, side: int) -> Grey:
    image = Image.fromarray(picture)
    scaled = image.resize((side, side), Image.Resampling.BILINEAR, box=box)
    return np.asarray(scaled, dtype=np.float32)


@cache
def _cosines() -> Grey:
    k, n = np.mgrid[0:_LOW, 0:_DCT]
    waves: Grey = np.cos(np.pi * k * (2 * n + 1) / (2 * _DCT)).astype(np.float32)
    return waves


def _hash(picture: Grey, box: Box) -> int:
    cosines = _cosines()
    low = (cosines @ _resized(picture, box, _DCT) @ cosines.T).ravel()
    bits = low > np.median(low[1:])
    bits[0] = False
    return int.from_bytes(np.packbits(bits).tobytes(), "big")


# ---------------------------------------------------------------- laying over


_FINE = 64
_ROUNDS = (
    (16, (), 6, 0.4),
    (16, (0.08, 0.04, 0.04), 3, 0.85),
    (32, (0.04, 0.02, 0.02), 1, 0.85),
    (64, (0.02, 0.01, 0.01, 0.005, 0.005), 1, 0.0),
)
"""How finely the pictures are looked at while the place of one in the other is sought, by how much
its edges are moved there (shares of the whole), how many of the places are looked at closer, and
how well the best must fit for that."""

Lay = tuple[float, float, float, float, float]
"""Left, top, right and bottom edge in the whole, as shares of it, and a turn in radians."""


_MOST_TURNED = 0.12


def _starts() -> list[Lay]:
    return [
        (left / SIDE, top / SIDE, right / SIDE, bottom / SIDE, 0.0)
        for left, top, right, bottom in _windows()
    ]


def _shrunk(picture: Grey, side: int) -> Grey:
    by = SIDE // side
    small: Grey = picture.reshape(side, by, side, by).mean(axis=(1, 3))
    return small


def _laid(source: Grey, lay: Lay) -> Grey:
    """What lies in the window, half as large as the source."""
    left, top, right, bottom, turn = lay
    side = len(source)
    affine = (
        right - left, turn, side * (left - turn / 2),
        -turn, bottom - top, side * (top + turn / 2),
    )  # fmt: skip
    image = Image.fromarray(source).transform(
        (side, side), Image.Transform.AFFINE, affine, Image.Resampling.BILINEAR
    )
    half = side // 2
    full = np.asarray(image, dtype=np.float32)
    small: Grey = full.reshape(half, 2, half, 2).mean(axis=(1, 3))
    return small


def _fitted(
    source: Grey, wanted: Grey, way: int, lay: Lay, steps: Sequence[float]
) -> tuple[float, int, Lay]:
    """The window with each edge moved, or turned, where that fits better; how well it fits."""
    found = _fit(source, wanted, lay)
    for part, by in ((p, b) for step in steps for p in range(5) for b in (-step, step)):
        moved = list(lay)
        moved[part] += by
        if part < 4:
            moved[part] = min(max(moved[part], 0.0), 1.0)
        tried = (moved[0], moved[1], moved[2], moved[3], moved[4])
        if min(tried[2] - tried[0], tried[3] - tried[1]) < 0.5 or abs(tried[4]) > _MOST_TURNED:
            continue
        if (new := _fit(source, wanted, tried)) > found:
            lay, found = tried, new
    return found, way, lay


def _fit(source: Grey, wanted: Grey, lay: Lay) -> float:
    return float((_unit(_laid(source, lay)) * wanted).sum())


def _unit(picture: Grey) -> Grey:
    flat = picture - picture.mean()
    unit: Grey = flat / max(float(np.sqrt((flat * flat).sum())), 1e-6)
    return unit


def _compared(one: Grey, other: Grey) -> Comparison:
    """Light and contrast are matched first; then every part has to be alike."""
    a, b = one - one.mean(), other - other.mean()
    spread = float(a.std())
    if spread < 1.0 or float(b.std()) < 1.0:
        return Comparison(0.0, float("inf"))  # nothing on it to compare
    likeness = float((a * b).mean() / (a.std() * b.std()))
    gain = float((a * b).sum() / (b * b).sum())
    rest = np.abs(a - gain * b) / spread
    step = len(rest) // _PARTS
    cut = rest[: step * _PARTS, : step * _PARTS].reshape(_PARTS, step, _PARTS, step)
    return Comparison(likeness, float(cut.mean(axis=(1, 3)).max()))


def to_bytes(hashes: Hashes) -> bytes:
    """A fingerprint as it is stored."""
    return hashes.astype("<u8").tobytes()


def from_bytes(stored: Sequence[bytes]) -> Hashes:
    """Fingerprints as they were stored, a row each."""
    rows = np.frombuffer(b"".join(stored), dtype="<u8").astype(np.uint64)
    return rows.reshape(len(stored), WINDOWS)
