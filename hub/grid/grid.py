"""A grid: a named polygon of the city, alone or in a tree of levels."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from shapely import MultiPolygon, Polygon

from hub.grid.errors import GridError

__all__ = ["Grid", "GridError"]


@dataclass(frozen=True, slots=True)
class Grid:
    """One grid.

    `level` counts from 1, the whole city, downwards; it is None in a flat set.
    `geometry` is WGS-84, longitude first. `properties` holds what else the source said.
    """

    code: str
    geometry: Polygon | MultiPolygon
    name: str = ""
    level: int | None = None
    parent: str | None = None
    properties: Mapping[str, object] = field(default_factory=dict, hash=False)
