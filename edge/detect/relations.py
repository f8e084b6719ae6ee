"""What stands together: a person who stays beside goods is a stall, whatever else is unsure.

Evidence adds up: each piece is the chance that it alone makes a stall, together they are 1 minus
the chance that none does. Judged by dwell.py over time, so that a passer-by with a bag, or two
people who stop to talk, stay without weight.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from edge.detect.detection import Detection
from edge.detect.overlap import covered_share, union
from edge.detect.places import Sighting
from edge.detect.tracking import Track

STALL = "street_vending"
PERSON = "person"

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
    **dict.fromkeys(("potted plant", "chair", "umbrella", "book"), FURNITURE),
    **dict.fromkeys(("handbag", "backpack", "suitcase"), CARRIED),
    **dict.fromkeys(("bench", "bicycle", "motorcycle"), PARKED),
}  # fmt: skip
"""How far one thing of this kind beside a person who stays speaks for a stall, 0 to 1."""

BY_HAND = frozenset({"handbag", "backpack", "suitcase", "umbrella", "bottle", "cup", "book"})
"""What people carry: within somebody's rectangle it speaks for nothing."""

WITHIN = 0.5
"""Carried, when this share of it lies within the person."""

SURE_SCORE = 0.4
"""From this score on a piece of evidence counts in full, below it in proportion."""

BESIDE = 0.6
"""Goods within this many heights of the person are beside them (about a metre)."""

MOST_OF_A_KIND = 2

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
    people = [t for t in tracks if t.box.label == PERSON and t.box.score >= LEAST_PERSON]
    bodies = [person.box for person in people]
    goods = [t.box for t in tracks if t.box.label in GOODS and t.box.score >= LEAST_GOODS]
    pieces = [Piece(box, _weight(box, bodies)) for box in goods]
    pieces += [Piece(box, WARE) for box in still]
    pieces = [piece for piece in pieces if piece.weight > 0]
    found = []
    for person in people:
        beside = [piece for piece in pieces if _is_beside(person.box, piece.box, aspect)]
        evidence = _together(beside)
        if evidence >= ENOUGH:
            parts = (person.box, *(piece.box for piece in beside))
            box = union(parts, STALL, evidence)
            found.append(Sighting(box, 0.0, evidence, person.stayed_s, parts))
    return found


def _weight(box: Detection, bodies: Sequence[Detection]) -> float:
    if box.label in BY_HAND and covered_share(box, bodies) >= WITHIN:
        return 0.0
    return GOODS[box.label] * min(box.score / SURE_SCORE, 1.0)


def _together(pieces: Sequence[Piece]) -> float:
    """Of each kind the two best count: ten bicycles say little more than two."""
    none = 1.0
    for label in {piece.box.label for piece in pieces}:
        weights = sorted((p.weight for p in pieces if p.box.label == label), reverse=True)
        for weight in weights[:MOST_OF_A_KIND]:
            none *= 1 - weight
    return 1 - none


def _is_beside(person: Detection, thing: Detection, aspect: float) -> bool:
    """Next to, before or over the person: the gap between the two in heights of the person."""
    across = max(person.x - thing.x - thing.w, thing.x - person.x - person.w, 0.0) * aspect
    along = max(person.y - thing.y - thing.h, thing.y - person.y - person.h, 0.0)
    return max(across, along) <= BESIDE * person.h and thing.h <= 2 * person.h
