"""Revisions over HTTP: refused with the device's words, numbered, compared, who may."""

from datetime import date

import pytest

from hub import audit, pipeline
from hub.app import Hub
from hub.devices.revisions import store as revision_store
from hub.devices.revisions.revision import differences
from hub.devices.revisions.site_calendar import site_calendar
from hub.roles import Role
from hub.store import now
from tests.hub.test_api import caller, client_of, tokens_of
from tests.hub.world import birth, make_site, received, state
from wire.calendar import Calendar
from wire.coded import code_of, coded
from wire.command import CommandState, Reply
from wire.revision import SettingsReport

ZONE = {"id": "a", "polygon": [[0.1, 0.1], [0.9, 0.1], [0.9, 0.9]]}
SETTINGS = "/api/cameras/cam-1/gate/settings"
FORCE = {"zones": [ZONE | {"dwell_s": 60.0}], "ground_points": []}


@pytest.fixture
def hub(tmp_path, sqlite_store):
    site = make_site(sqlite_store, tmp_path)
    built = Hub.build(site.config, sqlite_store)
    take(built, "birth", birth())
    take(built, "state", state())
    take(built, "settings", SettingsReport(dev="cam-1", camera="gate", doc=FORCE))
    return built


@pytest.fixture
def call(hub):
    return caller(client_of(hub), tokens_of(hub))


def take(hub, name, *messages):
    with hub.store.write() as tx:
        pipeline.take(tx, hub.site, name, [received(message) for message in messages])


def save(call, zones, seen=0, role=Role.SUPERVISOR, **more):
    body = {"settings": {"zones": zones} | more, "seen": seen, "note": "as drawn"}
    return call("PUT", SETTINGS, role, json=body)


def test_a_saved_revision_is_numbered_audited_and_due(call, hub):
    saved = save(call, [ZONE | {"dwell_s": 300}]).json()
    assert (saved["rev"], saved["by"], saved["state"]) == (1, "supervisor-1", "waiting")
    with hub.store.read() as tx:
        (act,) = audit.of(tx, "device", "cam-1")
        (letter,) = revision_store.due(tx, hub.site.config and received(state()).received_at)
    assert (act.action, act.to_state, act.note) == ("configure", "1", "as drawn")
    assert (letter.name, letter.retain) == ("config", True)

    item = call("GET", SETTINGS).json()
    assert item["in_force"] == FORCE
    assert item["wanted"]["zones"][0]["dwell_s"] == 300
    assert (item["latest"], item["news"]["state"]) == (1, "waiting")

    take(hub, "reply", Reply(dev="cam-1", id="config-1", st=CommandState.DONE))
    news = call("GET", SETTINGS).json()["news"]
    assert (news["state"], news["wanted"], news["reported"]) == ("applied", 1, 1)


FAULTY = [
    ([ZONE | {"polygon": [[0, 0], [1.2, 0.5], [1, 1]]}], "zones.0.polygon.1: "),
    ([ZONE | {"polygon": [[0, 0], [1.2, 0.5], [1, 1]]}], "(1.2, 0.5) lies outside the picture"),
    ([ZONE | {"polygon": [[0, 0], [1, 1], [1, 0], [0, 1]]}], "sides 1 and 3 cross"),
    ([ZONE | {"matters": {"garbage": "12345"}}], "is no matter of GB/T 47678.5-2026"),
    ([ZONE | {"id": f"z{i}"} for i in range(33)], "zones: List should have at most 32 items"),
    ([ZONE | {"min_ground_m2": 1}], "the camera has no ground_points to measure with"),
    ([ZONE, ZONE], "zones: each id once"),
]


@pytest.mark.parametrize(("zones", "says"), FAULTY)
def test_what_no_device_would_take_is_refused_here_in_its_words(call, zones, says):
    checked = call("POST", f"{SETTINGS}/check", Role.VIEWER, json={"settings": {"zones": zones}})
    assert says in " ".join(checked.json()["faults"])
    refused = save(call, zones)
    assert (refused.status_code, refused.json()["error"]["code"]) == (422, "bad_settings")
    assert says in refused.text.replace("\\\\u", "")
    assert call("GET", "/api/devices/cam-1/revisions").json()["total"] == 0


def test_who_may_and_where(call):
    assert save(call, [ZONE], role=Role.OPERATOR).status_code == 403
    assert save(call, [ZONE], seen=3).status_code == 409
    assert save(call, [ZONE]).status_code == 201
    assert save(call, [ZONE]).status_code == 409
    assert call("GET", "/api/cameras/cam-1/roof/settings").status_code == 404


