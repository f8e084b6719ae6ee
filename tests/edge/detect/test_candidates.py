import numpy as np
import pytest

from edge.detect.candidates import MOST, choose, split_yolo

LABELS = ("garbage", "person")


def _choose(rows, thresholds=(0.5, 0.3)):
    corners = np.array([row[:4] for row in rows], np.float32).reshape(-1, 4)
    scores = np.array([row[4:] for row in rows], np.float32).reshape(-1, 2)
    return choose(corners, scores, LABELS, np.array(thresholds, np.float32))


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([], []),
        ([(0.1, 0.1, 0.3, 0.3, 0.6, 0.0)], [("garbage", 0.6)]),
        ([(0.1, 0.1, 0.3, 0.3, 0.4, 0.0)], []),
        ([(0.1, 0.1, 0.3, 0.3, 0.0, 0.4)], [("person", 0.4)]),
        (
            [(0.1, 0.1, 0.3, 0.3, 0.0, 0.4), (0.11, 0.1, 0.31, 0.3, 0.0, 0.9)],
            [("person", 0.9)],
        ),
        (
            [(0.1, 0.1, 0.3, 0.3, 0.7, 0.0), (0.1, 0.1, 0.3, 0.3, 0.0, 0.9)],
            [("person", 0.9), ("garbage", 0.7)],
        ),
        (
            [(0.1, 0.1, 0.3, 0.3, 0.0, 0.4), (0.5, 0.1, 0.7, 0.3, 0.0, 0.9)],
            [("person", 0.9), ("person", 0.4)],
        ),
        ([(0.3, 0.1, 0.3, 0.3, 0.0, 0.9)], []),
    ],
)
def test_one_box_a_thing_above_its_labels_threshold_best_first(rows, expected):
    found = _choose(rows)
    assert [(d.label, d.score) for d in found] == [(n, pytest.approx(s)) for n, s in expected]


def test_a_picture_never_holds_more_than_the_most():
    rows = [
        (x / 80, y / 50, x / 80 + 0.005, y / 50 + 0.01, 0, 0.9)
        for x in range(40)
        for y in range(25)
    ]
    assert len(_choose(rows)) == MOST


def test_the_network_output_is_boxes_then_scores():
    output = np.arange(6 * 5, dtype=np.float32).reshape(1, 6, 5)
    boxes, scores = split_yolo(output)
    assert boxes.shape == (5, 4)
    assert scores[0].tolist() == [20, 25]
