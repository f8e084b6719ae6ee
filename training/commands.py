"""What `tianyan model …` does: each command yields the JSON objects that are printed."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from edge.detect.detectors import Detector, open_detector
from edge.detect.errors import BadModel
from edge.detect.manifest import (
    Manifest,
    find_manifest,
    known_models,
    load_manifest,
    models_dir,
)
from training.dataset import Dataset, read_dataset
from training.evaluate import LEAST, Score, evaluate, look, row
from training.machine import machine
from training.record import EVALUATION, Evaluation, keep_evaluation
from training.sources import fingerprint, sources_of
from training.versus import Side, compare

DEFAULT_MODEL = "street-n"


def list_models() -> Iterator[dict[str, Any]]:
    """A line a model of the models folder; one that cannot be used says why."""
    for name in known_models():
        try:
            manifest = load_manifest(find_manifest(name))
        except BadModel as fault:
            yield {"model": name, "usable": False, "reason": str(fault)}
        else:
            yield {
                "model": name,
                "usable": True,
                "version": manifest.version,
                "licence": manifest.licence,
                "runtime": manifest.runtime,
                "longest_side": manifest.input.longest_side,
                "labels": manifest.labels,
                "thresholds": manifest.thresholds,
            }


def eval_model(
    dataset: Path,
    *,
    split: str = "val",
    model: str = DEFAULT_MODEL,
    iou: float = 0.5,
    conf: float | None = None,
    threads: int = 1,
) -> Iterator[dict[str, Any]]:
    """A line a class that both the data set and the model have, then the summary.

    ``conf``: one threshold for every class in place of the manifest's. Average precision counts
    every sighting from a score of 0.01 on, whatever the threshold.
    Raises DatasetError, BadModel, ValueError.
    """
    if not 0 < iou <= 1:
        raise ValueError(f"iou: {iou} is not an overlap above 0 and up to 1")
    if conf is not None and not 0 < conf < 1:
        raise ValueError(f"conf: {conf} is not a score between 0 and 1")
    pictures = read_dataset(dataset, split)
    manifest = load_manifest(find_manifest(model))
    detector = open_detector(model, conf=LEAST, threads=threads)
    began = time.monotonic()
    scores = evaluate(
        pictures,
        detector.detect,
        iou=iou,
        thresholds=lambda label: conf or manifest.threshold(label),
        labels=detector.labels,
    )
    for one in scores:
        yield row(one)
    yield {
        "summary": {
            "model": manifest.name,
            "version": manifest.version,
            "split": split,
            "iou": iou,
            "pictures": len(pictures.pictures),
            "map": _mean(scores),
            "classes": len(scores),
            "not_in_model": [label for label in pictures.labels if label not in detector.labels],
            "seconds": round(time.monotonic() - began, 2),
        }
    }


def compare_models(
    dataset: Path,
    against: str,
    *,
    split: str = "val",
    model: str = DEFAULT_MODEL,
    iou: float = 0.5,
    conf: float | None = None,
    threads: int = 1,
    record: Path | None = None,
) -> Iterator[dict[str, Any]]:
    """A line a class with both models' columns and the paired difference, then a line a camera
    and class where the data set's manifest names cameras, then the summary with the verdict.

    A candidate named by its folder keeps the outcome beside its manifest, for its promotion;
    ``record`` names another file. Raises DatasetError, BadModel, ValueError.
    """  # noqa: D205
    if not 0 < iou <= 1:
        raise ValueError(f"iou: {iou} is not an overlap above 0 and up to 1")
    began = time.monotonic()
    pictures, sources = read_dataset(dataset, split), sources_of(dataset)
    manifests = [load_manifest(find_manifest(name)) for name in (model, against)]
    sides = [_side(pictures, name, conf, threads) for name in (model, against)]
    placed = [sources.get(p.path.resolve()) for p in pictures.pictures]
    groups = [s.group if s else str(i) for i, s in enumerate(placed)]
    whole = compare(sides[0], sides[1], groups, iou)
    lines = [each.said() for each in whole.labels]
    for camera in sorted({source.camera for source in placed if source}):
        which = [i for i, source in enumerate(placed) if source and source.camera == camera]
        part = compare(sides[0].part(which), sides[1].part(which), [groups[i] for i in which], iou)
        lines += [
            {"camera": camera, "pictures": len(which), **each.said()}
            for each in part.labels
            if each.candidate.images or each.candidate.precision.of or each.against.precision.of
        ]
    yield from lines
    summary = {
        "model": manifests[0].name,
        "version": manifests[0].version,
        "against": manifests[1].name,
        "against_version": manifests[1].version,
        "split": split,
        "iou": iou,
        "pictures": len(pictures.pictures),
        "groups": whole.groups,
        "map_difference": whole.mean.said(),
        "verdict": whole.verdict,
        "seconds": round(time.monotonic() - began, 2),
    }
    kept = record or _record_of(model)
    if kept is not None:
        found = Evaluation(
            sha256=manifests[0].sha256,
            against={"name": manifests[1].name, "version": manifests[1].version,
                     "sha256": manifests[1].sha256},
            data={"file": str(dataset), "split": split, "sha256": fingerprint(pictures)},
            summary=summary,
            classes=[line for line in lines if "camera" not in line],
        )  # fmt: skip
        keep_evaluation(found, kept)
        summary["record"] = str(kept)
    yield {"summary": summary}


def _side(pictures: Dataset, model: str, conf: float | None, threads: int) -> Side:
    manifest = load_manifest(find_manifest(model))
    detector = open_detector(model, conf=LEAST, threads=threads)
    rows = list(look(pictures.pictures, detector.detect, pictures.labels))
    looked = {label: [one[i] for one in rows] for i, label in enumerate(pictures.labels)}
    return Side(looked, {label: conf or manifest.threshold(label) for label in pictures.labels})


def _record_of(model: str) -> Path | None:
    """Beside the manifest of a candidate that is named by its folder; models/ stays as it is."""
    folder = find_manifest(model).parent
    return None if folder.parent.resolve() == models_dir().resolve() else folder / EVALUATION


def promote_model(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Put a run's model among the models, with the proof that it fits; then what was written."""
    from training.promotion import Wish, promote

    wish = Wish(
        run=options.run_dir,
        name=options.name,
        version=options.version,
        anyway=options.anyway or "",
        pictures=options.selftest,
        out=options.out,
    )
    yield {"summary": promote(wish)}


