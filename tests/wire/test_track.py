"""The state of a vehicle's body in one number."""

from itertools import product

import msgspec
import pytest

from wire.track import ALARMS, TrackPoint, alarm_names, body_of, cover_of, hopper_of, load_of

SWITCH = (None, False, True)


@pytest.mark.parametrize(("load", "hopper", "cover"), [*product((None, 0, 1, 3), SWITCH, SWITCH)])
def test_what_is_packed_is_read_back(load, hopper, cover):
    body = body_of(load, hopper=hopper, cover_open=cover)
    assert (load_of(body), hopper_of(body), cover_of(body)) == (load, hopper, cover)


def test_a_fix_without_a_body_says_nothing_of_it():
    fix = msgspec.json.decode(b"[5,1763800123456,109.02,32.69,null,null,1]", type=TrackPoint)
    assert (load_of(fix.body), hopper_of(fix.body), cover_of(fix.body)) == (None, None, None)
    assert alarm_names(fix.alarm) == []


def test_alarm_bits_have_names():
    assert alarm_names(1 << 29 | 1) == ["emergency", "collision"]
    assert set(ALARMS) == set(range(32))
