"""Where bytes come from: real sockets, a real pseudo-terminal, real files."""

import os
import socket
import termios
import time
from pathlib import Path

import pytest

from edge.gps.errors import BadSource, SourceEnded, SourceLost
from edge.gps.sources import (
    BAUDS,
    FileSource,
    Pace,
    SerialSource,
    TcpSource,
    UdpSource,
    source_at,
)
from tests.edge.gps.lines import rmc


@pytest.mark.parametrize(
    ("address", "source"),
    [
        ("serial:/dev/ttyUSB0", SerialSource(Path("/dev/ttyUSB0"))),
        ("serial:///dev/ttyS1?baud=4800", SerialSource(Path("/dev/ttyS1"), 4800)),
        ("tcp://192.0.2.7:2947", TcpSource("192.0.2.7", 2947)),
        ("udp://0.0.0.0:10110", UdpSource("0.0.0.0", 10110)),
        ("udp://[::]:10110", UdpSource("::", 10110)),
        ("/var/log/day one.nmea", FileSource(Path("/var/log/day one.nmea"))),
        ("file:/var/log/day%20one.nmea", FileSource(Path("/var/log/day one.nmea"))),
        ("day?1.nmea", FileSource(Path("day?1.nmea"))),
    ],
)
def test_addresses(address, source):
    assert source_at(address) == source


def test_a_recording_takes_its_pace_from_the_setting():
    assert source_at("a.nmea", real_time=True, loop=True) == FileSource(
        Path("a.nmea"), real_time=True, loop=True
    )


@pytest.mark.parametrize(
    ("address", "hint"),
    [
        ("", "known: file, serial, tcp, udp"),
        ("bluetooth:00-11", "unknown kind of source 'bluetooth'"),
        ("tcp://host", "tcp://host:port"),
        ("tcp://host:99999", "Port out of range"),
        ("tcp://:80", "tcp://host:port"),
        ("udp://host:1/path", "udp://host:port"),
        ("serial:/dev/ttyUSB0?baud=fast", "?baud=N"),
        ("serial:/dev/ttyUSB0?speed=1", "?baud=N"),
        ("serial:ttyUSB0", "serial:/dev/"),
    ],
)
def test_a_wrong_address_says_how_to_write_it(address, hint):
    with pytest.raises(BadSource) as caught:
        source_at(address)
    assert hint in str(caught.value)
    assert address in str(caught.value)


def test_file_as_fast_as_possible(tmp_path):
    path = tmp_path / "log.nmea"
    path.write_bytes(b"x" * 10_000)
    source = FileSource(path)
    source.open()
    assert b"".join(source.read(1.0) for _ in range(3)) == b"x" * 10_000
    with pytest.raises(SourceEnded):
        source.read(1.0)
    source.close()


def test_file_in_a_loop_and_an_empty_one(tmp_path):
    path = tmp_path / "log.nmea"
    path.write_bytes(b"abc")
    source = FileSource(path, loop=True)
    source.open()
    assert b"".join(source.read(1.0) for _ in range(5)) == b"abc\r\nabc\r\nabc"
    source.close()
    path.write_bytes(b"")
    source.open()
    with pytest.raises(SourceEnded):
        source.read(1.0)
    source.close()


def test_missing_file_and_port_are_lost_with_their_name(tmp_path):
    for source in (FileSource(tmp_path / "none"), SerialSource(tmp_path / "tty")):
        with pytest.raises(SourceLost) as caught:
            source.open()
        assert str(tmp_path) in str(caught.value)


def test_pace_follows_the_recordings_clock():
    pace = Pace()
    due = []
    for tod in ("235958.00", "235958.00", "235959.50", "000000.00", "120000.00", "120001.00"):
        pace.meet(rmc(tod), 100.0)
        due.append(pace.due_s)
    assert due == [100.0, 100.0, 101.5, 102.0, 102.0, 103.0]


def test_file_in_real_time_waits_for_the_moment(tmp_path):
    path = tmp_path / "log.nmea"
    path.write_bytes(rmc("120000.00") + rmc("120002.00"))
    source = FileSource(path, real_time=True)
    source.open()
    began = time.monotonic()
    assert source.read(1.0) == rmc("120000.00")
    assert source.read(0.05) == b""
    assert source.read(60.0) == rmc("120002.00")
    assert time.monotonic() - began >= 1.99
    source.close()


def test_tcp():
    with socket.create_server(("127.0.0.1", 0)) as server:
        source = TcpSource("127.0.0.1", server.getsockname()[1])
        source.open()
        peer, _ = server.accept()
        assert source.read(0.01) == b""
        peer.sendall(b"$GP")
        assert source.read(60.0) == b"$GP"
        peer.close()
        with pytest.raises(SourceLost, match="closed by the other side"):
            source.read(1.0)
        source.close()
    with pytest.raises(SourceLost, match="refused"):
        source.open()
    with pytest.raises(SourceLost, match="not open"):
        source.read(0.1)


def test_udp():
    source = UdpSource("127.0.0.1", 0)
    source.open()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        assert source.read(0.01) == b""
        sender.sendto(b"$GPRMC", ("127.0.0.1", source.port))
        assert source.read(60.0) == b"$GPRMC"
    with pytest.raises(SourceLost, match="in use"):
        UdpSource("127.0.0.1", source.port).open()
    source.close()


@pytest.fixture
def terminal():
    """A pseudo-terminal: (master descriptor, path of the device)."""
    master, slave = os.openpty()
    path = Path(os.ttyname(slave))
    yield master, path, slave
    for descriptor in (master, slave):
        os.close(descriptor)


def test_serial_port(terminal):
    master, path, _ = terminal
    source = SerialSource(path)
    source.open()
    assert source.read(0.01) == b""
    os.write(master, b"$GPRMC")
    assert source.read(60.0) == b"$GPRMC"
    source.close()
    with pytest.raises(SourceLost, match="not open"):
        source.read(0.1)


def test_serial_rates_are_tried_in_turn_unless_one_is_given(terminal):
    master, path, _ = terminal
    source = SerialSource(path)
    for rate in (*BAUDS, BAUDS[0]):
        source.open()
        speed = termios.tcgetattr(master)[4]
        assert speed == getattr(termios, f"B{rate}")
        source.close()
        assert source.read_otherwise()
    assert not SerialSource(path, 4800).read_otherwise()


def test_a_device_is_remembered_by_its_stable_name(terminal, tmp_path):
    _, path, _ = terminal
    name = tmp_path / "usb-u-blox_AG-if00"
    name.symlink_to(path)
    source = SerialSource(path, stable_names=tmp_path)
    source.open()
    source.close()
    assert source.device == name