def test_a_refused_revision_is_not_what_the_next_begins_from(call, hub):
    save(call, [ZONE | {"name": "first"}])
    take(hub, "reply", Reply(dev="cam-1", id="config-1", st=CommandState.DONE))
    save(call, [ZONE | {"name": "second"}], seen=1)
    refusal = Reply(
        dev="cam-1", id="config-2", st=CommandState.FAILED, out={"faults": ["cameras.gate: no"]}
    )
    take(hub, "reply", refusal)
    news = call("GET", SETTINGS).json()["news"]
    assert (news["state"], news["faults"], news["reported"]) == ("refused", ["cameras.gate: no"], 1)
    save(call, [ZONE | {"name": "third"}], seen=2)
    with hub.store.read() as tx:
        doc = revision_store.latest(tx, "cam-1").doc
    assert doc["cameras"]["gate"]["zones"][0]["name"] == "third"


def test_faults_are_answered_with_the_codes_the_device_said(call, hub):
    save(call, [ZONE])
    no_camera = coded("no_such_camera", "cameras.{camera}: none such", camera="roof")
    faults = ["cameras.gate: no", str(no_camera)]
    out = {"faults": faults, "said": {"1": code_of(no_camera), "7": {}, "0": "nothing"}}
    take(hub, "reply", Reply(dev="cam-1", id="config-1", st=CommandState.FAILED, out=out))
    news = call("GET", SETTINGS).json()["news"]
    assert (news["faults"], news["coded"]) == (faults, {"1": no_camera.parts()})
    draft = {"zones": [ZONE | {"dwell_s": -1}]}
    found = call("POST", f"{SETTINGS}/check", json={"settings": draft}).json()
    assert found["coded"]["0"]["values"]["why"]["code"] == "at_least"


def test_the_citys_calendar_goes_with_each_revision_and_its_changes_after_it(call, hub):
    save(call, [ZONE])
    with hub.store.write() as tx:
        doc = revision_store.latest(tx, "cam-1").doc
        calendar = site_calendar(tx, 2026)
        assert doc["calendar"] == site_calendar(tx, now().year)
        assert revision_store.renew_calendars(tx, doc["calendar"], now()) == []
        assert revision_store.renew_calendars(tx, {"workdays": ["2030-01-05"]}, now())
        assert revision_store.latest(tx, "cam-1").rev == 2
    known = Calendar.model_validate(calendar)
    assert known.is_holiday(date(2026, 10, 3))  # a Saturday within the National Day holiday
    assert known.is_workday(date(2026, 10, 10))  # a Saturday worked for it
    assert not known.is_holiday(date(2026, 9, 30))


def test_a_rollback_is_a_new_revision_that_names_its_changes(call, hub):
    save(call, [ZONE | {"dwell_s": 300}])
    save(call, [ZONE | {"dwell_s": 900}, ZONE | {"id": "b"}], seen=1)
    restored = call("POST", "/api/devices/cam-1/revisions/1/restore", Role.SUPERVISOR).json()
    assert (restored["rev"], restored["note"]) == (3, "↩ 1")
    listed = call("GET", "/api/devices/cam-1/revisions?limit=2").json()
    assert (listed["total"], [each["rev"] for each in listed["items"]]) == (3, [3, 2])
    changes = {each["where"]: each for each in listed["items"][0]["changes"]}
    assert changes["gate.zones.a.dwell_s"]["before"] == 900
    assert changes["gate.zones.a.dwell_s"]["after"] == 300
    assert changes["gate.zones.b.dwell_s"]["after"] is None
    assert call("POST", "/api/devices/cam-1/revisions/9/restore").status_code == 404


def test_differences_name_each_setting():
    before = {"cameras": {"gate": {"zones": [{"id": "a", "dwell_s": 60}]}}}
    after = {
        "cameras": {"gate": {"zones": [{"id": "a", "dwell_s": 90}], "ground_points": [{"x": 0}]}},
        "calendar": {"workdays": ["2026-10-10"]},
    }
    found = {d.where: (d.before, d.after) for d in differences(before, after)}
    assert found == {
        "gate.zones.a.dwell_s": (60, 90),
        "calendar": (None, {"workdays": ["2026-10-10"]}),
        "gate.ground_points": (None, [{"x": 0}]),
    }
