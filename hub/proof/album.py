"""Every photo of a fix by its fingerprint, in memory, to find a picture that was shown before.

A cache of the table `fix_photos`: it is filled from the database as far as that has grown, before
every question.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import func, select
from sqlalchemy.engine import Connection

from hub.proof import likeness
from hub.proof.likeness import NEAR_BITS, Grey, Hashes
from hub.proof.photo import FixPhoto, Match
from hub.proof.store import photos, same_file

LATE = 1000
"""Rows of so many ids back are looked for again: one may be committed after a later one."""
MOST_COMPARED = 25

Pixels = Callable[[str], Grey | None]
"""What a stored picture is compared by; None when it is not there any more."""


@dataclass(frozen=True, slots=True)
class Print:
    """A picture's fingerprint beside its mirror's, and its pixels."""

    pixels: Grey
    plain: Hashes
    mirror: Hashes

    @classmethod
    def of(cls, pixels: Grey) -> "Print":
        """Take a picture's fingerprint."""
        turned = likeness.mirrored(pixels)
        return cls(pixels, likeness.fingerprint(pixels), likeness.fingerprint(turned))

    def bits_apart(self, known: Hashes) -> "np.typing.NDArray[np.uint8]":
        """How near each of the known pictures is, mirrored or not."""
        plain = likeness.bits_apart(self.plain, known)
        return np.minimum(plain, likeness.bits_apart(self.mirror, known))


class Album:
    """The fingerprints of all photos."""

    def __init__(self) -> None:
        """Empty; filled by `refresh`."""
        self._lock = threading.Lock()
        self._rows: dict[int, int] = {}
        self._hashes = np.zeros((0, likeness.WINDOWS), dtype=np.uint64)
        self._last = 0

    def refresh(self, tx: Connection) -> None:
        """Take in what has been stored since."""
        with self._lock:
            newest = tx.execute(select(func.max(photos.c.id))).scalar() or 0
            if newest < self._last:  # another database: it was restored
                self._rows, self._last = {}, 0
                self._hashes = self._hashes[:0]
            found = select(photos.c.id, photos.c.windows).where(
                photos.c.id > self._last - LATE, photos.c.phash != ""
            )
            new = [row for row in tx.execute(found) if row.id not in self._rows]
            if new:
                hashes = likeness.from_bytes([bytes(row.windows) for row in new])
                start = len(self._hashes)
                self._hashes = np.concatenate([self._hashes, hashes])
                self._rows |= {row.id: start + n for n, row in enumerate(new)}
            self._last = max(self._last, newest)

    def near(self, wanted: Print) -> list[int]:
        """Ids of photos that may be the same picture, the nearest first."""
        with self._lock:
            ids, hashes = np.array(list(self._rows), dtype=np.int64), self._hashes
        if not len(ids):
            return []
        apart = wanted.bits_apart(hashes)
        close = np.nonzero(apart <= NEAR_BITS)[0]
        nearest = close[np.argsort(apart[close], kind="stable")]
        return [int(ids[n]) for n in nearest]


def first_copy(
    tx: Connection,
    album: Album,
    photo: FixPhoto,
    wanted: Print | None,
    pixels: Pixels,
) -> Match | None:
    """The earlier photo that this one is a copy of.

    What was uploaded for the same case and not used yet is the same person's second try, no reuse.
    """
    for earlier in same_file(tx, photo.sha256):
        if _counts(earlier, photo):
            return Match(f"photo:{earlier.id}", earlier.case_id, same_file=True)
    if wanted is None:
        return None
    near = [name for name in album.near(wanted) if name != photo.id][: 4 * MOST_COMPARED]
    found = {row.id: row for row in tx.execute(select(photos).where(photos.c.id.in_(near)))}
    compared = 0
    for name in near:
        row = found.get(name)
        if row is None or (row.case_id == photo.case_id and row.used_at is None):
            continue
        compared += 1
        if compared > MOST_COMPARED:
            break
        other = pixels(row.sha256)
        if other is not None and likeness.compare(wanted.pixels, other).is_copy:
            return Match(f"photo:{name}", row.case_id, same_file=False)
    return None


def copy_among(wanted: Print, known: Sequence[str], pixels: Pixels, case_id: int) -> Match | None:
    """The picture of a case's own evidence that a photo is a copy of."""
    for sha256 in known:
        other = pixels(sha256)
        if other is None:
            continue
        hashes = likeness.fingerprint(other)[None, :]
        is_near = int(wanted.bits_apart(hashes)[0]) <= NEAR_BITS
        if is_near and likeness.compare(wanted.pixels, other).is_copy:
            return Match(f"evidence:{sha256}", case_id, same_file=False)
    return None


def _counts(earlier: FixPhoto, photo: FixPhoto) -> bool:
    if earlier.id == photo.id:
        return False
    return earlier.case_id != photo.case_id or earlier.used_at is not None
