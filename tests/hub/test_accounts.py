"""The accounts of a private broker: a real Mosquitto, asked by real connections."""

import stat
import threading

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from hub import accounts
from hub.config import Broker
from tests.servers.mosquitto import mosquitto

WAIT_S = 60.0


@pytest.fixture
def broker(tmp_path):
    with mosquitto(tmp_path, {"hub": "h-secret", "cam-1": "first"}) as running:
        yield running.settings()


class Caller:
    """One connection to the broker, that does not come back by itself."""

    def __init__(self, broker, user, password):
        self._answered, self.gone, self._reason = threading.Event(), threading.Event(), None
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, reconnect_on_failure=False)
        self._client.username_pw_set(user, password)
        self._client.on_connect = self._take
        self._client.on_disconnect = lambda *_: self.gone.set()
        self._client.connect("127.0.0.1", broker.port)
        self._client.loop_start()

    def _take(self, _, __, ___, reason, ____):
        self._reason = reason
        self._answered.set()

    @property
    def is_let_in(self):
        assert self._answered.wait(WAIT_S)
        return not self._reason.is_failure


@pytest.fixture
def call(broker):
    made = []

    def caller(user, password):
        made.append(Caller(broker, user, password))
        return made[-1]

    yield caller
    for each in made:
        each._client.disconnect()
        each._client.loop_stop()


def test_a_broker_of_others_is_not_touched():
    assert accounts.add(Broker(), "cam-1", "secret") is False


def test_a_device_is_let_in_as_soon_as_it_is_added(broker, call):
    assert not call("cam-2", "secret").is_let_in
    assert accounts.add(broker, "cam-2", "secret") is True
    assert call("cam-2", "secret").is_let_in


def test_a_new_password_ends_what_was_opened_with_the_old_one(broker, call):
    hub, old = call("hub", "h-secret"), call("cam-1", "first")
    assert hub.is_let_in
    assert old.is_let_in
    assert accounts.add(broker, "cam-1", "second") is True
    assert old.gone.wait(WAIT_S)
    assert not call("cam-1", "first").is_let_in
    assert call("cam-1", "second").is_let_in
    assert not hub.gone.is_set(), "others are not disturbed"


def test_a_device_that_is_removed_is_put_out_and_not_let_in(broker, call):
    device = call("cam-1", "first")
    assert device.is_let_in
    assert accounts.remove(broker, "cam-1") is True
    assert device.gone.wait(WAIT_S)
    assert not call("cam-1", "first").is_let_in


def test_others_stay_in_the_file_which_stays_private(tmp_path):
    file = tmp_path / "passwords"
    file.write_text("hub:$7$1$a$b\ncam-10:$7$1$c$d")
    file.chmod(0o640)
    accounts.put(file, {"cam-1": "secret"})
    accounts.put(file, {"cam-1": "other", "cam-2": "secret"})
    accounts.put(file, {"cam-2": None})
    lines = file.read_text().splitlines()
    assert lines[:2] == ["hub:$7$1$a$b", "cam-10:$7$1$c$d"]
    assert [line.partition(":")[0] for line in lines[2:]] == ["cam-1"]
    assert "secret" not in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert list(tmp_path.iterdir()) == [file]


def test_many_changes_at_once_lose_none(tmp_path):
    file = tmp_path / "passwords"
    file.touch()
    names = [f"cam-{n}" for n in range(20)]
    at_work = [
        threading.Thread(target=accounts.put, args=(file, {name: "secret"})) for name in names
    ]
    for each in at_work:
        each.start()
    for each in at_work:
        each.join()
    assert sorted(line.partition(":")[0] for line in file.read_text().splitlines()) == sorted(names)


def test_a_file_that_cannot_be_written_is_said(tmp_path):
    gone = tmp_path / "nowhere" / "passwords"
    assert accounts.add(Broker(accounts_file=gone, pid_file=tmp_path), "cam-1", "secret") is False


def test_a_broker_that_is_gone_is_said(tmp_path):
    file, pid = tmp_path / "passwords", tmp_path / "pid"
    file.touch(mode=0o600)
    pid.write_text("nonsense")
    assert accounts.add(Broker(accounts_file=file, pid_file=pid), "cam-1", "secret") is False
