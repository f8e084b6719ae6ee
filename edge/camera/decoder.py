"""From coded packets to the few pictures that are looked at, at the least cost.

Decoding is most of what a camera costs. Where keyframes come at least as often as looks are
wanted, only the packets that hold one are decoded at all; elsewhere everything is, and the
pictures in between are dropped before they are converted. The keyframe interval is measured
all the time, and the way of decoding changes at a keyframe, where both ways can begin. While the
street is idle frames may wait (`pace.py`), so that more keyframes are skipped and rarer ones do.
"""

import math
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

import av
import numpy as np
from av.stream import Disposition
from av.video.reformatter import VideoReformatter

from edge.camera.clock import Thinning
from edge.camera.errors import BadSource
from edge.camera.frame import Image
from edge.camera.pace import Pace

VideoPacket: TypeAlias = "av.Packet[av.VideoStream]"

DAMAGE = (av.InvalidDataError, IndexError)
"""What reading on may survive; PyAV raises IndexError when a stream appears in the middle."""

MAX_PIXELS = 8192 * 8192
_LATE = 1.1


@dataclass(frozen=True)
class Picture:
    """A decoded picture, BGR, and its time on the source's clock."""

    image: Image
    t_s: float


class KeyframeInterval:
    """How far apart keyframes are, by the last three gaps."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._last_s: float | None = None
        self._gaps_s: deque[float] = deque(maxlen=3)

    def saw(self, stamp_s: float | None) -> None:
        """A keyframe came with this time stamp (seconds, any origin)."""
        if stamp_s is None:
            return
        if self._last_s is not None and stamp_s > self._last_s:
            self._gaps_s.append(stamp_s - self._last_s)
        self._last_s = stamp_s

    @property
    def latest_s(self) -> float:
        """The last gap, 0 while none is known."""
        return self._gaps_s[-1] if self._gaps_s else 0.0

    def allows(self, looks_per_s: float) -> bool:
        """Whether keyframes alone give that many looks; no while it is not known."""
        return len(self._gaps_s) > 1 and max(self._gaps_s) <= _LATE / looks_per_s


class LookDecoder:
    """Decodes one video stream, about `looks_per_s` pictures of it.

    `time_of`: from a picture's stamp in seconds (None: it has none) to its time on the source's
    clock. `pace`: how long a picture may wait. Damaged packets and pictures are left out.
    """

    def __init__(
        self,
        stream: av.VideoStream,
        looks_per_s: float,
        time_of: Callable[[float | None], float],
        thinning: Thinning,
        pace: Pace | None = None,
    ) -> None:
        """Begin to decode `stream`, all of it until the keyframe interval is known."""
        self._codec = stream.codec_context
        self._codec.options = {"max_pixels": str(MAX_PIXELS)}
        self._codec.thread_count = 1
        self._second = float(stream.time_base or 0)
        self._rate = looks_per_s
        self._time_of = time_of
        self._thinning = thinning
        self._pace = pace or Pace()
        self._taken_s = -math.inf
        self._interval = KeyframeInterval()
        self._reformatter = VideoReformatter()
        self.keyframes_only = False
        self.decoded = 0
        self.damaged = 0

    def pictures(self, packet: VideoPacket) -> Iterator[Picture]:
        """The pictures to look at that this packet completes."""
        if packet.is_keyframe and packet.size:
            self._interval.saw(self._stamp_s(packet))
            allowed = self._interval.allows(1 / max(1 / self._rate, self._pace.gap_s))
            if allowed and not self.keyframes_only:
                yield from self._looked_at(self._held_back())
            self.keyframes_only = allowed
        if not self.keyframes_only:
            yield from self._looked_at(self._decode(packet))
        elif packet.is_keyframe and self._is_due(packet):
            yield from self._looked_at(self._decode(packet) + self._held_back())

    @property
    def _early_s(self) -> float:
        if not self.keyframes_only:
            return 0.0
        return min(self._interval.latest_s / 2, 0.25 / self._rate)

    def _is_due(self, packet: VideoPacket) -> bool:
        t_s = self._time_of(self._stamp_s(packet))
        return self._thinning.is_due(t_s, self._early_s) and not self._may_wait(t_s)

    def _may_wait(self, t_s: float) -> bool:
        return t_s - self._taken_s < self._pace.gap_s - self._early_s

    def _looked_at(self, frames: list[av.VideoFrame]) -> Iterator[Picture]:
        good = [frame for frame in frames if not frame.is_corrupt]
        self.decoded += len(good)
        self.damaged += len(frames) - len(good)
        for frame in good:
            t_s = self._time_of(self._stamp_s(frame))
            if not self._may_wait(t_s) and self._thinning.take(t_s, self._early_s):
                self._taken_s = t_s
                image = self._reformatter.reformat(frame, format="bgr24")
                yield Picture(upright(image, frame.rotation), t_s)

    def _decode(self, packet: "VideoPacket | None") -> list[av.VideoFrame]:
        try:
            return self._codec.decode(packet)
        except av.FFmpegError:
            self.damaged += 1
            return []

    def _held_back(self) -> list[av.VideoFrame]:
        """What a decoder that reorders keeps until later pictures come; here none will."""
        frames = self._decode(None)
        self._codec.flush_buffers()
        return frames

    def _stamp_s(self, timed: "VideoPacket | av.VideoFrame") -> float | None:
        stamp = timed.pts if timed.pts is not None else timed.dts
        return None if stamp is None else stamp * self._second


def upright(frame: av.VideoFrame, rotation_deg: int) -> Image:
    """The picture as it is meant to be seen, BGR."""
    image = frame.to_ndarray().view(np.uint8)
    turns = round(rotation_deg / 90) % 4
    return np.ascontiguousarray(np.rot90(image, turns)) if turns else image


def video_stream(container: av.container.InputContainer, name: str) -> av.VideoStream:
    """The first stream with moving pictures.

    Raises BadSource when there is none we can decode.
    """
    for stream in container.streams.video:
        is_cover = stream.disposition & Disposition.attached_pic
        if stream.codec_context is not None and not is_cover:
            return stream
    raise BadSource(f"{name}: has no video stream that can be decoded")
