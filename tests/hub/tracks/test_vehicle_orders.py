"""Orders to vehicles over HTTP: who may give which, and how they reach the device."""

import pytest
from msgspec.structs import replace

from edge.gps.jt808.orders import ORDERS, order_of
from hub import pipeline
from hub.app import Hub
from hub.devices.orders import store as order_store
from hub.roles import Role
from hub.tracks.vehicle_ops import OPS, PREFIX
from tests.hub.test_api import caller, client_of, tokens_of
from tests.hub.world import NOON, alert_message, health, make_site, ms, received, track_message
from wire.alert import EvidenceRef
from wire.command import CommandState, Reply
from wire.status import ReceiverHealth, ReceiverState

TRUCK = "gateway-1/truck-1"
FENCE = {"shape": "circle", "id": 7, "centre": [32.69, 109.02], "radius_m": 500}


@pytest.fixture
def hub(tmp_path, sqlite_store):
    site = make_site(sqlite_store, tmp_path)
    built = Hub.build(site.config, sqlite_store)
    take(built, "track", track_message(0, 1, dev="gateway-1", vehicle="truck-1"))
    return built


@pytest.fixture
def call(hub):
    return caller(client_of(hub), tokens_of(hub))


def take(hub, name, *messages):
    with hub.store.write() as tx:
        pipeline.take(tx, hub.site, name, [received(message, NOON) for message in messages])


def has(hub, receiver):
    said = ReceiverHealth(receiver, ReceiverState.OK, ms(NOON))
    take(hub, "health", replace(health("ok", dev="gateway-1"), receivers=[said], cameras=[]))


def test_every_order_a_terminal_understands_may_be_given_and_no_other():
    assert {name.removeprefix(PREFIX) for name in OPS} == set(ORDERS)


PHOTO = EvidenceRef("ab" * 32, 900, "image/jpeg", "clean")


def shot(hub, call, order, seq, **changes):
    """A photograph came that names an order: what is an alert now, and what that order shows."""
    fields = {
        "dev": "gateway-1", "source": "truck-1", "label": "vehicle_picture", "place": "vehicle",
        "alert": f"p-{seq}", "evidence": [PHOTO], "order": order,
    }  # fmt: skip
    take(hub, "alert", alert_message(seq, **(fields | changes)))
    (given,) = call("GET", f"/api/vehicles/{TRUCK}/orders", Role.VIEWER).json()["items"]
    return call("GET", "/api/alerts", Role.VIEWER).json()["total"], given["evidence"]


def test_a_photograph_that_was_asked_for_is_shown_with_its_order_and_is_no_alert(hub, call):
    wanted = {"op": "photo", "args": {"channel": 1}}
    order = call("POST", f"/api/vehicles/{TRUCK}/orders", Role.OPERATOR, json=wanted).json()["id"]
    assert shot(hub, call, "0" * 27, 1)[1] == []
    assert shot(hub, call, order, 2, source="truck-2") == (2, [])
    total, (photo,) = shot(hub, call, order, 3)
    assert (total, photo["sha256"], photo["url"]) == (2, PHOTO.sha256, None)
    assert len(shot(hub, call, order, 3)[1]) == 1


@pytest.mark.parametrize(
    ("op", "args", "role", "status", "says"),
    [
        ("text", {"text": "停车"}, Role.OPERATOR, 201, '"terminal.text"'),
        ("terminal.text", {"text": "停车"}, Role.OPERATOR, 201, '"terminal.text"'),
        ("text", {"text": "停车"}, Role.VIEWER, 403, "forbidden"),
        ("text", {"text": "停车"}, Role.SERVICE, 403, "forbidden"),
        ("text", {"text": ""}, Role.ADMIN, 422, "args.text"),
        ("text", {"text": "a", "loud": True}, Role.ADMIN, 422, "args.loud"),
        ("position", {}, Role.OPERATOR, 201, ""),
        ("photo", {"channel": 2}, Role.OPERATOR, 201, ""),
        ("track", {"interval_s": 5, "seconds": 60}, Role.OPERATOR, 201, ""),
        ("set_fence", {"fence": FENCE}, Role.OPERATOR, 403, "may not"),
        ("set_fence", {"fence": FENCE}, Role.SUPERVISOR, 201, ""),
        ("delete_fences", {"shape": "oval"}, Role.SUPERVISOR, 422, "args.shape"),
        ("set_parameters", {"parameters": {"interval_s": 10}}, Role.SUPERVISOR, 403, "may not"),
        ("set_parameters", {"parameters": {"interval_s": 10}}, Role.ADMIN, 201, ""),
        ("control", {"command": "reset"}, Role.SUPERVISOR, 403, "may not order terminal.control"),
        ("control", {"command": "reset"}, Role.ADMIN, 201, ""),
        ("control", {"command": "explode"}, Role.ADMIN, 422, "args.command"),
        ("doors", {"locked": True}, Role.OPERATOR, 403, "may not"),
        ("melt", {}, Role.ADMIN, 422, "'terminal.melt' is no operation"),
        ("text", {"text": "a", "vehicle": "truck-9"}, Role.ADMIN, 201, '"vehicle":"truck-1"'),
    ],
)
def test_who_may_order_what(call, op, args, role, status, says):
    answer = call("POST", f"/api/vehicles/{TRUCK}/orders", role, json={"op": op, "args": args})
    assert answer.status_code == status, answer.text
    assert says in answer.text


