"""How often a camera's limits are found, and claimed of pictures that are well.

`python bench/view.py`: a line of JSON for each way a picture can be spoilt, over the shared street
pictures (`--every N`: each Nth) and over rendered scenes in all lights. A line gives the share of
pictures called each state; `expected` is what should be, `right` how often it was. Pictures that
are spoilt come after the untouched one, as from a camera that was well; with `"alone"` they are
the first that the camera shows.
"""

import argparse
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import cv2
import numpy as np

from edge.camera.frame import Image
from edge.camera.view import ViewWatch
from scenes.light import LIGHTS
from scenes.scenarios import Scenario
from scenes.scene import find, render
from wire.status import CameraState as S

SHARED = Path(__file__).parents[2] / "shared/data"
NOISE = 2.0
ALIEN = "alien"

Spoil = Callable[[Image], Image]


def noisy(picture: Image, gain: float = 1.0, lift: float = 0.0, noise: float = NOISE) -> Image:
    chance = np.random.default_rng(0).standard_normal(picture.shape, np.float32) * noise
    return (picture.astype(np.float32) * gain + lift + chance).clip(0, 255).astype(np.uint8)


def blurred(picture: Image, share: float) -> Image:
    """`share`: the radius as a share of the longer side."""
    return noisy(cv2.GaussianBlur(picture, (0, 0), share * max(picture.shape)))


def covered(picture: Image, share: float, grey: int, side: int = 0) -> Image:
    """By something near the lens: out of focus, from the left, top, right or bottom."""
    height, width = picture.shape[:2]
    mask = np.zeros((height, width), np.float32)
    if side % 2:
        mask[: round(share * height)] = 1
    else:
        mask[:, : round(share * width)] = 1
    if side > 1:
        mask = mask[::-1, ::-1]
    soft = cv2.GaussianBlur(mask, (0, 0), max(picture.shape) / 60)[..., None]
    shade = np.linspace(0.8, 1.2, width)[None, :, None] * grey
    return noisy(picture * (1 - soft) + soft * shade)


def turned(picture: Image, share: float) -> Image:
    """What lies that share of the width further right; of `windowed`, the rest of the picture."""
    left = round(share * picture.shape[1])
    return noisy(picture[:, left : left + windowed(picture).shape[1]])


def windowed(picture: Image) -> Image:
    """Without the right sixth, which `turned` needs."""
    return picture[:, : 5 * picture.shape[1] // 6]


SPOILT: dict[str, tuple[str, Spoil]] = {
    "as it is, with noise": (S.OK, noisy),
    "much noise": (S.OK, lambda p: noisy(p, noise=10)),
    "evening, a third of the light": (S.OK, lambda p: noisy(p, 0.33)),
    "a fifth of the light": (S.OK, lambda p: noisy(p, 0.2)),
    "brighter by half": (S.OK, lambda p: noisy(p, 1.5)),
    "slightly soft, 1 of 640": (S.OK, lambda p: blurred(p, 1 / 640)),
    "a fifth covered": (S.OK, lambda p: covered(p, 0.15, 60)),
    "a sixteenth of the light": (S.DARK, lambda p: noisy(p, 1 / 16)),
    "a thirtieth of the light": (S.DARK, lambda p: noisy(p, 1 / 30)),
    "no light": (S.BLACK, lambda p: noisy(p, 0.0)),
    "no signal, blue": (S.BLACK, lambda p: np.full_like(p, (200, 60, 10))),
    "six times the light": (S.OVER_EXPOSED, lambda p: noisy(p, 6)),
    "nothing but light": (S.OVER_EXPOSED, lambda p: noisy(p, 1, 255)),
    "blurred, 4 of 640": (S.OUT_OF_FOCUS, lambda p: blurred(p, 4 / 640)),
    "blurred, 8 of 640": (S.OUT_OF_FOCUS, lambda p: blurred(p, 8 / 640)),
    **{
        f"half covered, {grey}, side {side}": (
            S.BLOCKED,
            lambda p, grey=grey, side=side: covered(p, 0.5, grey, side),
        )
        for grey, side in ((15, 0), (90, 1), (160, 2), (40, 3))
    },
    "three quarters covered": (S.BLOCKED, lambda p: covered(p, 0.75, 70)),
    "turned by a twentieth": (S.MOVED, lambda p: turned(p, 0.05)),
    "turned by an eighth": (S.MOVED, lambda p: turned(p, 0.125)),
}
ALONE = (S.BLACK, S.DARK, S.OVER_EXPOSED, S.OUT_OF_FOCUS)


def verdict(spoilt: Image, before: Image | None) -> str:
    watch = ViewWatch()
    if before is not None:
        for _ in range(3):
            watch.look(before)
    view = watch.look(spoilt)
    return ALIEN if view.is_alien else view.flaw


def rows(pictures: dict[str, Image]) -> Iterator[dict[str, object]]:
    for name, (expected, spoil) in SPOILT.items():
        yield row(
            name,
            expected,
            (
                verdict(spoil(p), windowed(p) if expected == S.MOVED else p)
                for p in pictures.values()
            ),
        )
        if expected in (*ALONE, S.OK):
            found = (verdict(spoil(p), None) for p in pictures.values())
            yield row(f"{name}, alone", expected, found)


def row(name: str, expected: str, found: Iterable[str]) -> dict[str, object]:
    counts = Counter(str(state) for state in found)
    total = counts.total()
    return {
        "what": name,
        "expected": str(expected),
        "right": round(counts[str(expected)] / total, 3),
        "called": {state: round(n / total, 3) for state, n in counts.most_common()},
    }


def shared_pictures(every: int) -> dict[str, Image]:
    paths = sorted((SHARED / "images").glob("*/*.jpg"))
    usual = [path for path in paths if not path.parent.name.startswith("litter")]
    return {str(path): cv2.imread(str(path)) for path in usual[::every]}  # type: ignore[misc]


def scenes() -> dict[str, Image]:
    """Streets in every light, day and night, dry and wet."""
    found = {}
    for seed in range(4):
        scenario = find("busy_street", seed)
        for name, light in LIGHTS.items():
            lit = Scenario(**{**vars(scenario), "lights": ((0.0, light),)})
            found[f"{name} {seed}"] = render(lit, 20.0)[0]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--every", type=int, default=8)
    options = parser.parse_args()
    for name, pictures in (("shared", shared_pictures(options.every)), ("rendered", scenes())):
        for line in rows(pictures):
            print(json.dumps({"of": name, "pictures": len(pictures), **line}), flush=True)


if __name__ == "__main__":
    main()
