"""What a terminal says of place, state and alarms: body of 0x0200 and of what carries one.

Source: JT/T 808-2013 table 23 to 27, 808-2019 table 23 to 33. Latitude and longitude are DWORD in
1e-6 degrees with the side in the status bits; times are BCD in GMT+8.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from edge.gps.errors import GpsError
from edge.gps.fix import Fix, undo_rollover
from wire.track import ALARMS

CHINA = timezone(timedelta(hours=8))
TOP_SPEED_KMH = 200.0
UNKNOWN_TYRE = 0xFF

_FIXED = struct.Struct(">IIIIhHH6s")
FIXED_SIZE = _FIXED.size

ACC_ON, LOCATED, SOUTH, WEST = 1 << 0, 1 << 1, 1 << 2, 1 << 3
ENCRYPTED = 1 << 5

STATES: dict[int, str] = {
    0: "acc_on", 1: "located", 2: "south", 3: "west", 4: "out_of_service",
    5: "coordinates_encrypted", 6: "forward_collision_warning", 7: "lane_departure_warning",
    10: "fuel_cut", 11: "circuit_cut", 12: "doors_locked", 13: "door_1_open", 14: "door_2_open",
    15: "door_3_open", 16: "door_4_open", 17: "door_5_open", 18: "gps", 19: "beidou",
    20: "glonass", 21: "galileo", 22: "moving",
}  # fmt: skip

CLEARED_BY_REPLY = sum(1 << bit for bit in (0, 3, 20, 21, 22, 27, 28, 31))
"""Alarm bits that stand until the platform confirms them; the others until the cause ends."""

SIGNALS: dict[int, str] = {
    0: "low_beam", 1: "high_beam", 2: "right_turn", 3: "left_turn", 4: "brake", 5: "reverse",
    6: "fog_light", 7: "outline_light", 8: "horn", 9: "air_conditioning", 10: "neutral",
    11: "retarder", 12: "abs", 13: "heater", 14: "clutch",
}  # fmt: skip
IO = {0: "deep_sleep", 1: "sleep"}
VIDEO_ALARMS = {
    0: "signal_lost", 1: "lens_covered", 2: "storage_fault", 3: "equipment_fault",
    4: "bus_overloaded", 5: "abnormal_driving", 6: "recording_nearly_full",
}  # fmt: skip
ABNORMAL_DRIVING = {0: "fatigue", 1: "phone", 2: "smoking"}


class BadBody(GpsError):
    """A body too short for what it should hold."""


@dataclass(frozen=True, slots=True)
class Item:
    """An additional item as sent; what `id` means beyond the standard is the maker's affair."""

    id: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Position:
    """One report. `lat` and `lon` are signed degrees as sent, even where they cannot be.

    `at`: the terminal's clock with its offset (+08:00), None when its digits are no time. `valid`:
    the terminal calls itself located. `load`: 0 empty, 1 half, 3 full. `values`: items of the
    standard by name and unit. `rest`: bytes of a last item that was cut off. `flags`: what cannot
    be right; such a report keeps its alarms and states, but its place belongs on no map.
    """

    alarm: int
    status: int
    lat: float
    lon: float
    alt_m: int
    speed_kmh: float
    heading_deg: int | None
    at: datetime | None
    items: tuple[Item, ...] = ()
    values: dict[str, Any] = field(default_factory=dict)
    rest: bytes = b""
    backfill: bool = False
    flags: tuple[str, ...] = ()

    @property
    def valid(self) -> bool:
        """Status bit 1: the place is the present one."""
        return bool(self.status & LOCATED)

    @property
    def acc(self) -> bool:
        """Status bit 0: the ignition is on."""
        return bool(self.status & ACC_ON)

    @property
    def load(self) -> int:
        """Status bits 8 and 9."""
        return self.status >> 8 & 3

    @property
    def states(self) -> list[str]:
        """Names of the status bits that are set."""
        return names_of(self.status, STATES)

    @property
    def alarms(self) -> list[str]:
        """Names of the alarm bits that are set."""
        return names_of(self.alarm, ALARMS)

    @property
    def items_unread(self) -> list[int]:
        """IDs of the standard's items whose length is not the standard's: their bytes stand."""
        return [each.id for each in self.items if each.id in ITEMS and not _is_whole(each)]

    def fix(self, received_at: datetime) -> Fix:
        """Give the position for the filters; without a place or time of its own not `located`.

        A time more than 512 weeks from `received_at` is repaired as a GPS week rollover. The time
        of a report without a valid place is not trusted: it is then `received_at`.
        """
        located = self.valid and self.at is not None and not self.status & ENCRYPTED
        said_at = (self.at or received_at).astimezone(UTC)
        at = undo_rollover(said_at, received_at) if located else received_at
        return Fix(
            at,
            self.lat,
            self.lon,
            speed_kmh=self.speed_kmh,
            heading_deg=self.heading_deg,
            alt_m=self.alt_m,
            satellites=self.values.get("satellites"),
            located=located,
            received_at=received_at,
            said_at=said_at if located and at != said_at else None,
        )


