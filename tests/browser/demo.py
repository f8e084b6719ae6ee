"""The real system, as `make demo` starts it, for a browser to look at."""

import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

START_TIMEOUT_S = 120
STOP_TIMEOUT_S = 60


@contextmanager
def running_demo(folder: Path) -> Iterator[str]:
    """Address of a demo that keeps its state in `folder`; the first one draws its scenes."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    words = ["demo", "--port", str(port), "--dir", str(folder), "--no-browser"]
    with (folder / "demo.log").open("w") as said:
        demo = subprocess.Popen(
            [sys.executable, "-m", "tianyan.cli", *words], stdout=said, stderr=said
        )
        try:
            _wait_for(url, demo, folder / "demo.log")
            yield url
        finally:
            demo.send_signal(signal.SIGINT)
            try:
                demo.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                demo.kill()
                raise


def _wait_for(url: str, demo: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < end and demo.poll() is None:
        try:
            urllib.request.urlopen(f"{url}/healthz", timeout=2).close()
        except (urllib.error.URLError, TimeoutError):
            time.sleep(0.3)
        else:
            return
    raise RuntimeError(f"the demo did not start:\n{log.read_text()}")
