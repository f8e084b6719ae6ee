"""From a street and the things in it to the picture the camera delivers, with the truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cmp_to_key, lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from scenes.backdrop import Backdrop, backdrop, darken
from scenes.camera import Camera, Size
from scenes.drawing import Patch, blend, picture_of, shadow_of
from scenes.light import Change, Light
from scenes.mark import mark
from scenes.solid import Piece, outline
from scenes.street import Street

Frame = NDArray[np.uint8]
STREAKS = 6
DARK = 0.15
SATURATION = 0.78
PALER = (SATURATION * np.eye(3) + (1 - SATURATION) * np.array([0.114, 0.587, 0.299])).astype(
    np.float32
)
_LEVELS = np.arange(256) / 255
CURVE = np.clip(
    255 * (0.03 + 0.97 * (0.55 * _LEVELS**0.8 + 0.45 * (3 * _LEVELS**2 - 2 * _LEVELS**3))), 0, 255
).astype(np.uint8)


@dataclass(frozen=True)
class TruthBox:
    """What stands where: top-left corner, width and height as fractions of the picture.

    `visible` is the share of the thing's pixels that nothing hides.
    """

    label: str
    x: float
    y: float
    w: float
    h: float
    id: str
    visible: float = 1.0


@dataclass(frozen=True)
class Thing:
    """Something placed in the street. Things with the same `id` and `label` share a box.

    `labels` may name several boxes: a seller is a person and a part of the stall. `key` lets its
    picture be kept for the next frame. `beam`: ground points that its lamps light up in the dark,
    `lamp`: how strongly they light the thing itself.
    """

    id: str
    labels: tuple[tuple[str, str], ...]
    pieces: tuple[Piece, ...]
    key: tuple[object, ...] | None = None
    beam: tuple[tuple[float, float], ...] = ()
    lamp: float = 0.0
    extent: tuple[float, float, float, float] = field(init=False)

    def __post_init__(self) -> None:
        points = np.concatenate([_ground_extent(p) for p in self.pieces])
        low, high = points.min(axis=0), points.max(axis=0)
        box = (float(low[0]), float(high[0]), float(low[1]), float(high[1]))
        object.__setattr__(self, "extent", box)


def _ground_extent(piece: Piece) -> NDArray[np.floating]:
    foot = getattr(piece, "foot", None)
    if foot is not None:
        return np.asarray(foot)[None, :2]
    return outline(piece, Camera())[:, :2]


def _nearer(first: Thing, second: Thing) -> int:
    """Order from far to near, for a camera at y = 0 looking along +y."""
    fx0, fx1, fy0, fy1 = first.extent
    sx0, sx1, sy0, sy1 = second.extent
    if fy0 >= sy1 - 0.1:
        return -1
    if sy0 >= fy1 - 0.1:
        return 1
    away = min(abs(fx0), abs(fx1)) - min(abs(sx0), abs(sx1))
    if abs(away) > 0.3 and (fx0 > sx1 or sx0 > fx1):
        return -1 if away > 0 else 1
    return -1 if fy0 + fy1 > sy0 + sy1 else 1


@dataclass
class Darkroom:
    """Draws frames of one street and camera; keeps the pictures of things that stay."""

    street: Street
    camera: Camera
    size: Size = (640, 360)
    kept: dict[tuple[object, ...], tuple[Patch | None, Patch | None]] = field(default_factory=dict)

    def frame(
        self,
        things: Sequence[Thing],
        light: Light | Change,
        moment: int,
        camera: Camera | None = None,
    ) -> tuple[Frame, list[TruthBox]]:
        """The delivered picture and its truth; `moment` seeds noise and rain."""
        frame, truth = self.drawn(things, light, camera)
        taken = light if isinstance(light, Light) else light.first.mixed(light.second, light.share)
        return mark(sensed(frame, taken, moment)), truth

    def drawn(
        self, things: Sequence[Thing], light: Light | Change, camera: Camera | None = None
    ) -> tuple[Frame, list[TruthBox]]:
        """The picture before lens and sensor, and its truth."""
        view = camera or self.camera
        back = self._empty(view, light)
        frame = back.bgr.copy()
        drawn = [(item, *self._patches(item, view, back.light)) for item in things]
        for _, _, shadow in drawn:
            darken(frame, shadow)
        for item in things:
            if item.beam and back.light.lamps > DARK:
                _shine(frame, np.array(item.beam), view)
        owner = np.full(self.size[::-1], -1, np.int16)

        def compare(a: int, b: int) -> int:
            return _nearer(things[a], things[b])

        order = sorted(range(len(things)), key=cmp_to_key(compare))
        for index in order:
            item, patch, _ = drawn[index]
            if patch is not None:
                self._lay(frame, owner, back, patch, index, y=item.extent[2])
        truth = self._truth([(item, patch) for item, patch, _ in drawn], owner)
        return frame, truth

    def training_frame(
        self, things: Sequence[Thing], light: Light, moment: int, *, mirrored: bool, corner: int
    ) -> tuple[Frame, list[TruthBox]]:
        """As `frame`, perhaps mirrored, with the generated mark in any corner."""
        frame, truth = self.drawn(things, light)
        if mirrored:
            frame = np.ascontiguousarray(frame[:, ::-1])
            truth = [replace(box, x=1 - box.x - box.w) for box in truth]
        quality = 55 + moment % 40
        return mark(sensed(frame, light, moment, quality), corner), truth

    def _empty(self, view: Camera, light: Light | Change) -> Backdrop:
        if isinstance(light, Light):
            return backdrop(self.street, view, light, self.size)
        first = backdrop(self.street, view, light.first, self.size)
        second = backdrop(self.street, view, light.second, self.size)
        mixed = cv2.addWeighted(first.bgr, 1 - light.share, second.bgr, light.share, 0)
        exposed = first.light.mixed(second.light, round(light.share * 6) / 6)
        return replace(first, bgr=np.asarray(mixed, np.uint8), light=exposed)

    def _patches(
        self, item: Thing, camera: Camera, light: Light
    ) -> tuple[Patch | None, Patch | None]:
        if item.lamp and light.lamps > DARK:
            light = replace(light, lamps=light.lamps + item.lamp)
        key = (item.key, camera, light, self.size)
        if item.key is not None and key in self.kept:
            return self.kept[key]
        patch = picture_of(item.pieces, camera, light, self.size)
        shadow = shadow_of(item.pieces, camera, light, self.size) if patch else None
        if item.key is not None:
            if len(self.kept) > 400:
                self.kept.clear()
            self.kept[key] = (patch, shadow)
        return patch, shadow

    def _lay(
        self,
        frame: Frame,
        owner: NDArray[np.int16],
        back: Backdrop,
        patch: Patch,
        index: int,
        *,
        y: float,
    ) -> None:
        hidden = back.cover[patch.window] * (back.cover_y[patch.window] < y)
        alpha = patch.alpha * (1 - hidden)
        blend(frame, patch, alpha)
        owner[patch.window][alpha > 0.5] = index

    def _truth(
        self, drawn: Sequence[tuple[Thing, Patch | None]], owner: NDArray[np.int16]
    ) -> list[TruthBox]:
        counts = np.bincount(owner[owner >= 0].ravel(), minlength=len(drawn))
        groups: dict[tuple[str, str], list[tuple[tuple[int, int, int, int], int, int]]] = {}
        for index, (item, patch) in enumerate(drawn):
            if patch is None:
                continue
            solid = int((patch.alpha > 0.5).sum())
            for label in item.labels:
                groups.setdefault(label, []).append((patch.box, solid, int(counts[index])))
        return [self._box(label, parts) for label, parts in groups.items() if _size(parts)]

    def _box(
        self, label: tuple[str, str], parts: list[tuple[tuple[int, int, int, int], int, int]]
    ) -> TruthBox:
        boxes = [box for box, solid, _ in parts if solid]
        left, top = min(b[0] for b in boxes), min(b[1] for b in boxes)
        right, low = max(b[0] + b[2] for b in boxes), max(b[1] + b[3] for b in boxes)
        width, height = self.size
        seen = sum(p[2] for p in parts) / sum(p[1] for p in parts)
        return TruthBox(
            label[0],
            left / width,
            top / height,
            (right - left) / width,
            (low - top) / height,
            label[1],
            round(seen, 3),
        )


def _shine(frame: Frame, ground: NDArray[np.floating], camera: Camera) -> None:
    """Add a soft pool of lamp light on the ground, in place."""
    size = (frame.shape[1], frame.shape[0])
    points = np.column_stack([ground, np.zeros(len(ground))])
    pixels, depth = camera.project(points, size)
    if (depth < 0.3).any():
        return
    pool = np.zeros((size[1] // 4, size[0] // 4), np.float32)
    cv2.fillConvexPoly(pool, np.round(pixels * 4).astype(np.int32), 1.0, cv2.LINE_AA, 4)
    pool = cv2.resize(cv2.GaussianBlur(pool, (0, 0), 4), size, interpolation=cv2.INTER_LINEAR)
    glow = (pool[..., None] * (frame * 0.8 + 14)).astype(np.uint8)
    np.copyto(frame, cv2.add(frame, glow))


def _size(parts: list[tuple[tuple[int, int, int, int], int, int]]) -> int:
    return sum(solid for _, solid, _ in parts)


# ---------------------------------------------------------------- the sensor


@lru_cache(maxsize=24)
def _noise(size: Size, level: float, number: int) -> NDArray[np.int16]:
    rng = np.random.default_rng(1000 + number)
    grain = rng.normal(0, level, (size[1], size[0], 1)).astype(np.float32)
    colour = rng.normal(0, level * 0.9, (size[1] // 2, size[0] // 2, 3)).astype(np.float32)
    field_ = grain + cv2.resize(colour, size, interpolation=cv2.INTER_LINEAR)
    return np.round(cv2.GaussianBlur(field_, (0, 0), 0.55) * 1.3).astype(np.int16)


@lru_cache(maxsize=12)
def _streaks(size: Size, strength: float, number: int) -> NDArray[np.int16]:
    rng = np.random.default_rng(2000 + number)
    layer = np.zeros((size[1], size[0]), np.float32)
    for _ in range(int(420 * strength)):
        x, y = rng.uniform(-20, size[0]), rng.uniform(-20, size[1])
        length = rng.uniform(0.02, 0.07) * size[1]
        end = (int(x + 0.12 * length), int(y + length))
        cv2.line(layer, (int(x), int(y)), end, rng.uniform(8, 30), 1, cv2.LINE_AA)
    return np.repeat(cv2.GaussianBlur(layer, (0, 0), 0.6)[..., None], 3, axis=2).astype(np.int16)


@lru_cache(maxsize=4)
def _vignette(size: Size) -> NDArray[np.uint8]:
    x = np.linspace(-1, 1, size[0])[None, :]
    y = np.linspace(-1, 1, size[1])[:, None]
    fall = 255 * (1 - 0.16 * (x**2 + y**2) / 2 * (x**2 + y**2) ** 0.5)
    return np.repeat(fall[..., None], 3, axis=2).astype(np.uint8)


def sensed(frame: Frame, light: Light, moment: int, quality: int = 82) -> Frame:
    """What lens, sensor and encoder make of a picture."""
    size = (frame.shape[1], frame.shape[0])
    frame = np.asarray(cv2.transform(frame, PALER), np.uint8)
    soft = cv2.GaussianBlur(frame, (0, 0), max(0.4, 0.62 * size[0] / 640))
    soft = cv2.LUT(cv2.multiply(soft, _vignette(size), scale=1 / 255), CURVE)
    if light.rain > 0:
        number = (moment * 7919) % STREAKS
        soft = cv2.add(soft, _streaks(size, round(light.rain, 1), number), dtype=cv2.CV_8U)
    roll = (moment * 104_729) % 97
    noise = np.roll(_noise(size, round(light.noise, 1), moment % 8), roll, axis=(0, 1))
    grainy = cv2.add(soft, noise, dtype=cv2.CV_8U)
    _, coded = cv2.imencode(".jpg", grainy, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)
