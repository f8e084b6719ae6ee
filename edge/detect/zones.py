"""Whether a thing lies in a zone, and whether it may be there at this hour."""

from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from edge.config import CameraConfig
from edge.detect.detection import Detection
from edge.detect.ground import Ground
from wire.calendar import Calendar
from wire.zone import Label, ZoneConfig

ENOUGH_INSIDE = 0.5
"""A heap lies in a zone when this share of its rectangle does."""

BY_FOOT: frozenset[str] = frozenset({"street_vending", "illegal_structure", "person"})
"""What stands upright belongs where its foot is; the rest where most of it lies."""

_STEPS = (np.arange(8) + 0.5) / 8
ACROSS, DOWN = np.tile(_STEPS, 8), np.repeat(_STEPS, 8)
"""Points of a box by which it is told how much of it lies in a zone: 8 × 8, evenly."""


class Zones:
    """The zones of one camera, with the clock, the calendar and the ground they go by."""

    def __init__(self, camera: CameraConfig, ground: Ground | None) -> None:
        """`ground`: measures what lies on it; needed by zones with a least size on the ground."""
        self._zones = camera.zones
        self._site = ZoneInfo(camera.time_zone)
        self._calendar = camera.calendar
        self._ground = ground

    def zone_of(self, box: Detection, label: Label, at: datetime) -> ZoneConfig | None:
        """The first zone in which this thing, taken for `label`, counts now; None for nowhere."""
        local = at.astimezone(self._site)
        for zone in self._zones:
            if (
                label in zone.labels
                and box.area >= zone.min_area
                and not is_permitted(zone, label, local, self._calendar)
                and lies_in(box, zone)
                and self._is_large_enough(box, zone)
            ):
                return zone
        return None

    def _is_large_enough(self, box: Detection, zone: ZoneConfig) -> bool:
        if zone.min_ground_m2 is None or self._ground is None:
            return True
        covered_m2 = self._ground.footprint_m2(box)
        # What stands beyond the horizon of the ground points cannot be measured: it counts.
        return covered_m2 is None or covered_m2 >= zone.min_ground_m2


def lies_in(box: Detection, zone: ZoneConfig) -> bool:
    """By the foot for what stands upright, by the overlap for heaps and unknown things."""
    if box.label in BY_FOOT:
        return bool(_inside(np.array([box.foot]), zone)[0])
    return inside_share(box, zone) >= ENOUGH_INSIDE


def inside_share(box: Detection, zone: ZoneConfig) -> float:
    """The share of the rectangle that lies in the zone, 0 to 1."""
    xs, ys = box.x + box.w * ACROSS, box.y + box.h * DOWN
    return float(_inside(np.stack([xs, ys], axis=1), zone).mean())


def is_permitted(zone: ZoneConfig, label: Label, local: datetime, calendar: Calendar) -> bool:
    """Street vending is, while an hour or a permit of the zone runs; nothing else ever is.

    `local`: by the site's clock.
    """
    return label == "street_vending" and zone.permits_vending(local, calendar)


def _inside(points: NDArray[np.float64], zone: ZoneConfig) -> NDArray[np.bool_]:
    """Even-odd rule; the picture's lower and right edge belong to a zone that reaches them."""
    polygon = np.array(zone.polygon, float)
    x, y = np.minimum(np.maximum(points, 1e-6), 1 - 1e-6).T
    following = np.concatenate([polygon[1:], polygon[:1]])
    x1, y1, x2, y2 = (table[:, k, None] for table in (polygon, following) for k in (0, 1))
    height = np.where(y1 == y2, 1.0, y2 - y1)  # a level edge crosses nothing
    crosses = (y1 > y) != (y2 > y)
    crossed = crosses & (x < (x2 - x1) * (y - y1) / height + x1)
    return np.asarray(np.bitwise_xor.reduce(crossed, axis=0), bool)
