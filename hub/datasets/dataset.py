"""What people decided, as labelled pictures: which picture shows what, and on which side it goes.

The truth of a picture is what a person drew on it; failing that, what people said of the alerts
that its camera had open at that moment: confirmed ones are there, false ones are not. A picture
beside an alert that nobody has judged is left out, for it might teach that a stall is none.
"""

import csv
import hashlib
import io
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

import yaml

from hub.alerts.alert import CONFIRMED, FALSE_ALARM, Alert
from hub.alerts.correction import Correction, TrueBox
from hub.alerts.dedup import STILL_THERE
from hub.alerts.suppression import overlap

SUFFIXES = {"image/jpeg": "jpg", "image/png": "png"}
SAME_BOX = 0.7
"""One thing told of twice, as after a restart, is one box."""


class Skipped(StrEnum):
    """Why a judged alert gives no picture."""

    NO_PICTURE = "no_picture"
    NOT_MASKED = "not_masked"
    NO_BOX = "no_box"
    OTHER_LABEL = "other_label"
    UNDECIDED_BESIDE = "undecided_beside"
    GENERATED = "generated"
    REPEATED = "repeated"


class Truth(StrEnum):
    """Where the boxes come from: drawn by a person, or the device's, which a person confirmed."""

    CORRECTED = "corrected"
    VERDICT = "verdict"


@dataclass(frozen=True)
class Shown:
    """A picture of an alert. `masked`: faces and plates are blurred in it."""

    sha256: str
    type: str
    role: str
    taken_at: datetime
    masked: bool


@dataclass(frozen=True)
class Judged:
    """A decided alert, its pictures, what was drawn on them and the role of who decided."""

    alert: Alert
    pictures: tuple[Shown, ...]
    correction: Correction | None
    role: str


@dataclass(frozen=True)
class Sample:
    """One labelled picture."""

    alert: Alert
    picture: Shown
    boxes: tuple[TrueBox, ...]
    truth: Truth
    role: str
    day: str
    split: str = "train"

    @property
    def camera(self) -> str:
        """DEVICE/CAMERA."""
        return f"{self.alert.device}/{self.alert.source}"

    @property
    def group(self) -> str:
        """Pictures of one place and day are alike: they stay on one side of the split."""
        return f"{self.camera} {self.day}"

    @property
    def name(self) -> str:
        """Unique, and sorted by place and time."""
        place = "".join(c if c.isalnum() else "-" for c in self.camera)
        return f"{place}-{self.picture.taken_at:%Y%m%dT%H%M%SZ}-{self.picture.sha256[:12]}"

    @property
    def file(self) -> str:
        """Its path in the data set."""
        return f"images/{self.split}/{self.name}.{SUFFIXES[self.picture.type]}"

    @property
    def label_file(self) -> str:
        """The path of its boxes."""
        return f"labels/{self.split}/{self.name}.txt"


@dataclass(frozen=True)
class Choice:
    """What is asked for. `val_share`: of places' days; `unmasked`: faces may be seen."""

    val_share: float = 0.2
    generated: bool = False
    unmasked: bool = False


@dataclass(frozen=True)
class Dataset:
    """The samples in the order of their files, and what was left out why."""

    labels: tuple[str, ...]
    samples: tuple[Sample, ...]
    skipped: Mapping[Skipped, int]


def collect(
    judged: Iterable[Judged],
    beside: Mapping[str, Sequence[Alert]],
    labels: Sequence[str],
    zone: ZoneInfo,
    choice: Choice,
) -> Dataset:
    """Samples of judged alerts. `beside`: all alerts of each DEVICE/CAMERA; `zone`: of the days."""
    skipped: Counter[Skipped] = Counter()
    found: dict[str, Sample] = {}
    for one in judged:
        sample = _sample(one, beside, labels, zone, choice)
        if isinstance(sample, Skipped):
            skipped[sample] += 1
            continue
        before = found.get(sample.picture.sha256)
        if before is not None:
            skipped[Skipped.REPEATED] += 1
            if before.truth is Truth.CORRECTED or sample.truth is Truth.VERDICT:
                continue
        found[sample.picture.sha256] = sample
    sides = _sides({sample.group for sample in found.values()}, choice.val_share)
    samples = [replace(sample, split=sides[sample.group]) for sample in found.values()]
    samples.sort(key=lambda sample: sample.file)
    return Dataset(tuple(labels), tuple(samples), {why: skipped[why] for why in sorted(skipped)})


def _sample(
    one: Judged,
    beside: Mapping[str, Sequence[Alert]],
    labels: Sequence[str],
    zone: ZoneInfo,
    choice: Choice,
) -> Sample | Skipped:
    alert = one.alert
    if alert.generated and not choice.generated:
        return Skipped.GENERATED
    picture = _picture(one, choice)
    if isinstance(picture, Skipped):
        return picture
    boxes: tuple[TrueBox, ...] | Skipped
    if one.correction is not None:
        boxes, truth = one.correction.boxes, Truth.CORRECTED
        if any(box.label not in labels for box in boxes):
            return Skipped.OTHER_LABEL
    else:
        others = beside.get(f"{alert.device}/{alert.source}", ())
        boxes, truth = _said(alert, others, labels, picture.taken_at), Truth.VERDICT
    if isinstance(boxes, Skipped):
        return boxes
    day = f"{picture.taken_at.astimezone(zone):%Y-%m-%d}"
    return Sample(alert, picture, boxes, truth, one.role, day)


