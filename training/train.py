"""Fine-tuning of the street net: our classes from labelled pictures, COCO's from the net itself.

The net starts as a COCO net whose class rows were cut to the kept labels, or half way between it
and a net fine-tuned before (`--tuned`, `--share`): what fine-tuning forgot is nearer there. Before
the first step the COCO net labels the training pictures with what it knows (people, vehicles,
goods), and the net is taught those boxes and the COCO net's scores together with ours.
Batch normalisation is folded into the convolutions: batches are small, mosaics half padding, and
without it a step costs less. The first layers do not learn and are not run backwards.

Sheets show pictures in many sizes and lights (`canvas`), with cut-outs of other pictures set into
streets with nothing to report (`cutouts`).

    tianyan model train --data DATASET.yaml --weights COCO.pt --out runs/street-n
"""

from __future__ import annotations

import argparse
import copy
import json
import logging
import math
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from edge.camera.frame import Image
from training import street_net
from training.canvas import Shape, compose
from training.cutouts import Cutout, cut_out, decoy, set_in
from training.dataset import Boxes, Dataset, Picture, has_split, read_dataset, read_picture
from training.evaluate import LEAST, Detector, evaluate, row
from training.labels import KEPT, LABELS, STREET

if TYPE_CHECKING:
    import torch
    from torch import nn

log = logging.getLogger(__name__)

BACKBONE = 11
"""Layers 0..10 of YOLO11 are the backbone; neck and head follow."""

SHEET = Shape(384, 640)
"""Height and width of the large sheets: a 16:9 frame as the net meets it."""

SMALL_SHEET = Shape(256, 448)
"""Half the cost, and things as small as a far camera shows them."""

MOST_CUTOUTS = 3

VAL_THRESHOLD = 0.25
"""Score at which a run's own val figures are counted; operating points are chosen at export."""


@dataclass(frozen=True)
class Plan:
    """Everything a run depends on; written beside its checkpoints."""

    data: tuple[Path, ...]
    weights: Path
    out: Path
    teacher: Path | None = None
    tuned: Path | None = None
    share: float = 0.5
    epochs: int = 24
    shape: Shape = SHEET
    small_share: float = 0.0
    cutouts: float = 0.0
    batch: int = 8
    rate: float = 1e-3
    backbone_rate: float = 0.2
    frozen: int = 5
    mosaic: float = 0.5
    samples: int = 0
    rendered: Path | None = None
    rendered_share: float = 0.2
    sure: float = 0.25
    longest_side: int = 640
    score_every: int = 4
    seed: int = 7
    threads: int = 2
    device: str = "cpu"
    resume: bool = False


MAY_DIFFER = frozenset({"epochs", "out", "score_every", "threads", "device", "resume"})
"""What a run that goes on may say otherwise than when it began."""

CHECKPOINT = "checkpoint.pt"


@dataclass(frozen=True)
class Sample:
    """One training picture in memory, with boxes of ours and of the self-labelled COCO things."""

    image: Image
    boxes: Boxes
    weight: float

    @property
    def is_empty(self) -> bool:
        """Whether it shows a street with nothing to report."""
        return not np.any(self.boxes[:, 0] < len(STREET))


@dataclass(frozen=True, eq=False)
class Pool:
    """What sheets are made of."""

    real: Sequence[Sample]
    rendered: Sequence[Sample]
    cutouts: Sequence[Cutout]


