import threading
from itertools import pairwise

import msgspec
import pytest
from sqlalchemy import func, select

from hub import audit, decisions, pipeline, proving, steps
from hub.alerts import store as alert_store
from hub.alerts.alert import alert_id
from hub.alerts.store import alerts
from hub.cases.case import WantedStep
from hub.cases.store import cases
from hub.devices.store import blind_spans, cameras, devices, gaps
from hub.errors import Problem
from hub.events import events
from hub.grid import store as grid_store
from hub.grid.places import Places
from hub.inbox import messages
from hub.roles import Actor, Role
from hub.tracks.store import batches, crossings, fixes_between, vehicles
from tests.hub.world import (
    LAT,
    NOON,
    after,
    alert_message,
    birth,
    grid_document,
    health,
    make_site,
    ms,
    received,
    state,
    track_message,
)
from wire.alert import AlertState, EvidenceRef, PlaceSource
from wire.receipt import EvidenceOffer, OfferedFile
from wire.status import Gap, VehicleBirth

OPERATOR = Actor("wang", Role.OPERATOR)
CHIEF = Actor("chief", Role.SUPERVISOR)


def take(store, site, name, *arrived):
    with store.write() as tx:
        return pipeline.take(
            tx, site, name, [r if hasattr(r, "raw") else received(r) for r in arrived]
        )


def rows(store, table, *order):
    with store.read() as tx:
        return tx.execute(select(table).order_by(*order)).all()


def count(store, table):
    with store.read() as tx:
        return tx.execute(select(func.count()).select_from(table)).scalar_one()


def seqs(outcome):
    return [seq for _, stored in outcome.stored for seq in stored]


# alerts


def test_an_alert_is_stored_located_and_told(store, site):
    outcome = take(store, site, "alert", alert_message())

    (alert,) = rows(store, alerts)
    assert alert.path == ("city", "q01")
    assert (alert.state, alert.times_seen, alert.case_id) == ("active", 1, None)
    assert seqs(outcome) == [0]
    assert [event.kind for event in rows(store, events)] == ["alert"]


def test_sending_again_stores_once_and_confirms_again(store, site):
    take(store, site, "alert", alert_message())
    outcome = take(store, site, "alert", alert_message(hist=True), alert_message(hist=True))

    assert seqs(outcome) == [0, 0]
    assert (count(store, alerts), count(store, messages)) == (1, 1)


def test_another_content_under_the_same_number_is_refused(store, site):
    take(store, site, "alert", alert_message())
    outcome = take(store, site, "alert", alert_message(label="street_vending"))

    assert [(r.seq, r.fault.code) for r in outcome.refused] == [(0, "E_REPLAY")]
    assert seqs(outcome) == []
    assert rows(store, alerts)[0].label == "garbage"


def test_an_alert_lives_through_its_messages(store, site):
    take(store, site, "alert", alert_message(0))
    take(store, site, "alert", alert_message(1, state=AlertState.UPDATE, at=after(30)))
    take(store, site, "alert", alert_message(2, state=AlertState.END, at=after(60)))

    (alert,) = rows(store, alerts)
    assert (alert.state, alert.ended_at, alert.times_seen) == ("ended", after(60), 1)


@pytest.mark.parametrize("together", [True, False])
def test_the_same_thing_seen_by_another_camera_is_counted_on_the_first(store, site, together):
    first, second = alert_message(), alert_message(dev="cam-2", at=after(20))
    if together:
        take(store, site, "alert", first, second)
    else:
        take(store, site, "alert", first)
        take(store, site, "alert", second)

    one, two = rows(store, alerts, alerts.c.received_at)
    assert (one.times_seen, one.duplicate_of) == (2, None)
    assert two.duplicate_of == one.id


def test_a_thing_seen_three_times_has_one_head(store, site):
    for number in (1, 2, 3):
        take(store, site, "alert", alert_message(dev=f"cam-{number}", at=after(number * 10)))

    one, two, three = rows(store, alerts, alerts.c.received_at)
    assert one.times_seen == 3
    assert two.duplicate_of == three.duplicate_of == one.id


