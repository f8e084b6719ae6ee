"""The mock hub's part that learns: boxes people draw, places held back, models on their way."""

from datetime import timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tests.browser.made_up_city import Item, now, stamp

LABELS = ["street_vending", "garbage", "illegal_structure"]


def _device(name: str, stage: int, state: str, why: str = "") -> Item:
    at = stamp(now() - timedelta(minutes=9))
    return {
        "device": name, "stage": stage, "state": state, "why": why, "received": 0, "at": at,
    }  # fmt: skip


def _rollout(number: int, version: str, state: str, why: str, devices: list[Item]) -> Item:
    states = [device["state"] for device in devices]
    return {
        "id": number, "model": "street-n", "version": version, "state": state, "why": why,
        "stage": 1, "stages": 3, "stage_complete": states[0] == "active", "clean_s": None,
        "trial_s": 600, "made_at": stamp(now() - timedelta(hours=2)), "made_by": "周工",
        "sha256": "0" * 64, "counts": {each: states.count(each) for each in set(states)},
        "devices": devices,
    }  # fmt: skip


class Learning:
    """State of one mock hub's learning; `publish` tells open pages of a changed alert."""

    def __init__(self, alerts: dict[str, Item], publish: Any) -> None:
        self.alerts = alerts
        self.publish = publish
        self.corrections: dict[str, Item] = {}
        self.moves: list[Item] = []
        self.suppressions = [
            {
                "id": 1, "camera": "box-04/cam-14", "camera_name": "育才路摄像头",
                "label": "garbage",
                "area": {"x": 0.4, "y": 0.5, "w": 0.2, "h": 0.3},
                "since": stamp(now() - timedelta(days=2)),
                "until": stamp(now() + timedelta(days=12)),
                "alerts": ["a-1", "a-2", "a-3"], "held_back": 4, "in_force": True,
                "lifted_at": None, "lifted_by": None,
            }
        ]  # fmt: skip
        self.models = [
            {
                "name": "street-n", "version": "0.3.0", "sha256": "0" * 64, "size": 11_000_000,
                "weights": "0" * 64, "labels": LABELS, "licence": "AGPL-3.0", "promotion": {},
                "added_at": stamp(now()), "added_by": "周工",
            }
        ]  # fmt: skip
        bad = "box-07 fell_back: failed 3 looks in a row"
        self.rollouts = [
            _rollout(
                2, "0.3.0", "running", "",
                [_device("box-01", 1, "active"), _device("box-02", 2, "waiting"),
                 _device("box-03", 3, "waiting"), _device("box-04", 3, "waiting")],
            ),
            _rollout(1, "0.2.9", "stopped", bad, [_device("box-07", 1, "fell_back", bad)]),
        ]  # fmt: skip

    def rows(self) -> list[tuple[str, Any, list[str]]]:
        return [
            ("/api/alerts/{key}/boxes", self.boxes, ["GET"]),
            ("/api/alerts/{key}/boxes", self.correct, ["PUT"]),
            ("/api/suppressions", self.list_suppressions, ["GET"]),
            ("/api/suppressions/{key}/lift", self.lift, ["POST"]),
            ("/api/models", self.list_models, ["GET"]),
            ("/api/rollouts", self.list_rollouts, ["GET"]),
            ("/api/rollouts/{key}/actions", self.move, ["POST"]),
            ("/api/datasets/verdicts", self.dataset, ["GET"]),
        ]

    def hold_back(self, alert: str) -> Item:
        item = self.alerts[alert]
        item |= {"suppressed_by": 1, "suppressed_until": self.suppressions[0]["until"]}
        return item

    async def boxes(self, request: Request) -> Response:
        item = self.alerts[request.path_params["key"]]
        drawn = self.corrections.get(item["id"])
        said = [{k: b[k] for k in ("label", "x", "y", "w", "h")} for b in item["boxes"]]
        empty = {"alert": item["id"], "version": 0, "picture": None, "at": None, "by": None}
        return JSONResponse((drawn or {**empty, "boxes": said}) | {"labels": LABELS})

    async def correct(self, request: Request) -> Response:
        key, body = request.path_params["key"], await request.json()
        before = self.corrections.get(key, {"version": 0})["version"]
        if body["version"] != before:
            error = {"code": "stale", "message": "changed since", "allowed": ""}
            return JSONResponse({"error": error}, 409)
        self.corrections[key] = {
            "alert": key, "version": before + 1, "picture": body["picture"],
            "boxes": body["boxes"], "at": stamp(now()), "by": "王敏",
        }  # fmt: skip
        return JSONResponse(self.corrections[key] | {"labels": LABELS})

    async def list_suppressions(self, _request: Request) -> Response:
        items = [each for each in self.suppressions if each["in_force"]]
        return JSONResponse({"items": items, "total": len(items)})

    async def lift(self, request: Request) -> Response:
        found = next(s for s in self.suppressions if str(s["id"]) == request.path_params["key"])
        found |= {"in_force": False, "lifted_at": stamp(now()), "lifted_by": "王敏"}
        for item in self.alerts.values():
            if item.get("suppressed_by") == found["id"]:
                item |= {"suppressed_by": None, "suppressed_until": None}
                self.publish("alert", item)
        return JSONResponse(found)

    async def list_models(self, _request: Request) -> Response:
        return JSONResponse({"items": self.models, "total": len(self.models)})

    async def list_rollouts(self, _request: Request) -> Response:
        return JSONResponse({"items": self.rollouts, "total": len(self.rollouts)})

    async def move(self, request: Request) -> Response:
        body = await request.json()
        found = next(r for r in self.rollouts if str(r["id"]) == request.path_params["key"])
        if found["state"] in ("done", "cancelled"):
            error = {"code": "over", "message": f"rollout {found['id']} is over", "allowed": ""}
            return JSONResponse({"error": error}, 409)
        self.moves.append(body)
        if body["action"] == "next":
            found["stage"] += 1
            found["state"] = "running"
        else:
            found["state"] = {"stop": "stopped", "cancel": "cancelled"}[body["action"]]
        return JSONResponse(found)

    async def dataset(self, _request: Request) -> Response:
        return JSONResponse(
            {
                "pictures": 214, "train": 171, "val": 43, "empty": 88, "corrected": 37,
                "generated": 0, "cameras": 12,
                "boxes": {"street_vending": 71, "garbage": 62, "illegal_structure": 4},
                "skipped": {"undecided_beside": 19, "no_picture": 3},
            }
        )  # fmt: skip
