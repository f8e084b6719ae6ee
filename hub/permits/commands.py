"""What `tianyan permit check` does."""

from collections.abc import Iterator
from pathlib import Path

from hub.grid.datum import Datum
from hub.grid.errors import GridError
from hub.grid.geojson import load_document
from hub.permits.sheet import lines, read_permits
from hub.tracks.geofence import read_fences

DATUMS = {"wgs84": Datum.WGS84, "gcj02": Datum.GCJ02, "bd09": Datum.BD09}


def check(
    path: Path, sites: Path | None = None, datum: str = "wgs84"
) -> Iterator[dict[str, object]]:
    """A line a fault of a table of permits, then a summary. `sites`: fences as GeoJSON.

    Raises OSError and GridError for files that cannot be read.
    """
    names: set[str] | None = None
    if sites is not None:
        fences = read_fences(load_document(sites))
        names = {fence.code for fence in fences} | {fence.name for fence in fences}
    if datum not in DATUMS:
        raise GridError(f"datum {datum!r} is not allowed ({', '.join(DATUMS)})")
    data = path.read_bytes()
    return lines(read_permits(data, DATUMS[datum], names.__contains__ if names else None))
