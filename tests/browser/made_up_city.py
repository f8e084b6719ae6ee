"""A made-up city for the console's tests: grids, cameras, vehicles, alerts and cases as the API
shows them. Nothing here is a fact about a place."""

import hashlib
import io
import math
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from PIL import Image, ImageDraw
from shapely import GeometryCollection, MultiPoint, Point, Polygon, voronoi_polygons

from edge.detect.album import Shot
from edge.detect.clip import Clip, make_clip
from edge.detect.faces import NoFinder

Item = dict[str, Any]

CENTRE_LAT, CENTRE_LON = 32.690, 109.025
TOWNS = [
    ("新城办", 15),
    ("老城办", 9),
    ("江北办", 8),
    ("建民办", 1),
    ("张滩镇", 14),
    ("关庙镇", 12),
    ("五里镇", 18),
    ("吉河镇", 14),
]
KINDS = [
    ("street_vending", "09006", "占道经营", "Street trading", 1),
    ("garbage", "06010", "暴露垃圾", "Exposed garbage", 1),
    ("illegal_structure", "06001", "私搭乱建", "Illegal structure", 2),
    ("garbage", "06042", "垃圾站（箱）满溢", "Bin overflow", 1),
    ("overspeed", None, "", "", 3),
]
CONDITIONS: list[Item] = [
    {"id": 7, "opening": "沿街散落", "closing": "清理干净", "number": 4, "unit": "work_hour"},
    {"id": 8, "opening": "堆积成片", "closing": "清运完毕", "number": 1, "unit": "work_day"},
]
STREETS = ["育才路", "兴安中路", "江北大道", "巴山西路", "香溪路", "解放路", "滨江大道", "文昌路"]
STAGE = {
    "reported": "collect",
    "verifying_report": "collect",
    "filed": "file",
    "dispatched": "dispatch",
    "returned": "dispatch",
    "handling": "handle",
    "joint": "handle",
    "suspended": "handle",
    "rework": "handle",
    "handled": "feedback",
    "verifying_result": "verify_close",
    "closed": "verify_close",
    "watching": "evaluate",
    "archived": "evaluate",
    "reopened": "handle",
    "merged": "collect",
    "rejected": "collect",
    "cancelled": "file",
}
NEXT = {
    "reported": ["verifying_report", "filed", "rejected", "merged"],
    "verifying_report": ["filed", "rejected", "merged"],
    "filed": ["dispatched", "cancelled"],
    "dispatched": ["handling", "returned"],
    "returned": ["dispatched", "cancelled"],
    "handling": ["handled", "returned", "suspended", "joint"],
    "joint": ["handled"],
    "suspended": ["handling"],
    "handled": ["verifying_result"],
    "verifying_result": ["closed", "rework"],
    "rework": ["handled", "suspended"],
    "closed": ["watching", "reopened"],
    "watching": ["archived", "reopened"],
    "reopened": ["dispatched"],
}
ACTION = {
    "verifying_report": "verify_report",
    "filed": "file",
    "rejected": "reject",
    "dispatched": "dispatch",
    "cancelled": "cancel",
    "handling": "accept",
    "returned": "return",
    "handled": "feedback",
    "suspended": "suspend",
    "joint": "join",
    "rework": "rework",
    "verifying_result": "verify_result",
    "closed": "close",
    "watching": "watch",
    "archived": "archive",
    "reopened": "reopen",
    "merged": "merge",
}
NEEDS_NOTE = {"return", "rework", "reject", "cancel", "reopen", "feedback", "merge"}
SUPERVISOR_ONLY = {"close", "cancel", "suspend", "archive", "reopen"}


