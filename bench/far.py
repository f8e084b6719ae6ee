"""Real pictures as a fixed camera sees them far off: what becomes an alert, and what of nothing.

    python bench/far.py --data DATASET.yaml [--model street-n] [--share 0.2] [--without]

Each val picture stands small in a blurred 1080p sheet that trembles and is noisy, for 12 looks a
second apart with a dwell of 8 s. `found`: of the pictures with a class, those with an alert of it;
`false`: of the pictures without it. `--without`: closer looks (`edge/detect/closer.py`) are not
taken. One line of JSON.
"""

import argparse
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import patch

import cv2
import numpy as np

from edge.camera.frame import Frame, Image, Whole
from edge.config import CameraConfig
from edge.detect.closer import CloserLooks
from edge.detect.detectors import Detector, open_detector
from edge.detect.watch import CameraWatch
from training.card import FAR, FAR_TOP, said
from training.dataset import read_dataset, read_picture
from training.evaluate import Count
from training.labels import STREET
from wire.zone import ZoneConfig

LOOKS, DWELL_S = 12, 8.0
BLUR = 40.0
TREMBLE_PX, GRAIN = 1.5, 6.0


def sheet_of(image: Image, share: float) -> Image:
    """The picture at `share` of the width of a 1080p sheet, before its own blur."""
    height, width = image.shape[:2]
    scale = min(share * FAR[0] / width, (1 - FAR_TOP) * FAR[1] / height)
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    sheet = cv2.GaussianBlur(cv2.resize(image, FAR), (0, 0), BLUR)
    left, top = (FAR[0] - small.shape[1]) // 2, round(FAR_TOP * FAR[1])
    sheet[top : top + small.shape[0], left : left + small.shape[1]] = small
    return np.asarray(sheet, np.uint8)


def frames(sheet: Image, seed: int) -> Iterator[Frame]:
    rng, begins = np.random.default_rng(seed), datetime(2026, 1, 1, tzinfo=UTC)
    for number in range(LOOKS):
        dx, dy = rng.normal(0, TREMBLE_PX, 2)
        moved = cv2.warpAffine(
            sheet, np.array([[1, 0, dx], [0, 1, dy]]), FAR, borderMode=cv2.BORDER_REPLICATE
        )
        grain = rng.normal(0, GRAIN, (FAR[1] // 4, FAR[0] // 4)).astype(np.float32)
        grey = np.rint(cv2.resize(grain, FAR)).astype(np.int16)
        picture = cv2.add(moved, cv2.merge([grey, grey, grey]), dtype=cv2.CV_8U)
        at = begins + timedelta(seconds=number)
        yield Frame(Whole(np.asarray(picture, np.uint8)), at, float(number), number)


def alerts_of(image: Image, detector: Detector, share: float, seed: int) -> set[str]:
    camera = CameraConfig(id="far", zones=[ZoneConfig(id="all", dwell_s=DWELL_S)])
    watch = CameraWatch(camera, detector)
    told = [e for frame in frames(sheet_of(image, share), seed) for e in watch.look(frame)]
    return {event.label for event in told if event.state == "new"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", default="street-n")
    parser.add_argument("--share", type=float, default=0.2, help="of the width of the sheet")
    parser.add_argument("--without", action="store_true", help="closer looks")
    wanted = parser.parse_args()
    cv2.setNumThreads(1)
    detector, val = open_detector(wanted.model), read_dataset(wanted.data, "val")
    if wanted.without:
        patch.object(CloserLooks, "look").start()
    seen = [
        ({val.labels[int(box[0])] for box in picture.boxes},
         alerts_of(read_picture(picture.path), detector, wanted.share, seed))
        for seed, picture in enumerate(val.pictures)
    ]  # fmt: skip
    line: dict[str, object] = {"model": wanted.model, "share": wanted.share}
    line["closer looks"] = not wanted.without
    for label in STREET:
        shown = [label in told for there, told in seen if label in there]
        elsewhere = [label in told for there, told in seen if label not in there]
        line[label] = {
            "found": said(Count(sum(shown), len(shown))),
            "false": said(Count(sum(elsewhere), len(elsewhere))),
        }
    empty = [bool(told) for there, told in seen if not there]
    line["empty streets with an alert"] = said(Count(sum(empty), len(empty)))
    print(json.dumps(line))


if __name__ == "__main__":
    main()
