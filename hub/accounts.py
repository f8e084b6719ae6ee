"""Devices' accounts at a private broker: Mosquitto's password file, read again on SIGHUP."""

import logging
import os
import shutil
import signal
import subprocess

from hub.config import Broker

log = logging.getLogger(__name__)

TOOL = "mosquitto_passwd"


def add(broker: Broker, device: str, password: str) -> bool:
    """Tell the broker of a device; False when the hub does not run the broker's accounts."""
    return _change(broker, device, ["-b"], [password])


def remove(broker: Broker, device: str) -> bool:
    """Let the broker take no new connection of a device; False as for `add`."""
    return _change(broker, device, ["-D"], [])


def _change(broker: Broker, device: str, before: list[str], after: list[str]) -> bool:
    tool = shutil.which(TOOL)
    if broker.accounts_file is None or tool is None:
        return False
    command = [tool, *before, str(broker.accounts_file), device, *after]
    done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)  # noqa: S603
    if done.returncode != 0:
        log.error("%s failed for %s: %s", TOOL, device, done.stderr.strip())
        return False
    return _read_again(broker)


def _read_again(broker: Broker) -> bool:
    if broker.pid_file is None:
        return False
    try:
        os.kill(int(broker.pid_file.read_text().strip()), signal.SIGHUP)
    except (OSError, ValueError) as fault:
        log.warning("Broker was not told of its new account: %s", fault)
        return False
    return True
