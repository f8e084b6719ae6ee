"""From the photo to the end that nobody can fake, over HTTP."""

from datetime import timedelta, timezone

import pytest
from PIL import ImageOps

from hub import pipeline
from hub.app import Hub
from hub.cases import store as case_store
from hub.proof import watching
from hub.proof.picture import Cover
from hub.roles import Role
from hub.store import now
from tests.hub.proof.pictures import photo, street
from tests.hub.test_api import ALERT, caller, client_of, tokens_of
from tests.hub.world import LAT, LON, alert_message, birth, make_site, received

SITE_TIME = timezone(timedelta(hours=8))
HERE = (LAT + 0.0002, LON)
ELSEWHERE = (LAT + 0.02, LON)


class Street:
    """A hub under the rule of the street, and one case after the other on it."""

    def __init__(self, folder, store, cover: Cover = bytes, **settings):
        """`cover`: nothing to cover in drawn streets."""
        site = make_site(store, folder, **{"proof": {}, **settings})
        self.hub = Hub.build(site.config, store, cover)
        self.call = caller(client_of(self.hub), tokens_of(self.hub))
        self.store = store
        self.take("birth", birth())

    def take(self, name, *messages):
        with self.store.write() as tx:
            arrived = [received(message, now()) for message in messages]
            pipeline.take(tx, self.hub.site, name, arrived)

    def report(self, north=0.0, content="a heap", **more):
        body = {"channel": "phone", "content": content, "matter": "06010"}
        place = {"lat": LAT + north, "lon": LON}
        return self.call("POST", "/api/reports", json=body | place | more).json()

    def act(self, case, action, role=Role.ADMIN, **more):
        version = self.call("GET", f"/api/cases/{case}").json()["version"]
        body = {"action": action, "version": version, "note": "because"} | more
        return self.call("POST", f"/api/cases/{case}/actions", role=role, json=body)

    def handled(self, case):
        for action in ("file", "dispatch"):
            assert self.act(case, action).status_code == 200
        assert self.act(case, "accept", role=Role.OPERATOR).status_code == 200

    def upload(self, case, data, role=Role.OPERATOR, **query):
        return self.call("POST", f"/api/cases/{case}/photos", role=role, content=data, params=query)

    def shot(self, seed, place=HERE, ago_s=0, **more):
        at = (now() - timedelta(seconds=ago_s)).astimezone(SITE_TIME)
        return photo(street(seed, heap=False), at, place, **more)

    def proof(self, case):
        return self.call("GET", f"/api/cases/{case}/proof").json()

    def feedback(self, case, *photos):
        return self.act(case, "feedback", role=Role.OPERATOR, photos=[p["id"] for p in photos])

    def claim(self, case, seed):
        return self.feedback(case, self.upload(case, self.shot(seed)).json())

    def visit(self, case, result, seed, role=Role.SUPERVISOR):
        seen = self.upload(case, self.shot(seed), role=role, use="visit").json()
        check = next(c for c in self.proof(case)["checks"] if c["awaited"])
        path = f"/api/cases/{case}/checks/{check['id']}/result"
        return self.call("POST", path, role=role, json={"result": result, "photos": [seen["id"]]})

    def closed(self, case, seed):
        self.handled(case)
        assert self.claim(case, seed).status_code == 200
        assert self.visit(case, "gone", seed + 1).status_code == 200
        assert self.act(case, "close", role=Role.SUPERVISOR).status_code == 200


@pytest.fixture
def world(tmp_path, sqlite_store):
    return Street(tmp_path, sqlite_store)


@pytest.fixture
def case(world):
    case = world.report()["case_id"]
    world.handled(case)
    return case


def code(answer):
    return answer.json()["error"]["code"]


def test_done_without_a_photo_is_not_done(world, case):
    answer = world.feedback(case)
    assert (answer.status_code, code(answer)) == (422, "photo_needed")
    assert world.call("GET", f"/api/cases/{case}").json()["state"] == "handling"


def test_a_good_photo_is_done_and_a_person_goes_to_see(world, case):
    given = world.upload(case, world.shot(1)).json()
    assert (given["verdict"], given["reasons"]) == ("good", [])
    assert (given["taken_from"], given["place_from"]) == ("exif", "exif")
    assert world.feedback(case, given).json()["state"] == "handled"
    (check,) = world.proof(case)["checks"]
    assert (check["means"], check["awaited"], check["forced"]) == ("visit", True, False)
    assert world.call("GET", "/api/visits").json()["items"][0]["check"]["id"] == check["id"]


