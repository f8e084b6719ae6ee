"""Devices over HTTP: who is on the list, with which credentials, how they are."""

from datetime import timedelta

import pytest

from hub import audit, pipeline, quarantine
from hub.config import Quarantine
from hub.devices.ops import INTRODUCE
from hub.quarantine import Suspect
from hub.store import now, to_ms
from tests.hub.test_api import furnished
from tests.hub.world import NOON, after, alert_message, health, received
from wire.status import CameraState, Health
from wire.update import ModelState


@pytest.fixture
def hub(tmp_path, store):
    return furnished(tmp_path, store)


def arrives(hub, message, at=NOON):
    with hub.store.write() as tx:
        return pipeline.take(tx, hub.site, "alert", [received(message, at)])


def test_a_device_is_enrolled_gets_another_password_and_is_taken_off_the_list(call, hub):
    made = call("POST", "/api/devices", json={"id": "cam-9"}).json()
    again = call("POST", "/api/devices/cam-9/password").json()
    assert made["id"] == again["id"] == "cam-9"
    assert made["password"] != again["password"]
    assert again["installed"] is False  # the broker is somebody else's
    gone = call("POST", "/api/devices/cam-9/revoke", json={"note": "stolen"}).json()
    assert (gone["enrolled"], gone["revoked_at"] is not None) == (False, True)
    assert (gone["revoked_by"], gone["revoked_because"]) == ("admin-1", "stolen")
    with hub.store.read() as tx:
        acts = [(each.action, each.note) for each in audit.of(tx, "device", "cam-9")]
    assert acts == [("enrol", ""), ("password", ""), ("revoke", "stolen")]


def test_nothing_of_a_revoked_device_is_taken_until_it_is_enrolled_again(call, hub):
    assert arrives(hub, alert_message(seq=5, alert="x5")).refused == []
    call("POST", "/api/devices/cam-1/revoke", json={"note": "stolen"})
    (refusal,) = arrives(hub, alert_message(seq=6, alert="x6")).refused
    assert refusal.fault.message == "device cam-1 is not enrolled"
    assert call("POST", "/api/devices", json={"id": "cam-1"}).status_code == 201
    hub.site.admitted.clear()
    assert arrives(hub, alert_message(seq=6, alert="x6")).refused == []
    listed = call("GET", "/api/devices/cam-1").json()
    assert listed["revoked_at"] is listed["revoked_by"] is None
    assert listed["revoked_because"] == ""
    call("POST", "/api/devices/cam-1/revoke", json={"note": "sold"})
    assert call("GET", "/api/devices/cam-1").json()["revoked_because"] == "sold"


def test_what_a_revoked_device_watched_is_unseen_until_it_is_heard_again(call, hub):
    def sight():
        (camera,) = call("GET", "/api/cameras").json()["items"]
        spans = call("GET", "/api/blind-spans", params={"camera": camera["id"]}).json()["items"]
        return camera["online"], camera["state"], len([s for s in spans if s["until_at"] is None])

    def well():
        told = health(CameraState.OK, now())
        with hub.store.write() as tx:
            pipeline.take(tx, hub.site, "health", [received(told, now())])

    well()
    assert sight() == (True, "ok", 0)
    call("POST", "/api/devices/cam-1/revoke", json={"note": "stolen"})
    assert sight() == (False, "unreachable", 1)
    assert call("POST", "/api/devices", json={"id": "cam-1"}).status_code == 201
    hub.site.admitted.clear()
    well()
    assert sight() == (True, "ok", 0)


def test_a_device_that_spoke_before_it_was_enrolled_is_asked_who_it_is(call, hub):
    """Its birth was refused, and it says it again only when it is asked or connects anew."""
    said = Suspect(NOON, "ty/v1/box-9/up/birth", "box-9", "E_DEVICE", "not enrolled", b"{}")
    with hub.store.write() as tx:
        quarantine.keep(tx, [said], Quarantine())
    for name in ("box-9", "box-10"):
        call("POST", "/api/devices", json={"id": name})
    (order,) = call("GET", "/api/orders").json()["items"]
    assert (order["device"], order["op"], order["state"]) == ("box-9", INTRODUCE, "queued")


def test_the_model_of_the_list_is_the_one_that_looks(call, hub):
    """A model that was rolled out is known by the health, long before the next birth."""
    now_looks = ModelState(name="street-n", version="0.3.0")
    for model in (now_looks, None):
        with hub.store.write() as tx:
            said = Health(dev="cam-1", ts=to_ms(NOON), model=model)
            pipeline.take(tx, hub.site, "health", [received(said, NOON)])
        assert call("GET", "/api/devices/cam-1").json()["model"] == "street-n 0.3.0"


def test_health_says_what_waits_what_is_free_and_how_the_clock_stands(call, hub):
    at = after(100)
    said = Health(dev="cam-1", ts=to_ms(at + timedelta(seconds=42)), disk_free_mb=900.5)
    with hub.store.write() as tx:
        pipeline.take(tx, hub.site, "health", [received(said, at)])
    shown = call("GET", "/api/devices/cam-1").json()
    assert shown["clock_off_s"] == 42
    assert shown["health"]["disk_free_mb"] == 900.5
    assert shown["health_at"] == "2026-11-23T04:01:40.000Z"
    call("POST", "/api/devices", json={"id": "cam-9"})
    silent = call("GET", "/api/devices/cam-9").json()
    assert (silent["clock_off_s"], silent["health_at"], silent["last_seen_at"]) == (None,) * 3


def test_where_every_configuration_stands(call):
    news = call("GET", "/api/revisions").json()
    assert [each["device"] for each in news["items"]] == ["cam-1"]
    assert news["items"][0]["faults"] == []


REFUSED = [
    ("GET", "none-1", None, 404, "not_found"),
    ("POST", "none-1/password", None, 404, "not_found"),
    ("POST", "cam-1/password", None, 409, "not_listed"),
    ("POST", "none-1/revoke", {"note": "x"}, 404, "not_found"),
    ("POST", "cam-1/revoke", {"note": ""}, 422, "invalid"),
    ("POST", "cam-1/revoke", {}, 422, "invalid"),
]


def test_refuses_by_name(call):
    for method, path, body, status, code in REFUSED:
        answer = call(method, f"/api/devices/{path}", json=body)
        assert (path, answer.status_code, answer.json()["error"]["code"]) == (path, status, code)
    call("POST", "/api/devices/cam-1/revoke", json={"note": "x"})
    assert call("POST", "/api/devices/cam-1/revoke", json={"note": "x"}).status_code == 409
