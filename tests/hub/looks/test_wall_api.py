"""The last picture of every camera."""

import msgspec
import pytest

from hub.store import now
from tests.hub.looks.test_pictures import OPEN, ORIGINAL, SHA, World, taken
from tests.hub.world import alert_message
from wire.alert import EvidenceRef


@pytest.fixture
def world(store, tmp_path):
    return World(store, tmp_path, is_pinned=False)


def wall(world):
    items = world.call("GET", "/api/camera-pictures").json()["items"]
    return [(item["camera"], item["url"].rpartition("/")[2], item["of"]) for item in items]


def test_the_picture_of_an_alert_is_shown_when_it_is_here(world):
    file = EvidenceRef(SHA, len(OPEN), "image/jpeg", "clean")
    world.hear("alert", alert_message(3, alert="b", at=now(), evidence=[file]))
    assert wall(world) == []
    assert world.put(OPEN) == 201
    assert wall(world) == [("cam-1/gate", SHA, "alert")]


def test_a_snapshot_is_shown_and_never_its_original(world):
    asked = {"op": "camera.snapshot", "args": {"camera": "gate"}}
    order = world.call("POST", "/api/devices/cam-1/orders", json=asked).json()["id"]
    world.answer({"evidence": msgspec.to_builtins(taken())}, order)
    assert world.put(OPEN) == 201
    assert world.put(ORIGINAL, sealed=True) == 201
    assert wall(world) == [("cam-1/gate", SHA, "snapshot")]
