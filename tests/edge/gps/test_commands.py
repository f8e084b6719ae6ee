"""The lines of `tianyan gps decode`."""

import io
import json
import tracemalloc
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings, strategies as st

from edge.gps.commands import decode_jt808, decode_nmea
from tests.edge.gps.jt808.reports import frame, item, packets, report
from tests.edge.gps.lines import gga, line, rmc


def test_fixes_refusals_and_a_summary():
    bad = b"$GNRMC,1*00\r\n"
    lines = list(decode_nmea(io.BytesIO(rmc() + gga() + bad + rmc("120000.50", speed=""))))
    assert lines == [
        {
            "kind": "refused",
            "reason": "bad_checksum",
            "offset": len(rmc() + gga()),
            "raw": "$GNRMC,1*00",
        },
        {
            "kind": "fix",
            "at": "2026-10-01T12:00:00Z",
            "lat": 32.6666667,
            "lon": 109.0333333,
            "speed_kmh": 18.52,
            "heading_deg": 90.0,
            "alt_m": 250.5,
            "satellites": 9,
            "hdop": 0.9,
            "quality": "gnss",
        },
        {
            "kind": "fix",
            "at": "2026-10-01T12:00:00.500000Z",
            "lat": 32.6666667,
            "lon": 109.0333333,
            "speed_kmh": None,
            "heading_deg": 90.0,
            "alt_m": None,
            "satellites": None,
            "hdop": None,
            "quality": "gnss",
        },
        {
            "summary": {
                "sentences": 4,
                "checksum_ok": 3,
                "fixes": 2,
                "refused": 1,
                "reasons": {"bad_checksum": 1},
            }
        },
    ]
    assert json.loads(json.dumps(lines)) == lines


def test_a_reference_time_undoes_a_rollover_and_says_so():
    day = datetime(2026, 8, 30, tzinfo=UTC)
    (fix, _) = decode_nmea(io.BytesIO(rmc(date="130107")), received_at=day)
    assert (fix["at"], fix["said_at"]) == ("2026-08-29T12:00:00Z", "2007-01-13T12:00:00Z")


def test_nothing_at_all():
    assert list(decode_nmea(io.BytesIO(b""))) == [
        {"summary": {"sentences": 0, "checksum_ok": 0, "fixes": 0, "refused": 0, "reasons": {}}}
    ]


class Growing(io.RawIOBase):
    """A log of `size` bytes, made as they are read."""

    def __init__(self, size: int) -> None:
        self.left = size
        self.block = line("GPGSV,1,1,01,05,30,046,22") * 2000 + b"\xff" * 3000

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        size = min(len(buffer), len(self.block), self.left)
        buffer[:size] = self.block[:size]
        self.left -= size
        return size


def test_memory_does_not_grow_with_the_input():
    peaks = []
    for size in (200_000, 1_000_000):
        tracemalloc.start()
        for _ in decode_nmea(io.BufferedReader(Growing(size))):
            pass
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] * 1.5


# JT/T 808 ----------------------------------------------------------------------------------------


def test_a_report_in_full():
    body = report(items=item(0x01, b"\0\0\0\x0b") + item(0xEB, b"\x01") + b"\x33")
    (line, summary) = decode_jt808(io.BytesIO(frame(0x0200, body, serial=7)))
    assert line == {
        "kind": "message",
        "msg_id": 512,
        "version": "2013",
        "protocol_version": None,
        "phone": "013912344321",
        "terminal": "13912344321",
        "serial": 7,
        "encrypt": 0,
        "packets": 1,
        "body_len": len(body),
        "positions": [
            {
                "lat": 32.68,
                "lon": 109.03,
                "alt_m": 250,
                "speed_kmh": 36.5,
                "heading_deg": 90,
                "at": "2026-10-01T20:00:00+08:00",
                "valid": True,
                "acc": True,
                "load": 0,
                "alarm": 0,
                "alarms": [],
                "status": 3,
                "states": ["acc_on", "located"],
                "mileage_km": 1.1,
                "items": [{"id": 1, "hex": "0000000b"}, {"id": 235, "hex": "01"}],
                "items_ok": False,
                "items_unread": [],
                "rest_hex": "33",
                "backfill": False,
                "flags": [],
            }
        ],
    }
    assert summary["summary"]["messages"] == summary["summary"]["positions"] == 1
    assert json.loads(json.dumps(line)) == line


