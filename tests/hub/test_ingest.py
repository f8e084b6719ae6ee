"""Over a real broker: what is confirmed is stored, whatever dies in between."""

import json
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.request
from contextlib import closing

import msgspec
import pytest
import yaml
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError

from hub import metrics, pipeline, proving
from hub.alerts.store import alerts
from hub.devices.store import devices
from hub.ingest import Delivery, Ingest, _read
from hub.quarantine import refused
from hub.store import Store, now
from hub.tracks.store import batches
from tests.hub.broker import Device, wait_for
from tests.hub.world import EPOCH, NOON, alert_message, make_site, state, track_message
from tests.servers.mosquitto import mosquitto
from tests.servers.port import free_port
from wire.receipt import EvidenceOffer, OfferedFile
from wire.status import HostState

USERS = {"hub": "hub-secret", "cam-1": "secret", "car-1": "secret"}


@pytest.fixture(scope="module")
def server_broker(tmp_path_factory):
    with mosquitto(tmp_path_factory.mktemp("mosquitto"), USERS) as running:
        yield running


@pytest.fixture
def broker_settings(server_broker, tmp_path):
    (tmp_path / "hub-password").write_text(USERS["hub"] + "\n")
    return {
        "port": server_broker.port,
        "password_file": str(tmp_path / "hub-password"),
        "shared": "no",
    }


@pytest.fixture
def site(sqlite_store, tmp_path, broker_settings):
    # A hub of its own for each test: the broker keeps the sessions of the last one.
    member = f"t{time.monotonic_ns() % 10**9}"
    return make_site(sqlite_store, tmp_path, broker=broker_settings, member=member)


@pytest.fixture
def ingest(sqlite_store, site):
    running = Ingest(sqlite_store, site)
    running.start()
    assert running.wait_connected(20)
    yield running
    running.stop()


@pytest.fixture
def device(server_broker):
    opened = []

    def open_device(name="cam-1"):
        opened.append(Device(server_broker.port, name))
        return opened[-1]

    yield open_device
    for each in opened:
        each.close()


def count(store, table):
    with store.read() as tx:
        return tx.execute(select(func.count()).select_from(table)).scalar_one()


def live(seq, **changes):
    return alert_message(seq, at=now(), alert=f"a-{seq}", **changes)


def test_alerts_and_fixes_are_confirmed_after_their_commit(ingest, sqlite_store, device):
    cam, car = device(), device("car-1")
    cam.send("alert", live(0))
    car.send("track", track_message(0, 5, at=now()))

    wait_for(lambda: cam.confirmed("alert") == {0})
    assert count(sqlite_store, alerts) == 1
    wait_for(lambda: car.confirmed("track") == {0, 1, 2, 3, 4})
    assert count(sqlite_store, batches) == 1


def test_a_repeat_is_confirmed_and_a_change_refused(ingest, sqlite_store, device):
    cam, first = device(), live(0)
    cam.send("alert", first)
    wait_for(lambda: cam.confirmed("alert") == {0})
    cam.receipts.clear()
    cam.send("alert", msgspec.structs.replace(first, hist=True))
    wait_for(lambda: cam.confirmed("alert") == {0})
    cam.send("alert", msgspec.structs.replace(first, score=0.1))
    wait_for(lambda: cam.refused("alert") == {(0, "E_REPLAY")})
    assert count(sqlite_store, alerts) == 1


def body(**changes):
    return json.dumps(json.loads(msgspec.json.encode(live(7))) | changes).encode()


BAD = [
    (b"", "E_JSON"),
    (b"\x00\xff\xfe", "E_JSON"),
    (b"[" * 5000, "E_SCHEMA"),
    (b"{}", "E_SCHEMA"),
    (body(lat=91), "E_SCHEMA"),
    (body(lat="north"), "E_SCHEMA"),
    (body(v=2), "E_VERSION"),
    (body(dev="cam-2"), "E_DEVICE"),
    (body(zone="x" * 65), "E_SCHEMA"),
    (body(model="x" * 17_000), "E_SIZE"),
    (body().replace(b"0.8", b"NaN"), "E_JSON"),
]


