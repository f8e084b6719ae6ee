import io
import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hub.grid.errors import GridError
from hub.tracks.commands import analyse
from hub.tracks.errors import TrackError
from tests.hub.grid.shapes import collection, feature, square
from tests.shared import SHARED, needs_shared

Line = dict[str, Any]
GPS = (SHARED or Path()) / "data/gps"
TRACKS = ("geolife_000.csv", "geolife_003.csv", "gpx_minihomer.csv")
# The tools that the expectations come from differ by this much at the ends of a stop.
END = timedelta(minutes=3)


def lines(points: Path, **options: Any) -> list[Line]:
    """The lines, each taken through JSON as the command prints it."""
    return [json.loads(json.dumps(line, allow_nan=False)) for line in analyse(points, **options)]


def of(kind: str, found: list[Line]) -> list[Line]:
    return [line for line in found if line["type"] == kind]


def overlap_s(start: datetime, end: datetime, stops: list[Line]) -> float:
    spans = [(time(stop["start"]), time(stop["end"])) for stop in stops]
    return sum(max((min(end, b) - max(start, a)).total_seconds(), 0.0) for a, b in spans)


def time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def write(path: Path, document: Any) -> Path:
    path.write_text(json.dumps(document))
    return path


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A truck that stands, unloads, stands and leaves; two rows are bad, two are late."""
    path = tmp_path / "points.csv"
    head = "time_utc,lat,lon,load,hopper\n"
    rows = [
        f"2026-10-01T04:{s // 60:02d}:{s % 60:02d}Z,32.69,109.02,{3 if s < 320 else 0},"
        f"{int(300 <= s < 360)}\n"
        for s in range(0, 900, 10)
    ]
    rows[3], rows[4] = rows[4], rows[3]
    rows[20:20] = ["2026-10-01T04:03:20Z,95,109,3,0\n", "soon,32.69,109.02,3,0\n"]
    path.write_text(head + "".join(rows))
    return path


def test_a_truck_unloads(table: Path, tmp_path: Path) -> None:
    ring = square(109.015, 32.685)
    area = {"type": "Polygon", "coordinates": [ring]}
    place = {"type": "Feature", "properties": {"name": "pit", "hours": [["11:00", "13:00"]]}}
    sites = write(tmp_path / "sites.geojson", collection({**place, "geometry": area}))
    grids = write(tmp_path / "grids.geojson", collection(feature("g", ring)))
    stderr = io.StringIO()
    enter, stop, unload, summary = lines(table, grids=grids, sites=sites, stderr=stderr)
    assert enter == {"type": "enter", "grid": "g", "at": "2026-10-01T04:00:00Z"}
    assert stop == {
        "type": "stop",
        "start": "2026-10-01T04:00:00Z",
        "end": "2026-10-01T04:14:50Z",
        "duration_s": 890,
        "lat": 32.69,
        "lon": 109.02,
    }
    assert unload == {
        "type": "unload",
        "verdict": "approved",
        "site": "pit",
        "start": "2026-10-01T04:05:00Z",
        "end": "2026-10-01T04:06:00Z",
        "duration_s": 60,
        "lat": 32.69,
        "lon": 109.02,
        "speed_kmh": 0.0,
        "load_before": 3,
        "load_after": 0,
        "unloaded": True,
        "over": True,
    }
    assert (summary["points"], summary["refused"], summary["stops"]) == (90, 2, 1)
    assert stderr.getvalue().splitlines() == [
        "line 22: lat '95' is not allowed (-90 to 90)",
        "line 23: time_utc 'soon' is no time (2026-10-01T08:30:00Z)",
    ]


@pytest.mark.parametrize(
    ("hours", "expected"),
    [
        ([["06:00", "10:00"]], "outside_hours"),
        ([["11:00", "13:00"]], "approved"),
        ([["20:00", "12:30"]], "approved"),
        ([["20:00", "06:00"]], "outside_hours"),
    ],
)
def test_hours_are_local(table: Path, tmp_path: Path, hours: Any, expected: str) -> None:
    area = {"type": "Polygon", "coordinates": [square(109.015, 32.685)]}
    place = {"type": "Feature", "properties": {"name": "pit", "hours": hours}, "geometry": area}
    sites = write(tmp_path / "sites.geojson", collection(place))
    (unload,) = of("unload", lines(table, sites=sites, stderr=io.StringIO()))
    assert unload["verdict"] == expected


def test_a_good_table_has_nothing_refused(tmp_path: Path) -> None:
    path = tmp_path / "points.csv"
    path.write_text("time_utc,lat,lon\n")
    (summary,) = lines(path)
    assert summary["points"] == 0
    assert "refused" not in summary


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"tz": "Ankang"}, TrackError, "tz 'Ankang' is no time zone"),
        ({"tz": "../etc"}, TrackError, "no time zone"),
        ({"tz": ""}, TrackError, "no time zone"),
        ({"sites": "absent.geojson"}, GridError, "absent.geojson"),
        ({"grids": "absent.geojson"}, GridError, "absent.geojson"),
    ],
)
def test_what_cannot_be_analysed(
    table: Path, options: Any, error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        list(analyse(table, **options))


def test_an_absent_table_is_an_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        list(analyse(tmp_path / "absent.csv"))


@needs_shared
@pytest.mark.parametrize("track", TRACKS)
def test_stops_that_all_tools_agree_on(track: str) -> None:
    expect = json.loads((GPS / "tracks/expect_stops.json").read_text())[track]
    stops = of("stop", lines(GPS / "tracks" / track))
    for must in expect["must_be_stop"]:
        start, end = time(must["start"]) + END, time(must["end"]) - END
        assert overlap_s(start, end, stops) >= 0.95 * (end - start).total_seconds(), must
    for start_text, end_text in expect["must_not_be_stop"]:
        start, end = time(start_text) + END, time(end_text) - END
        assert overlap_s(start, end, stops) == 0, (start_text, end_text)


@needs_shared
@pytest.mark.parametrize("track", TRACKS[:2])
def test_grids_of_real_tracks_in_order_and_time(track: str) -> None:
    runs = json.loads((GPS / "geofence/expect_grid.json").read_text())[track]["runs"]
    found = lines(GPS / "tracks" / track, grids=GPS / "geofence/communities_91.geojson")
    codes = [f"G{run[0]:04d}" if run[0] >= 0 else None for run in runs]
    times = [run[3] for run in runs]
    entered = [(code, at) for code, at in zip(codes, times, strict=True) if code]
    left = [(code, at) for code, at in zip(codes[:-1], times[1:], strict=True) if code]
    assert [(line["grid"], line["at"]) for line in of("enter", found)] == entered
    assert [(line["grid"], line["at"]) for line in of("exit", found)] == left


@needs_shared
@pytest.mark.parametrize("shift_h", [0, 12])
def test_every_lift_of_a_real_day_is_judged(tmp_path: Path, shift_h: int) -> None:
    """With every site's hours moved by half a day, what was approved is outside hours."""
    (scenario,) = json.loads((GPS / "muck_truck_derived/scenarios.json").read_text())
    places = [site_feature(site, shift_h) for site in scenario["approved_sites"]]
    sites = write(tmp_path / "sites.geojson", collection(*places))
    found = of("unload", lines(GPS / "muck_truck_derived" / scenario["track"], sites=sites))
    assert len(found) == len(scenario["expect"])
    for line, expect in zip(found, scenario["expect"], strict=True):
        approved = "outside_hours" if shift_h else "approved"
        kind = approved if expect["kind"] == "approved" else expect["kind"]
        assert line["verdict"] == kind
        for name, moment in (("start", "hopper_up"), ("end", "hopper_down")):
            assert abs((time(line[name]) - time(expect[moment])).total_seconds()) <= 15
        assert line["lat"] == pytest.approx(expect["lat"], abs=5e-4)
        assert line["lon"] == pytest.approx(expect["lon"], abs=5e-4)


def site_feature(site: Line, shift_h: int) -> Line:
    hours = [f"{(int(clock[:2]) + shift_h) % 24:02d}{clock[2:]}" for clock in site["hours_local"]]
    return {
        "type": "Feature",
        "properties": {"name": site["name"], "hours": [hours]},
        "geometry": {"type": "Polygon", "coordinates": [site["ring_lonlat"]]},
    }
