"""A model from the hub to cameras, stage by stage, over a real broker; bad ones go nowhere."""

import threading
import time

import cv2
import numpy as np
import pytest
import uvicorn
import yaml

from edge.agent import Agent
from edge.config import load_edge
from edge.detect.detectors import open_detector
from edge.detect.selftest import make_self_test
from hub import auth
from hub.app import Hub, create_app
from hub.models import store as model_store
from hub.models.api import add_model
from hub.models.store import Shelf
from hub.roles import Actor, Role
from hub.store import Store
from tests.edge.camera.footage import record, street
from tests.hub.broker import wait_for
from tests.hub.test_api import caller
from tests.hub.world import make_site
from tests.nets import model_folder
from tests.servers.mosquitto import mosquitto
from tests.servers.port import free_port
from tests.servers.proxy import Proxy
from wire.bundle import pack

BOXES = ("box-a", "box-b")
ADMIN = Actor("admin", Role.ADMIN)
SECONDS = 14  # in which what moves is back where it began
LONG_S = 120

pytestmark = pytest.mark.timeout(600)


def bright_street(second, size):
    """A bright street in which something moves at every look."""
    picture = street(*size) // 3 + 150
    x = int(second * 20) % (size[0] - 40)
    picture[10:40, x : x + 40] = 30
    return picture


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    path = tmp_path_factory.mktemp("street") / "street.mp4"
    return record(path, SECONDS, fps=2, gop=1, pictures=bright_street)


