"""On the model that ships, on ONNX Runtime."""

import importlib.util
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
import yaml

from edge.detect.detectors import open_detector
from edge.detect.errors import BadModel
from edge.detect.manifest import find_manifest
from edge.detect.overlap import corners, ious
from scenes.scene import render
from tests.edge.detect.scripted import street
from tests.shared import SHARED, needs_shared

MODEL = "street-n"


@pytest.fixture(scope="module")
def detector():
    return open_detector(MODEL)


def _copy(folder, **changes):
    source = find_manifest(MODEL)
    place = folder / "m"
    shutil.copytree(source.parent, place)
    document = yaml.safe_load(source.read_text()) | changes
    (place / "manifest.yaml").write_text(yaml.safe_dump(document))
    return place


def test_it_says_what_it_can_see(detector):
    assert {"street_vending", "garbage", "illegal_structure", "person"} <= set(detector.labels)
    assert detector.name == MODEL


def test_boxes_lie_in_the_picture_and_come_best_first(detector):
    found = detector.detect(street(), 0.01)
    assert all(0 <= d.x <= d.x + d.w <= 1.0001 and 0 <= d.y <= d.y + d.h <= 1.0001 for d in found)
    assert [d.score for d in found] == sorted((d.score for d in found), reverse=True)
    assert len(found) > len(detector.detect(street()))


@pytest.mark.parametrize("shape", [(1080, 1920, 3), (64, 48, 3), (1, 1, 3), (333, 777, 3)])
def test_any_size_of_picture_will_do(detector, shape):
    assert isinstance(detector.detect(np.full(shape, 90, np.uint8)), list)


def test_a_threshold_for_all_takes_the_place_of_the_manifests():
    detector = open_detector(MODEL, conf=0.9)
    assert detector.threshold("garbage") == 0.9
    with pytest.raises(BadModel, match=r"conf: 1.5"):
        open_detector(MODEL, conf=1.5)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"runtime": "onx"}, r"'onx' is not a runtime \(.*onnx"),
        ({"labels": ["person"], "thresholds": {}}, "1 labels in the manifest need"),
        ({"input": {"longest_side": 100, "stride": 10}}, "does not run on"),
    ],
)
def test_a_graph_that_does_not_fit_its_manifest_stops_the_start(tmp_path, changes, words):
    with pytest.raises(BadModel, match=words):
        open_detector(_copy(tmp_path, **changes))


@pytest.mark.parametrize(
    ("runtime", "module", "remedy"),
    [("onnx", "onnxruntime", "tianyan.edge"), ("openvino", "openvino", "tianyan.openvino")],
)
def test_a_missing_runtime_stops_the_start(tmp_path, monkeypatch, runtime, module, remedy):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(BadModel, match=f"is missing .*{remedy}"):
        open_detector(_copy(tmp_path, runtime=runtime))


needs_openvino = pytest.mark.skipif(
    importlib.util.find_spec("openvino") is None, reason="no OpenVINO: pip install .[openvino]"
)


@needs_openvino
def test_two_threads_may_ask_openvino_at_once():
    detector = open_detector("street-n-int8")
    pictures = [street(seed=seed) for seed in range(4)]
    alone = [detector.detect(picture, 0.02) for picture in pictures]
    assert len({len(seen) for seen in alone}) > 1
    with ThreadPoolExecutor(4) as threads:
        told = list(threads.map(lambda picture: detector.detect(picture, 0.02), pictures * 8))
    assert told == alone * 8


@needs_openvino
def test_openvino_says_what_onnx_runtime_says(tmp_path, detector):
    other = open_detector(_copy(tmp_path, runtime="openvino"))
    for size in ((640, 360), (480, 360)):
        picture, _ = render("stall_set_up", 60.0, size)
        sure = [d for d in detector.detect(picture, 0.1) if d.score > 0.15]
        assert sure
        likeness = ious(corners(sure), corners(other.detect(picture, 0.1)))
        assert (likeness.max(axis=1) > 0.8).mean() >= 0.7
    (left, top, right, bottom), *_ = corners(sure)
    part = (max(left - 0.1, 0), max(top - 0.1, 0), min(right + 0.1, 1), min(bottom + 0.1, 1))
    glanced = [d for d in detector.glance(picture, part, 0.1) if d.score > 0.15]
    assert glanced
    likeness = ious(corners(glanced), corners(other.glance(picture, part, 0.1)))
    assert (likeness.max(axis=1) > 0.8).mean() >= 0.7


def test_weights_that_are_no_graph_stop_the_start(tmp_path):
    place = _copy(tmp_path)
    weights = next(place.glob("*.onnx"))
    weights.write_bytes(b"not a graph")
    with pytest.raises(BadModel, match="SHA-256"):
        open_detector(place)


@needs_shared
def test_people_of_a_real_recording_are_found(detector):
    capture = cv2.VideoCapture(str(SHARED / "data/videos/pedestrians_vtest.mp4"))
    people = [d for d in detector.detect(capture.read()[1]) if d.label == "person"]
    assert len(people) >= 3


@needs_shared
def test_most_garbage_of_real_pictures_is_found_and_no_empty_street_is_full_of_it(detector):
    folder = SHARED / "data/images/val"
    full = sorted(folder.glob("garbage_dfayzur*"))[:8]
    empty = sorted(folder.glob("negative*"))[:8]

    def heaps(path):
        return [d for d in detector.detect(cv2.imread(str(path))) if d.label == "garbage"]

    assert sum(bool(heaps(path)) for path in full) >= 5
    assert sum(bool(heaps(path)) for path in empty) <= 2


def test_the_same_picture_gives_the_same_boxes(detector):
    a, b = (detector.detect(street(), 0.01) for _ in range(2))
    assert a == b
    assert ious(corners(a), corners(b)).max(axis=1).min() == pytest.approx(1)
