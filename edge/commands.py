"""What `tianyan edge run` and `tianyan edge check` do."""

import logging
import signal
import threading
from hashlib import sha256
from pathlib import Path
from types import FrameType

from edge.agent import Agent, AlreadyRunning
from edge.check import faults_in, secret_file_faults
from edge.config import BadConfig, EdgeConfig, load_edge
from edge.device_key import BadKey
from edge.link import BadBroker

log = logging.getLogger(__name__)

OK, FOUND_WRONG, USAGE = 0, 1, 2


def check(path: Path) -> list[str]:
    """Every error of a configuration at once, each naming its key, value and what is allowed."""
    return faults_in(path)


def run_gateway(path: Path) -> int:
    """Run the agent as `run` does, if it has terminals to listen to."""
    try:
        config = load_edge(path)
    except BadConfig as fault:
        return _refused(fault.errors)
    if config.gateway is None:
        return _refused([f"{path}: gateway: is missing; the section that lists the terminals"])
    return run(path)


def run(path: Path) -> int:
    """Run the agent until SIGTERM or SIGINT, or until its recordings are over.

    Returns the exit status: 0 done, 1 a recording could not be played, 2 it cannot start; the
    log says why.
    """
    try:
        config = load_edge(path)
    except BadConfig as fault:
        return _refused(fault.errors)
    if config.broker.password_file is not None:
        for warning in secret_file_faults("broker.password_file", config.broker.password_file):
            log.warning("%s: %s", path, warning)
    try:
        agent = Agent(config, sha256(path.read_bytes()).hexdigest()[:12])
    except _reasons_not_to_start(config) as reason:
        return _refused([str(reason)])
    stop = threading.Event()
    _stop_on_signal(stop)
    return FOUND_WRONG if agent.run(stop) else OK


def _reasons_not_to_start(config: EdgeConfig) -> tuple[type[Exception], ...]:
    """What the agent of this device raises when it cannot be built."""
    errors: list[type[Exception]] = [AlreadyRunning, BadBroker, BadKey, OSError]
    if config.cameras:
        from edge.camera.errors import CameraError
        from edge.detect.errors import DetectError

        errors += [CameraError, DetectError]
    if config.receivers or config.gateway:
        from edge.gps.errors import GpsError

        errors.append(GpsError)
    return tuple(errors)


def _refused(errors: list[str]) -> int:
    for error in errors:
        log.error("%s", error)
    return USAGE


def _stop_on_signal(stop: threading.Event) -> None:
    def ask(number: int, _: FrameType | None) -> None:
        log.info("%s: stopping", signal.Signals(number).name)
        stop.set()

    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, ask)
        signal.signal(signal.SIGINT, ask)
