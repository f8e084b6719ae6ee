"""A grid's confidence, from what devices said to the number: blind cameras, silent receivers."""

from datetime import time as clock, timedelta

import pytest

from hub.duty import store as duty_store
from hub.duty.duty import Person, PersonRole, Post
from hub.duty.shift import Shift
from hub.duty.table import Duty
from hub.evaluation.confidence import confidences
from hub.evaluation.period import Span
from hub.judging import Judge
from hub.patrol.judge import Work, judge_again
from hub.store import to_ms
from tests.hub.patrol.test_judge import CAR, arrive, stay
from tests.hub.test_pipeline import take
from tests.hub.world import NOON, birth, health, received
from wire.status import CameraState
from wire.track import ACC_ON, VALID

HOUR = timedelta(hours=1)
RUNNING = VALID | ACC_ON


def found(store, site, hours):
    """The confidence of each grid in the hours from noon on."""
    span = Span(to_ms(NOON), to_ms(NOON + hours * HOUR))
    with store.read() as tx:
        return confidences(tx, span, site.places, site.config.patrol.kinds, site.config.zone)


def patrolled(store, site):
    day = NOON.astimezone(site.config.zone).date()
    revision, index = site.places.index
    judge_again(store, Work(site.config, index, revision), day, day + timedelta(days=1), None)


def blind(store, site, first, last):
    for state, hour in (("ok", 0), ("black", first), ("ok", last)):
        at = NOON + hour * HOUR
        take(store, site, "health", received(health(CameraState(state), at), at))


def test_blind_hours_of_a_camera_lower_it(store, site):
    take(store, site, "birth", birth(vehicles=[]))
    blind(store, site, 2, 3)
    grids = found(store, site, 10)
    assert grids["q01"].value == pytest.approx(0.9)
    assert grids["city"].value == pytest.approx(0.9)
    assert "q10" not in grids


def test_a_camera_that_is_blind_still_is_blind_until_now(store, site):
    take(store, site, "birth", birth(vehicles=[]))
    for state, hour in (("ok", 0), ("black", 4)):
        at = NOON + hour * HOUR
        take(store, site, "health", received(health(CameraState(state), at), at))
    assert found(store, site, 5)["q01"].value == pytest.approx(0.8)
    assert found(store, site, 8)["q01"].value == pytest.approx(0.5)


def test_a_patrol_that_falls_silent_lowers_it_for_as_long_as_it_is(store, site):
    arrive(store, site)
    take(store, site, "track", stay(NOON, 3600, flags=RUNNING))
    judge = Judge(store, site, lambda: False)
    while judge.work():
        pass
    judge.look_for_silence(NOON + 1.6 * HOUR)
    patrolled(store, site)
    grids = found(store, site, 3)
    assert grids["q01"].heard == pytest.approx(1 / 3, abs=0.01)  # two hours silent and still
    assert found(store, site, 5)["q01"].heard == pytest.approx(1 / 5, abs=0.01)
    take(store, site, "track", stay(NOON + 4 * HOUR, 3600, first=1000))
    while judge.work():
        pass
    patrolled(store, site)
    assert found(store, site, 8)["q01"].heard == pytest.approx(2 / 5, abs=0.01)


def parked(store, site):
    """An hour of positions until 13:00, the ignition off; nothing since."""
    arrive(store, site)
    take(store, site, "track", stay(NOON, 3600))
    judge = Judge(store, site, lambda: False)
    while judge.work():
        pass
    judge.look_for_silence(NOON + 1.6 * HOUR)
    patrolled(store, site)


def test_a_parked_car_is_silent_by_design(store, site):
    parked(store, site)
    assert found(store, site, 10)["q01"].heard == 1


def on_duty(store, shifts, at=NOON):
    """The car's driver works these shifts from a moment on."""
    posts = [Post("p", "post", "q01", shifts=tuple(shift.code for shift in shifts))]
    people = [Person("w", "W", PersonRole.OFFICER, "p", trackers=(CAR,))]
    with store.write() as tx:
        duty_store.put(tx, Duty(posts=posts, people=people, shifts=shifts), at)


def test_on_its_shift_it_should_speak(store, site):
    parked(store, site)
    # NOON is 12:00 in Ankang: silent since 13:00, on duty from 14:00 to 16:00, twice over.
    shifts = [
        Shift("a", "day", ("daily",), clock(14), clock(16)),
        Shift("b", "late", ("daily",), clock(15), clock(16)),
    ]
    on_duty(store, shifts)
    assert found(store, site, 2)["q01"].heard == 1
    assert found(store, site, 3)["q01"].heard == pytest.approx(1 / 2, abs=0.01)
    assert found(store, site, 10)["q01"].heard == pytest.approx(1 / 3, abs=0.01)


def test_a_past_day_is_judged_by_the_shifts_that_held_on_it(store, site):
    parked(store, site)
    # Silent since 13:00, on duty from 14:00 to 16:00: an hour heard, two silent.
    on_duty(store, [Shift("a", "day", ("daily",), clock(14), clock(16))])
    before = found(store, site, 10)
    assert before["q01"].heard == pytest.approx(1 / 3, abs=0.01)

    # From the next noon on the shift is a longer one; later its post has none, and is no more.
    next_noon = NOON + 24 * HOUR
    on_duty(store, [Shift("a", "day", ("daily",), clock(13), clock(18))], next_noon)
    assert found(store, site, 10) == before
    both = found(store, site, 34)  # two hours of the first day, five of the second
    assert both["q01"].silent_h == pytest.approx(7, abs=0.01)
    on_duty(store, [], next_noon + 3 * HOUR)  # at 15:00
    assert found(store, site, 34)["q01"].silent_h == pytest.approx(4, abs=0.01)
    with store.write() as tx:
        assert duty_store.remove(tx, "people", "w")
    assert found(store, site, 10) == before


def test_a_shift_counts_on_no_day_before_it_was_put_in_force(store, site):
    parked(store, site)
    on_duty(store, [Shift("a", "day", ("daily",), clock(14), clock(16))], NOON + 3 * HOUR)
    assert found(store, site, 10)["q01"].silent_h == pytest.approx(1, abs=0.01)


def test_the_worse_of_the_two_counts(store, site):
    take(store, site, "birth", birth(vehicles=[]))
    blind(store, site, 1, 2)
    arrive(store, site)
    take(store, site, "track", stay(NOON, 3600))
    patrolled(store, site)
    both = found(store, site, 4)["q01"]
    assert (both.seen, both.heard) == (pytest.approx(0.75), 1)
    assert both.value == pytest.approx(0.75)


def test_racing_through_a_grid_hears_nothing_of_it(store, site):
    arrive(store, site)
    take(store, site, "track", stay(NOON, 60, east_deg=1e-3))
    patrolled(store, site)
    assert "q01" not in found(store, site, 3)
