"""Keeps what a camera's alerts need to be shown, and makes their files when they come.

An alert waits for none of them: what is needed is put aside at once, and the pictures are developed
when there is time. Its clip begins some seconds before the thing came and ends some seconds after
the alert.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from weakref import WeakValueDictionary

import cv2
import numpy as np

from edge.camera.frame import Frame, Image
from edge.detect.album import Album, Shot
from edge.detect.clip import Clip
from edge.detect.detection import Detection
from edge.detect.evidence import Develop, EvidenceFile, annotated
from edge.detect.faces import FaceFinder
from edge.detect.mask import Patch, face_patches, masked, patches
from edge.detect.negative import Negative

ALBUM_BYTES, ALBUMS_BYTES = 12_000_000, 96_000_000
"""Of one camera, and of all cameras of a device together."""

PRE_ROLL_S, POST_ROLL_S = 10.0, 6.0
CLIPS_AT_ONCE = 4
"""Alerts of one camera within a few seconds share nothing; the fifth has no clip."""
CLIP_SHOTS = 120


def album_bytes(cameras: int) -> int:
    """What each of so many cameras may hold in memory."""
    return min(ALBUM_BYTES, ALBUMS_BYTES // max(cameras, 1))


@dataclass(frozen=True)
class _Rolling:
    alert: str
    begin_s: float
    end_s: float


class Recorder:
    """Of one camera."""

    def __init__(
        self, camera: str, dwell_s: float, finder: FaceFinder, max_bytes: int = ALBUM_BYTES
    ) -> None:
        """`dwell_s`: the longest of the camera's zones."""
        self._camera = camera
        self._finder = finder
        self._negatives: WeakValueDictionary[Frame | Shot, Negative] = WeakValueDictionary()
        self._album = Album(dwell_s, max_bytes)
        self._rolling: list[_Rolling] = []
        self._patches: tuple[Patch, ...] = ()

    def see(
        self, frame: Frame, seen: Sequence[Detection], *, moved: bool, since: Sequence[float] = ()
    ) -> None:
        """Take in a look. `since`: when what may become an alert came, seconds as in the frame."""
        self._patches = patches(seen, frame.aspect)
        wanted = [(each.begin_s, each.end_s) for each in self._rolling]
        wanted += [(came_s - PRE_ROLL_S, came_s + POST_ROLL_S) for came_s in since]
        self._album.keep(frame, self._patches, moved=moved, wanted=wanted)

    def begun(
        self,
        alert: str,
        frame: Frame,
        since_s: float,
        boxes: Sequence[Detection],
        zone: str,
        *,
        earlier: EvidenceFile | None = None,
    ) -> Develop:
        """A new alert: what makes its pictures; its clip begins to roll.

        `earlier`: what it was like before, where somebody looks back further than the album.
        """
        if len(self._rolling) < CLIPS_AT_ONCE:
            begin_s = since_s - PRE_ROLL_S
            self._rolling.append(_Rolling(alert, begin_s, frame.t_s + POST_ROLL_S))
        caption = f"{self._camera} {zone} {frame.at:%Y-%m-%d %H:%M:%S} UTC"
        still = None if earlier else self._album.before(since_s)
        before = self._negative_of(still, still.patches) if still else earlier
        clean = self._negative_of(frame, self._patches)
        return partial(_begun, clean, tuple(boxes), caption, before)

    def is_rolling(self, alert: str) -> bool:
        """Whether that alert's clip is not complete yet."""
        return any(each.alert == alert for each in self._rolling)

    def ended(self, frame: Frame) -> Develop:
        """What makes the picture of how it looks when it is over."""
        return partial(self._negative_of(frame, self._patches).files, "after")

    def shown(self, frame: Frame, seen: Sequence[Detection]) -> Image:
        """The picture as everybody may see it."""
        faces = face_patches(self._finder.find(frame.image))
        return masked(frame.image, (*patches(seen, frame.aspect), *faces))

    def clips(self, t_s: float | None = None) -> list[tuple[str, Clip]]:
        """The clips that are complete by that second (None: there will be no more), by alert."""
        done = [each for each in self._rolling if t_s is None or t_s >= each.end_s]
        self._rolling = [each for each in self._rolling if each not in done]
        made = []
        for each in done:
            shots = self._album.between(each.begin_s, each.end_s)
            if shots:
                made.append((each.alert, Clip(self._camera, _thinned(shots))))
        return made

    def _negative_of(self, taken: Frame | Shot, heads: tuple[Patch, ...]) -> Negative:
        """Of a look or a still; alerts that it shows share it while it is waited for."""
        negative = self._negatives.get(taken)
        if negative is None:
            original = taken.data if isinstance(taken, Shot) else None
            image = partial(_image_of, taken)
            negative = Negative(image, heads, taken.at, self._finder.find, original)
            self._negatives[taken] = negative
        return negative


def _begun(
    clean: Negative,
    boxes: tuple[Detection, ...],
    caption: str,
    before: EvidenceFile | Negative | None,
) -> tuple[EvidenceFile, ...]:
    shown, *sealed = clean.files("clean")
    original = shown.original or shown.sha256
    marked = annotated(clean.shown, boxes, caption, shown.at, original)
    if isinstance(before, Negative):
        return shown, marked, *before.files("before"), *sealed
    return shown, marked, *((before,) if before else ()), *sealed


def _image_of(taken: Frame | Shot) -> Image:
    if isinstance(taken, Frame):
        return taken.image
    return cv2.imdecode(np.frombuffer(taken.data, np.uint8), cv2.IMREAD_COLOR)  # type: ignore[return-value]


def _thinned(shots: tuple[Shot, ...]) -> tuple[Shot, ...]:
    """The first and last third whole, and as many of the middle as there is room for."""
    if len(shots) <= CLIP_SHOTS:
        return shots
    third = CLIP_SHOTS // 3
    middle = shots[third:-third]
    step = len(middle) / (CLIP_SHOTS - 2 * third)
    kept = [middle[int(i * step)] for i in range(CLIP_SHOTS - 2 * third)]
    return (*shots[:third], *kept, *shots[-third:])