def test_nobody_closes_what_nobody_has_seen(world, case):
    world.claim(case, 1)
    world.act(case, "verify_result", role=Role.SUPERVISOR)
    answer = world.act(case, "close", role=Role.SUPERVISOR)
    assert (answer.status_code, code(answer)) == (409, "check_needed")
    assert world.visit(case, "gone", 2).json()["result"] == "gone"
    assert world.proof(case)["proposal"] == "close"
    assert world.act(case, "close", role=Role.SUPERVISOR).json()["state"] == "closed"


def test_found_present_it_is_rework_and_a_false_rectification(world, case):
    world.claim(case, 1)
    assert world.visit(case, "present", 2).json()["false_rectification"] is True
    shown = world.call("GET", f"/api/cases/{case}").json()
    assert shown["state"] == "rework"
    last = [step for step in shown["history"] if step["action"] == "rework"][-1]
    assert last["actor"] == "system"
    assert "present" in last["note"]


def test_who_handled_it_does_not_check_it(world, case):
    world.claim(case, 1)
    answer = world.visit(case, "gone", 2, role=Role.OPERATOR)
    assert (answer.status_code, code(answer)) == (403, "forbidden")


def test_a_visit_needs_a_photo_and_an_answer(world, case):
    world.claim(case, 1)
    check = world.proof(case)["checks"][0]["id"]
    path = f"/api/cases/{case}/checks/{check}/result"
    without = world.call("POST", path, json={"result": "gone"})
    assert (without.status_code, code(without)) == (422, "photo_needed")
    unsure = world.call("POST", path, json={"result": "cannot_tell"})
    assert (unsure.status_code, code(unsure)) == (422, "bad_result")


FAKES = {
    "from elsewhere": (lambda w: w.shot(1, ELSEWHERE), ["too_far"]),
    "from yesterday": (lambda w: w.shot(1, ago_s=86_400), ["before_dispatch"]),
    "from tomorrow": (lambda w: w.shot(1, ago_s=-86_400), ["in_future"]),
}


@pytest.mark.parametrize("fake", FAKES)
def test_a_photo_of_another_time_or_place_is_refused(world, case, fake):
    make, reasons = FAKES[fake]
    given = world.upload(case, make(world)).json()
    assert (given["verdict"], given["reasons"], given["refused"]) == ("bad", reasons, reasons)
    answer = world.feedback(case, given)
    assert (answer.status_code, code(answer)) == (422, "photo_refused")
    assert reasons[0] in answer.json()["error"]["message"]


REUSED = {
    "the same file": (lambda p, again: again, "same_file"),
    "compressed again": (lambda p, again: photo(p, quality=40), "reused"),
    "resized": (lambda p, again: photo(p.resize((500, 380)), quality=75), "reused"),
    "cut": (lambda p, again: photo(p.crop((60, 20, 930, 690))), "reused"),
    "mirrored": (lambda p, again: photo(ImageOps.mirror(p)), "reused"),
}


@pytest.mark.parametrize("how", REUSED)
def test_a_photo_of_another_case_is_found_whatever_was_done_to_it(world, case, how):
    alter, reason = REUSED[how]
    first = world.shot(1)
    assert world.feedback(case, world.upload(case, first).json()).status_code == 200
    other = world.report(north=0.01)["case_id"]
    world.handled(other)
    given = world.upload(other, alter(street(1, heap=False), first)).json()
    assert given["reasons"][0] == reason
    assert given["copy_of"].startswith("photo:")
    assert given["copy_of_case"] == case
    assert world.feedback(other, given).status_code == 422


def test_the_first_claims_photo_does_not_prove_the_second(world, case):
    world.claim(case, 1)
    spare = world.upload(case, photo(street(1, heap=False), quality=50)).json()
    world.visit(case, "present", 2)
    answer = world.feedback(case, spare)
    assert (answer.status_code, code(answer)) == (422, "photo_refused")
    assert "reused" in answer.json()["error"]["message"]


def test_without_time_and_place_it_is_unproved_and_a_visit_is_forced(world, case):
    given = world.upload(case, photo(street(1, heap=False))).json()
    assert (given["verdict"], given["reasons"]) == ("unproved", ["no_place", "no_time"])
    assert world.feedback(case, given).json()["state"] == "handled"
    (check,) = world.proof(case)["checks"]
    assert check["forced"]
    world.act(case, "verify_result", role=Role.SUPERVISOR)
    answer = world.act(case, "close", role=Role.SUPERVISOR)
    assert (answer.status_code, code(answer)) == (409, "check_needed")


