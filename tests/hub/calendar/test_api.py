import pytest

from hub.roles import Role
from tests.hub.test_api import call, client, hub, tokens  # noqa: F401

NEW_YEAR = {
    "days_off": ["2027-01-01", "2027-02-05", "2027-02-08"],
    "workdays": ["2027-02-20"],
    "note": "国办发明电",
}


def due(call, since, number=1, unit="work_day"):  # noqa: F811
    query = {"since": since, "number": number, "unit": unit}
    return call("GET", "/api/calendar/due", params=query).json()


def test_the_calendar_that_comes_with_the_program_knows_the_published_years(call):  # noqa: F811
    shown = call("GET", "/api/calendar", role=Role.VIEWER).json()
    assert shown["version"] == 0
    assert shown["hours"][0] == {"start": "08:00:00", "end": "12:00:00"}
    years = {year["year"]: year for year in shown["years"]}
    assert years[2026]["published"]
    assert "2026-02-28" in years[2026]["workdays"]
    assert "2026-10-07" in years[2026]["days_off"]


def test_publishing_a_year_makes_its_deadlines_sure_and_is_written_down(call, hub):  # noqa: F811
    thursday = "2027-02-04T17:00:00+08:00"
    before = due(call, thursday)
    assert before["provisional"]

    answer = call("PUT", "/api/calendar/years/2027", json=NEW_YEAR)
    assert answer.status_code == 200
    assert answer.json()["version"] == 1
    assert due(call, thursday) == {
        "due_at": "2027-02-09T09:00:00.000Z",
        "provisional": False,
        "calendar_version": 1,
    }
    with hub.store.read() as tx:
        from hub import audit

        (act,) = audit.of(tx, "calendar", "1")
        assert (act.actor, act.note) == ("admin-1", "year 2027: 国办发明电")
        assert audit.verify(tx) == []


def test_other_hours_move_what_is_computed_from_then_on(call):  # noqa: F811
    monday = "2026-03-09T09:00:00+08:00"
    body = {"hours": [{"start": "09:00", "end": "17:00"}], "note": "summer"}
    assert call("PUT", "/api/calendar/hours", json=body).json()["version"] == 1
    assert due(call, monday, 8, "work_hour")["due_at"] == "2026-03-09T09:00:00.000Z"


@pytest.mark.parametrize(
    ("path", "body", "says"),
    [
        ("years/2027", NEW_YEAR | {"days_off": ["2026-01-01"]}, "2026-01-01"),
        ("years/2027", NEW_YEAR | {"workdays": ["2027-03-01"]}, "2027-03-01"),
        ("years/2027", NEW_YEAR | {"workdays": ["2027-02-07", "2027-01-01"]}, "2027-01-01"),
        ("years/1900", NEW_YEAR, "year"),
        ("years/2027", NEW_YEAR | {"days_off": ["soon"]}, "days_off"),
        ("hours", {"hours": []}, "working hours"),
        ("hours", {"hours": [{"start": "17:00", "end": "09:00"}]}, "working hours"),
    ],
)
def test_refuses_what_is_no_calendar_and_keeps_the_old_one(call, path, body, says):  # noqa: F811
    answer = call("PUT", f"/api/calendar/{path}", json=body)
    assert answer.status_code == 422
    assert says in answer.json()["error"]["message"]
    assert call("GET", "/api/calendar").json()["version"] == 0


def test_every_version_is_kept_with_who_made_it(call):  # noqa: F811
    call("PUT", "/api/calendar/years/2027", json=NEW_YEAR)
    kept = call("GET", "/api/calendar/versions", role=Role.VIEWER).json()["items"]
    assert [(each["version"], each["by"]) for each in kept] == [(1, "admin-1"), (0, "")]
    assert kept[0]["note"] == "year 2027: 国办发明电"


def test_a_year_that_is_taken_back_is_provisional_again(call):  # noqa: F811
    call("PUT", "/api/calendar/years/2027", json=NEW_YEAR)
    shown = call("DELETE", "/api/calendar/years/2027").json()
    assert shown["version"] == 2
    assert {year["year"]: year["published"] for year in shown["years"]}[2027] is False
    assert due(call, "2027-02-04T17:00:00+08:00")["provisional"]
    assert call("DELETE", "/api/calendar/years/2027").status_code == 404


def test_two_people_cannot_change_the_calendar_at_once(call):  # noqa: F811
    assert call("PUT", "/api/calendar/years/2027", json=NEW_YEAR | {"seen": 0}).status_code == 200
    late = call("PUT", "/api/calendar/years/2027", json=NEW_YEAR | {"seen": 0})
    assert (late.status_code, late.json()["error"]["code"]) == (409, "stale")
    hours = {"hours": [{"start": "09:00", "end": "17:00"}], "seen": 0}
    assert call("PUT", "/api/calendar/hours", json=hours).status_code == 409
    assert call("DELETE", "/api/calendar/years/2027", params={"seen": 0}).status_code == 409
    assert call("GET", "/api/calendar").json()["version"] == 1
