"""What fuzzing starts from: right inputs made by our own encoders, and some that are not."""

import json
from pathlib import Path

from edge.gps.jt808.frame import Frame, encode
from edge.gps.jt808.position import ITEMS as KNOWN
from tests.edge.gps.jt808.reports import frame, header_2019, item, packets, report
from tests.edge.gps.lines import gga, line, rmc
from tests.hub.grid.shapes import collection, feature, square

BATCH = b"\x00\x02\x01" + (len(report()).to_bytes(2) + report()) * 2
CARD = bytes.fromhex("0126100120000000") + b"\x04\xcd\xf5\xc7\xbf" + bytes(20) + b"\0" + bytes(4)
MEDIA = bytes.fromhex("0000000700000201") + report() + b"\xff\xd8\xff" * 30
PARAMETERS = bytes.fromhex("000502" + "0000000104" + "0000000a" + "0000008303" + "c9c247")
ITEMS = b"".join(item(number, bytes(lengths[0])) for number, (_, lengths, _) in KNOWN.items())
WIRES = [
    frame(0x0100, bytes(40)),
    encode(Frame(header_2019(0x0102), b"\x04code" + bytes(35))),
    frame(0x0200, report(items=ITEMS)),
    frame(0x0200, report(lat=0.000125, lon=0.000126)),
    frame(0x0704, BATCH),
    frame(0x0702, CARD),
    *packets(0x0801, MEDIA, 60),
    frame(0x0104, PARAMETERS),
    b"\x7e\x7d\x03\x7e",
]
LINES = [
    rmc() + gga(),
    rmc("120001.50", talker="BD") + line("GNZDA,120001.50,01,10,2026,00,00"),
    line("GNGNS,120002.00,3240.0,N,10902.0,E,AAN,09,0.9,250.5,-20.0,,,V"),
    rmc()[1:] + gga()[1:] + rmc("120003.00"),
    b"$GPRMC,1*00\r\n$$" + rmc("235959.99").rstrip(),
]
TABLE = (
    "time_utc,lat,lon,speed_kmh,load,hopper,cover_open\n"
    "2026-10-01T08:30:00Z,32.68,109.03,36.5,full,0,1\n"
    '2026-10-01T08:30:10Z,"32.69",109.04,,,,\n'
    "yesterday,91,x,,,,\n"
)
GRIDS = collection(feature("A", square(109.0, 32.0), level=1), feature("B", square(109.5, 32.0)))
SITES = {
    "type": "FeatureCollection",
    "features": [
        {
            "type": "Feature",
            "properties": {"name": "tip", "hours": [["08:00", "18:00"]]},
            "geometry": {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]]},
        }
    ],
}
FENCES = {
    "type": "Feature",
    "properties": {"code": "F1", "radius_m": 50, "hours": [["08:00", "18:00"]], "days": [1, 2]},
    "geometry": {"type": "Point", "coordinates": [109.02, 32.69]},
}
PERMITS = (
    "处置证号,车牌号,工地,消纳场,路线,时段,有效期起,有效期止\n"
    'A-1,陕G·D0001;陕G·D0002,江北工地,东坝消纳场,"109.02,32.69;109.03,32.70",22:00-05:00,'
    "2026-01-01,2026-12-31\n"
    "A-2,,x,y,1 2 3,25:00,2026-13-01,soon\n"
)
CUT = b"\x40"
"""The byte that says how the rest is cut."""

WORDS = (
    "type", "FeatureCollection", "Feature", "Polygon", "MultiPolygon", "coordinates", "geometry",
    "properties", "code", "name", "level", "parent", "hours", "crs", "features", "1e999", "NaN",
)  # fmt: skip


def seeds(name: str) -> list[bytes]:
    """Inputs for a target."""
    return {
        "jt808_stream": [CUT + wire for wire in WIRES] + [CUT + b"".join(WIRES)],
        "jt808_session": [CUT + wire for wire in WIRES] + [CUT + b"".join(WIRES)],
        "jt808_hex": [wire.hex(" ").encode() + b"\n" for wire in WIRES],
        "jt808_body": [
            bytes([n, v]) + body
            for n, body in enumerate((report(items=ITEMS), BATCH, CARD, MEDIA, PARAMETERS) * 4)
            for v in (0, 1)
        ],
        "nmea_stream": [CUT + each for each in LINES] + [CUT + b"".join(LINES)],
        "track_csv": [TABLE.encode(), TABLE.replace("\n", "\r\n").encode()],
        "grid_geojson": [json.dumps(GRIDS).encode()],
        "sites_geojson": [json.dumps(SITES).encode()],
        "fences_geojson": [json.dumps(FENCES).encode()],
        "permit_csv": [PERMITS.encode(), PERMITS.encode("gb18030")],
    }[name]


def write(name: str, folder: Path) -> Path:
    """Write a target's seeds and, beside the folder, its dictionary; give the dictionary."""
    for number, seed in enumerate(seeds(name)):
        (folder / f"{number:03d}").write_bytes(seed)
    words = folder.with_suffix(".dict")
    words.write_text("".join(f'"\\"{word}\\""\n' for word in WORDS), encoding="ascii")
    return words