def test_poison_is_put_aside_and_blocks_nothing(ingest, sqlite_store, device):
    cam = device()
    for payload, _ in BAD:
        cam.send("alert", payload)
    cam.send("alert", live(8))

    wait_for(lambda: cam.confirmed("alert") == {8})
    with sqlite_store.read() as tx:
        kept = tx.execute(select(refused).order_by(refused.c.id)).all()
    assert [row.code for row in kept] == [code for _, code in BAD]
    assert [bytes(row.raw) for row in kept] == [payload for payload, _ in BAD]
    assert {code for seq, code in cam.refused("alert") if seq == 7} == {
        "E_SCHEMA",
        "E_VERSION",
        "E_DEVICE",
        "E_SIZE",
    }
    assert count(sqlite_store, alerts) == 1


@pytest.mark.parametrize(
    "topic", ["ty/v1/host/up/alert", "ty/v1/X/up/alert", "ty/v1/cam-1/up/odd", "elsewhere"]
)
def test_a_topic_outside_the_tree_is_a_suspect(topic):
    reading = _read(Delivery(topic, b"{}", 1, 1, 1, NOON, 0.0))
    assert reading.code == "E_DEVICE"


def test_a_fault_of_the_hub_puts_one_message_aside(ingest, sqlite_store, device, monkeypatch):
    take = pipeline.TAKE["alert"]

    def fails_on_three(tx, site, arrived):
        if any(each.message.seq == 3 for each in arrived):
            raise ZeroDivisionError("ours")
        return take(tx, site, arrived)

    monkeypatch.setitem(pipeline.TAKE, "alert", fails_on_three)
    cam = device()
    for seq in range(6):
        cam.send("alert", live(seq))
    wait_for(lambda: cam.confirmed("alert") == {0, 1, 2, 4, 5})
    wait_for(lambda: count(sqlite_store, refused) == 1)
    assert cam.refused("alert") == set()


def test_a_database_that_is_away_loses_nothing(sqlite_store, tmp_path, site, device):
    path = tmp_path / "hub.sqlite"
    impatient = Store(f"sqlite:///{path}?timeout=0.05")
    running = Ingest(impatient, site)
    running.start()
    try:
        assert running.wait_connected(20)
        cam = device()
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")  # the only write lock
            for seq in range(20):
                cam.send("alert", live(seq))
            retries = metrics.RETRIES.labels("alert")
            wait_for(lambda: retries._value.get() > 0)
            assert cam.confirmed("alert") == set()
            other.execute("ROLLBACK")
        wait_for(lambda: cam.confirmed("alert") == set(range(20)))
        assert count(sqlite_store, alerts) == 20
    finally:
        running.stop()
        impatient.close()


def test_two_members_given_the_same_message_store_it_once(
    ingest, sqlite_store, site, device, monkeypatch
):
    message, take = live(0), pipeline.TAKE["alert"]
    seen = []

    def late(tx, site, arrived):
        """As if the other member had committed between the look and the write."""
        outcome = take(tx, site, arrived)
        seen.append(len(arrived))
        if len(seen) == 1:
            raise IntegrityError("insert", {}, Exception("unique"))
        return outcome

    monkeypatch.setitem(pipeline.TAKE, "alert", late)
    cam = device()
    cam.send("alert", message)
    wait_for(lambda: cam.confirmed("alert") == {0})
    assert count(sqlite_store, alerts) == 1
    assert count(sqlite_store, refused) == 0


def test_an_offer_gets_addresses_and_devices_are_known(ingest, sqlite_store, site, device):
    cam = device()
    cam.send("state", state(), retain=True)
    cam.send("evidence", EvidenceOffer(dev="cam-1", alert="a-0",
                                       files=[OfferedFile("a" * 64, 9, "image/jpeg")]))  # fmt: skip
    (grant,) = wait_for(lambda: cam.grants)
    assert "/upload/" in grant.files[0].url
    proving.file_arrived(sqlite_store, "b" * 64, "image/jpeg", 9, "cam-1")
    ingest.confirm_file("cam-1", "b" * 64)
    wait_for(lambda: any(receipt.sha256 == ["b" * 64] for receipt in cam.receipts))
    assert cam.receipts[-1].epoch == EPOCH
    with sqlite_store.read() as tx:
        assert tx.execute(select(devices.c.online)).scalar_one() is True


