"""Revisions of the configuration: whole or not at all, over restarts, with every fault named."""

import queue

import pytest

from edge.config import EdgeConfig
from edge.revision import Revisions
from wire.command import CommandState
from wire.revision import ConfigPush

ZONE = {"id": "a", "polygon": [[0.1, 0.1], [0.9, 0.1], [0.9, 0.9]], "labels": ["garbage"]}
PLACE = {"lat": 32.69, "lon": 109.02}
CORNERS = [(0.1, 0.9, 0, 0), (0.9, 0.9, 0, 10), (0.7, 0.5, 30, 10), (0.3, 0.5, 30, 0)]
GROUND = [
    {"x": x, "y": y, "lat": 32.69 + north / 110_900, "lon": 109.02 + east / 93_700}
    for x, y, north, east in CORNERS
]


@pytest.fixture
def base(tmp_path):
    cameras = [
        {"id": name, "source": "rtsp://10.0.0.7/a", "position": PLACE, "zones": [ZONE]}
        for name in ("gate", "yard")
    ]
    return EdgeConfig.model_validate(
        {"device": "box-0007", "data_dir": tmp_path, "cameras": cameras}
    )


@pytest.fixture
def open_revisions(tmp_path, base):
    opened = []

    def build(config=base):
        opened.append(Revisions(tmp_path / "revision.json", config))
        opened[-1].adopted = []
        opened[-1].on_adopt = opened[-1].adopted.append
        return opened[-1]

    yield build
    for each in opened:
        each.close()


def push(rev=1, at=None, calendar=None, **cameras):
    doc = {"cameras": cameras} | ({"calendar": calendar} if calendar else {})
    return ConfigPush(dev="box-0007", rev=rev, at=at or 1000 * rev, by="li", doc=doc)


def answer(revisions, given):
    said = queue.Queue()
    revisions.take(given, said.put)
    return said.get(timeout=5)


def dwells(revisions):
    return {camera.id: camera.zones[0].dwell_s for camera in revisions.config.cameras}


def test_a_revision_is_in_force_at_once_for_the_cameras_it_changes(open_revisions):
    revisions = open_revisions()
    reply = answer(revisions, push(gate={"zones": [ZONE | {"dwell_s": 300}]}))
    assert (reply.id, reply.st) == ("config-1", CommandState.DONE)
    assert (revisions.number, dwells(revisions)) == (1, {"gate": 300, "yard": 60})
    ((camera,),) = revisions.adopted
    assert (camera.id, camera.source, camera.zones[0].dwell_s) == ("gate", "rtsp://10.0.0.7/a", 300)
    (gate, _) = revisions.settings()
    assert (gate.revision, gate.doc["zones"][0]["dwell_s"]) == (1, 300)


FAULTY = [
    ({"gate": {"zones": [ZONE | {"dwel_s": 3}]}}, "cameras.gate.zones.0.dwel_s: unknown key"),
    ({"roof": {"zones": [ZONE]}}, "cameras.roof: this device has no such camera (it has gate"),
    ({"gate": {"zones": [ZONE | {"min_ground_m2": 2}]}}, "zones.0.min_ground_m2: 2 m² in zone 'a'"),
    ({"gate": {"source": "rtsp://evil/"}}, "cameras.gate.source: unknown key"),
    (
        {"gate": {"zones": [ZONE], "ground_points": [GROUND[0], *GROUND[:3]]}},
        "cameras.gate.ground_points: on the picture no four of the 4 points are spread out",
    ),
    (
        {"gate": {"zones": [ZONE | {"allowed_hours": [
            {"from": "05:00", "until": "08:00", "days": ["workdays"]}]}]}},
        "cameras.gate.zones.0: zone 'a' goes by workdays, but there is no calendar",
    ),
    ({"gate": {"zones": []}}, "cameras.gate.zones: List should have at least 1 item"),
]  # fmt: skip


@pytest.mark.parametrize(("cameras", "says"), FAULTY)
def test_what_does_not_fit_is_refused_whole_and_by_name(open_revisions, cameras, says):
    revisions = open_revisions()
    answer(revisions, push(1, gate={"zones": [ZONE | {"dwell_s": 300}]}))
    good = {"yard": {"zones": [ZONE | {"dwell_s": 900}]}}
    reply = answer(revisions, push(2, **good, **cameras))
    assert reply.st == CommandState.FAILED
    assert any(fault.startswith("cameras.") and says in fault for fault in reply.out["faults"])
    assert (revisions.number, dwells(revisions)) == (1, {"gate": 300, "yard": 60})
    assert (open_revisions().number, len(revisions.adopted)) == (1, 1)


def test_every_fault_is_named_at_once(open_revisions):
    bad = ZONE | {"polygon": [[0, 0], [1.5, 1], [1, 0]], "matters": {"garbage": "1"}, "severity": 9}
    reply = answer(open_revisions(), push(gate={"zones": [bad]}, yard={"zones": 3}))
    assert [fault.partition(":")[0] for fault in reply.out["faults"]] == [
        "cameras.gate.zones.0.polygon.1",
        "cameras.gate.zones.0.matters.garbage",
        "cameras.gate.zones.0.severity",
        "cameras.yard.zones",
    ]


def test_a_revision_outlives_a_restart_and_the_newest_wins(open_revisions):
    first = open_revisions()
    answer(first, push(1, gate={"zones": [ZONE | {"dwell_s": 300}]}))
    answer(first, push(2, gate={"zones": [ZONE | {"dwell_s": 400}], "ground_points": GROUND}))
    again = open_revisions()
    assert (again.number, dwells(again)["gate"]) == (2, 400)
    assert answer(again, push(2)).st == CommandState.DONE  # retained, and sent once more
    assert dwells(again)["gate"] == 400
    late = answer(again, push(1, gate={"zones": [ZONE]}))
    assert (late.st, late.why) == (CommandState.FAILED, "revision 2 is newer and in force")


def test_hours_and_days_travel_as_they_are_written(open_revisions):
    calendar = {"holidays": [{"from": "2026-10-01", "until": "2026-10-07"}, "2026-01-01"]}
    hours = [{"from": "05:00", "until": "08:30", "days": ["workdays"]}]
    permits = [
        {"number": "1", "holder": "王", "valid_from": "2026-05-01", "valid_until": "2026-05-31"}
    ]
    zone = ZONE | {"allowed_hours": hours, "permits": permits}
    revisions = open_revisions()
    assert answer(revisions, push(gate={"zones": [zone]}, calendar=calendar)).st == "done"
    gate, yard = revisions.settings()
    assert gate.doc["zones"][0]["allowed_hours"][0]["from"] == "05:00:00"
    assert gate.calendar["holidays"][0]["until"] == "2026-10-07"
    assert yard.calendar == gate.calendar
    assert [camera.id for camera in revisions.adopted[0]] == ["gate", "yard"]


def test_a_kept_revision_that_fits_the_file_no_longer_rests(open_revisions, base, caplog):
    answer(open_revisions(), push(gate={"zones": [ZONE | {"dwell_s": 300}]}))
    moved = base.model_copy(update={"cameras": base.cameras[1:]})
    rests = open_revisions(moved)
    assert (rests.number, dwells(rests)) == (0, {"yard": 60})
    assert "does not fit the device's file any more" in caplog.text
    assert open_revisions().number == 1


def test_a_damaged_file_leaves_the_devices_own_in_force(tmp_path, open_revisions, caplog):
    (tmp_path / "revision.json").write_bytes(b'{"dev":')
    assert open_revisions().number == 0
    assert "cannot be read" in caplog.text
