"""The sources there are: a scheme → how to open it.

A new kind is a file, a row in `SOURCES` and a test.
"""

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from edge.camera import stream
from edge.camera.address import masked
from edge.camera.clock import Clock, SystemClock
from edge.camera.errors import BadSource
from edge.camera.frame import Frame
from edge.camera.pace import Pace
from edge.camera.pictures import pictures_in, show_pictures
from edge.camera.recording import play_recording, recorded_at
from edge.config import CameraConfig

Opener = Callable[[CameraConfig, Clock, Callable[[], None], Pace], Iterator[Frame]]

SOURCES: dict[str, Opener] = {
    "rtsp": stream.rtsp,
    "rtsps": stream.rtsp,
    "http": stream.http,
    "https": stream.http,
    "usb": stream.usb,
}
ALLOWED = "rtsp://, rtsps://, http://, https://, usb:N, a video file, a folder of pictures"


def scheme_of(source: str) -> str:
    """The row of SOURCES a source belongs to, or "file".

    Raises BadSource when it cannot be a source at all; says what is wrong.
    """
    scheme = re.match(r"([A-Za-z][A-Za-z0-9+.-]+):", source)
    if scheme is None or Path(source).exists():
        return "file"
    name = scheme[1].lower()
    if name != "file" and name not in SOURCES:
        raise BadSource(f"{masked(source)}: {name!r} is not a kind of source ({ALLOWED})")
    if name == "usb" and not re.fullmatch(r"usb:\d+", source):
        raise BadSource(f"{source}: must be usb:N with N = 0, 1, …")
    if name not in ("usb", "file"):
        _check_host(source)
    return name


def _check_host(source: str) -> None:
    try:
        parts = urlsplit(source)
        has_host = bool(parts.hostname) and parts.port != 0
    except ValueError:
        has_host = False
    if not has_host:
        raise BadSource(
            f"{masked(source)}: no host and port can be read from it; write special signs of the "
            "password as %40 (@), %2F (/), %23 (#), %3A (:)"
        )


def check_source(source: str) -> None:
    """See whether it can be a source, without waiting for a camera.

    Raises BadSource: an ill-formed address, no such file, not a video, a folder without pictures.
    """
    if scheme_of(source) != "file":
        return
    path = Path(source.removeprefix("file://"))
    if path.is_dir():
        pictures_in(path)
    else:
        recorded_at(path)


def is_recording(source: str) -> bool:
    """Whether it has an end: a file or a folder, not a camera.

    Raises BadSource as `scheme_of` does.
    """
    return scheme_of(source) == "file"


def open_source(
    camera: CameraConfig,
    clock: Clock | None = None,
    *,
    begins_at: datetime | None = None,
    heard: Callable[[], None] = lambda: None,
    pace: Pace | None = None,
) -> Iterator[Frame]:
    """About `camera.looks_per_s` frames a second, evenly by their time stamps.

    `clock`: the machine's unless given. `begins_at`: when a recording begins (not with
    `real_time`, which plays it as now). `heard`: called with every sign of life, more often than
    there are frames. `pace`: how long the next frame may wait.
    The iterator ends where a recording ends.
    Raises BadSource, or SourceLost when a camera is away; a new call tries again.
    """
    clock = clock or SystemClock()
    kind = scheme_of(camera.source)
    if kind != "file":
        return SOURCES[kind](camera, clock, heard, pace or Pace())
    if Path(camera.source.removeprefix("file://")).is_dir():
        return show_pictures(camera, clock, begins_at, heard)
    return play_recording(camera, clock, begins_at, pace)
