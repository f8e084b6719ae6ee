"""Cut-outs set into other streets: the box must lie on what was set in."""

import numpy as np
import pytest

from training.cutouts import Cutout, cut_out, decoy, set_in

GREY, RED = 90, (0, 0, 255)
NOTHING = np.zeros((0, 5), np.float32)


def street(height=240, width=320):
    return np.full((height, width, 3), GREY, np.uint8)


def red_thing(label=1):
    """A red disc in its picture, cut out by a box somewhat larger."""
    image = street()
    rows, columns = np.ogrid[:240, :320]
    image[(rows - 120) ** 2 + (columns - 160) ** 2 < 40**2] = RED
    return cut_out(image, np.array([0.5, 0.5, 100 / 320, 100 / 240], np.float32), label)


def is_red(image):
    return (image[..., 2] > 150) & (image[..., 1] < 70)


def test_the_outline_follows_the_thing_and_not_the_box():
    cutout = red_thing()
    assert cutout is not None
    inside = cutout.alpha > 0.5
    assert inside.mean() == pytest.approx(np.pi * 40**2 / 100**2, abs=0.12)
    assert is_red(cutout.image)[inside].mean() > 0.9


def test_a_thing_too_small_to_be_enlarged_is_left_out():
    assert cut_out(street(), np.array([0.5, 0.5, 0.1, 0.1], np.float32), 0) is None


@pytest.mark.parametrize("seed", range(6))
def test_the_box_lies_on_what_was_set_in(seed):
    image, boxes = set_in(street(), NOTHING, [red_thing(label=2)], np.random.default_rng(seed))
    assert boxes[:, 0].tolist() == [2]
    red = np.argwhere(image[..., 2].astype(int) - image[..., 1] > 60)
    (top, left), (bottom, right) = red.min(axis=0), red.max(axis=0) + 1
    _, x, y, w, h = boxes[0]
    edges = (x - w / 2) * 320, (y - h / 2) * 240, (x + w / 2) * 320, (y + h / 2) * 240
    assert edges == pytest.approx((left, top, right, bottom), abs=4)


def test_a_decoy_changes_the_street_and_teaches_nothing():
    piece = decoy(np.random.default_rng(0).integers(0, 255, (240, 320, 3), np.uint8),
                  np.random.default_rng(1))  # fmt: skip
    image, boxes = set_in(street(), NOTHING, [piece], np.random.default_rng(2))
    assert len(boxes) == 0
    assert not np.array_equal(image, street())


def test_what_a_cutout_hides_is_no_longer_taught():
    whole = Cutout(np.full((200, 300, 3), 200, np.uint8), np.ones((200, 300), np.float32), 0)
    grid = [(x / 40, y / 40) for x in range(1, 40) for y in range(1, 40)]
    tiny = np.array([[3, x, y, 0.01, 0.01] for x, y in grid], np.float32)
    _, boxes = set_in(street(), tiny, [whole], np.random.default_rng(0))
    _, x, y, w, h = boxes[boxes[:, 0] == 0][0]
    left = boxes[boxes[:, 0] == 3]
    assert np.all((abs(left[:, 1] - x) > w / 2 - 0.01) | (abs(left[:, 2] - y) > h / 2 - 0.01))
    assert len(left) < len(tiny)


def test_the_street_given_is_left_as_it_was():
    image = street()
    set_in(image, NOTHING, [red_thing()], np.random.default_rng(0))
    assert (image == GREY).all()
