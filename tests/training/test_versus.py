"""Paired comparison: what the draws say, and when nothing may be said."""

import numpy as np
import pytest

from training.evaluate import Looked, average_precision, matched
from training.versus import Side, Verdict, compare

BOX = np.array([[0.2, 0.2, 0.6, 0.6]])
NONE = np.zeros((0, 4))


def looked(score, *, shown=True, where=BOX):
    found = NONE if score is None else where
    scores = np.array([] if score is None else [score])
    return Looked(BOX if shown else NONE, found, scores)


def side(*rows, threshold=0.25, label="garbage"):
    return Side({label: rows}, {label: threshold})


def street(hits, misses, false, quiet):
    """Pictures: found, overlooked, claimed where nothing is, rightly quiet."""
    return [
        *(looked(0.8) for _ in range(hits)),
        *(looked(None) for _ in range(misses)),
        *(looked(0.6, shown=False) for _ in range(false)),
        *(looked(None, shown=False) for _ in range(quiet)),
    ]


def apart(count):
    return [str(i) for i in range(count)]


def test_a_net_that_finds_far_more_is_better_and_the_other_way_round_worse():
    good, bad = side(*street(40, 10, 0, 50)), side(*street(15, 35, 0, 50))
    assert compare(good, bad, apart(100), 0.5).verdict is Verdict.BETTER
    assert compare(bad, good, apart(100), 0.5).verdict is Verdict.WORSE
    (one,) = compare(good, bad, apart(100), 0.5).labels
    assert one.ap.value == pytest.approx(0.5)
    assert one.ap.low < 0.5 < one.ap.high
    assert one.present.value == pytest.approx(0.5)


def test_the_same_net_is_not_shown_better():
    same = side(*street(40, 10, 5, 45))
    found = compare(same, same, apart(100), 0.5)
    assert (found.verdict, found.mean.value, found.mean.low) == (Verdict.NOT_SHOWN, 0, 0)


def test_a_picture_more_is_not_shown_better():
    one, other = side(*street(11, 9, 0, 20)), side(*street(10, 10, 0, 20))
    assert compare(one, other, apart(40), 0.5).verdict is Verdict.NOT_SHOWN


def test_of_few_days_nothing_is_said_however_many_pictures_they_have():
    good, bad = side(*street(40, 10, 0, 50)), side(*street(15, 35, 0, 50))
    days = [str(i % 5) for i in range(100)]
    found = compare(good, bad, days, 0.5)
    assert (found.verdict, found.groups) == (Verdict.NOT_JUDGED, 5)
    assert found.mean.value == pytest.approx(0.5)
    assert found.mean.low is None


def test_pictures_of_one_day_are_one_draw():
    """The whole gain lies in one camera's day: no proof, though 20 pictures show it."""
    good, bad = side(*street(40, 0, 0, 0)), side(*street(20, 20, 0, 0))
    days = [*(f"day {i}" for i in range(20)), *("the one day" for _ in range(20))]
    assert compare(good, bad, days, 0.5).labels[0].ap.low <= 0
    assert compare(good, bad, apart(40), 0.5).labels[0].ap.low > 0.1


def test_a_class_that_few_groups_show_is_listed_and_not_judged():
    """One picture lost of one: no draw of it can say otherwise, so none may."""
    empty = [looked(None, shown=False) for _ in range(60)]
    thresholds = {"often": 0.25, "once": 0.25}
    often = street(30, 10, 0, 21)
    candidate = Side({"often": often, "once": [looked(None), *empty]}, thresholds)
    against = Side({"often": often, "once": [looked(0.9), *empty]}, thresholds)
    found = compare(candidate, against, apart(61), 0.5)
    once = found.labels[1].ap
    assert (once.value, once.low, once.high) == (-1.0, None, None)
    assert found.verdict is Verdict.NOT_SHOWN
    assert found.mean.value == 0


def test_one_class_that_is_worse_makes_the_whole_worse():
    good, bad = street(40, 10, 0, 50), street(15, 35, 0, 50)
    best = street(50, 0, 0, 50)
    thresholds = {"a": 0.25, "b": 0.25}
    candidate = Side({"a": bad, "b": best}, thresholds)
    against = Side({"a": good, "b": street(5, 45, 0, 50)}, thresholds)
    found = compare(candidate, against, apart(100), 0.5)
    assert found.mean.value > 0
    assert [one.ap.verdict for one in found.labels] == [Verdict.WORSE, Verdict.BETTER]
    assert found.verdict is Verdict.WORSE


def test_fewer_false_alarms_show_in_their_own_difference():
    quiet, loud = side(*street(20, 5, 2, 48)), side(*street(20, 5, 30, 20))
    (one,) = compare(quiet, loud, apart(75), 0.5).labels
    assert one.false_alarm.value == pytest.approx(-28 / 50)
    assert one.false_alarm.high < 0


def test_the_drawn_average_precision_is_the_one_of_the_evaluation():
    """With every picture drawn once, the vectorised sum is the plain one."""
    rng = np.random.default_rng(1)
    rows = [
        Looked(
            BOX if i % 3 else NONE,
            BOX + rng.normal(0, 0.05, (2, 4)),
            np.sort(rng.random(2))[::-1],
        )
        for i in range(40)
    ]
    from training.versus import _Counted

    drawn = _Counted(side(*rows), "garbage", 0.5).ap(np.ones((1, 40)))
    right = np.concatenate([matched(row, 0.5) for row in rows])
    scores = np.concatenate([row.scores for row in rows])
    plain = average_precision(right, scores, sum(len(row.truth) for row in rows))
    assert drawn[0] == pytest.approx(plain)
