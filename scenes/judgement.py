"""Alerts of a played recording held against its truth: found, noticed, how late, false."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

ENDING_S = 5.0
"""An alert up to so long after its thing has gone is late, not false."""

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Verdict:
    """What became of one wanted event. `delay_s`: from its beginning to the first alert."""

    scenario: str
    label: str
    alerts: int
    delay_s: float | None
    seen_as: tuple[str, ...] = ()

    @property
    def is_found(self) -> bool:
        """Reported as what it is."""
        return self.alerts > 0

    @property
    def is_noticed(self) -> bool:
        """Reported at all, perhaps as something else."""
        return bool(self.seen_as)


@dataclass(frozen=True)
class Playback:
    """One scenario played: verdicts on what was wanted, and the alerts nobody wanted.

    `false_alarms`: (label, second). `lines`: all that the replay said, its summary last.
    """

    scenario: str
    seconds: float
    verdicts: tuple[Verdict, ...]
    false_alarms: tuple[tuple[str, float], ...]
    lines: tuple[dict[str, Any], ...]


def judge(truth: dict[str, Any], lines: Iterable[dict[str, Any]]) -> Playback:
    """Match every new alert to what was there at its time and place."""
    lines = tuple(lines)
    new = [line for line in lines if line.get("state") == "new"]
    wanted = [
        event
        for event in truth["events"]
        if event["want"] == "alert" and event["from_s"] + truth["dwell_s"] < truth["duration_s"]
    ]
    hits: dict[int, list[dict[str, Any]]] = {number: [] for number in range(len(wanted))}
    false = []
    for alert in new:
        owners = [n for n, event in enumerate(wanted) if belongs(alert, event, truth["boxes"])]
        for owner in owners:
            hits[owner].append(alert)
        if not owners:
            false.append((alert["label"], alert["t_s"]))
    verdicts = tuple(
        _verdict(truth["scenario"], event, hits[number]) for number, event in enumerate(wanted)
    )
    return Playback(truth["scenario"], truth["duration_s"], verdicts, tuple(false), lines)


def _verdict(scenario: str, event: dict[str, Any], alerts: list[dict[str, Any]]) -> Verdict:
    right = [alert for alert in alerts if alert["label"] == event["label"]]
    delay_s = right[0]["t_s"] - event["from_s"] if right else None
    return Verdict(scenario, event["label"], len(right), delay_s, tuple(a["label"] for a in alerts))


def belongs(alert: dict[str, Any], event: dict[str, Any], truth: list[dict[str, Any]]) -> bool:
    """Whether the alert's box lies on the event's things as they stood at that time.

    Any label will do: an unknown object where a stall stands is no false alarm, nor a hit.
    """
    at_s = alert["t_s"]
    near = [entry for entry in truth if at_s - ENDING_S <= entry["t_s"] <= at_s + 1]
    near = near or [min(truth, key=lambda entry: abs(entry["t_s"] - at_s))]
    things = [
        (box["x"], box["y"], box["w"], box["h"])
        for entry in near
        for box in entry["boxes"]
        if box["id"] in event["things"]
    ]
    seen = [
        (box["x"], box["y"], box["w"], box["h"])
        for box in alert["boxes"]
        if box["label"] == alert["label"]
    ]
    return any(share(a, b) >= 0.3 for a in seen[:1] for b in things)


def share(a: Box, b: Box) -> float:
    """The overlap as a share of the smaller rectangle."""
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    return width * height / min(a[2] * a[3], b[2] * b[3])
