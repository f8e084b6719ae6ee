from dataclasses import replace
from datetime import UTC, datetime
from itertools import permutations
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, strategies as st

from hub.calendar import store as calendar_store
from hub.cases.dispatch import (
    BadRule,
    Conditions,
    Dimension,
    Question,
    Rule,
    Target,
    checked,
    explain,
    offered,
)
from tests.hub.cases.test_case import a_case

CALENDAR = calendar_store.calendar_of(calendar_store.built_in(), ZoneInfo("Asia/Shanghai"))
MONDAY_10 = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
MONDAY_13 = datetime(2026, 11, 23, 5, 0, tzinfo=UTC)
MONDAY_23 = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
SUNDAY_10 = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
PATH = ("city", "town", "village")


def rule(number, department="d", **when):
    return Rule(number, number, 1, Conditions(**when), Target(department))


def ask(at=MONDAY_10, **changes):
    return replace(Question("09006", PATH, 2, at), **changes)


def sends(rules, question=None):
    won = explain(question or ask(), rules, CALENDAR).winner
    return won and won.rule.number


@pytest.mark.parametrize(
    ("when", "holds"),
    [
        ({}, True),
        ({"matter": "09006"}, True),
        ({"matter": "09"}, True),
        ({"matter": "09005"}, False),
        ({"matter": "06"}, False),
        ({"grid": "city"}, True),
        ({"grid": "village"}, True),
        ({"grid": "vill"}, False),
        ({"level_from": 2}, True),
        ({"level_to": 1}, False),
        ({"level_from": 3}, False),
        ({"hours": "work"}, True),
        ({"hours": "off"}, False),
        ({"hours": "09:00-11:00"}, True),
        ({"hours": "10:00-10:01"}, True),
        ({"hours": "22:00-10:00"}, False),
    ],
)
def test_a_rule_holds_where_all_its_conditions_do(when, holds):
    assert sends([rule(1, **when)]) == (1 if holds else None)


@pytest.mark.parametrize(
    ("at", "work"), [(MONDAY_10, True), (MONDAY_13, False), (MONDAY_23, False), (SUNDAY_10, False)]
)
def test_work_hours_are_the_citys(at, work):
    rules = [rule(1, hours="work"), rule(2, hours="off")]
    assert sends(rules, ask(at)) == (1 if work else 2)


def test_a_night_passes_midnight():
    rules = [rule(1, hours="22:00-06:00")]
    assert sends(rules, ask(MONDAY_23)) == 1
    assert sends(rules, ask(datetime(2026, 11, 23, 21, 59, tzinfo=UTC))) == 1
    assert sends(rules, ask(datetime(2026, 11, 23, 22, 0, tzinfo=UTC))) is None


LADDER = [
    rule(10, matter="09006", grid="village", level_from=2, level_to=2, hours="10:00-11:00"),
    rule(9, matter="09006", grid="village", level_from=2, level_to=2, hours="08:00-12:00"),
    rule(8, matter="09006", grid="village", level_from=2, level_to=2, hours="work"),
    rule(7, matter="09006", grid="village", level_from=2, level_to=2),
    rule(6, matter="09006", grid="village", level_from=2, level_to=3),
    rule(5, matter="09006", grid="village"),
    rule(4, matter="09006", grid="town"),
    rule(3, matter="09006"),
    rule(2, matter="09", grid="village"),
    rule(1, grid="village"),
    rule(11, grid="city"),
    rule(12),
    rule(13, "other"),
]


def test_the_more_specific_rule_wins_and_the_others_say_in_what_they_yield():
    found = explain(ask(), reversed(LADDER), CALENDAR)
    assert found.winner.rule == LADDER[0]
    assert [match.rule.number for match in found.others] == [each.number for each in LADDER[1:]]
    assert [match.yields_by for match in found.others] == [
        *[Dimension.HOURS] * 3,
        Dimension.SEVERITY,
        Dimension.SEVERITY,
        Dimension.GRID,
        Dimension.GRID,
        *[Dimension.MATTER] * 5,
    ]


def test_of_equals_the_older_wins_in_whatever_order_they_come():
    equals = [
        rule(3, hours="09:00-11:00"),
        rule(1, hours="10:00-12:00"),
        rule(2, hours="08:00-10:30"),
    ]
    for order in permutations(equals):
        found = explain(ask(), order, CALENDAR)
        assert found.winner.rule.number == 1
    assert found.others[0].yields_by is Dimension.AGE


def test_the_explanation_says_why_it_holds():
    won = explain(ask(), [rule(1, matter="09", grid="town", level_to=2)], CALENDAR).winner
    assert [(why.dimension, why.rule, why.case) for why in won.reasons] == [
        (Dimension.MATTER, "09", "09006"),
        (Dimension.GRID, "town", "village"),
        (Dimension.SEVERITY, "1-2", "2"),
        (Dimension.HOURS, "", "10:00"),
    ]


def test_what_has_no_matter_is_sent_by_its_grid_alone():
    assert sends([rule(1, matter="09"), rule(2, grid="town")], ask(matter=None)) == 2
    assert sends([rule(1, matter="09")], ask(matter=None)) is None


@pytest.mark.parametrize(
    ("when", "field"),
    [
        ({"matter": "9006"}, "matter"),
        ({"matter": "街面"}, "matter"),
        ({"level_from": 0}, "level_from"),
        ({"level_to": 4}, "level_from"),
        ({"level_from": 3, "level_to": 1}, "level_from"),
        ({"hours": "night"}, "hours"),
        ({"hours": "8-12"}, "hours"),
        ({"hours": "25:00-26:00"}, "hours"),
        ({"hours": "08:00-08:00"}, "hours"),
    ],
)
def test_conditions_that_cannot_be_name_their_field(when, field):
    with pytest.raises(BadRule) as refused:
        checked(Conditions(**when))
    assert refused.value.field == field


def test_a_correction_offers_the_matter_in_its_smallest_grid():
    case = replace(a_case(), path=PATH)
    made = offered(case, "huanwei", [rule(1)], "theirs")
    assert (made.when, made.to.department) == (Conditions("06010", "village"), "huanwei")
    known = rule(2, "huanwei", matter="06010", grid="village")
    assert offered(case, "huanwei", [known], "theirs") is None
    assert offered(replace(case, matter=None), "huanwei", [], "") is None
    assert offered(replace(case, path=()), "huanwei", [], "") is None


conditions = st.builds(
    Conditions,
    matter=st.sampled_from([None, "09", "09006", "06", "06010"]),
    grid=st.sampled_from([None, *PATH, "elsewhere"]),
    level_from=st.just(1),
    level_to=st.integers(1, 3),
    hours=st.sampled_from(["", "work", "off", "08:00-20:00", "20:00-08:00"]),
)


@given(
    st.lists(conditions, max_size=12),
    st.randoms(use_true_random=False),
    st.integers(1, 3),
    st.integers(0, 7 * 24 * 60),
)
def test_the_order_of_the_table_changes_nothing_and_each_rule_is_judged_alone(
    several, rng, level, minute
):
    at = datetime.fromtimestamp(SUNDAY_10.timestamp() + 60 * minute, UTC)
    question = ask(at, level=level)
    rules = [Rule(n, n, 1, when, Target("d")) for n, when in enumerate(several, 1)]
    found = explain(question, rules, CALENDAR)
    mixed = rules.copy()
    rng.shuffle(mixed)
    assert explain(question, mixed, CALENDAR) == found
    alone = [each for each in rules if sends([each], question)]
    matched = [found.winner, *found.others] if found.winner else []
    assert sorted(match.rule.number for match in matched) == [each.number for each in alone]
