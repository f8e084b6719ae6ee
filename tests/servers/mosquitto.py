"""A private Mosquitto on a free port, with passwords and topic rights as deployed."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from hub.config import Broker
from tests.servers.port import free_port
from tests.servers.tls import Certificate
from tianyan.broker import find_mosquitto, start_broker
from tianyan.children import spawn


class Mosquitto:
    """A broker that can be killed and brought back on the same port."""

    host = "127.0.0.1"

    def __init__(self, folder: Path, passwords: dict[str, str]) -> None:
        self.port = free_port()
        self._folder = folder
        self._passwords = passwords
        self.restart()

    def restart(self) -> None:
        self._broker = start_broker(self._folder, self._passwords, self.port)

    def settings(self) -> Broker:
        """For a hub that runs the broker's accounts."""
        return Broker.model_validate({"port": self.port, **self._broker.accounts})

    def listen_with_tls(self, certificate: Certificate) -> int:
        """Begin anew, and listen at another port with this certificate as well; that port."""
        self._broker.child.stop()
        port = free_port()
        config = self._folder / "mosquitto.conf"
        config.write_text(
            f"{config.read_text()}listener {port} 127.0.0.1\n"
            f"certfile {certificate.file}\nkeyfile {certificate.key}\n"
        )
        args = [str(find_mosquitto()), "-c", str(config)]
        self._broker = replace(self._broker, child=spawn("broker", args, self._folder / "tls.log"))
        return port

    def kill(self) -> None:
        """As `kill -9`: what it had only in memory is gone."""
        os.kill(self._broker.child.pid, 9)
        self._broker.child.wait(5)

    def stop(self) -> None:
        self._broker.child.stop()


@contextmanager
def mosquitto(folder: Path, passwords: dict[str, str]) -> Iterator[Mosquitto]:
    """Run a broker for the users in `passwords`; skip without the binary (CI fails instead)."""
    if find_mosquitto() is None:
        if os.environ.get("TIANYAN_REQUIRE_SERVERS"):
            pytest.fail("mosquitto is not installed and TIANYAN_REQUIRE_SERVERS is set")
        pytest.skip("mosquitto is not installed: apt-get install mosquitto")
    broker = Mosquitto(folder / "broker", passwords)
    try:
        yield broker
    finally:
        broker.stop()
