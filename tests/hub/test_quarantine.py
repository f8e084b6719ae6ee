"""Refused messages over HTTP: counted, shown whole, taken after all, thrown away."""

from dataclasses import replace

import msgspec
import pytest

from hub import audit, quarantine
from hub.config import Quarantine
from hub.ingest import Delivery, _read
from hub.quarantine import MAX_RAW, Suspect
from tests.hub.test_api import furnished
from tests.hub.world import NOON, after, alert_message
from wire.topics import ROOT


@pytest.fixture
def hub(tmp_path, store):
    return furnished(tmp_path, store)


def refuse(hub, payload, name="alert", device="cam-1", code="E_DEVICE", at=NOON):
    topic = f"{ROOT}/{device}/up/{name}"
    with hub.store.write() as tx:
        suspect = Suspect(at, topic, device, code, "device is not enrolled", payload)
        quarantine.keep(tx, [suspect], Quarantine())


def raw(**changes):
    return msgspec.json.encode(alert_message(**changes))


def listed(call, **query):
    return call("GET", "/api/quarantine", params=query).json()["items"]


def test_counts_say_why_and_from_whom(call, hub):
    nothing = call("GET", "/api/quarantine/counts").json()
    assert (nothing["total"], nothing["oldest"], nothing["by_code"]) == (0, None, [])
    refuse(hub, b"{", code="E_SCHEMA")
    refuse(hub, raw(seq=1), at=after(60))
    refuse(hub, raw(seq=2, dev="cam-2"), device="cam-2", at=after(90))
    counts = call("GET", "/api/quarantine/counts").json()
    assert counts["total"] == 3
    assert (counts["oldest"], counts["newest"]) == (
        "2026-11-23T04:00:00.000Z",
        "2026-11-23T04:01:30.000Z",
    )
    assert counts["by_code"] == [
        {"name": "E_DEVICE", "count": 2},
        {"name": "E_SCHEMA", "count": 1},
    ]
    assert [each["name"] for each in counts["by_device"]] == ["cam-1", "cam-2"]


def test_why_it_was_refused_is_kept_with_its_code(call, hub):
    reading = _read(Delivery(f"{ROOT}/cam-1/up/alert", b"{}", 0, 1, 0, NOON, 0.0))
    with hub.store.write() as tx:
        quarantine.keep(tx, [reading], Quarantine())
        quarantine.keep(tx, [replace(reading, message="x" * 600)], Quarantine())
    cut, item = listed(call)
    assert item["message"] == "alert: Object missing required field `dev`"
    assert item["coded"]["message"]["values"]["why"]["code"] == "member_missing"
    assert (cut["message"], cut["coded"]) == ("x" * 500, {})


def test_a_message_is_shown_whole_with_bytes_that_are_no_text(call, hub):
    refuse(hub, b"\xff\x00" + b"a" * 5000, code="E_SCHEMA")
    (short,) = listed(call)
    assert len(short["raw"]) < 2100
    whole = call("GET", f"/api/quarantine/{short['id']}").json()
    assert whole["raw"].startswith("\\xff\x00aaa")
    assert whole["hex"].startswith("ff 00 61")
    assert len(whole["hex"].split()) == 5002


def test_a_message_that_was_refused_for_its_device_is_taken_when_that_is_mended(call, hub):
    call("POST", "/api/devices/cam-1/revoke", json={"note": "x"})
    refuse(hub, raw(seq=7, alert="late"))
    (item,) = listed(call)
    assert item["can_retry"]
    again = call("POST", f"/api/quarantine/{item['id']}/retry")
    assert (again.status_code, again.json()["error"]["code"]) == (409, "refused_again")
    assert "not enrolled" in again.json()["error"]["message"]
    assert listed(call)

    call("POST", "/api/devices", json={"id": "cam-1"})
    assert call("POST", f"/api/quarantine/{item['id']}/retry").json() == {"deleted": 1}
    assert listed(call) == []
    assert call("GET", "/api/alerts").json()["total"] == 2
    with hub.store.read() as tx:
        assert [act.action for act in audit.of(tx, "quarantine", str(item["id"]))] == ["retry"]


def test_what_is_refused_again_leaves_nothing_behind(call, hub):
    refuse(hub, b"{}", code="E_SCHEMA")
    (item,) = listed(call)
    before = call("GET", "/api/alerts").json()["total"]
    answer = call("POST", f"/api/quarantine/{item['id']}/retry")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "refused_again")
    assert call("GET", "/api/alerts").json()["total"] == before


def test_what_cannot_be_taken_late_says_so(call, hub):
    refuse(hub, b"{}", "state")
    refuse(hub, b"a" * (MAX_RAW + 1))
    for item in listed(call):
        assert not item["can_retry"]
        answer = call("POST", f"/api/quarantine/{item['id']}/retry")
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "cannot_retry")


def test_many_are_taken_the_oldest_first_and_what_is_refused_again_stays(call, hub, monkeypatch):
    refuse(hub, b"{", code="E_SCHEMA")
    for seq in range(1, 4):
        refuse(hub, raw(seq=seq, alert=f"late-{seq}"))
    newest = listed(call)[0]["id"]
    refuse(hub, raw(seq=9, alert="unseen"))
    monkeypatch.setattr(quarantine, "MOST_RETRIED", 3)

    def retried(**query):
        return call("POST", "/api/quarantine/retry", params={"up_to": newest} | query).json()

    assert retried(device="cam-9") == {"taken": 0, "refused": 0, "left": 0}
    assert retried() == {"taken": 2, "refused": 1, "left": 1}
    assert retried() == {"taken": 1, "refused": 1, "left": 0}
    assert [each["code"] for each in listed(call)] == ["E_DEVICE", "E_SCHEMA"]
    assert call("GET", "/api/alerts").json()["total"] == 4
    with hub.store.read() as tx:
        assert [act.actor for act in audit.of(tx, "quarantine", str(newest))] == ["admin-1"]


def test_messages_are_deleted_one_by_one_or_by_reason_up_to_the_newest_seen(call, hub):
    for seq in range(3):
        refuse(hub, raw(seq=seq))
    refuse(hub, b"{", code="E_SCHEMA")
    newest, *rest = listed(call)
    assert call("DELETE", f"/api/quarantine/{rest[-1]['id']}").json() == {"deleted": 1}
    gone = call("DELETE", "/api/quarantine", params={"code": "E_DEVICE", "up_to": rest[0]["id"]})
    assert gone.json() == {"deleted": 2}
    assert [each["id"] for each in listed(call)] == [newest["id"]]
    assert call("DELETE", "/api/quarantine").status_code == 422
    assert call("DELETE", "/api/quarantine/999").status_code == 404
    with hub.store.read() as tx:
        assert audit.verify(tx) == []
