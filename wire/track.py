"""A batch of fixes of one vehicle, with what its body does: load, hopper, cover, alarms.

The state of the body is one small number in each fix. Every part of it may be unknown, which is
another thing than empty, flat or closed: `body_of` packs it, `load_of` and the others read it.
"""

from typing import Annotated

from msgspec import Meta, Struct

from wire.envelope import Envelope, Lat, Lon, Name, Seq, UnixMs

VALID = 1
ACC_ON = 2
EMERGENCY = 4
DEAD_RECKONED = 8
TIME_REPAIRED = 16

EMPTY, HALF, FULL = 0, 1, 3
"""Loads as in status bits 8 and 9 of JT/T 808; 2 is reserved there."""

_LOAD, _LOAD_KNOWN = 3, 1 << 2
_HOPPER_RAISED, _HOPPER_KNOWN = 1 << 3, 1 << 4
_COVER_OPEN, _COVER_KNOWN = 1 << 5, 1 << 6
_LIFT_INHIBITED, _LIFT_KNOWN = 1 << 7, 1 << 8
_LOCKED, _LOCKED_KNOWN = 1 << 9, 1 << 10
_SPEED_LIMITED, _SPEED_KNOWN = 1 << 11, 1 << 12
_SENSOR_FAULT = 1 << 13

ALARMS: dict[int, str] = {
    0: "emergency", 1: "overspeed", 2: "fatigue", 3: "danger", 4: "gnss_fault", 5: "antenna_cut",
    6: "antenna_short", 7: "power_low", 8: "power_lost", 9: "display_fault", 10: "tts_fault",
    11: "camera_fault", 12: "card_reader_fault", 13: "overspeed_warning", 14: "fatigue_warning",
    15: "illegal_driving", 16: "tyre_pressure", 17: "right_turn_blind_spot",
    18: "driving_time_exceeded", 19: "parked_too_long", 20: "area_crossed", 21: "route_crossed",
    22: "segment_time", 23: "route_deviation", 24: "vss_fault", 25: "fuel_abnormal", 26: "stolen",
    27: "illegal_ignition", 28: "illegal_movement", 29: "collision", 30: "rollover_warning",
    31: "illegal_door_opening",
}  # fmt: skip
"""Alarm bits of a terminal: JT/T 808-2013 table 24, 808-2019 table 24."""


class TrackPoint(Struct, frozen=True, array_like=True):
    """One fix, written as an array: 53 bytes instead of 110.

    WGS-84 degrees; `speed_kmh` and `heading_deg` are null where the receiver did not say;
    `flags`: VALID, ACC_ON, EMERGENCY, DEAD_RECKONED, TIME_REPAIRED (a week
    rollover of the receiver's clock was undone). Without VALID the place is the last known one
    and only the states are news. `body`: see `body_of`. `alarm`: the bits of ALARMS that stand.
    """

    seq: Seq
    ts: UnixMs
    lon: Lon
    lat: Lat
    speed_kmh: Annotated[float, Meta(ge=0, le=1000)] | None = None
    heading_deg: Annotated[float, Meta(ge=0, le=360)] | None = None
    flags: Annotated[int, Meta(ge=0, le=255)] = VALID
    body: Annotated[int, Meta(ge=0, le=65_535)] = 0
    alarm: Annotated[int, Meta(ge=0, le=4_294_967_295)] = 0


class Track(Envelope, kw_only=True, frozen=True):
    """Fixes in ascending order of `seq`; the envelope's `seq` is the first one's."""

    vehicle: Name
    fixes: Annotated[list[TrackPoint], Meta(min_length=1, max_length=1000)]


def body_of(
    load: int | None = None,
    *,
    hopper: bool | None = None,
    cover_open: bool | None = None,
    lift_inhibited: bool | None = None,
    locked: bool | None = None,
    speed_limited: bool | None = None,
    sensor_fault: bool = False,
) -> int:
    """Pack the state of a vehicle's body; None = unknown.

    Bits 0-1 load, 2 load known, 3 hopper raised, 4 hopper known, 5 cover open, 6 cover known,
    7 lifting inhibited, 8 known, 9 locked, 10 known, 11 speed limited, 12 known, 13 a sensor of
    these says that it is at fault.
    """
    body = 0
    if load is not None:
        body |= (load & _LOAD) | _LOAD_KNOWN
    if hopper is not None:
        body |= _HOPPER_KNOWN | (_HOPPER_RAISED if hopper else 0)
    if cover_open is not None:
        body |= _COVER_KNOWN | (_COVER_OPEN if cover_open else 0)
    for said, known, on in (
        (lift_inhibited, _LIFT_KNOWN, _LIFT_INHIBITED),
        (locked, _LOCKED_KNOWN, _LOCKED),
        (speed_limited, _SPEED_KNOWN, _SPEED_LIMITED),
    ):
        if said is not None:
            body |= known | (on if said else 0)
    return body | (_SENSOR_FAULT if sensor_fault else 0)


def load_of(body: int) -> int | None:
    """EMPTY, HALF or FULL; None where unknown."""
    return body & _LOAD if body & _LOAD_KNOWN else None


def hopper_of(body: int) -> bool | None:
    """Whether the hopper is raised; None where unknown."""
    return bool(body & _HOPPER_RAISED) if body & _HOPPER_KNOWN else None


def cover_of(body: int) -> bool | None:
    """Whether the cover is open; None where unknown."""
    return bool(body & _COVER_OPEN) if body & _COVER_KNOWN else None


def lift_inhibited_of(body: int) -> bool | None:
    """Whether the hopper is kept from rising; None where unknown."""
    return bool(body & _LIFT_INHIBITED) if body & _LIFT_KNOWN else None


def locked_of(body: int) -> bool | None:
    """Whether the vehicle is locked; None where unknown."""
    return bool(body & _LOCKED) if body & _LOCKED_KNOWN else None


def speed_limited_of(body: int) -> bool | None:
    """Whether the vehicle is kept slow; None where unknown."""
    return bool(body & _SPEED_LIMITED) if body & _SPEED_KNOWN else None


def has_sensor_fault(body: int) -> bool:
    """Whether a sensor of the body says that it is at fault."""
    return bool(body & _SENSOR_FAULT)


def alarm_names(alarm: int) -> list[str]:
    """Name the alarm bits that are set, lowest first."""
    return [name for bit, name in ALARMS.items() if alarm >> bit & 1]
