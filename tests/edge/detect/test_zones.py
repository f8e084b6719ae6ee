from datetime import datetime, time
from zoneinfo import ZoneInfo

import pytest

from edge.config import CameraConfig
from edge.detect.ground import Ground
from edge.detect.zones import Zones, inside_share, is_permitted, lies_in
from tests.edge.detect.scripted import START, box
from wire.calendar import Calendar
from wire.zone import GroundPoint, Hours, Permit, ZoneConfig

SHANGHAI = ZoneInfo("Asia/Shanghai")
LEFT = ZoneConfig(id="left", polygon=[(0, 0), (0.5, 0), (0.5, 1), (0, 1)])
NOTCHED = ZoneConfig(
    id="u", polygon=[(0, 0), (1, 0), (1, 1), (0.6, 1), (0.6, 0.4), (0.4, 0.4), (0.4, 1), (0, 1)]
)


@pytest.mark.parametrize(
    ("label", "x", "w", "expected"),
    [
        ("garbage", 0.1, 0.2, True),
        ("garbage", 0.45, 0.2, False),
        ("garbage", 0.39, 0.2, True),
        ("street_vending", 0.35, 0.2, True),
        ("street_vending", 0.45, 0.2, False),
        ("unknown_object", 0.7, 0.2, False),
    ],
)
def test_heaps_lie_where_most_of_them_is_and_stalls_where_their_foot_is(label, x, w, expected):
    assert lies_in(box(label, x, 0.3, w), LEFT) is expected


def test_a_foot_on_the_lowest_row_of_the_picture_is_in_the_whole_picture():
    assert lies_in(box("street_vending", 0.2, 0.8, 0.1, 0.2), ZoneConfig(id="all"))


def test_a_notch_is_outside():
    assert inside_share(box("garbage", 0.45, 0.6, 0.1, 0.2), NOTCHED) == 0
    assert inside_share(box("garbage", 0.1, 0.1, 0.8, 0.2), NOTCHED) == 1


@pytest.mark.parametrize(
    ("hours", "at", "expected"),
    [
        (("05:00", "08:30", []), "2026-05-06T06:00+08:00", True),
        (("05:00", "08:30", []), "2026-05-05T22:00+00:00", True),
        (("05:00", "08:30", []), "2026-05-06T08:30+08:00", False),
        (("05:00", "08:30", []), "2026-05-06T06:00+00:00", False),
        (("20:00", "02:00", []), "2026-05-06T01:59+08:00", True),
        (("20:00", "02:00", []), "2026-05-06T12:00+08:00", False),
        (("20:00", "02:00", ["sat"]), "2026-05-10T01:00+08:00", True),
        (("20:00", "02:00", ["sat"]), "2026-05-09T01:00+08:00", False),
        (("05:00", "08:30", ["sun"]), "2026-05-06T06:00+08:00", False),
    ],
)
def test_vending_is_permitted_by_the_clock_of_the_site(hours, at, expected):
    start, until, days = hours
    span = Hours(start=time.fromisoformat(start), until=time.fromisoformat(until), days=days)
    zone = ZoneConfig(id="market", allowed_hours=[span])
    moment = datetime.fromisoformat(at).astimezone(SHANGHAI)
    assert is_permitted(zone, "street_vending", moment, Calendar()) is expected
    assert not is_permitted(zone, "garbage", moment, Calendar())


def zones(*listed, ground=None, **camera):
    return Zones(CameraConfig(id="gate", zones=list(listed), **camera), ground)


def test_the_first_zone_that_asks_for_the_label_counts():
    no_vending = ZoneConfig(id="a", labels=["garbage"])
    both = zones(no_vending, LEFT)
    assert both.zone_of(box("street_vending", 0.1, 0.3), "street_vending", START) is LEFT
    assert both.zone_of(box("garbage", 0.1, 0.3), "garbage", START) is no_vending


