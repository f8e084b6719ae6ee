"""Tables of what administrators keep: what the lists show, for who may see it, and no secrets."""

import csv
import io
import json
import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import openpyxl
import pytest

from hub.devices.orders.store import orders
from hub.out import store as out_store
from hub.people import password, users
from hub.people.users import User
from hub.roles import Post, Role
from hub.store import now
from hub.tracks.judged_store import vehicle_events
from tests.hub.tracks.test_geofence import feature
from tests.hub.world import LAT, LON
from wire.coded import coded

FORMULA = '=HYPERLINK("http://evil.example","prize")'
KEY = "key=5d41402abc4b2a76"
PERMIT = {
    "vehicles": ["陕G·00001", "陕G·00002"], "loading_site": "东坝", "dump_site": "西沟",
    "valid_from": "2026-10-01", "valid_until": "2026-12-31",
    "route": [[109.02, 32.69], [109.03, 32.70]], "hours": [["22:00", "05:00"]],
}  # fmt: skip


@pytest.fixture
def call(each_call, each_hub):
    """A hub that has one of everything there is a table of."""
    given = [
        ("PUT", "/api/fences/s0", {"version": 0, "feature": site("s0", "东坝")}),
        ("PUT", "/api/fences/s1", {"version": 0, "feature": site("s1", "西沟")}),
        ("PUT", "/api/permits/2026-1", {"version": 0, "permit": PERMIT}),
        ("POST", "/api/devices/cam-1/orders",
         {"op": "camera.snapshot", "args": {"camera": "gate"}}),
        ("POST", "/api/webhooks", {"name": "bridge", "topics": ["case.opened"],
                                   "url": f"https://hooks.example.cn/send?{KEY}"}),
        ("POST", "/api/webhooks/1/test", {}),
    ]  # fmt: skip
    for method, path, body in given:
        answer = each_call(method, path, json=body)
        assert answer.status_code < 300, (path, answer.text)
    person = User("li", FORMULA, now(), (Post(Role.HANDLER, "q01", "huanwei"),),
                  hash=password.hashed("correct horse battery"), subject="idp|7")  # fmt: skip
    event = {"vehicle": "cam-1/v1", "kind": "overspeed", "subject": "", "start": now(),
             "end": now() + timedelta(minutes=1), "over": True, "lat": LAT, "lon": LON,
             "certainty": 1.0, "facts": json.dumps({"speed_kmh": 71}), "begun_ms": 0,
             "known_ms": 0, "late": False, "judged_at": now()}  # fmt: skip
    with each_hub.store.write() as tx:
        users.add(tx, person)
        tx.execute(vehicle_events.insert().values(event))
        out_store.settle(tx, 1, sent_at=None, next_at=now(), status=None,
                         fault=f"https://hooks.example.cn/send?{KEY} is inside")  # fmt: skip
    return each_call


def site(code, name):
    return feature(radius_m=100, code=code, name=name, purpose="dump")


def rows(call, table, role=Role.ADMIN, **query):
    """The rows of a table, the same as CSV and as a workbook."""
    told = call("GET", f"/api/{table}-table", role, params={"format": "csv", **query})
    book = call("GET", f"/api/{table}-table", role, params=query)
    text = told.content.decode("utf-8-sig")
    sheet = openpyxl.load_workbook(io.BytesIO(book.content)).active
    assert not any(cell.data_type == "f" for row in sheet.iter_rows() for cell in row)
    found = list(csv.DictReader(io.StringIO(text)))
    assert sheet.max_row == len(found) + 1
    assert KEY not in text
    return found


def test_people_without_what_lets_them_in(call):
    (li,) = rows(call, "user", q="li", disabled=False)
    assert (li["name"], li["posts"], li["has_password"], li["single_sign_on"]) == (
        "li", "handler q01 huanwei *", "yes", "yes",
    )  # fmt: skip
    assert li["display_name"] == "'" + FORMULA
    assert "argon2" not in str(li)
    assert "idp" not in str(li)
    assert rows(call, "user", disabled=True) == []
    acts = call("GET", "/api/audit?action=export&kind=user").json()["items"]
    assert {act["note"] for act in acts} == {"1 people", "0 people"}


def test_webhooks_by_the_service_they_call_and_what_they_were_told(call):
    (hook,) = rows(call, "webhook")
    assert (hook["name"], hook["to"], hook["topics"]) == (
        "bridge", "https://hooks.example.cn", "case.opened",
    )  # fmt: skip
    (told,) = rows(call, "delivery", webhook=1)
    assert (told["webhook"], told["topic"], told["attempts"]) == ("bridge", "test", "1")
    assert told["fault"] == "https://hooks.example.cn/send?… is inside"
    assert rows(call, "delivery", webhook=2) == []