def add_promote_options(parser: argparse.ArgumentParser) -> None:
    """The options of `tianyan model promote`."""
    add = parser.add_argument
    add(
        "run_dir", type=Path, metavar="RUN_DIR", help="a run with model/ in it, or a model's folder"
    )
    add("--name", default=DEFAULT_MODEL, help="under which it goes into models/ (street-n)")
    add("--version", required=True, help="a new one")
    add("--anyway", metavar="WHY", help="promote without an evaluation, or against it; kept")
    add(
        "--selftest",
        type=Path,
        metavar="DIR",
        help="pictures for the self-test on devices (default: from the data it was evaluated on)",
    )
    add("--out", type=Path, metavar="DIR", help="the folder to write (models/NAME)")


def _mean(scores: list[Score]) -> float | None:
    known = [one.ap for one in scores if one.ap is not None]
    return round(sum(known) / len(known), 4) if known else None


def bench_models(
    names: list[str] | None = None, *, looks: int = 30, threads: int = 1
) -> Iterator[dict[str, Any]]:
    """Time whole looks (1080p frame in, detections out) of each model in the same minute.

    The models take turns look by look, so that a noisy machine is equally noisy for all of them;
    the ratios are what counts. ``threads``: of one inference.
    """
    if looks < 1:
        raise ValueError(f"looks: {looks} is not a number of looks from 1 up")
    wanted = names or known_models()
    detectors = {name: open_detector(name, threads=threads) for name in wanted}
    spent = _turns(detectors, looks)
    slowest = max(float(np.percentile(ms, 10)) for ms in spent.values()) if spent else 0.0
    for name, ms in spent.items():
        manifest: Manifest = load_manifest(find_manifest(name))
        tenth, median, ninetieth = (round(float(v), 1) for v in np.percentile(ms, (10, 50, 90)))
        yield {
            "model": name,
            "runtime": manifest.runtime,
            "threads": threads,
            "frame": "1920x1080",
            "longest_side": manifest.input.longest_side,
            "looks": looks,
            "ms_p10": tenth,
            "ms_p50": median,
            "ms_p90": ninetieth,
            "times_faster_than_slowest": round(slowest / float(np.percentile(ms, 10)), 2),
        }
    yield {
        "summary": {
            "models": len(spent),
            "looks": looks,
            "threads": threads,
            "machine": machine(),
        }
    }