def test_the_phone_page_says_what_the_file_does_not(world, case):
    told = {"taken_at": now().isoformat(), "lat": HERE[0], "lon": HERE[1], "acc_m": 15}
    given = world.upload(case, photo(street(1, heap=False)), **told).json()
    assert (given["verdict"], given["taken_from"], given["place_from"]) == (
        "good",
        "device",
        "device",
    )
    old = world.upload(case, world.shot(3, ELSEWHERE), **told).json()
    assert old["reasons"] == ["too_far"]


def test_a_queue_that_sends_twice_makes_one_photo(world, case):
    data = world.shot(1)
    assert world.upload(case, data).json()["id"] == world.upload(case, data).json()["id"]


@pytest.mark.parametrize(
    ("data", "status", "says"),
    [
        (b"", 415, "wrong_type"),
        (b"GIF89a" + bytes(40), 415, "wrong_type"),
        (b"\xff\xd8\xff" + bytes(400), 422, "bad_picture"),
        (b"\xff\xd8\xff" + bytes(1_200_000), 413, "too_large"),
        (b"\x00\x00\x00\x18ftypmp42" + bytes(2_200_000), 413, "too_large"),
    ],
)
def test_a_file_that_is_none_leaves_nothing_behind(tmp_path, sqlite_store, data, status, says):
    world = Street(tmp_path, sqlite_store, proof={"max_photo_mb": 1, "max_video_mb": 2})
    case = world.report()["case_id"]

    def pieces():
        for start in range(0, len(data), 65_536):
            yield data[start : start + 65_536]

    for body in (data, pieces()):
        answer = world.upload(case, body)
        assert (answer.status_code, code(answer)) == (status, says)
    assert world.proof(case)["photos"] == []
    assert list(world.hub.site.vault.incoming.iterdir()) == []


def test_a_large_upload_is_refused_unread(world, case):
    sent = 0

    def endless():
        nonlocal sent
        yield b"\xff\xd8\xff" + bytes(1 << 20)
        while sent < 400:
            sent += 1
            yield bytes(1 << 20)

    answer = world.upload(case, endless())
    assert (answer.status_code, code(answer)) == (413, "too_large")


def test_a_clip_is_kept_and_shown_to_few(world, case):
    clip = b"\x00\x00\x00\x18ftypmp42" + bytes(100_000)
    told = {"taken_at": now().isoformat(), "lat": HERE[0], "lon": HERE[1]}
    given = world.upload(case, clip, **told).json()
    assert (given["type"], given["url"], given["verdict"]) == ("video/mp4", None, "good")
    assert world.call("GET", f"/api/evidence/{given['original']}").status_code == 403
    other = world.report(north=0.01)["case_id"]
    assert world.upload(other, clip, **told).json()["reasons"][0] == "same_file"


def test_others_see_a_copy_without_hidden_notes_and_the_original_is_locked(world, case):
    data = world.shot(1)
    given = world.upload(case, data).json()
    shown = world.call("GET", given["url"], role=Role.OPERATOR)
    assert shown.status_code == 200
    assert b"Exif" not in shown.content
    assert world.call("GET", f"/api/evidence/{given['original']}").status_code == 403
    opened = world.call(
        "POST", f"/api/evidence/{given['original']}/opening", json={"reason": "a complaint"}
    )
    assert opened.content == data
    at = world.hub.site.vault.path(given["original"])
    assert not at.exists()


# the watch


def test_told_again_the_same_case_comes_back_and_loses_its_credit(world):
    case = world.report()["case_id"]
    world.closed(case, 1)
    back = world.report(north=0.0001)
    assert back["case_id"] == case
    shown = world.call("GET", f"/api/cases/{case}").json()
    assert (shown["state"], shown["closed_at"]) == ("reopened", None)
    (rebound,) = world.proof(case)["rebounds"]
    assert (rebound["cause_kind"], rebound["cause"]) == ("report", back["number"])
    assert rebound["distance_m"] == pytest.approx(11, abs=1)
    assert world.act(case, "dispatch").json()["state"] == "dispatched"


def test_told_further_away_or_of_another_matter_it_is_another_case(world):
    case = world.report()["case_id"]
    world.closed(case, 1)
    assert world.report(north=0.001)["case_id"] != case
    assert world.report(matter="06012")["case_id"] != case
    assert world.proof(case)["rebounds"] == []


