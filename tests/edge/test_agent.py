"""A whole agent: real recordings, a real broker, a hub that is played by the test."""

import base64
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from hashlib import sha256

import cv2
import msgspec
import numpy as np
import pytest
import yaml
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from edge import lookout
from edge.agent import Agent, AlreadyRunning
from edge.commands import run
from edge.config import load_edge
from edge.detect.detection import Detection
from edge.open_alerts import OpenAlerts
from edge.outbox import Outbox
from tests.edge.camera.footage import record, street
from tests.edge.test_link import Hub, until
from tests.servers.mosquitto import mosquitto
from tests.servers.rtsp import RtspServer, needs_rtsp_server
from tests.stopwatch import Stopwatch
from tests.wire.test_codec import an_alert
from wire.alert import Alert
from wire.receipt import Grant, GrantedFile, Receipt
from wire.statement import scene_of, signed_bytes, statement_of

DEV = "box-0007"
PLACE = {"lat": 32.69, "lon": 109.02}
HEAP = (255, 0, 255)
LONG_S = 120.0


class Colours:
    """A detector that takes magenta for garbage: no model's mood decides a test."""

    name = "colours"
    labels = ("garbage",)
    side = 640

    def glance(self, image, part, least=None):
        return None

    def threshold(self, _):
        return 0.5

    def detect(self, image, least=None):
        height, width = image.shape[:2]
        magenta = (image[..., 0] > 180) & (image[..., 1] < 90) & (image[..., 2] > 180)
        count, _, boxes, _ = cv2.connectedComponentsWithStats(magenta.astype(np.uint8))
        return [
            Detection("garbage", 0.9, x / width, y / height, w / width, h / height)
            for x, y, w, h, area in boxes[1:count].tolist()
            if area > 200
        ]


@pytest.fixture(autouse=True)
def _colours(monkeypatch):
    monkeypatch.setattr(lookout, "open_proven", lambda _: Colours())


def heap(comes_s=3, goes_s=1e9):
    """A street on which a magenta heap lies for a while."""

    def picture(second, size):
        image = street(*size) // 2
        if comes_s <= second < goes_s:
            cv2.rectangle(image, (100, 100), (160, 150), HEAP, -1)
        return image

    return picture


class AnsweringHub(Hub):
    """Confirms what it hears as the hub does: fixes by their own numbers, files as held."""

    def bodies(self, name):
        """An alert that waited long for its receipt is sent again: the hub takes it once."""
        bodies = super().bodies(name)
        return list({body["seq"]: body for body in bodies}.values()) if name == "alert" else bodies

    def _take(self, client, userdata, message):
        super()._take(client, userdata, message)
        name = message.topic.rsplit("/", 1)[-1]
        body = self.heard[-1][1]
        if name == "track":
            seqs = [(fix[0], fix[0]) for fix in body["fixes"]]
            self.send("receipt", Receipt(dev=DEV, epoch=body["epoch"], stream=name, seqs=seqs))
        elif name == "evidence":
            held = [GrantedFile(file["sha256"]) for file in body["files"]]
            self.send("grant", Grant(dev=DEV, files=held, exp=2**41))


@pytest.fixture
def hub(tmp_path, monkeypatch):
    # What an agent leaves for its next start depends on how quick the machine is; not here.
    monkeypatch.setattr("edge.agent.DRAIN_S", LONG_S)
    monkeypatch.setattr("edge.agent.FAREWELL_S", LONG_S)
    monkeypatch.setattr("edge.link.STOP_TIMEOUT_S", LONG_S)
    monkeypatch.setattr("edge.lookout.STOP_TIMEOUT_S", LONG_S)
    with mosquitto(tmp_path, {"hub": "h-secret", DEV: "d-secret"}) as broker:
        password = tmp_path / "password"
        password.write_text("d-secret\n")
        password.chmod(0o600)
        hub = AnsweringHub(broker.port, "h-secret")
        hub.port = broker.port
        hub.say(online=True)
        yield hub
        hub.stop()


def write_config(folder, port=1, **sections):
    path = folder / "edge.yaml"
    broker = {"port": port, "password_file": "password"}
    path.write_text(
        yaml.safe_dump({"device": DEV, "data_dir": "state", "broker": broker} | sections)
    )
    return path


