"""WGS-84, GCJ-02 and BD-09: conversion at the rim; inside, everything is WGS-84.

GCJ-02 is not published; this is the approximation everybody uses, good to a metre or so against
the makers of maps. It shifts nothing outside a rectangle around China. The inverses iterate, so
that there and back again is the same point to less than a millimetre.
"""

from collections.abc import Callable
from enum import StrEnum

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from shapely import MultiPolygon, Polygon

from hub.grid.errors import GridError
from wire.coded import coded

Floats = NDArray[np.float64]
Forward = Callable[[Floats], Floats]

SEMI_MAJOR_AXIS_M = 6378245.0
ECCENTRICITY_SQUARED = 0.00669342162296594323
CHINA_LAT, CHINA_LON = (0.8293, 55.8271), (72.004, 137.8347)
BD_TURN = 3000.0 * np.pi / 180.0
BD_LAT_SHIFT, BD_LON_SHIFT = 0.006, 0.0065
CLOSE_ENOUGH_DEG = 1e-11
MOST_STEPS = 10


class Datum(StrEnum):
    """What coordinates refer to; CGCS2000 is WGS-84 here (decimetres)."""

    WGS84 = "WGS-84"
    GCJ02 = "GCJ-02"
    BD09 = "BD-09"


def convert(
    lats: ArrayLike, lons: ArrayLike, source: Datum, target: Datum
) -> tuple[Floats, Floats]:
    """Latitudes and longitudes in another datum; degrees, any equal shapes.

    Raises GridError for what is no position, as swapped latitudes and longitudes mostly are.
    """
    lat, lon = np.asarray(lats, dtype=np.float64), np.asarray(lons, dtype=np.float64)
    if lat.shape != lon.shape:
        raise GridError(f"lats {lat.shape} and lons {lon.shape}: want equal shapes")
    bad = ~((np.abs(lat) <= 90) & (np.abs(lon) <= 180))
    if bad.any():
        raise GridError(
            coded(
                "no_place",
                "{lat}, {lon} is no position (lat -90 to 90, lon -180 to 180)",
                lat=float(lat[bad].flat[0]),
                lon=float(lon[bad].flat[0]),
            )
        )
    if source == target:
        return lat.copy(), lon.copy()
    positions = _FROM_GCJ[target](_TO_GCJ[source](np.stack([lat, lon], axis=-1)))
    return positions[..., 0], positions[..., 1]


def convert_area(
    area: Polygon | MultiPolygon, source: Datum, target: Datum
) -> Polygon | MultiPolygon:
    """A polygon in another datum, vertex by vertex."""

    def moved(positions: Floats) -> Floats:
        lats, lons = convert(positions[:, 1], positions[:, 0], source, target)
        return np.stack([lons, lats], axis=1)

    converted: Polygon | MultiPolygon = shapely.transform(area, moved)
    return converted


def _wgs_to_gcj(positions: Floats) -> Floats:
    lat, lon = positions[..., 0], positions[..., 1]
    x, y = lon - 105.0, lat - 35.0
    waves = (20.0 * _sin(6 * x) + 20.0 * _sin(2 * x)) * 2.0 / 3.0
    north = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * np.sqrt(np.abs(x))
    north += waves + (20.0 * _sin(y) + 40.0 * _sin(y / 3.0)) * 2.0 / 3.0
    north += (160.0 * _sin(y / 12.0) + 320.0 * _sin(y / 30.0)) * 2.0 / 3.0
    east = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * np.sqrt(np.abs(x))
    east += waves + (20.0 * _sin(x) + 40.0 * _sin(x / 3.0)) * 2.0 / 3.0
    east += (150.0 * _sin(x / 12.0) + 300.0 * _sin(x / 30.0)) * 2.0 / 3.0
    phi = np.radians(lat)
    m = 1.0 - ECCENTRICITY_SQUARED * np.sin(phi) ** 2
    meridian = SEMI_MAJOR_AXIS_M * (1.0 - ECCENTRICITY_SQUARED) / (m * np.sqrt(m))
    parallel = SEMI_MAJOR_AXIS_M / np.sqrt(m) * np.cos(phi)
    shift = np.stack([np.degrees(north / meridian), np.degrees(east / parallel)], axis=-1)
    return np.where(_in_china(positions)[..., None], positions + shift, positions)


def _gcj_to_bd(positions: Floats) -> Floats:
    lat, lon = positions[..., 0], positions[..., 1]
    z = np.hypot(lon, lat) + 0.00002 * np.sin(BD_TURN * lat)
    t = np.arctan2(lat, lon) + 0.000003 * np.cos(BD_TURN * lon)
    return np.stack([z * np.sin(t) + BD_LAT_SHIFT, z * np.cos(t) + BD_LON_SHIFT], axis=-1)


def _gcj_to_wgs(positions: Floats) -> Floats:
    return _inverse(_wgs_to_gcj, positions, positions, may_leave=False)


def _bd_to_gcj(positions: Floats) -> Floats:
    return _inverse(_gcj_to_bd, positions, positions - (BD_LAT_SHIFT, BD_LON_SHIFT))


def _inverse(forward: Forward, wanted: Floats, guess: Floats, *, may_leave: bool = True) -> Floats:
    """What `forward` turns into `wanted`, by fixed-point steps from a guess nearby.

    At the rectangle of China `forward` jumps: with `may_leave` False the last value on the side
    of `wanted` stands.
    """
    for _ in range(MOST_STEPS):
        off = forward(guess) - wanted
        better = guess - off
        if not may_leave:
            stays = _in_china(better) == _in_china(wanted)
            better = np.where(stays[..., None], better, guess)
        guess = better
        if np.all(np.abs(off) < CLOSE_ENOUGH_DEG):
            break
    return guess


def _sin(turns: Floats) -> Floats:
    return np.asarray(np.sin(np.pi * turns))


def _in_china(positions: Floats) -> NDArray[np.bool_]:
    """The customary rectangle, which holds parts of the neighbours too."""
    lat, lon = positions[..., 0], positions[..., 1]
    in_lat = (lat >= CHINA_LAT[0]) & (lat <= CHINA_LAT[1])
    return np.asarray(in_lat & (lon >= CHINA_LON[0]) & (lon <= CHINA_LON[1]))


def _same(positions: Floats) -> Floats:
    return positions


_TO_GCJ = {Datum.WGS84: _wgs_to_gcj, Datum.GCJ02: _same, Datum.BD09: _bd_to_gcj}
_FROM_GCJ = {Datum.WGS84: _gcj_to_wgs, Datum.GCJ02: _same, Datum.BD09: _gcj_to_bd}
