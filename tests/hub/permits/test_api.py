import json
import subprocess
import sys

import pytest

from hub import audit
from hub.alerts.store import alerts
from hub.judging import Judge
from hub.permits.commands import check
from hub.roles import Role
from tests.hub.permits.test_sheet import GOOD, csv
from tests.hub.test_api import caller, client_of, furnished, tokens_of
from tests.hub.test_judging import judge_all, numbered, rows, send, truck, way
from tests.hub.tracks.test_geofence import feature
from wire.track import FULL


@pytest.fixture
def hub(tmp_path, store):
    return furnished(tmp_path, store)


@pytest.fixture
def call(hub):
    return caller(client_of(hub), tokens_of(hub))


def sites(call, *names):
    for number, name in enumerate(names):
        made = feature(radius_m=100, code=f"s{number}", name=name, purpose="dump")
        body = {"version": 0, "feature": made}
        assert call("PUT", f"/api/fences/s{number}", json=body).status_code == 200


BODY = {
    "vehicles": ["陕G·00001"],
    "loading_site": "东坝工地",
    "dump_site": "西沟消纳场",
    "valid_from": "2026-10-01",
    "valid_until": "2026-12-31",
    "route": [[109.02, 32.69], [109.03, 32.70]],
    "hours": [["22:00", "05:00"]],
}


def test_a_table_is_taken_and_found_again(call, hub):
    sites(call, "东坝工地", "西沟消纳场")
    answer = call("POST", "/api/permits", Role.SUPERVISOR, content=csv(GOOD))
    assert answer.json() == {"imported": 1, "changed": 1}
    assert call("POST", "/api/permits", content=csv(GOOD)).json()["changed"] == 0
    (item,) = call("GET", "/api/permits?vehicle=陕G·00001").json()["items"]
    assert item["permit"]["vehicles"] == ["陕G00001", "陕G12345"]
    assert call("GET", "/api/permits?vehicle=陕G0000").json()["total"] == 0
    assert call("GET", "/api/permits?valid_on=2027-01-01").json()["total"] == 0
    assert call("GET", "/api/permits?q=2026-001").json()["total"] == 1
    detail = call("GET", "/api/permits/安渣证2026-001").json()
    assert detail["dump"]["properties"]["name"] == "西沟消纳场"
    with hub.store.read() as tx:
        assert [act.action for act in audit.of(tx, "permit", "all")] == ["import", "import"]


def test_one_bad_row_and_nothing_is_taken(call):
    sites(call, "东坝工地", "西沟消纳场")
    answer = call("POST", "/api/permits", content=csv(GOOD, GOOD.replace("001", "002", 1) + "x"))
    assert answer.status_code == 422
    (problem,) = answer.json()["error"]["problems"]
    assert (problem["row"], problem["column"]) == (3, "有效期止")
    assert call("GET", "/api/permits").json()["total"] == 0


def test_a_permit_is_edited_in_versions(call):
    sites(call, "东坝工地", "西沟消纳场")
    first = {"version": 0, "permit": BODY | {"dump_site": "s1"}}
    assert call("PUT", "/api/permits/p/1", Role.SUPERVISOR, json=first).json()["version"] == 1
    assert call("PUT", "/api/permits/p/1", json=first).status_code == 409
    (listed,) = call("GET", "/api/permits").json()["items"]
    assert (listed["loading_name"], listed["dump_name"]) == ("东坝工地", "西沟消纳场")
    second = {"version": 1, "permit": BODY | {"hours": []}}
    changed = call("PUT", "/api/permits/p/1", json=second).json()
    assert (changed["version"], changed["permit"]["hours"]) == (2, [["00:00", "24:00"]])
    versions = call("GET", "/api/permit-versions/p/1").json()["items"]
    assert [each["version"] for each in versions] == [2, 1]
    assert call("DELETE", "/api/permits/p/1").status_code == 204
    assert call("GET", "/api/permits/p/1").status_code == 404


def test_a_route_is_shown_in_the_datum_that_is_asked_for(call):
    sites(call, "东坝工地", "西沟消纳场")
    answer = call("PUT", "/api/permits/p1?datum=gcj02", json={"version": 0, "permit": BODY})
    assert answer.json()["permit"]["route"][0] == pytest.approx([109.02, 32.69], abs=1e-9)
    inside = call("GET", "/api/permits/p1").json()["permit"]["route"][0]
    assert inside != pytest.approx([109.02, 32.69], abs=1e-4)


@pytest.mark.parametrize(
    "changes",
    [
        {"dump_site": "nowhere"},
        {"valid_until": "2026-01-01"},
        {"hours": [["1", "2"]]},
        {"route": [[109.0, 32.0]]},
        {"route": [[32.0, 109.0], [32.1, 109.1]]},
        {"vehicles": [" · "]},
        {"extra": 1},
    ],
)
def test_a_bad_permit_is_refused(call, changes):
    sites(call, "东坝工地", "西沟消纳场")
    body = {"version": 0, "permit": BODY | changes}
    assert call("PUT", "/api/permits/p1", json=body).status_code == 422


def test_a_loaded_truck_without_a_permit_is_an_alert(call, hub):
    sites(call, "东坝工地", "西沟消纳场")
    truck(hub.store, hub.site)
    run = numbered(way(0, 200, kmh=40, load=FULL))
    judge = Judge(hub.store, hub.site, lambda: False)
    send(hub.store, hub.site, run[:10])
    judge_all(hub.store, hub.site, judge)
    assert [r for r in rows(hub.store, alerts) if r.label == "no_permit"] == []

    call("POST", "/api/permits", content=csv(GOOD.replace("00001", "99999")))
    send(hub.store, hub.site, run[10:])
    judge_all(hub.store, hub.site, judge)
    (alert,) = [r for r in rows(hub.store, alerts) if r.label == "no_permit"]
    assert (alert.level, alert.score) == (2, 0.9)
    shown = call("GET", f"/api/alerts/{alert.id}/track").json()
    assert shown["kind"] == "no_permit"
    assert len(shown["points"]) > 5


def test_the_command_names_every_fault(tmp_path):
    path, fences = tmp_path / "permits.csv", tmp_path / "sites.geojson"
    path.write_bytes(csv(GOOD, GOOD.replace("001", "002", 1) + "x"))
    fences.write_text(json.dumps(feature(radius_m=9, name="东坝工地")))
    problems = [line for line in check(path, fences) if "problem" in line]
    assert [(each["row"], each["column"]) for each in problems] == [
        (2, "消纳场"),
        (3, "有效期止"),
    ]
    command = [sys.executable, "-m", "tianyan.cli", "permit", "check", path]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert json.loads(done.stdout.splitlines()[-1])["summary"] == {
        "rows": 2,
        "good": 1,
        "faults": 1,
    }
    path.write_bytes(csv(GOOD))
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0
    command[-1] = tmp_path / "none.csv"
    assert subprocess.run(command, capture_output=True, check=False).returncode == 2
