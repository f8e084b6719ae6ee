"""Only what moved is looked at again, and nothing is lost by it."""

import numpy as np
import pytest

from edge.camera.frame import Whole
from edge.detect.detectors import open_detector
from edge.detect.glance import Gaze
from edge.detect.letterbox import letterbox
from edge.detect.manifest import Input
from edge.detect.motion import WHOLE_EVERY_S, MotionGate
from tests.edge.detect.scripted import box, street

PICTURE = np.zeros((360, 640, 3), np.uint8)
FAINT = 0.12


def moved(left, top, right, bottom):
    mask = np.zeros((180, 320), np.uint8)
    mask[round(top * 180) : round(bottom * 180), round(left * 320) : round(right * 320)] = 1
    return mask


class Told:
    """Says what it is told, of the whole and of a part; remembers where it was asked to look."""

    name, labels, side = "told", ("person", "garbage"), 640

    def __init__(self, whole, part):
        self.whole, self.part, self.parts = whole, part, []

    def detect(self, image, least=None):
        return self.whole

    def glance(self, image, part, least=None):
        self.parts.append(part)
        return self.part

    def threshold(self, label):
        return 0.25


def gazed(whole, part, where):
    detector = Told(whole, part)
    gaze = Gaze(
        detector,
        FAINT,
        lambda box: box.label in {"garbage", "street_vending"},
        lambda box: box.label == "person",
    )
    gaze.look(PICTURE, None)
    return gaze.look(PICTURE, where), detector.parts


HERE, THERE = box("bowl", 0.1, 0.5), box("bowl", 0.8, 0.5, score=0.6)
WALKER = box("person", 0.2, 0.3, 0.05, 0.3, 0.7)
HEAP = box("garbage", 0.1, 0.5, score=0.55)


def test_what_lies_in_the_part_is_seen_anew_and_the_rest_stays():
    fresher = box("bowl", 0.1, 0.5, score=0.4)
    seen, _ = gazed([HERE, THERE], [fresher], moved(0.1, 0.5, 0.2, 0.7))
    assert seen == [THERE, fresher]


def test_only_who_passes_is_gone_when_a_glance_does_not_see_it():
    seen, _ = gazed([HERE, THERE, WALKER], [], moved(0.1, 0.4, 0.24, 0.7))
    assert seen == [HERE, THERE]


@pytest.mark.parametrize("glanced", [[], [box("garbage", 0.1, 0.5, score=0.9)],
                                     [box("street_vending", 0.1, 0.5, score=0.9)]])  # fmt: skip
def test_what_lasts_keeps_the_name_that_the_whole_gave_it(glanced):
    seen, _ = gazed([HEAP, THERE], glanced, moved(0.05, 0.4, 0.24, 0.7))
    assert seen == [THERE, HEAP]


def test_who_stands_beside_what_moves_stays_and_asks_for_no_larger_part():
    beside = box("person", 0.2, 0.05, 0.05, 0.4, 0.7)
    seen, (part,) = gazed([beside], [], moved(0.1, 0.44, 0.4, 0.7))
    assert seen == [beside]
    assert part[1] > 0.3


def test_what_the_part_cuts_stays_and_is_not_seen_twice():
    wide = box("bowl", 0.1, 0.4, 0.6, 0.3)
    piece = box("bowl", 0.12, 0.42, 0.3, 0.25)
    other = box("person", 0.15, 0.45, 0.05, 0.2, 0.7)
    seen, _ = gazed([wide], [piece, other], moved(0.15, 0.45, 0.25, 0.6))
    assert seen == [wide, other]


def test_whoever_moves_is_looked_at_whole_with_some_picture_around():
    _, (part,) = gazed([WALKER], [WALKER], moved(0.22, 0.4, 0.3, 0.5))
    assert part[0] < 0.2
    assert part[1] < 0.3
    assert part[2] > 0.3
    assert part[3] > 0.6
    _, (other,) = gazed([WALKER], [WALKER], moved(0.6, 0.4, 0.65, 0.5))
    assert other[0] > 0.2


