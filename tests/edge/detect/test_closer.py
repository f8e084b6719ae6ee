from dataclasses import replace

import numpy as np
import pytest

from edge.camera.frame import Frame, Whole
from edge.config import CameraConfig
from edge.detect.closer import HIDDEN_SHARE, LARGEST, LOOKS, CloserLooks, part_around
from edge.detect.detection import Detection
from edge.detect.overlap import covered_share
from edge.detect.places import Sighting
from edge.detect.tracking import Tracker
from edge.detect.watch import CameraWatch
from tests.edge.detect.scripted import START, Scripted, box, frames, moment
from wire.zone import ZoneConfig

HEAP = box("garbage", 0.4, 0.5, score=0.5)
DWELL_S = 20.0
PICTURE = Whole(np.zeros((1080, 1920, 3), np.uint8))


class Closer:
    """Sees in closer looks at `HEAP` what `said` says, one entry a look."""

    name, labels, side = "closer", (), 640

    def __init__(self, *said):
        self.shapes = []
        self._said = list(said)

    def detect(self, image, least=None):
        self.shapes.append(image.shape[:2])
        said = self._said[min(len(self.shapes), len(self._said)) - 1]
        left, top, right, bottom = part_around(HEAP, 1 / 6)
        w, h = HEAP.w / (right - left), HEAP.h / (bottom - top)
        x, y = (HEAP.x - left) / (right - left), (HEAP.y - top) / (bottom - top)
        return [Detection(label, score, x, y, w, h) for label, score in said.items()]

    def glance(self, image, part, least=None):
        return None

    def threshold(self, label):
        return {"street_vending": 0.2, "garbage": 0.35}.get(label, 0.25)


def _played(detector, seconds, seen=(HEAP,), dwell_of=lambda _: DWELL_S, every_s=1.0):
    """The looks a camera takes at `seen`; gives the closer looks and the first thing's track."""
    closer, tracker, track = CloserLooks(detector), Tracker(), None
    for number in range(int(seconds / every_s) + 1):
        t_s = number * every_s
        tracks = tracker.update(seen, t_s)
        closer.look(Frame(PICTURE, START, t_s, number), tracks, dwell_of)
        track = tracks[0]
    return closer, track


def test_what_stays_is_looked_at_once_in_each_quarter_of_its_dwell():
    detector = Closer({"garbage": 0.5})
    for seconds, looks in ((4, 0), (5, 1), (9, 1), (10, 2), (15, 3), (60, LOOKS)):
        detector.shapes.clear()
        _played(detector, seconds)
        assert len(detector.shapes) == looks


def test_a_closer_look_shows_the_thing_and_what_is_around_it_as_the_camera_saw_it():
    detector = Closer({"garbage": 0.5})
    _played(detector, 5)
    assert detector.shapes == [(round(0.3 * 1080), round(0.3 * 1920))]


@pytest.mark.parametrize(
    ("said", "name", "score"),
    [
        ([{"garbage": 0.35, "street_vending": 0.3}], "street_vending", 0.3),
        ([{"garbage": 0.35, "street_vending": 0.24}], "garbage", HEAP.score),
        ([{"street_vending": 0.18}], "garbage", HEAP.score),
        ([{"street_vending": 0.6}, {"garbage": 0.7}, {}], "garbage", HEAP.score),
        ([{"street_vending": 0.66}, {"garbage": 0.35}, {}], "street_vending", 0.22),
        ([{"person": 0.9, "truck": 0.9}], "garbage", HEAP.score),
    ],
)
def test_the_name_is_the_one_that_closer_looks_are_surest_of_together(said, name, score):
    closer, track = _played(Closer(*said), DWELL_S)
    named = closer.named(track)
    assert named.box == replace(HEAP, label=name, score=pytest.approx(score))
    assert named.id == track.id


def test_what_none_of_them_sees_is_denied_but_only_once_all_were_taken():
    closer, track = _played(Closer({"garbage": 0.17}), 14)
    assert not closer.denies(closer.named(track), 0.0)
    closer, track = _played(Closer({"garbage": 0.17}), 15)
    assert closer.denies(closer.named(track), 0.0)
    closer, track = _played(Closer({"garbage": 0.18}), 15)
    assert not closer.denies(closer.named(track), 0.0)


def test_a_box_too_large_is_not_denied_for_what_lies_within_it():
    bag = box("garbage", 0.47, 0.6, 0.03, 0.06, score=0.4)
    camera = CameraConfig(id="gate", zones=[ZoneConfig(id="pavement", dwell_s=DWELL_S)])
    watch = CameraWatch(camera, Scripted(lambda _: [HEAP], lambda _: bag))
    told = [event.label for frame in frames(30) for event in watch.look(frame)]
    assert told == ["garbage"]


