"""People: walking, standing, sitting; drawn as reliefs so that they take the scene's light."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from scenes.solid import Piece, Relief, Stand, vector
from scenes.texture import Colour, Rng, any_colour, pick

TALL, WIDE = 256, 128
PX_PER_M = 132.0
FOOT_ROW = 246
PHASES = 12

SKIN: list[Colour] = [(0.45, 0.58, 0.78), (0.36, 0.5, 0.7), (0.52, 0.66, 0.85)]
HAIR: list[Colour] = [(0.06, 0.06, 0.07), (0.1, 0.12, 0.16), (0.45, 0.45, 0.46)]
TROUSERS: list[Colour] = [
    (0.1, 0.1, 0.11),
    (0.35, 0.22, 0.15),
    (0.22, 0.2, 0.2),
    (0.3, 0.36, 0.4),
    (0.55, 0.4, 0.3),
]


@dataclass(frozen=True)
class Look:
    """What a person wears and how big they are."""

    height_m: float = 1.68
    girth: float = 1.0
    skin: Colour = SKIN[0]
    hair: Colour = HAIR[0]
    top: Colour = (0.3, 0.3, 0.6)
    legs: Colour = TROUSERS[0]
    apron: Colour | None = None
    hat: Colour | None = None
    skirt: bool = False
    bag: Colour | None = None


def any_look(rng: Rng, *, seller: bool = False) -> Look:
    """A random person; sellers often wear an apron or a hat."""
    return Look(
        height_m=float(rng.uniform(1.52, 1.82)),
        girth=float(rng.uniform(0.86, 1.16)),
        skin=pick(rng, SKIN, 0.05),
        hair=pick(rng, HAIR, 0.03),
        top=any_colour(rng, float(rng.uniform(0.2, 0.9))),
        legs=pick(rng, TROUSERS),
        apron=any_colour(rng, 0.3) if seller and rng.random() < 0.5 else None,
        hat=pick(rng, [(0.5, 0.72, 0.82), (0.8, 0.8, 0.8), (0.2, 0.2, 0.5)])
        if rng.random() < (0.5 if seller else 0.12)
        else None,
        skirt=not seller and bool(rng.random() < 0.2),
        bag=any_colour(rng, 0.5) if not seller and rng.random() < 0.4 else None,
    )


@dataclass(frozen=True)
class Posture:
    """One moment of a body. `facing`: left, right, front or back; `phase` of the walk 0..1."""

    facing: str = "front"
    phase: float = 0.0
    walking: bool = False
    sitting: bool = False
    reach: float = 0.0


class _Body:
    """The relief under way: parts laid one over the other."""

    def __init__(self) -> None:
        self.albedo = np.zeros((TALL, WIDE, 3), np.float32)
        self.normal = np.zeros((TALL, WIDE, 3), np.float32)
        self.alpha = np.zeros((TALL, WIDE), np.uint8)

    def part(self, outline: list[tuple[float, float]], colour: Colour, flat: float = 1.0) -> None:
        mask = np.zeros((TALL, WIDE), np.uint8)
        points = np.round(np.array(outline) * 16).astype(np.int32)
        cv2.fillPoly(mask, [points], 255, cv2.LINE_8, 4)
        self._raise(mask, colour, flat)

    def limb(self, joints: list[tuple[float, float]], widths: list[float], colour: Colour) -> None:
        mask = np.zeros((TALL, WIDE), np.uint8)
        for (x0, y0), (x1, y1), w0, w1 in zip(
            joints[:-1], joints[1:], widths[:-1], widths[1:], strict=True
        ):
            length = math.hypot(x1 - x0, y1 - y0) or 1.0
            nx, ny = -(y1 - y0) / length, (x1 - x0) / length
            corners = [
                (x0 + nx * w0, y0 + ny * w0),
                (x1 + nx * w1, y1 + ny * w1),
                (x1 - nx * w1, y1 - ny * w1),
                (x0 - nx * w0, y0 - ny * w0),
            ]
            cv2.fillPoly(
                mask, [np.round(np.array(corners) * 16).astype(np.int32)], 255, cv2.LINE_8, 4
            )
            cv2.circle(mask, (int(x0 * 16), int(y0 * 16)), int(w0 * 16), 255, -1, cv2.LINE_8, 4)
            cv2.circle(mask, (int(x1 * 16), int(y1 * 16)), int(w1 * 16), 255, -1, cv2.LINE_8, 4)
        self._raise(mask, colour, 1.0)

    def oval(self, x: float, y: float, rx: float, ry: float, colour: Colour) -> None:
        mask = np.zeros((TALL, WIDE), np.uint8)
        centre, axes = (int(x * 16), int(y * 16)), (int(rx * 16), int(ry * 16))
        cv2.ellipse(mask, centre, axes, 0, 0, 360, 255, -1, cv2.LINE_8, 4)
        self._raise(mask, colour, 1.0)

    def _raise(self, mask: np.ndarray, colour: Colour, flat: float) -> None:
        x, y, width, height = cv2.boundingRect(mask)
        if width == 0:
            return
        x0, y0 = max(x - 2, 0), max(y - 2, 0)
        window = slice(y0, y + height + 2), slice(x0, x + width + 2)
        part = mask[window]
        inside = cv2.distanceTransform(part, cv2.DIST_L2, 3)
        reach = max(float(inside.max()), 1.0) * flat
        high = reach * np.sqrt(np.clip(1 - (1 - np.clip(inside / reach, 0, 1)) ** 2, 0, 1))
        high = cv2.GaussianBlur(high, (0, 0), 1.4)
        gx = cv2.Sobel(high, cv2.CV_32F, 1, 0) / 8
        gy = cv2.Sobel(high, cv2.CV_32F, 0, 1) / 8
        normal = np.stack([-gx, -gy, np.full_like(gx, 0.8)], axis=2)
        normal /= np.linalg.norm(normal, axis=2, keepdims=True)
        on = part > 0
        self.albedo[window][on] = colour
        self.normal[window][on] = normal[on]
        self.alpha[window][on] = 255

    def relief(self) -> Relief:
        alpha = self.alpha.astype(np.float32) / 255
        return Relief(self.albedo, self.normal, alpha, gloss=0.04)


@lru_cache(maxsize=512)
def body(look: Look, posture: Posture) -> Relief:
    """The relief of a person: 256 x 128 pixels, feet near the lower edge."""
    drawn = _Body()
    if posture.facing in ("left", "right"):
        _side(drawn, look, posture)
    else:
        _front(drawn, look, posture)
    relief = drawn.relief()
    if posture.facing == "left":
        flipped = relief.normal[:, ::-1] * np.array([-1, 1, 1], np.float32)
        relief = Relief(
            np.ascontiguousarray(relief.albedo[:, ::-1]),
            np.ascontiguousarray(flipped),
            np.ascontiguousarray(relief.alpha[:, ::-1]),
            relief.gloss,
        )
    return relief


def _dark(colour: Colour, factor: float = 0.6) -> Colour:
    return colour[0] * factor, colour[1] * factor, colour[2] * factor


def _side(body: _Body, look: Look, posture: Posture) -> None:
    tall = look.height_m * PX_PER_M
    swing = math.sin(2 * math.pi * posture.phase) if posture.walking else 0.12
    bob = 0.012 * tall * abs(math.cos(2 * math.pi * posture.phase)) if posture.walking else 0.0
    x, foot = WIDE / 2, FOOT_ROW
    hip = foot - 0.5 * tall + bob
    if posture.sitting:
        hip = foot - 0.26 * tall
    shoulder, w = hip - 0.29 * tall, look.girth * tall
    lean = 0.02 * tall if posture.walking else 0.0

    def leg(direction: float, shade: float) -> None:
        if posture.sitting:
            knee = (x + 0.24 * tall, hip)
            ankle = (x + 0.24 * tall, foot - 0.02 * tall)
        else:
            lift = max(0.0, direction * math.cos(2 * math.pi * posture.phase)) * (
                0.05 * tall if posture.walking else 0.0
            )
            knee = (x + direction * swing * 0.1 * tall + 0.015 * tall, hip + 0.25 * tall)
            ankle = (x + direction * swing * 0.19 * tall - 0.02 * tall, foot - 0.03 * tall - lift)
        colour = _dark(look.skin if look.skirt else look.legs, shade)
        body.limb([(x, hip), knee, ankle], [0.052 * w, 0.04 * w, 0.027 * w], colour)
        shoe = [(ankle[0] - 4, ankle[1] + 3), (ankle[0] + 0.075 * tall, ankle[1] + 5)]
        body.limb(shoe, [4.5, 3.5], (0.12, 0.12, 0.13))

    def arm(direction: float, shade: float) -> None:
        forward = direction * swing * 0.13 * tall + posture.reach * 0.16 * tall
        elbow = (x + lean + forward * 0.5 - 0.01 * tall, shoulder + 0.17 * tall)
        hand = (x + forward * 1.25 + 0.03 * tall, shoulder + (0.33 - 0.14 * posture.reach) * tall)
        body.limb(
            [(x + lean, shoulder + 0.02 * tall), elbow, hand],
            [0.032 * w, 0.026 * w, 0.02 * w],
            _dark(look.top, shade),
        )
        body.oval(*hand, 0.02 * tall, 0.022 * tall, look.skin)

    arm(-1, 0.7)
    leg(-1, 0.72)
    leg(1, 1.0)
    trunk = [
        (x - 0.075 * w, hip + 0.03 * tall),
        (x - 0.07 * w + lean, shoulder),
        (x + 0.05 * w + lean, shoulder - 0.01 * tall),
        (x + 0.085 * w + lean, shoulder + 0.1 * tall),
        (x + 0.075 * w, hip + 0.03 * tall),
    ]
    body.part(trunk, look.top)
    if look.skirt:
        hem = hip + 0.2 * tall
        body.part(
            [(x - 0.07 * w, hip), (x + 0.07 * w, hip), (x + 0.12 * w, hem), (x - 0.11 * w, hem)],
            look.top,
        )
    if look.apron:
        body.part(
            [
                (x + 0.03 * w + lean, shoulder + 0.08 * tall),
                (x + 0.09 * w + lean, shoulder + 0.08 * tall),
                (x + 0.09 * w, hip + 0.16 * tall),
                (x + 0.01 * w, hip + 0.16 * tall),
            ],
            look.apron,
        )
    if look.bag:
        body.oval(x - 0.09 * w, hip - 0.05 * tall, 0.05 * tall, 0.07 * tall, look.bag)
    arm(1, 0.95)
    _head(body, look, x + lean * 1.5 + 0.012 * tall, shoulder, tall, side=True, back=False)


def _front(body: _Body, look: Look, posture: Posture) -> None:
    tall, back = look.height_m * PX_PER_M, posture.facing == "back"
    swing = math.sin(2 * math.pi * posture.phase) if posture.walking else 0.0
    x, foot = WIDE / 2, FOOT_ROW
    hip = foot - 0.5 * tall
    if posture.sitting:
        hip = foot - 0.26 * tall
    shoulder, w = hip - 0.29 * tall, look.girth * tall
    for sign in (-1, 1):
        stance = x + sign * 0.045 * w
        lift = max(0.0, sign * swing) * 0.055 * tall
        spread = sign * (0.06 if posture.sitting else 0.01) * tall
        ankle = (stance + spread, foot - 0.03 * tall - lift)
        knee = (stance + spread, (hip + ankle[1]) / 2)
        colour = _dark(look.skin if look.skirt else look.legs, 1 - 0.2 * max(0.0, sign * swing))
        body.limb([(stance, hip), knee, ankle], [0.055 * w, 0.042 * w, 0.028 * w], colour)
        body.oval(ankle[0] + sign * 2, ankle[1] + 5, 7, 4.5, (0.12, 0.12, 0.13))
    trunk = [
        (x - 0.092 * w, hip + 0.04 * tall),
        (x - 0.085 * w, hip - 0.1 * tall),
        (x - 0.118 * w, shoulder + 0.03 * tall),
        (x - 0.1 * w, shoulder + 0.005 * tall),
        (x - 0.04 * w, shoulder - 0.025 * tall),
        (x + 0.04 * w, shoulder - 0.025 * tall),
        (x + 0.1 * w, shoulder + 0.005 * tall),
        (x + 0.118 * w, shoulder + 0.03 * tall),
        (x + 0.085 * w, hip - 0.1 * tall),
        (x + 0.092 * w, hip + 0.04 * tall),
    ]
    body.part(trunk, look.top, 0.7)
    if look.skirt:
        hem = hip + 0.2 * tall
        body.part(
            [(x - 0.1 * w, hip), (x + 0.1 * w, hip), (x + 0.15 * w, hem), (x - 0.15 * w, hem)],
            look.top,
        )
    if look.apron and not back:
        body.part(
            [
                (x - 0.06 * w, shoulder + 0.07 * tall),
                (x + 0.06 * w, shoulder + 0.07 * tall),
                (x + 0.1 * w, hip + 0.16 * tall),
                (x - 0.1 * w, hip + 0.16 * tall),
            ],
            look.apron,
            0.6,
        )
    for sign in (-1, 1):
        out = x + sign * 0.12 * w
        stretch = posture.reach if sign > 0 else posture.reach * 0.5
        elbow = (out + sign * 0.014 * tall, shoulder + 0.18 * tall)
        hand = (
            out + sign * (0.012 - 0.1 * stretch) * tall,
            shoulder + (0.34 - 0.12 * stretch) * tall - sign * swing * 0.03 * tall,
        )
        body.limb(
            [(out - sign * 0.02 * w, shoulder + 0.03 * tall), elbow, hand],
            [0.03 * w, 0.025 * w, 0.019 * w],
            _dark(look.top, 0.9),
        )
        body.oval(*hand, 0.02 * tall, 0.022 * tall, look.skin)
    if look.bag:
        body.oval(x + 0.17 * w, hip + 0.06 * tall, 0.05 * tall, 0.06 * tall, look.bag)
    _head(body, look, x, shoulder, tall, side=False, back=back)


def _head(
    body: _Body, look: Look, x: float, shoulder: float, tall: float, *, side: bool, back: bool
) -> None:
    head = shoulder - 0.1 * tall
    body.limb([(x, shoulder), (x, head)], [0.03 * tall, 0.028 * tall], _dark(look.skin, 0.85))
    rx = 0.058 * tall if side else 0.05 * tall
    body.oval(x, head, rx, 0.068 * tall, look.skin)
    if back:
        body.oval(x, head - 0.008 * tall, rx * 1.04, 0.066 * tall, look.hair)
    elif side:
        body.oval(x - 0.018 * tall, head - 0.022 * tall, 0.05 * tall, 0.052 * tall, look.hair)
    else:
        body.oval(x, head - 0.038 * tall, rx * 1.02, 0.036 * tall, look.hair)
        body.oval(x, head + 0.006 * tall, rx * 0.82, 0.042 * tall, look.skin)
    if look.hat:
        brim = 0.11 * tall if look.hat[2] > 0.6 else 0.065 * tall
        body.oval(x, head - 0.045 * tall, brim, 0.02 * tall, look.hat)
        body.oval(x, head - 0.06 * tall, 0.05 * tall, 0.035 * tall, look.hat)


def person(
    look: Look, posture: Posture, x: float = 0.0, y: float = 0.0, *, layer: int = 0
) -> Piece:
    """A person standing at (x, y)."""
    quantised = Posture(
        posture.facing,
        round(posture.phase * PHASES) % PHASES / PHASES,
        posture.walking,
        posture.sitting,
        round(posture.reach * 4) / 4,
    )
    relief = body(look, quantised)
    below = (TALL - FOOT_ROW) / PX_PER_M
    foot = vector(x, y, -below)
    return Stand(foot, WIDE / PX_PER_M, TALL / PX_PER_M, relief, layer)
