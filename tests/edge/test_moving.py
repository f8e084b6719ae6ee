from datetime import UTC, datetime, timedelta
from threading import Timer

import pytest

from edge.gps.fix import Fix
from edge.moving import Course, apart_m, moved

START = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
LAT, LON = 32.69, 109.02
KMH_36 = 36.0  # 10 m a second


def at_s(seconds):
    return START + timedelta(seconds=seconds)


def fix(seconds, north_m=0.0, speed_kmh=None, heading_deg=None):
    lat, lon = moved(LAT, LON, 0, north_m)
    return Fix(at_s(seconds), lat, lon, speed_kmh, heading_deg)


def driven(*seconds, course=None, late_s=None):
    """North at 10 m/s; `late_s`: so long after its time each fix arrives by our clock."""
    course = course or Course()
    for s in seconds:
        arrived = None if late_s is None else at_s(s + late_s)
        course.take(fix(s, 10 * s, KMH_36, 0.0), arrived)
    return course


def north_m(where):
    return apart_m(LAT, LON, where.lat, where.lon)


def test_between_two_fixes_the_place_is_between_them():
    where = driven(0, 1, 2).at(at_s(1.4))
    assert north_m(where) == pytest.approx(14, abs=0.01)
    assert (where.heading_deg, where.is_current) == (0, True)
    assert where.radius_m < 6


@pytest.mark.parametrize(("seconds", "metres"), [(2, 20), (3.5, 35), (5, 50)])
def test_shortly_after_the_last_fix_it_has_gone_on(seconds, metres):
    where = driven(0, 1, 2).at(at_s(seconds))
    assert north_m(where) == pytest.approx(metres, abs=0.01)
    assert where.is_current


def test_long_after_the_last_fix_only_that_one_is_known_with_a_radius():
    where = driven(0, 1, 2).at(at_s(62))
    assert not where.is_current
    assert north_m(where) == pytest.approx(20, abs=0.01)
    assert where.radius_m >= 60 * 14  # further than a car gets in a minute in a town
    assert where.heading_deg is None


def test_a_hole_between_fixes_is_not_filled():
    course = driven(0, 1, 60, 61)
    early, late = course.at(at_s(20)), course.at(at_s(58))
    assert not early.is_current
    assert north_m(early) == pytest.approx(10, abs=0.01)
    assert late.is_current
    assert north_m(late) == pytest.approx(600, abs=0.01)
    assert late.radius_m > 20


def test_before_any_fix_home_is_what_is_known_or_nothing():
    assert Course().at(START) is None
    where = Course(home=(LAT, LON)).at(START)
    assert (where.lat, where.is_current, where.radius_m) == (LAT, False, 100_000)


def test_a_frame_from_before_the_first_fix():
    course = driven(100, 101)
    assert course.at(at_s(99)).is_current
    assert not course.at(at_s(30)).is_current


def test_standing_keeps_the_last_heading():
    course = Course()
    course.take(fix(0, 0, 36, 90.0), None)
    course.take(fix(1, 10, 0.2, 271.0), None)
    assert course.at(at_s(1)).heading_deg == 90


def test_without_a_heading_the_way_tells_it():
    course = Course()
    for s in range(3):
        course.take(fix(s, -10 * s), None)
    assert course.at(at_s(2)).heading_deg == pytest.approx(180, abs=0.1)


def test_the_heading_turns_the_short_way():
    course = Course()
    course.take(fix(0, 0, 36, 350.0), None)
    course.take(fix(1, 10, 36, 10.0), None)
    assert course.at(at_s(0.5)).heading_deg == pytest.approx(0, abs=0.01)


def test_across_the_date_line():
    course = Course()
    course.take(Fix(at_s(0), 0.0, 179.9999), None)
    course.take(Fix(at_s(1), 0.0, -179.9999), None)
    assert abs(course.at(at_s(0.5)).lon) == pytest.approx(180, abs=1e-6)


@pytest.mark.parametrize("ahead_s", [3600, -45])
def test_a_wrong_clock_of_the_machine_moves_nothing(ahead_s):
    """Frames are dated by that clock; the fixes' lateness shows how wrong it is."""
    course = driven(*range(10), late_s=ahead_s + 0.2)
    where = course.at(at_s(5.4 + ahead_s + 0.2))
    assert north_m(where) == pytest.approx(54, abs=0.01)


def test_a_right_clock_is_believed():
    course = driven(*range(10), late_s=0.4)
    assert north_m(course.at(at_s(5))) == pytest.approx(50, abs=0.01)


def test_fixes_out_of_order_are_left_out():
    course = driven(0, 1, 2)
    course.take(fix(1.5, 500), None)
    assert north_m(course.at(at_s(1.5))) == pytest.approx(15, abs=0.01)


def test_waiting_ends_with_the_next_fix_or_the_last():
    course = driven(0, 1)
    assert not course.wait(at_s(1.5), 0.01)
    Timer(0.05, lambda: course.take(fix(2, 20), None)).start()
    assert course.wait(at_s(1.5), 5)
    assert not course.is_settled(at_s(9))
    course.end()
    assert course.is_settled(at_s(9))
