"""The live view over HTTP: who may look, one order for all, and pictures from the device alone."""

from urllib.parse import urlsplit

import cv2
import numpy as np
import pytest

from hub import audit
from hub.devices.orders import store as order_store
from hub.live import api as live_api, view as live_view
from hub.roles import Role
from tests.hub.test_api import caller, client_of, furnished, take, tokens_of
from tests.hub.world import state

LIVE = "/api/cameras/cam-1/gate/live"
JPEG = cv2.imencode(".jpg", np.full((90, 160, 3), 90, np.uint8))[1].tobytes()


@pytest.fixture
def hub(tmp_path, store):
    built = furnished(tmp_path, store)
    take(built, "state", state())
    return built


@pytest.fixture
def call(hub):
    return caller(client_of(hub), tokens_of(hub))


def orders_of(hub):
    with hub.store.read() as tx:
        rows = tx.execute(order_store.orders.select().order_by(order_store.orders.c.id))
        return [order_store.to_order(row) for row in rows]


def address(hub):
    """What the device is told to put pictures to, as a path."""
    url = urlsplit(orders_of(hub)[-1].args["url"])
    return f"{url.path}?{url.query}"


def put(call, path, data=JPEG, **headers):
    return call("PUT", path, role=None, content=data, headers=headers)


def test_a_picture_goes_from_the_device_to_all_who_look(hub, call):
    item = call("POST", LIVE, role=Role.OPERATOR).json()
    assert (item["camera"], item["state"], item["lookers"]) == ("cam-1/gate", "queued", 1)
    again = call("POST", LIVE, role=Role.SUPERVISOR).json()
    assert (again["order"], again["lookers"]) == (item["order"], 2)
    (order,) = orders_of(hub)
    assert (order.op, order.by) == ("camera.watch", "operator-1")
    assert {**order.args, "url": ""} == {
        "camera": "gate", "url": "", "seconds": 60, "per_s": 1, "longest": 960,
        "most_bytes": 120_000,
    }  # fmt: skip

    taken = {"X-Taken-Ms": "1790000000000", "X-Sight": "dark"}
    assert put(call, address(hub), **taken).status_code == 204
    for role in (Role.OPERATOR, Role.SUPERVISOR):
        shown = call("GET", LIVE, role=role)
        assert (shown.status_code, shown.content) == (200, JPEG)
        assert shown.headers["content-type"] == "image/jpeg"
        assert shown.headers["cache-control"] == "no-store"
        assert shown.headers["x-number"] == "1"
        assert shown.headers["x-taken-at"] == "2026-09-21T14:13:20.000Z"
        assert shown.headers["x-sight"] == "dark"


def test_everyone_who_looks_is_written_down_once(hub, call):
    for role in (Role.OPERATOR, Role.SUPERVISOR, Role.OPERATOR):
        call("POST", LIVE, role=role)
    with hub.store.read() as tx:
        rows = tx.execute(audit.entries.select().where(audit.entries.c.action == "watch_live"))
        noted = [(row.actor, row.kind, row.subject) for row in rows]
    assert noted == [
        ("operator-1", "camera", "cam-1/gate"),
        ("supervisor-1", "camera", "cam-1/gate"),
    ]


def test_nobody_looks_without_asking_or_the_right(call):
    assert call("POST", LIVE, role=Role.HANDLER).status_code == 403
    assert call("GET", LIVE, role=Role.HANDLER).status_code == 403
    call("POST", LIVE, role=Role.SUPERVISOR)
    refused = call("GET", LIVE, role=Role.OPERATOR)
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "not_watching")


def test_the_address_is_the_hubs_alone_to_give(call):
    given = {"op": "camera.watch", "args": {"camera": "gate", "url": "http://elsewhere.test/x?y"}}
    refused = call("POST", "/api/devices/cam-1/orders", role=Role.ADMIN, json=given)
    assert (refused.status_code, refused.json()["error"]["code"]) == (422, "unknown_op")


def test_only_the_device_that_was_asked_may_show(hub, call):
    call("POST", LIVE)
    path = address(hub)
    assert put(call, path.replace("gate", "yard")).status_code == 403
    assert put(call, path[:-1] + ("0" if path[-1] != "0" else "1")).status_code == 403
    assert put(call, path.replace("exp=", "exp=9")).status_code == 403
    assert put(call, path, b"GIF89a" + JPEG).status_code == 415
    assert put(call, path, JPEG[:-200]).status_code == 422
    assert put(call, path, JPEG + bytes(live_api.MOST_BYTES)).status_code == 413
    assert put(call, path).status_code == 204


def test_the_device_hears_that_nobody_looks_any_more(hub, call, monkeypatch):
    call("POST", LIVE)
    assert put(call, address(hub)).status_code == 204
    monkeypatch.setattr(live_view, "STILL_S", 0.0)
    assert put(call, address(hub)).status_code == 410


def test_who_still_looks_near_the_end_gets_the_next_order(hub, call, monkeypatch):
    first = call("POST", LIVE).json()["order"]
    assert call("POST", LIVE).json()["order"] == first
    monkeypatch.setattr(live_api, "MARGIN", 1.1)
    assert call("POST", LIVE).json()["order"] != first
    assert len(orders_of(hub)) == 2


def test_no_picture_comes_of_a_camera_that_is_not_there(hub, call, monkeypatch):
    assert call("POST", "/api/cameras/cam-1/none/live").status_code == 404
    take(hub, "state", state(online=False, session=2))
    refused = call("POST", LIVE)
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "offline")
    assert call("GET", LIVE).status_code == 409
    assert orders_of(hub) == []
    take(hub, "state", state(session=3))
    monkeypatch.setattr(live_api, "WAIT_S", 0.05)
    assert call("POST", LIVE).status_code == 200
    assert call("GET", LIVE).status_code == 204
