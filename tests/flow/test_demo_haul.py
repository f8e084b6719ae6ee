"""What the demo gives its muck truck is taken by the hub as it is, and judges the truck's round."""

from datetime import date, timedelta
from itertools import islice

import pytest

from hub import pipeline
from hub.store import Store
from scenes.vehicles import FLEET, moves, wgs84
from tests.hub.test_api import client_of, furnished, tokens_of
from tests.hub.test_judging import judge_all, truck
from tests.hub.world import NOON, ms, received, track_message
from tianyan import haul_sample
from wire.status import VehicleBirth
from wire.track import VALID, TrackPoint

HOURS = 2


@pytest.fixture
def hub(tmp_path):
    store = Store(f"sqlite:///{tmp_path}/hub.sqlite")
    store.migrate()
    yield furnished(tmp_path, store)
    store.close()


def posted(hub):
    """The demo's sample, given as the demo gives it."""
    client = client_of(hub)
    bearer = {"Authorization": f"Bearer {tokens_of(hub)['admin']}"}
    fences = client.post("/api/fences", json=haul_sample.sample_fences(), headers=bearer)
    assert fences.json() == {"imported": 3, "changed": 3}
    table = haul_sample.sample_permits(NOON.date()).encode()
    kind = {"Content-Type": "text/csv; charset=utf-8"}
    permits = client.post("/api/permits", content=table, headers=bearer | kind)
    assert permits.json() == {"imported": 1, "changed": 1}
    return client, bearer


def test_the_sample_says_that_it_is_made_up_and_the_truck_is_judged_by_it(hub):
    client, bearer = posted(hub)
    (permit,) = client.get("/api/permits", headers=bearer).json()["items"]
    assert "示意" in permit["number"]
    names = [each["feature"]["properties"]["name"]
             for each in client.get("/api/fences", headers=bearer).json()["items"]]  # fmt: skip
    assert all("示意" in name for name in names)
    driven = FLEET[0]
    truck(hub.store, hub.site, vehicles=[VehicleBirth("v1", plate=driven.plate, kind=driven.kind)])
    points = []
    for second, move in enumerate(islice(moves(driven), HOURS * 3600)):
        if second % 10 == 0:
            lat, lon = wgs84(move.east_m, move.north_m)
            at = ms(NOON + timedelta(seconds=second))
            points.append(TrackPoint(len(points), at, lon, lat, move.speed_kmh, None, VALID))
    for start in range(0, len(points), 300):
        some = points[start : start + 300]
        message = track_message(some[0].seq, fixes=some, ts=some[-1].ts)
        with hub.store.write() as tx:
            pipeline.take(tx, hub.site, "track", [received(message)])
    judge_all(hub.store, hub.site)
    found = client.get("/api/vehicle-events?limit=500", headers=bearer).json()["items"]
    kinds = {(each["kind"], each["subject"]) for each in found}
    assert ("fence_inside", haul_sample.BANK) in kinds
    assert any(kind in {"off_route", "wrong_site"} for kind, _ in kinds)


def test_the_permit_is_valid_today():
    assert f'"{date(2026, 1, 1).isoformat()}"' in haul_sample.sample_permits(date(2026, 1, 31))
