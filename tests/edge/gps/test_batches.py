"""When live fixes go out together."""

from datetime import UTC, datetime, timedelta

from edge.gps.batches import Batches
from edge.gps.fix import Fix

NOON = datetime(2026, 10, 1, 12, tzinfo=UTC)


def fix(second: int) -> Fix:
    return Fix(NOON + timedelta(seconds=second), 32.68, 109.03)


def test_thirty_fixes_go_at_once():
    batches = Batches()
    given = [batches.add(fix(n), now_s=n / 10) for n in range(61)]
    assert [len(batch) for batch in given if batch] == [30, 30]
    assert batches.take() == [fix(60)]


def test_one_fix_a_second_goes_every_ten_seconds():
    batches = Batches()
    given = [batches.add(fix(n), now_s=float(n)) for n in range(25)]
    assert [(n, len(batch)) for n, batch in enumerate(given) if batch] == [(10, 11), (21, 11)]


def test_a_lone_fix_goes_when_it_has_waited():
    batches = Batches()
    assert batches.add(fix(0), now_s=100.0) == []
    assert batches.due(now_s=109.9) == []
    assert batches.due(now_s=110.0) == [fix(0)]
    assert batches.due(now_s=200.0) == []
