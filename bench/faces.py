"""How many faces stay uncovered in pictures of people: what the model card of centerface says.

    python bench/faces.py PICTURE… [--sheet SHEET.png]

There are no labels of faces, so the finder itself is asked again on each picture at twice its size,
where it sees smaller ones, and its sure answers (0.5) are taken for the faces there are. Held
against them: the heads of the persons that the detector saw, the finder as it is run on evidence,
and both together. `--sheet` writes the covered pictures side by side, to be counted by eye.
"""

import argparse
import json
from pathlib import Path

import cv2
import numpy as np

from edge.detect.commands import MODEL, read_picture
from edge.detect.detectors import open_detector
from edge.detect.faces import open_finder
from edge.detect.mask import Patch, face_patches, masked, patches
from edge.detect.watch import FAINT

SURE, LEAST_PX, COVERED = 0.5, 8, 0.6
TILE = 420


def covered_share(face, found: tuple[Patch, ...]) -> float:
    """Of the face's box, on a raster of 20 × 20."""
    xs = face.x + face.w * (np.arange(20) + 0.5) / 20
    ys = face.y + face.h * (np.arange(20) + 0.5) / 20
    gx, gy = np.meshgrid(xs, ys)
    inside = np.zeros(gx.shape, bool)
    for p in found:
        inside |= (gx >= p.x) & (gx <= p.x + p.w) & (gy >= p.y) & (gy <= p.y + p.h)
    return float(inside.mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pictures", nargs="+", type=Path)
    parser.add_argument("--sheet", type=Path)
    options = parser.parse_args()
    finder, detector = open_finder(), open_detector(MODEL)
    counts = dict.fromkeys(("faces", "persons alone", "finder alone", "both"), 0)
    tiles = []
    for path in options.pictures:
        image = read_picture(path)
        heads = patches(detector.detect(image, FAINT), image.shape[1] / image.shape[0])
        faces = face_patches(finder.find(image))
        twice = cv2.resize(image, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
        there = [
            face
            for face in finder.find(twice, max(twice.shape))
            if face.score >= SURE and face.w * image.shape[1] >= LEAST_PX
        ]
        counts["faces"] += len(there)
        for name, found in (
            ("persons alone", heads), ("finder alone", faces), ("both", (*heads, *faces))
        ):  # fmt: skip
            counts[name] += sum(covered_share(face, found) >= COVERED for face in there)
        if options.sheet:
            shown = masked(image, (*heads, *faces))
            scale = TILE / max(shown.shape[:2])
            shown = cv2.resize(shown, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            tile = np.zeros((TILE, TILE, 3), np.uint8)
            tile[: shown.shape[0], : shown.shape[1]] = shown
            tiles.append(tile)
    print(json.dumps({"pictures": len(options.pictures), **counts}))
    if options.sheet:
        tiles += [np.zeros((TILE, TILE, 3), np.uint8)] * (-len(tiles) % 5)
        rows = [np.hstack(tiles[i : i + 5]) for i in range(0, len(tiles), 5)]
        cv2.imwrite(str(options.sheet), np.vstack(rows))


if __name__ == "__main__":
    main()
