import hashlib

import cv2
import numpy as np

from edge.detect.evidence import Album, annotated, clean
from tests.edge.detect.scripted import box, street


def _decoded(file):
    return cv2.imdecode(np.frombuffer(file.data, np.uint8), cv2.IMREAD_COLOR)


def test_the_clean_picture_is_the_picture():
    picture = street()
    file = clean(picture)
    assert (file.role, file.type) == ("clean", "image/jpeg")
    assert file.sha256 == hashlib.sha256(file.data).hexdigest()
    assert np.abs(_decoded(file).astype(int) - picture).mean() < 3


def test_the_annotated_picture_shows_box_and_caption_and_leaves_the_original_alone():
    picture = street()
    before = picture.copy()
    shown = _decoded(annotated(picture, [box("garbage", 0.25, 0.25, 0.5, 0.5)], "cam zone 12:00"))
    assert np.array_equal(picture, before)
    blue, green, red = shown[180, 160].astype(int)
    assert red > 150 > max(blue, green)
    assert np.abs(shown[350:, :80].astype(int) - picture[350:, :80]).mean() > 20


def test_a_box_at_the_edge_of_a_tiny_picture_is_drawn():
    assert _decoded(annotated(street(size=(64, 48)), [box("garbage", 0.9, 0.0)], "x")) is not None


def test_the_album_shows_what_it_was_like_before():
    album, pictures = Album(dwell_s=60), [street(seed) for seed in range(60)]
    for t_s, picture in enumerate(pictures):
        album.keep(picture, t_s)
    (file,) = album.before(50)
    assert file.role == "before"
    shown = _decoded(file)
    nearest = min(range(60), key=lambda t: np.abs(shown.astype(int) - pictures[t]).mean())
    assert 30 <= nearest < 50
    assert album.before(0) == ()
