import pytest

from edge.detect.dwell import MOST_SCORES, History


def _history(looks, look_s=1.0):
    history = History()
    for number, look in enumerate(looks):
        t_s = number * look_s
        if look == "hidden":
            history.hidden(t_s)
        elif look is None:
            history.missed(t_s)
        else:
            history.seen(t_s, look)
    return history


@pytest.mark.parametrize(
    ("looks", "stayed_s", "ripe"),
    [
        ([0.8] * 60, 60, True),
        ([0.8] * 59, 59, False),
        ([0.8, None, None, None] * 15, 60, False),
        ([0.8, None] * 30, 60, True),
        ([0.8, "hidden", "hidden", "hidden"] * 15, 60, True),
        ([None] * 60, 60, False),
        ([0.2] * 60, 60, False),
        ([0.2, 0.2, 0.9] * 20, 60, False),
        ([0.2, 0.9, 0.9] * 20, 60, True),
    ],
)
def test_a_thing_is_ripe_when_it_was_there_for_the_dwell(looks, stayed_s, ripe):
    assert _history(looks).judge(stayed_s, 60, 0.25).is_ripe is ripe


@pytest.mark.parametrize(
    ("looks", "ripe"),
    [
        pytest.param([0.6] * 60, True, id="sure in every look"),
        pytest.param([0.6, 0.6, 0.6, None] * 15, True, id="sure in most"),
        pytest.param([0.6, 0.4, 0.6, None, 0.4] * 12, False, id="seen in most, sure in few"),
        pytest.param([0.9, None] * 30, False, id="seen in half"),
        pytest.param([0.6, "hidden", "hidden", "hidden"] * 15, True, id="else hidden"),
    ],
)
def test_what_must_be_surer_is_asked_for_it_in_most_looks(looks, ripe):
    assert _history(looks).judge(60, 60, 0.25, least=0.5).is_ripe is ripe


def test_a_look_counts_by_the_time_it_stands_for():
    """Two looks that show it over 20 s weigh as much as twenty over as long that do not."""
    history = History()
    for t_s in (0, 10, 20):
        history.seen(t_s, 0.8)
    for t_s in range(21, 61):
        history.missed(t_s)
    assert history.judge(60, 60, 0.25).share == pytest.approx(20 / 60)


def test_the_score_is_the_median_of_the_looks_that_show_it():
    assert _history([0.3, 0.9, None, 0.5, 0.4, 0.6]).judge(60, 60, 0.25).score == pytest.approx(0.5)


@pytest.mark.parametrize(("stayed_s", "ripe"), [(29, False), (30, True)])
def test_a_relation_counts_when_somebody_stayed_half_the_dwell(stayed_s, ripe):
    history = History()
    for t_s in range(61):
        history.seen(t_s, 0.0, relation=0.7, stayed_s=min(t_s, stayed_s))
    assert history.judge(60, 60, 0.25).is_ripe is ripe


def test_class_and_relation_add_up():
    history = History()
    history.seen(0, 0.5, relation=0.5, stayed_s=60)
    assert history.judge(60, 60, 0.25).score == pytest.approx(0.75)


def test_a_long_history_stays_small_and_keeps_its_shares():
    history = _history([0.8, 0.8, None] * 3 * MOST_SCORES)
    assert len(history._scores) <= MOST_SCORES
    verdict = history.judge(1e6, 60, 0.25)
    assert verdict.share == pytest.approx(2 / 3, abs=0.01)
    assert verdict.score == pytest.approx(0.8)


def test_one_look_at_what_came_long_ago_is_not_enough():
    history = _history([0.9] * 10)
    assert not history.judge(600, 60, 0.25).is_ripe
    assert _history([0.9] * 20).judge(600, 60, 0.25).is_ripe
