"""How fast one sender may go."""

import pytest

from edge.gps.pace import Pace


def test_a_burst_is_free_and_then_the_rate_holds():
    pace = Pace(10.0, 50.0, 0.0)
    assert pace.take(50, 0.0) == 0
    assert pace.take(10, 0.0) == pytest.approx(1.0)
    assert pace.take(0, 1.0) == 0
    assert pace.take(1, 1.1) == pytest.approx(0.0)


def test_a_long_pause_fills_no_more_than_the_burst():
    pace = Pace(10.0, 50.0, 0.0)
    assert pace.take(60, 1e6) == pytest.approx(1.0)
