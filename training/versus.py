"""Is a candidate better than the model in use? Both on the same pictures, the difference paired.

A figure of a few dozen pictures is a draw of the lot. So the pictures are drawn again and again
with replacement (a bootstrap of 2,000 rounds), both models on the same draw, and the middle 95 %
of the differences is what the data speak for. Where the manifest names cameras, whole days of a
camera are drawn, for the pictures of one day are nearly one picture.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from training.evaluate import Looked, Score, matched, row, score

Weights = npt.NDArray[np.float64]

ROUNDS = 2000
A_TIME = 200
LEAST_GROUPS = 10
"""Of fewer independent draws nothing can be said: whatever came out is called not shown."""


LEAST_SHOWING = 5
"""A class that fewer of them show is listed, not judged: one picture drawn again is no proof."""


class Verdict(StrEnum):
    """What the paired difference says."""

    BETTER = "better"
    NOT_SHOWN = "not shown better"
    WORSE = "worse"
    NOT_JUDGED = "not judged"


@dataclass(frozen=True)
class Difference:
    """Candidate minus the other, and the span the data speak for (95 %); None of nothing."""

    value: float | None
    low: float | None
    high: float | None

    @property
    def verdict(self) -> Verdict:
        """Better or worse only where the whole span is; without a span nothing is judged."""
        if self.low is None or self.high is None:
            return Verdict.NOT_JUDGED
        if self.low > 0:
            return Verdict.BETTER
        if self.high < 0:
            return Verdict.WORSE
        return Verdict.NOT_SHOWN

    def said(self) -> dict[str, float | None]:
        """As the command line prints it."""
        names = {"value": self.value, "low": self.low, "high": self.high}
        return {name: None if v is None else round(v, 4) for name, v in names.items()}


@dataclass(frozen=True)
class Side:
    """What one model saw: a `Looked` a picture, per label, and the score a label counts from."""

    looked: Mapping[str, Sequence[Looked]]
    thresholds: Mapping[str, float]

    def part(self, which: Sequence[int]) -> "Side":
        """The same of some of the pictures."""
        some = {label: [rows[i] for i in which] for label, rows in self.looked.items()}
        return Side(some, self.thresholds)

    def score(self, label: str, iou: float) -> Score:
        """One label's figures."""
        return score(label, self.looked[label], iou, self.thresholds[label])


@dataclass(frozen=True)
class Compared:
    """One label of both, with the differences of AP and of the shares of pictures."""

    candidate: Score
    against: Score
    ap: Difference
    present: Difference
    false_alarm: Difference

    def said(self) -> dict[str, Any]:
        """As the command line prints it: the candidate's columns, the other's, the difference."""
        columns = ("precision", "recall", "ap", "present_recall", "present_false_alarm",
                   "threshold")  # fmt: skip
        other = row(self.against)
        return {
            **row(self.candidate),
            "against": {name: other[name] for name in columns},
            "difference": {
                "ap": self.ap.said(),
                "present_recall": self.present.said(),
                "present_false_alarm": self.false_alarm.said(),
            },
            "verdict": self.ap.verdict,
        }


@dataclass(frozen=True)
class Comparison:
    """All labels, and the mean AP of those that enough groups show.

    `groups`: independent draws the pictures make.
    """

    labels: tuple[Compared, ...]
    mean: Difference
    groups: int

    @property
    def verdict(self) -> Verdict:
        """Worse when the mean or any label is; better when the mean is and no label is worse."""
        verdicts = [self.mean.verdict, *(each.ap.verdict for each in self.labels)]
        return Verdict.WORSE if Verdict.WORSE in verdicts else self.mean.verdict


