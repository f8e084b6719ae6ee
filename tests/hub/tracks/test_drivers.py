"""Drivers' cards: stored once, who drives now, and who may read a name."""

import pytest

from hub import pipeline
from hub.app import Hub
from hub.roles import Role
from hub.tracks import drivers
from tests.hub.test_api import caller, client_of, tokens_of
from tests.hub.world import EPOCH, NOON, after, make_site, ms, received, track_message
from wire.driver import DriverCard

TRUCK = "gateway-1/truck-1"


@pytest.fixture
def hub(tmp_path, sqlite_store):
    site = make_site(sqlite_store, tmp_path)
    built = Hub.build(site.config, sqlite_store)
    take(built, "track", track_message(0, 1, dev="gateway-1", vehicle="truck-1"))
    return built


def take(hub, name, *messages):
    with hub.store.write() as tx:
        return pipeline.take(tx, hub.site, name, [received(each, after(60)) for each in messages])


def card(seq, at=NOON, **changes):
    fields = {
        "dev": "gateway-1", "epoch": EPOCH, "seq": seq, "ts": ms(at), "tq": 2, "vehicle": "truck-1",
        "inserted": True, "read": "read", "driver": "王强", "certificate": "612401",
        "expires_on": "2030-12-31",
    }  # fmt: skip
    return DriverCard(**fields | changes)


def taken_out(seq, at):
    return card(seq, at, inserted=False, read="", driver="", certificate="", expires_on="")


def now_driving(hub):
    with hub.store.read() as tx:
        found = drivers.present(tx, [TRUCK])
    return {name: driver.name for name, driver in found.items()}


def test_who_drives_is_the_last_card_that_was_put_in_and_read(hub):
    take(hub, "driver", card(0))
    assert now_driving(hub) == {TRUCK: "王强"}
    take(hub, "driver", taken_out(1, after(10)))
    assert now_driving(hub) == {}
    take(hub, "driver", card(2, after(20), driver="李明"), card(3, after(15), driver="late"))
    assert now_driving(hub) == {TRUCK: "李明"}
    take(hub, "driver", card(4, after(30), read="card_locked", driver=""))
    assert now_driving(hub) == {}


def test_a_card_out_and_in_within_a_second_is_in_nobodys_hands(hub):
    take(hub, "driver", card(0), taken_out(1, NOON))
    assert now_driving(hub) == {}


def test_a_repeat_is_confirmed_and_stored_once(hub):
    first = take(hub, "driver", card(0))
    again = take(hub, "driver", card(0), card(1))
    assert [seqs for _, seqs in (*first.stored, *again.stored)] == [[0], [1], [0]]
    with hub.store.read() as tx:
        assert drivers.of(tx, TRUCK, 10, 0)[1] == 1


def test_a_name_is_for_those_who_may_see_evidence(hub):
    take(hub, "driver", card(0))
    call = caller(client_of(hub), tokens_of(hub))
    seen = call("GET", f"/api/vehicles/{TRUCK}/drivers", Role.OPERATOR).json()
    (item,) = seen["items"]
    assert (seen["total"], item["name"], item["certificate"]) == (1, "王强", "612401")
    assert (item["present"], item["expires_on"], item["read"]) == (True, "2030-12-31", "read")
    (item,) = call("GET", f"/api/vehicles/{TRUCK}/drivers", Role.VIEWER).json()["items"]
    assert (item["name"], item["certificate"]) == ("王＊", None)
    assert call("GET", "/api/vehicles/gateway-1/none/drivers").status_code == 404
    assert call("GET", f"/api/vehicles/{TRUCK}/drivers", None).status_code == 401


def test_cards_are_forgotten_with_the_tracks(hub):
    take(hub, "driver", card(0), card(1, after(20)))
    with hub.store.write() as tx:
        drivers.forget_old(tx, after(10))
    with hub.store.read() as tx:
        assert drivers.of(tx, TRUCK, 10, 0)[1] == 1
