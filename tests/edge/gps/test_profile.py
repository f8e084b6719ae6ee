"""What a model's bits say of load, hopper and cover."""

import pytest
from pydantic import ValidationError

from edge.config import GatewayConfig, ProfileConfig
from edge.gps.jt808.position import read_position
from edge.gps.profile import body_state, own_values
from tests.edge.gps.jt808.reports import item, report
from wire.track import (
    cover_of,
    has_sensor_fault,
    hopper_of,
    lift_inhibited_of,
    load_of,
    locked_of,
    speed_limited_of,
)

STANDARD = ProfileConfig()
IN_STATUS = ProfileConfig.model_validate(
    {"load": {"bit": 28}, "hopper": {"bit": 30}, "cover": {"bit": 29, "inverted": True}}
)
IN_ITEM = ProfileConfig.model_validate({
    "load": None,
    "hopper": {"item": 0xE1, "bit": 10, "fault": 30},
    "cover": {"item": 0xE1, "bit": 9, "fault": 29},
})  # fmt: skip
INSIDE_ITEM = ProfileConfig.model_validate(
    {"hopper": {"item": 0xF3, "offset": 2, "size": 1, "bit": 0}}
)


def status(*bits):
    return sum(1 << bit for bit in bits)


ROWS = [
    (STANDARD, status(), b"", (0, None, None)),
    (STANDARD, status(8), b"", (1, None, None)),
    (STANDARD, status(9), b"", (None, None, None)),
    (STANDARD, status(8, 9), b"", (3, None, None)),
    (IN_STATUS, status(), b"", (0, False, True)),
    (IN_STATUS, status(28, 29, 30), b"", (3, True, False)),
    (IN_STATUS, status(8, 9), b"", (0, False, True)),
    (IN_ITEM, status(8, 9), b"", (None, None, None)),
    (IN_ITEM, 0, item(0xE1, status(10).to_bytes(4)), (None, True, False)),
    (IN_ITEM, 0, item(0xE1, status(9, 10, 30).to_bytes(4)), (None, None, True)),
    (IN_ITEM, 0, item(0xE1, status(9, 10, 29).to_bytes(4)), (None, True, None)),
    (IN_ITEM, 0, item(0xE1, b"\x06"), (None, None, None)),
    (IN_ITEM, 0, item(0xE1, b""), (None, None, None)),
    (IN_ITEM, 0, item(0xE2, status(10).to_bytes(4)), (None, None, None)),
    (INSIDE_ITEM, 0, item(0xF3, b"\xff\xff\x01\xff"), (0, True, None)),
    (INSIDE_ITEM, 0, item(0xF3, b"\xff\xff\x00\xff"), (0, False, None)),
    (INSIDE_ITEM, 0, item(0xF3, b"\xff\xff"), (0, None, None)),
]


@pytest.mark.parametrize(("profile", "bits", "items", "expected"), ROWS)
def test_states(profile, bits, items, expected):
    body = body_state(profile, read_position(report(status=bits, items=items)))
    assert (load_of(body), hopper_of(body), cover_of(body)) == expected


@pytest.mark.parametrize(
    ("profile", "told"),
    [
        ({"hopper": {"bit": -1}}, "hopper.bit"),
        ({"hopper": {"item": 256, "bit": 0}}, "hopper.item"),
        ({"load": {"bit": 8, "meaning": {0: "vacant"}}}, "load.meaning"),
        ({"tipper": {"bit": 1}}, "tipper"),
    ],
)
def test_a_wrong_profile_is_refused(profile, told):
    with pytest.raises(ValidationError, match=told):
        ProfileConfig.model_validate(profile)


def test_a_profile_nobody_wrote_is_refused():
    terminals = {"1": {"vehicle": "t", "profile": "maker-c"}}
    with pytest.raises(ValidationError, match=r"'maker-c' is not one of standard, maker-b"):
        GatewayConfig.model_validate({"terminals": terminals, "profiles": {"maker-b": {}}})


MUCK_TRUCK = ProfileConfig.model_validate({
    "lift_inhibited": {"bit": 27},
    "locked": {"bit": 25, "inverted": True},
    "speed_limited": {"item": 0xE1, "bit": 0},
    "faults": [{"item": 0xE1, "bit": 25}],
    "values": {
        "weight_kg": {"item": 0xE2, "size": 2, "scale": 10},
        "tilt_deg": {"item": 0xE2, "offset": 2, "size": 1, "signed": True, "shift": 0.5},
    },
})  # fmt: skip


@pytest.mark.parametrize(
    ("bits", "items", "expected"),
    [
        (status(), b"", (False, True, None, False)),
        (status(25, 27), b"", (True, False, None, False)),
        (0, item(0xE1, status(0).to_bytes(4)), (False, True, True, False)),
        (0, item(0xE1, status(25).to_bytes(4)), (False, True, False, True)),
    ],
)
def test_what_else_a_muck_truck_says(bits, items, expected):
    body = body_state(MUCK_TRUCK, read_position(report(status=bits, items=items)))
    said = (lift_inhibited_of(body), locked_of(body), speed_limited_of(body))
    assert (*said, has_sensor_fault(body)) == expected


def test_a_sensor_at_fault_is_told_of():
    at_fault = item(0xE1, status(30).to_bytes(4))
    assert has_sensor_fault(body_state(IN_ITEM, read_position(report(items=at_fault))))
    assert not has_sensor_fault(body_state(IN_ITEM, read_position(report())))


@pytest.mark.parametrize(
    ("items", "values"),
    [
        (item(0xE2, bytes.fromhex("04d2fe")), {"weight_kg": 12340.0, "tilt_deg": -1.5}),
        (item(0xE2, bytes.fromhex("04d2")), {"weight_kg": 12340.0}),
        (item(0xE2, b"\x04"), {}),
        (item(0xE3, bytes.fromhex("04d2fe")), {}),
        (b"", {}),
    ],
)
def test_numbers_of_a_makers_own(items, values):
    assert own_values(MUCK_TRUCK, read_position(report(items=items))) == values
