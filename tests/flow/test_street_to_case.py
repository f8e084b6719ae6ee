"""A recording and a receiver's log in, a case in the right grid out, whatever dies in between."""

import hashlib
import json
import os
import signal
import sqlite3
import sys
import time
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import httpx2 as httpx
import pytest
import yaml

from hub.evidence_commands import verify
from scenes.scenarios import stall_set_up
from scenes.vehicles import FLEET, write_nmea
from scenes.video import camera_file, write_mp4
from tests.servers.mosquitto import mosquitto
from tests.servers.port import free_port
from tests.servers.proxy import Proxy
from tianyan.children import spawn
from tianyan.street import write_grids
from tianyan.tally import count_up

BOX, CAR = "box-1", "car-1"
DRIVE_S = 600
SCENE_S, LOOKS_PER_S = 80.0, 1
"""The stall stands from the 32nd second on."""
PATIENT = """
import sys
import edge.agent
from tianyan.cli import main
edge.agent.DRAIN_S = 300.0
sys.exit(main())
"""
"""The program, whose devices wait for the hub's receipts at their end however slow the machine."""
START = datetime.now(UTC).replace(microsecond=0)

pytestmark = pytest.mark.timeout(600)


def until(condition, what, seconds=180.0):
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"waited {seconds} s for {what}"
        time.sleep(0.1)
    return found


def tianyan(folder, name, *args):
    command = [sys.executable, "-c", PATIENT, *map(str, args)]
    return spawn(name, command, folder / f"{name}.log")


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    folder = tmp_path_factory.mktemp("street")
    begun = replace(stall_set_up(3), duration_s=SCENE_S)
    scenario = write_mp4(begun, folder / "stall.mp4", fps=LOOKS_PER_S, start=START)
    write_nmea(FLEET[0], folder / "truck.nmea", START, DRIVE_S)
    camera = camera_file(
        scenario, "cam-1", "stall", source=str(folder / "stall.mp4"), real_time=False,
        looks_per_s=LOOKS_PER_S,
    )  # fmt: skip
    receiver = {
        "id": "truck-1", "vehicle": "truck-1", "plate": "陕G·D0001", "kind": "spoil_truck",
        "source": str(folder / "truck.nmea"), "real_time": False,
    }  # fmt: skip
    return {BOX: {"cameras": [camera], "generated": True}, CAR: {"receivers": [receiver]}}


class City:
    """Broker, network, hub and devices of one test, in one folder."""

    def __init__(self, folder, broker, recordings):
        self.folder = folder
        self.network = Proxy(broker.port)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._write_secrets({"hub": "h", BOX: "b", CAR: "c"})
        self._write("hub", {
            "data_dir": str(folder),
            "listen": {"port": self.port},
            "public_url": self.url,
            "broker": {"port": broker.port, "password_file": str(folder / "hub.password")},
            "grids": [str(write_grids(folder))],
            "case_prefix": "AK",
        })  # fmt: skip
        for device, settings in recordings.items():
            self._write(device, {
                "device": device,
                "data_dir": str(folder / "edge" / device),
                "broker": {
                    "port": self.network.port,
                    "password_file": str(folder / f"{device}.password"),
                },
                **settings,
            })  # fmt: skip
        self.children = []
        self.hub = None

    def _write_secrets(self, words):
        for user, word in words.items():
            path = self.folder / f"{user}.password"
            path.touch(mode=0o600)
            path.write_text(word)

    def _write(self, name, document):
        (self.folder / f"{name}.yaml").write_text(yaml.safe_dump(document))

    def start_hub(self):
        self.hub = tianyan(self.folder, "hub", "hub", "run", self.folder / "hub.yaml")
        self.children.append(self.hub)
        until(self._serves, "the hub")

    def _serves(self):
        assert self.hub.exit_status() is None, self.hub.last_words(40)
        try:
            return httpx.get(f"{self.url}/healthz").is_success
        except httpx.TransportError:
            return False

    def kill_hub(self):
        os.kill(self.hub.pid, signal.SIGKILL)
        self.hub.wait(60)

    def start_device(self, device):
        child = tianyan(self.folder, device, "edge", "run", self.folder / f"{device}.yaml")
        self.children.append(child)
        return child

    def tally(self):
        return count_up(self.folder, [BOX, CAR])

    def api(self):
        token = (self.folder / "admin-token").read_text().strip()
        return httpx.Client(base_url=self.url, headers={"Authorization": f"Bearer {token}"})

    def stop(self):
        for child in reversed(self.children):
            child.stop()
        self.network.close()


