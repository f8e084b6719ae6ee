"""The lines of `tianyan gps decode`."""

import io
import json
import tracemalloc
from datetime import UTC, datetime

from edge.gps.commands import decode_nmea
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


class Endless(io.RawIOBase):
    """Three megabytes of log, made as they are read."""

    def __init__(self) -> None:
        self.left = 3_000_000
        self.block = line("GPGSV,1,1,01,05,30,046,22") * 2000 + b"\xff" * 3000

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        size = min(len(buffer), len(self.block), self.left)
        buffer[:size] = self.block[:size]
        self.left -= size
        return size


def test_memory_does_not_grow_with_the_input():
    tracemalloc.start()
    for _ in decode_nmea(io.BufferedReader(Endless())):
        pass
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1_000_000
