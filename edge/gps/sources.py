"""Where a receiver's bytes come from: serial port, TCP, UDP, recording. One row a scheme.

A source is opened, read and closed by `receiver.py`, which also decides when to try again. `read`
gives what has arrived within a time, nothing when nothing has, and raises SourceLost when the
device or link is gone, SourceEnded when a recording is over.
"""

import logging
import re
import select
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Protocol, TypeVar
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from edge.gps.errors import BadSource, SourceEnded, SourceLost

log = logging.getLogger(__name__)

T = TypeVar("T")

CHUNK = 4096
CONNECT_S = 5.0
BAUDS = (9600, 115200, 38400, 57600, 4800)
STABLE_NAMES = Path("/dev/serial/by-id")
LONGEST_PAUSE_S = 10.0

_TIME_OF_DAY = re.compile(rb"\$..(?:RMC|GGA),(\d\d)(\d\d)(\d\d(?:\.\d*)?),")


class Source(Protocol):
    """Something that gives bytes."""

    def open(self) -> None:
        """Get ready to read. Raises SourceLost."""

    def read(self, wait_s: float) -> bytes:
        """Give what arrives within `wait_s`, maybe nothing. Raises SourceLost, SourceEnded."""

    def close(self) -> None:
        """Let go; may be opened again."""

    def read_otherwise(self) -> bool:
        """What came was noise: try another way of reading. False when there is none."""


@dataclass
class SerialSource:
    """A serial or USB device. Found again under its stable name after it was unplugged.

    `baud` None: try the usual rates until sentences make sense.
    """

    device: Path
    baud: int | None = None
    stable_names: Path = STABLE_NAMES
    _port: Any = field(default=None, init=False)
    _tried: int = field(default=0, init=False)

    def open(self) -> None:
        """Open the device at the present rate."""
        import serial  # noqa: PLC0415 - only vehicles with a receiver have pyserial

        self.device = _stable_name(self.device, self.stable_names)
        rate = self.baud or BAUDS[self._tried % len(BAUDS)]
        try:
            self._port = serial.Serial(str(self.device), rate, timeout=0)
        except (OSError, ValueError) as fault:
            raise SourceLost(f"serial port {self.device} at {rate} baud: {fault}") from None
        log.info("serial port %s opened at %d baud", self.device, rate)

    def read(self, wait_s: float) -> bytes:
        """Give what has come in within `wait_s`."""
        port = _opened(self._port, self.device)
        try:
            ready, _, _ = select.select([port], [], [], wait_s)
            if not ready:
                return b""
            data: bytes = port.read(CHUNK)
        except (OSError, TypeError, ValueError) as fault:
            raise SourceLost(f"serial port {self.device}: {fault}") from None
        if not data:
            raise SourceLost(f"serial port {self.device}: unplugged")
        return data

    def close(self) -> None:
        """Close the port."""
        if self._port is not None:
            with suppress(OSError):
                self._port.close()
        self._port = None

    def read_otherwise(self) -> bool:
        """Move on to the next baud rate, unless one was given."""
        if self.baud is not None:
            return False
        self._tried += 1
        return True


@dataclass
class TcpSource:
    """A server that sends sentences to whoever connects."""

    host: str
    port: int
    _socket: socket.socket | None = field(default=None, init=False)

    def open(self) -> None:
        """Connect; gives up after 5 s."""
        try:
            self._socket = socket.create_connection((self.host, self.port), timeout=CONNECT_S)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        except OSError as fault:
            raise SourceLost(f"tcp://{self.host}:{self.port}: {fault}") from None

    def read(self, wait_s: float) -> bytes:
        """Give what has come in within `wait_s`."""
        link = _opened(self._socket, self.host)
        link.settimeout(wait_s)
        try:
            data: bytes = link.recv(CHUNK)
        except TimeoutError:
            return b""
        except OSError as fault:
            raise SourceLost(f"tcp://{self.host}:{self.port}: {fault}") from None
        if not data:
            raise SourceLost(f"tcp://{self.host}:{self.port}: closed by the other side")
        return data

    def close(self) -> None:
        """Disconnect."""
        _close(self._socket)
        self._socket = None

    def read_otherwise(self) -> bool:
        """There is no other way."""
        return False


@dataclass
class UdpSource:
    """Sentences sent to a port of ours by anybody who may."""

    host: str
    port: int
    _socket: socket.socket | None = field(default=None, init=False)

    def open(self) -> None:
        """Bind the port; port 0 takes a free one and keeps it."""
        kind = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        link = socket.socket(kind, socket.SOCK_DGRAM)
        try:
            link.bind((self.host, self.port))
        except OSError as fault:
            link.close()
            raise SourceLost(f"udp://{self.host}:{self.port}: {fault}") from None
        self.port = link.getsockname()[1]
        self._socket = link

    def read(self, wait_s: float) -> bytes:
        """Give the next datagram that comes within `wait_s`."""
        link = _opened(self._socket, self.host)
        link.settimeout(wait_s)
        try:
            return link.recv(65_535)
        except TimeoutError:
            return b""
        except OSError as fault:
            raise SourceLost(f"udp://{self.host}:{self.port}: {fault}") from None

    def close(self) -> None:
        """Give the port back."""
        _close(self._socket)
        self._socket = None

    def read_otherwise(self) -> bool:
        """There is no other way."""
        return False


