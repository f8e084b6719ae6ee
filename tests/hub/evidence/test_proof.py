"""Signed evidence at the hub: proven on receipt, sealed, kept aside, handed over."""

import hashlib
import json

import pytest
from msgspec.structs import replace
from sqlalchemy import select

from edge.device_key import DeviceKey
from edge.signature import Signer
from hub import audit, auth, pipeline
from hub.alerts.alert import alert_id
from hub.app import Hub, create_app
from hub.evidence.file import signed_path
from hub.evidence.refs import pictures
from hub.evidence_commands import export, verify
from hub.roles import Role
from hub.store import now, to_ms
from tests.hub.client import Client
from tests.hub.evidence.test_upload import picture
from tests.hub.world import alert_message, birth, make_site, received
from wire.alert import EvidenceRef

SET = "UPDATE alert_evidence SET"
OPEN, ORIGINAL = picture("red"), picture("blue")


def sha(content):
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def key(tmp_path):
    return DeviceKey(tmp_path / "box" / "key.pem")


@pytest.fixture
def hub(sqlite_store, tmp_path):
    site = make_site(sqlite_store, tmp_path)
    return Hub.build(site.config, sqlite_store)


def client_of(hub, role):
    with hub.store.write() as tx:
        token = auth.issue_token(tx, f"{role}-1", role)
    headers = {"Authorization": f"Bearer {token}"}
    return Client(create_app(hub.config, hub), headers=headers)


@pytest.fixture
def operator(hub):
    return client_of(hub, Role.OPERATOR)


@pytest.fixture
def supervisor(hub):
    return client_of(hub, Role.SUPERVISOR)


def told(key, **changes):
    shown = EvidenceRef(sha(OPEN), len(OPEN), "image/jpeg", "clean", at=1, original=sha(ORIGINAL))
    sealed = EvidenceRef(sha(ORIGINAL), len(ORIGINAL), "image/jpeg", "clean", at=1, sealed=True)
    message = alert_message(evidence=[shown, sealed], model="street-n", lat=32, **changes)
    return Signer(key, lambda: "rev-7").finish(message)


def hear(hub, name, message):
    with hub.store.write() as tx:
        pipeline.take(tx, hub.site, name, [received(message)])


def put(hub, client, content, *, sealed=False, name=None):
    path = signed_path(
        hub.site.vault.key, name or sha(content), dev="cam-1", size=len(content),
        kind="image/jpeg", exp=to_ms(now()) + 60_000, sealed=sealed,
    )  # fmt: skip
    return client.put(path, content=content)


def shown(client):
    item = client.get(f"/api/alerts/{alert_id(alert_message())}").json()
    return {(file["role"], file["sealed"]): file for file in item["evidence"]}


@pytest.fixture
def filled(hub, operator, key):
    """A device that is known by its key, an alert of it, and both its files."""
    hear(hub, "birth", birth(key=key.public))
    hear(hub, "alert", told(key))
    assert put(hub, operator, OPEN).status_code == 201
    assert put(hub, operator, ORIGINAL, sealed=True).status_code == 201
    return hub


def lines(*arguments, **more):
    *files, last = list(verify(*arguments, **more))
    return files, last["summary"]


def test_what_the_device_signed_is_verified_and_says_by_whom(filled, operator):
    file = shown(operator)["clean", False]
    proof = file["proof"]
    assert (proof["state"], proof["fault"]) == ("verified", "")
    assert (proof["device"], proof["source"]) == ("cam-1", "gate")
    assert (proof["model"], proof["config_rev"], proof["clock"]) == ("street-n", "rev-7", "ntp")
    assert file["original"] == sha(ORIGINAL)
    assert operator.get(file["url"]).content == OPEN


