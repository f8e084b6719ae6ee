"""A street that follows the test: a real camera, agent, broker and hub, and a heap on a word.

What is shown depends on what the test has seen happen, never on how many seconds have passed: on a
slow machine everything comes later and nothing is missed.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from itertools import count

import cv2
import numpy as np
import uvicorn

from edge import lookout
from edge.agent import Agent
from edge.config import load_edge
from hub.app import Hub, create_app
from hub.store import Store
from tests.edge.test_agent import Colours, camera, heap, write_config
from tests.hub.broker import wait_for
from tests.hub.client import Client
from tests.hub.test_api import LOCAL, caller, tokens_of
from tests.hub.world import make_site
from tests.servers.mjpeg import MjpegServer
from tests.servers.mosquitto import mosquitto
from tests.servers.port import free_port

DEV = "box-0007"
SIZE = (320, 180)
LONG_S = 120
"""Far longer than anything that must come takes: only a fault is waited for so long."""


@cache
def street(*, has_heap):
    return heap(comes_s=0 if has_heap else 1e9)(0, SIZE)


def shot(number, *, has_heap):
    """The street as a sensor sees it: no two pictures are the same."""
    clean = street(has_heap=has_heap)
    noise = np.random.default_rng(number).normal(0, 2, (SIZE[1], SIZE[0], 3))
    return cv2.add(clean, noise.astype(np.float32), dtype=cv2.CV_8U)


class Stage:
    """What the camera shows: a street, and a heap while `has_heap`."""

    def __init__(self):
        self.has_heap = False
        self._shots = count()

    def picture(self, _second):
        return shot(next(self._shots), has_heap=self.has_heap)


class World:
    """A hub that takes uploads, and an agent that watches a stage."""

    def __init__(self, folder, store, broker, address, **settings):
        for name, word in (("hub-password", "hub-secret"), ("password", "d-secret")):
            (folder / name).touch(mode=0o600)
            (folder / name).write_text(f"{word}\n")
        port = free_port()
        access = {"port": broker.port, "password_file": str(folder / "hub-password")}
        site = make_site(store, folder, broker=access, listen={"port": port}, **settings)
        self.hub = Hub.build(site.config, store)
        app = create_app(site.config, self.hub)
        self.call = caller(Client(app, **LOCAL), tokens_of(self.hub))
        self._server = uvicorn.Server(
            uvicorn.Config(
                app, port=port, log_level="error", ws="none", timeout_graceful_shutdown=1
            )
        )
        self._serving = threading.Thread(target=self._server.run)
        zone = {"id": "pavement", "dwell_s": 4, "labels": ["garbage"]}
        source = camera(address, real_time=True, zones=[zone])
        self._agent = Agent(load_edge(write_config(folder, broker.port, cameras=[source])))
        self._stopping = threading.Event()
        self._watching = threading.Thread(target=self._agent.run, args=[self._stopping])

    def start(self):
        self._serving.start()
        wait_for(self.hub.ingest.is_connected, LONG_S)
        self._watching.start()
        wait_for(self._sees, LONG_S)

    def _sees(self):
        cameras = self.call("GET", "/api/cameras").json()["items"]
        return cameras and cameras[0]["online"] and cameras[0]["state"] == "ok"

    def alerts(self):
        return self.call("GET", "/api/alerts").json()["items"]

    def alert(self, name):
        return self.call("GET", f"/api/alerts/{name}").json()

    def pictured(self, name):
        """An alert, once its pictures are known: what it looked like before is among them."""

        def shown():
            told = self.alert(name)
            return {"clean", "before"} <= {file["role"] for file in told["evidence"]} and told

        return wait_for(shown, LONG_S)

    def ended(self, name):
        """An alert, once the camera has seen its place without it for long enough."""
        return wait_for(lambda: (told := self.alert(name))["state"] == "ended" and told, LONG_S)

    def snapshot(self):
        """The answer to an order for a picture: the camera has looked at its street since."""
        wanted = {"op": "camera.snapshot", "args": {"camera": "gate"}}
        order = self.call("POST", f"/api/devices/{DEV}/orders", json=wanted).json()["id"]

        def taken():
            known = self.call("GET", f"/api/orders/{order}").json()
            assert known["state"] not in ("failed", "expired", "unknown"), known
            return known["state"] == "done" and known["out"]

        return wait_for(taken, LONG_S)

    def unplug(self):
        """The device is away."""
        self._stopping.set()
        self._watching.join(20)

    def close(self):
        if self._watching.ident is not None:
            self.unplug()
        self._server.should_exit = True
        if self._serving.ident is not None:
            self._serving.join(20)


@contextmanager
def staged(folder, monkeypatch, **settings) -> Iterator[tuple[World, Stage]]:
    """A world whose camera sees its stage, and the stage."""
    monkeypatch.setattr(lookout, "open_proven", lambda _: Colours())
    stage = Stage()
    store = Store(f"sqlite:///{folder / 'hub.sqlite'}")
    store.migrate()
    with (
        mosquitto(folder, {"hub": "hub-secret", DEV: "d-secret"}) as broker,
        MjpegServer(stage.picture, fps=4) as street,
    ):
        world = World(folder, store, broker, street.url, **settings)
        try:
            world.start()
            yield world, stage
        finally:
            world.close()
            store.close()