def test_two_things_of_one_camera_stay_two(store, site):
    take(store, site, "alert", alert_message(0), alert_message(1, alert="a-2"))
    assert [row.duplicate_of for row in rows(store, alerts)] == [None, None]


def test_a_rule_opens_a_case_at_once(store, tmp_path):
    rule = {"garbage": {"open_case": "at_once", "min_level": 2}}
    site = make_site(store, tmp_path, rules=rule)
    take(store, site, "alert", alert_message(0))
    assert count(store, cases) == 0
    take(store, site, "alert", alert_message(1, state=AlertState.UPDATE, level=2, at=after(5)))

    (case,) = rows(store, cases)
    assert (case.number[:2], case.number[-5:], case.state) == ("AK", "-0001", "reported")
    assert (case.path, case.matter, case.standard_ref) == (
        ("city", "q01"),
        "06010",
        "GB/T 47678.5-2026",
    )
    assert rows(store, alerts)[0].case_id == case.id
    with store.read() as tx:
        assert [e.action for e in audit.of(tx, "case", str(case.id))] == ["report"]


def test_one_thing_opens_one_case(store, tmp_path):
    site = make_site(store, tmp_path, rules={"garbage": {"open_case": "at_once"}})
    take(store, site, "alert", alert_message(), alert_message(dev="cam-2", at=after(5)))
    take(store, site, "alert", alert_message(dev="cam-3", at=after(9)))

    assert count(store, cases) == 1
    assert {row.case_id for row in rows(store, alerts)} == {rows(store, cases)[0].id}


def test_case_numbers_of_a_day_follow_each_other(store, tmp_path):
    site = make_site(store, tmp_path, rules={"garbage": {"open_case": "at_once"}})
    for number in range(3):
        take(
            store, site, "alert", alert_message(number, alert=f"a-{number}", lat=LAT + number / 50)
        )
    assert [row.number[-4:] for row in rows(store, cases, cases.c.id)] == ["0001", "0002", "0003"]


# tracks


def test_fixes_are_stored_and_move_the_vehicle(store, site):
    outcome = take(store, site, "track", track_message(0, 5))

    (vehicle,) = rows(store, vehicles)
    assert (vehicle.id, vehicle.at, vehicle.grid_path) == ("car-1/v1", after(4), ("city", "q01"))
    assert seqs(outcome) == [0, 1, 2, 3, 4]


def stored(store):
    with store.read() as tx:
        return [fix.seq for fix in fixes_between(tx, "car-1/v1", after(-1e6), after(1e6))]


@pytest.mark.parametrize(
    "arriving",
    [
        [(0, 10), (0, 10)],
        [(0, 5), (5, 5)],
        [(5, 5), (0, 5)],
        [(0, 6), (3, 7)],
        [(3, 4), (0, 10)],
        [(0, 3), (6, 2), (0, 10)],
        [(4, 2), (0, 10), (2, 5)],
        [(0, 10), (4, 2), (9, 1)],
    ],
)
@pytest.mark.parametrize("together", [True, False])
def test_a_fix_is_stored_once_however_it_is_batched(store, site, arriving, together):
    sent = [track_message(first, count, at=after(first)) for first, count in arriving]
    batches_of = [sent] if together else [[each] for each in sent]
    confirmed = [seq for batch in batches_of for seq in seqs(take(store, site, "track", *batch))]

    assert stored(store) == list(range(10))
    assert sorted(set(confirmed)) == list(range(10))
    spans = sorted((row.first, row.last) for row in rows(store, batches))
    assert all(before[1] < later[0] for before, later in pairwise(spans))


def test_a_changed_fix_is_refused_and_the_others_stored(store, site):
    take(store, site, "track", track_message(3, 2, at=after(3)))
    outcome = take(store, site, "track", track_message(0, 6, lat=LAT + 1e-3))

    assert [(r.seq, r.fault.code) for r in outcome.refused] == [(3, "E_REPLAY"), (4, "E_REPLAY")]
    assert seqs(outcome) == [0, 1, 2, 5]
    assert stored(store) == [0, 1, 2, 3, 4, 5]


