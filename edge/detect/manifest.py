"""What a model is: its file and proof, its labels, how it wants a picture, when to believe it.

A model is a folder `models/NAME/` with a `manifest.yaml` and the files it names.
"""

import hashlib
import os
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from edge.detect.errors import BadModel, unreadable
from wire.coded import coded

MANIFEST = "manifest.yaml"

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Score = Annotated[float, Field(gt=0, lt=1)]
FileName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Input(_Section):
    """How a picture becomes the network's input.

    `longest_side`: pixels, the picture keeps its aspect; each side is filled up to a multiple of
    `stride` (a graph of fixed size is filled up to that size instead). `pad`: the grey that fills
    up, 0 to 255. `scale`: each value is multiplied by it after padding.
    """

    longest_side: Annotated[int, Field(ge=32, le=4096)] = 640
    stride: Annotated[int, Field(ge=1, le=256)] = 32
    letterbox: Literal["centre", "top_left"] = "centre"
    pad: Annotated[int, Field(ge=0, le=255)] = 114
    colour: Literal["rgb", "bgr"] = "rgb"
    scale: Annotated[float, Field(gt=0, le=1)] = 1 / 255


class Manifest(_Section):
    """One model.

    `runtime`: a name of `edge.detect.detectors.RUNTIMES`. `file`, `sha256`: the weights;
    `more_files`: further files beside it by name and SHA-256 (an OpenVINO `.bin`). `labels`: in
    the order of the network's classes. `output`: `yolo` = 1 × (4 + labels) × candidates, a box
    being centre x, y, width, height in input pixels, then a score a label. `thresholds`: the
    score from which a label counts; `default` for those not named. `scores`, `about`: for people.
    """

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
    version: str
    runtime: str = "onnx"
    file: FileName
    sha256: Sha256
    more_files: dict[FileName, Sha256] = {}
    licence: Annotated[str, Field(min_length=1)]
    labels: Annotated[list[str], Field(min_length=1)]
    input: Input = Input()
    output: Literal["yolo"] = "yolo"
    thresholds: dict[str, Score] = {"default": 0.25}
    scores: dict[str, Any] = {}
    about: dict[str, Any] = {}

    def threshold(self, label: str) -> float:
        """The score from which `label` counts."""
        return self.thresholds.get(label, self.thresholds.get("default", 0.25))


def load_manifest(path: Path) -> Manifest:
    """Read and check a manifest, and the SHA-256 of every file it names.

    Raises BadModel.
    """
    manifest = _read(path)
    unknown = set(manifest.thresholds) - {"default", *manifest.labels}
    if unknown:
        raise BadModel(f"{path}: thresholds: {sorted(unknown)} are not labels of this model")
    if len(set(manifest.labels)) < len(manifest.labels):
        raise BadModel(f"{path}: labels: each once, got {manifest.labels}")
    for name, expected in {manifest.file: manifest.sha256, **manifest.more_files}.items():
        _check_file(path.parent / name, expected)
    return manifest


def models_dir() -> Path:
    """Where models lie: $TIANYAN_MODELS, else `models/` beside the package or `.venv`, else in `.`.

    An installed package lies within the environment: what is beside that is what was cloned.
    """
    named = os.environ.get("TIANYAN_MODELS")
    if named:
        return Path(named)
    beside = (Path(__file__).parents[2] / "models", Path(sys.prefix).parent / "models")
    return next((folder for folder in beside if folder.is_dir()), Path("models"))


def known_models() -> list[str]:
    """The names of the models that lie ready."""
    return sorted(path.parent.name for path in models_dir().glob(f"*/{MANIFEST}"))


def find_manifest(name_or_path: str | Path) -> Path:
    """The manifest of a model by its name, its folder or the manifest file itself.

    Raises BadModel, naming the models there are.
    """
    given = Path(name_or_path)
    for path in (given, given / MANIFEST, models_dir() / name_or_path / MANIFEST):
        if path.is_file():
            return path
    names = ", ".join(known_models()) or "none"
    raise BadModel(
        f"model {str(name_or_path)!r} is not known; in {models_dir()} there are: {names} "
        f"(or give the path of a {MANIFEST})"
    )


def _read(path: Path) -> Manifest:
    try:
        return Manifest.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except OSError as fault:
        raise BadModel(unreadable(path, fault)) from None
    except (yaml.YAMLError, UnicodeDecodeError) as fault:
        raise BadModel(f"{path}: is not YAML: {fault}") from None
    except ValidationError as fault:
        errors = "; ".join(
            f"{'.'.join(map(str, e['loc'])) or 'document'}: {e['msg']}" for e in fault.errors()
        )
        raise BadModel(f"{path}: {errors}") from None


def _check_file(path: Path, expected: str) -> None:
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as fault:
        raise BadModel(unreadable(path, fault)) from None
    if found != expected:
        raise BadModel(
            coded(
                "other_weights",
                "{file}: SHA-256 is {found}, the manifest says {wanted}",
                file=path,
                found=found,
                wanted=expected,
            )
        )
