"""A car drives along a street of heaps with known places, seen as a pinhole camera sees them."""

import math
from datetime import timedelta

import pytest

from edge.config import CameraConfig, Mount
from edge.detect.detection import Detection
from edge.detect.passing import PassingWatch, spot_of
from edge.gps.fix import Fix
from edge.moving import Course, Whereabouts, apart_m, moved
from tests.edge.detect.scripted import START, Scripted, frames

LAT, LON = 32.69, 109.02
MOUNT = Mount(height_m=1.6, tilt_deg=6, fov_deg=70)
ASPECT = 640 / 360
LOOKS_PER_S = 2.0


def camera(**position):
    return CameraConfig(
        id="dash", position={"from": "gps", "mount": MOUNT.model_dump(), **position},
        zones=[{"id": "all", "labels": ["garbage", "street_vending", "illegal_structure"]}],
    )  # fmt: skip


class Drive:
    """Along a road to the east from the origin, or back; metres at a second of the drive."""

    def __init__(self, kmh=18.0, length_m=120.0, west=False, lane_m=-1.5):
        self.speed_ms, self.length_m, self.west, self.lane_m = kmh / 3.6, length_m, west, lane_m
        self.seconds = length_m / self.speed_ms

    def at(self, t_s):
        east = t_s * self.speed_ms
        if self.west:
            return self.length_m - east, -self.lane_m, 270.0
        return east, self.lane_m, 90.0


def degrees(east_m, north_m):
    lat, lon = moved(LAT, LON, 0, north_m)
    return moved(lat, lon, 90, east_m)


def seen(drive, t_s, thing, label="garbage", score=0.7):
    """The box of a thing one metre high and two wide, as a pinhole camera sees it; None outside."""
    x, y, heading = drive.at(t_s)
    east, north = thing[0] - x, thing[1] - y
    turn = math.radians(heading)
    forward = east * math.sin(turn) + north * math.cos(turn)
    right = east * math.cos(turn) - north * math.sin(turn)
    if forward < 1.0:
        return None
    focal, tilt = 0.5 / math.tan(math.radians(MOUNT.fov_deg) / 2), math.radians(MOUNT.tilt_deg)

    def pixel(height):
        below = MOUNT.height_m - height
        depth = forward * math.cos(tilt) + below * math.sin(tilt)
        down = below * math.cos(tilt) - forward * math.sin(tilt)
        return 0.5 + focal * right / depth, 0.5 + focal * down / depth * ASPECT, focal / depth

    x0, foot, size = pixel(0.0)
    _, top, _ = pixel(1.0)
    if not (0.02 < x0 < 0.98 and foot < 0.98):
        return None
    return Detection(label, score, x0 - size, top, 2 * size, foot - top)


def pass_by(drive, things, course=None, cam=None, until_s=None, fix_until_s=None, **script):
    """All alerts of one drive past things; the receiver says a fix a second, as one does."""
    seconds = until_s or drive.seconds + 3
    course = course or Course()
    boxes = [
        [b for thing in things if (b := seen(drive, n / LOOKS_PER_S, thing, **script))]
        for n in range(int(seconds * LOOKS_PER_S))
    ]
    watch = PassingWatch(cam or camera(), Scripted(lambda n: boxes[n]), course, is_recorded=False)
    events, told = [], 0
    for frame in frames(seconds, 1 / LOOKS_PER_S):
        while told <= frame.t_s and told <= (math.inf if fix_until_s is None else fix_until_s):
            east, north, heading = drive.at(told)
            fix = Fix(START + timedelta(seconds=told), *degrees(east, north), drive.speed_ms * 3.6,
                      heading)  # fmt: skip
            course.take(fix, None)
            told += 1
        events += watch.look(frame)
    return events + watch.finish(START + timedelta(seconds=seconds))


def news(events):
    return [event for event in events if event.state == "new"]


def off_m(event, thing):
    return apart_m(event.place.lat, event.place.lon, *degrees(*thing))


HEAP = (60.0, 3.0)


@pytest.mark.parametrize("kmh", [8, 18, 30])
@pytest.mark.parametrize("west", [False, True])
def test_a_heap_that_is_passed_is_one_alert_at_its_place(kmh, west):
    events = pass_by(Drive(kmh, west=west), [HEAP])
    (alert,) = news(events)
    assert (alert.label, alert.place.source) == ("garbage", "vehicle")
    assert off_m(alert, HEAP) < 3
    assert alert.place.acc_m <= 15
    assert [e.state for e in events] == ["new", "end"]
    assert {file.role for file in alert.developed().evidence} == {"clean", "annotated"}


def test_two_heaps_thirty_metres_apart_are_two():
    far = (90.0, 3.0)
    alerts = news(pass_by(Drive(), [HEAP, far]))
    assert len(alerts) == 2
    assert sorted(min(off_m(a, HEAP), off_m(a, far)) < 3 for a in alerts) == [True, True]
    assert apart_m(*(v for a in alerts for v in (a.place.lat, a.place.lon))) > 25


