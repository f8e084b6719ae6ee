"""What one picture costs on one thread: our detector beside a plain loop on the same network.

    python bench/detect.py [--model street-n] [--pictures FOLDER] [--rounds 40]

The plain loop is what most examples do: every picture into a square of the longest side, numpy
for the rest. Both run by turns in this process; the tenth percentile of each is told, in ms.
"""

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnxruntime as ort

from edge.camera.frame import Image
from edge.camera.pictures import SUFFIXES
from edge.detect.commands import read_picture
from edge.detect.detectors import open_detector
from edge.detect.manifest import find_manifest, load_manifest


def plain_loop(model: str) -> Callable[[Image], Any]:
    path = find_manifest(model)
    manifest = load_manifest(path)
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(str(path.parent / manifest.file), options)
    side = manifest.input.longest_side
    name = session.get_inputs()[0].name

    def detect(image: Image) -> list[tuple[int, float]]:
        ratio = side / max(image.shape[:2])
        small = cv2.resize(image, None, fx=ratio, fy=ratio)
        square = np.full((side, side, 3), 114, np.uint8)
        square[: small.shape[0], : small.shape[1]] = small
        blob = np.ascontiguousarray(square[..., ::-1].transpose(2, 0, 1)[None]).astype(np.float32)
        rows = session.run(None, {name: blob / 255})[0][0].T
        found = []
        for row in rows:
            label = int(row[4:].argmax())
            if row[4 + label] >= manifest.threshold(manifest.labels[label]):
                found.append((label, float(row[4 + label])))
        return found

    return detect


def measure(rivals: dict[str, Callable[[Image], Any]], pictures: list[Image], rounds: int) -> None:
    spent: dict[str, list[float]] = {name: [] for name in rivals}
    for number in range(rounds):
        for name, detect in rivals.items():
            began_s = time.thread_time()
            detect(pictures[number % len(pictures)])
            spent[name].append((time.thread_time() - began_s) * 1000)
    ms = {name: round(float(np.percentile(values, 10)), 1) for name, values in spent.items()}
    ratio = round(ms["plain loop"] / ms["tianyan"], 2)
    print(json.dumps({"cpu_ms_a_picture": ms, "times_cheaper": ratio, "pictures": len(pictures)}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="street-n")
    parser.add_argument("--pictures", type=Path)
    parser.add_argument("--rounds", type=int, default=40)
    wanted = parser.parse_args()
    cv2.setNumThreads(1)
    rivals = {
        "tianyan": open_detector(wanted.model).detect,
        "plain loop": plain_loop(wanted.model),
    }
    pictures = [np.random.default_rng(0).integers(0, 255, (1080, 1920, 3), np.uint8)]
    if wanted.pictures:
        paths = sorted(p for p in wanted.pictures.iterdir() if p.suffix.lower() in SUFFIXES)
        pictures = [read_picture(path) for path in paths[:20]]
    measure(rivals, pictures, wanted.rounds)


if __name__ == "__main__":
    main()
