"""The link against a real broker, with a hub that is played by the test."""

import http.server
import ssl
import threading
import time
from contextlib import contextmanager

import msgspec
import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from edge.config import BrokerConfig
from edge.link import BadBroker, Link, Reports
from edge.outbox import ALERT, TRACK, EvidenceFile, Outbox
from hub import accounts
from tests.servers.mosquitto import mosquitto
from tests.servers.tls import make_certificate
from tests.wire.test_codec import a_track, an_alert
from wire import topics
from wire.codec import encode
from wire.command import Command, CommandState, Reply
from wire.receipt import Grant, GrantedFile, Receipt, Refusal
from wire.status import Birth, Health, HostState

DEV = "box-0007"
WAIT_S = 120.0


def until(condition, what):
    deadline = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline, f"waited {WAIT_S} s for {what}"
        time.sleep(0.02)


class Hub:
    """Keeps what it hears; answers when `answers` is set."""

    def __init__(self, port, password):
        self.heard = []
        self.answers = True
        self.client = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id="hub", protocol=mqtt.MQTTv311
        )
        self.client.username_pw_set("hub", password)
        self.client.on_message = self._take
        self.client.on_connect = lambda client, *_: client.subscribe("ty/v1/+/up/#", 1)
        self.listens = threading.Event()
        self.client.on_subscribe = lambda *_: self.listens.set()
        self.client.on_disconnect = lambda *_: self.listens.clear()
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        assert self.listens.wait(WAIT_S)

    def say(self, *, online):
        self.client.publish(
            topics.host_state("hub"), encode(HostState(hub="hub", online=online)), 1, retain=True
        ).wait_for_publish(WAIT_S)

    def send(self, name, message):
        self.client.publish(topics.down(DEV, name), encode(message), 1)

    def _take(self, _, __, message):
        name = message.topic.rsplit("/", 1)[-1]
        body = msgspec.json.decode(message.payload)
        self.heard.append((name, body))
        if self.answers and name in (ALERT, TRACK):
            seq = body["seq"]
            self.send("receipt", Receipt(dev=DEV, epoch=body["epoch"], stream=name,
                                         seqs=[(seq, seq)]))  # fmt: skip

    def bodies(self, name):
        return [body for heard, body in self.heard if heard == name]

    def stop(self):
        self.client.disconnect()
        self.client.loop_stop()


@contextmanager
def beginning(tmp_path, certificate=None):
    """A device before its start, and the hub; `certificate`: of the broker where it speaks TLS."""
    with mosquitto(tmp_path, {"hub": "h-secret", DEV: "d-secret"}) as broker:
        password_file = tmp_path / "password"
        password_file.write_text("d-secret\n")
        outbox = Outbox(tmp_path / "edge" / "outbox.db", DEV, lambda: int(time.time() * 1000))
        hub = Hub(broker.port, "h-secret")
        reports = Reports(
            births=lambda session: [
                Birth(dev=DEV, epoch=outbox.epoch, session=session, ts=1, agent="t")
            ],
            health=lambda: Health(dev=DEV, ts=1),
            order=lambda command, say: say(
                Reply(dev=DEV, id=command.id, st=CommandState.DONE, out={"op": command.op})
            ),
        )
        config = BrokerConfig(port=broker.port, password_file=password_file)
        if certificate is not None:
            port = broker.listen_with_tls(certificate)
            until(hub.listens.is_set, "the hub at the broker")
            config = config.model_copy(update={"port": port, "ca_file": certificate.file})
        link = Link(config, outbox, reports, lambda: int(time.time() * 1000))
        yield outbox, hub, link, broker
        link.stop()
        hub.stop()
        outbox.close()


@pytest.fixture
def world(tmp_path):
    with beginning(tmp_path) as made:
        yield made


def add_alert(outbox, files=()):
    outbox.add(ALERT, lambda seq: an_alert(epoch=outbox.epoch, seq=seq), files, alert="a-1")


def test_an_alert_leaves_the_outbox_with_the_hubs_receipt_only(world):
    outbox, hub, link, _ = world
    hub.answers = False
    hub.say(online=True)
    link.start()
    add_alert(outbox)
    until(lambda: hub.bodies(ALERT), "the alert")
    assert outbox.depth() == {ALERT: 1}
    hub.answers = True
    outbox.send_again()
    until(lambda: not outbox.depth(), "the receipt")


def test_nothing_is_sent_while_no_hub_listens(world):
    outbox, hub, link, _ = world
    link.start()
    add_alert(outbox)
    until(lambda: hub.bodies("birth"), "the birth")
    time.sleep(0.7)
    assert not hub.bodies(ALERT)
    heard = len(hub.bodies("birth"))
    hub.say(online=True)
    until(lambda: not outbox.depth(), "the receipt")
    assert len(hub.bodies("birth")) > heard, "a hub that comes later is told who we are"


