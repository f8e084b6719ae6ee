"""The look again: is the thing at this place still there, gone, or can that not be told.

Two witnesses are asked in every fresh look, and neither knows of the other:

- the detector: is something of the thing's class seen at the place? It may speak only for classes
  it knows; of a thing it did not see on the picture with the thing on it, its silence says nothing;
- the scene: does the place look as on the picture with the thing, or as on the one without? Only
  those cells of the place are asked in which the two pictures differ.

`present` needs one of them and no word against it. `gone` needs the scene, and no word against it
from the detector: a class not seen proves nothing, a place that looks as it did before the thing
came does. A flaw of the camera, a view that is not that of the pictures, something in front of the
place for too long, or a change in the course of the looks is `cannot_tell`; nothing is rounded.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.camera.frame import Image
from edge.detect.detection import Detection
from edge.detect.overlap import corners, covered_share, ious, nestings
from wire.status import CameraState

AROUND = 0.75
"""The surroundings of a place: so much of its size on each side, at least `AROUND_LEAST`."""
AROUND_LEAST = 0.06

CROP_PX = 192
"""The longer side of a crop as it is compared."""
CELLS = 8
"""The place is compared in a grid of about so many cells along its longer side."""

SAME_STRUCTURE = 0.5
"""Cells whose gradients agree to this degree show the same (1 = equal, 0 = unrelated)."""
GRADIENT_NOISE = 40.0
"""Gradients are flat below this, in grey levels: noise and compression are no structure."""
SAME_COLOUR = 12.0
"""Chroma (a, b of Lab) that differs by no more is the same; shade changes it little."""
SAME_LIGHT = 70.0
"""So much lighter or darker, after the surroundings were matched, may be shade."""

SAME_VIEW = 0.6
"""So much of the surroundings must look as on the picture, else it shows another view."""
FAINT_LIGHT = 0.25
"""With less than this of the picture's contrast there is too little light to compare."""
FARTHEST_SHIFT = 0.12
"""A view shifted by more than this of the crop is another view."""

TELLING_SHARE, TELLING_LEAST = 0.08, 3
"""With and without the thing must differ in so many cells, else the pictures tell nothing."""

LEFT_OVER = 0.04
"""A place is clear when no group of cells larger than this share of it looks otherwise: neither a
part of the thing is left nor something else put there."""

LIKE, UNLIKE = 0.7, 0.3
"""Of the telling cells: like one picture from here on, unlike the other up to here."""

HIDDEN_SHARE = 0.5
"""A look does not count when people and vehicles hide so much of the place."""
NEVER_SEEN = 0.1
"""Of the telling cells no more may have been hidden in every look, if the thing is to be gone."""
CLEAR_LEAST, CLEAR_SHARE = 3, 0.4
"""So many looks, and so much of all, must be clear."""
AGREEING = 0.75
"""So many of the clear looks must say the same."""

SEEN_IOU, SEEN_NESTED = 0.3, 0.6


class Answer(StrEnum):
    """What a look again comes to."""

    PRESENT = "present"
    GONE = "gone"
    CANNOT_TELL = "cannot_tell"


class Reason(StrEnum):
    """Why."""

    SEEN = "seen"
    LOOKS_AS_WITH = "looks_as_with"
    LOOKS_AS_WITHOUT = "looks_as_without"
    NO_PICTURES = "no_pictures"
    TOO_FEW_LOOKS = "too_few_looks"
    NOT_FRESH = "not_fresh"
    CAMERA = "camera"
    HIDDEN = "hidden"
    OTHER_VIEW = "other_view"
    TOO_LITTLE_LIGHT = "too_little_light"
    NOTHING_TO_COMPARE = "nothing_to_compare"
    LOOKS_LIKE_NEITHER = "looks_like_neither"
    DISAGREE = "disagree"
    CHANGED_MEANWHILE = "changed_meanwhile"
    NOT_SEEN = "not_seen"


Shares = NDArray[np.float64]


class Word(StrEnum):
    """What a witness says in one look."""

    THERE = "there"
    AWAY = "away"
    UNSURE = "unsure"


@dataclass(frozen=True)
class Surroundings:
    """A place and what lies around it: the crop of a picture, BGR.

    `box`: the place, fractions of the whole picture; `frame`: the crop's own rectangle, likewise.
    """

    box: Detection
    frame: Detection
    image: Image

    @staticmethod
    def of(picture: Image, box: Detection) -> "Surroundings":
        """Cut the place out of a picture, with what lies around it."""
        frame = frame_of(box)
        return Surroundings(box, frame, _cut(picture, frame))

    @staticmethod
    def cropped(image: Image, box: Detection) -> "Surroundings":
        """A crop that `of` made once."""
        return Surroundings(box, frame_of(box), image)


