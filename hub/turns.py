"""Who writes next: one at a time, in all processes of a database, and the urgent before others."""

import fcntl
import os
import threading
import weakref
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path


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
        self._head_of_queue = _FileLock(database and Path(f"{database}-queue"))
        self._line = _FileLock(database and Path(f"{database}-line"))

    @contextmanager
    def turn(self, *, urgent: bool) -> Iterator[None]:
        """Hold the lock."""
        with ExitStack() as held:
            if not urgent:
                held.enter_context(self._queue)
                held.enter_context(self._head_of_queue.held())
            held.enter_context(self._alone(urgent=urgent))
            held.enter_context(self._line.held())
            yield

    def close(self) -> None:
        """Give the files back."""
        self._head_of_queue.close()
        self._line.close()

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


class _FileLock:
    """A file that one open end at a time holds; without a path, nobody but the caller is there."""

    def __init__(self, path: Path | None) -> None:
        self._end: int | None = None
        if path is not None:
            self._end = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            self._given_back = weakref.finalize(self, os.close, self._end)

    @contextmanager
    def held(self) -> Iterator[None]:
        if self._end is None:
            yield
            return
        fcntl.flock(self._end, fcntl.LOCK_EX)
        try:
            yield
        finally:
            if self._end is not None:  # else closed meanwhile, which let go of it
                fcntl.flock(self._end, fcntl.LOCK_UN)

    def close(self) -> None:
        if self._end is not None:
            self._end = None
            self._given_back()
