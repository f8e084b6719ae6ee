"""From a model in float to the same model in int8 for OpenVINO, and proof that it is the same.

NNCF measures how large each value gets on some pictures that were learned from, and chooses the
steps of 8 bits by that; nothing is trained. The last steps, from the head's answers to boxes and
scores, stay in float: pixels do not fit in 256 steps. The result is OpenVINO's own format: as ONNX
the same graph loads without an error and sees nothing.
"""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import yaml

from edge.camera.frame import Image
from edge.detect.detectors import Detector, open_detector
from edge.detect.letterbox import letterbox
from edge.detect.manifest import MANIFEST, Manifest, load_manifest
from edge.detect.selftest import SelfTestFailed, make_self_test, self_test
from edge.detect.yolo import Tensor
from training.dataset import Dataset, read_picture
from training.export import ExportError, figures, measure, sha256

log = logging.getLogger(__name__)

CALIBRATED_ON = 300
"""Pictures. From 80 to 300 the boxes of matters on 120 others came nearer to float's (3.2 to 2.9
pixels of 640), the scores did not."""

SEED = 0
FLOAT_PART = r".*/model\.23/(dfl/.*|Add.*|Sub.*|Mul.*|Div.*|Sigmoid.*|Concat.*)"
"""What follows the head's last convolutions, by name."""

SCORE_GAP, LEAST_IOU = 0.15, 0.6
"""How far int8 may be off on a picture of the self-test, for anything seen surely: 256 steps move
the edge of a box 60 pixels high by a few pixels. A graph that is wrong sees nothing at all."""


def quantise(source: Path, learned: Dataset, val: Dataset, folder: Path) -> Path:
    """Write ``folder`` with the int8 form of the model at ``source`` (a manifest); its manifest.

    ``learned``: pictures to calibrate on. The thresholds stay those of the float model; the scores
    are measured afresh on ``val``. Raises ExportError when it does not see what the float model
    sees; the folder is then left without a manifest.
    """
    manifest = load_manifest(source)
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{folder.name}.xml"
    _write_graph(source.parent / manifest.file, manifest, learned, file)
    weights = file.with_suffix(".bin")
    document = {
        **yaml.safe_load(source.read_text(encoding="utf-8")),
        "name": folder.name,
        "runtime": "openvino",
        "file": file.name,
        "sha256": sha256(file),
        "more_files": {weights.name: sha256(weights)},
        "about": {
            "made_from": f"{manifest.name} {manifest.version}, sha256 {manifest.sha256}",
            "made_with": f"tianyan model export --format openvino-int8 --model {manifest.name}",
            "calibrated_on": f"{min(CALIBRATED_ON, len(learned.pictures))} pictures learned from",
        },
    }
    target = folder / MANIFEST
    _write(document, target)
    try:
        prove(open_detector(source), open_detector(target), folder)
    except SelfTestFailed as fault:
        target.unlink()
        raise ExportError(f"{file}: int8 does not see what float sees: {fault}") from None
    rows = measure(target, val)
    document["scores"] = {
        "val": {
            label: figures(label, looked, manifest.threshold(label))
            for label, looked in rows.items()
        }
    }
    _write(document, target)
    return target


def prove(in_float: Detector, in_int8: Detector, folder: Path) -> None:
    """Pack drawn streets with what the float model says of them, and ask the int8 model.

    Raises SelfTestFailed.
    """
    pictures = [
        (f"selftest-{number}.jpg", cv2.imencode(".jpg", street)[1].tobytes())
        for number, street in enumerate(_streets())
    ]
    make_self_test(in_float, pictures, folder, score_gap=SCORE_GAP, least_iou=LEAST_IOU)
    log.info("self-test: %.0f ms a look", self_test(in_int8, folder))


def _streets() -> Iterator[Image]:
    from scenes.labels import training_frames

    for number, (frame, _) in enumerate(training_frames(9, 1)):
        if number % 4 == 0:
            yield frame


def _write_graph(graph: Path, manifest: Manifest, learned: Dataset, file: Path) -> None:
    import nncf
    import openvino as ov

    # Not `read_model`: here x · sigmoid(x) becomes one operation, which a convolution takes in.
    # As two it is quantised thrice, at a quarter more time and some of the sight.
    network = ov.convert_model(graph)
    blobs = list(_blobs(manifest, learned))
    quantised = nncf.quantize(
        network,
        nncf.Dataset(blobs),
        preset=nncf.QuantizationPreset.MIXED,
        subset_size=len(blobs),
        ignored_scope=nncf.IgnoredScope(patterns=[FLOAT_PART], validate=False),
    )
    ov.save_model(quantised, file, compress_to_fp16=True)


def _blobs(manifest: Manifest, learned: Dataset) -> Iterator[Tensor]:
    order = np.random.default_rng(SEED).permutation(len(learned.pictures))
    for index in order[:CALIBRATED_ON]:
        image = read_picture(learned.pictures[index].path)
        box = letterbox(image.shape[1], image.shape[0], manifest.input)
        yield box.blob(image, manifest.input)


def _write(document: dict[str, Any], target: Path) -> None:
    text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=100)
    target.write_text(text, encoding="utf-8")
