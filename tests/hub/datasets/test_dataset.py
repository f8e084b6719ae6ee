"""Verdicts become labelled pictures: which, with what truth, on which side; as folder and ZIP."""

import csv
import io
import zipfile
from dataclasses import replace
from hashlib import sha256
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from PIL import Image

from hub import decisions, pipeline, proving
from hub.alerts.alert import alert_id
from hub.alerts.correction import Correction, TrueBox
from hub.commands import export_dataset
from hub.datasets.archive import stream_zip, write_folder
from hub.datasets.dataset import Choice, Judged, Shown, Truth, collect, label_lines, manifest
from hub.datasets.store import Wanted, read
from hub.errors import HubError
from hub.roles import Actor, Role
from tests.hub.world import NOON, after, alert_message, known_alert, ms, received
from training.dataset import read_dataset
from wire.alert import Box, EvidenceRef

LABELS = ("street_vending", "garbage", "illegal_structure")
ZONE = ZoneInfo("Asia/Shanghai")
HEAP = Box("garbage", 0.9, 0.25, 0.5, 0.25, 0.25)
OPERATOR = Actor("wang", Role.OPERATOR)


def shown(name, at=NOON, role="clean", masked=True):
    return Shown(sha256(name.encode()).hexdigest(), "image/jpeg", role, at, masked)


def judged(
    name, decision="confirmed", *, boxes=(HEAP,), at=NOON, pictures=None, drawn=None, **more
):
    alert = known_alert(
        id=name, decision=decision, boxes=tuple(boxes), since=at, at=at, decided_at=at, **more
    )
    files = (shown(name, at),) if pictures is None else pictures
    correction = drawn and Correction(name, 1, drawn[0].sha256, drawn[1], at, "li", "operator")
    return Judged(alert, files, correction or None, "operator")


def gathered(*found, beside=(), **choice):
    by_camera = {}
    for alert in (*(one.alert for one in found), *beside):
        by_camera.setdefault(f"{alert.device}/{alert.source}", []).append(alert)
    return collect(found, by_camera, LABELS, ZONE, Choice(**choice))


def test_a_confirmed_alert_teaches_its_box_and_a_false_one_an_empty_street():
    yes, no = judged("yes", source="a"), judged("no", "false_alarm", source="b")
    by_alert = {s.alert.id: s for s in gathered(yes, no).samples}
    assert label_lines(by_alert["yes"], LABELS) == "1 0.375000 0.625000 0.250000 0.250000\n"
    assert label_lines(by_alert["no"], LABELS) == ""


def test_what_a_person_drew_counts_more_than_what_the_device_said():
    drawn = (shown("a"), (TrueBox("street_vending", 0, 0, 0.5, 0.5),))
    (sample,) = gathered(judged("a", drawn=drawn)).samples
    assert (sample.truth, sample.boxes[0].label) == (Truth.CORRECTED, "street_vending")


def test_boxes_drawn_on_the_picture_of_another_moment_go_with_that_picture():
    later = shown("later", after(60), role="after")
    one = judged("a", pictures=(shown("a"), later), drawn=(later, ()))
    (sample,) = gathered(one).samples
    assert (sample.picture, sample.boxes) == (later, ())


def test_a_false_alarm_beside_a_real_thing_is_no_empty_street():
    real = judged("real", at=after(-600), boxes=[Box("garbage", 0.9, 0.7, 0.1, 0.2, 0.2)]).alert
    (sample,) = gathered(judged("no", "false_alarm"), beside=[real]).samples
    assert [box.x for box in sample.boxes] == [0.7]
    over = replace(real, state="ended", ended_at=after(-300))
    (sample,) = gathered(judged("no", "false_alarm"), beside=[over]).samples
    assert sample.boxes == ()


