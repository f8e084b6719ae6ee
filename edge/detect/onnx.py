"""The detector on ONNX Runtime, on the CPU."""

from pathlib import Path
from typing import Any

import numpy as np

from edge.camera.frame import Image
from edge.detect.candidates import choose, split_yolo
from edge.detect.detection import Detection
from edge.detect.errors import BadModel
from edge.detect.letterbox import letterbox
from edge.detect.manifest import Manifest


class OnnxDetector:
    """One network in one session. Safe to share between threads, but each run is one thread."""

    def __init__(self, manifest: Manifest, weights: Path, threads: int) -> None:
        """Load and try the weights; raises BadModel."""
        self.name = manifest.name
        self.labels = tuple(manifest.labels)
        self._manifest = manifest
        self._thresholds = np.array([manifest.threshold(x) for x in self.labels], np.float32)
        self._session = _session(weights, threads)
        self._input, self._fixed = _input_of(self._session, weights)
        self._check_output(weights)

    def detect(self, image: Image, least: float | None = None) -> list[Detection]:
        """What is in the picture, best score first (see `edge.detect.detectors.Detector`)."""
        height, width = image.shape[:2]
        box = letterbox(width, height, self._manifest.input, self._fixed)
        blob = box.blob(image, self._manifest.input)
        boxes, scores = split_yolo(self._session.run(None, {self._input: blob})[0])
        thresholds = self._thresholds
        if least is not None:
            thresholds = np.minimum(thresholds, np.float32(least))
        return choose(box.fractions(boxes), scores, self.labels, thresholds)

    def threshold(self, label: str) -> float:
        """The score from which `label` counts."""
        return self._manifest.threshold(label)

    def _check_output(self, weights: Path) -> None:
        """Run once on grey: a graph that does not fit its manifest stops the start."""
        side = self._manifest.input.longest_side
        grey = np.full((side * 9 // 16, side, 3), self._manifest.input.pad, np.uint8)
        blob = letterbox(side, side * 9 // 16, self._manifest.input, self._fixed).blob(
            grey, self._manifest.input
        )
        try:
            shape = self._session.run(None, {self._input: blob})[0].shape
        except Exception as fault:  # noqa: BLE001 - ONNX Runtime has no common base
            raise BadModel(f"{weights}: does not run on {blob.shape}: {fault}") from None
        rows = 4 + len(self.labels)
        if len(shape) != 3 or shape[:2] != (1, rows):
            raise BadModel(
                f"{weights}: the output is {tuple(shape)}; {len(self.labels)} labels in the "
                f"manifest need (1, {rows}, candidates)"
            )


def onnx_detector(manifest: Manifest, weights: Path, threads: int) -> OnnxDetector:
    """Open the weights on ONNX Runtime.

    Raises BadModel when the runtime is missing or the graph does not fit the manifest.
    """
    return OnnxDetector(manifest, weights, threads)


def _session(weights: Path, threads: int) -> Any:
    try:
        import onnxruntime as ort  # type: ignore[import-untyped]
    except ImportError as fault:
        raise BadModel(
            f"{weights}: ONNX Runtime is missing ({fault}); pip install 'tianyan[edge]'"
        ) from None
    ort.disable_telemetry_events()
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    try:
        return ort.InferenceSession(str(weights), options, providers=["CPUExecutionProvider"])
    except Exception as fault:  # noqa: BLE001 - ONNX Runtime has no common base
        raise BadModel(f"{weights}: ONNX Runtime cannot load it: {fault}") from None


def _input_of(session: Any, weights: Path) -> tuple[str, tuple[int | None, int | None]]:
    """The input's name, and its height and width where the graph fixes them."""
    node = session.get_inputs()[0]
    if len(node.shape) != 4 or node.shape[1] != 3 or node.type != "tensor(float)":
        raise BadModel(
            f"{weights}: the input is {node.type} {node.shape}; needed are float pictures "
            "(1, 3, height, width)"
        )
    height, width = (side if isinstance(side, int) else None for side in node.shape[2:])
    return node.name, (height, width)
