"""The whole system in one command, started as a deployment would: broker, hub, agents.

Each part is a process of its own with its own configuration file, which stays in the demo's
folder to be read and changed. Generated scenes and tracks are marked as such everywhere.
"""

import logging
import os
import secrets
import signal
import socket
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
import webbrowser
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

import yaml

from tianyan import condition_sample, department_sample, duty_sample, haul_sample, report_sample
from tianyan.broker import HUB_USER, Broker, BrokerFailed, free_port, start_broker
from tianyan.children import Child, spawn
from tianyan.street import (
    CAMERA_BOX,
    FLEET_BOX,
    Device,
    DrawingFailed,
    cache_folder,
    draw_scenes,
    generated_cameras,
    own_cameras,
    vehicles,
    write_grids,
)
from tianyan.tally import Tally, count_up

log = logging.getLogger(__name__)

DEVICES = (CAMERA_BOX, FLEET_BOX)
HUB_START_TIMEOUT_S = 60.0
SETTLE_TIMEOUT_S = 10.0
LOOK_EVERY_S = 0.5


class DemoFailed(RuntimeError):
    """The demo cannot run; says which part and why."""


@dataclass(frozen=True)
class DemoOptions:
    """What `tianyan demo` was asked for. `folder` None: a temporary one, removed at the end."""

    port: int = 8000
    seconds: float | None = None
    folder: Path | None = None
    videos: tuple[Path, ...] = ()
    opens_browser: bool = True


def run_demo(options: DemoOptions) -> dict[str, int]:
    """Run until `seconds` are over or Ctrl-C; returns the counts of the whole run.

    Raises DemoFailed when a part does not start.
    """
    _check(options)
    with ExitStack() as stack:
        folder = options.folder
        if folder is None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tianyan-")))
        folder.mkdir(parents=True, exist_ok=True)
        return _run(options, folder.resolve(), stack)


def _check(options: DemoOptions) -> None:
    for video in options.videos:
        if not video.is_file():
            raise DemoFailed(f"--video {video}: no such file")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", options.port))
        except OSError as fault:
            raise DemoFailed(
                f"port {options.port} of 127.0.0.1 cannot be used ({fault.strerror}):"
                " stop what listens there, or choose another with --port"
            ) from None


def _run(options: DemoOptions, folder: Path, stack: ExitStack) -> dict[str, int]:
    stop = stack.enter_context(_stop_signal())
    demo = _Demo(options, folder, stack, stop)
    try:
        demo.start()
    except (BrokerFailed, DrawingFailed) as fault:
        raise DemoFailed(str(fault)) from None
    demo.watch()
    return demo.finish().as_dict()


class _Demo:
    """The parts that run, in the order they start and the reverse order they stop."""

    def __init__(
        self, options: DemoOptions, folder: Path, stack: ExitStack, stop: threading.Event
    ) -> None:
        self._options = options
        self._folder = folder
        self._stack = stack
        self._stop = stop
        self._began_s = time.monotonic()
        self._children: list[Child] = []
        self._agents: list[Child] = []

    def start(self) -> None:
        street = self._folder / "street"
        street.mkdir(exist_ok=True)
        write_grids(street)
        broker = _start_broker(self._folder)
        self._keep(broker.child)
        hub = self._keep(_start_hub(self._folder, self._options, broker))
        fleet = vehicles(street)
        _wait_for_hub(hub, self._options.port, self._stop)
        self._staff_grids()
        _announce(self._options, broker, self._folder)
        self._start_agent(fleet, broker)
        self._tell()
        if self._options.videos:
            box = own_cameras(self._options.videos)
        else:
            draw_scenes(street, self._stop)
            box = generated_cameras()
        self._start_agent(box, broker)
        self._began_s = time.monotonic()

    def _staff_grids(self) -> None:
        address, secret = self._office()
        if secret:
            duty_sample.bring_in(address, secret)
            department_sample.bring_in(address, secret)
            condition_sample.bring_in(address, secret)
            haul_sample.bring_in(address, secret, datetime.now(UTC).date())

    def _tell(self) -> None:
        address, secret = self._office()
        if secret:
            report_sample.bring_in(address, secret, cache_folder())

    def _office(self) -> tuple[str, str]:
        """The hub's address and an administrator's token, empty where it was taken away."""
        token = self._folder / "admin-token"
        secret = token.read_text(encoding="utf-8").strip() if token.is_file() else ""
        return f"http://127.0.0.1:{self._options.port}", secret

    def _start_agent(self, device: Device, broker: Broker) -> None:
        if not self._stop.is_set():
            self._agents.append(self._keep(_start_agent(self._folder, device, broker)))

    def _keep(self, child: Child) -> Child:
        self._children.append(child)
        self._stack.callback(child.stop)
        return child

    def watch(self) -> None:
        """Wait for the end, saying once when a part has ended before its time."""
        seconds = self._options.seconds
        deadline = self._began_s + seconds if seconds is not None else float("inf")
        running = list(self._children)
        while not self._stop.is_set() and (left := deadline - time.monotonic()) > 0:
            self._stop.wait(min(LOOK_EVERY_S, left))
            for child in [child for child in running if child.exit_status() is not None]:
                running.remove(child)
                _say_ended(child)

    def finish(self) -> Tally:
        """Stop what makes messages, let the hub take the last of them, count."""
        log.info("stopping")
        _stop_all(self._agents)
        deadline = time.monotonic() + SETTLE_TIMEOUT_S
        tally = count_up(self._folder, DEVICES)
        while tally.lost and time.monotonic() < deadline:
            time.sleep(0.2)
            tally = count_up(self._folder, DEVICES)
        for child in reversed(self._children):
            child.stop()
        return tally


