"""What else is known of a spot."""

from datetime import date

import pytest

from hub import decisions
from hub.alerts.alert import alert_id
from hub.app import Hub
from hub.grid.hours import Hours
from hub.permits import store as permit_store
from hub.permits.permit import Permit
from hub.roles import Actor, Role
from hub.tracks import fence_store
from hub.tracks.geofence import read_fences
from tests.hub.test_api import caller, client_of, tokens_of
from tests.hub.test_pipeline import take
from tests.hub.world import LAT, LON, after, alert_message, birth
from wire.alert import Box

WANG = Actor("wang", Role.OPERATOR)
FAR_LAT = LAT + 0.01


def seen(store, site, number, **changes):
    message = alert_message(number, alert=f"a-{number}", at=after(number * 7200), **changes)
    take(store, site, "alert", message)
    return alert_id(message)


@pytest.fixture
def ask(store, site):
    hub = Hub.build(site.config, store)
    call = caller(client_of(hub), tokens_of(hub))

    def at(**query):
        answer = call("GET", "/api/spot", params={"lat": LAT, "lon": LON} | query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    return at


def test_earlier_alerts_and_cases_within_reach(store, site, ask):
    take(store, site, "birth", birth())
    first = seen(store, site, 0)
    decisions.decide(store, site, first, "confirmed", note="", actor=WANG)
    second = seen(store, site, 1, label="street_vending", lat=LAT + 0.0004)
    seen(store, site, 2, lat=FAR_LAT)
    false = seen(store, site, 3, label="unknown_object")
    decisions.decide(store, site, false, "false_alarm", note="", actor=WANG)
    found = ask(at=after(30_000).isoformat(), radius_m=100)
    assert [item["id"] for item in found["alerts"]] == [false, second, first]
    assert found["alerts"][1]["distance_m"] == pytest.approx(44.4, abs=0.5)
    assert found["alerts"][2]["case"]["number"] == found["cases"][0]["number"]
    assert found["false_alarms"] == 1
    assert found["cases"][0]["is_open"] is True
    without = ask(at=after(30_000).isoformat(), without=first)
    assert first not in [item["id"] for item in without["alerts"]]
    assert ask(at=after(30_000).isoformat(), radius_m=20)["false_alarms"] == 1
    earlier = ask(at=after(3600).isoformat())
    assert [item["id"] for item in earlier["alerts"]] == [first]


def test_permits_whose_site_or_route_is_there(store, site, ask):
    yard = {
        "type": "Feature",
        "properties": {"code": "yard", "name": "Yard", "purpose": "dump", "radius_m": 80},
        "geometry": {"type": "Point", "coordinates": [LON, LAT + 0.001]},
    }
    hours = Hours.read([["22:00", "05:00"]])
    days = (date(2026, 11, 1), date(2026, 11, 30))
    permits = [
        Permit("P-site", frozenset({"陕G1"}), "pit", "yard", *days, hours=hours),
        Permit("P-route", frozenset({"陕G2"}), "pit", "x", *days,
               route=((LAT, LON - 0.01), (LAT, LON + 0.01))),
        Permit("P-far", frozenset({"陕G3"}), "pit", "x", *days),
        Permit("P-over", frozenset({"陕G4"}), "pit", "yard", date(2026, 1, 1), date(2026, 1, 2)),
    ]  # fmt: skip
    with store.write() as tx:
        fence_store.put(tx, read_fences(yard), "test", after(0))
        permit_store.put(tx, permits, "test", after(0))
    night, noon = "2026-11-23T16:00:00Z", "2026-11-23T04:00:00Z"
    found = ask(at=night, radius_m=50)["permits"]
    assert [(p["number"], p["place"], p["open_now"]) for p in found] == [
        ("P-route", "route", True),
        ("P-site", "dump_site", True),
    ]
    assert found[1]["distance_m"] == pytest.approx(110.9 - 80, abs=0.5)
    assert [p["open_now"] for p in ask(at=noon, radius_m=50)["permits"]] == [True, False]
    assert [p["number"] for p in ask(at=night, radius_m=10)["permits"]] == ["P-route"]


def test_what_is_held_back_there(store, site, ask):
    box = [Box("garbage", 0.6, 0.4, 0.4, 0.2, 0.2)]
    for number in range(3):
        false = seen(store, site, number, boxes=box)
        decisions.decide(store, site, false, "false_alarm", note="", actor=WANG)
    found = ask(days=366)
    assert found["false_alarms"] == len(found["alerts"]) == 3
    assert [(s["camera"], s["label"]) for s in found["suppressions"]] == [("cam-1/gate", "garbage")]
    assert ask(lat=FAR_LAT)["suppressions"] == []
