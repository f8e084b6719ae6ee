"""Patrol over HTTP: figures, the map, exports, and who may do what."""

import csv
import io
from datetime import timedelta

import openpyxl
import pytest

from hub.duty import store as duty_store
from hub.duty.duty import Person, PersonRole, Post
from hub.duty.shift import Shift, read_clock
from hub.duty.table import Duty
from hub.housekeeping import judge_patrols
from hub.roles import Role
from hub.store import now, to_ms
from tests.hub.patrol.test_judge import CAR, arrive, stay, today_at
from tests.hub.test_api import call, caller, client, client_of, hub, tokens, tokens_of  # noqa: F401
from tests.hub.test_pipeline import take
from tests.hub.world import EPOCH, LAT, LON, received
from wire.track import VALID, Track, TrackPoint


@pytest.fixture
def days(hub):  # noqa: F811
    """A car was in q01 yesterday at 08:12 and 20:12 local time."""
    arrive(hub.store, hub.site)
    yesterday = today_at(0, hub.site) - timedelta(days=1)
    for n, hour in enumerate((8.2, 20.2)):
        start = yesterday + timedelta(hours=hour)
        take(hub.store, hub.site, "track", stay(start, 60, first=n * 1000))
    judge_patrols(hub.store, hub.site, None)
    return yesterday.date()


def asked(call, path, day, **more):  # noqa: F811
    query = {"since": day.isoformat(), **more}
    answer = call("GET", path, Role.VIEWER, params=query)
    assert answer.status_code == 200, answer.text
    return answer


def standings(answer):
    return {item["grid"]["code"]: item["standing"] for item in answer.json()["items"]}


def test_coverage_of_a_day(call, days):  # noqa: F811
    answer = asked(call, "/api/patrol/coverage", days)
    report = answer.json()
    assert report["until"] == (days + timedelta(days=1)).isoformat()
    assert standings(answer)["q01"] == "visited"
    assert standings(answer)["q00"] == "missed"
    visited = next(item for item in report["items"] if item["grid"]["code"] == "q01")
    assert (visited["made"], visited["visits"], visited["looked_s"]) == (1, 2, 120.0)
    assert report["totals"]["missed"] == 3
    assert report["totals"]["grids"] == 5
    assert {"level": 1, "times": 1, "period": "week"} in report["frequency"]


def test_each_figure_opens_into_its_visits(call, days):  # noqa: F811
    visits = asked(call, "/api/patrol/visits", days, grid="q01").json()
    assert visits["total"] == 2
    first = visits["items"][0]
    assert (first["vehicle"], first["plate"]) == (CAR, "陕G·00001")
    track = call(
        "GET", f"/api/vehicles/{CAR}/track", params={"from": first["start"], "to": first["end"]}
    )
    assert track.json()["total"] == 13


def test_today_can_still_be_made(call, days):  # noqa: F811
    answer = asked(call, "/api/patrol/coverage", days + timedelta(days=1), level=2)
    assert set(standings(answer).values()) == {"open"}
    assert answer.json()["totals"]["share"] is None


def test_missed_grids_on_the_map(call, days):  # noqa: F811
    missed = asked(call, "/api/patrol/missed", days, level=2).json()["features"]
    assert sorted(f["properties"]["code"] for f in missed) == ["q00", "q10", "q11"]
    assert missed[0]["geometry"]["type"] == "Polygon"
    every = asked(call, "/api/patrol/missed", days, all=True).json()["features"]
    assert len(every) == 5


