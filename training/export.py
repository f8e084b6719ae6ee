"""From a fine-tuned checkpoint to a model folder that the edge can open: ONNX, manifest, proof."""

from __future__ import annotations

import hashlib
import logging
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import yaml

from edge.detect.detectors import open_detector
from edge.detect.manifest import MANIFEST
from edge.detect.relations import GOODS, LEAST_GOODS
from training.dataset import Dataset
from training.evaluate import LEAST, Looked, Score, look, score
from training.labels import STREET, TRAFFIC

if TYPE_CHECKING:
    from torch import nn

log = logging.getLogger(__name__)

OPSET = 17
"""ONNX Runtime reads it from 1.12 on, OpenVINO and OpenCV read it too."""

SHAPES = ((384, 640), (640, 384), (480, 640), (640, 640), (256, 448))
"""Heights and widths at which the exported graph must agree with the net."""

PIXELS, SCORES = 0.5, 0.005
"""Largest allowed difference between the graph and the net: box measures, scores."""

STEPS = tuple(round(0.1 + 0.05 * i, 2) for i in range(17))
"""Scores that are tried as operating points: 0.10, 0.15, … 0.90."""


DEFAULT_THRESHOLD = 0.25
"""Of people and vehicles. Goods count from the relation's own least score on: alone they say
nothing, beside a person who stays they are evidence."""


class ExportError(ValueError):
    """An export that does not say what the net says."""


@dataclass(frozen=True)
class Identity:
    """What the manifest says about a model beside its figures."""

    name: str
    version: str
    licence: str
    longest_side: int
    about: Mapping[str, Any]


def export(net: nn.Module, identity: Identity, val: Dataset, folder: Path) -> Path:
    """Write ``folder/NAME.onnx`` and its manifest with thresholds and scores; answers the manifest.

    Raises ExportError when the graph's answers differ from the net's.
    """
    from training import street_net

    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{identity.name}.onnx"
    export_onnx(net, file)
    labels = street_net.labels_of(net)
    manifest = _manifest(identity, file, labels)
    target = folder / MANIFEST
    _write(manifest, target)
    rows = measure(target, val)
    thresholds = {label: operating_point(one) for label, one in rows.items()}
    goods = {label: LEAST_GOODS for label in labels if label in set(GOODS) - set(TRAFFIC + STREET)}
    manifest["thresholds"] = {"default": DEFAULT_THRESHOLD, **thresholds, **goods}
    manifest["scores"] = {
        "val": {label: figures(label, one, thresholds[label]) for label, one in rows.items()}
    }
    _write(manifest, target)
    return target


def export_onnx(net: nn.Module, file: Path) -> None:
    """Write the graph with free height and width (multiples of 32), without NMS, and compare."""
    from ultralytics import YOLO

    from training import street_net

    with tempfile.TemporaryDirectory() as place:
        checkpoint = Path(place) / "net.pt"
        street_net.save(net, checkpoint)
        written = YOLO(str(checkpoint)).export(
            format="onnx", dynamic=True, simplify=True, opset=OPSET, imgsz=SHAPES[0], device="cpu"
        )
        _write_finished(Path(written), file)
    compare(net, file)


def _write_finished(written: Path, file: Path) -> None:
    """Make it quick, and leave out the hour: the same net has the same SHA-256."""
    import onnx

    from training.quick_boxes import with_quick_boxes
    from training.quick_layers import with_quick_layers

    graph = with_quick_layers(with_quick_boxes(onnx.load(str(written))))
    kept = {entry.key: entry.value for entry in graph.metadata_props if entry.key != "date"}
    onnx.helper.set_model_props(graph, kept)
    onnx.save(graph, str(file))


