import numpy as np
import pytest

from edge.detect.detection import Detection
from edge.detect.faces import open_finder
from edge.detect.mask import LEAST_CELL_PX, face_patches, masked, patches
from tests.edge.detect.scripted import box
from tests.shared import SHARED, needs_shared

ASPECT = 640 / 360


def _noise(width=640, height=360):
    return np.random.default_rng(1).integers(0, 256, (height, width, 3), np.uint8)


def _covers(found, x, y):
    return any(p.x <= x <= p.x + p.w and p.y <= y <= p.y + p.h for p in found)


@pytest.mark.parametrize(
    ("seen", "covered", "open_"),
    [
        (box("person", 0.4, 0.2, 0.1, 0.6), [(0.45, 0.21), (0.405, 0.3)], [(0.45, 0.75)]),
        (box("person", 0.3, 0.0, 0.4, 0.9), [(0.5, 0.02), (0.5, 0.5)], [(0.5, 0.85)]),
        (box("car", 0.2, 0.5, 0.3, 0.2), [(0.35, 0.68), (0.21, 0.6)], [(0.35, 0.52)]),
        (box("garbage", 0.2, 0.5, 0.3, 0.2), [], [(0.35, 0.6)]),
    ],
)
def test_heads_and_plates_are_covered_and_the_rest_is_seen(seen, covered, open_):
    found = patches([seen], ASPECT)
    assert all(_covers(found, *spot) for spot in covered)
    assert not any(_covers(found, *spot) for spot in open_)


def test_what_is_covered_cannot_be_read_back():
    picture = _noise()
    shown = masked(picture, patches([box("person", 0.4, 0.2, 0.1, 0.6)], ASPECT))
    head = shown[80:120, 260:310].reshape(-1, 3)
    assert len(np.unique(head, axis=0)) < 40
    assert np.array_equal(shown[300:], picture[300:])


def test_a_patch_at_the_edge_or_outside_does_no_harm():
    picture = _noise(64, 48)
    faces = [Detection("face", 0.9, x, 0.9, 0.2, 0.3) for x in (-0.1, 0.95, 1.5)]
    shown = masked(picture, face_patches(faces))
    assert shown.shape == picture.shape
    assert not np.array_equal(shown[-LEAST_CELL_PX:, :10], picture[-LEAST_CELL_PX:, :10])


@needs_shared
def test_a_photograph_of_a_terminal_is_covered():
    from edge.detect.cover import Cover

    (path,) = (SHARED / "data" / "images").glob("*/vending_lindsayrgwatt_82db778b.jpg")
    cover, picture = Cover("street-n"), path.read_bytes()
    covered = cover.cover(picture)
    assert covered.startswith(b"\xff\xd8")
    assert covered != picture
    assert cover.cover(b"\xff\xd8 broken") is None
    assert Cover("no-such-model").cover(picture) is None


@needs_shared
def test_faces_of_real_people_are_found():
    import cv2

    name = "vending_lindsayrgwatt_82db778b.jpg"
    (path,) = (SHARED / "data" / "images").glob(f"*/{name}")
    faces = open_finder().find(cv2.imread(str(path)))
    assert len(faces) >= 8
    assert all(0 < face.w < 0.2 and 0 < face.h < 0.2 for face in faces)