def test_a_new_epoch_begins_anew(store, site):
    take(store, site, "track", track_message(0, 3))
    take(store, site, "track", track_message(0, 3, epoch="f" * 16, at=after(100)))
    take(
        store,
        site,
        "track",
        track_message(0, 3),
        track_message(0, 3, epoch="f" * 16, at=after(100)),
    )

    assert stored(store) == [0, 1, 2, 0, 1, 2]


def test_late_fixes_take_their_place_and_move_nothing(store, site):
    take(store, site, "track", track_message(10, 2, at=after(100)))
    take(store, site, "track", track_message(0, 5, hist=True, lat=LAT - 0.05))

    (vehicle,) = rows(store, vehicles)
    assert (vehicle.at, vehicle.lat) == (after(101), LAT)
    assert stored(store) == [0, 1, 2, 3, 4, 10, 11]


def test_fixes_nobody_vouches_for_move_nothing(store, site):
    take(store, site, "track", track_message(0, 3, flags=0))
    (vehicle,) = rows(store, vehicles)
    assert (vehicle.at, vehicle.top) == (None, 2)
    assert stored(store) == [0, 1, 2]


def test_a_fix_far_ahead_is_refused_the_others_stored(store, site):
    message = track_message(0, 3, step_s=50_000)
    outcome = take(store, site, "track", received(message, NOON))
    assert [(r.seq, r.fault.code) for r in outcome.refused] == [(2, "E_TIME")]
    assert seqs(outcome) == [0, 1]


def test_a_clock_some_hours_ahead_does_not_pin_the_vehicle(store, site):
    take(store, site, "track", received(track_message(0, 1, at=after(7200)), NOON))
    take(store, site, "track", received(track_message(1, 1, at=after(10)), after(10)))
    assert rows(store, vehicles)[0].at == after(10)


def test_fixes_out_of_order_are_refused_whole(store, site):
    message = track_message(0, 3)
    message = msgspec.structs.replace(message, fixes=message.fixes[::-1])
    outcome = take(store, site, "track", message)
    assert {r.fault.code for r in outcome.refused} == {"E_SCHEMA"}
    assert sorted(r.seq for r in outcome.refused) == [0, 1, 2]
    assert stored(store) == []


def test_crossings_are_told_once(store, site):
    take(store, site, "track", track_message(0, 1, lon=109.05))
    take(store, site, "track", track_message(1, 1, lon=109.15, at=after(60)))
    take(store, site, "track", track_message(2, 1, lon=109.15, at=after(70)))
    take(store, site, "track", track_message(3, 1, lon=110.0, at=after(80)))

    found = [(row.grid, row.kind, row.at) for row in rows(store, crossings, crossings.c.id)]
    assert found == [
        ("city", "enter", NOON),
        ("q01", "enter", NOON),
        ("q01", "exit", after(60)),
        ("q11", "enter", after(60)),
        ("city", "exit", after(80)),
        ("q11", "exit", after(80)),
    ]


def test_two_devices_cannot_speak_for_one_vehicle(store, site):
    take(store, site, "track", track_message(0, 1), track_message(0, 1, dev="car-2"))
    assert {row.id for row in rows(store, vehicles)} == {"car-1/v1", "car-2/v1"}


# devices


def test_a_birth_registers_cameras_and_vehicles(store, site):
    take(store, site, "birth", birth(generated=True))

    (camera,) = rows(store, cameras)
    assert (camera.id, camera.name, camera.grid_path) == (
        "cam-1/gate",
        "North gate",
        ("city", "q01"),
    )
    assert rows(store, vehicles)[0].plate == "陕G·00001"
    assert rows(store, devices)[0].generated


def test_further_vehicles_of_a_large_fleet_give_up_none(store, site):
    take(store, site, "birth", birth())
    more = [VehicleBirth(id="v2", plate="陕G·00002", kind="spoil_truck")]
    take(store, site, "birth", birth(cameras=[], vehicles=more, more=True))
    assert {(row.vehicle, row.retired_at) for row in rows(store, vehicles)} == {
        ("v1", None), ("v2", None),
    }  # fmt: skip
    assert rows(store, cameras)[0].retired_at is None


