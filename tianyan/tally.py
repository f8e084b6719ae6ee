"""What a run made and what became of it, counted in the databases of both sides."""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

HUB_DATABASE = "hub.sqlite"

Key = tuple[str, str, str, int]


@dataclass(frozen=True)
class Tally:
    """Counts of a run, all devices together.

    `alerts`, `cases`, `fixes` as the hub holds them; `frames` looked at by cameras; `messages`
    that devices made; of these `waiting` are still at the edge and `lost` are nowhere.
    """

    alerts: int
    cases: int
    fixes: int
    frames: int
    messages: int
    waiting: int
    lost: int

    def as_dict(self) -> dict[str, int]:
        """The counts by name."""
        return asdict(self)


def count_up(folder: Path, devices: Iterable[str]) -> Tally:
    """Count what lies in the demo's `folder`, while it runs or afterwards."""
    made: set[Key] = set()
    waiting: set[Key] = set()
    for device in devices:
        its_made, its_waiting = _at_the_edge(folder / "edge" / device / "outbox.db", device)
        made |= its_made
        waiting |= its_waiting
    if not (folder / HUB_DATABASE).exists():
        return Tally(0, 0, 0, 0, len(made), len(waiting), len(made - waiting))
    with closing(_read_only(folder / HUB_DATABASE)) as db:
        return Tally(
            alerts=_number(db, "SELECT COUNT(*) FROM alerts"),
            cases=_number(db, "SELECT COUNT(*) FROM cases"),
            fixes=_number(
                db,
                "SELECT COALESCE(SUM(json_array_length(CAST(fixes AS TEXT))), 0)"
                " FROM track_batches",
            ),
            frames=_frames(db),
            messages=len(made),
            waiting=len(waiting),
            lost=len(made - waiting - _at_the_hub(db)),
        )


def _read_only(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{path}?mode=ro", uri=True)


def _number(db: sqlite3.Connection, query: str) -> int:
    number: int = db.execute(query).fetchone()[0]
    return number


def _at_the_edge(path: Path, device: str) -> tuple[set[Key], set[Key]]:
    """Every message the device made, and those it still holds (refused ones too)."""
    if not path.exists():
        return set(), set()
    with closing(_read_only(path)) as db:
        db.execute("BEGIN")
        if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'self'").fetchone():
            return set(), set()
        (epoch,) = db.execute("SELECT epoch FROM self").fetchone()
        made = {
            (device, epoch, stream, seq)
            for stream, last in db.execute("SELECT stream, seq FROM last_seq")
            for seq in range(last + 1)
        }
        held = db.execute(
            "SELECT stream, seq, last FROM item UNION SELECT stream, seq, seq FROM refused"
        )
        return made, {key for span in held for key in _each(device, epoch, *span)}


def _at_the_hub(db: sqlite3.Connection) -> set[Key]:
    stored = set(db.execute("SELECT device, epoch, stream, seq FROM inbox"))
    batches = db.execute("SELECT device, epoch, 'track', first, last FROM track_batches")
    return stored | {key for span in batches for key in _each(*span)}


def _each(device: str, epoch: str, stream: str, first: int, last: int) -> Iterator[Key]:
    return ((device, epoch, stream, seq) for seq in range(first, last + 1))


def _frames(db: sqlite3.Connection) -> int:
    healths = (json.loads(row[0]) for row in db.execute("SELECT health FROM devices"))
    return sum(
        camera.get("frames", 0) for health in healths for camera in health.get("cameras", [])
    )