def test_orders_events_and_permits(call):
    (order,) = rows(call, "order", Role.VIEWER, device="cam-1")
    assert (order["op"], order["state"], order["by"]) == ("camera.snapshot", "queued", "admin-1")
    assert rows(call, "order", device="cam-2") == []
    (event,) = rows(call, "vehicle-event", Role.VIEWER)
    assert (event["kind"], event["over"], event["facts"]) == ("overspeed", "yes", "speed_kmh=71")
    (permit,) = rows(call, "permit", Role.VIEWER)
    assert (permit["number"], permit["hours"]) == ("2026-1", "22:00-05:00")


def test_what_no_workbook_can_hold_is_left_out(call):
    odd = {"channel": "phone", "content": "\x01=门口\x0b有\ufffe垃圾\n很多"}
    assert call("POST", "/api/reports", json=odd).status_code == 201
    (report,) = rows(call, "report")
    assert report["content"] == "'=门口有垃圾\n很多"


def test_who_did_it_is_a_name_and_in_the_history_the_login_too(call, each_hub):
    with each_hub.store.write() as tx:
        users.add(tx, User("admin-1", "周工", now()))
    (order,), (permit,), (hook,) = (rows(call, name) for name in ("order", "permit", "webhook"))
    assert (order["by"], permit["by"], hook["made_by"]) == ("周工", "周工", "周工")
    acts = rows(call, "audit", kind="permit")
    assert {(act["actor"], act["actor_name"]) for act in acts} == {("admin-1", "周工")}


@pytest.mark.parametrize("language", [None, "zh", "en"])
@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_a_table_of_permits_is_taken_back_unchanged(call, form, language):
    asked = {"format": form, **({"language": language} if language else {})}
    table = call("GET", "/api/permit-table", params=asked).content
    assert call("POST", "/api/permits", content=table).json() == {"imported": 1, "changed": 0}


def test_what_people_read_is_in_their_words_and_in_the_sites_time(call, each_hub):
    (order,) = rows(call, "order", language="zh")
    assert (order["指令"], order["状态"]) == ("抓拍", "等设备上线")
    (event,) = rows(call, "vehicle-event", language="zh")
    assert (event["类型"], event["已结束"], event["详情"]) == ("超速", "是", "时速=71")
    (hook,) = rows(call, "webhook", language="zh")
    assert hook["主题"] == "新案件"
    (person,) = rows(call, "user", language="zh", q="li", disabled=False)
    assert person["岗位"] == "处置人员 q01 huanwei *"
    machine, human = rows(call, "order"), rows(call, "order", language="en")
    made = datetime.fromisoformat(machine[0]["made_at"]).astimezone(ZoneInfo("Asia/Shanghai"))
    assert human[0]["Made (Beijing time)"] == f"{made:%Y-%m-%d %H:%M:%S}"
    acts = rows(call, "audit", language="zh", kind="permit")
    assert {(act["对象类型"], act["操作"], act["角色"]) for act in acts} == {
        ("处置证", "保存", "管理员"),
    }  # fmt: skip
    call("GET", "/api/user-table", params={"q": "li"})
    assert "1 人" in {act["说明"] for act in rows(call, "audit", language="zh", kind="user")}
    with each_hub.store.write() as tx:
        tx.execute(orders.update().values(why=coded("not_answered", "the device did not answer")))
    (order,) = rows(call, "order", language="zh")
    assert order["原因"] == "设备没有答复"


def test_every_table_has_its_heads_in_both_languages(call):
    paths = call("GET", "/api/openapi.json").json()["paths"]
    given = {"vehicle": "cam-1/v1", "day": "2026-11-23", "period": "2026-11",
             "indicator": "close_rate", "by": "department", "format": "csv"}  # fmt: skip
    tables = [
        (path, {each["name"] for each in told["get"]["parameters"]})
        for path, told in paths.items()
        if any(each["name"] == "language" for each in told.get("get", {}).get("parameters", ()))
    ]
    assert len(tables) > 25
    for path, names in tables:
        for language, is_said in (("zh", r"[\u4e00-\u9fff]|^\d{4}-\d\d$"), ("en", r"^[ -~²°]+$")):
            asked = {name: value for name, value in given.items() if name in names}
            if path.endswith("year/file"):
                asked["period"] = "2026"
            answer = call("GET", path.format(**given), params=asked | {"language": language})
            assert answer.status_code == 200, (path, answer.text)
            heads = next(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
            assert [head for head in heads if not re.search(is_said, head)] == [], path
