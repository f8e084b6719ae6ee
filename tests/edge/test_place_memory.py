"""What places looked like: kept past the alert's end and a restart, bounded, private."""

import os
import stat
import threading
from dataclasses import replace
from datetime import timedelta

import pytest

from edge.detect.evidence import EvidenceFile, jpeg
from edge.detect.places import StayState
from edge.detect.watch import AlertEvent
from edge.place_memory import PlaceMemory
from tests.edge.detect.scripted import START, box, street

HEAP = box("garbage", 0.4, 0.4, 0.2, 0.3)


def event(name="gate-1", state=StayState.NEW, roles=("clean", "before")):
    files = tuple(
        EvidenceFile(role, "image/jpeg", jpeg(street(seed)), START)
        for seed, role in enumerate(roles)
    )
    return AlertEvent(
        id=name, state=state, label="garbage", matter="06010", zone="all", at=START,
        since=START - timedelta(minutes=1), t_s=60.0, score=0.8, boxes=(HEAP,), place=None,
        level=1, evidence=files,
    )  # fmt: skip


def test_a_place_is_remembered_with_and_without_the_thing(tmp_path):
    PlaceMemory(tmp_path).keep(event(), "gate")
    known = PlaceMemory(tmp_path).recall("gate-1")
    assert (known.camera, known.place.label) == ("gate", "garbage")
    assert (known.place.box.x, known.place.box.h) == (0.4, 0.3)
    # 0.2 x 0.3 of 640 x 360 with three quarters of it on each side.
    assert known.place.with_it.image.shape[:2] == pytest.approx((270, 320), abs=2)
    assert (known.place.with_it.image != known.place.without_it.image).any()
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in tmp_path.iterdir())


def test_a_thing_that_always_stood_there_has_no_picture_without_it(tmp_path):
    memory = PlaceMemory(tmp_path)
    memory.keep(event(roles=("clean",)), "gate")
    assert memory.recall("gate-1").place.without_it is None
    memory.keep(event("gate-2", StayState.END), "gate")
    assert memory.recall("gate-2") is None


def test_pictures_that_come_later_complete_the_place(tmp_path):
    memory = PlaceMemory(tmp_path)
    memory.keep(event(roles=()), "gate")
    assert memory.recall("gate-1").place.with_it is None
    memory.keep(event(state=StayState.UPDATE), "gate")
    memory.keep(event(state=StayState.UPDATE, roles=("clip",)), "gate")
    assert memory.recall("gate-1").place.with_it is not None


def test_who_asks_while_the_pictures_are_being_made_waits_for_them(tmp_path):
    memory = PlaceMemory(tmp_path)
    memory.keep(replace(event(roles=()), develop=tuple), "gate")
    memory.keep(event(state=StayState.END, roles=()), "gate")
    asked = threading.Event()
    known = []

    def ask():
        asked.set()
        known.append(memory.recall("gate-1"))

    asking = threading.Thread(target=ask)
    asking.start()
    assert asked.wait(5)
    asking.join(0.2)
    assert known == []
    memory.keep(event(state=StayState.UPDATE), "gate")
    asking.join(5)
    assert known[0].place.with_it is not None


def test_pictures_that_never_come_are_not_waited_for_twice(tmp_path, monkeypatch):
    monkeypatch.setattr("edge.place_memory.PICTURES_S", 0.05)
    memory = PlaceMemory(tmp_path)
    memory.keep(replace(event(roles=()), develop=tuple), "gate")
    assert memory.recall("gate-1").place.with_it is None
    monkeypatch.setattr("edge.place_memory.PICTURES_S", 60)
    assert memory.recall("gate-1").place.with_it is None


def test_nobody_waits_for_the_picture_of_an_end(tmp_path, caplog):
    memory = PlaceMemory(tmp_path)
    memory.keep(replace(event(roles=()), develop=tuple), "gate")
    memory.keep(event(state=StayState.UPDATE), "gate")
    memory.keep(replace(event(state=StayState.END, roles=()), develop=tuple), "gate")
    assert memory.recall("gate-1").place.without_it is not None
    assert "in vain" not in caplog.text


def test_the_oldest_places_are_forgotten(tmp_path):
    memory = PlaceMemory(tmp_path, most=2)
    for number in range(4):
        memory.keep(event(f"gate-{number}"), "gate")
        os.utime(tmp_path / f"gate-{number}.json", (number, number))
    memory.keep(event("gate-4"), "gate")
    assert [name for name in range(5) if memory.recall(f"gate-{name}")] == [3, 4]
    assert len(list(tmp_path.iterdir())) == 6


@pytest.mark.parametrize("name", ["", "nothing", "../gate-1", "gate-1/x"])
def test_an_unknown_name_is_no_place(tmp_path, name):
    memory = PlaceMemory(tmp_path / "places")
    memory.keep(event(), "gate")
    assert memory.recall(name) is None
