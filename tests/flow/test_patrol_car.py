"""A patrol car with a camera and a receiver drives past heaps three times; the network is cut."""

import os
import threading
from collections import Counter
from datetime import UTC, timedelta

import cv2
import msgspec
import pytest

from edge import lookout
from edge.agent import Agent
from edge.camera.errors import BadSource
from edge.config import load_edge
from edge.detect import commands
from edge.moving import apart_m
from hub import pipeline
from hub.alerts.store import alerts
from hub.store import Store
from scenes.vehicles import sentence
from tests.edge.camera.footage import record, street
from tests.edge.detect.scripted import START
from tests.edge.detect.test_passing import MOUNT, Drive, degrees, seen
from tests.edge.test_agent import HEAP, LONG_S, Colours, hub, write_config  # noqa: F401
from tests.hub.test_pipeline import rows
from tests.hub.world import make_site, received
from wire.codec import decode

HEAPS = [(60.0, 3.0), (90.0, 3.0)]
HOME = {"lat": 32.6, "lon": 108.9}
"""Where the car stands at night: nowhere near the heaps."""
PASSES = [Drive(), Drive(west=True), Drive()]
TURN_S = 40  # standing at the end of the road before it goes back


@pytest.fixture(autouse=True)
def _colours(monkeypatch):
    monkeypatch.setattr(lookout, "open_proven", lambda _: Colours())


def drive_at(t_s):
    """The drive of a second, and the second within it; the last one of each is stood at its end."""
    for drive in PASSES[:-1]:
        if t_s < drive.seconds + TURN_S:
            return drive, min(t_s, drive.seconds)
        t_s -= drive.seconds + TURN_S
    return PASSES[-1], min(t_s, PASSES[-1].seconds)


SECONDS = sum(drive.seconds + TURN_S for drive in PASSES)


def picture(second, size):
    drive, t_s = drive_at(second)
    image = street(*size) // 2
    for thing in HEAPS:
        box = seen(drive, t_s, thing)
        if box is not None:
            corners = [(box.x, box.y), (box.x + box.w, box.y + box.h)]
            a, b = ((round(x * size[0]), round(y * size[1])) for x, y in corners)
            cv2.rectangle(image, a, b, HEAP, -1)
    return image


def nmea(path, until_s=SECONDS):
    """What a receiver says once a second: place, speed and, while it moves, its course."""
    lines = []
    for second in range(int(until_s)):
        drive, t_s = drive_at(second)
        east, north, heading = drive.at(t_s)
        lat, lon = degrees(east, north)
        at = (START + timedelta(seconds=second)).astimezone(UTC)
        moves = t_s < drive.seconds
        speed = drive.speed_ms * 3.6 / 1.852 if moves else 0.0
        where = f"{int(lat):02d}{lat % 1 * 60:08.5f},N,{int(lon):03d}{lon % 1 * 60:08.5f},E"
        course = f"{heading:.1f}" if moves else ""
        lines.append(
            sentence(f"GNRMC,{at:%H%M%S}.00,A,{where},{speed:.2f},{course},{at:%d%m%y},,,A")
        )
    path.write_text("".join(lines))
    return path


def patrol(folder, port, **position):
    video = record(
        folder / "dash.mp4", seconds=SECONDS, fps=4, gop=4, size=(640, 360), pictures=picture
    )
    os.utime(video, (START.timestamp(), START.timestamp()))
    nmea(folder / "car.nmea")
    dash = {
        "id": "dash",
        "source": "dash.mp4",
        "real_time": False,
        "looks_per_s": 2,
        "position": {"from": "gps", "home": HOME, "mount": MOUNT.model_dump(), **position},
        "zones": [{"id": "road", "dwell_s": 5, "labels": ["garbage"]}],
    }
    receiver = {"id": "gps", "vehicle": "patrol", "source": "car.nmea", "real_time": False}
    return write_config(folder, port, cameras=[dash], receivers=[receiver])


def run(path):
    return Agent(load_edge(path)).run(threading.Event())


def nearest(row):
    return min(range(2), key=lambda n: apart_m(row.lat, row.lon, *degrees(*HEAPS[n])))


@pytest.fixture
def sqlite_store(tmp_path):
    store = Store(f"sqlite:///{tmp_path}/hub.sqlite")
    store.migrate()
    yield store
    store.close()


def test_three_passes_are_one_alert_a_heap_although_the_network_was_cut(
    tmp_path,
    hub,  # noqa: F811
    sqlite_store,
    monkeypatch,
):
    monkeypatch.setattr("edge.agent.DRAIN_S", 0.5)
    monkeypatch.setattr("edge.agent.FAREWELL_S", 0.5)
    config = patrol(tmp_path, hub.port)
    hub.say(online=False)
    assert run(config) == []
    assert hub.bodies("alert") == []
    monkeypatch.setattr("edge.agent.DRAIN_S", LONG_S)
    hub.say(online=True)
    record(tmp_path / "dash.mp4", seconds=1)
    (tmp_path / "car.nmea").write_text("")
    assert run(config) == []

    bodies = hub.bodies("alert")
    # Two heaps three times: the alert, its pictures a moment later, its end.
    assert Counter(body["state"] for body in bodies) == {"new": 6, "update": 6, "end": 6}
    sent = [msgspec.json.encode(body) for body in bodies]
    site = make_site(sqlite_store, tmp_path)
    for raw in sent:
        with sqlite_store.write() as tx:
            pipeline.take(tx, site, "alert", [received(decode("alert", raw))])
    kept = rows(sqlite_store, alerts, alerts.c.since)
    first = [row for row in kept if row.duplicate_of is None]
    assert sorted(row.times_seen for row in first) == [3, 3]
    assert {nearest(row) for row in first} == {0, 1}
    for row in kept:
        assert (row.place, row.state) == ("vehicle", "active")
        assert apart_m(row.lat, row.lon, *degrees(*HEAPS[nearest(row)])) < 6


def test_a_recording_of_the_car_is_replayed_with_its_receivers_log(tmp_path, monkeypatch):
    monkeypatch.setattr(commands, "open_proven", lambda _: Colours())
    config = load_edge(patrol(tmp_path, 1))
    video, log = tmp_path / "dash.mp4", tmp_path / "car.nmea"
    lines = list(commands.replay(video, config.cameras[0], track=log))
    new = [line for line in lines if line.get("state") == "new"]
    assert [line["place"]["source"] for line in new] == ["vehicle"] * 6
    assert lines[-1]["summary"]["alerts"] == 6
    with pytest.raises(BadSource, match="--nmea"):
        list(commands.replay(video, config.cameras[0]))
