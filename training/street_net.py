"""The street net: a COCO-trained YOLO whose last layer keeps some COCO labels and gains ours.

All heavy imports (torch, ultralytics) lie inside the functions: the rest of the project must load
without them.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from edge.camera.frame import Image
from edge.detect.candidates import choose, split_yolo
from edge.detect.detection import Detection
from edge.detect.letterbox import letterbox
from edge.detect.manifest import Input
from training.evaluate import Detector

if TYPE_CHECKING:
    import torch
    from torch import nn

Criterion: TypeAlias = "Callable[[dict[str, torch.Tensor]], torch.Tensor]"
"""A batch in; losses of boxes, classes and edges out, each times the pictures of the batch."""

NEW_PRIOR = 0.01
"""Score that a class not yet taught starts from, everywhere in the picture."""


def load(weights: Path) -> nn.Module:
    """Read an Ultralytics checkpoint as a float32 detection net, its normalisation folded in."""
    from ultralytics import YOLO

    net: Any = YOLO(str(weights)).model.float().fuse(verbose=False)
    net.args = SimpleNamespace(box=7.5, cls=0.5, dfl=1.5)
    for parameter in net.parameters():
        parameter.requires_grad_(True)
    return net


def labels_of(net: nn.Module) -> tuple[str, ...]:
    """The net's labels in the order of its output rows."""
    names: dict[int, str] = net.names
    return tuple(names[i] for i in range(len(names)))


def relabel(net: nn.Module, labels: Sequence[str]) -> nn.Module:
    """Rebuild the head's class rows: known labels keep their weights, new ones start unsure."""
    import torch

    known = labels_of(net)
    head: Any = net.model[-1]
    for branch in head.cv3:
        old = branch[-1]
        new = torch.nn.Conv2d(old.in_channels, len(labels), 1)
        with torch.no_grad():
            new.weight.zero_()
            new.bias.fill_(float(np.log(NEW_PRIOR / (1 - NEW_PRIOR))))
            for row, label in enumerate(labels):
                if label in known:
                    new.weight[row] = old.weight[known.index(label)]
                    new.bias[row] = old.bias[known.index(label)]
        branch[-1] = new
    head.nc, head.no = len(labels), len(labels) + 4 * head.reg_max
    net.names, net.nc = dict(enumerate(labels)), len(labels)
    net.yaml["nc"] = len(labels)
    return net


def sight(net: nn.Module, longest_side: int, *, least: float) -> Detector:
    """A detector callable on the net as it stands: BGR picture in, things from ``least`` up out."""
    import torch

    labels, device = labels_of(net), device_of(net)
    spec = Input(longest_side=longest_side)
    thresholds = np.full(len(labels), least, np.float32)
    net.eval()

    def detect(image: Image) -> list[Detection]:
        box = letterbox(image.shape[1], image.shape[0], spec)
        with torch.inference_mode():
            output = net(torch.from_numpy(box.blob(image, spec)).to(device))
        raw = output[0] if isinstance(output, tuple | list) else output
        boxes, scores = split_yolo(raw.cpu().numpy())
        return choose(box.fractions(boxes), scores, labels, thresholds)

    return detect


def blend(base: nn.Module, tuned: nn.Module, share: float) -> nn.Module:
    """Weights between two nets of one shape: 0 is ``base``, 1 is ``tuned`` (WiSE-FT).

    Class rows that ``base`` was never taught are those of ``tuned``: half of nothing is no start.
    """
    mixed = copy.deepcopy(tuned)
    start, end = base.state_dict(), tuned.state_dict()
    mixed.load_state_dict(
        {
            key: start[key] + share * (value - start[key]) if value.is_floating_point() else value
            for key, value in end.items()
        }
    )
    for ours, theirs, head in zip(_rows(base), _rows(tuned), _rows(mixed), strict=True):
        new = ours.weight.flatten(1).eq(0).all(dim=1)
        head.weight.data[new], head.bias.data[new] = theirs.weight[new], theirs.bias[new]
    return mixed


def _rows(net: Any) -> list[Any]:
    """The last convolution of each of the head's class branches."""
    return [branch[-1] for branch in net.model[-1].cv3]


def save(net: nn.Module, file: Path) -> None:
    """Write the net as an Ultralytics checkpoint, so that its tools can read it."""
    import torch

    whole = copy.deepcopy(net).float().cpu()
    torch.save({"model": whole, "train_args": {"task": "detect"}}, file)


def device_of(net: nn.Module) -> torch.device:
    """Where the net's weights lie."""
    return next(net.parameters()).device


def device_named(name: str) -> torch.device:
    """The device of a name: `cpu`, `cuda`, `cuda:1`; `auto` is a GPU where there is one.

    Raises ValueError when it is not there.
    """
    import torch

    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    there = ["auto", "cpu", *(f"cuda:{i}" for i in range(torch.cuda.device_count()))]
    if name not in [*there, "cuda"] or (name == "cuda" and len(there) == 2):
        raise ValueError(f"device: {name!r} is not here ({', '.join(there)})")
    return torch.device(name)


def criterion(net: nn.Module, teacher: nn.Module, taught: int) -> Criterion:
    """The detection loss, with the teacher's scores as the truth of every label after ``taught``.

    A hard truth would press what the teacher half sees (goods at a score of 0.2) to nothing, and
    the vending relation lives on just that. Boxes follow the labelled ones throughout.
    """
    import torch
    from ultralytics.utils.loss import v8DetectionLoss

    loss = v8DetectionLoss(net)
    soft = torch.zeros(0)

    def against_both(scores: torch.Tensor, hard: torch.Tensor) -> torch.Tensor:
        truth = torch.cat([hard[..., :taught], soft[..., taught:]], dim=2)
        return torch.nn.functional.binary_cross_entropy_with_logits(scores, truth, reduction="none")

    def measured(batch: dict[str, torch.Tensor]) -> torch.Tensor:
        nonlocal soft
        with torch.no_grad():
            soft = teacher(batch["img"])["scores"].permute(0, 2, 1).sigmoid()
        sums: torch.Tensor = loss(net(batch["img"]), batch)[0]
        return sums

    loss.bce = against_both
    set_training(teacher)
    return measured


def set_training(net: nn.Module) -> None:
    """Training mode, but for batch normalisation, whose statistics stay."""
    import torch

    net.train()
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.eval()
