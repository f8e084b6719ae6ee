"""Where the pictures of a data set come from: `manifest.csv` beside its description."""

import csv
import hashlib
from dataclasses import dataclass
from pathlib import Path

from training.dataset import Dataset, DatasetError, label_file

MANIFEST = "manifest.csv"
NEEDED = ("file", "camera", "taken_at")


@dataclass(frozen=True)
class Source:
    """The camera of a picture and the day it was taken."""

    camera: str
    day: str

    @property
    def group(self) -> str:
        """Pictures of one camera and day are alike; they count as one draw."""
        return f"{self.camera} {self.day}"


def sources_of(description: Path) -> dict[Path, Source]:
    """Picture → its source; empty where no manifest says so.

    Raises DatasetError naming the line of a row that cannot be read.
    """
    file = description.parent / MANIFEST
    if not file.is_file():
        return {}
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            table = csv.DictReader(stream)
            if not set(NEEDED) <= set(table.fieldnames or ()):
                return {}
            return dict(_row(file, table.line_num, row) for row in table)
    except UnicodeDecodeError:
        raise DatasetError(f"{file}: not text in UTF-8") from None
    except csv.Error as fault:
        raise DatasetError(f"{file}: not CSV: {fault}") from None


def _row(file: Path, line: int, row: dict[str, str]) -> tuple[Path, Source]:
    values = {name: row.get(name) or "" for name in NEEDED}
    empty = [name for name, value in values.items() if not value]
    if empty or None in row:
        said = f"{', '.join(empty)} empty" if empty else "more values than columns"
        raise DatasetError(f"{file}:{line}: {said}; needed are {', '.join(NEEDED)}")
    picture = file.parent / values["file"]
    if not picture.is_file():
        raise DatasetError(f"{file}:{line}: file: {values['file']} is not there")
    return picture.resolve(), Source(values["camera"], values["taken_at"][:10])


def fingerprint(dataset: Dataset) -> str:
    """SHA-256 over every picture and its boxes, whatever the folder is called."""
    digest = hashlib.sha256("\n".join(dataset.labels).encode())
    for picture in dataset.pictures:
        digest.update(picture.path.name.encode())
        digest.update(hashlib.sha256(picture.path.read_bytes()).digest())
        boxes = label_file(picture.path)
        digest.update(boxes.read_bytes() if boxes.is_file() else b"")
    return digest.hexdigest()
