"""A data set on its way out: as a folder, or as a ZIP that is made while it is read."""

import io
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

from hub.config import Learning
from hub.datasets.dataset import Dataset, Sample, description, label_lines, manifest
from hub.errors import HubError
from hub.evidence.store import Vault

LONG_AGO = (1980, 1, 1, 0, 0, 0)
"""The date of every file in a ZIP: the same data give the same bytes."""


def texts(dataset: Dataset, learning: Learning, owner: str) -> Iterator[tuple[str, str]]:
    """Every file but the pictures: path and content."""
    yield "data.yaml", description(dataset)
    yield "manifest.csv", manifest(dataset, learning.owner or owner, learning.licence)
    for sample in dataset.samples:
        yield sample.label_file, label_lines(sample, dataset.labels)


def write_folder(
    dataset: Dataset, vault: Vault, learning: Learning, owner: str, folder: Path
) -> None:
    """Write the data set to a folder that is not there yet, or is empty; all of it or nothing.

    Raises HubError.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise HubError(f"{folder}: is there already; name a new or empty folder")
    part = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    try:
        for name, content in texts(dataset, learning, owner):
            target = part / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(content, encoding="utf-8")
        for sample in dataset.samples:
            target = part / sample.file
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(_picture(vault, sample))
        if folder.exists():
            folder.rmdir()
        part.replace(folder)
    except OSError as fault:
        raise HubError(f"{fault.filename or folder}: {fault.strerror}") from None
    finally:
        shutil.rmtree(part, ignore_errors=True)


def stream_zip(dataset: Dataset, vault: Vault, learning: Learning, owner: str) -> Iterator[bytes]:
    """The same as a ZIP, file by file, with no more than one picture in memory."""
    pipe = _Pipe()
    with zipfile.ZipFile(pipe, "w") as archive:
        for name, content in texts(dataset, learning, owner):
            archive.writestr(_entry(name, zipfile.ZIP_DEFLATED), content)
            yield pipe.take()
        for sample in dataset.samples:
            archive.writestr(_entry(sample.file), _picture(vault, sample))
            yield pipe.take()
    yield pipe.take()


def _picture(vault: Vault, sample: Sample) -> bytes:
    return vault.path(sample.picture.sha256).read_bytes()


def _entry(name: str, way: int = zipfile.ZIP_STORED) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, LONG_AGO)
    entry.compress_type = way
    entry.external_attr = 0o644 << 16
    return entry


class _Pipe(io.RawIOBase):
    """What is written into it can be taken out once."""

    def __init__(self) -> None:
        self._held = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        self._held += data  # type: ignore[arg-type]
        return len(data)  # type: ignore[arg-type]

    def take(self) -> bytes:
        held, self._held = bytes(self._held), bytearray()
        return held
