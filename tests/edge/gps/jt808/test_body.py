"""What messages say, by message ID."""

from contextlib import suppress
from datetime import datetime

import pytest
from hypothesis import given, settings, strategies as st

from edge.gps.jt808.body import BODIES, read_body
from edge.gps.jt808.position import CHINA, BadBody
from tests.edge.gps.jt808.reports import header, header_2019, report

PLATE = "陕G12345".encode("gb18030")


def read(msg_id: int, body: bytes, *, v2019: bool = False):
    return read_body(header_2019(msg_id) if v2019 else header(msg_id), body)


def padded(text: bytes, size: int) -> bytes:
    return text.ljust(size, b"\0")


REGISTRATION_HEAD = b"\x00\x3d\x03\x86"  # Shaanxi 61, Ankang 0902
REGISTERED = {
    "province": 61,
    "city": 902,
    "maker": "70443",
    "model": "XHX00002",
    "terminal_id": "id00003",
    "plate_color": 2,
    "plate": "陕G12345",
}


@pytest.mark.parametrize(
    ("layout", "sizes", "v2019"),
    [
        ("2011", (5, 8, 7), False),
        ("2013", (5, 20, 7), False),
        ("2019", (11, 30, 30), True),
        ("2013", (5, 20, 7), True),
    ],
)
def test_registration_of_every_version(layout, sizes, v2019):
    maker, model, terminal = sizes
    body = (
        REGISTRATION_HEAD
        + padded(b"70443", maker)
        + padded(b"XHX00002", model)
        + padded(b"id00003", terminal)
        + b"\x02"
        + PLATE
    )
    assert read(0x0100, body, v2019=v2019) == {"layout": layout, **REGISTERED}


@pytest.mark.parametrize(
    ("msg_id", "body", "v2019", "values"),
    [
        (0x0001, "007b81030f", False, {"reply_serial": 123, "reply_msg_id": 0x8103, "result": 15}),
        (0x0002, "", False, {}),
        (0x0102, "636f6465", False, {"auth": "code"}),
        (
            0x0102,
            "04636f6465" + "31" * 15 + "332e372e31".ljust(40, "0"),
            True,
            {"auth": "code", "imei": "1" * 15, "software": "3.7.1"},
        ),
        (0x0102, "04636f6465", True, {"auth": "code"}),
        (
            0x0104,
            "0005020000000104000000" + "0a" + "00000020" + "02" + "0001",
            False,
            {
                "reply_serial": 5,
                "count": 2,
                "parameters": [
                    {"id": 1, "hex": "0000000a", "name": "heartbeat_s", "value": 10},
                    {"id": 32, "hex": "0001", "name": "report_strategy"},
                ],
            },
        ),
        (
            0x0104,
            "00050200000001040000000a000000",
            False,
            {
                "reply_serial": 5,
                "count": 2,
                "parameters": [
                    {"id": 1, "hex": "0000000a", "name": "heartbeat_s", "value": 10}
                ],
                "problem": "parameters: 2 announced, 1 whole, 3 bytes left",
            },
        ),
        (0x0005, "00090200010005", False, {"reply_serial": 9, "packets_missing": [1, 5]}),
        (0x0005, "0009000200010005", True, {"reply_serial": 9, "packets_missing": [1, 5]}),
        (
            0x0800,
            "0000006f0000077b",
            False,
            {"media": {"id": 111, "type": 0, "format": 0, "event": 7, "channel": 123}},
        ),
        (0x0805, "0009000002000000070000000a", False,
         {"reply_serial": 9, "result": 0, "media_ids": [7, 10]}),
        (0x0805, "000902", False, {"reply_serial": 9, "result": 2, "media_ids": []}),
        (0x0701, "00000003616263ff", False, {"waybill": b"abc"}),
        (0x0900, "f0010203", False, {"passthrough_type": 0xF0, "data": b"\1\2\3"}),
        (
            0x0702,
            "02261001200000",
            False,
            {"card": 2, "at": datetime(2026, 10, 1, 20, tzinfo=CHINA)},
        ),
        (0x7777, "00", False, None),
    ],
)  # fmt: skip
def test_values(msg_id, body, v2019, values):
    assert read(msg_id, bytes.fromhex(body), v2019=v2019) == values


