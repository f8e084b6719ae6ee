"""From a network's raw candidates to detections: thresholds, then one box a thing."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.detect.detection import Detection

OVERLAP = 0.6
"""Two boxes of one label that overlap more (IoU) are one thing."""

MOST = 300
"""No picture holds more things than this; the best scores stay."""


def choose(
    corners: NDArray[np.float32],
    scores: NDArray[np.float32],
    labels: Sequence[str],
    thresholds: NDArray[np.float32],
) -> list[Detection]:
    """Keep the candidates that count, best first.

    `corners`: N × 4 left, top, right, bottom, fractions of the picture. `scores`: N × labels.
    `thresholds`: one a label.
    """
    # Nearly all candidates are nothing: the rest is done for those that may count.
    rows = np.flatnonzero(scores.max(axis=1) >= thresholds.min())
    corners, scores = corners[rows], scores[rows]
    best = scores.argmax(axis=1)
    score = scores[np.arange(len(best)), best]
    counts = (score >= thresholds[best]) & (corners[:, 2:] > corners[:, :2]).all(axis=1)
    corners, best, score = corners[counts], best[counts], score[counts]
    if not len(score):
        return []
    boxes = np.concatenate([corners[:, :2], corners[:, 2:] - corners[:, :2]], axis=1)
    chosen = cv2.dnn.NMSBoxesBatched(
        boxes.astype(float).tolist(), score.astype(float).tolist(), best.tolist(), 0.0, OVERLAP
    )
    kept = np.asarray(chosen, int).reshape(-1)
    kept = kept[np.argsort(-score[kept], kind="stable")][:MOST]
    return [
        Detection(labels[best[i]], float(score[i]), *(float(value) for value in boxes[i]))
        for i in kept
    ]


def split_yolo(output: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """1 × (4 + labels) × N → boxes N × 4 (centre x, y, width, height), scores N × labels."""
    table = output[0].T
    return table[:, :4], table[:, 4:]
