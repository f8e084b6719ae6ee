from datetime import datetime, timedelta

import msgspec
import pytest

from hub import pipeline
from hub.alerts.alert import alert_id
from tests.hub.test_api import caller, client_of, furnished, tokens_of
from tests.hub.test_judging import judge_all, numbered, send, truck, way
from tests.hub.world import after, alert_message, health, ms, received
from wire.alert import AlertState
from wire.status import CameraState, VehicleBirth
from wire.track import EMPTY, FULL

B = 10_000
"""Long after the camera began to see."""
HEAP = alert_message(
    7, alert="heap", label="unknown_object", at=after(B + 1500), since=ms(after(B + 1200))
)
ID = alert_id(HEAP)


@pytest.fixture
def hub(tmp_path, store):
    built = furnished(tmp_path, store)
    truck(store, built.site)
    return built


@pytest.fixture
def call(hub):
    return caller(client_of(hub), tokens_of(hub))


def see(hub, message=HEAP):
    with hub.store.write() as tx:
        pipeline.take(tx, hub.site, "alert", [received(message)])


def tip(hub, at_s, east_m=20.0, **changes):
    """A truck comes, stands for three minutes 20 m from the camera's place, tips, and goes."""
    full, empty = {"load": FULL, "hopper": False}, {"load": EMPTY, "hopper": False}
    at_s += B
    fixes = numbered(
        way(at_s - 200, 200, east_m - 2000, kmh=36, **full),
        way(at_s, 120, east_m, load=FULL, hopper=True),
        way(at_s + 120, 60, east_m, **empty),
        way(at_s + 180, 200, east_m, kmh=36, **empty),
    )
    send(hub.store, hub.site, fixes, **changes)
    judge_all(hub.store, hub.site)


def leads(call, query="", role="operator"):
    return call("GET", f"/api/alerts/{ID}/trucks-near{query}", role).json()


def test_the_truck_that_stood_there_before_is_a_lead_and_no_verdict(call, hub):
    tip(hub, 600)
    see(hub)
    found = leads(call)
    (lead,) = found["items"]
    assert (lead["vehicle"], lead["plate"]) == ("car-1/v1", "陕G·00001")
    assert (lead["load_before"], lead["load_after"], lead["unloaded"]) == ("full", "empty", True)
    assert lead["hopper_raised"] is True
    assert lead["distance_m"] == pytest.approx(20, abs=2)
    assert lead["stood_s"] == pytest.approx(170, abs=20)
    assert len(lead["track"]) >= 4
    assert "Leads, not findings" in found["note"]
    assert found["basis"] == "watched"


@pytest.mark.parametrize(
    ("at_s", "east_m"),
    [
        pytest.param(600, 300, id="too far"),
        pytest.param(1300, 20, id="after it was seen"),
        pytest.param(-1600, 20, id="before the last clean look"),
    ],
)
def test_who_was_elsewhere_or_at_another_time_is_none(call, hub, at_s, east_m):
    tip(hub, at_s, east_m)
    see(hub)
    assert leads(call)["items"] == []


def test_who_drove_past_is_none(call, hub):
    send(hub.store, hub.site, numbered(way(B + 500, 200, -1000, kmh=36)))
    judge_all(hub.store, hub.site)
    see(hub)
    assert leads(call)["items"] == []


def test_a_patrol_car_is_no_truck(call, hub):
    truck(hub.store, hub.site, vehicles=[VehicleBirth(id="v1", plate="x", kind="patrol")])
    tip(hub, 600)
    see(hub)
    assert leads(call)["items"] == []


def test_while_the_camera_was_blind_the_place_may_have_changed(call, hub):
    tip(hub, -1600)
    with hub.store.write() as tx:
        for state, at in ((CameraState.BLACK, after(B - 3000)), (CameraState.OK, after(B + 1100))):
            said = health(state, at)
            pipeline.take(tx, hub.site, "health", [received(said, at)])
    see(hub)
    found = leads(call)
    assert found["basis"] == "blind"
    assert len(found["items"]) == 1


def test_an_officer_may_ask_for_another_span_and_radius(call, hub):
    tip(hub, -1600, 150)
    see(hub)
    wider = f"?from={after(B - 2000).isoformat().replace('+00:00', 'Z')}&radius_m=200"
    found = leads(call, wider)
    assert (found["basis"], len(found["items"])) == ("asked", 1)
    late = "?from=2027-01-01T00:00:00Z"
    assert call("GET", f"/api/alerts/{ID}/trucks-near{late}").status_code == 422


