"""The mock hub's claims, what is put off, what is merged, and what is known of a spot."""

import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tests.browser.made_up_city import City, Item

LEASE = timedelta(seconds=30)
Writer = Callable[[Request], JSONResponse | tuple[str, str]]


def iso(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _apart(case: Item, place: Mapping[str, str]) -> float:
    """How far a case lies from where a page asks about, in degrees."""
    return math.dist((case["lat"], case["lon"]), (float(place["lat"]), float(place["lon"])))


class Attention:
    """Claims and snoozes over the alerts of a city."""

    def __init__(self, city: City, publish: Callable[[str, Item], None], writer: Writer) -> None:
        self.city = city
        self.publish = publish
        self.writer = writer
        self.claims: dict[str, Item] = {}

    def rows(self) -> list[tuple[str, Any, list[str]]]:
        return [
            ("/api/claims", self.list_claims, ["GET"]),
            ("/api/spot", self.spot, ["GET"]),
            ("/api/alerts/{key}/claim", self.claim, ["POST", "DELETE"]),
            ("/api/alerts/{key}/snooze", self.snooze, ["POST", "DELETE"]),
            ("/api/alerts/{key}/merge", self.merge, ["POST"]),
        ]

    async def list_claims(self, _request: Request) -> Response:
        items = list(self.claims.values())
        return JSONResponse({"items": items, "total": len(items)})

    async def claim(self, request: Request) -> Response:
        who = self.writer(request)
        if isinstance(who, JSONResponse):
            return who
        key, now = request.path_params["key"], datetime.now(UTC)
        known = self.claims.get(key)
        nobody: Item = {"alert": key, "by": "", "page": "", "until": None}
        if request.method == "DELETE":
            if known and known["page"] == request.query_params["page"]:
                del self.claims[key]
                self.publish("claim", nobody)
            return Response(status_code=204)
        page = (await request.json())["page"]
        if known is None or known["page"] == page:
            known = {"alert": key, "by": who[0], "page": page, "until": iso(now + LEASE)}
            self.claims[key] = known
            self.publish("claim", known)
        return JSONResponse(known)

    async def snooze(self, request: Request) -> Response:
        who = self.writer(request)
        if isinstance(who, JSONResponse):
            return who
        item = self.city.alerts[request.path_params["key"]]
        now = datetime.now(UTC)
        item["snooze"] = None
        if request.method == "POST":
            body = await request.json()
            until = now + timedelta(minutes=body["minutes"])
            item["snooze"] = {
                "by": who[0],
                "at": iso(now),
                "until": iso(until),
                "until_seen": body["until_seen"],
                "note": body["note"],
            }
        self.publish("alert", {k: v for k, v in item.items() if k != "history"})
        return JSONResponse(item)

    async def merge(self, request: Request) -> Response:
        who = self.writer(request)
        if isinstance(who, JSONResponse):
            return who
        item = self.city.alerts[request.path_params["key"]]
        body = await request.json()
        if body.get("case") is not None:
            case = self.city.cases[str(body["case"])]
            link = {"id": case["id"], "number": case["number"], "state": case["state"]}
            item |= {"case": link, "decision": "confirmed", "decided_by": who[0]}
            item["decided_at"] = iso(datetime.now(UTC))
        else:
            item["duplicate_of"] = body["alert"]
            self.city.alerts[body["alert"]]["times_seen"] += 1
        self.publish("alert", {k: v for k, v in item.items() if k != "history"})
        return JSONResponse(item)

    async def spot(self, request: Request) -> Response:
        """Everything is near in a made-up city: the first few alerts, the nearest cases."""
        without = request.query_params.get("without", "")
        others = [a for a in self.city.alerts.values() if a["id"] != without][:3]
        alerts = [
            {
                **a,
                "picture": next((f["url"] for f in a["evidence"] if f["url"]), None),
                "distance_m": 12.0 + 9 * index,
            }
            for index, a in enumerate(others)
        ]
        shut = {"closed", "merged", "rejected", "archived", "cancelled"}
        nearest = sorted(
            (case for case in self.city.cases.values() if case["state"] not in shut),
            key=lambda case: _apart(case, request.query_params),
        )
        cases = [
            {**c, "is_open": True, "distance_m": 21.0 + 7 * index}
            for index, c in enumerate(nearest[:3])
        ]
        permit = {
            "number": "渣准字2026-031",
            "place": "route",
            "name": "",
            "vehicles": ["陕G10000"],
            "open_now": True,
            "distance_m": 18.0,
        }
        return JSONResponse(
            {
                "radius_m": float(request.query_params.get("radius_m", 100)),
                "since": iso(datetime.now(UTC) - timedelta(days=90)),
                "alerts": alerts,
                "cases": cases,
                "permits": [permit],
                "false_alarms": 1,
                "suppressions": [],
            }
        )
