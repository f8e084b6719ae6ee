"""What really happens in a recording, written beside it: `VIDEO.truth.json`.

By hand an event needs only its label, when it begins and where it is; drawn scenes write all.
docs/reference/truth.md is the format.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from statistics import median
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from scenes.judgement import Playback, judge

Seconds = Annotated[float, Meta(ge=0)]
Fraction = Annotated[float, Meta(ge=0, le=1)]


class BadTruth(ValueError):
    """A truth file that cannot be read; says which, where and what is allowed."""


class TrueBox(Struct, frozen=True):
    """Where a thing is at a second; x, y = top-left corner, all four fractions of the picture."""

    id: str
    label: str
    x: float
    y: float
    w: float
    h: float


class TrueMoment(Struct, frozen=True):
    """All things of a second."""

    t_s: Seconds
    boxes: list[TrueBox]


class TrueEvent(Struct, frozen=True):
    """Something that an alert is wanted for, or must not be given for (`want: none`).

    `place`: [x, y, w, h], where it is while no moment tells better; `things`: ids of its boxes.
    """

    label: Literal["street_vending", "garbage", "illegal_structure", "unknown_object"]
    from_s: Seconds
    until_s: Seconds | None = None
    want: Literal["alert", "none"] = "alert"
    place: tuple[Fraction, Fraction, Fraction, Fraction] | None = None
    things: list[str] = []
    note: str = ""


class Truth(Struct, frozen=True):
    """A truth file. `duration_s`, `dwell_s`: as played where it names none."""

    events: list[TrueEvent]
    boxes: list[TrueMoment] = []
    duration_s: Seconds | None = None
    dwell_s: Seconds | None = None
    scenario: str = ""


def load_truth(path: Path) -> Truth:
    """Read a truth file.

    Raises BadTruth.
    """
    try:
        truth = msgspec.json.decode(path.read_bytes(), type=Truth)
    except OSError as fault:
        raise BadTruth(f"{path}: cannot be read: {fault.strerror}") from None
    except msgspec.DecodeError as fault:
        raise BadTruth(f"{path}: is no truth file: {fault}") from None
    for number, event in enumerate(truth.events):
        if event.want == "alert" and event.place is None and not event.things:
            raise BadTruth(f"{path}: events[{number}]: needs a place [x, y, w, h] or things")
    return truth


def measured(truth: Truth, lines: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The lines of a replay; its summary says also how it compares with the truth."""
    said = []
    for line in lines:
        said.append(line)
        if "summary" not in line:
            yield line
            continue
        played = judge(_document(truth, line["summary"]), said)
        yield {"summary": {**line["summary"], "truth": measures(played)}}


def measures(playback: Playback) -> dict[str, Any]:
    """Precision and recall of alerts by their right name, delay, and false alarms an hour.

    None where nothing was there to be measured.
    """
    verdicts, false = playback.verdicts, len(playback.false_alarms)
    told = sum(line.get("state") == "new" for line in playback.lines)
    found = sum(verdict.is_found for verdict in verdicts)
    delays = [verdict.delay_s for verdict in verdicts if verdict.delay_s is not None]
    hours = playback.seconds / 3600
    return {
        "wanted": len(verdicts),
        "found": found,
        "noticed": sum(verdict.is_noticed for verdict in verdicts),
        "precision": round(sum(v.alerts for v in verdicts) / told, 3) if told else None,
        "recall": round(found / len(verdicts), 3) if verdicts else None,
        "delay_s": round(median(delays), 3) if delays else None,
        "false": false,
        "false_an_hour": round(false / hours, 3) if hours else None,
    }


def _document(truth: Truth, summary: dict[str, Any]) -> dict[str, Any]:
    """As `judge` reads it; an event with a place alone becomes a thing that stands there."""
    document: dict[str, Any] = msgspec.to_builtins(truth)
    document["duration_s"] = truth.duration_s or summary["seconds"]
    document["dwell_s"] = summary["dwell_s"] if truth.dwell_s is None else truth.dwell_s
    for number, event in enumerate(document["events"]):
        if event["place"] is not None and not event["things"]:
            name = f"event-{number}"
            event["things"] = [name]
            until_s = event["until_s"] or document["duration_s"]
            place = dict(zip("xywh", event["place"], strict=True))
            box = {"id": name, "label": event["label"], **place}
            document["boxes"] += [
                {"t_s": float(t_s), "boxes": [box]}
                for t_s in range(int(event["from_s"]), int(until_s) + 1)
            ]
    return document
