from collections import Counter

import numpy as np

from scenes.labels import LABELS, training_frames


def test_frames_are_deterministic_and_different() -> None:
    first = list(training_frames(5, seed=3, size=(320, 180)))
    again = list(training_frames(5, seed=3, size=(320, 180)))
    for (a, labels), (b, same) in zip(first, again, strict=True):
        assert np.array_equal(a, b)
        assert labels == same
    assert np.abs(first[0][0].astype(int) - first[4][0]).mean() > 10


def test_frames_are_marked_and_labelled_inside_the_picture() -> None:
    seen: Counter[str] = Counter()
    for picture, labels in training_frames(16, seed=4, size=(320, 180)):
        assert picture.shape == (180, 320, 3)
        corners = [picture[:17, :85], picture[:17, -85:], picture[-17:, :85], picture[-17:, -85:]]
        assert max((c.max(axis=2) > 200).mean() for c in corners) > 0.03
        for label, x, y, w, h in labels:
            assert -1e-6 <= x < x + w <= 1 + 1e-6
            assert -1e-6 <= y < y + h <= 1 + 1e-6
            seen[label] += 1
    assert set(seen) <= set(LABELS)
    assert {"street_vending", "garbage", "illegal_structure", "person"} <= set(seen)