def test_per_post_and_per_shift(hub, call, days):  # noqa: F811
    shift = Shift(
        "am", "早班", ("daily",), read_clock("start", "07:00"), read_clock("end", "12:00")
    )
    night = Shift("n", "夜班", ("daily",), read_clock("start", "22:00"), read_clock("end", "06:00"))
    posts = [Post("with", "有车", "q01", ("q01", "q00"), ("am",)), Post("none", "无车", "q01")]
    people = [Person("p", "王芳", PersonRole.GRID_WORKER, "with", "13900000000", (CAR,))]
    with hub.store.write() as tx:
        duty_store.put(tx, Duty(posts=posts, people=people, shifts=[shift, night]))
    path = "/api/patrol/coverage"
    assert standings(asked(call, path, days, post="with")) == {"q01": "visited", "q00": "missed"}
    assert standings(asked(call, path, days, post="none")) == {"q01": "missed"}
    assert standings(asked(call, path, days, grid="q01", shift="am")) == {"q01": "visited"}
    assert standings(asked(call, path, days, grid="q01", shift="n")) == {"q01": "missed"}
    assert asked(call, "/api/patrol/visits", days, grid="q01", shift="am").json()["total"] == 1


def test_exports_hold_the_same_rows(call, days):  # noqa: F811
    text = asked(call, "/api/patrol/coverage/file", days, format="csv").content
    rows = list(csv.DictReader(io.StringIO(text.decode("utf-8-sig"))))
    assert {row["grid"]: row["standing"] for row in rows}["q10"] == "missed"
    book = asked(call, "/api/patrol/coverage/file", days, format="xlsx").content
    sheet = openpyxl.load_workbook(io.BytesIO(book)).active
    assert [cell.value for cell in sheet[1]][:2] == ["grid", "name"]
    assert sheet.max_row == 6


@pytest.fixture
def token_days(hub, days):  # noqa: F811
    """On the day before a car parked in q01 for an hour, and drove through q00 too fast."""
    arrive(hub.store, hub.site, dev="car-2")
    day, arrived = today_at(0, hub.site) - timedelta(days=2), now()
    parked = stay(day + timedelta(hours=8), 3600, dev="car-2", at=arrived)
    passed = stay(day + timedelta(hours=10), 60, 5000, lat=LAT - 0.1, east_deg=1e-3, dev="car-2",
                  at=arrived)  # fmt: skip
    take(hub.store, hub.site, "track", parked)
    take(hub.store, hub.site, "track", passed)
    judge_patrols(hub.store, hub.site, None)
    return day.date()


def test_a_token_patrol_is_told_from_a_missed_grid(call, token_days):  # noqa: F811
    answer = asked(call, "/api/patrol/coverage", token_days, level=2)
    assert standings(answer) == {
        "q00": "passed", "q01": "parked", "q10": "missed", "q11": "missed"
    }  # fmt: skip
    report = answer.json()
    totals = report["totals"]
    counted = {name: totals[name] for name in ("visited", "open", "parked", "passed", "missed")}
    assert counted == {"visited": 0, "open": 0, "parked": 1, "passed": 1, "missed": 2}
    assert (totals["made"], totals["missed_visits"]) == (0, 4)
    q01 = next(item for item in report["items"] if item["grid"]["code"] == "q01")
    on = [token_days.isoformat()]
    assert (q01["missed"], q01["parked"], q01["passed"]) == (on, on, [])
    assert (q01["visits"], q01["looked_s"], q01["last_visit"]) == (0, 0, None)
    only = asked(call, "/api/patrol/coverage", token_days, level=2, standing="parked").json()
    assert [item["grid"]["code"] for item in only["items"]] == ["q01"]
    # All of them lack a visit, and the map of those names why.
    missed = asked(call, "/api/patrol/missed", token_days, level=2).json()["features"]
    assert {f["properties"]["code"]: f["properties"]["standing"] for f in missed} == standings(
        answer
    )
    text = asked(call, "/api/patrol/coverage/file", token_days, format="csv").content
    rows = {row["grid"]: row for row in csv.DictReader(io.StringIO(text.decode("utf-8-sig")))}
    assert (rows["q01"]["standing"], rows["q01"]["parked"], rows["q01"]["passed"]) == (
        "parked", token_days.isoformat(), ""
    )  # fmt: skip


def test_over_some_days_a_grid_to_which_nobody_came_on_one_is_missed(call, token_days):  # noqa: F811
    span = {"until": (token_days + timedelta(days=2)).isoformat(), "level": 2}
    answer = asked(call, "/api/patrol/coverage", token_days, **span)
    assert standings(answer) == {
        "q00": "missed", "q01": "parked", "q10": "missed", "q11": "missed"
    }  # fmt: skip


