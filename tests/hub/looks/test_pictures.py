"""The pictures of looks at the hub: proven on receipt, verified with what asked for them."""

import hashlib

import msgspec
import pytest
import yaml
from msgspec.structs import replace

from edge.device_key import DeviceKey
from edge.signature import Signer
from hub import pipeline
from hub.alerts.alert import alert_id
from hub.app import Hub
from hub.evidence.file import signed_path
from hub.evidence.order_key import key_of, order_of
from hub.evidence.proof import NO_SIGNATURE, NO_STATEMENT
from hub.evidence_commands import export, verify
from hub.roles import Role
from hub.store import from_ms, now, to_ms
from tests.hub.evidence.test_upload import picture
from tests.hub.test_api import caller, client_of, tokens_of
from tests.hub.world import EPOCH, alert_message, birth, make_site, received, state
from wire.alert import Box, EvidenceRef
from wire.command import CommandState, Reply
from wire.statement import Scene

SEEN = alert_message(0, boxes=[Box("garbage", 0.8, 0.25, 0.5, 0.125, 0.25)], alert="gate-7")
ALERT = alert_id(SEEN)
OPEN, ORIGINAL = picture("red"), picture("blue")
SHA, SEALED = (hashlib.sha256(content).hexdigest() for content in (OPEN, ORIGINAL))
SCENE = Scene(
    dev="cam-1", epoch=EPOCH, subject="look-gate-7", source="gate", model="street-n",
    config_rev="rev-7", tq=1, lat=32.0, lon=109.0,
)  # fmt: skip


def taken(ago_ms=0):
    """The pictures of a look: what all may see, and its original."""
    at = to_ms(now()) - ago_ms
    return [
        EvidenceRef(SHA, len(OPEN), "image/jpeg", "clean", at=at, original=SEALED),
        EvidenceRef(SEALED, len(ORIGINAL), "image/jpeg", "clean", at=at, sealed=True),
    ]


class World:
    """A hub that knows a camera and its key, an alert of it, and the order of a look."""

    def __init__(self, store, folder, *, is_pinned=True):
        site = make_site(store, folder)
        self.hub = Hub.build(site.config, store)
        self.client = client_of(self.hub)
        self.call = caller(self.client, tokens_of(self.hub))
        self.key = DeviceKey(folder / "box" / "key.pem")
        self.path = folder / "hub.yaml"
        database = store.engine.url.render_as_string(hide_password=False)
        settings = {"data_dir": str(folder), "database": database, "case_prefix": "AK"}
        self.path.write_text(yaml.safe_dump(settings))
        self.hear("birth", birth(key=self.key.public if is_pinned else ""))
        self.hear("state", state())
        self.hear("alert", SEEN)
        self.order = self.ask(f"alerts/{ALERT}")

    def hear(self, name, message, at=None):
        with self.hub.store.write() as tx:
            pipeline.take(tx, self.hub.site, name, [received(message, at)])

    def ask(self, path):
        return self.call("POST", f"/api/{path}/look", Role.OPERATOR, json={}).json()["order"]

    def signed(self, scene=SCENE, files=None):
        refs = Signer(self.key).sign(scene, taken() if files is None else files)
        return msgspec.to_builtins({"scene": scene, "evidence": refs})

    def answer(self, out, order=None, at=None):
        given = {"answer": "gone", "confidence": 0.9, "reasons": ["not_seen"]} | out
        reply = Reply(
            dev="cam-1", id=order or self.order, st=CommandState.DONE, out=given
        )  # fmt: skip
        # As it comes over the wire.
        self.hear("reply", msgspec.json.decode(msgspec.json.encode(reply), type=Reply), at)

    def put(self, content, *, sealed=False):
        path = signed_path(
            self.hub.site.vault.key, hashlib.sha256(content).hexdigest(), dev="cam-1",
            size=len(content), kind="image/jpeg", exp=to_ms(now()) + 60_000, sealed=sealed,
        )  # fmt: skip
        return self.client.put(path, content=content).status_code

    def shown(self):
        return self.looks()["evidence"]

    def looks(self):
        (look,) = self.call("GET", f"/api/alerts/{ALERT}/looks").json()["items"]
        return look

    def fetch(self, sha256, role=Role.OPERATOR):
        return self.call("GET", f"/api/evidence/{sha256}", role)

    def verified(self, what=None):
        *files, last = list(verify(what, self.path))
        return files, last["summary"]


@pytest.fixture
def world(store, tmp_path):
    return World(store, tmp_path)


