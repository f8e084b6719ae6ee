"""The look again over HTTP: asked for an alert or a case, answered by the camera, never rounded."""

import pytest

from hub import pipeline
from hub.alerts.alert import alert_id
from hub.app import Hub
from hub.devices.orders import store as order_store
from hub.roles import Role
from tests.hub.test_api import caller, client_of, tokens_of
from tests.hub.world import alert_message, birth, make_site, received, state
from wire.alert import Box, PlaceSource
from wire.command import CommandState, Reply

BOX = Box("garbage", 0.8, 0.25, 0.5, 0.125, 0.25)
SEEN = alert_message(0, boxes=[BOX], alert="gate-7")
ALERT = alert_id(SEEN)
SHA = "a" * 64


@pytest.fixture
def hub(tmp_path, sqlite_store):
    site = make_site(sqlite_store, tmp_path)
    built = Hub.build(site.config, sqlite_store)
    take(built, "birth", birth())
    take(built, "state", state())
    take(built, "alert", SEEN)
    return built


@pytest.fixture
def call(hub):
    return caller(client_of(hub), tokens_of(hub))


def take(hub, name, *messages):
    with hub.store.write() as tx:
        pipeline.take(tx, hub.site, name, [received(message) for message in messages])


def ask(call, path, role=Role.OPERATOR, **wanted):
    return call("POST", f"/api/{path}/look", role, json=wanted)


def answer(hub, order, st="done", **out):
    given = {
        "answer": "gone",
        "confidence": 0.9,
        "reasons": ["looks_as_without", "not_seen"],
        "details": [],
        "looks": 12,
        "clear": 11,
        "hidden": 1,
        "from": 1_790_000_000_000,
        "until": 1_790_000_060_000,
        "model": "street-n",
        "evidence": [{"sha256": SHA, "type": "image/jpeg", "role": "clean", "size": 9},
                     {"sha256": "b" * 64, "type": "image/jpeg", "role": "clean", "sealed": True}],
    }  # fmt: skip
    take(
        hub,
        "reply",
        Reply(dev="cam-1", id=order, st=CommandState(st), out=given | out),
    )


def test_a_look_at_an_alert_asks_its_camera_about_its_place(call, hub):
    look = ask(call, f"alerts/{ALERT}", seconds=30, looks=10).json()
    assert (look["answer"], look["alert"], look["camera"]) == (None, ALERT, "cam-1/gate")
    with hub.store.read() as tx:
        order = order_store.load(tx, [look["order"]])[look["order"]]
    assert order.op == "camera.look"
    assert order.args == {
        "camera": "gate",
        "alert": "gate-7",
        "box": {"x": 0.25, "y": 0.5, "w": 0.125, "h": 0.25},
        "label": "garbage",
        "seconds": 30.0,
        "looks": 10,
    }
    answer(hub, look["order"])
    (kept,) = call("GET", f"/api/alerts/{ALERT}/looks", Role.VIEWER).json()["items"]
    assert (kept["answer"], kept["confidence"], kept["clear"]) == ("gone", 0.9, 11)
    assert kept["reasons"] == ["looks_as_without", "not_seen"]
    assert [(file["sha256"], file["url"]) for file in kept["evidence"]] == [(SHA, None)]


def test_a_case_keeps_all_its_looks(call, hub):
    call("POST", f"/api/alerts/{ALERT}/decision", json={"decision": "confirmed"})
    case = call("GET", "/api/cases").json()["items"][0]["id"]
    first = ask(call, f"alerts/{ALERT}").json()["order"]
    second = ask(call, f"cases/{case}", alert=ALERT).json()["order"]
    answer(hub, first, answer="present")
    answer(hub, second)
    looks = call("GET", f"/api/cases/{case}/looks").json()["items"]
    assert [(look["order"], look["answer"]) for look in looks] == [
        (second, "gone"),
        (first, "present"),
    ]
    assert call("GET", f"/api/alerts/{ALERT}/looks").json()["total"] == 2
    with hub.store.write() as tx:
        order_store.forget_old(tx, received(SEEN).received_at.replace(year=2090))
    assert call("GET", f"/api/cases/{case}/looks").json()["total"] == 2


@pytest.mark.parametrize(
    ("st", "out", "reasons"),
    [
        ("failed", {"answer": "gone"}, ["order_failed"]),
        ("expired", {"answer": "gone"}, ["order_expired"]),
        ("unknown", {"answer": "gone"}, ["order_unknown"]),
        ("done", {"answer": "surely gone"}, ["order_done"]),
        ("done", {"answer": "cannot_tell", "reasons": ["hidden"], "confidence": 0.99}, ["hidden"]),
    ],
)
def test_without_a_clear_answer_it_cannot_be_told(call, hub, st, out, reasons):
    order = ask(call, f"alerts/{ALERT}").json()["order"]
    answer(hub, order, st, **out)
    (look,) = call("GET", f"/api/alerts/{ALERT}/looks").json()["items"]
    assert (look["answer"], look["confidence"], look["reasons"]) == ("cannot_tell", 0, reasons)


def test_what_is_refused(call, hub):
    moving = alert_message(1, alert="truck-1", boxes=[BOX], place=PlaceSource.VEHICLE)
    take(hub, "alert", moving)
    assert ask(call, f"alerts/{alert_id(moving)}").status_code == 422
    assert ask(call, "alerts/nothing").status_code == 404
    assert ask(call, "cases/99").status_code == 404
    assert ask(call, f"alerts/{ALERT}", Role.VIEWER).status_code == 403
    assert ask(call, f"alerts/{ALERT}", seconds=1).status_code == 422
    assert ask(call, f"alerts/{ALERT}", looks=1).status_code == 422
    assert call("GET", "/api/cases/99/looks").status_code == 404