def test_a_camera_no_longer_named_is_retired_and_may_return(store, site):
    take(store, site, "birth", birth())
    take(store, site, "birth", birth(session=2, cameras=[]))
    assert rows(store, cameras)[0].retired_at is not None
    take(store, site, "birth", birth(session=3))
    assert rows(store, cameras)[0].retired_at is None


def test_a_will_makes_cameras_unreachable_until_they_come_back(store, site):
    take(store, site, "birth", birth())
    take(store, site, "health", received(health("ok", after(5)), after(5)))
    take(store, site, "state", received(state(online=False), after(60)))
    (camera,) = rows(store, cameras)
    assert (camera.state, camera.state_since) == ("unreachable", after(60))

    take(store, site, "state", received(state(session=2), after(90)))
    take(store, site, "health", received(health("ok", after(95)), after(96)))

    assert rows(store, cameras)[0].state == "ok"
    spans = [(s.state, s.from_at, s.until_at) for s in rows(store, blind_spans, blind_spans.c.id)]
    assert spans == [
        ("starting", NOON, after(5)),
        ("unreachable", after(60), after(90)),
        ("starting", after(90), after(95)),
    ]


@pytest.mark.parametrize(
    ("messages_in_order", "online"),
    [
        ([state(session=1)], True),
        ([state(session=1), state(online=False, session=1)], False),
        ([state(session=2), state(online=False, session=1)], True),
        ([state(session=2), state(online=False, session=9, epoch="f" * 16)], True),
        ([state(session=2), state(session=0, epoch="f" * 16)], True),
    ],
)
def test_a_late_will_changes_nothing(store, site, messages_in_order, online):
    for message in messages_in_order:
        take(store, site, "state", message)
    assert rows(store, devices)[0].online is online


def test_a_gap_is_stored_once(store, site):
    gap = Gap(dev="cam-1", epoch=alert_message().epoch, seq=0, ts=ms(NOON), stream="track",
              first=3, last=9, why="disk full")  # fmt: skip
    take(store, site, "gap", gap)
    outcome = take(store, site, "gap", gap)
    assert seqs(outcome) == [0]
    assert [(row.stream, row.first, row.last) for row in rows(store, gaps)] == [("track", 3, 9)]


def test_a_stranger_is_refused_where_devices_are_listed(store, tmp_path):
    site = make_site(store, tmp_path, enrol="listed")
    outcome = take(store, site, "alert", alert_message())
    assert [(r.seq, r.fault.code) for r in outcome.refused] == [(0, "E_DEVICE")]
    assert count(store, alerts) == 0


# files


def test_an_offer_is_answered_with_addresses_for_what_is_missing(store, site):
    shown = EvidenceRef("a" * 64, 10, "image/jpeg", "clean")
    take(store, site, "alert", alert_message(evidence=[shown]))
    proving.file_arrived(store, "b" * 64, "image/jpeg", 10, "cam-1")
    files = [OfferedFile("a" * 64, 10, "image/jpeg"), OfferedFile("b" * 64, 10, "image/jpeg")]
    outcome = take(store, site, "evidence", EvidenceOffer(dev="cam-1", alert="a-1", files=files))

    (grant,) = outcome.grants
    assert grant.files[0].url.startswith(f"http://127.0.0.1:8000/upload/{'a' * 64}?dev=cam-1&")
    assert grant.files[1].url == ""


@pytest.mark.parametrize("file_first", [True, False])
def test_a_picture_is_shown_when_it_is_here(store, site, file_first):
    shown = EvidenceRef("a" * 64, 10, "image/jpeg", "clean")
    steps = [
        lambda: proving.file_arrived(store, "a" * 64, "image/jpeg", 10, "cam-1"),
        lambda: take(store, site, "alert", alert_message(evidence=[shown])),
    ]
    for step in steps if file_first else steps[::-1]:
        step()
    name = alert_id(alert_message())
    with store.read() as tx:
        assert [p.held for p in alert_store.pictures_of(tx, [name])[name]] == [True]


# people


def decide(store, site, decision, actor=OPERATOR, name=None):
    decisions.decide(store, site, name or alert_id(alert_message()), decision, note="", actor=actor)


