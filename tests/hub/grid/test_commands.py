import csv
import io
import json
from pathlib import Path

import pytest

from hub.grid import commands
from hub.grid.commands import check_file, locate_csv
from hub.grid.errors import GridError
from tests.hub.grid.shapes import collection, feature, square
from tests.shared import SHARED, needs_shared

CITY = feature("city", square(109, 32, 0.02, 0.01), level=1)
WEST = feature("west", square(109, 32), level=2, parent="city")
EAST = feature("east", square(109.01, 32), level=2, parent="city")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    path = tmp_path / "tree.geojson"
    path.write_text(json.dumps(collection(CITY, WEST, EAST)))
    return path


@pytest.fixture
def flat(tmp_path: Path) -> Path:
    path = tmp_path / "flat.geojson"
    path.write_text(json.dumps(collection(feature("甲", square(109, 32)))))
    return path


def located(grids: Path, table: str) -> tuple[int, str, str]:
    stdout, stderr = io.StringIO(), io.StringIO()
    status = locate_csv(grids, io.StringIO(table), stdout, stderr)
    return status, stdout.getvalue(), stderr.getvalue()


def test_good_grids_have_no_line(tree: Path) -> None:
    assert list(check_file(tree)) == []


def test_every_problem_is_a_line_of_json(tmp_path: Path) -> None:
    path = tmp_path / "bad.geojson"
    path.write_text(json.dumps(collection(CITY, WEST, WEST, feature("x", [1], level=2))))
    lines = [json.loads(json.dumps(line)) for line in check_file(path)]
    assert [line["problem"] for line in lines] == ["duplicate_code", "wrong_type"]
    assert {"problem", "code", "where", "message", "allowed"} <= set(lines[0])


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"type": "FeatureCollection"}'])
def test_a_file_that_is_no_collection_is_one_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "bad.geojson"
    path.write_text(text)
    assert len(list(check_file(path))) == 1


def test_a_missing_file_is_one_line(tmp_path: Path) -> None:
    assert [line["problem"] for line in check_file(tmp_path / "none")] == ["unreadable"]


@pytest.mark.parametrize(
    ("table", "answer"),
    [
        ("lat,lon\n32.005,109.005\n", "lat,lon,grid\n32.005,109.005,甲\n"),
        ("lon,id,lat\n109.005,7,32.005\n", "lon,id,lat,grid\n109.005,7,32.005,甲\n"),
        ("lat,lon\n0,0\n", "lat,lon,grid\n0,0,\n"),
        ('lat,lon,n\n32.005,109.005,"a, b"\n', 'lat,lon,n,grid\n32.005,109.005,"a, b",甲\n'),
        ("lat,lon\n", "lat,lon,grid\n"),
    ],
)
def test_rows_get_their_grid(flat: Path, table: str, answer: str) -> None:
    assert located(flat, table) == (0, answer, "")


def test_a_tree_has_a_column_per_level(tree: Path) -> None:
    status, answer, _ = located(tree, "lat,lon\n32.005,109.005\n32.005,109.015\n33,109\n")
    assert status == 0
    assert answer.splitlines() == [
        "lat,lon,level1,level2",
        "32.005,109.005,city,west",
        "32.005,109.015,city,east",
        "33,109,,",
    ]


def test_bad_rows_are_kept_and_all_named(flat: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "ROWS_AT_ONCE", 2)
    table = 'lat,lon,n\n91,109,a\n32.005,109.005,b\nx,109,c\n1,"2\n32,109\n32.005,109.005,d\n'
    status, answer, said = located(flat, table)
    assert status == 1
    assert list(csv.reader(answer.splitlines())) == [
        ["lat", "lon", "n", "grid"],
        ["91", "109", "a", ""],
        ["32.005", "109.005", "b", "甲"],
        ["x", "109", "c", ""],
        ['1,"2', "", "", ""],
        ["32", "109", "", ""],
        ["32.005", "109.005", "d", "甲"],
    ]
    assert said.splitlines() == [
        "line 2: lat '91' is not allowed (-90 to 90)",
        "line 4: lat 'x' is not a number",
        "line 5: not CSV: unexpected end of data",
        "line 6: 2 fields where the header has 3",
    ]


def test_bytes_that_are_no_utf8_pass_through(flat: Path) -> None:
    table = b"lat,lon,n\n32.005,109.005," + "张滩".encode("gbk") + b"\n"
    stdin, stdout = io.TextIOWrapper(io.BytesIO(table)), io.TextIOWrapper(io.BytesIO())
    assert locate_csv(flat, stdin, stdout) == 0
    stdout.flush()
    assert stdout.buffer.getvalue().splitlines()[1] == (
        b"32.005,109.005," + "张滩".encode("gbk") + ",甲".encode()
    )


@pytest.mark.parametrize(
    ("table", "said"), [("lat\n", "no column 'lon'"), ("lat,lon,grid\n", "already has .* 'grid'")]
)
def test_a_table_that_cannot_be_located(flat: Path, table: str, said: str) -> None:
    with pytest.raises(GridError, match=said):
        located(flat, table)


def test_unusable_grids_are_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "bad.geojson"
    path.write_text(json.dumps(collection(feature("x", [1]))))
    with pytest.raises(GridError, match=r"features\[0\]"):
        located(path, "lat,lon\n")


@needs_shared
def test_a_real_track_gets_its_runs() -> None:
    assert SHARED
    folder = SHARED / "data/gps"
    expect = json.loads((folder / "geofence/expect_grid.json").read_text())["geolife_000.csv"]
    table = (folder / "tracks/geolife_000.csv").read_text()
    _, answer, _ = located(folder / "geofence/communities_91.geojson", table)
    rows = list(csv.DictReader(io.StringIO(answer)))
    for number, first, last, *_ in expect["runs"]:
        assert {row["grid"] for row in rows[first : last + 1]} == {f"G{number:04d}"}