def train(plan: Plan) -> Iterator[dict[str, Any]]:
    """Run the plan to its end; a row an epoch, then where the averaged weights are.

    With ``resume`` it goes on after the last whole epoch that ``out`` holds. Raises DatasetError
    before the first step when a data set cannot be read, ValueError when the device is not there or
    another run lies in ``out``.
    """
    import torch

    torch.set_num_threads(plan.threads)
    torch.manual_seed(plan.seed)
    device = street_net.device_named(plan.device)
    if plan.resume:
        _check_same(plan)
    plan.out.mkdir(parents=True, exist_ok=True)
    (plan.out / "plan.json").write_text(json.dumps(asdict(plan), default=str, indent=1))
    net = street_net.relabel(street_net.load(plan.weights), LABELS)
    if plan.tuned is not None:
        net = street_net.blend(net, street_net.load(plan.tuned), plan.share)
    teacher = street_net.relabel(street_net.load(plan.teacher or plan.weights), LABELS)
    net, teacher = net.to(device), teacher.to(device)
    pool = _pool(plan, teacher)
    log.info(
        "%d pictures, %d rendered frames, %d cut-outs and decoys",
        len(pool.real), len(pool.rendered), len(pool.cutouts),
    )  # fmt: skip
    yield from _run(plan, net, teacher, pool)


def _run(
    plan: Plan,
    net: nn.Module,
    teacher: nn.Module,
    pool: Pool,
) -> Iterator[dict[str, Any]]:
    import torch

    rng = np.random.default_rng(plan.seed)
    net = net.to(memory_format=torch.channels_last)
    teacher = teacher.to(memory_format=torch.channels_last)
    averaged = copy.deepcopy(net)
    optimiser = _optimiser(plan, net)
    criterion = street_net.criterion(net, teacher, len(STREET))
    per_epoch = math.ceil((plan.samples or len(pool.real)) / plan.batch)
    total, step, first = per_epoch * plan.epochs, 0, 0
    state = _State(net, averaged, optimiser, rng)
    if plan.resume:
        first, step = state.read(plan.out / CHECKPOINT)
        log.info("going on after epoch %d", first)
    device = street_net.device_of(net)
    for epoch in range(first, plan.epochs):
        street_net.set_training(net)
        began, sums = time.monotonic(), torch.zeros(3)
        for batch in _batches(plan, pool, per_epoch, rng):
            for group in optimiser.param_groups:
                group["lr"] = group["peak"] * _rate(step, total, per_epoch)
            loss = criterion({name: part.to(device) for name, part in batch.items()})
            optimiser.zero_grad(set_to_none=True)
            loss.sum().backward()
            torch.nn.utils.clip_grad_norm_(net.parameters(), 10.0)
            optimiser.step()
            step += 1
            _average(averaged, net, min(0.998, step / (step + 50)))
            sums += loss.detach().cpu() / plan.batch
        line: dict[str, Any] = {
            "epoch": epoch + 1,
            "seconds": round(time.monotonic() - began, 1),
            "loss": {
                name: round(float(value) / per_epoch, 4)
                for name, value in zip(("box", "cls", "dfl"), sums, strict=True)
            },
        }
        street_net.save(averaged, plan.out / "tuned.pt")
        state.write(plan.out / CHECKPOINT, epoch + 1, step)
        if (epoch + 1) % plan.score_every == 0 or epoch + 1 == plan.epochs:
            line["val"] = list(_val(plan, averaged))
        yield line
    yield {"summary": {"epochs": plan.epochs, "steps": step, "weights": str(plan.out / "tuned.pt")}}


@dataclass(frozen=True, eq=False)
class _State:
    """Everything a run needs to go on as if it had not been cut."""

    net: nn.Module
    averaged: nn.Module
    optimiser: torch.optim.Optimizer
    rng: np.random.Generator

    def write(self, file: Path, epochs: int, steps: int) -> None:
        """Keep it, whole or not at all."""
        import torch

        part = file.with_suffix(".part")
        torch.save(
            {
                "epochs": epochs,
                "steps": steps,
                "net": self.net.state_dict(),
                "averaged": self.averaged.state_dict(),
                "optimiser": self.optimiser.state_dict(),
                "rng": json.dumps(self.rng.bit_generator.state),
                "torch_rng": torch.get_rng_state(),
            },
            part,
        )
        part.replace(file)

    def read(self, file: Path) -> tuple[int, int]:
        """Take over what was kept; epochs and steps done.

        Raises ValueError when there is nothing, or it cannot be read.
        """
        import torch

        try:
            kept = torch.load(file, map_location=street_net.device_of(self.net), weights_only=True)
            self.net.load_state_dict(kept["net"])
            self.averaged.load_state_dict(kept["averaged"])
            self.optimiser.load_state_dict(kept["optimiser"])
            self.rng.bit_generator.state = json.loads(kept["rng"])
            torch.set_rng_state(kept["torch_rng"].cpu())
        except FileNotFoundError:
            raise ValueError(f"{file}: there is no run to go on with") from None
        except (OSError, RuntimeError, KeyError, EOFError, ValueError) as fault:
            raise ValueError(f"{file}: cannot be gone on with: {fault}") from None
        return int(kept["epochs"]), int(kept["steps"])


