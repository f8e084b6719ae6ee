"""Pictures with boxes in the YOLO layout, read with every fault named.

One picture is ``images/<split>/NAME.jpg`` with ``labels/<split>/NAME.txt`` beside it; a line of the
label file is ``class x_centre y_centre width height`` with all four as fractions of the picture.
An empty label file says "nothing to report here", and so does, by the custom of the layout, a
missing one: how many are missing is logged. Where none is there at all they were forgotten, and
the folder is refused.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt
import yaml

from edge.camera.frame import Image

log = logging.getLogger(__name__)

Boxes: TypeAlias = npt.NDArray[np.float32]
"""Shape (n, 5): class index, x_centre, y_centre, width, height; the last four 0..1."""

OVER_THE_EDGE = 0.01
"""Rounding of a label tool: a box may reach this far over the picture's edge; it is cut there."""

PICTURE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp"})


class DatasetError(ValueError):
    """A data set that cannot be read as it stands; the message names file, line and remedy."""


@dataclass(frozen=True)
class Picture:
    """One labelled picture; the class column of ``boxes`` indexes the data set's ``labels``."""

    path: Path
    boxes: Boxes


@dataclass(frozen=True)
class Dataset:
    """The pictures of one split, in the order of their paths."""

    labels: tuple[str, ...]
    pictures: tuple[Picture, ...]


def read_dataset(file: Path, split: str = "val") -> Dataset:
    """Read one split of a YOLO data set description.

    ``path`` in the file is relative to the file itself, the split's folders are relative to
    ``path``, and a split may list several folders.
    """
    description = _description(file)
    labels = _labels(file, description.get("names"))
    if split not in description:
        raise DatasetError(f"{file}: no split {split!r} (has {', '.join(_splits(description))})")
    root = file.parent / str(description.get("path", "."))
    entries = description[split]
    folders = [entries] if isinstance(entries, str) else entries
    if not isinstance(folders, list) or not all(isinstance(one, str) for one in folders):
        raise DatasetError(
            f"{file}: {split}: {entries!r} is neither a folder nor a list of folders"
        )
    pictures = [picture for one in folders for picture in read_folder(root / one, len(labels))]
    return Dataset(labels=labels, pictures=tuple(pictures))


def has_split(file: Path, split: str) -> bool:
    """Whether a data set description names a split."""
    return split in _description(file)


def read_folder(folder: Path, label_count: int) -> list[Picture]:
    """Read every picture below one ``images`` folder together with its label file."""
    if not folder.is_dir():
        raise DatasetError(f"{folder}: no such folder of pictures")
    files = sorted(p for p in folder.rglob("*") if p.suffix.lower() in PICTURE_SUFFIXES)
    if not files:
        raise DatasetError(f"{folder}: no picture in it ({', '.join(sorted(PICTURE_SUFFIXES))})")
    unlabelled = [f for f in files if not label_file(f).is_file()]
    if len(unlabelled) == len(files):
        raise DatasetError(
            f"{folder}: none of its {len(files)} pictures has a label file"
            f" (the first would be {label_file(files[0])})"
        )
    if unlabelled:
        log.warning(
            "%s: %d of %d pictures have no label file and count as showing nothing to report: %s",
            folder, len(unlabelled), len(files), ", ".join(f.name for f in unlabelled[:5]),
        )  # fmt: skip
    return [Picture(path=f, boxes=read_boxes(label_file(f), label_count)) for f in files]


def label_file(picture: Path) -> Path:
    """Where a picture's boxes lie: the last ``images`` folder of its path becomes ``labels``."""
    parts = list(picture.parts)
    places = [i for i, part in enumerate(parts[:-1]) if part == "images"]
    if not places:
        raise DatasetError(
            f"{picture}: not below a folder called 'images', so it has no label file"
        )
    parts[places[-1]] = "labels"
    return Path(*parts).with_suffix(".txt")


def read_boxes(file: Path, label_count: int) -> Boxes:
    """Read one label file; no line, or no file, gives shape (0, 5)."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        text = ""
    except UnicodeDecodeError:
        raise DatasetError(f"{file}: not text in UTF-8") from None
    lines = ((number, line.split()) for number, line in enumerate(text.splitlines(), 1))
    rows = [_box(f"{file}:{number}", words, label_count) for number, words in lines if words]
    return np.array(rows, dtype=np.float32).reshape(-1, 5)


def read_picture(file: Path) -> Image:
    """Decode one picture to BGR."""
    image = cv2.imread(str(file), cv2.IMREAD_COLOR)
    if image is None:
        raise DatasetError(f"{file}: not a picture that can be read")
    return np.asarray(image, np.uint8)


def _box(where: str, words: Sequence[str], label_count: int) -> list[float]:
    try:
        values = [float(word) for word in words]
    except ValueError:
        values = []
    if len(values) != 5:
        raise DatasetError(
            f"{where}: {' '.join(words)!r} is not 'class x_centre y_centre width height'"
        )
    label, *sides = values
    if label not in range(label_count):
        raise DatasetError(f"{where}: class {words[0]} is not one of 0..{label_count - 1}")
    if not all(0 <= side <= 1 + OVER_THE_EDGE for side in sides) or min(sides[2:]) == 0:
        raise DatasetError(f"{where}: {' '.join(words[1:])!r} is not a box of fractions 0..1")
    return [label, *(min(side, 1.0) for side in sides)]


def _description(file: Path) -> Mapping[str, Any]:
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise DatasetError(f"{file}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise DatasetError(f"{file}: not text in UTF-8") from None
    except yaml.YAMLError as error:
        raise DatasetError(f"{file}: not YAML: {error}") from None
    if not isinstance(content, dict):
        raise DatasetError(f"{file}: not a data set description (path, train, val, names)")
    return content


def _labels(file: Path, names: object) -> tuple[str, ...]:
    if isinstance(names, dict) and sorted(names) == list(range(len(names))):
        names = [names[i] for i in range(len(names))]
    if not isinstance(names, list) or not names:
        raise DatasetError(f"{file}: names: must list the classes 0, 1, 2, … without a gap")
    return tuple(str(name) for name in names)


def _splits(description: Mapping[str, Any]) -> list[str]:
    return sorted(set(description) - {"path", "names", "nc"})