def _say_ended(child: Child) -> None:
    status = child.exit_status()
    if status == 0:
        log.info("%s has done its work", child.name)
    else:
        log.error("%s ended (status %s):\n%s", child.name, status, child.last_words())


@contextmanager
def _stop_signal() -> Iterator[threading.Event]:
    stop = threading.Event()

    def ask(_: int, __: FrameType | None) -> None:
        stop.set()

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _secret(path: Path) -> str:
    """A password that is kept in `path` between runs, readable by its owner alone."""
    if path.exists():
        return path.read_text(encoding="utf-8").strip()
    path.parent.mkdir(parents=True, exist_ok=True)
    word = secrets.token_urlsafe(24)
    path.touch(mode=0o600)
    path.write_text(word + "\n", encoding="utf-8")
    return word


def _password_file(folder: Path, user: str) -> Path:
    return folder / "passwords" / user


def _start_broker(folder: Path) -> Broker:
    passwords = {user: _secret(_password_file(folder, user)) for user in (HUB_USER, *DEVICES)}
    broker = start_broker(folder / "broker", passwords, free_port())
    if broker.kind == "amqtt":
        log.warning(
            "mosquitto is not installed: amqtt, a small broker in Python, stands in for it."
            " It forgets what it holds when it stops; the devices send it again"
        )
    else:
        log.info("broker: a private mosquitto on 127.0.0.1:%d", broker.port)
    return broker


def _write_yaml(path: Path, document: dict[str, object]) -> Path:
    path.write_text(yaml.safe_dump(document, allow_unicode=True, sort_keys=False), "utf-8")
    return path


def _start_hub(folder: Path, options: DemoOptions, broker: Broker) -> Child:
    config = _write_yaml(
        folder / "hub.yaml",
        {
            "name": "安康中心城区（演示）",
            "data_dir": str(folder),
            "listen": {"host": "127.0.0.1", "port": options.port},
            "public_url": f"http://127.0.0.1:{options.port}",
            "broker": {
                "port": broker.port,
                "password_file": str(_password_file(folder, HUB_USER)),
                **broker.accounts,
            },
            "grids": [str(folder / "street" / "grids.geojson")],
            "case_prefix": "AK",
            # Unlisted devices are let in: the broker knows the demo's own by their passwords.
            "enrol": "open",
            # One matter opens its case by itself, the others wait for a person's decision.
            "rules": {"garbage": {"open_case": "at_once"}},
            "patrol": {"every_s": 10},
            "demo": True,
        },
    )
    return _start("hub", ["hub", "run", str(config)], folder)


def _start_agent(folder: Path, device: Device, broker: Broker) -> Child:
    document = {
        "device": device.id,
        "data_dir": str(folder / "edge" / device.id),
        "broker": {"port": broker.port, "password_file": str(_password_file(folder, device.id))},
        **device.settings,
    }
    config = _write_yaml(folder / f"{device.id}.yaml", document)
    return _start(device.id, ["edge", "run", str(config)], folder)


def _start(name: str, args: list[str], folder: Path) -> Child:
    return spawn(name, [sys.executable, "-m", "tianyan.cli", *args], folder / f"{name}.log")


def _wait_for_hub(hub: Child, port: int, stop: threading.Event) -> None:
    deadline = time.monotonic() + HUB_START_TIMEOUT_S
    while time.monotonic() < deadline and hub.exit_status() is None and not stop.is_set():
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    if not stop.is_set():
        raise DemoFailed(f"the hub did not start:\n{hub.last_words()}")


def _announce(options: DemoOptions, broker: Broker, folder: Path) -> None:
    address = f"http://127.0.0.1:{options.port}"
    print(
        f"\n  天眼 is running: {address}\n"
        f"  broker {broker.kind}, settings and logs in {folder}\n"
        f"  administrator's token in {folder / 'admin-token'}\n"
        "  Ctrl-C stops everything\n",
        file=sys.stderr,
    )
    has_screen = sys.platform != "linux" or "DISPLAY" in os.environ
    if options.opens_browser and has_screen:
        webbrowser.open(address)


def _stop_all(children: list[Child]) -> None:
    threads = [threading.Thread(target=child.stop) for child in children]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