def _check_same(plan: Plan) -> None:
    """Raises ValueError when the run in ``out`` is none, or was planned otherwise."""
    file = plan.out / "plan.json"
    try:
        before = json.loads(file.read_text())
    except (OSError, ValueError) as fault:
        raise ValueError(f"{file}: there is no run to go on with: {fault}") from None
    now = json.loads(json.dumps(asdict(plan), default=str))
    other = [name for name in now if name not in MAY_DIFFER and before.get(name) != now[name]]
    if other:
        said = ", ".join(f"{name} {before.get(name)} then, {now[name]} now" for name in other)
        raise ValueError(f"{file}: the run was planned otherwise: {said}")


def _pool(plan: Plan, teacher: nn.Module) -> Pool:
    """Everything in memory, with what the teacher sees in it."""
    label = street_net.sight(teacher, plan.longest_side, least=plan.sure)
    read = [read_dataset(file, "train") for file in plan.data]
    real = [sample for one in read for sample in _labelled(one, label)]
    rendered = _labelled(read_dataset(plan.rendered, "train"), label) if plan.rendered else []
    cutouts = _cutouts(real, np.random.default_rng(plan.seed)) if plan.cutouts else []
    return Pool(real, rendered, cutouts)


def _cutouts(real: Sequence[Sample], rng: np.random.Generator) -> list[Cutout]:
    """Every labelled matter cut out once; a third as many decoys from streets that show none."""
    made = [
        cut_out(sample.image, box[1:], int(box[0]))
        for sample in real
        for box in sample.boxes
        if box[0] < len(STREET)
    ]
    things = [one for one in made if one is not None]
    empty = [sample.image for sample in real if sample.is_empty]
    decoys = [decoy(empty[int(rng.integers(len(empty)))], rng) for _ in things[::3] if empty]
    return things + [one for one in decoys if one is not None]


def _labelled(dataset: Dataset, label: Detector) -> list[Sample]:
    """Pictures in memory; the teacher adds the kept COCO labels that the data set does not have."""
    asked = frozenset(KEPT) - frozenset(dataset.labels)
    pictures = [_in_order(picture, dataset.labels) for picture in dataset.pictures]
    weights = _weights(pictures)
    return [_sample(p, label, asked, w) for p, w in zip(pictures, weights, strict=True)]


def _in_order(picture: Picture, labels: Sequence[str]) -> Picture:
    """The same boxes with the class numbers of ``LABELS``; classes it lacks are dropped."""
    wanted = {i: LABELS.index(name) for i, name in enumerate(labels) if name in LABELS}
    rows = [[wanted[int(row[0])], *row[1:]] for row in picture.boxes if int(row[0]) in wanted]
    return replace(picture, boxes=np.array(rows, np.float32).reshape(-1, 5))


def _sample(picture: Picture, label: Detector, asked: frozenset[str], weight: float) -> Sample:
    image = read_picture(picture.path)
    known = [
        (LABELS.index(one.label), *one.centre, one.w, one.h)
        for one in label(image)
        if one.label in asked
    ]
    boxes = np.concatenate([picture.boxes, np.array(known, np.float32).reshape(-1, 5)])
    return Sample(image=image, boxes=boxes, weight=weight)


