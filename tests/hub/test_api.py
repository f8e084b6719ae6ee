"""The HTTP contract: who may call what, and that answers are what the OpenAPI document says."""

import json
import re
import shutil

import jsonschema
import pytest

from hub import auth, pipeline
from hub.alerts.alert import alert_id
from hub.app import Hub, create_app
from hub.http import HEADERS
from hub.live import api as live_api
from hub.roles import Role
from tests.hub.cases.test_condition_sheet import workbook
from tests.hub.client import Client
from tests.hub.stores import open_store
from tests.hub.world import (
    after,
    alert_message,
    birth,
    grid_document,
    health,
    make_site,
    received,
    state,
    track_message,
)

ALERT = alert_id(alert_message())
LOCAL = {"base_url": "http://127.0.0.1:8000", "client": ("127.0.0.1", 50000)}


def take(hub, name, *messages):
    with hub.store.write() as tx:
        pipeline.take(tx, hub.site, name, [received(message) for message in messages])


def furnished(folder, store):
    """A hub with one of everything; no broker, no server."""
    site = make_site(store, folder)
    built = Hub.build(site.config, store)
    take(built, "birth", birth(generated=True))
    take(built, "health", health("ok", after(3)))
    take(built, "track", track_message(0, 5, dev="cam-1"))
    take(built, "alert", alert_message())
    return built


def tokens_of(hub):
    with hub.store.write() as tx:
        return {role: auth.issue_token(tx, f"{role}-1", role) for role in Role}


def client_of(hub):
    return Client(create_app(hub.config, hub), raise_server_exceptions=False, **LOCAL)


def caller(client, tokens):
    def send(method, path, role=Role.ADMIN, **more):
        headers = {"Authorization": f"Bearer {tokens[role]}"} if role else {}
        return client.request(method, path, headers=headers | more.pop("headers", {}), **more)

    return send


def open_case(call):
    call("POST", f"/api/alerts/{ALERT}/decision", json={"decision": "confirmed"})
    return call("GET", "/api/cases").json()["items"][0]


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def look(request, tmp_path_factory, sqlite_template):
    """Calls to a hub that no test changes, on both databases; it has a case."""
    folder = tmp_path_factory.mktemp("hub")
    if request.param == "sqlite":
        url = f"sqlite:///{shutil.copy(sqlite_template, folder)}"
    else:
        server, template = (request.getfixturevalue(name) for name in ("server", "template"))
        url = server.url(server.new_database(template))
    hub = furnished(folder, open_store(url))
    call = caller(client_of(hub), tokens_of(hub))
    open_case(call)
    call("POST", "/api/reports", json={"channel": "letter", "content": "noise at night"})
    table = workbook(("06010", "", "scattered", "cleared", "4工作时", ""))
    call("PUT", "/api/conditions", content=table)
    department = {"name_zh": "环卫处"}
    call("PUT", "/api/departments/huanwei", json={"version": 0, "department": department})
    call("POST", "/api/dispatch-rules", json={"rule": {"department": "huanwei"}})
    safe = {"kind": "made_safe", "version": 1, "note": "fenced off"}
    call("POST", "/api/cases/1/records", json=safe)
    call("POST", "/api/cases/1/enforcement", json={"party": "某建材店"})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(live_api, "WAIT_S", 0.1)  # no camera sends a picture here
        yield call
    hub.store.close()


@pytest.fixture
def hub(tmp_path, sqlite_store):
    return furnished(tmp_path, sqlite_store)


@pytest.fixture
def tokens(hub):
    return tokens_of(hub)


@pytest.fixture
def client(hub):
    return client_of(hub)


@pytest.fixture
def call(client, tokens):
    return caller(client, tokens)


@pytest.fixture
def case(call):
    return open_case(call)


# the contract


def documented(document, method, path, status):
    """The schema an answer must fit, with its references resolvable."""
    operation = document["paths"][path][method.lower()]
    content = operation["responses"][str(status)]["content"]
    return {"components": document["components"], **content["application/json"]["schema"]}


