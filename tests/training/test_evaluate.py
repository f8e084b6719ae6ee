"""The arithmetic of evaluation, by rows worked out by hand."""

import cv2
import numpy as np
import pytest

from edge.detect.detection import Detection
from training.dataset import Dataset, Picture
from training.evaluate import (
    Count,
    Looked,
    average_precision,
    evaluate,
    looked,
    matched,
    overlap,
    row,
    score,
)

LEFT = (0.0, 0.0, 0.2, 0.2)
RIGHT = (0.6, 0.6, 0.8, 0.8)
NOWHERE = (0.4, 0.0, 0.5, 0.1)


def seen(truth, found):
    """A picture with true boxes and (score, box) claims, both by corners."""
    found = sorted(found, key=lambda one: -one[0])
    return Looked(
        truth=np.array(truth, np.float64).reshape(-1, 4),
        found=np.array([box for _, box in found], np.float64).reshape(-1, 4),
        scores=np.array([one for one, _ in found], np.float64),
    )


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (LEFT, LEFT, 1.0),
        (LEFT, RIGHT, 0.0),
        ((0, 0, 0.2, 0.2), (0.1, 0, 0.3, 0.2), 1 / 3),
        ((0, 0, 0.4, 0.4), (0.1, 0.1, 0.3, 0.3), 0.25),
        ((0, 0, 0, 0), (0, 0, 0, 0), 0.0),
    ],
)
def test_overlap_is_shared_over_joint_area(a, b, expected):
    assert overlap(np.array([a], float), np.array([b], float))[0, 0] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("right", "scores", "instances", "expected"),
    [
        ([1, 1], [0.9, 0.8], 2, 1.0),
        ([1], [0.9], 2, 0.5),
        ([0, 1], [0.9, 0.8], 1, 0.5),
        # precision 1, 1/2, 2/3 at recall 1/2, 1/2, 1: area 0.5 * 1 + 0.5 * 2/3
        ([1, 0, 1], [0.9, 0.8, 0.7], 2, 0.5 + 1 / 3),
        # the dip at the second place is lifted by the third: 1/4 * 1 + 1/4 * 2/3 + 1/4 * 3/5
        ([1, 0, 1, 0, 1], [0.9, 0.8, 0.7, 0.6, 0.5], 4, 0.25 * (1 + 2 / 3 + 3 / 5)),
        # unsorted scores say the same
        ([1, 1, 0], [0.7, 0.9, 0.8], 2, 0.5 + 1 / 3),
        ([0, 0], [0.9, 0.8], 3, 0.0),
        ([], [], 3, 0.0),
        ([0], [0.9], 0, None),
    ],
)
def test_average_precision(right, scores, instances, expected):
    found = average_precision(np.array(right, bool), np.array(scores, float), instances)
    assert found == (None if expected is None else pytest.approx(expected))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (seen([LEFT, RIGHT], [(0.9, LEFT), (0.8, RIGHT)]), [True, True]),
        # a second claim of the same thing is a false alarm
        (seen([LEFT], [(0.9, LEFT), (0.8, LEFT)]), [True, False]),
        # the surer claim is first in line, whatever overlaps better
        (seen([LEFT], [(0.9, (0, 0, 0.2, 0.19)), (0.8, LEFT)]), [True, False]),
        (seen([LEFT], [(0.9, NOWHERE)]), [False]),
        (seen([], [(0.9, LEFT)]), [False]),
        (seen([LEFT], []), []),
    ],
)
def test_each_true_box_is_hit_once(given, expected):
    assert list(matched(given, 0.5)) == expected


def test_overlap_limit_counts_as_hit():
    half = seen([(0, 0, 0.2, 0.2)], [(0.9, (0, 0, 0.2, 0.1))])
    assert list(matched(half, 0.5)) == [True]
    assert list(matched(half, 0.51)) == [False]


def test_score_counts_boxes_and_pictures_at_the_threshold():
    rows = [
        seen([LEFT, RIGHT], [(0.9, LEFT), (0.6, NOWHERE)]),  # one of two found, one false box
        seen([LEFT], [(0.3, LEFT)]),  # found, but too unsure
        seen([], [(0.7, LEFT)]),  # false alarm on an empty street
        seen([], [(0.2, LEFT)]),  # not an alarm at this threshold
        seen([], []),
    ]
    one = score("garbage", rows, iou=0.5, threshold=0.5)
    assert (one.images, one.instances) == (2, 3)
    assert one.precision == Count(1, 3)
    assert one.recall == Count(1, 3)
    assert one.present == Count(1, 2)
    assert one.false_alarm == Count(1, 3)
    # over all scores: hit .9, miss .7, miss .6, hit .3, miss .2 of three things
    assert one.ap == pytest.approx((1 + 1 / 2) / 3)


def test_present_counts_pictures_even_where_the_box_lies_elsewhere():
    one = score("garbage", [seen([LEFT], [(0.9, NOWHERE)])], iou=0.5, threshold=0.5)
    assert one.present == Count(1, 1)
    assert one.recall == Count(0, 1)


@pytest.mark.parametrize(
    ("count", "low", "high"),
    [
        # Wilson score intervals; 10 of 32 and 0 of 20 by hand
        (Count(10, 32), 0.1795, 0.4857),
        (Count(0, 20), 0.0, 0.1611),
        (Count(20, 20), 0.8389, 1.0),
    ],
)
def test_interval(count, low, high):
    assert count.interval == pytest.approx((low, high), abs=1e-4)


def test_nothing_has_no_share():
    assert Count(0, 0).share is None
    assert Count(0, 0).interval is None


def test_looked_takes_one_class_as_corners_best_score_first(tmp_path):
    boxes = np.array([[0, 0.5, 0.5, 0.2, 0.4], [1, 0.1, 0.1, 0.2, 0.2]], np.float32)
    found = [
        Detection("garbage", 0.2, 0.0, 0.0, 0.1, 0.1),
        Detection("street_vending", 0.9, 0.0, 0.0, 1.0, 1.0),
        Detection("garbage", 0.8, 0.5, 0.5, 0.2, 0.1),
    ]
    one = looked(Picture(tmp_path, boxes), found, 1, "garbage")
    assert one.truth == pytest.approx(np.array([[0.0, 0.0, 0.2, 0.2]]), abs=1e-6)
    assert list(one.scores) == [0.8, 0.2]
    assert one.found[0] == pytest.approx((0.5, 0.5, 0.7, 0.6))


def test_evaluate_leaves_out_what_the_model_does_not_know(pictures):
    labels = ("street_vending", "garbage")
    dataset = Dataset(labels, pictures)
    scores = evaluate(
        dataset,
        lambda _: [Detection("garbage", 0.9, 0.1, 0.1, 0.2, 0.2)],
        iou=0.5,
        thresholds=lambda _: 0.25,
        labels=("garbage", "person"),
    )
    assert [one.label for one in scores] == ["garbage"]
    assert row(scores[0])["recall"] == 1.0
    assert row(scores[0])["present_false_alarm"] == 1.0


@pytest.fixture
def pictures(tmp_path):
    found = []
    for name, rows in {"heap": [[1, 0.2, 0.2, 0.2, 0.2]], "empty": []}.items():
        file = tmp_path / f"{name}.png"
        cv2.imwrite(str(file), np.full((32, 48, 3), 90, np.uint8))
        found.append(Picture(file, np.array(rows, np.float32).reshape(-1, 5)))
    return tuple(found)
