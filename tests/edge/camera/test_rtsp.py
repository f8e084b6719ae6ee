"""Against a real RTSP server, which is stalled, killed and restarted."""

import logging
import threading
import time

import pytest

from edge.camera import stream
from edge.camera.errors import SourceLost
from edge.camera.health import Limits
from edge.camera.mailbox import Mailbox
from edge.camera.runner import CameraRunner
from edge.camera.sources import open_source
from edge.config import CameraConfig
from tests.edge.camera.footage import record
from tests.servers.rtsp import RtspServer, needs_rtsp_server
from tests.stopwatch import Stopwatch
from wire.status import CameraState as S

pytestmark = needs_rtsp_server
QUICK = Limits(stall_s=1.5)


@pytest.fixture(scope="module")
def footage(tmp_path_factory):
    folder = tmp_path_factory.mktemp("footage")
    small = record(folder / "small.mp4", seconds=1.2, gop=2)
    large = record(folder / "large.mp4", seconds=1.2, gop=2, size=(640, 360))
    return small, large


def config(url, **settings):
    return CameraConfig(id="gate", source=url, **settings)


class Watched:
    """A runner and everything that became of it."""

    def __init__(self, url, limits=QUICK, **settings):
        self.mailbox = Mailbox()
        self.changes = []
        self.runner = CameraRunner(
            config(url, **settings), self.mailbox, self.changes.append, limits
        )

    def __enter__(self):
        self.runner.start()
        return self

    def __exit__(self, *_):
        self.runner.stop()

    def wait_for(self, state, timeout_s=60):
        """Until the camera is in that state."""
        begun = time.monotonic()
        while self.runner.health.state != state:
            assert time.monotonic() - begun < timeout_s, f"not {state}: {self.changes}"
            time.sleep(0.05)
            self.runner.tick()

    @property
    def states(self):
        return [change.after for change in self.changes]


def test_keyframes_of_a_live_camera(footage):
    with RtspServer(footage[0]) as server:
        source = open_source(config(server.url, looks_per_s=4))
        timed = [(time.monotonic(), next(source), time.monotonic()) for _ in range(8)]
        source.close()
    frames = [frame for _, frame, _ in timed]
    assert {frame.image.shape for frame in frames} == {(180, 320, 3)}
    assert frames[-1].t_s - frames[1].t_s > 1.1, "no more of them than are wanted"
    (asked_s, _, given_s), last_s = timed[1], frames[-1].t_s - frames[1].t_s
    assert timed[-1][0] - given_s <= last_s <= timed[-1][2] - asked_s, "timed as they come"


def test_a_camera_that_changes_its_resolution(footage):
    with RtspServer(*footage) as server:
        source = open_source(config(server.url, looks_per_s=4))
        shapes = [next(source).image.shape for _ in range(10)]
        source.close()
    assert (180, 320, 3) in shapes
    assert (360, 640, 3) in shapes


def test_a_password_is_used_and_never_told(footage, caplog):
    with RtspServer(footage[0], user="admin", password="geheim") as server:
        right = server.url.replace("://", "://admin:geheim@")
        source = open_source(config(right))
        assert next(source).image.shape == (180, 320, 3)
        source.close()
        wrong = server.url.replace("://", "://admin:falsch@")
        with pytest.raises(SourceLost, match="user or password refused") as refused:
            next(open_source(config(wrong)))
        with caplog.at_level(logging.DEBUG), Watched(wrong) as watched:
            watched.wait_for(S.UNREACHABLE)
    told = caplog.text + str(refused.value) + str(watched.changes)
    assert "falsch" not in told
    assert "***@127.0.0.1" in told


def test_lost_and_found_again(footage, caplog, monkeypatch):
    """Killed: unreachable at once; back: ok by itself. One line in the log each."""
    monkeypatch.setattr("edge.camera.runner.RETRY_LAST_S", 1.0)
    server = RtspServer(footage[0])
    with server, caplog.at_level(logging.INFO), Watched(server.url) as watched:
        watched.wait_for(S.OK)
        server.kill()
        watched.wait_for(S.UNREACHABLE)
        time.sleep(2)
        server.start()
        watched.wait_for(S.OK)
    assert watched.states == [S.OK, S.UNREACHABLE, S.OK]
    told = [r for r in caplog.records if r.name.startswith("edge.camera")]
    assert len([r for r in told if r.levelno >= logging.WARNING]) == 1


def test_a_stalled_camera_disturbs_no_other(footage, monkeypatch):
    """By the default limits: a state within 10 s, the neighbour's frames never cease."""
    with (
        RtspServer(footage[0]) as bad,
        RtspServer(footage[0]) as good,
        Watched(bad.url, Limits()) as stalled,
        Watched(good.url, Limits()) as neighbour,
    ):
        stalled.wait_for(S.OK)
        neighbour.wait_for(S.OK)
        bad.stall()
        with Stopwatch() as stalling:
            stalled.wait_for(S.STALLED)
        assert stalling.calm_s < 10
        neighbour.runner.tick()
        assert neighbour.states == [S.OK]
        bad.go_on()
        stalled.wait_for(S.OK)
        # A thread that hangs in the network may not keep the agent from stopping.
        bad.stall()
        time.sleep(0.5)
        with Stopwatch() as stopping:
            stalled.runner.stop()
        assert stopping.calm_s < 1.5
        bad.go_on()
    assert stalled.states == [S.OK, S.STALLED, S.OK]


def test_a_host_that_does_not_answer(monkeypatch):
    import socket

    monkeypatch.setattr(stream, "OPEN_TIMEOUT_S", 1.0)
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        url = f"rtsp://127.0.0.1:{deaf.getsockname()[1]}/street"
        before = threading.active_count()
        with pytest.raises(SourceLost, match="no answer within 1 s"):
            next(open_source(config(url)))
        assert threading.active_count() <= before