def test_an_order_is_known_by_its_key_in_twenty_characters(world):
    assert len(key_of(world.order)) == 20
    assert order_of(key_of(world.order)) == world.order
    assert order_of(ALERT) is None


def test_pictures_of_a_look_are_proven_on_receipt_and_sealed_as_an_alerts(world):
    world.answer(world.signed())
    assert world.put(OPEN) == 201
    # That it is sealed, the reply says: not the upload alone.
    assert world.put(ORIGINAL) == 201
    (file,) = world.shown()
    assert (file["proof"]["state"], file["proof"]["source"]) == ("verified", "gate")
    assert (file["proof"]["model"], file["proof"]["config_rev"]) == ("street-n", "rev-7")
    assert file["original"] == SEALED
    assert world.fetch(SHA).content == OPEN
    assert world.fetch(SEALED).json()["error"]["code"] == "sealed"
    opening = {"json": {"reason": "公安机关调取"}}
    path = f"/api/evidence/{SEALED}/opening"
    assert world.call("POST", path, Role.OPERATOR, **opening).status_code == 403
    assert world.call("POST", path, Role.SUPERVISOR, **opening).content == ORIGINAL
    on_disk = [path for path in world.hub.site.vault.folder.rglob("*") if path.is_file()]
    assert all(ORIGINAL[100:] not in path.read_bytes() for path in on_disk)


def test_verify_of_an_alert_a_case_a_look_and_all_covers_looks(world, tmp_path):
    world.call("POST", f"/api/alerts/{ALERT}/decision", json={"decision": "confirmed"})
    (case,) = world.call("GET", "/api/cases").json()["items"]
    second = world.ask(f"cases/{case['id']}")
    wanted = {"op": "camera.snapshot", "args": {"camera": "gate"}}
    snapshot = world.call("POST", "/api/devices/cam-1/orders", json=wanted).json()["id"]
    for order in (world.order, second):
        world.answer(world.signed(), order)
    world.answer(world.signed(replace(SCENE, subject="snapshot-gate"), taken()[:1]), snapshot)
    world.put(OPEN)
    world.put(ORIGINAL, sealed=True)
    for what in (ALERT, case["number"]):
        files, summary = world.verified(what)
        assert {file["look"] for file in files} == {world.order, second}
        assert (summary["verified"], summary["files"]) == (4, 4)
    assert world.verified(second)[1]["verified"] == 2
    files, summary = world.verified()
    assert {file["look"] for file in files} == {world.order, second, snapshot}
    assert (summary["verified"], summary["files"]) == (5, 5)
    out = tmp_path / "handed-over"
    (line,) = export(case["number"], out, world.path)
    assert line["summary"]["files"] == 2
    *_, last = verify(str(out))
    assert (last["summary"]["verified"], last["summary"]["bad"]) == (2, 0)


@pytest.mark.parametrize("change", [{"lat": 33.0}, {"model": "x"}, {"epoch": "f" * 16}])
def test_a_changed_scene_proves_nothing_and_the_picture_is_not_shown(world, change):
    given = world.signed()
    given["scene"] |= change
    world.answer(given)
    world.put(OPEN)
    (file,) = world.shown()
    assert (file["proof"]["state"], file["url"]) == ("bad", None)
    assert world.looks()["answer"] == "gone"
    assert world.fetch(SHA).json()["error"]["code"] == "kept_aside"
    assert world.verified(ALERT)[1]["bad"] == 1


FOREIGN = [{"dev": "cam-2"}, {"source": "roof"}, {"subject": "look-gate-8"}]
MALFORMED = [None, 7, [], {}, {"tq": 9}, {"lat": "north"}, {"lat": 1e9}, {"dev": None}]


def _with_scene(given, change):
    whole = isinstance(change, dict) and change
    return given | {"scene": given["scene"] | change if whole else change}


@pytest.mark.parametrize("change", FOREIGN + MALFORMED)
def test_a_scene_that_is_none_or_anothers_is_not_believed(sqlite_store, tmp_path, change):
    world = World(sqlite_store, tmp_path)
    scene = replace(SCENE, **change) if change in FOREIGN else SCENE
    world.answer(_with_scene(world.signed(scene), change))
    world.put(OPEN)
    (file,) = world.shown()
    assert (file["proof"]["state"], file["proof"]["fault"]) == ("bad", NO_STATEMENT)
    assert (file["url"], world.looks()["answer"]) == (None, "gone")
    summary = world.verified(ALERT)[1]
    assert (summary["bad"], summary["waiting"]) == (1, 1)


