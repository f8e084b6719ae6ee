"""An order from the hub to a device and its answer back, whatever is cut or restarted between."""

import threading
import time
from datetime import timedelta

import pytest

from edge.config import BrokerConfig
from edge.link import Link, Reports
from edge.orders import OrderDesk as EdgeDesk, OrderFailed
from edge.outbox import Outbox
from hub.devices.orders import store as order_store
from hub.devices.orders.desk import OrderDesk
from hub.devices.orders.order import Op, OrderState, Subject
from hub.devices.store import known
from hub.http import Body
from hub.ingest import Ingest
from hub.roles import Actor, Right, Role
from hub.store import Store, now
from tests.hub.broker import wait_for
from tests.hub.world import make_site
from tests.servers.mosquitto import mosquitto
from tests.servers.proxy import Proxy
from wire.status import Birth, Health

DEV = "box-1"
LONG_S = 120
OPERATOR = Actor("li", Role.OPERATOR)


class Times(Body):
    times: int = 1


OPS = {
    "bell.ring": Op(Right.ACT, Times),
    "bell.crack": Op(Right.ACT, Times),
    "bell.toll": Op(Right.ACT, Times),
    "gong.ring": Op(Right.ACT, Times),
}


def now_ms():
    return int(time.time() * 1000)


class Box:
    """A device as the agent wires it, that has a bell."""

    def __init__(self, folder, port, clock_off_ms=0):
        password = folder / "box-password"
        password.write_text("d-secret\n")
        self.rung = []
        self.may_end = threading.Event()
        self._outbox = Outbox(folder / "outbox.db", DEV, now_ms)
        self._desk = EdgeDesk(folder / "orders.db", DEV, lambda: now_ms() + clock_off_ms)
        self._desk.offer("bell", self._ring)
        reports = Reports(self._births, lambda: Health(dev=DEV, ts=now_ms()), self._desk.take)
        self._link = Link(
            BrokerConfig(port=port, password_file=password), self._outbox, reports, now_ms
        )

    def start(self):
        self._link.start()

    def stop(self):
        self._link.stop()
        self._desk.close()
        self._outbox.close()

    def _births(self, session):
        return [
            Birth(dev=DEV, epoch=self._outbox.epoch, session=session, ts=now_ms(), agent="test")
        ]

    def _ring(self, name, arguments, _order=""):
        if name == "crack":
            raise OrderFailed("it is cracked")
        if name == "toll":
            self.may_end.wait(600)
        self.rung.append(arguments["times"])
        return {"sound": "dong" * arguments["times"]}


class World:
    """A broker, the cable of the device, a hub and a device; each can be ended and begun anew."""

    def __init__(self, folder, store, broker):
        self.folder, self.store, self.broker = folder, store, broker
        self.cable = Proxy(broker.port)
        (folder / "hub-password").write_text("hub-secret\n")
        self.site = make_site(
            store,
            folder,
            broker={"port": broker.port, "password_file": str(folder / "hub-password")},
        )
        self.ingest = self.box = None
        self.boxes = []

    def hub(self):
        self.ingest = Ingest(self.store, self.site)
        self.ingest.start()
        assert self.ingest.wait_connected(LONG_S)

    def device(self, **settings):
        self.box = Box(self.folder, self.cable.port, **settings)
        self.boxes.append(self.box)
        self.box.start()
        self.is_there()

    def is_there(self, *, there=True):
        def said():
            with self.store.read() as tx:
                device = known(tx, [DEV]).get(DEV)
            return device is not None and device.online == there

        wait_for(said, LONG_S)

    def order(self, op="bell.ring", valid_s=600, **args):
        desk = OrderDesk(self.store, OPS, self.ingest.wake)
        return desk.give(DEV, op, args, OPERATOR, valid_s=valid_s)

    def sends(self, order):
        """The hub sends an order as to a device that it thinks is there."""
        with self.store.read() as tx:
            session = known(tx, [DEV])[DEV].session
        return self.ingest._links[-1].send([order_store._letter(order, session, order.made_at)])

    def state(self, order):
        with self.store.read() as tx:
            return order_store.load(tx, [order.id])[order.id]

    def becomes(self, order, state):
        wait_for(lambda: self.state(order).state is state, LONG_S)
        return self.state(order)

    def close(self):
        for part in (self.box, self.ingest):
            if part is not None:
                part.stop()
        for box in self.boxes:
            box.may_end.set()
        self.cable.close()