def test_an_order_goes_to_the_device_and_its_answer_stands_with_the_vehicle(call, hub):
    given = call("POST", f"/api/vehicles/{TRUCK}/orders", json={"op": "position"}).json()
    assert (given["device"], given["op"]) == ("gateway-1", "terminal.position")
    assert given["about"] == {"kind": "vehicle", "id": TRUCK}
    with hub.store.read() as tx:
        (order,) = order_store.load(tx, [given["id"]]).values()
    assert order.args == {"vehicle": "truck-1"}
    out = {"reply_serial": 1, "positions": [{"lat": 32.5}]}
    take(hub, "reply", Reply(dev="gateway-1", id=given["id"], st=CommandState.DONE, out=out))
    listed = call("GET", f"/api/vehicles/{TRUCK}/orders").json()
    assert (listed["total"], listed["items"][0]["out"]) == (1, out)
    assert call("GET", "/api/vehicles/gateway-1/none/orders").status_code == 404


def test_what_may_be_ordered_is_listed_with_the_right(call):
    def allowed(role):
        items = call("GET", f"/api/vehicles/{TRUCK}/ops", role).json()["items"]
        assert len(items) == len(OPS)
        return {item["op"] for item in items if item["allowed"]}

    assert allowed(Role.VIEWER) == set()
    assert {"text", "photo", "position"} <= allowed(Role.OPERATOR)
    assert "control" not in allowed(Role.SUPERVISOR)
    assert "control" in allowed(Role.ADMIN)


def test_a_vehicle_with_a_receiver_alone_takes_no_orders(call, hub):
    has(hub, "gateway")
    assert call("GET", f"/api/vehicles/{TRUCK}/ops").json()["total"] == len(OPS)
    has(hub, "gps")
    assert call("GET", f"/api/vehicles/{TRUCK}/ops").json()["total"] == 0
    answer = call("POST", f"/api/vehicles/{TRUCK}/orders", json={"op": "position"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "no_terminal")
    assert call("POST", "/api/vehicles/x/y/orders", json={"op": "position"}).status_code == 404


RING = [[109.0, 32.0], [109.01, 32.0], [109.01, 32.01], [109.0, 32.02], [109.0, 32.0]]
BOX = [[109.0, 32.0], [109.01, 32.0], [109.01, 32.01], [109.0, 32.01], [109.0, 32.0]]
HOLE = [[109.002, 32.002], [109.004, 32.002], [109.004, 32.004], [109.002, 32.002]]


def polygon(*rings):
    return {"type": "Polygon", "coordinates": list(rings)}


def line(half_width_m):
    way = {"type": "LineString", "coordinates": [[109.0, 32.0], [109.01, 32.01]]}
    return way, {"half_width_m": half_width_m}


POINT = {"type": "Point", "coordinates": [109.02, 32.69]}
FENCES = [
    ("circle", (POINT, {"radius_m": 500}), {"shape": "circle", "centre": [32.69, 109.02],
                                            "radius_m": 500, "tell": "enter"}),
    ("polygon", (polygon(RING), {"limit_kmh": 40}),
     {"shape": "polygon", "speed": {"top_kmh": 40},
      "corners": [[32.0, 109.0], [32.0, 109.01], [32.01, 109.01], [32.02, 109.0]]}),
    ("rectangle", (polygon(BOX), {"hours": [["08:00", "24:00"]]}),
     {"shape": "rectangle", "north_west": [32.01, 109.0], "south_east": [32.0, 109.01],
      "hours": ["08:00", "23:59"]}),
    ("route", line(50),
     {"shape": "route", "stretches": [{"at": [32.0, 109.0], "id": 1, "width_m": 100},
                                      {"at": [32.01, 109.01], "id": 2, "width_m": 100}]}),
]  # fmt: skip


def put_fence(call, geometry, properties):
    own = {"code": "F1", "name": "工地", "watch": ["enter"], **properties}
    feature = {"type": "Feature", "properties": own, "geometry": geometry}
    answer = call("POST", "/api/fences", json={"type": "FeatureCollection", "features": [feature]})
    assert answer.status_code in {200, 201}, answer.text


@pytest.mark.parametrize(("shape", "drawn", "expected"), FENCES)
def test_a_fence_of_the_hub_goes_into_the_terminal_and_out_again(call, shape, drawn, expected):
    put_fence(call, *drawn)
    path = f"/api/vehicles/{TRUCK}/orders"
    order = call("POST", path, json={"op": "set_fence", "args": {"code": "F1"}}).json()
    sent = order["args"]["fence"]
    assert {name: sent[name] for name in expected} == expected
    for version in ("2013", "2019"):
        assert order_of("set_fence", {"fence": sent}, version).body
    order = call("POST", path, json={"op": "delete_fences", "args": {"code": "F1"}}).json()
    assert order["args"] == {"vehicle": "truck-1", "shape": shape, "ids": [sent["id"]]}


@pytest.mark.parametrize(
    ("drawn", "says"),
    [
        ((polygon(RING, HOLE), {}), "fence F1: it has holes"),
        (({"type": "MultiPolygon", "coordinates": [[RING], [[[x + 1, y] for x, y in RING]]]}, {}),
         "it has 2 parts"),
        (line(200), "it is 400 m wide, at most 255 m fit"),
        ((polygon(RING), {"days": [1, 2]}), "it has weekdays"),
        ((polygon(RING), {"hours": [["08:00", "09:00"], ["10:00", "11:00"]]}), "several windows"),
    ],
)  # fmt: skip
def test_a_fence_that_no_terminal_can_hold_is_refused_by_name(call, drawn, says):
    put_fence(call, *drawn)
    body = {"op": "set_fence", "args": {"code": "F1"}}
    answer = call("POST", f"/api/vehicles/{TRUCK}/orders", json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "unfit_fence")
    assert says in answer.text


def test_a_fence_that_is_not_there(call):
    body = {"op": "set_fence", "args": {"code": "F9"}}
    assert call("POST", f"/api/vehicles/{TRUCK}/orders", json=body).status_code == 404
