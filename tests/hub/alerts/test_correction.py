"""Boxes drawn by people, over HTTP."""

import pytest

from hub.alerts.alert import alert_id
from hub.roles import Role
from tests.hub.test_api import take
from tests.hub.world import after, alert_message
from wire.alert import Box, EvidenceRef

PICTURE, CLIP = "c" * 64, "d" * 64


@pytest.fixture
def shown(hub):
    """An alert with a picture and a clip."""
    files = [
        EvidenceRef(PICTURE, 10, "image/jpeg", "clean"),
        EvidenceRef(CLIP, 10, "video/mp4", "clip"),
    ]
    boxes = [Box("garbage", 0.8, 0.1, 0.1, 0.2, 0.2), Box("person", 0.8, 0.1, 0.1, 0.1, 0.2)]
    message = alert_message(7, alert="a-7", at=after(9), evidence=files, boxes=boxes)
    take(hub, "alert", message)
    return alert_id(message)


def box(**changes):
    return {"label": "garbage", "x": 0.5, "y": 0.25, "w": 0.25, "h": 0.25} | changes


def put(call, alert, *boxes, version=0, picture=PICTURE, role=Role.OPERATOR):
    body = {"picture": picture, "version": version, "boxes": list(boxes)}
    return call("PUT", f"/api/alerts/{alert}/boxes", role, json=body)


def test_before_anybody_drew_the_boxes_are_the_devices(call, shown):
    answer = call("GET", f"/api/alerts/{shown}/boxes", Role.VIEWER).json()
    assert (answer["version"], answer["by"], answer["picture"]) == (0, None, None)
    assert [b["label"] for b in answer["boxes"]] == ["garbage", "person"]
    assert answer["labels"] == ["street_vending", "garbage", "illegal_structure"]


def test_drawn_boxes_stay_with_who_and_when_and_every_version(call, shown, hub):
    assert put(call, shown, box(), box(label="street_vending", x=0)).status_code == 200
    second = put(call, shown, box(w=0.5), version=1, role=Role.ADMIN)
    assert second.json()["version"] == 2
    answer = call("GET", f"/api/alerts/{shown}/boxes").json()
    assert (answer["by"], answer["picture"], answer["boxes"]) == ("admin-1", PICTURE, [box(w=0.5)])
    history = call("GET", f"/api/alerts/{shown}").json()["history"]
    said = [(step["actor"], step["note"]) for step in history if step["what"] == "correct_boxes"]
    assert said == [("operator-1", "garbage, street_vending"), ("admin-1", "garbage")]


def test_no_box_at_all_is_an_answer(call, shown):
    assert put(call, shown).json()["boxes"] == []
    assert call("GET", f"/api/alerts/{shown}/boxes").json()["version"] == 1


def test_who_draws_over_anothers_work_is_told(call, shown):
    put(call, shown, box())
    answer = put(call, shown, box(x=0.1))
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "stale")
    assert "operator-1" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("boxes", "more", "status", "said"),
    [
        ([box(label="graffiti")], {}, 422, "boxes.0.label: 'graffiti'"),
        ([box(), box(x=0.9)], {}, 422, "boxes.1: reaches beyond the picture"),
        ([box(w=0.001)], {}, 422, "boxes.0.w"),
        ([box(x=-0.1)], {}, 422, "boxes.0.x"),
        ([box(score=1)], {}, 422, "boxes.0.score"),
        ([box()] * 51, {}, 422, "boxes"),
        ([box()], {"picture": "e" * 64}, 422, "picture"),
        ([box()], {"picture": CLIP}, 422, "picture"),
        ([box()], {"role": Role.VIEWER}, 403, ""),
    ],
)
def test_what_is_no_correction_is_refused_by_name(call, shown, boxes, more, status, said):
    answer = put(call, shown, *boxes, **more)
    assert answer.status_code == status
    assert said in answer.json()["error"]["message"]
    assert call("GET", f"/api/alerts/{shown}/boxes").json()["version"] == 0


def test_an_unknown_alert_is_named(call):
    assert put(call, "nothing", box()).status_code == 404
    assert call("GET", "/api/alerts/nothing/boxes").status_code == 404