@pytest.mark.parametrize(
    ("one", "beside", "choice", "why"),
    [
        (judged("a", pictures=()), [], {}, "no_picture"),
        (judged("a", pictures=(shown("a", role="annotated"),)), [], {}, "no_picture"),
        (judged("a", pictures=(shown("a", masked=False),)), [], {}, "not_masked"),
        (judged("a", boxes=()), [], {}, "no_box"),
        (judged("a", label="unknown_object"), [], {}, "other_label"),
        (judged("a", "false_alarm"), [judged("b", None).alert], {}, "undecided_beside"),
        (judged("a", generated=True), [], {}, "generated"),
        (judged("a", generated=True), [], {"generated": True}, None),
        (judged("a", pictures=(shown("a", masked=False),)), [], {"unmasked": True}, None),
    ],
)
def test_what_gives_no_picture_says_why(one, beside, choice, why):
    found = gathered(one, beside=beside, **choice)
    assert dict(found.skipped) == ({why: 1} if why else {})
    assert len(found.samples) == (why is None)


def test_one_picture_is_taken_once_and_the_drawn_boxes_win():
    picture = shown("same")
    said = judged("a", source="x", pictures=(picture,))
    drew = judged("b", source="x", pictures=(picture,), drawn=(picture, ()))
    for order in ((said, drew), (drew, said)):
        found = gathered(*order)
        assert [s.truth for s in found.samples] == [Truth.CORRECTED]
        assert found.skipped == {"repeated": 1}


def days(count, **more):
    return [
        judged(f"{place}-{day}-{i}", source=place, at=after(day * 86_400 + i * 60), **more)
        for place in ("gate", "market", "bridge")
        for day in range(count)
        for i in range(3)
    ]


def test_a_place_and_day_stays_on_one_side_and_never_changes_it():
    few, many = gathered(*days(4)), gathered(*days(12))
    sides = {}
    for sample in (*few.samples, *many.samples):
        assert sides.setdefault(sample.group, sample.split) == sample.split
    assert 0.05 < sum(s.split == "val" for s in many.samples) / len(many.samples) < 0.45
    assert {s.split for s in gathered(*days(1)).samples} == {"train", "val"}
    assert {s.split for s in gathered(*days(5), val_share=0).samples} == {"train"}


def test_the_manifest_names_roles_and_no_person():
    text = manifest(gathered(*days(1, decided_by="Wang Fang")), "city office", "internal")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert {row["decided_by_role"] for row in rows} == {"operator"}
    assert "Wang" not in text
    assert {(row["owner"], row["licence"]) for row in rows} == {("city office", "internal")}


# ---------------------------------------------------------------- out of a real hub


def jpeg(shade):
    file = io.BytesIO()
    Image.fromarray(np.full((36, 64, 3), shade, np.uint8)).save(file, "JPEG")
    return file.getvalue()


def tell(store, site, number, decision, *, camera="gate", at=NOON):
    """An alert with a masked picture, that a person decides on."""
    picture = jpeg(number * 7 % 250)
    name = sha256(picture).hexdigest()
    message = alert_message(
        number, alert=f"a-{number}", at=at, source=camera, boxes=[HEAP],
        evidence=[
            EvidenceRef(name, len(picture), "image/jpeg", "clean", ms(at), original="0" * 64),
            EvidenceRef("0" * 64, 9, "image/jpeg", "clean", ms(at), sealed=True),
        ],
    )  # fmt: skip
    with store.write() as tx:
        pipeline.take(tx, site, "alert", [received(message, at)])
    path = site.vault.path(name)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(picture)
    proving.file_arrived(store, name, "image/jpeg", len(picture), message.dev)
    if decision:
        decisions.decide(store, site, alert_id(message), decision, note="", actor=OPERATOR)
    return alert_id(message)


@pytest.fixture
def judged_site(store, site):
    for number in range(12):
        place, day = ("gate", "market", "bridge")[number % 3], number // 3
        decision = "confirmed" if number % 2 else "false_alarm"
        tell(store, site, number, decision, camera=place, at=after(day * 86_400))
    tell(store, site, 99, None, camera="new", at=NOON)
    return site


def taken(store, site, **choice):
    with store.read() as tx:
        return read(tx, site.config, Wanted(), Choice(**choice))


