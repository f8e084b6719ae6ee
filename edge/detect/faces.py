"""Finds faces in a picture, so that they can be covered: CenterFace (Xu and others, 2019).

It is run on evidence only, never on every look. Where its weights or ONNX Runtime are absent, the
heads of the persons that the detector saw are covered all the same.
"""

import hashlib
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
import numpy.typing as npt

from edge.camera.frame import Image
from edge.detect.detection import Detection
from edge.detect.manifest import models_dir

log = logging.getLogger(__name__)

FILE = "centerface/centerface.onnx"
SHA256 = "149c5c4182fcb15178ca2b53e8afe3d3b6fbc79cf1b8071965b6e8ca2df0ff24"
STRIDE, CELL = 32, 4
LEAST_SCORE, SAME_FACE = 0.25, 0.4
PICTURE_SIDE, CLIP_SIDE = 960, 640
"""The longest side that a picture and a clip's frame are searched at; smaller faces are missed."""


class FaceFinder(Protocol):
    """Finds faces."""

    def find(self, image: Image, side: int = PICTURE_SIDE) -> list[Detection]:
        """Faces as fractions of the picture, searched at `side` pixels on its longest side."""
        ...


class NoFinder:
    """Finds none: there are no weights."""

    def find(self, image: Image, side: int = PICTURE_SIDE) -> list[Detection]:  # noqa: ARG002
        """Nothing."""
        return []


class CenterFace:
    """The net on ONNX Runtime, one thread."""

    def __init__(self, infer: Callable[[npt.NDArray[np.float32]], Sequence[Any]]) -> None:
        """`infer`: from the picture (1 × 3 × height × width, RGB) to heat, scale and offset."""
        self._infer = infer

    def find(self, image: Image, side: int = PICTURE_SIDE) -> list[Detection]:
        """Faces, best first."""
        height, width = image.shape[:2]
        scale = min(side / max(height, width), 1.0)
        size = _filled(width * scale), _filled(height * scale)
        blob = np.asarray(cv2.dnn.blobFromImage(image, 1.0, size, swapRB=True), np.float32)
        heat, scales, offsets = (np.asarray(out)[0] for out in self._infer(blob))
        return _faces(heat[0], scales, offsets, size)


def open_finder() -> FaceFinder:
    """The finder that ships with the models; says once when there is none."""
    path = models_dir() / FILE
    try:
        infer = _session(_weights(path))
    except (OSError, ValueError, ImportError) as fault:
        log.warning("no face finder (%s: %s): heads are covered by the persons' boxes only",
                    path, fault)  # fmt: skip
        return NoFinder()
    return CenterFace(infer)


def _weights(path: Path) -> bytes:
    data = path.read_bytes()
    if (found := hashlib.sha256(data).hexdigest()) != SHA256:
        raise ValueError(f"SHA-256 is {found}, must be {SHA256}")
    return data


def _session(data: bytes) -> Callable[[npt.NDArray[np.float32]], Sequence[Any]]:
    import onnxruntime as ort  # type: ignore[import-untyped]

    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    session = ort.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda blob: session.run(None, {name: blob})


def _filled(length: float) -> int:
    return max(-(-round(length) // STRIDE), 1) * STRIDE


def _faces(
    heat: npt.NDArray[np.float32],
    scales: npt.NDArray[np.float32],
    offsets: npt.NDArray[np.float32],
    size: tuple[int, int],
) -> list[Detection]:
    """Every cell hot enough is a face around it; of those that overlap the hottest stays."""
    rows, columns = np.nonzero(heat >= LEAST_SCORE)
    if not rows.size:
        return []
    heights, widths = (CELL * np.exp(each[rows, columns]) for each in scales)
    down, right = (each[rows, columns] for each in offsets)
    left = (columns + right + 0.5) * CELL - widths / 2
    top = (rows + down + 0.5) * CELL - heights / 2
    boxes = np.stack([left, top, widths, heights], axis=1).astype(float)
    scores = heat[rows, columns].astype(float)
    kept = cv2.dnn.NMSBoxes(boxes.tolist(), scores.tolist(), LEAST_SCORE, SAME_FACE)
    whole = np.array([*size, *size], float)
    return [
        Detection("face", float(scores[i]), *(float(v) for v in boxes[i] / whole))
        for i in np.asarray(kept).ravel()
    ]
