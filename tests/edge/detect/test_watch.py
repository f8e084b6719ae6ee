"""The whole look on made pictures and a scripted detector."""

import hashlib
from dataclasses import replace
from datetime import timedelta

import cv2
import numpy as np
import pytest

from edge.config import CameraConfig, Position
from edge.detect.watch import CameraWatch
from tests.edge.detect.scripted import START, Scripted, box, frames, street
from wire.status import CameraState
from wire.zone import ZoneConfig

HEAP = box("garbage", 0.4, 0.6, 0.15, 0.15)
PERSON = box("person", 0.42, 0.3, 0.06, 0.3)


def _camera(**more):
    zone = more.pop("zone", {})
    return CameraConfig(id="gate", zones=[ZoneConfig(id="all", **{"dwell_s": 20} | zone)], **more)


def _watched(script, seconds, camera=None, look_s=1.0, draw=None, closer=lambda seen: seen):
    watch = CameraWatch(camera or _camera(), Scripted(script, closer))
    events = []
    for frame in frames(seconds, look_s, draw):
        events += watch.look(frame)
    return events, watch


def test_a_thing_with_a_class_becomes_an_alert_with_its_evidence():
    events, _ = _watched(lambda _: [HEAP], 30, _camera(position=Position(lat=32.7, lon=109.0)))
    (alert,) = events
    assert (str(alert.state), alert.label, alert.matter) == ("new", "garbage", "06010")
    assert (alert.zone, alert.level, alert.t_s) == ("all", 1, 20)
    assert alert.since == START
    assert alert.at == START + timedelta(seconds=20)
    assert (alert.place.lat, alert.place.source) == (32.7, "camera")
    files = alert.developed().evidence
    assert [(f.role, f.sealed) for f in files] == [("clean", False), ("annotated", False)]
    assert all(hashlib.sha256(f.data).hexdigest() == f.sha256 for f in files)
    assert alert.id == "gate-20260506010000-1"


def test_the_zone_gives_matter_severity_and_labels():
    zone = {"matters": {"garbage": "06011"}, "severity": 3}
    events, _ = _watched(lambda _: [HEAP], 30, _camera(zone=zone))
    assert [(e.matter, e.level) for e in events] == [("06011", 3)]
    events, _ = _watched(lambda _: [HEAP], 30, _camera(zone={"labels": ["street_vending"]}))
    assert events == []


@pytest.mark.parametrize("look_s", [0.5, 2.0])
def test_the_rate_of_looks_does_not_change_the_dwell(look_s):
    events, _ = _watched(lambda _: [HEAP], 40, look_s=look_s)
    assert events[0].t_s == pytest.approx(20, abs=1)


def _gaps(script, draw=None, dwell_s=60, seconds=40):
    watch = CameraWatch(_camera(zone={"dwell_s": dwell_s}), Scripted(script))
    gaps = []
    for frame in frames(seconds, draw=draw):
        watch.look(frame)
        gaps.append(watch.gap_s)
    return gaps


def _with_a_walker(t_s):
    picture = street()
    cv2.rectangle(
        picture, (int(t_s * 11) % 600, 180), (int(t_s * 11) % 600 + 25, 250), (9, 9, 9), -1
    )
    return picture


@pytest.mark.parametrize(("dwell_s", "gap_s"), [(60, 4), (30, 2), (600, 4)])
def test_the_next_look_at_an_idle_street_may_wait(dwell_s, gap_s):
    gaps = _gaps(lambda _: [], dwell_s=dwell_s)
    assert gaps[:10] == [0] * 10
    assert gaps[12:] == [gap_s] * 28


def test_how_long_an_idle_street_waits_is_a_setting():
    watch = CameraWatch(_camera(zone={"dwell_s": 60}, idle_gap_s=0), Scripted(lambda _: []))
    for frame in frames(30):
        watch.look(frame)
        assert watch.gap_s == 0


def test_a_thing_that_is_timed_in_a_still_street_may_wait_too():
    assert _gaps(lambda _: [HEAP])[-1] == 4


def test_no_look_waits_while_something_moves():
    assert set(_gaps(lambda _: [], draw=_with_a_walker)) == {0}


def test_a_quiet_street_is_hardly_analysed_and_dwells_all_the_same():
    events, watch = _watched(lambda _: [HEAP], 60)
    assert [e.t_s for e in events] == [20]
    assert watch.looks == 60
    assert watch.analysed <= 8


def test_a_busy_street_is_always_analysed_and_alerts_all_the_same():
    def draw(t_s):
        rng = np.random.default_rng(int(t_s))
        picture = street()
        for _ in range(20):
            x, y = (int(v) for v in rng.integers(0, (600, 330)))
            colour = [int(v) for v in rng.integers(256, size=3)]
            cv2.rectangle(picture, (x, y), (x + 40, y + 30), colour, -1)
        return picture

    events, watch = _watched(lambda _: [HEAP], 40, draw=draw)
    assert watch.analysed == 40
    assert [(e.label, e.t_s) for e in events] == [("garbage", 20)]


