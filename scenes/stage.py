"""A street, its camera and its zone, chosen by a seed so that the action is in view."""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass, replace

import numpy as np

from scenes import people, traffic
from scenes.camera import Camera
from scenes.script import Actor
from scenes.street import Street
from scenes.texture import Rng

PASSING_M_S = (1.0, 1.5)
DRIVING_M_S = (5.5, 9.0)
ZONE_REACH_M = 2.2


@dataclass(frozen=True)
class Stage:
    """Where a scenario plays."""

    street: Street
    camera: Camera
    seed: int

    def rng(self, purpose: int) -> Rng:
        """A generator of its own for each purpose."""
        return np.random.default_rng([self.seed, purpose])

    def x_at(self, u: float, y: float) -> float:
        """The x at depth y that is seen at fraction u of the picture's width."""
        low, high = -80.0, 80.0
        for _ in range(40):
            middle = (low + high) / 2
            pixels, depth = self.camera.project(np.array([[middle, y, 0.0]]), (1000, 562))
            ahead = depth[0] > 0.1
            seen = pixels[0, 0] / 1000 if ahead else (-9.0 if middle < 0 else 9.0)
            low, high = (middle, high) if seen < u else (low, middle)
        return (low + high) / 2

    def spot(self, u: float, lane: float) -> tuple[float, float]:
        """A place of the far pavement: `lane` 0 at the kerb, 1 at the shopfronts."""
        y = self.street.far_kerb_y + lane * self.street.pavement_m
        return self.x_at(u, y), y

    def crossing(
        self, name: str, start_s: float, lane: float, *, rightwards: bool, speed_m_s: float
    ) -> Actor:
        """Someone who walks through the whole view."""
        y = self.street.far_kerb_y + lane * self.street.pavement_m
        left, right = self._span(y, 1.0)
        ends = (left, right) if rightwards else (right, left)
        span = (right - left) / speed_m_s
        look = people.any_look(np.random.default_rng([self.seed, hash_of(name)]))
        return Actor(name, look, ((start_s, ends[0], y), (start_s + span, ends[1], y)))

    def drive(
        self,
        name: str,
        kind: str,
        start_s: float,
        *,
        speed_m_s: float = 7.0,
        lamps: bool = False,
        far_lane: bool | None = None,
    ) -> Actor:
        """A vehicle that drives through the whole view, on the right of the road."""
        rng = np.random.default_rng([self.seed, hash_of(name)])
        far = bool(rng.random() < 0.5) if far_lane is None else far_lane
        y = self.street.kerb_y + self.street.road_m * (0.74 if far else 0.28)
        left, right = self._span(y, traffic.LENGTHS[kind])
        ends = (right, left) if far else (left, right)
        vehicle = replace(traffic.any_vehicle(rng, kind), lamps=lamps)
        span = (right - left) / speed_m_s
        return Actor(name, vehicle, ((start_s, ends[0], y), (start_s + span, ends[1], y)))

    def _span(self, y: float, margin: float) -> tuple[float, float]:
        left, right = self.x_at(-0.03, y) - margin, self.x_at(1.03, y) + margin
        return max(left, -55.0), min(right, 55.0)

    def passers(self, duration_s: float, per_minute: float, *, front: bool = True) -> list[Actor]:
        """People who walk by, now and then in pairs, during the whole scenario."""
        rng, found = self.rng(5), []
        for number in range(round(duration_s / 60 * per_minute)):
            start = rng.uniform(-15, duration_s - 5)
            lane = rng.choice([0.08, 0.86, 0.9]) if front else rng.uniform(0.82, 0.92)
            rightwards = bool(rng.random() < 0.5)
            speed = float(rng.uniform(*PASSING_M_S))
            found.append(
                self.crossing(
                    f"passer-{number}", start, float(lane), rightwards=rightwards, speed_m_s=speed
                )
            )
        return found

    def traffic(self, duration_s: float, per_minute: float, *, lamps: bool = False) -> list[Actor]:
        """Vehicles that drive by."""
        rng, found = self.rng(6), []
        kinds = ["car", "car", "van", "motorcycle", "motorcycle", "bicycle", "truck", "tricycle"]
        for number in range(round(duration_s / 60 * per_minute)):
            kind = str(rng.choice(kinds))
            slow = 0.5 if kind in ("bicycle", "tricycle") else 1.0
            speed = float(rng.uniform(*DRIVING_M_S)) * slow
            start = float(rng.uniform(-3, duration_s - 3))
            found.append(self.drive(f"vehicle-{number}", kind, start, speed_m_s=speed, lamps=lamps))
        return found

    def zone(self, deep_m: float = 0.0) -> list[list[float]]:
        """The watched part of the picture: the far pavement and the road's edge beside it."""
        low = self.street.far_kerb_y - ZONE_REACH_M
        high, up = self.street.front_y + deep_m, 2.4
        bottom, top = [], []
        for u in (0.015, 0.25, 0.5, 0.75, 0.985):
            _, v = self.camera.fraction_of(self.x_at(u, low), low)
            bottom.append([u, round(min(v, 0.995), 4)])
            point = np.array([[self.x_at(u, high), high, up]])
            pixel, _ = self.camera.project(point, (1600, 900))
            top.append([u, round(float(np.clip(pixel[0, 1] / 900, 0.005, 0.99)), 4)])
        return [*top, *reversed(bottom)]

    def ground_points(self) -> list[dict[str, float]]:
        """Five spots of the picture with their WGS-84 place."""
        found = []
        for u, v in ((0.12, 0.94), (0.88, 0.94), (0.2, 0.66), (0.8, 0.66), (0.5, 0.8)):
            lat, lon = self.camera.to_wgs84(*self.camera.ground_at(u, v))
            found.append({"x": u, "y": v, "lat": round(lat, 8), "lon": round(lon, 8)})
        return found


def hash_of(name: str) -> int:
    """A number of a name that is the same in every run."""
    return zlib.crc32(name.encode())


def any_stage(
    seed: int,
    *,
    lat: float = 32.685,
    lon: float = 109.029,
    vacant: bool = False,
    height_m: float | None = None,
    yaw_deg: float | None = None,
) -> Stage:
    """A stage by its seed."""
    rng = np.random.default_rng([seed, 1])
    street = Street(
        seed=int(rng.integers(1 << 30)),
        kerb_y=float(rng.uniform(2.0, 3.0)),
        road_m=float(rng.uniform(6.0, 8.0)),
        pavement_m=float(rng.uniform(4.2, 5.6)),
    )
    height = height_m or float(rng.uniform(5.0, 6.8))
    yaw = float(rng.uniform(-30, 30)) if yaw_deg is None else yaw_deg
    reach = (street.far_kerb_y + 1.0) / math.cos(math.radians(yaw))
    pitch = math.degrees(math.atan2(height, reach)) * float(rng.uniform(0.72, 0.86))
    camera = Camera(
        height_m=height,
        yaw_deg=yaw,
        pitch_deg=pitch,
        hfov_deg=float(rng.uniform(58, 74)),
        lat=lat,
        lon=lon,
        bearing_deg=float(rng.uniform(0, 360)),
    )
    stage = Stage(street, camera, seed)
    y = street.far_kerb_y + 1.0
    span = (stage.x_at(0.1, y), stage.x_at(0.88, y))
    plot = None
    if vacant:
        middle = stage.x_at(0.5, street.front_y)
        plot = (middle - 7.0, middle + 7.0)
    return replace(stage, street=replace(street, clear=(span,), vacant=plot))
