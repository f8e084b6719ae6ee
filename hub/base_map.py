"""The map under the map: addresses of tiles elsewhere, or a PMTiles file of the hub's own.

Of the file only its header is read here (PMTiles v3, 127 bytes); pages fetch the parts they need.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from fastapi import APIRouter, Depends
from fastapi.responses import FileResponse
from pydantic import BaseModel

from hub.auth import need
from hub.config import BaseMap
from hub.errors import not_found
from hub.http import ERRORS
from hub.roles import Actor, Right
from hub.scope import Reach

PATH = "/api/base-map.pmtiles"
_MAGIC, _VERSION = b"PMTiles", 3
_HEADER = 127
_TYPE_AT, _MAX_ZOOM_AT = 99, 101
_KINDS: dict[int, Literal["vector", "raster"]] = {
    1: "vector", 2: "raster", 3: "raster", 4: "raster", 5: "raster",
}  # fmt: skip


class BadPmtiles(ValueError):
    """A file that is no PMTiles archive we can show; says why."""


@dataclass(frozen=True)
class Archive:
    """What the header says: pictures or shapes, and the closest zoom."""

    kind: Literal["vector", "raster"]
    max_zoom: int


class BaseMapItem(BaseModel):
    """A base map as pages draw it: `tiles`, or `pmtiles`, an address that answers ranges."""

    kind: Literal["vector", "raster"]
    tiles: list[str]
    pmtiles: str | None
    tile_size: int
    max_zoom: int
    datum: Literal["wgs84", "cgcs2000", "gcj02"]
    attribution: str


def read_archive(path: Path) -> Archive:
    """The header of a file. Raises BadPmtiles."""
    try:
        with path.open("rb") as file:
            header = file.read(_HEADER)
    except OSError as fault:
        raise BadPmtiles(f"{path} cannot be read: {fault.strerror}") from None
    if len(header) < _HEADER or not header.startswith(_MAGIC) or header[7] != _VERSION:
        raise BadPmtiles(f"{path} is no PMTiles file of version {_VERSION}")
    kind = _KINDS.get(header[_TYPE_AT])
    if kind is None:
        raise BadPmtiles(f"{path} holds tiles of kind {header[_TYPE_AT]}: MVT or pictures needed")
    return Archive(kind, header[_MAX_ZOOM_AT])


def faults_of(base: BaseMap | None) -> Sequence[str]:
    """What is wrong with the file a configuration names."""
    if base is None or base.pmtiles is None:
        return []
    try:
        read_archive(base.pmtiles)
    except BadPmtiles as fault:
        return [f"base_map.pmtiles: {fault}"]
    return []


def item_of(base: BaseMap | None) -> BaseMapItem | None:
    """As pages get it; None where there is none, or its file cannot be shown now."""
    if base is None:
        return None
    archive = None
    if base.pmtiles is not None:
        try:
            archive = read_archive(base.pmtiles)
        except BadPmtiles:
            return None
    return BaseMapItem(
        kind=archive.kind if archive else "raster",
        tiles=base.tiles,
        pmtiles=PATH if archive else None,
        tile_size=base.tile_size,
        max_zoom=archive.max_zoom if archive else base.max_zoom,
        datum=base.datum,
        attribution=base.attribution,
    )


def router(base: BaseMap | None) -> APIRouter:
    """The file, where the configuration names one."""
    api = APIRouter(tags=["map"], responses=ERRORS)

    @api.get(
        PATH,
        response_class=FileResponse,
        responses={200: {"content": {"application/octet-stream": {}}}},
    )
    def archive(_actor: Annotated[Actor, Depends(need(Right.READ, Reach.ALL))]) -> FileResponse:
        """Answers ranges; pages ask for the parts they show."""
        if base is None or base.pmtiles is None or not base.pmtiles.is_file():
            raise not_found("base map", "pmtiles")
        return FileResponse(
            base.pmtiles,
            media_type="application/octet-stream",
            headers={"Cache-Control": "private, max-age=3600"},
        )

    return api
