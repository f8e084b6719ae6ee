"""A fixed street camera: pinhole over a ground plane, placed at a WGS-84 point.

Street frame in metres: x along the street (to the right when one looks across it), y across the
street and away from the camera, z up. The camera hangs at (0, 0, `height_m`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[Any]
Size = tuple[int, int]

METRES_PER_DEGREE = 111_320.0


@dataclass(frozen=True)
class Camera:
    """Where the camera hangs and where it looks.

    `yaw_deg` turns it from straight across the street towards +x, `pitch_deg` down from the
    horizon, `roll_deg` clockwise. `bearing_deg` is the compass bearing of the +y direction.
    """

    height_m: float = 6.0
    yaw_deg: float = 20.0
    pitch_deg: float = 18.0
    roll_deg: float = 0.0
    hfov_deg: float = 68.0
    lat: float = 32.685
    lon: float = 109.029
    bearing_deg: float = 10.0

    @property
    def heading_deg(self) -> float:
        """Compass bearing of the line of sight."""
        return (self.bearing_deg + self.yaw_deg) % 360.0

    @cached_property
    def rotation(self) -> Floats:
        """Rows: right, down and forward of the camera in the street frame."""
        yaw, pitch, roll = (math.radians(d) for d in (self.yaw_deg, self.pitch_deg, self.roll_deg))
        forward = np.array(
            [
                math.sin(yaw) * math.cos(pitch),
                math.cos(yaw) * math.cos(pitch),
                -math.sin(pitch),
            ]
        )
        right = np.array([math.cos(yaw), -math.sin(yaw), 0.0])
        down = np.cross(forward, right)
        c, s = math.cos(roll), math.sin(roll)
        return np.stack([c * right + s * down, c * down - s * right, forward])

    @property
    def position(self) -> Floats:
        """The lens in the street frame."""
        return np.array([0.0, 0.0, self.height_m])

    def focal_px(self, size: Size) -> float:
        """Focal length in pixels for a picture of this size."""
        return size[0] / 2 / math.tan(math.radians(self.hfov_deg) / 2)

    def project(self, points: Floats, size: Size) -> tuple[Floats, Floats]:
        """Street points (n, 3) to pixels (n, 2) and forward distances (n,) in metres.

        Points behind the lens are moved to 5 cm before it.
        """
        seen = (np.asarray(points, float).reshape(-1, 3) - self.position) @ self.rotation.T
        depth = np.maximum(seen[:, 2], 0.05)
        scale = self.focal_px(size) / depth
        pixels = np.stack(
            [seen[:, 0] * scale + size[0] / 2, seen[:, 1] * scale + size[1] / 2], axis=1
        )
        return pixels, depth

    def rays(self, size: Size) -> Floats:
        """Viewing direction of every pixel centre, (height, width, 3), forward part = 1."""
        focal = self.focal_px(size)
        right = (np.arange(size[0]) + 0.5 - size[0] / 2) / focal
        down = (np.arange(size[1]) + 0.5 - size[1] / 2) / focal
        axes = self.rotation
        rays = right[None, :, None] * axes[0] + down[:, None, None] * axes[1] + axes[2]
        return np.asarray(rays, np.float32)

    def ground_at(self, x: float, y: float, aspect: float = 16 / 9) -> tuple[float, float]:
        """Ground metres seen at fraction (x, y) of the picture; ValueError above the horizon."""
        half = math.tan(math.radians(self.hfov_deg) / 2)
        ray = np.array([(2 * x - 1) * half, (2 * y - 1) * half / aspect, 1.0]) @ self.rotation
        if ray[2] >= -1e-6:
            raise ValueError(f"picture point ({x:.3f}, {y:.3f}) is above the horizon")
        reach = self.height_m / -ray[2]
        return float(ray[0] * reach), float(ray[1] * reach)

    def fraction_of(self, x_m: float, y_m: float, aspect: float = 16 / 9) -> tuple[float, float]:
        """Picture fractions of a ground point."""
        size = (16_000, round(16_000 / aspect))
        (pixel,), _ = self.project(np.array([[x_m, y_m, 0.0]]), size)
        return float(pixel[0] / size[0]), float(pixel[1] / size[1])

    def to_wgs84(self, x_m: float, y_m: float) -> tuple[float, float]:
        """Latitude and longitude of a ground point (flat earth, good for a street)."""
        bearing = math.radians(self.bearing_deg)
        north = y_m * math.cos(bearing) - x_m * math.sin(bearing)
        east = y_m * math.sin(bearing) + x_m * math.cos(bearing)
        lat = self.lat + north / METRES_PER_DEGREE
        lon = self.lon + east / (METRES_PER_DEGREE * math.cos(math.radians(self.lat)))
        return lat, lon

    def from_wgs84(self, lat: float, lon: float) -> tuple[float, float]:
        """Ground metres of a latitude and longitude; the inverse of `to_wgs84`."""
        north = (lat - self.lat) * METRES_PER_DEGREE
        east = (lon - self.lon) * METRES_PER_DEGREE * math.cos(math.radians(self.lat))
        bearing = math.radians(self.bearing_deg)
        return (
            east * math.cos(bearing) - north * math.sin(bearing),
            east * math.sin(bearing) + north * math.cos(bearing),
        )
