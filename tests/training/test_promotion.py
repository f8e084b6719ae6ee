"""From a run to models/: compare, promote, refuse; with real graphs on the real runtime."""

import json

import cv2
import numpy as np
import pytest

from edge.detect.detectors import open_detector
from edge.detect.errors import BadModel
from edge.detect.manifest import load_manifest
from edge.detect.selftest import SELF_TEST, SelfTestFailed, self_test
from tests.nets import model_folder
from training.commands import compare_models
from training.dataset import DatasetError
from training.promotion import NotPromoted, Wish, promote
from training.record import EVALUATION
from training.sources import sources_of

HEAP = "0 0.5 0.46666667 0.2 0.26666667\n"
"""Where the test's nets see what they see, as street_vending."""


@pytest.fixture
def dataset(tmp_path):
    """Twelve days of two cameras: bright pictures show a stall, dark ones an empty street."""
    folder = tmp_path / "data"
    rows = ["file,camera,taken_at"]
    for number in range(24):
        bright = number % 2 == 0
        name = f"p{number:02}"
        for kind in ("images", "labels"):
            (folder / kind / "val").mkdir(parents=True, exist_ok=True)
        shade = 190 + number if bright else 60 + number
        picture = np.full((360, 640, 3), shade, np.uint8)
        cv2.imwrite(str(folder / f"images/val/{name}.png"), picture)
        (folder / f"labels/val/{name}.txt").write_text(HEAP if bright else "")
        camera, day = ("gate", "yard")[number // 2 % 2], 1 + number // 2
        rows.append(f"images/val/{name}.png,box-1/{camera},2026-11-{day:02}T08:00:00+08:00")
    (folder / "manifest.csv").write_text("\n".join(rows) + "\n")
    file = folder / "data.yaml"
    file.write_text("path: .\nval: images/val\nnames: [street_vending, garbage]\n")
    return file


@pytest.fixture
def models(tmp_path, monkeypatch):
    """models/ with street-n 1, which is blind to stalls that are not very bright."""
    folder = tmp_path / "models"
    model_folder(folder / "street-n", version="1", factors=(0.3, 0.0, 0.0, 0.0))
    monkeypatch.setenv("TIANYAN_MODELS", str(folder))
    return folder


def candidate(tmp_path, **more):
    run = tmp_path / "run"
    model_folder(run / "model", **({"name": "mine", "version": "0"} | more))
    (run / "plan.json").write_text(json.dumps({"epochs": 2, "data": ["data.yaml"]}))
    return run


def evaluated(run, dataset, **more):
    return list(compare_models(dataset, "street-n", model=str(run / "model"), **more))


def test_better_is_said_per_class_and_per_camera_and_kept(tmp_path, dataset, models):
    run = candidate(tmp_path, thresholds={"default": 0.5})
    *lines, last = evaluated(run, dataset)
    whole = [line for line in lines if "camera" not in line]
    assert [line["label"] for line in whole] == ["street_vending", "garbage"]
    assert whole[0]["present_recall"] == 1.0
    assert whole[0]["against"]["present_recall"] == 0.0
    assert whole[0]["difference"]["present_recall"]["low"] > 0.9
    cameras = {line["camera"]: line for line in lines if line.get("label") == "street_vending"
               and "camera" in line}  # fmt: skip
    assert set(cameras) == {"box-1/gate", "box-1/yard"}
    assert cameras["box-1/gate"]["pictures"] == 12
    assert last["summary"]["groups"] == 12
    kept = json.loads((run / "model" / EVALUATION).read_text())
    assert kept["against"]["version"] == "1"
    assert len(kept["data"]["sha256"]) == 64


def ready(tmp_path, dataset, **more):
    run = candidate(tmp_path, **more)
    evaluated(run, dataset)
    return run


def test_promotion_writes_a_model_that_proves_itself(tmp_path, dataset, models):
    run = ready(tmp_path, dataset)
    done = promote(Wish(run, "street-n", "2"))
    manifest = load_manifest(models / "street-n" / "manifest.yaml")
    assert (manifest.name, manifest.version) == ("street-n", "2")
    proof = manifest.about["promotion"]
    assert proof["predecessor"]["version"] == "1"
    assert proof["trained"]["epochs"] == 2
    assert proof["data"]["split"] == "val"
    assert set(proof["scores"]) == {"street_vending", "garbage"}
    assert proof["evaluation"]["verdict"] in {"better", "not shown better"}
    assert self_test(open_detector("street-n"), models / "street-n") < 3000
    assert load_manifest(models / "street-n-1" / "manifest.yaml").version == "1"
    assert done["selftest_pictures"] == 4
    assert not list(models.glob(".*"))


def worse(tmp_path, dataset, models):
    """The candidate sees nothing of what the model in use sees."""
    model_folder(models / "street-n", version="1", factors=(0.9, 0.0, 0.0, 0.0))
    return ready(tmp_path, dataset, factors=(0.0, 0.9, 0.0, 0.0))


def test_a_worse_one_is_refused_unless_somebody_says_why(tmp_path, dataset, models):
    run = worse(tmp_path, dataset, models)
    with pytest.raises(NotPromoted, match=r"worse than street-n 1 \(street_vending\)"):
        promote(Wish(run, "street-n", "2"))
    assert load_manifest(models / "street-n" / "manifest.yaml").version == "1"
    promote(Wish(run, "street-n", "2", anyway="the old one may not be used any longer"))
    about = load_manifest(models / "street-n" / "manifest.yaml").about
    assert about["promotion"]["anyway"] == "the old one may not be used any longer"


def test_one_that_was_compared_on_too_few_days_is_not_judged_and_refused(tmp_path, dataset, models):
    for picture in sorted((dataset.parent / "images/val").iterdir())[12:]:
        picture.unlink()
    rows = dataset.parent / "manifest.csv"
    rows.write_text("\n".join(rows.read_text().splitlines()[:13]) + "\n")
    run = candidate(tmp_path)
    assert evaluated(run, dataset)[-1]["summary"]["verdict"] == "not judged"
    with pytest.raises(
        NotPromoted, match=r"too few to judge by \(pictures: 12, days of a camera: 6\)"
    ):
        promote(Wish(run, "street-n", "2"))
    assert promote(Wish(run, "street-n", "2", anyway="a trial"))["verdict"] == "not judged"


def test_without_an_evaluation_it_is_refused(tmp_path, dataset, models):
    run = candidate(tmp_path)
    with pytest.raises(NotPromoted, match="has not been evaluated; first: tianyan model eval"):
        promote(Wish(run, "street-n", "2"))
    pictures = dataset.parent / "images/val"
    done = promote(Wish(run, "street-n", "2", anyway="a trial", pictures=pictures))
    assert done["verdict"] is None


def test_an_evaluation_of_other_weights_or_against_another_model_does_not_count(
    tmp_path, dataset, models
):
    run = ready(tmp_path, dataset)
    model_folder(models / "street-n", version="1.1", factors=(0.31, 0.0, 0.0, 0.0))
    with pytest.raises(NotPromoted, match=r"compared with street-n 1, in use is street-n 1\.1"):
        promote(Wish(run, "street-n", "2"))
    model_folder(run / "model", name="mine", version="0", factors=(0.8, 0.5, 0.1, 0.0))
    with pytest.raises(NotPromoted, match="speaks of other weights"):
        promote(Wish(run, "street-n", "2"))


def test_a_label_that_would_vanish_is_named(tmp_path, dataset, models):
    run = ready(tmp_path, dataset, factors=(0.9, 0.5))
    with pytest.raises(NotPromoted, match="cannot say illegal_structure, person"):
        promote(Wish(run, "street-n", "2", anyway="no matter"))


def test_labels_that_do_not_fit_the_graph_are_refused(tmp_path, dataset, models):
    run = candidate(tmp_path, labels=["street_vending", "garbage"])
    with pytest.raises(BadModel, match=r"the output is \(1, 8, 1\); 2 labels"):
        promote(Wish(run, "street-n", "2", anyway="no matter"))


def test_a_self_test_in_which_nothing_is_seen_proves_nothing(tmp_path, dataset, models):
    run, dark = candidate(tmp_path), tmp_path / "dark"
    dark.mkdir()
    cv2.imwrite(str(dark / "a.png"), np.zeros((90, 160, 3), np.uint8))
    with pytest.raises(NotPromoted, match="sees nothing in any of its pictures"):
        promote(Wish(run, "street-n", "2", anyway="x", pictures=dark))
    with pytest.raises(NotPromoted, match="is not a folder of pictures"):
        promote(Wish(run, "street-n", "2", anyway="x", pictures=tmp_path / "nowhere"))
    assert sorted(path.name for path in models.iterdir()) == ["street-n"]


def test_the_version_in_use_is_refused(tmp_path, dataset, models):
    with pytest.raises(NotPromoted, match="--version 1: is in use already"):
        promote(Wish(ready(tmp_path, dataset), "street-n", "1"))


@pytest.fixture
def proven(tmp_path, dataset, models):
    promote(Wish(ready(tmp_path, dataset), "street-n", "2"))
    return models / "street-n"


def test_the_self_test_finds_a_net_that_answers_otherwise(proven):
    for factors, said in [
        ((0.5, 0.5, 0.1, 0.0), "does not see street_vending"),
        ((0.0, 0.5, 0.1, 0.9), "does not see street_vending"),
    ]:
        other = model_folder(proven, version="2", factors=factors)
        with pytest.raises(SelfTestFailed, match=said):
            self_test(open_detector(other), proven)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda test: test | {"longest_ms": 0.0001}, "a look takes"),
        (lambda test: test | {"pictures": []}, "it would prove nothing"),
        (lambda test: {"pictures": [{"file": 7}]}, "Expected `str`"),
        (
            lambda test: {"pictures": [test["pictures"][0] | {"sha256": "0" * 64}]},
            "the self-test says 000",
        ),
        (
            lambda test: {"pictures": [test["pictures"][0] | {"file": "gone.jpg"}]},
            "cannot be read",
        ),
    ],
)
def test_a_self_test_that_cannot_be_passed_says_why(proven, change, said):
    path = proven / SELF_TEST
    path.write_text(json.dumps(change(json.loads(path.read_text()))))
    with pytest.raises(SelfTestFailed, match=said):
        self_test(open_detector(proven), proven)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("images/val/gone.png,box-1/gate,2026-11-01", r"manifest\.csv:26: file: images/val/gone"),
        ("images/val/p00.png,,2026-11-01", r"manifest\.csv:26: camera empty"),
        ("images/val/p00.png,a/b,2026-11-01,more", r"manifest\.csv:26: more values than columns"),
    ],
)
def test_a_broken_row_of_the_manifest_is_named(dataset, row, said):
    file = dataset.parent / "manifest.csv"
    file.write_text(file.read_text() + row + "\n")
    with pytest.raises(DatasetError, match=said):
        sources_of(dataset)


def test_a_manifest_of_another_kind_says_nothing_of_cameras(dataset):
    (dataset.parent / "manifest.csv").write_text("path,source\nx,y\n")
    assert sources_of(dataset) == {}
