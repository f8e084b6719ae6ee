from datetime import timedelta

import pytest

from hub.duty.attendance import AttendanceSettings, Position, Presence, attendance
from hub.duty.errors import DutyError
from hub.store import to_ms
from tests.hub.tracks.reports import NOON

HOUR, MINUTE = 3600, 60
SHIFT = 8 * HOUR
SETTINGS = AttendanceSettings()
MS = to_ms(NOON)


def at_place(start_s, end_s, inside, every_s=60):
    return [Position(MS + s * 1000, inside) for s in range(start_s, end_s + 1, every_s)]


IN, OUT = True, False


def judge(*tracks, now_s=SHIFT + HOUR, settings=SETTINGS):
    end, now = NOON + timedelta(seconds=SHIFT), NOON + timedelta(seconds=now_s)
    return attendance(tracks, NOON, end, now, settings)


P, A, U, W = Presence.PRESENT, Presence.ABSENT, Presence.UNKNOWN, Presence.WAITING


@pytest.mark.parametrize(
    ("track", "presence", "late", "left_early", "away"),
    [
        pytest.param([], U, None, None, None, id="nothing heard is no absence"),
        pytest.param(at_place(0, SHIFT, IN), P, False, False, False, id="all day inside"),
        pytest.param(at_place(0, SHIFT, OUT), A, None, None, None, id="all day elsewhere"),
        pytest.param(at_place(0, HOUR, OUT), U, None, None, None, id="elsewhere, then unknown"),
        pytest.param(
            at_place(-HOUR, 20 * MINUTE, OUT) + at_place(21 * MINUTE, SHIFT, IN),
            P, True, False, False, id="twenty minutes late",
        ),
        pytest.param(
            at_place(-HOUR, 8 * MINUTE, OUT) + at_place(9 * MINUTE, SHIFT, IN),
            P, False, False, False, id="late within the tolerance",
        ),
        pytest.param(
            at_place(HOUR, SHIFT, IN), P, None, False, False, id="first heard after an hour"
        ),
        pytest.param(
            at_place(0, 7 * HOUR, IN) + at_place(7 * HOUR + 60, SHIFT + 60, OUT),
            P, False, True, False, id="left an hour early",
        ),
        pytest.param(at_place(0, 7 * HOUR, IN), P, False, None, False, id="silent at the end"),
        pytest.param(
            at_place(0, HOUR, IN) + at_place(HOUR + 60, 2 * HOUR, OUT)
            + at_place(2 * HOUR + 60, SHIFT, IN),
            P, False, False, True, id="an hour away in between",
        ),
        pytest.param(
            at_place(0, HOUR, IN) + at_place(2 * HOUR, SHIFT, IN),
            P, False, False, None, id="an hour of silence may hide it",
        ),
        pytest.param(
            at_place(0, HOUR, IN) + at_place(HOUR + 20 * MINUTE, SHIFT, IN),
            P, False, False, False, id="a silence too short to hide it",
        ),
        pytest.param(at_place(0, SHIFT, IN, 700), P, False, False, None, id="rare positions"),
    ],
)  # fmt: skip
def test_what_positions_prove(track, presence, late, left_early, away):
    found = judge(track)
    assert (found.presence, found.late, found.left_early, found.away) == (
        presence, late, left_early, away,
    )  # fmt: skip


def test_nothing_heard_says_so():
    found = judge([])
    assert (found.no_positions, found.unknown_s, found.inside_s) == (True, SHIFT, 0)


def test_seconds_and_first_and_last():
    found = judge(at_place(600, 4200, IN) + at_place(4260, 7800, OUT) + at_place(7860, 9000, IN))
    assert found.first_at == NOON + timedelta(seconds=600)
    assert found.last_at == NOON + timedelta(seconds=9001)
    assert found.away_s == 3600
    assert found.inside_s == 3600 + 30 + 30 + 1140 + 1
    assert found.inside_s + found.away_s + found.unknown_s == SHIFT


def test_either_the_phone_or_the_car_is_enough():
    phone, car = at_place(0, 4 * HOUR, IN), at_place(0, SHIFT, OUT)
    found = judge(phone, car)
    assert (found.presence, found.left_early) == (P, True)
    assert found.inside_s == pytest.approx(4 * HOUR, abs=60)


@pytest.mark.parametrize(
    ("now_s", "track", "presence", "left_early"),
    [
        (-60, at_place(-600, 0, IN), W, None),
        (300, at_place(-600, 300, OUT), W, None),
        (HOUR, at_place(-600, HOUR, OUT), U, None),
        (HOUR, at_place(-600, HOUR, IN), P, None),
    ],
)
def test_a_running_shift_is_judged_until_now(now_s, track, presence, left_early):
    found = judge(track, now_s=now_s)
    assert (found.presence, found.left_early) == (presence, left_early)


def test_the_settings_decide():
    track = at_place(-HOUR, 20 * MINUTE, OUT) + at_place(21 * MINUTE, SHIFT, IN)
    assert judge(track, settings=AttendanceSettings(late_s=1500)).late is False
    with pytest.raises(DutyError, match="known_share"):
        AttendanceSettings(known_share=1.2)