def names_of(bits: int, names: dict[int, str]) -> list[str]:
    """Name the set bits, lowest first; `bit_N` for one without a name."""
    return [names.get(n, f"bit_{n}") for n in range(bits.bit_length()) if bits >> n & 1]


def read_position(body: bytes, *, backfill: bool = False) -> Position:
    """Read 28 fixed bytes and the items behind them. Raises BadBody."""
    if len(body) < FIXED_SIZE:
        raise BadBody(f"position: {FIXED_SIZE} bytes needed, {len(body)} given")
    alarm, status, lat, lon, alt_m, speed, heading, time_bcd = _FIXED.unpack_from(body)
    items, rest = read_items(body[FIXED_SIZE:])
    at = read_time(time_bcd)
    north = -lat if status & SOUTH else lat
    east = -lon if status & WEST else lon
    return Position(
        alarm,
        status,
        lat=north / 1_000_000,
        lon=east / 1_000_000,
        alt_m=alt_m,
        speed_kmh=speed / 10,
        heading_deg=heading % 360 if heading <= 360 else None,
        at=at,
        items=items,
        values=_values(items),
        rest=rest,
        backfill=backfill,
        flags=tuple(name for name, holds in _FLAGS if holds(lat, lon, speed, heading, at)),
    )


_FLAGS: tuple[tuple[str, Callable[[int, int, int, int, datetime | None], bool]], ...] = (
    ("lat_lon_swapped", lambda lat, lon, *_: lat > 90_000_000 and lon <= 90_000_000),
    ("out_of_range", lambda lat, lon, *_: lat > 90_000_000 or lon > 180_000_000),
    ("zero", lambda lat, lon, *_: lat == 0 and lon == 0),
    ("too_fast", lambda _lat, _lon, speed, *_: speed >= TOP_SPEED_KMH * 10),
    ("bad_heading", lambda _lat, _lon, _speed, heading, _at: heading > 360),
    ("bad_time", lambda _lat, _lon, _speed, _heading, at: at is None),
)


def read_time(bcd: bytes) -> datetime | None:
    """Read BCD YYMMDDhhmmss in GMT+8; None when the digits are no time."""
    digits = bcd.hex()
    if not digits.isdecimal():
        return None
    year, month, day, hour, minute, second = (int(digits[n : n + 2]) for n in range(0, 12, 2))
    try:
        return datetime(2000 + year, month, day, hour, minute, second, tzinfo=CHINA)
    except ValueError:
        return None


def read_items(data: bytes) -> tuple[tuple[Item, ...], bytes]:
    """Split ID, length, value; give what is left of a last one that was cut off."""
    items = []
    at = 0
    while at + 2 <= len(data) and at + 2 + data[at + 1] <= len(data):
        end = at + 2 + data[at + 1]
        items.append(Item(data[at], data[at + 2 : end]))
        at = end
    return tuple(items), data[at:]


