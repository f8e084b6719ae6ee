"""What the mock hub draws under the city: fences of each shape, and permits with their routes."""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tests.browser.made_up_city import CENTRE_LAT, CENTRE_LON, Item

AT = "2026-11-20T02:00:00.000Z"
EAST, NORTH = 0.004, 0.003


def fence(code: str, name: str, purpose: str, geometry: Item, **more: object) -> Item:
    properties = {"code": code, "name": name, "purpose": purpose, "radius_m": None} | more
    return {"type": "Feature", "properties": properties, "geometry": geometry}


def permit(number: str, route: list[list[float]], *, valid_today: bool = True) -> Item:
    return {
        "number": number, "version": 1, "since": AT, "until": None, "actor": "赵处长",
        "datum": "wgs84", "valid_today": valid_today,
        "permit": {
            "vehicles": ["陕G10000"], "loading_site": "dig", "dump_site": "tip",
            "valid_from": "2026-11-01", "valid_until": "2026-12-31", "hours": [["22:00", "05:00"]],
            "route": route, "half_width_m": 30.0,
        },
    }  # fmt: skip


AREA = [
    [CENTRE_LON, CENTRE_LAT], [CENTRE_LON + EAST, CENTRE_LAT],
    [CENTRE_LON + EAST, CENTRE_LAT + NORTH], [CENTRE_LON, CENTRE_LAT],
]  # fmt: skip
WAY = [[CENTRE_LON - EAST, CENTRE_LAT], [CENTRE_LON, CENTRE_LAT], [CENTRE_LON, CENTRE_LAT + NORTH]]
FENCES = [
    fence("dig", "育才路工地", "loading", {"type": "Polygon", "coordinates": [AREA]}),
    fence(
        "tip", "北山消纳场", "dump",
        {"type": "Point", "coordinates": [CENTRE_LON, CENTRE_LAT]}, radius_m=200.0,
    ),
    fence("way", "江北大道", "watch", {"type": "LineString", "coordinates": WAY}),
]  # fmt: skip
PERMITS = [
    permit("渣准字2026-031", WAY),
    permit("渣准字2026-007", WAY[::-1], valid_today=False),
    permit("渣准字2026-032", []),
]


async def fences(_request: Request) -> Response:
    return JSONResponse({"type": "FeatureCollection", "features": FENCES})


async def permits(_request: Request) -> Response:
    return JSONResponse({"items": PERMITS, "total": len(PERMITS)})


def rows() -> list[tuple[str, Any, list[str]]]:
    return [("/api/fences.geojson", fences, ["GET"]), ("/api/permits", permits, ["GET"])]
