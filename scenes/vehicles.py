"""Vehicle days: NMEA logs of a muck truck, a sweeper and a patrol car with known trips and stops.

The streets are generated: a bent grid over the middle of Hanbin district, no real road.
"""

from __future__ import annotations

import json
import math
import zlib
from collections import deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache, reduce
from itertools import groupby, islice, pairwise
from operator import xor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenes.camera import METRES_PER_DEGREE

Floats = NDArray[np.floating]
Node = tuple[int, int]

CENTRE = (32.6866, 109.0296)
COLUMNS, ROWS, BLOCK_M = 15, 11, 380.0
KNOTS_PER_KMH = 1 / 1.852
ALTITUDE_M, GEOID_M = 252.0, -28.6
ACCELERATION = 1.1
CORNER_KMH = 16.0
WANDER_M, WANDER_KEEP = 1.6, 0.97


@dataclass(frozen=True)
class Call:
    """A place to drive to and how long to stay there, and why; `kmh` where the way is no cruise."""

    node: Node
    stay_s: float
    reason: str
    kmh: float | None = None


@dataclass(frozen=True)
class FleetVehicle:
    """A vehicle of the demo: what it is, how fast it drives and its round, which repeats.

    `kind` as in the edge's receiver section. `talker`: the two letters before RMC and GGA.
    """

    id: str
    plate: str
    kind: str
    talker: str
    cruise_kmh: float
    lights: float
    round: tuple[Call, ...]


LOADING, DUMP, WILD = (2, 2), (13, 9), (10, 1)
FLEET: tuple[FleetVehicle, ...] = (
    FleetVehicle(
        "truck-01",
        "陕G·示001",
        "spoil_truck",
        "GN",
        42.0,
        0.2,
        (
            Call(LOADING, 240, "loading"),
            Call(DUMP, 150, "unloading"),
            Call(LOADING, 240, "loading"),
            Call(WILD, 120, "unloading off site"),
        ),
    ),
    FleetVehicle(
        "sweeper-01",
        "陕G·示002",
        "sanitation_vehicle",
        "BD",
        11.0,
        0.05,
        (
            Call((6, 4), 60, "water"),
            Call((9, 4), 20, "turning"),
            Call((9, 5), 20, "turning"),
            Call((6, 5), 20, "turning"),
            Call((6, 6), 20, "turning"),
            Call((9, 6), 20, "turning"),
        ),
    ),
    FleetVehicle(
        "patrol-01",
        "陕G·示003",
        "enforcement_vehicle",
        "GN",
        30.0,
        0.3,
        (
            Call((7, 5), 180, "office"),
            Call((4, 7), 120, "check"),
            Call((9, 8), 90, "check"),
            Call((11, 4), 120, "check"),
            Call((5, 3), 60, "check"),
        ),
    ),
)


YESTERDAY: tuple[FleetVehicle, ...] = (
    FleetVehicle(
        "patrol-01",
        "陕G·示003",
        "enforcement_vehicle",
        "GN",
        17.0,
        0.1,
        (
            *(
                Call(node, stay_s, "patrol")
                for node, stay_s in (
                    ((7, 5), 120), ((3, 5), 60), ((3, 8), 60), ((7, 8), 60), ((7, 2), 60),
                    ((4, 2), 60), ((4, 6), 60), ((9, 6), 60), ((9, 3), 60), ((6, 3), 60),
                )
            ),
            Call((11, 6), 1500, "parked", kmh=50.0),
            Call((9, 6), 60, "patrol", kmh=50.0),
        ),
    ),
    FLEET[1],
)  # fmt: skip
"""How the patrol car and the sweeper spent the day before.

The patrol looks at the west, rushes through the east, and parks there.
"""


@dataclass(frozen=True)
class Stop:
    """Standing still: why, from when to when (UTC), where."""

    reason: str
    start: str
    end: str
    lat: float
    lon: float


