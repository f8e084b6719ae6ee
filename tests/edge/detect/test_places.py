from dataclasses import replace

import pytest

from edge.detect.places import UPDATE_S, Places, Sighting
from tests.edge.detect.scripted import box, moment
from wire.zone import ZoneConfig

ZONE = ZoneConfig(id="pavement", dwell_s=60)
HEAP = box("garbage", 0.4, 0.6)


def _play(script, seconds, look_s=1.0, passers=lambda _: [], zone=ZONE):
    """`script`: second → boxes seen; gives (second, state, label) of the events."""
    places, told = Places(), []
    for number in range(round(seconds / look_s) + 1):
        t_s = number * look_s
        sightings = [(zone, Sighting(b, b.score)) for b in script(t_s)]
        events = places.update(sightings, passers(t_s), moment(t_s))
        told += [(t_s, str(event.state), event.stay) for event in events]
    return told


def _states(told):
    return [(state, stay.label) for _, state, stay in told]


@pytest.mark.parametrize("look_s", [0.2, 0.5, 1.0, 2.0, 4.0])
def test_the_rate_of_looks_does_not_change_the_dwell(look_s):
    told = _play(lambda _: [HEAP], 100, look_s)
    assert _states(told) == [("new", "garbage")]
    assert told[0][0] == pytest.approx(60, abs=max(1.0, look_s))
    assert told[0][2].since == moment(0)


def test_eight_seconds_out_of_sight_make_no_second_alert_and_no_reset():
    told = _play(lambda t: [] if 30 <= t < 38 or 80 <= t < 88 else [HEAP], 120)
    assert _states(told) == [("new", "garbage")]
    assert told[0][0] == 60


def test_hidden_eight_of_every_fourteen_seconds_still_becomes_an_alert():
    told = _play(lambda t: [HEAP] if t % 14 < 6 else [], 90)
    assert _states(told) == [("new", "garbage")]
    assert told[0][0] <= 70


def test_what_goes_early_is_no_alert():
    assert _play(lambda t: [HEAP] if t < 50 else [], 200) == []


def test_what_comes_back_after_long_begins_again():
    told = _play(lambda t: [] if 40 <= t < 75 else [HEAP], 140)
    assert told[0][0] == 135
    assert told[0][2].since == moment(75)


def test_an_alert_ends_once_when_its_place_has_been_empty_for_half_a_dwell():
    told = _play(lambda t: [HEAP] if t < 100 else [], 300)
    assert _states(told) == [("new", "garbage"), ("end", "garbage")]
    assert told[1][0] == pytest.approx(130, abs=2)


def test_a_lorry_before_an_alert_does_not_end_it():
    lorry = box("truck", 0.3, 0.4, 0.4, 0.5)
    told = _play(
        lambda t: [] if 100 <= t < 300 else [HEAP],
        400,
        passers=lambda t: [lorry] if 100 <= t < 300 else [],
    )
    assert _states(told) == [("new", "garbage")]


def test_a_lasting_alert_says_so_now_and_then():
    told = _play(lambda _: [HEAP], 60 + 2 * UPDATE_S, look_s=5)
    assert [state for _, state, _ in told] == ["new", "update", "update"]


def test_wavering_and_nested_boxes_are_one_thing():
    def boxes(t):
        wide = box("garbage", 0.36, 0.56, 0.17, 0.26)
        return [wide] if t % 3 == 0 else [box("garbage", 0.4 + 0.01 * (t % 2), 0.61)]

    assert _states(_play(boxes, 120)) == [("new", "garbage")]


def test_things_apart_are_alerts_of_their_own():
    told = _play(lambda _: [HEAP, box("garbage", 0.1, 0.6), box("street_vending", 0.7, 0.5)], 70)
    assert sorted(label for _, label in _states(told)) == ["garbage", "garbage", "street_vending"]
    assert sorted(stay.number for _, _, stay in told) == [1, 2, 3]


def test_a_stall_pushed_along_is_still_that_stall():
    def boxes(t):
        return [box("street_vending", 0.4 + 0.004 * min(max(t - 90, 0), 40), 0.5)]

    assert _states(_play(boxes, 200)) == [("new", "street_vending")]


def test_looks_far_apart_do_not_forget():
    zone = ZoneConfig(id="slow", dwell_s=3600)
    told = _play(lambda t: [HEAP] if t % 1800 < 1200 else [], 7200, look_s=600, zone=zone)
    assert [state for _, state, _ in told if state != "update"] == ["new"]


