"""Reports of terminals as tracks in a real outbox."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from edge.config import ProfileConfig
from edge.gps.jt808.position import read_position
from edge.gps.jt808.told import DriverCard, Report
from edge.gps.reports import OutboxReports
from edge.outbox import Outbox
from tests.edge.gps.jt808.reports import report
from wire.codec import decode
from wire.track import ACC_ON, EMERGENCY, FULL, VALID, Track, hopper_of, load_of

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


def test_states_and_alarms_travel_with_the_fix(outbox):
    maker = ProfileConfig.model_validate({"hopper": {"bit": 30}})
    OutboxReports(outbox, {"tipper": maker}).keep([
        told("tipper", at="261001195950", status=0b11 | 3 << 8),
        told("tipper", at="261001195950", status=0b11 | 3 << 8 | 1 << 30, alarm=1 << 29),
        told("other", at="261001195950", status=0b11 | 1 << 30),
    ])  # fmt: skip
    tipper, other = tracks(outbox)
    assert [(load_of(f.body), hopper_of(f.body), f.alarm) for f in tipper.fixes] == [
        (FULL, False, 0),
        (FULL, True, 1 << 29),
    ]
    assert hopper_of(other.fixes[0].body) is None


def test_a_change_without_a_sky_is_told_at_the_last_known_place(outbox):
    kept = OutboxReports(outbox)
    kept.keep([
        told(at="261001195950", lat=32.68, status=0b11),
        told(at="000000000000", lat=0, lon=0, status=0b01),
        told(at="000000000000", lat=0, lon=0, status=0b01 | 3 << 8),
        told(at="000000000000", lat=0, lon=0, status=0b01 | 3 << 8),
    ])  # fmt: skip
    (track,) = tracks(outbox)
    first, second = track.fixes
    assert (second.lat, second.lon, second.flags & VALID) == (first.lat, first.lon, 0)
    assert (load_of(second.body), second.ts) == (FULL, int(NOON.timestamp() * 1000))


def test_a_huge_backfill_is_several_messages(outbox):
    OutboxReports(outbox).keep([
        told(at=f"2610010{8 + n // 3600}{n // 60 % 60:02}{n % 60:02}", backfill=True)
        for n in range(1201)
    ])  # fmt: skip
    found = tracks(outbox)
    assert [(track.seq, len(track.fixes)) for track in found] == [(0, 500), (500, 500), (1000, 201)]


@pytest.mark.parametrize(
    ("at", "tq", "late_s"),
    [(NOON - timedelta(seconds=9), 2, 9), (None, 0, 0), (NOON - timedelta(days=9000), 0, 0)],
)
def test_a_drivers_card_is_a_message_of_its_own(outbox, at, tq, late_s):
    card = DriverCard("truck-7", True, at, NOON, "read", "王强", "612401", "安康", "2030-12-31")
    OutboxReports(outbox).keep([card, told()])
    first, second = outbox.take_due()
    assert (first.stream, second.stream) == ("driver", "track")
    sent = decode("driver", first.payload)
    assert (sent.vehicle, sent.inserted, sent.driver, sent.seq) == ("truck-7", True, "王强", 0)
    assert (sent.tq, sent.ts) == (tq, int(NOON.timestamp() * 1000) - late_s * 1000)