def test_the_folder_is_what_training_reads(store, judged_site, tmp_path):
    out = tmp_path / "export"
    found = taken(store, judged_site)
    write_folder(found, judged_site.vault, judged_site.config.learning, "Ankang", out)
    splits = {split: read_dataset(out / "data.yaml", split) for split in ("train", "val")}
    assert sum(len(each.pictures) for each in splits.values()) == 12
    boxes = [len(picture.boxes) for each in splits.values() for picture in each.pictures]
    assert (boxes.count(1), boxes.count(0)) == (6, 6)
    assert splits["train"].labels == LABELS
    with (out / "manifest.csv").open() as file:
        for row in csv.DictReader(file):
            assert sha256((out / row["file"]).read_bytes()).hexdigest() == row["sha256"]
            assert (row["owner"], row["masked"], row["generated"]) == ("Ankang", "yes", "no")
    assert not (tmp_path / ".export.part").exists()
    with pytest.raises(HubError, match="is there already"):
        write_folder(found, judged_site.vault, judged_site.config.learning, "Ankang", out)


def test_the_zip_holds_the_same_and_is_the_same_twice(store, judged_site, tmp_path):
    out, learning = tmp_path / "export", judged_site.config.learning
    found = taken(store, judged_site)
    write_folder(found, judged_site.vault, learning, "Ankang", out)
    first, second = (
        b"".join(stream_zip(taken(store, judged_site), judged_site.vault, learning, "Ankang"))
        for _ in range(2)
    )
    assert first == second
    with zipfile.ZipFile(io.BytesIO(first)) as archive:
        assert archive.testzip() is None
        for name in archive.namelist():
            assert (out / name).read_bytes() == archive.read(name)
        assert len(archive.namelist()) == sum(path.is_file() for path in out.rglob("*"))


def test_a_span_and_a_camera_can_be_asked_for(store, judged_site):
    with store.read() as tx:
        some = read(tx, judged_site.config, Wanted(camera="cam-1/gate"), Choice())
        late = read(tx, judged_site.config, Wanted(since=after(86_400)), Choice())
        early = read(tx, judged_site.config, Wanted(until=after(86_400)), Choice())
    assert (len(some.samples), len(late.samples), len(early.samples)) == (4, 9, 3)


@pytest.mark.parametrize(
    ("decision", "boxes", "skipped"),
    [("confirmed", [1], {}), ("false_alarm", [0], {}), (None, [], {"undecided_beside": 1})],
)
def test_what_was_told_before_the_span_is_still_beside(store, site, decision, boxes, skipped):
    tell(store, site, 1, decision)
    tell(store, site, 2, "false_alarm", at=after(60))
    with store.read() as tx:
        found = read(tx, site.config, Wanted(since=after(30)), Choice())
    assert [len(sample.boxes) for sample in found.samples] == boxes
    assert found.skipped == skipped


def test_the_command_writes_a_folder_from_a_configuration(sqlite_store, tmp_path):
    from tests.hub.world import make_site

    site = make_site(sqlite_store, tmp_path, database=str(sqlite_store.engine.url))
    tell(sqlite_store, site, 1, "confirmed")
    config = tmp_path / "hub.yaml"
    config.write_text(f"data_dir: .\ndatabase: {sqlite_store.engine.url}\n")
    (line,) = export_dataset(config, tmp_path / "out", Wanted(), Choice())
    assert line["summary"]["pictures"] == 1
    assert line["summary"]["boxes"]["garbage"] == 1


def test_the_api_counts_and_streams(hub, call):
    tell(hub.store, hub.site, 50, "confirmed", camera="yard")
    tell(hub.store, hub.site, 51, "false_alarm", camera="yard", at=after(86_400))
    assert call("GET", "/api/datasets/verdicts").json()["skipped"] == {"generated": 2}
    counted = call("GET", "/api/datasets/verdicts", params={"generated": True}).json()
    assert (counted["pictures"], counted["empty"], counted["boxes"]["garbage"]) == (2, 1, 1)
    answer = call("GET", "/api/datasets/verdicts.zip", params={"generated": True})
    assert answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert sum(name.startswith("images/") for name in archive.namelist()) == 2
