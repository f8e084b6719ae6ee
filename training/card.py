"""The figures of a model card as Markdown, measured afresh beside the base net.

python -m training.card --data DATASET.yaml --base COCO.pt [--model street-n]
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from edge.detect.detectors import open_detector
from edge.detect.manifest import find_manifest, load_manifest
from edge.detect.relations import LEAST_GOODS
from training.comparison import STALL, Agreement, Presence, agreement, vending_presence
from training.dataset import Dataset, read_dataset
from training.evaluate import LEAST, Count, Looked, Score, score
from training.export import measure
from training.labels import LABELS, STREET

LEAST_COMPARED = 5
"""Labels that the base saw less often are left out of the comparison: too few to say anything."""


def card(model: str, data: Path, base: Path | None) -> Iterator[str]:
    """The lines of the tables; without ``base`` those that need no other net."""
    manifest = load_manifest(find_manifest(model))
    val = read_dataset(data, "val")
    rows = measure(find_manifest(model), val)
    yield from _classes(rows, manifest.thresholds)
    if base is not None:
        yield from _beside_base(model, base, val, manifest.threshold(STALL))


def _classes(rows: dict[str, list[Looked]], thresholds: dict[str, float]) -> Iterator[str]:
    yield "| class | threshold | pictures (boxes) | precision | recall | AP50 | recall at IoU 0.3 "
    yield "| AP30 | noticed, per picture | false, per picture |\n"
    yield "|" + " --- |" * 10 + "\n"
    for label, looked in rows.items():
        threshold = thresholds.get(label, thresholds["default"])
        half, third = (score(label, looked, iou, threshold) for iou in (0.5, 0.3))
        yield (
            f"| {label} | {threshold} | {half.images} ({half.instances}) | {said(half.precision)} "
            f"| {said(half.recall)} | {_ap(half)} | {said(third.recall)} | {_ap(third)} "
            f"| {said(half.present)} | {said(half.false_alarm)} |\n"
        )


def _beside_base(model: str, base: Path, val: Dataset, threshold: float) -> Iterator[str]:
    from training import street_net

    net = street_net.relabel(street_net.load(base), LABELS)
    longest_side = load_manifest(find_manifest(model)).input.longest_side
    before = street_net.sight(net, longest_side, least=LEAST_GOODS)
    after = open_detector(model, conf=LEAST, threads=2).detect
    yield "\n| street vending, per picture | noticed | false |\n| --- | --- | --- |\n"
    for name, presence in vending_presence(before, val, threshold).items():
        if name == "relation":
            yield _presence(f"base, {name}", presence)
    in_use = open_detector(model, threads=2).detect
    for name, presence in vending_presence(in_use, val, threshold).items():
        yield _presence(f"this model, {name}", presence)
    yield "\n| label | base's things still seen | its things the base sees too |\n"
    yield "| --- | --- | --- |\n"
    kept = [label for label in LABELS if label not in STREET]
    for one in agreement(before, after, val, kept):
        if one.kept.of >= LEAST_COMPARED:
            yield _agreement(one)


def said(count: Count) -> str:
    """`7/9, 45-94 %`: the count and its 95 % interval."""
    if count.interval is None:
        return "0/0"
    low, high = count.interval
    return f"{count.hits}/{count.of}, {low * 100:.0f}-{high * 100:.0f} %"


def _presence(name: str, presence: Presence) -> str:
    return f"| {name} | {said(presence.shown)} | {said(presence.elsewhere)} |\n"


def _agreement(one: Agreement) -> str:
    return f"| {one.label} | {said(one.kept)} | {said(one.shared)} |\n"


def _ap(one: Score) -> str:
    return "-" if one.ap is None else f"{one.ap:.3f}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="training.card", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, metavar="DATASET.yaml")
    parser.add_argument("--base", type=Path, metavar="FILE.pt")
    parser.add_argument("--model", default="street-n")
    options = parser.parse_args(arguments)
    for line in card(options.model, options.data, options.base):
        sys.stdout.write(line)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
