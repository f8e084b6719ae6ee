"""Days of a street, drawn hour by hour: what is built is told, what only passes is not."""

from datetime import UTC, datetime, timedelta
from functools import cache

import cv2
import numpy as np
import pytest

from edge.detect.building import BuildingWatch
from edge.detect.moment import Moment
from edge.detect.reference_views import ReferenceViews
from tests.edge.detect.scripted import box, street

BEGIN = datetime(2026, 5, 1, tzinfo=UTC)
STREET = cv2.resize(street(size=(640, 360)), (320, 180), interpolation=cv2.INTER_AREA)
SITE = (120, 60, 90, 70)
HOURS = range(7, 19, 2)


def lit(picture, day, hour, cloudy=None):
    """Sun from the left in the morning, a soft shadow that moves, every third day cloudy."""
    cloudy = day % 3 == 1 if cloudy is None else cloudy
    rng = np.random.default_rng([day, hour])
    gain = 0.75 if cloudy else 0.6 + 0.05 * min(hour - 6, 18 - hour)
    lit = picture.astype(np.float32) * gain
    if not cloudy:
        shadow = np.zeros(picture.shape[:2], np.float32)
        left = 20 + 18 * (hour - 7) + day % 3
        cv2.rectangle(shadow, (left, 100), (left + 60, 179), 1, -1)
        lit *= 1 - 0.35 * cv2.GaussianBlur(shadow, (9, 9), 0)[..., None]
    return (lit + rng.normal(0, 1.5, lit.shape)).clip(0, 255).astype(np.uint8)


def built(picture, share):
    """A shed whose walls have risen by `share`."""
    x, y, w, h = SITE
    top = y + h - max(round(h * share), 1)
    picture = picture.copy()
    cv2.rectangle(picture, (x, top), (x + w, y + h), (170, 110, 60), -1)
    for left in range(x, x + w, 9):
        cv2.line(picture, (left, top), (left, y + h), (90, 60, 30), 2)
    return picture


def play(days, draw, watch=None, passers=lambda day, hour: [], hints=()):
    """(day, hour, what was built) of every look; `draw(day, hour)` gives the street's picture."""
    watch = watch or BuildingWatch(UTC)
    told = []
    for day in days:
        for hour in HOURS:
            drawn = draw(day, hour)
            for minute in (5, 45):
                at = BEGIN + timedelta(days=day, hours=hour, minutes=minute)
                picture = drawn.copy()
                now = Moment(at, (at - BEGIN).total_seconds())
                there = watch.look(picture, picture.copy, passers(day, hour), hints, now)
            told.append((day, hour, there))
    return told


@cache
def shed(day, hour):
    if day < 4:
        return lit(STREET, day, hour)
    return lit(built(STREET, min((day - 3) / 5, 1.0)), day, hour)


def first(told):
    return next(((day, hour, there) for day, hour, there in told if there), None)


def test_what_goes_up_over_days_is_a_structure_with_its_first_day():
    told = play(range(14), shed)
    day, _, there = first(told)
    assert 6 <= day <= 7
    last = told[-1][2]
    assert len(last) == 1
    assert last[0].box.label == "illegal_structure"
    assert last[0].since.at.date() == (BEGIN + timedelta(days=4)).date()
    x, y, w, h = (value / scale for value, scale in zip(SITE, (320, 180, 320, 180), strict=True))
    assert abs(last[0].box.x - x) < 0.05
    assert abs(last[0].box.y - y) < 0.08
    assert abs(last[0].box.w - w) < 0.08
    assert abs(last[0].box.h - h) < 0.1
    assert there[0].since.at < BEGIN + timedelta(days=5)