def test_lines_come_in_order_of_completion():
    first, second = packets(0x0704, b"\x00\x01\x00\x00\x1c" + report(), 20)
    stream = first + frame(0x0002) + b"noise" + second + frame(0x7777, b"\x01") + frame(0x0200)
    stream += frame(0x0102, b"\xff", encrypt=1) + packets(0x0801, b"xyz", 1)[2] + b"\x7e\x00"
    *lines, last = decode_jt808(io.BytesIO(stream))
    assert [(line["kind"], line.get("msg_id", line.get("reason"))) for line in lines] == [
        ("message", 0x0002),
        ("refused", "too_short"),
        ("message", 0x0704),
        ("message", 0x7777),
        ("message", 0x0200),
        ("message", 0x0102),
        ("refused", "cut"),
        ("incomplete", 0x0801),
    ]
    assert lines[2]["packets"] == 2
    assert lines[3]["body_hex"] == "01"
    assert "28 bytes needed, 0 given" in lines[4]["problem"]
    assert lines[5]["body_hex"] == "ff"
    assert lines[7]["missing"] == [1, 2]
    assert last["summary"] == {
        "frames": 7,
        "messages": 5,
        "positions": 1,
        "refused": 2,
        "incomplete": 1,
        "reasons": {"too_short": 1, "cut": 1},
    }


def test_hex_lines():
    wire = frame(0x0002).hex()
    text = f"{wire[:9]}\n{wire[9:10]}\n\n0x{wire[:6]}\n {wire[6:]} \nzz\n"
    lines = list(decode_jt808(io.BytesIO(text.encode()), is_hex=True))
    told = [(line.get("kind"), line.get("reason"), line.get("raw")) for line in lines]
    assert told == [
        ("refused", "bad_hex", wire[:9]),
        ("refused", "bad_hex", wire[9:10]),
        ("message", None, None),
        ("refused", "bad_hex", "zz"),
        (None, None, None),
    ]


@pytest.mark.parametrize(
    ("before", "between", "after"),
    [("\ufeff", "", "\r\n"), ("0x", " 0x", "\n"), ("", "  ", " \n"), ("0X", "\t", "")],
)
def test_hex_as_programs_write_it(before, between, after):
    wire = frame(0x0200, report())
    text = before + between.join(f"{byte:02X}" for byte in wire) + after
    (line, summary) = decode_jt808(io.BytesIO(text.encode()), is_hex=True)
    assert (line["msg_id"], len(line["positions"])) == (0x0200, 1)
    assert summary["summary"]["refused"] == 0


def test_a_recording_in_one_line_of_hex_is_read_to_its_end(monkeypatch):
    monkeypatch.setattr("edge.gps.commands.LONGEST_HEX_LINE", 101)
    text = frame(0x0002).hex(" ") * 40
    *lines, summary = decode_jt808(io.BytesIO(text.encode()), is_hex=True)
    assert [line["msg_id"] for line in lines] == [0x0002] * 40
    assert summary["summary"]["refused"] == 0


def test_a_packet_outside_its_total_is_refused():
    wire = frame(0x0801, b"x", total=2, number=3)
    (line, _) = decode_jt808(io.BytesIO(wire))
    assert (line["reason"], line["raw"]) == ("bad_packet_number", wire.hex())


@given(st.lists(st.one_of(
    st.binary(max_size=50),
    st.builds(frame, st.sampled_from([0x0100, 0x0102, 0x0200, 0x0704, 0x0801]),
              st.binary(max_size=80)),
    st.builds(lambda body: frame(0x0200, report() + body), st.binary(max_size=40)),
)), st.booleans())  # fmt: skip
@settings(max_examples=200, deadline=None)
def test_any_stream_is_decoded_to_json(pieces, is_hex):
    data = b"".join(pieces)
    stream = data.hex().encode() if is_hex else data
    *_, last = (json.loads(json.dumps(line, allow_nan=False))
                for line in decode_jt808(io.BytesIO(stream), is_hex=is_hex))  # fmt: skip
    assert set(last) == {"summary"}
