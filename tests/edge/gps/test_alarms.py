"""Alarm bits as alerts in a real outbox: one a rise, one a fall."""

from datetime import UTC, datetime, timedelta

import pytest

from edge.detect.cover import Cover, _Eyes
from edge.detect.faces import NoFinder
from edge.gps.alarms import AlarmDesk, Heard
from edge.gps.fix import Fix
from edge.gps.jt808.position import read_position
from edge.gps.jt808.told import Media, Report
from edge.gps.reports import OutboxReports
from edge.outbox import ALERT, Outbox
from tests import media_files
from tests.edge.detect.scripted import Scripted
from tests.edge.gps.jt808.reports import report
from wire.codec import decode

NOON = datetime(2026, 10, 1, 12, tzinfo=UTC)
EMERGENCY, COLLISION, POWER_LOW = 1 << 0, 1 << 29, 1 << 7
WATCHED = ["emergency", "collision"]


@pytest.fixture
def outbox(tmp_path):
    box = Outbox(tmp_path / "outbox.db", "gateway-1", now_ms=lambda: 1_790_000_000_000)
    yield box
    box.close()


def alerts(outbox):
    items = [item for item in outbox.take_due() if item.stream == ALERT]
    return [decode("alert", item.payload) for item in items]


def heard(alarm, second=0, vehicle="truck-1", *, place=True, old=False):
    at = NOON + timedelta(seconds=second)
    return Heard(vehicle, alarm, at, Fix(at, 32.69, 109.02) if place else None, old)


ROWS = [
    ("nothing", [heard(0), heard(0, 10)], []),
    ("a held bit", [heard(COLLISION), heard(COLLISION, 10)], [("collision", "new", 0)]),
    ("a rise and a fall", [heard(EMERGENCY), heard(EMERGENCY, 10), heard(0, 20)],
     [("emergency", "new", 0), ("emergency", "end", 20)]),
    ("again", [heard(EMERGENCY), heard(0, 10), heard(EMERGENCY, 20)],
     [("emergency", "new", 0), ("emergency", "end", 10), ("emergency", "new", 20)]),
    ("two at once", [heard(EMERGENCY | COLLISION), heard(COLLISION, 10)],
     [("emergency", "new", 0), ("collision", "new", 0), ("emergency", "end", 10)]),
    ("one not watched", [heard(POWER_LOW), heard(0, 10)], []),
    ("two vehicles", [heard(EMERGENCY), heard(0, vehicle="truck-2")], [("emergency", "new", 0)]),
    ("no place yet", [heard(EMERGENCY, place=False), heard(EMERGENCY, 10)],
     [("emergency", "new", 10)]),
    ("from a blind area", [heard(EMERGENCY, old=True), heard(EMERGENCY, 1, old=True)],
     [("emergency", "end", 0)]),
    ("a blind area behind a live one", [heard(EMERGENCY, 60), heard(0, 1, old=True)],
     [("emergency", "new", 60)]),
]  # fmt: skip


@pytest.mark.parametrize(("told", "expected"), [row[1:] for row in ROWS], ids=[r[0] for r in ROWS])
def test_edges(tmp_path, outbox, told, expected):
    AlarmDesk(outbox, tmp_path / "open", WATCHED).take(told)
    found = alerts(outbox)
    seconds = [round(each.ts / 1000 - NOON.timestamp()) for each in found]
    assert [(a.label, a.state, s) for a, s in zip(found, seconds, strict=True)] == expected
    assert {each.source for each in found} <= {"truck-1"}
    assert {each.hist for each in found} <= {told[0].is_old}


def test_new_and_end_are_one_alert_though_the_program_died_between(tmp_path, outbox):
    AlarmDesk(outbox, tmp_path / "open", WATCHED).take([heard(EMERGENCY)])
    desk = AlarmDesk(outbox, tmp_path / "open", WATCHED)
    desk.take([heard(EMERGENCY, 60)])
    desk.take([heard(0, 120)])
    new, end = alerts(outbox)
    assert (new.alert, new.state, end.alert, end.state) == (end.alert, "new", new.alert, "end")
    assert AlarmDesk(outbox, tmp_path / "open", WATCHED).take([heard(0, 180)]) is None
    assert alerts(outbox) == []


JPEG = b"\xff\xd8\xff\xe0picture\xff\xd9"


def shown(event, *, at="261001195950", kind="image/jpeg", data=JPEG, **more):
    position = read_position(report(at=at, lat=32.68, lon=109.03, **more))
    return Media("truck-1", event, 1, kind, data, position, NOON)


def test_a_picture_joins_the_alarm_that_stands(tmp_path, outbox):
    kept = OutboxReports(outbox, alarms=AlarmDesk(outbox, tmp_path / "open", WATCHED))
    body = report(at="261001195945", alarm=COLLISION)
    kept.keep([Report("truck-1", read_position(body), NOON), shown(3)])
    new, update = alerts(outbox)
    assert (new.state, update.state, update.alert) == ("new", "update", new.alert)
    (picture,) = update.evidence
    assert outbox.file_path(picture.sha256).read_bytes() == JPEG
    assert (picture.size, picture.type, picture.role) == (len(JPEG), "image/jpeg", "clean")


