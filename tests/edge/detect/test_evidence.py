from datetime import UTC, datetime

import cv2
import numpy as np

from edge.detect.evidence import annotated
from tests.edge.detect.scripted import box, street

AT = datetime(2026, 5, 6, 1, 0, tzinfo=UTC)


def _decoded(file):
    return cv2.imdecode(np.frombuffer(file.data, np.uint8), cv2.IMREAD_COLOR)


def test_the_annotated_picture_shows_box_and_caption_and_leaves_the_original_alone():
    picture = street()
    before = picture.copy()
    file = annotated(
        picture, [box("garbage", 0.25, 0.25, 0.5, 0.5)], "cam zone 12:00", AT, "f" * 64
    )
    shown = _decoded(file)
    assert file.original == "f" * 64
    assert np.array_equal(picture, before)
    blue, green, red = shown[180, 160].astype(int)
    assert red > 150 > max(blue, green)
    assert np.abs(shown[350:, :80].astype(int) - picture[350:, :80]).mean() > 20


def test_a_box_at_the_edge_of_a_tiny_picture_is_drawn():
    tiny = annotated(street(size=(64, 48)), [box("garbage", 0.9, 0.0)], "x", AT)
    assert _decoded(tiny) is not None
