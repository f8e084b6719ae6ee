"""A card's tables: said as counts, and put where the card has a place for them."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.detect.detection import Detection
from edge.detect.errors import BadModel
from edge.detect.manifest import Manifest
from tests.shared import SHARED, needs_shared
from training.base import base_sight
from training.card import _rendered, _shrunk, classes, empty_streets, said, written
from training.evaluate import Count, Looked
from training.labels import LABELS

MANIFEST = Manifest(
    name="m", version="1", file="m.onnx", sha256="0" * 64, licence="MIT",
    labels=["garbage"], thresholds={"default": 0.5},
)  # fmt: skip
NOWHERE = np.zeros((0, 4))
BOX = np.array([[0.1, 0.1, 0.5, 0.5]])


def look(truth=NOWHERE, found=NOWHERE, score=0.9):
    return Looked(truth=truth, found=found, scores=np.full(len(found), score))


def test_a_count_is_said_with_its_interval():
    assert said(Count(7, 9)) == "7/9, 45-94 %"
    assert said(Count(0, 0)) == "0/0"


def test_a_row_a_class_that_is_shown_at_all():
    rows = {"garbage": [look(BOX, BOX), look(found=BOX)], "nothing": [look(), look()]}
    lines = "".join(classes(rows, {"default": 0.5})).splitlines()
    assert len(lines) == 3
    assert lines[2].startswith("| garbage | 0.5 | 1 (1) | 1/2, ")
    assert "| 1/1, 21-100 % | 1.000 |" in lines[2]


def test_false_boxes_are_counted_on_empty_streets_only():
    rows = {"garbage": [look(BOX, BOX), look(found=BOX), look(found=BOX, score=0.4), look()]}
    (line,) = empty_streets(rows, MANIFEST)
    assert "1/3" in line
    assert "(1 garbage)" in line


def test_what_is_seen_in_a_small_picture_is_told_in_its_own_fractions():
    picture = np.full((480, 640, 3), 200, np.uint8)
    picture[120:360, 160:480] = (0, 255, 0)
    for left in range(160, 480, 16):  # stripes: the blurred copy around it shows no red
        picture[120:360, left : left + 8] = (0, 0, 255)

    def red(sheet):
        is_red = (sheet[..., 2] > 200) & (sheet[..., 1] < 80)
        rows, columns = np.flatnonzero(is_red.any(axis=1)), np.flatnonzero(is_red.any(axis=0))
        x, y, h, w = columns[0], rows[0], rows[-1] + 1 - rows[0], columns[-1] + 1 - columns[0]
        return [Detection("garbage", 0.9, x / 1920, y / 1080, w / 1920, h / 1080)]

    (found,) = _shrunk(picture, red)
    assert (found.x, found.y, found.w, found.h) == pytest.approx((0.25, 0.25, 0.5, 0.5), abs=0.03)


def test_a_table_takes_its_place_and_leaves_the_rest():
    card = "# m\n<!-- classes -->\nold\n<!-- /classes -->\nend\n"
    assert written(card, {"classes": ["| new |\n"]}) == (
        "# m\n<!-- classes -->\n\n| new |\n\n<!-- /classes -->\nend\n"
    )


def test_a_card_without_a_place_is_named():
    with pytest.raises(ValueError, match="no place for 'far'"):
        written("# m\n", {"far": []})


@needs_shared
def test_the_base_may_be_an_exported_net():
    see = base_sight(SHARED / "weights" / "yolo11n_384x640_fp32.onnx", 640, least=0.25)
    picture = next(iter(sorted((SHARED / "data" / "images").glob("*train*/*.jpg"))))
    found = see(cv2.imread(str(picture)))
    assert {one.label for one in found} <= set(LABELS)


def test_a_base_without_labels_is_refused_by_name():
    with pytest.raises(BadModel, match="centerface"):
        base_sight(Path("models/centerface/centerface.onnx"), 640, least=0.25)


def test_drawn_streets_are_drawn_where_there_are_none(tmp_path, monkeypatch):
    monkeypatch.setattr("training.card.RENDERED_FRAMES", 1)
    drawn = _rendered(tmp_path / "drawn")
    assert drawn == tmp_path / "drawn" / "data.yaml"
    picture = next((tmp_path / "drawn" / "images" / "val").iterdir())
    before = picture.stat().st_mtime_ns
    assert _rendered(drawn) == drawn
    assert picture.stat().st_mtime_ns == before
