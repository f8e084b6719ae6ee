"""What the demo's citizens tell is taken by the hub: one case, the rest waits, all are marked."""

import io

import pytest
from PIL import Image

from hub.store import Store
from tests.hub.test_api import client_of, furnished, tokens_of
from tianyan import report_sample, sample


@pytest.fixture
def call(tmp_path, monkeypatch):
    store = Store(f"sqlite:///{tmp_path}/hub.sqlite")
    store.migrate()
    hub = furnished(tmp_path, store)
    client, token = client_of(hub), tokens_of(hub)["admin"]
    headers = {"Authorization": f"Bearer {token}"}

    def give(method, url, _token, body, kind=sample.JSON):
        sent = {"content": body} if isinstance(body, bytes) else {"json": body}
        answer = client.request(method, url, headers=headers | {"Content-Type": kind}, **sent)
        assert answer.status_code == 201, answer.text
        return answer.content

    monkeypatch.setattr(report_sample, "give", give)
    yield lambda path: client.get(path, headers=headers)
    store.close()


def test_reports_wait_one_has_its_case_and_all_are_marked_as_made_up(call, tmp_path):
    for _ in range(2):  # a demo is started again in its folder
        report_sample.bring_in("", "", tmp_path)
    found = call("/api/reports").json()["items"]
    assert [item["state"] for item in reversed(found)] == ["in_case"] + ["waiting"] * 3
    assert all(item["generated"] and "演示" in item["content"] for item in found)
    assert [len(item["photos"]) for item in reversed(found)] == [1, 1, 0, 0]
    told = next(item for item in found if item["state"] == "in_case")
    case = call(f"/api/cases/{told['case_id']}").json()
    assert (case["generated"], case["source"], case["reports"]) == (True, "12345", 1)
    shown = call(told["photos"][0]).content
    assert Image.open(io.BytesIO(shown)).size == report_sample.SIZE
