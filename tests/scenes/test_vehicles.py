import json
import math
from datetime import UTC, datetime, timedelta
from functools import reduce
from itertools import islice, pairwise
from operator import xor
from pathlib import Path

import pytest

from scenes.vehicles import FLEET, FleetVehicle, drive, live, truth_path, write_nmea

START = datetime(2026, 5, 6, 23, 50, tzinfo=UTC)
HANBIN = (32.369033, 33.284609, 108.500602, 109.384471)
"""Bounding box of the county outline: south, north, west, east."""


def fields_of(line: str) -> list[str]:
    body, given = line[1:].split("*")
    assert int(given, 16) == reduce(xor, body.encode(), 0), line
    return body.split(",")


def degrees(text: str, hemisphere: str) -> float:
    whole = int(float(text) // 100)
    value = whole + (float(text) - whole * 100) / 60
    return value if hemisphere in "NE" else -value


def metres(a: tuple[float, float], b: tuple[float, float]) -> float:
    north = (b[0] - a[0]) * 111_320
    return math.hypot(north, (b[1] - a[1]) * 111_320 * math.cos(math.radians(a[0])))


@pytest.fixture(params=FLEET, ids=lambda vehicle: vehicle.id)
def vehicle(request: pytest.FixtureRequest) -> FleetVehicle:
    return request.param


def test_every_sentence_is_sound_and_lies_in_hanbin(vehicle: FleetVehicle, tmp_path: Path) -> None:
    log = tmp_path / "day.nmea"
    write_nmea(vehicle, log, START, 900)
    raw = log.read_bytes().decode("ascii")
    lines = raw.split("\r\n")[:-1]
    assert len(lines) == 1800
    last = None
    for rmc, gga in zip(lines[::2], lines[1::2], strict=True):
        one, two = fields_of(rmc), fields_of(gga)
        assert one[0] == f"{vehicle.talker}RMC"
        assert two[0] == f"{vehicle.talker}GGA"
        assert one[2] == "A"
        assert one[1] == two[1]
        assert one[3:7] == two[2:6]
        at = datetime.strptime(one[9] + one[1], "%d%m%y%H%M%S.%f").replace(tzinfo=UTC)
        assert last is None or at - last == timedelta(seconds=1)
        last = at
        lat, lon = degrees(one[3], one[4]), degrees(one[5], one[6])
        assert HANBIN[0] < lat < HANBIN[1]
        assert HANBIN[2] < lon < HANBIN[3]
        assert 0 <= float(one[7]) * 1.852 < vehicle.cruise_kmh + 3
    assert last == START + timedelta(seconds=899)


def test_beidou_speaks_too() -> None:
    assert {vehicle.talker for vehicle in FLEET} == {"GN", "BD"}


def test_truth_tells_trips_and_stops(vehicle: FleetVehicle, tmp_path: Path) -> None:
    log = tmp_path / "day.nmea"
    day = write_nmea(vehicle, log, START, 3600)
    truth = json.loads(truth_path(log).read_text(encoding="utf-8"))
    assert truth["generated"] is True
    assert truth["kind"] == vehicle.kind
    assert [stop["reason"] for stop in truth["stops"]] == [
        call.reason for call in islice(vehicle.round * 9, len(day.stops))
    ]
    assert all(trip["distance_m"] > 100 for trip in truth["trips"][:-1])
    spans = sorted((part["start"], part["end"]) for part in truth["stops"] + truth["trips"])
    assert spans[0][0] == START.isoformat()
    assert all(a[1] == b[0] for a, b in pairwise(spans))


def test_movement_is_possible(vehicle: FleetVehicle) -> None:
    for a, b in pairwise(drive(vehicle, START, 1800).moves):
        assert math.hypot(b.east_m - a.east_m, b.north_m - a.north_m) < 13
        assert b.speed_kmh - a.speed_kmh < 25


def test_standing_still_drifts_but_stays(vehicle: FleetVehicle) -> None:
    places = []
    for _, data in islice(live(vehicle, START), int(vehicle.round[0].stay_s)):
        rmc = fields_of(data.decode().split("\r\n")[0])
        places.append((degrees(rmc[3], rmc[4]), degrees(rmc[5], rmc[6])))
    away = [metres(places[0], place) for place in places]
    assert 0.3 < max(away) < 15


def test_live_gives_what_the_log_holds(vehicle: FleetVehicle, tmp_path: Path) -> None:
    log = tmp_path / "day.nmea"
    write_nmea(vehicle, log, START, 60)
    played = b"".join(data for _, data in islice(live(vehicle, START), 60))
    assert played == log.read_bytes()
