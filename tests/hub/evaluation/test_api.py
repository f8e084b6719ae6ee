"""Figures over HTTP: each opens into its cases; people need a higher right; reports stay."""

import io
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import openpyxl
import pypdfium2
import pytest

from hub.app import Hub
from hub.people import password, users
from hub.people.users import User
from hub.roles import Post, Role
from hub.store import now
from tests.hub.evaluation.city import MONDAY, City
from tests.hub.test_api import caller, client_of, tokens_of
from tests.hub.world import LAT, LON, make_site

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
WORDS = "correct horse battery"


@pytest.fixture
def city_of(tmp_path):
    """Makes a city; its clock goes on again whatever becomes of the test."""
    with ExitStack() as cities:
        yield lambda store, site: cities.enter_context(City(store, site, tmp_path))


@pytest.fixture
def lived(sqlite_store, tmp_path, city_of):
    """A hub whose city had twelve cases in November: ten closed, one late; two still open."""
    site = make_site(sqlite_store, tmp_path)
    hub = Hub.build(site.config, sqlite_store)
    city = city_of(sqlite_store, site)
    with city.store.block():
        for number in range(12):
            case = city.to_work(MONDAY)
            if number < 10:
                city.close(case, MONDAY + (HOUR if number else 10 * DAY))
    city.at(datetime(2026, 12, 5, tzinfo=UTC))
    city.maker = hub.maker
    return caller(client_of(hub), tokens_of(hub)), city


def one(call, indicator, **more):
    params = {"period": "2026-11", "indicator": indicator, **more}
    found = call("GET", "/api/evaluation/figures", params=params).json()
    (figure,) = found["groups"][0]["figures"]
    return figure


def test_figures_say_from_when_patrol_was_asked_for(lived):
    call, _ = lived
    periods = ("2026-11", "2026-11-24", "2026-12", "2026-10")
    answers = [call("GET", "/api/evaluation/figures", params={"period": each}) for each in periods]
    assert [each.json()["patrol_since"] for each in answers] == ["2026-11-24", None, None, None]


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


def rows_of(answer):
    assert answer.status_code == 200, answer.text
    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    titles, *rows = book.active.iter_rows(values_only=True)
    return [dict(zip(titles, row, strict=True)) for row in rows]


def test_what_a_page_shows_is_a_table_as_well(lived):
    call, _ = lived
    november = {"period": "2026-11", "indicator": "on_time_close_rate"}

    def file(path, **params):
        return call("GET", f"/api/evaluation/{path}/file", params=params)

    behind = rows_of(file("cases", **november, side="rest"))
    listed = call("GET", "/api/evaluation/cases", params={**november, "side": "rest"}).json()
    assert [row["number"] for row in behind] == [each["number"] for each in listed["items"]]
    assert len(behind) == 3
    (last,) = rows_of(file("trend", **november, count=3))[-1:]
    assert (last["period"], last["numerator"], last["denominator"]) == ("2026-11", 9, 12)
    assert (last["indicator"], last["value"]) == ("on_time_close_rate", 0.75)
    (line,) = rows_of(file("year", period="2026", by="grid", grid_level=2))
    year = call("GET", "/api/evaluation/year", params={"period": "2026", "by": "grid",
                "grid_level": 2}).json()["items"][0]  # fmt: skip
    assert (line["group"], line["score"]) == (year["group"], year["score"])
    assert {key: line[key] for key in year["months"]} == year["months"]
    assert (line["2026-01"], line["year_end"]) == (None, None)
    text = file("cases", **november, format="csv").text
    assert text.startswith("\ufeffnumber,title,state")
    assert file("year", period="2026-11").status_code == 422


@pytest.fixture
def parted(store, tmp_path, city_of):
    """November in two grids: three cases in each, one closed in q01, all in q10, of which the
    last was the parks department's."""
    site = make_site(store, tmp_path)
    hub = Hub.build(site.config, store)
    call = caller(client_of(hub), tokens_of(hub))
    for code, name in (("parks", "园林处"), ("roads", "市政处")):
        kept = {"version": 0, "department": {"name_zh": name}}
        assert call("PUT", f"/api/departments/{code}", json=kept).status_code == 200
    city = city_of(store, site)
    with city.store.block():
        for (lat, lon), closed in (((LAT, LON), 1), ((32.62, 109.12), 3)):
            for number in range(3):
                case = city.report(MONDAY, place=(lat + 0.002 * number, lon))
                whose = "parks" if (closed, number) == (3, 2) else "roads"
                city.step(case, "file", MONDAY)
                city.step(case, "dispatch", MONDAY, department=whose)
                city.step(case, "accept", MONDAY)
                if number < closed:
                    city.close(case, MONDAY + HOUR)
    city.at(datetime(2026, 12, 5, tzinfo=UTC))
    with store.write() as tx:
        for name, post in [
            ("head", Post(Role.SUPERVISOR, grid="q01")),
            ("gardener", Post(Role.HANDLER, department="parks")),
        ]:
            users.add(tx, User(name, name, now(), (post,), hash=password.hashed(WORDS)))
    return call, hub


def page_of(hub, name):
    page = client_of(hub)
    page.headers["X-Tianyan"] = "1"
    assert page.post("/api/session", json={"name": name, "password": WORDS}).status_code == 200
    return page


def counted(page, **more):
    params = {"period": "2026-11", "indicator": "close_rate", **more}
    answer = page.get("/api/evaluation/figures", params=params)
    assert answer.status_code == 200, answer.text
    return {
        group["group"]: (group["figures"][0]["numerator"], group["figures"][0]["denominator"])
        for group in answer.json()["groups"]
    }


