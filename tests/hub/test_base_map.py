"""A base map from elsewhere: pages are told where, and may fetch from there alone."""

import pytest

from hub.app import Hub
from hub.errors import BadConfig
from tests.hub.test_api import caller, client_of, tokens_of
from tests.hub.world import make_site

TIANDITU = "https://t0.tianditu.gov.cn/vec_w/wmts?layer=vec&tilematrix={z}&tilerow={y}&tilecol={x}"


def test_pages_know_the_tiles_and_may_fetch_them(sqlite_store, tmp_path):
    base = {"tiles": [TIANDITU + "&tk=key"], "datum": "cgcs2000", "attribution": "天地图"}
    site = make_site(sqlite_store, tmp_path, base_map=base)
    call = caller(client_of(hub := Hub.build(site.config, sqlite_store)), tokens_of(hub))
    answer = call("GET", "/api/summary")
    assert answer.json()["site"]["base_map"]["datum"] == "cgcs2000"
    policy = answer.headers["content-security-policy"]
    assert "connect-src 'self' https://t0.tianditu.gov.cn;" in policy
    assert "script-src 'self';" in policy


def test_without_one_pages_fetch_from_the_hub_alone(sqlite_store, tmp_path):
    site = make_site(sqlite_store, tmp_path)
    call = caller(client_of(hub := Hub.build(site.config, sqlite_store)), tokens_of(hub))
    answer = call("GET", "/api/summary")
    assert answer.json()["site"]["base_map"] is None
    assert "connect-src 'self';" in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"tiles": ["https://tiles.example/{z}/{x}.png"]},
        {"tiles": ["ftp://tiles.example/{z}/{x}/{y}"]},
        {"tiles": []},
        {"tiles": [TIANDITU], "datum": "bd09"},
    ],
)
def test_what_is_no_base_map_is_refused(sqlite_store, tmp_path, wrong):
    with pytest.raises((BadConfig, ValueError), match="base_map"):
        make_site(sqlite_store, tmp_path, base_map=wrong)
