"""Zones set in the hub: sent, applied by a running agent between two looks, over cuts and restarts.

A real agent watches a recording in which a magenta heap lies; real broker, real hub.
"""

import threading

import pytest

from edge import lookout
from edge.agent import Agent
from edge.config import load_edge
from hub.app import Hub
from hub.devices.revisions import store as revision_store
from hub.devices.revisions.revision import RevisionState
from hub.store import Store
from tests.edge.camera.footage import record
from tests.edge.test_agent import Colours, camera, heap, write_config
from tests.hub.broker import wait_for
from tests.hub.test_api import caller, client_of, tokens_of
from tests.hub.world import make_site
from tests.servers.mosquitto import mosquitto
from tests.servers.proxy import Proxy

DEV = "box-0007"
LONG_S = 120
ASIDE = {"id": "pavement", "polygon": [[0.8, 0.0], [1.0, 0.0], [1.0, 0.3], [0.8, 0.3]]}
HERE = {"id": "pavement", "labels": ["garbage"], "dwell_s": 3}


class World:
    """A broker, a hub with its HTTP API, and an agent that can be stopped and started."""

    def __init__(self, folder, store, broker):
        (folder / "hub-password").write_text("hub-secret\n")
        (folder / "password").write_text("d-secret\n")
        (folder / "password").chmod(0o600)
        settings = {"port": broker.port, "password_file": str(folder / "hub-password")}
        self.store = store
        self.hub = Hub.build(make_site(store, folder, broker=settings).config, store)
        self.hub.ingest.start()
        assert self.hub.ingest.wait_connected(LONG_S)
        self.call = caller(client_of(self.hub), tokens_of(self.hub))
        self.cable = Proxy(broker.port)
        record(folder / "street.mp4", seconds=10, fps=4, gop=4, pictures=heap(comes_s=0))
        source = camera("street.mp4", real_time=True, loop=True, zones=[ASIDE])
        self.path = write_config(folder, self.cable.port, cameras=[source])
        self.thread = None

    def start(self):
        self.stopping = threading.Event()
        agent = Agent(load_edge(self.path), "3fa")
        self.thread = threading.Thread(target=agent.run, args=[self.stopping])
        self.thread.start()

    def stop(self):
        if self.thread is not None:
            self.stopping.set()
            self.thread.join(LONG_S)

    def settings(self):
        return self.call("GET", f"/api/cameras/{DEV}/gate/settings").json()

    def save(self, zone, **more):
        body = {"settings": {"zones": [zone]} | more, "seen": self.settings()["latest"]}
        return self.call("PUT", f"/api/cameras/{DEV}/gate/settings", json=body)

    def stands(self, rev, state, reported=None):
        def does():
            with self.store.read() as tx:
                newest = revision_store.latest(tx, DEV)
                runs = revision_store.reported_of(tx, [DEV]).get(DEV)
            return newest and (newest.rev, newest.state, runs) == (
                rev, RevisionState(state), rev if reported is None else reported,
            )  # fmt: skip

        wait_for(does, LONG_S)

    def alerts(self):
        return self.call("GET", "/api/alerts").json()["total"]

    def close(self):
        self.stop()
        self.hub.ingest.stop()
        self.cable.close()


@pytest.fixture
def world(tmp_path, monkeypatch):
    monkeypatch.setattr(lookout, "open_proven", lambda _: Colours())
    store = Store(f"sqlite:///{tmp_path / 'hub.sqlite'}")
    store.migrate()
    with mosquitto(tmp_path, {"hub": "hub-secret", DEV: "d-secret"}) as broker:
        built = World(tmp_path, store, broker)
        built.start()
        wait_for(lambda: "in_force" in built.settings() and built.settings()["in_force"], LONG_S)
        yield built
        built.close()
    store.close()


@pytest.mark.timeout(600)
def test_zones_set_in_the_hub_are_watched_by_and_by_refused_and_rolled_back(world):
    assert world.settings()["in_force"]["zones"][0]["polygon"][0] == [0.8, 0.0]
    assert world.alerts() == 0
    assert world.save(HERE).status_code == 201
    world.stands(1, "applied")
    wait_for(world.alerts, LONG_S)  # the heap lies in the zone now: the agent never stopped

    flat = [{"x": 0.1 * i, "y": 0.5, "lat": 32.69, "lon": 109.02 + 0.0001 * i} for i in range(1, 5)]
    assert world.save(HERE, ground_points=flat).status_code == 201
    world.stands(2, "refused", reported=1)
    assert "no four of the 4 points" in world.settings()["news"]["faults"][0]
    assert world.settings()["in_force"]["zones"][0]["dwell_s"] == 3

    world.cable.cut()
    assert world.save(ASIDE | {"name": "旁边"}).status_code == 201
    world.cable.mend()
    world.stands(3, "applied")
    world.stop()
    world.start()
    wait_for(lambda: world.settings()["in_force"]["zones"][0].get("name") == "旁边", LONG_S)
    world.stands(3, "applied")

    assert world.call("POST", f"/api/devices/{DEV}/revisions/1/restore").status_code == 201
    world.stands(4, "applied")
    wait_for(lambda: world.settings()["in_force"]["zones"][0]["dwell_s"] == 3, LONG_S)


@pytest.mark.timeout(600)
def test_a_device_that_has_lost_its_disk_gets_the_revision_again(world, tmp_path, monkeypatch):
    monkeypatch.setattr(revision_store, "SETTLED", revision_store.AGAIN * 0)
    world.save(HERE)
    world.stands(1, "applied")
    world.stop()
    (tmp_path / "state" / "revision.json").unlink()
    world.start()
    world.stands(1, "applied")
    wait_for((tmp_path / "state" / "revision.json").exists, LONG_S)
