"""Still there, gone, or cannot tell: on drawn streets whose truth is known, and rule by rule.

What stands there is never called gone, what is not there is never called present.
"""

from collections import Counter

import numpy as np
import pytest

from edge.detect.detection import Detection
from edge.detect.look_again import (
    Answer,
    Look,
    LookAgain,
    Place,
    Reason,
    Surroundings,
    frame_of,
)
from scenes.looks import PASSERS, spot
from tests.edge.detect.scripted import box, noisy, street
from wire.status import CameraState

LOOKS = 4


def detections(boxes):
    """What a detector that knows passers alone sees: of the thing itself it says nothing."""
    return [
        Detection(each.label, 0.9, each.x, each.y, each.w, each.h)
        for each in boxes
        if each.label in PASSERS and each.id != "thing"
    ]


def answers(kind, seed):
    """(what was done, its light) → the answer, and whether the thing was there."""
    there = spot(kind, seed)
    found = there.box
    where = Detection("unknown_object", 0.9, found.x, found.y, found.w, found.h)
    place = Place(
        where,
        "unknown_object",
        Surroundings.of(there.with_it, where),
        Surroundings.of(there.without_it, where),
    )
    for trial in there.trials(seed):
        again = LookAgain(place, knows_class=False)
        for picture, boxes in trial.looks(LOOKS):
            again.take(Look(picture, [], detections(boxes)))
        yield trial, again.answer()


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("kind", "seed"), [("bags", 0), ("heap", 1), ("stall", 2)])
def test_on_drawn_streets_no_answer_is_wrong_and_plain_ones_are_given(kind, seed):
    given = Counter()
    for trial, finding in answers(kind, seed):
        assert not (trial.truth is True and finding.answer is Answer.GONE), (trial.name, finding)
        assert not (trial.truth is False and finding.answer is Answer.PRESENT), (trial, finding)
        if trial.truth is None or trial.name in {"behind a van", "partly taken"}:
            assert finding.answer is Answer.CANNOT_TELL, (trial.name, finding)
        if trial.light == spot(kind, seed).light:
            given[trial.name, finding.answer] += 1
    assert given["still there", Answer.PRESENT] == 1
    assert given["gone", Answer.GONE] == 1


HERE = box("garbage", 0.4, 0.4, 0.2, 0.3)
EMPTY = street()


def with_thing(colour=(30, 160, 230)):
    picture = EMPTY.copy()
    height, width = picture.shape[:2]
    top, left = int(0.45 * height), int(0.42 * width)
    picture[top : top + int(0.2 * height), left : left + int(0.16 * width)] = colour
    picture[top + 10 : top + 22, left + 10 : left + 60] = (20, 20, 20)
    return picture


FULL = with_thing()
KNOWN = Place(HERE, "garbage", Surroundings.of(FULL, HERE), Surroundings.of(EMPTY, HERE))
SEEN = [box("garbage", 0.42, 0.45, 0.16, 0.2, 0.8)]
FAINTLY = [box("garbage", 0.42, 0.45, 0.16, 0.2, 0.15)]
LORRY = [box("truck", 0.35, 0.2, 0.4, 0.6)]


def found(pictures, seen=(), passers=(), sight=CameraState.OK, place=KNOWN, knows_class=True):
    again = LookAgain(place, knows_class=knows_class)
    for number, picture in enumerate(pictures):
        again.take(Look(noisy(picture, number), seen, passers, sight))
    return again.answer()


def row(answer, *reasons):
    return Answer(answer), reasons


