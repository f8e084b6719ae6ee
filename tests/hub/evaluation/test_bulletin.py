"""A month whose published figures are known: 天门's bulletin, through the real path."""

from datetime import timedelta

from hub.evaluation.grouping import By, Grouping
from hub.evaluation.indicator import BY_ID, measure, measure_by
from hub.intake.report import Channel
from tests.hub.evaluation.city import MONDAY
from tests.hub.evaluation.conftest import facts_of

RECEIVED, FILED, DUE, CLOSED, IN_TIME = 1054, 996, 972, 911, 737
EVENTS_DUE, EVENTS_CLOSED, PARTS_DUE, PARTS_CLOSED = 956, 902, 16, 9
BY_COLLECTORS = 953
GARBAGE, MANHOLE = "06010", "01001"
LATE, END = timedelta(days=10), MONDAY + timedelta(days=27)


def live_through(city):
    """996 filed of 1,054; 24 of those are not due before December; 61 of the others stay open."""
    done = {GARBAGE: 0, MANHOLE: 0}
    most = {GARBAGE: EVENTS_CLOSED, MANHOLE: PARTS_CLOSED}
    for number in range(RECEIVED):
        at = MONDAY + timedelta(minutes=3 * (number % 80))
        channel = Channel.PATROL if number < BY_COLLECTORS else Channel.PHONE
        matter = MANHOLE if number < PARTS_DUE else GARBAGE
        if number >= FILED:
            city.step(city.report(at, channel=channel), "reject", at, note="not there")
            continue
        moment = at if number < DUE else END
        case = city.report(moment, channel=channel, matter=matter)
        city.steps(case, moment, "file", "dispatch")
        if number < DUE and done[matter] < most[matter]:
            done[matter] += 1
            late = sum(done.values()) > IN_TIME
            city.step(case, "accept", at + timedelta(minutes=2))
            city.close(case, at + (LATE if late else timedelta(hours=1)))


def test_the_published_figures_come_out_to_the_digit(sqlite_city):
    city = sqlite_city
    with city.store.block():
        live_through(city)
    facts, span = facts_of(city, "2026-11")

    def percent(found):
        return f"{100 * found.value:.2f} %"

    close = measure(BY_ID["close_rate"], facts.cases, span)
    assert (len(close.numerator), len(close.denominator)) == (CLOSED, DUE)
    assert percent(close) == "93.72 %"
    in_time = measure(BY_ID["on_time_close_rate"], facts.cases, span)
    assert (len(in_time.numerator), percent(in_time)) == (IN_TIME, "75.82 %")

    kinds = measure_by(BY_ID["close_rate"], facts.cases, span, Grouping(By.KIND).key())
    assert (percent(kinds["matter"]), percent(kinds["component"])) == ("94.35 %", "56.25 %")
    assert len(kinds["component"].denominator) == PARTS_DUE

    share = measure(BY_ID["patrol_share"], facts.cases, span)
    assert (len(share.numerator), len(share.denominator)) == (BY_COLLECTORS, FILED)
    assert percent(share) == "95.68 %"
    assert len(measure(BY_ID["open_rate"], facts.cases, span).denominator) == RECEIVED
    valid = measure(BY_ID["valid_report_rate"], facts.reports, span)
    assert (len(valid.numerator), len(valid.denominator)) == (FILED, RECEIVED)
