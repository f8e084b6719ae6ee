"""The endpoint as an outside client calls it."""

from datetime import timedelta
from urllib.parse import quote
from xml.etree import ElementTree as ET

import pytest

from hub.intake.open311 import BadRequest, read_window
from hub.roles import Role
from hub.store import now
from tests.hub.test_api import call, client, hub, tokens  # noqa: F401
from tests.hub.world import LAT, LON, NOON

WANTED = {
    "service_code": "06010",
    "lat": str(LAT),
    "long": str(LON),
    "description": "a heap, ask for Mr Wang",
    "email": "wang@example.cn",
    "first_name": "明",
    "last_name": "王",
    "phone": "13812345678",
}


@pytest.fixture
def outside(client, tokens):  # noqa: F811
    """Calls as the specification writes them: a form with an api_key."""

    def send(method, path, key=Role.SERVICE, form=None, **query):
        secret = {"api_key": tokens[key]} if key else {}
        if method == "POST":
            return client.post(f"/open311/v2/{path}", data=(form or {}) | secret)
        return client.get(f"/open311/v2/{path}", params=query | secret)

    return send


def test_discovery_and_services_need_no_key(client):  # noqa: F811
    found = client.get("/open311/discovery.json").json()
    assert found["endpoints"][0]["formats"] == ["application/json", "text/xml"]
    tree = ET.fromstring(client.get("/open311/discovery.xml").content)
    assert [f.text for f in tree.iter("format")] == ["application/json", "text/xml"]

    services = client.get("/open311/v2/services.json").json()
    garbage = next(each for each in services if each["service_code"] == "06010")
    assert (garbage["service_name"], garbage["group"]) == ("暴露垃圾", "市容环境")
    tree = ET.fromstring(client.get("/open311/v2/services.xml").content)
    assert len(tree.findall("service")) == len(services) == 97
    assert client.get("/open311/v2/services/06010.json").json()["attributes"] == []
    assert client.get("/open311/v2/services/99999.json").status_code == 404


@pytest.mark.parametrize("kind", ["json", "xml"])
def test_a_request_goes_in_and_is_read_back(outside, kind):
    made = outside("POST", f"requests.{kind}", form=WANTED)
    assert made.status_code == 200
    if kind == "json":
        number = made.json()[0]["service_request_id"]
        (item,) = outside("GET", f"requests/{number}.json").json()
    else:
        number = ET.fromstring(made.content).findtext("request/service_request_id")
        tree = ET.fromstring(outside("GET", f"requests/{number}.xml").content)
        item = {element.tag: element.text for element in tree.find("request")}
    assert item["service_request_id"] == number
    assert (item["status"], item["service_code"]) == ("open", "06010")
    assert float(item["lat"]) == LAT
    assert "Wang" not in str(item)
    assert "138" not in str(item)


def test_requests_are_listed_by_window_service_and_status(outside, call):  # noqa: F811
    number = outside("POST", "requests.json", form=WANTED).json()[0]["service_request_id"]

    def listed(**query):
        return [i["service_request_id"] for i in outside("GET", "requests.json", **query).json()]

    assert listed() == [number]
    assert listed(service_code="06010,09006") == [number]
    assert listed(service_code="09006") == []
    assert listed(status="closed") == []
    assert listed(service_request_id=f"{number},other") == [number]
    tomorrow = (now() + timedelta(days=1)).isoformat()
    assert listed(start_date=tomorrow) == []

    case = call("GET", "/api/reports").json()["items"][0]["case_id"]
    body = {"action": "reject", "version": 1, "note": "gone"}
    call("POST", f"/api/cases/{case}/actions", json=body)
    (closed,) = outside("GET", "requests.json", status="closed").json()
    assert closed["status_notes"] == "不予立案"
    assert outside("GET", f"tokens/{number}.json").json()[0]["service_request_id"] == number


@pytest.mark.parametrize(
    ("form", "status", "says"),
    [
        ({"service_code": ""}, 400, "service_code is missing"),
        ({"service_code": "nope"}, 404, "service_code nope was not found"),
        ({"lat": "", "long": ""}, 400, "one of lat and long"),
        ({"lat": "abc"}, 400, "lat abc is not a number"),
        ({"long": ""}, 400, "needed together"),
        ({"description": "x" * 4001}, 400, "4001 characters"),
    ],
)
def test_errors_are_lists_of_code_and_description(outside, form, status, says):
    answer = outside("POST", "requests.json", form=WANTED | form)
    assert answer.status_code == status
    assert answer.json()[0]["code"] == status
    assert says in answer.json()[0]["description"]
    tree = ET.fromstring(outside("POST", "requests.xml", form=WANTED | form).content)
    assert says in tree.findtext("error/description")


def test_without_a_key_or_the_right_nothing_is_told_or_taken(outside, hub):  # noqa: F811
    for key in (None, Role.VIEWER):
        assert outside("POST", "requests.json", key=key, form=WANTED).status_code == 403
    assert outside("GET", "requests.json", key=None).status_code == 403
    assert outside("GET", "requests/AKR1.xml", key=None).status_code == 403
    assert outside("GET", "requests/AKR1.json").status_code == 404
    assert outside("GET", "requests.yaml").status_code == 422


def test_text_that_xml_cannot_write_does_not_break_the_answer(outside):
    form = WANTED | {"address_string": "gate \x01 <b>&amp;"}
    outside("POST", "requests.json", form=form)
    tree = ET.fromstring(outside("GET", "requests.xml").content)
    assert tree.findtext("request/address") == "gate  <b>&amp;"


@pytest.mark.parametrize(
    "query",
    [
        {"start_date": "yesterday"},
        {"start_date": "2026-01-01T00:00:00"},
        {"start_date": "2026-01-01T00:00:00Z", "end_date": "2026-06-01T00:00:00Z"},
        {"start_date": "2026-02-01T00:00:00Z", "end_date": "2026-01-01T00:00:00Z"},
        {"status": "odd"},
    ],
)
def test_windows_that_are_none_are_refused(query):
    with pytest.raises(BadRequest):
        read_window(query, NOON)


def test_a_window_without_dates_is_the_last_ninety_days():
    window = read_window({}, NOON)
    assert window.end - window.start == timedelta(days=90)
    assert quote("06010") in read_window({"service_code": "06010"}, NOON).service_codes
