"""Looks again at the mock hub: asked for here, answered when a test says what was seen."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tests.browser.made_up_city import Item, stamp

Writer = Callable[[Request], JSONResponse | tuple[str, str]]


class Looks:
    """Every look that was asked for, oldest first, by the alert it is of."""

    def __init__(self, publish: Callable[[str, Item], None], writer: Writer) -> None:
        self.asked: dict[str, list[Item]] = {}
        self._publish = publish
        self._writer = writer

    def rows(self) -> list[tuple[str, Any, list[str]]]:
        return [
            ("/api/alerts/{key}/look", self.ask, ["POST"]),
            ("/api/alerts/{key}/looks", self.listed, ["GET"]),
        ]

    async def ask(self, request: Request) -> Response:
        who = self._writer(request)
        if isinstance(who, JSONResponse):
            return who
        key, wanted = request.path_params["key"], await request.json()
        looks = self.asked.setdefault(key, [])
        look = {
            "order": f"look-{key}-{len(looks)}", "state": "sent", "alert": key,
            "camera": "box-01/cam-01", "by": who[0], "asked_at": stamp(datetime.now(UTC)),
            "seconds": wanted["seconds"], "answer": None, "confidence": 0.0, "reasons": [],
            "details": [], "began_at": None, "ended_at": None, "looks": wanted["looks"],
            "clear": 0, "hidden": 0, "model": "street-n 1", "evidence": [],
        }  # fmt: skip
        looks.append(look)
        return JSONResponse(look, 202)

    async def listed(self, request: Request) -> Response:
        items = self.asked.get(request.path_params["key"], [])[::-1]
        return JSONResponse({"items": items, "total": len(items)})

    def answer(self, key: str, answer: str) -> None:
        """The camera has looked: `present`, `gone` or `cannot_tell`."""
        look = self.asked[key][-1]
        look |= {"state": "done", "answer": answer, "confidence": 0.82, "clear": look["looks"]}
        about = {"kind": "alert", "id": key}
        news = {"id": look["order"], "device": "box-01", "op": "camera.look", "state": "done"}
        self._publish("order", news | {"why": "", "about": about})