def test_people_who_stand_and_talk_are_no_alert():
    talkers = [PERSON, replace(PERSON, x=0.5), box("handbag", 0.43, 0.45, 0.02, 0.05)]
    events, _ = _watched(lambda _: talkers, 90)
    assert events == []


def test_somebody_who_stays_beside_goods_is_a_stall_and_somebody_who_passes_is_not():
    goods = [box("bowl", 0.45, 0.5, 0.04, 0.04), box("dining table", 0.44, 0.5, 0.1, 0.1)]
    events, _ = _watched(lambda _: [PERSON, *goods], 40)
    assert [(e.label, e.matter, e.t_s) for e in events] == [("street_vending", "09006", 20)]

    def passes(call):
        return [replace(PERSON, x=0.1 + 0.8 * ((call * 0.13) % 1)), *goods]

    def draw(t_s):
        return np.roll(street(), int(t_s * 40), 1)

    events, _ = _watched(passes, 60, draw=draw)
    assert events == []


def test_permitted_hours_hold_for_vending_alone_and_end():
    stall = box("street_vending", 0.4, 0.4)
    morning = {"allowed_hours": [{"from": "06:00", "until": "09:01"}]}
    events, _ = _watched(lambda _: [stall, HEAP], 120, _camera(zone=morning))
    assert [(e.label, e.t_s) for e in events] == [("garbage", 20), ("street_vending", 80)]
    assert events[1].since == START + timedelta(seconds=60)


def _left_there(t_s):
    picture = street()
    if 20 <= t_s < 70:
        picture[200:260, 300:380] = street(seed=99)[:60, :80] // 2 + 90
    return picture


def test_a_thing_without_a_class_is_an_alert_too_and_ends():
    events, _ = _watched(lambda _: [], 120, draw=_left_there)
    assert [(str(e.state), e.label, e.matter) for e in events] == [
        ("new", "unknown_object", None),
        ("end", "unknown_object", None),
    ]
    assert events[0].t_s == pytest.approx(41, abs=3)
    assert (events[0].since - START).total_seconds() == pytest.approx(20, abs=2)
    assert [file.role for file in events[0].developed().evidence] == [
        "clean",
        "annotated",
        "before",
    ]
    assert events[1].t_s == pytest.approx(91, abs=4)
    assert [file.role for file in events[1].developed().evidence] == ["after"]


def test_a_thing_that_a_class_names_is_one_alert_with_that_name():
    named = box("garbage", 300 / 640, 200 / 360, 80 / 640, 60 / 360)
    second = [0.0]

    def draw(t_s):
        second[0] = t_s
        return _left_there(t_s)

    events, _ = _watched(lambda _: [named] if second[0] >= 30 else [], 65, draw=draw)
    assert [(str(e.state), e.label) for e in events] == [("new", "garbage")]


def test_a_black_picture_neither_alerts_nor_ends():
    def draw(t_s):
        return np.zeros((360, 640, 3), np.uint8) if 30 <= t_s < 80 else street()

    events, watch = _watched(lambda _: [HEAP], 100, draw=draw)
    assert [str(e.state) for e in events] == ["new"]
    assert watch.analysed < 20


def test_the_end_of_watching_ends_what_is_open():
    events, watch = _watched(lambda _: [HEAP], 30)
    (last,) = watch.finish(START + timedelta(seconds=30))
    assert (str(last.state), last.id, last.t_s) == ("end", events[0].id, 30)
    assert watch.finish(START) == []


def test_the_same_frames_give_the_same_events():
    def run():
        return _watched(lambda _: [HEAP], 50, draw=_left_there)[0]

    assert run() == run()


def test_a_house_is_no_illegal_structure_and_what_is_built_before_the_camera_is():
    def structure(score):
        return box("illegal_structure", 300 / 640, 200 / 360, 80 / 640, 60 / 360, score=score)

    assert _watched(lambda _: [structure(0.3)], 40)[0] == []
    assert [e.label for e in _watched(lambda _: [structure(0.6)], 40)[0]] == ["illegal_structure"]
    events, _ = _watched(lambda _: [structure(0.3)], 65, draw=_left_there)
    assert [(e.label, e.matter) for e in events] == [("illegal_structure", "06001")]


def _busy(t_s):
    """Something passes at every moment, and every look is analysed."""
    picture, left = street(), int(t_s * 67 % 500)
    picture[60:120, left : left + 40] = 240
    return picture


