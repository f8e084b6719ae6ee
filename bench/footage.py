"""Recordings for the benchmarks: a drawn street as a camera sends it, 1080p at 25 in H.264.

Generated: `scenes/` draws the street, with the grain of a sensor over it and, where it is busy,
people walking through all the time. `quiet` is the empty street, `busy` the same with stalls,
heaps, cars and people.
"""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Literal

import av
import cv2
import numpy as np

from edge.camera.frame import Image
from scenes.labels import training_frames

Kind = Literal["quiet", "busy"]
KINDS: tuple[Kind, ...] = ("quiet", "busy")
WIDTH, HEIGHT, FPS, BITS_PER_S = 1920, 1080, 25, 4_000_000
DRAWN_S = 8
MATTERS = frozenset({"street_vending", "garbage", "illegal_structure"})
WALKERS = 6
GRAIN = 3.0


def write_street(path: Path, kind: Kind, *, keyframe_every_s: int, seconds: int) -> Path:
    """Draw and code `DRAWN_S` seconds, then repeat their packets up to `seconds`."""
    once = path.with_name(f"once-{path.name}")
    _code(_pictures(kind), once, keyframe_every_s)
    _repeat(once, path, -(-seconds // DRAWN_S))
    once.unlink()
    return path


def street(kind: Kind) -> tuple[Image, Image]:
    """A street of that kind, and somebody to walk through it."""
    person: Image | None = None
    for frame, labels in training_frames(64, 4, (WIDTH, HEIGHT)):
        for label, x, y, w, h in labels:
            if label == "person" and h > 0.12:
                left, top = round(x * WIDTH), round(y * HEIGHT)
                person = frame[top : top + round(h * HEIGHT), left : left + round(w * WIDTH)].copy()
        told = {label for label, *_ in labels}
        fits = not told if kind == "quiet" else bool(told & MATTERS)
        if fits and person is not None:
            return frame, person
    raise RuntimeError(f"no {kind} street among those drawn")


def _pictures(kind: Kind) -> Iterator[Image]:
    still, person = street(kind)
    rng = np.random.default_rng(0)
    coarse = [rng.normal(0, GRAIN, (HEIGHT // 2, WIDTH // 2, 3)) for _ in range(6)]
    grains = [cv2.resize(one.astype(np.float32), (WIDTH, HEIGHT)).astype(np.int8) for one in coarse]
    for number in range(DRAWN_S * FPS):
        picture = still.copy()
        if kind == "busy":
            _walk(picture, person, number)
        yield cv2.add(picture, grains[number % 6], dtype=cv2.CV_8U)


def _walk(picture: Image, person: Image, number: int) -> None:
    height, width = person.shape[:2]
    for walker in range(WALKERS):
        left = (number * (4 + walker) + walker * 310) % (WIDTH - width)
        top = HEIGHT // 3 + walker * (HEIGHT // 2 - height) // WALKERS
        top = min(max(top, 0), HEIGHT - height)
        picture[top : top + height, left : left + width] = person


def _code(pictures: Iterator[Image], path: Path, keyframe_every_s: int) -> None:
    gop = str(keyframe_every_s * FPS)
    options = {
        "preset": "veryfast", "bf": "0", "g": gop, "keyint_min": gop, "sc_threshold": "0",
        "maxrate": str(BITS_PER_S), "bufsize": str(2 * BITS_PER_S),
    }  # fmt: skip
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS, options=options)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.bit_rate = BITS_PER_S
        for number, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
            frame.pts, frame.time_base = number, Fraction(1, FPS)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def _repeat(once: Path, path: Path, times: int) -> None:
    with av.open(str(path), "w") as out:
        stream = None
        for number in range(times):
            with av.open(str(once)) as container:
                source = container.streams.video[0]
                stream = stream or out.add_stream_from_template(source)
                shift = round(number * DRAWN_S / source.time_base)
                for packet in container.demux(source):
                    if packet.dts is not None:
                        packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
                        packet.stream = stream
                        out.mux(packet)
