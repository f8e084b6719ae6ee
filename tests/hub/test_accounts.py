import shutil
import signal
import subprocess
import sys
import time

import pytest

from hub import accounts
from hub.config import Broker

needs_tool = pytest.mark.skipif(
    shutil.which(accounts.TOOL) is None, reason="no mosquitto_passwd: apt-get install mosquitto"
)


def test_a_broker_of_others_is_not_touched():
    assert accounts.add(Broker(), "cam-1", "secret") is False


@needs_tool
def test_a_private_broker_learns_of_a_device_and_is_told(tmp_path):
    file, pid = tmp_path / "passwords", tmp_path / "pid"
    file.touch(mode=0o600)
    waiting = (
        "import signal, sys; print('up', flush=True); sys.exit(signal.sigwait({signal.SIGHUP}))"
    )
    block = "import signal; signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP});"
    process = subprocess.Popen([sys.executable, "-c", block + waiting], stdout=subprocess.PIPE)
    with process:
        assert process.stdout.readline() == b"up\n"
        pid.write_text(str(process.pid))
        assert accounts.add(Broker(accounts_file=file, pid_file=pid), "cam-1", "secret") is True
        assert process.wait(10) == signal.SIGHUP
    assert file.read_text().startswith("cam-1:$7$")


@needs_tool
def test_a_broker_that_is_gone_is_said(tmp_path):
    file, pid = tmp_path / "passwords", tmp_path / "pid"
    file.touch(mode=0o600)
    pid.write_text("nonsense")
    began = time.monotonic()
    assert accounts.add(Broker(accounts_file=file, pid_file=pid), "cam-1", "secret") is False
    assert time.monotonic() - began < 20
