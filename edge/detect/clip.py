"""A clip from looks: H.264 that browsers play, made off the thread that looks.

It is a sequence of looks, not the camera's full rate: a look a second of a busy street. Each
picture says when it was taken; where nothing moved, the time in between is left out.
"""

import tempfile
from collections.abc import Iterator, MutableMapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import cv2
import numpy as np

from edge.camera.frame import Image
from edge.detect.album import Shot
from edge.detect.detection import Detection
from edge.detect.evidence import EvidenceFile, write
from edge.detect.faces import CLIP_SIDE, FaceFinder
from edge.detect.mask import Patch, face_patches, masked

TICKS = 1000
SHORTEST_S, LONGEST_S = 0.04, 1.0
"""How long a picture is shown: as long as it lasted, within these."""
LAST_S = 1.0
CRF = "27"


@dataclass(frozen=True)
class Clip:
    """What a clip is to show. `name`: written into every picture, with its time."""

    name: str
    shots: tuple[Shot, ...]


KnownFaces = MutableMapping[Shot, Sequence[Detection]]
"""What was found in looks of other clips."""


def make_clip(clip: Clip, finder: FaceFinder, known: KnownFaces | None = None) -> EvidenceFile:
    """Cover faces and plates, and encode; takes seconds of CPU.

    `known` is asked first, and told what was found. Raises av.FFmpegError, OSError, ValueError for
    shots that cannot be made into a film.
    """
    pictures = _pictures(clip, finder, {} if known is None else known)
    with tempfile.TemporaryDirectory(prefix="tianyan-clip-") as folder:
        path = Path(folder) / "clip.mp4"
        _encode(path, pictures, _times(clip.shots))
        return EvidenceFile("clip", "video/mp4", path.read_bytes(), clip.shots[0].at)


def _times(shots: Sequence[Shot]) -> list[int]:
    """When each picture begins, in ticks."""
    times = [0]
    for before, after in pairwise(shots):
        shown_s = min(max(after.t_s - before.t_s, SHORTEST_S), LONGEST_S)
        times.append(times[-1] + round(shown_s * TICKS))
    return times


def _pictures(clip: Clip, finder: FaceFinder, known: KnownFaces) -> Iterator[Image]:
    """Each with what is to be covered in it and in its neighbours: people walk between looks."""
    for i, shot in enumerate(clip.shots):
        picture = cv2.imdecode(np.frombuffer(shot.data, np.uint8), cv2.IMREAD_COLOR)
        if picture is None:
            raise ValueError(f"{clip.name}: a look of {shot.at} cannot be decoded")
        covered: list[Patch] = [
            patch for near in clip.shots[max(i - 1, 0) : i + 2] for patch in near.patches
        ]
        if shot not in known:
            known[shot] = finder.find(picture, CLIP_SIDE)  # type: ignore[arg-type]
        covered += face_patches(known[shot])
        shown = masked(picture, covered)  # type: ignore[arg-type]
        scale = max(max(shown.shape[:2]) / 1280, 0.4) * 0.6
        write(shown, f"{clip.name} {shot.at:%Y-%m-%d %H:%M:%S} UTC", (0, shown.shape[0]), scale)
        yield shown


def _encode(path: Path, pictures: Iterator[Image], times: Sequence[int]) -> None:
    with av.open(str(path), "w", options={"movflags": "+faststart"}) as container:
        stream = None
        size = (0, 0)
        last = None
        for picture, pts in zip(pictures, times, strict=True):
            if stream is None:
                size = picture.shape[1], picture.shape[0]
                stream = container.add_stream("libx264", rate=25)
                stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
                stream.codec_context.time_base = Fraction(1, TICKS)
                stream.codec_context.thread_count = 1
                stream.options = {"preset": "veryfast", "crf": CRF, "g": "10"}
            if picture.shape[1::-1] != size:  # the camera changed its resolution
                picture = cv2.resize(picture, size)  # type: ignore[assignment]  # noqa: PLW2901
            last = _frame(picture, pts)
            container.mux(stream.encode(last))
        if stream is None or last is None:
            raise ValueError(f"{path}: a clip needs at least one picture")
        # The last picture is shown as long as the next would begin.
        end = _frame(picture, times[-1] + round(LAST_S * TICKS))
        container.mux(stream.encode(end))
        container.mux(stream.encode(None))


def _frame(picture: Image, pts: int) -> av.VideoFrame:
    frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
    frame.pts, frame.time_base = pts, Fraction(1, TICKS)
    return frame