def test_what_comes_at_once_and_stays_is_unknown_unless_the_detector_knows_it():
    def put(day, hour):
        return lit(built(STREET, 1.0) if day >= 4 else STREET, day, hour)

    assert [b.box.label for b in play(range(8), put)[-1][2]] == ["unknown_object"]
    hint = box("illegal_structure", 0.37, 0.33, 0.3, 0.4, score=0.2)
    labels = [b.box.label for b in play(range(8), put, hints=[hint])[-1][2]]
    assert labels == ["illegal_structure"]
    street_front = box("illegal_structure", 0.1, 0.1, 0.8, 0.8, score=0.2)
    labels = [b.box.label for b in play(range(8), put, hints=[street_front])[-1][2]]
    assert labels == ["unknown_object"]


def test_sun_cloud_and_season_alone_are_nothing():
    def turning(day, hour):
        green = STREET.astype(np.float32)
        green[40:90, 200:300] *= 1 - 0.02 * day
        return lit(green, day, hour)

    assert all(not there for *_, there in play(range(14), turning))


@pytest.mark.parametrize("hours", [10, 26])
def test_a_car_parked_for_a_day_is_nothing(hours):
    came = 5 * 24 + 8

    def parked(day, hour):
        is_there = came <= day * 24 + hour < came + hours
        return lit(built(STREET, 0.6) if is_there else STREET, day, hour)

    assert all(not there for *_, there in play(range(12), parked))


def test_what_the_detector_takes_for_a_vehicle_is_nothing_however_long():
    car = box("car", SITE[0] / 320, SITE[1] / 180, SITE[2] / 320, SITE[3] / 180)
    told = play(range(12), shed, passers=lambda day, hour: [car] if day >= 4 else [])
    assert all(not there for *_, there in told)


def test_snow_is_nothing_and_hides_no_shed():
    def snowy(day, hour):
        picture = built(STREET, 1.0) if day >= 4 else STREET
        picture = picture.copy()
        if day in (6, 7):
            picture[70:] = 225
        return lit(picture, day, hour)

    told = play(range(12), snowy)
    assert all(not there for day, _, there in told if day < 6)
    assert len(told[-1][2]) == 1


def test_what_is_open_is_never_learned():
    told = play(range(25), lambda day, hour: shed(min(day, 12), hour))
    assert all(there for day, _, there in told if day > 8)


def test_a_restart_forgets_nothing(tmp_path):
    play(range(6), shed, BuildingWatch(UTC, tmp_path))
    again = BuildingWatch(UTC, tmp_path)
    told = play(range(6, 9), shed, again)
    day, _, there = first(told)
    assert day <= 7
    assert there[0].since.at.date() == (BEGIN + timedelta(days=4)).date()
    before = again.before(there[0].since.at)
    assert before is not None
    assert before.taken_at < BEGIN + timedelta(days=1)
    assert before.image().shape == STREET.shape


def test_what_is_kept_is_bounded(tmp_path):
    play(range(12), shed, BuildingWatch(UTC, tmp_path))
    files = list(tmp_path.iterdir())
    assert len(files) <= 24 * 3 + 24 + 2
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize("name", ["index.json", "votes.npz", "view"])
def test_damage_on_the_disk_begins_anew(tmp_path, name, caplog):
    play(range(3), shed, BuildingWatch(UTC, tmp_path))
    for path in tmp_path.glob(f"{name}*"):
        path.write_bytes(path.read_bytes()[:40])
    told = play(range(3, 4), lambda day, hour: lit(STREET, day, hour), BuildingWatch(UTC, tmp_path))
    assert all(not there for *_, there in told)
    assert "begun anew" in caplog.text


def test_an_hour_is_compared_with_its_own(tmp_path):
    views = ReferenceViews(tmp_path)
    assert views.of(9, STREET.shape) == []
    play([0], shed, BuildingWatch(UTC, tmp_path))
    views = ReferenceViews(tmp_path)
    assert [view.hour for view in views.of(9, STREET.shape)] == [9]
    assert views.of(9, (90, 160)) == []
    assert views.before(BEGIN, 9) is None
