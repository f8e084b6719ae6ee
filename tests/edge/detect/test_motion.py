import cv2
import numpy as np
import pytest

from edge.detect.motion import MotionGate, near
from edge.detect.thumbnail import grey, thumbnail
from tests.edge.detect.scripted import noisy, street
from wire.zone import WHOLE_PICTURE


def _small(draw=lambda _: None, number=0):
    picture = street()
    draw(picture)
    return grey(thumbnail(noisy(picture, number)))


def test_the_first_look_opens_and_a_quiet_street_stays_shut_until_the_next_relook():
    for is_watched, expected in ((True, [0, 10, 20, 30, 40, 50, 60]), (False, [0, 60])):
        gate = MotionGate()
        opened = [t for t in range(70) if gate.opens(_small(number=t), t, is_watched=is_watched)]
        assert opened == expected


@pytest.mark.parametrize(("height", "opens"), [(60, True), (20, True), (3, False)])
def test_a_thing_of_a_persons_size_opens_it(height, opens):
    gate = MotionGate()
    gate.opens(_small(), 0, is_watched=True)

    def draw(picture):
        cv2.rectangle(picture, (300, 200), (300 + height // 3, 200 + height), (0, 0, 0), -1)

    assert gate.opens(_small(draw, 1), 1, is_watched=True) is opens


def test_what_creeps_is_compared_with_the_picture_last_looked_at():
    gate = MotionGate()
    opened = 0
    for t_s in range(29):

        def draw(picture, t_s=t_s):
            cv2.circle(picture, (200 + t_s, 200), 15, (20, 20, 20), -1)

        opened += gate.opens(_small(draw, t_s), t_s, is_watched=False)
    assert opened >= 4


def test_a_busy_street_opens_every_time():
    gate = MotionGate()
    looks = [grey(thumbnail(street(seed))) for seed in range(10)]
    assert all(gate.opens(small, t_s, is_watched=False) for t_s, small in enumerate(looks))


def test_another_picture_size_opens_it():
    gate = MotionGate()
    gate.opens(np.zeros((180, 320), np.uint8), 0, is_watched=True)
    assert gate.opens(np.zeros((240, 320), np.uint8), 1, is_watched=True)


CORNER = [(0.0, 0.6), (0.3, 0.6), (0.3, 1.0), (0.0, 1.0)]


@pytest.mark.parametrize(
    ("at", "opens"), [((80, 300), True), ((220, 300), True), ((500, 300), False), ((80, 40), False)]
)
def test_what_moves_far_from_every_zone_does_not_open_it(at, opens):
    gate = MotionGate([CORNER])
    gate.opens(_small(), 0, is_watched=False)

    def draw(picture):
        cv2.circle(picture, at, 25, (0, 0, 0), -1)

    assert gate.opens(_small(draw, 1), 1, is_watched=False) is opens


def test_a_zone_that_is_the_whole_picture_costs_no_mask():
    assert near([WHOLE_PICTURE], (180, 320)) is None
