"""What a terminal tells that is to be kept: positions, pictures, who drives."""

from dataclasses import dataclass
from datetime import datetime

from edge.gps.jt808.body import Values
from edge.gps.jt808.position import Position
from wire.media import HEAD, type_of

CARD_RESULTS = ("read", "key_wrong", "card_locked", "card_pulled", "checksum_wrong")
"""How reading a driver's card went (0x0702)."""


@dataclass(frozen=True)
class Report:
    """A position of a vehicle, with the alarms that began and ended with it."""

    vehicle: str
    position: Position
    received_at: datetime
    raised: int = 0
    cleared: int = 0


@dataclass(frozen=True)
class Media:
    """A file a terminal sent (0x0801): `type` as for HTTP, `event` why it was made.

    `position`: where the vehicle was then, a report of the past. Events: 0 asked for, 1 timed,
    2 robbery, 3 collision or rollover, 4 door opened, 5 door closed, 6 at 20 km/h, 7 by distance.
    """

    vehicle: str
    event: int
    channel: int
    type: str
    data: bytes
    position: Position
    received_at: datetime


@dataclass(frozen=True)
class DriverCard:
    """A driver's card put in or taken out (0x0702). `read`: one of CARD_RESULTS, "" for out.

    The number of the driver's identity card, which 2019 adds, is not kept: nobody here needs it.
    """

    vehicle: str
    inserted: bool
    at: datetime | None
    received_at: datetime
    read: str = ""
    driver: str = ""
    certificate: str = ""
    issuer: str = ""
    expires_on: str = ""


Told = Report | Media | DriverCard


def media_type(values: Values) -> str | None:
    """What a file of 0x0801 is by its first bytes, whatever it is said to be; None: not kept."""
    return type_of(values["data"][:HEAD])


def media_of(vehicle: str, values: Values, received_at: datetime) -> Media:
    """Make it of a body whose type is known."""
    return Media(
        vehicle,
        values["media"]["event"],
        values["media"]["channel"],
        media_type(values) or "",
        values["data"],
        values["positions"][0],
        received_at,
    )


def driver_card_of(vehicle: str, values: Values, received_at: datetime) -> DriverCard:
    """Make it of the body of 0x0702."""
    result = values.get("read_result", 0)
    inserted = values["card"] == 1
    read = CARD_RESULTS[result] if result < len(CARD_RESULTS) else f"result_{result}"
    return DriverCard(
        vehicle,
        inserted,
        values["at"],
        received_at,
        read if inserted else "",
        *(values.get(name, "") for name in ("driver", "certificate", "issuer", "expires_on")),
    )
