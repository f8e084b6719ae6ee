"""A folder of pictures, in the order of their names, as if one camera had taken them."""

import logging
import math
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

import av

from edge.camera.clock import Clock, Spacing, Thinning, Timeline
from edge.camera.decoder import MAX_PIXELS
from edge.camera.errors import BadSource
from edge.camera.frame import Frame, Image, Whole
from edge.camera.picture import upright
from edge.config import CameraConfig

log = logging.getLogger(__name__)

SIGN_S = 2.0
"""Between two signs of life; a camera that is silent for not much longer is stalled."""

SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"}

_OFFSET_TAG = "0x9011"
"""EXIF 2.31 OffsetTimeOriginal, which FFmpeg gives by number."""

_DATED = re.compile(r"(?<!\d)(20\d\d)\D?(\d\d)\D?(\d\d)\D?(\d\d)\D?(\d\d)(?:\D?(\d\d))?(?!\d)")
"""A date and time in a file's name: 20260506T093000, 2026-05-06_09-30, …"""

_UNREADABLE = (av.FFmpegError, OSError, EOFError, IndexError)


def show_pictures(
    camera: CameraConfig,
    clock: Clock,
    begins_at: datetime | None = None,
    heard: Callable[[], None] = lambda: None,
) -> Iterator[Frame]:
    """Frames of a folder's pictures; `img2` comes before `img10`.

    Their time: as far apart as EXIF tells (DateTimeOriginal), or their names (20260506T093000.jpg),
    1 / looks_per_s where neither does or they run backwards. The first one's time is `begins_at`,
    else its EXIF or name (in `camera.time_zone` when that names no offset), else its file's time
    of last change. `real_time` and `loop` as for recordings: `heard` is called while the next
    picture is only not due yet, until the gap before it is one. Pictures that cannot be read are
    named in the log and left out.
    Raises BadSource when none can be read.
    """
    folder = Path(camera.source.removeprefix("file://"))
    paths = pictures_in(folder)
    if camera.real_time:
        begins_at = clock.now()
    origin_s = clock.elapsed_s() if camera.real_time else 0.0
    timeline = Timeline(1 / camera.looks_per_s, jump_s=math.inf)
    thinning = Thinning(camera.looks_per_s)
    spacing = Spacing(SIGN_S)
    index, last_s = 0, 0.0
    for image, taken_at in _passes(paths, folder, camera, timeline):
        begins_at = begins_at or taken_at or datetime.fromtimestamp(paths[0].stat().st_mtime, UTC)
        t_s = timeline.seconds(taken_at.timestamp() if taken_at else None)
        if not thinning.take(t_s):
            continue
        if camera.real_time:
            apart_s, last_s = t_s - last_s, t_s
            lasts_s = spacing.most_s if spacing.is_gap(apart_s) else apart_s
            _wait_alive(clock, origin_s + t_s - max(apart_s - lasts_s, 0.0), heard)
            clock.wait(origin_s + t_s - clock.elapsed_s())
        yield Frame(Whole(image), begins_at + timedelta(seconds=t_s), origin_s + t_s, index)
        index += 1


def _wait_alive(clock: Clock, until_s: float, heard: Callable[[], None]) -> None:
    for _ in range(math.ceil((until_s - clock.elapsed_s()) / SIGN_S)):
        clock.wait(min(until_s - clock.elapsed_s(), SIGN_S))
        heard()


def pictures_in(folder: Path) -> list[Path]:
    """The pictures of a folder in their order.

    Raises BadSource when there is none.
    """
    paths = sorted((p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES), key=_natural)
    if not paths:
        raise BadSource(f"{folder}: holds no picture ({', '.join(sorted(SUFFIXES))})")
    return paths


def _passes(
    paths: list[Path], folder: Path, camera: CameraConfig, timeline: Timeline
) -> Iterator[tuple[Image, datetime | None]]:
    zone = ZoneInfo(camera.time_zone)
    while True:
        readable = 0
        for path in paths:
            try:
                taken = _read(path, zone)
            except _UNREADABLE as fault:
                log.warning("%s: left out, not a readable picture: %s", path, fault)
                continue
            readable += 1
            yield taken
        if not readable:
            raise BadSource(f"{folder}: none of its {len(paths)} pictures can be read")
        if not camera.loop:
            return
        timeline.restart()


def _read(path: Path, zone: tzinfo) -> tuple[Image, datetime | None]:
    options = {"max_pixels": str(MAX_PIXELS)}
    with av.open(str(path), options=options, metadata_errors="replace") as container:
        frame = next(iter(container.decode(video=0)), None)
        if frame is None:
            raise EOFError("no picture in it")
        taken_at = _taken_at(_exif(frame), zone) or _named_at(path, zone)
        image = frame.reformat(format="bgr24").to_ndarray()
        return upright(image, frame.rotation), taken_at


def _exif(frame: av.VideoFrame) -> dict[str, str]:
    """Tags by name, where FFmpeg knows one, without the directory they stand in."""
    try:
        return {key.rsplit("/", 1)[-1]: value for key, value in frame.metadata.items()}
    except UnicodeDecodeError:
        return {}


def _taken_at(exif: dict[str, str], zone: tzinfo) -> datetime | None:
    told = exif.get("DateTimeOriginal", "")
    try:
        moment = datetime.strptime(told.strip(), "%Y:%m:%d %H:%M:%S")  # noqa: DTZ007 - below
        offset = (exif.get("OffsetTimeOriginal") or exif.get(_OFFSET_TAG, "")).strip()
        moment = datetime.fromisoformat(moment.isoformat() + offset)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)


def _named_at(path: Path, zone: tzinfo) -> datetime | None:
    found = _DATED.search(path.stem)
    try:
        parts = [int(part or 0) for part in found.groups()] if found else []
        return datetime(*parts, tzinfo=zone).astimezone(UTC) if parts else None  # type: ignore[arg-type,misc]
    except ValueError:
        return None


def _natural(path: Path) -> list[tuple[int, str]]:
    parts = re.findall(r"\d+|\D+", path.name)
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]
