"""A YOLO network in any runtime: fit the picture in, run, read the boxes out."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.camera.frame import Image
from edge.detect.candidates import choose, split_yolo
from edge.detect.detection import Detection, Part
from edge.detect.errors import BadModel
from edge.detect.letterbox import letterbox
from edge.detect.manifest import Manifest
from wire.coded import coded

Tensor = NDArray[np.float32]

WORTH_A_GLANCE = 0.85
"""Of the whole input: a larger part saves too little."""


@dataclass(frozen=True)
class Graph:
    """A loaded network. `run`: 1 × 3 × height × width → its output; `fixed`: sides it insists on.

    `weights`: where it came from, for errors. `steps`: where each new size costs something, a
    side of a part is one of so many; 0 for any.
    """

    weights: Path
    run: Callable[[Tensor], Tensor]
    fixed: tuple[int | None, int | None] = (None, None)
    steps: int = 0


class YoloDetector:
    """One network behind the `Detector` protocol."""

    def __init__(self, manifest: Manifest, graph: Graph) -> None:
        """Try the graph; raises BadModel when it does not fit its manifest."""
        self.name = manifest.name
        self.labels = tuple(manifest.labels)
        self.side = manifest.input.longest_side
        self._manifest = manifest
        self._thresholds = np.array([manifest.threshold(x) for x in self.labels], np.float32)
        self._graph = graph
        self._check_output()

    def detect(self, image: Image, least: float | None = None) -> list[Detection]:
        """What is in the picture, best score first (see `edge.detect.detectors.Detector`)."""
        height, width = image.shape[:2]
        box = letterbox(width, height, self._manifest.input, self._graph.fixed)
        boxes, scores = split_yolo(self._graph.run(box.blob(image, self._manifest.input)))
        thresholds = self._thresholds
        if least is not None:
            thresholds = np.minimum(thresholds, np.float32(least))
        return choose(box.fractions(boxes), scores, self.labels, thresholds)

    def glance(
        self, image: Image, part: Part, least: float | None = None
    ) -> list[Detection] | None:
        """What is in a part of the picture (see `edge.detect.detectors.Detector`)."""
        if any(self._graph.fixed):
            return None
        height, width = image.shape[:2]
        box = letterbox(width, height, self._manifest.input)
        window = box.window(part, self._manifest.input.stride, self._graph.steps)
        size = (window.right - window.left) * (window.bottom - window.top)
        if size > WORTH_A_GLANCE * box.input_width * box.input_height:
            return None
        blob = window.cut(box.blob(image, self._manifest.input))
        boxes, scores = split_yolo(self._graph.run(blob))
        thresholds = self._thresholds
        if least is not None:
            thresholds = np.minimum(thresholds, np.float32(least))
        boxes = boxes + np.array([window.left, window.top, 0, 0], np.float32)
        whole = ~window.cuts(boxes, box)
        return choose(box.fractions(boxes[whole]), scores[whole], self.labels, thresholds)

    def threshold(self, label: str) -> float:
        """The score from which `label` counts."""
        return self._manifest.threshold(label)

    def _check_output(self) -> None:
        """Run once on grey: a graph that does not fit its manifest stops the start."""
        spec, weights = self._manifest.input, self._graph.weights
        width, height = spec.longest_side, spec.longest_side * 9 // 16
        grey = np.full((height, width, 3), spec.pad, np.uint8)
        blob = letterbox(width, height, spec, self._graph.fixed).blob(grey, spec)
        try:
            shape = self._graph.run(blob).shape
        except Exception as fault:  # noqa: BLE001 - the runtimes have no common base
            raise BadModel(
                coded(
                    "does_not_run",
                    "{file}: does not run on {shape}: {why}",
                    file=weights,
                    shape=blob.shape,
                    why=fault,
                )
            ) from None
        rows = 4 + len(self.labels)
        if len(shape) != 3 or shape[:2] != (1, rows):
            raise BadModel(
                f"{weights}: the output is {tuple(shape)}; {len(self.labels)} labels in the "
                f"manifest need (1, {rows}, candidates)"
            )


def sides(weights: Path, shape: list[int | None], kind: str) -> tuple[int | None, int | None]:
    """The height and width that a graph's input fixes.

    Raises BadModel when it takes no pictures. `kind`: the element type, for the error.
    """
    if len(shape) != 4 or shape[1] != 3:
        raise BadModel(
            f"{weights}: the input is {kind} {shape}; needed are float pictures "
            "(1, 3, height, width)"
        )
    return shape[2], shape[3]
