"""What a device says of itself: online or not, what it is, how it is, what it had to discard."""

from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct

from wire.envelope import DeviceId, Envelope, Epoch, Lat, Lon, Name, Seq, Text, UnixMs, Versioned
from wire.update import ModelState


class CameraState(StrEnum):
    """Whether a camera can be judged by; anything but `ok` is blind time.

    `black`: no picture. `dark`: a picture, too dark to judge. `frozen`: the same again and again.
    """

    STARTING = "starting"
    OK = "ok"
    STALLED = "stalled"
    FROZEN = "frozen"
    BLACK = "black"
    DARK = "dark"
    OVER_EXPOSED = "over_exposed"
    OUT_OF_FOCUS = "out_of_focus"
    BLOCKED = "blocked"
    MOVED = "moved"
    UNREACHABLE = "unreachable"


class ReceiverState(StrEnum):
    """Whether a receiver gives positions."""

    STARTING = "starting"
    OK = "ok"
    NO_SKY = "no_sky"
    LOST = "lost"


class State(Versioned, kw_only=True, frozen=True):
    """Retained, and the will. The birth of session n+1 overrides a late will of session n."""

    dev: DeviceId
    online: bool
    epoch: Epoch
    session: Seq
    ts: UnixMs = 0


class CameraBirth(Struct, frozen=True, omit_defaults=True):
    """A camera as configured. Degrees; heading clockwise from north; zones by name."""

    id: Name
    name: Text
    lat: Lat
    lon: Lon
    heading_deg: float | None = None
    fov_deg: float | None = None
    zones: list[Text] = []


class VehicleBirth(Struct, frozen=True, omit_defaults=True):
    """A vehicle as configured; `kind`: spoil_truck, sanitation_vehicle, enforcement_vehicle."""

    id: Name
    plate: Text
    kind: Name


class Birth(Versioned, kw_only=True, frozen=True):
    """What the device is: version, cameras, vehicles, model, configuration revision.

    `generated`: its pictures or positions are made up (demonstration); shown wherever they are.
    `config_rev`: the device's file and the hub's revision in force, as `3fa…+12`; `revision`: that
    number alone, 0 = none. `more`: names further vehicles after a birth that could not hold all; it
    gives up none. `key`: the Ed25519 public key that its evidence is signed with, base64 without
    padding.
    """

    dev: DeviceId
    epoch: Epoch
    session: Seq
    ts: UnixMs
    agent: Text
    model: Text = ""
    config_rev: Text = ""
    revision: Seq = 0
    generated: bool = False
    cameras: Annotated[list[CameraBirth], Meta(max_length=500)] = []
    vehicles: Annotated[list[VehicleBirth], Meta(max_length=500)] = []
    more: bool = False
    key: Annotated[str, Meta(max_length=64)] = ""


class CameraHealth(Struct, frozen=True, omit_defaults=True):
    """State of a camera and since when (ms UTC); frames looked at since the agent started."""

    id: Name
    state: CameraState
    since: UnixMs
    frames: Seq = 0


class ReceiverHealth(Struct, frozen=True, omit_defaults=True):
    """State of a receiver and since when (ms UTC)."""

    id: Name
    state: ReceiverState
    since: UnixMs


class Health(Versioned, kw_only=True, frozen=True):
    """Every 30 s, and at once when a state changes. Depths count items without a receipt.

    `terminals`: how many vehicle terminals are connected to the device's gateway. `revision`: the
    hub's configuration in force.
    """

    dev: DeviceId
    ts: UnixMs
    uptime_s: float = 0
    outbox_depth: dict[str, int] = {}
    outbox_oldest_s: float = 0
    refused: int = 0
    disk_free_mb: float = 0
    cameras: list[CameraHealth] = []
    receivers: list[ReceiverHealth] = []
    terminals: Seq = 0
    revision: Seq = 0
    model: ModelState | None = None


class Gap(Envelope, kw_only=True, frozen=True):
    """Loss is never silent: `stream`'s numbers `first`..`last` were discarded, because `why`."""

    stream: Name
    first: Seq
    last: Seq
    why: Text


class HostState(Versioned, kw_only=True, frozen=True):
    """Retained, and the hub's will: devices re-send only while it is online."""

    hub: Name
    online: bool
    ts: UnixMs = 0
