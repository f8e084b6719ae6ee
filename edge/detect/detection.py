"""What a detector saw: a labelled rectangle with a score."""

from dataclasses import dataclass

Part = tuple[float, float, float, float]
"""Left, top, right, bottom of a part of a picture, fractions of it."""


@dataclass(frozen=True)
class Detection:
    """One thing in one picture.

    `x`, `y`: top-left corner; all four measures are fractions of the picture, 0 to 1.
    """

    label: str
    score: float
    x: float
    y: float
    w: float
    h: float

    @property
    def foot(self) -> tuple[float, float]:
        """Where the thing touches the ground: the middle of the lower edge."""
        return self.x + self.w / 2, self.y + self.h

    @property
    def centre(self) -> tuple[float, float]:
        """The middle of the rectangle."""
        return self.x + self.w / 2, self.y + self.h / 2

    @property
    def area(self) -> float:
        """As a fraction of the picture."""
        return self.w * self.h
