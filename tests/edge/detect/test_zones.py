from datetime import datetime, time
from zoneinfo import ZoneInfo

import pytest

from edge.config import Hours, ZoneConfig
from edge.detect.zones import inside_share, is_permitted, lies_in, zone_of
from tests.edge.detect.scripted import START, box

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
    moment = datetime.fromisoformat(at)
    assert is_permitted(zone, "street_vending", moment, SHANGHAI) is expected
    assert not is_permitted(zone, "garbage", moment, SHANGHAI)


def test_the_first_zone_that_asks_for_the_label_counts():
    no_vending = ZoneConfig(id="a", labels=["garbage"])
    zones = [no_vending, LEFT]
    found = zone_of(box("street_vending", 0.1, 0.3), zones, "street_vending", START, SHANGHAI)
    assert found is LEFT
    assert zone_of(box("garbage", 0.1, 0.3), zones, "garbage", START, SHANGHAI) is no_vending


def test_what_is_too_small_counts_nowhere():
    zone = ZoneConfig(id="a", min_area=0.01)
    assert zone_of(box("garbage", 0.1, 0.3, 0.05, 0.1), [zone], "garbage", START, SHANGHAI) is None
    assert zone_of(box("garbage", 0.1, 0.3, 0.1, 0.2), [zone], "garbage", START, SHANGHAI) is zone
