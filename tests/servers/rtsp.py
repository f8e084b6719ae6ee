"""The RTSP server of `rtsp_server.py` as a child process that tests can stall, kill, restart."""

import os
import select
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from tests.servers.port import free_port

SYSTEM_PYTHON = "/usr/bin/python3"
READY_S = 120
_NEEDED = (
    "import gi; gi.require_version('GstRtspServer', '1.0'); gi.require_version('Gst', '1.0');"
    "from gi.repository import Gst, GstRtspServer; Gst.init(None);"
    "assert all(map(Gst.ElementFactory.find, ('qtdemux', 'h264parse', 'rtph264pay', 'appsrc')))"
)


def is_installed() -> bool:
    """Whether the system's Python has GStreamer's RTSP server."""
    if shutil.which(SYSTEM_PYTHON) is None:
        return False
    done = subprocess.run([SYSTEM_PYTHON, "-c", _NEEDED], capture_output=True, check=False)
    return done.returncode == 0


needs_rtsp_server = pytest.mark.skipif(
    not os.environ.get("TIANYAN_REQUIRE_SERVERS") and not is_installed(),
    reason="no RTSP server: apt-get install python3-gi gir1.2-gst-rtsp-server-1.0"
    " gstreamer1.0-plugins-{base,good,bad} gstreamer1.0-rtsp",
)


class RtspServer:
    """A camera at `url`, sending the files in turn, for ever; it can be lost and come back."""

    def __init__(self, *files: Path, user: str = "", password: str = "") -> None:
        self.port = free_port()
        self.url = f"rtsp://127.0.0.1:{self.port}/street"
        self._files = [str(file) for file in files]
        self._login = ["--user", user, "--password", password] if user else []
        self._process: subprocess.Popen | None = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.kill()

    def start(self) -> None:
        """Start and wait until it listens."""
        script = str(Path(__file__).with_name("rtsp_server.py"))
        self._process = subprocess.Popen(
            [SYSTEM_PYTHON, script, *self._login, str(self.port), *self._files],
            stdout=subprocess.PIPE,
        )
        ready, _, _ = select.select([self._process.stdout], [], [], READY_S)
        if not ready or self._process.stdout.readline() != b"ready\n":
            self.kill()
            raise RuntimeError("the RTSP server did not start")

    def stall(self) -> None:
        """Stop sending without closing anything."""
        os.kill(self._process.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        """Send again."""
        os.kill(self._process.pid, signal.SIGCONT)

    def kill(self) -> None:
        """Be gone at once."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process.stdout.close()
            self._process = None
