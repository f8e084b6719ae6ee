"""Grids over HTTP: what an import would do, what it did, what is in force."""

import json

import pytest
from shapely.geometry import shape

from tests.hub.test_api import furnished
from tests.hub.world import grid_document, square


@pytest.fixture
def hub(tmp_path, store):
    return furnished(tmp_path, store)


def check(call, *features, **more):
    document = {"type": "FeatureCollection", "features": list(features), **more}
    return call("POST", "/api/grids/check", json=document)


def test_a_dry_run_says_what_would_change_and_changes_nothing(call):
    known, new = grid_document()["features"][:2], square("q00a", 109.0, 32.6, 0.1, 3, "q00")
    renamed = square("q01", 109.0, 32.7, 0.1, 2, "city", synthetic=True, name="renamed")
    trial = check(call, *known, new, renamed).json()
    assert (trial["new"], trial["changed"], trial["same"], trial["staying"]) == (1, 1, 2, 2)
    assert (trial["problems"], trial["total"]) == ([], 0)
    assert call("GET", "/api/grids").json()["total"] == 5
    assert call("GET", "/api/grid-imports").json()["total"] == 1


def test_every_problem_is_named_with_its_place_and_drawn(call):
    bow = square("bow", 109.0, 32.6, 0.05, 3, "q00")
    bow["geometry"]["coordinates"][0] = [
        [109.0, 32.6], [109.05, 32.65], [109.05, 32.6], [109.0, 32.65], [109.0, 32.6]
    ]  # fmt: skip
    trial = check(
        call,
        square("a", 109.1, 32.6, 0.06, 3, "q10"),
        square("b", 109.15, 32.6, 0.1, 3, "q10"),
        bow,
        square("lost", 109.0, 32.7, 0.1, 3, "nowhere"),
    ).json()
    found = {each["problem"]: each for each in trial["problems"]}
    assert found.keys() == {
        "overlap", "gap", "outside_parent", "self_intersection", "unknown_parent"
    }  # fmt: skip
    overlap = shape(found["overlap"]["shape"])
    assert overlap.bounds == pytest.approx((109.15, 32.6, 109.16, 32.66), abs=1e-6)
    assert (found["overlap"]["code"], found["overlap"]["others"]) == ("a", ["b"])
    assert shape(found["outside_parent"]["shape"]).bounds[2] == pytest.approx(109.25, abs=1e-6)
    assert found["outside_parent"]["feature"] == 1
    assert found["gap"]["code"] == "q10"
    assert found["gap"]["feature"] is None  # q10 is in force and not in the document
    assert found["self_intersection"]["feature"] == 2
    assert found["self_intersection"]["where"].startswith("features[2].geometry")
    assert found["unknown_parent"]["feature"] == 3


def test_what_the_dry_run_finds_the_import_refuses(call):
    features = [square("a", 109.0, 32.6, 0.06, 3, "q00"), square("b", 109.05, 32.6, 0.05, 3, "q00")]
    trial = check(call, *features).json()
    assert trial["total"] > 0
    document = {"type": "FeatureCollection", "features": features}
    refused = call("POST", "/api/grids", json=document).json()["error"]
    assert [each["problem"] for each in refused["problems"]] == [
        each["problem"] for each in trial["problems"]
    ]
    assert all("shape" not in each for each in refused["problems"])


def test_an_import_is_kept_with_its_file_and_what_of_it_is_in_force(call):
    document = {"type": "FeatureCollection", "features": [
        square("q01", 109.0, 32.7, 0.1, 2, "city", name="renamed")
    ]}  # fmt: skip
    done = call("POST", "/api/grids", params={"file": "city.geojson"}, json=document)
    assert done.json() == {"imported": 1, "changed": 1}
    newest, first = call("GET", "/api/grid-imports").json()["items"]
    assert (newest["source"], newest["actor"]) == ("api: city.geojson", "admin-1")
    assert (newest["changed"], newest["in_force"], first["in_force"]) == (1, 1, 4)


def test_what_is_no_document_is_refused(call):
    for body in (b"no json", b"[" * 100_000, b"\xff\xfe\x00"):
        answer = call("POST", "/api/grids/check", content=body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (422, "bad_grids")
    answer = call("POST", "/api/grids/check", content=json.dumps({"type": "Point"}))
    (problem,) = answer.json()["problems"]
    assert (problem["problem"], problem["feature"]) == ("not_a_collection", None)
