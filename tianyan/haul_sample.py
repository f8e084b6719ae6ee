"""Sites, a fence and a permit for the demo's muck truck; all made up, every name marked 示意.

The truck loads at the site, hauls to the dump on the permitted way, and every other time somewhere
else: what the rules make of it is the demo's own finding.
"""

from datetime import date, timedelta
from typing import Any

from scenes.vehicles import DUMP, FLEET, LOADING, WILD, Node, place_of, route
from tianyan.sample import give

NUMBER = "示意-2026-001"
SITE, DUMP_SITE, BANK = "demo-site", "demo-dump", "demo-bank"
HALF_WIDTH_M = 80


def sample_fences() -> dict[str, Any]:
    """A loading site, a dump site and a river bank where nobody may stand, as GeoJSON."""
    features = [
        _circle(LOADING, 120, code=SITE, name="示意工地", purpose="loading"),
        _circle(DUMP, 150, code=DUMP_SITE, name="示意消纳场", purpose="dump"),
        _circle(
            WILD, 120, code=BANK, name="示意河滩禁停区", purpose="watch",
            watch=["inside"], inside_min_s=60, kinds=["spoil_truck"],
        ),
    ]  # fmt: skip
    return {"type": "FeatureCollection", "features": features}


def sample_permits(today: date) -> str:
    """One permit for the truck as a CSV table: from the site to the dump, on the shortest way."""
    way = [place_of(node) for node in route(LOADING, DUMP)]
    truck = FLEET[0]
    row = [
        NUMBER,
        truck.plate,
        SITE,
        DUMP_SITE,
        ";".join(f"{lon:.6f},{lat:.6f}" for lat, lon in way),
        str(HALF_WIDTH_M),
        "00:00-24:00",
        (today - timedelta(days=30)).isoformat(),
        (today + timedelta(days=335)).isoformat(),
    ]
    header = ["处置证号", "车牌号", "装载工地", "消纳场", "运输路线", "路线半宽米", "时段",
              "有效期起", "有效期止"]  # fmt: skip
    return "\n".join(",".join(f'"{cell}"' for cell in line) for line in (header, row)) + "\n"


def bring_in(url: str, token: str, today: date) -> None:
    """Give them to a hub; a demo goes on without them."""
    give("POST", f"{url}/api/fences", token, sample_fences(), "application/geo+json")
    permits = sample_permits(today).encode()
    give("POST", f"{url}/api/permits", token, permits, "text/csv; charset=utf-8")


def _circle(node: Node, radius_m: float, **properties: Any) -> dict[str, Any]:
    lat, lon = place_of(node)
    point = {"type": "Point", "coordinates": [round(lon, 6), round(lat, 6)]}
    return {
        "type": "Feature",
        "properties": {**properties, "radius_m": radius_m},
        "geometry": point,
    }
