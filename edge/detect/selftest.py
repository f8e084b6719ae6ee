"""Does a model answer here as it answered where it was made? Pictures packed with it, and answers.

Run whenever a model is opened to look with: another machine, another runtime or a damaged file
shows here and not on the street. `selftest.json` lies beside the manifest.
"""

import hashlib
import logging
import statistics
import time
from collections.abc import Sequence
from pathlib import Path

import cv2
import msgspec
import numpy as np

from edge.camera.frame import Image
from edge.detect.detection import Detection
from edge.detect.detectors import Detector, open_detector
from edge.detect.errors import BadModel, unreadable
from edge.detect.manifest import find_manifest
from edge.detect.overlap import corners, ious
from wire.coded import coded, words_of

log = logging.getLogger(__name__)

SELF_TEST = "selftest.json"
LEAST_IOU = 0.8
SCORE_GAP = 0.08


class SelfTestFailed(BadModel):
    """The model does not answer as it should; says on which picture and how."""


class Answer(msgspec.Struct, frozen=True):
    """A thing the model must see; fractions of the picture."""

    label: str
    score: float
    x: float
    y: float
    w: float
    h: float


class TestPicture(msgspec.Struct, frozen=True):
    """A picture beside the manifest and what the model said of it, from its thresholds up."""

    file: str
    sha256: str
    answers: list[Answer]


class SelfTest(msgspec.Struct, frozen=True):
    """`score_gap`: how far a score may be off; `longest_ms`: of the middle look, here.

    `least_iou`: how far boxes must agree; other numbers than float's move an edge by a little.
    """

    pictures: list[TestPicture]
    score_gap: float = SCORE_GAP
    longest_ms: float = 3000.0
    least_iou: float = LEAST_IOU


def open_proven(name_or_path: str | Path) -> Detector:
    """Open a model and ask it what was packed with it; one that brings no self-test is believed.

    Raises BadModel.
    """
    detector = open_detector(name_or_path)
    folder = find_manifest(name_or_path).parent
    if (folder / SELF_TEST).is_file():
        try:
            self_test(detector, folder)
        except SelfTestFailed as fault:
            raise SelfTestFailed(
                coded("of_model", "model {model}: {why}", model=detector.name, why=words_of(fault))
            ) from None
    else:
        log.warning("model %s brings no self-test: nobody can tell whether it answers as it should",
                    detector.name)  # fmt: skip
    return detector


def self_test(detector: Detector, folder: Path) -> float:
    """Ask the model what it was asked where it was made; the middle look's ms.

    Raises SelfTestFailed.
    """
    test = read_self_test(folder)
    spent = []
    for one in test.pictures:
        image = _picture(folder, one)
        began = time.perf_counter()
        try:
            found = detector.detect(image)
        except Exception as fault:
            raise SelfTestFailed(
                coded(
                    "model_fails", "{file}: the model fails on it: {why}", file=one.file, why=fault
                )
            ) from fault
        spent.append((time.perf_counter() - began) * 1000)
        _compare(detector, one, found, test)
    middle = statistics.median(spent)
    if middle > test.longest_ms:
        raise SelfTestFailed(
            coded(
                "slow_look",
                "a look takes {ms} ms here; allowed are {most}",
                ms=f"{middle:.0f}",
                most=f"{test.longest_ms:.0f}",
            )
        )
    return middle


def read_self_test(folder: Path) -> SelfTest:
    """The test packed with a model.

    Raises SelfTestFailed when it is missing or cannot be read.
    """
    path = folder / SELF_TEST
    try:
        test = msgspec.json.decode(path.read_bytes(), type=SelfTest)
    except OSError as fault:
        raise SelfTestFailed(unreadable(path, fault)) from None
    except msgspec.MsgspecError as fault:
        raise SelfTestFailed(f"{path}: {fault}") from None
    if not any(one.answers for one in test.pictures):
        raise SelfTestFailed(
            coded(
                "empty_test",
                "{file}: names no picture with something in it; it would prove nothing",
                file=path,
            )
        )
    return test


def make_self_test(
    detector: Detector,
    pictures: Sequence[tuple[str, bytes]],
    folder: Path,
    score_gap: float = SCORE_GAP,
    least_iou: float = LEAST_IOU,
) -> SelfTest:
    """Write pictures and the model's answers beside its manifest."""
    made = []
    for name, data in pictures:
        (folder / name).write_bytes(data)
        answers = [
            Answer(d.label, *(round(v, 4) for v in (d.score, d.x, d.y, d.w, d.h)))
            for d in detector.detect(_decoded(data))
        ]
        made.append(TestPicture(name, hashlib.sha256(data).hexdigest(), answers))
    test = SelfTest(made, score_gap, least_iou=least_iou)
    (folder / SELF_TEST).write_bytes(msgspec.json.format(msgspec.json.encode(test), indent=1))
    return test


def _picture(folder: Path, one: TestPicture) -> Image:
    path = folder / one.file
    try:
        data = path.read_bytes()
    except OSError as fault:
        raise SelfTestFailed(unreadable(path, fault)) from None
    if (found := hashlib.sha256(data).hexdigest()) != one.sha256:
        raise SelfTestFailed(
            coded(
                "other_picture",
                "{file}: SHA-256 is {found}, the self-test says {wanted}",
                file=path,
                found=found,
                wanted=one.sha256,
            )
        )
    return _decoded(data)


def _decoded(data: bytes) -> Image:
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        raise SelfTestFailed(
            coded("broken_picture", "a picture of the self-test cannot be decoded")
        )
    return np.asarray(image, np.uint8)


def _compare(
    detector: Detector, one: TestPicture, found: Sequence[Detection], test: SelfTest
) -> None:
    """Every sure answer must be there, and nothing sure besides."""
    gap = test.score_gap
    expected = [Detection(a.label, a.score, a.x, a.y, a.w, a.h) for a in one.answers]
    missed, besides = coded("does_not_see", "does not see"), coded("also_sees", "also sees")
    for wanted, given, what in ((expected, found, missed), (found, expected, besides)):
        for box in wanted:
            if box.score < detector.threshold(box.label) + gap:
                continue
            same = [b for b in given if b.label == box.label and abs(b.score - box.score) <= gap]
            if not same or ious(corners([box]), corners(same)).max() < test.least_iou:
                raise SelfTestFailed(
                    coded(
                        "answers_differ",
                        "{file}: {what} {label} at {x},{y} (score {score}, allowed gap {gap})",
                        file=one.file,
                        what=what,
                        label=box.label,
                        x=f"{box.x:.2f}",
                        y=f"{box.y:.2f}",
                        score=f"{box.score:.2f}",
                        gap=gap,
                    )
                )
