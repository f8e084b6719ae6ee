"""Messages and evidence kept on disk until the hub's receipt.

The theory: a broker may lose what it acknowledged, so nothing is deleted before the hub says
"stored". An item's number is given in the transaction that stores it, numbers of one (epoch,
stream) have no holes but those told in a `gap`, and the epoch is drawn with the file itself: a
wiped or copied-back disk can never use a number twice. When the disk's share is used up, tracks
go first, oldest first, each loss recorded as a gap; alerts are never discarded.
"""

import hashlib
import logging
import os
import random
import secrets
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from msgspec import Struct

from wire.codec import encode
from wire.receipt import Refusal
from wire.status import Gap

log = logging.getLogger(__name__)

ALERT, DRIVER, GAP, TRACK = "alert", "driver", "gap", "track"
PRIORITY = (ALERT, GAP, DRIVER, TRACK)
RETRY_FIRST_MS = 30_000
RETRY_MAX_MS = 600_000
_IS_DUE = f"due_ms NOT BETWEEN ? + 1 AND ? + {2 * RETRY_MAX_MS}"
"""What is put off for longer than anything ever is: the clock was set back meanwhile."""
REFUSED_KEPT = 1_000
TAKEN_AT_ONCE = 50

_SCHEMA = """
CREATE TABLE IF NOT EXISTS self (epoch TEXT NOT NULL, session INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS last_seq (stream TEXT PRIMARY KEY, seq INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS item (
    stream TEXT NOT NULL, seq INTEGER NOT NULL, last INTEGER NOT NULL,
    added_ms INTEGER NOT NULL, payload BLOB NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0, due_ms INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (stream, seq)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS item_due ON item (stream, due_ms);
CREATE INDEX IF NOT EXISTS item_newest ON item (stream, tries, seq DESC, due_ms);
CREATE TABLE IF NOT EXISTS refused (
    stream TEXT NOT NULL, seq INTEGER NOT NULL, code TEXT NOT NULL, message TEXT NOT NULL,
    payload BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS file (
    sha256 TEXT NOT NULL, alert TEXT NOT NULL, alert_seq INTEGER NOT NULL, type TEXT NOT NULL,
    size INTEGER NOT NULL, tries INTEGER NOT NULL DEFAULT 0, due_ms INTEGER NOT NULL DEFAULT 0,
    sealed INTEGER NOT NULL DEFAULT 0, place INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (sha256, alert)) WITHOUT ROWID;
"""
_ADDED = {"sealed": "INTEGER NOT NULL DEFAULT 0", "place": "INTEGER NOT NULL DEFAULT 0"}
"""Columns of `file` that an outbox of an earlier version does not have."""

OPEN, CLIP, SEALED = 0, 1, 2
"""The order in which files are sent, and the reverse of that in which they make room."""
FILES_SHARE = 0.5
"""Of the disk's share: files may take up so much, for they are what grows fastest."""
NO_ALERT = -1


Build = Callable[[int], Struct]
"""Makes the message for the number it is given."""

Finish = Callable[[Struct], Struct]
"""The last touch to a message before it is stored: its signatures."""


class OutboxFull(RuntimeError):
    """The disk's share is used up by alerts alone; the new item was not taken."""


@dataclass(frozen=True)
class Item:
    """A stored message; `added_ms` = when it was stored, ms since 1970 UTC."""

    stream: str
    seq: int
    added_ms: int
    payload: bytes


@dataclass(frozen=True)
class EvidenceFile:
    """A picture or clip to keep beside an alert; `sealed`: for few eyes."""

    data: bytes
    type: str
    sealed: bool = False

    @property
    def place(self) -> int:
        """OPEN, CLIP or SEALED."""
        if self.sealed:
            return SEALED
        return CLIP if self.type.startswith("video/") else OPEN

    @property
    def sha256(self) -> str:
        """Hex SHA-256 of the bytes."""
        return hashlib.sha256(self.data).hexdigest()


@dataclass(frozen=True)
class HeldFile:
    """A file waiting for upload; its bytes are at `Outbox.file_path(sha256)`."""

    sha256: str
    alert: str
    type: str
    size: int
    sealed: bool = False


