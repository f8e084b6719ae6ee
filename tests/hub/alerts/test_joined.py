"""A thing that several alerts told of, one after the other: it is there while one of them lasts."""

import pytest
from sqlalchemy import select

from hub.alerts.alert import alert_id
from hub.app import Hub
from hub.events import events
from tests.hub.test_api import caller, client_of, tokens_of
from tests.hub.test_pipeline import take
from tests.hub.world import after, alert_message

FIRST = alert_message(0)
HEAD = alert_id(FIRST)


@pytest.fixture
def thing(store, site):
    """Two boxes saw it; what the first had told of has ended, for the box was restarted."""
    take(store, site, "alert", FIRST)
    take(store, site, "alert", alert_message(dev="cam-2", at=after(20)))
    take(store, site, "alert", alert_message(1, state="end", at=after(60)))
    return caller(client_of(hub := Hub.build(site.config, store)), tokens_of(hub))


def end_the_second(store, site):
    take(store, site, "alert", alert_message(1, dev="cam-2", state="end", at=after(300)))


def test_it_lasts_while_a_later_sighting_does(store, site, thing):
    head = thing("GET", f"/api/alerts/{HEAD}").json()
    assert (head["state"], head["ended_at"], head["times_seen"]) == ("active", None, 2)

    end_the_second(store, site)
    head = thing("GET", f"/api/alerts/{HEAD}").json()
    assert (head["state"], head["ended_at"]) == ("ended", "2026-11-23T04:05:00.000Z")


def test_lists_and_the_map_of_a_past_moment_say_the_same(store, site, thing):
    def listed(state):
        found = thing("GET", f"/api/alerts?state={state}&duplicates=false").json()["items"]
        return [item["id"] for item in found]

    def there(seconds):
        at = after(seconds).isoformat()
        return [
            each["id"] for each in thing("GET", "/api/past", params={"at": at}).json()["alerts"]
        ]

    assert (listed("active"), listed("ended")) == ([HEAD], [])
    end_the_second(store, site)
    assert (listed("active"), listed("ended")) == ([], [HEAD])
    assert (there(10), there(200), there(301)) == ([HEAD], [HEAD], [])


def test_open_pages_hear_of_the_thing_when_its_last_sighting_ends(store, site, thing):
    with store.read() as tx:
        before = len(tx.execute(select(events)).all())
    end_the_second(store, site)
    with store.read() as tx:
        told = tx.execute(select(events).order_by(events.c.id)).all()[before:]
    assert HEAD in [row.item for row in told]