def camera(source, name="gate", **settings):
    zone = {"id": "pavement", "dwell_s": 5, "severity": 2, "labels": ["garbage"]}
    defaults = {"real_time": False, "looks_per_s": 2, "position": PLACE, "zones": [zone]}
    return {"id": name, "source": str(source)} | defaults | settings


def states(alerts):
    """Without the updates, with which clips come when they are made."""
    return [alert["state"] for alert in alerts if alert["state"] != "update"]


def run_agent(path, stop=None):
    """Run to the end of its recordings; what could not be done."""
    return Agent(load_edge(path)).run(stop or threading.Event())


def test_a_recording_becomes_alerts_with_their_pictures(tmp_path, hub):
    video = record(tmp_path / "street.mp4", seconds=60, fps=4, gop=4, pictures=heap(3, 20))
    path = write_config(tmp_path, hub.port, cameras=[camera(video)])
    assert run_agent(path) == []
    alerts = hub.bodies("alert")
    assert states(alerts) == ["new", "end"]
    new = alerts[0]
    updates = [alert["evidence"] for alert in alerts if alert["state"] == "update"]
    pictures, after, clip = sorted(updates, key=lambda files: -len(files))
    assert {alert["alert"] for alert in alerts} == {new["alert"]}
    assert (new["source"], new["label"], new["zone"]) == ("gate", "garbage", "pavement")
    assert (new["level"], new["matter"], new["hist"]) == (2, "06010", True)
    assert (new["lat"], new["lon"], new["place"]) == (32.69, 109.02, "camera")
    assert new["ts"] - new["since"] == pytest.approx(5000, abs=1500)
    assert {files[0]["role"] for files in (after, clip)} == {"after", "clip"}
    shown = [file["role"] for file in pictures if not file.get("sealed")]
    assert shown == ["clean", "annotated", "before"]
    offered = {f["sha256"] for offer in hub.bodies("evidence") for f in offer["files"]}
    assert {file["sha256"] for file in (*pictures, *after, *clip)} <= offered
    birth = hub.bodies("birth")[0]
    public = Ed25519PublicKey.from_public_bytes(base64.b64decode(birth["key"] + "="))
    for message in alerts:
        alert = msgspec.convert(message, Alert)
        for ref in alert.evidence:
            signature = base64.b64decode(ref.sig + "==")
            public.verify(signature, signed_bytes(statement_of(scene_of(alert), ref)))
    assert birth["cameras"][0]["zones"] == ["pavement"]
    assert birth["model"] == "colours"


def test_no_alert_waits_for_its_pictures(tmp_path, hub, monkeypatch):
    heard = []

    class SlowFinder:
        """Looks for faces until the hub has heard of the alert."""

        def find(self, image, side=0):
            deadline_s = time.monotonic() + LONG_S
            while not hub.bodies("alert") and time.monotonic() < deadline_s:
                time.sleep(0.05)
            heard.append(states(hub.bodies("alert"))[:1])
            return []

    monkeypatch.setattr(lookout, "open_finder", SlowFinder)
    video = record(tmp_path / "street.mp4", seconds=30, fps=4, gop=4, pictures=heap(3))
    path = write_config(tmp_path, hub.port, cameras=[camera(video)])
    assert run_agent(path) == []
    assert heard[0] == ["new"]
    roles = [file["role"] for alert in hub.bodies("alert") for file in alert.get("evidence", [])]
    assert {"clean", "annotated", "before", "clip"} <= set(roles)


def test_what_the_hub_has_not_confirmed_is_sent_after_a_restart(tmp_path, hub, monkeypatch):
    monkeypatch.setattr("edge.agent.DRAIN_S", 0.5)
    monkeypatch.setattr("edge.agent.FAREWELL_S", 0.5)
    video = record(tmp_path / "street.mp4", seconds=30, fps=4, gop=4, pictures=heap())
    path = write_config(tmp_path, hub.port, cameras=[camera(video)])
    hub.say(online=False)
    assert run_agent(path) == []
    assert hub.bodies("alert") == []
    outbox = Outbox(tmp_path / "state" / "outbox.db", DEV, lambda: int(time.time() * 1000))
    assert outbox.depth()["alert"] == 4
    files = [path for path in (tmp_path / "state" / "files").rglob("*") if path.is_file()]
    assert len(files) >= 2
    assert all(sha256(path.read_bytes()).hexdigest() == path.name for path in files)
    outbox.close()
    monkeypatch.setattr("edge.agent.DRAIN_S", LONG_S)
    hub.say(online=True)
    empty = record(tmp_path / "street.mp4", seconds=2, pictures=heap(1e9))
    assert run_agent(write_config(tmp_path, hub.port, cameras=[camera(empty)])) == []
    assert [alert["seq"] for alert in hub.bodies("alert")] == [0, 1, 2, 3]


