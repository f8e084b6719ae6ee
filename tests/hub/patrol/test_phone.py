"""A patrol by phone: each position once, seen by few, counted like a car's."""

import random
from datetime import timedelta
from uuid import uuid4

import pytest

from hub import audit
from hub.app import create_app
from hub.duty import store as duty_store
from hub.duty.duty import Person, PersonRole, Post as DutyPost
from hub.duty.shift import Shift, read_clock
from hub.duty.table import Duty
from hub.events import Change
from hub.housekeeping import judge_patrols, sweep
from hub.people import users
from hub.people.users import User
from hub.roles import Post, Role
from hub.store import now
from hub.tracks import judged_store, store as track_store
from tests.hub.patrol.test_judge import visited
from tests.hub.test_api import caller, furnished, tokens_of
from tests.hub.world import LAT, LON

SECRET = "correct horse battery"


@pytest.fixture
def world(store, tmp_path):
    """A hub, and two officers whose posts are limited to q01."""
    from tests.hub.client import Client

    hub = furnished(tmp_path, store)
    app = create_app(hub.config, hub)

    def client():
        return Client(
            app, raise_server_exceptions=False, base_url="http://127.0.0.1:8000",
            client=("127.0.0.1", 50000),
        )  # fmt: skip

    from hub.people import password

    with store.write() as tx:
        for name in ("li", "wang"):
            posts = (Post(Role.HANDLER, grid="q01"),)
            users.add(tx, User(name, name.title(), now(), posts, hash=password.hashed(SECRET)))

    def officer(name):
        phone = client()
        entered = phone.post("/api/session", json={"name": name, "password": SECRET})
        assert entered.status_code in (200, 201), entered.text

        def send(method, path, **more):
            return phone.request(method, path, headers={"X-Tianyan": "1"}, **more)

        return send

    return hub, officer, caller(client(), tokens_of(hub))