@pytest.fixture
def city(tmp_path, recordings):
    passwords = {"hub": "h", BOX: "b", CAR: "c"}
    with mosquitto(tmp_path, passwords) as broker:
        city = City(tmp_path, broker, recordings)
        yield city
        city.stop()


def arrived(api, alert):
    """An alert's files, once all of them are here."""
    files = api.get(f"/api/alerts/{alert['id']}").json()["evidence"]
    return files if all(file["held"] for file in files) else []


def stored_fixes(city):
    with closing(sqlite3.connect(city.folder / "hub.sqlite")) as db:
        rows = db.execute("SELECT CAST(fixes AS TEXT) FROM track_batches").fetchall()
    return [tuple(fix) for (text,) in rows for fix in json.loads(text)]


def made_fixes(city):
    spool = Path(city.folder / "edge" / CAR / "outbox.db")
    with closing(sqlite3.connect(spool)) as db:
        return db.execute("SELECT seq + 1 FROM last_seq WHERE stream = 'track'").fetchone()[0]


def test_every_alert_and_fix_arrives_once_though_network_and_hub_die(city):
    city.start_hub()
    car = city.start_device(CAR)
    until(lambda: city.tally().fixes > 0, "the first fixes")
    city.kill_hub()
    box = city.start_device(BOX)
    until(lambda: city.tally().messages > DRIVE_S / 2, "messages made without a hub")
    city.network.cut()
    city.start_hub()
    time.sleep(1)
    city.network.mend()
    assert until(lambda: car.exit_status() is not None, "the drive's end") or True
    assert until(lambda: box.exit_status() is not None, "the recording's end") or True
    assert (car.exit_status(), box.exit_status()) == (0, 0), box.last_words() + car.last_words()

    tally = city.tally()
    assert (tally.waiting, tally.lost) == (0, 0)
    assert tally.alerts >= 1
    fixes = stored_fixes(city)
    numbers = [fix[0] for fix in fixes]
    assert len(numbers) == len(set(numbers)) == made_fixes(city)
    moments = [fix[1] for fix in sorted(fixes)]
    assert len(set(moments)) == len(moments), "one fix a second, none twice"


def test_an_alert_becomes_a_case_in_the_grid_where_the_thing_is(city):
    city.start_hub()
    box = city.start_device(BOX)
    until(lambda: box.exit_status() is not None, "the recording's end")
    with city.api() as api:
        alert = api.get("/api/alerts", params={"label": "street_vending"}).json()["items"][-1]
        assert alert["matter"]["code"] == "09006"
        assert alert["place"] == "ground"
        assert [grid["level"] for grid in alert["grids"]] == [1, 2, 3]
        assert alert["generated"]
        files = until(lambda: arrived(api, alert), "the pictures")
        assert {"clean", "annotated", "clip"} <= {file["role"] for file in files}
        assert {file["proof"]["state"] for file in files} == {"verified"}
        for file in files:
            if file["sealed"]:
                where, reason = f"/api/evidence/{file['sha256']}/opening", {"reason": "a test"}
                content = api.post(where, json=reason).content
            else:
                content = api.get(file["url"]).content
            assert content[:2] == b"\xff\xd8" or content[4:8] == b"ftyp"
            assert hashlib.sha256(content).hexdigest() == file["sha256"]

        answer = api.post(f"/api/alerts/{alert['id']}/decision", json={"decision": "confirmed"})
        assert answer.is_success, answer.text
        (case,) = api.get("/api/cases").json()["items"]
        assert case["id"] == answer.json()["case"]["id"]
        assert case["grid"] == alert["grid"]
        *checked, last = list(verify(case["number"], city.folder))
        assert last["summary"]["verified"] == len(checked) >= 3, checked
        history = api.get(f"/api/cases/{case['id']}").json()["history"]
        assert history


def test_the_whole_edge_waits_for_a_hub_that_is_not_there_yet(city):
    car = city.start_device(CAR)
    until(lambda: city.tally().messages >= DRIVE_S / 2, "fixes kept on disk")
    city.start_hub()
    until(lambda: car.exit_status() is not None, "the drive's end")
    assert car.exit_status() == 0
    assert city.tally().lost == 0
