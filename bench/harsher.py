"""Rendered recordings as worse cameras send them: other frame rates, crushed, resized in between.

Nothing is drawn anew: the pictures of a recording are coded again, so that what is found can be
held against what was found in the recording itself.
"""

import math
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av

from scenes.video import camera_path, truth_path

TICK = Fraction(1, 1000)


@dataclass(frozen=True)
class Harsh:
    """`rate`: frames a second, each picture shown so often. `crf`: of x264. `resized`: half-way."""

    rate: int = 1
    crf: str = "26"
    resized: bool = False


@dataclass(frozen=True)
class Part:
    """Seconds of a recording, and the size they are coded at beside its own."""

    from_s: float = 0.0
    until_s: float = math.inf
    scale: float = 1.0


VARIANTS = {
    "fps5": Harsh(rate=5),
    "fps25": Harsh(rate=25),
    "crushed": Harsh(crf="42"),
    "resized": Harsh(resized=True),
}


def harsher(video: Path, name: str) -> Path:
    """The recording in that variant, with its camera and truth beside it; made once."""
    made = video.with_name(f"{video.stem}-{name}.ts")
    if made.exists():
        return made
    harsh = VARIANTS[name]
    with av.open(str(video)) as container:
        stream = container.streams.video[0]
        middle_s = float((stream.duration or 0) * (stream.time_base or 0)) / 2
    parts = [Part(0.0, middle_s), Part(middle_s, scale=0.75)] if harsh.resized else [Part()]
    data = b"".join(_coded(video, made, harsh, part) for part in parts)
    made.write_bytes(data)
    for path in (camera_path, truth_path):
        shutil.copyfile(path(video), path(made))
    return made


def _coded(video: Path, made: Path, harsh: Harsh, of: Part) -> bytes:
    part = made.with_suffix(".part.ts")
    width = height = 0
    with av.open(str(part), "w", format="mpegts") as out:
        stream = out.add_stream("libx264", rate=harsh.rate)
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = TICK
        stream.codec_context.thread_count = 1
        stream.options = {
            "preset": "veryfast", "crf": harsh.crf, "bf": "0", "g": str(harsh.rate),
        }  # fmt: skip
        for frame, at_s in _frames(video):
            if not of.from_s <= at_s < of.until_s:
                continue
            if not width:
                width, height = (
                    round(side * of.scale / 2) * 2 for side in (frame.width, frame.height)
                )
                stream.width, stream.height = width, height
            picture = frame.reformat(width=width, height=height, format="yuv420p")
            for number in range(harsh.rate):
                picture.pts = round((at_s + number / harsh.rate) / TICK)
                picture.time_base = TICK
                out.mux(stream.encode(picture))
        out.mux(stream.encode(None))
    data = part.read_bytes()
    part.unlink()
    return data


def _frames(video: Path) -> Iterator[tuple[av.VideoFrame, float]]:
    with av.open(str(video)) as container:
        for frame in container.decode(video=0):
            yield frame, float(frame.time or 0.0)
