"""Sheets for training: boxes must stay on the things they were drawn around."""

import numpy as np
import pytest

from training.canvas import LEAST_VISIBLE, PAD, Shape, compose, light

SHEET = Shape(96, 160)
RED = (0, 0, 255)


@pytest.fixture
def untouched_light(monkeypatch):
    monkeypatch.setattr("training.canvas.light", lambda image, _: image)


def picture(height=60, width=80, label=1):
    """Grey with one red rectangle and the box around it."""
    image = np.full((height, width, 3), 40, np.uint8)
    image[15:45, 8:24] = RED
    box = [label, 16 / width, 30 / height, 16 / width, 30 / height]
    return image, np.array([box], np.float32)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.usefixtures("untouched_light")
def test_one_picture_keeps_its_box_on_the_red(seed):
    sheet, boxes = compose([picture()], SHEET, np.random.default_rng(seed))
    red = np.argwhere((sheet[..., 2] > 150) & (sheet[..., 1] < 90))
    if not len(boxes):
        assert len(red) < LEAST_VISIBLE * 3 * 16 * 30
        return
    top, left = red.min(axis=0)
    bottom, right = red.max(axis=0) + 1
    _, x, y, w, h = boxes[0]
    edges = (x - w / 2) * 160, (y - h / 2) * 96, (x + w / 2) * 160, (y + h / 2) * 96
    assert edges == pytest.approx((left, top, right, bottom), abs=1.6)


@pytest.mark.parametrize("count", [1, 2, 3, 4])
@pytest.mark.usefixtures("untouched_light")
def test_a_mosaic_holds_what_its_pictures_show(count):
    rng = np.random.default_rng(3)
    samples = [picture(label=number) for number in range(count)]
    sheet, boxes = compose(samples, SHEET, rng)
    assert sheet.shape == (96, 160, 3)
    assert set(boxes[:, 0]) <= set(range(count))
    assert np.all((boxes[:, 1:] >= 0) & (boxes[:, 1:] <= 1))
    for _, x, y, _, _ in boxes:
        assert sheet[int(y * 96), int(x * 160), 2] > 150


def test_a_picture_without_boxes_teaches_none():
    image, _ = picture()
    _, boxes = compose([(image, np.zeros((0, 5), np.float32))], SHEET, np.random.default_rng(0))
    assert boxes.shape == (0, 5)


def test_the_same_seed_gives_the_same_sheet():
    first, second = (compose([picture()], SHEET, np.random.default_rng(5))[0] for _ in range(2))
    assert np.array_equal(first, second)


def test_light_changes_values_and_not_the_shape():
    image = np.full((40, 60, 3), PAD, np.uint8)
    other = light(image, np.random.default_rng(1))
    assert other.shape == image.shape
    assert other.dtype == np.uint8
    assert not np.array_equal(other, image)