def test_a_thing_that_was_open_when_the_agent_was_killed_is_ended(tmp_path, hub):
    OpenAlerts(tmp_path / "state" / "open-alerts").note(an_alert(dev=DEV))
    video = record(tmp_path / "street.mp4", seconds=2, pictures=heap(1e9))
    run_agent(write_config(tmp_path, hub.port, cameras=[camera(video)]))
    (end,) = hub.bodies("alert")
    assert (end["alert"], end["state"]) == (an_alert().alert, "end")
    assert list((tmp_path / "state" / "open-alerts").iterdir()) == []


def test_one_bad_camera_disturbs_no_other(tmp_path, hub, monkeypatch, caplog):
    """One file is no video, one camera is away, one cannot be judged; the fourth sees the heap."""
    video = record(tmp_path / "street.mp4", seconds=20, fps=4, gop=4, pictures=heap())
    small = record(tmp_path / "small.mp4", seconds=5, size=(160, 90), pictures=heap(1e9))
    (tmp_path / "noise.mp4").write_bytes(os.urandom(5000))

    class Moody(Colours):
        def detect(self, image, least=None):
            if image.shape[1] == 160:
                raise ZeroDivisionError("mood")
            return super().detect(image)

    monkeypatch.setattr(lookout, "open_proven", lambda _: Moody())
    path = write_config(
        tmp_path,
        hub.port,
        cameras=[
            camera(tmp_path / "noise.mp4", "noise"),
            camera(small, "moody"),
            camera(video, "good"),
        ],
    )
    (fault,) = run_agent(path)
    assert "noise.mp4" in fault
    assert {alert["source"] for alert in hub.bodies("alert")} == {"good"}
    assert caplog.text.count("camera moody: a frame could not be judged") == 1


def test_a_camera_that_is_away_is_told_at_once(tmp_path, hub, monkeypatch):
    monkeypatch.setattr("edge.camera.runner.retry_wait_s", lambda *_: 10 * LONG_S)
    path = write_config(tmp_path, hub.port, cameras=[camera("http://127.0.0.1:9/video", "away")])
    stop = threading.Event()
    thread = threading.Thread(target=run_agent, args=(path, stop))
    thread.start()
    try:
        until(
            lambda: any(h["cameras"][0]["state"] == "unreachable" for h in hub.bodies("health")),
            "the health message",
        )
    finally:
        stop.set()
        thread.join(LONG_S)
    assert not thread.is_alive(), "it waits for the camera"
    until(lambda: online(hub) == [True, False], "the farewell")


def test_what_is_seen_when_asked_to_stop_is_told_before(tmp_path, hub):
    video = record(tmp_path / "street.mp4", seconds=30, fps=4, gop=4, pictures=heap(0))
    settings = {"real_time": True, "loop": True}
    zone = {"id": "all", "dwell_s": 1, "labels": ["garbage"]}
    path = write_config(
        tmp_path, hub.port, cameras=[camera(video, looks_per_s=4, zones=[zone], **settings)]
    )
    stop = threading.Event()
    thread = threading.Thread(target=run_agent, args=(path, stop))
    began_s = time.time()
    thread.start()
    until(lambda: hub.bodies("alert"), "the alert")
    stop.set()
    thread.join(LONG_S)
    assert states(hub.bodies("alert")) == ["new", "end"]
    assert began_s <= hub.bodies("alert")[0]["ts"] / 1000 <= time.time()
    assert not hub.bodies("alert")[0]["hist"]


def test_an_alert_waits_for_a_full_disk(tmp_path, hub, monkeypatch, caplog):
    real, tries = Outbox.add, []

    def full_at_first(self, stream, build, files=(), alert="", numbers=1):
        tries.append(stream)
        if len(tries) < 3:
            raise sqlite3.OperationalError("database or disk is full")
        return real(self, stream, build, files, alert, numbers)

    monkeypatch.setattr(Outbox, "add", full_at_first)
    video = record(tmp_path / "street.mp4", seconds=60, fps=4, gop=4, pictures=heap(3, 20))
    run_agent(write_config(tmp_path, hub.port, cameras=[camera(video)]))
    assert states(hub.bodies("alert")) == ["new", "end"]
    assert "wait for the disk" in caplog.text


