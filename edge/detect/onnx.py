"""Networks on ONNX Runtime, on the CPU."""

from pathlib import Path
from typing import Any

from edge.detect.errors import BadModel
from edge.detect.manifest import Manifest
from edge.detect.yolo import Graph, YoloDetector, sides
from wire.coded import coded


def onnx_detector(manifest: Manifest, weights: Path, threads: int) -> YoloDetector:
    """Open an `.onnx` file.

    Raises BadModel when the runtime is missing or the graph does not fit the manifest.
    """
    session = _session(weights, threads)
    node = session.get_inputs()[0]
    shape = [side if isinstance(side, int) else None for side in node.shape]
    fixed = sides(weights, shape, node.type)
    return YoloDetector(
        manifest, Graph(weights, lambda blob: session.run(None, {node.name: blob})[0], fixed)
    )


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
        raise BadModel(
            coded(
                "not_loaded", "{file}: ONNX Runtime cannot load it: {why}", file=weights, why=fault
            )
        ) from None