def compare(
    candidate: Side, against: Side, groups: Sequence[str], iou: float, seed: int = 0
) -> Comparison:
    """Both sides over the same pictures; `groups`: what each picture is drawn together with."""
    names = list(dict.fromkeys(groups))
    draws = _draws(groups, names, seed) if len(names) >= LEAST_GROUPS else None
    found: list[Compared] = []
    counted: list[tuple[int, Weights]] = []
    for label in candidate.looked:
        one, other = candidate.score(label, iou), against.score(label, iou)
        ones, others = _Counted(candidate, label, iou), _Counted(against, label, iou)
        aps, present, false = (np.full(1, np.nan) for _ in range(3))
        if draws is not None:
            false = ones.share(draws, shown=False) - others.share(draws, shown=False)
        if draws is not None and ones.groups_showing(groups) >= LEAST_SHOWING:
            aps = ones.ap(draws) - others.ap(draws)
            present = ones.share(draws, shown=True) - others.share(draws, shown=True)
            counted.append((len(found), aps))
        found.append(
            Compared(
                one,
                other,
                _difference(one.ap, other.ap, aps),
                _difference(one.present.share, other.present.share, present),
                _difference(one.false_alarm.share, other.false_alarm.share, false),
            )
        )
    return Comparison(tuple(found), _mean(found, counted), len(names))


def _mean(found: Sequence[Compared], counted: Sequence[tuple[int, Weights]]) -> Difference:
    """Of the labels that are judged; where none is, of all, and without a span."""
    if counted:
        gaps = [found[i].ap.value or 0.0 for i, _ in counted]
        return _span(float(np.mean(gaps)), np.mean([aps for _, aps in counted], axis=0))
    known = [each.ap.value for each in found if each.ap.value is not None]
    return Difference(float(np.mean(known)), None, None) if known else _NOTHING


_NOTHING = Difference(None, None, None)


def _draws(groups: Sequence[str], names: Sequence[str], seed: int) -> Weights:
    """How often each picture is drawn: rounds × pictures."""
    rng = np.random.default_rng(seed)
    times = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), ROUNDS)
    index = {name: i for i, name in enumerate(names)}
    return times[:, [index[group] for group in groups]].astype(np.float64)


def _difference(one: float | None, other: float | None, draws: Weights) -> Difference:
    return _NOTHING if one is None or other is None else _span(one - other, draws)


def _span(value: float, draws: Weights) -> Difference:
    known = draws[~np.isnan(draws)]
    if not len(known):
        return Difference(value, None, None)
    low, high = (float(v) for v in np.percentile(known, (2.5, 97.5)))
    return Difference(value, low, high)


class _Counted:
    """One label of one side, ready to be counted with weights on its pictures."""

    def __init__(self, side: Side, label: str, iou: float) -> None:
        looked, threshold = side.looked[label], side.thresholds[label]
        scores = np.concatenate([each.scores for each in looked] or [np.zeros(0)])
        order = np.argsort(-scores, kind="stable")
        owners = np.repeat(np.arange(len(looked)), [len(each.scores) for each in looked])
        right = np.concatenate([*(matched(each, iou) for each in looked), np.zeros(0, bool)])
        self._owners, self._right = owners[order], right[order].astype(np.float64)
        self._boxes = np.array([len(each.truth) for each in looked], np.float64)
        self._claimed = np.array([np.any(e.scores >= threshold) for e in looked], np.float64)

    def groups_showing(self, groups: Sequence[str]) -> int:
        """How many groups have a picture that shows it."""
        return len({group for group, boxes in zip(groups, self._boxes, strict=True) if boxes})

    def ap(self, draws: Weights) -> Weights:
        """Average precision of each round; NaN where no box was drawn."""
        return np.concatenate(
            [self._ap(draws[start : start + A_TIME]) for start in range(0, len(draws), A_TIME)]
        )

    def _ap(self, draws: Weights) -> Weights:
        of = draws @ self._boxes
        weights = draws[:, self._owners]
        hits = np.cumsum(weights * self._right, axis=1)
        claims = np.cumsum(weights, axis=1)
        precision = np.divide(hits, claims, out=np.zeros_like(hits), where=claims > 0)
        best = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
        steps = np.diff(hits, axis=1, prepend=0.0)
        area = np.sum(steps * best, axis=1)
        return np.asarray(np.divide(area, of, out=np.full(len(of), np.nan), where=of > 0))

    def share(self, draws: Weights, *, shown: bool) -> Weights:
        """Of the pictures that show it (or do not), those on which it was claimed."""
        which = (self._boxes > 0) == shown
        of = draws @ which
        hits = draws @ (self._claimed * which)
        return np.asarray(np.divide(hits, of, out=np.full(len(of), np.nan), where=of > 0))
