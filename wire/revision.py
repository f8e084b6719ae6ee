"""The configuration the hub wants a device to run with, and what the device runs with.

A device's file stays the base: broker, sources and secrets never travel. What does travel is
numbered, taken whole or not at all, and answered with a `Reply` to the id of `reply_id`.
"""

from typing import Annotated, Any

from msgspec import Meta
from pydantic import Field

from wire.calendar import Calendar
from wire.envelope import DeviceId, Name, Seq, Text, UnixMs, Versioned
from wire.settings import Settings
from wire.zone import CameraSettings, Id

MOST_CAMERAS = 500
_REPLY = "config-"


class Revision(Settings):
    """Settings of cameras by their id; those not named stay as the device's file has them.

    `calendar`: in place of the device's own.
    """

    cameras: Annotated[dict[Id, CameraSettings], Field(max_length=MOST_CAMERAS)] = {}
    calendar: Calendar | None = None


class ConfigPush(Versioned, kw_only=True, frozen=True):
    """Hub to device, retained: run with `doc`, a `Revision`, from now on. `at`: ms UTC."""

    dev: DeviceId
    rev: Annotated[int, Meta(ge=1, le=2**53)]
    at: UnixMs
    by: Text = ""
    doc: dict[str, Any]


class SettingsReport(Versioned, kw_only=True, frozen=True):
    """Device to hub: the settings `camera` runs with, and the revision in force (0 = none).

    Sent after the birth and after each change. `doc`: `CameraSettings`; `calendar`: `Calendar`.
    """

    dev: DeviceId
    camera: Name
    revision: Seq = 0
    doc: dict[str, Any]
    calendar: dict[str, Any] = {}


def reply_id(rev: int) -> str:
    """What a device's answer to a revision is called."""
    return f"{_REPLY}{rev}"


def revision_of(reply: str) -> int | None:
    """The revision a reply is about; None when it is about a command."""
    number = reply.removeprefix(_REPLY)
    return int(number) if number != reply and number.isdecimal() else None
