"""Orders over HTTP and in the database: who may, what is refused, what may follow what."""

from datetime import timedelta

import pytest

from hub import audit, pipeline
from hub.app import Hub
from hub.devices.orders import store as order_store
from hub.devices.orders.order import Op, OrderState, answered, checked
from hub.errors import Problem
from hub.http import Body
from hub.roles import Actor, Right, Role
from tests.hub.test_api import caller, client_of, tokens_of
from tests.hub.world import birth, make_site, received, state
from wire.codec import decode
from wire.coded import code_of, coded
from wire.command import CommandState, Reply

GIVEN = {"op": "camera.snapshot", "args": {"camera": "gate"}}


@pytest.fixture
def hub(tmp_path, sqlite_store):
    site = make_site(sqlite_store, tmp_path)
    built = Hub.build(site.config, sqlite_store)
    take(built, "birth", birth())
    take(built, "state", state())
    return built


@pytest.fixture
def call(hub):
    return caller(client_of(hub), tokens_of(hub))


def take(hub, name, *messages):
    with hub.store.write() as tx:
        pipeline.take(tx, hub.site, name, [received(message) for message in messages])


def reply(order, st, **more):
    return Reply(dev="cam-1", id=order, st=CommandState(st), **more)


@pytest.mark.parametrize(
    ("path", "body", "role", "status", "says"),
    [
        ("cam-1", GIVEN, Role.OPERATOR, 201, ""),
        ("cam-1", GIVEN, Role.VIEWER, 403, "forbidden"),
        ("cam-1", GIVEN, None, 401, ""),
        ("cam-9", GIVEN, Role.ADMIN, 404, "device cam-9 does not exist"),
        ("cam-1", {"op": "camera.melt"}, Role.ADMIN, 422, "'camera.melt' is no operation"),
        ("cam-1", {"op": "camera.snapshot"}, Role.ADMIN, 422, "args.camera: Field required"),
        (
            "cam-1",
            GIVEN | {"args": {"camera": "gate", "zoom": 2}},
            Role.ADMIN,
            422,
            "args.zoom: Extra inputs",
        ),
        ("cam-1", GIVEN | {"valid_s": 1}, Role.ADMIN, 422, "valid_s"),
    ],
)
def test_who_may_order_what(call, path, body, role, status, says):
    answer = call("POST", f"/api/devices/{path}/orders", role, json=body)
    assert answer.status_code == status
    assert says in answer.text
    if "camera.melt" in says:
        assert "camera.snapshot" in answer.json()["error"]["allowed"]
    assert call("GET", "/api/orders").json()["total"] == (status == 201)


def test_an_order_is_stored_audited_and_followed_to_its_end(call, hub):
    order = call("POST", "/api/devices/cam-1/orders", Role.OPERATOR, json=GIVEN).json()
    assert (order["state"], order["by"], order["about"]) == (
        "queued",
        "operator-1",
        {"kind": "camera", "id": "cam-1/gate"},
    )
    with hub.store.read() as tx:
        (act,) = audit.of(tx, "device", "cam-1")
    assert (act.action, act.actor, act.note) == ("order camera.snapshot", "operator-1", order["id"])

    take(hub, "reply", reply(order["id"], "accepted"))
    assert call("GET", f"/api/orders/{order['id']}").json()["state"] == "accepted"
    take(hub, "reply", reply(order["id"], "done", out={"sha256": "ab"}))
    take(hub, "reply", reply(order["id"], "failed", why="late"))
    done = call("GET", f"/api/orders/{order['id']}", Role.OPERATOR).json()
    assert (done["state"], done["out"], done["why"]) == ("done", {"sha256": "ab"}, "")
    hidden = call("GET", f"/api/orders/{order['id']}", Role.VIEWER).json()
    assert (hidden["state"], hidden["out"], hidden["args"]) == ("done", None, None)
    assert call("GET", "/api/orders/nothing").status_code == 404


