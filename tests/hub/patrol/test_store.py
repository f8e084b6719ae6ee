from datetime import date, timedelta
from zoneinfo import ZoneInfo

from hub.grid import store as grid_store
from hub.patrol import store as patrol_store
from hub.patrol.store import Judged, days
from hub.patrol.visit import Manner, Visit, Way
from tests.hub.patrol.test_judge import made_between
from tests.hub.world import NOON, make_site, square

ZONE = ZoneInfo("Asia/Shanghai")
FIRST = date(2026, 11, 24)
"""The first whole day of grids that came at noon of the 23rd."""


def patrolled(store, day, fixes):
    row = {"vehicle": "car-1/v1", "day": day.isoformat(), "fixes": fixes, "grids": 1}
    with store.write() as tx:
        tx.execute(days.insert(), row | {"judged_at": NOON})


def required(store):
    with store.read() as tx:
        return set(patrol_store.required_from(tx, ZONE).values())


def test_visits_are_required_from_the_first_day_that_a_grid_was_known(store, tmp_path):
    make_site(store, tmp_path)
    assert required(store) == {FIRST}
    patrolled(store, FIRST + timedelta(days=3), 900)
    patrolled(store, FIRST - timedelta(days=40), 0)
    assert required(store) == {FIRST}


def test_past_days_that_are_brought_in_count_for_the_grids_the_city_began_with(store, tmp_path):
    make_site(store, tmp_path)
    patrolled(store, FIRST - timedelta(days=20), 900)
    later = {"type": "FeatureCollection", "features": [square("new", 110.0, 32.6, 0.1, 1)]}
    with store.write() as tx:
        grid_store.bring_in(tx, later, at=NOON + timedelta(days=9), actor="test", source="later")
    assert required(store) == {FIRST - timedelta(days=20), FIRST + timedelta(days=9)}


def test_of_visits_judged_before_it_was_kept_the_way_is_unknown_and_not_nothing(store):
    old = (
        'INSERT INTO patrol_visits (vehicle, day, grid, start, "end", slow_s)'
        " VALUES ('car-1/v1', '2026-11-23', 'q01', 1795406400000, 1795406460000, 60.0)"
    )
    with store.write() as tx:
        for name in ("manner", *patrol_store.WAY):
            tx.exec_driver_sql(f"ALTER TABLE patrol_visits DROP COLUMN {name}")
        tx.exec_driver_sql("UPDATE alembic_version SET version_num = '0035'")
        tx.exec_driver_sql(old)
    assert store.migrate() == ("0035", store.revision())
    new = Visit("q01", NOON, NOON, 0.0, Manner.PASSED, Way(3.5, 0.0, 0.0, 0.0, 2))
    with store.write() as tx:
        patrol_store.replace_day(tx, ("car-2/v1", FIRST), Judged(9, 1), [new], [])
    with store.read() as tx:
        around = FIRST - timedelta(days=9), FIRST + timedelta(days=9)
        true = made_between(tx, *around, Manner.LOOKED)
        every = made_between(tx, *around)
    assert [(each.visit.manner, each.visit.way) for each in true] == [(Manner.LOOKED, None)]
    assert {each.visit.manner: each.visit.way for each in every} == {
        Manner.LOOKED: None,
        Manner.PASSED: new.way,
    }
