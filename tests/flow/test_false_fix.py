"""A heap that is reported gone and is not, then goes, then comes back: one case, all by itself."""

from datetime import timedelta, timezone

import pytest

from hub.housekeeping import end_unanswered, settle_checks
from hub.roles import Role
from hub.store import now
from tests.flow.stage import LONG_S, staged
from tests.hub.broker import wait_for
from tests.hub.proof.pictures import photo, street

PLACE_TIME = timezone(timedelta(hours=8))
SETTINGS = {
    "rules": {"garbage": {"open_case": "at_once"}},
    "proof": {"look_s": 4, "looks": 5},
}

pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def city(tmp_path, monkeypatch):
    with staged(tmp_path, monkeypatch, **SETTINGS) as (world, stage):
        yield world, stage


def handled(world, stage):
    """The case of a heap that has come, in somebody's hands, and its alert."""
    world.snapshot()
    stage.has_heap = True
    case = wait_for(lambda: world.call("GET", "/api/cases").json()["items"], LONG_S)[0]
    (alert,) = world.alerts()
    world.pictured(alert["id"])
    for action in ("file", "dispatch"):
        act(world, case, action)
    act(world, case, "accept", Role.OPERATOR)
    return case, alert["id"]


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


def settled(world, case, number):
    """What the check of the so manieth claim came to."""

    def done():
        checks = world.call("GET", f"/api/cases/{case['id']}/proof").json()["checks"]
        return len(checks) >= number and not checks[number - 1]["awaited"] and checks[number - 1]

    return wait_for(done, LONG_S)


def test_a_fix_that_is_none_is_found_by_the_camera_and_so_is_the_rebound(city):
    world, stage = city
    case, alert = handled(world, stage)

    claim(world, case, 1)
    check = settled(world, case, 1)
    assert (check["means"], check["result"]) == ("look", "present"), check
    assert check["false_rectification"]
    assert page(world, case)["state"] == "rework"
    looks = world.call("GET", f"/api/cases/{case['id']}/looks").json()["items"]
    assert looks[0]["order"] == check["look"]
    assert looks[0]["evidence"]

    stage.has_heap = False
    world.ended(alert)
    claim(world, case, 2)
    second = settled(world, case, 2)
    assert (second["result"], second["false_rectification"]) == ("gone", False), second
    proof = world.call("GET", f"/api/cases/{case['id']}/proof").json()
    assert proof["proposal"] == "close"
    assert page(world, case)["state"] == "verifying_result"  # closed by a person alone
    assert act(world, case, "close", Role.SUPERVISOR)["state"] == "closed"

    stage.has_heap = True
    wait_for(lambda: page(world, case)["state"] == "reopened", LONG_S)
    proof = world.call("GET", f"/api/cases/{case['id']}/proof").json()
    assert [each["cause_kind"] for each in proof["rebounds"]] == ["alert"]
    assert [c["false_rectification"] for c in proof["checks"]] == [True, False]
    assert world.call("GET", "/api/cases").json()["total"] == 1


def test_a_camera_that_does_not_answer_sends_a_person(city):
    world, stage = city
    case, _ = handled(world, stage)
    world.unplug()
    claim(world, case, 1)
    store, site = world.hub.store, world.hub.site
    later = now() + timedelta(hours=1)
    end_unanswered(store, later)
    settle_checks(store, site, later)
    look, visit = world.call("GET", f"/api/cases/{case['id']}/proof").json()["checks"]
    assert (look["result"], look["reasons"]) == ("cannot_tell", ["order_expired"])
    assert (visit["means"], visit["awaited"]) == ("visit", True)
