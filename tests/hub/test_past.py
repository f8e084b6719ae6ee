"""The map as it was."""

import pytest

from hub import decisions, steps
from hub.alerts.alert import alert_id
from hub.app import Hub
from hub.cases.case import WantedStep
from hub.cases.store import load
from hub.roles import Actor, Role
from hub.store import now
from tests.hub.test_api import caller, client_of, tokens_of
from tests.hub.test_pipeline import take
from tests.hub.world import after, alert_message, birth, track_message

WANG = Actor("wang", Role.OPERATOR)


@pytest.fixture
def ask(store, site):
    call = caller(client_of(hub := Hub.build(site.config, store)), tokens_of(hub))

    def at(moment):
        answer = call("GET", "/api/past", params={"at": moment.isoformat()})
        assert answer.status_code == 200, answer.text
        return answer.json()

    at.call = call
    return at


def test_vehicles_stand_where_they_were(store, site, ask):
    take(store, site, "birth", birth(dev="car-1"))
    take(store, site, "track", track_message(0, 60), track_message(60, 60, at=after(3600)))
    (early,) = ask(after(30))["vehicles"]
    assert early["lon"] == pytest.approx(109.02 + 30e-4)
    (later,) = ask(after(3700))["vehicles"]
    assert later["lon"] == pytest.approx(109.02 + 59e-4)
    assert ask(after(1800))["vehicles"] == []  # silent for half an hour: nobody knows
    assert ask(after(-5))["vehicles"] == []


def test_alerts_are_there_from_first_to_last(store, site, ask):
    message = alert_message()
    take(store, site, "alert", message, alert_message(1, state="end", at=after(600)))
    assert ask(after(-120))["alerts"] == []
    assert [a["id"] for a in ask(after(10))["alerts"]] == [alert_id(message)]
    assert ask(after(601))["alerts"] == []


def test_cases_are_in_the_state_they_were_in(store, site, ask):
    message = alert_message()
    take(store, site, "alert", message)
    before = now()
    decisions.decide(store, site, alert_id(message), "confirmed", note="", actor=WANG)
    with store.read() as tx:
        case = load(tx, [1])[1]
    steps.take_step(store, site, 1, WantedStep("reject", case.version, "no"), WANG)
    rejected = now()
    assert ask(case.opened_at)["cases"][0]["state"] == "reported"
    assert before <= case.opened_at
    assert ask(rejected)["cases"] == []


def test_the_future_is_not_known(ask):
    answer = ask.call("GET", "/api/past", params={"at": "2999-01-01T00:00:00Z"})
    assert answer.status_code == 422
