from datetime import timedelta

import pytest

from hub.proof.photo import Bounds, Match, Reason, Source, Taken, Verdict, judge, verdict
from tests.hub.world import LAT, LON, after

DISPATCHED, CLAIMED = after(0), after(3600)
NEAR = (LAT + 0.0009, LON)  # 100 m
FAR = (LAT + 0.009, LON)  # 1 km
BOUNDS = Bounds(CLAIMED, (LAT, LON), 200, DISPATCHED, timedelta(hours=24))


def taken(at=3000, place=NEAR, acc_m=0.0):
    moment = None if at is None else after(at)
    return Taken(moment, Source.EXIF, place, Source.DEVICE, acc_m)


@pytest.mark.parametrize(
    ("photo", "match", "reasons"),
    [
        (taken(), None, ()),
        (taken(place=FAR), None, ("too_far",)),
        (taken(place=FAR, acc_m=5000), None, ("too_far",)),
        (taken(place=(LAT + 0.0025, LON), acc_m=150), None, ()),
        (taken(at=-86_400), None, ("before_dispatch",)),
        (taken(at=-200), None, ()),
        (taken(at=3600 + 290), None, ()),
        (taken(at=3600 + 310), None, ("in_future",)),
        (taken(at=None), None, ("no_time",)),
        (taken(at=None, place=None), None, ("no_place", "no_time")),
        (taken(), Match("photo:3", 1, same_file=False), ("reused",)),
        (taken(place=FAR), Match("photo:3", 1, same_file=True), ("same_file", "too_far")),
    ],
)
def test_what_speaks_against_a_photo(photo, match, reasons):
    assert judge(photo, BOUNDS, match) == reasons


def test_a_photo_of_a_case_that_lasts_is_old_before_it_is_early():
    lasting = Bounds(after(7 * 86_400), (LAT, LON), 200, DISPATCHED, timedelta(hours=24))
    assert judge(taken(at=86_400), lasting, None) == (Reason.TOO_OLD,)


def test_what_lacks_is_unproved_and_what_contradicts_is_bad():
    assert verdict(()) is Verdict.GOOD
    assert verdict((Reason.NO_PLACE, Reason.NO_TIME)) is Verdict.UNPROVED
    assert verdict((Reason.NO_PLACE, Reason.REUSED)) is Verdict.BAD
