"""A heap that is reported gone and is not, then goes, then comes back: one case, all by itself."""

import time
from datetime import timedelta, timezone

import cv2
import numpy as np
import pytest

from edge import lookout
from hub.housekeeping import end_unanswered, settle_checks
from hub.roles import Role
from hub.store import Store, now
from tests.edge.test_agent import Colours, heap
from tests.flow import test_looks
from tests.flow.test_looks import DEV, World
from tests.hub.broker import wait_for
from tests.hub.proof.pictures import photo, street
from tests.servers.mosquitto import mosquitto

COMES_S, GOES_S, BACK_S, END_S = 6, 70, 120, 200
PLACE_TIME = timezone(timedelta(hours=8))


def twice(second, size):
    """The heap lies there, is taken away, and lies there again."""
    shown = heap(COMES_S, GOES_S) if second < BACK_S else heap(BACK_S, END_S)
    clean = shown(second, size)
    noise = np.random.default_rng(int(second * 100)).normal(0, 2, (size[1], size[0], 3))
    return cv2.add(clean, noise.astype(np.float32), dtype=cv2.CV_8U)


@pytest.fixture
def world(tmp_path, monkeypatch):
    monkeypatch.setattr(lookout, "open_proven", lambda *_a, **_k: Colours())
    monkeypatch.setattr(test_looks, "grainy", twice)
    monkeypatch.setattr(test_looks, "END_S", END_S)
    store = Store(f"sqlite:///{tmp_path / 'hub.sqlite'}")
    store.migrate()
    settings = {
        "rules": {"garbage": {"open_case": "at_once"}},
        "proof": {"look_s": 4, "looks": 5},
    }
    with mosquitto(tmp_path, {"hub": "hub-secret", DEV: "d-secret"}) as broker:
        built = World(tmp_path, store, broker, **settings)
        yield built
        built.close()


def page(world, case):
    return world.call("GET", f"/api/cases/{case['id']}").json()


def act(world, case, action, role=Role.ADMIN, **more):
    body = {"action": action, "version": page(world, case)["version"], "note": "because"}
    answer = world.call("POST", f"/api/cases/{case['id']}/actions", role=role, json=body | more)
    assert answer.status_code == 200, answer.text
    return answer.json()


def claim(world, case, seed):
    """The crew says that it is done, with a photo taken there and then."""
    at = now().astimezone(PLACE_TIME)
    data = photo(street(seed, heap=False), at, (case["lat"], case["lon"]))
    path = f"/api/cases/{case['id']}/photos"
    sent = world.call("POST", path, role=Role.OPERATOR, content=data)
    assert sent.status_code == 201, sent.text
    given = sent.json()
    assert given["verdict"] == "good", given
    return act(world, case, "feedback", Role.OPERATOR, photos=[given["id"]])


def settled(world, case, count):
    """All the checks of a case, once there are `count` and none is awaited."""

    def done():
        checks = world.call("GET", f"/api/cases/{case['id']}/proof").json()["checks"]
        return len(checks) == count and not any(c["awaited"] for c in checks) and checks

    return wait_for(done, 60)


@pytest.mark.timeout(420)
def test_a_fix_that_is_none_is_found_by_the_camera_and_so_is_the_rebound(world):
    case = wait_for(lambda: world.call("GET", "/api/cases").json()["items"], 60)[0]
    for action in ("file", "dispatch"):
        act(world, case, action)
    act(world, case, "accept", Role.OPERATOR)

    claim(world, case, 1)
    (check,) = settled(world, case, 1)
    assert (check["means"], check["result"]) == ("look", "present")
    assert check["false_rectification"]
    assert page(world, case)["state"] == "rework"
    looks = world.call("GET", f"/api/cases/{case['id']}/looks").json()["items"]
    assert looks[0]["order"] == check["look"]
    assert looks[0]["evidence"]

    wait_for(lambda: time.monotonic() - world.began_s > GOES_S + 8, 120)
    claim(world, case, 2)
    _, second = settled(world, case, 2)
    assert (second["result"], second["false_rectification"]) == ("gone", False)
    proof = world.call("GET", f"/api/cases/{case['id']}/proof").json()
    assert proof["proposal"] == "close"
    assert page(world, case)["state"] == "verifying_result"  # closed by a person alone
    assert act(world, case, "close", Role.SUPERVISOR)["state"] == "closed"

    wait_for(lambda: page(world, case)["state"] == "reopened", 150)
    proof = world.call("GET", f"/api/cases/{case['id']}/proof").json()
    assert [each["cause_kind"] for each in proof["rebounds"]] == ["alert"]
    assert [c["false_rectification"] for c in proof["checks"]] == [True, False]
    assert world.call("GET", "/api/cases").json()["total"] == 1


@pytest.mark.timeout(300)
def test_a_camera_that_does_not_answer_sends_a_person(world):
    case = wait_for(lambda: world.call("GET", "/api/cases").json()["items"], 60)[0]
    for action in ("file", "dispatch"):
        act(world, case, action)
    act(world, case, "accept", Role.OPERATOR)
    world.stopping.set()
    world.thread.join(20)
    claim(world, case, 1)
    store, site = world.hub.store, world.hub.site
    later = now() + timedelta(hours=1)
    end_unanswered(store, later)
    settle_checks(store, site, later)
    look, visit = world.call("GET", f"/api/cases/{case['id']}/proof").json()["checks"]
    assert (look["result"], look["reasons"]) == ("cannot_tell", ["order_expired"])
    assert (visit["means"], visit["awaited"]) == ("visit", True)