@dataclass(frozen=True)
class Trip:
    """Driving between two stays."""

    start: str
    end: str
    distance_m: float


@dataclass(frozen=True)
class Move:
    """One second of true movement: metres from the centre, speed, and why it stands (or "")."""

    east_m: float
    north_m: float
    speed_kmh: float
    course_deg: float
    reason: str = ""


@dataclass(frozen=True)
class Day:
    """A vehicle's day, one move a second, and what it amounts to."""

    start: datetime
    moves: tuple[Move, ...]
    stops: tuple[Stop, ...]
    trips: tuple[Trip, ...]


@lru_cache(maxsize=1)
def _nodes() -> dict[Node, tuple[float, float]]:
    """Crossings of the generated streets, metres east and north of the centre."""
    rng = np.random.default_rng(610902)
    turn = math.radians(14)
    found = {}
    for column in range(COLUMNS):
        for row in range(ROWS):
            x = (column - COLUMNS // 2) * BLOCK_M + rng.normal(0, 45)
            y = (row - ROWS // 2) * BLOCK_M + rng.normal(0, 45)
            y += 220 * math.sin(column / 3.1)
            found[column, row] = (
                x * math.cos(turn) - y * math.sin(turn),
                x * math.sin(turn) + y * math.cos(turn),
            )
    return found


@lru_cache(maxsize=1)
def _missing() -> frozenset[tuple[Node, Node]]:
    """Blocks without a street between them, so that routes bend."""
    rng = np.random.default_rng(91)
    pairs = [
        pair
        for c in range(COLUMNS)
        for r in range(ROWS)
        for pair in (((c, r), (c + 1, r)), ((c, r), (c, r + 1)))
    ]
    return frozenset(pair for pair in pairs if rng.random() < 0.12)


def route(start: Node, goal: Node) -> list[Node]:
    """The fewest blocks from one crossing to another."""
    came: dict[Node, Node] = {start: start}
    queue = deque([start])
    while queue:
        here = queue.popleft()
        if here == goal:
            break
        for step in ((1, 0), (0, 1), (-1, 0), (0, -1)):
            there = (here[0] + step[0], here[1] + step[1])
            pair = (min(here, there), max(here, there))
            if there in _nodes() and there not in came and pair not in _missing():
                came[there] = here
                queue.append(there)
    way = [goal]
    while way[-1] != start:
        way.append(came[way[-1]])
    return way[::-1]


def wgs84(east_m: float, north_m: float) -> tuple[float, float]:
    """Latitude and longitude of metres east and north of the centre."""
    lat = CENTRE[0] + north_m / METRES_PER_DEGREE
    lon = CENTRE[1] + east_m / (METRES_PER_DEGREE * math.cos(math.radians(CENTRE[0])))
    return lat, lon


def place_of(node: Node) -> tuple[float, float]:
    """Latitude and longitude of a crossing."""
    return wgs84(*_nodes()[node])


def _rounded(points: Floats) -> Floats:
    """Corners cut twice (Chaikin), so that courses turn smoothly."""
    for _ in range(3):
        first, last = points[:1], points[-1:]
        near, far = points[:-1] * 0.85 + points[1:] * 0.15, points[:-1] * 0.15 + points[1:] * 0.85
        inner = np.stack([near, far], axis=1).reshape(-1, 2)
        points = np.concatenate([first, inner, last])
    return points


def _speeds(points: Floats, cruise_kmh: float, halts: list[float]) -> tuple[Floats, Floats]:
    """Distance along the line every 5 m and the speed in m/s allowed there."""
    steps = np.hypot(*np.diff(points, axis=0).T)
    along = np.concatenate([[0.0], np.cumsum(steps)])
    grid = np.arange(0, along[-1], 5.0)
    x, y = (np.interp(grid, along, points[:, k]) for k in (0, 1))
    heading = np.unwrap(np.arctan2(np.gradient(y), np.gradient(x)))
    bend = np.abs(np.gradient(heading)) / 5
    limit = np.full(len(grid), cruise_kmh / 3.6)
    limit = np.minimum(limit, np.where(bend > 0.006, CORNER_KMH / 3.6, np.inf))
    limit[[0, -1]] = 0.0
    for halt in halts:
        limit[min(int(halt / 5), len(grid) - 1)] = 0.0
    for order in (range(1, len(grid)), range(len(grid) - 2, -1, -1)):
        for i in order:
            near = limit[i - 1] if order.step > 0 else limit[i + 1]
            limit[i] = min(limit[i], math.sqrt(near**2 + 2 * ACCELERATION * 5))
    return grid, limit


def _leg(
    vehicle: FleetVehicle, start: Node, call: Call, rng: np.random.Generator
) -> Iterator[tuple[float, float, float]]:
    """East, north, speed each second from one call to the next; halts at some crossings."""
    nodes = route(start, call.node)
    points = _rounded(np.array([_nodes()[node] for node in nodes]))
    length = float(np.hypot(*np.diff(points, axis=0).T).sum())
    halts = [
        h for h in np.arange(BLOCK_M * 0.92, length - 60, BLOCK_M) if rng.random() < vehicle.lights
    ]
    grid, limit = _speeds(points, call.kmh or vehicle.cruise_kmh, halts)
    steps = np.hypot(*np.diff(points, axis=0).T)
    along = np.concatenate([[0.0], np.cumsum(steps)])
    travelled, waiting = 0.0, [h for h in halts if h < grid[-1]]
    while travelled < grid[-1] - 1:
        allowed = float(np.interp(travelled, grid, limit))
        if waiting and travelled >= waiting[0] - 3:
            waiting.pop(0)
            for _ in range(int(rng.integers(8, 35))):
                yield _at(points, along, travelled, 0.0)
        speed = max(allowed, 1.2)
        travelled += speed
        yield _at(points, along, min(travelled, grid[-1]), speed)


def _at(
    points: Floats, along: Floats, travelled: float, speed: float
) -> tuple[float, float, float]:
    east = float(np.interp(travelled, along, points[:, 0]))
    north = float(np.interp(travelled, along, points[:, 1]))
    return east, north, speed


def moves(vehicle: FleetVehicle) -> Iterator[Move]:
    """The vehicle's movement, second by second, without end; the same in every run."""
    rng = np.random.default_rng([zlib.crc32(vehicle.id.encode()), 3])
    number, course = 0, 0.0
    while True:
        call = vehicle.round[number % len(vehicle.round)]
        then = vehicle.round[(number + 1) % len(vehicle.round)]
        east, north = _nodes()[call.node]
        for _ in range(int(call.stay_s)):
            yield Move(east, north, 0.0, course, call.reason)
        for x, y, speed in _leg(vehicle, call.node, then, rng):
            if speed > 0:
                course = math.degrees(math.atan2(x - east, y - north)) % 360
            east, north = x, y
            yield Move(x, y, speed * 3.6, course)
        number += 1


def drive(vehicle: FleetVehicle, start: datetime, duration_s: int) -> Day:
    """The true movement over `duration_s` seconds from `start` (UTC)."""
    driven = tuple(islice(moves(vehicle), duration_s))
    stops, trips, begun = [], [], 0
    for reason, group in groupby(driven, key=lambda move: move.reason):
        span = list(group)
        ended = begun + len(span)
        if reason:
            lat, lon = wgs84(span[0].east_m, span[0].north_m)
            stops.append(Stop(reason, _iso(start, begun), _iso(start, ended), lat, lon))
        else:
            metres = sum(
                math.hypot(b.east_m - a.east_m, b.north_m - a.north_m) for a, b in pairwise(span)
            )
            trips.append(Trip(_iso(start, begun), _iso(start, ended), round(metres, 1)))
        begun = ended
    return Day(start, driven, tuple(stops), tuple(trips))


def _iso(start: datetime, seconds: int) -> str:
    return (start + timedelta(seconds=seconds)).isoformat()


def sentence(body: str) -> str:
    """A sentence with `$`, checksum and line end (NMEA 0183: XOR of what lies between $ and *)."""
    return f"${body}*{reduce(xor, body.encode(), 0):02X}\r\n"


def _angle(value: float, degrees: int, positive: str, negative: str) -> str:
    whole, minutes = divmod(abs(value) * 60, 60)
    if round(minutes, 5) >= 60:
        whole, minutes = whole + 1, 0.0
    return f"{int(whole):0{degrees}d}{minutes:08.5f},{positive if value >= 0 else negative}"


def sentences(vehicle: FleetVehicle, start: datetime) -> Iterator[tuple[datetime, str]]:
    """(UTC second, RMC and GGA sentence) once a second without end, with the receiver's errors.

    The error is correlated: it drifts on while the vehicle stands.
    """
    rng = np.random.default_rng([zlib.crc32(vehicle.id.encode()), 4])
    error, push = np.zeros(2), WANDER_M * math.sqrt(1 - WANDER_KEEP**2)
    for second, move in enumerate(moves(vehicle)):
        at = start.astimezone(UTC) + timedelta(seconds=second)
        error = WANDER_KEEP * error + rng.normal(0, push, 2)
        lat, lon = wgs84(move.east_m + error[0], move.north_m + error[1])
        where = f"{_angle(lat, 2, 'N', 'S')},{_angle(lon, 3, 'E', 'W')}"
        speed = max(0.0, move.speed_kmh + rng.normal(0, 0.25))
        course = f"{(move.course_deg + rng.normal(0, 1.2)) % 360:.1f}" if speed > 3 else ""
        clock, date = at.strftime("%H%M%S.00"), at.strftime("%d%m%y")
        used, hdop = int(rng.integers(9, 19)), rng.uniform(0.6, 1.3)
        height = ALTITUDE_M + 0.8 * error[0] + 4 * math.sin(second / 400)
        knots = speed * KNOTS_PER_KMH
        rmc = f"{vehicle.talker}RMC,{clock},A,{where},{knots:.2f},{course},{date},,,A"
        fix = f"1,{used:02d},{hdop:.2f},{height:.1f},M,{GEOID_M:.1f},M,,"
        yield at, sentence(rmc) + sentence(f"{vehicle.talker}GGA,{clock},{where},{fix}")


def live(vehicle: FleetVehicle, start: datetime | None = None) -> Iterator[tuple[datetime, bytes]]:
    """Endless (due time, bytes) from `start` (now when None), for replay at the real pace."""
    begin = (start or datetime.now(UTC)).replace(microsecond=0)
    for at, text in sentences(vehicle, begin):
        yield at, text.encode("ascii")


def truth_path(log: Path) -> Path:
    """Where the truth of a log lies."""
    return log.with_name(f"{log.name}.truth.json")


def write_nmea(vehicle: FleetVehicle, path: Path, start: datetime, duration_s: int) -> Day:
    """Write PATH (NMEA 0183, 1 Hz) and PATH.truth.json; returns the true day."""
    day = drive(vehicle, start, duration_s)
    with path.open("w", encoding="ascii", newline="") as log:
        log.writelines(text for _, text in islice(sentences(vehicle, start), duration_s))
    document: dict[str, Any] = {
        "generated": True,
        "notice": "示意轨迹 generated by Tianyan: no real vehicle, no real streets",
        "vehicle": vehicle.id,
        "plate": vehicle.plate,
        "kind": vehicle.kind,
        "start": start.astimezone(UTC).isoformat(),
        "duration_s": duration_s,
        "stops": [asdict(stop) for stop in day.stops],
        "trips": [asdict(trip) for trip in day.trips],
    }
    truth_path(path).write_text(
        json.dumps(document, ensure_ascii=False, indent=1), encoding="utf-8"
    )
    return day