@dataclass(frozen=True)
class Place:
    """What is asked about: a thing with `label` in `box`, and what the place looked like.

    `with_it`, `without_it`: None where no such picture is at hand.
    """

    box: Detection
    label: str
    with_it: Surroundings | None = None
    without_it: Surroundings | None = None


@dataclass(frozen=True)
class Look:
    """One fresh look: the picture, what the detector saw on it, and how well the camera sees."""

    picture: Image
    seen: Sequence[Detection]
    passers: Sequence[Detection]
    sight: CameraState = CameraState.OK


@dataclass(frozen=True)
class Finding:
    """The answer with its grounds. `confidence`: 0 to 1, 0 where it cannot be told."""

    answer: Answer
    confidence: float
    reasons: tuple[Reason, ...]
    details: tuple[str, ...] = ()
    looks: int = 0
    clear: int = 0
    hidden: int = 0


class LookAgain:
    """Gathers fresh looks at one place and gives the answer.

    `knows_class`: whether the detector has a class for the thing and sees it on the picture with
    it, so that its silence counts for something. `threshold`: the score from which it is sure.
    """

    def __init__(self, place: Place, *, knows_class: bool, threshold: float = 0.25) -> None:
        """No look yet."""
        self._place = place
        self._knows_class = knows_class
        self._threshold = threshold
        self._scene = Scene(place)
        self._flaws: Counter[CameraState] = Counter()
        self._pictures: set[bytes] = set()
        self._looks = 0
        self._hidden = 0
        self._words: list[tuple[Word, Word]] = []
        self._scores: list[float] = []
        self._why_unsure: Counter[Reason] = Counter()

    @property
    def looks(self) -> int:
        """Looks taken in."""
        return self._looks

    def take(self, look: Look) -> None:
        """Take in a fresh look."""
        self._looks += 1
        if look.sight is not CameraState.OK:
            self._flaws[look.sight] += 1
            return
        self._pictures.add(_cut(look.picture, self._place.box).tobytes())
        if covered_share(self._place.box, look.passers) >= HIDDEN_SHARE:
            self._hidden += 1
            return
        score = self._score(look.seen)
        scene, why = self._scene.compare(look.picture, look.passers)
        if why is not None:
            self._why_unsure[why] += 1
        self._words.append((self._detector_says(score), scene))
        self._scores.append(score)

    def answer(self) -> Finding:
        """What all looks together come to."""
        reasons, details = self._hindrances()
        if reasons:
            return self._finding(Answer.CANNOT_TELL, 0.0, reasons, details)
        answer, reasons = self._verdict()
        return self._finding(answer, self._confidence(answer, reasons), reasons)

    def _verdict(self) -> tuple[Answer, tuple[Reason, ...]]:
        """What the two witnesses come to."""
        seen, scene = (self._together([words[i] for words in self._words]) for i in (0, 1))
        unseen = self._knows_class and seen == {Word.AWAY}
        if (Word.THERE in seen and Word.AWAY in scene) or (unseen and scene == {Word.THERE}):
            return Answer.CANNOT_TELL, (Reason.DISAGREE,)
        if {Word.THERE, Word.AWAY} <= scene:
            return Answer.CANNOT_TELL, (Reason.CHANGED_MEANWHILE,)
        if {Word.THERE} in (scene, seen):
            also = {Reason.LOOKS_AS_WITH: scene, Reason.SEEN: seen}
            return Answer.PRESENT, tuple(r for r, word in also.items() if word == {Word.THERE})
        if scene == {Word.AWAY}:
            if self._scene.never_seen > NEVER_SEEN:
                return Answer.CANNOT_TELL, (Reason.HIDDEN,)
            return Answer.GONE, (Reason.LOOKS_AS_WITHOUT, *([Reason.NOT_SEEN] if unseen else []))
        why = [reason for reason, _ in self._why_unsure.most_common(1)]
        return Answer.CANNOT_TELL, tuple(why or [Reason.CHANGED_MEANWHILE])

    def _confidence(self, answer: Answer, reasons: Sequence[Reason]) -> float:
        if answer is Answer.GONE:
            return self._agreement(Word.AWAY)
        if Reason.LOOKS_AS_WITH in reasons:
            return self._agreement(Word.THERE)
        return float(np.mean(self._scores)) if answer is Answer.PRESENT else 0.0

    def _hindrances(self) -> tuple[tuple[Reason, ...], tuple[str, ...]]:
        """What forbids any answer."""
        if self._flaws:
            flaws = [f"{state}: {count}" for state, count in sorted(self._flaws.items())]
            return (Reason.CAMERA,), tuple(flaws)
        if self._looks < CLEAR_LEAST:
            return (Reason.TOO_FEW_LOOKS,), (f"{self._looks} of at least {CLEAR_LEAST}",)
        if len(self._pictures) < CLEAR_LEAST:
            return (Reason.NOT_FRESH,), (f"{len(self._pictures)} different pictures",)
        clear = len(self._words)
        if clear < max(CLEAR_LEAST, CLEAR_SHARE * self._looks):
            return (Reason.HIDDEN,), (f"{self._hidden} of {self._looks} looks",)
        return (), ()

    def sees(self, seen: Sequence[Detection]) -> bool:
        """Whether the detector is sure of something of the class at the place."""
        return self._detector_says(self._score(seen)) is Word.THERE

    def _score(self, seen: Sequence[Detection]) -> float:
        """How surely the detector sees something of the class at the place; 0 = not at all."""
        found = [box for box in seen if box.label == self._place.label]
        if not found:
            return 0.0
        place, boxes = corners([self._place.box]), corners(found)
        is_here = (ious(place, boxes)[0] >= SEEN_IOU) | (nestings(place, boxes)[0] >= SEEN_NESTED)
        return max((box.score for box, here in zip(found, is_here, strict=True) if here), default=0)

    def _detector_says(self, score: float) -> Word:
        if score >= self._threshold:
            return Word.THERE
        return Word.AWAY if score == 0 else Word.UNSURE

    def _together(self, words: Sequence[Word]) -> set[Word]:
        """What the clear looks agree on; both words where some say one and some the other."""
        counts = Counter(words)
        if counts[Word.THERE] and counts[Word.AWAY]:
            return {Word.THERE, Word.AWAY}
        for word in (Word.THERE, Word.AWAY):
            if counts[word] >= AGREEING * len(words):
                return {word}
        return {Word.UNSURE, *(word for word in (Word.THERE, Word.AWAY) if counts[word])}

    def _agreement(self, word: Word) -> float:
        """How clearly, and in how many of all looks, the scene said so."""
        clearness = [c for (_, said), c in zip(self._words, self._scene.clearness, strict=True)
                     if said is word]  # fmt: skip
        share = len(clearness) / max(self._looks, 1)
        return float(np.mean(clearness)) * share

    def _finding(
        self,
        answer: Answer,
        confidence: float,
        reasons: Sequence[Reason],
        details: Sequence[str] = (),
    ) -> Finding:
        return Finding(
            answer,
            round(min(max(confidence, 0.0), 1.0), 2),
            tuple(reasons),
            tuple(details),
            looks=self._looks,
            clear=len(self._words),
            hidden=self._hidden,
        )


