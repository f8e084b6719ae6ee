"""The figures of a model card, measured afresh beside the base net and written into the card.

    python -m training.card --data DATASET.yaml [--base COCO.pt|COCO.onnx] [--rendered DIR]
        [--still VIDEO] [--model street-n] [--write]

`--rendered DIR` draws its streets where DIR holds none yet.

Each table has a name and stands in `CARD.md` between `<!-- NAME -->` and `<!-- /NAME -->`; it is
put there with `--write`, else printed. A table whose option is not given is left as it is.
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from edge.camera.clock import SystemClock
from edge.camera.frame import Image
from edge.camera.recording import play_recording
from edge.config import CameraConfig
from edge.detect.close_ups import CloseUps
from edge.detect.detection import Detection
from edge.detect.detectors import open_detector
from edge.detect.manifest import Manifest, find_manifest, load_manifest
from edge.detect.relations import LEAST_GOODS
from training.base import base_sight
from training.comparison import STALL, Agreement, Presence, agreement, vending_presence
from training.dataset import Dataset, read_dataset
from training.evaluate import LEAST, Count, Detector, Looked, Score, look, score
from training.export import measure
from training.labels import LABELS, STREET
from training.rendered import write_rendered

LEAST_COMPARED = 5
"""Labels that the base saw less often are left out of the comparison: too few to say anything."""

RENDERED_FRAMES, RENDERED_SEED = 96, 11
"""The streets of the card: those of `training.rendered` as it comes."""

FAR = (1920, 1080)
FAR_SHARE, FAR_TOP = 0.2, 0.35
"""A val picture shrunk to this share of the width of a 1080p sheet, before its own blur."""

Lines = Iterator[str]


def tables(options: argparse.Namespace) -> dict[str, list[str]]:
    """Every table that the options allow, by name."""
    manifest = load_manifest(find_manifest(options.model))
    val = read_dataset(options.data, "val")
    rows = measure(find_manifest(options.model), val)
    made: dict[str, Callable[[], Lines]] = {
        "classes": lambda: classes(rows, manifest.thresholds),
        "empty streets": lambda: empty_streets(rows, manifest),
        "relation": lambda: relation(options.model, val, manifest),
        "far": lambda: far(options.model, val, manifest),
    }
    if options.base is not None:
        made["vending"] = lambda: vending(options.model, options.base, options.data, manifest)
        made["kept"] = lambda: kept(options.model, options.base, val)
    if options.rendered is not None:
        drawn = read_dataset(_rendered(options.rendered), "val")
        made["rendered"] = lambda: classes(
            measure(find_manifest(options.model), drawn), manifest.thresholds
        )
    if options.still is not None:
        made["still recording"] = lambda: still_recording(options.model, options.still, manifest)
    wanted = options.table or list(made)
    return {name: list(made[name]()) for name in wanted if name in made}


def _rendered(given: Path) -> Path:
    """The description of the drawn streets, which are drawn where there are none."""
    file = given if given.suffix == ".yaml" else given / "data.yaml"
    if not file.exists():
        write_rendered(file.parent, {"val": RENDERED_FRAMES}, RENDERED_SEED)
    return file


def classes(rows: dict[str, list[Looked]], thresholds: dict[str, float]) -> Lines:
    """A row a class: boxes at IoU 0.5 and 0.3, and presence per picture."""
    yield "| class | threshold | pictures (boxes) | precision | recall | AP50 | recall at IoU 0.3 "
    yield "| AP30 | noticed, per picture | false, per picture |\n"
    yield "|" + " --- |" * 10 + "\n"
    for label, looked in rows.items():
        threshold = thresholds.get(label, thresholds["default"])
        half, third = (score(label, looked, iou, threshold) for iou in (0.5, 0.3))
        if not half.instances:
            continue
        yield (
            f"| {label} | {threshold} | {half.images} ({half.instances}) | {said(half.precision)} "
            f"| {said(half.recall)} | {_ap(half)} | {said(third.recall)} | {_ap(third)} "
            f"| {said(half.present)} | {said(half.false_alarm)} |\n"
        )


def empty_streets(rows: dict[str, list[Looked]], manifest: Manifest) -> Lines:
    """How many pictures with nothing to report carry a false box, and of what."""
    per_picture = list(zip(*rows.values(), strict=True))
    empty = [i for i, one in enumerate(per_picture) if not any(len(row.truth) for row in one)]
    claims = {
        label: {i for i in empty if np.any(looked[i].scores >= manifest.threshold(label))}
        for label, looked in rows.items()
    }
    wrong = Count(len(set[int]().union(*claims.values())), len(empty))
    parts = ", ".join(f"{len(where)} {label}" for label, where in claims.items())
    yield f"**Streets with nothing to report that carry a false box: {said(wrong)}** ({parts}).\n"


def vending(model: str, base: Path, data: Path, manifest: Manifest) -> Lines:
    """Stalls per picture, by class, by relation and by either, beside the base's relation."""
    before = base_sight(base, manifest.input.longest_side, least=LEAST_GOODS)
    in_use = open_detector(model, threads=2).detect
    yield "| street vending, per picture | pictures | noticed | false |\n"
    yield "| --- | --- | --- | --- |\n"
    for split, words in (("val", "val"), ("train", "train (learned from)")):
        pictures = read_dataset(data, split)
        threshold = manifest.threshold(STALL)
        for name, presence in vending_presence(before, pictures, threshold).items():
            if name == "relation":
                yield _presence(f"base, {name}", words, presence)
        for name, presence in vending_presence(in_use, pictures, threshold).items():
            yield _presence(f"this model, {name}", words, presence)


