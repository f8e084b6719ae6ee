"""Alarm bits: one event each time a bit rises, over when it falls; a flapping one is bounded."""

from collections.abc import Sequence

import pytest
from hypothesis import given, strategies as st
from msgspec import structs

from hub.alerts.store import alerts
from hub.tracks.alarms import alarms as follow, finish
from hub.tracks.point import Point
from hub.tracks.settings import DEFAULTS
from tests.hub.test_judging import fix, judge_all, rows, send, told, truck
from tests.hub.world import after
from wire.track import ALARMS

FATIGUE, POWER = 1 << 2, 1 << 7


def run(bits: Sequence[tuple[float, int]]):
    """(subject, start, end, over, times) as told, and the state after; bits: (second, bits)."""
    state, said = None, []
    for at_s, alarm in bits:
        state, episodes = follow(state, Point(after(at_s), 32.7, 109.0, alarm=alarm), DEFAULTS)
        said += episodes
    return said, state


def spans(said):
    return [
        (
            e.subject,
            (e.start - after(0)).total_seconds(),
            (e.end - after(0)).total_seconds(),
            e.over,
        )
        for e in said
    ]


@pytest.mark.parametrize(("bit", "name"), ALARMS.items())
def test_every_named_bit_is_one_event_from_its_rise_to_its_fall(bit, name):
    said, _ = run([(0, 0), *((n, 1 << bit) for n in range(10, 500, 10)), (500, 0), (510, 0)])
    assert spans(said) == [(name, 10, 10, False), (name, 10, 500, True)]


def test_bits_that_overlap_are_events_of_their_own():
    said, _ = run([(0, FATIGUE), (10, FATIGUE | POWER), (20, POWER), (30, 0)])
    assert spans(said) == [
        ("fatigue", 0, 0, False),
        ("power_low", 10, 10, False),
        ("fatigue", 0, 20, True),
        ("power_low", 10, 30, True),
    ]


def test_what_stands_is_told_as_lasting():
    _, state = run([(0, 0), (10, POWER)])
    assert spans(finish(state, DEFAULTS)) == [("power_low", 10, 10, False)]
    assert finish(None, DEFAULTS) == ()


def test_a_bit_that_rises_again_is_another_event():
    said, _ = run([(0, POWER), (10, 0), (20, POWER), (30, 0)])
    assert [span[1:] for span in spans(said) if span[3]] == [(0, 10, True), (20, 30, True)]


def test_a_bit_that_flaps_all_day_is_a_few_events_with_their_number():
    flaps = [(n * 10, POWER if n % 2 else 0) for n in range(8640)]
    said, state = run([*flaps, (86_400, 0), (86_400 + 3700, 0)])
    assert len({e.start for e in said}) == 6
    (last,) = [e for e in said if e.facts.get("times")]
    assert last.over
    assert last.facts["times"] == 4320 - 5
    assert not state.bits


def test_after_an_hour_of_quiet_it_is_told_as_before():
    flaps = [(n * 10, POWER if n % 2 else 0) for n in range(100)]
    said, _ = run([*flaps, (1000, 0), (8000, POWER), (8010, 0)])
    assert spans(said)[-2:] == [("power_low", 8000, 8000, False), ("power_low", 8000, 8010, True)]


@given(st.lists(st.tuples(st.integers(1, 4000), st.integers(0, 2**32 - 1)), max_size=60))
def test_whatever_stands_and_falls_no_event_is_told_more_than_twice_or_ends_before_it_began(steps):
    at_s, bits = 0, []
    for step_s, alarm in steps:
        at_s += step_s
        bits.append((at_s, alarm))
    said, _ = run(bits)
    keys = [(e.subject, e.start, e.over) for e in said]
    assert len(keys) == len(set(keys))
    assert all(e.start <= e.end for e in said)


def test_the_history_of_a_vehicle_has_them_and_nothing_rings(store, site):
    truck(store, site)
    stands = range(3, 9)
    fixes = [
        structs.replace(fix(n, n * 10), alarm=FATIGUE if n in stands else 0) for n in range(20)
    ]
    send(store, site, fixes)
    judge_all(store, site)
    assert told(store, "terminal_alarm") == [("terminal_alarm", "fatigue", 30, 90, True)]
    assert rows(store, alerts) == []


def test_reports_in_a_wrong_order_tell_the_same(store, site):
    truck(store, site)
    fixes = [structs.replace(fix(n, n * 10), alarm=POWER if 3 <= n < 9 else 0) for n in range(20)]
    send(store, site, fixes[:5] + fixes[12:])
    judge_all(store, site)
    send(store, site, fixes[5:12])
    judge_all(store, site)
    assert told(store, "terminal_alarm") == [("terminal_alarm", "power_low", 30, 90, True)]
