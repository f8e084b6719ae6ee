import msgspec
import pytest

from hub.evaluation.errors import EvaluationError
from hub.evaluation.indicator import Measure
from hub.evaluation.ranking import bottom, ranking, year_score
from hub.evaluation.scheme import Award, Scheme, check

CLOSE, REWORK = "on_time_close_rate", "rework_rate"
SCHEME = Scheme(weights={CLOSE: 3, REWORK: 1}, deductions={})
WENGYUAN = (
    Award("一等奖", 2, 20_000), Award("二等奖", 4, 15_000), Award("三等奖", 6, 10_000),
    Award("达标", 0, 5_000, from_score=60),
)  # fmt: skip
"""Two, four and six grids; others up to standard."""


def figures(good, of=20, bad=0):
    return {
        CLOSE: Measure(CLOSE, tuple(range(good)), tuple(range(of))),
        REWORK: Measure(REWORK, tuple(range(bad)), tuple(range(of))),
    }


def test_a_grid_with_one_case_leads_no_list():
    places = ranking({"lucky": figures(1, of=1), "busy": figures(15)}, SCHEME)
    assert [(each.group, each.place) for each in places] == [("busy", 1), ("lucky", None)]
    assert places[1].score is None
    assert len(places[1].measures[CLOSE].denominator) == 1


def test_the_score_is_the_weighted_mean_with_bad_things_turned():
    (place,) = ranking({"g": figures(15, bad=4)}, SCHEME)
    assert place.score == round(100 * (3 * 0.75 + 1 * 0.8) / 4, 2)


def test_equal_scores_share_a_place_and_the_next_is_left_out():
    groups = {"a": figures(20), "b": figures(15), "c": figures(15), "d": figures(1)}
    assert [each.place for each in ranking(groups, SCHEME)] == [1, 2, 2, 4]


def test_what_has_not_half_the_weight_has_no_place():
    only_rework = {REWORK: figures(1)[REWORK]}
    (place,) = ranking({"g": only_rework}, SCHEME)
    assert place.place is None


def six(worst=()):
    return {f"g{n}": figures(20 - n if f"g{n}" not in worst else 2) for n in range(6)}


def test_bottom_three_three_times_running_is_flagged():
    first = ranking(six(), SCHEME)
    assert bottom(first, 3) == {"g3", "g4", "g5"}
    second = ranking(six(["g0"]), SCHEME, [first])
    third = ranking(six(), SCHEME, [second, first])
    found = {each.group: (each.in_bottom, each.is_flagged) for each in third}
    assert found["g5"] == (3, True)
    assert found["g4"] == (3, True)
    assert found["g3"] == (1, False)
    assert found["g0"] == (0, False)


def test_where_all_would_be_last_nobody_is():
    assert bottom(ranking({"a": figures(9), "b": figures(8)}, SCHEME), 3) == frozenset()


def test_award_classes_are_data():
    groups = {f"g{n:02d}": figures(20 - n) for n in range(16)}
    places = ranking(groups, msgspec.structs.replace(SCHEME, awards=WENGYUAN))
    names = [each.award[0] if each.award else None for each in places]
    assert names[:12] == ["一等奖"] * 2 + ["二等奖"] * 4 + ["三等奖"] * 6
    scores = [each.score for each in places[12:]]
    assert names[12:] == ["达标" if score >= 60 else None for score in scores]
    tied = ranking(
        {**groups, "g01b": figures(19)}, msgspec.structs.replace(SCHEME, awards=WENGYUAN)
    )
    assert [each.award[0] for each in tied[:3]] == ["一等奖"] * 3


def test_a_year_is_sixty_and_forty():
    assert year_score([80, 90], 70, 0.6) == 79
    assert year_score([80], None, 0.6) is None
    assert year_score([], 70, 0.6) is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"weights": {"closing": 1}}, "weights: 'closing' is not one of"),
        ({"weights": {CLOSE: 0}}, "weights.on_time_close_rate: 0 is not above 0"),
        ({"weights": {}}, "none given"),
        ({"weights": {"patrol_share": 1}}, "'patrol_share' is not one of"),
        ({"deductions": {"patrol_coverage": 1}}, "deductions: 'patrol_coverage'"),
        ({"streak": 1}, "streak: 1 is not 2 to 12"),
        ({"monthly_share": 1.5}, "monthly_share: 1.5 is not 0 to 1"),
    ],
)
def test_a_scheme_that_cannot_be_used_is_refused_by_name(change, message):
    with pytest.raises(EvaluationError, match=message):
        check(msgspec.structs.replace(SCHEME, **change))