def relation(model: str, val: Dataset, manifest: Manifest) -> Lines:
    """What the relation adds to the class; one picture, so nobody can be seen to stay."""
    see = open_detector(model, threads=1).detect
    yield "| street vending, per picture | noticed | false |\n| --- | --- | --- |\n"
    threshold = manifest.threshold(STALL)
    for name, presence in vending_presence(see, val, threshold).items():
        yield f"| by {name} | {said(presence.shown)} | {said(presence.elsewhere)} |\n"


def kept(model: str, base: Path, val: Dataset) -> Lines:
    """What is left of the base's knowledge."""
    longest_side = load_manifest(find_manifest(model)).input.longest_side
    before = base_sight(base, longest_side, least=LEAST_GOODS)
    after = open_detector(model, conf=LEAST, threads=2).detect
    yield "| label | base's things still seen | its things the base sees too |\n"
    yield "| --- | --- | --- |\n"
    labels = [label for label in LABELS if label not in STREET]
    for one in agreement(before, after, val, labels):
        if one.kept.of >= LEAST_COMPARED:
            yield _agreement(one)


def still_recording(model: str, video: Path, manifest: Manifest) -> Lines:
    """What is claimed in a recording that shows nothing to report, look by look."""
    detector = open_detector(model, conf=LEAST, threads=1)
    camera = CameraConfig(id="card", source=str(video), real_time=False)
    best: dict[str, list[float]] = {label: [] for label in STREET}
    for frame in play_recording(camera, SystemClock()):
        found = detector.detect(frame.image)
        for label, scores in best.items():
            scores.append(max((d.score for d in found if d.label == label), default=0.0))
    yield "| claimed without reason | looks | highest score |\n| --- | --- | --- |\n"
    for label, scores in best.items():
        claims = Count(sum(s >= manifest.threshold(label) for s in scores), len(scores))
        yield f"| {label} | {said(claims)} | {max(scores, default=0.0):.2f} |\n"


