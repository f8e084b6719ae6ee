"""Figures over HTTP: each opens into its cases; people need a higher right; reports stay."""

import io
from datetime import UTC, datetime, timedelta

import openpyxl
import pypdfium2
import pytest

from hub.app import Hub
from hub.roles import Role
from tests.hub.evaluation.city import MONDAY, City
from tests.hub.test_api import caller, client_of, tokens_of
from tests.hub.world import make_site

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def lived(sqlite_store, tmp_path):
    """A hub whose city had twelve cases in November: ten closed, one late; two still open."""
    site = make_site(sqlite_store, tmp_path)
    hub = Hub.build(site.config, sqlite_store)
    city = City(sqlite_store, site, tmp_path)
    with city.store.block():
        for number in range(12):
            case = city.to_work(MONDAY)
            if number < 10:
                city.close(case, MONDAY + (HOUR if number else 10 * DAY))
    city.at(datetime(2026, 12, 5, tzinfo=UTC))
    city.maker = hub.maker
    yield caller(client_of(hub), tokens_of(hub)), city
    city.stop()


def one(call, indicator, **more):
    params = {"period": "2026-11", "indicator": indicator, **more}
    found = call("GET", "/api/evaluation/figures", params=params).json()
    (figure,) = found["groups"][0]["figures"]
    return figure


def test_a_figure_comes_with_its_counts_and_opens_into_its_cases(lived):
    call, _ = lived
    figure = one(call, "on_time_close_rate")
    assert (figure["numerator"], figure["denominator"], figure["ranked"]) == (9, 12, True)
    assert figure["value"] == 0.75
    params = {"period": "2026-11", "indicator": "on_time_close_rate", "by": "grid",
              "grid_level": 2}  # fmt: skip
    groups = call("GET", "/api/evaluation/figures", params=params).json()["groups"]
    (quarter,) = groups
    assert quarter["name"].startswith("grid q")
    for side, count in (("numerator", 9), ("denominator", 12), ("rest", 3)):
        cases = call("GET", "/api/evaluation/cases",
                     params={**params, "group": quarter["group"], "side": side}).json()  # fmt: skip
        assert cases["total"] == len(cases["items"]) == count
        assert all(each["number"].startswith("AK") for each in cases["items"])


def test_a_group_is_not_named_when_it_has_nothing(lived):
    call, _ = lived
    params = {"period": "2026-11", "by": "department"}
    assert call("GET", "/api/evaluation/figures", params=params).json()["groups"] == []


def test_a_trend_shows_each_period_as_of_its_own_end(lived):
    call, _ = lived
    params = {"period": "2026-12", "count": 3, "indicator": "close_rate"}
    series = call("GET", "/api/evaluation/trend", params=params).json()
    assert [each["period"] for each in series] == ["2026-10", "2026-11", "2026-12"]
    assert series[0]["figures"] == []
    assert series[1]["figures"][0]["numerator"] == 10


def test_people_need_a_higher_right(lived):
    call, _ = lived
    params = {"period": "2026-11", "by": "person"}
    for role in (Role.VIEWER, Role.OPERATOR):
        assert call("GET", "/api/evaluation/figures", role, params=params).status_code == 403
        assert call("GET", "/api/evaluation/ranking", role, params=params).status_code == 403
    assert call("GET", "/api/evaluation/ranking", Role.SUPERVISOR, params=params).status_code == 200


@pytest.mark.parametrize(
    ("path", "params", "status", "message"),
    [
        ("figures", {"period": "2026-13"}, 422, "allowed is 2026-11-28, 2026-W48"),
        ("figures", {"period": "2026-11", "indicator": "luck"}, 422, "luck: not an indicator"),
        ("figures", {}, 422, "period"),
        ("ranking", {"period": "2026-11", "by": "matter"}, 422, "is not ranked"),
        ("year", {"period": "2026-11"}, 422, "is no year"),
        ("cases", {"period": "2026-11", "indicator": "luck"}, 422, "luck"),
        ("reports/99/file", {}, 404, "does not exist"),
    ],
)
def test_what_cannot_be_asked_is_refused_by_name(lived, path, params, status, message):
    call, _ = lived
    answer = call("GET", f"/api/evaluation/{path}", params=params)
    assert answer.status_code == status
    assert message in answer.json()["error"]["message"]


