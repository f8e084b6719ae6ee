"""A hub that only talks: the HTTP contract over a made-up city, for work on the console alone.

    python -m tests.browser.mock_hub --port 8899 [--vehicles 5000] [--no-demo]

Beyond the contract, `POST /mock/alert` makes an alert, `POST /mock/drop?s=5` cuts every event
stream and refuses new ones for a while, `POST /mock/move` moves a case behind the page's back,
`POST /mock/forget` ends every session.
"""

import argparse
import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from hub.config import HubConfig
from hub.people.session_api import opened
from hub.positions import KIND
from hub.roles import Actor, Role
from hub.store import to_ms
from tests.browser import mock_evaluation, mock_map
from tests.browser.made_up_city import CONDITIONS, NEXT, City, Item, now
from tests.browser.mock_attention import Attention
from tests.browser.mock_learning import Learning
from tests.browser.mock_looks import Looks
from tests.browser.mock_proof import Proof
from tests.browser.mock_terminals import Terminals

DIST = Path(__file__).parents[2] / "hub" / "console" / "dist"
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "font-src 'self'; media-src 'self'; connect-src 'self'; worker-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
SHUT = {"closed", "watching", "archived", "merged", "rejected", "cancelled"}
TOKENS = {
    "operator-token": ("王敏", "operator"),
    "viewer-token": ("访客", "viewer"),
    "supervisor-token": ("赵处长", "supervisor"),
    "admin-token": ("周工", "admin"),
}


def refuse(status: int, code: str, message: str, allowed: str = "") -> JSONResponse:
    error = {"code": code, "message": message, "allowed": allowed}
    return JSONResponse({"error": error}, status)


Told = Item | list[list[Any]]
"""An item, or a row for each vehicle that moved."""


def _position(vehicle: Item, at: datetime) -> list[Any]:
    where = [vehicle[part] for part in ("lat", "lon", "speed_kmh", "heading_deg")]
    return [vehicle["id"], to_ms(at), *where]


