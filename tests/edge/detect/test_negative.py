import hashlib
from datetime import UTC, datetime

import cv2
import numpy as np
import pytest

from edge.detect.mask import Patch
from edge.detect.negative import Negative
from tests.edge.detect.scripted import box, street

AT = datetime(2026, 5, 6, 1, 0, tzinfo=UTC)
HEAD = Patch(0.25, 0.25, 0.5, 0.5, 0.2)


def _decoded(file):
    return cv2.imdecode(np.frombuffer(file.data, np.uint8), cv2.IMREAD_COLOR)


def _none(_):
    return []


def test_the_sealed_picture_is_the_picture_and_the_other_says_it_was_made_from_it():
    picture = street()
    shown, sealed = Negative(lambda: picture, [HEAD], AT, _none).files("clean")
    assert (shown.role, shown.type, shown.sealed, shown.at) == ("clean", "image/jpeg", False, AT)
    assert (sealed.role, sealed.sealed, sealed.original) == ("clean", True, None)
    assert sealed.sha256 == hashlib.sha256(sealed.data).hexdigest() == shown.original
    assert np.abs(_decoded(sealed).astype(int) - picture).mean() < 3
    difference = np.abs(_decoded(shown).astype(int) - picture).mean(axis=2)
    assert difference[120:240, 200:440].mean() > 4 * difference[:80].mean()


def test_where_nothing_is_covered_the_original_is_for_all():
    (file,) = Negative(street, [], AT, _none, b"jpeg").files("after")
    assert (file.data, file.sealed, file.original) == (b"jpeg", False, None)


def test_a_face_that_was_found_is_covered_like_a_head():
    shown, sealed = Negative(street, [], AT, lambda _: [box("face", 0.4, 0.4, 0.2, 0.2)]).files(
        "clean"
    )
    difference = np.abs(_decoded(shown).astype(int) - _decoded(sealed)).mean(axis=2)
    assert difference[150:210, 260:380].mean() > 4 * difference[:80].mean()


def test_it_is_searched_and_coded_once_for_all_who_ask(monkeypatch: pytest.MonkeyPatch):
    asked = []
    negative = Negative(street, [HEAD], AT, lambda _: asked.append(1) or [])
    first = negative.files("clean")
    monkeypatch.setattr("edge.detect.negative.jpeg", lambda _: pytest.fail("coded again"))
    again = negative.files("before")
    assert [file.data for file in again] == [file.data for file in first]
    assert {file.role for file in again} == {"before"}
    assert asked == [1]
