"""Rendered street scenes as a data set in the YOLO layout, to train on beside real pictures.

python -m training.rendered --out runs/rendered --train 600 --val 120
"""

import argparse
import logging
from collections.abc import Iterable, Sequence
from pathlib import Path

import cv2
import yaml

from edge.camera.frame import Image
from scenes.labels import LABELS, Label, training_frames
from training.dataset import DatasetError

log = logging.getLogger(__name__)

VAL_SEED = 1_000_003
"""Added to the seed for val, so that no street of train is met again there."""


def write_rendered(folder: Path, counts: dict[str, int], seed: int) -> Path:
    """Render ``counts`` frames a split (train, val); answers the description file."""
    for split, count in counts.items():
        frames = training_frames(count, seed + (VAL_SEED if split == "val" else 0))
        _write_split(folder, split, frames)
    description = {
        "path": ".",
        **{split: f"images/{split}" for split in counts},
        "names": dict(enumerate(LABELS)),
    }
    file = folder / "data.yaml"
    file.write_text(yaml.safe_dump(description, sort_keys=False), encoding="utf-8")
    return file


def _write_split(folder: Path, split: str, frames: Iterable[tuple[Image, list[Label]]]) -> None:
    images, labels = folder / "images" / split, folder / "labels" / split
    images.mkdir(parents=True, exist_ok=True)
    labels.mkdir(parents=True, exist_ok=True)
    for number, (frame, boxes) in enumerate(frames):
        picture = images / f"rendered_{number:05d}.jpg"
        if not cv2.imwrite(str(picture), frame, [cv2.IMWRITE_JPEG_QUALITY, 92]):
            raise DatasetError(f"{picture}: cannot be written")
        lines = [line for box in boxes if (line := yolo_line(*box)) is not None]
        (labels / f"rendered_{number:05d}.txt").write_text("".join(lines))


def yolo_line(label: str, x: float, y: float, w: float, h: float) -> str | None:
    """A box given by its top-left corner as a label line, cut to the picture; None when outside."""
    left, top, right, bottom = max(0.0, x), max(0.0, y), min(1.0, x + w), min(1.0, y + h)
    if right <= left or bottom <= top:
        return None
    centre = f"{(left + right) / 2:.6f} {(top + bottom) / 2:.6f}"
    return f"{LABELS.index(label)} {centre} {right - left:.6f} {bottom - top:.6f}\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Render and say where the description lies."""
    parser = argparse.ArgumentParser(prog="training.rendered", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    parser.add_argument("--train", type=int, default=600, help="frames to learn from")
    parser.add_argument("--val", type=int, default=120, help="frames to score on")
    parser.add_argument("--seed", type=int, default=11)
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO)
    counts = {"train": options.train, "val": options.val}
    log.info("written %s", write_rendered(options.out, counts, options.seed))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
