"""Cameras that send by themselves: RTSP, HTTP, USB.

Their frames are timed when they arrive, by a clock that never jumps; a camera's own stamps are
not trusted. Only what the network hands over in bursts (HLS, a file by HTTP) is played out by
its stamps.
"""

import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import av
from av.container import InputContainer

from edge.camera.address import masked
from edge.camera.clock import STAMPS_S, Clock, Thinning, Timeline
from edge.camera.decoder import DAMAGE, LookDecoder, VideoPacket, video_stream
from edge.camera.errors import SourceLost
from edge.camera.frame import Frame
from edge.camera.pace import Pace
from edge.config import CameraConfig

OPEN_TIMEOUT_S = 5.0
READ_TIMEOUT_S = 10.0
_DAMAGES_SURVIVED = 20

_MICROSECONDS = 1_000_000
_PROBE = {"analyzeduration": str(_MICROSECONDS)}
_RTSP = _PROBE | {"rtsp_transport": "tcp", "timeout": str(int(READ_TIMEOUT_S * _MICROSECONDS))}

Heard = Callable[[], None]


def rtsp(camera: CameraConfig, clock: Clock, heard: Heard, pace: Pace) -> Iterator[Frame]:
    """Frames of an RTSP camera, over TCP: a lost UDP packet is a smeared picture.

    Raises SourceLost when it does not answer, refuses us, ends or goes silent.
    """
    with _opened(camera.source, _RTSP) as container:
        yield from _as_it_comes(container, camera, clock, heard, pace)


def http(camera: CameraConfig, clock: Clock, heard: Heard, pace: Pace) -> Iterator[Frame]:
    """Frames of an HTTP stream: MJPEG, MPEG-TS, HLS, or a recording that lies on a server.

    A recording ends; for the rest raises SourceLost as `rtsp` does.
    """
    with _opened(camera.source, _PROBE) as container:
        is_recording = container.duration is not None
        if not is_recording and container.format.name != "hls":
            yield from _as_it_comes(container, camera, clock, heard, pace)
        yield from _played_out(container, camera, clock, heard, pace)
        if not is_recording:
            raise SourceLost(f"{masked(camera.source)}: the stream ended")


def usb(camera: CameraConfig, clock: Clock, heard: Heard, pace: Pace) -> Iterator[Frame]:
    """Frames of a camera on this machine: `usb:0` is the first (Linux, Video4Linux).

    Raises SourceLost when it is not there or is pulled out.
    """
    device = f"/dev/video{camera.source.removeprefix('usb:')}"
    if not sys.platform.startswith("linux"):
        raise SourceLost(f"{camera.source}: USB cameras are read on Linux only")
    if not Path(device).exists():
        raise SourceLost(f"{camera.source}: no camera at {device}")
    with _opened(device, {}, kind="v4l2") as container:
        yield from _as_it_comes(container, camera, clock, heard, pace)


def _as_it_comes(
    container: InputContainer, camera: CameraConfig, clock: Clock, heard: Heard, pace: Pace
) -> Iterator[Frame]:
    index = 0
    decoder = _decoder(container, camera, lambda _: clock.elapsed_s(), pace)
    for packet in _packets(container, camera, heard):
        for decoded in decoder.pictures(packet):
            yield Frame(decoded.picture, clock.now(), decoded.t_s, index)
            index += 1
    raise SourceLost(f"{masked(camera.source)}: the stream ended")


def _played_out(
    container: InputContainer, camera: CameraConfig, clock: Clock, heard: Heard, pace: Pace
) -> Iterator[Frame]:
    index = 0
    origin_s, origin_at = clock.elapsed_s(), clock.now()
    timeline = Timeline(stamps_s=STAMPS_S)
    decoder = _decoder(container, camera, timeline.seconds, pace)
    for packet in _packets(container, camera, heard):
        for decoded in decoder.pictures(packet):
            clock.wait(origin_s + decoded.t_s - clock.elapsed_s())
            at = origin_at + timedelta(seconds=decoded.t_s)
            yield Frame(decoded.picture, at, origin_s + decoded.t_s, index)
            index += 1


def _decoder(
    container: InputContainer,
    camera: CameraConfig,
    time_of: Callable[[float | None], float],
    pace: Pace,
) -> LookDecoder:
    stream = video_stream(container, masked(camera.source))
    return LookDecoder(stream, camera.looks_per_s, time_of, Thinning(camera.looks_per_s), pace)


def _packets(
    container: InputContainer, camera: CameraConfig, heard: Heard
) -> Iterator[VideoPacket]:
    stream = video_stream(container, masked(camera.source))
    for _ in range(_DAMAGES_SURVIVED):
        try:
            for packet in container.demux(stream):
                heard()
                yield packet
        except DAMAGE:
            continue
        except av.FFmpegError as lost:
            raise SourceLost(f"{masked(camera.source)}: {_reason(lost)}") from None
        else:
            return
    raise SourceLost(f"{masked(camera.source)}: what it sends is too damaged to read")


def _opened(address: str, options: dict[str, str], kind: str | None = None) -> InputContainer:
    begun_s = time.monotonic()
    try:
        return av.open(
            address,
            format=kind,
            options=options,
            metadata_errors="replace",
            timeout=(OPEN_TIMEOUT_S, READ_TIMEOUT_S),
        )
    except (av.FFmpegError, ValueError) as fault:
        # An interrupted handshake is reported as invalid data as often as as a timeout.
        is_timeout = time.monotonic() - begun_s >= OPEN_TIMEOUT_S
        reason = f"no answer within {OPEN_TIMEOUT_S:g} s" if is_timeout else _reason(fault)
        raise SourceLost(f"{masked(address)}: {reason}") from None


def _reason(fault: Exception) -> str:
    if isinstance(fault, av.HTTPUnauthorizedError | av.HTTPForbiddenError):
        return "user or password refused"
    if isinstance(fault, av.ExitError | TimeoutError):
        return "went silent"
    if isinstance(fault, av.InvalidDataError):
        return "what it sends is not video, or is damaged"
    return getattr(fault, "strerror", None) or type(fault).__name__