def test_where_a_glance_is_not_worth_it_the_whole_is_looked_at():
    seen, _ = gazed([HERE, THERE], None, moved(0.0, 0.0, 1.0, 1.0))
    assert seen == [HERE, THERE]


def small(at=None):
    picture = np.full((180, 320), 100, np.uint8)
    if at is not None:
        picture[80:110, at : at + 12] = 200
    return picture


def test_the_gate_says_where_it_moved_and_now_and_then_asks_for_the_whole():
    gate = MotionGate()
    wholes = []
    for t_s in range(12):
        assert gate.opens(small(100 + 3 * t_s), t_s, is_watched=False)
        if gate.moved is None:
            wholes.append(t_s)
        else:
            rows, columns = np.nonzero(gate.moved)
            assert 78 <= rows.min() <= rows.max() <= 111
            assert columns.min() >= 100 - 2
    assert wholes == [0, WHOLE_EVERY_S, 2 * WHOLE_EVERY_S]


def test_a_short_dwell_asks_for_the_whole_more_often():
    gate = MotionGate(whole_every_s=2.0)
    wholes = []
    for t_s in range(6):
        gate.opens(small(100 + 3 * t_s), t_s, is_watched=False)
        wholes += [t_s] if gate.moved is None else []
    assert wholes == [0, 2, 4]


def test_what_creeps_beside_what_moves_adds_up():
    gate = MotionGate()
    gate.opens(small(100), 0, is_watched=False)
    for t_s in range(1, int(WHOLE_EVERY_S)):
        picture = small(100 + 3 * t_s)
        picture[20:40, 250:270] += np.uint8(5 * t_s)
        gate.opens(picture, t_s, is_watched=False)
    assert gate.moved[20:40, 250:270].any()


@pytest.mark.parametrize("part", [(0.0, 0.0, 0.4, 0.4), (0.31, 0.4, 0.77, 0.93)])
def test_a_window_holds_the_part_in_whole_strides(part):
    whole = letterbox(640, 360, Input())
    window = whole.window(part, 32)
    assert (window.right - window.left) % 32 == (window.bottom - window.top) % 32 == 0
    assert 0 <= window.left <= part[0] * 640
    assert part[2] * 640 <= window.right <= 640
    assert 0 <= window.top <= 12 + part[1] * 360
    assert 12 + part[3] * 360 <= window.bottom <= 384


@pytest.mark.parametrize("size", [(640, 360), (640, 480), (360, 640)])
def test_where_each_size_costs_something_parts_come_in_a_few(size):
    whole, rng, seen = letterbox(*size, Input()), np.random.default_rng(0), set()
    for _ in range(300):
        (left, right), (top, bottom) = np.sort(rng.random((2, 2)))
        window = whole.window((left, top, right, bottom), 32, steps=3)
        seen.add((window.right - window.left, window.bottom - window.top))
        assert whole.left + left * size[0] >= window.left >= 0
        assert whole.left + right * size[0] <= window.right <= whole.input_width
        assert whole.top + top * size[1] >= window.top >= 0
        assert whole.top + bottom * size[1] <= window.bottom <= whole.input_height
    assert len(seen) == 9
    assert all(across % 32 == down % 32 == 0 for across, down in seen)


def test_a_network_sees_in_a_part_what_it_sees_in_the_whole():
    detector = open_detector("street-n")
    picture = Whole(street(seed=5)).sized(detector.side)
    whole = detector.detect(picture, 0.01)
    assert detector.glance(picture, (0.0, 0.0, 1.0, 1.0), 0.01) is None
    best = whole[0]
    assert best.w < 0.6
    around = (
        max(best.x - 0.1, 0), max(best.y - 0.15, 0),
        min(best.x + best.w + 0.1, 1), min(best.y + best.h + 0.15, 1),
    )  # fmt: skip
    found = detector.glance(picture, around, 0.005)
    assert any(abs(b.x - best.x) < 0.03 and abs(b.w - best.w) < 0.06 for b in found)
