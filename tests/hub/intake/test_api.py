import pytest

from hub import audit
from hub.roles import Role
from tests.hub.intake.test_public_api import picture
from tests.hub.intake.test_sheet import CSV
from tests.hub.test_api import call, client, hub, tokens  # noqa: F401
from tests.hub.world import LAT, LON

REPORT = {
    "channel": "phone",
    "content": "垃圾堆在门口",
    "matter": "暴露垃圾",
    "lat": LAT,
    "lon": LON,
    "wants_reply": True,
    "caller": {"name": "王小明", "phone": "13812345678"},
}


def tell(call, **changes):  # noqa: F811
    return call("POST", "/api/reports", json=REPORT | changes)


def test_a_report_by_phone_becomes_a_case_and_its_caller_stays_masked(call, hub):  # noqa: F811
    made = tell(call)
    assert made.status_code == 201
    item = made.json()
    assert item["state"] == "in_case"
    assert item["caller"] == "王** 138****5678"
    case = call("GET", f"/api/cases/{item['case_id']}").json()
    assert (case["source"], case["reports"], case["number"]) == ("phone", 1, item["case_number"])
    assert "138" not in str(case)

    why = {"reason": "asks for a call back"}
    path = f"/api/reports/{item['number']}/caller"
    shown = call("POST", path, json=why, role=Role.SUPERVISOR).json()
    assert shown["phone"] == "13812345678"
    with hub.store.read() as tx:
        last = audit.of(tx, "report", item["number"])[-1]
    assert (last.action, last.note) == ("see_caller", "asks for a call back")


def test_the_clerks_list_is_filtered_and_reporters_are_answered(call):  # noqa: F811
    inside = tell(call).json()
    waiting = tell(call, matter="", lat=None, lon=None).json()

    def numbers(**query):
        return [i["number"] for i in call("GET", "/api/reports", params=query).json()["items"]]

    assert numbers() == [waiting["number"], inside["number"]]
    assert numbers(state="waiting") == [waiting["number"]]
    assert numbers(case=inside["case_id"]) == [inside["number"]]
    answer = call("POST", f"/api/cases/{inside['case_id']}/answer", json={"text": "已清运"})
    assert answer.json() == {"answered": 1}
    assert numbers(answered=True) == [inside["number"]]
    assert numbers(channel="letter") == []


def test_who_works_on_a_case_reads_what_was_reported_and_not_by_whom(call, hub):  # noqa: F811
    said = {
        "content": "我叫李大海，门口垃圾，电话13812345678",
        "place_text": "王家巷 610902199001011234",
    }
    first = tell(call, **said).json()
    case = first["case_id"]
    kept = tell(call, content="我是三楼的", confidential=True).json()
    assert kept["case_id"] == case
    path = f"/api/cases/{case}/reports"
    for number in (first["number"], kept["number"]):
        photo = call("PUT", f"/api/reports/{number}/photos", Role.SERVICE, content=picture())
        assert (photo.status_code, photo.json()) == (201, {"photos": 1})
    with hub.store.read() as tx:
        last = audit.of(tx, "report", kept["number"])[-1]
    assert (last.actor, last.action) == ("service-1", "add_photo")
    assert call("PUT", f"/api/reports/{kept['number']}/photos", Role.VIEWER).status_code == 403

    def photos(role):
        return [item["photos"] for item in call("GET", path, role=role).json()["items"]]

    ((url,), (other,)) = photos(Role.OPERATOR)
    assert url == other
    assert photos(Role.HANDLER) == [[url], []]
    assert call("GET", url, role=Role.HANDLER).headers["content-type"] == "image/jpeg"

    def told(role):
        answer = call("GET", path, role=role)
        assert "王小明" not in answer.text
        return [(item["content"], item["place_text"]) for item in answer.json()["items"]]

    assert told(Role.OPERATOR) == [tuple(said.values()), ("我是三楼的", "")]
    assert told(Role.HANDLER) == [("我叫***，门口垃圾，电话***", "王家巷 ***"), ("", "")]
    assert call("GET", path, role=Role.VIEWER).status_code == 403
    assert call("GET", "/api/cases/77/reports").status_code == 404


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"matter": "噪音"}, "噪音"),
        ({"lon": None}, "together"),
        ({"external_id": "G1"}, "together"),
        ({"content": ""}, "content"),
        ({"lat": 91}, "lat"),
        ({"urgency": 4}, "urgency"),
        ({"odd": 1}, "odd"),
    ],
)
def test_what_is_wrong_with_a_report_is_said(call, changes, says):  # noqa: F811
    answer = tell(call, **changes)
    assert answer.status_code == 422
    assert says in answer.json()["error"]["message"]
    assert call("GET", "/api/reports").json()["total"] == 0


def test_a_hotlines_file_is_taken_whole_once_or_not_at_all(call):  # noqa: F811
    def bring_in(data, **query):
        query = {"channel": "12345", "system": "city-12345"} | query
        return call("PUT", "/api/reports/file", content=data, params=query)

    tried = bring_in(CSV.encode(), dry_run=True).json()
    assert tried == {"reports": 2, "in_cases": 1, "waiting": 1, "dry_run": True}
    assert call("GET", "/api/reports").json()["total"] == 0
    assert bring_in(CSV.encode()).json()["in_cases"] == 1
    assert bring_in(CSV.encode()).json()["reports"] == 2
    assert call("GET", "/api/reports").json()["total"] == 2

    refused = bring_in(CSV.replace("2026-11-28 09:30:00", "gestern").encode())
    (problem,) = refused.json()["error"]["problems"]
    assert problem["where"] == "row 2, column 受理时间"
