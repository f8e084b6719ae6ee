"""What a camera saw by hour of day, dated and kept on disk: like is compared with like.

For each hour a few views, one a light (sun, cloud, wet), each with a mask of where it holds: a
place that was already in doubt when the view was taken is not compared with it. Bounded: 24
hours, `VIEWS_AN_HOUR` thumbnails each, and one whole picture an hour for the eye.
"""

import json
import logging
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

import cv2
import numpy as np

from edge.camera.frame import Image
from edge.detect.background import Mask

log = logging.getLogger(__name__)

VIEWS_AN_HOUR = 3
QUALITY = 85
_INDEX = "index.json"


@dataclass(frozen=True, eq=False)
class ReferenceView:
    """A thumbnail (BGR) of one hour and light, when it was taken, and where it holds (0 or 1)."""

    hour: int
    taken_at: datetime
    picture: Image
    holds: Mask


@dataclass(frozen=True)
class Before:
    """A whole picture as JPEG, and when it was taken."""

    taken_at: datetime
    jpeg: bytes = field(repr=False)

    def image(self) -> Image:
        """The picture, BGR."""
        return np.asarray(cv2.imdecode(np.frombuffer(self.jpeg, np.uint8), cv2.IMREAD_COLOR))


class ReferenceViews:
    """The views of one camera; in `folder` when there is one, else only in memory."""

    def __init__(self, folder: Path | None = None) -> None:
        """Read what an earlier run left; what cannot be read is left out and named in the log."""
        self._folder = folder
        self._views: list[ReferenceView] = []
        self._befores: dict[int, Before] = {}
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            self._read(folder)

    def of(self, hour: int, shape: tuple[int, ...]) -> list[ReferenceView]:
        """The views of an hour (0 to 23) with this height and width."""
        return [
            view
            for view in self._views
            if view.hour == hour and view.picture.shape[:2] == shape[:2]
        ]

    def before(self, at: datetime, hour: int) -> Before | None:
        """A whole picture from before `at`, of this hour or the nearest to it."""
        earlier = [h for h, before in self._befores.items() if before.taken_at < at]
        if not earlier:
            return None
        return self._befores[min(earlier, key=lambda h: min((h - hour) % 24, (hour - h) % 24))]

    def has_before(self, hour: int) -> bool:
        """Whether there is a whole picture of that hour."""
        return hour in self._befores

    def add(self, view: ReferenceView, image: Image | None = None) -> None:
        """Keep another view of its hour, and the whole picture if it is the hour's first."""
        self._views.append(view)
        if image is not None and view.hour not in self._befores:
            jpeg = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1].tobytes()
            self._befores[view.hour] = Before(view.taken_at, jpeg)
            self._write(f"before-{view.hour:02}.jpg", jpeg)
        self._store(view)

    def put(self, old: ReferenceView, new: ReferenceView) -> None:
        """Keep `new` in the place of `old`."""
        self._views = [new if view is old else view for view in self._views]
        self._store(new)

    def drop(self, hour: int) -> None:
        """Forget the views of an hour; its whole picture stays until a new one is taken."""
        self._views = [view for view in self._views if view.hour != hour]
        self._befores.pop(hour, None)
        self._write_index()

    def _store(self, view: ReferenceView) -> None:
        if self._folder is None:
            return
        alpha = np.dstack([view.picture, view.holds * np.uint8(255)])
        self._write(_name(view), cv2.imencode(".png", alpha)[1].tobytes())
        self._write_index()

    def _write_index(self) -> None:
        """After the files it names, so that a crash leaves none of them half-known."""
        if self._folder is None:
            return
        index = {
            "views": [
                {"file": _name(v), "hour": v.hour, "taken_at": v.taken_at.isoformat()}
                for v in self._views
            ],
            "befores": [
                {"hour": hour, "taken_at": before.taken_at.isoformat()}
                for hour, before in sorted(self._befores.items())
            ],
        }
        self._write(_INDEX, json.dumps(index).encode())

    def _write(self, name: str, data: bytes) -> None:
        if self._folder is None:
            return
        part = self._folder / f"{name}.part"
        try:
            part.write_bytes(data)
            part.replace(self._folder / name)
        except OSError as fault:
            log.warning("%s: a reference view could not be kept: %s", self._folder, fault.strerror)

    def _read(self, folder: Path) -> None:
        try:
            index = json.loads((folder / _INDEX).read_bytes())
            for line in index["views"][: 24 * VIEWS_AN_HOUR]:
                self._views.append(_read_view(folder, line))
            for line in index["befores"]:
                hour = int(line["hour"])
                data = (folder / f"before-{hour:02}.jpg").read_bytes()
                self._befores[hour] = Before(datetime.fromisoformat(line["taken_at"]), data)
        except FileNotFoundError:
            return
        except (OSError, ValueError, KeyError, TypeError, cv2.error) as fault:
            log.warning("%s: reference views cannot be read, begun anew: %s", folder, fault)
            self._views, self._befores = [], {}


def _read_view(folder: Path, line: dict[str, str]) -> ReferenceView:
    data = np.frombuffer((folder / Path(line["file"]).name).read_bytes(), np.uint8)
    alpha = cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
    if alpha is None or alpha.ndim != 3 or alpha.shape[2] != 4:
        raise ValueError(f"{line['file']}: is no reference view")
    return ReferenceView(
        hour=int(line["hour"]),
        taken_at=datetime.fromisoformat(line["taken_at"]),
        picture=np.ascontiguousarray(alpha[..., :3], np.uint8),
        holds=(alpha[..., 3] > 0).astype(np.uint8),
    )


def _name(view: ReferenceView) -> str:
    return f"view-{view.hour:02}-{view.taken_at:%Y%m%dT%H%M%S}.png"


def followed(view: ReferenceView, recent: Image, share: float, free: Mask) -> ReferenceView:
    """The view moved towards a recent picture by `share`, where `free` is 1."""
    weight = (share * free.astype(np.float32))[..., None]
    mixed = view.picture + weight * (recent.astype(np.float32) - view.picture)
    return replace(view, picture=np.rint(mixed).astype(np.uint8))
