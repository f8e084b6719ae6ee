"""The model that is handed out: its proof, and that its figures can be had again."""

import hashlib
from pathlib import Path

import pytest
import yaml

from edge.detect.detectors import open_detector
from edge.detect.manifest import known_models
from edge.detect.relations import GOODS, LEAST_GOODS
from tests.shared import SHARED, needs_shared
from training.dataset import read_dataset
from training.export import figures, measure
from training.labels import LABELS, STREET

MODELS = Path(__file__).parents[2] / "models"
STREET_N = MODELS / "street-n" / "manifest.yaml"


@pytest.fixture(scope="module")
def manifest():
    return yaml.safe_load(STREET_N.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", known_models())
def test_every_model_opens_and_has_its_card(name):
    detector = open_detector(name)
    assert detector.name == name
    assert (MODELS / name / "CARD.md").is_file()


def test_sha256_is_that_of_the_file(manifest):
    content = (STREET_N.parent / manifest["file"]).read_bytes()
    assert hashlib.sha256(content).hexdigest() == manifest["sha256"]


def test_labels_are_those_training_teaches(manifest):
    assert tuple(manifest["labels"]) == LABELS


def test_the_relation_finds_every_kind_of_goods_it_weighs(manifest):
    """Goods are evidence from the relation's least score on, so the detector must let them by."""
    said = {label: manifest["thresholds"].get(label, 0.25) for label in GOODS}
    assert set(GOODS) <= set(manifest["labels"])
    held_back = {label for label, least in said.items() if least > LEAST_GOODS}
    assert held_back <= {"bicycle", "motorcycle", "garbage"}


def test_the_card_says_the_manifests_figures(manifest):
    whole = (STREET_N.parent / "CARD.md").read_text(encoding="utf-8")
    card = whole.partition("<!-- classes -->")[2].partition("<!-- /classes -->")[0]
    for label in STREET:
        scores = manifest["scores"]["val"][label]
        (line,) = [one for one in card.splitlines() if one.startswith(f"| {label} |")]
        for key in ("precision", "recall", "present_recall", "present_false_alarm"):
            assert scores[key] in line, (label, key)
        assert f"{scores['ap50']:.3f}" in line


@needs_shared
def test_val_figures_come_out_again(manifest):
    assert SHARED is not None
    val = read_dataset(SHARED / "data" / "data.yaml", "val")
    rows = measure(STREET_N, val)
    for label in STREET:
        told = manifest["scores"]["val"][label]
        found = figures(label, rows[label], manifest["thresholds"][label])
        assert found["instances"] == told["instances"]
        assert found["ap50"] == pytest.approx(told["ap50"], abs=0.02)
        assert found["ap30"] == pytest.approx(told["ap30"], abs=0.02)
        for key in ("precision", "recall", "present_recall", "present_false_alarm"):
            hits, of = (int(part) for part in found[key].split("/"))
            told_hits, told_of = (int(part) for part in told[key].split("/"))
            assert abs(hits - told_hits) <= 1, (label, key)
            assert abs(of - told_of) <= 2, (label, key)
