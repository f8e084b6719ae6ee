"""Of every alert the last look that showed its place clean: never later than it was."""

import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.config import CameraConfig
from edge.detect.building import BuildingWatch
from edge.detect.clean_looks import CleanLooks
from edge.detect.watch import CLEAN_LOOKS, CameraWatch
from tests.edge.detect.scripted import START, Scripted, box, frames, moment, street
from tests.edge.detect.test_building import BEGIN, UTC, play, shed
from wire.status import CameraState
from wire.zone import ZoneConfig

LIKE = np.zeros((180, 320), np.uint8)
PLACE = box("garbage", 0.4, 0.4, 0.2, 0.2)
THING = street(seed=99)[:60, :80] // 2 + 90
HEAP = box("garbage", 300 / 640, 200 / 360, 80 / 640, 60 / 360)
TRUCK = box("truck", 0.4, 0.4, 0.35, 0.45, 0.9)
CAME = 100


def looked(seconds, hiding=lambda _: (), unlike=lambda _: LIKE):
    clean = CleanLooks()
    for t_s in range(seconds):
        clean.take(moment(t_s), hiding(t_s), unlike(t_s))
    return clean


def test_the_last_clean_look_lies_before_what_is_asked_for():
    clean = looked(60)
    assert clean.before(PLACE, moment(60)) == moment(59)
    assert clean.before(PLACE, moment(30)) == moment(29)
    assert clean.before(PLACE, moment(0)) is None
    assert CleanLooks().before(PLACE, moment(9)) is None


@pytest.mark.parametrize("hours", [0, 5])
def test_what_hides_a_place_leaves_the_look_before_it(hours):
    until = 40 + 3600 * hours
    clean = looked(60 + 3600 * hours, lambda t: [PLACE] if t >= 40 else [])
    assert clean.before(PLACE, moment(until + 10)) == moment(39)
    beside = box("garbage", 0.1, 0.1)
    assert clean.before(beside, moment(until + 10)) == moment(until + 9)


def test_a_change_without_a_name_is_not_clean():
    changed = LIKE.copy()
    changed[80:100, 140:170] = 1
    clean = looked(60, unlike=lambda t: changed if t >= 30 else LIKE)
    assert clean.before(PLACE, moment(60)) == moment(29)
    assert looked(60, unlike=lambda _: None).before(PLACE, moment(60)) is None


def test_a_place_of_which_half_was_never_seen_is_never_clean():
    half = box("car", 0.4, 0.4, 0.1, 0.2)
    assert looked(60, lambda _: [half]).before(PLACE, moment(60)) is None
    edge = box("car", 0.4, 0.4, 0.01, 0.2)
    assert looked(60, lambda _: [edge]).before(PLACE, moment(60)) == moment(59)


def test_a_time_before_all_that_is_remembered_is_not_made_up():
    assert looked(600).before(PLACE, moment(60)) is None


def watched(
    seen, draw, seconds=200, labels=None, sight=lambda _: CameraState.OK, kept=None, from_s=0
):
    """The alert of a camera with a dwell of 20 s; `seen`: second → what the detector says."""
    zone = ZoneConfig(id="all", dwell_s=20, **({"labels": labels} if labels else {}))
    watch = CameraWatch(
        CameraConfig(id="gate", zones=[zone]),
        Scripted(lambda n: seen(clock["now"])),
        references=kept,
    )
    clock = {"now": 0.0}
    events = []
    for frame in frames(seconds, draw=draw, from_s=from_s):
        clock["now"] = frame.t_s
        events += watch.look(replace(frame, sight=sight(frame.t_s)))
    return [event for event in events if event.state == "new"]


def scene(truck=(), heap_from=CAME):
    """A street where a heap lies from a second on; `truck`: seconds in which one hides it."""

    def draw(t_s):
        picture = street()
        if t_s >= heap_from:
            picture[200:260, 300:380] = THING
        if truck and truck[0] <= t_s < truck[1]:
            cv2.rectangle(picture, (256, 144), (480, 306), (30, 40, 150), -1)
            cv2.rectangle(picture, (270, 160), (330, 220), (220, 220, 220), -1)
        return picture

    return draw


def seconds(at):
    return (at - START).total_seconds()


WAYS = [
    pytest.param(lambda t: [HEAP] if t >= CAME else [], ["garbage"], id="by its class"),
    pytest.param(lambda t: [HEAP] if t >= CAME + 9 else [], ["garbage"], id="by its class, late"),
    pytest.param(lambda _: [], ["unknown_object"], id="by the change"),
]


