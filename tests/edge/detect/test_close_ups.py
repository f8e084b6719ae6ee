"""Parts of the picture looked at once more: nothing twice, nothing cut, everything in its place."""

import numpy as np
import pytest

from edge.config import CameraConfig
from edge.detect.close_ups import CloseUps, one_box_a_thing, with_close_ups
from edge.detect.detection import Detection
from edge.detect.watch import CameraWatch
from tests.edge.detect.scripted import Scripted, box, frames

PICTURE = np.zeros((1080, 1920, 3), np.uint8)
FAR = (0.4, 0.2, 0.8, 0.6)


class BySize:
    """Sees one thing in a picture of each width."""

    name, labels, side = "by size", ("street_vending",), 640

    def __init__(self, **seen):
        self.seen = {int(width.removeprefix("w")): box for width, box in seen.items()}
        self.asked = []

    def detect(self, image, least=None):
        self.asked.append(image.shape[:2])
        return [self.seen[image.shape[1]]] if image.shape[1] in self.seen else []

    def glance(self, image, part, least=None):
        return None

    def threshold(self, label):
        return 0.25


def stall(x, y, w, h, score=0.6):
    return Detection("street_vending", score, x, y, w, h)


def test_a_far_thing_is_found_where_it_is():
    inner = BySize(w768=stall(0.5, 0.5, 0.1, 0.2))
    (found,) = CloseUps(inner, [FAR]).detect(PICTURE)
    assert inner.asked == [(1080, 1920), (432, 768)]
    assert (found.x, found.y, found.w, found.h) == pytest.approx((0.6, 0.4, 0.04, 0.08))


def test_what_both_see_is_one_thing_in_the_surer_box():
    inner = BySize(w1920=stall(0.6, 0.4, 0.04, 0.08, 0.3), w768=stall(0.5, 0.5, 0.1, 0.2, 0.7))
    (found,) = CloseUps(inner, [FAR]).detect(PICTURE)
    assert found.score == 0.7


@pytest.mark.parametrize(
    ("at", "is_seen"),
    [((0.0, 0.5), False), ((0.9, 0.5), False), ((0.5, 0.0), False), ((0.45, 0.5), True)],
)
def test_what_an_inner_edge_cuts_is_left_to_the_look_at_the_whole(at, is_seen):
    inner = BySize(w768=stall(*at, 0.1, 0.2))
    assert bool(CloseUps(inner, [FAR]).detect(PICTURE)) is is_seen


def test_the_pictures_own_edge_cuts_nothing():
    inner = BySize(w960=stall(0.0, 0.8, 0.1, 0.2))
    assert CloseUps(inner, [(0.0, 0.5, 0.5, 1.0)]).detect(PICTURE)


def test_things_of_two_labels_may_lie_in_one_another():
    person, heap = box("person", 0.1, 0.1), box("garbage", 0.1, 0.1)
    assert len(one_box_a_thing([person, heap, heap])) == 2


def test_without_close_ups_nothing_changes():
    inner = BySize()
    assert with_close_ups(inner, []) is inner


def test_a_camera_looks_once_more_for_each_close_up():
    detector = Scripted(lambda _: [])
    watch = CameraWatch(CameraConfig(id="gate", close_ups=[FAR, FAR]), detector)
    watch.look(next(frames(1)))
    assert detector.calls == 3


@pytest.mark.parametrize("part", [(0.5, 0, 0.55, 1), (0.8, 0, 0.2, 1), (0, 0, 1.2, 1)])
def test_a_close_up_that_is_none_is_refused(part):
    with pytest.raises(ValueError, match="close_ups"):
        CameraConfig(id="gate", close_ups=[part])
