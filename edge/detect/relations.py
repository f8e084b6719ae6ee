"""What stands together: who stays beside goods keeps a stall, whatever else is unsure.

A person, or a parasol that stays where it is, and around it what is laid out for sale.

Evidence adds up: each piece is the chance that it alone makes a stall, together they are 1 minus
the chance that none does. Judged by dwell.py over time, so that a passer-by with a bag, or two
people who stop to talk, stay without weight.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.detect.detection import Detection
from edge.detect.overlap import corners, covered_share, union
from edge.detect.places import Sighting
from edge.detect.tracking import Track

STALL = "street_vending"
PERSON = "person"

PARASOL = "umbrella"
GARBAGE = "garbage"

FOOD = 0.55
WARE = 0.45
FURNITURE = 0.35
CARRIED = 0.25
PARKED = 0.1

GOODS: dict[str, float] = {
    **dict.fromkeys(
        ("banana", "apple", "orange", "broccoli", "carrot", "sandwich", "hot dog", "pizza",
         "donut", "cake", "bowl"),
        FOOD,
    ),
    **dict.fromkeys(("bottle", "wine glass", "cup", "vase", "teddy bear", "dining table"), WARE),
    **dict.fromkeys(("potted plant", "chair", PARASOL, "book"), FURNITURE),
    **dict.fromkeys(("handbag", "backpack", "suitcase"), CARRIED),
    **dict.fromkeys(("bench", "bicycle", "motorcycle"), PARKED),
    GARBAGE: WARE,
}  # fmt: skip
"""How far one thing of this kind beside a person who stays speaks for a stall, 0 to 1.

Goods piled up under a parasol look like garbage to a detector that knows few stalls; without a
parasol garbage is garbage, and so are the chairs and bottles in it.
"""

BY_HAND = frozenset({"handbag", "backpack", "suitcase", "bottle", "cup", "book"})
"""What people carry: within somebody's rectangle it speaks for nothing."""

WITHIN = 0.5
"""Carried, when this share of it lies within the person."""

PARASOL_WIDTH = 0.8
"""An umbrella less wide than this part of a person's height is one held in the hand."""

SURE_SCORE = 0.4
"""From this score on a piece of evidence counts in full, below it in proportion."""

BESIDE = 0.6
"""Goods within this many sizes of the keeper are beside it (about a metre)."""

MOST_OF_A_KIND = 2

MOST_PARTS = 20
"""Of a stall are told."""

LEAST_PERSON = 0.25
LEAST_GOODS = 0.12
ENOUGH = 0.5
"""From this evidence on the look counts as a sighting of a stall."""


@dataclass(frozen=True)
class Piece:
    """A thing that may be goods and how much it says."""

    box: Detection
    weight: float


def stalls(tracks: Sequence[Track], still: Sequence[Detection], aspect: float) -> list[Sighting]:
    """The stalls that people and goods make in one look.

    `tracks`: what was seen, of all labels. `still`: things without a class that have stayed in
    the scene (`change.py`). `aspect`: width of the picture over its height.
    """
    seen = [t for t in tracks if t.box.label in {PERSON, *GOODS}]
    people = [t for t in seen if t.box.label == PERSON and t.box.score >= LEAST_PERSON]
    bodies = [person.box for person in people]
    goods = [t for t in seen if t.box.label in GOODS and t.box.score >= LEAST_GOODS]
    parasols, held = _parasols([t for t in goods if t.box.label == PARASOL], bodies, aspect)
    pieces = [Piece(t.box, _weight(t.box, bodies)) for t in goods if t not in held]
    pieces += [Piece(box, WARE) for box in still]
    pieces = [piece for piece in pieces if piece.weight > 0]
    keepers = (*people, *parasols)
    near = _beside([keeper.box for keeper in keepers], [piece.box for piece in pieces], aspect)
    return [
        sighting
        for keeper, row in zip(keepers, near, strict=True)
        if (
            sighting := _stall_of(
                keeper, [p for p, is_near in zip(pieces, row, strict=True) if is_near]
            )
        )
        is not None
    ]


def _stall_of(keeper: Track, beside: list[Piece]) -> Sighting | None:
    """The stall around a person or a parasol, if enough is beside it."""
    heaps = [piece.box for piece in beside if piece.box.label == GARBAGE]
    if heaps and all(piece.box.label != PARASOL for piece in beside):
        beside = [piece for piece in beside if covered_share(piece.box, heaps) < WITHIN]
    evidence = _together(beside)
    if evidence < ENOUGH:
        return None
    others = [piece.box for piece in beside if piece.box is not keeper.box]
    parts = (keeper.box, *others[: MOST_PARTS - 1])
    return Sighting(union(parts, STALL, evidence), 0.0, evidence, keeper.stayed_s, parts)


def _weight(box: Detection, bodies: Sequence[Detection]) -> float:
    if box.label in BY_HAND and covered_share(box, bodies) >= WITHIN:
        return 0.0
    return GOODS[box.label] * min(box.score / SURE_SCORE, 1.0)


def _parasols(
    umbrellas: Sequence[Track], bodies: Sequence[Detection], aspect: float
) -> tuple[list[Track], list[Track]]:
    """The umbrellas too wide to be held by any of the people under or beside them; the others."""
    if not umbrellas or not bodies:
        return list(umbrellas), []
    near = _beside(bodies, [umbrella.box for umbrella in umbrellas], aspect)
    tallest = (near * np.array([body.h for body in bodies])[:, None]).max(axis=0)
    wide: list[Track] = []
    held: list[Track] = []
    for umbrella, height in zip(umbrellas, tallest, strict=True):
        is_wide = umbrella.box.w * aspect >= PARASOL_WIDTH * height
        (wide if is_wide else held).append(umbrella)
    return wide, held


def _together(pieces: Sequence[Piece]) -> float:
    """Of each kind the two best count: ten bicycles say little more than two."""
    none = 1.0
    for label in {piece.box.label for piece in pieces}:
        weights = sorted((p.weight for p in pieces if p.box.label == label), reverse=True)
        for weight in weights[:MOST_OF_A_KIND]:
            none *= 1 - weight
    return 1 - none


def _beside(
    keepers: Sequence[Detection], things: Sequence[Detection], aspect: float
) -> NDArray[np.bool_]:
    """Keepers × things: next to, before or over it, by the gap in the keeper's sizes."""
    scale = np.array([aspect, 1.0])
    mine, theirs = corners(keepers), corners(things)
    low = (mine[:, None, :2] - theirs[None, :, 2:]) * scale
    high = (theirs[None, :, :2] - mine[:, None, 2:]) * scale
    gap = np.maximum(low, high).max(axis=2)
    size = ((mine[:, 2:] - mine[:, :2]) * scale).max(axis=1)[:, None]
    is_low = (theirs[:, 3] - theirs[:, 1])[None, :] <= 2 * size
    return np.asarray((gap <= BESIDE * size) & is_low, bool)