def step(store, site, action, version, actor=OPERATOR, note="because", into=""):
    case = rows(store, cases)[0]
    wanted = WantedStep(action, version, note, into)
    steps.take_step(store, site, case.id, wanted, actor)


def test_confirming_opens_a_case_for_all_of_the_thing(store, site):
    take(store, site, "alert", alert_message(), alert_message(dev="cam-2", at=after(5)))
    decide(store, site, "confirmed")
    decide(store, site, "confirmed")

    assert count(store, cases) == 1
    assert all(row.case_id for row in rows(store, alerts))
    with store.read() as tx:
        name = alert_id(alert_message())
        assert [e.action for e in audit.of(tx, "alert", name)] == ["confirmed"]
        assert audit.verify(tx) == []


def test_a_decision_is_made_once(store, site):
    take(store, site, "alert", alert_message())
    decide(store, site, "false_alarm")
    with pytest.raises(Problem) as caught:
        decide(store, site, "confirmed", CHIEF)
    assert (caught.value.status, caught.value.code) == (409, "decided")
    assert count(store, cases) == 0


@pytest.mark.parametrize(("steps", "state_after"), [([], "rejected"), (["file"], "filed")])
def test_a_false_alarm_takes_back_a_case_before_filing(store, tmp_path, steps, state_after):
    site = make_site(store, tmp_path, rules={"garbage": {"open_case": "at_once"}})
    take(store, site, "alert", alert_message())
    for version, action in enumerate(steps, 1):
        step(store, site, action, version)
    decide(store, site, "false_alarm")
    assert rows(store, cases)[0].state == state_after


def test_a_case_goes_its_whole_way(store, site):
    take(store, site, "alert", alert_message())
    decide(store, site, "confirmed")
    way = [
        ("file", OPERATOR),
        ("dispatch", OPERATOR),
        ("accept", Actor("crew", Role.OPERATOR)),
        ("feedback", Actor("crew", Role.OPERATOR)),
        ("verify_result", OPERATOR),
        ("close", CHIEF),
        ("watch", CHIEF),
        ("archive", CHIEF),
    ]
    for version, (action, actor) in enumerate(way, 1):
        step(store, site, action, version, actor)

    (case,) = rows(store, cases)
    assert (case.state, case.version) == ("archived", 9)
    with store.read() as tx:
        history = audit.of(tx, "case", str(case.id))
        assert [e.action for e in history] == ["report", *(action for action, _ in way)]
        assert history[-1].from_state == "watching"
        assert audit.verify(tx) == []


@pytest.mark.parametrize(
    ("action", "version", "actor", "note", "status", "code"),
    [
        ("close", 1, CHIEF, "x", 409, "illegal_step"),
        ("nonsense", 1, CHIEF, "x", 409, "illegal_step"),
        ("file", 7, OPERATOR, "", 409, "stale"),
        ("file", 1, Actor("guest", Role.VIEWER), "", 403, "forbidden"),
        ("reject", 1, OPERATOR, "", 422, "reason_needed"),
        ("merge", 1, OPERATOR, "the same", 422, "bad_case"),
    ],
)
def test_a_refused_step_changes_nothing(store, site, action, version, actor, note, status, code):
    take(store, site, "alert", alert_message())
    decide(store, site, "confirmed")
    with pytest.raises(Problem) as caught:
        step(store, site, action, version, actor, note)
    assert (caught.value.status, caught.value.code) == (status, code)
    (case,) = rows(store, cases)
    assert (case.state, case.version) == ("reported", 1)
    with store.read() as tx:
        assert len(audit.of(tx, "case", str(case.id))) == 1


