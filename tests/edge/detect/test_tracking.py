import pytest

from edge.detect.tracking import Tracker
from tests.edge.detect.scripted import box


def _walk(tracker, script, seconds, look_s=1.0):
    times_s = [number * look_s for number in range(round(seconds / look_s))]
    return [tracker.update(script(t_s), t_s) for t_s in times_s]


def test_who_stands_still_keeps_an_identity_and_gathers_time():
    seen = _walk(Tracker(), lambda t: [box("person", 0.4 + 0.01 * (t % 2), 0.5, 0.05, 0.2)], 31)
    assert {track.id for look in seen for track in look} == {1}
    assert seen[-1][0].stayed_s == 30


def test_who_walks_past_never_stays():
    seen = _walk(Tracker(), lambda t: [box("person", 0.05 + 0.03 * t, 0.5, 0.05, 0.2)], 25)
    assert max(track.stayed_s for look in seen for track in look) < 6


@pytest.mark.parametrize("look_s", [0.5, 1.0, 2.0])
def test_a_walker_is_one_thing_at_any_rate_of_looks(look_s):
    seen = _walk(Tracker(), lambda t: [box("person", 0.05 + 0.05 * t, 0.5, 0.05, 0.2)], 16, look_s)
    assert {track.id for look in seen for track in look} == {1}


def test_who_stays_is_remembered_through_an_occlusion():
    def boxes(t):
        return [] if 20 <= t < 28 else [box("person", 0.4, 0.5, 0.05, 0.2)]

    seen = _walk(Tracker(), boxes, 40)
    assert seen[-1][0].id == 1
    assert seen[-1][0].stayed_s == 39


def test_a_van_that_is_a_truck_now_and_then_is_one_thing():
    seen = _walk(Tracker(), lambda t: [box("car" if t % 2 else "truck", 0.2, 0.4, 0.3, 0.3)], 10)
    assert {track.id for look in seen for track in look} == {1}


def test_a_person_is_not_the_umbrella_above():
    seen = _walk(
        Tracker(),
        lambda t: [box("person" if t % 2 else "umbrella", 0.2, 0.4, 0.1, 0.3)],
        4,
    )
    assert {track.id for look in seen for track in look} == {1, 2}


def test_fifty_things_keep_their_identities_while_they_walk():
    def boxes(t):
        return [
            box("person", 0.02 + 0.09 * (n % 10) + 0.004 * t, 0.1 + 0.18 * (n // 10), 0.03, 0.12)
            for n in range(50)
        ]

    seen = _walk(Tracker(), boxes, 12)
    assert [track.id for track in seen[-1]] == [track.id for track in seen[0]]
