"""How fast one sender may go: a bucket that fills steadily and may be emptied at once."""


class Pace:
    """Allows `per_s` on the long run, and `burst` at once after a pause. The clock is given."""

    def __init__(self, per_s: float, burst: float, now_s: float) -> None:
        """Start with a full bucket."""
        self._per_s = per_s
        self._burst = burst
        self._left = burst
        self._at_s = now_s

    def take(self, count: float, now_s: float) -> float:
        """Spend `count`; give the seconds to wait until what was overdrawn is there again."""
        filled = (now_s - self._at_s) * self._per_s
        self._left = min(self._burst, self._left + filled) - count
        self._at_s = now_s
        return max(0.0, -self._left / self._per_s)
