import pytest

from hub.evaluation import evidence
from hub.evaluation.evidence import Question
from hub.evaluation.indicator import BY_ID, measure, of_unit
from hub.evaluation.period import Period
from hub.patrol.settings import plan_of
from tests.hub.evaluation.city import City
from tests.hub.world import make_site


@pytest.fixture
def city(store, site, tmp_path):
    made = City(store, site, tmp_path)
    yield made
    made.stop()


@pytest.fixture
def sqlite_city(sqlite_store, tmp_path):
    """The same on SQLite alone, for thousands of cases."""
    made = City(sqlite_store, make_site(sqlite_store, tmp_path), tmp_path)
    yield made
    made.stop()


@pytest.fixture
def figure(city):
    """A figure of the city: (numerator, denominator), by default as of the period's end."""

    def ask(indicator, period, as_of=None, **more):
        facts, span = facts_of(city, period, as_of, **more)
        found = measure(BY_ID[indicator], of_unit(facts, BY_ID[indicator].unit), span)
        return len(found.numerator), len(found.denominator)

    return ask


def facts_of(city, period, as_of=None, **more):
    period, zone = Period.read(period), city.site.config.zone
    as_of = as_of or period.bounds(zone)[1]
    span = period.span(zone, as_of, **more)
    plan = plan_of(city.site.config.patrol)
    asked = Question(span, period.first, period.end, as_of, zone, plan)
    with city.store.read() as tx:
        return evidence.load(tx, asked), span
