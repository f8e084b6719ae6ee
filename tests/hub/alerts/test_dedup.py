import pytest

from hub.alerts.dedup import Neighbourhood, cell, cells_around, same_thing
from hub.config import Dedupe
from tests.hub.world import LAT, LON, NOON, after, known_alert

NEAR = Dedupe(radius_m=30, within_s=900)
METRE = 1 / 110_900  # degrees of latitude here
FIRST = known_alert(id="first", since=NOON, at=after(60))
ENDED = known_alert(id="first", since=NOON, at=after(60), state="ended", ended_at=after(60))
OTHER_SOURCE = {"id": "new", "source": "south"}


@pytest.mark.parametrize(
    ("known", "changes", "expected"),
    [
        (FIRST, {"since": after(10), "at": after(20)}, True),
        (FIRST, {"since": after(10), "at": after(20), "lat": LAT + 29 * METRE}, True),
        (FIRST, {"since": after(10), "at": after(20), "lat": LAT + 31 * METRE}, False),
        (FIRST, {"since": after(10), "at": after(20), "matter": "09006"}, False),
        (FIRST, {"since": after(10), "at": after(20), "source": "gate"}, False),
        (ENDED, {"since": after(100), "at": after(120), "source": "gate"}, True),
        (ENDED, {"since": after(959), "at": after(970)}, True),
        (ENDED, {"since": after(961), "at": after(970)}, False),
        (FIRST, {"since": after(961), "at": after(970)}, True),
        (FIRST, {"since": after(3661), "at": after(3670)}, False),
        (FIRST, {"since": after(-1000), "at": after(-900)}, True),
        (FIRST, {"since": after(-1000), "at": after(-901)}, False),
        (
            known_alert(id="first", since=NOON, at=after(60), decision="false_alarm"),
            {"since": after(10), "at": after(20)},
            False,
        ),
        (FIRST, {"id": "first"}, False),
    ],
)
def test_same_thing(known, changes, expected):
    assert same_thing(known_alert(**(OTHER_SOURCE | changes)), known, NEAR) is expected


def test_the_label_counts_where_there_is_no_matter():
    known = known_alert(id="first", matter=None, label="unknown_object")
    new = known_alert(id="new", source="south", matter=None, label="unknown_object")
    other = known_alert(id="new", source="south", matter=None, label="something")
    assert same_thing(new, known, NEAR)
    assert not same_thing(other, known, NEAR)


def test_the_nearest_is_found():
    far = known_alert(id="far", lat=LAT + 20 * METRE)
    near = known_alert(id="near", lat=LAT + 10 * METRE)
    new = known_alert(id="new", source="south")
    assert Neighbourhood([far, near], NEAR).find(new).id == "near"
    assert Neighbourhood([far, near], Dedupe(radius_m=0)).find(new) is None


def test_in_a_crowd_the_newest_are_compared():
    crowd = [known_alert(id=str(i), at=after(i), decision="false_alarm") for i in range(500)]
    old, late = known_alert(id="old", at=after(-1)), known_alert(id="late", at=after(501))
    new = known_alert(id="new", source="south", at=after(600), since=after(590))
    assert Neighbourhood([old, *crowd], NEAR).find(new) is None
    assert Neighbourhood([*crowd, late], NEAR).find(new).id == "late"


def test_the_newest_state_of_a_neighbour_counts():
    around = Neighbourhood([known_alert(id="first")], NEAR)
    around.put(known_alert(id="first", decision="false_alarm"))
    assert around.find(known_alert(id="new", source="south")) is None


@pytest.mark.parametrize(("lat", "lon"), [(LAT, LON), (-33.9, -70.7), (0.0, 0.0), (69.9, 179.9)])
@pytest.mark.parametrize("radius_m", [10, 30, 500])
def test_no_neighbour_within_the_radius_is_outside_the_cells(lat, lon, radius_m):
    here = known_alert(lat=lat, lon=lon)
    squares = set(cells_around(here, radius_m))
    for north, east in [(1, 0), (-1, 0), (0, 1), (0, -1)]:
        step = radius_m * 0.99 * METRE
        there = known_alert(lat=lat + north * step, lon=lon + east * step)
        assert cell(there) in squares


CAR = {"place": "vehicle", "source": "dash", "device": "car-1", "acc_m": 6.0}
HEAP = known_alert(id="first", since=NOON, at=after(8), **CAR)
DAY_S = 86_400


@pytest.mark.parametrize(
    ("known", "changes", "expected"),
    [
        pytest.param(HEAP, {"since": after(600), "at": after(607)}, True, id="next pass"),
        pytest.param(
            HEAP, {"since": after(600), "at": after(607), "lat": LAT + 12 * METRE}, True,
            id="from the other lane",
        ),
        pytest.param(
            HEAP, {"since": after(5 * DAY_S), "at": after(5 * DAY_S + 7)}, True, id="days later"
        ),
        pytest.param(
            HEAP, {"since": after(9 * DAY_S), "at": after(9 * DAY_S + 7)}, False, id="long ago"
        ),
        pytest.param(
            HEAP, {"since": after(600), "at": after(607), "lat": LAT + 30 * METRE}, False,
            id="another heap thirty metres on",
        ),
        pytest.param(
            HEAP, {"since": after(4), "at": after(12), "lat": LAT + 10 * METRE}, False,
            id="two in one picture",
        ),
        pytest.param(
            HEAP, {"since": after(4), "at": after(12), "source": "dash-2"}, True,
            id="another car at the same time",
        ),
        pytest.param(
            HEAP, {"since": after(600), "at": after(607), "acc_m": 14.0, "lat": LAT + 22 * METRE},
            False, id="no further than the places are unsure",
        ),
        pytest.param(
            known_alert(id="first", since=NOON, at=after(8), **CAR | {"acc_m": 14.0}),
            {"since": after(600), "at": after(607), "acc_m": 14.0, "lat": LAT + 19 * METRE},
            True, id="both places known badly",
        ),
        pytest.param(
            HEAP, {"since": after(600), "at": after(607), "place": "last", "acc_m": 900.0}, False,
            id="a place nobody knows joins nothing",
        ),
        pytest.param(
            known_alert(id="first", since=NOON, at=after(8), acc_m=5.0, place="ground"),
            {"since": after(600), "at": after(607), "lat": LAT + 9 * METRE}, True,
            id="what a fixed camera saw",
        ),
    ],
)  # fmt: skip
def test_the_same_thing_seen_in_passing(known, changes, expected):
    new = known_alert(**(CAR | {"id": "new"} | changes))
    assert same_thing(new, known, Dedupe()) is expected
