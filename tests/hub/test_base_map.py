"""A base map from elsewhere: pages are told where, and may fetch from there alone."""

import pytest

from hub.app import Hub
from hub.base_map import PATH
from hub.commands import check
from hub.config import BaseMap
from hub.errors import BadConfig
from tests.hub.test_api import caller, client_of, tokens_of
from tests.hub.world import make_site
from tests.pmtiles import write_pmtiles

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


@pytest.fixture
def with_file(sqlite_store, tmp_path):
    path = write_pmtiles(tmp_path / "city.pmtiles", (200, 40, 160))
    site = make_site(sqlite_store, tmp_path, base_map={"pmtiles": str(path)})
    return path, caller(client_of(hub := Hub.build(site.config, sqlite_store)), tokens_of(hub))


def test_a_file_is_served_by_the_parts_that_pages_ask_for(with_file):
    path, call = with_file
    base = call("GET", "/api/summary").json()["site"]["base_map"]
    assert (base["kind"], base["pmtiles"], base["max_zoom"]) == ("raster", PATH, 3)
    assert str(path) not in call("GET", "/api/summary").text
    part = call("GET", PATH, headers={"Range": "bytes=0-126"})
    assert (part.status_code, part.content) == (206, path.read_bytes()[:127])
    assert part.headers["content-range"] == f"bytes 0-126/{path.stat().st_size}"
    assert "connect-src 'self';" in part.headers["content-security-policy"]


def test_a_file_that_has_gone_leaves_the_map_without_streets(with_file):
    path, call = with_file
    path.unlink()
    assert call("GET", "/api/summary").json()["site"]["base_map"] is None
    assert call("GET", PATH).status_code == 404


def test_what_is_no_archive_is_named_by_the_check(tmp_path):
    path = write_pmtiles(tmp_path / "city.pmtiles", (1, 2, 3))
    (tmp_path / "hub.yaml").write_text("data_dir: data\nbase_map: {pmtiles: city.pmtiles}\n")
    assert check(tmp_path / "hub.yaml") == []
    for broken, why in ((b"GIF89a", "is no PMTiles file"), (None, "cannot be read")):
        path.write_bytes(broken) if broken else path.unlink()
        (fault,) = check(tmp_path / "hub.yaml")
        assert fault.startswith("base_map.pmtiles: ")
        assert why in fault
    data = bytearray(write_pmtiles(path, (1, 2, 3)).read_bytes())
    data[99] = 0
    path.write_bytes(data)
    assert "kind 0" in check(tmp_path / "hub.yaml")[0]
    both = {"pmtiles": str(path), "tiles": [TIANDITU]}
    with pytest.raises(ValueError, match="either tiles"):
        BaseMap.model_validate(both)