def test_of_two_people_at_once_one_wins(store, site):
    take(store, site, "alert", alert_message())
    decide(store, site, "confirmed")
    start, results = threading.Barrier(2), []

    def act(action):
        start.wait()
        try:
            step(store, site, action, 1)
            results.append("done")
        except Problem as problem:
            results.append(problem.code)

    threads = [threading.Thread(target=act, args=(action,)) for action in ("file", "verify_report")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(results) == ["done", "stale"]
    with store.read() as tx:
        assert len(audit.of(tx, "case", "1")) == 2
        assert audit.verify(tx) == []


def test_merging_moves_the_alerts(store, site):
    other = alert_message(1, alert="a-2", lat=LAT + 0.01)
    take(store, site, "alert", alert_message(0), other)
    decide(store, site, "confirmed")
    decide(store, site, "confirmed", name=alert_id(other))
    first, second = rows(store, cases, cases.c.id)
    wanted = WantedStep("merge", 1, "the same", second.number)
    steps.take_step(store, site, first.id, wanted, OPERATOR)

    assert {row.case_id for row in rows(store, alerts)} == {second.id}
    assert rows(store, cases, cases.c.id)[0].state == "merged"
    with store.read() as tx:
        last = audit.of(tx, "case", str(first.id))[-1]
    assert (last.action, last.note) == ("merge", f"{second.number}: the same")


def test_new_grids_move_cameras_and_vehicles_and_leave_alerts(store, site):
    take(store, site, "birth", birth())
    take(store, site, "track", track_message(0, 1, dev="cam-1"))
    take(store, site, "alert", alert_message())
    document = grid_document()
    document["features"][2]["properties"]["code"] = "west"
    with store.write() as tx:
        tx.execute(grid_store.grids.update().values(valid_until=NOON))
        grid_store.bring_in(tx, document, at=after(1), actor="t", source="t")
        places = Places()
        grid_store.refresh(tx, places)
        pipeline.grids_changed(tx, places)

    assert rows(store, cameras)[0].grid_path == ("city", "west")
    assert rows(store, vehicles)[0].grid_path == ("city", "west")
    assert rows(store, alerts)[0].path == ("city", "q01")


# a camera that moves


def passed(seq, minutes, north_m=0.0, state=AlertState.NEW, **changes):
    at = after(60 * minutes)
    fields = {"dev": "car-1", "source": "dash", "alert": f"p-{minutes}-{north_m}",
              "place": PlaceSource.VEHICLE, "acc": 6.0, "lat": LAT + north_m / 110_900}  # fmt: skip
    return alert_message(seq, at=at, since=ms(at) - 8000, state=state, **(fields | changes))


def test_a_heap_passed_three_times_is_one_alert_and_another_heap_another(store, site):
    """Both directions, another day, each ended when out of sight; a second heap 30 m on."""
    day = 24 * 60
    for seq, (minutes, north_m) in enumerate([(0, 0), (20, 7), (day, -5), (day + 1, 30)]):
        take(store, site, "alert", passed(2 * seq, minutes, north_m))
        take(store, site, "alert", passed(2 * seq + 1, minutes, north_m, AlertState.END))
    kept = rows(store, alerts, alerts.c.seq)
    first, second, third, other = kept
    assert (first.times_seen, first.duplicate_of) == (3, None)
    assert second.duplicate_of == third.duplicate_of == first.id
    assert (other.duplicate_of, other.times_seen) == (None, 1)


def test_out_of_sight_of_a_passing_car_is_not_gone(store, site):
    take(store, site, "alert", passed(0, 0))
    take(store, site, "alert", passed(1, 0, state=AlertState.END))
    (alert,) = rows(store, alerts)
    assert (alert.state, alert.ended_at) == ("active", None)
    take(store, site, "alert", passed(2, 5, label="emergency", alert="sos"))
    take(store, site, "alert", passed(3, 6, label="emergency", alert="sos", state=AlertState.END))
    assert rows(store, alerts, alerts.c.seq)[-1].state == "ended"


def test_what_lies_there_again_after_its_case_was_closed_is_a_new_alert(store, site):
    take(store, site, "alert", passed(0, 0))
    (first,) = rows(store, alerts)
    decisions.decide(store, site, first.id, "confirmed", note="", actor=OPERATOR)
    take(store, site, "alert", passed(1, 30))
    assert rows(store, alerts, alerts.c.seq)[-1].duplicate_of == first.id
    (case,) = rows(store, cases)
    step(store, site, "reject", case.version, CHIEF)
    take(store, site, "alert", passed(2, 60))
    assert rows(store, alerts, alerts.c.seq)[-1].duplicate_of is None
