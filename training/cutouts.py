"""Real things cut out of their pictures and set into other real streets.

There are few labelled pictures and each shows its things before one background, so a net learns
the background with them. A cut-out set into a street with nothing to report is the same thing
elsewhere, small and far too. Decoys are cut out and set in just so, of streets with nothing to
report, and are not labelled: else the seam would be what the net learns.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from edge.camera.frame import Image
from training.dataset import Boxes

LEAST_SOURCE = 40
"""Pixels of the shorter side; what is smaller is too soft to be set in again."""

FILLED = (0.35, 0.97)
"""Share of its box that a believable outline fills; outside, a feathered ellipse is taken."""

TRACED = 160
"""Pixels of the longer side at which the outline is traced."""

HEIGHT = (0.07, 0.45)
"""Of a cut-out on the horizon's side and at the lower edge, as a share of the street's height."""

HORIZON = 0.4
"""Things stand on the ground, below this share of the picture's height."""

COVERED = 0.6
"""A box hidden by so much is no longer taught."""


@dataclass(frozen=True, eq=False)
class Cutout:
    """A thing (BGR) and how far each pixel belongs to it, 0 to 1; `label` None for a decoy."""

    image: Image
    alpha: npt.NDArray[np.float32]
    label: int | None


def cut_out(image: Image, box: npt.NDArray[np.float32], label: int | None) -> Cutout | None:
    """The thing in a box (centre x, y, width, height; fractions); None when it is too small.

    Its outline by GrabCut (Rother et al. 2004), begun with the box.
    """
    height, width = image.shape[:2]
    low = np.floor((box[:2] - box[2:] / 2) * (width, height)).astype(int).clip(0)
    high = np.ceil((box[:2] + box[2:] / 2) * (width, height)).astype(int)
    left, top, right, bottom = (*low, min(high[0], width), min(high[1], height))
    if min(right - left, bottom - top) < LEAST_SOURCE:
        return None
    inside = _outline(image, (left, top, right, bottom))
    share = float(inside.mean())
    if not FILLED[0] <= share <= FILLED[1]:
        inside = _ellipse(bottom - top, right - left)
    soft = cv2.GaussianBlur(inside.astype(np.float32), (5, 5), 0)
    return Cutout(image[top:bottom, left:right].copy(), np.asarray(soft, np.float32), label)


def set_in(
    image: Image, boxes: Boxes, cutouts: Sequence[Cutout], rng: np.random.Generator
) -> tuple[Image, Boxes]:
    """A copy of the street with the cut-outs on its ground, the farther the smaller."""
    street, taught = image.copy(), boxes
    for cutout in sorted(cutouts, key=lambda _: rng.random()):
        foot = rng.uniform(HORIZON, 1.0)
        nearness = (foot - HORIZON) / (1 - HORIZON)
        share = HEIGHT[0] + (HEIGHT[1] - HEIGHT[0]) * nearness * rng.uniform(0.4, 1.3)
        street, taught = _placed(street, taught, cutout, (foot, share), rng)
    return street, taught


def _placed(
    street: Image,
    boxes: Boxes,
    cutout: Cutout,
    where: tuple[float, float],
    rng: np.random.Generator,
) -> tuple[Image, Boxes]:
    height, width = street.shape[:2]
    foot, share = where
    rows, columns = cutout.alpha.shape
    scale = min(share * height / rows, 0.8 * width / columns, 1.5)
    size = max(4, round(columns * scale)), max(4, round(rows * scale))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    thing = cv2.resize(cutout.image, size, interpolation=way).astype(np.float32)
    alpha = cv2.resize(cutout.alpha, size, interpolation=way)
    if rng.random() < 0.5:
        thing, alpha = thing[:, ::-1], alpha[:, ::-1]
    left = int(rng.integers(0, width - size[0] + 1))
    top = int(np.clip(foot * height - size[1], 0, height - size[1]))
    window = street[top : top + size[1], left : left + size[0]].astype(np.float32)
    seen = alpha > 0.5
    if seen.any():
        step = window.mean(axis=(0, 1)) - thing[seen].mean(axis=0)
        thing = thing + rng.uniform(0, 0.5) * step
    mixed = window + alpha[..., None] * (thing - window)
    street[top : top + size[1], left : left + size[0]] = np.clip(mixed, 0, 255).astype(np.uint8)
    return street, _with(boxes, cutout.label, _tight(seen, (left, top), (width, height)))