class Scene:
    """Compares fresh pictures of a place with the one with the thing and the one without it."""

    def __init__(self, place: Place) -> None:
        """Find the cells in which the two pictures differ."""
        self.clearness: list[float] = []
        self._box = place.box
        self._with, self._without = place.with_it, place.without_it
        self._telling: NDArray[np.bool_] | None = None
        self._seen: NDArray[np.bool_] | None = None
        if self._with is not None and self._without is not None:
            alike, _ = _likeness(self._without, self._with)
            if alike is not None:
                telling = alike < 0.5
                enough = max(TELLING_LEAST, TELLING_SHARE * telling.size)
                self._telling = telling if telling.sum() >= enough else None
                self._seen = np.zeros_like(telling)

    @property
    def never_seen(self) -> float:
        """The share of the telling cells that was hidden in every look so far."""
        if self._telling is None or self._seen is None:
            return 1.0
        return 1.0 - float(self._seen[self._telling].mean())

    def compare(self, picture: Image, passers: Sequence[Detection]) -> tuple[Word, Reason | None]:
        """Whether the place looks as with the thing or as without it; why that is unsure.

        What lies under `passers` is not asked.
        """
        word, why, clearness = self._compare(Surroundings.of(picture, self._box), passers)
        self.clearness.append(clearness)
        return word, why

    def _compare(
        self, now: Surroundings, passers: Sequence[Detection]
    ) -> tuple[Word, Reason | None, float]:
        if self._with is None or self._without is None:
            return Word.UNSURE, Reason.NO_PICTURES, 0.0
        if self._telling is None or self._seen is None:
            return Word.UNSURE, Reason.NOTHING_TO_COMPARE, 0.0
        as_with, why_not = _likeness(self._with, now)
        as_without, why = _likeness(self._without, now)
        if as_with is None or as_without is None:
            return Word.UNSURE, why_not or why, 0.0
        free = ~_covered(self._box, passers, as_with.shape)
        asked = self._telling & free
        if asked.sum() < (1 - HIDDEN_SHARE) * self._telling.sum():
            return Word.UNSURE, Reason.HIDDEN, 0.0
        self._seen |= asked
        is_clear = _largest((as_without < 0.5) & free) <= max(1, LEFT_OVER * free.size)
        return _word(float(as_with[asked].mean()), float(as_without[asked].mean()), is_clear)


