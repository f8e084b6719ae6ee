"""What one camera costs: CPU ms per second of video, the whole look beside a plain loop.

    python bench/pipeline.py [VIDEO] [--model street-n] [--seconds 60]

The recording is brought to 1080p, 25 frames a second, H.264 at 4 Mbit/s with a keyframe a second,
as a street camera sends it; without one a made-up scene is taken. `busy` is that recording; `idle`
is its first picture with a sensor's noise. The plain loop decodes every frame with OpenCV and runs
the same network once a second on one thread: no zones, no tracking, no memory, no evidence.
A last line tells what it costs to follow 50 things through a look, without decoding or network.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import cycle, islice
from pathlib import Path

import av
import cv2
import numpy as np

from edge.camera.frame import Image
from edge.camera.sources import open_source
from edge.config import CameraConfig
from edge.detect.detection import Detection
from edge.detect.detectors import Detector, open_detector
from edge.detect.moment import Moment
from edge.detect.places import Places, Sighting
from edge.detect.relations import stalls
from edge.detect.tracking import Tracker
from edge.detect.watch import CameraWatch
from wire.zone import LABELS, ZoneConfig

SIZE, FPS = (1920, 1080), 25
BUDGET_MS = 2 * 1000 * 0.7
"""CPU ms a second that 70 % of two cores give."""


def pictures_of(video: Path | None) -> Iterator[Image]:
    if video is None:
        rng = np.random.default_rng(0)
        ground = cv2.resize(rng.integers(60, 180, (54, 96, 3), np.uint8), SIZE)
        for number in range(250):
            picture = ground.copy()
            cv2.rectangle(picture, (number * 7, 500), (number * 7 + 80, 760), (30, 30, 30), -1)
            yield picture
        return
    with av.open(str(video)) as container:
        for frame in container.decode(video=0):
            yield cv2.resize(frame.to_ndarray(format="bgr24"), SIZE)


def write(pictures: Iterator[Image], path: Path, seconds: int) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        stream.bit_rate = 4_000_000
        stream.options = {"g": str(FPS), "preset": "ultrafast", "bf": "0"}
        for picture in islice(pictures, seconds * FPS):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        container.mux(stream.encode(None))


def noisy(picture: Image) -> Iterator[Image]:
    rng = np.random.default_rng(0)
    grains = [rng.integers(-3, 4, (270, 480, 3)).astype(np.float32) for _ in range(8)]
    for grain in cycle(grains):
        yield np.clip(picture + cv2.resize(grain, SIZE), 0, 255).astype(np.uint8)


def ours(video: Path, detector: Detector) -> dict[str, float]:
    camera = CameraConfig(id="bench", source=str(video), real_time=False)
    watch = CameraWatch(camera, detector)
    for frame in open_source(camera):
        watch.look(frame)
    return {"looks": watch.looks, "analysed": watch.analysed}


def plain_loop(video: Path, detector: Detector) -> dict[str, float]:
    capture, number, looks = cv2.VideoCapture(str(video)), 0, 0
    while True:
        is_read, picture = capture.read()
        if not is_read:
            return {"looks": looks, "analysed": looks}
        if number % FPS == 0:
            detector.detect(picture)
            looks += 1
        number += 1


def following(count: int, looks: int = 60) -> dict[str, object]:
    """Half of them people and goods to be tracked, half matters whose places are remembered."""
    rng = np.random.default_rng(0)
    labels = ("person", "garbage", "umbrella", "street_vending", "bowl", "garbage")
    spots = [(0.01 + 0.098 * (n % 10), 0.01 + 0.195 * (n // 10 % 5)) for n in range(count)]
    tracker, places, zone, spent_ms = Tracker(), Places(), ZoneConfig(id="all"), []
    for look in range(looks):
        moves = rng.uniform(-0.004, 0.004, (count, 2))
        boxes = [
            Detection(labels[n % len(labels)], 0.6, x + moves[n, 0], y + moves[n, 1], 0.05, 0.12)
            for n, (x, y) in enumerate(spots)
        ]
        matters = [(zone, Sighting(b, b.score)) for b in boxes if b.label in LABELS]
        now = Moment(datetime.fromtimestamp(look, UTC), float(look))
        began_s = time.thread_time()
        tracks = tracker.update(boxes, now.t_s)
        stalls(tracks, [], 16 / 9)
        places.update(matters, [], now)
        spent_ms.append((time.thread_time() - began_s) * 1000)
    tenth, median = (round(float(ms), 2) for ms in np.percentile(spent_ms, (10, 50)))
    return {"things": count, "cpu_ms_a_look": median, "p10": tenth}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("video", type=Path, nargs="?")
    parser.add_argument("--model", default="street-n")
    parser.add_argument("--seconds", type=int, default=60)
    wanted = parser.parse_args()
    cv2.setNumThreads(1)
    detector = open_detector(wanted.model)
    with tempfile.TemporaryDirectory() as place:
        for kind in ("busy", "idle"):
            video = Path(place) / f"{kind}.mp4"
            source = cycle(pictures_of(wanted.video))
            write(source if kind == "busy" else noisy(next(source)), video, wanted.seconds)
            line: dict[str, object] = {"street": kind, "seconds": wanted.seconds}
            spent_ms = {}
            for name, run in (("tianyan", ours), ("plain loop", plain_loop)):
                began_s = time.process_time()
                counts = run(video, detector)
                spent_ms[name] = (time.process_time() - began_s) * 1000 / wanted.seconds
                line[name] = {"cpu_ms_a_second": round(spent_ms[name], 1), **counts}
            line["times_cheaper"] = round(spent_ms["plain loop"] / spent_ms["tianyan"], 2)
            line["streams_on_70_percent_of_2_cores"] = int(BUDGET_MS / spent_ms["tianyan"])
            print(json.dumps(line), flush=True)
    print(json.dumps(following(50)))


if __name__ == "__main__":
    main()
