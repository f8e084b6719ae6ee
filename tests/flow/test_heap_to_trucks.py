"""A truck tips a heap before a camera: the hub names that truck, and not those before and after."""

import os
import threading
from datetime import timedelta

import cv2
import msgspec
import pytest

from edge.agent import Agent
from edge.config import load_edge
from hub import pipeline
from hub.alerts.alert import alert_id
from hub.store import Store
from tests.edge.camera.footage import record, street
from tests.edge.detect.scripted import START
from tests.edge.test_agent import HEAP, _colours, camera, hub, write_config  # noqa: F401
from tests.hub.test_api import caller, client_of, furnished, tokens_of
from tests.hub.test_judging import judge_all, truck
from tests.hub.world import received, track_message
from wire.codec import decode
from wire.status import VehicleBirth
from wire.track import VALID, TrackPoint

PLACE = (32.72, 109.02)
COMES, GOES, SECONDS = 60, 90, 150
LORRY = (40, 160, 60)


def picture(second, size):
    """A lorry stands before the place for half a minute; when it has gone, a heap lies there."""
    image = street(*size) // 2
    if second >= COMES + 10:
        cv2.rectangle(image, (100, 100), (160, 150), HEAP, -1)
    if COMES <= second < GOES:
        cv2.rectangle(image, (60, 60), (220, 170), LORRY, -1)
    return image


def standing(vehicle, from_s, until_s, seq=0):
    """Fixes of a truck that stands at the place, a fix every five seconds."""
    at = [START + timedelta(seconds=s) for s in range(from_s, until_s + 1, 5)]
    fixes = [
        TrackPoint(seq + n, int(each.timestamp() * 1000), PLACE[1], PLACE[0], 0.0, None, VALID)
        for n, each in enumerate(at)
    ]
    return track_message(seq, dev="car-1", vehicle=vehicle, fixes=fixes, ts=fixes[-1].ts)


@pytest.fixture
def centre(tmp_path):
    store = Store(f"sqlite:///{tmp_path}/hub.sqlite")
    store.migrate()
    built = furnished(tmp_path / "hub", store)
    named = [VehicleBirth(id=v, plate=v, kind="spoil_truck") for v in ("early", "tipper", "late")]
    truck(store, built.site, vehicles=named)
    yield built
    store.close()


def test_the_truck_that_hid_the_place_is_named_and_no_other(tmp_path, hub, centre):  # noqa: F811
    video = record(tmp_path / "street.mp4", seconds=SECONDS, fps=4, gop=4, pictures=picture)
    os.utime(video, (START.timestamp(), START.timestamp()))
    gate = camera(video, position={"lat": PLACE[0], "lon": PLACE[1]})
    gate["zones"] = [{"id": "all", "dwell_s": 20, "labels": ["garbage"]}]
    config = write_config(tmp_path, hub.port, cameras=[gate])
    assert Agent(load_edge(config)).run(threading.Event()) == []

    (body,) = [body for body in hub.bodies("alert") if body["state"] == "new"]
    begin_ms = START.timestamp() * 1000
    # What no detector names is told from the scene after a few looks; the hub leaves a minute.
    assert COMES - 5 < (body["last_clean"] - begin_ms) / 1000 < COMES + 15
    alert = decode("alert", msgspec.json.encode(body))
    fixes = [
        standing("early", -1500, -1400),
        standing("tipper", COMES, GOES, seq=1000),
        standing("late", GOES + 240, GOES + 300, seq=2000),
    ]
    with centre.store.write() as tx:
        pipeline.take(tx, centre.site, "alert", [received(alert)])
        pipeline.take(tx, centre.site, "track", [received(each) for each in fixes])
    judge_all(centre.store, centre.site)
    call = caller(client_of(centre), tokens_of(centre))
    found = call("GET", f"/api/alerts/{alert_id(alert)}/trucks-near").json()
    assert found["basis"] == "clean"
    assert [lead["plate"] for lead in found["items"]] == ["tipper"]
    half_an_hour = (START - timedelta(minutes=30)).isoformat().replace("+00:00", "Z")
    wider = call("GET", f"/api/alerts/{alert_id(alert)}/trucks-near?from={half_an_hour}").json()
    assert {lead["plate"] for lead in wider["items"]} == {"early", "tipper"}