def _tight(seen: npt.NDArray[np.bool_], at: tuple[int, int], size: tuple[int, int]) -> Boxes | None:
    """Left, top, right, bottom of what is seen, in fractions of the street."""
    rows, columns = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
    if not len(rows):
        return None
    corners = np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1], np.float32)
    whole = (corners + np.array([*at, *at])) / np.array([*size, *size])
    return np.asarray(whole, np.float32)


def _with(boxes: Boxes, label: int | None, corners: Boxes | None) -> Boxes:
    if corners is None:
        return boxes
    low, high = boxes[:, 1:3] - boxes[:, 3:5] / 2, boxes[:, 1:3] + boxes[:, 3:5] / 2
    common = np.clip(np.minimum(high, corners[2:]) - np.maximum(low, corners[:2]), 0, None)
    hidden = common.prod(axis=1) >= COVERED * (high - low).prod(axis=1)
    kept = np.asarray(boxes[~hidden], np.float32)
    if label is None:
        return kept
    row = [label, *((corners[:2] + corners[2:]) / 2), *(corners[2:] - corners[:2])]
    return np.concatenate([kept, np.array([row], np.float32)])


def _outline(image: Image, corners: tuple[int, int, int, int]) -> npt.NDArray[np.uint8]:
    """1 where the thing is, within its box; found on a small copy of the box and what is around."""
    left, top, right, bottom = corners
    margin = (right - left) // 4, (bottom - top) // 4
    x0, y0 = max(left - margin[0], 0), max(top - margin[1], 0)
    around = image[y0 : bottom + margin[1], x0 : right + margin[0]]
    scale = min(1.0, TRACED / max(around.shape[:2]))
    small = cv2.resize(around, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    box = [round((a - b) * scale) for a, b in ((left, x0), (top, y0), (right, x0), (bottom, y0))]
    mask = np.zeros(small.shape[:2], np.uint8)
    size = (box[0], box[1], box[2] - box[0], box[3] - box[1])
    try:
        cv2.grabCut(small, mask, size, np.zeros((1, 65)), np.zeros((1, 65)), 2, 0)
    except cv2.error:  # a box that fills the picture leaves nothing to tell it from
        mask[:] = cv2.GC_FGD
    inside = np.isin(mask, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8)
    closed = cv2.morphologyEx(inside, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    whole = cv2.resize(closed[box[1] : box[3], box[0] : box[2]], (right - left, bottom - top))
    return np.asarray(whole, np.uint8)


def _ellipse(height: int, width: int) -> npt.NDArray[np.uint8]:
    mask = np.zeros((height, width), np.uint8)
    centre, axes = (width // 2, height // 2), (width // 2, height // 2)
    cv2.ellipse(mask, centre, axes, 0, 0, 360, 1, cv2.FILLED)
    return mask


def decoy(image: Image, rng: np.random.Generator) -> Cutout | None:
    """Some piece of a street with nothing to report, or a dark patch of it."""
    size = rng.uniform(0.15, 0.5, 2)
    centre = rng.uniform(size / 2, 1 - size / 2)
    box = np.array([*centre, *size], np.float32)
    piece = cut_out(image, box, None)
    if piece is None or rng.random() < 0.7:
        return piece
    dark = (piece.image * rng.uniform(0.15, 0.5)).astype(np.uint8)
    return Cutout(dark, piece.alpha, None)
