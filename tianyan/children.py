"""Child processes that end when we end, however we end."""

import ctypes
import logging
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

log = logging.getLogger(__name__)

STOP_TIMEOUT_S = 10.0
_PR_SET_PDEATHSIG = 1


def spawn(name: str, args: Sequence[str], log_path: Path) -> "Child":
    """Start a program whose output goes to `log_path`; Linux ends it with SIGTERM if we die."""
    with log_path.open("ab") as out:
        process = subprocess.Popen(  # noqa: S603 - our own programs
            args,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_end_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509
        )
    return Child(name, process, log_path)


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


class Child:
    """A running program of ours."""

    def __init__(self, name: str, process: "subprocess.Popen[bytes]", log_path: Path) -> None:
        """Take charge of `process`."""
        self.name = name
        self.log_path = log_path
        self._process = process

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    def exit_status(self) -> int | None:
        """Exit status, None while it runs."""
        return self._process.poll()

    def wait(self, timeout_s: float) -> int | None:
        """Wait for its own end; None when it still runs after `timeout_s`."""
        try:
            return self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return None

    def stop(self) -> None:
        """Ask it to end; kill it when it does not."""
        if self.exit_status() is not None:
            return
        self._process.terminate()
        if self.wait(STOP_TIMEOUT_S) is None:
            log.warning("%s did not stop within %.0f s and is killed", self.name, STOP_TIMEOUT_S)
            self._process.kill()
            self._process.wait()

    def last_words(self, lines: int = 15) -> str:
        """The end of its log, for an error message."""
        text = self.log_path.read_text(encoding="utf-8", errors="replace")
        return "\n".join(text.splitlines()[-lines:])
