"""How often somebody may try a password: after some failures, ever more slowly.

Three counts: of a name from an address, of an address, of a name from anywhere. The last never
waits long, so that nobody can lock another out. They are rows: a restart forgives nothing.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Column, Integer, String, Table, delete, select, update
from sqlalchemy.engine import Connection

from hub.errors import Problem
from hub.store import Instant, insert_new, metadata
from wire.coded import coded

FORGOTTEN_AFTER = timedelta(hours=24)

attempts = Table(
    "login_attempts",
    metadata,
    Column("key", String(160), primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("at", Instant, nullable=False),
)


@dataclass(frozen=True)
class Patience:
    """So many failures are free, then the wait doubles from a second up to `longest`."""

    free: int
    longest: timedelta

    def wait(self, failures: int) -> timedelta:
        """How long after the last failure the next attempt may come."""
        if failures < self.free:
            return timedelta(0)
        return min(timedelta(seconds=2 ** min(failures - self.free, 20)), self.longest)


PATIENCE = {
    "pair": Patience(4, timedelta(minutes=15)),
    "address": Patience(30, timedelta(minutes=15)),
    "name": Patience(20, timedelta(seconds=30)),
}


class TooOften(Problem):
    """An attempt that came too soon. `after_s`: when the next may come."""

    def __init__(self, after_s: int) -> None:
        """Say when."""
        super().__init__(
            429,
            "too_often",
            coded("many_attempts", "too many attempts"),
            coded("again_in", "again in {s} s", s=after_s),
        )
        self.headers = {"Retry-After": str(after_s)}


def admit(tx: Connection, name: str, address: str, at: datetime) -> None:
    """Let an attempt be made, counted as a failure until `succeeded`.

    Counting first keeps a hundred attempts at once from being one. Raises TooOften.
    """
    keys = _keys(name, address)
    insert_new(tx, attempts, [{"key": k, "failures": 0, "at": at} for k in keys.values()], ["key"])
    found = select(attempts).where(attempts.c.key.in_(keys.values())).with_for_update()
    known = {row.key: row for row in tx.execute(found.order_by(attempts.c.key))}
    free_at = [
        known[key].at + PATIENCE[kind].wait(known[key].failures) for kind, key in keys.items()
    ]
    if max(free_at) > at:
        raise TooOften(-((at - max(free_at)) // timedelta(seconds=1)))
    counted = update(attempts).where(attempts.c.key.in_(keys.values()))
    tx.execute(counted.values(failures=attempts.c.failures + 1, at=at))


def succeeded(tx: Connection, name: str, address: str) -> None:
    """The password was right: nothing is held against name and pair; the address keeps its past."""
    keys = _keys(name, address)
    mine = attempts.c.key == keys["address"]
    tx.execute(update(attempts).where(mine).values(failures=attempts.c.failures - 1))
    tx.execute(delete(attempts).where(attempts.c.key.in_([keys["pair"], keys["name"]])))


def forget_old(tx: Connection, at: datetime) -> None:
    """Forget what was a day ago."""
    tx.execute(delete(attempts).where(attempts.c.at < at - FORGOTTEN_AFTER))


def _keys(name: str, address: str) -> dict[str, str]:
    return {"pair": f"{address}|{name}", "address": f"{address}|", "name": f"|{name}"}