@pytest.fixture
def world(tmp_path):
    store = Store(f"sqlite:///{tmp_path / 'hub.sqlite'}")
    store.migrate()
    with mosquitto(tmp_path, {"hub": "hub-secret", DEV: "d-secret"}) as broker:
        built = World(tmp_path, store, broker)
        built.hub()
        built.device()
        yield built
        built.close()
    store.close()


def test_an_order_is_carried_out_and_its_answer_kept(world):
    rung = world.becomes(world.order(times=2), OrderState.DONE)
    assert (rung.out, rung.by, rung.subject) == ({"sound": "dongdong"}, "li", Subject())
    cracked = world.becomes(world.order("bell.crack"), OrderState.FAILED)
    assert cracked.why == "it is cracked"
    strange = world.becomes(world.order("gong.ring"), OrderState.UNKNOWN)
    assert "'gong.ring' is not known here" in strange.why


def test_an_order_given_while_the_cable_is_cut_is_carried_out_once_it_is_mended(world):
    world.cable.cut()
    world.is_there(there=False)
    order = world.order()
    time.sleep(1.5)
    assert world.state(order).state is OrderState.QUEUED
    world.cable.mend()
    world.becomes(order, OrderState.DONE)
    assert world.box.rung == [1]


def test_what_a_device_says_while_it_is_cut_off_comes_later(world):
    order = world.becomes(world.order("bell.toll"), OrderState.ACCEPTED)
    world.cable.cut()
    world.is_there(there=False)
    world.box.may_end.set()
    wait_for(lambda: world.box.rung == [1])
    assert world.state(order).state is OrderState.ACCEPTED
    world.cable.mend()
    world.becomes(order, OrderState.DONE)


def test_a_device_that_stops_in_the_middle_says_so_when_it_is_back(world, monkeypatch):
    monkeypatch.setattr(order_store, "AGAIN", timedelta(seconds=2))
    order = world.becomes(world.order("bell.toll"), OrderState.ACCEPTED)
    world.box.stop()
    world.device()
    failed = world.becomes(order, OrderState.FAILED)
    assert "stopped while it was under way" in failed.why
    assert world.box.rung == []


def test_an_order_outlives_hub_and_broker_and_keeps_its_id(world):
    world.broker.kill()
    order = world.order()
    world.ingest.stop()
    world.broker.restart()
    world.hub()
    world.becomes(order, OrderState.DONE)
    assert world.box.rung == [1]


def test_an_order_that_arrives_twice_is_done_once_and_answered_twice(world):
    order = world.becomes(world.order(), OrderState.DONE)
    for _ in range(3):
        assert world.sends(order)
    world.becomes(world.order(times=3), OrderState.DONE)
    assert world.box.rung == [1, 3]
    assert world.state(order) == order


@pytest.mark.parametrize("hours", [1, -1])
def test_a_device_with_a_wrong_clock_does_what_is_in_time_and_nothing_that_is_not(world, hours):
    world.box.stop()
    world.is_there(there=False)
    world.device(clock_off_ms=hours * 3_600_000)
    world.becomes(world.order(), OrderState.DONE)
    world.cable.cut()
    late = world.order(times=2, valid_s=1)
    assert world.sends(late), "the broker keeps it for the device's next connection"
    world.is_there(there=False)
    time.sleep(1.2)
    world.cable.mend()
    world.is_there()
    world.becomes(world.order(times=3), OrderState.DONE)
    assert world.box.rung == [1, 3]


def test_an_order_nobody_took_in_time_is_over_and_does_not_act_later(world, monkeypatch):
    world.cable.cut()
    world.is_there(there=False)
    order = world.order(valid_s=1)
    time.sleep(1.2)
    monkeypatch.setattr(order_store, "PATIENCE", timedelta())
    with world.store.write() as tx:
        order_store.expire(tx, now())
    assert world.state(order).state is OrderState.EXPIRED
    assert world.state(order).why == "the device was not there"
    world.cable.mend()
    world.is_there()
    world.becomes(world.order(times=7), OrderState.DONE)
    assert world.box.rung == [7]
    assert world.state(order).state is OrderState.EXPIRED
