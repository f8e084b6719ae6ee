"""Vehicle terminals of the made-up city: they take orders, and answer a moment later."""

import asyncio
import itertools
from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.browser.made_up_city import now

Item = dict[str, Any]


def moment() -> str:
    return now().isoformat()


Publish = Callable[[str, Item], object]
OPS = ("text", "position", "photo", "track", "parameters", "control")
POSITION = {"lat": 32.71, "lon": 109.04, "speed_kmh": 12.5, "at": moment(), "valid": True}
ANSWERS: dict[str, Item] = {
    "position": {"positions": [POSITION]},
    "photo": {"media_ids": [9]},
    "parameters": {"parameters": [
        {"id": 0x29, "hex": "0000000a", "name": "interval_s", "value": 10},
        {"id": 0xF001, "hex": "0102"},
    ]},
}  # fmt: skip
DRIVER = {
    "at": moment(), "inserted": True, "read": "read", "name": "王强", "certificate": "612401",
    "issuer": "安康", "expires_on": "2030-12-31", "present": True,
}  # fmt: skip


class Terminals:
    """Orders given, by vehicle; `deaf` vehicles do not answer."""

    def __init__(self, publish: Publish, may_act: Callable[[Request], bool]) -> None:
        self.orders: dict[str, list[Item]] = {}
        self.deaf: set[str] = set()
        self._publish = publish
        self._may_act = may_act
        self._numbers = itertools.count(1)
        self._tasks: set[asyncio.Task[None]] = set()

    async def ops(self, request: Request) -> Response:
        may = self._may_act(request)
        items = [{"op": op, "allowed": may and op != "control"} for op in OPS]
        return JSONResponse({"items": items, "total": len(items)})

    async def drivers(self, _request: Request) -> Response:
        return JSONResponse({"items": [DRIVER], "total": 1})

    async def listed(self, request: Request) -> Response:
        orders = self.orders.get(request.path_params["key"], [])[::-1]
        return JSONResponse({"items": orders[:6], "total": len(orders)})

    async def give(self, request: Request) -> Response:
        vehicle, wanted = request.path_params["key"], await request.json()
        order = {
            "id": f"o-{next(self._numbers)}", "op": f"terminal.{wanted['op']}", "state": "sent",
            "why": "", "by": "王敏", "made_at": moment(), "valid_until": moment(),
            "answered_at": None, "args": wanted["args"], "out": None,
            "about": {"kind": "vehicle", "id": vehicle},
        }  # fmt: skip
        self.orders.setdefault(vehicle, []).append(order)
        task = asyncio.create_task(self._answer(vehicle, order, wanted["op"]))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return JSONResponse(order, 201)

    async def _answer(self, vehicle: str, order: Item, op: str) -> None:
        await asyncio.sleep(0.2)
        if vehicle in self.deaf:
            order |= {"state": "failed", "why": "terminal 13912344321 is not connected"}
        else:
            order |= {"state": "done", "out": ANSWERS.get(op, {"result": 0})}
        self._publish("order", order)

    def routes(self) -> list[Route]:
        path = "/api/vehicles/{key}"
        return [
            Route(f"{path}/ops", self.ops),
            Route(f"{path}/drivers", self.drivers),
            Route(f"{path}/orders", self.listed, methods=["GET"]),
            Route(f"{path}/orders", self.give, methods=["POST"]),
        ]