def test_without_a_word_about_the_load_it_stays_unknown(call, hub):
    fixes = numbered(
        way(B + 400, 200, -1980, kmh=36), way(B + 600, 180, 20.0), way(B + 780, 200, 20.0, kmh=36)
    )
    send(hub.store, hub.site, fixes)
    judge_all(hub.store, hub.site)
    see(hub)
    (lead,) = leads(call)["items"]
    assert (lead["load_before"], lead["unloaded"], lead["hopper_raised"]) == (None, None, None)


def test_a_vehicles_own_alert_has_no_leads(call, hub):
    send(hub.store, hub.site, numbered(way(0, 60, kmh=90)))
    judge_all(hub.store, hub.site)
    (alert,) = [
        each for each in call("GET", "/api/alerts").json()["items"] if each["place"] == "vehicle"
    ]
    assert call("GET", f"/api/alerts/{alert['id']}/trucks-near").status_code == 422
    assert call("GET", "/api/alerts/none/trucks-near").status_code == 404


def clean_until(at_s, **changes):
    """The heap of a camera that saw its place clean until then."""
    return msgspec.structs.replace(HEAP, last_clean=ms(after(B + at_s)), **changes)


@pytest.mark.parametrize(
    ("at_s", "clean_s", "found"),
    [
        pytest.param(600, 500, 1, id="between clean and dirty"),
        pytest.param(600, 700, 1, id="still there when it was last clean"),
        pytest.param(600, 1000, 0, id="gone before it was last clean"),
        pytest.param(-8000, -9000, 1, id="long before it was seen"),
    ],
)
def test_the_last_clean_look_begins_the_span(call, hub, at_s, clean_s, found):
    tip(hub, at_s)
    see(hub, clean_until(clean_s))
    answer = leads(call)
    assert len(answer["items"]) == found
    assert answer["basis"] == "clean"
    assert from_iso(answer["clean_at"]) == after(B + clean_s)
    assert from_iso(answer["last_clean"]) == after(B + clean_s - 60)


def test_a_clean_look_is_worth_more_than_that_the_camera_was_blind(call, hub):
    with hub.store.write() as tx:
        for state, at in ((CameraState.BLACK, after(B - 3000)), (CameraState.OK, after(B + 1100))):
            pipeline.take(tx, hub.site, "health", [received(health(state, at), at)])
    see(hub, clean_until(-3010))
    answer = leads(call)
    assert (answer["basis"], from_iso(answer["clean_at"])) == ("clean", after(B - 3010))


def test_a_clean_look_of_days_ago_is_told_although_the_span_is_shorter(call, hub):
    see(hub, clean_until(-400_000))
    answer = leads(call)
    assert from_iso(answer["clean_at"]) == after(B - 400_000)
    assert from_iso(answer["last_clean"]) == after(B + 1260) - timedelta(hours=48)


def test_a_clean_look_after_the_thing_came_is_none(call, hub):
    see(hub, clean_until(1300))
    answer = leads(call)
    assert (answer["basis"], answer["clean_at"]) == ("watched", None)


@pytest.mark.parametrize("order", [[0, 1], [1, 0]])
def test_of_two_words_the_earlier_clean_look_holds_in_whatever_order_they_come(call, hub, order):
    told = [clean_until(900), clean_until(800, seq=8, state=AlertState.UPDATE)]
    for number in order:
        see(hub, told[number])
    assert from_iso(leads(call)["clean_at"]) == after(B + 800)


def test_the_same_heap_again_is_looked_up_by_its_first_sight(call, hub):
    tip(hub, 600)
    see(hub, clean_until(500))
    again = alert_message(
        9, alert="again", label="unknown_object", at=after(B + 1700), since=ms(after(B + 1600)),
        dev="cam-2", last_clean=ms(after(B + 1590)),
    )  # fmt: skip
    see(hub, again)
    answer = call("GET", f"/api/alerts/{alert_id(again)}/trucks-near").json()
    assert from_iso(answer["clean_at"]) == after(B + 500)
    assert len(answer["items"]) == 1


@pytest.mark.parametrize("place", ["vehicle", "last"])
def test_a_camera_in_passing_that_knows_no_clean_pass_looks_back_for_a_day(call, hub, place):
    tip(hub, -8000)
    see(hub, msgspec.structs.replace(HEAP, label="illegal_structure", place=place))
    answer = leads(call)
    assert (answer["basis"], len(answer["items"])) == ("passing", 1)


def test_a_camera_in_passing_looks_back_to_its_last_clean_pass(call, hub):
    tip(hub, -8000)
    see(hub, clean_until(-7000, label="illegal_structure", place="vehicle"))
    answer = leads(call)
    assert (answer["basis"], answer["items"]) == ("clean", [])


def from_iso(text):
    return datetime.fromisoformat(text)