def test_told_of_before_the_closing_it_joins_and_reopens_nothing(world):
    case = world.report()["case_id"]
    world.closed(case, 1)
    late = world.report(received_at=(now() - timedelta(hours=1)).isoformat())
    assert late["case_id"] == case
    assert world.call("GET", f"/api/cases/{case}").json()["state"] == "closed"


def camera_alert(name, since_s, at_s=0, **more):
    at, since = now() + timedelta(seconds=at_s), now() + timedelta(seconds=since_s)
    seq = more.pop("seq", 0)
    ms = int(since.timestamp() * 1000)
    return alert_message(seq, alert=name, at=at, since=ms, matter="06010", **more)


def confirmed(world, alert):
    return world.call("POST", f"/api/alerts/{alert}/decision", json={"decision": "confirmed"})


def seen_and_closed(world):
    world.take("alert", camera_alert("a-1", -60))
    case = confirmed(world, ALERT).json()["case"]["id"]
    world.take("alert", camera_alert("a-1", -60, seq=1, state="end"))
    world.closed(case, 1)
    return case


def test_a_camera_that_sees_it_again_reopens_the_case(world):
    case = seen_and_closed(world)
    world.take("alert", camera_alert("a-2", 0.2, at_s=5, seq=2))
    new = world.call("GET", "/api/alerts").json()["items"][0]["id"]
    assert confirmed(world, new).json()["case"]["id"] == case
    (rebound,) = world.proof(case)["rebounds"]
    assert (rebound["cause_kind"], rebound["cause"]) == ("alert", new)
    assert world.call("GET", f"/api/cases/{case}").json()["state"] == "reopened"


def test_what_was_up_all_along_is_no_rebound(world):
    world.take("alert", camera_alert("a-1", -60))
    case = confirmed(world, ALERT).json()["case"]["id"]
    world.closed(case, 1)  # and its alert is still up
    world.take("alert", camera_alert("a-1", -60, at_s=3, seq=1, state="update"))
    assert world.call("GET", f"/api/cases/{case}").json()["state"] == "closed"
    world.take("alert", camera_alert("b-1", 0.2, at_s=5, seq=2))  # the box was started anew
    new = next(a for a in world.call("GET", "/api/alerts").json()["items"] if a["id"] != ALERT)
    assert confirmed(world, new["id"]).json()["case"]["id"] == case
    assert world.call("GET", f"/api/cases/{case}").json()["state"] == "reopened"
    assert world.proof(case)["rebounds"] == []


def test_what_comes_back_between_check_and_closing_is_seen_to_again(world):
    world.take("alert", camera_alert("a-1", -60))
    case = confirmed(world, ALERT).json()["case"]["id"]
    world.take("alert", camera_alert("a-1", -60, seq=1, state="end"))
    world.handled(case)
    world.claim(case, 1)
    world.visit(case, "gone", 2)
    assert world.proof(case)["proposal"] == "close"
    world.take("alert", camera_alert("a-2", 0, seq=2))
    new = next(a for a in world.call("GET", "/api/alerts").json()["items"] if a["id"] != ALERT)
    assert new["case"]["id"] == case
    answer = world.act(case, "close", role=Role.SUPERVISOR)
    assert (answer.status_code, code(answer)) == (409, "check_needed")
    assert new["id"] in answer.json()["error"]["message"]
    assert world.proof(case)["proposal"] == ""
    assert world.call("POST", f"/api/cases/{case}/visits", json={}).is_success
    world.visit(case, "gone", 4)
    assert world.act(case, "close", role=Role.SUPERVISOR).json()["state"] == "closed"


def test_the_watch_ends_when_its_days_are_over_and_everybody_is_answered(world):
    case = world.report(wants_reply=True)["case_id"]
    world.closed(case, 1)
    config = world.hub.config

    def house(days):
        from hub.intake.store import owed_a_reply

        watching.look_after(world.store, config, owed_a_reply, now() + timedelta(days=days))
        with world.store.read() as tx:
            return case_store.load(tx, [case])[case].state

    assert house(0) == "watching"
    assert house(14) == "watching"
    assert house(16) == "watching"  # a reporter waits
    world.call("POST", f"/api/cases/{case}/answer", json={"text": "it is clean"})
    assert house(16) == "archived"
    assert world.report()["case_id"] != case
