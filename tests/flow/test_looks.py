"""A camera asked to look again: a running agent, a real broker and hub, and its pictures."""

import cv2
import numpy as np
import pytest

from tests.flow.stage import LONG_S, staged
from tests.hub.broker import wait_for

pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def city(tmp_path, monkeypatch):
    with staged(tmp_path, monkeypatch) as (world, stage):
        yield world, stage


def look(world, alert, **wanted):
    order = world.call("POST", f"/api/alerts/{alert}/look", json=wanted).json()["order"]

    def answered():
        looks = world.call("GET", f"/api/alerts/{alert}/looks").json()["items"]
        return next((each for each in looks if each["order"] == order and each["answer"]), None)

    return wait_for(answered, LONG_S)


def test_a_heap_is_still_there_and_then_gone_and_both_are_shown(city):
    world, stage = city
    taken = world.snapshot()
    stage.has_heap = True
    alert = wait_for(world.alerts, LONG_S)[0]["id"]
    world.pictured(alert)
    there = look(world, alert, seconds=4, looks=5)
    assert (there["answer"], there["reasons"]) == ("present", ["looks_as_with", "seen"])
    assert there["confidence"] > 0.8

    sha256 = taken["evidence"][0]["sha256"]
    wait_for(lambda: world.call("GET", f"/api/evidence/{sha256}").status_code == 200, LONG_S)
    picture = world.call("GET", f"/api/evidence/{sha256}").content
    assert cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR).shape == (180, 320, 3)

    stage.has_heap = False
    world.ended(alert)
    gone = look(world, alert, seconds=4, looks=5)
    assert (gone["answer"], gone["reasons"]) == ("gone", ["looks_as_without", "not_seen"])

    def shown():
        looks = world.call("GET", f"/api/alerts/{alert}/looks").json()["items"]
        files = [file for look in looks for file in look["evidence"]]
        is_whole = len(looks) == 2 and len(files) >= 4 and all(file["url"] for file in files)
        return is_whole and files

    files = wait_for(shown, LONG_S)
    assert {file["proof"]["state"] for file in files} == {"verified"}