def test_a_reason_is_answered_with_its_code_where_the_device_said_one(call, hub):
    no_camera = coded("no_camera", "no {camera} here", camera="roof")
    for why, said, known in (
        (no_camera, code_of(no_camera), {"why": no_camera.parts()}),
        ("an older box says text alone", {}, {}),
    ):
        order = call("POST", "/api/devices/cam-1/orders", json=GIVEN).json()["id"]
        take(hub, "reply", reply(order, "failed", why=str(why), said=said))
        item = call("GET", f"/api/orders/{order}").json()
        assert (item["why"], item["coded"]) == (why, known)


def test_the_list_is_filtered_and_paged(call, hub):
    ids = [call("POST", "/api/devices/cam-1/orders", json=GIVEN).json()["id"] for _ in range(3)]
    take(hub, "reply", reply(ids[0], "done"))

    def listed(query):
        answer = call("GET", f"/api/orders?{query}").json()
        return answer["total"], len(answer["items"])

    assert listed("device=cam-1&limit=2") == (3, 2)
    assert listed("device=cam-1&limit=2&offset=2") == (3, 1)
    assert listed("state=done") == (1, 1)
    assert listed("open=true") == (2, 2)
    assert listed("about=camera:cam-1/gate") == (3, 3)
    assert listed("device=cam-2") == (0, 0)
    assert call("GET", "/api/orders?state=lost").status_code == 422


def test_a_device_speaks_for_its_own_orders_only(call, hub):
    order = call("POST", "/api/devices/cam-1/orders", json=GIVEN).json()["id"]
    take(hub, "reply", Reply(dev="cam-2", id=order, st=CommandState.DONE))
    assert call("GET", f"/api/orders/{order}").json()["state"] == "queued"


KNOWN = [
    ("queued", "done", "done"),
    ("sent", "accepted", "accepted"),
    ("accepted", "accepted", None),
    ("accepted", "failed", "failed"),
    ("accepted", "expired", "expired"),
    ("expired", "done", "done"),
    ("expired", "accepted", "accepted"),
    ("expired", "expired", None),
    ("done", "failed", None),
    ("failed", "done", None),
    ("unknown", "done", None),
]


@pytest.mark.parametrize(("before", "said", "then"), KNOWN)
def test_what_follows_a_devices_word(before, said, then):
    assert answered(OrderState(before), CommandState(said)) == then


def test_an_operation_may_need_more_than_the_right_to_act():
    ops = {"terminal.reset": Op(Right.ADMIN, Body)}
    with pytest.raises(Problem, match="operator may not order"):
        checked(ops, "terminal.reset", {}, Actor("li", Role.OPERATOR))


def test_what_is_due_to_be_sent(call, hub):
    order = call("POST", "/api/devices/cam-1/orders", json=GIVEN).json()["id"]

    def due(at):
        with hub.store.read() as tx:
            return [letter.key for letter in order_store.due(tx, at)]

    with hub.store.read() as tx:
        made_at = order_store.load(tx, [order])[order].made_at
    assert due(made_at) == [order]
    with hub.store.read() as tx:
        (letter,) = order_store.due(tx, made_at + timedelta(seconds=100))
    command = decode("cmd", letter.payload)
    assert (command.session, command.left_ms) == (1, 20_000)
    assert due(made_at + timedelta(seconds=121)) == []
    with hub.store.write() as tx:
        order_store.note_sent(tx, [order], made_at)
    assert due(made_at + timedelta(seconds=1)) == []
    assert due(made_at + order_store.AGAIN + timedelta(seconds=1)) == [order]
    take(hub, "reply", reply(order, "accepted"))
    assert due(made_at + timedelta(hours=1)) == [order]
    assert due(made_at + timedelta(hours=24)) == []
    take(hub, "reply", reply(order, "done"))
    assert due(made_at + timedelta(hours=1)) == []
