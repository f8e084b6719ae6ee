"""A grid's confidence, from what devices said to the number: blind cameras, silent receivers."""

from datetime import timedelta

import pytest

from hub.evaluation.confidence import confidences
from hub.evaluation.period import Span
from hub.judging import Judge
from hub.patrol.judge import Work, judge_again
from hub.store import to_ms
from tests.hub.patrol.test_judge import arrive, stay
from tests.hub.test_pipeline import take
from tests.hub.world import NOON, birth, health, received
from wire.status import CameraState

HOUR = timedelta(hours=1)


def found(store, site, hours):
    """The confidence of each grid in the hours from noon on."""
    span = Span(to_ms(NOON), to_ms(NOON + hours * HOUR))
    with store.read() as tx:
        return confidences(tx, span, site.places, site.config.patrol.kinds)


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
    take(store, site, "track", stay(NOON, 3600))
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


def test_the_worse_of_the_two_counts(store, site):
    take(store, site, "birth", birth(vehicles=[]))
    blind(store, site, 1, 2)
    arrive(store, site)
    take(store, site, "track", stay(NOON, 3600))
    patrolled(store, site)
    both = found(store, site, 4)["q01"]
    assert (both.seen, both.heard) == (pytest.approx(0.75), 1)
    assert both.value == pytest.approx(0.75)