class Outbox:
    """Durable queue of one device. Safe to use from several threads."""

    def __init__(
        self,
        path: Path,
        dev: str,
        now_ms: Callable[[], int],
        max_bytes: int = 2_000_000_000,
        finish: Finish = lambda message: message,
    ) -> None:
        """Open or create the outbox at `path`; its files lie in the folder `files` beside it."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self.dev = dev
        self._now_ms = now_ms
        self._max_bytes = max_bytes
        self._finish = finish
        self._files = path.parent / "files"
        self._files.mkdir(exist_ok=True)
        self._lock = threading.RLock()
        self._bytes = 0
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} {_first_row()} COMMIT;")
        self._add_columns()
        self.epoch: str = self._db.execute("SELECT epoch FROM self").fetchone()[0]
        self._bytes = self._db.execute(
            "SELECT COALESCE((SELECT SUM(LENGTH(payload)) FROM item), 0)"
            " + COALESCE((SELECT SUM(size) FROM file), 0)"
        ).fetchone()[0]
        self.added = threading.Event()

    def close(self) -> None:
        """Close the file; what is in it stays."""
        with self._lock:
            self._db.close()

    def _add_columns(self) -> None:
        here = {row[1] for row in self._db.execute("PRAGMA table_info(file)")}
        for name, kind in _ADDED.items():
            if name not in here:
                self._db.execute(f"ALTER TABLE file ADD COLUMN {name} {kind}")

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            held = self._bytes
            try:
                yield
            except BaseException:
                self._db.execute("ROLLBACK")
                self._bytes = held
                raise
            self._db.execute("COMMIT")

    def next_session(self) -> int:
        """Number of this connection; each is one higher than the last."""
        with self._transaction():
            self._db.execute("UPDATE self SET session = session + 1")
            session: int = self._db.execute("SELECT session FROM self").fetchone()[0]
        return session

    def add(
        self,
        stream: str,
        build: Build,
        files: Sequence[EvidenceFile] = (),
        alert: str = "",
        numbers: int = 1,
    ) -> int:
        """Store what `build` makes for its number, with the files that show it; durable on return.

        `numbers`: how many of the stream it takes, one for each fix of a track.
        Raises OutboxFull when even discarding tracks leaves no room.
        """
        with self._lock:
            for file in files:
                self._write(file)
            with self._transaction():
                seq = self._append(stream, build, numbers)
                for file in files:
                    self._hold(file, alert, seq)
            if files:
                self._check_files()
            self._check_room(stream, seq, seq + numbers - 1)
        self.added.set()
        return seq

    def add_files(self, subject: str, files: Sequence[EvidenceFile]) -> None:
        """Store files that belong to no alert (a look on request); durable on return.

        They are offered under `subject` at once: there is no message to wait for.
        """
        with self._lock:
            for file in files:
                self._write(file)
            with self._transaction():
                for file in files:
                    self._hold(file, subject, NO_ALERT)
            self._check_files()
        self.added.set()

    def add_all(self, stream: str, items: Sequence[tuple[Build, int]]) -> list[int]:
        """Store several items, each (build, numbers), in one transaction: all of them or none.

        Raises OutboxFull as `add` does.
        """
        if not items:
            return []
        with self._lock:
            with self._transaction():
                seqs = [self._append(stream, build, numbers) for build, numbers in items]
            self._check_room(stream, seqs[0], seqs[-1] + items[-1][1] - 1)
        self.added.set()
        return seqs

    def _check_room(self, stream: str, first: int, last: int) -> None:
        if self._bytes > self._max_bytes:
            self._make_room(stream, first, last)

    def _append(self, stream: str, build: Build, numbers: int = 1) -> int:
        row = self._db.execute("SELECT seq FROM last_seq WHERE stream = ?", (stream,)).fetchone()
        seq: int = row[0] + 1 if row else 0
        payload = encode(self._finish(build(seq)))
        last = seq + numbers - 1
        self._db.execute("INSERT OR REPLACE INTO last_seq VALUES (?, ?)", (stream, last))
        self._db.execute(
            "INSERT INTO item (stream, seq, last, added_ms, payload) VALUES (?, ?, ?, ?, ?)",
            (stream, seq, last, self._now_ms(), payload),
        )
        self._bytes += len(payload)
        return seq

    def _hold(self, file: EvidenceFile, alert: str, seq: int) -> None:
        added = self._db.execute(
            "INSERT OR IGNORE INTO file (sha256, alert, alert_seq, type, size, sealed, place)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (file.sha256, alert, seq, file.type, len(file.data), file.sealed, file.place),
        ).rowcount
        self._bytes += len(file.data) * added

    def _check_files(self) -> None:
        """Discard files when they take more than their share: originals first, then clips."""
        total = "SELECT COALESCE(SUM(size), 0) FROM file"
        while self._db.execute(total).fetchone()[0] > self._max_bytes * FILES_SHARE:
            sha256, alert = self._db.execute(
                "SELECT sha256, alert FROM file ORDER BY place DESC, alert_seq LIMIT 1"
            ).fetchone()
            log.error("no room for evidence: the file %s of %s is discarded", sha256, alert)
            self.forget_files([sha256])

    def file_path(self, sha256: str) -> Path:
        """Where the bytes of a held file lie."""
        return self._files / sha256[:2] / sha256

    def _write(self, file: EvidenceFile) -> None:
        path = self.file_path(file.sha256)
        if path.exists():
            return
        path.parent.mkdir(exist_ok=True)
        part = path.with_suffix(f".{threading.get_ident()}.part")
        with part.open("wb") as out:
            out.write(file.data)
            out.flush()
            os.fsync(out.fileno())
        part.replace(path)

    def _make_room(self, stream: str, first: int, last: int) -> None:
        with self._transaction():
            while self._bytes > self._max_bytes:
                old = self._db.execute(
                    "SELECT seq, last, LENGTH(payload) FROM item WHERE stream = ? AND NOT"
                    " (? = ? AND seq BETWEEN ? AND ?) ORDER BY seq LIMIT 100",
                    (TRACK, stream, TRACK, first, last),
                ).fetchall()
                if not old:
                    break
                self._db.execute(
                    "DELETE FROM item WHERE stream = ? AND seq BETWEEN ? AND ?",
                    (TRACK, old[0][0], old[-1][0]),
                )
                self._bytes -= sum(size for _, _, size in old)
                for first_lost, last_lost in _runs((first, last) for first, last, _ in old):
                    self._record_gap(TRACK, first_lost, last_lost, "disk_full")
            if self._bytes <= self._max_bytes or stream != TRACK:
                return
            span = (stream, first, last)
            self._bytes -= self._db.execute(
                "SELECT SUM(LENGTH(payload)) FROM item WHERE stream = ? AND seq BETWEEN ? AND ?",
                span,
            ).fetchone()[0]
            self._db.execute("DELETE FROM item WHERE stream = ? AND seq BETWEEN ? AND ?", span)
            self._record_gap(*span, "disk_full")
        raise OutboxFull(
            f"outbox of {self.dev}: {self._bytes} bytes held, {self._max_bytes} allowed;"
            " only alerts are kept until the hub takes them"
        )

    def _record_gap(self, stream: str, first: int, last: int, why: str) -> None:
        self._append(
            GAP,
            lambda seq: Gap(
                dev=self.dev,
                epoch=self.epoch,
                seq=seq,
                ts=self._now_ms(),
                stream=stream,
                first=first,
                last=last,
                why=why,
            ),
        )

    def take_due(self, track_room: int = TAKEN_AT_ONCE) -> list[Item]:
        """Items to send now, alerts first, new ones before repeats; each is put off for a retry.

        At most `track_room` of them are tracks, the newest first: neither an alert nor a live
        position waits behind a backlog.
        """
        now = self._now_ms()
        taken: list[Item] = []
        with self._transaction():
            for stream in PRIORITY:
                order = "tries, seq DESC" if stream == TRACK else "tries, seq"
                room = min(track_room, TAKEN_AT_ONCE) if stream == TRACK else TAKEN_AT_ONCE
                # The sign keeps SQLite from sorting all that is due: a backlog may be long.
                rows = self._db.execute(
                    "SELECT seq, added_ms, payload, tries FROM item"  # noqa: S608 - two constants
                    f" WHERE stream = ? AND +{_IS_DUE} ORDER BY {order} LIMIT ?",
                    (stream, now, now, room),
                ).fetchall()
                self._db.executemany(
                    "UPDATE item SET tries = tries + 1, due_ms = ? WHERE stream = ? AND seq = ?",
                    [(now + _wait_ms(tries), stream, seq) for seq, _, _, tries in rows],
                )
                taken += [Item(stream, seq, added, payload) for seq, added, payload, _ in rows]
        return taken

    def send_again(self) -> None:
        """Make everything due at once: the hub is back."""
        with self._transaction():
            self._db.execute("UPDATE item SET due_ms = 0, tries = MIN(tries, 1)")
            self._db.execute("UPDATE file SET due_ms = 0")
        self.added.set()

    def settle(
        self, stream: str, seqs: Sequence[tuple[int, int]], refused: Sequence[Refusal] = ()
    ) -> None:
        """Forget what the hub stored; put aside what it refused."""
        with self._transaction():
            for first, last in seqs:
                freed = self._db.execute(
                    "SELECT COALESCE(SUM(LENGTH(payload)), 0) FROM item"
                    " WHERE stream = ? AND seq BETWEEN ? AND ?",
                    (stream, first, last),
                ).fetchone()[0]
                self._db.execute(
                    "DELETE FROM item WHERE stream = ? AND seq BETWEEN ? AND ?",
                    (stream, first, last),
                )
                self._bytes -= freed
            for refusal in refused:
                self._put_aside(stream, refusal)
        self.added.set()

    def _put_aside(self, stream: str, refusal: Refusal) -> None:
        key = (stream, refusal.seq)
        row = self._db.execute("SELECT payload FROM item WHERE stream = ? AND seq = ?", key)
        if (found := row.fetchone()) is None:
            return
        self._db.execute(
            "INSERT INTO refused VALUES (?, ?, ?, ?, ?)",
            (*key, refusal.code, refusal.msg, found[0]),
        )
        self._db.execute("DELETE FROM item WHERE stream = ? AND seq = ?", key)
        self._bytes -= len(found[0])
        self._db.execute(
            "DELETE FROM refused WHERE rowid <= (SELECT MAX(rowid) FROM refused) - ?",
            (REFUSED_KEPT,),
        )

    def files_due(self, limit: int = 20) -> list[HeldFile]:
        """Files whose alert the hub has stored, to offer now; each is put off for a retry."""
        now = self._now_ms()
        with self._transaction():
            rows = self._db.execute(
                "SELECT sha256, alert, type, size, tries, sealed FROM file"  # noqa: S608 - a constant
                f" WHERE {_IS_DUE}"
                " AND NOT EXISTS (SELECT 1 FROM item WHERE stream = ? AND seq = alert_seq)"
                " ORDER BY place, tries, alert_seq LIMIT ?",
                (now, now, ALERT, limit),
            ).fetchall()
            self._db.executemany(
                "UPDATE file SET tries = tries + 1, due_ms = ? WHERE sha256 = ? AND alert = ?",
                [(now + _wait_ms(row[4]), row[0], row[1]) for row in rows],
            )
        return [
            HeldFile(sha256, alert, kind, size, sealed=bool(sealed))
            for sha256, alert, kind, size, _, sealed in rows
        ]

    def has_fresh_alert(self) -> bool:
        """Whether an alert is stored that was not sent yet: everything else gives way to it."""
        with self._lock:
            fresh = "SELECT EXISTS (SELECT 1 FROM item WHERE stream = ? AND tries = 0)"
            return bool(self._db.execute(fresh, (ALERT,)).fetchone()[0])

    def held_file(self, sha256: str) -> HeldFile | None:
        """A file that waits; None when it is not held (any more)."""
        with self._lock:
            row = self._db.execute(
                "SELECT sha256, alert, type, size, sealed FROM file WHERE sha256 = ?", (sha256,)
            ).fetchone()
        if row is None:
            return None
        return HeldFile(row[0], row[1], row[2], row[3], sealed=bool(row[4]))

    def offer_again(self, sha256: str) -> None:
        """The address was refused as old: ask for a new one."""
        with self._transaction():
            self._db.execute("UPDATE file SET due_ms = 0 WHERE sha256 = ?", (sha256,))
        self.added.set()

    def forget_files(self, sha256s: Sequence[str]) -> None:
        """The hub holds these files, or will never take them."""
        for sha256 in sha256s:
            with self._transaction():
                rows = self._db.execute("SELECT size FROM file WHERE sha256 = ?", (sha256,))
                self._bytes -= sum(size for (size,) in rows.fetchall())
                self._db.execute("DELETE FROM file WHERE sha256 = ?", (sha256,))
                self.file_path(sha256).unlink(missing_ok=True)
        self.added.set()

    def depth(self) -> dict[str, int]:
        """How many items of each stream, and `evidence` files, wait for a receipt."""
        with self._lock:
            counts = dict(self._db.execute("SELECT stream, COUNT(*) FROM item GROUP BY stream"))
            files = self._db.execute("SELECT COUNT(*) FROM file").fetchone()[0]
        return counts | ({"evidence": files} if files else {})

    def oldest_s(self) -> float:
        """Age in seconds of the oldest item without a receipt; 0 when there is none."""
        with self._lock:
            row = self._db.execute("SELECT MIN(added_ms) FROM item").fetchone()
        return max(self._now_ms() - row[0], 0) / 1000 if row[0] is not None else 0.0

    def refused_count(self) -> int:
        """How many items the hub refused for good and we keep aside."""
        with self._lock:
            count: int = self._db.execute("SELECT COUNT(*) FROM refused").fetchone()[0]
        return count


def _runs(spans: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Ascending spans with those that touch made one; what lies between them was delivered."""
    begun: tuple[int, int] | None = None
    for first, last in spans:
        if begun is not None and first == begun[1] + 1:
            begun = (begun[0], last)
            continue
        if begun is not None:
            yield begun
        begun = (first, last)
    if begun is not None:
        yield begun


def _first_row() -> str:
    epoch = secrets.token_hex(8)
    return f"INSERT INTO self SELECT '{epoch}', 0 WHERE NOT EXISTS (SELECT 1 FROM self);"  # noqa: S608


def _wait_ms(tries: int) -> int:
    # Jitter spreads the repeats of many devices, it protects nothing.
    step = min(RETRY_FIRST_MS * 2 ** min(tries, 10), RETRY_MAX_MS)
    return int(step * random.uniform(0.8, 1.2))  # noqa: S311