READS = [
    ("/api/cameras", {}),
    ("/api/vehicles", {}),
    ("/api/vehicles/{vehicle}/track", {"vehicle": "cam-1/v1"}),
    ("/api/alerts", {}),
    ("/api/alerts/{alert}", {"alert": ALERT}),
    ("/api/alerts/{alert}/boxes", {"alert": ALERT}),
    ("/api/claims", {}),
    ("/api/suppressions", {}),
    ("/api/datasets/verdicts", {}),
    ("/api/reports", {}),
    ("/api/conditions", {}),
    ("/api/conditions/history", {}),
    ("/api/matters", {}),
    ("/api/calendar/versions", {}),
    ("/api/grid-imports", {}),
    ("/api/devices/{device}", {"device": "cam-1"}),
    ("/api/revisions", {}),
    ("/api/quarantine/counts", {}),
    ("/api/departments", {}),
    ("/api/dispatch-rules", {}),
    ("/api/dispatch-rules/try", {}),
    ("/api/dispatch-rules/{number}/versions", {"number": "1"}),
    ("/api/cases/{case_id}/dispatch", {"case_id": "1"}),
    ("/api/cases/{case_id}/records", {"case_id": "1"}),
    ("/api/case-records", {}),
    ("/api/told-records", {}),
    ("/api/cases/{case_id}/enforcement", {"case_id": "1"}),
    ("/api/settling-powers", {}),
    ("/api/departments/{code}", {"code": "huanwei"}),
    ("/api/calendar", {}),
    ("/api/evaluation/indicators", {}),
    ("/api/evaluation/schemes", {}),
    ("/api/cases", {}),
    ("/api/cases/{case_id}", {"case_id": "1"}),
    ("/api/cases/{case_id}/proof", {"case_id": "1"}),
    ("/api/visits", {}),
    ("/api/ledgers/long-standing", {}),
    ("/api/ledgers/recurring", {}),
    ("/api/grids", {}),
    ("/api/patrol/coverage", {}),
    ("/api/duty/grids", {}),
    ("/api/devices", {}),
    ("/api/quarantine", {}),
    ("/api/summary", {}),
    ("/api/blind-spans", {}),
    ("/api/tokens", {}),
    ("/api/roles", {}),
    ("/api/audit", {}),
    ("/api/audit/words", {}),
    ("/api/audit/chain", {}),
    ("/api/session", {}),
]


@pytest.mark.parametrize(("path", "values"), READS)
def test_answers_are_as_documented(look, path, values):
    document = look("GET", "/api/openapi.json").json()
    look("POST", f"/api/alerts/{ALERT}/claim", json={"page": "page-one-1"})  # holds for seconds
    answer = look("GET", path.format(**values), params={"from": "2020-01-01T00:00:00Z"})
    assert answer.status_code == 200
    name = path.replace("{vehicle}", "{vehicle}")
    jsonschema.validate(answer.json(), documented(document, "GET", name, 200))
    if "items" in answer.json() and path not in (
        "/api/quarantine",
        "/api/suppressions",
        "/api/told-records",
        "/api/visits",
        "/api/ledgers/long-standing",
        "/api/ledgers/recurring",
    ):
        assert answer.json()["total"] >= len(answer.json()["items"]) > 0


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/api/alerts/none", None, 404),
        ("GET", "/api/cases/99", None, 404),
        ("GET", "/api/cases/x", None, 422),
        ("GET", "/api/alerts?limit=501", None, 422),
        ("GET", "/api/alerts?from=yesterday", None, 422),
        ("GET", "/api/alerts?state=odd", None, 422),
        ("GET", "/api/vehicles/none/track", None, 404),
        ("GET", "/api/nothing", None, 404),
        ("DELETE", "/api/alerts", None, 405),
        ("POST", f"/api/alerts/{ALERT}/decision", {"decision": "maybe"}, 422),
        ("POST", f"/api/alerts/{ALERT}/decision", {"decision": "confirmed", "x": 1}, 422),
        ("POST", "/api/cases/1/actions", {"action": "close", "version": 2}, 409),
        ("POST", "/api/cases/1/actions", {"action": "file", "version": 7}, 409),
        ("POST", "/api/cases/1/actions", {"action": "reject", "version": 2}, 422),
        ("POST", "/api/devices", {"id": "UPPER CASE"}, 422),
        ("POST", "/api/grids", {"type": "Point"}, 422),
        ("POST", "/api/tokens", {"name": "admin-1", "role": "king"}, 422),
    ],
)
def test_errors_have_one_shape(look, method, path, body, status):
    answer = look(method, path, json=body)
    assert answer.status_code == status
    error = answer.json()["error"]
    assert error["code"]
    assert error["message"]


# who may


