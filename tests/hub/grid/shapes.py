"""Small sets of grids as GeoJSON, for tests."""

from typing import Any

from hub.grid.geojson import read
from hub.grid.grid import Grid

Json = dict[str, Any]

SIDE = 0.01


def square(x: float, y: float, width: float = SIDE, height: float = SIDE) -> list[list[float]]:
    """A closed ring; x, y are the south-western corner in degrees."""
    return [[x, y], [x + width, y], [x + width, y + height], [x, y + height], [x, y]]


def feature(code: Any, *rings: Any, **properties: Any) -> Json:
    """A polygon of the rings given."""
    geometry = {"type": "Polygon", "coordinates": list(rings)}
    return {
        "type": "Feature",
        "properties": {"code": code, **properties},
        "geometry": geometry,
    }


def parts(code: str, *polygons: Any, **properties: Any) -> Json:
    """A multipolygon of polygons, each a list of rings."""
    geometry = {"type": "MultiPolygon", "coordinates": list(polygons)}
    return {"type": "Feature", "properties": {"code": code, **properties}, "geometry": geometry}


def collection(*features: Any, **members: Any) -> Json:
    return {"type": "FeatureCollection", "features": list(features), **members}


def grids(*features: Any) -> list[Grid]:
    """The grids of features that are all good."""
    reading = read(collection(*features))
    assert reading.problems == []
    return reading.grids