@pytest.mark.parametrize(
    ("covered", "files"),
    [
        (None, [(JPEG, True)]),
        (JPEG, [(JPEG, False)]),
        (b"covered", [(b"covered", False), (JPEG, True)]),
    ],
)
def test_of_a_picture_only_what_is_covered_is_for_all_eyes(tmp_path, outbox, covered, files):
    desk = AlarmDesk(outbox, tmp_path / "open", WATCHED, lambda _: covered)
    OutboxReports(outbox, alarms=desk).keep([shown(0)])
    (alert,) = alerts(outbox)
    said = [(outbox.file_path(ref.sha256).read_bytes(), ref.sealed) for ref in alert.evidence]
    assert said == files
    original = alert.evidence[-1].sha256 if len(files) == 2 else None
    assert alert.evidence[0].original == original
    assert {file.sealed for file in outbox.files_due()} <= {sealed for _, sealed in files}


@pytest.mark.parametrize(("event", "label"), [(0, "vehicle_picture"), (3, "collision")])
def test_a_picture_alone_is_told_of_once(tmp_path, outbox, event, label):
    kept = OutboxReports(outbox, alarms=AlarmDesk(outbox, tmp_path / "open", WATCHED))
    kept.keep([shown(event)])
    kept.keep([shown(event)])
    first, again = alerts(outbox)
    assert (first.label, first.state, len(first.evidence)) == (label, "end", 1)
    assert (first.lat, first.lon, first.alert) == (32.68, 109.03, again.alert)
    assert outbox.depth()["evidence"] == 1


def test_a_picture_that_was_ordered_is_for_that_order_and_others_are_alerts(tmp_path, outbox):
    desk = AlarmDesk(outbox, tmp_path / "open", WATCHED)
    kept = OutboxReports(outbox, alarms=desk)
    desk.expect("truck-2", "of another vehicle")
    kept.keep([shown(0)])
    desk.expect("truck-1", "o-1")
    kept.keep([shown(0, at="261001195951"), shown(0, at="261001195952"), shown(1), shown(3)])
    desk.expect("truck-1", "o-2")
    kept.keep([shown(0, at="261001195953")])
    assert [each.order for each in alerts(outbox)] == ["", "o-1", "o-1", "", "", "o-2"]


def test_an_alarm_without_a_sky_lies_at_the_last_known_place(tmp_path, outbox):
    kept = OutboxReports(outbox, alarms=AlarmDesk(outbox, tmp_path / "open", WATCHED))
    bodies = [
        report(at="261001195950", lat=32.68, lon=109.03),
        report(at="000000000000", lat=0, lon=0, status=0b01, alarm=EMERGENCY),
    ]
    kept.keep([Report("truck-1", read_position(body), NOON) for body in bodies])
    (alert,) = alerts(outbox)
    assert (alert.lat, alert.lon, alert.place, alert.level) == (32.68, 109.03, "vehicle", 3)
    assert alert.ts == int(NOON.timestamp() * 1000)


@pytest.mark.parametrize("kind", ["audio/mpeg", "audio/wav", "video/x-ms-wmv", "video/mp4"])
def test_sounds_and_films_are_kept_as_they_are_and_sealed(tmp_path, outbox, kind):
    data = media_files.files()[kind]
    desk = AlarmDesk(outbox, tmp_path / "open", WATCHED, lambda _: b"a picture made of it")
    OutboxReports(outbox, alarms=desk).keep([shown(0, kind=kind, data=data)])
    (alert,) = alerts(outbox)
    (ref,) = alert.evidence
    assert (ref.type, ref.role, ref.sealed, ref.size) == (kind, "clip", True, len(data))
    assert outbox.file_path(ref.sha256).read_bytes() == data


def test_of_a_tif_everybody_sees_a_jpeg_and_the_original_is_sealed(tmp_path, outbox):
    data = media_files.tif()
    cover = Cover("street-n")
    cover._eyes = _Eyes(Scripted(lambda _: []), NoFinder())
    desk = AlarmDesk(outbox, tmp_path / "open", WATCHED, cover.cover)
    OutboxReports(outbox, alarms=desk).keep([shown(0, kind="image/tiff", data=data)])
    (alert,) = alerts(outbox)
    jpeg, original = alert.evidence
    assert (jpeg.type, jpeg.sealed, jpeg.original) == ("image/jpeg", False, original.sha256)
    assert outbox.file_path(jpeg.sha256).read_bytes()[:3] == b"\xff\xd8\xff"
    assert (original.type, original.sealed) == ("image/tiff", True)
    assert outbox.file_path(original.sha256).read_bytes() == data


@pytest.mark.parametrize("what", ["huge", "no size", "cut", "loop"])
def test_a_tif_that_would_fill_the_memory_is_not_unpacked(what):
    data = bytearray(media_files.tif())
    place = int.from_bytes(data[4:8], "little")
    if what == "huge":
        for entry in range(place + 2, place + 2 + 24, 12):
            if data[entry] in (0, 1) and data[entry + 1] == 1:
                data[entry + 2 : entry + 12] = b"\x04\0\x01\0\0\0\xff\xff\xff\x00"
    if what == "no size":
        data[place : place + 2] = b"\0\0"
    if what == "cut":
        del data[100:]
    if what == "loop":
        data[4:8] = b"\xff\xff\xff\xff"
    cover = Cover("street-n")
    cover._eyes = _Eyes(Scripted(lambda _: []), NoFinder())
    assert cover.cover(bytes(data)) is None