@pytest.mark.parametrize(("often", "seen"), [(0.42, 0), (0.58, 1)])
def test_a_house_is_judged_by_all_looks_not_by_its_best(often, seen):
    def script(call):
        score = 0.65 if call * often % 1 < often else 0.35
        return [box("illegal_structure", 300 / 640, 200 / 360, 80 / 640, 60 / 360, score=score)]

    events, _ = _watched(script, 60, draw=_busy, closer=lambda seen: replace(seen, score=0.65))
    assert [e.label for e in events] == ["illegal_structure"] * seen


def test_what_is_built_before_a_house_that_seemed_none_is_dated_by_itself():
    def house(_):
        return [box("illegal_structure", 300 / 640, 200 / 360, 80 / 640, 60 / 360, score=0.4)]

    (event,), _ = _watched(house, 65, draw=_left_there)
    assert event.since >= START + timedelta(seconds=20)


def test_two_names_in_one_look_are_weighed_by_all_looks():
    def script(call):
        stall = box("street_vending", 0.4, 0.5, score=0.45)
        heap = box("garbage", 0.4, 0.5, 0.1, 0.21, score=0.5 if call % 3 == 0 else 0.3)
        return [stall, heap]

    events, _ = _watched(script, 60, draw=_busy)
    assert [(str(e.state), e.label) for e in events] == [("new", "street_vending")]


def test_a_knocked_camera_keeps_its_alert():
    second = [0.0]

    def draw(t_s):
        second[0] = t_s
        return street() if t_s < 40 else np.roll(street(), (20, -90), (0, 1))

    def script(_):
        moved = (-90 / 640, 20 / 360) if second[0] >= 40 else (0.0, 0.0)
        return [box("garbage", 0.4 + moved[0], 0.6 + moved[1], 0.08, 0.08)]

    events, _ = _watched(script, 120, draw=draw)
    assert [(str(e.state), e.label) for e in events] == [("new", "garbage")]


def test_a_glimpse_of_a_heap_before_an_older_change_is_no_alert_of_its_own():
    def script(call):
        return [box("garbage", 0.2, 0.45, 0.5, 0.5)] if call == 4 else []

    events, _ = _watched(script, 68, draw=_left_there)
    assert {e.label for e in events} == {"unknown_object"}


@pytest.mark.parametrize("state", ["black", "dark", "over_exposed", "out_of_focus", "blocked"])
def test_no_alert_ends_or_begins_while_the_camera_is_blind(state):
    watch = CameraWatch(_camera(), Scripted(lambda n: [HEAP] if n < 4 else []))
    events = []
    for frame in frames(400):
        sight = CameraState(state) if frame.t_s >= 30 else CameraState.OK
        events += watch.look(replace(frame, sight=sight))
    assert [str(event.state) for event in events] == ["new"]


@pytest.mark.parametrize("leap", [timedelta(days=-400), timedelta(hours=8)])
def test_a_wall_clock_that_is_set_changes_no_dwell(leap):
    watch = CameraWatch(_camera(), Scripted(lambda _: [HEAP]))
    events = []
    for frame in frames(40):
        at = frame.at + (leap if frame.t_s >= 10 else timedelta())
        events += watch.look(replace(frame, at=at))
    assert [(str(event.state), event.t_s) for event in events] == [("new", 20)]


def test_a_stream_may_change_its_size_in_the_middle():
    def draw(t_s):
        return street(size=(640, 360) if t_s < 12 else (1280, 960))

    events, watch = _watched(lambda _: [HEAP], 40, draw=draw)
    assert [(str(event.state), event.t_s) for event in events] == [("new", 20)]
    assert watch.looks == 40


def test_building_is_told_of_structures_that_count_alone():
    sure, faint = (box("illegal_structure", 0.3, 0.3, 0.2, 0.2, score) for score in (0.4, 0.15))
    watch = CameraWatch(_camera(zone={"no_build": True}), Scripted(lambda _: [sure, faint]))
    told = []
    watch._building.look = lambda _picture, _whole, _passers, structures, _now: (
        told.extend(structures) or []
    )
    watch.look(next(iter(frames(1, 1.0))))
    assert [each.score for each in told] == [0.4]


@pytest.mark.parametrize("hours", [1, -1])
def test_an_alert_is_told_by_one_clock_even_when_that_is_set(hours):
    there = [HEAP]
    watch = CameraWatch(_camera(), Scripted(lambda _: list(there)))
    by, told = timedelta(hours=hours), []
    for frame in frames(90):
        if frame.t_s == 40:
            there.clear()
        now = replace(frame, at=frame.at + by) if frame.t_s >= 22 else frame
        told += [*watch.look(now), *(update for update, _ in watch.clips(now.at, now.t_s))]
    assert [str(event.state) for event in told] == ["new", "update", "end"]
    assert [event.since - START for event in told] == [timedelta(), by, by]
    assert [event.at - event.since for event in told] == [
        timedelta(seconds=event.t_s) for event in told
    ]
