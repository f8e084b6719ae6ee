import pytest

from hub import audit
from hub.roles import Role
from hub.tracks.fence_store import Fences, refresh
from tests.hub.test_api import caller, client_of, furnished, tokens_of
from tests.hub.tracks.test_geofence import feature


@pytest.fixture
def hub(tmp_path, store):
    return furnished(tmp_path, store)


@pytest.fixture
def call(hub):
    return caller(client_of(hub), tokens_of(hub))


def put(call, version=0, **properties):
    body = {"version": version, "feature": feature(radius_m=100, **properties)}
    return call("PUT", "/api/fences/f1", Role.SUPERVISOR, json=body)


def test_a_fence_is_made_changed_and_removed(call, hub):
    assert put(call).json()["version"] == 1
    changed = put(call, 1, limit_kmh=30)
    assert changed.json()["version"] == 2
    assert changed.json()["actor"] == "supervisor-1"
    assert call("GET", "/api/fences").json()["total"] == 1
    versions = call("GET", "/api/fences/f1/versions").json()["items"]
    assert [(each["version"], each["until"] is None) for each in versions] == [
        (2, True),
        (1, False),
    ]

    assert call("DELETE", "/api/fences/f1").status_code == 204
    assert call("GET", "/api/fences/f1").status_code == 404
    assert call("DELETE", "/api/fences/f1").status_code == 404
    assert put(call).json()["version"] == 3
    with hub.store.read() as tx:
        assert [act.action for act in audit.of(tx, "fence", "f1")] == [
            "put",
            "put",
            "remove",
            "put",
        ]


def test_whoever_comes_second_is_told(call):
    put(call)
    assert put(call, 0, limit_kmh=30).status_code == 409


def test_a_code_must_be_that_of_the_address(call):
    assert put(call, code="f2").status_code == 422


def test_a_collection_is_taken_whole_or_not_at_all(call):
    good, bad = feature(radius_m=10, code="a"), feature(radius_m=-1, code="b")
    document = {"type": "FeatureCollection", "features": [good, bad]}
    answer = call("POST", "/api/fences", json=document)
    assert answer.status_code == 422
    (problem,) = answer.json()["error"]["problems"]
    assert problem["where"] == "features[1].geometry"
    assert call("GET", "/api/fences").json()["total"] == 0

    document["features"] = [good]
    assert call("POST", "/api/fences", json=document).json() == {"imported": 1, "changed": 1}
    assert call("POST", "/api/fences", json=document).json() == {"imported": 1, "changed": 0}
    assert call("POST", "/api/fences", content=b"{").status_code == 422


def test_a_map_page_in_another_datum_sees_its_own(call):
    shown = feature(radius_m=100, coordinates=[109.025, 32.688])
    answer = call("POST", "/api/fences?datum=gcj02", json=shown)
    assert answer.json()["imported"] == 1
    inside = call("GET", "/api/fences/f1").json()["feature"]["geometry"]["coordinates"]
    assert inside[0] == pytest.approx(109.025, abs=0.01)
    assert inside[0] != pytest.approx(109.025, abs=1e-4)
    layer = call("GET", "/api/fences.geojson?datum=gcj02").json()
    back = layer["features"][0]["geometry"]["coordinates"]
    assert back == pytest.approx([109.025, 32.688], abs=1e-9)


def test_the_view_follows_the_table(call, hub):
    view = Fences()
    with hub.store.read() as tx:
        assert refresh(tx, view)
        assert not refresh(tx, view)
    put(call, purpose="dump")
    with hub.store.read() as tx:
        assert refresh(tx, view)
    assert view.sites is not None
    put(call, 1, purpose="watch")
    with hub.store.read() as tx:
        assert refresh(tx, view)
    assert view.sites is None