def _largest(cells: NDArray[np.bool_]) -> int:
    """The cells of the largest group that hangs together."""
    count, _, stats, _ = cv2.connectedComponentsWithStats(cells.astype(np.uint8), connectivity=8)
    return int(stats[1:count, cv2.CC_STAT_AREA].max()) if count > 1 else 0


def _word(there: float, away: float, is_clear: bool) -> tuple[Word, Reason | None, float]:  # noqa: FBT001
    if there >= LIKE and away <= UNLIKE:
        return Word.THERE, None, there
    if away >= LIKE and there <= UNLIKE and is_clear:
        return Word.AWAY, None, away
    return Word.UNSURE, Reason.LOOKS_LIKE_NEITHER, 0.0


def frame_of(box: Detection) -> Detection:
    """The rectangle of a place with what lies around it."""
    across, down = max(AROUND * box.w, AROUND_LEAST), max(AROUND * box.h, AROUND_LEAST)
    left, top = max(box.x - across, 0.0), max(box.y - down, 0.0)
    right, bottom = min(box.x + box.w + across, 1.0), min(box.y + box.h + down, 1.0)
    return Detection(box.label, box.score, left, top, right - left, bottom - top)


def _cut(picture: Image, frame: Detection) -> Image:
    height, width = picture.shape[:2]
    left, top = int(frame.x * width), int(frame.y * height)
    right = max(left + 2, round((frame.x + frame.w) * width))
    bottom = max(top + 2, round((frame.y + frame.h) * height))
    return np.ascontiguousarray(picture[top:bottom, left:right])


def _likeness(before: Surroundings, now: Surroundings) -> tuple[Shares | None, Reason | None]:
    """Cell by cell of the place: 1 = looks the same, 0 = does not; or why that cannot be said."""
    size = _size(before)
    old, new = (_resized(each.image, size) for each in (before, now))
    around = _around(before, size)
    new, is_aligned = _aligned(old, new)
    if not is_aligned:
        return None, Reason.OTHER_VIEW
    new, gain = _matched(old, new, around)
    if gain < FAINT_LIGHT:
        return None, Reason.TOO_LITTLE_LIGHT
    same = _same(old, new)
    if float(same[around].mean()) < SAME_VIEW:
        return None, Reason.OTHER_VIEW
    return _cells(same, before, size), None


def _resized(image: Image, size: tuple[int, int]) -> Image:
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def _covered(
    box: Detection, passers: Sequence[Detection], shape: tuple[int, ...]
) -> NDArray[np.bool_]:
    """The cells of a place that lie under somebody, wholly or in part."""
    covered = np.zeros(shape, bool)
    down, across = shape[:2]
    for each in passers:
        left, right = ((x - box.x) / box.w * across for x in (each.x, each.x + each.w))
        top, bottom = ((y - box.y) / box.h * down for y in (each.y, each.y + each.h))
        if right > 0 and bottom > 0 and left < across and top < down:
            covered[max(int(top), 0) : int(np.ceil(bottom)),
                    max(int(left), 0) : int(np.ceil(right))] = True  # fmt: skip
    return covered


def _size(place: Surroundings) -> tuple[int, int]:
    height, width = place.image.shape[:2]
    scale = CROP_PX / max(height, width)
    return max(round(width * scale), 16), max(round(height * scale), 16)


