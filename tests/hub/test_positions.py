import json
from datetime import datetime

from hub.positions import WHOLE_EVERY_S, Position, Positions
from hub.roles import Spot
from hub.store import EPOCH, to_ms
from hub.tracks.store import moved_since


def at(name, lat=32.0, rest="as it was"):
    return Position((name, 1000, lat, 109.0, 41.5, None), Spot(("city",)), rest)


def rows(event):
    kind, _, data = event.decode().strip().partition("\r\n")
    assert kind == "event: positions"
    return json.loads(data.removeprefix("data: "))


def test_a_page_gets_the_newest_of_what_moved_since_it_was_told():
    positions = Positions()
    positions.add([at("a", 1.0), at("b", 1.0)])
    told = positions.number
    positions.add([at("a", 2.0)])
    positions.add([at("a", 3.0), at("c", 3.0)])
    assert rows(positions.since(told)) == [
        ["c", 1000, 3.0, 109.0, 41.5, None],
        ["a", 1000, 3.0, 109.0, 41.5, None],
    ]
    assert {row[0] for row in rows(positions.since(0))} == {"a", "b", "c"}
    assert positions.since(positions.number) == b""


def test_pages_that_see_all_share_the_same_bytes_until_something_moves():
    positions = Positions()
    positions.add([at("a")])
    first = positions.since(0)
    assert positions.since(0) is first
    positions.add([at("a", 2.0)])
    assert rows(positions.since(0)) == [["a", 1000, 2.0, 109.0, 41.5, None]]


def test_a_vehicle_is_told_whole_when_more_changed_and_once_a_minute():
    positions, fleet = Positions(), [at("a"), at("b")]
    assert positions.to_be_told_whole(fleet, 0.0) == []
    assert positions.to_be_told_whole([at("a", rest="another grid"), at("b")], 0.0) == ["a"]
    seen = [
        name
        for second in range(1, 4 * int(WHOLE_EVERY_S))
        for name in positions.to_be_told_whole([at("b")], float(second))
    ]
    assert seen == ["b"] * len(seen)
    assert 3 <= len(seen) <= 4


def test_a_position_is_that_of_the_vehicles_item(each_hub, each_call):
    with each_hub.store.read() as tx:
        (position,) = moved_since(tx, EPOCH)
    (item,) = each_call("GET", "/api/vehicles").json()["items"]
    name, at_ms, *where = position.row
    assert (name, at_ms) == (item["id"], to_ms(datetime.fromisoformat(item["at"])))
    assert where == [item[part] for part in ("lat", "lon", "speed_kmh", "heading_deg")]
    assert position.spot.path == tuple(step["code"] for step in item["grids"]) != ()