def test_a_scheme_counts_from_when_it_was_made_and_never_before(lived):
    call, city = lived
    body = {"weights": {"close_rate": 1}, "minimum": 50, "note": "the office's decision"}
    assert call("PUT", "/api/evaluation/scheme", json=body).json()["version"] == 1
    november = {"period": "2026-11", "by": "grid", "grid_level": 2}
    old = call("GET", "/api/evaluation/ranking", params=november).json()
    assert (old["scheme"], old["minimum"], old["places"][0]["place"]) == (0, 10, 1)
    now = {**november, "as_of": "2026-12-05T01:00:00Z"}
    city.at(datetime(2026, 12, 6, tzinfo=UTC))
    new = call("GET", "/api/evaluation/ranking", params=now).json()
    assert (new["scheme"], new["places"][0]["place"]) == (1, None)
    assert call("PUT", "/api/evaluation/scheme", json={"weights": {"x": 1}}).status_code == 422
    assert call("GET", "/api/evaluation/schemes").json()["total"] == 2


def test_self_scores_stand_beside_the_evidence_and_never_in_it(lived):
    call, _ = lived
    params = {"period": "2026-11", "by": "grid", "grid_level": 2, "as_of": "2026-12-05T00:00:00Z"}
    before = call("GET", "/api/evaluation/ranking", params=params).json()["places"][0]
    entered = {"kind": "self", "subject_kind": "grid", "subject": before["group"],
               "period": "2026-11", "score": 100}  # fmt: skip
    assert call("POST", "/api/evaluation/scores", Role.OPERATOR, json=entered).status_code == 201
    after = call("GET", "/api/evaluation/ranking", params=params).json()["places"][0]
    assert after["self_score"] == 100
    assert (after["score"], after["place"]) == (before["score"], before["place"])
    year_end = {**entered, "kind": "year_end", "period": "2026", "score": 50}
    assert call("POST", "/api/evaluation/scores", Role.OPERATOR, json=year_end).status_code == 403
    assert call("POST", "/api/evaluation/scores", json=year_end).status_code == 201
    year = call("GET", "/api/evaluation/year", params={**params, "period": "2026"}).json()
    (line,) = year["items"]
    assert line["months"] == {"2026-11": before["score"]}
    assert line["score"] == round(0.6 * before["score"] + 0.4 * 50, 2)


def test_deductions_name_every_case(lived):
    call, _ = lived
    params = {"period": "2026-11", "by": "grid", "grid_level": 2, "format": "csv"}
    text = call("GET", "/api/evaluation/deductions/file", params=params).content.decode("utf-8-sig")
    lines = text.strip().splitlines()
    assert len(lines) == 1 + 2
    assert all("overdue_open_rate" in line and line.endswith("-1.0") for line in lines[1:])


@pytest.mark.parametrize("form", ["xlsx", "pdf"])
def test_a_report_of_a_past_day_is_the_same_whenever_it_is_made(lived, form):
    call, city = lived
    wanted = {"period": "2026-11", "form": form}
    first = call("POST", "/api/evaluation/reports", Role.OPERATOR, json=wanted).json()
    open_case = call(
        "GET", "/api/evaluation/cases",
        params={"period": "2026-11", "indicator": "close_rate", "side": "rest"},
    ).json()["items"][0]  # fmt: skip
    city.close(open_case["id"], datetime(2026, 12, 8, 1, tzinfo=UTC))
    city.at(datetime(2026, 12, 9, tzinfo=UTC))
    again = call("POST", "/api/evaluation/reports", Role.OPERATOR, json=wanted).json()
    assert again["made_at"] != first["made_at"]
    assert again["sha256"] == first["sha256"]
    content = call("GET", f"/api/evaluation/reports/{first['id']}/file").content
    text = text_of(content, form)
    assert "按期结案率" in text
    assert "75.00 %" in text if form == "pdf" else "0.75" in text
    assert call("GET", "/api/evaluation/reports").json()["total"] == 2


def text_of(content, form):
    if form == "pdf":
        pages = pypdfium2.PdfDocument(content)
        return "".join(page.get_textpage().get_text_bounded() for page in pages)
    book = openpyxl.load_workbook(io.BytesIO(content))
    return " ".join(str(cell) for sheet in book for row in sheet.values for cell in row)


def test_reports_of_periods_that_ended_are_made_once_and_on_time(lived):
    _, city = lived
    maker = city.maker
    at = datetime(2026, 12, 1, 1, 30, tzinfo=UTC)  # 09:30 on a Tuesday, the first of December
    city.at(at)
    made = {(each.every, each.period) for each in maker.make_due(at)}
    assert made == {
        ("day", "2026-11-30"), ("week", "2026-W48"), ("month", "2026-11"),
        ("quarter", "2026-Q3"), ("year", "2025"),
    }  # fmt: skip
    assert maker.make_due(at) == []
    city.at(at + DAY)
    assert {each.period for each in maker.make_due(at + DAY)} == {"2026-12-01"}