def test_blind_time_neither_counts_nor_breaks():
    places = Places()
    for t_s in range(40):
        places.update([(ZONE, Sighting(HEAP, 0.8))], [], moment(t_s))
    for t_s in range(40, 100):
        places.blind(moment(t_s))
    events = places.update([(ZONE, Sighting(HEAP, 0.8))], [], moment(100))
    assert [str(e.state) for e in events] == ["new"]
    assert events[0].stay.since == moment(0)


def test_the_end_of_watching_ends_every_open_alert():
    places = Places()
    for t_s in range(70):
        places.update([(ZONE, Sighting(HEAP, 0.8))], [], moment(t_s))
    assert [str(e.state) for e in places.finish()] == ["end"]
    assert places.finish() == []


def test_a_place_has_one_name_at_a_time():
    told = _play(lambda _: [HEAP, box("street_vending", 0.41, 0.61, score=0.7)], 200)
    assert _states(told) == [("new", "garbage")]


def test_a_surer_name_takes_an_alerts_place():
    def boxes(t):
        return [box("garbage", 0.4, 0.6, score=0.3)] + (
            [box("street_vending", 0.41, 0.61, score=0.9)] if t >= 50 else []
        )

    told = _play(boxes, 200)
    assert _states(told) == [("new", "garbage"), ("end", "garbage"), ("new", "street_vending")]


def test_a_surer_name_that_few_looks_gave_does_not_take_an_alerts_place():
    def script(t_s):
        sure = [box("street_vending", 0.4, 0.6, score=0.75)] if t_s > 60 and t_s % 5 < 2 else []
        return [box("garbage", 0.4, 0.6, score=0.5), *sure]

    assert _states(_play(script, 300)) == [("new", "garbage")]


def test_an_alert_of_something_new_stays_it_when_it_has_stood_there_for_long():
    places, told = Places(), []
    for t_s in range(300):
        seen = Sighting(HEAP, HEAP.score, least=0.5 if t_s > 80 else 0.0)
        told += places.update([(ZONE, seen)], [], moment(t_s))
    assert [str(event.state) for event in told] == ["new"]


def test_what_always_stood_there_is_not_what_came_before_it():
    places, told = Places(), []
    for t_s in range(200):
        seen = Sighting(replace(HEAP, score=0.4), 0.4, least=0.0 if t_s >= 100 else 0.5)
        told += places.update([(ZONE, seen)], [], moment(t_s))
    assert [(str(event.state), event.stay.since) for event in told] == [("new", moment(100))]


def test_what_has_no_class_gives_way_to_what_has_one_and_never_the_other_way():
    thing = box("unknown_object", 0.39, 0.6, score=0.95)
    told = _play(lambda t: [thing] + ([HEAP] if t >= 30 else []), 200)
    assert _states(told) == [
        ("new", "unknown_object"),
        ("end", "unknown_object"),
        ("new", "garbage"),
    ]
    told = _play(lambda t: [HEAP] + ([thing] if t >= 30 else []), 200)
    assert _states(told) == [("new", "garbage")]


@pytest.mark.parametrize("blind_s", [30, 1000, 50_000])
def test_what_cannot_be_seen_does_not_end_however_long(blind_s):
    places, told = Places(), []
    for t_s in range(100):
        told += places.update([(ZONE, Sighting(HEAP, 0.8))], [], moment(t_s))
    for t_s in range(100, 100 + blind_s):
        places.blind(moment(t_s))
    # The detector needs a few looks to find it again.
    for t_s in range(100 + blind_s, 110 + blind_s):
        told += places.update([], [], moment(t_s))
    assert [str(event.state) for event in told] == ["new"]
    for t_s in range(110 + blind_s, 170 + blind_s):
        told += places.update([], [], moment(t_s))
    assert [str(event.state) for event in told] == ["new", "end"]


def test_a_time_without_any_look_is_no_proof_that_something_has_gone():
    places, told = Places(), []
    for t_s in [*range(100), *range(5000, 5010)]:
        seen = [(ZONE, Sighting(HEAP, 0.8))] if t_s < 100 else []
        told += places.update(seen, [], moment(t_s))
    assert [str(event.state) for event in told] == ["new"]


def test_a_camera_that_has_moved_ends_nothing():
    places, told = Places(), []
    for t_s in range(400):
        seen = [(ZONE, Sighting(HEAP, 0.8))] if t_s < 100 else []
        told += places.update(seen, [], moment(t_s), is_sure=t_s < 100)
    assert [str(event.state) for event in told] == ["new"]
