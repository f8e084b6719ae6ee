import numpy as np
import pytest

from edge.detect.letterbox import letterbox
from edge.detect.manifest import Input


@pytest.mark.parametrize(
    ("width", "height", "fixed", "expected"),
    [
        (1920, 1080, (None, None), (640, 384, 0, 12)),
        (640, 480, (None, None), (640, 480, 0, 0)),
        (1080, 1920, (None, None), (384, 640, 12, 0)),
        (100, 90, (None, None), (640, 576, 0, 0)),
        (1000, 10, (None, None), (640, 32, 0, 13)),
        (1920, 1080, (384, 640), (640, 384, 0, 12)),
        (480, 640, (384, 640), (640, 384, 176, 0)),
    ],
)
def test_a_picture_fills_the_input_and_keeps_its_aspect(width, height, fixed, expected):
    found = letterbox(width, height, Input(), fixed)
    assert (found.input_width, found.input_height, found.left, found.top) == expected


@pytest.mark.parametrize("place", ["centre", "top_left"])
@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (333, 777), (640, 640)])
def test_a_box_comes_back_to_where_it_was(width, height, place):
    box = letterbox(width, height, Input(letterbox=place))
    x, y, w, h = 0.3 * width, 0.6 * height, 0.2 * width, 0.1 * height
    there = np.array(
        [[x * box.ratio + box.left, y * box.ratio + box.top, w * box.ratio, h * box.ratio]],
        np.float32,
    )
    assert box.fractions(there)[0] == pytest.approx([0.2, 0.55, 0.4, 0.65], abs=1e-4)


def test_the_input_is_scaled_coloured_and_padded_as_the_manifest_says():
    image = np.zeros((32, 64, 3), np.uint8)
    image[..., 0] = 255
    rgb = letterbox(64, 32, Input(longest_side=64, stride=64)).blob(
        image, Input(longest_side=64, stride=64)
    )
    assert rgb.shape == (1, 3, 64, 64)
    assert rgb[0, :, 32, 32] == pytest.approx([0, 0, 1])
    assert rgb[0, :, 0, 0] == pytest.approx([114 / 255] * 3)
    bgr = Input(longest_side=64, stride=64, colour="bgr", scale=1.0, pad=0)
    assert letterbox(64, 32, bgr).blob(image, bgr)[0, :, 32, 32] == pytest.approx([255, 0, 0])