def _turns(detectors: dict[str, Detector], looks: int) -> dict[str, list[float]]:
    frame = np.random.default_rng(0).integers(0, 256, (1080, 1920, 3), np.uint8)
    spent: dict[str, list[float]] = {name: [] for name in detectors}
    for _ in range(looks):
        for name, detector in detectors.items():
            began = time.perf_counter()
            detector.detect(frame)
            spent[name].append((time.perf_counter() - began) * 1000)
    return spent


def add_train_options(parser: argparse.ArgumentParser) -> None:
    """The options of `tianyan model train`."""
    from training.train import add_options

    add_options(parser)


def train_model(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """A line an epoch, then the summary with the file of the weights. Needs `tianyan[train]`."""
    from training.train import plan_of, train

    yield from train(plan_of(options))


def add_export_options(parser: argparse.ArgumentParser) -> None:
    """The options of `tianyan model export`."""
    add = parser.add_argument
    add(
        "--format",
        choices=("onnx", "openvino-int8"),
        default="onnx",
        help="onnx from --weights; openvino-int8 from the model --model, calibrated on train",
    )
    add("--weights", type=Path, metavar="FILE.pt", help="what training wrote")
    add("--model", default=DEFAULT_MODEL, help="the model in float that becomes int8")
    add("--base", type=Path, metavar="FILE.pt", help="blend with this net (see --share)")
    add("--share", type=float, default=1.0, help="share of --weights in the blend, 0 to 1")
    add("--data", type=Path, required=True, metavar="DATASET.yaml", help="scored on its val split")
    add("--name", default=DEFAULT_MODEL)
    add("--version", help="of a model from --weights; int8 keeps its float model's")
    add("--licence", default="AGPL-3.0")
    add("--longest-side", type=int, default=640, help="input, pixels")
    add("--about", type=Path, metavar="FILE.yaml", help="provenance, copied into the manifest")
    add("--out", type=Path, required=True, metavar="DIR", help="the model's folder")  # fmt: skip


def export_model(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Write a model folder: graph, manifest, thresholds and val scores. Needs `tianyan[train]`."""
    val = read_dataset(options.data, "val")
    if options.format == "openvino-int8":
        from training.quantise import quantise

        learned = read_dataset(options.data, "train")
        written = quantise(find_manifest(options.model), learned, val, options.out)
    else:
        written = _export_onnx(options, val)
    manifest = load_manifest(written)
    yield {"manifest": str(written), "sha256": manifest.sha256, "thresholds": manifest.thresholds}
    yield {"summary": {"model": manifest.name, "scores": manifest.scores}}


def _export_onnx(options: argparse.Namespace, val: Dataset) -> Path:
    import yaml

    from training import street_net
    from training.export import Identity, export

    if options.weights is None or options.version is None:
        raise ValueError("weights, version: --format onnx needs --weights and --version")
    if not 0 <= options.share <= 1:
        raise ValueError(f"share: {options.share} is not a share from 0 to 1")
    net = street_net.load(options.weights)
    if options.base is not None:
        base = street_net.relabel(street_net.load(options.base), street_net.labels_of(net))
        net = street_net.blend(base, net, options.share)
    about = yaml.safe_load(options.about.read_text(encoding="utf-8")) if options.about else {}
    identity = Identity(
        name=options.name,
        version=options.version,
        licence=options.licence,
        longest_side=options.longest_side,
        about=about,
    )
    return export(net, identity, val, options.out)