def test_parameters_are_named_and_told_by_their_form():
    body = bytes.fromhex(
        "000504 00000083 03 c9c247 00000084 01 02 0000f001 02 0102 00000031 02 012c"
    )
    found = read(0x0104, body)
    assert found is not None
    said = [(each["id"], each.get("name"), each.get("value")) for each in found["parameters"]]
    assert said == [
        (0x83, "plate", "陕G"),
        (0x84, "plate_color", 2),
        (0xF001, None, None),
        (0x31, "fence_radius_m", 300),
    ]


def test_driver_card():
    body = bytes.fromhex("0126100120000000")
    name, issuer = "王强".encode("gb18030"), "安康".encode("gb18030")
    body += bytes([len(name)]) + name + padded(b"612401", 20) + bytes([len(issuer)]) + issuer
    body += bytes.fromhex("20301231")
    found = read(0x0702, body)
    assert found is not None
    assert found.pop("at").tzinfo == CHINA
    assert found == {
        "card": 1,
        "read_result": 0,
        "driver": "王强",
        "certificate": "612401",
        "issuer": "安康",
        "expires_on": "2030-12-31",
    }
    with_number = read(0x0702, body + padded(b"61240119800101001X", 20), v2019=True)
    assert with_number is not None
    assert with_number["identity_number"] == "61240119800101001X"


def test_the_driver_as_2011_says_it():
    name, issuer = "王强".encode("gb18030"), "安康".encode("gb18030")
    body = bytes([len(name)]) + name + padded(b"61240119800101001X", 20) + padded(b"612401", 40)
    assert read(0x0702, body + bytes([len(issuer)]) + issuer) == {
        "card": 1,
        "at": None,
        "read_result": 0,
        "driver": "王强",
        "identity_number": "61240119800101001X",
        "certificate": "612401",
        "issuer": "安康",
    }


@pytest.mark.parametrize(
    ("body", "values"),
    [
        ("02261001200000", {"card": 2}),
        ("0126100120000003", {"card": 1, "read_result": 3}),
        ("01261001200000", {"card": 1}),
    ],
)
def test_a_card_taken_out_or_not_read(body, values):
    found = read(0x0702, bytes.fromhex(body))
    assert found is not None
    assert found.pop("at").hour == 20
    assert found == values


@pytest.mark.parametrize(("kind", "backfill"), [(0, False), (1, True)])
def test_a_batch_says_whether_it_is_history(kind, backfill):
    one = report()
    body = b"\x00\x02" + bytes([kind]) + (len(one).to_bytes(2) + one) * 2
    found = read(0x0704, body)
    assert found is not None
    assert [position.backfill for position in found["positions"]] == [backfill, backfill]


def test_a_batch_trusts_lengths_and_loses_only_what_is_cut():
    one = report()
    body = b"\x00\x09\x00" + len(one).to_bytes(2) + one + b"\x00\x03abc" + b"\x00\x1c" + one[:9]
    found = read(0x0704, body)
    assert found is not None
    assert len(found["positions"]) == 1
    assert found["problem"].startswith("position: 28 bytes needed, 3 given")


def test_answered_position_and_media_carry_a_report():
    answered = read(0x0201, b"\x68\x62" + report())
    assert answered is not None
    assert answered["reply_serial"] == 0x6862
    media = read(0x0801, bytes.fromhex("0000006f0000077b") + report() + b"\xff\xd8jpeg")
    assert media is not None
    assert media["positions"][0].lat == answered["positions"][0].lat == 32.68
    assert media["data"] == b"\xff\xd8jpeg"


@given(st.sampled_from(sorted(BODIES)), st.binary(max_size=300), st.booleans())
@settings(max_examples=500, deadline=None)
def test_any_body_is_read_or_refused(msg_id, body, v2019):
    with suppress(BadBody):
        assert isinstance(read(msg_id, body, v2019=v2019), dict)


@pytest.mark.parametrize("msg_id", sorted(set(BODIES) - {0x0002, 0x0003, 0x0004, 0x0102}))
def test_a_body_too_short_says_what_is_missing(msg_id):
    with pytest.raises(BadBody, match=r"\d+ bytes needed, \d+ (given|left)"):
        read(msg_id, b"")
