import logging
import threading
import time
from fractions import Fraction

import numpy as np
import pytest

from edge.camera import runner as module
from edge.camera.errors import SourceLost
from edge.camera.health import Limits
from edge.camera.mailbox import Mailbox
from edge.camera.runner import CameraRunner, retry_wait_s
from edge.config import CameraConfig
from tests.edge.camera.footage import record, street
from tests.hub.broker import wait_for
from wire.status import CameraState as S


@pytest.fixture
def footage(tmp_path):
    return record(tmp_path / "street.mp4", seconds=5)


def runner(source, mailbox, **settings):
    camera = CameraConfig(id="gate", source=str(source), **{"real_time": False} | settings)
    return CameraRunner(camera, mailbox)


def letters(mailbox):
    while (letter := mailbox.take(60)) is not None:
        yield letter
        if letter[1] is None:
            return


def test_a_recording_is_handed_on_frame_by_frame_and_ends(footage):
    mailbox = Mailbox()
    camera = runner(footage, mailbox)
    camera.start()
    frames = [frame for _, frame in letters(mailbox)]
    assert [frame and frame.index for frame in frames] == [0, 1, 2, 3, 4, None]
    assert camera.ended
    assert camera.fault is None
    assert camera.health.state == S.OK


def test_a_recording_that_cannot_be_played_ends_and_says_why(tmp_path, caplog):
    mailbox = Mailbox()
    camera = runner(tmp_path / "nowhere.mp4", mailbox)
    camera.start()
    assert [frame for _, frame in letters(mailbox)] == [None]
    assert "no such file" in str(camera.fault)
    assert caplog.text.count("no such file") == 1


def test_a_crash_is_logged_and_the_camera_opened_again(footage, monkeypatch, caplog):
    monkeypatch.setattr(module, "RETRY_FIRST_S", 0.01)
    opened = []

    def crash_twice(camera, clock, **told):
        opened.append(1)
        if len(opened) < 3:
            raise ZeroDivisionError
        return real(camera, clock, **told)

    real = module.open_source
    monkeypatch.setattr(module, "open_source", crash_twice)
    mailbox = Mailbox()
    camera = runner(footage, mailbox)
    camera.start()
    assert len(list(letters(mailbox))) == 6
    assert len(opened) == 3
    assert caplog.text.count("failed; trying again") == 2


def test_frames_go_on_counting_when_a_camera_is_back(monkeypatch, tmp_path):
    monkeypatch.setattr(module, "RETRY_FIRST_S", 0.01)
    real = module.open_source
    footage = record(tmp_path / "street.mp4", seconds=2)

    def lost_at_the_end(camera, clock, **told):
        yield from real(camera, clock, **told)
        raise SourceLost("gone")

    monkeypatch.setattr(module, "open_source", lost_at_the_end)
    mailbox = Mailbox()
    camera = runner(footage, mailbox)
    camera.start()
    frames = [mailbox.take(60)[1].index for _ in range(5)]
    camera.stop()
    assert frames == [0, 1, 2, 3, 4]


def test_a_black_recording_is_a_state(tmp_path):
    dark = record(
        tmp_path / "dark.mp4",
        seconds=60,
        fps=4,
        gop=4,
        pictures=lambda second, size: street(*size) * np.uint8(second < 1),
    )
    changes = []
    config = CameraConfig(id="gate", source=str(dark), real_time=True)
    camera = CameraRunner(config, Mailbox(), changes.append, Limits(black_s=1))
    camera.start()
    wait_for(lambda: camera.health.state == S.BLACK)
    camera.stop()
    assert [change.after for change in changes] == [S.OK, S.BLACK]


def test_it_stops_at_once_whatever_it_waits_for(footage, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "STOP_TIMEOUT_S", 60.0)
    monkeypatch.setattr(module, "retry_wait_s", lambda *_: 600.0)
    hours = record(tmp_path / "hours.mp4", seconds=7200, fps=Fraction(1, 60), gop=1)
    waiting_for_a_reader = runner(footage, Mailbox())
    waiting_to_try_again = runner(f"usb:{77}", Mailbox())
    waiting_for_time_to_pass = runner(hours, Mailbox(), real_time=True)
    cameras = [waiting_for_a_reader, waiting_to_try_again, waiting_for_time_to_pass]
    for camera in cameras:
        camera.start()
    time.sleep(0.5)
    for camera in cameras:
        camera.stop()
    names = [thread.name for thread in threading.enumerate()]
    assert "camera gate" not in names


@pytest.mark.parametrize(
    ("failures", "chance", "wait_s"),
    [(1, 1, 1), (2, 1, 2), (3, 0.5, 2), (7, 1, 60), (1000, 1, 60), (1000, 0, 0)],
)
def test_backoff(failures, chance, wait_s):
    assert retry_wait_s(failures, chance) == wait_s


def test_a_lost_camera_is_told_once(monkeypatch, caplog):
    monkeypatch.setattr(module, "RETRY_LAST_S", 0.02)
    camera = runner("http://127.0.0.1:9/video", Mailbox())
    with caplog.at_level(logging.INFO):
        camera.start()
        wait_for(lambda: camera._failures > 2)
        camera.stop()
    assert camera.health.state == S.UNREACHABLE
    assert caplog.text.count("Connection refused") == 1
