"""Orders to terminals, byte by byte as in the tables of the standard."""

import pytest

from edge.gps.jt808.orders import ORDERS, BadOrder, order_of

HERE, THERE = [32.69, 109.02], [32.68, 109.03]
LAT, LON, LAT2, LON2 = "01f2cf50", "067f8360", "01f2a840", "067faa70"
HOURS = "000000083000" + "000000180000"


def circle(**more):
    return {"fence": {"shape": "circle", "id": 7, "centre": HERE, "radius_m": 500} | more}


def polygon(**more):
    fence = {"shape": "polygon", "id": 9, "corners": [HERE, THERE, [32.68, 109.02]]}
    return {"fence": fence | more}


def route(**more):
    stretches = [
        {"at": HERE, "id": 3, "width_m": 30, "speed": {"top_kmh": 40}},
        {"at": THERE, "id": 4},
    ]
    return {"fence": {"shape": "route", "id": 5, "tell": "leave", "stretches": stretches} | more}


SPEED = {"top_kmh": 60, "seconds": 5, "night_kmh": 40}
STRETCH_1 = f"00000001 00000003 {LAT}{LON} 1e 02"
STRETCH_2 = f"00000002 00000004 {LAT2}{LON2} 32 00"

ROWS = [
    ("position", {}, "2013", 0x8201, ""),
    ("parameters", {}, "2019", 0x8104, ""),
    ("attributes", {}, "2013", 0x8107, ""),
    ("text", {"text": "停车"}, "2013", 0x8300, "0c cda3b3b5"),
    ("text", {"text": "停", "urgent": True, "speak": False}, "2013", 0x8300, "05 cda3"),
    ("text", {"text": "停"}, "2019", 0x8300, "0d 02 cda3"),
    ("text", {"text": "停", "urgent": True}, "2019", 0x8300, "0e 01 cda3"),
    ("set_parameters", {"parameters": {"0029": 10, "0031": 300, "0084": 2, "0083": "陕G"}}, "2013",
     0x8103, "04 00000029 04 0000000a 00000031 02 012c 00000084 01 02 00000083 03 c9c247"),
    ("set_parameters", {"parameters": {"F001": {"hex": "0102"}}}, "2013", 0x8103,
     "01 0000f001 02 0102"),
    ("parameters", {"names": ["interval_s", "0084"]}, "2013", 0x8106,
     "02 00000029 00000084"),
    ("set_parameters", {"parameters": {"interval_s": 10, "plate": "陕G"}}, "2019", 0x8103,
     "02 00000029 04 0000000a 00000083 03 c9c247"),
    ("track", {"interval_s": 5, "seconds": 300}, "2013", 0x8202, "0005 0000012c"),
    ("track", {"interval_s": 0}, "2013", 0x8202, "0000"),
    ("confirm_alarms", {"alarms": ["emergency", "area_crossed"]}, "2013", 0x8203,
     "0000 00100001"),
    ("confirm_alarms", {"alarms": ["illegal_movement"], "serial": 9}, "2019", 0x8203,
     "0009 10000000"),
    ("control", {"command": "reset"}, "2013", 0x8105, "04"),
    ("control", {"command": "radio_off"}, "2019", 0x8105, "07"),
    ("doors", {"locked": True}, "2013", 0x8500, "01"),
    ("doors", {"locked": True}, "2019", 0x8500, "0001 0001 00"),
    ("doors", {"locked": True, "as_2013": True}, "2019", 0x8500, "0001 0001 01"),
    ("photo", {}, "2013", 0x8801, "01 0001 0000 00 02 05 80 40 40 80"),
    ("photo", {"channel": 3, "count": 4, "interval_s": 10, "size": "1024x768", "quality": 1},
     "2019", 0x8801, "03 0004 000a 00 04 01 80 40 40 80"),
    ("set_fence", circle(), "2013", 0x8600, f"01 01 00000007 0028 {LAT}{LON} 000001f4"),
    ("set_fence", circle(tell="none", hours=["08:30", "18:00"]), "2013", 0x8600,
     f"01 01 00000007 0001 {LAT}{LON} 000001f4 {HOURS}"),
    ("set_fence", circle(tell="enter", speed=SPEED), "2013", 0x8600,
     f"01 01 00000007 000a {LAT}{LON} 000001f4 003c 05"),
    ("set_fence", circle(tell="leave", speed=SPEED, name="停"), "2019", 0x8600,
     f"01 01 00000007 0022 {LAT}{LON} 000001f4 003c 05 0028 0002 cda3"),
    ("set_fence", circle(centre=[-32.69, -109.02], tell="none"), "2013", 0x8600,
     f"01 01 00000007 00c0 {LAT}{LON} 000001f4"),
    ("set_fence", {"fence": {"shape": "rectangle", "id": 8, "north_west": HERE,
                             "south_east": THERE}}, "2013", 0x8602,
     f"01 01 00000008 0028 {LAT}{LON}{LAT2}{LON2}"),
    ("set_fence", polygon(), "2013", 0x8604,
     f"00000009 0028 0003 {LAT}{LON} {LAT2}{LON2} {LAT2}{LON}"),
    ("set_fence", polygon(hours=["08:30", "18:00"], speed=SPEED), "2019", 0x8604,
     f"00000009 002b {HOURS} 003c 05 0003 {LAT}{LON} {LAT2}{LON2} {LAT2}{LON} 0028 0000"),
    ("set_fence", route(), "2013", 0x8606, f"00000005 0020 0002 {STRETCH_1} 0028 0a {STRETCH_2}"),
    ("set_fence", route(name="停"), "2019", 0x8606,
     f"00000005 0020 0002 {STRETCH_1} 0028 0a 0028 {STRETCH_2} 0002 cda3"),
    ("delete_fences", {"shape": "circle"}, "2013", 0x8601, "00"),
    ("delete_fences", {"shape": "rectangle", "ids": [1]}, "2013", 0x8603, "01 00000001"),
    ("delete_fences", {"shape": "polygon", "ids": [1, 2]}, "2013", 0x8605, "02 00000001 00000002"),
    ("delete_fences", {"shape": "route"}, "2019", 0x8607, "00"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "arguments", "version", "msg_id", "body"), ROWS)