@dataclass
class Pace:
    """When a line of a recording is due, by the time of day in it. Monotonic seconds."""

    due_s: float = 0.0
    _last_tod_s: float | None = field(default=None, init=False)

    def meet(self, line: bytes, now_s: float) -> None:
        """Put `due_s` later by what the recording's clock moved; never by more than 10 s."""
        if not (match := _TIME_OF_DAY.search(line)):
            return
        hours, minutes, seconds = match.groups()
        tod_s = int(hours) * 3600 + int(minutes) * 60 + float(seconds)
        step_s = 0.0 if self._last_tod_s is None else (tod_s - self._last_tod_s) % 86_400
        if self._last_tod_s is None:
            self.due_s = now_s
        self._last_tod_s = tod_s
        if step_s <= LONGEST_PAUSE_S:
            self.due_s += step_s


@dataclass
class FileSource:
    """A recording, as fast as possible or at the pace of its own sentences."""

    path: Path
    real_time: bool = False
    loop: bool = False
    _file: IO[bytes] | None = field(default=None, init=False)
    _pace: Pace = field(default_factory=Pace, init=False)
    _held: bytes = field(default=b"", init=False)

    def open(self) -> None:
        """Open at the beginning."""
        try:
            self._file = self.path.open("rb")
        except OSError as fault:
            raise SourceLost(f"{self.path}: {fault.strerror}") from None
        self._pace, self._held = Pace(), b""

    def read(self, wait_s: float) -> bytes:
        """Give the next part, in real time not before its moment has come."""
        file = _opened(self._file, self.path)
        if not self.real_time:
            return file.read(CHUNK) or self._end(file)
        if not self._held:
            self._held = file.readline(CHUNK) or self._end(file)
            self._pace.meet(self._held, time.monotonic())
        pause_s = self._pace.due_s - time.monotonic()
        if pause_s > wait_s:
            time.sleep(wait_s)
            return b""
        time.sleep(max(0.0, pause_s))
        line, self._held = self._held, b""
        return line

    def _end(self, file: IO[bytes]) -> bytes:
        if not self.loop or not file.tell():
            raise SourceEnded(f"{self.path}: over")
        file.seek(0)
        return b"\r\n"

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
        self._file = None

    def read_otherwise(self) -> bool:
        """There is no other way."""
        return False


def _stable_name(device: Path, names: Path) -> Path:
    """Give the by-id name of a plugged device, which survives being plugged in again."""
    with suppress(OSError):
        for name in sorted(names.iterdir()):
            if name.resolve() == device.resolve():
                return name
    return device


def _opened(thing: T | None, name: object) -> T:
    if thing is None:
        raise SourceLost(f"{name}: not open")
    return thing


def _close(link: socket.socket | None) -> None:
    if link is not None:
        with suppress(OSError):
            link.close()


# Addresses ---------------------------------------------------------------------------------------

Options = dict[str, bool]


def _serial(address: SplitResult, _options: Options) -> Source:
    query = parse_qs(address.query, keep_blank_values=True)
    baud = query.pop("baud", [""])[0]
    if query or (baud and not (baud.isdigit() and int(baud) > 0)):
        raise BadSource(f"{address.geturl()}: only ?baud=N may follow, N a rate such as 9600")
    if not address.path.startswith("/"):
        raise BadSource(f"{address.geturl()}: write the device as serial:/dev/…")
    return SerialSource(Path(unquote(address.path)), int(baud) if baud else None)


def _host_port(address: SplitResult) -> tuple[str, int]:
    try:
        host, port = address.hostname, address.port
    except ValueError as fault:
        raise BadSource(f"{address.geturl()}: {fault}") from None
    if not host or port is None or address.path not in {"", "/"} or address.query:
        raise BadSource(f"{address.geturl()}: write it as {address.scheme}://host:port")
    return host, port


SOURCES: dict[str, Callable[[SplitResult, Options], Source]] = {
    "serial": _serial,
    "tcp": lambda address, _: TcpSource(*_host_port(address)),
    "udp": lambda address, _: UdpSource(*_host_port(address)),
    "file": lambda address, options: FileSource(Path(unquote(address.path)), **options),
}


def source_at(address: str, *, real_time: bool = False, loop: bool = False) -> Source:
    """Make the source that an address names.

    `serial:/dev/…[?baud=N]`, `tcp://host:port`, `udp://address:port` (to listen on), `file:/path`
    or a bare path. `real_time` and `loop` concern recordings only. Raises BadSource.
    """
    options = {"real_time": real_time, "loop": loop}
    scheme, colon, _ = address.partition(":")
    if not address or (colon and scheme.isalnum() and scheme not in SOURCES):
        known = ", ".join(sorted(SOURCES))
        raise BadSource(f"{address!r}: unknown kind of source {scheme!r}; known: {known}, a path")
    if not colon or scheme not in SOURCES:
        return FileSource(Path(address), **options)
    return SOURCES[scheme](urlsplit(address), options)
