"""The picture a camera takes of pieces, the shadow they throw, and laying it over a frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from scenes.camera import Camera, Floats, Size
from scenes.light import LAMP_COLOUR, Light
from scenes.solid import Ball, Face, Piece, Pole, Relief, Stand, level, outline, upright, vector
from scenes.texture import Picture, fbm

SHARPEST, LARGE_PX = 4, 40_000
NEAREST_M = 0.3
SHADOW_DEPTH = 0.62
FLAT = np.array([1.0, 1.0, 0.0])


@dataclass(frozen=True)
class Patch:
    """A picture with alpha, whose top-left corner lies at pixel (left, top)."""

    left: int
    top: int
    bgr: NDArray[np.uint8]
    alpha: Picture

    @property
    def window(self) -> tuple[slice, slice]:
        """The rows and columns of the frame that it covers."""
        height, width = self.alpha.shape
        return slice(self.top, self.top + height), slice(self.left, self.left + width)

    @property
    def box(self) -> tuple[int, int, int, int]:
        """Left, top, width, height in pixels of what is at least half opaque."""
        rows = np.flatnonzero((self.alpha > 0.5).any(axis=1))
        cols = np.flatnonzero((self.alpha > 0.5).any(axis=0))
        if not len(rows):
            return self.left, self.top, 0, 0
        return (
            self.left + int(cols[0]),
            self.top + int(rows[0]),
            int(cols[-1] - cols[0] + 1),
            int(rows[-1] - rows[0] + 1),
        )


@lru_cache(maxsize=4)
def _wear(seed: int) -> Picture:
    rng = np.random.default_rng(seed)
    shade = 1 + 0.07 * fbm((32, 32), rng, 14, 3)
    return (shade * np.linspace(1.04, 0.9, 32)[:, None]).astype(np.float32)


def _normal(points: Floats, eye: Floats) -> Floats:
    across = np.cross(points[1] - points[0], points[-1] - points[0])
    length = float(np.linalg.norm(across))
    if length < 1e-9:
        return vector(0, 0, 1)
    across = across / length
    return across if across @ (eye - points.mean(axis=0)) > 0 else -across


def _mirrored(face: Face, normal: Floats, camera: Camera, light: Light) -> Floats:
    """Sky and sun in a shiny surface: more at grazing angles, none from the ground."""
    view = camera.position - face.points.mean(axis=0)
    view /= max(float(np.linalg.norm(view)), 1e-9)
    bounced = 2 * float(normal @ view) * normal - view
    grazing = 0.15 + 0.85 * (1 - abs(float(normal @ view))) ** 4
    dome = light.sky * np.array(light.sky_colour) * float(np.clip(0.15 + bounced[2], 0, 1))
    glint = light.sun * max(0.0, float(bounced @ light.towards_sun)) ** 30
    return np.asarray(face.gloss * (grazing * dome + glint))


@lru_cache(maxsize=256)
def lit_relief(relief: Relief, camera: Camera, light: Light) -> Picture:
    """The relief's picture under this light, 0..1."""
    sun = camera.rotation @ light.towards_sun
    facing = np.clip(relief.normal @ np.array([sun[0], sun[1], -sun[2]], np.float32), 0, 1)
    dome = 0.62 - 0.38 * relief.normal[..., 1]
    shade = (
        light.sun * facing[..., None] * np.array(light.sun_colour, np.float32)
        + light.sky * dome[..., None] * np.array(light.sky_colour, np.float32)
        + light.lamps * 0.55 * dome[..., None] * LAMP_COLOUR.astype(np.float32)
    )
    shine = relief.gloss * facing[..., None] ** 12 * (light.sun + 0.4 * light.sky)
    return np.asarray(np.clip(relief.albedo * shade + shine, 0, 1), np.float32)


