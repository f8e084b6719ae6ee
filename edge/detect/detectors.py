"""The detectors there are: a name → how to open it.

A new runtime is a file beside `onnx.py` and a row in `RUNTIMES`.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from edge.camera.frame import Image
from edge.detect.detection import Detection, Part
from edge.detect.errors import BadModel
from edge.detect.manifest import Manifest, Score, find_manifest, load_manifest
from edge.detect.onnx import onnx_detector
from edge.detect.openvino import openvino_detector


class Detector(Protocol):
    """What finds things in one picture. `name` is the model's, `labels` what it can say.

    `side`: pixels of the longer side beyond which a picture shows it nothing more.
    """

    name: str
    labels: tuple[str, ...]
    side: int

    def detect(self, image: Image, least: float | None = None) -> list[Detection]:
        """What is in the picture (height × width × 3, BGR), best score first.

        From each label's threshold up; with `least`, also what is fainter, down to that score.
        """
        ...

    def glance(
        self, image: Image, part: Part, least: float | None = None
    ) -> list[Detection] | None:
        """What is in a part of the picture, seen as large as in a look at the whole.

        What is cut by an inner edge of the part is left out. None: only the whole can be looked
        at now, or costs no more.
        """
        ...

    def threshold(self, label: str) -> float:
        """The score from which `label` counts."""
        ...


Factory = Callable[[Manifest, Path, int], Detector]

RUNTIMES: dict[str, Factory] = {
    "onnx": onnx_detector,
    "openvino": openvino_detector,
}


def open_detector(
    name_or_path: str | Path, *, conf: Score | None = None, threads: int = 1
) -> Detector:
    """Open a model by its name in `models/`, its folder or its manifest.

    `conf`: one threshold for every label instead of the manifest's. `threads`: of one inference;
    more than one collapses on a loaded machine, so scale by processes.
    Raises BadModel: unknown name, wrong SHA-256, missing runtime, a graph that does not fit.
    """
    path = find_manifest(name_or_path)
    manifest = load_manifest(path)
    if manifest.runtime not in RUNTIMES:
        names = ", ".join(sorted(RUNTIMES))
        raise BadModel(f"{path}: runtime: {manifest.runtime!r} is not a runtime ({names})")
    if conf is not None:
        if not 0 < conf < 1:
            raise BadModel(f"conf: {conf} is not a score between 0 and 1")
        manifest = manifest.model_copy(update={"thresholds": {"default": conf}})
    return RUNTIMES[manifest.runtime](manifest, path.parent / manifest.file, threads)