def test_what_nobody_understands_is_stored_and_unsigned(store, tmp_path):
    world = World(store, tmp_path, is_pinned=False)
    odd = {"sha256": SHA, "role": ["x"], "size": "big", "at": -1, "sig": 5}
    world.answer(
        {"scene": "\0", "evidence": [odd, {"sha256": 3}, "?", {"sha256": SEALED, "sealed": 1}]}
    )
    world.put(OPEN)
    world.put(ORIGINAL)
    (file,) = world.shown()
    assert (file["sha256"], file["proof"]["state"], file["proof"]["device"]) == (
        SHA,
        "unsigned",
        "",
    )
    assert world.fetch(SHA).content == OPEN
    assert world.fetch(SEALED).status_code == 403
    assert world.verified(ALERT)[1]["unsigned"] == 2
    # Kept aside and sent again: nothing was said of it, and that is borne.
    world.hub.site.vault.path(SHA).write_bytes(ORIGINAL)
    assert world.fetch(SHA).status_code == 409
    assert world.put(OPEN) == 201
    assert world.shown()[0]["proof"]["state"] == "unsigned"


def test_without_a_signature_it_is_bad_once_the_device_has_a_key(store, tmp_path):
    world = World(store, tmp_path, is_pinned=False)
    ref = EvidenceRef(SHA, len(OPEN), "image/jpeg", "clean")
    at = from_ms(SEEN.ts)
    world.hear("alert", alert_message(1, alert="before", evidence=[ref]), at)
    world.hear("birth", birth(session=2, key=world.key.public), from_ms(SEEN.ts + 1000))
    late = replace(ref, sha256="c" * 64)
    world.hear("alert", alert_message(2, alert="after", evidence=[late]), from_ms(SEEN.ts + 2000))
    plain = world.signed()
    world.answer(
        plain | {"evidence": [plain["evidence"][0] | {"sig": ""}]}, at=from_ms(SEEN.ts + 2000)
    )

    def proof(name):
        path = f"/api/alerts/{alert_id(alert_message(alert=name))}"
        (file,) = world.call("GET", path).json()["evidence"]
        return file["proof"]["state"], file["proof"]["fault"]

    assert proof("before") == ("unsigned", "")
    assert proof("after") == ("bad", NO_SIGNATURE)
    (file,) = world.shown()
    assert (file["proof"]["state"], file["proof"]["fault"]) == ("bad", NO_SIGNATURE)
    world.put(OPEN)
    assert world.fetch(SHA).content == OPEN, "an alert of before shows it"
    files, _ = world.verified()
    assert sorted(file["state"] for file in files) == ["bad", "unsigned", "waiting"]


def test_a_look_that_comes_before_the_key_is_proven_when_the_key_comes(store, tmp_path):
    world = World(store, tmp_path, is_pinned=False)
    world.answer(world.signed())
    assert world.shown()[0]["proof"]["state"] == "unsigned", "no fault of anybody"
    world.hear("birth", birth(session=2, key=world.key.public))
    assert world.shown()[0]["proof"]["state"] == "verified"


def _of_order(order):
    return replace(SCENE, subject=f"look-{order}-gate-7")


def test_a_look_names_the_order_it_answers(world):
    world.answer(world.signed(_of_order(world.order)))
    world.put(OPEN)
    assert world.shown()[0]["proof"]["state"] == "verified"
    assert world.verified(ALERT)[1]["bad"] == 0


def test_the_answer_to_an_earlier_look_proves_nothing_again(world):
    other = "0" * len(world.order)
    world.answer(world.signed(_of_order(other)))
    assert world.shown()[0]["proof"]["fault"] == NO_STATEMENT


def test_a_picture_without_an_order_must_not_be_older_than_the_order(world):
    old = taken(ago_ms=3_600_000)
    world.answer(world.signed(files=old))
    assert world.shown()[0]["proof"]["fault"] == NO_STATEMENT


def test_verify_finds_a_picture_that_was_moved_to_another_look(world):
    world.answer(world.signed())
    world.put(OPEN)
    with world.hub.store.write() as tx:
        tx.exec_driver_sql("UPDATE orders SET args = replace(args, 'gate-7', 'gate-9')")
    files, _ = world.verified()
    (file,) = [file for file in files if file["state"] == "bad"]
    assert "subject" in file["fault"]
    assert world.fetch(SHA).status_code == 409
