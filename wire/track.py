"""A batch of fixes of one vehicle."""

from typing import Annotated

from msgspec import Meta, Struct

from wire.envelope import Envelope, Lat, Lon, Name, Seq, UnixMs

VALID = 1
ACC_ON = 2
EMERGENCY = 4
DEAD_RECKONED = 8


class TrackPoint(Struct, frozen=True, array_like=True):
    """One fix, written as an array: 49 bytes instead of 90.

    WGS-84 degrees; `speed_kmh` and `heading_deg` are null where the receiver did not say;
    `flags`: VALID, ACC_ON, EMERGENCY, DEAD_RECKONED.
    """

    seq: Seq
    ts: UnixMs
    lon: Lon
    lat: Lat
    speed_kmh: Annotated[float, Meta(ge=0, le=1000)] | None = None
    heading_deg: Annotated[float, Meta(ge=0, le=360)] | None = None
    flags: Annotated[int, Meta(ge=0, le=255)] = VALID


class Track(Envelope, kw_only=True, frozen=True):
    """Fixes in ascending order of `seq`; the envelope's `seq` is the first one's."""

    vehicle: Name
    fixes: Annotated[list[TrackPoint], Meta(min_length=1, max_length=1000)]