def test_the_broker_tells_devices_whether_the_hub_is_there(ingest, server_broker, device):
    import paho.mqtt.client as mqtt

    said = []
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, "looker")
    client.username_pw_set("cam-1", "secret")
    client.on_message = lambda _c, _d, m: said.append(
        msgspec.json.decode(m.payload, type=HostState)
    )
    client.connect("127.0.0.1", server_broker.port)
    client.loop_start()
    client.subscribe("ty/v1/host/+/state", 1)
    wait_for(lambda: said and said[-1].online)
    ingest.stop()
    wait_for(lambda: not said[-1].online)
    client.disconnect()
    client.loop_stop()


def test_members_share_the_messages(sqlite_store, site, device):
    shared = site.config.broker.model_copy(update={"shared": "auto"})
    members = []
    for name in ("m1", "m2"):
        config = site.config.model_copy(update={"broker": shared, "member": name})
        members.append(Ingest(sqlite_store, type(site)(config, site.places, site.vault),
                              is_host=name == "m1"))  # fmt: skip
    for member in members:
        member.start()
    try:
        assert all(member.wait_connected(20) for member in members)
        cam = device()
        for seq in range(40):
            cam.send("alert", live(seq))
        wait_for(lambda: cam.confirmed("alert") == set(range(40)))
        assert all(link._share for member in members for link in member._links if link._lane.shared)
        assert count(sqlite_store, alerts) == 40
        time.sleep(0.2)
        assert sum(len(r.seqs) for r in cam.receipts) <= 40  # nobody confirmed twice
    finally:
        for member in members:
            member.stop()


# processes


class HubProcess:
    def __init__(self, folder, broker):
        self.port = free_port()
        self.config = folder / "hub.yaml"
        self.config.write_text(
            yaml.safe_dump(
                {
                    "data_dir": str(folder),
                    "listen": {"port": self.port},
                    "broker": broker,
                    "member": f"p{self.port}",
                }
            )
        )
        self.start()

    def start(self):
        args = [sys.executable, "-m", "tianyan.cli", "hub", "run", str(self.config)]
        self.process = subprocess.Popen(args, stderr=subprocess.DEVNULL)
        try:
            wait_for(self.is_ready, 100)
        except AssertionError:
            self.kill()
            raise

    def is_ready(self):
        assert self.process.poll() is None, "the hub ended"
        try:
            with urllib.request.urlopen(
                f"http://127.0.0.1:{self.port}/healthz", timeout=5
            ) as answer:
                return json.load(answer)["status"] == "ok"
        except OSError:
            return False

    def kill(self):
        self.process.kill()
        self.process.wait(10)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        began = time.monotonic()
        status = self.process.wait(20)
        return status, time.monotonic() - began


@pytest.fixture
def hub_process(tmp_path, broker_settings):
    running = HubProcess(tmp_path, broker_settings)
    yield running
    if running.process.poll() is None:
        running.process.kill()
        running.process.wait(10)


@pytest.mark.timeout(400)
def test_kill_9_in_a_stream_of_alerts_loses_and_doubles_nothing(hub_process, tmp_path, device):
    cam, total = device(), 400
    sent = [live(seq) for seq in range(total)]
    for message in sent[:200]:
        cam.send("alert", message)
    wait_for(lambda: len(cam.confirmed("alert")) > 20, 60)
    hub_process.kill()
    for message in sent[200:]:
        cam.send("alert", message)
    hub_process.start()
    # What a device does without a receipt: send again.
    for message in sent:
        if message.seq not in cam.confirmed("alert"):
            cam.send("alert", msgspec.structs.replace(message, hist=True))
    wait_for(lambda: cam.confirmed("alert") == set(range(total)), 60)

    status, took_s = hub_process.stop()
    assert status == 0
    assert took_s < 10
    store = Store(f"sqlite:///{tmp_path / 'hub.sqlite'}")
    with store.read() as tx:
        assert tx.execute(select(func.count()).select_from(alerts)).scalar_one() == total
        assert tx.execute(text("SELECT COUNT(*), COUNT(DISTINCT seq) FROM inbox")).one() == (
            400,
            400,
        )
    store.close()