@dataclass
class _Canvas:
    """The picture under way, `sharpness` times enlarged, and where it lies."""

    bgr: Picture
    alpha: Picture
    origin: Floats
    camera: Camera
    light: Light
    size: Size
    sharpness: int

    def pixels(self, points: Floats) -> Floats:
        flat, _ = self.camera.project(points, self.size)
        return np.asarray((flat - self.origin) * self.sharpness)

    def fill(self, corners: Floats, colour: Floats, alpha: float = 1.0) -> None:
        shape = np.round(corners * 16).astype(np.int32)
        if alpha < 1:
            mask = np.zeros(self.alpha.shape, np.float32)
            cv2.fillPoly(mask, [shape], alpha, cv2.LINE_8, 4)
            self.bgr += mask[..., None] * (np.asarray(colour, np.float32) - self.bgr)
            np.maximum(self.alpha, mask, out=self.alpha)
            return
        cv2.fillPoly(self.bgr, [shape], [float(c) for c in colour], cv2.LINE_8, 4)
        cv2.fillPoly(self.alpha, [shape], 1.0, cv2.LINE_8, 4)

    def window(self, corners: Floats) -> tuple[slice, slice] | None:
        low = np.maximum(np.floor(corners.min(axis=0)).astype(int), 0)
        high = np.minimum(
            np.ceil(corners.max(axis=0)).astype(int) + 1, np.array(self.alpha.shape[::-1])
        )
        if (high - low < 1).any():
            return None
        return slice(low[1], high[1]), slice(low[0], high[0])

    def paste(self, picture: Picture, corners: Floats, alpha: Picture | None) -> None:
        """Warp a picture on to four corners."""
        window = self.window(corners)
        if window is None:
            return
        rows, cols = window
        width, height = picture.shape[1], picture.shape[0]
        source = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
        target = (corners - [cols.start, rows.start]).astype(np.float32)
        matrix = cv2.getPerspectiveTransform(source, target)
        shape = (cols.stop - cols.start, rows.stop - rows.start)
        warped = cv2.warpPerspective(
            picture, matrix, shape, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        if alpha is None:
            mask = np.zeros(shape[::-1], np.float32)
            cv2.fillPoly(mask, [np.round(target * 16).astype(np.int32)], 1.0, cv2.LINE_8, 4)
        else:
            mask = cv2.warpPerspective(alpha, matrix, shape, flags=cv2.INTER_LINEAR)
        bgr = self.bgr[rows, cols]
        bgr += mask[..., None] * (warped - bgr)
        np.maximum(self.alpha[rows, cols], mask, out=self.alpha[rows, cols])

    def draw(self, piece: Piece) -> None:
        match piece:
            case Face():
                self._face(piece)
            case Pole():
                self._pole(piece)
            case Ball():
                self._ball(piece)
            case Stand():
                relief = piece.relief
                corners = self.pixels(upright(piece, self.camera))
                self.paste(lit_relief(relief, self.camera, self.light), corners, relief.alpha)

    def _face(self, face: Face) -> None:
        normal = _normal(face.points, self.camera.position)
        shade = self.light.on(normal)
        shade = shade * (1 - min(face.glow, 1)) + face.glow
        corners = self.pixels(face.points)
        if face.gloss:
            mirrored = _mirrored(face, normal, self.camera, self.light)
            self.fill(corners, np.clip(np.array(face.colour) * shade + mirrored, 0, 1))
        elif len(face.points) == 4 and face.alpha >= 1:
            texture = face.texture
            if texture is None:
                wear = _wear(len(face.points))
                texture = wear[..., None] * np.array(face.colour, np.float32)
            lit = np.clip(texture * np.asarray(shade, np.float32), 0, 1).astype(np.float32)
            self.paste(lit, corners, None)
        else:
            self.fill(corners, np.clip(np.array(face.colour) * shade, 0, 1), face.alpha)

    def _pole(self, pole: Pole) -> None:
        ends, depth = self.camera.project(np.stack([pole.start, pole.end]), self.size)
        ends = (ends - self.origin) * self.sharpness
        along = ends[1] - ends[0]
        length = float(np.hypot(*along))
        if length < 1e-6:
            return
        radii = pole.radius_m * self.camera.focal_px(self.size) / depth * self.sharpness
        radii = np.maximum(radii, 0.35)
        side = np.array([-along[1], along[0]]) / length
        shade = self.light.on(level(self.camera.position - pole.start))
        colour = np.clip(np.array(pole.colour) * shade, 0, 1)
        for low, high, tone in ((-1.0, -0.3, 0.75), (-0.3, 0.4, 1.08), (0.4, 1.0, 0.85)):
            corners = np.stack(
                [
                    ends[0] + side * radii[0] * low,
                    ends[1] + side * radii[1] * low,
                    ends[1] + side * radii[1] * high,
                    ends[0] + side * radii[0] * high,
                ]
            )
            self.fill(corners, np.clip(colour * tone, 0, 1))

    def _ball(self, ball: Ball) -> None:
        (centre,), (depth,) = self.camera.project(ball.centre[None], self.size)
        centre = (centre - self.origin) * self.sharpness
        radius = ball.radius_m * self.camera.focal_px(self.size) / depth * self.sharpness
        up = self.light.on(vector(0, 0, 1))
        base = np.array(ball.colour)
        for scale, shift, tone in ((1.0, 0.0, 0.55), (0.82, 0.14, 0.85), (0.5, 0.3, 1.1)):
            spot = centre - radius * shift * np.array([0.5, 1.0])
            colour = np.clip(base * up * tone, 0, 1).tolist()
            point = (int(spot[0] * 16), int(spot[1] * 16))
            reach = int(radius * scale * 16)
            cv2.circle(self.bgr, point, reach, colour, -1, cv2.LINE_AA, 4)
            cv2.circle(self.alpha, point, reach, 1.0, -1, cv2.LINE_AA, 4)


def _depth(piece: Piece, camera: Camera) -> tuple[int, float]:
    middle = outline(piece, camera).mean(axis=0)
    return piece.layer, -float(np.linalg.norm(middle - camera.position))


def picture_of(pieces: Sequence[Piece], camera: Camera, light: Light, size: Size) -> Patch | None:
    """The patch a camera sees of the pieces, farthest drawn first; None when out of view."""
    pieces = [piece for piece in pieces if _shows(piece, camera)]
    if not pieces:
        return None
    points = np.concatenate([outline(piece, camera) for piece in pieces])
    pixels, _ = camera.project(points, size)
    low = np.maximum(np.floor(pixels.min(axis=0)).astype(int) - 2, [-8, -8])
    high = np.minimum(np.ceil(pixels.max(axis=0)).astype(int) + 3, np.array(size) + 8)
    width, height = (high - low).tolist()
    if width < 2 or height < 2:
        return None
    sharpness = int(np.clip((LARGE_PX / (width * height)) ** 0.5 * 2, 2, SHARPEST))
    shape = (height * sharpness, width * sharpness)
    canvas = _Canvas(
        np.zeros((*shape, 3), np.float32),
        np.zeros(shape, np.float32),
        low.astype(float),
        camera,
        light,
        size,
        sharpness,
    )
    for piece in sorted(pieces, key=lambda p: _depth(p, camera)):
        canvas.draw(piece)
    small = (width, height)
    weighted = cv2.resize(canvas.bgr * canvas.alpha[..., None], small, interpolation=cv2.INTER_AREA)
    alpha = cv2.resize(canvas.alpha, small, interpolation=cv2.INTER_AREA)
    bgr = weighted / np.maximum(alpha, 1e-3)[..., None]
    picture = (np.clip(bgr, 0, 1) * 255).astype(np.uint8)
    return cropped(Patch(int(low[0]), int(low[1]), picture, alpha), size)


def _shows(piece: Piece, camera: Camera) -> bool:
    """Whether a piece lies before the lens and turns its outer side to it."""
    points = outline(piece, camera)
    outward = piece.outward if isinstance(piece, Face) else None
    if outward is not None and outward @ (camera.position - points.mean(axis=0)) <= 0:
        return False
    return _is_ahead(points, camera)


def _is_ahead(points: Floats, camera: Camera) -> bool:
    """Whether all points lie before the lens."""
    return bool((((points - camera.position) @ camera.rotation[2]) > NEAREST_M).all())


def cropped(patch: Patch, size: Size) -> Patch | None:
    """The part of a patch inside the picture."""
    top, left = max(0, -patch.top), max(0, -patch.left)
    bottom = min(patch.alpha.shape[0], size[1] - patch.top)
    right = min(patch.alpha.shape[1], size[0] - patch.left)
    if bottom <= top or right <= left:
        return None
    return Patch(
        patch.left + left,
        patch.top + top,
        patch.bgr[top:bottom, left:right],
        patch.alpha[top:bottom, left:right],
    )


def _on_ground(points: Floats, light: Light) -> Floats:
    """Where the sun throws points on to the ground."""
    sun = light.towards_sun
    return np.asarray(points - sun * (points[:, 2:3] / max(float(sun[2]), 0.12)))


def shadow_of(pieces: Sequence[Piece], camera: Camera, light: Light, size: Size) -> Patch | None:
    """The darkening of the ground by the pieces: thrown by the sun, and soft underneath."""
    sunlit = light.sun > 0.05
    outlines, thrown = [], []
    for piece in pieces:
        points = outline(piece, camera)
        fallen = _on_ground(points, light) if sunlit else points * FLAT
        if _is_ahead(points * FLAT, camera) and _is_ahead(fallen, camera):
            outlines.append(points)
            thrown.append((piece, fallen))
    if not outlines:
        return None
    points = np.concatenate(outlines)
    feet = points * FLAT
    ground = np.concatenate([feet, *(fallen for _, fallen in thrown)])
    pixels, depth = camera.project(ground, size)
    soft = camera.focal_px(size) / float(np.median(depth))
    margin = int(soft * 0.5) + 3
    low = np.maximum(np.floor(pixels.min(axis=0)).astype(int) - margin, 0)
    high = np.minimum(np.ceil(pixels.max(axis=0)).astype(int) + margin, np.array(size))
    if (high - low < 2).any():
        return None
    shape = (int(high[1] - low[1]), int(high[0] - low[0]))
    under: Picture = np.zeros(shape, np.float32)
    sunny: Picture = np.zeros(shape, np.float32)
    near = feet[points[:, 2] < 0.9]
    if len(near) >= 3:
        flat, _ = camera.project(near, size)
        hull = cv2.convexHull(((flat - low) * 16).astype(np.int32))
        cv2.fillPoly(under, [hull], 0.5, cv2.LINE_AA, 4)
        under = cv2.GaussianBlur(under, (0, 0), max(0.8, soft * 0.09))
    if sunlit:
        for piece, fallen in thrown:
            _throw(sunny, piece, fallen, (camera, size), low)
        strength = SHADOW_DEPTH * light.sun / (light.sun + light.sky)
        sunny = cv2.GaussianBlur(sunny, (0, 0), max(0.7, soft * 0.03)) * strength
    alpha = np.maximum(under, sunny)
    return Patch(int(low[0]), int(low[1]), np.zeros((*shape, 3), np.uint8), alpha)


def _throw(
    mask: Picture, piece: Piece, corners: Floats, view: tuple[Camera, Size], low: Floats
) -> None:
    camera, size = view
    flat, depth = camera.project(corners, size)
    flat = flat - low
    if isinstance(piece, Pole):
        px = piece.radius_m * 2 * camera.focal_px(size) / float(depth.mean())
        ends = np.round(flat).astype(int)
        cv2.line(mask, ends[0].tolist(), ends[1].tolist(), min(1.0, px), max(1, round(px)))
    elif isinstance(piece, Stand):
        alpha = piece.relief.alpha
        source = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)
        source *= np.array(alpha.shape[::-1], np.float32)
        matrix = cv2.getPerspectiveTransform(source, flat.astype(np.float32))
        warped = cv2.warpPerspective(alpha, matrix, mask.shape[::-1])
        np.maximum(mask, warped, out=mask)
    else:
        hull = cv2.convexHull(np.round(flat * 16).astype(np.int32))
        cv2.fillPoly(mask, [hull], 1.0, cv2.LINE_AA, 4)


def blend(frame: NDArray[np.uint8], patch: Patch, alpha: Picture | None = None) -> None:
    """Lay a patch over the frame, in place."""
    window = frame[patch.window]
    mask = (patch.alpha if alpha is None else alpha)[..., None]
    window[:] = (window + mask * (patch.bgr.astype(np.float32) - window)).astype(np.uint8)
