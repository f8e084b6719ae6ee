import time

import pytest

from edge.config import CameraConfig
from edge.darkroom import Darkroom
from edge.detect.evidence import EvidenceFile
from edge.detect.places import StayState
from edge.detect.watch import AlertEvent
from tests.edge.detect.scripted import START

CAMERA = CameraConfig(id="gate")
MOST = 4


def update(name):
    return AlertEvent(
        name, StayState.UPDATE, "garbage", None, "all", START, START, 1.0, 0.5, (), None, 1
    )


def clip():
    return (EvidenceFile("clip", "video/mp4", b"film", START),)


def failing(fault):
    def develop():
        raise fault

    return develop


@pytest.fixture
def told():
    return []


@pytest.fixture
def maker(told):
    made = Darkroom("clip", lambda event, _: told.append(event), priority=1, waiting_most=MOST)
    yield made
    made.stop()


def until_idle(maker):
    deadline = time.monotonic() + 60
    while not maker.is_idle:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_each_clip_comes_with_its_alerts_update(maker, told):
    maker.start()
    for name in ("a-1", "a-2"):
        maker.add(update(name), clip, CAMERA)
    until_idle(maker)
    assert [(event.id, [file.role for file in event.evidence]) for event in told] == [
        ("a-1", ["clip"]), ("a-2", ["clip"])
    ]  # fmt: skip


def test_what_cannot_be_made_stops_nothing_else(maker, told, caplog):
    maker.start()
    maker.add(update("a-1"), failing(OSError("no room")), CAMERA)
    maker.add(update("a-2"), failing(RuntimeError("the net failed")), CAMERA)
    maker.add(update("a-3"), clip, CAMERA)
    until_idle(maker)
    assert [event.id for event in told] == ["a-3"]
    assert "no clip of a-1: no room" in caplog.text
    assert "no clip of a-2" in caplog.text


def test_more_than_can_wait_are_not_made_and_nobody_waits(maker, caplog):
    for number in range(MOST + 1):  # nothing is taken out: who waited would wait for ever
        maker.add(update(f"a-{number}"), clip, CAMERA)
    assert f"no clip of a-{MOST}" in caplog.text


def test_what_waits_is_made_before_the_end(maker, told):
    for number in range(MOST):
        maker.add(update(f"a-{number}"), clip, CAMERA)
    maker.start()
    maker.stop()
    assert len(told) == MOST
