"""Scenes are painted on a textured picture; a thing is a patch of another texture."""

import cv2
import numpy as np
import pytest

from edge.detect.change import SceneChange
from edge.detect.thumbnail import thumbnail
from tests.edge.detect.scripted import box, moment, noisy, street

BASE = street()
THING = street(seed=99)[:60, :80] // 2 + 90
X, Y = 300, 200


def _with_thing(picture=BASE, x=X, y=Y):
    changed = picture.copy()
    changed[y : y + 60, x : x + 80] = THING
    return changed


def _play(draw, seconds, passers=lambda _: [], dwell_s=20.0):
    """`draw`: second → picture; gives the changes of every second, and the scene."""
    scene = SceneChange(dwell_s)
    looks = [
        scene.look(thumbnail(noisy(draw(t), t)), passers(t), moment(t)) for t in range(seconds)
    ]
    return looks, scene


def _lit(picture, gain):
    return np.clip(picture * gain, 0, 255).astype(np.uint8)


def test_nothing_new_is_nothing():
    looks, _ = _play(lambda _: BASE, 40)
    assert not any(looks)


def test_a_thing_put_down_is_found_where_it_is_and_since_when():
    looks, _ = _play(lambda t: _with_thing() if t >= 20 else BASE, 60)
    assert not any(looks[:21])
    assert all(len(look) == 1 for look in looks[28:])
    (change,) = looks[-1]
    assert change.since.t_s == pytest.approx(20, abs=2)
    assert change.box.x == pytest.approx(X / 640, abs=0.03)
    assert change.box.y == pytest.approx(Y / 360, abs=0.04)
    assert change.box.w == pytest.approx(80 / 640, abs=0.05)


def test_a_thing_is_never_learned_while_it_stays():
    looks, _ = _play(lambda t: _with_thing() if t >= 20 else BASE, 300)
    assert all(len(look) == 1 for look in looks[30:])


def test_a_thing_taken_away_again_is_gone_soon():
    looks, _ = _play(lambda t: _with_thing() if 20 <= t < 50 else BASE, 80)
    assert looks[48]
    assert not any(looks[54:])


def test_a_thing_that_was_there_first_and_goes_is_nothing_new():
    looks, scene = _play(lambda t: _with_thing() if t < 20 else BASE, 70)
    assert not any(looks)
    assert not scene._regions


def test_a_thing_put_where_another_was_taken_from_is_new():
    def draw(t):
        return _with_thing() if t < 20 else BASE if t < 60 else _with_thing(x=X + 10)

    looks, _ = _play(draw, 100)
    assert looks[-1]
    assert looks[-1][0].since.t_s == pytest.approx(60, abs=2)


@pytest.mark.parametrize(
    "gain",
    [
        pytest.param(lambda t: 0.6 if t >= 20 else 1.0, id="exposure jumps down"),
        pytest.param(lambda t: 1.25 if 20 <= t < 40 else 1.0, id="exposure jumps up and back"),
        pytest.param(lambda t: 1.0 - 0.7 * min(t / 60, 1), id="dusk"),
        pytest.param(lambda t: 0.75 + 0.25 * np.sin(t / 3), id="clouds"),
    ],
)
def test_light_is_not_a_thing(gain):
    looks, _ = _play(lambda t: _lit(BASE, gain(t)), 90)
    assert not any(looks)


def test_a_thing_is_found_through_dusk():
    def draw(t):
        return _lit(_with_thing() if t >= 30 else BASE, 1.0 - 0.6 * min(t / 60, 1))

    looks, _ = _play(draw, 90)
    assert len(looks[-1]) == 1
    assert looks[-1][0].since.t_s == pytest.approx(30, abs=2)


def _shaded(picture):
    shade = np.ones((360, 640, 1), np.float32)
    cv2.fillConvexPoly(shade, np.array([[150, 150], [450, 140], [520, 300], [180, 320]]), 0.55)
    return (picture * cv2.GaussianBlur(shade, (9, 9), 0)[..., None]).astype(np.uint8)


@pytest.mark.parametrize("falls", [True, False])
def test_a_shadow_that_falls_and_stays_or_leaves_is_not_a_thing(falls):
    looks, _ = _play(lambda t: _shaded(BASE) if (t >= 20) is falls else BASE, 80)
    assert not any(looks)


def test_a_grey_thing_in_the_sun_is_not_taken_for_light():
    def draw(t):
        picture = BASE.copy()
        if t >= 20:
            cv2.rectangle(picture, (X, Y), (X + 80, Y + 60), (225, 225, 225), -1)
            cv2.rectangle(picture, (X + 20, Y + 20), (X + 60, Y + 40), (30, 30, 30), -1)
        return picture

    looks, _ = _play(draw, 60)
    assert len(looks[-1]) == 1


def test_passers_by_are_not_things_even_without_a_detector():
    def draw(t):
        picture = BASE.copy()
        for n in range(6):
            x = (t * 70 + n * 131) % 640
            cv2.rectangle(picture, (x, 120 + 30 * n), (x + 25, 180 + 30 * n), (20, 30, 40), -1)
        return picture

    looks, _ = _play(draw, 90)
    assert not any(looks)


def test_a_thing_behind_passers_by_is_found():
    def draw(t):
        picture = _with_thing() if t >= 20 else BASE.copy()
        x = (t * 90) % 640
        cv2.rectangle(picture, (x, 150), (x + 30, 300), (20, 30, 40), -1)
        return picture

    looks, _ = _play(draw, 90)
    assert sum(bool(look) for look in looks[35:]) > 40


def test_a_van_that_parks_is_explained_by_its_detection():
    van = box("truck", X / 640, Y / 360, 80 / 640, 60 / 360)
    looks, _ = _play(
        lambda t: _with_thing() if t >= 20 else BASE, 90, lambda t: [van] if t >= 20 else []
    )
    assert sum(bool(look) for look in looks) < 5


def test_a_person_in_the_first_picture_leaves_no_ghost():
    person = box("person", X / 640, Y / 360, 80 / 640, 60 / 360)
    looks, _ = _play(
        lambda t: _with_thing() if t < 20 else BASE, 90, lambda t: [person] if t < 20 else []
    )
    assert not any(looks)


def test_a_knocked_camera_is_unsettled_then_begins_anew_without_a_storm():
    knocked = np.roll(BASE, (14, 40), (0, 1))

    def draw(t):
        return BASE if t < 30 else knocked if t < 70 else _with_thing(knocked, 200, 240)

    looks, scene = _play(draw, 110)
    assert not any(looks[:70])
    assert len(looks[-1]) == 1
    assert looks[-1][0].since.t_s == pytest.approx(70, abs=2)
    assert not scene.is_unsettled


def test_pieces_that_come_together_are_one_thing():
    def draw(t):
        return _with_thing(_with_thing(BASE, 250, 200), 345, 200) if t >= 20 else BASE

    looks, _ = _play(draw, 60)
    assert len(looks[-1]) == 1
    assert looks[-1][0].box.w > 150 / 640


def test_another_picture_size_begins_anew():
    looks, _ = _play(lambda t: BASE if t < 30 else cv2.resize(_with_thing(), (480, 360)), 60)
    assert not any(looks)