def _picture(one: Judged, choice: Choice) -> Shown | Skipped:
    """The clean picture; where somebody drew on another one of another moment, that one."""
    clean = [p for p in one.pictures if p.role == "clean" and p.type in SUFFIXES]
    if one.correction is not None:
        drawn = [p for p in one.pictures if p.sha256 == one.correction.picture]
        if drawn and drawn[0].role not in ("clean", "annotated"):
            clean = drawn
    if not clean:
        return Skipped.NO_PICTURE
    fit = [p for p in clean if p.masked or choice.unmasked]
    return fit[0] if fit else Skipped.NOT_MASKED


def _said(
    alert: Alert, others: Sequence[Alert], labels: Sequence[str], at: datetime
) -> tuple[TrueBox, ...] | Skipped:
    """What people said of everything the camera had told of at that moment."""
    boxes: list[TrueBox] = []
    for each in (alert, *(o for o in others if o.id != alert.id and _is_open(o, at))):
        if each.decision == FALSE_ALARM:
            continue
        if each.decision != CONFIRMED:
            return Skipped.UNDECIDED_BESIDE
        if each.label not in labels:
            return Skipped.OTHER_LABEL
        if not each.boxes:
            return Skipped.NO_BOX
        box = each.boxes[0]
        new = TrueBox(each.label, box.x, box.y, box.w, box.h)
        if not any(b.label == new.label and overlap(b, new) >= SAME_BOX for b in boxes):
            boxes.append(new)
    return tuple(boxes)


def _is_open(alert: Alert, at: datetime) -> bool:
    over_at = alert.ended_at or alert.at + STILL_THERE
    return alert.since <= at <= over_at


def _sides(groups: set[str], val_share: float) -> dict[str, str]:
    """By the hash of each group, so that a group never changes sides as others are added.

    With two groups or more, the side that would stay empty gets the nearest one.
    """
    ranks = sorted((_rank(group), group) for group in groups)
    sides = {group: "val" if rank < val_share else "train" for rank, group in ranks}
    if len(ranks) > 1 and 0 < val_share < 1:
        if "val" not in sides.values():
            sides[ranks[0][1]] = "val"
        if "train" not in sides.values():
            sides[ranks[-1][1]] = "train"
    return sides


def _rank(group: str) -> float:
    return int.from_bytes(hashlib.sha256(group.encode()).digest()[:8]) / 2**64


def label_lines(sample: Sample, labels: Sequence[str]) -> str:
    """`class x_centre y_centre width height`, fractions; nothing for a false alarm."""
    return "".join(
        f"{labels.index(b.label)} {b.x + b.w / 2:.6f} {b.y + b.h / 2:.6f} {b.w:.6f} {b.h:.6f}\n"
        for b in sample.boxes
    )


def description(dataset: Dataset) -> str:
    """`data.yaml`; a split without pictures is not named."""
    splits = {sample.split for sample in dataset.samples}
    content: dict[str, object] = {
        "path": ".",
        **{split: f"images/{split}" for split in ("train", "val") if split in splits},
        "names": list(dataset.labels),
    }
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True)


COLUMNS = (
    "file", "split", "sha256", "alert", "device", "camera", "place", "taken_at", "label", "verdict",
    "decided_at", "decided_by_role", "truth", "boxes", "model", "score", "masked", "generated",
    "owner", "licence",
)  # fmt: skip


def manifest(dataset: Dataset, owner: str, licence: str) -> str:
    """`manifest.csv`: where each picture comes from; people by their role, never by name."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(COLUMNS)
    for sample in dataset.samples:
        alert = sample.alert
        decided = alert.decided_at.isoformat() if alert.decided_at else ""
        table.writerow(
            [
                sample.file, sample.split, sample.picture.sha256, alert.id, alert.device,
                sample.camera, alert.source_name, sample.picture.taken_at.isoformat(), alert.label,
                alert.decision, decided, sample.role, sample.truth, len(sample.boxes), alert.model,
                f"{alert.score:.3f}", _word(sample.picture.masked), _word(alert.generated),
                owner, licence,
            ]
        )  # fmt: skip
    return text.getvalue()


def _word(yes: bool) -> str:  # noqa: FBT001
    return "yes" if yes else "no"


def summary(dataset: Dataset) -> dict[str, object]:
    """Counts for people: pictures by split and verdict, boxes by label, what was left out."""
    samples = dataset.samples
    return {
        "pictures": len(samples),
        "train": sum(s.split == "train" for s in samples),
        "val": sum(s.split == "val" for s in samples),
        "empty": sum(not s.boxes for s in samples),
        "corrected": sum(s.truth is Truth.CORRECTED for s in samples),
        "generated": sum(s.alert.generated for s in samples),
        "cameras": len({s.camera for s in samples}),
        "boxes": {
            label: sum(box.label == label for s in samples for box in s.boxes)
            for label in dataset.labels
        },
        "skipped": {str(why): count for why, count in dataset.skipped.items()},
    }
