"""How well a reused photo is recognised: copies found, different pictures taken for copies.

    python -m bench.likeness [FOLDER]

FOLDER holds pictures (default: the shared ones). Prints JSON lines: the candidates among different
pictures by bits, each way of altering a copy with its hits, and pictures of the same view from
which the heap was taken away, which are no copies.
"""

import io
import json
import random
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance, ImageOps

from hub.proof.likeness import NEAR_BITS, bits_apart, compare, fingerprint, grey, mirrored

SHARED = Path("../shared/data/images")
SAMPLE, COMPARED = 60, 150


def jpeg(picture: Image.Image, quality: int) -> Image.Image:
    data = io.BytesIO()
    picture.save(data, "JPEG", quality=quality)
    return Image.open(data).convert("RGB")


def brighter(picture: Image.Image, by: float) -> Image.Image:
    return ImageEnhance.Brightness(picture).enhance(by)


def cut(picture: Image.Image, left: float, top: float, right: float, bottom: float) -> Image.Image:
    w, h = picture.size
    return picture.crop((int(w * left), int(h * top), int(w * (1 - right)), int(h * (1 - bottom))))


def some(rng: random.Random) -> list[float]:
    return [rng.choice([0.0, rng.uniform(0, 0.12)]) for _ in range(4)]


def alterations(rng: random.Random) -> dict[str, Callable[[Image.Image], Image.Image]]:
    return {
        "jpeg 30": lambda p: jpeg(p, 30),
        "half as large": lambda p: jpeg(p.resize((p.width // 2, p.height // 2)), 80),
        "30 % brighter": lambda p: jpeg(brighter(p, 1.3), 80),
        "35 % darker": lambda p: jpeg(brighter(p, 0.65), 80),
        "more contrast": lambda p: jpeg(ImageEnhance.Contrast(p).enhance(1.4), 80),
        "10 % cut off all sides": lambda p: jpeg(cut(p, 0.1, 0.1, 0.1, 0.1), 80),
        "up to 12 % cut off some": lambda p: jpeg(cut(p, *some(rng)), 80),
        "mirrored and cut": lambda p: jpeg(cut(ImageOps.mirror(p), *some(rng)), 60),
        "turned by 2 degrees": lambda p: jpeg(
            cut(p.rotate(2, Image.Resampling.BILINEAR), 0.05, 0.05, 0.05, 0.05), 80
        ),
        "cut, resized, brighter, jpeg 50": lambda p: jpeg(
            brighter(cut(p, 0.03, 0.05, 0.06, 0.02).resize((480, 360)), 1.15), 50
        ),
    }


def cleaned(path: Path) -> Image.Image | None:
    """The picture with its one heap painted over by what lies beside it."""
    label = Path(str(path).replace("images", "labels")).with_suffix(".txt")
    rows = [line.split() for line in label.read_text().splitlines()] if label.is_file() else []
    heaps = [[float(v) for v in row[1:]] for row in rows if row[0] == "1"]
    if len(heaps) != 1 or not 0.01 < heaps[0][2] * heaps[0][3] < 0.3:
        return None
    picture = Image.open(path).convert("RGB")
    x, y, w, h = heaps[0]
    left, top = int((x - w / 2) * picture.width), int((y - h / 2) * picture.height)
    width, height = int(w * picture.width), int(h * picture.height)
    beside = left - width if left >= width else left + width
    if beside + width > picture.width:
        return None
    ground = picture.crop((beside, top, beside + width, top + height))
    picture.paste(ground, (left, top))
    return picture


def main(folder: Path) -> None:
    rng = random.Random(1)
    paths = sorted(folder.rglob("*.jpg"))
    pictures = [Image.open(path).convert("RGB") for path in paths]
    greys = [grey(picture) for picture in pictures]
    prints = np.array([fingerprint(each) for each in greys])
    bits = np.zeros(65, int)
    near = []
    for i, each in enumerate(greys):
        for query in (prints[i], fingerprint(mirrored(each))):
            apart = bits_apart(query, prints[:i])
            bits += np.bincount(apart, minlength=65)
            near += [(int(apart[j]), i, int(j)) for j in np.nonzero(apart <= NEAR_BITS)[0]]
    copies = [
        [str(paths[i].name), str(paths[j].name)]
        for _, i, j in sorted(near)[:COMPARED]
        if compare(greys[i], greys[j]).is_copy
    ]
    print(json.dumps({
        "different pictures": len(pictures), "comparisons": int(bits.sum()),
        "candidates": {str(n): int(bits[: n + 1].sum()) for n in (8, 10, 12, 14)},
        "nearest compared": min(len(near), COMPARED), "called copies": copies,
    }))  # fmt: skip
    sample = rng.sample(range(len(pictures)), min(SAMPLE, len(pictures)))
    for name, alter in alterations(rng).items():
        found, likeness, parts = 0, [], []
        for i in sample:
            copy = grey(alter(pictures[i]))
            known = prints[i : i + 1]
            queries = (fingerprint(copy), fingerprint(mirrored(copy)))
            is_near = min(int(bits_apart(q, known)[0]) for q in queries) <= NEAR_BITS
            compared = compare(copy, greys[i])
            found += is_near and compared.is_copy
            likeness.append(compared.likeness)
            parts.append(compared.apart)
        print(json.dumps({
            "copy": name, "found": found, "of": len(sample),
            "least likeness": round(min(likeness), 3), "most apart": round(max(parts), 2),
        }))  # fmt: skip
    views = [(greys[i], grey(c)) for i, path in enumerate(paths) if (c := cleaned(path))][:SAMPLE]
    called = sum(compare(before, after).is_copy for before, after in views)
    print(json.dumps({"same view, heap gone": len(views), "called copies": called}))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else SHARED)
