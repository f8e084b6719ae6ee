"""What a position report says."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings, strategies as st

from edge.gps.filters import Memory, judge
from edge.gps.jt808.position import (
    CHINA,
    BadBody,
    Item,
    names_of,
    read_items,
    read_position,
    read_time,
)
from tests.edge.gps.jt808.reports import item, report

NOON = datetime(2026, 10, 1, 12, tzinfo=UTC)


def test_the_fixed_part():
    position = read_position(
        report(alarm=1 << 20 | 1, status=0b11 | 3 << 8 | 1 << 13, alt_m=-17, heading=359)
    )
    assert (position.lat, position.lon, position.alt_m) == (32.68, 109.03, -17)
    assert (position.speed_kmh, position.heading_deg) == (36.5, 359)
    assert position.at == datetime(2026, 10, 1, 20, tzinfo=CHINA)
    assert (position.valid, position.acc, position.load) == (True, True, 3)
    assert position.alarms == ["emergency", "area_crossed"]
    assert position.states == ["acc_on", "located", "bit_8", "bit_9", "door_1_open"]
    assert (position.items, position.rest, position.flags) == ((), b"", ())


@pytest.mark.parametrize(
    ("status", "lat", "lon"),
    [(0b0011, 32.68, 109.03), (0b0111, -32.68, 109.03), (0b1111, -32.68, -109.03)],
)
def test_sides_are_status_bits(status, lat, lon):
    position = read_position(report(status=status))
    assert (position.lat, position.lon) == (lat, lon)


@pytest.mark.parametrize(
    ("bcd", "at"),
    [
        ("200707192359", datetime(2020, 7, 7, 19, 23, 59, tzinfo=CHINA)),
        ("000000000000", None),
        ("261301000000", None),
        ("260230000000", None),
        ("261001240000", None),
        ("2610012000ff", None),
        ("000101000000", datetime(2000, 1, 1, tzinfo=CHINA)),
    ],
)
def test_times(bcd, at):
    assert read_time(bytes.fromhex(bcd)) == at


@pytest.mark.parametrize(
    ("changes", "flags"),
    [
        ({"lat": 109.03, "lon": 32.68}, ("lat_lon_swapped", "out_of_range")),
        ({"lat": 91.0, "lon": 109.03}, ("out_of_range",)),
        ({"lon": 180.5}, ("out_of_range",)),
        ({"lat": 0.0, "lon": 0.0}, ("zero",)),
        ({"speed_kmh": 200.0}, ("too_fast",)),
        ({"heading": 361}, ("bad_heading",)),
        ({"heading": 360}, ()),
        ({"at": "000000000000"}, ("bad_time",)),
    ],
)
def test_what_cannot_be_right_is_flagged_and_kept(changes, flags):
    position = read_position(report(**changes))
    assert position.flags == flags
    if "lat" in changes:
        assert position.lat == changes["lat"]


def test_heading_360_is_north():
    assert read_position(report(heading=360)).heading_deg == 0
    assert read_position(report(heading=400)).heading_deg is None


@pytest.mark.parametrize(
    ("sent", "values"),
    [
        (item(0x01, b"\0\0\0\x0b"), {"mileage_km": 1.1}),
        (item(0x02, b"\x01\xd4"), {"fuel_l": 46.8}),
        (item(0x02, b"\x80\x20"), {}),
        (item(0x03, b"\x07\xbf"), {"recorder_speed_kmh": 198.3}),
        (item(0x06, b"\x80\x05"), {"compartment_c": -5}),
        (item(0x06, b"\x00\x1e"), {"compartment_c": 30}),
        (item(0x11, b"\x00"), {"overspeed_at": {"place": "none", "id": None}}),
        (item(0x11, b"\x03\0\0\0\x07"), {"overspeed_at": {"place": "polygon", "id": 7}}),
        (item(0x12, b"\x04\0\0\0\x07\x01"),
         {"crossed": {"place": "route", "id": 7, "leaving": True}}),
        (item(0x13, b"\0\0\0\x07\0\x3c\x01"),
         {"segment_time": {"id": 7, "seconds": 60, "too_long": True}}),
        (item(0x05, b"\x20" * 4 + b"\xff" * 26), {"tyres": [32] * 4 + [None] * 26}),
        (item(0x14, b"\0\0\0\x05"), {"video_alarms": ["signal_lost", "storage_fault"]}),
        (item(0x15, b"\0\0\0\x05"), {"video_lost_channels": [1, 3]}),
        (item(0x16, b"\0\0\0\x80"), {"video_covered_channels": [8]}),
        (item(0x17, b"\x10\x01"), {"storage_faults": [1, 13]}),
        (item(0x18, b"\0\x03\x50"),
         {"abnormal_driving": {"kinds": ["fatigue", "phone"], "fatigue_percent": 80}}),
        (item(0x25, b"\0\0\x40\x21"),
         {"vehicle_signals": ["low_beam", "reverse", "clutch"]}),
        (item(0x2A, b"\0\x02"), {"io": ["sleep"]}),
        (item(0x2B, b"\x01\x02\x03\x04"), {"analogue": {"ad0": 0x0304, "ad1": 0x0102}}),
        (item(0x30, b"\x1e") + item(0x31, b"\x09"), {"rssi": 30, "satellites": 9}),
        (item(0x01, b"\0\x0b"), {}),
        (item(0xEB, b"vendor"), {}),
    ],
)  # fmt: skip
def test_items_by_name(sent, values):
    position = read_position(report(items=sent))
    assert position.values == values
    assert b"".join(item(each.id, each.data) for each in position.items) == sent


@pytest.mark.parametrize("rest", [b"\x33", b"\x33\x03\x01", b"\x01\x04\0\0\0"])
def test_a_cut_item_loses_only_itself(rest):
    items, left = read_items(item(0x31, b"\x09") + rest)
    assert (items, left) == ((Item(0x31, b"\x09"),), rest)


def test_items_of_a_wrong_length_are_named_and_keep_their_bytes():
    sent = item(0x01, b"\0\x0b") + item(0x31, b"\x09") + item(0x2B, b"") + item(0xEB, b"x")
    position = read_position(report(items=sent))
    assert (position.items_unread, position.values) == ([0x01, 0x2B], {"satellites": 9})
    assert [each.data for each in position.items] == [b"\0\x0b", b"\x09", b"", b"x"]


def test_too_short_is_an_error_that_says_so():
    with pytest.raises(BadBody, match="28 bytes needed, 27 given"):
        read_position(report()[:-1])


def test_names_of_bits():
    assert names_of(0b101, {0: "a"}) == ["a", "bit_2"]
    assert names_of(0, {}) == []


# Positions and the filters -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, ""),
        ({"status": 0b01}, "not_located"),
        ({"status": 0b100011}, "not_located"),
        ({"at": "000000000000"}, "not_located"),
        ({"lat": 0.0, "lon": 0.0}, "zero"),
        ({"lat": 109.03, "lon": 32.68}, "out_of_range"),
        ({"at": "261001201100"}, "future"),
        ({"speed_kmh": 300.0}, "too_fast"),
        ({"items": item(0x31, b"\x03")}, "low_quality"),
    ],
)
def test_the_filters_name_what_is_wrong(changes, reason):
    fix = read_position(report(**changes)).fix(received_at=NOON)
    assert judge(Memory(), fix)[1].reason == reason


def test_the_time_of_a_report_without_a_place_is_ours():
    fix = read_position(report(status=1, at="000101000000")).fix(received_at=NOON)
    assert (fix.at, fix.said_at, fix.located) == (NOON, None, False)


def test_a_located_terminal_1024_weeks_behind_is_repaired_and_says_so():
    said = datetime(2007, 1, 13, 12, tzinfo=CHINA)
    received_at = (said + timedelta(weeks=1024, seconds=2)).astimezone(UTC)
    fix = read_position(report(at="070113120000")).fix(received_at)
    assert fix.at == received_at - timedelta(seconds=2)
    assert fix.said_at == said


@given(st.binary(min_size=28, max_size=200))
@settings(max_examples=300, deadline=None)
def test_any_28_bytes_are_a_report_that_can_be_judged(body):
    position = read_position(body)
    sent = b"".join(item(each.id, each.data) for each in position.items)
    assert sent + position.rest == body[28:]
    judge(Memory(), position.fix(NOON))