def stamp(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def now() -> datetime:
    return datetime.now(UTC)


def _ring(cx: float, cy: float, rx: float, ry: float, rng: random.Random) -> Polygon:
    points = []
    for step in range(48):
        turn = step / 48 * math.tau
        wobble = (
            1 + 0.08 * math.sin(3 * turn + 1) + 0.05 * math.sin(7 * turn) + rng.uniform(0, 0.03)
        )
        points.append((cx + rx * wobble * math.cos(turn), cy + ry * wobble * math.sin(turn)))
    return Polygon(points)


def _split(area: Polygon, count: int, rng: random.Random) -> list[Polygon]:
    if count == 1:
        return [area]
    west, south, east, north = area.bounds
    seeds: list[Point] = []
    while len(seeds) < count:
        point = Point(rng.uniform(west, east), rng.uniform(south, north))
        gap = math.sqrt(area.area / count) * 0.55
        if area.contains(point) and all(point.distance(other) > gap for other in seeds):
            seeds.append(point)
    cells = voronoi_polygons(MultiPoint(seeds), extend_to=area)
    assert isinstance(cells, GeometryCollection)
    parts = [cell.intersection(area) for cell in cells.geoms]
    return [max(getattr(p, "geoms", [p]), key=lambda g: g.area) for p in parts]


WITH_CLIP = 18


def clip(seed: int) -> bytes:
    """Six looks as the edge makes a clip of them."""
    shots = tuple(
        Shot(float(i), now() + timedelta(seconds=i), picture(seed + i, "", None), ())
        for i in range(6)
    )
    return make_clip(Clip("cam-01", shots), NoFinder()).data


def picture(seed: int, title: str, boxes: list[Item] | None) -> bytes:
    """A drawn street, 960 x 540 JPEG; the boxes on it when given."""
    rng = np.random.default_rng(seed)
    sky = np.linspace(0, 1, 540)[:, None, None]
    base = np.array([196, 205, 214]) * (1 - sky) + np.array([120, 118, 116]) * sky
    noise = rng.normal(0, 6, (540, 960, 1))
    image = Image.fromarray(np.clip(base + noise, 0, 255).astype(np.uint8).repeat(1, axis=1))
    draw = ImageDraw.Draw(image)
    x = 0
    while x < 960:
        width = int(rng.integers(80, 190))
        top = int(rng.integers(20, 160))
        shade = int(rng.integers(110, 190))
        draw.rectangle((x, top, x + width, 330), fill=(shade, shade - 8, shade - 16))
        for wx in range(x + 12, x + width - 18, 28):
            for wy in range(top + 14, 240, 34):
                draw.rectangle((wx, wy, wx + 14, wy + 18), fill=(70, 84, 98))
        draw.rectangle(
            (x + 6, 262, x + width - 6, 330), fill=tuple(rng.integers(60, 150, 3).tolist())
        )
        x += width
    draw.polygon([(0, 330), (960, 330), (960, 400), (0, 420)], fill=(168, 164, 156))
    draw.polygon([(0, 420), (960, 400), (960, 540), (0, 540)], fill=(92, 93, 96))
    for lx in range(-40, 960, 150):
        draw.polygon([(lx, 482), (lx + 80, 478), (lx + 80, 486), (lx, 490)], fill=(214, 212, 200))
    for index, box in enumerate(
        boxes or [{"x": 0.4, "y": 0.5, "w": 0.2, "h": 0.3, "label": title}]
    ):
        px, py = box["x"] * 960, box["y"] * 540
        pw, ph = box["w"] * 960, box["h"] * 540
        hue = [(186, 84, 58), (58, 106, 160), (96, 130, 78)][(seed + index) % 3]
        draw.polygon([(px, py + ph * 0.35), (px + pw / 2, py), (px + pw, py + ph * 0.35)], fill=hue)
        draw.rectangle((px + pw * 0.1, py + ph * 0.5, px + pw * 0.9, py + ph), fill=(132, 108, 80))
    if boxes:
        for box in boxes:
            px, py = box["x"] * 960, box["y"] * 540
            draw.rectangle(
                (px, py, px + box["w"] * 960, py + box["h"] * 540), outline=(255, 214, 64), width=4
            )
    out = io.BytesIO()
    image.save(out, "JPEG", quality=82)
    return out.getvalue()


def clock(number: int) -> Item:
    """A handling clock: every third case is overdue, the first has not begun to run."""
    hours = -3 if number % 3 == 0 else 5
    waits = number == 1
    due = None if waits else stamp(now() + timedelta(hours=hours))
    return {
        "state": "waiting" if waits else "overdue" if hours < 0 else "running",
        "number": 4,
        "unit": "work_hour",
        "usual": waits,
        "opening": "" if waits else CONDITIONS[0]["opening"],
        "closing": "" if waits else CONDITIONS[0]["closing"],
        "due_at": due,
        "done_at": None,
        "provisional": number == 2,
        "stage_due_at": None,
        "stage_overdue": False,
        "silent": number == 3,
    }


@dataclass
class City:
    """Everything the mock hub answers with; `seed` makes it the same each time."""

    seed: int = 7
    vehicle_count: int = 14
    grids: list[Item] = field(default_factory=list)
    shapes: dict[str, Polygon] = field(default_factory=dict)
    cameras: dict[str, Item] = field(default_factory=dict)
    vehicles: dict[str, Item] = field(default_factory=dict)
    tracks: dict[str, list[Item]] = field(default_factory=dict)
    alerts: dict[str, Item] = field(default_factory=dict)
    cases: dict[str, Item] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)
        self._make_grids()
        self._make_cameras()
        self._make_vehicles()
        for index in range(18):
            self.new_alert(age_s=60 + index * 410)
        for item in list(self.alerts.values())[:9]:
            self.decide(
                item["id"], "confirmed" if self.rng.random() < 0.75 else "false_alarm", "王敏"
            )
        for index, case in enumerate(list(self.cases.values())):
            for state in [
                "filed",
                "dispatched",
                "handling",
                "handled",
                "verifying_result",
                "closed",
            ][:index]:
                self.move(case["id"], state, "李建国", "")

    def _add_grid(
        self, code: str, name: str, level: int, parent: str | None, shape: Polygon
    ) -> None:
        self.shapes[code] = shape
        self.grids.append(
            {
                "code": code,
                "name": name,
                "level": level,
                "parent": parent,
                "synthetic": True,
                "area_m2": round(shape.area * 111_000 * 93_600),
            }
        )

    def _make_grids(self) -> None:
        city = _ring(CENTRE_LON, CENTRE_LAT, 0.115, 0.072, self.rng)
        self._add_grid("ak", "汉滨区", 1, None, city)
        for index, (shape, (name, count)) in enumerate(
            zip(_split(city, 8, self.rng), TOWNS, strict=True)
        ):
            town = f"ak-{index + 1}"
            self._add_grid(town, name, 2, "ak", shape)
            for number, part in enumerate(_split(shape, count, self.rng)):
                code = f"{town}-{number + 1:02}"
                self._add_grid(code, f"{name}{number + 1:02}", 3, town, part)

    def grids_at(self, lat: float, lon: float) -> list[Item]:
        point = Point(lon, lat)
        return [
            {"level": g["level"], "code": g["code"], "name": g["name"]}
            for g in self.grids
            if self.shapes[g["code"]].contains(point)
        ]

    def _located(self, lat: float, lon: float) -> Item:
        grids = self.grids_at(lat, lon)
        finest = grids[-1] if grids else None
        return {
            "lat": lat,
            "lon": lon,
            "grids": grids,
            "grid": finest and {"code": finest["code"], "name": finest["name"]},
        }

    def _make_cameras(self) -> None:
        states = ["ok"] * 9 + ["stalled", "black", "moved", "unreachable", "starting"]
        states += ["frozen", "dark", "over_exposed", "out_of_focus", "blocked"]
        for index in range(len(states)):
            lat = CENTRE_LAT + self.rng.uniform(-0.03, 0.03)
            lon = CENTRE_LON + self.rng.uniform(-0.05, 0.05)
            device = f"box-{index // 4 + 1:02}"
            since = now() - timedelta(minutes=self.rng.randint(2, 3000))
            self.cameras[f"{device}/cam-{index + 1:02}"] = {
                "id": f"{device}/cam-{index + 1:02}",
                "device": device,
                "name": f"{STREETS[index % 8]}{'东西南北'[index % 4]}口",
                **self._located(lat, lon),
                "heading_deg": self.rng.randrange(0, 360, 15),
                "fov_deg": 70,
                "state": states[index],
                "state_since": stamp(since),
                "last_seen_at": stamp(now()),
                "online": states[index] != "unreachable",
                "zones": ["人行道", "摊区外沿"],
                "generated": True,
            }

    def _make_vehicles(self) -> None:
        kinds = ["spoil_truck", "sanitation_vehicle", "enforcement_vehicle"]
        for index in range(self.vehicle_count):
            lat = CENTRE_LAT + self.rng.uniform(-0.05, 0.05)
            lon = CENTRE_LON + self.rng.uniform(-0.08, 0.08)
            key = f"veh-{index + 1:04}"
            self.vehicles[key] = {
                "id": key,
                "device": key,
                "plate": f"陕G{10000 + index * 37 % 90000}",
                "kind": kinds[index % 3],
                **self._located(lat, lon),
                "at": stamp(now()),
                "speed_kmh": 28.0,
                "heading_deg": self.rng.uniform(0, 360),
                "online": index % 9 != 8,
                "generated": True,
            }
            self.tracks[key] = []
            if self.vehicle_count > 100:
                continue
            for second in range(900, 0, -5):
                self.drive(key, 5, now() - timedelta(seconds=second))

    def drive(self, key: str, seconds: float, at: datetime) -> Item:
        vehicle = self.vehicles[key]
        speed = max(0.0, min(62.0, vehicle["speed_kmh"] + self.rng.uniform(-6, 6)))
        heading = (vehicle["heading_deg"] + self.rng.uniform(-9, 9)) % 360
        metres = speed / 3.6 * seconds
        lat = vehicle["lat"] + metres * math.cos(math.radians(heading)) / 111_000
        lon = vehicle["lon"] + metres * math.sin(math.radians(heading)) / 93_600
        if abs(lat - CENTRE_LAT) > 0.055 or abs(lon - CENTRE_LON) > 0.09:
            heading = (heading + 170) % 360
        vehicle.update(
            lat=lat, lon=lon, speed_kmh=round(speed, 1), heading_deg=heading, at=stamp(at)
        )
        point = {k: vehicle[k] for k in ("at", "lat", "lon", "speed_kmh", "heading_deg")}
        self.tracks[key].append({**point, "valid": True})
        return vehicle

    def _file(self, data: bytes) -> str:
        sha = hashlib.sha256(data).hexdigest()
        self.files[sha] = data
        return sha

    def _evidence(
        self, index: int, camera: Item, boxes: list[Item], at: datetime, *, is_here: bool
    ) -> list[Item]:
        """Marked, clean and before, with the sealed original; one alert has a clip."""
        proof = {
            "state": "unsigned" if index % 7 == 6 else "verified",
            "fault": "",
            "device": camera["device"],
            "source": camera["id"],
            "model": "street-n 1",
            "config_rev": "3fa96b2c+12",
            "clock": "ntp",
        }

        def item(role: str, data: bytes, kind: str = "image/jpeg", **more: object) -> Item:
            sha = self._file(data)
            url = f"/api/evidence/{sha}" if is_here and not more.get("sealed") else None
            told = {"role": role, "type": kind, "sha256": sha, "url": url, "size": len(data)}
            told |= {"sealed": False, "held": is_here, "original": None, "taken_at": stamp(at)}
            return told | {"proof": proof} | more

        label = boxes[0]["label"] if boxes else ""
        clean = picture(index, label, None)
        sealed = item("clean", clean + b"\0", sealed=True)
        made = [
            item("annotated", picture(index, label, boxes), original=sealed["sha256"]),
            item("clean", clean, original=sealed["sha256"]),
            sealed,
        ]
        if index % 2 == 0:
            made.append(item("before", picture(index + 500, label, None)))
        if index == WITH_CLIP:
            made.append(item("clip", clip(index), "video/mp4"))
        return made

    def new_alert(self, age_s: float = 0, level: int | None = None) -> Item:
        index = len(self.alerts) + 1
        label, code, zh, en, usual = KINDS[index % len(KINDS)]
        camera = list(self.cameras.values())[index % 9]
        vehicle = label == "overspeed"
        near = list(self.vehicles.values())[index % len(self.vehicles)] if vehicle else camera
        lat = near["lat"] + self.rng.uniform(-0.0004, 0.0004)
        lon = near["lon"] + self.rng.uniform(-0.0004, 0.0004)
        boxes = (
            []
            if vehicle
            else [
                {
                    "label": label,
                    "score": round(self.rng.uniform(0.4, 0.9), 2),
                    "x": 0.3 + 0.2 * b + self.rng.uniform(-0.05, 0.05),
                    "y": 0.5,
                    "w": 0.17,
                    "h": 0.28,
                }
                for b in range(1 + index % 2)
            ]
        )
        at = now() - timedelta(seconds=age_s)
        is_here = age_s != 0 or index % 4 != 0
        evidence = [] if vehicle else self._evidence(index, near, boxes, at, is_here=is_here)
        item = {
            "id": f"a-{index:05}",
            "device": near["device"],
            "source": near["id"],
            "source_name": near.get("name") or near.get("plate"),
            "label": label,
            "matter": code and {"code": code, "name_zh": zh, "name_en": en},
            "zone": "" if vehicle else "人行道",
            "state": "ended" if index % 5 == 3 else "active",
            "decision": None,
            "decided_by": None,
            "decided_at": None,
            "level": level or usual,
            "since": stamp(at - timedelta(seconds=self.rng.randint(60, 1800))),
            "at": stamp(at),
            "ended_at": stamp(at + timedelta(seconds=40)) if index % 5 == 3 else None,
            "received_at": stamp(at),
            "delayed": index % 6 == 5,
            **self._located(lat, lon),
            "acc_m": 6.0,
            "place": "vehicle" if vehicle else "ground" if index % 2 else "camera",
            "score": round(self.rng.uniform(0.45, 0.93), 2),
            "model": "street-n 1",
            "boxes": boxes,
            "evidence": evidence,
            "case": None,
            "times_seen": 1 + index % 4,
            "generated": True,
            "history": [{"at": stamp(at), "actor": near["device"], "what": "new", "note": ""}],
        }
        self.alerts[item["id"]] = item
        return item

    def decide(self, key: str, decision: str, who: str, note: str = "") -> Item:
        item = self.alerts[key]
        item.update(decision=decision, decided_by=who, decided_at=stamp(now()))
        item["history"].append({"at": stamp(now()), "actor": who, "what": decision, "note": note})
        if decision == "confirmed":
            self._open_case(item, who)
        return item

    def _open_case(self, alert: Item, who: str) -> None:
        number = len(self.cases) + 1
        matter = alert["matter"] or {"code": "90009", "name_zh": "车辆超速", "name_en": "Overspeed"}
        urls = [e["url"] for e in alert["evidence"] if e["url"]]
        case = {
            "id": number,
            "number": f"AK20261123-{number:04}",
            "state": "reported",
            "stage": "collect",
            "title": f"{alert['source_name']}{matter['name_zh']}",
            "matter": matter,
            "version": 1,
            "level": alert["level"],
            "opened_at": stamp(now()),
            "updated_at": stamp(now()),
            "closed_at": None,
            "source": "camera",
            "alerts": [alert["id"]],
            "picture": urls[0] if urls else None,
            "generated": True,
            **{k: alert[k] for k in ("grid", "grids", "lat", "lon")},
            "clock": clock(number),
            "history": [
                {
                    "at": stamp(now()),
                    "actor": who,
                    "action": "open",
                    "from_state": None,
                    "to_state": "reported",
                    "note": "",
                }
            ],
        }
        self.cases[str(number)] = case
        alert["case"] = {"id": number, "number": case["number"], "state": "reported"}

    def twin(self, key: str, *, away_lon: float, **more: object) -> Item:
        """A new case of the same matter, `away_lon` degrees east of a known one."""
        known, number = self.cases[key], len(self.cases) + 1
        name = {"id": number, "number": f"AK20261123-{number:04}"}
        state = {"state": "reported", "stage": "collect", "version": 1, "alerts": []}
        place = {"lon": known["lon"] + away_lon}
        self.cases[str(number)] = {**known, **name, **state, **place, **more}
        return self.cases[str(number)]

    def move(self, key: int | str, state: str, who: str, note: str) -> Item:
        case = self.cases[str(key)]
        case["history"].append(
            {
                "at": stamp(now()),
                "actor": who,
                "action": ACTION[state],
                "from_state": case["state"],
                "to_state": state,
                "note": note,
            }
        )
        case.update(
            state=state, stage=STAGE[state], version=case["version"] + 1, updated_at=stamp(now())
        )
        if state == "closed":
            case["closed_at"] = stamp(now())
        for key_alert in case["alerts"]:
            self.alerts[key_alert]["case"]["state"] = state
        return case

    def case_page(self, key: str, role: str = "operator") -> Item:
        case = self.cases[key]
        actions = []
        for state in NEXT.get(case["state"], []):
            action = ACTION[state]
            allowed = role in ("supervisor", "admin") or action not in SUPERVISOR_ONLY
            why = None if allowed else f"{action} needs the role supervisor"
            actions.append(
                {
                    "action": action,
                    "to_state": state,
                    "allowed": allowed,
                    "why_not": why or "",
                    "needs_note": action in NEEDS_NOTE,
                }
            )
        alerts = [self.alerts[a] for a in case["alerts"]]
        return {**case, "actions": actions, "alert_items": alerts}

    def feature_collection(self, level: int | None) -> Item:
        return {
            "type": "FeatureCollection",
            "features": [
                {
                    "type": "Feature",
                    "geometry": self.shapes[g["code"]].__geo_interface__,
                    "properties": {
                        k: g[k] for k in ("code", "name", "level", "parent", "synthetic")
                    },
                }
                for g in self.grids
                if level in (None, g["level"])
            ],
        }

    def summary(self) -> Item:
        states: dict[str, int] = {}
        for case in self.cases.values():
            states[case["state"]] = states.get(case["state"], 0) + 1
        shut = {"closed", "watching", "archived", "merged", "rejected", "cancelled"}
        return {
            "cameras": {
                "total": len(self.cameras),
                "ok": sum(c["state"] == "ok" and c["online"] for c in self.cameras.values()),
            },
            "blind": [
                {key: camera[key] for key in ("id", "name", "state")}
                | {"since": camera["state_since"]}
                for camera in self.cameras.values()
                if camera["state"] != "ok"
            ],
            "vehicles": {
                "total": len(self.vehicles),
                "online": sum(v["online"] for v in self.vehicles.values()),
            },
            "alerts": {
                "undecided": sum(a["decision"] is None for a in self.alerts.values()),
                "today": len(self.alerts),
            },
            "cases": {
                "open": sum(n for s, n in states.items() if s not in shut),
                "by_state": states,
            },
            "generated": True,
            "broker": "mosquitto",
            "site": {
                "name": "安康中心城区",
                "lat": CENTRE_LAT,
                "lon": CENTRE_LON,
                "zoom": 11.6,
                "time_zone": "Asia/Shanghai",
            },
        }
