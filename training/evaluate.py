"""How well a detector does on labelled pictures: plain arithmetic on boxes, no framework.

The rules are those of PASCAL VOC and COCO: within one picture and class, detections in falling
score each take the free ground-truth box they overlap most; an overlap of at least ``iou`` is a
hit, anything else a false alarm. Average precision is the area under the interpolated
precision-recall curve (all points). Beside the boxes, a city wants to know per picture: was the
matter noticed at all where it is, and was it claimed where it is not.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from edge.camera.frame import Image
from edge.detect.detection import Detection
from training.dataset import Dataset, Picture, read_picture

Floats: TypeAlias = npt.NDArray[np.float64]
Detector: TypeAlias = Callable[[Image], Sequence[Detection]]
"""A BGR picture in, what is in it out."""

LEAST = 0.01
"""Average precision counts sightings from this score on; what is weaker is never looked at."""


@dataclass(frozen=True)
class Looked:
    """One picture and one class: the truth, what was claimed, and which claims were right.

    ``truth`` (n, 4), ``found`` (m, 4): left, top, right, bottom, fractions. ``scores`` (m,) falls.
    """

    truth: Floats
    found: Floats
    scores: Floats


@dataclass(frozen=True)
class Count:
    """``hits`` of ``of``, with the 95 % Wilson interval."""

    hits: int
    of: int

    @property
    def share(self) -> float | None:
        """The fraction; None of nothing."""
        return self.hits / self.of if self.of else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Lowest and highest share the count speaks for; None of nothing."""
        if not self.of:
            return None
        z = 1.959964
        p, n = self.hits / self.of, self.of
        middle = (p + z * z / (2 * n)) / (1 + z * z / n)
        half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        return max(0.0, middle - half), min(1.0, middle + half)


@dataclass(frozen=True)
class Score:
    """One class over one split; ``ap`` counts all scores, all else those from the threshold on."""

    label: str
    images: int
    instances: int
    threshold: float
    precision: Count
    recall: Count
    ap: float | None
    present: Count
    """Pictures that show the class and on which it was claimed at least once."""
    false_alarm: Count
    """Pictures that do not show the class and on which it was claimed all the same."""


def look(
    pictures: Iterable[Picture], detect: Detector, labels: Sequence[str]
) -> Iterator[list[Looked]]:
    """Run the detector over the pictures; one entry per label and picture."""
    for picture in pictures:
        found = detect(read_picture(picture.path))
        yield [looked(picture, found, index, label) for index, label in enumerate(labels)]


def looked(picture: Picture, found: Sequence[Detection], index: int, label: str) -> Looked:
    """The part of one picture's truth and sightings that belongs to one class."""
    rows = picture.boxes[picture.boxes[:, 0] == index].astype(np.float64)
    truth = np.concatenate(
        [rows[:, 1:3] - rows[:, 3:5] / 2, rows[:, 1:3] + rows[:, 3:5] / 2], axis=1
    )
    mine = sorted((one for one in found if one.label == label), key=lambda one: -one.score)
    boxes = [(one.x, one.y, one.x + one.w, one.y + one.h) for one in mine]
    return Looked(
        truth=truth,
        found=np.array(boxes, np.float64).reshape(-1, 4),
        scores=np.array([one.score for one in mine], np.float64),
    )


def score(label: str, rows: Sequence[Looked], iou: float, threshold: float) -> Score:
    """Count one class over all pictures."""
    instances = sum(len(row.truth) for row in rows)
    hits = [matched(row, iou) for row in rows]
    scores = np.concatenate([row.scores for row in rows] or [np.zeros(0)])
    right = np.concatenate([*hits, np.zeros(0, bool)])
    kept = int(np.sum(scores >= threshold))
    good = int(np.sum(right & (scores >= threshold)))
    claimed = [bool(np.any(row.scores >= threshold)) for row in rows]
    shown = [len(row.truth) > 0 for row in rows]
    return Score(
        label=label,
        images=sum(shown),
        instances=instances,
        threshold=threshold,
        precision=Count(good, kept),
        recall=Count(good, instances),
        ap=average_precision(right, scores, instances),
        present=Count(sum(c and s for c, s in zip(claimed, shown, strict=True)), sum(shown)),
        false_alarm=Count(
            sum(c and not s for c, s in zip(claimed, shown, strict=True)), len(rows) - sum(shown)
        ),
    )


def matched(row: Looked, iou: float) -> npt.NDArray[np.bool_]:
    """Which sightings (in falling score) hit a ground-truth box that was still free."""
    right = np.zeros(len(row.found), bool)
    overlaps = overlap(row.found, row.truth)
    for i in range(len(row.found)):
        if not overlaps.shape[1]:
            break
        best = int(np.argmax(overlaps[i]))
        if overlaps[i, best] >= iou:
            right[i] = True
            overlaps[:, best] = -1.0
    return right


def overlap(a: Floats, b: Floats) -> Floats:
    """Intersection over union of every box of ``a`` (n, 4) with every box of ``b`` (m, 4)."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    both = np.prod(np.clip(high - low, 0, None), axis=2)
    area_a, area_b = (np.prod(boxes[:, 2:] - boxes[:, :2], axis=1) for boxes in (a, b))
    either = area_a[:, None] + area_b[None, :] - both
    return np.asarray(np.divide(both, either, out=np.zeros_like(both), where=either > 0))


def average_precision(right: npt.NDArray[np.bool_], scores: Floats, instances: int) -> float | None:
    """Area under precision over recall, precision made monotonous; None without a true box."""
    if not instances:
        return None
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(right[order])
    precision = hits / np.arange(1, len(hits) + 1)
    recall = np.concatenate([[0.0], hits / instances])
    highest_from_here = np.maximum.accumulate(precision[::-1])[::-1]
    return float(np.sum(np.diff(recall) * highest_from_here))


def evaluate(
    dataset: Dataset,
    detect: Detector,
    *,
    iou: float,
    thresholds: Callable[[str], float],
    labels: Sequence[str] | None = None,
) -> list[Score]:
    """Score the detector on every class of the data set, or on those of ``labels`` it has."""
    rows = list(look(dataset.pictures, detect, dataset.labels))
    return [
        score(label, [row[index] for row in rows], iou, thresholds(label))
        for index, label in enumerate(dataset.labels)
        if labels is None or label in labels
    ]


def row(one: Score) -> dict[str, Any]:
    """A class as the command line prints it; shares are None where nothing could be counted."""
    return {
        "label": one.label,
        "images": one.images,
        "instances": one.instances,
        "precision": _rounded(one.precision.share),
        "recall": _rounded(one.recall.share),
        "ap": _rounded(one.ap),
        "present_recall": _rounded(one.present.share),
        "present_false_alarm": _rounded(one.false_alarm.share),
        "threshold": one.threshold,
        "hits": one.recall.hits,
        "claims": one.precision.of,
        "present": [one.present.hits, one.present.of],
        "false_alarm": [one.false_alarm.hits, one.false_alarm.of],
    }


def _rounded(share: float | None) -> float | None:
    return None if share is None else round(share, 4)