def test_who_answers_for_a_part_sees_the_evaluation_of_that_part(parted):
    call, hub = parted
    head, gardener = page_of(hub, "head"), page_of(hub, "gardener")
    everything = call("GET", "/api/evaluation/figures",
                      params={"period": "2026-11", "indicator": "close_rate"}).json()  # fmt: skip
    (whole,) = everything["groups"][0]["figures"]
    assert (whole["numerator"], whole["denominator"]) == (4, 6)
    assert counted(head) == {"all": (1, 3)}
    assert counted(head, by="grid", grid_level=2) == {"q01": (1, 3)}
    assert counted(head, by="grid", grid_level=1) == {}  # the city's figure is not his part's
    assert counted(head, within="q10") == {}
    assert counted(gardener) == {"all": (1, 1)}
    assert counted(gardener, by="department") == {"parks": (1, 1)}
    for page, count in ((head, 3), (gardener, 1)):
        params = {"period": "2026-11", "indicator": "close_rate"}
        cases = page.get("/api/evaluation/cases", params=params).json()
        assert cases["total"] == count
        for case in cases["items"]:
            assert page.get(f"/api/cases/{case['id']}").status_code == 200
        months = page.get("/api/evaluation/trend", params={**params, "count": 2}).json()
        assert months[-1]["figures"][0]["denominator"] == count
        listed = page.get("/api/evaluation/cases/file", params={**params, "format": "csv"})
        assert listed.text.count("\n") == 1 + count
        months = page.get("/api/evaluation/trend/file", params={**params, "format": "csv"})
        assert months.text.splitlines()[-1].split(",")[4] == str(count)
        table = page.get(
            "/api/evaluation/figures/file", params={"period": "2026-11", "format": "csv"}
        )
        assert table.status_code == 200
        assert ",3," in table.text or count == 1
        read = {"period": "2026-11", "format": "csv", "language": "zh"}
        table = page.get("/api/evaluation/figures/file", params=read)
        assert table.text.splitlines()[1].startswith("all,全市,")
        assert page.get("/api/evaluation/indicators").status_code == 200


def test_what_compares_the_whole_city_is_refused_to_who_answers_for_a_part(parted):
    _, hub = parted
    for name in ("head", "gardener"):
        page = page_of(hub, name)
        for path in (
            "ranking",
            "ranking/file",
            "deductions/file",
            "year",
            "year/file",
            "scores",
            "reports",
        ):
            params = {"period": "2026", "format": "csv", "grid": "q01"}
            answer = page.get(f"/api/evaluation/{path}", params=params)
            assert answer.status_code == 403, path
    gardener = page_of(hub, "gardener")
    params = {"period": "2026-11", "by": "person"}
    assert gardener.get("/api/evaluation/figures", params=params).status_code == 403
    assert page_of(hub, "head").get("/api/evaluation/figures", params=params).status_code == 200


def test_a_self_score_is_given_by_the_one_it_is_of(parted):
    _, hub = parted
    head, gardener = page_of(hub, "head"), page_of(hub, "gardener")

    def enter(page, subject_kind, subject, kind="self"):
        body = {"kind": kind, "subject_kind": subject_kind, "subject": subject,
                "period": "2026-11", "score": 90}  # fmt: skip
        return page.post("/api/evaluation/scores", json=body).status_code

    assert enter(head, "grid", "q01") == 201
    assert enter(gardener, "department", "parks") == 201
    assert enter(head, "grid", "q10") == 403
    assert enter(head, "grid", "city") == 403
    assert enter(head, "department", "parks") == 403
    assert enter(gardener, "grid", "q01") == 403
    assert enter(gardener, "person", "head") == 403
    assert enter(head, "grid", "q01", kind="satisfaction") == 403


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


def test_a_wrong_grid_is_named_wherever_one_is_asked_for(each_call):
    call = each_call
    asked = {"period": "2026-11", "format": "csv", "indicator": "close_rate"}
    paths = ["figures", "figures/file", "cases", "cases/file", "trend", "trend/file", "ranking",
             "ranking/file", "deductions/file"]  # fmt: skip
    november = [(path, {"within": "nope"}) for path in paths]
    wrong = [
        *november,
        ("year", {"within": "nope", "period": "2026"}),
        ("year/file", {"within": "nope", "period": "2026"}),
        ("cases", {"by": "grid", "group": "nope"}),
        ("trend", {"by": "grid", "group": "nope"}),
    ]
    for path, more in wrong:
        answer = call("GET", f"/api/evaluation/{path}", params=asked | more)
        assert answer.status_code == 422, path
        error = answer.json()["error"]
        assert error["code"] == "bad_grid"
        assert "'nope'" in error["message"]
        assert "/api/grids" in error["allowed"]
        right = {key: "q01" if word == "nope" else word for key, word in more.items()}
        assert call("GET", f"/api/evaluation/{path}", params=asked | right).status_code == 200, path
    score = {"kind": "self", "subject_kind": "grid", "subject": "nope", "period": "2026-11",
             "score": 90}  # fmt: skip
    assert call("POST", "/api/evaluation/scores", json=score).status_code == 422
    assert call("GET", "/api/evaluation/scores", params={"period": "2026-11"}).json()["total"] == 0


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
    assert call("POST", "/api/evaluation/scores", Role.OPERATOR, json=entered).status_code == 403
    own = {"name": "head", "role": "operator", "grids": [before["group"]]}
    key = {"Authorization": f"Bearer {call('POST', '/api/tokens', json=own).json()['token']}"}
    assert (
        call("POST", "/api/evaluation/scores", None, json=entered, headers=key).status_code == 201
    )
    above = {**entered, "subject": "city"}
    assert call("POST", "/api/evaluation/scores", None, json=above, headers=key).status_code == 403
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
    assert "巡查类指标自 2026-11-24 起计" in text
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