def test_a_broker_restart_loses_nothing(world):
    outbox, hub, link, broker = world
    hub.say(online=True)
    link.start()
    until(lambda: link.is_online, "the link")
    broker.kill()
    until(lambda: not hub.listens.is_set(), "the cut")
    for _ in range(5):
        add_alert(outbox)
    broker.restart()
    assert hub.listens.wait(WAIT_S)  # else a birth may come before anybody hears it
    hub.say(online=True)
    until(lambda: len({b["session"] for b in hub.bodies("birth")}) > 1, "the next session's birth")
    until(lambda: not outbox.depth(), "all receipts")
    assert sorted({body["seq"] for body in hub.bodies(ALERT)}) == [0, 1, 2, 3, 4]
    sessions = [body["session"] for body in hub.bodies("birth")]
    assert sessions == sorted(sessions)


def test_a_device_that_was_given_a_new_password_comes_back_by_itself(world, tmp_path):
    outbox, hub, link, broker = world
    hub.say(online=True)
    link.start()
    until(lambda: link.is_online, "the link")
    assert accounts.add(broker.settings(), DEV, "d-other")
    until(lambda: not link.is_online, "the cut")
    add_alert(outbox)
    (tmp_path / "password").unlink()
    time.sleep(5)
    assert outbox.depth() == {ALERT: 1}, "nobody is let in with the old one"
    (tmp_path / "password").write_text("d-other\n")
    until(lambda: not outbox.depth(), "the receipt")


def test_a_refused_alert_is_not_sent_again(world):
    outbox, hub, link, _ = world
    hub.answers = False
    hub.say(online=True)
    link.start()
    add_alert(outbox)
    until(lambda: hub.bodies(ALERT), "the alert")
    refusal = Refusal(0, "E_SCHEMA", "lat")
    hub.send("receipt", Receipt(dev=DEV, epoch=outbox.epoch, stream=ALERT, refused=[refusal]))
    until(lambda: outbox.refused_count() == 1, "the refusal")
    assert not outbox.depth()


def test_a_receipt_of_another_epoch_settles_nothing(world):
    outbox, hub, link, _ = world
    hub.answers = False
    hub.say(online=True)
    link.start()
    add_alert(outbox)
    until(lambda: hub.bodies(ALERT), "the alert")
    hub.send("receipt", Receipt(dev=DEV, epoch="0" * 16, stream=ALERT, seqs=[(0, 9)]))
    hub.send("receipt", Receipt(dev=DEV, epoch=outbox.epoch, stream=TRACK, seqs=[(0, 9)]))
    time.sleep(0.3)
    assert outbox.depth() == {ALERT: 1}


def test_an_item_older_than_live_carries_the_mark(world):
    outbox, hub, link, _ = world
    old_ms = int(time.time() * 1000) - 3_600_000
    outbox._now_ms = lambda: old_ms
    add_alert(outbox)
    outbox.add(TRACK, lambda seq: msgspec.structs.replace(a_track(), epoch=outbox.epoch, seq=seq))
    outbox._now_ms = lambda: int(time.time() * 1000)
    add_alert(outbox)
    hub.say(online=True)
    link.start()
    until(lambda: not outbox.depth(), "all receipts")
    assert {body["seq"]: body["hist"] for body in hub.bodies(ALERT)} == {0: True, 1: False}
    assert hub.bodies(TRACK)[0]["hist"] is True


class Shelf(http.server.BaseHTTPRequestHandler):
    """Takes what is PUT; answers what `answers` says."""

    def do_PUT(self):
        self.server.put.append(
            (self.path, self.headers["Content-Type"],
             self.rfile.read(int(self.headers["Content-Length"])))
        )  # fmt: skip
        self.send_response(self.server.answers.pop(0) if self.server.answers else 201)
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def shelf():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Shelf)
    server.put, server.answers = [], []
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def grant(hub, shelf, file):
    scheme = "https" if isinstance(shelf.socket, ssl.SSLSocket) else "http"
    url = f"{scheme}://127.0.0.1:{shelf.server_port}/upload/{file.sha256}"
    hub.send("grant", Grant(dev=DEV, files=[GrantedFile(file.sha256, url)], exp=2**41))


def test_files_are_offered_after_the_receipt_and_kept_until_theirs(world, shelf):
    outbox, hub, link, _ = world
    picture = EvidenceFile(b"\xff\xd8 a picture", "image/jpeg")
    hub.say(online=True)
    link.start()
    add_alert(outbox, [picture])
    until(lambda: hub.bodies("evidence"), "the offer")
    names = [name for name, _ in hub.heard]
    assert names.index(ALERT) < names.index("evidence")
    grant(hub, shelf, picture)
    until(lambda: shelf.put, "the upload")
    assert shelf.put[0] == (f"/upload/{picture.sha256}", "image/jpeg", picture.data)
    assert outbox.depth() == {"evidence": 1}
    hub.send("receipt", Receipt(dev=DEV, epoch=outbox.epoch, stream=ALERT,
                                sha256=[picture.sha256]))  # fmt: skip
    until(lambda: not outbox.depth(), "the file's receipt")


