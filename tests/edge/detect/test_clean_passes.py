"""A patrol car comes by again and again: the last pass that showed a place clean is known."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from edge.detect.clean_passes import CleanPasses
from edge.detect.passing import PassingWatch
from edge.gps.fix import Fix
from edge.moving import Course, moved
from tests.edge.detect.scripted import START, Scripted, frames
from tests.edge.detect.test_passing import LAT, LON, LOOKS_PER_S, Drive, camera, degrees, seen

HEAP = (60.0, 3.0)
HOUR = 3600


def patrol(passes, folder, drive=None, lorry=False):
    """New alerts of every pass; `passes`: (hours after the start, the things that lie there)."""
    drive = drive or Drive()
    label = "truck" if lorry else "garbage"
    found = []
    for hours, things in passes:
        begin = START + timedelta(hours=hours)
        course, told = Course(), 0
        boxes = [
            [box for thing in things if (box := seen(drive, n / LOOKS_PER_S, thing, label=label))]
            for n in range(int((drive.seconds + 3) * LOOKS_PER_S))
        ]
        watch = PassingWatch(
            camera(), Scripted(lambda n, boxes=boxes: boxes[n]), course,
            is_recorded=False, folder=folder,
        )  # fmt: skip
        events = []
        for frame in frames(drive.seconds + 3, 1 / LOOKS_PER_S):
            at = begin + timedelta(seconds=frame.t_s)
            while told <= frame.t_s:
                east, north, heading = drive.at(told)
                where = degrees(east, north)
                fix = Fix(begin + timedelta(seconds=told), *where, drive.speed_ms * 3.6, heading)
                course.take(fix, None)
                told += 1
            events += watch.look(replace(frame, at=at))
        events += watch.finish(begin + timedelta(seconds=drive.seconds + 3))
        found.append([event for event in events if event.state == "new"])
    return found


def hours(alert):
    return (alert.last_clean - START).total_seconds() / HOUR


def test_a_heap_names_the_last_pass_on_which_it_was_not_there(tmp_path):
    *_, first, again = patrol([(0, []), (24, []), (30, [HEAP]), (48, [HEAP])], tmp_path)
    assert hours(first[0]) == pytest.approx(24, abs=0.02)
    assert hours(again[0]) == pytest.approx(24, abs=0.02), "a pass with the heap is not clean"


def test_once_cleared_a_pass_is_clean_again(tmp_path):
    *_, again = patrol([(0, []), (5, [HEAP]), (10, []), (20, [HEAP])], tmp_path)
    assert hours(again[0]) == pytest.approx(10, abs=0.02)


def test_the_other_lane_the_other_way_sees_the_same_road(tmp_path):
    patrol([(0, [])], tmp_path, Drive(west=True))
    ((alert,),) = patrol([(3, [HEAP])], tmp_path)
    assert hours(alert) == pytest.approx(0, abs=0.02)


def test_where_nobody_has_passed_nothing_was_clean(tmp_path):
    ((alert,),) = patrol([(0, [HEAP])], tmp_path)
    assert alert.last_clean is None


def test_behind_a_parked_lorry_the_road_was_not_seen(tmp_path):
    around = [(HEAP[0] + dx, HEAP[1] + dy) for dx in range(-12, 13, 2) for dy in (-2, 0, 2)]
    patrol([(0, around)], tmp_path, lorry=True)
    ((alert,),) = patrol([(3, [HEAP])], tmp_path)
    assert alert.last_clean is None


def test_what_flickered_once_was_not_clean_either(tmp_path):
    passes = CleanPasses()
    spots = [moved(LAT, LON, bearing, away) for bearing in range(0, 360, 20) for away in (0, 5, 9)]
    passes.take(spots, 0.0)
    passes.take(spots, 1000.0)
    passes.spoil(LAT, LON, 1001.0)
    assert passes.before(LAT, LON, 2000.0) == 0.0
    assert passes.before(LAT, LON, 200.0) is None, "the pass that goes on is none before it"


def test_what_is_kept_outlives_a_restart_and_a_broken_file(tmp_path):
    passes = CleanPasses(tmp_path)
    spots = [moved(LAT, LON, bearing, away) for bearing in range(0, 360, 20) for away in (0, 5, 9)]
    passes.take(spots, 1000.0)
    passes.keep(1001.0)
    assert CleanPasses(tmp_path).before(LAT, LON, 9000.0) == 1000.0
    (tmp_path / "passes.npz").write_bytes(b"rubbish")
    assert CleanPasses(tmp_path).before(LAT, LON, 9000.0) is None


def test_no_more_is_kept_than_a_few_megabytes(tmp_path, monkeypatch):
    monkeypatch.setattr("edge.detect.clean_passes.MOST", 100)
    passes = CleanPasses(tmp_path)
    for n, away in enumerate(np.arange(0, 2000, 5.0).tolist()):
        passes.take([moved(LAT, LON, 90, away)], 1000.0 + n)
    passes.keep(2000.0)
    assert len(passes._passes) == 100
