"""A video file, on the recording's own clock or as if a camera sent it now."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer

from edge.camera.clock import STAMPS_S, Clock, Thinning, Timeline
from edge.camera.decoder import DAMAGE, Decoded, LookDecoder, VideoPacket, video_stream
from edge.camera.errors import BadSource
from edge.camera.frame import Frame
from edge.camera.pace import Pace
from edge.config import CameraConfig

log = logging.getLogger(__name__)

_DAMAGES_SURVIVED = 20
_CUT_SHORT_S = 2.0
_NOT_RECORDINGS = ("tty", "image2")


def play_recording(
    camera: CameraConfig,
    clock: Clock,
    begins_at: datetime | None = None,
    pace: Pace | None = None,
) -> Iterator[Frame]:
    """Frames of a video file, again from the beginning for ever when `camera.loop` is set.

    `camera.real_time`: at the recording's own pace, and `at` is now. Otherwise as fast as they are
    taken, and `at` = `begins_at` (else `recorded_at`) plus the time into the recording: the same
    file gives the same frames.
    Raises BadSource: no such file, empty, not a video, nothing in it can be decoded.
    """
    path = Path(camera.source.removeprefix("file://"))
    begins_at = clock.now() if camera.real_time else begins_at or recorded_at(path)
    origin_s = clock.elapsed_s() if camera.real_time else 0.0
    for index, decoded in enumerate(_passes(path, camera, pace)):
        if camera.real_time:
            clock.wait(origin_s + decoded.t_s - clock.elapsed_s())
        at = begins_at + timedelta(seconds=decoded.t_s)
        yield Frame(decoded.picture, at, origin_s + decoded.t_s, index)


def recorded_at(path: Path) -> datetime:
    """When a recording begins: its `creation_time`, else the file's time of last change.

    Raises BadSource when it cannot be opened.
    """
    with _opened(path) as container:
        video_stream(container, str(path))
        told = container.metadata.get("creation_time", "")
    try:
        moment = datetime.fromisoformat(told).astimezone(UTC)
    except ValueError:
        moment = datetime.fromtimestamp(0, UTC)
    if moment.year > 1970:
        return moment
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)


@dataclass(frozen=True)
class Extent:
    """How much a recording holds: its frames, and its length in seconds by the clock it plays on.

    Stamps that jump or are missing are continued as in the playback: what is counted an hour is
    counted over the same hours.
    """

    frames: int
    seconds: float


def extent(path: Path) -> Extent:
    """Count a recording without decoding it.

    Raises BadSource when it cannot be opened.
    """
    frames, end_s = 0, 0.0
    with _opened(path) as container:
        stream = video_stream(container, str(path))
        timeline = Timeline(_frame_s(stream), stamps_s=STAMPS_S)
        for packet in _packets(container, stream, path):
            if not packet.size:
                continue
            frames += 1
            base, stamp = packet.time_base or Fraction(0), packet.pts
            at_s = timeline.seconds(None if stamp is None else float(stamp * base))
            end_s = max(end_s, at_s + float((packet.duration or 0) * base))
    return Extent(frames, end_s)


def _frame_s(stream: av.VideoStream) -> float:
    return float(1 / stream.average_rate) if stream.average_rate else 0.04


def _passes(path: Path, camera: CameraConfig, pace: Pace | None) -> Iterator[Decoded]:
    timeline = Timeline(stamps_s=STAMPS_S)
    thinning = Thinning(camera.looks_per_s)
    while True:
        with _opened(path) as container:
            stream = video_stream(container, str(path))
            timeline.frame_s = _frame_s(stream)
            decoder = LookDecoder(stream, camera.looks_per_s, timeline.seconds, thinning, pace)
            yield from _pictures(container, path, timeline, decoder, 1 / camera.looks_per_s)
        if not camera.loop:
            return
        timeline.restart()


def _pictures(
    container: InputContainer,
    path: Path,
    timeline: Timeline,
    decoder: LookDecoder,
    look_every_s: float,
) -> Iterator[Decoded]:
    begins_s = timeline.last_s
    for packet in _packets(container, video_stream(container, str(path)), path):
        yield from decoder.pictures(packet)
    if not decoder.decoded:
        raise BadSource(f"{path}: no picture in it can be decoded")
    if decoder.damaged:
        log.warning("%s: %d damaged pictures left out", path, decoder.damaged)
    seconds = timeline.last_s - begins_s
    promised_s = (container.duration or 0) / av.time_base
    if seconds < promised_s - _CUT_SHORT_S - look_every_s:
        log.warning("%s: ends after %.1f s, promises %.1f s", path, seconds, promised_s)


def _packets(
    container: InputContainer, stream: av.VideoStream, path: Path
) -> Iterator[VideoPacket]:
    for _ in range(_DAMAGES_SURVIVED):
        try:
            yield from container.demux(stream)
        except (*DAMAGE, av.FFmpegError) as fault:
            log.debug("%s: read past damage: %s", path, fault)
        else:
            return
    log.warning("%s: too damaged to read further", path)


def _opened(path: Path) -> InputContainer:
    if not path.is_file():
        raise BadSource(f"{path}: no such file")
    try:
        if path.stat().st_size == 0:
            raise BadSource(f"{path}: is empty (0 bytes), not a video")
        container = av.open(str(path), metadata_errors="replace")
    except (av.InvalidDataError, EOFError):
        raise BadSource(f"{path}: is not a video, or is damaged or cut off") from None
    except OSError as fault:
        raise BadSource(f"{path}: cannot be read: {fault.strerror}") from None
    if container.format.name in _NOT_RECORDINGS or container.format.name.endswith("_pipe"):
        container.close()
        raise BadSource(f"{path}: is {container.format.long_name}, not a video")
    return container
