import hashlib

import pytest
import yaml

from edge.detect.errors import BadModel
from edge.detect.manifest import find_manifest, known_models, load_manifest

WEIGHTS = b"weights"
GOOD = {
    "name": "m",
    "version": "1",
    "file": "m.onnx",
    "sha256": hashlib.sha256(WEIGHTS).hexdigest(),
    "licence": "AGPL-3.0",
    "labels": ["garbage", "person"],
    "thresholds": {"default": 0.3, "garbage": 0.4},
}


def _written(folder, **changes):
    place = folder / "m"
    place.mkdir()
    (place / "m.onnx").write_bytes(WEIGHTS)
    path = place / "manifest.yaml"
    path.write_text(yaml.safe_dump({**GOOD, **changes}))
    return path


def test_a_manifest_tells_labels_and_thresholds(tmp_path):
    manifest = load_manifest(_written(tmp_path))
    assert manifest.labels == ["garbage", "person"]
    assert (manifest.threshold("garbage"), manifest.threshold("person")) == (0.4, 0.3)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"sha256": "0" * 64}, "SHA-256 is .* the manifest says 0000"),
        ({"file": "other.onnx"}, r"other.onnx: cannot be read"),
        ({"file": "../m.onnx"}, "file: "),
        ({"labels": []}, "labels: "),
        ({"labels": ["a", "a"], "thresholds": {}}, "each once"),
        ({"thresholds": {"sheep": 0.5}}, r"\['sheep'\] are not labels"),
        ({"thresholds": {"garbage": 3}}, "thresholds.garbage"),
        ({"input": {"colour": "grey"}}, "input.colour"),
        ({"treshold": 0.3}, "treshold"),
        ({"licence": ""}, "licence"),
    ],
)
def test_a_wrong_manifest_is_refused_by_key_and_value(tmp_path, changes, words):
    with pytest.raises(BadModel, match=words):
        load_manifest(_written(tmp_path, **changes))


def test_what_is_not_yaml_is_refused(tmp_path):
    path = tmp_path / "manifest.yaml"
    path.write_text("a: [")
    with pytest.raises(BadModel, match="is not YAML"):
        load_manifest(path)


def test_a_model_is_found_by_name_folder_or_file(tmp_path, monkeypatch):
    monkeypatch.setenv("TIANYAN_MODELS", str(tmp_path))
    path = _written(tmp_path)
    assert known_models() == ["m"]
    assert find_manifest("m") == find_manifest(path) == find_manifest(path.parent) == path


def test_a_wrong_name_says_which_there_are(tmp_path, monkeypatch):
    monkeypatch.setenv("TIANYAN_MODELS", str(tmp_path))
    _written(tmp_path)
    with pytest.raises(BadModel, match=r"'x' is not known; in .* there are: m "):
        find_manifest("x")
