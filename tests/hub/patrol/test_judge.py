from datetime import date, timedelta

import pytest
from sqlalchemy import select

from hub.duty import store as duty_store
from hub.duty.duty import Person, PersonRole, Post
from hub.duty.table import Duty
from hub.housekeeping import judge_patrols
from hub.patrol import store as patrol_store
from hub.patrol.judge import Work, judge_again
from hub.patrol.store import Which
from hub.patrol.visit import Manner
from hub.store import now, to_ms
from tests.hub.test_pipeline import take
from tests.hub.world import EPOCH, LAT, LON, NOON, birth, received, track_message
from wire.status import VehicleBirth
from wire.track import VALID, Track, TrackPoint

CAR = "car-1/v1"


def arrive(store, site, kind="enforcement_vehicle", dev="car-1"):
    vehicle = VehicleBirth(id="v1", plate="陕G·00001", kind=kind)
    take(store, site, "birth", birth(dev=dev, cameras=[], vehicles=[vehicle]))


def stay(start, seconds, first=0, lon=LON, lat=LAT, every_s=5, dev="car-1", at=None, flags=VALID,
         east_deg=0.0):  # fmt: skip
    """Standing at one place of the quarter q01, or going so far east with every fix of 5 s."""
    fixes = [
        TrackPoint(first + n, to_ms(start) + n * every_s * 1000, lon + n * east_deg, lat, 0.0,
                   None, flags)
        for n in range(seconds // every_s + 1)
    ]  # fmt: skip
    message = Track(dev=dev, epoch=EPOCH, seq=first, ts=fixes[-1].ts, tq=2, vehicle="v1",
                    fixes=fixes)  # fmt: skip
    return received(message, at or start + timedelta(seconds=seconds))


def today_at(hours, site):
    day = now().astimezone(site.config.zone).replace(hour=0, minute=0, second=0, microsecond=0)
    return day + timedelta(hours=hours)


def made_between(tx, since, until, manner=None):
    which = Which(since, until, manner=manner)
    return patrol_store.load(tx, [number for number, *_ in patrol_store.find(tx, which)])


def visited(store, since=date(2020, 1, 1), until=date(2030, 1, 1)):
    with store.read() as tx:
        made = made_between(tx, since, until, Manner.LOOKED)
    return [(m.vehicle, m.visit.grid, m.visit.start) for m in made]


def look(store, site, heard_since=None):
    return judge_patrols(store, site, heard_since)


def test_a_patrol_car_visits_the_grids_of_every_level(store, site):
    arrive(store, site)
    start = today_at(0.2, site) - timedelta(days=1)
    take(store, site, "track", stay(start, 60))
    assert look(store, site) == 1
    assert visited(store) == [(CAR, "city", start), (CAR, "q01", start)]
    assert look(store, site) == 0  # nothing new


def test_new_fixes_and_fixes_out_of_order_change_the_day(store, site):
    arrive(store, site)
    start = today_at(0.2, site) - timedelta(days=1)
    later = start + timedelta(hours=2)
    take(store, site, "track", stay(later, 60, first=1000))
    look(store, site)
    take(store, site, "track", stay(start, 60))
    assert look(store, site) == 1
    assert [at for _, grid, at in visited(store) if grid == "q01"] == [start, later]


@pytest.mark.parametrize(
    "fixes",
    [
        pytest.param({"seconds": 15}, id="too short"),
        pytest.param({"seconds": 60, "flags": 0}, id="no receiver vouches for it"),
        pytest.param({"seconds": 600, "every_s": 200}, id="too rare"),
    ],
)
def test_no_visit(store, site, fixes):
    arrive(store, site)
    take(store, site, "track", stay(today_at(0.2, site) - timedelta(days=1), **fixes))
    look(store, site)
    assert visited(store) == []


def manners(store):
    with store.read() as tx:
        made = made_between(tx, date(2020, 1, 1), date(2030, 1, 1))
    return [(m.visit.grid, m.visit.manner) for m in made]


def test_driving_past_is_no_visit(store, site):
    arrive(store, site)
    fast = track_message(0, 60, at=today_at(0.2, site) - timedelta(days=1), step_s=1)
    take(store, site, "track", fast)  # 1e-4 degrees, more than 9 m, a second
    look(store, site)
    assert visited(store) == []
    assert manners(store) == [("city", Manner.PASSED), ("q01", Manner.PASSED)]


def test_parking_is_no_visit_longer_than_the_city_says(store, site):
    arrive(store, site)
    start = today_at(0.2, site) - timedelta(days=1)
    take(store, site, "track", stay(start, 1000))
    look(store, site)
    assert visited(store) == []
    assert manners(store) == [("city", Manner.PARKED), ("q01", Manner.PARKED)]
    visits = site.config.patrol.visits.model_copy(update={"park_s": 1200})
    patrol = site.config.patrol.model_copy(update={"visits": visits})
    revision, index = site.places.index
    work = Work(site.config.model_copy(update={"patrol": patrol}), index, revision)
    assert judge_again(store, work, start.date(), start.date() + timedelta(days=1), None) == 1
    assert [grid for _, grid, _ in visited(store)] == ["city", "q01"]


def test_a_truck_is_no_patrol_but_a_persons_phone_is(store, site):
    arrive(store, site, kind="spoil_truck")
    start = today_at(0.2, site) - timedelta(days=1)
    take(store, site, "track", stay(start, 60))
    assert look(store, site) == 0
    person = Person("p", "n", PersonRole.GRID_WORKER, "post", "", (CAR,))
    with store.write() as tx:
        duty_store.put(tx, Duty(posts=[Post("post", "n", "q01")], people=[person]))
    assert look(store, site) == 1
    assert [grid for _, grid, _ in visited(store)] == ["city", "q01"]


def test_fixes_that_come_days_late_are_judged_again(store, site):
    arrive(store, site)
    long_ago, arrived = NOON, NOON + timedelta(days=9)
    take(store, site, "track", stay(long_ago, 60, at=arrived))
    assert look(store, site, heard_since=now()) == 1
    assert [at for _, grid, at in visited(store) if grid == "q01"] == [long_ago]
    with store.read() as tx:
        assert tx.execute(select(patrol_store.late_days)).all() == []
    take(store, site, "track", stay(long_ago + timedelta(hours=1), 60, first=500, at=arrived))
    assert look(store, site, heard_since=now()) == 1
    assert len(visited(store)) == 4


def test_a_day_of_no_patrol_that_was_noted_is_forgotten(store, site):
    arrive(store, site, kind="spoil_truck")
    take(store, site, "track", stay(NOON, 60, at=NOON + timedelta(days=9)))
    assert look(store, site) == 0
    with store.read() as tx:
        assert tx.execute(select(patrol_store.late_days)).all() == []


def test_a_visit_across_midnight_is_one_of_the_day_it_began(store, site):
    arrive(store, site)
    midnight = today_at(0, site)
    start = midnight - timedelta(seconds=30)
    take(store, site, "track", stay(start, 60))
    look(store, site)
    assert [at for _, grid, at in visited(store) if grid == "q01"] == [start]


def test_any_past_day_can_be_judged_again_with_the_same_outcome(store, site):
    arrive(store, site)
    take(store, site, "track", stay(NOON, 60, at=NOON + timedelta(days=9)))
    look(store, site)
    before = visited(store)
    revision, index = site.places.index
    work = Work(site.config, index, revision)
    day = NOON.astimezone(site.config.zone).date()
    with store.write() as tx:
        tx.execute(patrol_store.visits.delete())
    assert judge_again(store, work, day, day + timedelta(days=1), None) == 1
    assert visited(store) == before


def test_new_grids_are_judged_by_from_now_on(store, site):
    from hub.grid import store as grid_store
    from tests.hub.world import square

    arrive(store, site)
    take(store, site, "track", stay(today_at(0.2, site) - timedelta(days=1), 60))
    look(store, site)
    fresh = {"type": "FeatureCollection", "features": [
        square("cell", 109.0, 32.7, 0.1, 3, "q01")]}  # fmt: skip
    with store.write() as tx:
        grid_store.bring_in(tx, fresh, at=now(), actor="test", source="new")
    assert look(store, site) == 1
    assert {grid for _, grid, _ in visited(store)} == {"city", "q01", "cell"}


def test_a_sweeper_sweeps_and_visits_nothing(store, site):
    arrive(store, site, kind="sanitation_vehicle")
    start = today_at(0.2, site) - timedelta(days=1)
    # 1e-5 degrees of longitude are 0.94 m: 120 s at 10 km/h
    fixes = [
        TrackPoint(n, to_ms(start) + n * 1000, LON + n * 3e-5, LAT, 10.0, 90.0, VALID)
        for n in range(121)
    ]
    message = Track(dev="car-1", epoch=EPOCH, seq=0, ts=fixes[-1].ts, tq=2, vehicle="v1",
                    fixes=fixes)  # fmt: skip
    take(store, site, "track", received(message, start + timedelta(minutes=3)))
    with store.write() as tx:
        patrol_store.set_width(tx, CAR, 2.4)
    look(store, site)
    assert visited(store) == []
    with store.read() as tx:
        ((vehicle, one),) = patrol_store.passes_between(tx, date(2020, 1, 1), date(2030, 1, 1))
    assert (vehicle, one.width_m) == (CAR, 2.4)
    assert one.length_m == pytest.approx(120 * 3e-5 * 93_757, rel=0.01)


def test_what_is_older_than_the_tracks_is_forgotten(store, site):
    arrive(store, site)
    take(store, site, "track", stay(NOON, 60, at=NOON + timedelta(days=9)))
    look(store, site)
    with store.write() as tx:
        patrol_store.forget_old(tx, NOON.date() + timedelta(days=1))
    assert visited(store) == []
