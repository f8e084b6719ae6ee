"""The empty street under a light: sun and shadow, lamps, haze, wet ground, furniture."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from scenes import texture
from scenes.camera import Camera, Floats, Size
from scenes.drawing import Patch, blend, picture_of, shadow_of
from scenes.furniture import props
from scenes.light import LAMP_COLOUR, Light
from scenes.street import Street, buildings
from scenes.surfaces import FRONT, GROUND, SIDE, SKY, Surfaces, surfaces
from scenes.texture import Picture

NEAR_ROW_Y = -6.0
OVERSAMPLING = 2


def _near_heights(street: Street, x: Floats) -> Floats:
    """Heights of the unseen row behind the camera, which throws shadows."""
    rng = np.random.default_rng(street.seed + 53)
    heights = rng.choice([0.0, 4.0, 7.0, 10.0], 24)
    return np.asarray(heights[np.clip(((x + 120) / 10).astype(int), 0, 23)])


def _shade(street: Street, surface: Surfaces, light: Light) -> Picture:
    """How much of every pixel lies in the shadow of houses, 0..1."""
    sx, sy, sz = light.towards_sun
    shadow = np.zeros(surface.x.shape, np.float32)
    if abs(sy) < 0.02:
        return shadow
    if sy > 0:
        reach = np.clip(street.front_y - surface.y, 0, None) / sy
        along = surface.x + sx * reach
        row = buildings(street)
        edges = np.array([house.left for house in row])
        highs = np.array([house.height_m if not house.setback_m else 0.0 for house in row])
        high = highs[np.clip(np.searchsorted(edges, along) - 1, 0, len(row) - 1)]
        shadow = np.where(
            surface.kind == GROUND, 1 / (1 + np.exp(np.clip((sz * reach - high) * 5, -20, 20))), 1.0
        )
    else:
        reach = np.clip(surface.y - NEAR_ROW_Y, 0, 60) / -sy
        high = _near_heights(street, surface.x + sx * reach)
        above = np.clip((surface.z + sz * reach - high) * 5, -20, 20)
        shadow = np.where(high > 0, 1 / (1 + np.exp(above)), 0.0)
    return cv2.GaussianBlur(shadow.astype(np.float32), (0, 0), 1.2)


def sky(light: Light, shape: tuple[int, int], seed: int) -> Picture:
    """Sky with some cloud."""
    rng = np.random.default_rng(seed + 71)
    bright = 0.25 + 0.75 * min(1.0, light.sky + 0.5 * light.sun)
    if light.lamps > 0.3:
        bright = 0.09
    clear = np.array([0.9, 0.78, 0.68]) if light.sun > 0.2 else np.array([0.86, 0.85, 0.84])
    cloud = np.clip(0.5 + 0.5 * texture.fbm(shape, rng, shape[1] / 3), 0, 1)[..., None]
    picture = clear + (1 - clear) * cloud * 0.8
    return np.asarray(np.clip(picture * bright, 0, 1), np.float32)


def lit_street(street: Street, camera: Camera, light: Light, size: Size) -> Picture:
    """The empty street without its furniture, 0..1."""
    surface = surfaces(street, camera, size)
    shadow = _shade(street, surface, light)[..., None]
    sun, dome = np.array(light.sun_colour, np.float32), np.array(light.sky_colour, np.float32)
    facing = np.zeros((4, 1), np.float32)
    towards = light.towards_sun
    facing[GROUND], facing[FRONT] = max(0.0, towards[2]), max(0.0, -towards[1])
    facing[SIDE] = abs(towards[0]) * 0.5
    ambient = np.array([[1.0], [1.0], [0.66], [0.6]], np.float32)
    direct = light.sun * facing[surface.kind] * (1 - shadow) * sun
    diffuse = (
        light.sky * ambient[surface.kind] * dome * (1 - 0.25 * shadow * min(1.0, light.sun * 2))
    )
    lamp = _lamp_light(street, surface) * light.lamps
    picture = surface.albedo * (direct + diffuse + lamp[..., None] * LAMP_COLOUR.astype(np.float32))
    picture += surface.albedo * (surface.glow * light.lamps * 2.6)[..., None]
    occluded = np.exp(-np.clip(street.front_y - surface.y, 0, 9) / 0.5) * (surface.kind == GROUND)
    picture *= (1 - 0.35 * occluded)[..., None]
    above = surface.kind == SKY
    backdrop = sky(light, above.shape, street.seed)
    picture = np.where(above[..., None], backdrop, picture)
    if light.rain > 0:
        picture = _wet(picture, street, camera, surface, light.rain)
    clear = np.exp(-np.minimum(surface.depth, 1e3) * light.haze / 160)
    veil = ((1 - clear) * ~above)[..., None]
    tone = backdrop.mean(axis=(0, 1)) * 0.9
    return np.asarray(np.clip(picture + veil * (tone - picture), 0, 1), np.float32)


def _lamp_light(street: Street, surface: Surfaces) -> Picture:
    total = np.full(surface.x.shape, 0.18, np.float32)
    middle = street.far_kerb_y - 1.2
    for x in np.arange(-63, 67, 22.0):
        away = (surface.x - x) ** 2 + (surface.y - middle) ** 2
        total += np.exp(-away / 60).astype(np.float32)
    total += 0.35 * np.exp(-((surface.y - street.front_y) ** 2) / 6) * (surface.kind == GROUND)
    return total


def _wet(
    picture: Picture, street: Street, camera: Camera, surface: Surfaces, rain: float
) -> Picture:
    """Wet ground: darker, and mirroring the fronts."""
    size = (picture.shape[1], picture.shape[0])
    ground = surface.kind == GROUND
    rays = camera.rays(size)
    reach = (street.front_y - surface.y) / np.maximum(rays[..., 1], 1e-3)
    mirrored = np.stack(
        [
            surface.x + rays[..., 0] * reach,
            np.full_like(surface.x, street.front_y),
            np.clip(-rays[..., 2] * reach, 0, 30),
        ],
        axis=-1,
    )
    pixels, _ = camera.project(mirrored, size)
    spots = pixels.reshape(*ground.shape, 2).astype(np.float32)
    soft = cv2.GaussianBlur(picture, (0, 0), size[0] / 320)
    mirror = cv2.remap(
        soft, spots[..., 0], spots[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    rng = np.random.default_rng(street.seed + 97)
    pools = np.clip(0.35 + 0.5 * texture.fbm(ground.shape, rng, size[0] / 8), 0.05, 0.9)
    share = (rain * 0.55 * pools * ground * (surface.y < street.front_y))[..., None]
    dark = picture * (1 - 0.3 * rain * ground[..., None])
    return np.asarray(dark * (1 - share) + mirror * share, np.float32)


@dataclass(frozen=True)
class Backdrop:
    """The empty street as a picture, and what may stand before an actor.

    `cover` is the alpha of street furniture, `cover_y` how far across the street it stands,
    `light` the light as exposed by the camera: actors take this one.
    """

    bgr: NDArray[np.uint8]
    cover: Picture
    cover_y: Picture
    light: Light


@lru_cache(maxsize=96)
def backdrop(street: Street, camera: Camera, light: Light, size: Size) -> Backdrop:
    """The empty street under a light."""
    large = (size[0] * OVERSAMPLING, size[1] * OVERSAMPLING)
    full = lit_street(street, camera, light, large)
    picture = cv2.resize(full, size, interpolation=cv2.INTER_AREA)
    exposure = _exposure(picture, light)
    picture = np.clip(picture * exposure, 0, 1)
    light = replace(
        light, sun=light.sun * exposure, sky=light.sky * exposure, lamps=light.lamps * exposure
    )
    frame = (picture * 255).astype(np.uint8)
    cover = np.zeros(size[::-1], np.float32)
    cover_y = np.full(size[::-1], np.inf, np.float32)
    standing = props(street)
    for _, _, pieces in standing:
        darken(frame, shadow_of(pieces, camera, light, size))
    for _, y, pieces in standing:
        patch = picture_of(pieces, camera, light, size)
        if patch is not None:
            _stand_before(frame, cover, cover_y, patch, y)
    return Backdrop(frame, cover, cover_y, light)


def _exposure(picture: Picture, light: Light) -> float:
    """What the camera's automatic exposure multiplies the light by."""
    target = 0.47 - 0.22 * min(1.0, light.lamps * 2)
    return float(np.clip(target / max(float(picture.mean()), 1e-3), 0.75, 3.0)) * light.gain


def darken(frame: NDArray[np.uint8], shadow: Patch | None) -> None:
    """Darken the frame by a shadow patch, in place."""
    if shadow is None:
        return
    window = frame[shadow.window]
    window[:] = (window * (1 - shadow.alpha[..., None])).astype(np.uint8)


def _stand_before(
    frame: NDArray[np.uint8], cover: Picture, cover_y: Picture, patch: Patch, y: float
) -> None:
    rows, cols = patch.window
    blend(frame, patch)
    cover[rows, cols] = np.maximum(cover[rows, cols], patch.alpha)
    cover_y[rows, cols][patch.alpha > 0.3] = y