GUARDED = [
    ("GET", "/api/base-map.pmtiles", Role.VIEWER),
    ("POST", "/api/cameras/cam-1/gate/live", Role.OPERATOR),
    ("GET", "/api/cameras/cam-1/gate/live", Role.OPERATOR),
    ("GET", "/api/cameras", Role.VIEWER),
    ("GET", "/api/vehicles", Role.VIEWER),
    ("GET", "/api/vehicles/cam-1/v1/track", Role.VIEWER),
    ("GET", "/api/vehicles/cam-1/v1/drivers", Role.VIEWER),
    ("GET", "/api/vehicles/cam-1/v1/ops", Role.VIEWER),
    ("GET", "/api/vehicles/cam-1/v1/orders", Role.VIEWER),
    ("POST", "/api/vehicles/cam-1/v1/orders", Role.OPERATOR),
    ("GET", "/api/alerts", Role.VIEWER),
    ("GET", f"/api/alerts/{ALERT}", Role.VIEWER),
    ("GET", "/api/cases", Role.VIEWER),
    ("GET", "/api/cases/1", Role.VIEWER),
    ("GET", "/api/case-table", Role.VIEWER),
    ("GET", "/api/grids", Role.VIEWER),
    ("GET", "/api/grids.geojson", Role.VIEWER),
    ("GET", "/api/devices", Role.VIEWER),
    ("GET", "/api/summary", Role.VIEWER),
    ("GET", "/api/blind-spans", Role.VIEWER),
    ("GET", f"/api/evidence/{'a' * 64}", Role.COLLECTOR),
    ("GET", "/api/ops", Role.VIEWER),
    ("GET", f"/api/alerts/{ALERT}/looks", Role.VIEWER),
    ("GET", "/api/cases/1/looks", Role.VIEWER),
    ("POST", f"/api/alerts/{ALERT}/look", Role.OPERATOR),
    ("POST", "/api/cases/1/look", Role.OPERATOR),
    ("GET", "/api/cameras/cam-1/gate/settings", Role.VIEWER),
    ("POST", "/api/cameras/cam-1/gate/settings/check", Role.VIEWER),
    ("PUT", "/api/cameras/cam-1/gate/settings", Role.SUPERVISOR),
    ("GET", "/api/devices/cam-1/revisions", Role.VIEWER),
    ("POST", "/api/devices/cam-1/revisions/1/restore", Role.SUPERVISOR),
    ("GET", "/api/orders", Role.VIEWER),
    ("GET", "/api/orders/x", Role.VIEWER),
    ("POST", "/api/devices/cam-1/orders", Role.OPERATOR),
    ("POST", f"/api/evidence/{'a' * 64}/opening", Role.SUPERVISOR),
    ("POST", "/api/devices/cam-1/key", Role.ADMIN),
    ("POST", f"/api/alerts/{ALERT}/decision", Role.OPERATOR),
    ("GET", "/api/claims", Role.VIEWER),
    ("POST", f"/api/alerts/{ALERT}/claim", Role.OPERATOR),
    ("DELETE", f"/api/alerts/{ALERT}/claim", Role.OPERATOR),
    ("POST", f"/api/alerts/{ALERT}/snooze", Role.OPERATOR),
    ("DELETE", f"/api/alerts/{ALERT}/snooze", Role.OPERATOR),
    ("POST", f"/api/alerts/{ALERT}/merge", Role.OPERATOR),
    ("GET", "/api/spot", Role.VIEWER),
    ("GET", "/api/camera-pictures", Role.VIEWER),
    ("GET", "/api/search", Role.VIEWER),
    ("GET", "/api/alert-table", Role.VIEWER),
    ("GET", "/api/vehicle-table", Role.VIEWER),
    ("GET", "/api/report-table", Role.OPERATOR),
    ("GET", "/api/camera-table", Role.VIEWER),
    ("GET", "/api/device-table", Role.VIEWER),
    ("GET", "/api/visit-table", Role.VIEWER),
    ("GET", "/api/deadlines", Role.VIEWER),
    ("POST", "/api/deadlines", Role.VIEWER),
    ("DELETE", "/api/deadlines", Role.VIEWER),
    ("GET", "/api/past", Role.VIEWER),
    ("GET", f"/api/alerts/{ALERT}/boxes", Role.VIEWER),
    ("PUT", f"/api/alerts/{ALERT}/boxes", Role.OPERATOR),
    ("GET", "/api/suppressions", Role.VIEWER),
    ("POST", "/api/suppressions/1/lift", Role.OPERATOR),
    ("POST", "/api/cases/1/actions", Role.HANDLER),
    ("POST", "/api/cases/1/photos?use=visit", Role.COLLECTOR),
    ("GET", "/api/cases/1/proof", Role.VIEWER),
    ("GET", "/api/cases/1/reports", Role.HANDLER),
    ("PUT", "/api/reports/x/photos", Role.SERVICE),
    ("GET", "/api/names?login=li", Role.VIEWER),
    ("POST", "/api/cases/1/visits", Role.OPERATOR),
    ("POST", "/api/cases/1/checks/1/result", Role.COLLECTOR),
    ("GET", "/api/visits", Role.VIEWER),
    ("GET", "/api/ledgers/long-standing", Role.VIEWER),
    ("GET", "/api/ledgers/long-standing/file", Role.VIEWER),
    ("GET", "/api/ledgers/recurring", Role.VIEWER),
    ("GET", "/api/ledgers/recurring/file", Role.VIEWER),
    ("GET", "/api/patrol/coverage", Role.VIEWER),
    ("GET", "/api/patrol/coverage/file", Role.VIEWER),
    ("GET", "/api/patrol/missed", Role.VIEWER),
    ("GET", "/api/patrol/visits", Role.VIEWER),
    ("POST", "/api/patrol/recompute", Role.ADMIN),
    ("GET", "/api/patrol/sweeping", Role.VIEWER),
    ("GET", "/api/patrol/sweeping/file", Role.VIEWER),
    ("GET", "/api/patrol/sweeping.geojson", Role.VIEWER),
    ("GET", "/api/patrol/sweepers/cam-1/v1", Role.VIEWER),
    ("PUT", "/api/patrol/sweepers/cam-1/v1", Role.ADMIN),
    ("GET", "/api/duty/grids", Role.VIEWER),
    ("GET", "/api/duty/posts", Role.VIEWER),
    ("GET", "/api/duty/shifts", Role.VIEWER),
    ("GET", "/api/duty/attendance", Role.VIEWER),
    ("GET", "/api/duty/attendance/file", Role.VIEWER),
    ("POST", "/api/duty/import", Role.ADMIN),
    ("PUT", "/api/duty/rows", Role.ADMIN),
    ("PUT", "/api/duty/grids/q01/tasks", Role.ADMIN),
    ("DELETE", "/api/duty/people/x", Role.ADMIN),
    ("GET", f"/api/alerts/{ALERT}/track", Role.VIEWER),
    ("GET", "/api/vehicle-events", Role.VIEWER),
    ("GET", "/api/vehicles/cam-1/v1/days/2026-11-23", Role.VIEWER),
    ("GET", "/api/vehicles/cam-1/v1/days/2026-11-23/file", Role.VIEWER),
    ("GET", f"/api/alerts/{ALERT}/trucks-near", Role.COLLECTOR),
    ("GET", "/api/permits", Role.VIEWER),
    ("GET", "/api/permits/x", Role.VIEWER),
    ("GET", "/api/permit-versions/x", Role.VIEWER),
    ("PUT", "/api/permits/x", Role.SUPERVISOR),
    ("POST", "/api/permits", Role.SUPERVISOR),
    ("DELETE", "/api/permits/x", Role.SUPERVISOR),
    ("GET", "/api/fences", Role.VIEWER),
    ("GET", "/api/fences.geojson", Role.VIEWER),
    ("GET", "/api/fences/x", Role.VIEWER),
    ("GET", "/api/fences/x/versions", Role.VIEWER),
    ("PUT", "/api/fences/x", Role.SUPERVISOR),
    ("POST", "/api/fences", Role.SUPERVISOR),
    ("DELETE", "/api/fences/x", Role.SUPERVISOR),
    ("POST", "/api/grids", Role.ADMIN),
    ("POST", "/api/grids/check", Role.ADMIN),
    ("GET", "/api/grid-imports", Role.ADMIN),
    ("POST", "/api/devices", Role.ADMIN),
    ("GET", "/api/devices/cam-1", Role.VIEWER),
    ("POST", "/api/devices/cam-1/password", Role.ADMIN),
    ("POST", "/api/devices/cam-1/revoke", Role.ADMIN),
    ("GET", "/api/revisions", Role.VIEWER),
    ("GET", "/api/quarantine", Role.ADMIN),
    ("DELETE", "/api/quarantine", Role.ADMIN),
    ("GET", "/api/quarantine/counts", Role.ADMIN),
    ("GET", "/api/quarantine/9", Role.ADMIN),
    ("DELETE", "/api/quarantine/9", Role.ADMIN),
    ("POST", "/api/quarantine/9/retry", Role.ADMIN),
    ("POST", "/api/quarantine/retry", Role.ADMIN),
    ("GET", "/api/datasets/verdicts", Role.ADMIN),
    ("GET", "/api/datasets/verdicts.zip", Role.ADMIN),
    ("GET", "/api/reports", Role.OPERATOR),
    ("POST", "/api/reports", Role.SERVICE),
    ("PUT", "/api/reports/file", Role.SERVICE),
    ("GET", "/api/reports/x", Role.OPERATOR),
    ("PATCH", "/api/reports/x", Role.OPERATOR),
    ("POST", "/api/reports/x/refuse", Role.OPERATOR),
    ("POST", "/api/reports/x/caller", Role.SUPERVISOR),
    ("POST", "/api/cases/1/answer", Role.OPERATOR),
    ("GET", "/api/evaluation/indicators", Role.VIEWER),
    ("GET", "/api/evaluation/figures?period=2026-11", Role.VIEWER),
    ("GET", "/api/evaluation/figures?period=2026-11&by=person", Role.SUPERVISOR),
    ("GET", "/api/evaluation/figures/file?period=2026-11&format=csv", Role.VIEWER),
    ("GET", "/api/evaluation/cases?period=2026-11&indicator=open_rate", Role.VIEWER),
    ("GET", "/api/evaluation/cases/file?period=2026-11&indicator=open_rate", Role.VIEWER),
    ("GET", "/api/evaluation/trend?period=2026-11&count=2", Role.VIEWER),
    ("GET", "/api/evaluation/trend/file?period=2026-11&count=2", Role.VIEWER),
    ("GET", "/api/evaluation/ranking?period=2026-11", Role.VIEWER),
    ("GET", "/api/evaluation/ranking?period=2026-11&by=person", Role.SUPERVISOR),
    ("GET", "/api/evaluation/ranking/file?period=2026-11&format=csv", Role.VIEWER),
    ("GET", "/api/evaluation/deductions/file?period=2026-11&format=csv", Role.VIEWER),
    ("GET", "/api/evaluation/year?period=2026", Role.VIEWER),
    ("GET", "/api/evaluation/year/file?period=2026", Role.VIEWER),
    ("GET", "/api/evaluation/schemes", Role.VIEWER),
    ("PUT", "/api/evaluation/scheme", Role.SUPERVISOR),
    ("GET", "/api/evaluation/scores?period=2026-11", Role.VIEWER),
    ("POST", "/api/evaluation/scores", Role.HANDLER),
    ("GET", "/api/evaluation/reports", Role.VIEWER),
    ("POST", "/api/evaluation/reports", Role.OPERATOR),
    ("GET", "/api/evaluation/reports/1/file", Role.VIEWER),
    ("GET", "/api/calendar", Role.VIEWER),
    ("GET", "/api/calendar/due", Role.VIEWER),
    ("GET", "/api/calendar/versions", Role.VIEWER),
    ("PUT", "/api/calendar/hours", Role.ADMIN),
    ("PUT", "/api/calendar/years/2027", Role.ADMIN),
    ("DELETE", "/api/calendar/years/2027", Role.ADMIN),
    ("GET", "/api/conditions", Role.VIEWER),
    ("PUT", "/api/conditions", Role.ADMIN),
    ("GET", "/api/matters", Role.VIEWER),
    ("GET", "/api/conditions/history", Role.ADMIN),
    ("POST", "/api/conditions", Role.ADMIN),
    ("PUT", "/api/conditions/99", Role.ADMIN),
    ("DELETE", "/api/conditions/99", Role.ADMIN),
    ("GET", "/api/condition-table", Role.VIEWER),
    ("GET", "/api/departments", Role.VIEWER),
    ("GET", "/api/departments/x", Role.VIEWER),
    ("PUT", "/api/departments/x", Role.SUPERVISOR),
    ("DELETE", "/api/departments/x", Role.SUPERVISOR),
    ("GET", "/api/department-table", Role.VIEWER),
    ("PUT", "/api/department-table", Role.SUPERVISOR),
    ("GET", "/api/dispatch-rules", Role.VIEWER),
    ("POST", "/api/dispatch-rules", Role.SUPERVISOR),
    ("GET", "/api/dispatch-rules/try", Role.VIEWER),
    ("GET", "/api/dispatch-rules/1/versions", Role.VIEWER),
    ("PUT", "/api/dispatch-rules/1", Role.SUPERVISOR),
    ("DELETE", "/api/dispatch-rules/9", Role.SUPERVISOR),
    ("GET", "/api/dispatch-rule-table", Role.VIEWER),
    ("PUT", "/api/dispatch-rule-table", Role.SUPERVISOR),
    ("GET", "/api/cases/1/dispatch", Role.VIEWER),
    ("GET", "/api/cases/1/records", Role.VIEWER),
    ("POST", "/api/cases/1/records", Role.HANDLER),
    ("GET", "/api/case-records", Role.VIEWER),
    ("GET", "/api/told-records", Role.VIEWER),
    ("POST", "/api/told-records/1/read", Role.VIEWER),
    ("GET", "/api/cases/1/enforcement", Role.VIEWER),
    ("POST", "/api/cases/1/enforcement", Role.OPERATOR),
    ("POST", "/api/cases/1/enforcement/steps", Role.OPERATOR),
    ("PUT", "/api/cases/1/enforcement/public", Role.OPERATOR),
    ("POST", "/api/case-records/1/decision", Role.HANDLER),
    ("POST", "/api/case-records/1/answer", Role.HANDLER),
    ("GET", "/api/settling-powers", Role.VIEWER),
    ("PUT", "/api/settling-powers", Role.SUPERVISOR),
    ("GET", "/api/patrols", Role.SERVICE),
    ("POST", "/api/patrols", Role.SERVICE),
    ("GET", "/api/patrols/5c8d3a0e-6a8e-4f0e-9d5b-0b6d1f7f0a11", Role.SERVICE),
    ("GET", "/api/patrols/5c8d3a0e-6a8e-4f0e-9d5b-0b6d1f7f0a11/track", Role.SERVICE),
    ("POST", "/api/patrols/5c8d3a0e-6a8e-4f0e-9d5b-0b6d1f7f0a11/fixes", Role.SERVICE),
    ("POST", "/api/patrols/5c8d3a0e-6a8e-4f0e-9d5b-0b6d1f7f0a11/end", Role.SERVICE),
    ("GET", "/api/models", Role.VIEWER),
    ("POST", "/api/models", Role.ADMIN),
    ("GET", "/api/rollouts", Role.VIEWER),
    ("GET", "/api/rollouts/1", Role.VIEWER),
    ("POST", "/api/rollouts", Role.ADMIN),
    ("POST", "/api/rollouts/1/actions", Role.ADMIN),
    ("GET", "/api/tokens", Role.ADMIN),
    ("POST", "/api/tokens", Role.ADMIN),
    ("DELETE", "/api/tokens/x", Role.ADMIN),
    ("GET", "/api/webhooks", Role.ADMIN),
    ("POST", "/api/webhooks", Role.ADMIN),
    ("DELETE", "/api/webhooks/1", Role.ADMIN),
    ("PUT", "/api/webhooks/1", Role.ADMIN),
    ("POST", "/api/webhooks/1/secret", Role.ADMIN),
    ("PUT", "/api/webhooks/1/pause", Role.ADMIN),
    ("POST", "/api/webhooks/1/test", Role.ADMIN),
    ("GET", "/api/webhooks/1/messages", Role.ADMIN),
    ("POST", "/api/webhooks/1/messages/1/again", Role.ADMIN),
    ("GET", "/api/users", Role.ADMIN),
    ("POST", "/api/users", Role.ADMIN),
    ("GET", "/api/users/x", Role.ADMIN),
    ("PATCH", "/api/users/x", Role.ADMIN),
    ("POST", "/api/users/x/password", Role.ADMIN),
    ("GET", "/api/users/x/sessions", Role.ADMIN),
    ("DELETE", "/api/users/x/single-sign-on", Role.ADMIN),
    ("DELETE", "/api/users/x/sessions", Role.ADMIN),
    ("GET", "/api/roles", Role.ADMIN),
    ("GET", "/api/audit", Role.ADMIN),
    ("GET", "/api/audit/words", Role.ADMIN),
    ("GET", "/api/audit/chain", Role.ADMIN),
    ("GET", "/api/audit-table", Role.ADMIN),
    ("GET", "/api/user-table", Role.ADMIN),
    ("GET", "/api/webhook-table", Role.ADMIN),
    ("GET", "/api/delivery-table", Role.ADMIN),
    ("GET", "/api/order-table", Role.VIEWER),
    ("GET", "/api/permit-table", Role.VIEWER),
    ("GET", "/api/vehicle-event-table", Role.VIEWER),
]
_ASCENDING = [
    Role.VIEWER,
    Role.SERVICE,
    Role.COLLECTOR,
    Role.HANDLER,
    Role.OPERATOR,
    Role.SUPERVISOR,
    Role.ADMIN,
]
LOWER = {role: _ASCENDING[:place] for place, role in enumerate(_ASCENDING)}


