"""The `tianyan model` commands over a model that answers what its picture says."""

import cv2
import numpy as np
import pytest

from edge.detect.detection import Detection
from edge.detect.errors import BadModel
from training import commands
from training.dataset import DatasetError


class BrightnessDetector:
    """Claims a heap in the middle, surer the brighter the picture is."""

    name = "brightness"
    labels = ("garbage", "person")

    def detect(self, image):
        return [Detection("garbage", float(image.mean()) / 255, 0.4, 0.4, 0.2, 0.2)]


@pytest.fixture
def dataset(tmp_path):
    """Two heaps (bright, dim), one empty street (middling); a class the model does not know."""
    for folder in ("images/val", "labels/val"):
        (tmp_path / folder).mkdir(parents=True)
    heap = "1 0.5 0.5 0.2 0.2\n"
    for name, grey, lines in (("a", 230, heap), ("b", 60, heap), ("c", 130, "")):
        cv2.imwrite(str(tmp_path / f"images/val/{name}.png"), np.full((40, 60, 3), grey, np.uint8))
        (tmp_path / f"labels/val/{name}.txt").write_text(lines)
    file = tmp_path / "data.yaml"
    file.write_text("path: .\nval: images/val\nnames: {0: graffiti, 1: garbage}\n")
    return file


@pytest.fixture
def bright(monkeypatch):
    """The model by the name of the shipped one, so that its manifest gives the threshold."""
    monkeypatch.setattr(commands, "open_detector", lambda *_, **__: BrightnessDetector())


@pytest.mark.usefixtures("bright")
@pytest.mark.parametrize(
    ("conf", "precision", "recall", "present", "false"),
    [(0.8, 1.0, 0.5, 0.5, 0.0), (0.4, 0.5, 0.5, 0.5, 1.0), (0.2, 0.6667, 1.0, 1.0, 1.0)],
)
def test_eval_prints_a_line_a_class_and_a_summary(dataset, conf, precision, recall, present, false):
    *lines, last = commands.eval_model(dataset, conf=conf)
    assert len(lines) == 1
    assert lines[0]["label"] == "garbage"
    assert (lines[0]["images"], lines[0]["instances"]) == (2, 2)
    assert lines[0]["precision"] == pytest.approx(precision)
    assert lines[0]["recall"] == pytest.approx(recall)
    # hit, miss, hit: 1/2 * 1 + 1/2 * 2/3, at every threshold
    assert lines[0]["ap"] == pytest.approx(0.5 + 1 / 3, abs=1e-4)
    assert lines[0]["present_recall"] == pytest.approx(present)
    assert lines[0]["present_false_alarm"] == pytest.approx(false)
    assert last["summary"]["pictures"] == 3
    assert last["summary"]["not_in_model"] == ["graffiti"]


@pytest.mark.parametrize(
    ("more", "error", "said"),
    [
        ({"iou": 0}, ValueError, "iou: 0 "),
        ({"iou": 1.5}, ValueError, "iou: 1.5 "),
        ({"conf": 0.0}, ValueError, "conf: 0.0 "),
        ({"split": "test"}, DatasetError, "no split 'test' (has val)"),
        ({"model": "street-x"}, BadModel, "'street-x' is not known"),
    ],
)
def test_eval_refuses_by_name(dataset, more, error, said):
    with pytest.raises(error) as refusal:
        list(commands.eval_model(dataset, **more))
    assert said in str(refusal.value)


def test_list_names_models_and_says_why_one_is_unusable(tmp_path, monkeypatch):
    folder = tmp_path / "broken"
    folder.mkdir()
    (folder / "manifest.yaml").write_text("name: broken\n")
    monkeypatch.setenv("TIANYAN_MODELS", str(tmp_path))
    (only,) = commands.list_models()
    assert (only["model"], only["usable"]) == ("broken", False)
    assert "sha256" in only["reason"]


def test_bench_refuses_no_looks():
    with pytest.raises(ValueError, match="looks: 0"):
        list(commands.bench_models(looks=0))
