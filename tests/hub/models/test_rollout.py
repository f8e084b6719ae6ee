"""Stages, and what makes a rollout go on, stop or end."""

import pytest

from hub.errors import Problem
from hub.models.rollout import DeviceState, Rollout, RolloutState, Target, judge, staged
from tests.hub.world import NOON, after


def rollout(**changes):
    fields = {
        "id": 1, "model": "street-n", "version": "2", "sha256": "0" * 64, "stages": 3, "stage": 0,
        "state": RolloutState.RUNNING, "clean_s": None, "trial_s": 60, "made_at": NOON,
        "made_by": "admin",
    }  # fmt: skip
    return Rollout(**(fields | changes))


def targets(*states, at=NOON):
    """One device a stage, in that state."""
    return [
        Target(f"box-{i}", i, DeviceState(state), "it hangs", at=at)
        for i, state in enumerate(states)
    ]


RUNNING, STOPPED, DONE = RolloutState.RUNNING, RolloutState.STOPPED, RolloutState.DONE


@pytest.mark.parametrize(
    ("states", "changes", "seconds", "expected"),
    [
        (("waiting", "waiting", "waiting"), {}, 0, (RUNNING, 0)),
        (("trial", "waiting", "waiting"), {"clean_s": 0}, 1e6, (RUNNING, 0)),
        (("active", "waiting", "waiting"), {}, 1e6, (RUNNING, 0)),
        (("active", "waiting", "waiting"), {"clean_s": 60}, 59, (RUNNING, 0)),
        (("active", "waiting", "waiting"), {"clean_s": 60}, 60, (RUNNING, 1)),
        (("failed", "waiting", "waiting"), {}, 0, (STOPPED, 0)),
        (("fell_back", "waiting", "waiting"), {}, 0, (STOPPED, 0)),
        # one of the first stage that falls back late stops the second
        (("fell_back", "trial", "waiting"), {"stage": 1}, 0, (STOPPED, 1)),
        (("active", "active", "active"), {"stage": 2}, 0, (DONE, 2)),
        (("active", "active", "sent"), {"stage": 2}, 1e6, (RUNNING, 2)),
        (("failed", "waiting", "waiting"), {"state": STOPPED}, 0, (STOPPED, 0)),
        (("active", "active", "active"), {"state": STOPPED, "stage": 2}, 0, (STOPPED, 2)),
    ],
)
def test_where_a_rollout_stands(states, changes, seconds, expected):
    state, stage, why = judge(rollout(**changes), targets(*states), after(seconds))
    assert (state, stage) == expected
    if changes.get("state") is None and state is STOPPED:
        assert why.startswith("box-0 f")
        assert "it hangs" in why


BOXES = {f"box-{i:02}": i % 2 == 0 for i in range(40)}


def test_stages_grow_and_name_each_device_once():
    stages = staged([1, "10%", "100%"], BOXES, "salt")
    assert [len(stage) for stage in stages] == [1, 3, 36]
    assert sorted(name for stage in stages for name in stage) == sorted(BOXES)
    assert stages == staged([1, "10%", "100%"], BOXES, "salt")
    assert stages != staged([1, "10%", "100%"], BOXES, "other")
    assert all(BOXES[name] for stage in stages[:2] for name in stage)


def test_a_stage_may_be_a_list():
    assert staged([["box-07"], ["box-07", "box-01"], 3], BOXES, "s")[:2] == [["box-07"], ["box-01"]]


@pytest.mark.parametrize(
    ("stages", "said"),
    [
        ([["box-07", "nobody"]], "stages.0: 'nobody' has no camera here"),
        ([1, "half"], "stages.1: 'half'"),
        (["120%"], "stages.0: '120%'"),
        ([0], "stages.0: 0"),
        ([1, "1.5"], "stages.1: '1.5'"),
        ([[]], "no device is in any"),
    ],
)
def test_a_stage_that_means_nothing_is_named(stages, said):
    with pytest.raises(Problem, match=said):
        staged(stages, BOXES, "s")


def test_with_few_devices_empty_stages_are_left_out():
    assert [len(stage) for stage in staged([1, "10%", "100%"], {"a": True, "b": False}, "s")] == [
        1,
        1,
    ]
