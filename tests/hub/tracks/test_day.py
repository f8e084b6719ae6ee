import csv
import io
import json
from datetime import UTC, datetime

import openpyxl
import pytest

from hub.alerts.store import alerts
from hub.grid.fence import Area
from hub.grid.geojson import read_areas
from hub.grid.hours import Hours
from hub.tracks.geofence import Geofence, Purpose
from hub.tracks.judged_store import vehicle_events
from tests.hub.test_api import caller, client_of, furnished, tokens_of
from tests.hub.test_judging import fences, fix, judge_all, numbered, rows, send, truck, way
from tests.hub.tracks.test_commands import site_feature
from tests.hub.world import after
from tests.shared import SHARED, needs_shared
from wire.track import ACC_ON, TIME_REPAIRED, VALID, TrackPoint, body_of

DAY = "2026-11-23"
TRUCK = "car-1/v1"


@pytest.fixture
def hub(tmp_path, store):
    built = furnished(tmp_path, store)
    truck(store, built.site)
    return built


@pytest.fixture
def call(hub):
    return caller(client_of(hub), tokens_of(hub))


def drive(hub):
    send(
        hub.store,
        hub.site,
        numbered(
            way(0, 900, flags=VALID | ACC_ON),
            way(900, 600, kmh=50),
            way(1500, 600, 50 / 3.6 * 600),
            way(5400, 300, 8400, kmh=80),
        ),
    )
    judge_all(hub.store, hub.site)


def test_a_day_has_trips_stops_idling_and_what_is_unknown(call, hub):
    drive(hub)
    day = call("GET", f"/api/vehicles/{TRUCK}/days/{DAY}").json()
    assert [len(day[name]) for name in ("trips", "stops", "idle")] == [2, 2, 1]
    assert day["distance_km"] == pytest.approx(8.3 + 6.6, abs=0.4)
    assert day["idle_s"] == pytest.approx(890, abs=20)
    assert day["standing_s"] == pytest.approx(1490, abs=60)
    hours = 24 * 3600
    assert day["known_s"] + day["unknown_s"] == hours
    assert day["known_s"] == pytest.approx(2090 + 290, abs=20)
    assert len(day["unknown"]) == 3
    assert [each["kind"] for each in day["events"]] == ["offline", "overspeed"]
    assert day["start"] == "2026-11-22T16:00:00.000Z"


def test_a_day_nobody_knows_anything_of(call, hub):
    day = call("GET", f"/api/vehicles/{TRUCK}/days/2026-01-01").json()
    assert (day["positions"], day["known_s"], day["unknown_s"]) == (0, 0, 24 * 3600)
    assert call("GET", "/api/vehicles/none/days/2026-01-01").status_code == 404
    assert call("GET", f"/api/vehicles/{TRUCK}/days/soon").status_code == 422


def test_positions_that_are_not_believed_are_counted_by_their_reason(call, hub):
    good = numbered(way(0, 60, kmh=36))
    odd = [
        fix(10, 60, 600, flags=0),
        TrackPoint(11, fix(0, 70).ts, 0.0, 0.0),
        fix(12, 80, 800, kmh=36),
        fix(13, 80, 800, kmh=36),
        fix(14, 80, 900, kmh=36),
        fix(15, 90, 60_000, kmh=36),
        fix(16, 100, 1000, kmh=36, flags=VALID | TIME_REPAIRED),
        fix(17, 3600, 1000),
    ]
    send(hub.store, hub.site, [*good, *odd], at=after(110))
    day = call("GET", f"/api/vehicles/{TRUCK}/days/{DAY}").json()
    assert day["doubts"] == {
        "duplicate": 1,
        "future": 1,
        "jump": 1,
        "not_located": 1,
        "repaired": 1,
        "same_time": 1,
        "zero": 1,
    }
    assert (day["positions"], day["located"]) == (14, 12)


def test_a_day_as_a_table(call, hub):
    drive(hub)
    path = f"/api/vehicles/{TRUCK}/days/{DAY}/file"
    text = call("GET", f"{path}?format=csv").content.decode("utf-8-sig")
    lines = list(csv.DictReader(io.StringIO(text)))
    kinds = [line["kind"] for line in lines]
    assert kinds.count("trip") == 2
    assert kinds.count("overspeed") == 1
    assert [line["start"] for line in lines] == sorted(line["start"] for line in lines)
    book = openpyxl.load_workbook(io.BytesIO(call("GET", path).content))
    assert book.active.max_row == len(lines) + 1


def test_a_track_for_a_map_is_thin_and_in_its_datum(call, hub):
    drive(hub)
    span = "from=2026-11-23T00:00:00Z&to=2026-11-24T00:00:00Z"
    path = f"/api/vehicles/{TRUCK}/track?{span}"
    whole = call("GET", path).json()
    thin = call("GET", f"{path}&thin_m=5").json()
    assert thin["total"] == whole["total"] == len(whole["items"])
    assert len(thin["items"]) < 20
    moved = call("GET", f"{path}&thin_m=5&datum=gcj02").json()["items"][0]
    assert abs(moved["lon"] - thin["items"][0]["lon"]) > 0.001


@needs_shared
def test_the_lifts_of_a_real_day_are_judged_live(store, site):
    """The same verdicts as in the analysis of the table; dumping alone rings."""
    folder = SHARED / "data/gps/muck_truck_derived"
    (scenario,) = json.loads((folder / "scenarios.json").read_text())
    places = {"type": "FeatureCollection", "features": [
        site_feature(each, 0) for each in scenario["approved_sites"]
    ]}  # fmt: skip
    areas, _ = read_areas(places)
    fences(
        store,
        *(
            Geofence(p["name"], p["name"], Area(a), Purpose.DUMP, hours=Hours.read(p["hours"]))
            for _, p, a in areas
        ),
    )
    truck(store, site)
    points = _points(folder / scenario["track"])
    for start in range(0, len(points), 500):
        part = points[start : start + 500]
        send(store, site, part, at=datetime.fromtimestamp(part[-1].ts / 1000, UTC))
        judge_all(store, site)
    lifts = rows(store, vehicle_events, vehicle_events.c.start)
    found = [json.loads(row.facts)["verdict"] for row in lifts if row.kind == "unload"]
    assert found == [each["kind"] for each in scenario["expect"]]
    rung = rows(store, alerts)
    dumping = [row for row in rung if row.label == "illegal_dumping"]
    wanted = [e for e in scenario["expect"] if e["kind"] in ("illegal_place", "outside_hours")]
    assert sum(row.times_seen for row in dumping) == len(wanted)


def _points(path):
    with path.open() as file:
        table = list(csv.DictReader(file))
    return [
        TrackPoint(
            seq,
            int(datetime.fromisoformat(row["time_utc"]).timestamp() * 1000),
            float(row["lon"]),
            float(row["lat"]),
            float(row["speed_kmh"]) if row["speed_kmh"] else None,
            None,
            VALID,
            body_of(
                int(float(row["load"])) if row["load"] else None,
                hopper=row["hopper"].startswith("1") if row["hopper"] else None,
            ),
        )
        for seq, row in enumerate(table)
    ]
