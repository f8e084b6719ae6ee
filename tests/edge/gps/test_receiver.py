"""A receiver lost, found again, out of sight of the sky, at the wrong rate."""

import os
import socket
import termios
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from edge.gps.errors import SourceLost
from edge.gps.fix import Fix
from edge.gps.receiver import Backoff, Clock, Health, Receiver
from edge.gps.sources import FileSource, SerialSource, TcpSource
from tests.edge.gps.lines import gga, rmc
from wire.status import ReceiverState

NOON = datetime(2026, 10, 1, 12, tzinfo=UTC)


class Wrist:
    """A clock the test moves by hand."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def clock(self) -> Clock:
        return Clock(lambda: NOON + timedelta(seconds=self.seconds), lambda: self.seconds)


class Scripted:
    """A source that plays a list: bytes, or an error to raise."""

    def __init__(self, script: list[bytes | Exception]) -> None:
        self.script = script
        self.opened = 0
        self.refuse = 0

    def open(self) -> None:
        self.opened += 1
        if self.refuse:
            self.refuse -= 1
            raise SourceLost("nobody there")

    def read(self, wait_s: float) -> bytes:
        step = self.script.pop(0) if self.script else b""
        if isinstance(step, Exception):
            raise step
        return step

    def close(self) -> None:
        pass

    def read_otherwise(self) -> bool:
        return False


def states(events: list) -> list[str]:
    return [event.state for event in events if isinstance(event, Health)]


def poll(receiver: Receiver, wrist: Wrist, seconds: float, step: float = 0.5) -> list:
    events = []
    until = wrist.seconds + seconds
    while wrist.seconds < until:
        events += receiver.poll(0.0)
        wrist.seconds += step
    return events


def test_no_sky_then_ok_then_lost_then_back():
    wrist = Wrist()
    source = Scripted([])
    receiver = Receiver(source, clock=wrist.clock())
    assert receiver.health.state == ReceiverState.STARTING
    events = []
    for second in range(8):
        source.script.append(rmc(f"12000{second}.00", status="V"))
        events += poll(receiver, wrist, 1.0)
    assert states(events) == ["no_sky"]
    source.script += [rmc("120010.00"), gga("120010.00"), b""]
    events = poll(receiver, wrist, 2.0)
    assert states(events) == ["ok"]
    assert [type(event) for event in events] == [Health, Fix]
    assert states(poll(receiver, wrist, 10.0)) == ["lost"]
    assert "no valid sentence for 5 s" in receiver.health.because
    source.script += [rmc("120030.00"), b""]
    assert states(poll(receiver, wrist, 2.0)) == ["ok"]


def test_live_fixes_carry_the_receive_time_and_repair_a_rollover():
    wrist = Wrist()
    source = Scripted([rmc(date="140207"), b""])
    events = poll(Receiver(source, clock=wrist.clock()), wrist, 2)
    fix = next(event for event in events if isinstance(event, Fix))
    assert fix.received_at == NOON + timedelta(seconds=0.5)
    assert fix.at == datetime(2026, 9, 30, 12, tzinfo=UTC)
    assert fix.said_at == datetime(2007, 2, 14, 12, tzinfo=UTC)


def test_a_lost_link_is_opened_again_after_growing_pauses(monkeypatch):
    wrist = Wrist()
    monkeypatch.setattr("edge.gps.receiver.time.sleep", lambda _: None)
    source = Scripted([rmc(), SourceLost("cable cut")])
    source.refuse = 3
    receiver = Receiver(source, clock=wrist.clock(), backoff=Backoff(first_s=8.0))
    assert states(receiver.poll(0.0)) == ["lost"]
    assert receiver.health.because == "nobody there"
    tries = []
    for _ in range(300):
        wrist.seconds += 0.5
        before = source.opened
        receiver.poll(0.0)
        if source.opened > before:
            tries.append(wrist.seconds)
        if len(tries) == 3:
            break
    pauses = [later - earlier for earlier, later in zip([0.0, *tries], tries, strict=False)]
    for pause, whole in zip(pauses, (8.0, 16.0, 32.0), strict=True):
        assert whole * 0.5 <= pause <= whole + 0.5
    events = poll(receiver, wrist, 3.0)
    assert [type(event) for event in events] == [Health, Fix, Health]
    assert states(events) == ["ok", "lost"]
    assert receiver.health.because == "cable cut"


def test_a_recording_ends_with_its_last_epoch_and_keeps_its_year(tmp_path):
    path = tmp_path / "log.nmea"
    path.write_bytes(rmc(date="180315") + gga())
    receiver = Receiver(FileSource(path))
    events = []
    while not receiver.ended:
        events += receiver.poll(0.1)
    assert [event.at.year for event in events if isinstance(event, Fix)] == [2015]
    assert receiver.poll(0.1) == []


def test_reconnects_to_a_real_server():
    with socket.create_server(("127.0.0.1", 0)) as server:
        receiver = Receiver(
            TcpSource("127.0.0.1", server.getsockname()[1]), backoff=Backoff(first_s=0.02)
        )

        def serve() -> None:
            for second in (0, 1):
                peer, _ = server.accept()
                peer.sendall(rmc(f"12000{second}.00"))
                peer.close()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        fixes: list[Fix] = []
        for _ in range(200):
            fixes += [event for event in receiver.poll(0.05) if isinstance(event, Fix)]
            if len(fixes) == 2:
                break
        receiver.close()
        thread.join(60)
    assert [fix.at.second for fix in fixes] == [0, 1]


@pytest.mark.parametrize("rate", [38400, 4800])
def test_finds_the_rate_of_a_serial_receiver(rate):
    """The device end sends noise unless the port is set to its rate."""
    master, slave = os.openpty()
    receiver = Receiver(SerialSource(Path(os.ttyname(slave))))
    wanted = getattr(termios, f"B{rate}")
    found: list[Fix] = []
    for second in range(400):
        right = termios.tcgetattr(master)[4] == wanted
        tod = f"12{second // 60:02d}{second % 60:02d}.00"
        os.write(master, rmc(tod) + gga(tod) if right else b"\x98\xf3\x00\xfe" * 100)
        found += [event for event in receiver.poll(0.02) if isinstance(event, Fix)]
        if len(found) >= 3:
            break
    receiver.close()
    os.close(master)
    os.close(slave)
    assert len(found) >= 3


def test_sentences_garbled_by_the_rate_count_as_noise():
    wrist = Wrist()
    asked: list[bool] = []
    source = Scripted([b"$GPRMC,120000*00\r\n" * 21, rmc()])
    source.read_otherwise = lambda: asked.append(True) or False  # type: ignore[method-assign]
    poll(Receiver(source, clock=wrist.clock()), wrist, 2.0)
    assert asked == [True]
