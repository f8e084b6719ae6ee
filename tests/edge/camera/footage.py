"""Small recordings made for the tests, with PyAV."""

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np


def street(width=320, height=180, seed=1):
    """A picture with the blocks and edges of a street, BGR."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 255, (6, 8, 3), dtype=np.uint8)
    picture = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    for _ in range(60):
        corner = rng.integers(0, [width, height])
        size = rng.integers(4, [max(width // 6, 5), max(height // 6, 5)])
        colour = [int(c) for c in rng.integers(0, 255, 3)]
        cv2.rectangle(picture, corner.tolist(), (corner + size).tolist(), colour, -1)
    return picture


def moving_square(second, size):
    """The street with a white square that crosses it."""
    picture = street(*size)
    x = int(second * 20) % (size[0] - 20)
    picture[10:30, x : x + 20] = 255
    return picture


def record(
    path: Path,
    seconds=6.0,
    fps=10,
    gop=10,
    size=(320, 180),
    codec="libx264",
    pictures=moving_square,
    metadata=None,
    start_s=0.0,
    **options,
):
    """Write a recording; `gop` frames from keyframe to keyframe; returns its path."""
    defaults = {"preset": "ultrafast", "tune": "zerolatency"} if codec == "libx264" else {}
    if codec == "libx265":
        defaults = {"preset": "ultrafast", "x265-params": f"log-level=none:keyint={gop}"}
    with av.open(str(path), "w") as container:
        container.metadata.update(metadata or {})
        stream = container.add_stream(
            codec, rate=fps, options=defaults | {"g": str(gop), "sc_threshold": "0"} | options
        )
        stream.width, stream.height = size
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        for i in range(round(seconds * fps)):
            frame = av.VideoFrame.from_ndarray(pictures(i / fps, size), format="bgr24")
            frame.pts = i + round(start_s * fps)
            frame.time_base = Fraction(1, fps)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path
