import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from hub.grid import geojson
from hub.grid.geojson import feature_collection, load_document, load_grids, problems, read
from hub.grid.grid import GridError
from tests.hub.grid.shapes import collection, feature, grids, parts, square
from tests.shared import SHARED, needs_shared

RING = square(109.0, 32.6)
BOW_TIE = [[109, 32], [109.01, 32.01], [109.01, 32], [109, 32.01], [109, 32]]


def found(document: object) -> list[tuple[str, str | None]]:
    return [(problem.problem, problem.code) for problem in problems(document)]


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        (None, "not_a_collection"),
        ([], "not_a_collection"),
        ({"type": "Polygon", "coordinates": [RING]}, "not_a_collection"),
        ({"type": "FeatureCollection"}, "not_a_collection"),
        (collection(), "empty"),
        (collection(7), "wrong_type"),
        (collection({"type": "Polygon"}), "wrong_type"),
        (collection({"type": "Feature", "properties": None, "geometry": None}), "wrong_type"),
        (collection(feature(1, RING)), "wrong_type"),
        (collection(feature("\ud83d", RING)), "wrong_type"),
        (collection(feature("a", RING, name="\ud83d")), "wrong_type"),
        (collection(feature("", RING)), "bad_code"),
        (collection(feature(" a", RING)), "bad_code"),
        (collection(feature("a" * 65, RING)), "bad_code"),
        (collection(feature("a", RING, level="1")), "wrong_type"),
        (collection(feature("a", RING, level=True)), "wrong_type"),
        (collection(feature("a", RING, level=0)), "wrong_type"),
        (collection(feature("a", RING, name=3)), "wrong_type"),
        (collection(feature("a", RING, parent=3)), "wrong_type"),
        (collection(feature("a", RING, kind="cell")), "wrong_type"),
        (collection(feature("a", RING, datum="GCJ-02")), "wrong_datum"),
        (collection(feature("a", RING), datum="BD-09"), "wrong_datum"),
        (collection({**feature("a"), "geometry": None}), "missing_geometry"),
        (collection({**feature("a"), "geometry": {"type": "Point"}}), "wrong_type"),
        (collection({**feature("a"), "geometry": "here"}), "wrong_type"),
        (collection(feature("a")), "wrong_type"),
        (collection(feature("a", [])), "wrong_type"),
        (collection(feature("a", [109, 32])), "wrong_type"),
        (collection(feature("a", [["109", "32"]])), "wrong_type"),
        (collection(feature("a", [[True, False]])), "wrong_type"),
        (collection(feature("a", [[109, 32], [109, None], [1, 1]])), "wrong_type"),
        (collection(feature("a", RING[:-1])), "invalid_ring"),
        (collection(feature("a", [RING[0], RING[1], RING[0]])), "invalid_ring"),
        (collection(feature("a", [[9, 32], [10, 32], [11, 32], [9, 32]])), "self_intersection"),
        (collection(feature("a", RING, square(109.02, 32.6))), "invalid_ring"),
        (collection(parts("a", [RING], [RING])), "self_intersection"),
        (collection(feature("a", BOW_TIE)), "self_intersection"),
        (collection(feature("a", [[float("nan"), 1], [2, 3], [4, 4], [1, 1]])), "not_finite"),
        (collection(feature("a", [[float("inf"), 1], [2, 3], [4, 4], [1, 1]])), "not_finite"),
        (collection(feature("a", [[10**400, 1], [2, 3], [4, 4], [1, 1]])), "not_finite"),
        (collection(feature("a", square(109, 89.995))), "out_of_range"),
        (collection(feature("a", square(181, 32))), "out_of_range"),
        (collection(feature("a", [[y, x] for x, y in RING])), "swapped"),
        (collection(feature("a", [[y, x] for x, y in square(87.6, 43.8)])), "swapped"),
    ],
)
def test_a_feature_that_cannot_be_read_is_named(document: object, problem: str) -> None:
    assert [name for name, _ in found(document)] == [problem]


def test_good_features_are_read_with_what_else_they_say() -> None:
    hole = square(109.002, 32.602, 0.002, 0.002)
    deep = [[*position, 211.5] for position in square(109.02, 32.6)]
    document = collection(
        feature("a", RING, hole, name="甲", level=1, synthetic=True),
        parts("b", [deep], [square(109.04, 32.6)], level=1),
        datum="CGCS2000",
        crs={"type": "name", "properties": {"name": "urn:ogc:def:crs:OGC:1.3:CRS84"}},
    )
    a, b = read(document).grids
    assert found(document) == []
    assert (a.code, a.name, a.level, a.parent) == ("a", "甲", 1, None)
    assert dict(a.properties) == {"synthetic": True}
    assert len(a.geometry.interiors) == 1
    assert len(b.geometry.geoms) == 2