def test_an_original_lies_encrypted_and_is_opened_by_few_and_with_a_reason(
    filled, operator, supervisor
):
    file = shown(operator)["clean", True]
    assert (file["url"], file["held"]) == (None, True)
    path = f"/api/evidence/{sha(ORIGINAL)}"
    assert operator.get(path).json()["error"]["code"] == "sealed"
    reason = {"reason": "公安机关调取"}
    assert operator.post(f"{path}/opening", json=reason).status_code == 403
    assert supervisor.post(f"{path}/opening", json={"reason": "  "}).status_code == 422
    assert supervisor.post(f"{path}/opening").status_code == 422
    opened = supervisor.post(f"{path}/opening", json=reason)
    assert opened.content == ORIGINAL
    assert opened.headers["cache-control"] == "no-store"
    with filled.store.read() as tx:
        (act,) = audit.of(tx, "evidence", sha(ORIGINAL))
    assert (act.actor, act.action, act.note) == ("supervisor-1", "see_original", "公安机关调取")
    on_disk = [path for path in filled.site.vault.folder.rglob("*") if path.is_file()]
    assert all(ORIGINAL[100:] not in path.read_bytes() for path in on_disk)
    assert (filled.site.vault.folder / "seal-key").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "change", [{"source": "other"}, {"lat": 33.0}, {"model": "x"}, {"config_rev": "rev-8"}]
)
def test_a_message_changed_on_its_way_proves_nothing(hub, operator, key, change):
    hear(hub, "birth", birth(key=key.public))
    hear(hub, "alert", replace(told(key), **change))
    put(hub, operator, OPEN)
    file = shown(operator)["clean", False]
    assert file["proof"]["state"] == "bad"
    assert "cam-1" in file["proof"]["fault"]
    assert file["url"] is None
    refused = operator.get(f"/api/evidence/{sha(OPEN)}")
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "kept_aside")


def test_a_device_that_does_not_sign_is_shown_as_such(hub, operator):
    ref = EvidenceRef(sha(OPEN), len(OPEN), "image/jpeg", "clean")
    hear(hub, "alert", alert_message(evidence=[ref]))
    put(hub, operator, OPEN)
    file = shown(operator)["clean", False]
    assert (file["proof"]["state"], file["url"] is not None) == ("unsigned", True)


def test_an_alert_that_comes_before_the_key_is_proven_when_the_key_comes(hub, operator, key):
    hear(hub, "alert", told(key))
    assert shown(operator)["clean", False]["proof"]["state"] == "unsigned", "no fault of anybody"
    hear(hub, "birth", birth(key=key.public))
    assert shown(operator)["clean", False]["proof"]["state"] == "verified"


def test_a_changed_key_is_refused_until_an_admin_accepts_it(filled, operator, tmp_path):
    other = DeviceKey(tmp_path / "box" / "new.pem")
    hear(filled, "birth", birth(session=2, key=other.public))
    hear(filled, "alert", told(other, seq=9, alert="a-2"))
    second = f"/api/alerts/{alert_id(alert_message(alert='a-2'))}"

    def state():
        return operator.get(second).json()["evidence"][0]["proof"]["state"]

    assert state() == "bad"
    admin = client_of(filled, Role.ADMIN)
    (device,) = admin.get("/api/devices").json()["items"]
    assert device["waiting_key"] == other.public != device["key"]
    wanted = {"key": other.public, "note": "换机"}
    assert operator.post("/api/devices/cam-1/key", json=wanted).status_code == 403
    answer = admin.post("/api/devices/cam-1/key", json=wanted).json()
    assert (answer["key"], answer["waiting_key"]) == (other.public, None)
    assert admin.post("/api/devices/cam-1/key", json=wanted).status_code == 409
    assert state() == "verified"
    assert shown(operator)["clean", False]["proof"]["state"] == "verified", "the old key's files"
    with filled.store.read() as tx:
        acts = [(act.action, act.actor) for act in audit.of(tx, "device", "cam-1")]
    assert acts == [("pin_key", "system"), ("accept_key", "admin-1")]


def test_another_file_under_a_name_is_kept_aside_and_may_be_sent_rightly(filled, hub, operator):
    # What was stored is lost, and the device sends something else under its name.
    hub.site.vault.path(sha(OPEN)).unlink()
    assert operator.get(f"/api/evidence/{sha(OPEN)}").status_code == 404
    wrong = picture("green")
    answer = put(hub, operator, wrong, name=sha(OPEN))
    assert answer.json()["error"]["code"] == "hash_differs"
    file = shown(operator)["clean", False]
    assert (file["proof"]["state"], file["url"]) == ("bad", None)
    assert sha(wrong) in file["proof"]["fault"]
    assert [path.name[:64] for path in hub.site.vault.aside.iterdir()] == [sha(OPEN)]
    assert put(hub, operator, OPEN).status_code == 201
    assert shown(operator)["clean", False]["proof"]["state"] == "verified"


def test_verify_passes_what_is_as_it_was_signed(filled, tmp_path):
    files, summary = lines(str(tmp_path))
    assert {file["state"] for file in files} == {"verified"}
    assert summary == {"files": 2, "verified": 2, "unsigned": 0, "waiting": 0, "bad": 0}
    assert lines(alert_id(alert_message()), tmp_path)[1]["files"] == 2


def _overwrite(hub):
    hub.site.vault.path(sha(OPEN)).write_bytes(picture("green"))