def _weights(pictures: Sequence[Picture]) -> list[float]:
    """How often a picture is drawn: rarer matters oftener, by the root of their rarity."""
    kinds = [min((int(label) for label in p.boxes[:, 0]), default=-1) for p in pictures]
    counts = {kind: kinds.count(kind) for kind in kinds}
    return [math.sqrt(len(pictures) / counts[kind]) for kind in kinds]


def _batches(
    plan: Plan, pool: Pool, count: int, rng: np.random.Generator
) -> Iterator[dict[str, Any]]:
    weights = np.array([sample.weight for sample in pool.real])
    weights /= weights.sum()
    chances = _even(pool.cutouts)
    for _ in range(count):
        shape = SMALL_SHEET if rng.random() < plan.small_share else plan.shape
        sheets = []
        for _ in range(plan.batch):
            is_drawn = bool(pool.rendered) and rng.random() < plan.rendered_share
            source, odds = (pool.rendered, None) if is_drawn else (pool.real, weights)
            many = int(rng.integers(2, 5)) if rng.random() < plan.mosaic else 1
            picks = [source[i] for i in rng.choice(len(source), many, p=odds)]
            sheets.append(
                compose([_dressed(plan, pool, chances, p, rng) for p in picks], shape, rng)
            )
        yield _tensors(sheets)


def _dressed(
    plan: Plan, pool: Pool, chances: Any, sample: Sample, rng: np.random.Generator
) -> tuple[Image, Boxes]:
    """The picture; where it shows nothing to report, now and then with cut-outs in it."""
    if not pool.cutouts or not sample.is_empty or rng.random() >= plan.cutouts:
        return sample.image, sample.boxes
    many = int(rng.integers(1, MOST_CUTOUTS + 1))
    picks = rng.choice(len(pool.cutouts), many, p=chances)
    return set_in(sample.image, sample.boxes, [pool.cutouts[i] for i in picks], rng)


def _even(cutouts: Sequence[Cutout]) -> Any:
    """Every label, and the decoys together, with the same chance."""
    labels = [one.label for one in cutouts]
    chances = np.array([1 / labels.count(label) for label in labels])
    return chances / chances.sum() if len(chances) else None


def _tensors(sheets: Sequence[tuple[Image, Boxes]]) -> dict[str, Any]:
    import torch

    images = np.stack([image[:, :, ::-1] for image, _ in sheets]).transpose(0, 3, 1, 2)
    index = np.repeat(np.arange(len(sheets)), [len(boxes) for _, boxes in sheets])
    boxes = torch.from_numpy(np.concatenate([boxes for _, boxes in sheets]))
    tensor = torch.from_numpy(np.ascontiguousarray(images)).float() / 255
    return {
        "img": tensor.contiguous(memory_format=torch.channels_last),
        "batch_idx": torch.from_numpy(index).float(),
        "cls": boxes[:, :1],
        "bboxes": boxes[:, 1:],
    }


def _optimiser(plan: Plan, net: Any) -> torch.optim.Optimizer:
    """AdamW; the first layers stay, the rest of the backbone moves slowly, no decay on biases."""
    import torch

    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for number, layer in enumerate(net.model):
        peak = plan.rate * (plan.backbone_rate if number < BACKBONE else 1.0)
        for name, parameter in layer.named_parameters():
            parameter.requires_grad_(number >= plan.frozen and "dfl" not in name)
            decay = 5e-4 if parameter.ndim > 1 else 0.0
            if parameter.requires_grad:
                groups.setdefault((peak, decay), []).append(parameter)
    return torch.optim.AdamW(
        [
            {"params": parameters, "lr": peak, "peak": peak, "weight_decay": decay}
            for (peak, decay), parameters in groups.items()
        ]
    )


def _rate(step: int, total: int, warm_up: int) -> float:
    if step < warm_up:
        return (step + 1) / warm_up
    return 0.01 + 0.99 * (1 + math.cos(math.pi * (step - warm_up) / max(1, total - warm_up))) / 2


