import time

import pytest

from edge.clip_maker import WAITING_MOST, ClipMaker
from edge.config import CameraConfig
from edge.detect.album import Shot
from edge.detect.clip import Clip
from edge.detect.faces import NoFinder
from edge.detect.places import StayState
from edge.detect.watch import AlertEvent
from tests.edge.detect.scripted import START
from tests.edge.detect.test_clip import _shots

CAMERA = CameraConfig(id="gate")
GOOD = Clip("gate", _shots(range(2)))


def update(name):
    return AlertEvent(
        name, StayState.UPDATE, "garbage", None, "all", START, START, 1.0, 0.5, (), None, 1, ()
    )


@pytest.fixture
def told():
    return []


@pytest.fixture
def maker(told):
    made = ClipMaker(NoFinder(), lambda event, _: told.append(event))
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
        maker.add(update(name), GOOD, CAMERA)
    until_idle(maker)
    assert [(event.id, [file.role for file in event.evidence]) for event in told] == [
        ("a-1", ["clip"]), ("a-2", ["clip"])
    ]  # fmt: skip


def test_a_clip_that_cannot_be_made_stops_no_other(maker, told, caplog):
    class Broken:
        def find(self, image, side=0):
            raise RuntimeError("the net failed")

    maker.start()
    maker.add(update("a-1"), Clip("gate", (Shot(0, START, b"broken", ()),)), CAMERA)
    until_idle(maker)
    good, maker._finder = maker._finder, Broken()
    maker.add(update("a-2"), GOOD, CAMERA)
    until_idle(maker)
    maker._finder = good
    maker.add(update("a-3"), GOOD, CAMERA)
    until_idle(maker)
    assert [event.id for event in told] == ["a-3"]
    assert "no clip of a-1" in caplog.text
    assert "no clip of a-2" in caplog.text


def test_more_than_can_wait_are_not_made_and_nobody_waits(maker, caplog):
    began = time.monotonic()
    for number in range(WAITING_MOST + 1):
        maker.add(update(f"a-{number}"), GOOD, CAMERA)
    assert time.monotonic() - began < 1
    assert f"no clip of a-{WAITING_MOST}" in caplog.text