def test_a_token_visit_opens_into_its_proof(call, token_days):  # noqa: F811
    (parked,) = asked(call, "/api/patrol/visits", token_days, grid="q01").json()["items"]
    assert (parked["manner"], parked["looked_s"], parked["vehicle"]) == ("parked", 0, "car-2/v1")
    assert (parked["inside_s"], parked["standing_s"], parked["moving_s"]) == (3600, 3600, 0)
    assert (parked["slow_m"], parked["passes"]) == (0, 1)
    (passed,) = asked(call, "/api/patrol/visits", token_days, manner="passed", level=2).json()[
        "items"
    ]
    assert (passed["grid"]["code"], passed["manner"]) == ("q00", "passed")
    assert (passed["inside_s"], passed["looked_s"], passed["passes"]) == (60, 0, 1)
    span = {"from": passed["start"], "to": passed["end"]}
    track = call("GET", "/api/vehicles/car-2/v1/track", params=span)
    assert track.json()["total"] == 13


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"since": "2026-11-02", "until": "2026-11-02"}, 422),
        ({"since": "2020-11-02", "until": "2026-11-02"}, 422),
        ({"since": "yesterday"}, 422),
        ({"grid": "nowhere"}, 404),
        ({"post": "nobody"}, 404),
        ({"shift": "never"}, 404),
    ],
)
def test_questions_that_cannot_be_answered(call, query, status):  # noqa: F811
    answer = call("GET", "/api/patrol/coverage", params=query)
    assert answer.status_code == status
    assert answer.json()["error"]["allowed"]


def test_a_past_day_is_judged_again_by_an_administrator(call, days):  # noqa: F811
    span = {"since": days.isoformat(), "until": (days + timedelta(days=1)).isoformat()}
    assert call("POST", "/api/patrol/recompute", json=span).json() == {"days": 1}
    assert call("POST", "/api/patrol/recompute", Role.SUPERVISOR, json=span).status_code == 403
    much = {"since": "2025-01-01", "until": "2026-01-01"}
    assert call("POST", "/api/patrol/recompute", json=much).status_code == 422


def test_sweeping(hub, call):  # noqa: F811
    arrive(hub.store, hub.site, kind="sanitation_vehicle")
    start = today_at(0.2, hub.site) - timedelta(days=1)
    fixes = [
        TrackPoint(n, to_ms(start) + n * 1000, LON + n * 3e-5, LAT, 10.0, 90.0, VALID)
        for n in range(121)
    ]
    message = Track(dev="car-1", epoch=EPOCH, seq=0, ts=fixes[-1].ts, tq=2, vehicle="v1",
                    fixes=fixes)  # fmt: skip
    take(hub.store, hub.site, "track", received(message, start + timedelta(minutes=3)))
    assert call("GET", f"/api/patrol/sweepers/{CAR}").json() == {"sweep_width_m": 3.0}
    put = call("PUT", f"/api/patrol/sweepers/{CAR}", json={"sweep_width_m": 2.0})
    assert put.status_code == 200
    judge_patrols(hub.store, hub.site, None)
    items = asked(call, "/api/patrol/sweeping", start.date()).json()["items"]
    by_grid = {item["grid"]["code"]: item for item in items}
    assert set(by_grid) == {"city", "q01"}
    assert by_grid["q01"]["swept_m2"] == pytest.approx(2 * 337.5, rel=0.01)
    assert by_grid["q01"]["passes"] == 1
    (feature,) = asked(call, "/api/patrol/sweeping.geojson", start.date()).json()["features"]
    assert (feature["properties"]["vehicle"], feature["properties"]["width_m"]) == (CAR, 2.0)
    rows = asked(call, "/api/patrol/sweeping/file", start.date(), format="csv").content
    assert rows.count(b"\n") == 3
    nobody = call("PUT", "/api/patrol/sweepers/car-9/v1", json={"sweep_width_m": 2.0})
    assert nobody.status_code == 404
