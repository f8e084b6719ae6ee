"""When something has stayed long enough to be an alert: the one home of that rule.

Time stamps alone count, never frames: at half the frame rate each look weighs twice as long. A
look in which the place was hidden says nothing, so neither does it break a dwell.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LEAST_SHARE = 1 / 3
"""Seen in this share of the time in which it could be seen; a flicker is not a thing."""

STAY_SHARE = 0.5
"""A seller stays at least this share of the dwell; who passes a table does not sell at it."""

MOST_ENTRIES = 512


@dataclass(frozen=True)
class Verdict:
    """`score`: the median of the looks in which it was seen, 0 if in none."""

    is_ripe: bool
    score: float
    share: float


class History:
    """What each look said of one place: seen with which score, not seen, or hidden.

    `own`: the score of the thing's class. `relation`: the score of what stands together there,
    which counts only if somebody stayed (`stayed_s`). Bounded: a long history gets coarser.
    """

    def __init__(self) -> None:
        """Nothing seen yet."""
        self._rows: list[tuple[float, float, float]] = []
        self._last_t_s: float | None = None
        self._stayed_s = 0.0

    def seen(self, t_s: float, own: float, relation: float = 0.0, stayed_s: float = 0.0) -> None:
        """A look that showed it."""
        self._stayed_s = max(self._stayed_s, stayed_s)
        self._append(t_s, own, relation)

    def missed(self, t_s: float) -> None:
        """A look that could have shown it and did not."""
        self._append(t_s, 0.0, 0.0)

    def hidden(self, t_s: float) -> None:
        """A look that says nothing."""
        self._last_t_s = t_s

    def judge(self, stayed_for_s: float, dwell_s: float) -> Verdict:
        """Whether `stayed_for_s`, the time since the first sight, makes an alert."""
        own, relation, weight = self._columns()
        if self._stayed_s < STAY_SHARE * dwell_s:
            relation = np.zeros_like(relation)
        score = 1 - (1 - own) * (1 - relation)
        is_seen = score > 0
        total = float(weight.sum())
        share = float(weight[is_seen].sum()) / total if total else 0.0
        return Verdict(
            is_ripe=stayed_for_s >= dwell_s and bool(is_seen.any()) and share >= LEAST_SHARE,
            score=float(np.median(score[is_seen])) if is_seen.any() else 0.0,
            share=share,
        )

    def _append(self, t_s: float, own: float, relation: float) -> None:
        weight = 1.0 if self._last_t_s is None else max(t_s - self._last_t_s, 1e-3)
        self._rows.append((own, relation, weight))
        self._last_t_s = t_s
        if len(self._rows) > MOST_ENTRIES:
            pairs = zip(self._rows[::2], self._rows[1::2], strict=False)
            self._rows = [(*later[:2], earlier[2] + later[2]) for earlier, later in pairs]

    def _columns(self) -> NDArray[np.float64]:
        return np.array(self._rows, float).reshape(-1, 3).T