@pytest.mark.parametrize(("method", "path", "least"), GUARDED)
def test_the_least_right_by_default(look, method, path, least):
    assert look(method, path, role=None).status_code == 401
    assert look(method, path, role=None, headers={"Authorization": "Bearer x"}).status_code == 401
    assert look(method, path, role=None, headers={"Authorization": "Basic x"}).status_code == 401
    for role in LOWER[least]:
        assert look(method, path, role=role).status_code == 403
    assert look(method, path, role=least).status_code not in (401, 403)


def test_no_endpoint_was_forgotten(look):
    open_to_all = {
        "/api/session",
        # By cookie alone, of one's own: tests/hub/people/test_session_api.py.
        "/api/session/password",
        "/api/sessions",
        "/api/sessions/{session}",
        "/upload/{sha256}",
        "/live/{device}/{camera}",
        # The address is the key: tests/hub/test_deadlines.py.
        "/feeds/{secret}.ics",
        "/healthz",
        "/download/models/{sha256}",
        "/metrics",
        "/api/events",
    }
    documented = look("GET", "/api/openapi.json").json()["paths"]
    # Open311 has keys of its own: tests/hub/intake/test_open311.py.
    paths = {path for path in documented if not path.startswith("/open311/")} - open_to_all
    guarded = {path.partition("?")[0] for _, path, _ in GUARDED}
    forgotten = [
        path
        for path in paths
        if not any(re.fullmatch(re.sub(r"\{\w+\}", ".+", path), known) for known in guarded)
    ]
    assert forgotten == []


