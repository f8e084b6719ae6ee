"""A model as it travels: its folder as one ZIP without compression and without folders in it.

The manifest, the weights and the self-test that the manifest's folder holds; the same folder
gives the same bytes. Names are plain, so that nothing can be written outside a folder.
"""

import re
import zipfile
from collections.abc import Sequence
from pathlib import Path

MANIFEST, SELF_TEST = "manifest.yaml", "selftest.json"
NEEDED = (MANIFEST, SELF_TEST)
MOST_FILES = 40
PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
LONG_AGO = (1980, 1, 1, 0, 0, 0)


class BadBundle(ValueError):
    """A file that is no model's bundle; says what is wrong with it."""


def pack(folder: Path, target: Path) -> None:
    """Write the bundle of a model's folder.

    Raises BadBundle.
    """
    files = sorted(path for path in folder.iterdir() if path.is_file())
    check_names([path.name for path in files], str(folder))
    with zipfile.ZipFile(target, "w") as archive:
        for path in files:
            archive.writestr(zipfile.ZipInfo(path.name, LONG_AGO), path.read_bytes())


def unpack(bundle: Path, folder: Path, most_bytes: int) -> None:
    """Write the files of a bundle into a folder.

    Raises BadBundle, also when they are larger than `most_bytes` together.
    """
    try:
        with zipfile.ZipFile(bundle) as archive:
            entries = archive.infolist()
            check_names([entry.filename for entry in entries], bundle.name)
            if sum(entry.file_size for entry in entries) > most_bytes:
                raise BadBundle(f"{bundle.name}: unpacks to more than {most_bytes} bytes")
            for entry in entries:
                (folder / entry.filename).write_bytes(archive.read(entry))
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as fault:
        raise BadBundle(f"{bundle.name}: is no bundle of a model: {fault}") from None


def read(bundle: Path, name: str) -> bytes:
    """One file of a bundle.

    Raises BadBundle.
    """
    try:
        with zipfile.ZipFile(bundle) as archive:
            check_names(archive.namelist(), bundle.name)
            return archive.read(name)
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, KeyError) as fault:
        raise BadBundle(f"{bundle.name}: is no bundle of a model: {fault}") from None


def check_names(names: Sequence[str], where: str) -> None:
    """Raises BadBundle unless the names are those of a model's files."""
    strange = [name for name in names if not PLAIN.fullmatch(name)]
    if strange:
        raise BadBundle(f"{where}: {strange[0]!r} is no plain file name")
    if len(set(names)) < len(names) or len(names) > MOST_FILES:
        raise BadBundle(f"{where}: names must be unique and at most {MOST_FILES}")
    missing = [name for name in NEEDED if name not in names]
    if missing:
        raise BadBundle(
            f"{where}: {', '.join(missing)} is missing (tianyan model promote writes it)"
        )