def test_two_heaps_in_one_picture_stay_two_however_near():
    assert len(news(pass_by(Drive(kmh=10), [HEAP, (60.0, 8.0)]))) == 2


def test_what_was_seen_in_too_few_looks_is_no_alert():
    drive = Drive()
    boxes = [[b] if n in (18, 19) and (b := seen(drive, n / 2, HEAP)) else [] for n in range(60)]
    watch = PassingWatch(camera(), Scripted(lambda n: boxes[n]), driven_course(drive),
                         is_recorded=True)  # fmt: skip
    assert any(boxes)
    assert [e for frame in frames(30, 0.5) for e in watch.look(frame)] == []
    assert watch.finish(START) == []


def driven_course(drive):
    course = Course()
    for t_s in range(int(drive.seconds) + 5):
        east, north, heading = drive.at(t_s)
        at = START + timedelta(seconds=t_s)
        course.take(Fix(at, *degrees(east, north), drive.speed_ms * 3.6, heading), None)
    course.end()
    return course


@pytest.mark.parametrize("kmh", [8, 18, 30])
def test_a_thing_that_drives_along_is_no_thing_of_the_street(kmh):
    """A cart pushed ahead of the car has no place to be an alert at."""
    drive = Drive(kmh)
    ahead = [
        [b for b in [seen(drive, n / 2, (drive.at(n / 2)[0] + 12, 0))] if b] for n in range(120)
    ]
    watch = PassingWatch(camera(), Scripted(lambda n: ahead[n]), driven_course(drive),
                         is_recorded=True)  # fmt: skip
    events = [e for frame in frames(drive.seconds, 0.5) for e in watch.look(frame)]
    assert [*events, *watch.finish(START)] == []


def test_no_fix_for_long_says_the_last_place_and_how_far_it_may_be_off():
    """The receiver falls silent after 1 s; the heap is passed after 10 s."""
    (alert,) = news(pass_by(Drive(), [HEAP], fix_until_s=1))
    assert alert.place.source == "last"
    assert off_m(alert, (5, -1.5)) < 1
    assert alert.place.acc_m > off_m(alert, HEAP)


def test_a_receiver_that_falls_silent_while_a_heap_is_seen_makes_no_second_one():
    (alert,) = news(pass_by(Drive(), [HEAP], fix_until_s=4))
    assert alert.place.source == "vehicle"
    assert off_m(alert, HEAP) < alert.place.acc_m


def test_never_a_fix_is_told_once_there_is_one():
    drive, course = Drive(), Course()
    boxes = [[b] if (b := seen(drive, n / 2, HEAP)) else [] for n in range(60)]
    watch = PassingWatch(camera(), Scripted(lambda n: boxes[n]), course, is_recorded=False)
    events = []
    for frame in frames(30, 0.5):
        if frame.t_s == 20:
            assert events == []
            course.take(Fix(frame.at, *degrees(100, 0)), None)
        events += watch.look(frame)
    (alert,) = news(events)
    assert alert.place.source == "last"
    assert alert.place.acc_m > 40


def test_a_house_needs_to_be_sure_and_a_standing_car_tells_after_a_while():
    assert news(pass_by(Drive(), [HEAP], label="illegal_structure", score=0.4)) == []
    assert len(news(pass_by(Drive(), [HEAP], label="illegal_structure", score=0.6))) == 1
    still = Drive(kmh=1e-3, length_m=0.02)
    alerts = news(pass_by(still, [(9.0, 1.0)], until_s=20))
    assert len(alerts) == 1
    assert (alerts[0].at - START).total_seconds() <= 8


@pytest.mark.parametrize("away_m", [6, 12, 20])
@pytest.mark.parametrize("right_m", [-3, 0, 4])
def test_the_mount_maps_the_road(away_m, right_m):
    drive = Drive(lane_m=0)
    box = seen(drive, 0, (away_m, -right_m))
    spot = spot_of(box, 16 / 9, Whereabouts(*degrees(0, 0), 5.0, 90.0), MOUNT)
    assert apart_m(spot.lat, spot.lon, *degrees(away_m, -right_m)) < 0.05
    assert spot.away_m == pytest.approx(math.hypot(away_m, right_m), abs=0.05)


@pytest.mark.parametrize(
    ("where", "y"),
    [(None, 0.8), (Whereabouts(LAT, LON, 900, is_current=False), 0.8),
     (Whereabouts(LAT, LON, 5, 90.0), 0.2)],
)  # fmt: skip
def test_no_place_is_made_up(where, y):
    assert spot_of(Detection("garbage", 0.8, 0.4, y - 0.1, 0.1, 0.1), 16 / 9, where, MOUNT) is None