def test_what_is_too_small_counts_nowhere():
    zone = ZoneConfig(id="a", min_area=0.01)
    assert zones(zone).zone_of(box("garbage", 0.1, 0.3, 0.05, 0.1), "garbage", START) is None
    assert zones(zone).zone_of(box("garbage", 0.1, 0.3, 0.1, 0.2), "garbage", START) is zone


def test_the_same_heap_counts_near_by_and_not_far_off_by_its_size_in_pixels_alone():
    """The lower half of the picture is a road 40 m deep: far things are small in the picture."""
    corners = [(0.0, 1.0, 0, -5), (1.0, 1.0, 0, 5), (0.75, 0.5, 40, 5), (0.25, 0.5, 40, -5)]
    points = [
        GroundPoint(x=x, y=y, lat=32.69 + north / 110_900, lon=109.02 + east / 93_700)
        for x, y, north, east in corners
    ]
    ground = Ground(points)
    watched = zones(ZoneConfig(id="a", min_ground_m2=1.0), ground=ground, ground_points=points)

    def counts(x, y, w, h):
        return watched.zone_of(box("garbage", x, y, w, h), "garbage", START) is not None

    assert counts(0.4, 0.55, 0.15, 0.02)  # far off and wide: about 2.6 m by 2.6 m at most
    assert not counts(0.4, 0.93, 0.05, 0.05)  # near by, the same pixels: half a metre wide


CALENDAR = Calendar.model_validate(
    {
        "holidays": [{"from": "2026-10-01", "until": "2026-10-07", "name": "国庆节"}, "2026-01-01"],
        "workdays": ["2026-10-10"],
    }
)


@pytest.mark.parametrize(
    ("days", "at", "expected"),
    [
        (["workdays"], "2026-09-30T06:00+08:00", True),
        (["workdays"], "2026-10-01T06:00+08:00", False),  # Thursday, National Day
        (["workdays"], "2026-10-10T06:00+08:00", True),  # Saturday, worked in exchange
        (["workdays"], "2026-10-11T06:00+08:00", False),
        (["holidays"], "2026-10-07T06:00+08:00", True),
        (["holidays"], "2026-10-08T06:00+08:00", False),
        (["holidays"], "2026-10-11T06:00+08:00", False),  # a Sunday is no holiday of the list
        (["rest_days"], "2026-10-11T06:00+08:00", True),
        (["rest_days"], "2026-10-10T06:00+08:00", False),
        (["sat"], "2026-10-10T06:00+08:00", True),
        (["holidays"], "2025-12-31T16:30+00:00", False),
        (["holidays"], "2025-12-31T22:00+00:00", True),  # 06:00 of New Year by the site's clock
    ],
)
def test_days_go_by_the_calendar_of_the_site(days, at, expected):
    hours = Hours(start=time(5), until=time(8, 30), days=days)
    market = zones(ZoneConfig(id="market", allowed_hours=[hours]), calendar=CALENDAR)
    found = market.zone_of(
        box("street_vending", 0.1, 0.3), "street_vending", datetime.fromisoformat(at)
    )
    assert (found is None) is expected


@pytest.mark.parametrize(
    ("hours", "at", "expected"),
    [
        ([], "2026-05-01T00:00+08:00", True),
        ([], "2026-05-31T23:59+08:00", True),
        ([], "2026-06-01T00:00+08:00", False),
        ([], "2026-04-30T15:59+00:00", False),
        ([Hours(start=time(18), until=time(22))], "2026-05-10T19:00+08:00", True),
        ([Hours(start=time(18), until=time(22))], "2026-05-10T23:00+08:00", False),
    ],
)
def test_a_permit_holds_from_its_first_day_to_its_last(hours, at, expected):
    permit = Permit(
        number="AK-2026-017",
        holder="王记早点",
        valid_from="2026-05-01",
        valid_until="2026-05-31",
        hours=hours,
    )
    local = datetime.fromisoformat(at).astimezone(SHANGHAI)
    zone = ZoneConfig(id="corner", permits=[permit])
    assert is_permitted(zone, "street_vending", local, Calendar()) is expected
    assert not is_permitted(zone, "garbage", local, Calendar())
