"""What reading a camera costs: CPU ms for each second of 1080p 25 fps H.264, ways side by side.

`python bench/decode.py [--times 6]` draws ten seconds of a noisy street at 4 Mbit/s, keyframes
every second and every ten, and reads them so many times in one file for one look a second: by
`edge.camera` (keyframes only where they come often enough), by decoding every frame with PyAV,
and with OpenCV's `read` and `grab`.
`ratio` = times the cost of the first row of the same file. One line of JSON a row.
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from edge.camera.sources import open_source
from edge.config import CameraConfig

FPS, WIDTH, HEIGHT, BITS_PER_S = 25, 1920, 1080, 4_000_000
DRAWN_S = 10
GOPS_S = (1, 10)


def draw(path: Path, gop_s: int) -> None:
    rng = np.random.default_rng(1)
    street = cv2.resize(rng.integers(0, 255, (54, 96, 3), np.uint8), (WIDTH, HEIGHT))
    noise = [rng.integers(0, 12, (HEIGHT, WIDTH, 3), np.uint8) for _ in range(4)]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS, options={
            "preset": "superfast", "g": str(gop_s * FPS), "keyint_min": str(gop_s * FPS),
            "sc_threshold": "0",
        })  # fmt: skip
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.bit_rate = BITS_PER_S
        for i in range(DRAWN_S * FPS):
            picture = cv2.add(street, noise[i % 4])
            for walker in range(6):
                x = (i * (3 + walker) + walker * 300) % (WIDTH - 80)
                picture[500 + walker * 60 : 700 + walker * 60, x : x + 80] = 40 * walker
            frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
            frame.pts, frame.time_base = i, Fraction(1, FPS)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def repeat(path: Path, longer: Path, times: int) -> None:
    """The same packets again and again, without coding them again."""
    with av.open(str(longer), "w") as out:
        stream = None
        for number in range(times):
            with av.open(str(path)) as container:
                source = container.streams.video[0]
                stream = stream or out.add_stream_from_template(source)
                shift = round(number * DRAWN_S / source.time_base)
                for packet in container.demux(source):
                    if packet.dts is not None:
                        packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
                        packet.stream = stream
                        out.mux(packet)


def edge_camera(path: Path) -> int:
    camera = CameraConfig(id="bench", source=str(path), real_time=False, looks_per_s=1)
    return sum(1 for _ in open_source(camera))


def pyav_every_frame(path: Path) -> int:
    looks = 0
    with av.open(str(path)) as container:
        container.streams.video[0].thread_count = 1
        for i, frame in enumerate(container.decode(video=0)):
            if i % FPS == 0:
                frame.to_ndarray(format="bgr24")
                looks += 1
    return looks


def opencv_read(path: Path) -> int:
    capture, i, looks = cv2.VideoCapture(str(path)), 0, 0
    while capture.read()[0]:
        looks += i % FPS == 0
        i += 1
    return looks


def opencv_grab(path: Path) -> int:
    capture, i, looks = cv2.VideoCapture(str(path)), 0, 0
    while capture.grab():
        if i % FPS == 0:
            looks += capture.retrieve()[0]
        i += 1
    return looks


WAYS: tuple[Callable[[Path], int], ...] = (
    edge_camera, pyav_every_frame, opencv_grab, opencv_read,
)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=6, help="ten seconds so many times")
    parser.add_argument("--rounds", type=int, default=3, help="the best of so many counts")
    options = parser.parse_args()
    os.environ["OPENCV_FFMPEG_CAPTURE_OPTIONS"] = "threads;1"
    with tempfile.TemporaryDirectory() as folder:
        for gop_s in GOPS_S:
            drawn, path = Path(folder) / "drawn.mp4", Path(folder) / f"{gop_s}.mp4"
            draw(drawn, gop_s)
            repeat(drawn, path, options.times)
            first = None
            for way in WAYS:
                best_s, looks = min(cost(way, path) for _ in range(options.rounds))
                first = first or best_s
                print(json.dumps({
                    "keyframe_every_s": gop_s, "way": way.__name__, "looks": looks,
                    "cpu_ms_per_s": round(1000 * best_s / (options.times * DRAWN_S), 1),
                    "ratio": round(best_s / first, 1),
                }))  # fmt: skip


def cost(way: Callable[[Path], int], path: Path) -> tuple[float, int]:
    began_s = time.process_time()
    looks = way(path)
    return time.process_time() - began_s, looks


if __name__ == "__main__":
    main()