class World:
    """A hub that serves and two boxes that look, behind a network that can be cut."""

    def __init__(self, folder, broker_port, video):
        self.folder = folder
        self.network = Proxy(broker_port)
        self.store = Store(f"sqlite:///{folder / 'hub.sqlite'}")
        self.store.migrate()
        port = free_port()
        (folder / "hub-password").write_text("h")
        self.site = make_site(
            self.store,
            folder,
            broker={"port": broker_port, "password_file": str(folder / "hub-password")},
            public_url=f"http://127.0.0.1:{port}",
        )
        self.hub = Hub.build(self.site.config, self.store)
        app = create_app(self.site.config, self.hub)
        with self.store.write() as tx:
            token = auth.issue_token(tx, "admin", Role.ADMIN)
        self._server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="error"))
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        wait_for(lambda: self._server.started)
        import httpx2 as httpx

        self.client = httpx.Client(base_url=self.site.config.base_url, timeout=60)
        self.call = caller(self.client, {Role.ADMIN: token})
        self.base = model_folder(folder / "base", version="1", factors=(0.5, 0.0, 0.0, 0.0))
        self.boxes = {}
        for name in BOXES:
            self.start_box(name, video)

    def start_box(self, name, video):
        place = self.folder / name
        place.mkdir(exist_ok=True)
        (place / "password").write_text("d")
        (place / "password").chmod(0o600)
        zone = {"id": "pavement", "dwell_s": 2, "labels": ["street_vending"]}
        camera = {
            "id": "gate", "source": str(video), "loop": True, "looks_per_s": 2, "zones": [zone],
            "position": {"lat": 32.69, "lon": 109.02},
        }  # fmt: skip
        config = place / "edge.yaml"
        config.write_text(
            yaml.safe_dump(
                {
                    "device": name,
                    "data_dir": "state",
                    "model": str(self.base),
                    "cameras": [camera],
                    "broker": {"port": self.network.port, "password_file": "password"},
                }
            )
        )
        stop = threading.Event()
        agent = Agent(load_edge(config))
        thread = threading.Thread(target=agent.run, args=[stop], daemon=True)
        thread.start()
        self.boxes[name] = (stop, thread)

    def stop_box(self, name):
        stop, thread = self.boxes.pop(name)
        stop.set()
        thread.join(LONG_S)
        assert not thread.is_alive()

    def add(self, folder, *, spoil=None):
        """Promote a model as far as it takes to be rolled out."""
        picture = bright_street(1, (320, 180))
        data = cv2.imencode(".jpg", np.clip(picture * 0.8, 0, 255).astype(np.uint8))[1].tobytes()
        make_self_test(open_detector(folder), [("selftest-1.jpg", data)], folder)
        if spoil is not None:
            spoil(folder)
        bundle = folder.parent / f"{folder.name}.zip"
        pack(folder, bundle)
        return add_model(self.store, Shelf(self.folder / "models"), bundle, ADMIN)

    def roll_out(self, stages, trial_s=1):
        body = {"model": "street-n", "version": "2", "stages": stages, "trial_s": trial_s}
        answer = self.call("POST", "/api/rollouts", json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def states(self):
        with self.store.read() as tx:
            return {t.device: t for t in model_store.targets_of(tx, [1])[1]}

    def rollout(self):
        return self.call("GET", "/api/rollouts/1").json()

    def alerts(self):
        return self.call("GET", "/api/alerts").json()["items"]

    def model_of(self, name):
        items = self.call("GET", "/api/devices").json()["items"]
        found = {item["id"]: item for item in items}[name]["health"].get("model") or {}
        return found.get("version")

    def close(self):
        for name in list(self.boxes):
            self.stop_box(name)
        self.client.close()
        self._server.should_exit = True
        self._thread.join(10)
        self.network.close()


@pytest.fixture
def world(tmp_path, video):
    with mosquitto(tmp_path, {"hub": "h"} | dict.fromkeys(BOXES, "d")) as broker:
        made = World(tmp_path, broker.port, video)
        try:
            wait_for(lambda: {a["device"] for a in made.alerts()} == set(BOXES), LONG_S)
            yield made
        finally:
            made.close()


def good(folder):
    return model_folder(folder / "good", version="2", factors=(0.8, 0.1, 0.0, 0.0))


def test_a_good_model_goes_from_one_box_to_the_next_and_no_alert_is_lost(world):
    before = {alert["id"] for alert in world.alerts()}
    world.add(good(world.folder))
    world.roll_out([["box-a"], ["box-b"]])
    wait_for(lambda: world.states()["box-a"].state == "active", LONG_S)
    assert world.states()["box-b"].state == "waiting"
    assert world.rollout()["stage_complete"]
    world.network.cut()
    world.call("POST", "/api/rollouts/1/actions", json={"action": "next"})
    time.sleep(1)
    world.network.mend()
    wait_for(lambda: world.rollout()["state"] == "done", LONG_S)
    wait_for(lambda: [world.model_of(name) for name in BOXES] == ["2", "2"], LONG_S)
    after = world.alerts()
    assert {alert["id"] for alert in after} == before
    assert {alert["state"] for alert in after} == {"active"}


def dies_when_bright(folder):
    return model_folder(folder / "bad", version="2", factors=(0.8, 0.1, 0, 0), dies_from=6), None


def says_too_little(folder):
    return model_folder(folder / "bad", version="2", factors=(0.8, 0.1)), None


def answers_otherwise(folder):
    def spoil(made):
        path = made / "selftest.json"
        path.write_text(path.read_text().replace('"score": 0.', '"score": 0.9'))

    return model_folder(folder / "bad", version="2", factors=(0.8, 0.1, 0, 0)), spoil


@pytest.mark.parametrize(
    ("bad", "state", "said"),
    [
        (dies_when_bright, "fell_back", "failed 3 looks in a row"),
        (says_too_little, "failed", "labels: it cannot say illegal_structure, person"),
        (answers_otherwise, "failed", "selftest-1.jpg: "),
    ],
)
def test_a_bad_model_stops_at_the_first_box_which_looks_on(world, bad, state, said):
    before = {alert["id"] for alert in world.alerts()}
    folder, spoil = bad(world.folder)
    world.add(folder, spoil=spoil)
    world.roll_out([["box-a"], ["box-b"]], trial_s=600)
    wait_for(lambda: world.rollout()["state"] == "stopped", LONG_S)
    first, second = (world.states()[name] for name in BOXES)
    assert (first.state, second.state) == (state, "waiting")
    assert said in first.why
    wait_for(lambda: world.model_of("box-a") == "1", LONG_S)
    after = world.alerts()
    assert {alert["id"] for alert in after} == before
    assert {alert["state"] for alert in after} == {"active"}


def test_a_box_that_is_restarted_in_the_middle_goes_on(world, video):
    world.add(good(world.folder))
    world.stop_box("box-a")
    world.roll_out([["box-a", "box-b"]], trial_s=8)
    wait_for(lambda: world.states()["box-b"].state in ("trial", "active"), LONG_S)
    assert world.states()["box-a"].state == "waiting"
    world.start_box("box-a", video)
    wait_for(lambda: world.states()["box-a"].state == "trial", LONG_S)
    world.stop_box("box-a")
    world.start_box("box-a", video)
    wait_for(lambda: world.rollout()["state"] == "done", LONG_S)
