"""What of a training run needs no torch: which run may go on with which."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from training.train import Plan, _check_same


def plan(out, **changes):
    return Plan(data=(Path("a.yaml"),), weights=Path("coco.pt"), out=out, **changes)


@pytest.fixture
def begun(tmp_path):
    """A folder in which a run has begun."""
    text = json.dumps(asdict(plan(tmp_path, device="cuda", epochs=3)), default=str)
    (tmp_path / "plan.json").write_text(text)
    return tmp_path


def test_a_run_goes_on_for_longer_and_on_another_device(begun):
    _check_same(plan(begun, device="cpu", epochs=9, threads=1, resume=True))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"rate": 0.1}, "rate 0.001 then, 0.1 now"),
        ({"teacher": Path("x.pt")}, "teacher None then, x.pt now"),
        ({"seed": 8}, "seed 7 then, 8 now"),
    ],
)
def test_a_run_that_was_planned_otherwise_is_named(begun, changes, said):
    with pytest.raises(ValueError, match=said):
        _check_same(plan(begun, **changes))


def test_where_no_run_is_nothing_goes_on(tmp_path):
    with pytest.raises(ValueError, match="there is no run to go on with"):
        _check_same(plan(tmp_path))
    (tmp_path / "plan.json").write_text("{")
    with pytest.raises(ValueError, match="there is no run to go on with"):
        _check_same(plan(tmp_path))
