"""What a demo does not do by itself: people decide, get in, get keys; a device talks nonsense."""

import contextlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx2 as httpx
import paho.mqtt.publish as mqtt
import yaml

from tests.hub.broker import wait_for
from wire.topics import up

ZONE = ZoneInfo("Asia/Shanghai")
PATIENCE_S = 300.0
WANTED_KINDS = {"street_vending", "illegal_structure"}
OFFICER = "li"
PASSWORD = "a long word of the tour"
NONSENSE = b'{"v": 1, "temperature": }'


@dataclass(frozen=True)
class Told:
    """What the pictures are taken of, and who looks."""

    url: str
    token: str
    alert: str
    case: int
    sweeper: str
    day: str

    def path(self, path: str) -> str:
        return path.format(alert=self.alert, case=self.case, sweeper=self.sweeper, day=self.day)


class Office:
    """The hub's API as the administrator of the demo."""

    def __init__(self, url: str, token: str) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        self.http = httpx.Client(base_url=url, headers=headers, timeout=60)

    def all(self, path: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.http.get(path).raise_for_status().json()["items"]
        return found

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        made: dict[str, Any] = self.http.post(path, json=body).raise_for_status().json()
        return made

    def ready(self) -> list[dict[str, Any]]:
        """Undecided alerts of each kind with their marked picture; empty until there are."""
        waiting = [
            item
            for item in self.all("/api/alerts")
            if item["decision"] is None and any(f["role"] == "annotated" for f in item["evidence"])
        ]
        kinds = {item["label"] for item in waiting}
        return waiting if kinds >= WANTED_KINDS and self.all("/api/cases") else []


def furnish(url: str, folder: Path) -> Told:
    """Live a first quarter of an hour in the demo that keeps its state in `folder`."""
    token = (folder / "admin-token").read_text(encoding="utf-8").strip()
    office = Office(url, token)
    _let_in(office, url)
    office.post("/api/tokens", {"name": "报表系统", "role": "service"})
    told = {"name": "演示接收", "url": "https://hooks.example.cn/", "topics": ["case.moved"]}
    office.post("/api/webhooks", told)
    _talk_nonsense(folder)
    waiting = wait_for(office.ready, PATIENCE_S)
    shown = next(item for item in waiting if item["label"] == "illegal_structure")
    vending = next(item for item in waiting if item["label"] == "street_vending")
    office.post(f"/api/alerts/{vending['id']}/decision", {"decision": "confirmed"})
    for case in office.all("/api/cases")[:2]:
        for action in ("file", "dispatch"):
            version = office.http.get(f"/api/cases/{case['id']}").json()["version"]
            with contextlib.suppress(httpx.HTTPStatusError):  # a rule has dispatched it already
                office.post(
                    f"/api/cases/{case['id']}/actions", {"action": action, "version": version}
                )
    case = next(c for c in office.all("/api/cases") if c["state"] == "dispatched")
    vehicles = office.all("/api/vehicles")
    sweeper = next(v for v in vehicles if v["kind"] == "sanitation_vehicle")
    day = (datetime.fromisoformat(shown["at"]).astimezone(ZONE) - timedelta(days=1)).date()
    return Told(url, token, shown["id"], case["id"], sweeper["id"], day.isoformat())


def _let_in(office: Office, url: str) -> None:
    """An officer with a password of their own, who may use the phone."""
    body = {"name": OFFICER, "display_name": "李明", "posts": [{"role": "handler"}]}
    first = office.post("/api/users", body)["password"]
    with httpx.Client(base_url=url, headers={"X-Tianyan": "1"}, timeout=60) as own:
        own.post("/api/session", json={"name": OFFICER, "password": first}).raise_for_status()
        words = {"old": first, "new": PASSWORD}
        own.post("/api/session/password", json=words).raise_for_status()


def _talk_nonsense(folder: Path) -> None:
    port = yaml.safe_load((folder / "hub.yaml").read_text(encoding="utf-8"))["broker"]["port"]
    word = (folder / "passwords" / "box-1").read_text(encoding="utf-8").strip()
    mqtt.single(
        up("box-1", "health"), NONSENSE, qos=1, hostname="127.0.0.1", port=port,
        client_id="box-1-tour", auth={"username": "box-1", "password": word},
    )  # fmt: skip
