"""Six people by six ways and a camera tell of one heap: one case, and each is answered."""

import csv
import io
import json
from xml.etree import ElementTree as ET

import pytest

from hub import audit
from hub.app import Hub
from hub.out import teller
from hub.roles import Role
from tests.hub.cases.workflow import ROAD
from tests.hub.intake.test_public_api import picture
from tests.hub.out.test_out import Listener, tell_and_send
from tests.hub.test_api import ALERT, caller, client_of, take, tokens_of
from tests.hub.world import LAT, LON, alert_message, make_site

ANSWER = "已于中午清运完毕"
PLACE = {"lat": LAT, "lon": LON}
SHEET = (
    "工单编号,受理时间,诉求内容,诉求类别,诉求人,联系电话,纬度,经度\n"
    f"G1,2026-11-28 09:30:00,门口有垃圾,暴露垃圾,王小明,13812345678,{LAT},{LON}\n"
)


@pytest.fixture
def hub(store, tmp_path):
    site = make_site(store, tmp_path, intake={"public": True}, out={"allow": ["127.0.0.1"]})
    return Hub.build(site.config, store)


def test_six_people_and_a_camera_have_one_case_and_each_his_answer(hub):
    client, tokens = client_of(hub), tokens_of(hub)
    call, key = caller(client, tokens), {"api_key": tokens[Role.SERVICE]}
    listener = Listener()
    teller.tell(hub.store, hub.site.places, "")
    hook = {"name": "app", "url": listener.url, "topics": ["report.answered"]}
    assert call("POST", "/api/webhooks", json=hook).status_code == 201

    form = {"service_code": "06010", "lat": LAT, "long": LON, "phone": "13800000001"} | key
    told = client.post("/open311/v2/requests.json", data=form).json()
    by_json = told[0]["service_request_id"]
    told = client.post("/open311/v2/requests.xml", data=form | {"phone": "13800000002"})
    by_xml = ET.fromstring(told.content).findtext("request/service_request_id")
    heap = {"content": "垃圾堆在门口", "matter": "暴露垃圾"} | PLACE
    receipt = client.post(
        "/public/reports", json=heap | {"caller": {"phone": "13800000003"}}
    ).json()
    asked = {"key": receipt["key"]}
    photos = f"/public/reports/{receipt['number']}/photos"
    assert client.put(photos, params=asked, content=picture()).status_code == 201
    chat = {"channel": "wechat", "external_system": "wx", "external_id": "o1", "wants_reply": True}
    by_chat = call("POST", "/api/reports", role=Role.SERVICE, json=heap | chat)
    assert by_chat.status_code == 201
    hotline = {"channel": "12345", "system": "city-12345"}
    taken = call("PUT", "/api/reports/file", content=SHEET.encode(), params=hotline).json()
    assert taken["in_cases"] == 1
    phoned = call("POST", "/api/reports", role=Role.OPERATOR, json=heap | {"channel": "phone"})
    take(hub, "alert", alert_message())
    call("POST", f"/api/alerts/{ALERT}/decision", json={"decision": "confirmed"})

    (case,) = call("GET", "/api/cases").json()["items"]
    path = f"/api/cases/{case['id']}"
    page = call("GET", path).json()
    assert (page["reports"], [each["id"] for each in page["alert_items"]]) == (6, [ALERT])
    listed = call("GET", "/api/reports", params={"case": case["id"]}).json()["items"]
    assert [each["channel"] for each in reversed(listed)] == [
        "open311", "open311", "form", "wechat", "12345", "phone",
    ]  # fmt: skip
    assert phoned.json()["number"] == listed[0]["number"]

    for action in ROAD:
        role = Role.SUPERVISOR if action in ("verify_result", "close") else Role.OPERATOR
        version = call("GET", path).json()["version"]
        step = {"action": action, "version": version, "note": "清运"}
        done = call("POST", f"{path}/actions", role=role, json=step)
        assert done.status_code == 200, (action, done.text)
    assert done.json()["state"] == "closed"
    answered = call("POST", f"{path}/answer", role=Role.OPERATOR, json={"text": ANSWER})
    assert answered.json() == {"answered": 6}

    read = f"/open311/v2/requests/{by_json}.json"
    (item,) = client.get(read, params=key).json()
    assert (item["status"], item["status_notes"]) == ("closed", ANSWER)
    read = f"/open311/v2/requests/{by_xml}.xml"
    item = ET.fromstring(client.get(read, params=key).content).find("request")
    assert (item.findtext("status"), item.findtext("status_notes")) == ("closed", ANSWER)
    outcome = client.get(f"/public/reports/{receipt['number']}", params=asked).json()
    assert (outcome["answer"], outcome["open"]) == (ANSWER, False)
    wanted = {"channel": "12345", "format": "csv"}
    table = call("GET", "/api/report-table", params=wanted).content.decode("utf-8-sig")
    (row,) = csv.DictReader(io.StringIO(table))
    assert (row["external_id"], row["answer"]) == ("G1", ANSWER)
    assert all(
        each["answer"] == ANSWER
        for each in call("GET", "/api/reports", params={"case": case["id"]}).json()["items"]
    )

    tell_and_send(hub)
    listener.shutdown()
    listener.server_close()
    (said,) = [json.loads(body) for _, body in listener.heard]
    assert said["topic"] == "report.answered"
    assert said["case"]["number"] == case["number"]
    assert [each["number"] for each in said["case"]["reports"]] == [
        each["number"] for each in reversed(listed)
    ]
    assert {(each["external_system"], each["external_id"]) for each in said["case"]["reports"]} >= {
        ("wx", "o1"), ("city-12345", "G1"),
    }  # fmt: skip
    spoken = listener.heard[0][1].decode()
    assert not any(
        secret in spoken for secret in ("1380000000", "13812345678", "王小明", "垃圾堆", ANSWER)
    )
    with hub.store.read() as tx:
        assert audit.verify(tx) == []
