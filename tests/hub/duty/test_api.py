"""Duty over HTTP: the import, 五定 of every grid, attendance, and who sees whom."""

from datetime import datetime, time as clock, timedelta

import pytest

from hub.duty import store as duty_store
from hub.duty.duty import Person, PersonRole, Post
from hub.duty.shift import Shift
from hub.duty.table import Duty
from hub.roles import Role
from tests.hub.duty.test_table import PEOPLE, POSTS, SHIFTS, workbook
from tests.hub.patrol.test_judge import CAR, arrive, stay, today_at
from tests.hub.test_api import call, caller, client, client_of, hub, tokens, tokens_of  # noqa: F401
from tests.hub.test_pipeline import take

SIX, EIGHT, NOON, NIGHT = clock(6), clock(8), clock(12), clock(20)
SAID = [["网格", "内容"], ["q01", "一"], ["q01", "二"]]


def table(**more):
    posts = [[*row[:2], "q01", "q01", row[4]] if n else row for n, row in enumerate(POSTS)]
    daily = [SHIFTS[0], ["day", "白班", "每天", "08:00", "17:00"]]
    return workbook(**({"岗位": posts, "人员": [*PEOPLE[:2], [*PEOPLE[2][:5], CAR]], "班次": daily}
                       | {"职责": SAID, "任务": SAID, "奖惩": SAID} | more))  # fmt: skip


def bring_in(call, data, role=Role.ADMIN, **query):  # noqa: F811
    return call("POST", "/api/duty/import", role, content=data, params=query)


def fives(call, **query):  # noqa: F811
    items = call("GET", "/api/duty/grids", Role.VIEWER, params=query).json()["items"]
    return {item["grid"]["code"]: item for item in items}


def test_an_import_completes_a_grid_and_names_what_the_others_lack(call):  # noqa: F811
    assert fives(call)["q01"]["missing"] == ["people", "duties", "tasks", "rewards"]
    taken = bring_in(call, table()).json()["rows"]
    assert taken == {"posts": 1, "people": 2, "shifts": 1, "duties": 2, "tasks": 2, "rewards": 2}
    assert fives(call, complete=True).keys() == {"q01"}
    assert fives(call)["q01"]["duties"] == ["一", "二"]
    assert "q01" not in fives(call, lacks="people")
    assert call("PUT", "/api/duty/grids/q01/rewards", json={"texts": []}).status_code == 200
    assert fives(call)["q01"]["missing"] == ["rewards"]


def test_a_table_with_bad_rows_changes_nothing(call):  # noqa: F811
    answer = bring_in(call, table(任务=[*SAID, ["nowhere", "x"], ["q01", ""]]))
    assert answer.status_code == 422
    error = answer.json()["error"]
    assert error["code"] == "bad_rows"
    assert [p["where"] for p in error["problems"]] == ["sheet '任务', row 4", "sheet '任务', row 5"]
    assert call("GET", "/api/duty/posts").json()["total"] == 0


def test_files_and_kinds_that_cannot_be_read(call):  # noqa: F811
    assert bring_in(call, b"PK\x03\x04").json()["error"]["code"] == "bad_file"
    assert bring_in(call, b"a,b\n1,2\n").json()["error"]["code"] == "bad_rows"
    assert bring_in(call, b"", kind="wishes").status_code == 422
    assert bring_in(call, table(), Role.SUPERVISOR).status_code == 403


def test_who_may_not_act_sees_no_names_and_numbers(call):  # noqa: F811
    bring_in(call, table())

    def head(role):
        (post,) = call("GET", "/api/duty/posts", role).json()["items"]
        return post["people"][0]

    assert (head(Role.OPERATOR)["name"], head(Role.OPERATOR)["phone"]) == ("王芳", "13900000000")
    assert (head(Role.VIEWER)["name"], head(Role.VIEWER)["phone"]) == ("王**", "")


def test_rows_are_changed_and_removed_one_by_one(call):  # noqa: F811
    bring_in(call, table())
    row = {"code": "day", "name": "白班", "days": "workdays", "start": "09:00", "end": "18:00"}
    assert call("PUT", "/api/duty/rows", json={"kind": "shifts", "rows": [row]}).status_code == 200
    assert call("GET", "/api/duty/shifts").json()["items"][0]["start"] == "09:00"
    bad = call("PUT", "/api/duty/rows", json={"kind": "shifts", "rows": [row | {"days": "x"}]})
    assert "row 1" in bad.json()["error"]["problems"][0]["where"]
    assert call("DELETE", "/api/duty/shifts/day").status_code == 409
    assert call("DELETE", "/api/duty/posts/p1").status_code == 409
    assert call("DELETE", "/api/duty/people/1001").status_code == 200
    assert call("DELETE", "/api/duty/people/1001").status_code == 404


