"""Files that show things: where they lie and what is known of them.

A file is written beside its place under a temporary name, synced and renamed: nobody ever sees
half of one. The database row is written after the file is safe.
"""

import os
import secrets
from collections.abc import Collection
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import BigInteger, Column, Index, String, Table, func, select
from sqlalchemy.engine import Connection

from hub.store import Instant, insert_new, metadata

files = Table(
    "evidence",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("type", String(32), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("device", String(64), nullable=False),
    Column("stored_at", Instant, nullable=False),
    Index("ix_evidence_device", "device", "stored_at"),
)


class Vault:
    """The folder of evidence files, named by SHA-256."""

    def __init__(self, folder: Path) -> None:
        """Make the folders and the key where they are missing."""
        self.folder = folder
        self.incoming = folder / "incoming"
        self.incoming.mkdir(parents=True, exist_ok=True)
        self.key = _key(folder / "grant-key")

    def path(self, sha256: str) -> Path:
        """Where a file lies."""
        return self.folder / sha256[:2] / sha256

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
            if left.stat().st_mtime < before.timestamp():
                left.unlink(missing_ok=True)


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


def add(tx: Connection, sha256: str, *, kind: str, size: int, device: str, at: datetime) -> None:
    """Note that a file is here."""
    row = {"sha256": sha256, "type": kind, "size": size, "device": device, "stored_at": at}
    insert_new(tx, files, [row], ["sha256"])


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
