"""The server of the terminals as a part of the agent: real sockets, a real outbox."""

import json
import socket
import threading
import time

import pytest

from edge.agent import Agent
from edge.commands import run_gateway
from edge.config import EdgeConfig, GatewayConfig, TerminalConfig
from edge.gps.errors import GpsError
from edge.orders import NotYet, OrderFailed
from edge.outbox import Outbox
from edge.terminals import BadSecret, Terminals, secret_of
from tests.edge.gps.jt808.reports import report
from tests.edge.terminal import Terminal
from tests.servers.port import free_port
from wire.codec import decode
from wire.status import ReceiverState, VehicleBirth

LISTED = {
    "013912344321": TerminalConfig(vehicle="truck-1", plate="陕G·D0001"),
    "14500000002": TerminalConfig(vehicle="truck-2", kind="sanitation_vehicle"),
}


def config_of(folder, **changes) -> EdgeConfig:
    settings = {"host": "127.0.0.1", "port": free_port(), "terminals": LISTED} | changes
    return EdgeConfig(device="gateway-1", data_dir=folder, gateway=GatewayConfig(**settings))


def until(condition, what, seconds=120.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds} s for {what}"
        time.sleep(0.02)


@pytest.fixture
def outbox(tmp_path):
    box = Outbox(tmp_path / "outbox.db", "gateway-1", lambda: int(time.time() * 1000))
    yield box
    box.close()


@pytest.fixture
def running(tmp_path, outbox):
    """Start the part with changed settings; give it and its port."""
    begun = []

    def begin(**changes):
        config = config_of(tmp_path, **changes)
        part = Terminals(config, outbox, lambda: None)
        begun.append(part)
        part.start()
        until(lambda: part.health()[0].state == ReceiverState.OK, "the server")
        return part, config.gateway.port

    yield begin
    for part in begun:
        part.stop()


def now_text() -> str:
    return time.strftime("%y%m%d%H%M%S", time.gmtime(time.time() + 8 * 3600))


def tracks(outbox):
    return [decode("track", item.payload) for item in outbox.take_due()]


@pytest.mark.parametrize(
    ("digits", "version", "vehicle"),
    [("13912344321", "2013", "truck-1"), ("14500000002", "2019", "truck-2")],
)
def test_a_listed_terminal_speaks_for_its_vehicle(running, outbox, digits, version, vehicle):
    part, port = running()
    with Terminal(port, digits, version) as terminal:
        terminal.log_in()
        assert terminal.tell(0x0200, report(at=now_text())) == 0
        assert part.connected == 1
    assert [track.vehicle for track in tracks(outbox)] == [vehicle]
    until(lambda: part.connected == 0, "the farewell")


def answering(terminal, msg_id, body):
    """Answer the next order of the server; gives the thread that does."""

    def answer():
        serial, *_ = terminal.hear_frame()
        terminal.say(msg_id, serial.to_bytes(2) + body)

    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    return thread


def test_orders_reach_the_terminal_of_a_vehicle(running):
    part, port = running()
    with Terminal(port, "14500000002", "2019") as terminal:
        terminal.log_in()
        answering(terminal, 0x0201, report(lat=32.5, at="261001200000"))
        given = part.carry_out("position", {"vehicle": "truck-2"})
        assert given["positions"][0]["lat"] == 32.5
        json.dumps(given)
        assert terminal.hear()[0] == 0x8001
        answering(terminal, 0x0001, bytes.fromhex("830003"))
        with pytest.raises(OrderFailed, match="not supported"):
            part.carry_out("text", {"vehicle": "truck-2", "text": "停车"})


@pytest.mark.parametrize(
    ("name", "arguments", "told"),
    [
        ("position", {"vehicle": "truck-1"}, "13912344321 is not connected"),
        ("position", {"vehicle": "truck-9"}, "'truck-9' has no terminal here"),
        ("position", {}, "None has no terminal"),
    ],
)
def test_orders_that_cannot_be_given(running, name, arguments, told):
    part, _ = running()
    with pytest.raises(OrderFailed, match=told) as refused:
        part.carry_out(name, arguments)
    assert isinstance(refused.value, NotYet) == ("not connected" in told)


def test_a_stranger_is_refused_and_welcome_where_all_may_come(running, outbox):
    _, port = running()
    with Terminal(port, "15000000009") as stranger:
        assert stranger.ask(0x0100, bytes(37))[1][2] == 4
    _, port = running(open=True)
    with Terminal(port, "15000000009") as stranger:
        stranger.log_in()
        assert stranger.tell(0x0200, report(at=now_text())) == 0
    assert [track.vehicle for track in tracks(outbox)] == ["15000000009"]


def test_the_key_outlives_the_process(tmp_path):
    config = GatewayConfig(open=True)
    assert secret_of(config, tmp_path) == secret_of(config, tmp_path)
    assert (tmp_path / "gateway.secret").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(("text", "told"), [(None, "No such file"), ("\n", "is empty")])
def test_a_key_that_cannot_be_read(tmp_path, text, told):
    path = tmp_path / "key"
    if text is not None:
        path.write_text(text)
    with pytest.raises(BadSecret, match=told) as fault:
        secret_of(GatewayConfig(open=True, secret_file=path), tmp_path)
    assert isinstance(fault.value, GpsError)


def test_an_address_in_use_is_waited_for(tmp_path, outbox, monkeypatch, caplog):
    monkeypatch.setattr("edge.terminals.RETRY_S", 0.1)
    config = config_of(tmp_path)
    changes = []
    with socket.create_server(("127.0.0.1", config.gateway.port)):
        part = Terminals(config, outbox, lambda: changes.append(part.health()[0].state))
        part.start()
        until(lambda: changes == [ReceiverState.LOST], "the refusal")
    try:
        until(lambda: changes[-1] == ReceiverState.OK, "the server")
    finally:
        part.stop()
    assert caplog.text.count("trying again") == 1


@pytest.mark.parametrize("is_open", [False, True])
def test_a_large_fleet_is_born_in_several_messages(tmp_path, is_open):
    listed = {f"1{n:010d}": TerminalConfig(vehicle=f"truck-{n}") for n in range(450)}
    config = config_of(tmp_path, terminals=listed, open=is_open)
    agent = Agent(config)
    try:
        first, *later = agent._births(1)
    finally:
        agent.run(_stopped())
    assert len(first.vehicles) == (0 if is_open else 200)
    assert not first.more
    assert all(birth.more for birth in later)
    named = [vehicle for birth in (first, *later) for vehicle in birth.vehicles]
    assert named == [VehicleBirth(f"truck-{n}", "", "spoil_truck") for n in range(450)]


def test_a_gateway_without_terminals_is_not_started(tmp_path, caplog):
    path = tmp_path / "car.yaml"
    path.write_text("{device: car-1, data_dir: s, receivers: [{id: a, vehicle: v, source: x}]}")
    assert run_gateway(path) == 2
    assert "car.yaml: gateway: is missing" in caplog.text


def _stopped() -> threading.Event:
    stop = threading.Event()
    stop.set()
    return stop
