import numpy as np
import pytest

from edge.detect.thumbnail import grey, thumbnail
from edge.detect.view import is_black, is_blind, is_over_exposed
from tests.edge.detect.scripted import street


def _night():
    picture = (street() * 0.06).astype(np.uint8)
    picture[40:60, 200:230] = 230
    return picture


@pytest.mark.parametrize(
    ("picture", "blind"),
    [
        (street(), False),
        (_night(), False),
        ((street() * 0.4).astype(np.uint8), False),
        (np.zeros((360, 640, 3), np.uint8), True),
        (np.full((360, 640, 3), 9, np.uint8), True),
        (np.full((360, 640, 3), 255, np.uint8), True),
        (np.full((360, 640, 3), 120, np.uint8), True),
    ],
)
def test_a_picture_without_anything_in_it_cannot_be_judged(picture, blind):
    assert is_blind(grey(thumbnail(picture))) is blind


def test_why_it_cannot():
    assert is_black(np.zeros((9, 16), np.uint8))
    assert is_over_exposed(np.full((9, 16), 255, np.uint8))
