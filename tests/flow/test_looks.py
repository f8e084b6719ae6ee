"""A camera asked to look again: a running agent, a real broker and hub, and its pictures."""

import threading
import time

import cv2
import numpy as np
import pytest
import uvicorn

from edge import lookout
from edge.agent import Agent
from edge.config import load_edge
from hub.app import Hub, create_app
from hub.store import Store
from tests.edge.camera.footage import record
from tests.edge.test_agent import Colours, camera, heap, write_config
from tests.hub.broker import wait_for
from tests.hub.test_api import caller, client_of, tokens_of
from tests.hub.world import make_site
from tests.servers.mosquitto import mosquitto
from tianyan.broker import free_port

DEV = "box-0007"
COMES_S, GOES_S, END_S = 6, 45, 110


def grainy(second, size):
    """The heap comes and goes, as a sensor sees it: no two pictures are the same."""
    clean = heap(COMES_S, GOES_S)(second, size)
    rng = np.random.default_rng(int(second * 100))
    noise = rng.normal(0, 2, (size[1], size[0], 3)).astype(np.float32)
    return cv2.add(clean, noise, dtype=cv2.CV_8U)


class World:
    """A hub that takes uploads, and an agent that watches a recording at its own pace."""

    def __init__(self, folder, store, broker, seconds=END_S, **settings):
        (folder / "hub-password").write_text("hub-secret\n")
        (folder / "password").write_text("d-secret\n")
        (folder / "password").chmod(0o600)
        port = free_port()
        site = make_site(
            store,
            folder,
            broker={"port": broker.port, "password_file": str(folder / "hub-password")},
            listen={"port": port},
            **settings,
        )
        self.hub = Hub.build(site.config, store)
        self.call = caller(client_of(self.hub), tokens_of(self.hub))
        server = uvicorn.Config(
            create_app(site.config, self.hub), port=port, log_level="error", ws="none"
        )
        self.server = uvicorn.Server(server)
        threading.Thread(target=self.server.run, daemon=True).start()
        wait_for(self.hub.ingest.is_connected, 30)
        record(folder / "street.mp4", seconds=seconds, fps=4, gop=4, pictures=grainy)
        zone = {"id": "pavement", "dwell_s": 4, "labels": ["garbage"]}
        path = write_config(
            folder, broker.port, cameras=[camera("street.mp4", real_time=True, zones=[zone])]
        )
        self.stopping = threading.Event()
        agent = Agent(load_edge(path))
        self.began_s = time.monotonic()
        self.thread = threading.Thread(target=agent.run, args=[self.stopping])
        self.thread.start()

    def look(self, alert, **wanted):
        order = self.call("POST", f"/api/alerts/{alert}/look", json=wanted).json()["order"]

        def answered():
            looks = self.call("GET", f"/api/alerts/{alert}/looks").json()["items"]
            return next((each for each in looks if each["order"] == order and each["answer"]), None)

        return wait_for(answered, 60)

    def close(self):
        self.stopping.set()
        self.thread.join(20)
        self.server.should_exit = True
        time.sleep(0.5)


@pytest.fixture
def world(tmp_path, monkeypatch):
    monkeypatch.setattr(lookout, "open_proven", lambda _: Colours())
    store = Store(f"sqlite:///{tmp_path / 'hub.sqlite'}")
    store.migrate()
    with mosquitto(tmp_path, {"hub": "hub-secret", DEV: "d-secret"}) as broker:
        built = World(tmp_path, store, broker)
        yield built
        built.close()


@pytest.mark.timeout(300)
def test_a_heap_is_still_there_and_then_gone_and_both_are_shown(world):
    wait_for(lambda: world.call("GET", "/api/cameras").json()["items"], 30)
    snapshot = world.call(
        "POST",
        f"/api/devices/{DEV}/orders",
        json={"op": "camera.snapshot", "args": {"camera": "gate"}},
    ).json()["id"]
    alert = wait_for(lambda: world.call("GET", "/api/alerts").json()["items"], 60)[0]["id"]
    there = world.look(alert, seconds=4, looks=5)
    assert (there["answer"], there["reasons"]) == ("present", ["looks_as_with", "seen"])
    assert there["confidence"] > 0.8

    taken = wait_for(
        lambda: (
            world.call("GET", f"/api/orders/{snapshot}").json()["state"] == "done"
            and world.call("GET", f"/api/orders/{snapshot}").json()["out"]
        )
    )
    sha256 = taken["evidence"][0]["sha256"]
    wait_for(lambda: world.call("GET", f"/api/evidence/{sha256}").status_code == 200, 60)
    picture = world.call("GET", f"/api/evidence/{sha256}").content
    assert cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR).shape == (180, 320, 3)

    wait_for(lambda: time.monotonic() - world.began_s > GOES_S + 8, 90)
    gone = world.look(alert, seconds=4, looks=5)
    assert (gone["answer"], gone["reasons"]) == ("gone", ["looks_as_without", "not_seen"])

    def shown():
        looks = world.call("GET", f"/api/alerts/{alert}/looks").json()["items"]
        files = [file for look in looks for file in look["evidence"]]
        assert all(file["proof"]["state"] == "verified" for file in files)
        return len(looks) == 2 and len(files) >= 4 and all(file["url"] for file in files)

    wait_for(shown, 60)