# Items of the standard: ID → name, length, how its value is read. Others stay raw.
_PLACE_TYPES = {0: "none", 1: "circle", 2: "rectangle", 3: "polygon", 4: "segment"}


def _number(data: bytes) -> int:
    return int.from_bytes(data)


def _tenths(data: bytes) -> float:
    return int.from_bytes(data) / 10


def _fuel(data: bytes) -> float | None:
    # The top bit is some makers' sign for "per cent"; litres it is not then.
    return None if data[0] & 0x80 else _tenths(data)


def _overspeed(data: bytes) -> dict[str, Any]:
    place = _PLACE_TYPES.get(data[0], str(data[0]))
    return {"place": place, "id": int.from_bytes(data[1:]) if len(data) > 1 else None}


def _crossing(data: bytes) -> dict[str, Any]:
    place = "route" if data[0] == 4 else _PLACE_TYPES.get(data[0], str(data[0]))
    return {"place": place, "id": int.from_bytes(data[1:5]), "leaving": data[5] == 1}


def _temperature(data: bytes) -> int:
    # JT/T 808-2019 table 27: the top bit is a sign, the rest a magnitude.
    value = int.from_bytes(data)
    return -(value & 0x7FFF) if value & 0x8000 else value


def _tyres(data: bytes) -> list[int | None]:
    return [None if each == UNKNOWN_TYRE else each for each in data]


def _analogue(data: bytes) -> dict[str, int]:
    return {"ad0": int.from_bytes(data[2:]), "ad1": int.from_bytes(data[:2])}


def _bits(names: dict[int, str]) -> Callable[[bytes], list[str]]:
    return lambda data: names_of(int.from_bytes(data), names)


def _numbered(data: bytes) -> list[int]:
    """Bits that are numbers of something, from 1."""
    bits = int.from_bytes(data)
    return [n + 1 for n in range(bits.bit_length()) if bits >> n & 1]


def _abnormal_driving(data: bytes) -> dict[str, Any]:
    kinds = names_of(int.from_bytes(data[:2]), ABNORMAL_DRIVING)
    return {"kinds": kinds, "fatigue_percent": data[2] if len(data) > 2 else None}


def _segment_time(data: bytes) -> dict[str, Any]:
    seconds = int.from_bytes(data[4:6])
    return {"id": int.from_bytes(data[:4]), "seconds": seconds, "too_long": data[6] == 1}


ITEMS: dict[int, tuple[str, tuple[int, ...], Callable[[bytes], Any]]] = {
    0x01: ("mileage_km", (4,), _tenths),
    0x02: ("fuel_l", (2,), _fuel),
    0x03: ("recorder_speed_kmh", (2,), _tenths),
    0x04: ("alarm_to_confirm", (2,), _number),
    0x05: ("tyres", (30,), _tyres),
    0x06: ("compartment_c", (2,), _temperature),
    0x11: ("overspeed_at", (1, 5), _overspeed),
    0x12: ("crossed", (6,), _crossing),
    0x13: ("segment_time", (7,), _segment_time),
    0x14: ("video_alarms", (4,), _bits(VIDEO_ALARMS)),
    0x15: ("video_lost_channels", (4,), _numbered),
    0x16: ("video_covered_channels", (4,), _numbered),
    0x17: ("storage_faults", (2,), _numbered),
    0x18: ("abnormal_driving", (2, 3), _abnormal_driving),
    0x25: ("vehicle_signals", (4,), _bits(SIGNALS)),
    0x2A: ("io", (2,), _bits(IO)),
    0x2B: ("analogue", (4,), _analogue),
    0x30: ("rssi", (1,), _number),
    0x31: ("satellites", (1,), _number),
}


def _is_whole(item: Item) -> bool:
    return len(item.data) in ITEMS[item.id][1]


def _values(items: tuple[Item, ...]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for item in items:
        if item.id not in ITEMS or not _is_whole(item):
            continue
        name, _, read = ITEMS[item.id]
        if (value := read(item.data)) is not None:
            values[name] = value
    return values
