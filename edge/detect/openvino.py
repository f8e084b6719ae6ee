"""Networks on OpenVINO, on the CPU: `.xml` with `.bin` (int8 from NNCF), or `.onnx` in float.

An ONNX file quantised by NNCF loads without an error and detects nothing; quantise to OpenVINO's
own format.
"""

from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any

from edge.detect.errors import BadModel
from edge.detect.manifest import Manifest
from edge.detect.yolo import Graph, Tensor, YoloDetector, sides

STEPS = 3
"""To compile a size takes half a second and 36 MB, so parts of a picture come in a few. Six steps
save a twentieth of the network more and want three times the sizes."""

SIZES = 2 * STEPS**2
"""Compiled networks kept: all sizes of two shapes of picture; most boxes see one."""


def openvino_detector(manifest: Manifest, weights: Path, threads: int) -> YoloDetector:
    """Open an `.xml` or `.onnx` file.

    Raises BadModel when the runtime is missing or the graph does not fit the manifest.
    """
    try:
        import openvino as ov
    except ImportError as fault:
        raise BadModel(
            f"{weights}: OpenVINO is missing ({fault}); pip install 'tianyan[openvino]'"
        ) from None
    core = ov.Core()
    network = _network(core, weights)
    node = network.input(0)
    shape = [side.get_length() if side.is_static else None for side in node.get_partial_shape()]
    fixed = sides(weights, shape, node.get_element_type().get_type_name())

    @lru_cache(maxsize=SIZES)
    def compiled(size: tuple[int, ...]) -> Any:
        sized = network.clone()
        sized.reshape(list(size))
        return core.compile_model(
            sized,
            "CPU",
            {"INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1, "PERFORMANCE_HINT": "LATENCY"},
        ).create_infer_request()

    turn = Lock()  # a request takes one picture at a time, and live pictures have their own thread

    def run(blob: Tensor) -> Any:
        with turn:
            request = compiled(blob.shape)
            request.infer([blob], share_inputs=True)
            return request.get_output_tensor(0).data.copy()

    return YoloDetector(manifest, Graph(weights, run, fixed, STEPS))


def _network(core: Any, weights: Path) -> Any:
    try:
        return core.read_model(weights)
    except RuntimeError as fault:
        first = str(fault).strip().splitlines()[0]
        raise BadModel(f"{weights}: OpenVINO cannot load it: {first}") from None