def test_orders(name, arguments, version, msg_id, body):
    order = order_of(name, arguments, version)
    assert (order.msg_id, order.body.hex()) == (msg_id, body.replace(" ", ""))


def test_every_order_has_a_row():
    assert {row[0] for row in ROWS} == set(ORDERS)


@pytest.mark.parametrize(
    ("name", "arguments", "told"),
    [
        ("reboot", {}, "'reboot' is not one of text, position"),
        ("text", {}, "missing required field `text`"),
        ("text", {"text": "停" * 513}, "1026 bytes, at most 1024"),
        ("text", {"text": "a", "loud": True}, "loud"),
        ("set_parameters", {"parameters": {"0013": 5}}, "parameters.0013: 5 is not allowed"),
        ("set_parameters", {"parameters": {"0031": 70_000}}, "parameters.0031: 70000"),
        ("set_parameters", {"parameters": {"heartbeat": 1}}, "'heartbeat' is no parameter"),
        ("set_parameters", {"parameters": {"0013": "x" * 256}}, "256 bytes, at most 255"),
        ("parameters", {"names": ["speed"]}, "'speed' is no parameter: an ID in hex"),
        ("track", {"interval_s": -1}, "interval_s"),
        ("confirm_alarms", {"alarms": ["overspeed"]}, "'overspeed' is not one of emergency, "),
        ("control", {"command": "upgrade"}, "upgrade"),
        ("photo", {"channel": 0}, "channel"),
        ("set_parameters", {"parameters": {"F001": 1}}, "maker's own"),
        ("set_parameters", {"parameters": {"F001": {"hex": "0g"}}}, "parameters.F001"),
        ("set_fence", {"fence": {"shape": "oval", "id": 1}}, "oval"),
        ("set_fence", circle(radius_m=0), "radius_m"),
        ("set_fence", circle(hours=["8:30", "24:00"]), "hours"),
        ("set_fence", polygon(corners=[HERE, THERE]), "corners"),
        ("set_fence", polygon(corners=[HERE, THERE, [-1.0, 109.0]]), "both sides of the equator"),
        ("delete_fences", {"shape": "circle", "ids": list(range(126))}, "at most 125"),
    ],
)
def test_what_cannot_be_ordered_is_said(name, arguments, told):
    with pytest.raises(BadOrder, match=told):
        order_of(name, arguments, "2013")
