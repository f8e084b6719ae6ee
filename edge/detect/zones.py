"""Whether a thing lies in a zone, and whether it may be there at this hour."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from edge.config import Hours, Label, ZoneConfig
from edge.detect.detection import Detection

ENOUGH_INSIDE = 0.5
"""A heap lies in a zone when this share of its rectangle does."""

BY_FOOT: frozenset[str] = frozenset({"street_vending", "illegal_structure", "person"})
"""What stands upright belongs where its foot is; the rest where most of it lies."""

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def zone_of(
    box: Detection, zones: Sequence[ZoneConfig], label: Label, at: datetime, site: ZoneInfo
) -> ZoneConfig | None:
    """The first zone in which this thing counts now; None where it does not.

    `label`: the matter in question. `site`: the time zone of the permitted hours.
    """
    for zone in zones:
        if (
            label in zone.labels
            and box.area >= zone.min_area
            and not is_permitted(zone, label, at, site)
            and lies_in(box, zone)
        ):
            return zone
    return None


def lies_in(box: Detection, zone: ZoneConfig) -> bool:
    """By the foot for what stands upright, by the overlap for heaps and unknown things."""
    if box.label in BY_FOOT:
        return bool(_inside(np.array([box.foot]), zone)[0])
    return inside_share(box, zone) >= ENOUGH_INSIDE


def inside_share(box: Detection, zone: ZoneConfig) -> float:
    """The share of the rectangle that lies in the zone, 0 to 1."""
    steps = (np.arange(8) + 0.5) / 8
    xs, ys = np.meshgrid(box.x + box.w * steps, box.y + box.h * steps)
    return float(_inside(np.column_stack([xs.ravel(), ys.ravel()]), zone).mean())


def is_permitted(zone: ZoneConfig, label: Label, at: datetime, site: ZoneInfo) -> bool:
    """Street vending is, while one of the zone's hours runs; nothing else ever is."""
    if label != "street_vending":
        return False
    local = at.astimezone(site)
    return any(_runs(hours, local) for hours in zone.allowed_hours)


def _runs(hours: Hours, local: datetime) -> bool:
    now = local.time().replace(tzinfo=None)
    if hours.start < hours.until:
        return hours.start <= now < hours.until and _is_day(hours, local)
    if now >= hours.start:
        return _is_day(hours, local)
    return now < hours.until and _is_day(hours, local - timedelta(days=1))


def _is_day(hours: Hours, local: datetime) -> bool:
    return not hours.days or DAYS[local.weekday()] in hours.days


def _inside(points: NDArray[np.float64], zone: ZoneConfig) -> NDArray[np.bool_]:
    """Even-odd rule; the picture's lower and right edge belong to a zone that reaches them."""
    polygon = np.array(zone.polygon, float)
    x, y = np.clip(points, 1e-6, 1 - 1e-6).T
    inside = np.zeros(len(points), bool)
    for (x1, y1), (x2, y2) in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
        if y1 == y2:
            continue
        crosses = (y1 > y) != (y2 > y)
        inside ^= crosses & (x < (x2 - x1) * (y - y1) / (y2 - y1) + x1)
    return inside
