"""A candidate beside its base: what it still knows, and what it adds to the vending relation."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edge.detect.detection import Detection
from edge.detect.relations import stalls
from edge.detect.tracking import Track
from training.dataset import Dataset, read_picture
from training.evaluate import Count, Detector, Looked, matched

STALL = "street_vending"

SURE = 0.25
"""Score from which a thing counts as seen when two nets are compared."""


@dataclass(frozen=True)
class Agreement:
    """One label: how far two nets see the same things, boxes at IoU 0.5."""

    label: str
    kept: Count
    """Of the base's things, those the candidate sees too."""
    shared: Count
    """Of the candidate's things, those the base sees too."""


def agreement(
    base: Detector, candidate: Detector, dataset: Dataset, labels: Sequence[str]
) -> list[Agreement]:
    """Compare two nets on every picture, the base standing in for the truth.

    The base's things count from ``SURE`` on. The candidate may be a third less sure of one to keep
    it, so that a thing at the edge of the threshold is not called lost.
    """
    pairs = [
        (base(image), candidate(image))
        for image in (read_picture(one.path) for one in dataset.pictures)
    ]
    return [
        Agreement(
            label,
            kept=_found([(_of(b, label, SURE), _of(c, label, SURE * 2 / 3)) for b, c in pairs]),
            shared=_found([(_of(c, label, SURE), _of(b, label, SURE * 2 / 3)) for b, c in pairs]),
        )
        for label in labels
    ]


def _of(found: Sequence[Detection], label: str, least: float) -> list[Detection]:
    return [one for one in found if one.label == label and one.score >= least]


def _found(pairs: Sequence[tuple[list[Detection], list[Detection]]]) -> Count:
    """How many of the first lists' things have a counterpart in the second."""
    hits = sum(int(matched(_looked(first, second), 0.5).sum()) for first, second in pairs)
    return Count(hits, sum(len(first) for first, _ in pairs))


def _looked(truth: Sequence[Detection], found: Sequence[Detection]) -> Looked:
    found = sorted(found, key=lambda one: -one.score)
    corners = [
        np.array([(o.x, o.y, o.x + o.w, o.y + o.h) for o in some], np.float64).reshape(-1, 4)
        for some in (truth, found)
    ]
    scores = np.array([one.score for one in found], np.float64)
    return Looked(truth=corners[0], found=corners[1], scores=scores)


@dataclass(frozen=True)
class Presence:
    """Pictures on which street vending was noticed, by one way of looking."""

    shown: Count
    """Of the pictures that show vending."""
    elsewhere: Count
    """Of the pictures that show none: false alarms."""


def vending_presence(detect: Detector, dataset: Dataset, threshold: float) -> dict[str, Presence]:
    """Vending per picture by the class alone, by the relation alone, and by either of them.

    One picture has no time in it: nobody can be seen to stay, so the relation's false alarms are
    those before dwell. ``detect`` must answer down to the relation's least scores.
    """
    shown, by_class, by_relation = [], [], []
    index = dataset.labels.index(STALL)
    for one in dataset.pictures:
        image = read_picture(one.path)
        found = detect(image)
        shown.append(bool(np.any(one.boxes[:, 0] == index)))
        by_class.append(any(d.label == STALL and d.score >= threshold for d in found))
        aspect = image.shape[1] / image.shape[0]
        by_relation.append(bool(stalls([_still(d) for d in found], (), aspect)))
    either = [a or b for a, b in zip(by_class, by_relation, strict=True)]
    return {
        name: _presence(shown, claims)
        for name, claims in (("class", by_class), ("relation", by_relation), ("either", either))
    }


def _still(box: Detection) -> Track:
    return Track(id=0, box=box, seen_t_s=0.0, stays_since_t_s=0.0, anchor=box.foot)


def _presence(shown: Sequence[bool], claimed: Sequence[bool]) -> Presence:
    pairs = list(zip(shown, claimed, strict=True))
    return Presence(
        shown=Count(sum(s and c for s, c in pairs), sum(shown)),
        elsewhere=Count(sum(c and not s for s, c in pairs), len(pairs) - sum(shown)),
    )