def compare(net: nn.Module, file: Path) -> None:
    """Refuse a graph that answers otherwise than the net, on noise of several shapes."""
    import onnxruntime as ort  # type: ignore[import-untyped]
    import torch

    session = ort.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    rng = np.random.default_rng(0)
    net.eval()
    for height, width in SHAPES:
        blob = rng.random((1, 3, height, width), np.float32)
        with torch.inference_mode():
            output = net(torch.from_numpy(blob))
        expected = (output[0] if isinstance(output, tuple | list) else output).numpy()
        answered = session.run(None, {session.get_inputs()[0].name: blob})[0]
        if answered.shape != expected.shape:
            raise ExportError(f"{file}: output {answered.shape}, the net's is {expected.shape}")
        gap = np.abs(answered - expected)[0]
        log.info("%s %dx%d: boxes differ %.4f px, scores %.5f",
                 file.name, height, width, gap[:4].max(), gap[4:].max())  # fmt: skip
        if gap[:4].max() > PIXELS or gap[4:].max() > SCORES:
            raise ExportError(
                f"{file}: at {height}x{width} boxes differ by {gap[:4].max():.3f} px (allowed "
                f"{PIXELS}), scores by {gap[4:].max():.4f} (allowed {SCORES})"
            )


def measure(manifest: Path, dataset: Dataset) -> dict[str, list[Looked]]:
    """What the exported model sees on a data set, per class it knows, down to the least score."""
    detector = open_detector(manifest, conf=LEAST, threads=2)
    rows = list(look(dataset.pictures, detector.detect, dataset.labels))
    return {
        label: [one[index] for one in rows]
        for index, label in enumerate(dataset.labels)
        if label in detector.labels
    }


def operating_point(rows: Sequence[Looked]) -> float:
    """The score with the best F1 per picture (shown and claimed); of equals the highest.

    Per picture, not per box: an operator asks whether the matter is there, and boxes drawn by eye
    on heaps and market rows say little at their edges.
    """
    return max(STEPS, key=lambda step: (_present_f1(score("", rows, 0.5, step)), step))


def _present_f1(one: Score) -> float:
    found, missed = one.present.hits, one.present.of - one.present.hits
    return 2 * found / max(1, 2 * found + missed + one.false_alarm.hits)


def figures(label: str, rows: Sequence[Looked], threshold: float) -> dict[str, Any]:
    """A class's figures with the counts behind them, at IoU 0.5 and, for its AP, at 0.3 too."""
    at_half = score(label, rows, 0.5, threshold)
    at_third = score(label, rows, 0.3, threshold)
    return {
        "images": at_half.images,
        "instances": at_half.instances,
        "threshold": threshold,
        "precision": _fraction(at_half.precision.hits, at_half.precision.of),
        "recall": _fraction(at_half.recall.hits, at_half.recall.of),
        "ap50": _rounded(at_half.ap),
        "ap30": _rounded(at_third.ap),
        "recall_iou30": _fraction(at_third.recall.hits, at_third.recall.of),
        "present_recall": _fraction(at_half.present.hits, at_half.present.of),
        "present_false_alarm": _fraction(at_half.false_alarm.hits, at_half.false_alarm.of),
    }


def _fraction(hits: int, of: int) -> str:
    return f"{hits}/{of}"


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def _manifest(identity: Identity, file: Path, labels: Sequence[str]) -> dict[str, Any]:
    return {
        "name": identity.name,
        "version": identity.version,
        "runtime": "onnx",
        "file": file.name,
        "sha256": sha256(file),
        "licence": identity.licence,
        "labels": list(labels),
        "input": {
            "longest_side": identity.longest_side,
            "stride": 32,
            "letterbox": "centre",
            "pad": 114,
            "colour": "rgb",
            "scale": 1 / 255,
        },
        "output": "yolo",
        "thresholds": {"default": DEFAULT_THRESHOLD},
        "about": dict(identity.about),
    }


def sha256(file: Path) -> str:
    """The file's SHA-256 in lower-case hex."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _write(manifest: Mapping[str, Any], target: Path) -> None:
    text = yaml.safe_dump(dict(manifest), sort_keys=False, allow_unicode=True, width=100)
    target.write_text(text, encoding="utf-8")