def _within(place: Surroundings, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """The place in the crop, pixels: left, top, right, bottom."""
    box, frame = place.box, place.frame
    left = round((box.x - frame.x) / frame.w * size[0])
    top = round((box.y - frame.y) / frame.h * size[1])
    right = round((box.x + box.w - frame.x) / frame.w * size[0])
    bottom = round((box.y + box.h - frame.y) / frame.h * size[1])
    return left, top, max(right, left + 2), max(bottom, top + 2)


def _around(place: Surroundings, size: tuple[int, int]) -> NDArray[np.bool_]:
    left, top, right, bottom = _within(place, size)
    around = np.ones((size[1], size[0]), bool)
    around[top:bottom, left:right] = False
    return around


def _aligned(old: Image, new: Image) -> tuple[Image, bool]:
    """The new crop moved onto the old one, where it is shifted by a little."""
    a, b = (np.asarray(_edges(each), np.float32) for each in (old, new))
    window = cv2.createHanningWindow(a.shape[::-1], cv2.CV_32F)
    (dx, dy), response = cv2.phaseCorrelate(a, b, window)
    if response < 0.05 or max(abs(dx), abs(dy)) < 0.5:
        return new, True
    if max(abs(dx) / a.shape[1], abs(dy) / a.shape[0]) > FARTHEST_SHIFT:
        return new, False
    back = np.array([[1, 0, -dx], [0, 1, -dy]], np.float32)
    moved = cv2.warpAffine(new, back, a.shape[::-1], borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, np.uint8), True


def _edges(image: Image) -> Shares:
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY).astype(np.float32)
    dx, dy = cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)
    return np.asarray(np.hypot(dx, dy))


def _matched(old: Image, new: Image, around: NDArray[np.bool_]) -> tuple[Image, float]:
    """The new crop with light and contrast of its surroundings as on the old one; the gain."""
    a, b = old.astype(np.float32), new.astype(np.float32)
    gains = []
    for channel in range(3):
        was, is_now = a[..., channel][around], b[..., channel][around]
        gain = float(was.std() + 1) / float(is_now.std() + 1)
        b[..., channel] = (b[..., channel] - is_now.mean()) * gain + was.mean()
        gains.append(1 / gain)
    return np.clip(b, 0, 255).astype(np.uint8), float(np.mean(gains))


def _same(old: Image, new: Image) -> NDArray[np.bool_]:
    """Pixel by pixel, each judged with its neighbours: the same structure, colour and light."""
    a, b = (np.asarray(cv2.GaussianBlur(each, (0, 0), 1.2), np.uint8) for each in (old, new))
    structure = _structure(a, b)
    lab_a, lab_b = (
        cv2.blur(cv2.cvtColor(each, cv2.COLOR_BGR2LAB).astype(np.float32), (7, 7))
        for each in (a, b)
    )
    apart = np.abs(lab_a - lab_b)
    colour = np.hypot(apart[..., 1], apart[..., 2])
    return np.asarray(
        (structure >= SAME_STRUCTURE) & (colour <= SAME_COLOUR) & (apart[..., 0] <= SAME_LIGHT)
    )


def _structure(old: Image, new: Image) -> Shares:
    """1 where gradients are equal, or flat in both; about 0 where they have nothing in common."""
    gradients = []
    for each in (old, new):
        grey = cv2.cvtColor(each, cv2.COLOR_BGR2GRAY).astype(np.float32)
        gradients.append([cv2.Sobel(grey, cv2.CV_32F, *axis, ksize=3) for axis in ((1, 0), (0, 1))])
    (ax, ay), (bx, by) = gradients

    def pooled(values: Any) -> Shares:
        return np.asarray(cv2.blur(values, (11, 11)), float)

    both, alone = pooled(ax * bx + ay * by), pooled(ax**2 + ay**2 + bx**2 + by**2)
    floor = 2 * GRADIENT_NOISE**2 / 4
    return (2 * both + floor) / (alone + floor)


def _cells(same: NDArray[np.bool_], place: Surroundings, size: tuple[int, int]) -> Shares:
    """The place's pixels gathered into cells: the share that looks the same in each."""
    left, top, right, bottom = _within(place, size)
    inner = same[top:bottom, left:right].astype(np.float32)
    longer = max(inner.shape)
    across = max(round(CELLS * inner.shape[1] / longer), 1)
    down = max(round(CELLS * inner.shape[0] / longer), 1)
    return np.asarray(cv2.resize(inner, (across, down), interpolation=cv2.INTER_AREA), float)