class MockHub:
    """State behind the routes: the city, sessions, open streams and the last events."""

    def __init__(self, city: City, *, demo: bool, live: bool) -> None:
        self.city = city
        self.demo = demo
        self.live = live
        self.sessions: dict[str, tuple[str, str]] = {}
        self.events: list[tuple[int, str, Item]] = []
        self.opened: list[tuple[str, str, str]] = []
        self.conditions_known: list[Item] = []
        self.number = 0
        self.streams: set[asyncio.Queue[tuple[int, str, Item] | None]] = set()
        self.closed_until = 0.0
        self.loop: asyncio.AbstractEventLoop | None = None
        self.terminals = Terminals(self.publish, lambda request: self.who(request) is not None)
        self.learning = Learning(city.alerts, self.publish)
        self.proof = Proof(city)
        self.attention = Attention(city, self.publish, self._writer)
        self.looks = Looks(self.publish, self._writer)

    def close(self) -> None:
        if self.loop:
            self.loop.call_soon_threadsafe(self._end_streams)

    def _end_streams(self) -> None:
        for queue in list(self.streams):
            queue.put_nowait(None)

    def publish(self, kind: str, item: Told) -> None:
        self.number += 1
        event = (self.number, kind, json.loads(json.dumps(item)))
        self.events = [*self.events[-2000:], event] if kind != KIND else self.events
        for queue in self.streams:
            queue.put_nowait(event)

    def who(self, request: Request) -> tuple[str, str] | None:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        return TOKENS.get(token) or self.sessions.get(request.cookies.get("tianyan_session", ""))

    async def get_session(self, request: Request) -> Response:
        who = self.who(request)
        if who is None:
            error = {"code": "unauthorized", "message": "no session", "allowed": "log in"}
            return JSONResponse({"error": error, "demo": self.demo}, 401)
        return JSONResponse(
            opened(Actor(who[0], Role(who[1])), HubConfig(data_dir=Path())).model_dump(mode="json")
        )

    async def post_session(self, request: Request) -> Response:
        body = await request.json()
        who = TOKENS.get(body.get("token", ""))
        if body.get("demo") and self.demo:
            who = ("演示操作员", "operator")
        if who is None:
            return refuse(401, "unauthorized", "this token is not known", "ask the administrator")
        key = f"s{len(self.sessions)}-{time.time_ns()}"
        self.sessions[key] = who
        response = JSONResponse(
            opened(Actor(who[0], Role(who[1])), HubConfig(data_dir=Path())).model_dump(mode="json")
        )
        response.set_cookie("tianyan_session", key, httponly=True, samesite="strict")
        return response

    async def delete_session(self, request: Request) -> Response:
        self.sessions.pop(request.cookies.get("tianyan_session", ""), None)
        return JSONResponse({})

    async def listing(self, request: Request) -> Response:
        if self.who(request) is None:
            return refuse(401, "unauthorized", "no session", "log in")
        query = request.query_params
        kind = request.path_params["kind"]
        source: dict[str, list[Item]] = {
            "cameras": list(self.city.cameras.values()),
            "vehicles": list(self.city.vehicles.values()),
            "alerts": sorted(self.city.alerts.values(), key=lambda a: a["at"], reverse=True),
            "cases": sorted(self.city.cases.values(), key=lambda c: c["opened_at"], reverse=True),
            "grids": self.city.grids,
        }
        if kind not in source:
            return refuse(404, "not_found", f"nothing at /api/{kind}", "see /api/openapi.json")
        items = [i for i in source[kind] if self._fits(i, dict(query))]
        limit, offset = int(query.get("limit", 50)), int(query.get("offset", 0))
        page = [
            {k: v for k, v in i.items() if k != "history"} for i in items[offset : offset + limit]
        ]
        return JSONResponse({"items": page, "total": len(items)})

    def _fits(self, item: Item, query: dict[str, str]) -> bool:
        asks = {
            "grid": lambda value: value in [g["code"] for g in item["grids"]],
            "open": lambda value: (item["state"] not in SHUT) == (value == "true"),
            "overdue": lambda value: (item["clock"]["state"] == "overdue") == (value == "true"),
            "matter": lambda value: bool(item["matter"]) and item["matter"]["code"] == value,
            "suppressed": lambda value: bool(item.get("suppressed_until")) == (value == "true"),
            **dict.fromkeys(("limit", "offset", "from", "to", "duplicates", "order"), bool),
        }
        return all(
            asks[name](value) if name in asks else str(item.get(name) or "none") == value
            for name, value in query.items()
        )

    async def geojson(self, request: Request) -> Response:
        level = request.query_params.get("level")
        return JSONResponse(self.city.feature_collection(int(level) if level else None))

    async def summary(self, request: Request) -> Response:
        if self.who(request) is None:
            return refuse(401, "unauthorized", "no session", "log in")
        return JSONResponse(self.city.summary())

    async def track(self, request: Request) -> Response:
        items = self.city.tracks.get(request.path_params["key"])
        if items is None:
            return refuse(404, "not_found", f"vehicle {request.path_params['key']} is not known")
        return JSONResponse({"items": items[-800:], "total": len(items)})

    async def alert(self, request: Request) -> Response:
        item = self.city.alerts.get(request.path_params["key"])
        if item is None:
            return refuse(404, "not_found", f"alert {request.path_params['key']} is not known")
        return JSONResponse(item)

    def _writer(self, request: Request) -> JSONResponse | tuple[str, str]:
        who = self.who(request)
        if who is None:
            return refuse(401, "unauthorized", "no session", "log in")
        if "x-tianyan" not in request.headers and "authorization" not in request.headers:
            return refuse(403, "forbidden", "a write by cookie needs the header X-Tianyan")
        if who[1] == "viewer":
            return refuse(403, "forbidden", "the role viewer may not write", "operator or higher")
        return who

    async def decide(self, request: Request) -> Response:
        who = self._writer(request)
        if isinstance(who, JSONResponse):
            return who
        item = self.city.alerts[request.path_params["key"]]
        body = await request.json()
        if item["decision"] and item["decision"] != body["decision"]:
            message = (
                f"alert {item['id']} is already decided: {item['decision']} by {item['decided_by']}"
            )
            return refuse(409, "conflict", message, "reload")
        if not item["decision"]:
            self.city.decide(item["id"], body["decision"], who[0], body.get("note", ""))
            self.publish("alert", {k: v for k, v in item.items() if k != "history"})
            if item["case"]:
                self.publish("case", self.city.cases[str(item["case"]["id"])])
        return JSONResponse(item)

    async def case(self, request: Request) -> Response:
        who = self.who(request)
        if who is None:
            return refuse(401, "unauthorized", "no session", "log in")
        if request.path_params["key"] not in self.city.cases:
            return refuse(404, "not_found", f"case {request.path_params['key']} is not known")
        return JSONResponse(self.city.case_page(request.path_params["key"], who[1]))

    async def enforcement(self, _request: Request) -> Response:
        """No case has a record of a penalty."""
        return JSONResponse(None)

    async def conditions(self, request: Request) -> Response:
        """Of every matter the same two; the whole table has those that a test gives it."""
        found = CONDITIONS if "matter" in request.query_params else self.conditions_known
        return JSONResponse({"items": found, "total": len(found)})

    async def act(self, request: Request) -> Response:
        who = self._writer(request)
        if isinstance(who, JSONResponse):
            return who
        key = request.path_params["key"]
        page = self.city.case_page(key, who[1])
        body = await request.json()
        if body["version"] != page["version"]:
            message = f"case {page['number']} has moved on: version {page['version']}"
            return refuse(409, "conflict", message, "reload")
        step = next((a for a in page["actions"] if a["action"] == body["action"]), None)
        if step is None:
            return refuse(409, "conflict", f"case {page['number']} is {page['state']}")
        if body["action"] == "file":
            self.city.cases[key]["filed_under"] = body.get("condition")
        if not step["allowed"]:
            return refuse(403, "forbidden", step["why_not"])
        if body["action"] == "merge":
            known = {case["number"] for case in self.city.cases.values()} - {page["number"]}
            if body.get("into") not in known:
                return refuse(409, "conflict", f"no open case {body.get('into')!r}")
            self.city.cases[key]["merged_into"] = body["into"]
        note = ": ".join(filter(None, (body.get("into", ""), body.get("note", ""))))
        self.city.move(key, step["to_state"], who[0], note)
        self.publish("case", self.city.cases[key])
        return JSONResponse(self.city.case_page(key, who[1]))

    async def evidence(self, request: Request) -> Response:
        data = self.city.files.get(request.path_params["sha"])
        if data is None:
            return refuse(404, "not_found", "no such file")
        headers = {"Cache-Control": "public, max-age=31536000, immutable"}
        kind = "video/mp4" if data[4:8] == b"ftyp" else "image/jpeg"
        return Response(data, media_type=kind, headers=headers)

    async def opening(self, request: Request) -> Response:
        who = self.who(request)
        if who is None or who[1] not in {"supervisor", "admin"}:
            return refuse(403, "forbidden", "the role may not", "supervisor")
        reason = (await request.json())["reason"]
        self.opened.append((who[0], request.path_params["sha"], reason))
        data = self.city.files[request.path_params["sha"]]
        return Response(data, media_type="image/jpeg", headers={"Cache-Control": "no-store"})

    async def stream(self, request: Request) -> Response:
        if self.who(request) is None:
            return refuse(401, "unauthorized", "no session", "log in")
        if time.monotonic() < self.closed_until:
            return refuse(503, "unavailable", "the hub is starting", "try again")
        last = int(request.headers.get("last-event-id", self.number))
        return StreamingResponse(self._events(last), media_type="text/event-stream")

    async def _events(self, last: int) -> AsyncIterator[str]:
        queue: asyncio.Queue[tuple[int, str, Item] | None] = asyncio.Queue()
        self.streams.add(queue)
        try:
            yield ": hello\n\n"
            for number, kind, item in self.events:
                if number > last:
                    yield f"id: {number}\nevent: {kind}\ndata: {json.dumps(item)}\n\n"
            while True:
                try:
                    event = await asyncio.wait_for(queue.get(), 15)
                except TimeoutError:
                    yield ": still here\n\n"
                    continue
                if event is None:
                    return
                lines = [f"id: {event[0]}\nevent: {event[1]}\ndata: {json.dumps(event[2])}\n\n"]
                while not queue.empty() and len(lines) < 500 and (more := queue.get_nowait()):
                    lines.append(
                        f"id: {more[0]}\nevent: {more[1]}\ndata: {json.dumps(more[2])}\n\n"
                    )
                yield "".join(lines)
        finally:
            self.streams.discard(queue)

    async def search(self, request: Request) -> Response:
        words = request.query_params["q"].upper()
        hits = [
            *self._hits("vehicle", self.city.vehicles.values(), "plate", "kind"),
            *self._hits("case", self.city.cases.values(), "number", "title"),
            *self._hits("camera", self.city.cameras.values(), "name", "id"),
        ]
        found = [h for h in hits if words in f"{h['title']} {h['detail']}".upper()]
        return JSONResponse({"items": found[:12], "total": len(found)})

    def _hits(self, kind: str, items: Iterable[Item], title: str, detail: str) -> list[Item]:
        same = ("lat", "lon")
        return [
            {"kind": kind, "id": str(i["id"]), "title": i[title], "detail": str(i[detail])}
            | {name: i[name] for name in same}
            for i in items
        ]

    async def pictures(self, _request: Request) -> Response:
        found: dict[str, Item] = {}
        for alert in self.city.alerts.values():
            url = next((f["url"] for f in alert["evidence"] if f["url"]), None)
            camera = f"{alert['device']}/{alert['source'].rpartition('/')[2]}"
            if url and camera in self.city.cameras:
                found[camera] = {"camera": camera, "url": url, "at": alert["at"], "of": "alert"}
        return JSONResponse({"items": list(found.values()), "total": len(found)})

    async def names(self, _request: Request) -> Response:
        """Everybody acts under his own name here."""
        return JSONResponse({"items": [], "total": 0})

    async def past(self, request: Request) -> Response:
        """Half of what is there now, as if the rest had come since."""
        vehicles = [v for v in self.city.vehicles.values() if v["lat"] is not None]
        return JSONResponse(
            {
                "at": request.query_params["at"],
                "vehicles": vehicles[: len(vehicles) // 2],
                "alerts": list(self.city.alerts.values())[:3],
                "cases": list(self.city.cases.values())[:1],
            }
        )

    async def mock_alert(self, request: Request) -> Response:
        level = request.query_params.get("level")
        item = self.city.new_alert(level=int(level) if level else None)
        self.publish("alert", {k: v for k, v in item.items() if k != "history"})
        return JSONResponse({"id": item["id"]})

    async def mock_drop(self, request: Request) -> Response:
        self.closed_until = time.monotonic() + float(request.query_params.get("s", 5))
        self._end_streams()
        return JSONResponse({})

    async def mock_move(self, request: Request) -> Response:
        key = request.query_params["case"]
        state = NEXT[self.city.cases[key]["state"]][0]
        self.city.move(key, state, "李建国", "")
        return JSONResponse({"state": state})

    async def mock_forget(self, _request: Request) -> Response:
        self.sessions.clear()
        return await self.mock_drop(_request)

    async def drive(self) -> None:
        tick = 0
        while True:
            await asyncio.sleep(1)
            tick += 1
            at = now()
            driving = [key for key, vehicle in self.city.vehicles.items() if vehicle["online"]]
            self.publish(KIND, [_position(self.city.drive(key, 1, at), at) for key in driving])
            if tick % 20 == 0:
                item = self.city.new_alert()
                self.publish("alert", {k: v for k, v in item.items() if k != "history"})

    async def page(self, request: Request) -> Response:
        if request.path_params.get("path", "").startswith("api/"):
            return refuse(404, "not_found", f"nothing at {request.url.path}", "/api/openapi.json")
        path = (DIST / request.path_params.get("path", "")).resolve()
        if not path.is_file() or not path.is_relative_to(DIST):
            path = DIST / "index.html"
        return FileResponse(path, headers={"Content-Security-Policy": CSP})

    def app(self) -> Starlette:
        @contextlib.asynccontextmanager
        async def lifespan(_app: Starlette) -> AsyncIterator[None]:
            self.loop = asyncio.get_running_loop()
            task = asyncio.create_task(self.drive()) if self.live else None
            yield
            if task:
                task.cancel()

        rows: list[tuple[str, Any, list[str]]] = [
            ("/api/session", self.get_session, ["GET"]),
            ("/api/session", self.post_session, ["POST"]),
            ("/api/session", self.delete_session, ["DELETE"]),
            ("/api/events", self.stream, ["GET"]),
            ("/api/summary", self.summary, ["GET"]),
            ("/api/grids.geojson", self.geojson, ["GET"]),
            ("/api/evidence/{sha}/opening", self.opening, ["POST"]),
            ("/api/evidence/{sha}", self.evidence, ["GET"]),
            ("/api/vehicles/{key}/track", self.track, ["GET"]),
            ("/api/alerts/{key}/decision", self.decide, ["POST"]),
            ("/api/alerts/{key}", self.alert, ["GET"]),
            ("/api/cases/{key}/actions", self.act, ["POST"]),
            ("/api/cases/{key}/enforcement", self.enforcement, ["GET"]),
            ("/api/cases/{key}", self.case, ["GET"]),
            ("/api/conditions", self.conditions, ["GET"]),
            *self.learning.rows(),
            *self.attention.rows(),
            *self.proof.rows(),
            *self.looks.rows(),
            *mock_map.rows(),
            *mock_evaluation.rows(),
            ("/api/names", self.names, ["GET"]),
            ("/api/search", self.search, ["GET"]),
            ("/api/camera-pictures", self.pictures, ["GET"]),
            ("/api/past", self.past, ["GET"]),
            ("/api/{kind}", self.listing, ["GET"]),
            ("/mock/alert", self.mock_alert, ["POST"]),
            ("/mock/drop", self.mock_drop, ["POST"]),
            ("/mock/move", self.mock_move, ["POST"]),
            ("/mock/forget", self.mock_forget, ["POST"]),
            ("/{path:path}", self.page, ["GET"]),
        ]
        routes = [Route(path, handler, methods=methods) for path, handler, methods in rows]
        return Starlette(routes=[*self.terminals.routes(), *routes], lifespan=lifespan)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8899)
    parser.add_argument("--vehicles", type=int, default=14)
    parser.add_argument("--no-demo", action="store_true")
    parser.add_argument("--still", action="store_true", help="nothing moves by itself")
    chosen = parser.parse_args()
    hub = MockHub(
        City(vehicle_count=chosen.vehicles), demo=not chosen.no_demo, live=not chosen.still
    )
    uvicorn.run(hub.app(), port=chosen.port, log_level="warning")


if __name__ == "__main__":
    main()
