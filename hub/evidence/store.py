"""Files that show things: where they lie and what is known of them.

A file is written beside its place under a temporary name, synced and renamed: nobody ever sees
half of one. The database row is written after the file is safe. Sealed files lie encrypted, and
what is not the file its name promises lies aside.
"""

import hashlib
import os
import secrets
from collections.abc import Collection
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    String,
    Table,
    delete,
    false,
    func,
    select,
)
from sqlalchemy.engine import Connection

from hub.evidence.seal import BrokenSeal, seal, unseal
from hub.store import Instant, insert_new, metadata
from wire.coded import Coded, coded, words_of

files = Table(
    "evidence",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("type", String(32), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("device", String(64), nullable=False),
    Column("stored_at", Instant, nullable=False),
    Column("sealed", Boolean, nullable=False, server_default=false()),
    Index("ix_evidence_device", "device", "stored_at"),
)


CHECKS_REMEMBERED = 10_000
ASIDE_MOST = 200
"""Files that differ are kept to be looked into; of more the oldest go."""


class Differs(ValueError):
    """What lies under a name is missing, broken or another file; says which."""


MISSING = coded("file_missing", "the file is missing")


def other_hash(found: str) -> Coded:
    """Why a file is not the one it is called: its bytes are others."""
    return coded("other_hash", "the file's SHA-256 is {found}", found=found)


class Vault:
    """The folder of evidence files, named by SHA-256."""

    def __init__(self, folder: Path) -> None:
        """Make the folders and the key where they are missing."""
        self.folder = folder
        self.incoming = folder / "incoming"
        self.incoming.mkdir(parents=True, exist_ok=True)
        self.aside = folder / "aside"
        self.aside.mkdir(exist_ok=True)
        self.key = _key(folder / "grant-key")
        self._seal_key = _key(folder / "seal-key")
        self._checked: dict[str, tuple[int, int]] = {}

    def path(self, sha256: str) -> Path:
        """Where a file lies."""
        return self.folder / sha256[:2] / sha256

    def sealed_path(self, sha256: str) -> Path:
        """Where a sealed file lies."""
        return self.path(sha256).with_suffix(".sealed")

    def is_here(self, sha256: str) -> bool:
        """Whether something lies under that name."""
        return self.path(sha256).is_file() or self.sealed_path(sha256).is_file()

    def place_sealed(self, data: bytes, sha256: str) -> Path:
        """Encrypt a file and keep it; its plain bytes never touch the disk."""
        temporary = self.incoming / f"{secrets.token_hex(8)}.tmp"
        with temporary.open("wb") as file:
            file.write(seal(self._seal_key, data, sha256))
            file.flush()
            os.fsync(file.fileno())
        target = self.sealed_path(sha256)
        target.parent.mkdir(exist_ok=True)
        temporary.replace(target)
        sync(target.parent)
        return target

    def read(self, sha256: str) -> bytes:
        """The bytes of a file, unsealed where it is sealed, checked against their name.

        Raises Differs.
        """
        try:
            if self.path(sha256).is_file():
                data = self.path(sha256).read_bytes()
            else:
                data = unseal(self._seal_key, self.sealed_path(sha256).read_bytes(), sha256)
        except FileNotFoundError:
            raise Differs(MISSING) from None
        except BrokenSeal as fault:
            raise Differs(
                coded("sealed_file", "the sealed file {why}", why=words_of(fault))
            ) from None
        if (found := hashlib.sha256(data).hexdigest()) != sha256:
            raise Differs(other_hash(found))
        return data

    def check(self, sha256: str) -> None:
        """Raises Differs when an open file is not what its name says; looks again when it changed.

        Cheap for a file that was looked at before and not touched since.
        """
        try:
            state = self.path(sha256).stat()
        except OSError:
            raise Differs(MISSING) from None
        mark = (state.st_mtime_ns, state.st_size)
        if self._checked.get(sha256) != mark:
            with self.path(sha256).open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
            if found != sha256:
                raise Differs(other_hash(found))
            if len(self._checked) > CHECKS_REMEMBERED:
                self._checked.clear()
            self._checked[sha256] = mark

    def put_aside(self, sha256: str, path: Path | None = None) -> None:
        """Take a file that differs out of the way; of what is sealed only the encrypted bytes."""
        self._checked.pop(sha256, None)
        found = [path] if path else [self.path(sha256), self.sealed_path(sha256)]
        for each in found:
            if each.is_file():
                each.replace(self.aside / f"{sha256}.{secrets.token_hex(4)}{each.suffix}")
        left = sorted(self.aside.iterdir(), key=lambda each: each.stat().st_mtime)
        for old in left[:-ASIDE_MOST]:
            old.unlink(missing_ok=True)

    def place(self, temporary: Path, sha256: str) -> Path:
        """Give a finished, synced temporary file its name."""
        target = self.path(sha256)
        target.parent.mkdir(exist_ok=True)
        temporary.replace(target)
        sync(target.parent)
        return target

    def clear_incoming(self, before: datetime) -> None:
        """Delete what was begun and never finished."""
        for left in self.incoming.iterdir():
            with suppress(FileNotFoundError):  # it has just been finished
                if left.stat().st_mtime < before.timestamp():
                    left.unlink()


def held(tx: Connection, hashes: Collection[str]) -> set[str]:
    """Those of the hashes whose files are here."""
    wanted = list(hashes)
    found: set[str] = set()
    for start in range(0, len(wanted), 5000):
        part = wanted[start : start + 5000]
        found |= set(tx.execute(select(files.c.sha256).where(files.c.sha256.in_(part))).scalars())
    return found


def type_of(tx: Connection, sha256: str) -> str | None:
    """The type of a file that is here."""
    return tx.execute(select(files.c.type).where(files.c.sha256 == sha256)).scalar()


def add(
    tx: Connection,
    sha256: str,
    *,
    kind: str,
    size: int,
    device: str,
    at: datetime,
    sealed: bool = False,
) -> None:
    """Note that a file is here."""
    row = {"sha256": sha256, "type": kind, "size": size, "device": device, "stored_at": at}
    insert_new(tx, files, [{**row, "sealed": sealed}], ["sha256"])


def is_sealed(tx: Connection, sha256: str) -> bool:
    """Whether a file that is here is for few eyes."""
    return bool(tx.execute(select(files.c.sealed).where(files.c.sha256 == sha256)).scalar())


def is_by_device(tx: Connection, sha256: str, person: str) -> bool:
    """Whether a device sent a file, not somebody whose name begins with `person`."""
    device = tx.execute(select(files.c.device).where(files.c.sha256 == sha256)).scalar()
    return device is not None and not device.startswith(person)


def forget(tx: Connection, sha256: str) -> None:
    """A file is not here any more: it may be sent again."""
    tx.execute(delete(files).where(files.c.sha256 == sha256))


def bytes_of_a_day(tx: Connection, device: str, at: datetime) -> int:
    """How much a device has uploaded within 24 hours."""
    lately = (files.c.device == device) & (files.c.stored_at > at - timedelta(days=1))
    total = select(func.coalesce(func.sum(files.c.size), 0)).where(lately)
    return int(tx.execute(total).scalar_one())


def sync(folder: Path) -> None:
    """Make a rename in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _key(path: Path) -> bytes:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return bytes.fromhex(path.read_text().strip())
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_hex(32))
    return bytes.fromhex(path.read_text())
