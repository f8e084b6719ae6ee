"""Who writes next: one at a time, in all processes of a database, and the urgent before others."""

import fcntl
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO


class Turns:
    """A lock of all who write to one database file.

    SQLite lets processes ask for its lock again and again, whoever asks at the right moment gets
    it: beside processes that write much, an alert waited for seconds. Here all wait in line. The
    others go through a queue first, of which only the head stands in the line: so an urgent
    comer waits for two transactions of others at most.
    """

    def __init__(self, database: Path | None = None) -> None:
        """Begin with nobody inside. `database`: the file; None keeps turns in this process alone.

        Makes two empty files beside it.
        """
        self._condition = threading.Condition()
        self._busy = False
        self._urgent = 0
        self._queue = threading.Lock()
        self._queue_file = _open(database, "-queue")
        self._line_file = _open(database, "-line")

    @contextmanager
    def turn(self, *, urgent: bool) -> Iterator[None]:
        """Hold the lock."""
        with ExitStack() as held:
            if not urgent:
                held.enter_context(self._queue)
                held.enter_context(_locked(self._queue_file))
            held.enter_context(self._alone(urgent=urgent))
            held.enter_context(_locked(self._line_file))
            yield

    def close(self) -> None:
        """Give the files back."""
        for file in (self._queue_file, self._line_file):
            if file is not None:
                file.close()

    @contextmanager
    def _alone(self, *, urgent: bool) -> Iterator[None]:
        with self._condition:
            self._urgent += urgent
            while self._busy or (self._urgent and not urgent):
                self._condition.wait()
            self._urgent -= urgent
            self._busy = True
        try:
            yield
        finally:
            with self._condition:
                self._busy = False
                self._condition.notify_all()


def _open(database: Path | None, ending: str) -> IO[bytes] | None:
    return None if database is None else Path(f"{database}{ending}").open("ab")


@contextmanager
def _locked(file: IO[bytes] | None) -> Iterator[None]:
    if file is None:
        yield
        return
    fcntl.flock(file, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(file, fcntl.LOCK_UN)
