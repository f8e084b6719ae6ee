import pytest

from hub.app import Hub, create_app
from hub.intake.public_api import HOUR_MS, Turnstile
from tests.hub.test_api import LOCAL, TestClient
from tests.hub.world import LAT, LON, make_site

REPORT = {
    "content": "垃圾堆在门口",
    "matter": "暴露垃圾",
    "lat": LAT,
    "lon": LON,
    "caller": {"phone": "13812345678"},
}


@pytest.fixture
def citizen(tmp_path, sqlite_store):
    site = make_site(sqlite_store, tmp_path, intake={"public": True, "per_hour": 3})
    hub = Hub.build(site.config, sqlite_store)
    return TestClient(create_app(site.config, hub), raise_server_exceptions=False, **LOCAL)


def test_a_citizen_reports_without_an_account_and_asks_with_the_key(citizen):
    receipt = citizen.post("/public/reports", json=REPORT).json()
    path = f"/public/reports/{receipt['number']}"
    outcome = citizen.get(path, params={"key": receipt["key"]}).json()
    assert (outcome["state"], outcome["open"], outcome["matter"]) == ("已上报", True, "暴露垃圾")
    assert "138" not in str(outcome)
    assert "门口" not in str(outcome)
    for key in ("", "0" * 16):
        assert citizen.get(path, params={"key": key}).status_code == 404


def test_one_address_may_send_so_many_an_hour(citizen):
    answers = [citizen.post("/public/reports", json=REPORT).status_code for _ in range(4)]
    assert answers == [201, 201, 201, 429]


def test_the_hour_passes_and_addresses_are_forgotten():
    turnstile = Turnstile(1)
    assert turnstile.let_in("a", 0)
    assert not turnstile.let_in("a", HOUR_MS - 1)
    assert turnstile.let_in("a", HOUR_MS)
    assert turnstile.let_in("b", 0)


def test_where_the_city_does_not_allow_it_there_is_no_such_page(tmp_path, sqlite_store):
    site = make_site(sqlite_store, tmp_path)
    hub = Hub.build(site.config, sqlite_store)
    client = TestClient(create_app(site.config, hub), raise_server_exceptions=False, **LOCAL)
    assert client.post("/public/reports", json=REPORT).status_code in (404, 405)