def test_events_need_a_token(look):
    assert look("GET", "/api/events", role=None).status_code == 401


def test_a_revoked_token_opens_nothing(call):
    made = call("POST", "/api/tokens", json={"name": "li", "role": "operator"}).json()
    key = {"Authorization": f"Bearer {made['token']}"}
    assert call("GET", "/api/alerts", role=None, headers=key).status_code == 200
    assert call("POST", "/api/tokens", json={"name": "li", "role": "viewer"}).status_code == 409
    assert call("DELETE", "/api/tokens/li").status_code == 204
    assert call("GET", "/api/alerts", role=None, headers=key).status_code == 401


def test_only_hashes_of_tokens_are_kept(hub, tokens):
    with hub.store.read() as tx:
        kept = {row.hash for row in tx.execute(auth.tokens.select())}
    assert not kept & set(tokens.values())
    assert auth.hashed(tokens[Role.ADMIN]) in kept


def test_the_first_token_is_written_once_for_its_owner_alone(sqlite_store, tmp_path):
    path = auth.issue_first_token(sqlite_store, tmp_path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert len(path.read_text().strip()) >= 43
    assert auth.issue_first_token(sqlite_store, tmp_path) is None


# sessions


def test_a_session_by_token_and_its_end(client, tokens):
    opened = client.post("/api/session", json={"token": tokens[Role.OPERATOR]})
    rights = ["read", "evidence", "decide", "handle", "act", "report"]
    assert opened.json() == {
        "name": "operator-1",
        "role": "operator",
        "display_name": "operator-1",
        "must_change": False,
        "has_password": False,
        "rights": rights,
        "posts": [],
        "time_zone": "Asia/Shanghai",
    }
    cookie = opened.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert client.get("/api/alerts").status_code == 200

    path, body = f"/api/alerts/{ALERT}/decision", {"decision": "confirmed"}
    assert client.post(path, json=body).json()["error"]["code"] == "csrf"
    assert client.post(path, json=body, headers={"X-Tianyan": "1"}).status_code == 200

    assert client.delete("/api/session", headers={"X-Tianyan": "1"}).status_code == 204
    assert client.get("/api/session").json()["demo"] is False


def test_a_wrong_token_opens_no_session(client):
    assert client.post("/api/session", json={"token": "x"}).status_code == 401
    assert client.post("/api/session", json={"demo": True}).status_code == 403


@pytest.mark.parametrize(
    ("base_url", "peer", "status"),
    [
        ("http://127.0.0.1:8000", "127.0.0.1", 200),
        ("http://localhost:8000", "127.0.0.1", 200),
        ("http://evil.example:8000", "127.0.0.1", 403),
        ("http://127.0.0.1:8000", "10.0.0.9", 403),
    ],
)
def test_a_demo_opens_to_this_machine_alone(sqlite_store, tmp_path, base_url, peer, status):
    site = make_site(sqlite_store, tmp_path, demo=True)
    app = create_app(site.config, Hub.build(site.config, sqlite_store))
    client = Client(app, base_url=base_url, client=(peer, 50000))
    assert client.post("/api/session", json={"demo": True}).status_code == status
    assert client.get("/api/session").status_code == (200 if status == 200 else 401)


# lists and filters


@pytest.mark.parametrize(
    ("query", "total"),
    [
        ("", 1),
        ("?state=active", 1),
        ("?state=ended", 0),
        ("?decision=none", 0),
        ("?decision=confirmed", 1),
        ("?label=garbage", 1),
        ("?label=garbag", 0),
        ("?matter=06010", 1),
        ("?source=gate", 1),
        ("?source=cam-1/gate", 1),
        ("?source=cam-2/gate", 0),
        ("?grid=city", 1),
        ("?grid=q01", 1),
        ("?grid=q0", 0),
        ("?grid=%25", 0),
        ("?from=2026-11-23T04:00:00Z", 1),
        ("?from=2026-11-23T12:00:01%2B08:00", 0),
        ("?to=2026-11-23T03:59:59Z", 0),
        ("?offset=1", 1),
    ],
)
def test_filters_of_alerts(look, query, total):
    answer = look("GET", f"/api/alerts{query}").json()
    assert answer["total"] == total


@pytest.mark.parametrize(
    ("path", "total"),
    [
        ("/api/cases?open=true", 1),
        ("/api/cases?open=false", 0),
        ("/api/cases?state=reported", 1),
        ("/api/cases?stage=collect", 1),
        ("/api/cases?stage=handle", 0),
        ("/api/cases?matter=06010&grid=city", 1),
        ("/api/cameras?state=ok", 1),
        ("/api/cameras?state=black", 0),
        ("/api/cameras?grid=q01", 1),
        ("/api/blind-spans?camera=cam-1/gate", 1),
        ("/api/blind-spans?camera=cam-1/other", 0),
        ("/api/blind-spans?to=2020-01-01T00:00:00Z", 0),
        ("/api/vehicles?kind=spoil_truck", 1),
        ("/api/vehicles?online=true", 1),
        ("/api/vehicles?online=false", 0),
        ("/api/vehicles?grid=q11", 0),
        ("/api/grids?level=2", 4),
        ("/api/grids?parent=city", 4),
        ("/api/grids?q=q1", 2),
    ],
)
def test_filters_of_the_others(look, path, total):
    assert look("GET", path).json()["total"] == total


def test_pages_follow_each_other(look):
    codes = [
        look("GET", f"/api/grids?limit=2&offset={offset}").json()["items"] for offset in (0, 2, 4)
    ]
    assert [grid["code"] for part in codes for grid in part] == ["city", "q00", "q01", "q10", "q11"]


# what people do


def test_confirming_opens_a_case_whose_steps_say_who_may(call, case):
    shown = call("GET", f"/api/cases/{case['id']}", role=Role.OPERATOR).json()
    assert shown["number"].startswith("AK")
    assert shown["alert_items"][0]["id"] == ALERT
    assert shown["history"][0]["action"] == "report"
    assert {step["action"] for step in shown["actions"]} == {
        "verify_report",
        "file",
        "merge",
        "reject",
    }
    acted = call(
        "POST", f"/api/cases/{case['id']}/actions", json={"action": "file", "version": 1}
    ).json()
    assert (acted["state"], acted["version"], acted["state_zh"]) == ("filed", 2, "已立案")
    assert [h["action"] for h in acted["history"]] == ["report", "file"]


def test_an_alert_tells_its_history(call, case):
    shown = call("GET", f"/api/alerts/{ALERT}").json()
    assert [event["what"] for event in shown["history"]] == ["new", "confirmed"]
    assert shown["case"]["number"] == case["number"]
    assert shown["matter"]["name_en"] == "Exposed garbage"
    assert shown["at"].endswith("Z")


def test_grids_are_replaced_all_or_none(call, hub):
    document = grid_document()
    document["features"][1]["geometry"]["coordinates"][0][2] = [109.15, 32.72]
    refused = call("POST", "/api/grids", json=document)
    assert refused.status_code == 422
    assert refused.json()["error"]["problems"][0]["problem"]

    fitting = grid_document()
    fitting["features"][1]["properties"]["name"] = "老城办"
    assert call("POST", "/api/grids", json=fitting).json() == {"imported": 5, "changed": 1}
    assert call("GET", "/api/grids?q=老城").json()["items"][0]["code"] == "q00"
    layer = call("GET", "/api/grids.geojson?level=2").json()
    assert len(layer["features"]) == 4
    assert layer["features"][0]["properties"]["synthetic"] is True


def test_a_device_is_enrolled_once(call):
    made = call("POST", "/api/devices", json={"id": "cam-9"})
    assert made.status_code == 201
    assert made.json()["installed"] is False
    assert len(made.json()["password"]) >= 32
    assert call("POST", "/api/devices", json={"id": "cam-9"}).status_code == 409


def test_the_summary_counts(call, case, hub):
    take(hub, "state", state(online=False, session=9))
    summary = call("GET", "/api/summary").json()
    assert summary["cameras"] == {"total": 1, "ok": 0}
    assert [(c["id"], c["state"]) for c in summary["blind"]] == [("cam-1/gate", "unreachable")]
    assert summary["vehicles"] == {"total": 1, "online": 0}
    assert summary["alerts"]["undecided"] == 0
    assert summary["cases"] == {"open": 1, "by_state": {"reported": 1}}
    assert summary["generated"] is True


# limits


def test_a_large_body_is_refused_unread(look):
    answer = look("POST", "/api/tokens", content=b"x" * (1 << 20) + b"y")
    assert answer.status_code == 413

    def endless():
        for _ in range(64):
            yield b"x" * 65536

    assert look("POST", "/api/tokens", content=endless()).status_code == 413


def test_every_answer_has_the_headers(look):
    for path in ("/", "/api/alerts", "/api/none", "/healthz"):
        headers = look("GET", path).headers
        assert all(headers[name] == value for name, value in HEADERS.items())


@pytest.mark.parametrize("path", ["/healthz", "/metrics"])
@pytest.mark.parametrize(
    ("peer", "host", "status"),
    [("127.0.0.1", "127.0.0.1", 200), ("10.0.0.9", "127.0.0.1", 401), ("127.0.0.1", "evil", 401)],
)
def test_probes_are_open_to_this_machine(hub, path, peer, host, status):
    app = create_app(hub.config, hub)
    client = Client(app, base_url=f"http://{host}", client=(peer, 50000))
    assert client.get(path).status_code == status


def test_metrics_are_prometheus(look):
    assert "tianyan_messages_total" in look("GET", "/metrics").text


def test_a_lost_database_is_said(call, hub, tmp_path):
    hub.store.engine.dispose()
    (tmp_path / "hub.sqlite").rename(tmp_path / "gone.sqlite")
    (tmp_path / "hub.sqlite").mkdir()
    answer = call("GET", "/api/alerts")
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "database_away")
    assert call("GET", "/healthz").status_code == 503


def test_the_openapi_document_is_json(look):
    assert (
        json.loads(look("GET", "/api/openapi.json", role=None).text)["info"]["title"] == "Tianyan"
    )
