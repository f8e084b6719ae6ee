"""Reports of terminals as tracks in a real outbox."""

from datetime import UTC, datetime

import msgspec
import pytest

from edge.gps.jt808.position import read_position
from edge.gps.jt808.session import Report
from edge.gps.reports import OutboxReports
from edge.outbox import Outbox
from tests.edge.gps.jt808.reports import report
from wire.codec import decode
from wire.track import ACC_ON, EMERGENCY, VALID, Track

NOON = datetime(2026, 10, 1, 12, tzinfo=UTC)


@pytest.fixture
def outbox(tmp_path):
    box = Outbox(tmp_path / "outbox.db", "gateway-1", now_ms=lambda: 1_790_000_000_000)
    yield box
    box.close()


def told(vehicle: str = "truck-7", *, backfill: bool = False, **changes) -> Report:
    return Report(vehicle, read_position(report(**changes), backfill=backfill), NOON)


def tracks(outbox: Outbox) -> list[Track]:
    items = sorted(outbox.take_due(), key=lambda item: item.seq)
    found = [decode("track", item.payload) for item in items]
    assert all(isinstance(each, Track) for each in found)
    return [msgspec.convert(each, Track) for each in found]


def test_one_message_a_vehicle_numbered_without_holes(outbox):
    OutboxReports(outbox).keep([
        told("a", at="261001195950"),
        told("b", at="261001195950"),
        told("a", at="261001195955", lat=32.6801),
    ])  # fmt: skip
    first, second = tracks(outbox)
    assert (first.vehicle, [fix.seq for fix in first.fixes]) == ("a", [0, 1])
    assert (second.vehicle, second.seq) == ("b", 2)
    assert first.fixes[1].lat == 32.6801
    assert first.fixes[0].ts == int(NOON.timestamp() * 1000) - 10_000
    assert (first.tq, first.hist, first.fixes[0].speed_kmh) == (2, False, 36.5)


def test_flags(outbox):
    OutboxReports(outbox).keep([
        told(at="261001195950", status=0b10),
        told(at="261001195951", alarm=1),
        told(at="261001195951", alarm=0),
        told(at="261001195951", alarm=0),
    ])  # fmt: skip
    (track,) = tracks(outbox)
    flags = [fix.flags for fix in track.fixes]
    assert flags == [VALID, VALID | ACC_ON | EMERGENCY, VALID | ACC_ON]


def test_backfill_is_marked_and_does_not_disturb_the_live_track(outbox):
    kept = OutboxReports(outbox)
    kept.keep([told(at="261001195950")])
    kept.keep([
        told(at="261001080000", lat=33.5, backfill=True),
        told(at="261001080010", lat=33.5001, backfill=True),
        told(at="261001195955"),
    ])  # fmt: skip
    assert [(track.hist, len(track.fixes)) for track in tracks(outbox)] == [
        (False, 1),
        (True, 2),
        (False, 1),
    ]


def test_bad_fixes_are_counted_by_their_reason_and_go_nowhere(outbox):
    kept = OutboxReports(outbox)
    kept.keep([
        told(status=1),
        told(lat=109.03, lon=32.68),
        told(at="261001195950"),
        told(at="261001195951", lat=33.68),
        told(speed_kmh=1000.1),
    ])  # fmt: skip
    assert kept.verdicts == {
        "not_located": 1, "out_of_range": 1, "good": 1, "jump": 1, "too_fast": 1,
    }  # fmt: skip
    assert [len(track.fixes) for track in tracks(outbox)] == [1]