def walk(start, seconds, every_s=10, first=0, **changes):
    """Standing in q01, a position every ten seconds."""
    return [
        {
            "seq": first + n,
            "at": (start + timedelta(seconds=n * every_s)).isoformat(),
            "lat": LAT,
            "lon": LON + n * 1e-6,
            "acc_m": 8,
            "speed_kmh": 0,
        }
        | changes
        for n in range(seconds // every_s + 1)
    ]


def begun(send, start, patrol=None):
    patrol = patrol or str(uuid4())
    answer = send("POST", "/api/patrols", json={"id": patrol, "started_at": start.isoformat()})
    assert answer.status_code in (200, 201), answer.text
    return patrol


def test_a_patrol_counts_in_coverage_like_a_cars(world):
    hub, officer, call = world
    send = officer("li")
    start = now() - timedelta(minutes=30)
    patrol = begun(send, start)
    taken = send("POST", f"/api/patrols/{patrol}/fixes", json={"fixes": walk(start, 120)})
    assert taken.json() == {"stored": 13, "known": 0, "refused": []}
    ended = start + timedelta(seconds=125)
    over = send("POST", f"/api/patrols/{patrol}/end", json={"ended_at": ended.isoformat()})
    assert (over.json()["fixes"], over.json()["ended_at"] is not None) == (13, True)
    judge_patrols(hub.store, hub.site, None)
    assert [grid for name, grid, _ in visited(hub.store) if name == "@phone/li"] == ["city", "q01"]
    day = start.astimezone(hub.config.zone).date().isoformat()
    report = call("GET", "/api/patrol/coverage", params={"since": day, "grid": "q01"}).json()
    assert [(i["made"], i["visits"]) for i in report["items"]] == [(1, 1)]
    visit = call("GET", "/api/patrol/visits", params={"since": day, "grid": "q01"}).json()["items"]
    assert (visit[0]["vehicle"], visit[0]["patrol"]) == ("@phone/li", patrol)
    with hub.store.read() as tx:
        told = [(e.actor, e.action) for e in audit.of(tx, "patrol", patrol)]
    assert told == [("li", "start"), ("li", "end")]


def test_it_counts_for_the_post_and_the_shift_of_the_duty_table(world):
    hub, officer, call = world
    start = now() - timedelta(minutes=30)
    local = start.astimezone(hub.config.zone)
    around = [(local + timedelta(hours=h)).strftime("%H:00") for h in (-1, 3, 5)]
    now_on = Shift("on", "现班", ("daily",), *(read_clock("t", t) for t in around[:2]))
    later = Shift("later", "后班", ("daily",), *(read_clock("t", t) for t in around[1:]))
    posts = [DutyPost("p1", "一岗", "q01", (), ("on", "later")), DutyPost("p2", "二岗", "q01")]
    li = Person("007", "李明", PersonRole.OFFICER, "p1", "", ("@phone/li",))
    with hub.store.write() as tx:
        duty_store.put(tx, Duty(posts=posts, people=[li], shifts=[now_on, later]))
    send = officer("li")
    wanted = {"id": str(uuid4()), "started_at": start.isoformat()}
    patrol = send("POST", "/api/patrols", json=wanted).json()
    assert patrol["counts_for"] == {
        "post": "p1", "post_name": "一岗", "shift": "on", "shift_name": "现班",
    }  # fmt: skip
    send("POST", f"/api/patrols/{patrol['id']}/fixes", json={"fixes": walk(start, 60)})
    judge_patrols(hub.store, hub.site, None)
    day = local.date().isoformat()

    def made(**which):
        answer = call("GET", "/api/patrol/visits", params={"since": day, "grid": "q01"} | which)
        return answer.json()["total"]

    assert (made(post="p1"), made(post="p2")) == (1, 0)
    assert (made(shift="on"), made(shift="later")) == (1, 0)
    nobodys = begun(officer("wang"), start)
    assert officer("wang")("GET", f"/api/patrols/{nobodys}").json()["counts_for"] is None
    roll = call("GET", "/api/duty/posts", Role.VIEWER, params={"grid": "q01"})
    assert "@phone/li" not in roll.text


def test_late_mixed_and_repeated_uploads_are_stored_once(world):
    hub, officer, _ = world
    send = officer("li")
    start = now() - timedelta(days=3)
    patrol = begun(send, start)
    begun(send, start, patrol)
    fixes = walk(start, 900)
    parts = [fixes[n : n + 20] for n in range(0, len(fixes), 15)]
    random.Random(5).shuffle(parts)
    stored = 0
    for part in [*parts, *parts]:
        answer = send("POST", f"/api/patrols/{patrol}/fixes", json={"fixes": part}).json()
        assert answer["refused"] == []
        stored += answer["stored"]
    assert stored == len(fixes)
    track = send("GET", f"/api/patrols/{patrol}/track").json()
    assert track["total"] == len(fixes)
    assert [f["at"] for f in track["items"]] == sorted(f["at"] for f in track["items"])
    assert send("GET", f"/api/patrols/{patrol}").json()["fixes"] == len(fixes)
    moved = [fixes[3] | {"lat": LAT + 1}]
    refused = send("POST", f"/api/patrols/{patrol}/fixes", json={"fixes": moved}).json()
    assert refused["refused"] == [{"seq": 3, "reason": "stored before with another place"}]
    judge_patrols(hub.store, hub.site, now() - timedelta(minutes=5))  # three days late, and judged
    assert [(name, at) for name, grid, at in visited(hub.store) if grid == "q01"] == [
        ("@phone/li", start)
    ]


def test_only_what_is_of_the_patrol_is_kept(world):
    _, officer, _ = world
    send = officer("li")
    start = now() - timedelta(hours=2)
    patrol = begun(send, start)
    ended = start + timedelta(hours=1)
    send("POST", f"/api/patrols/{patrol}/end", json={"ended_at": ended.isoformat()})
    later = ended + timedelta(minutes=30)
    send("POST", f"/api/patrols/{patrol}/end", json={"ended_at": later.isoformat()})
    assert send("GET", f"/api/patrols/{patrol}").json()["ended_at"] < later.isoformat()
    given = [
        *walk(start - timedelta(minutes=30), 0),
        *walk(start, 0, first=1),
        *walk(ended + timedelta(minutes=30), 0, first=2),
        *walk(now() + timedelta(hours=2), 0, first=3),
        *walk(start + timedelta(minutes=5), 0, first=4, acc_m=2000),
    ]
    taken = send("POST", f"/api/patrols/{patrol}/fixes", json={"fixes": given}).json()
    assert taken["stored"] == 2
    assert {each["seq"]: each["reason"] for each in taken["refused"]} == {
        0: "before the patrol began",
        2: "after the patrol ended",
        3: "later than the hub's clock",
    }
    track = send("GET", f"/api/patrols/{patrol}/track").json()["items"]
    assert [fix["valid"] for fix in track] == [True, False]  # 2 km off proves nothing


def test_a_new_patrol_ends_one_that_was_left_running(world):
    _, officer, _ = world
    send = officer("li")
    start = now() - timedelta(hours=5)
    left = begun(send, start)
    begun(send, start + timedelta(hours=2))
    ended = send("GET", f"/api/patrols/{left}").json()["ended_at"]
    assert ended.startswith((start + timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M:%S"))


def test_a_limited_person_sees_his_own_alone(world):
    hub, officer, call = world
    li, wang = officer("li"), officer("wang")
    start = now() - timedelta(minutes=30)
    mine, his = begun(li, start), begun(wang, start)
    for send, patrol in ((li, mine), (wang, his)):
        send("POST", f"/api/patrols/{patrol}/fixes", json={"fixes": walk(start, 60)})
    judge_patrols(hub.store, hub.site, None)
    assert [p["id"] for p in li("GET", "/api/patrols").json()["items"]] == [mine]
    assert [p["id"] for p in li("GET", "/api/patrols?who=wang").json()["items"]] == [mine]
    for path in ("", "/track"):
        assert li("GET", f"/api/patrols/{his}{path}").status_code == 404
    for act in ("fixes", "end"):
        body = {"fixes": walk(start, 10)} if act == "fixes" else {"ended_at": start.isoformat()}
        assert li("POST", f"/api/patrols/{his}/{act}", json=body).status_code == 404
    taken = {"id": his, "started_at": start.isoformat()}
    assert li("POST", "/api/patrols", json=taken).status_code == 409
    day = start.astimezone(hub.config.zone).date().isoformat()
    seen = li("GET", f"/api/patrol/visits?grid=q01&since={day}")
    assert sorted(v["vehicle"] for v in seen.json()["items"]) == ["@phone", "@phone/li"]
    assert "wang" not in seen.text
    assert call("GET", "/api/patrols").json()["total"] == 2
    assert call("GET", "/api/patrols", Role.OPERATOR).json()["total"] == 2
    assert call("GET", "/api/patrols", Role.COLLECTOR).json()["total"] == 0
    assert call("GET", "/api/patrols", Role.VIEWER).status_code == 403


def test_a_phone_is_no_vehicle(world):
    hub, officer, call = world
    send = officer("li")
    start = now() - timedelta(minutes=30)
    patrol = begun(send, start)
    send("POST", f"/api/patrols/{patrol}/fixes", json={"fixes": walk(start, 300)})
    with hub.store.read() as tx:
        assert all(each.device != "@phone" for each in judged_store.pending(tx, 100))
        assert not any("@phone" in at.vehicle for at in track_store.moved_since(tx, start))
        assert hub.bus._render(tx, [Change("vehicle", "@phone/li")]) == {}
    then = {"at": (now() - timedelta(minutes=26)).isoformat()}
    for path, asked in (("vehicles", {}), ("search", {"q": "li"}), ("past", then)):
        answer = call("GET", f"/api/{path}", params=asked)
        assert answer.status_code == 200
        assert "@phone" not in answer.text
    day = start.astimezone(hub.config.zone).date()
    for path in ("track", f"days/{day}"):
        assert call("GET", f"/api/vehicles/@phone/li/{path}").status_code == 404
        assert send("GET", f"/api/vehicles/@phone/li/{path}").status_code in (403, 404)
    before = hub.judge.work()
    assert hub.judge.look_for_silence(now() + timedelta(hours=3)) in (0, before)
    assert "@phone" not in call("GET", "/api/vehicle-events").text


NOBODYS = "0f2f3d62-5a2b-4c8f-9d6e-6a3b1c2d4e5f"


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("", {"id": "none", "started_at": "2026-11-20T00:00:00Z"}, 422),
        ("", {"id": NOBODYS, "started_at": "2020-01-01T00:00:00Z"}, 422),
        ("", {"id": NOBODYS, "started_at": "2999-01-01T00:00:00Z"}, 422),
        (f"/{NOBODYS}/fixes", {"fixes": walk(now(), 10)}, 404),
        (f"/{NOBODYS}/fixes", {"fixes": []}, 422),
        (f"/{NOBODYS}/fixes", {"fixes": walk(now(), 10, lat=95)}, 422),
        (f"/{NOBODYS}/fixes", {"fixes": walk(now(), 10, acc_m=-1)}, 422),
        (f"/{NOBODYS}/fixes", {"fixes": walk(now(), 5010)}, 422),
        (f"/{NOBODYS}/end", {"ended_at": "now"}, 422),
    ],
)
def test_bad_input_is_named(world, path, body, status):
    _, officer, _ = world
    answer = officer("li")("POST", f"/api/patrols{path}", json=body)
    assert answer.status_code == status
    assert answer.json()["error"]["message"]


def test_patrols_are_forgotten_with_their_positions(world):
    hub, officer, call = world
    begun(officer("li"), now() - timedelta(days=10))
    since = {"since": "2020-01-01T00:00:00Z"}
    assert call("GET", "/api/patrols", params=since).json()["total"] == 1
    sweep(hub.store, hub.site, now() + timedelta(days=hub.config.retention.track_days))
    assert call("GET", "/api/patrols", params=since).json()["total"] == 0
