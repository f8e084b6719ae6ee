"""The plan of a street: kerbs, pavements and the row of houses on its far side."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from scenes.texture import Rng

HALF_LENGTH_M = 110.0


@dataclass(frozen=True)
class Street:
    """A street by its seed. `clear` lists x ranges (metres) where no tree or lamp may stand.

    `vacant` is the x range of a plot set back from the row of buildings, or None.
    """

    seed: int = 0
    kerb_y: float = 2.0
    road_m: float = 7.0
    pavement_m: float = 4.5
    clear: tuple[tuple[float, float], ...] = ()
    vacant: tuple[float, float] | None = None
    trees: float = 1.0
    far: bool = True

    @property
    def far_kerb_y(self) -> float:
        """The kerb on the other side."""
        return self.kerb_y + self.road_m

    @property
    def front_y(self) -> float:
        """The row of shopfronts."""
        return self.far_kerb_y + self.pavement_m


@dataclass(frozen=True)
class Building:
    """One house of the row."""

    left: float
    right: float
    height_m: float
    setback_m: float
    seed: int
    plain: bool = False


def any_street(rng: Rng) -> Street:
    """A random street."""
    vacant = None
    if rng.random() < 0.3:
        left = rng.uniform(-12, 8)
        vacant = (left, left + rng.uniform(8, 14))
    return Street(
        seed=int(rng.integers(1 << 30)),
        kerb_y=rng.uniform(1.5, 3.5),
        road_m=rng.uniform(4.5, 10.5),
        pavement_m=rng.uniform(2.8, 6.5),
        vacant=vacant,
        trees=float(rng.choice([0.0, 0.5, 1.0])),
    )


@lru_cache(maxsize=32)
def buildings(street: Street) -> tuple[Building, ...]:
    """The row from left to right."""
    rng = np.random.default_rng(street.seed + 11)
    row: list[Building] = []
    x = -HALF_LENGTH_M
    while x < HALF_LENGTH_M:
        right = x + rng.uniform(9, 22)
        if street.vacant and x < street.vacant[0] < right:
            right = street.vacant[0]
        if street.vacant and abs(x - street.vacant[0]) < 0.01:
            right = street.vacant[1]
            row.append(Building(x, right, 2.4, 9.0, int(rng.integers(1 << 30)), plain=True))
        else:
            height = float(rng.choice([4.5, 7.5, 10.5, 14, 18], p=[0.12, 0.28, 0.3, 0.2, 0.1]))
            row.append(
                Building(x, right, height + rng.uniform(0, 1.2), 0.0, int(rng.integers(1 << 30)))
            )
        x = right
    return tuple(row)
