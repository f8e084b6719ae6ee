import dataclasses
import random
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from sqlalchemy import select, update

from hub import pipeline
from hub.alerts.store import alerts
from hub.alerts.track_evidence import stretches
from hub.cases.store import cases
from hub.grid.fence import Area, Circle
from hub.grid.geodesy import metres_per_degree
from hub.judging import Judge
from hub.store import from_ms
from hub.tracks import fence_store
from hub.tracks.geofence import Geofence, Purpose, Watched
from hub.tracks.judged_store import states, vehicle_events
from hub.tracks.store import crossings, vehicles
from tests.hub.stores import open_store
from tests.hub.world import EPOCH, LAT, LON, NOON, after, birth, make_site, ms, received
from wire.track import ACC_ON, EMPTY, FULL, VALID, Track, TrackPoint, body_of

NORTH, EAST = metres_per_degree(LAT)
TRUCK = "car-1/v1"


def fix(seq, at_s, east_m=0.0, *, kmh=0.0, flags=VALID, load=None, hopper=None):
    body = body_of(load, hopper=hopper) if load is not None or hopper is not None else 0
    lon = round(LON + east_m / EAST, 7)
    return TrackPoint(seq, ms(after(at_s)), lon, LAT, kmh, 90.0, flags, body)


def way(start_s, seconds, from_m=0.0, *, kmh=0.0, every_s=10, **states_of_body):
    """Fixes from one moment for so long, at an even speed."""
    return [
        (start_s + n * every_s, from_m + kmh / 3.6 * n * every_s, {"kmh": kmh, **states_of_body})
        for n in range(seconds // every_s)
    ]


def numbered(*ways):
    legs = [leg for each in ways for leg in each]
    return [fix(seq, at_s, east_m, **more) for seq, (at_s, east_m, more) in enumerate(legs)]


def message(fixes, **changes):
    fields = {
        "dev": "car-1",
        "epoch": EPOCH,
        "seq": fixes[0].seq,
        "ts": fixes[-1].ts,
        "tq": 2,
        "vehicle": "v1",
        "fixes": fixes,
    }
    return Track(**(fields | changes))


def send(store, site, fixes, at=None, **changes):
    track = message(fixes, **changes)
    with store.write() as tx:
        pipeline.take(tx, site, "track", [received(track, at or from_ms(fixes[-1].ts))])


def judge_all(store, site, judge=None):
    judge = judge or Judge(store, site, lambda: False)
    while judge.work():
        pass
    return judge


def rows(store, table, *order):
    with store.read() as tx:
        return tx.execute(select(table).order_by(*order)).all()


def told(store, *kinds):
    """Episodes in force: (kind, subject, start, end in seconds after noon, over)."""
    found = rows(store, vehicle_events, vehicle_events.c.start, vehicle_events.c.kind)
    return [
        (
            row.kind,
            row.subject,
            (row.start - NOON).total_seconds(),
            (row.end - NOON).total_seconds(),
            row.over,
        )
        for row in found
        if row.superseded_at is None and (not kinds or row.kind in kinds)
    ]


def everything(store):
    """What history says, without when and how it was learnt."""
    events = [
        (r.kind, r.subject, r.start, r.end, r.over, r.lat, r.lon, r.facts)
        for r in rows(store, vehicle_events)
        if r.superseded_at is None
    ]
    crossed = [(r.grid, r.kind, r.at) for r in rows(store, crossings)]
    (truck,) = rows(store, vehicles)
    return (
        sorted(events),
        sorted(crossed),
        (truck.at, truck.lat, truck.lon),
        bytes(rows(store, states)[0].body),
    )


def fences(store, *given):
    with store.write() as tx:
        fence_store.put(tx, given, "test", NOON - timedelta(days=1))


def truck(store, site, **changes):
    with store.write() as tx:
        born = birth("car-1", cameras=[], **changes)
        pipeline.take(tx, site, "birth", [received(born)])


GATE = Geofence("gate", "Gate", Circle(LAT, LON + 1000 / EAST, 200), watch={Watched.ENTER})
DUMP = Geofence("tip", "Tip", Circle(LAT, LON + 50_000 / EAST, 100), purpose=Purpose.DUMP)

DRIVE = [way(0, 600), way(600, 300, kmh=50), way(900, 600, 300 / 3.6 * 50)]


def test_stops_and_trips_are_stored(store, site):
    send(store, site, numbered(*DRIVE, way(1500, 300, 4200, kmh=50)))
    judge_all(store, site)
    stop, trip = told(store, "stop", "trip")[:2]
    assert stop[0] == "stop"
    assert stop[2] == 0
    assert 590 <= stop[3] <= 610
    assert trip[0] == "trip"
    assert 880 <= trip[3] <= 920


def test_nothing_waits_after_judging_and_a_new_fix_waits_again(store, site):
    fixes = numbered(way(0, 100))
    send(store, site, fixes[:5])
    assert rows(store, vehicles)[0].unjudged_ms == fixes[0].ts
    judge_all(store, site)
    assert rows(store, vehicles)[0].unjudged_ms is None
    send(store, site, fixes[5:])
    assert rows(store, vehicles)[0].unjudged_ms == fixes[5].ts


def test_what_is_stored_while_a_round_runs_is_judged_in_the_next(store, site):
    fixes = numbered(way(0, 100))
    send(store, site, fixes[:5])
    judge = Judge(store, site, lambda: False)
    keep, done = judge._keep, []

    def keep_later(tx, hearing, result):
        if not done:
            done.append(1)
            run = message(fixes[5:])
            pipeline.take(tx, site, "track", [received(run, from_ms(fixes[-1].ts))])
        return keep(tx, hearing, result)

    judge._keep = keep_later
    assert judge.work() == 1
    assert rows(store, vehicles)[0].unjudged_ms == fixes[5].ts
    judge_all(store, site, judge)
    assert rows(store, vehicles)[0].unjudged_ms is None


def test_a_round_that_dies_leaves_nothing_behind_and_is_done_again(store, site):
    truck(store, site)
    send(store, site, numbered(way(0, 60, kmh=50), way(60, 120, 800, kmh=80)))
    judge = Judge(store, site, lambda: False)
    ring = judge._ring
    judge._ring = lambda *_args, **_more: 1 / 0
    with pytest.raises(ZeroDivisionError):
        judge.work()
    assert rows(store, vehicle_events) == rows(store, states) == rows(store, alerts) == []
    assert rows(store, vehicles)[0].unjudged_ms is not None

    judge._ring = ring
    judge_all(store, site, judge)
    assert [row.label for row in rows(store, alerts)] == ["overspeed"]


def test_overspeed_is_an_alert_of_the_vehicle_with_its_track(store, site):
    truck(store, site)
    send(store, site, numbered(way(0, 60, kmh=50), way(60, 120, 800, kmh=80)))
    judge_all(store, site)

    (alert,) = rows(store, alerts)
    assert (alert.label, alert.source, alert.source_name) == ("overspeed", "v1", "陕G·00001")
    assert (alert.state, alert.place, alert.path) == ("active", "vehicle", ("city", "q01"))
    assert told(store, "overspeed") == [("overspeed", "", 60, 70, False)]
    (stretch,) = rows(store, stretches)
    assert (stretch.alert, stretch.vehicle) == (alert.id, TRUCK)
    assert b"[" in bytes(stretch.fixes)

    send(store, site, [fix(90, 180, 3500, kmh=40), fix(91, 190, 3600, kmh=40)])
    judge_all(store, site)
    (alert,) = rows(store, alerts)
    assert (alert.state, alert.ended_at) == ("ended", after(170))
    assert told(store, "overspeed") == [("overspeed", "", 60, 170, True)]


def test_one_alert_a_cause_in_two_hours(store, site):
    truck(store, site)
    runs = [way(start, 60, kmh=80) for start in (0, 1800, 3600, 7100, 7300)]
    slow = [way(start + 60, 60, kmh=30) for start in (0, 1800, 3600, 7100, 7300)]
    both = [leg for pair in zip(runs, slow, strict=True) for leg in pair]
    send(store, site, numbered(*both))
    judge_all(store, site)
    speeding = [row for row in rows(store, alerts, alerts.c.since) if row.label == "overspeed"]
    counted = [row.times_seen for row in speeding]
    assert len(told(store, "overspeed")) == 5
    assert counted == [4, 1]


def test_a_rule_of_the_site_opens_a_case(store, tmp_path):
    site = make_site(store, tmp_path, rules={"overspeed": {"open_case": "at_once"}})
    truck(store, site)
    send(store, site, numbered(way(0, 60, kmh=90)))
    judge_all(store, site)
    (case,) = rows(store, cases)
    assert case.title == "超速 · 陕G·00001"
    assert case.source == "vehicle"
    assert rows(store, alerts)[0].case_id == case.id


def test_what_the_site_does_not_want_as_alert_is_only_stored(store, tmp_path):
    site = make_site(store, tmp_path, vehicles={"alerts": []})
    truck(store, site)
    send(store, site, numbered(way(0, 60, kmh=90)))
    judge_all(store, site)
    assert told(store, "overspeed")
    assert rows(store, alerts) == []


def test_a_fence_is_entered_and_left(store, site):
    fences(store, dataclasses.replace(GATE, watch=frozenset({Watched.ENTER, Watched.EXIT})))
    send(store, site, numbered(way(0, 200, kmh=50)))
    judge_all(store, site)
    assert told(store, "fence_enter", "fence_exit") == [
        ("fence_enter", "gate", 60, 60, True),
        ("fence_exit", "gate", 90, 90, True),
    ]


@pytest.mark.parametrize(
    ("watch", "rings"),
    [
        ({Watched.ENTER}, {"fence_enter"}),
        ({Watched.EXIT}, {"fence_exit"}),
        ({Watched.ENTER, Watched.EXIT}, {"fence_enter", "fence_exit"}),
        (set(), set()),
    ],
)
def test_a_fence_rings_for_what_it_watches_alone(store, site, watch, rings):
    fences(store, dataclasses.replace(GATE, watch=frozenset(watch)))
    send(store, site, numbered(way(0, 200, kmh=50)))
    judge_all(store, site)
    assert len(told(store, "fence_enter", "fence_exit")) == 2
    assert {row.label for row in rows(store, alerts)} == rings


def test_a_fence_has_hours_and_vehicles(store, site):
    night = fence_store.read_fences(
        {
            "type": "Feature",
            "properties": {
                "code": "gate",
                "radius_m": 200,
                "hours": [["22:00", "05:00"]],
                "watch": ["enter"],
            },
            "geometry": {"type": "Point", "coordinates": [LON + 1000 / EAST, LAT]},
        }
    )
    others = dataclasses.replace(GATE, code="others", vehicles=frozenset({"陕G·99999"}))
    fences(store, *night, others)
    send(store, site, numbered(way(0, 200, kmh=50)))
    judge_all(store, site)
    assert told(store, "fence_enter") == []


def test_a_fence_of_its_own_limit(store, site):
    slow = dataclasses.replace(GATE, limit_kmh=30.0)
    fences(store, slow)
    send(store, site, numbered(way(0, 200, kmh=50)))
    judge_all(store, site)
    ((kind, subject, start, _, _),) = told(store, "overspeed")
    assert (kind, subject, start) == ("overspeed", "gate", 60)


def test_dumping_outside_every_site_is_an_alert(store, site):
    truck(store, site)
    fences(store, DUMP)
    loaded = {"load": FULL, "hopper": False}
    send(
        store,
        site,
        numbered(
            way(0, 300, kmh=40, **loaded),
            way(300, 120, 3400, load=FULL, hopper=True),
            way(420, 200, 3400, load=EMPTY, hopper=False),
        ),
    )
    judge_all(store, site)
    (alert,) = rows(store, alerts)
    assert (alert.label, alert.matter, alert.score) == ("illegal_dumping", "06011", 0.9)
    ((_, _, start, _, _),) = told(store, "unload")
    assert start == 300


@pytest.mark.parametrize(
    ("raised", "afterwards"),
    [
        pytest.param({"kmh": 0.0, "load": FULL}, {"load": FULL}, id="washing"),
        pytest.param({"kmh": 30.0, "load": FULL}, {"load": EMPTY}, id="moving"),
    ],
)
def test_what_only_looks_like_dumping_is_none(store, site, raised, afterwards):
    truck(store, site)
    fences(store, DUMP)
    legs = [
        way(0, 300, kmh=40, load=FULL, hopper=False),
        way(300, 120, 3400, hopper=True, **raised),
        way(420, 200, 4400, hopper=False, **afterwards),
    ]
    send(store, site, numbered(*legs))
    judge_all(store, site)
    assert len(told(store, "unload")) == 1
    assert rows(store, alerts) == []


def test_idling_counts_only_with_the_engine_on(store, site):
    send(store, site, numbered(way(0, 900, flags=VALID | ACC_ON), way(900, 100)))
    judge_all(store, site)
    assert told(store, "idle") == [("idle", "", 0, 890, True)]


def test_silence_is_told_by_the_clock_and_ends_with_the_next_report(store, site):
    truck(store, site)
    send(store, site, numbered(way(0, 100, kmh=50)))
    judge = judge_all(store, site)
    assert judge.look_for_silence(after(200)) == 0
    assert judge.look_for_silence(after(500)) == 1
    assert judge.look_for_silence(after(510)) == 0
    assert told(store, "silent_moving") == [("silent_moving", "", 90, 390, False)]
    assert [row.label for row in rows(store, alerts)] == ["silent_moving"]

    send(store, site, [fix(50, 600, 9000, kmh=50)])
    judge_all(store, site, judge)
    assert told(store, "silent_moving") == [("silent_moving", "", 90, 600, True)]
    assert rows(store, alerts)[0].state == "ended"


def test_a_silence_that_was_over_when_first_heard_of_rings_nothing(store, site):
    """A backlog that comes in parts beside live fixes, or a hub that was down."""
    truck(store, site)
    send(store, site, [*numbered(way(0, 100, kmh=50)), fix(50, 600, 9000, kmh=50)])
    judge_all(store, site)
    assert told(store, "silent_moving") == [("silent_moving", "", 90, 600, True)]
    assert rows(store, alerts) == []


def test_a_late_fix_takes_its_place_and_rings_nothing(store, site):
    truck(store, site)
    fixes = numbered(way(0, 60, kmh=50), way(60, 60, 800, kmh=90), way(120, 200, 2300, kmh=40))
    on_time, late = fixes[:6] + fixes[12:], fixes[6:12]
    send(store, site, on_time[:6])
    send(store, site, on_time[6:])
    judge_all(store, site)
    assert told(store, "overspeed") == []
    before = rows(store, vehicles)[0].at

    send(store, site, late, at=after(400), hist=True)
    judge_all(store, site)
    assert told(store, "overspeed") == [("overspeed", "", 60, 110, True)]
    (row,) = [r for r in rows(store, vehicle_events) if r.kind == "overspeed"]
    assert row.late
    assert rows(store, alerts) == []
    assert rows(store, vehicles)[0].at == before


def test_what_a_late_fix_disproves_is_superseded_and_stays(store, site):
    truck(store, site)
    fixes = numbered(way(0, 100, kmh=50), way(100, 400, 1400, kmh=50), way(500, 100, 7000, kmh=50))
    send(store, site, [*fixes[:10], *fixes[50:]])
    judge_all(store, site)
    assert told(store, "silent_moving") == [("silent_moving", "", 90, 500, True)]
    send(store, site, fixes[10:50], at=after(700), hist=True)
    judge_all(store, site)
    assert told(store, "silent_moving") == []
    (row,) = [r for r in rows(store, vehicle_events) if r.kind == "silent_moving"]
    assert row.superseded_at is not None


def test_a_clock_ahead_is_no_history(store, site):
    send(store, site, [fix(0, 7200)], at=after(0))
    send(store, site, numbered(way(10, 60, kmh=50)), at=after(70), epoch="fedcba9876543210")
    judge_all(store, site)
    send(store, site, [fix(900, 80, 900, kmh=90), fix(901, 90, 1100, kmh=90)])
    judge_all(store, site)
    assert rows(store, states)[0].last_ms == ms(after(90))


def test_a_state_of_another_revision_is_made_anew(store, site):
    fixes = numbered(way(0, 600), way(600, 300, kmh=50))
    send(store, site, fixes[:70])
    judge_all(store, site)
    with store.write() as tx:
        tx.execute(update(states).values(body=b"\x80"))
    send(store, site, fixes[70:])
    judge_all(store, site)
    assert told(store, "stop") == [("stop", "", 0, 600, True)]
    assert len([r for r in rows(store, vehicle_events) if r.kind == "stop"]) == 1


def test_a_vehicle_that_cannot_be_judged_stops_no_other(store, site, monkeypatch):
    send(store, site, numbered(way(0, 600), way(600, 300, kmh=50)))
    send(store, site, numbered(way(0, 600), way(600, 300, kmh=50)), dev="car-2")
    judge = Judge(store, site, lambda: False)
    court = judge._court

    def court_of(seen):
        if seen.device == "car-1":
            return dataclasses.replace(court(seen), rules=("no rule",))
        return court(seen)

    monkeypatch.setattr(judge, "_court", court_of)
    judge_all(store, site, judge)
    assert {r.vehicle for r in rows(store, vehicle_events)} == {"car-2/v1"}


LEGS = [
    way(0, 400, load=FULL, hopper=False),
    way(400, 200, kmh=50, load=FULL, hopper=False),
    way(600, 60, 2800, kmh=80, load=FULL, hopper=False),
    way(3660, 200, 4200, load=FULL, hopper=True),
    way(3860, 400, 4200, load=EMPTY, hopper=False, flags=VALID | ACC_ON),
    way(4260, 300, 4200, kmh=60, load=EMPTY),
]
HISTORY = numbered(*LEGS)


def arrivals(order, fixes=HISTORY, size=12):
    """Messages of `size` fixes in another order, each under its own numbers."""
    parts = [fixes[n : n + size] for n in range(0, len(fixes), size)]
    return [parts[n] for n in order]


@pytest.fixture(scope="module")
def in_order(sqlite_template, tmp_path_factory):
    return _history(sqlite_template, tmp_path_factory.mktemp("order"), arrivals(range(PARTS)), 1)


PARTS = -(-len(HISTORY) // 12)


def _history(template, folder, messages, every):
    path = folder / f"{random.getrandbits(48)}.sqlite"
    path.write_bytes(template.read_bytes())
    store = open_store(f"sqlite:///{path}")
    try:
        site = make_site(store, folder)
        truck(store, site)
        area = Area(GATE.shape and _box(1500, 700))
        fences(store, dataclasses.replace(GATE, shape=area, watch=frozenset()), DUMP)
        judge = Judge(store, site, lambda: False)
        for number, fixes in enumerate(messages):
            send(store, site, fixes, at=after(5000), hist=True)
            if number % every == 0:
                judge_all(store, site, judge)
        judge_all(store, site, judge)
        return everything(store)
    finally:
        store.close()
        path.unlink()


def _box(east_m, half_m):
    import shapely

    west, east = LON + (east_m - half_m) / EAST, LON + (east_m + half_m) / EAST
    return shapely.box(west, LAT - 0.001, east, LAT + 0.001)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(order=st.permutations(range(PARTS)), every=st.integers(1, 4))
def test_any_order_of_arrival_gives_the_same_history(
    in_order, sqlite_template, tmp_path, order, every
):
    assert _history(sqlite_template, tmp_path, arrivals(order), every) == in_order


def test_the_history_of_the_order_test_says_something(in_order):
    kinds = {event[0] for event in in_order[0]}
    assert {"stop", "trip", "overspeed", "unload", "fence_enter", "fence_exit", "gap"} <= kinds
