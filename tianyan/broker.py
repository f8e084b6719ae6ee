"""A private MQTT broker for one machine: Mosquitto when it is installed, else amqtt.

Every user has a password of its own and may use its own topics only, as in a deployment.
"""

import getpass
import shutil
import socket
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import yaml

from hub.accounts import put
from tianyan.children import Child, spawn
from wire.topics import ROOT

HUB_USER = "hub"
START_TIMEOUT_S = 15.0
_MOSQUITTO_PLACES = "/usr/sbin:/usr/local/sbin:/opt/homebrew/sbin"


class BrokerFailed(RuntimeError):
    """The broker did not start; carries the end of its log."""


@dataclass(frozen=True)
class Broker:
    """A running broker; `kind` is "mosquitto" or "amqtt".

    `accounts`: for the settings of a hub that is to run its accounts, which only Mosquitto allows.
    """

    kind: str
    port: int
    child: Child
    accounts: dict[str, str]


def find_mosquitto() -> str | None:
    """Path of the Mosquitto binary, which Debian keeps outside a user's PATH."""
    return shutil.which("mosquitto") or shutil.which("mosquitto", path=_MOSQUITTO_PLACES)


def start_broker(folder: Path, passwords: dict[str, str], port: int) -> Broker:
    """Start a broker on 127.0.0.1:`port` for the users in `passwords` (hub and devices).

    Raises BrokerFailed when it does not listen within some seconds.
    """
    folder.mkdir(parents=True, exist_ok=True)
    binary = find_mosquitto()
    if binary:
        args = [binary, "-c", str(_write_mosquitto(folder, passwords, port))]
    else:
        args = [sys.executable, "-m", "amqtt.scripts.broker_script"]
        args += ["-c", str(_write_amqtt(folder, passwords, port))]
    child = spawn("broker", args, folder / "broker.log")
    _wait_until_listening(child, port)
    accounts = {"accounts_file": str(folder / "passwords"), "pid_file": str(folder / "pid")}
    return Broker("mosquitto" if binary else "amqtt", port, child, accounts if binary else {})


def free_port() -> int:
    """A TCP port of 127.0.0.1 nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _wait_until_listening(child: Child, port: int) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline and child.exit_status() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    child.stop()
    raise BrokerFailed(f"the broker did not start on port {port}:\n{child.last_words()}")


def _write_private(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text(text, encoding="utf-8")


def _write_mosquitto(folder: Path, passwords: dict[str, str], port: int) -> Path:
    accounts = folder / "passwords"
    accounts.touch(mode=0o600)
    put(accounts, passwords)
    acl = (
        f"user {HUB_USER}\ntopic readwrite {ROOT}/#\ntopic read $SYS/broker/version\n\n"
        f"pattern write {ROOT}/%u/up/#\npattern read {ROOT}/%u/down/#\n"
        f"pattern read {ROOT}/host/+/state\n"
    )
    _write_private(folder / "acl", acl)
    config = folder / "mosquitto.conf"
    config.write_text(
        f"listener {port} 127.0.0.1\n"
        "allow_anonymous false\n"
        f"password_file {folder / 'passwords'}\n"
        f"acl_file {folder / 'acl'}\n"
        f"user {getpass.getuser()}\n"
        f"pid_file {folder / 'pid'}\n"
        "persistence true\n"
        f"persistence_location {folder}/\n"
        "autosave_interval 60\n"
        "max_packet_size 262144\n"
        "max_queued_messages 100000\n"
        "max_inflight_messages 1000\n"
        "max_keepalive 300\n"
        "set_tcp_nodelay true\n"
        "log_type error\nlog_type warning\nlog_type notice\n",
        encoding="utf-8",
    )
    return config


def _write_amqtt(folder: Path, passwords: dict[str, str], port: int) -> Path:
    from pwdlib import PasswordHash
    from pwdlib.hashers.argon2 import Argon2Hasher

    hasher = PasswordHash((Argon2Hasher(),))
    lines = [f"{user}:{hasher.hash(word)}\n" for user, word in passwords.items()]
    _write_private(folder / "passwords", "".join(lines))
    devices = [user for user in passwords if user != HUB_USER]
    publish = {dev: [f"{ROOT}/{dev}/up/#"] for dev in devices}
    read = {dev: [f"{ROOT}/{dev}/down/#", f"{ROOT}/host/+/state"] for dev in devices}
    config = {
        "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{port}"}},
        "plugins": {
            "amqtt.plugins.authentication.FileAuthPlugin": {
                "password_file": str(folder / "passwords")
            },
            "amqtt.plugins.topic_checking.TopicAccessControlListPlugin": {
                "publish_acl": publish | {HUB_USER: [f"{ROOT}/#"]},
                "acl": read | {HUB_USER: [f"{ROOT}/#"]},
            },
        },
    }
    path = folder / "amqtt.yaml"
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    return path
