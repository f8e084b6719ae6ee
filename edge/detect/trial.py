"""The detector in use, and another on trial in its place that cannot cost a look.

While one is on trial the one before stays in memory: what the new one fails on, the old one looks
at, so that no picture is lost. After so many failures in a row, or one answer that does not come,
the old one goes on alone.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from edge.camera.frame import Image
from edge.detect.detection import Detection, Part
from edge.detect.detectors import Detector
from wire.coded import coded

log = logging.getLogger(__name__)

MOST_FAILURES = 3
PATIENCE_S = 20.0

Failed = Callable[[str], None]
"""Told once, from the looking thread, why a trial is over."""


@dataclass
class _Trial:
    detector: Detector
    failed: Failed
    patience_s: float
    failures: int = 0
    answers: int = 0


@dataclass
class _Answer:
    found: list[Detection] = field(default_factory=list)
    fault: Exception | None = None


class SwitchedDetector:
    """A detector that can be exchanged between two looks."""

    def __init__(self, detector: Detector) -> None:
        """Begin with `detector`."""
        self._detector = detector
        self.name, self.labels = detector.name, detector.labels
        self.side = detector.side
        self._trial: _Trial | None = None
        self._next: Callable[[], None] | None = None
        self._lock = threading.Lock()

    def detect(self, image: Image, least: float | None = None) -> list[Detection]:
        """See `edge.detect.detectors.Detector`; never worse than the detector before."""
        trial = self._trial
        if trial is None:
            return self._detector.detect(image, least)
        answer = self._ask(trial, image, least)
        if answer is None:
            patience = f"{trial.patience_s:.0f}"
            self._end(trial, coded("no_answer", "no answer within {s} s", s=patience))
        elif answer.fault is None:
            trial.failures, trial.answers = 0, trial.answers + 1
            return answer.found
        else:
            trial.failures += 1
            log.warning("model %s on trial: %s", trial.detector.name, answer.fault)
            if trial.failures >= MOST_FAILURES:
                why = coded(
                    "failed_looks",
                    "failed {count} looks in a row: {why}",
                    count=trial.failures,
                    why=answer.fault,
                )
                self._end(trial, why)
        return self._detector.detect(image, least)

    def glance(
        self, image: Image, part: Part, least: float | None = None
    ) -> list[Detection] | None:
        """See `edge.detect.detectors.Detector`; during a trial the whole is looked at."""
        return None if self._trial is not None else self._detector.glance(image, part, least)

    def threshold(self, label: str) -> float:
        """The score from which `label` counts with the model in use."""
        return self._in_use.threshold(label)

    @property
    def answers(self) -> int:
        """Looks that the model on trial has answered; 0 without a trial."""
        return self._trial.answers if self._trial is not None else 0

    def try_out(self, detector: Detector, failed: Failed, patience_s: float = PATIENCE_S) -> None:
        """Put `detector` on trial from the next look on. Any thread may call."""
        self._do_next(lambda: setattr(self, "_trial", _Trial(detector, failed, patience_s)))

    def keep(self, kept: Callable[[], None]) -> None:
        """The trial is over and well: from the next look on its detector is the one.

        `kept` is called when that is so; not when the trial has failed in the meantime.
        """
        self._do_next(lambda: self._keep(kept))

    def between_looks(self) -> None:
        """Nothing is being looked at: the moment to exchange. The looking thread calls it."""
        with self._lock:
            wanted, self._next = self._next, None
        if wanted is not None:
            wanted()
            self.name, self.labels = self._in_use.name, self._in_use.labels
            # One on trial may fail, and then the other looks at the same picture.
            self.side = max(self._detector.side, self._in_use.side)

    @property
    def _in_use(self) -> Detector:
        trial = self._trial
        return self._detector if trial is None else trial.detector

    def _do_next(self, wanted: Callable[[], None]) -> None:
        with self._lock:
            before = self._next
            self._next = wanted if before is None else partial(_both, before, wanted)

    def _keep(self, kept: Callable[[], None]) -> None:
        if self._trial is not None:
            self._detector, self._trial = self._trial.detector, None
            kept()

    def _end(self, trial: _Trial, why: str) -> None:
        self._trial = None
        self.name, self.labels = self._detector.name, self._detector.labels
        log.error("model %s: %s; back to %s", trial.detector.name, why, self._detector.name)
        trial.failed(why)

    @staticmethod
    def _ask(trial: _Trial, image: Image, least: float | None) -> _Answer | None:
        """On a thread of its own: one that hangs cannot hold up the looking thread."""
        answer = _Answer()

        def ask() -> None:
            try:
                answer.found = trial.detector.detect(image, least)
            except Exception as fault:  # noqa: BLE001 - the runtimes have no common base
                answer.fault = fault

        thread = threading.Thread(target=ask, name="look-trial", daemon=True)
        thread.start()
        thread.join(trial.patience_s)
        return None if thread.is_alive() else answer


def _both(first: Callable[[], None], second: Callable[[], None]) -> None:
    first()
    second()