def nmea(path, vehicle, count=70):
    lines = []
    for i in range(count):
        body = (
            f"GPRMC,{4 + i // 3600:02d}{i // 60 % 60:02d}{i % 60:02d}.00,A,"
            f"32{41 + i * 0.005:08.5f},N,109{1 + vehicle:08.5f},E,16.2,0.0,231126,,,A"
        )
        total = 0
        for sign in body:
            total ^= ord(sign)
        lines.append(f"${body}*{total:02X}\r\n")
    path.write_text("".join(lines))
    return path


def once(messages):
    """Each message as often as it differs: a number heard twice must say the same."""
    return [json.loads(text) for text in sorted({json.dumps(body) for body in messages})]


def receiver(source, name, **settings):
    defaults = {"vehicle": f"v-{name}", "real_time": False, "plate": "陕G·D0001"}
    return {"id": name, "source": str(source)} | defaults | settings


def test_every_fix_arrives_once_under_its_own_number(tmp_path, hub):
    receivers = [receiver(nmea(tmp_path / f"{i}.nmea", i), str(i)) for i in range(2)]
    assert run_agent(write_config(tmp_path, hub.port, receivers=receivers)) == []
    tracks = once(hub.bodies("track"))
    assert all(track["fixes"][0][0] == track["seq"] for track in tracks)
    numbers = sorted(fix[0] for track in tracks for fix in track["fixes"])
    assert numbers == list(range(140))
    for i in range(2):
        mine = [track for track in tracks if track["vehicle"] == f"v-{i}"]
        fixes = sorted(tuple(fix) for track in mine for fix in track["fixes"])
        times = [fix[1] for fix in fixes]
        assert len(fixes) == 70
        assert times == sorted(times)
        assert fixes[0][4] == pytest.approx(30.0, abs=0.1)
        assert {track["tq"] for track in mine} == {2}
    outbox = Outbox(tmp_path / "state" / "outbox.db", DEV, lambda: int(time.time() * 1000))
    assert outbox.depth() == {}
    outbox.close()
    assert {vehicle["id"] for vehicle in hub.bodies("birth")[0]["vehicles"]} == {"v-0", "v-1"}


def test_two_agents_do_not_share_a_folder(tmp_path, hub):
    video = record(tmp_path / "street.mp4", seconds=1)
    path = write_config(tmp_path, hub.port, cameras=[camera(video)])
    first = Agent(load_edge(path))
    with pytest.raises(AlreadyRunning, match="another agent"):
        Agent(load_edge(path))
    assert run(path) == 2
    stop = threading.Event()
    stop.set()
    first.run(stop)


def online(hub):
    return [state["online"] for state in hub.bodies("state")]


def start(path):
    return subprocess.Popen(
        [sys.executable, "-m", "tianyan.cli", "edge", "run", str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@needs_rtsp_server
def test_a_signal_ends_it_within_three_seconds(tmp_path, hub):
    """With a live camera, one that has stalled, one that is away, and a vehicle."""
    video = record(tmp_path / "street.mp4", seconds=1, gop=5)
    with RtspServer(video) as live, RtspServer(video) as stalled:
        sources = [live.url, stalled.url, "rtsp://127.0.0.1:9/x", "usb:77"]
        path = write_config(
            tmp_path,
            hub.port,
            cameras=[camera(source, f"c-{i}") for i, source in enumerate(sources)],
            receivers=[receiver(nmea(tmp_path / "0.nmea", 0), "0", real_time=True, loop=True)],
        )
        agent = start(path)

        def states():
            healths = hub.bodies("health")
            return [c["state"] for c in healths[-1]["cameras"]] if healths else []

        until(lambda: states()[:2] == ["ok", "ok"], "two live cameras")
        stalled.stall()
        time.sleep(0.7)
        with Stopwatch() as ending:
            agent.send_signal(signal.SIGTERM)
            _, told = agent.communicate(timeout=LONG_S)
        stalled.go_on()
    assert agent.returncode == 0, told
    assert ending.calm_s < 3
    assert "Traceback" not in told
    assert "Fatal" not in told
    until(lambda: online(hub) == [True, False], "the farewell")
    assert hub.bodies("track"), "the fixes gathered until then"
