"""When something has stayed long enough to be an alert: the one home of that rule.

Time stamps alone count, never frames: at half the frame rate each look weighs twice as long. A
look in which the place was hidden says nothing, so neither does it break a dwell.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LEAST_SHARE = 1 / 3
"""Seen in this share of the time in which it could be seen; a flicker is not a thing."""

LEAST_SEEN = 0.2
"""Seen for this part of the dwell itself: that a scene changed long ago is not enough."""

STAY_SHARE = 0.5
"""A seller stays at least this share of the dwell; who passes a table does not sell at it."""

HALF = 0.5
MOST_SCORES = 256


@dataclass(frozen=True)
class Verdict:
    """What a history says. `score`: the median of the looks in which it was seen, 0 if in none.

    `is_believed`: that score and the share of looks are enough. `is_ripe`: the time is, too.
    """

    score: float
    share: float
    is_believed: bool
    is_ripe: bool


class History:
    """What the looks said of one place: seen with which score, not seen, or hidden.

    `own`: the score of the thing's class. `relation`: the score of what stands together there,
    which counts only if somebody stayed (`stayed_s`). Bounded: of many scores every second goes.
    """

    def __init__(self) -> None:
        """Nothing seen yet."""
        self._own_s = self._related_s = self._missed_s = 0.0
        self._stayed_s = 0.0
        self._scores: list[tuple[float, float]] = []
        self._last_t_s: float | None = None

    def seen(self, t_s: float, own: float, relation: float = 0.0, stayed_s: float = 0.0) -> None:
        """A look that showed it."""
        if own:
            self._own_s += self._elapsed_s(t_s)
        else:
            self._related_s += self._elapsed_s(t_s)
        self._stayed_s = max(self._stayed_s, stayed_s)
        self._scores.append((own, relation))
        if len(self._scores) > MOST_SCORES:
            self._scores = self._scores[::2]

    def missed(self, t_s: float) -> None:
        """A look that could have shown it and did not."""
        self._missed_s += self._elapsed_s(t_s)

    def hidden(self, t_s: float) -> None:
        """A look that says nothing."""
        self._last_t_s = t_s

    def judge(
        self, stayed_for_s: float, dwell_s: float, threshold: float, least: float = 0.0
    ) -> Verdict:
        """Whether `stayed_for_s`, the time since the first sight, makes an alert.

        `threshold`: the score from which the label counts; single looks may lie below it. `least`:
        the score that half of all looks must reach, those that did not show it among them.
        """
        somebody_stayed = self._stayed_s >= STAY_SHARE * dwell_s
        seen_s = self._own_s + (self._related_s if somebody_stayed else 0.0)
        share = seen_s / max(self._own_s + self._related_s + self._missed_s, 1e-9)
        scores = self._seen_scores(somebody_stayed=somebody_stayed)
        score = float(np.median(scores)) if scores.size else 0.0
        is_believed = score >= threshold and share >= LEAST_SHARE
        if least:
            is_believed &= share > HALF and float(np.quantile(scores, 1 - HALF / share)) >= least
        is_long = stayed_for_s >= dwell_s and seen_s >= LEAST_SEEN * dwell_s
        return Verdict(score, share, is_believed, is_believed and is_long)

    def _seen_scores(self, *, somebody_stayed: bool) -> NDArray[np.float64]:
        own, relation = np.array(self._scores, float).reshape(-1, 2).T
        score = 1 - (1 - own) * (1 - relation * somebody_stayed)
        return np.asarray(score[score > 0], float)

    def _elapsed_s(self, t_s: float) -> float:
        """The time this look stands for; the first one stands for hardly any."""
        elapsed_s = 1e-6 if self._last_t_s is None else max(t_s - self._last_t_s, 0.0)
        self._last_t_s = t_s
        return elapsed_s
