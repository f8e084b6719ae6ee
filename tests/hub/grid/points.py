"""Points in time and recorded tracks, for tests."""

import csv
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def read_points(path: Path) -> tuple[list[datetime], Floats, Floats]:
    """Times, latitudes and longitudes of a CSV with time_utc, lat, lon."""
    with path.open() as source:
        rows = list(csv.DictReader(source))
    times = [datetime.fromisoformat(row["time_utc"]) for row in rows]
    lats, lons = (np.array([float(row[name]) for row in rows]) for name in ("lat", "lon"))
    return times, lats, lons


def at_s(seconds: float) -> datetime:
    """A moment so many seconds into a day."""
    return datetime(2026, 10, 1, tzinfo=UTC) + timedelta(seconds=seconds)