def far(model: str, val: Dataset, manifest: Manifest) -> Lines:
    """Val pictures shrunk into a 1080p sheet, looked at whole and with a close-up there."""
    left = (1 - FAR_SHARE) / 2
    part = (left - 0.1, FAR_TOP - 0.1, left + FAR_SHARE + 0.1, FAR_TOP + 0.5)
    detector = open_detector(model, conf=LEAST, threads=2)
    ways: dict[str, Detector] = {
        "the whole": detector.detect,
        "with a close-up": CloseUps(detector, [part]).detect,
    }
    yield "| at a fifth of the width of 1080p | looked at | recall at IoU 0.5 | AP50 | noticed "
    yield "| false |\n"
    yield "|" + " --- |" * 6 + "\n"
    for way, detect in ways.items():
        rows = list(look(val.pictures, partial(_shrunk, see=detect), val.labels))
        for index, label in enumerate(val.labels):
            one = score(label, [row[index] for row in rows], 0.5, manifest.threshold(label))
            yield (
                f"| {label} | {way} | {said(one.recall)} | {_ap(one)} | {said(one.present)} "
                f"| {said(one.false_alarm)} |\n"
            )


def said(count: Count) -> str:
    """`7/9, 45-94 %`: the count and its 95 % interval."""
    if count.interval is None:
        return "0/0"
    low, high = count.interval
    return f"{count.hits}/{count.of}, {low * 100:.0f}-{high * 100:.0f} %"


def _presence(name: str, pictures: str, presence: Presence) -> str:
    return f"| {name} | {pictures} | {said(presence.shown)} | {said(presence.elsewhere)} |\n"


def _agreement(one: Agreement) -> str:
    return f"| {one.label} | {said(one.kept)} | {said(one.shared)} |\n"


def _ap(one: Score) -> str:
    return "-" if one.ap is None else f"{one.ap:.3f}"


def _shrunk(image: Image, see: Detector) -> list[Detection]:
    """What is seen of a picture that stands small in a sheet; boxes as fractions of the picture."""
    width = round(FAR_SHARE * FAR[0])
    height = round(width * image.shape[0] / image.shape[1])
    left, top = (FAR[0] - width) // 2, round(FAR_TOP * FAR[1])
    height = min(height, FAR[1] - top)
    sheet = cv2.GaussianBlur(cv2.resize(image, FAR), (0, 0), 40)
    small = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    sheet[top : top + height, left : left + width] = small
    inside = []
    for one in see(np.asarray(sheet, np.uint8)):
        x, y = (one.x * FAR[0] - left) / width, (one.y * FAR[1] - top) / height
        w, h = one.w * FAR[0] / width, one.h * FAR[1] / height
        if 0 <= x + w / 2 <= 1 and 0 <= y + h / 2 <= 1:
            inside.append(Detection(one.label, one.score, x, y, w, h))
    return inside


def written(card: str, made: Mapping[str, Sequence[str]]) -> str:
    """The card with each table in its place.

    Raises ValueError where a table has no place in it.
    """
    for name, lines in made.items():
        begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
        before, found, rest = card.partition(begin)
        _, closed, after = rest.partition(end)
        if not found or not closed:
            raise ValueError(f"the card has no place for {name!r}: {begin.strip()} … {end}")
        card = before + begin + "\n" + "".join(lines) + "\n" + end + after
    return card


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables, or write them into the card."""
    parser = argparse.ArgumentParser(prog="training.card", description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--data", type=Path, required=True, metavar="DATASET.yaml")
    add("--base", type=Path, metavar="FILE.pt|FILE.onnx", help="the COCO net: vending, kept")
    add("--rendered", type=Path, metavar="DIR", help="drawn streets, or their DATASET.yaml")
    add("--still", type=Path, metavar="VIDEO", help="nothing to report: still recording")
    add("--model", default="street-n")
    add("--table", action="append", metavar="NAME", help="only this one; repeatable")
    add("--write", action="store_true", help="into the CARD.md beside the manifest")
    options = parser.parse_args(arguments)
    made = tables(options)
    if options.write:
        card = find_manifest(options.model).parent / "CARD.md"
        card.write_text(written(card.read_text(encoding="utf-8"), made), encoding="utf-8")
        return 0
    for name, lines in made.items():
        sys.stdout.write(f"\n{name}\n\n{''.join(lines)}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
