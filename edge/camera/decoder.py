"""From coded packets to the few pictures that are looked at, at the least cost.

Decoding is most of what a camera costs. Where keyframes come at least as often as looks are
wanted, only the packets that hold one are decoded at all; elsewhere everything is, and the
pictures in between are dropped before they are converted. That keyframes are enough is assumed
until one is late: the packets since the last one are kept, and are made up for then. While the
street is idle frames may wait (`pace.py`), so that more keyframes are skipped and rarer ones do.
"""

import math
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

import av
from av.stream import Disposition

from edge.camera.clock import Thinning
from edge.camera.errors import BadSource
from edge.camera.pace import Pace
from edge.camera.picture import DecodedPicture

VideoPacket: TypeAlias = "av.Packet[av.VideoStream]"

DAMAGE = (av.InvalidDataError, IndexError)
"""What reading on may survive; PyAV raises IndexError when a stream appears in the middle."""

MAX_PIXELS = 8192 * 8192
_LATE, _EXACT_S = 1.1, 1e-6
_REORDERED_S = 1.0
"""Stamps that go back further have begun anew."""
_MOST_KEPT = 32_000_000
"""Bytes of packets that are kept in case keyframes are too rare: more is decoded at once."""


@dataclass(frozen=True)
class Decoded:
    """A decoded picture and its time on the source's clock."""

    picture: DecodedPicture
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

    def allows(self, looks_per_s: float) -> bool | None:
        """Whether keyframes alone give that many looks; None while it is not known."""
        if len(self._gaps_s) < 2:
            return None
        return max(self._gaps_s) <= _LATE / looks_per_s


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
        """Begin to decode `stream`, keyframes alone until one is late."""
        self._codec = stream.codec_context
        self._codec.options = {"max_pixels": str(MAX_PIXELS)}
        self._codec.thread_count = 1
        self._second = float(stream.time_base or 0)
        self._rate = looks_per_s
        self._time_of = time_of
        self._thinning = thinning
        self._pace = pace or Pace()
        self._taken_s = -math.inf
        self._taken_stamp_s: float | None = None
        self._kept: list[VideoPacket] = []
        self._kept_bytes = 0
        self._interval = KeyframeInterval()
        self.keyframes_only = True
        self.decoded = 0
        self.damaged = 0

    def pictures(self, packet: VideoPacket) -> Iterator[Decoded]:
        """The pictures to look at that this packet completes."""
        if packet.is_keyframe and packet.size:
            self._interval.saw(self._stamp_s(packet))
            allowed = self._interval.allows(1 / self._every_s)
            if allowed and not self.keyframes_only:
                yield from self._looked_at(self._held_back())
            if allowed is not None:
                self.keyframes_only = allowed
            self._kept, self._kept_bytes = [], 0
        if not self.keyframes_only:
            yield from self._looked_at(self._decode(packet))
            return
        if packet.is_keyframe or self._kept:
            self._kept.append(packet)
            self._kept_bytes += packet.size
        if packet.is_keyframe and self._is_due(packet):
            yield from self._looked_at(self._decode(packet) + self._held_back())
        elif self._is_late(packet):
            yield from self._made_up_for()

    @property
    def _every_s(self) -> float:
        return max(1 / self._rate, self._pace.gap_s)

    def _is_late(self, packet: VideoPacket) -> bool:
        """Whether the next look cannot wait for the next keyframe. By the source's own stamps."""
        if not self._kept:
            return False
        if not packet.size:  # the end: no keyframe will come any more
            last = max(self._kept, key=lambda kept: self._stamp_s(kept) or 0.0)
            return self._comes_in_time(last)
        stamp_s = self._stamp_s(packet)
        if stamp_s is None or self._taken_stamp_s is None:
            return True
        # Of keyframes that are known to come the one after the look's time is waited for.
        known_s = self._interval.latest_s if self._interval.allows(1 / self._every_s) else 0.0
        since_s = stamp_s - self._taken_stamp_s
        is_late = since_s > _LATE * (self._every_s + known_s) or since_s < -_REORDERED_S
        return is_late or self._kept_bytes > _MOST_KEPT

    def _made_up_for(self) -> Iterator[Decoded]:
        """Decode what was kept, and from now on everything; the first picture that is due comes."""
        kept, self._kept = self._kept, []
        self.keyframes_only = False
        self._codec.flush_buffers()
        frames = [frame for packet in kept for frame in self._decode(packet)]
        yield from self._looked_at([frame for frame in frames if self._comes_in_time(frame)])

    def _comes_in_time(self, timed: "VideoPacket | av.VideoFrame") -> bool:
        stamp_s = self._stamp_s(timed)
        if stamp_s is None or self._taken_stamp_s is None:
            return True
        return stamp_s - self._taken_stamp_s >= self._every_s - _EXACT_S

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

    def _looked_at(self, frames: list[av.VideoFrame]) -> Iterator[Decoded]:
        good = [frame for frame in frames if not frame.is_corrupt]
        self.decoded += len(good)
        self.damaged += len(frames) - len(good)
        for frame in good:
            t_s = self._time_of(self._stamp_s(frame))
            if not self._may_wait(t_s) and self._thinning.take(t_s, self._early_s):
                self._taken_s, self._taken_stamp_s = t_s, self._stamp_s(frame)
                yield Decoded(DecodedPicture(frame), t_s)

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


def video_stream(container: av.container.InputContainer, name: str) -> av.VideoStream:
    """The first stream with moving pictures.

    Raises BadSource when there is none we can decode.
    """
    for stream in container.streams.video:
        is_cover = stream.disposition & Disposition.attached_pic
        if stream.codec_context is not None and not is_cover:
            return stream
    raise BadSource(f"{name}: has no video stream that can be decoded")