def test_where_more_is_asked_closer_looks_must_reach_it_too():
    closer, track = _played(Closer({"garbage": 0.45}), 15)
    assert not closer.denies(track, 0.45)
    assert closer.denies(track, 0.5)


def test_another_name_holds_since_the_thing_was_asked_for():
    for said, since in (({"street_vending": 0.5}, moment(0)), ({"garbage": 0.5}, None)):
        closer, track = _played(Closer(said), 15)
        named = closer.named(track).box
        assert closer.dated(Sighting(named, named.score), moment(15)).since == since


def test_a_stall_is_asked_for_anew_once_its_hours_are_over():
    stall_from_s = 60.0

    def dwell_of(thing):
        return DWELL_S if thing.label == "garbage" or t_s >= stall_from_s else None

    closer, tracker = CloserLooks(Closer({"street_vending": 0.5})), Tracker()
    for t_s in range(70):
        (track,) = tracker.update([HEAP], float(t_s))
        closer.look(Frame(PICTURE, START, float(t_s), t_s), [track], dwell_of)
    named = closer.named(track).box
    assert named.label == "street_vending"
    assert closer.dated(Sighting(named, 0.5), moment(69)).since == moment(stall_from_s - 1)


def test_what_fills_the_picture_or_what_nobody_asks_for_is_not_looked_at():
    detector = Closer({"garbage": 0.5})
    _played(detector, 60, [box("garbage", 0.2, 0.2, LARGEST / 1.4, 0.2)])
    _played(detector, 60, dwell_of=lambda _: None)
    assert detector.shapes == []


def test_nobody_walks_before_a_thing_that_is_looked_at():
    detector = Closer({"garbage": 0.5})
    closer, tracker = CloserLooks(detector), Tracker()
    for t_s in range(30):
        walker = box("person", 0.05 + 0.17 * ((t_s + 2) % 5), 0.4, 0.1, 0.4)
        tracks = tracker.update([HEAP, walker], t_s)
        before = len(detector.shapes)
        closer.look(Frame(PICTURE, START, float(t_s), t_s), tracks, lambda _: DWELL_S)
        if len(detector.shapes) > before:
            assert covered_share(HEAP, [walker]) < HIDDEN_SHARE
    assert len(detector.shapes) == LOOKS


def test_a_thing_that_is_no_longer_followed_is_looked_at_anew():
    detector = Closer({"street_vending": 0.5})
    closer, tracker = CloserLooks(detector), Tracker()
    for t_s in [*range(16), *range(40, 45)]:
        (track,) = tracker.update([HEAP], float(t_s))
        closer.look(Frame(PICTURE, START, float(t_s), t_s), [track], lambda _: DWELL_S)
    assert closer.named(track).box.label == "garbage"


def _events(closer, zone=None, seconds=30):
    zone = ZoneConfig(id="pavement", dwell_s=DWELL_S, **(zone or {}))
    camera = CameraConfig(id="gate", zones=[zone], time_zone="Asia/Shanghai")
    watch = CameraWatch(camera, Scripted(lambda _: [HEAP], closer))
    return [event for frame in frames(seconds) for event in watch.look(frame)]


def test_a_heap_that_is_a_stall_by_closer_looks_is_told_as_a_stall_on_time():
    (alert,) = _events(lambda seen: replace(seen, label="street_vending"))
    assert (alert.label, alert.t_s, alert.since) == ("street_vending", DWELL_S, START)


def test_a_stall_that_may_be_there_is_no_alert_though_it_looks_like_a_heap_from_afar():
    hours = {"allowed_hours": [{"from": "06:00", "until": "12:00"}]}
    assert _events(lambda seen: replace(seen, label="street_vending"), hours) == []


def test_nobody_is_told_of_what_closer_looks_do_not_see():
    assert _events(lambda _: None) == []
    assert [alert.label for alert in _events(lambda seen: seen)] == ["garbage"]


def test_a_house_front_that_closer_looks_doubt_is_no_structure():
    def watched(score):
        front = box("illegal_structure", 0.2, 0.2, 0.3, 0.3, score=0.6)
        detector = Scripted(lambda _: [front], lambda seen: replace(seen, score=score))
        zone = ZoneConfig(id="pavement", dwell_s=DWELL_S)
        watch = CameraWatch(CameraConfig(id="gate", zones=[zone]), detector)
        return [event.label for frame in frames(30) for event in watch.look(frame)]

    assert watched(0.55) == ["illegal_structure"]
    assert watched(0.45) == []