def test_a_file_waits_while_an_alert_is_to_be_sent(world, shelf, monkeypatch):
    outbox, hub, link, _ = world
    original = EvidenceFile(b"\xff\xd8" + bytes(300_000), "image/jpeg", sealed=True)
    hub.say(online=True)
    link.start()
    add_alert(outbox, [original])
    until(lambda: hub.bodies("evidence"), "the offer")
    assert hub.bodies("evidence")[0]["files"][0]["sealed"] is True
    fresh = threading.Event()
    fresh.set()
    monkeypatch.setattr(outbox, "has_fresh_alert", fresh.is_set)
    grant(hub, shelf, original)
    time.sleep(1)
    assert shelf.put == []
    fresh.clear()
    until(lambda: shelf.put, "the upload")
    assert shelf.put[0][2] == original.data


@pytest.mark.parametrize(
    ("answer", "offers", "kept"), [(403, 2, True), (503, 1, True), (409, 1, False)]
)
def test_each_answer_to_an_upload_has_its_consequence(world, shelf, answer, offers, kept):
    outbox, hub, link, _ = world
    picture = EvidenceFile(b"\xff\xd8 a picture", "image/jpeg")
    shelf.answers.append(answer)
    hub.say(online=True)
    link.start()
    add_alert(outbox, [picture])
    until(lambda: hub.bodies("evidence"), "the offer")
    grant(hub, shelf, picture)
    until(lambda: shelf.put, "the upload")
    until(lambda: len(hub.bodies("evidence")) == offers, "the offers")
    until(lambda: ("evidence" in outbox.depth()) is kept, "the file's fate")


def behind_a_certificate(shelf, folder):
    certificate = make_certificate(folder)
    shelf.socket = certificate.context().wrap_socket(
        shelf.socket, server_side=True, do_handshake_on_connect=False
    )
    return certificate


def test_a_hub_that_nobody_vouches_for_is_named_once_and_files_wait(world, shelf, tmp_path, caplog):
    outbox, hub, link, _ = world
    behind_a_certificate(shelf, tmp_path)
    picture = EvidenceFile(b"\xff\xd8 a picture", "image/jpeg")
    hub.say(online=True)
    link.start()
    add_alert(outbox, [picture])
    until(lambda: hub.bodies("evidence"), "the offer")
    for _ in range(2):
        grant(hub, shelf, picture)
    until(lambda: "must vouch for it" in caplog.text, "the warning")
    time.sleep(0.5)
    assert caplog.text.count("the hub's certificate: self") == 1
    assert (shelf.put, outbox.depth()) == ([], {"evidence": 1})


@pytest.fixture
def behind_tls(tmp_path, shelf):
    """The same where only the city's own file vouches for broker and hub."""
    certificate = behind_a_certificate(shelf, tmp_path)
    with beginning(tmp_path, certificate) as made:
        yield made


def test_the_brokers_certificate_file_vouches_for_the_address_of_files_too(behind_tls, shelf):
    outbox, hub, link, _ = behind_tls
    picture = EvidenceFile(b"\xff\xd8 a picture", "image/jpeg")
    hub.say(online=True)
    link.start()
    add_alert(outbox, [picture])
    until(lambda: hub.bodies("evidence"), "the offer")
    grant(hub, shelf, picture)
    until(lambda: shelf.put, "the upload")
    assert shelf.put[0][2] == picture.data


def test_settings_that_cannot_be_used_are_named(tmp_path):
    outbox = Outbox(tmp_path / "outbox.db", DEV, lambda: 0)
    with pytest.raises(BadBroker, match="password_file"):
        Link(BrokerConfig(password_file=tmp_path / "none"), outbox, None, lambda: 0)
    outbox.close()


def test_a_command_is_answered(world):
    _, hub, link, _ = world
    hub.say(online=True)
    link.start()
    until(lambda: link.is_online, "the link")
    hub.send("cmd", Command(dev=DEV, id="c-1", op="terminal.text", exp=1))
    hub.send("cmd", Command(dev="box-9999", id="c-2", op="terminal.text", exp=1))
    sessions = [body["session"] for body in hub.bodies("birth")]
    for at, session in enumerate((sessions[-1] - 1, sessions[-1])):
        told = Command(dev=DEV, id=f"s-{at}", op="terminal.text", exp=1, session=max(session, 0))
        hub.send("cmd", told)
    until(lambda: hub.bodies("reply"), "the reply")
    time.sleep(0.2)
    assert [(body["id"], body["out"]) for body in hub.bodies("reply")] == [
        ("c-1", {"op": "terminal.text"}),
        ("s-1", {"op": "terminal.text"}),
    ]