def _average(averaged: nn.Module, net: nn.Module, decay: float) -> None:
    import torch

    with torch.no_grad():
        for kept, new in zip(averaged.parameters(), net.parameters(), strict=True):
            kept.lerp_(new.detach(), 1 - decay)


def _val(plan: Plan, net: nn.Module) -> Iterator[dict[str, Any]]:
    """How the averaged net stands on the first val split that a data set has, at IoU 0.5."""
    file = next((file for file in plan.data if has_split(file, "val")), None)
    if file is None:
        return
    dataset = read_dataset(file, "val")
    detect = street_net.sight(copy.deepcopy(net), plan.longest_side, least=LEAST)
    for one in evaluate(dataset, detect, iou=0.5, thresholds=lambda _: VAL_THRESHOLD):
        yield row(one)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Every option of a run; the defaults are those the shipped model was trained with."""
    add = parser.add_argument
    add(
        "--data",
        type=Path,
        action="append",
        required=True,
        metavar="DATASET.yaml",
        help="real pictures, repeatable: train splits are learnt, the first val split is scored",
    )
    add("--weights", type=Path, required=True, metavar="FILE.pt", help="where the net starts")
    add(
        "--teacher",
        type=Path,
        metavar="FILE.pt",
        help="the net that labels people, vehicles and goods (default: --weights)",
    )
    add("--tuned", type=Path, metavar="FILE.pt", help="a net fine-tuned before, to start towards")
    add("--share", type=float, default=Plan.share, help="how far towards --tuned, 0 to 1")
    add("--out", type=Path, required=True, metavar="DIR", help="plan and weights of the run")
    add("--rendered", type=Path, metavar="DATASET.yaml", help="rendered frames, train split")
    add(
        "--rendered-share",
        type=float,
        default=Plan.rendered_share,
        metavar="SHARE",
        help="how many of the sheets show rendered frames, 0 to 1",
    )
    add("--epochs", type=int, default=Plan.epochs)
    add("--samples", type=int, default=Plan.samples, help="sheets an epoch; 0: one a picture")
    add("--batch", type=int, default=Plan.batch)
    add("--height", type=int, default=SHEET.height, help="of a sheet, pixels")
    add("--width", type=int, default=SHEET.width, help="of a sheet, pixels")
    add("--small-share", type=float, default=Plan.small_share, help="of batches of small sheets")
    add("--cutouts", type=float, default=Plan.cutouts, help="share of empty streets dressed up")
    add("--longest-side", type=int, default=Plan.longest_side, help="at which val is scored")
    add("--rate", type=float, default=Plan.rate, help="highest learning rate")
    add("--backbone-rate", type=float, default=Plan.backbone_rate, help="share of --rate")
    add("--frozen", type=int, default=Plan.frozen, help="first layers that do not learn")
    add("--mosaic", type=float, default=Plan.mosaic, help="share of sheets of 2 to 4 pictures")
    add("--sure", type=float, default=Plan.sure, help="score from which the teacher is believed")
    add("--score-every", type=int, default=Plan.score_every, help="epochs between val figures")
    add("--seed", type=int, default=Plan.seed)
    add("--threads", type=int, default=Plan.threads)
    add("--device", default=Plan.device, help="cpu, cuda, cuda:1, auto")
    add("--resume", action="store_true", help="go on with the run in --out")  # fmt: skip


def plan_of(options: argparse.Namespace) -> Plan:
    """The plan that the options of ``add_options`` describe; further names are left aside."""
    names = {field.name for field in fields(Plan)} - {"data", "shape"}
    values = {name: value for name, value in vars(options).items() if name in names}
    shape = Shape(options.height, options.width)
    return Plan(data=tuple(options.data), shape=shape, **values)


def main(arguments: Sequence[str] | None = None) -> int:
    """``python -m training.train``: run, print a JSON line an epoch."""
    parser = argparse.ArgumentParser(prog="training.train", description=__doc__)
    add_options(parser)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    for line in train(plan_of(parser.parse_args(arguments))):
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