@pytest.mark.parametrize(
    ("finding", "expected"),
    [
        (found([FULL] * 5, SEEN), row("present", Reason.LOOKS_AS_WITH, Reason.SEEN)),
        (found([EMPTY] * 5), row("gone", Reason.LOOKS_AS_WITHOUT, Reason.NOT_SEEN)),
        (found([EMPTY] * 5, knows_class=False), row("gone", Reason.LOOKS_AS_WITHOUT)),
        (found([FULL] * 5), row("cannot_tell", Reason.DISAGREE)),
        (found([FULL] * 5, knows_class=False), row("present", Reason.LOOKS_AS_WITH)),
        (found([EMPTY] * 5, SEEN), row("cannot_tell", Reason.DISAGREE)),
        (found([EMPTY] * 5, FAINTLY), row("gone", Reason.LOOKS_AS_WITHOUT)),
        (found([FULL] * 3 + [EMPTY] * 3), row("cannot_tell", Reason.CHANGED_MEANWHILE)),
        (found([FULL] * 5, passers=LORRY), row("cannot_tell", Reason.HIDDEN)),
        (found([EMPTY] * 5, passers=LORRY), row("cannot_tell", Reason.HIDDEN)),
        (found([EMPTY] * 2), row("cannot_tell", Reason.TOO_FEW_LOOKS)),
        (found([EMPTY // 12] * 5), row("cannot_tell", Reason.TOO_LITTLE_LIGHT)),
        (found([np.roll(EMPTY, 200, 1)] * 5), row("cannot_tell", Reason.OTHER_VIEW)),
        (found([street(seed=9)] * 5), row("cannot_tell", Reason.OTHER_VIEW)),
        (
            found([EMPTY] * 5, place=Place(HERE, "garbage", KNOWN.with_it)),
            row("cannot_tell", Reason.NO_PICTURES),
        ),
        (found([EMPTY] * 5, SEEN, place=Place(HERE, "garbage")), row("present", Reason.SEEN)),
        (
            found([EMPTY] * 5, place=Place(HERE, "garbage", KNOWN.without_it, KNOWN.without_it)),
            row("cannot_tell", Reason.NOTHING_TO_COMPARE),
        ),
    ],
)
def test_what_the_witnesses_say_together(finding, expected):
    assert (finding.answer, finding.reasons) == expected
    assert (finding.confidence == 0) == (finding.answer is Answer.CANNOT_TELL)


@pytest.mark.parametrize("state", [state for state in CameraState if state is not CameraState.OK])
def test_a_camera_that_cannot_be_judged_by_cannot_tell(state):
    again = LookAgain(KNOWN, knows_class=True)
    for number in range(9):
        sight = state if number == 4 else CameraState.OK
        again.take(Look(noisy(EMPTY, number), [], [], sight))
    finding = again.answer()
    assert (finding.answer, finding.reasons) == (Answer.CANNOT_TELL, (Reason.CAMERA,))
    assert finding.details == (f"{state}: 1",)


def test_the_same_picture_again_and_again_is_no_fresh_look():
    again = LookAgain(KNOWN, knows_class=True)
    for _ in range(9):
        again.take(Look(EMPTY, [], []))
    assert again.answer().reasons == (Reason.NOT_FRESH,)


def test_a_thing_of_another_colour_in_its_place_is_neither_there_nor_gone():
    finding = found([with_thing((180, 40, 60))] * 5, knows_class=False)
    assert (finding.answer, finding.reasons) == (Answer.CANNOT_TELL, (Reason.LOOKS_LIKE_NEITHER,))


def test_a_small_thing_left_in_the_place_of_a_large_one_is_not_gone():
    left = EMPTY.copy()
    left[200:222, 300:324] = (30, 160, 230)
    finding = found([left] * 5, knows_class=False)
    assert finding.answer is Answer.CANNOT_TELL


def test_a_place_never_seen_in_full_is_not_clear():
    """Somebody stands before the lower third of it in every look."""
    someone = [box("person", 0.38, 0.57, 0.24, 0.2)]
    finding = found([EMPTY] * 6, passers=someone, knows_class=False)
    assert (finding.answer, finding.reasons) == (Answer.CANNOT_TELL, (Reason.HIDDEN,))


def test_the_surroundings_stay_within_the_picture():
    corner = frame_of(box("garbage", 0.9, 0.85, 0.1, 0.15))
    assert (corner.x + corner.w, corner.y + corner.h) == pytest.approx((1, 1))
    assert corner.x < 0.9 - 0.05
