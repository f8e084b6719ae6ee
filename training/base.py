"""The COCO net that a street model is held against, as a checkpoint or as it was exported."""

import ast
from pathlib import Path

from edge.detect.errors import BadModel
from edge.detect.manifest import Input, Manifest
from edge.detect.onnx import onnx_detector
from training.evaluate import Detector
from training.labels import LABELS

EXPORTED = ".onnx"


def base_sight(file: Path, longest_side: int, *, least: float) -> Detector:
    """What it sees of the street model's labels, from `least` up.

    A checkpoint needs torch (`tianyan[train]`), an exported net nothing more than the edge does.
    Raises BadModel.
    """
    if file.suffix == EXPORTED:
        return _exported(file, longest_side, least)
    from training import street_net

    net = street_net.relabel(street_net.load(file), LABELS)
    return street_net.sight(net, longest_side, least=least)


def _exported(file: Path, longest_side: int, least: float) -> Detector:
    manifest = Manifest(
        name="base",
        version="0",
        file=file.name,
        sha256="0" * 64,
        licence="of the base",
        labels=_names(file),
        input=Input(longest_side=longest_side),
        thresholds={"default": least},
    )
    detector = onnx_detector(manifest, file, 1)
    return lambda image: [box for box in detector.detect(image) if box.label in LABELS]


def _names(file: Path) -> list[str]:
    """The labels as Ultralytics writes them into what it exports."""
    import onnxruntime as ort  # type: ignore[import-untyped]

    try:
        session = ort.InferenceSession(str(file), providers=["CPUExecutionProvider"])
        names = ast.literal_eval(session.get_modelmeta().custom_metadata_map["names"])
        return [str(names[number]) for number in range(len(names))]
    except KeyError:
        raise BadModel(f"{file}: names no labels; a net exported by Ultralytics does") from None
    except (ValueError, SyntaxError) as fault:
        raise BadModel(f"{file}: its labels cannot be read: {fault}") from None
    except Exception as fault:  # noqa: BLE001 - ONNX Runtime has no common base
        raise BadModel(f"{file}: ONNX Runtime cannot load it: {fault}") from None
