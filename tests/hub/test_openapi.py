"""The API fuzzed from its own OpenAPI document: it never fails, and answers as it says there."""

import re

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings, strategies as st
from schemathesis import GenerationMode
from schemathesis.generation.feedback import NO_FEEDBACK
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from hub import auth
from hub.app import Hub, create_app
from hub.roles import Role
from tests.hub.client import Client
from tests.hub.test_api import ALERT, LOCAL, caller, open_case, take, tokens_of
from tests.hub.world import after, alert_message, birth, health, make_site, track_message

CHECKS = [status_code_conformance, response_schema_conformance, content_type_conformance]
ENDLESS = ("/api/events",)
REAL = {
    "alert": ALERT,
    "camera": "gate",
    "case": 1,
    "case_id": 1,
    "code": "huanwei",
    "device": "cam-1",
    "kind": "json",
    "name": "viewer-1",
    "record_id": 1,
    "report": 1,
    "rev": 1,
    "sha256": "a" * 64,
    "vehicle": "cam-1/v1",
    "webhook": 1,
    "year": 2027,
}
"""Names of things that are there, so that calls come further than to "no such thing"."""


@schemathesis.serializer("application/zip", "image/jpeg", "image/png", "video/mp4", "text/csv")
def _as_it_is(_context, value):
    return value if isinstance(value, bytes) else str(value).encode(errors="replace")


def furnished(folder, store):
    """A hub with one of everything, open to citizens; no broker."""
    site = make_site(store, folder, intake={"public": True, "per_hour": 10_000})
    hub = Hub.build(site.config, store)
    take(hub, "birth", birth(generated=True))
    take(hub, "health", health("ok", after(3)))
    take(hub, "track", track_message(0, 5, dev="cam-1"))
    take(hub, "alert", alert_message())
    call = caller(client_of(create_app(hub.config, hub)), tokens_of(hub))
    open_case(call)
    report = {"channel": "letter", "content": "noise at night", "matter": "09001"}
    made = call("POST", "/api/reports", json=report)
    call(
        "PUT", "/api/departments/huanwei", json={"version": 0, "department": {"name_zh": "环卫处"}}
    )
    call("POST", "/api/dispatch-rules", json={"rule": {"department": "huanwei"}})
    call("POST", "/api/cases/1/records", json={"kind": "made_safe", "version": 1, "note": "fenced"})
    call("POST", "/api/cases/1/enforcement", json={"party": "某建材店"})
    return hub, made.json()["number"]


def client_of(app):
    return Client(app, raise_server_exceptions=False, **LOCAL)


def faults_of(hub, token, report, examples):
    """What is wrong with the answers, a line each."""
    app = create_app(hub.config, hub)
    schema = schemathesis.openapi.from_dict(app.openapi())
    client = client_of(app)
    found = {}

    def ask(case):
        key = {"Authorization": f"Bearer {token}"}
        call = case.as_transport_kwargs(LOCAL["base_url"], key)
        call.pop("cookies", None)
        if isinstance(call.get("data"), str | bytes):
            call["content"] = call.pop("data")
        answer = client.request(**call)
        client.cookies.clear()
        if answer.status_code >= 500 and answer.status_code != 503:
            found.setdefault((case.operation.label, answer.status_code), case.as_curl_command())
            return
        try:
            case.validate_response(answer, checks=CHECKS)
        except* AssertionError as fault:
            said = re.sub(r"\s+", " ", "; ".join(str(each) for each in fault.exceptions))
            found.setdefault((case.operation.label, answer.status_code, said[:300]), "")

    for result in schema.get_all_operations():
        if (operation := result.ok()).path not in ENDLESS:
            fuzz(operation, real_names(operation.path, report), ask, examples)
    return [" ".join(str(part) for part in (*key, more)) for key, more in found.items()]


def real_names(path, report):
    names = re.findall(r"\{(\w+)", path)
    numbers = {"number": report} if "report" in path else {"number": 1}
    return {name: (REAL | numbers)[name] for name in names if name in REAL | numbers}


def fuzz(operation, real, ask, examples):
    """Calls of an operation, right and wrong ones, of things that are there and that are not."""

    @settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def calls(data):
        mode = data.draw(st.sampled_from(GenerationMode))
        path = data.draw(st.sampled_from([None, real])) if real else None
        made = operation.as_strategy(mode, feedback=NO_FEEDBACK, path_parameters=path)
        ask(data.draw(made))

    calls()


@pytest.mark.filterwarnings("ignore")  # of the client, at what only a fuzzer sends
@pytest.mark.timeout(900)  # some 30 s of work; the machine may be busy
@pytest.mark.parametrize(
    ("role", "grids", "examples"), [(Role.ADMIN, (), 3), (Role.SUPERVISOR, ("q01",), 1)]
)
def test_no_call_makes_it_fail_or_answer_otherwise_than_documented(
    tmp_path, sqlite_store, role, grids, examples
):
    hub, report = furnished(tmp_path, sqlite_store)
    with sqlite_store.write() as tx:
        token = auth.issue_token(tx, "fuzzer", role, grids)
    assert faults_of(hub, token, report, examples) == []


def test_what_no_column_can_hold_is_refused_not_a_fault_of_ours(tmp_path, store):
    hub, _ = furnished(tmp_path, store)
    call = caller(client_of(create_app(hub.config, hub)), {Role.ADMIN: _token(store)})
    for path in (f"/api/cases/{2**70}", f"/api/rollouts/{2**70}"):
        answer = call("GET", path)
        assert answer.status_code in (404, 422), path
    made = call("POST", "/api/reports", json={"channel": "letter", "content": "a\x00b"})
    assert made.status_code in (201, 422)


def _token(store):
    with store.write() as tx:
        return auth.issue_token(tx, "asks", Role.ADMIN)