def _overwrite_sealed(hub):
    path = hub.site.vault.sealed_path(sha(ORIGINAL))
    path.write_bytes(path.read_bytes()[:-1] + b"\0")


def _delete(hub):
    hub.site.vault.path(sha(OPEN)).unlink()


def _sql(statement):
    def change(hub):
        with hub.store.write() as tx:
            tx.exec_driver_sql(statement)

    return change


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (_overwrite, "SHA-256 is"),
        (_overwrite_sealed, "was changed after it was sealed"),
        (_delete, "is missing"),
        (
            _sql("UPDATE alert_evidence SET statement = replace(statement, 'gate', 'park')"),
            "source",
        ),
        (
            _sql("UPDATE alert_evidence SET statement = replace(statement, 'rev-7', 'r')"),
            "signature",
        ),
        (_sql("UPDATE alert_evidence SET role = 'after' WHERE NOT sealed"), "role"),
        (_sql("UPDATE alerts SET source = 'park'"), "source"),
        (_sql("UPDATE device_keys SET key = 'AAAA'"), "signature"),
        (_sql("DELETE FROM device_keys"), "not known any more"),
    ],
)
def test_verify_names_what_differs_and_it_is_shown_no_more(
    filled, operator, tmp_path, change, fault
):
    change(filled)
    files, summary = lines(str(tmp_path))
    bad = [file for file in files if file["state"] == "bad"]
    assert bad
    assert all(fault in file["fault"] for file in bad)
    assert summary["bad"] == len(bad)
    assert lines(str(tmp_path))[1]["bad"] == len(bad), "and again the next time"
    for file in bad:
        assert operator.get(f"/api/evidence/{file['sha256']}").status_code in {404, 409}


def test_a_file_of_two_alerts_that_differs_is_lost_to_both_for_the_same_reason(filled, tmp_path):
    with filled.store.write() as tx:
        row = tx.execute(select(pictures).where(pictures.c.sha256 == sha(OPEN))).mappings().one()
        tx.execute(pictures.insert(), [dict(row) | {"alert": "zz-another"}])
    _overwrite(filled)
    told = [[line.get("fault") for line in lines(str(tmp_path))[0]] for _ in range(2)]
    assert told[0] == told[1], "and the next time"
    faults = [fault for fault in told[0] if fault]
    assert len(faults) == 2
    assert all("SHA-256 is" in fault for fault in faults)


def test_a_file_changed_on_the_disk_is_not_shown_even_before_it_is_verified(filled, operator):
    url = shown(operator)["clean", False]["url"]
    assert operator.get(url).status_code == 200
    _overwrite(filled)
    assert operator.get(url).json()["error"]["code"] == "kept_aside"
    assert shown(operator)["clean", False]["proof"]["state"] == "bad"


def test_a_bundle_is_checked_without_the_hub(filled, key, tmp_path):
    out = tmp_path / "handed-over"
    (line,) = export(alert_id(alert_message()), out, tmp_path)
    assert line["summary"]["files"] == 1
    files, summary = lines(str(out))
    assert [file["state"] for file in files] == ["verified"]
    assert summary["bad"] == 0
    assert lines(str(out), keys=[key.public])[1]["verified"] == 1
    other = DeviceKey(tmp_path / "box" / "other.pem").public
    assert lines(str(out), keys=[other])[1]["bad"] == 1
    (path,) = (out / "files").iterdir()
    path.write_bytes(ORIGINAL)
    (out / "files" / "more.jpg").write_bytes(OPEN)
    files, _ = lines(str(out))
    assert [file["fault"][:9] for file in files] == ["the file'", "no statem"]


def test_originals_are_handed_over_with_a_reason_only(filled, tmp_path):
    out = tmp_path / "handed-over"
    (line,) = export(alert_id(alert_message()), out, tmp_path, "法院调取")
    assert line["summary"]["files"] == 2
    assert lines(str(out))[1]["verified"] == 2
    with filled.store.read() as tx:
        (act,) = audit.of(tx, "evidence", sha(ORIGINAL))
    assert (act.action, act.note) == ("export_original", "法院调取")


def test_a_statement_of_a_bundle_that_was_changed_is_found(filled, tmp_path):
    out = tmp_path / "handed-over"
    list(export(alert_id(alert_message()), out, tmp_path))
    text = (out / "statements.jsonl").read_text()
    said = json.loads(text)
    said["statement"]["source"] = "park"
    (out / "statements.jsonl").write_text(json.dumps(said))
    files, _ = lines(str(out))
    assert "not by a key of cam-1" in files[0]["fault"]