def test_every_problem_is_told_at_once_and_where() -> None:
    document = collection(
        feature("a", RING),
        feature("b", square(32.6, 109.0)),
        feature("a", RING),
        feature("c", BOW_TIE, level="x"),
    )
    lines = [problem.line() for problem in problems(document)]
    assert [(line["problem"], line["code"]) for line in lines] == [
        ("swapped", "b"),
        ("duplicate_code", "a"),
        ("wrong_type", "c"),
        ("self_intersection", "c"),
    ]
    assert lines[0]["where"] == "features[1].geometry.coordinates[0][0]"
    assert all(line["message"] and line["allowed"] for line in lines)


@pytest.mark.parametrize(
    ("code", "properties", "expected"),
    [
        ("610902002901001", {"standard": "GB/T 47678.3"}, []),
        ("610902002901001", {"standard": "GB/T 47678.3", "parent": "610902002901"}, []),
        ("610902002901001", {"standard": "GB/T 47678.3", "parent": "610902002902"}, ["a"]),
        ("610902002901000", {"standard": "GB/T 47678.3"}, ["a"]),
        ("61090200290100", {"standard": "GB/T 47678.3"}, ["a"]),
        ("6109020029010011", {"standard": "GB/T 47678.3-2026"}, ["a"]),
        ("ak-01", {}, []),
    ],
)
def test_unit_grids_have_15_digits_under_the_standard(
    code: str, properties: dict[str, Any], expected: list[str]
) -> None:
    document = collection(feature(code, RING, kind="unit_grid", **properties))
    names = [problem.problem for problem in read(document).problems]
    assert names == ["bad_identifier" for _ in expected]


def test_a_collection_names_the_standard_for_its_unit_grids() -> None:
    document = collection(feature("1", RING, kind="unit_grid"), standard="GB/T 47678.3")
    assert found(document) == [("bad_identifier", "1")]


def test_grids_survive_writing_and_reading() -> None:
    hole = square(109.002, 32.602, 0.001, 0.001)
    before = grids(feature("a", RING, hole, name="甲", synthetic=True))
    text = json.dumps(feature_collection(before))
    assert read(json.loads(text)).grids == before


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "not_json"),
        (b'{"type": "FeatureCollection", "features": [', "not_json"),
        (b"[" * 100_000, "not_json"),
        (b'{"n": ' + b"9" * 5000 + b"}", "not_json"),
        ("网格".encode("gbk"), "not_utf8"),
        (json.dumps(collection()).encode("utf-16"), "not_utf8"),
    ],
)
def test_a_file_that_is_no_json_is_one_problem(tmp_path: Path, data: bytes, problem: str) -> None:
    path = tmp_path / "grids.geojson"
    path.write_bytes(data)
    with pytest.raises(GridError) as error:
        load_document(path)
    assert [each.problem for each in error.value.problems] == [problem]


def test_a_file_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "grids.geojson"
    path.write_text(json.dumps(collection(feature("a", RING))), encoding="utf-8-sig")
    assert [grid.code for grid in load_grids(path)] == ["a"]


def test_a_file_too_large_or_absent_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(geojson, "MAX_BYTES", 2**20)
    (tmp_path / "large").write_bytes(b" " * (2**20 + 1))
    for name, problem in (("large", "too_large"), ("absent", "unreadable")):
        with pytest.raises(GridError) as error:
            load_document(tmp_path / name)
        assert error.value.problems[0].problem == problem


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-200, 200)
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["Feature", "Polygon", "MultiPolygon", 10**400]),
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(
            st.sampled_from(["type", "code", "level", "parent", "geometry", "coordinates"]),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@settings(max_examples=80, deadline=None)
@given(JSON, JSON, JSON, JSON)
def test_no_document_is_too_strange(a: object, b: object, c: object, d: object) -> None:
    """Strange values in every place of a document are told, never raised."""
    geometry = {"type": "Polygon", "coordinates": d}
    document = collection(
        a, feature(b, RING), feature("x", RING, level=c), {**feature("y"), "geometry": geometry}
    )
    for given_document in (a, document, {**document, "crs": a, "standard": b}):
        lines = [problem.line() for problem in problems(given_document)]
        assert json.dumps(lines, ensure_ascii=False).encode()


def test_loading_names_every_unusable_feature(tmp_path: Path) -> None:
    path = tmp_path / "grids.geojson"
    path.write_text(json.dumps(collection(feature("a", BOW_TIE), feature("b", RING[:-1]))))
    with pytest.raises(GridError, match=r"(?s)features\[0\].*features\[1\]"):
        load_grids(path)


@needs_shared
def test_the_91_polygons_have_no_problem() -> None:
    assert SHARED
    path = SHARED / "data/gps/geofence/communities_91.geojson"
    assert found(load_document(path)) == []
    assert len(load_grids(path)) == 91
