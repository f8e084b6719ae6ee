"""What the places of alerts looked like, with the thing and before it came: kept for looks again.

A check comes days after an alert has ended, so pictures outlive alerts: two small crops each, on
this device alone, the oldest dropped first.
"""

import json
import logging
import os
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from edge.camera.frame import Image
from edge.detect.detection import Detection
from edge.detect.evidence import EvidenceFile
from edge.detect.look_again import Place, Surroundings
from edge.detect.places import StayState
from edge.detect.watch import AlertEvent

log = logging.getLogger(__name__)

MOST = 1000
"""Two crops of 10 to 40 kB each: some tens of megabytes at most."""
QUALITY = 92
PICTURES_S = 10.0
"""How long is waited for pictures that are being made; they take tenths of a second, when calm."""


@dataclass(frozen=True)
class KnownPlace:
    """The place of an alert on `camera`."""

    camera: str
    place: Place


class PlaceMemory:
    """One small folder of crops; safe to use from several threads."""

    def __init__(self, folder: Path, most: int = MOST) -> None:
        """Use `folder`; it is made when it is missing."""
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._most = most
        self._coming: set[str] = set()
        self._has_come = threading.Condition()

    def keep(self, event: AlertEvent, camera: str) -> None:
        """Remember the place of a new alert, and its pictures when they come."""
        try:
            self._keep(event, camera)
        finally:
            with self._has_come:
                if event.state is StayState.NEW and event.develop is not None:
                    self._coming.add(event.id)  # the picture of its end shows no place with it
                elif _is_shown(event):
                    self._coming.discard(event.id)
                    self._has_come.notify_all()

    def _keep(self, event: AlertEvent, camera: str) -> None:
        if event.state is StayState.END:
            return
        if event.state is StayState.UPDATE and not _is_shown(event):
            return
        box = event.boxes[0]
        with_it, without_it = (_picture(event.evidence, role) for role in ("clean", "before"))
        crops = {
            name: Surroundings.of(picture, box).image
            for name, picture in (("with", with_it), ("without", without_it))
            if picture is not None
        }
        known = {"camera": camera, "label": event.label, "box": [box.x, box.y, box.w, box.h]}
        try:
            self._write(event.id, known, crops)
        except OSError as fault:
            log.warning("the place of %s is not remembered: %s", event.id, fault)

    def recall(self, alert: str) -> KnownPlace | None:
        """The place of an alert; None when it is not known (any more).

        An alert is told before its pictures are made: those that are coming are waited for.
        """
        if not _is_plain(alert):
            return None
        with self._has_come:
            if not self._has_come.wait_for(lambda: alert not in self._coming, PICTURES_S):
                self._coming.discard(alert)
                log.warning("the pictures of %s were waited for in vain", alert)
        try:
            known = json.loads((self._folder / f"{alert}.json").read_text(encoding="utf-8"))
            box = Detection(known["label"], 1.0, *known["box"])
            pictures = [self._read(alert, name, box) for name in ("with", "without")]
            return KnownPlace(known["camera"], Place(box, known["label"], *pictures))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _write(self, alert: str, known: Mapping[str, object], crops: dict[str, Image]) -> None:
        for name, crop in crops.items():
            data = cv2.imencode(".jpg", crop, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1].tobytes()
            _write_private(self._folder / f"{alert}.{name}.jpg", data)
        _write_private(self._folder / f"{alert}.json", json.dumps(known).encode())
        self._forget()

    def _read(self, alert: str, name: str, box: Detection) -> Surroundings | None:
        path = self._folder / f"{alert}.{name}.jpg"
        if not path.is_file():
            return None
        return crop_of(path.read_bytes(), box)

    def _forget(self) -> None:
        kept = sorted(self._folder.glob("*.json"), key=lambda path: path.stat().st_mtime)
        for path in kept[: -self._most]:
            for each in (path, *self._folder.glob(f"{path.stem}.*.jpg")):
                with suppress(OSError):
                    each.unlink()


def _is_shown(event: AlertEvent) -> bool:
    return any(file.role == "clean" for file in event.evidence)


def crop_of(data: bytes, box: Detection) -> Surroundings | None:
    """A crop of a place as it was stored or sent; None when it is no picture."""
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        return None
    return Surroundings.cropped(np.asarray(image, np.uint8), box)


def _picture(files: Sequence[EvidenceFile], role: str) -> Image | None:
    """The picture of a role, the one that nothing is covered on where there are two."""
    found = [file for file in files if file.role == role and file.type == "image/jpeg"]
    found.sort(key=lambda file: getattr(file, "sealed", False), reverse=True)
    if not found:
        return None
    image = cv2.imdecode(np.frombuffer(found[0].data, np.uint8), cv2.IMREAD_COLOR)
    return None if image is None else np.asarray(image, np.uint8)


def _is_plain(name: str) -> bool:
    return bool(name) and all(each.isalnum() or each in "._-" for each in name)


def _write_private(path: Path, data: bytes) -> None:
    part = path.with_suffix(".part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
    part.replace(path)
