"""A candidate becomes the model of a name: only when it fits, is not worse, and proves itself.

What was there before is kept beside it as `NAME-VERSION`, so that it can be compared with and
gone back to.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import yaml

from edge.detect.detectors import Detector, open_detector
from edge.detect.manifest import MANIFEST, Manifest, find_manifest, load_manifest, models_dir
from edge.detect.selftest import make_self_test, self_test
from training.dataset import PICTURE_SUFFIXES, read_dataset, read_picture
from training.record import EVALUATION, Evaluation, NoEvaluation, read_evaluation
from training.versus import Verdict

PICTURES = 4
LOOKED_AT = 60
LONGEST_SIDE = 1280
QUALITY = 92


class NotPromoted(ValueError):
    """A candidate that must not be promoted; says why and what would help."""


@dataclass(frozen=True)
class Wish:
    """What is to be promoted as what. `anyway`: the reason to overrule the evaluation."""

    run: Path
    name: str
    version: str
    anyway: str = ""
    pictures: Path | None = None
    out: Path | None = None


def promote(wish: Wish) -> dict[str, Any]:
    """Check a candidate and write its folder, all of it or nothing; what was written.

    Raises NotPromoted, BadModel.
    """
    folder = wish.run / "model" if (wish.run / "model" / MANIFEST).is_file() else wish.run
    manifest = load_manifest(find_manifest(folder))
    detector = open_detector(folder)
    before = _predecessor(wish.name)
    _check_labels(manifest, before)
    if before is not None and before.version == wish.version:
        raise NotPromoted(f"--version {wish.version}: is in use already; name a new one")
    evaluation = _evaluation(folder, manifest, before, wish.anyway)
    target = wish.out or models_dir() / wish.name
    if wish.out is not None and wish.out.exists():
        raise NotPromoted(f"{wish.out}: is there already; name a new folder")
    part = target.with_name(f".{target.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        test = make_self_test(detector, _pictures(wish, evaluation, detector), part)
        if not any(one.answers for one in test.pictures):
            raise NotPromoted(
                "self-test: the candidate sees nothing in any of its pictures; "
                "name others with --selftest DIR"
            )
        _copy(part, folder, manifest)
        _write_manifest(part, folder, wish, dict(_promotion(wish, evaluation, before)))
        written = load_manifest(part / MANIFEST)
        again = open_detector(part)
        self_test(again, part)
        kept = _make_room(target, before)
        part.replace(target)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return {
        "manifest": str(target / MANIFEST),
        "name": written.name,
        "version": written.version,
        "sha256": written.sha256,
        "verdict": evaluation.verdict if evaluation else None,
        "anyway": wish.anyway or None,
        "selftest_pictures": len(test.pictures),
        "predecessor": str(kept) if kept else None,
    }


def _predecessor(name: str) -> Manifest | None:
    path = models_dir() / name / MANIFEST
    return load_manifest(path) if path.is_file() else None


def _check_labels(candidate: Manifest, before: Manifest | None) -> None:
    """What the system builds on must be said still: a vanished label silences its alerts."""
    missing = [label for label in before.labels if label not in candidate.labels] if before else []
    if before and missing:
        raise NotPromoted(
            f"labels: the candidate cannot say {', '.join(missing)}, which {before.name} "
            f"{before.version} says; a model under another --name may"
        )


def _evaluation(
    folder: Path, candidate: Manifest, before: Manifest | None, anyway: str
) -> Evaluation | None:
    """The evaluation that speaks for the candidate; with ``anyway`` whatever there is."""
    try:
        found = _fitting(read_evaluation(folder / EVALUATION), folder, candidate, before)
    except NoEvaluation as fault:
        if anyway:
            return None
        raise NotPromoted(f'{fault} (or --anyway "why")') from None
    if found.verdict == Verdict.NOT_JUDGED and not anyway:
        raise NotPromoted(
            f"evaluation: too few to judge by (pictures: {found.summary.get('pictures')}, days of a"
            f" camera: {found.summary.get('groups')}); evaluate on more, as on the data that the"
            ' model in use was trained with (or --anyway "why")'
        )
    if found.verdict == Verdict.WORSE and not anyway:
        worse = [str(c["label"]) for c in found.classes if c.get("verdict") == Verdict.WORSE]
        raise NotPromoted(
            f"evaluation: worse than {found.against['name']} {found.against['version']}"
            f' ({", ".join(worse) or "on the mean"}); --anyway "why" overrules it'
        )
    return found


def _fitting(
    found: Evaluation, folder: Path, candidate: Manifest, before: Manifest | None
) -> Evaluation:
    """The same, if it speaks of these weights beside those in use."""
    file = folder / EVALUATION
    if found.sha256 != candidate.sha256:
        raise NoEvaluation(
            f"{file}: speaks of other weights ({found.sha256[:12]}, these are "
            f"{candidate.sha256[:12]}): evaluate again"
        )
    if before is not None and found.against.get("sha256") != before.sha256:
        raise NoEvaluation(
            f"{file}: compared with {found.against.get('name')} {found.against.get('version')}, "
            f"in use is {before.name} {before.version}: evaluate against that"
        )
    return found


def _pictures(
    wish: Wish, evaluation: Evaluation | None, detector: Detector
) -> list[tuple[str, bytes]]:
    """Up to four pictures, those in which the candidate sees most, as they are packed."""
    ranked = []
    for path in _candidates(wish, evaluation):
        image = read_picture(path)
        height, width = image.shape[:2]
        scale = min(1.0, LONGEST_SIDE / max(height, width))
        small = np.asarray(
            cv2.resize(image, (round(width * scale), round(height * scale))), np.uint8
        )
        data = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1].tobytes()
        ranked.append((-len(detector.detect(small)), path.name, data))
    ranked.sort(key=lambda one: one[:2])
    return [(f"selftest-{i}.jpg", data) for i, (_, _, data) in enumerate(ranked[:PICTURES], 1)]


def _candidates(wish: Wish, evaluation: Evaluation | None) -> list[Path]:
    if wish.pictures is not None:
        if not wish.pictures.is_dir():
            raise NotPromoted(f"--selftest {wish.pictures}: is not a folder of pictures")
        found = sorted(p for p in wish.pictures.iterdir() if p.suffix.lower() in PICTURE_SUFFIXES)
    elif evaluation is not None:
        dataset = read_dataset(Path(evaluation.data["file"]), evaluation.data["split"])
        found = [picture.path for picture in dataset.pictures]
    else:
        found = []
    if not found:
        raise NotPromoted("self-test: there are no pictures for it; name a folder: --selftest DIR")
    return found[:: max(1, len(found) // LOOKED_AT)][:LOOKED_AT]


def _copy(part: Path, folder: Path, manifest: Manifest) -> None:
    for name in (manifest.file, *manifest.more_files, "CARD.md"):
        if (folder / name).is_file():
            shutil.copyfile(folder / name, part / name)


def _write_manifest(part: Path, folder: Path, wish: Wish, promoted: Mapping[str, Any]) -> None:
    content: dict[str, Any] = yaml.safe_load((folder / MANIFEST).read_text(encoding="utf-8"))
    content |= {"name": wish.name, "version": wish.version}
    content["about"] = {**(content.get("about") or {}), "promotion": dict(promoted)}
    text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=100)
    (part / MANIFEST).write_text(text, encoding="utf-8")


def _promotion(
    wish: Wish, evaluation: Evaluation | None, before: Manifest | None
) -> Iterator[tuple[str, Any]]:
    yield "at", datetime.now(UTC).isoformat(timespec="seconds")
    yield "command", " ".join(["tianyan", *sys.argv[1:]])
    yield "trained", _plan(wish.run)
    if evaluation is not None:
        yield "data", dict(evaluation.data)
        yield "evaluation", dict(evaluation.summary)
        yield "scores", {str(c["label"]): _columns(c) for c in evaluation.classes}
    if wish.anyway:
        yield "anyway", wish.anyway
    if before is not None:
        yield "predecessor", {"name": before.name, "version": before.version,
                              "sha256": before.sha256}  # fmt: skip


def _columns(line: Mapping[str, Any]) -> dict[str, Any]:
    return {name: line[name] for name in ("ap", "against", "difference", "verdict") if name in line}


def _plan(run: Path) -> dict[str, Any]:
    """What the training wrote down of itself; empty where there is nothing."""
    for file in (run / "plan.json", run.parent / "plan.json"):
        if file.is_file():
            try:
                plan = json.loads(file.read_text(encoding="utf-8"))
            except ValueError as fault:
                raise NotPromoted(f"{file}: cannot be read: {fault}") from None
            return dict(plan)
    return {}


def _make_room(target: Path, before: Manifest | None) -> Path | None:
    """Keep what is there under its version."""
    if not target.exists():
        return None
    kept = target.with_name(f"{target.name}-{before.version if before else 'before'}")
    if kept.exists():
        raise NotPromoted(f"{kept}: is there already; move it away first")
    target.replace(kept)
    return kept
