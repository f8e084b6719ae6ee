"""A picture before it is shown: what it hides is found, and it is coded, once for all alerts."""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cached_property

from edge.camera.frame import Frame, Image
from edge.detect.detection import Detection
from edge.detect.evidence import EvidenceFile, Role, jpeg
from edge.detect.mask import Patch, face_patches, masked, patches

Find = Callable[[Image], Sequence[Detection]]
"""Finds faces in a picture."""


class Negative:
    """Of one picture. Not for several threads at once.

    `original`: its JPEG, where it is at hand.
    """

    def __init__(
        self,
        image: Callable[[], Image],
        heads: Sequence[Patch],
        at: datetime,
        find: Find,
        original: bytes | None = None,
    ) -> None:
        """Nothing is made yet. `heads`: to be covered; `find`: faces, to be covered too."""
        self._image = image
        self._heads = heads
        self._at = at
        self._find = find
        self._kept = original

    @cached_property
    def image(self) -> Image:
        """As it is."""
        return self._image()

    @cached_property
    def shown(self) -> Image:
        """As everybody may see it."""
        return masked(self.image, self._covered)

    def files(self, role: Role) -> tuple[EvidenceFile, ...]:
        """The picture for everybody, and the sealed original.

        Where nothing is to be covered the original itself is for everybody.
        """
        original = EvidenceFile(
            role, "image/jpeg", self._original, self._at, sealed=bool(self._covered)
        )
        if not self._covered:
            return (original,)
        shown = EvidenceFile(role, "image/jpeg", self._jpeg, self._at, original=original.sha256)
        return shown, original

    @cached_property
    def _covered(self) -> tuple[Patch, ...]:
        return (*self._heads, *face_patches(self._find(self.image)))

    @cached_property
    def _original(self) -> bytes:
        return self._kept or jpeg(self.image)

    @cached_property
    def _jpeg(self) -> bytes:
        return jpeg(self.shown)


def negative_of(frame: Frame, seen: Sequence[Detection], find: Find) -> Negative:
    """Of a look at which `seen` was detected."""
    return Negative(lambda: frame.image, patches(seen, frame.aspect), frame.at, find)