@pytest.mark.parametrize(("seen", "labels"), WAYS)
def test_a_heap_put_down_in_plain_sight_was_clean_just_before(seen, labels):
    (alert,) = watched(seen, scene(), labels=labels)
    assert CAME - 6 <= seconds(alert.last_clean) < CAME
    assert alert.last_clean < alert.since


@pytest.mark.parametrize(("seen", "labels"), WAYS)
def test_behind_a_truck_the_place_was_clean_before_the_truck_came(seen, labels):
    here, gone = CAME - 40, CAME + 10

    def with_truck(t):
        return [TRUCK] if here <= t < gone else seen(t)

    (alert,) = watched(with_truck, scene((here, gone)), labels=labels)
    assert here - 6 <= seconds(alert.last_clean) < here
    assert seconds(alert.since) >= CAME


@pytest.mark.parametrize(("seen", "labels"), WAYS)
def test_while_nothing_could_be_judged_nothing_was_clean(seen, labels):
    def sight(t):
        return CameraState.BLACK if CAME - 50 <= t < CAME + 5 else CameraState.OK

    (alert,) = watched(seen, scene(), labels=labels, sight=sight)
    assert CAME - 56 <= seconds(alert.last_clean) < CAME - 50


def test_what_was_there_when_the_camera_began_was_never_seen_clean():
    (alert,) = watched(lambda _: [HEAP], scene(heap_from=0), labels=["garbage"])
    assert alert.last_clean is None


def test_what_the_detector_came_to_see_without_any_change_may_have_been_there_before():
    (alert,) = watched(lambda t: [HEAP] if t >= CAME else [], scene(heap_from=0))
    assert alert.last_clean is None


def test_of_what_was_built_over_days_the_last_comparison_without_it():
    (told,) = play(range(14), shed)[-1][2]
    began = (told.since.at - BEGIN).days
    assert began == 4
    assert told.clean.at < told.since.at
    assert (told.since.at - told.clean.at).total_seconds() <= 86_400


def test_the_last_comparison_outlives_a_restart(tmp_path):
    play(range(6), shed, BuildingWatch(UTC, tmp_path))
    (told,) = play(range(6, 14), shed, BuildingWatch(UTC, tmp_path))[-1][2]
    assert told.clean is not None
    assert (told.since.at - told.clean.at).total_seconds() <= 86_400


KILLED = """
import os, signal, sys
from pathlib import Path
from tests.edge.detect.test_clean_looks import scene, watched
watched(lambda t: [], scene(heap_from=10_000), seconds=200, kept=Path(sys.argv[1]))
os.kill(os.getpid(), signal.SIGKILL)
"""
RESTARTED = 230


def killed(folder):
    """An agent watched a clean street for 200 s, and was killed."""
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(folder)], cwd=Path.cwd(), check=False, timeout=120
    )
    assert done.returncode == -signal.SIGKILL


def after(folder, seen, draw, **more):
    return watched(
        seen, draw, RESTARTED + 30, labels=["garbage"], kept=folder, from_s=RESTARTED, **more
    )


def test_what_came_while_the_agent_was_killed_was_clean_before(tmp_path):
    killed(tmp_path)
    (alert,) = after(tmp_path, lambda _: [HEAP], scene(heap_from=0))
    assert 30 <= seconds(alert.last_clean) <= 200
    (again,) = after(tmp_path, lambda _: [HEAP], scene(heap_from=0))
    assert again.last_clean == alert.last_clean


def test_what_was_there_unseen_before_the_restart_was_never_clean(tmp_path):
    watched(lambda _: [], scene(heap_from=0), seconds=200, kept=tmp_path)
    (alert,) = after(tmp_path, lambda _: [HEAP], scene(heap_from=0))
    assert alert.last_clean is None


def test_a_camera_that_was_moved_has_no_clean_looks_of_before(tmp_path):
    watched(lambda t: [], scene(heap_from=10_000), seconds=200, kept=tmp_path)

    def sight(t):
        return CameraState.MOVED if t == RESTARTED else CameraState.OK

    (alert,) = after(tmp_path, lambda _: [HEAP], scene(heap_from=0), sight=sight)
    assert alert.last_clean is None


def test_a_broken_file_of_clean_looks_is_begun_anew(tmp_path, caplog):
    (tmp_path / CLEAN_LOOKS).write_bytes(b"PK\x03\x04 half")
    (alert,) = after(tmp_path, lambda _: [HEAP], scene(heap_from=0))
    assert alert.last_clean is None
    assert "clean looks cannot be read" in caplog.text