@pytest.mark.parametrize("lon", [109.02, 109.3])
def test_attendance_from_the_track_of_a_car(hub, call, lon):  # noqa: F811
    bring_in(call, table())
    arrive(hub.store, hub.site)
    yesterday = today_at(0, hub.site) - timedelta(days=1)
    start = yesterday + timedelta(hours=8.5)
    take(hub.store, hub.site, "track", stay(start, int(8.5 * 3600), lon=lon, every_s=60))
    day = yesterday.date().isoformat()
    items = call("GET", "/api/duty/attendance", params={"since": day}).json()["items"]
    head, worker = items
    assert (head["presence"], head["no_positions"]) == ("unknown", True)
    assert worker["post"] == "p1"
    if lon < 109.1:
        assert (worker["presence"], worker["late"], worker["left_early"]) == (
            "present",
            None,
            False,
        )
        assert worker["inside_s"] == pytest.approx(8.5 * 3600, abs=90)
    else:
        assert worker["presence"] == "absent"
    listed = call("GET", "/api/duty/attendance", params={"since": day, "presence": "unknown"})
    assert [item["person"] for item in listed.json()["items"]] == ["1001"]
    text = call("GET", "/api/duty/attendance/file", params={"since": day, "format": "csv"}).text
    assert text.count("\n") == 3


def test_a_roll_without_a_duty_table_is_empty(each_call):
    answer = each_call("GET", "/api/duty/attendance")
    assert (answer.status_code, answer.json()["total"]) == (200, 0)
    assert each_call("GET", "/api/duty/attendance/file").status_code == 200


def test_a_past_day_is_called_by_the_shifts_that_held_on_it(each_hub, each_call):
    zone = each_hub.config.zone
    monday = datetime(2026, 11, 2, tzinfo=zone)

    def hold(at, shift, *people, post="p1"):
        posts = [
            Post("p1", "早班岗", "q01", shifts=("s",)),
            Post("p2", "晚班岗", "q10", shifts=("n",)),
        ]
        shifts = [
            Shift("s", "白班", ("daily",), *shift),
            Shift("n", "夜班", ("daily",), NIGHT, SIX),
        ]
        workers = [Person(each, each.upper(), PersonRole.GRID_WORKER, post) for each in people]
        with each_hub.store.write() as tx:
            duty_store.put(tx, Duty(posts=posts, people=workers, shifts=shifts), at)

    def called(day, **more):
        since = (monday + timedelta(days=day)).date().isoformat()
        items = each_call("GET", "/api/duty/attendance", params={"since": since, **more}).json()
        return [
            (item["person"], item["post"], f"{datetime.fromisoformat(item['start']):%H}")
            for item in items["items"]
        ]

    def utc(hour):
        return f"{(hour - 8) % 24:02}"

    hold(monday, (EIGHT, NOON), "wang")
    hold(monday + timedelta(days=2, hours=10), (SIX, NOON), "wang", "li")
    hold(monday + timedelta(days=4, hours=7), (SIX, NOON), "li", post="p2")
    with each_hub.store.write() as tx:
        duty_store.remove(tx, "people", "wang")
    assert called(-3) == [("wang", "p1", utc(8))]  # before there was a table: by the first
    assert called(0) == called(1) == [("wang", "p1", utc(8))]
    # Changed at ten: who had begun at eight goes on, who is new is called from six.
    assert called(2) == [("li", "p1", utc(6)), ("wang", "p1", utc(8))]
    assert called(3) == [("li", "p1", utc(6)), ("wang", "p1", utc(6))]
    # Moved at seven: the morning that had begun, then the night at the other post.
    assert called(4) == [("li", "p1", utc(6)), ("wang", "p1", utc(6)), ("li", "p2", utc(20))]
    assert called(4, post="p2") == [("li", "p2", utc(20))]
    assert called(4, grid="q01", person="li") == [("li", "p1", utc(6))]
    assert called(5) == [("wang", "p1", utc(6)), ("li", "p2", utc(20))]
    params = {"since": (monday + timedelta(days=5)).date().isoformat()}
    items = each_call("GET", "/api/duty/attendance", params=params).json()["items"]
    # Who is gone from the table is called by his number: the history keeps no names.
    assert [item["name"] for item in items] == ["wang", "LI"]


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_days_that_no_calendar_reckons_with_are_refused(hub, call, day):  # noqa: F811
    bring_in(call, table())
    arrive(hub.store, hub.site)
    again = {"since": day, "until": day}
    for method, path, more in (
        ("GET", "/api/duty/attendance", {"params": {"since": day}}),
        ("GET", "/api/patrol/coverage", {"params": {"since": day}}),
        ("POST", "/api/patrol/recompute", {"json": again}),
        ("GET", f"/api/vehicles/{CAR}/days/{day}", {}),
    ):
        answer = call(method, path, **more)
        assert answer.status_code == 422, path
        assert f"{day} is not from 1970-01-01 to 2999-12-31" in answer.json()["error"]["message"]
