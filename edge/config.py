"""Every setting of an edge agent, checked before it starts; an unknown key is an error.

One YAML document per device. A camera file (for `tianyan edge replay --camera`) holds one
`CameraConfig` alone, or is a device's.
"""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    Tag,
    ValidationError,
    field_validator,
    model_validator,
)

from wire.calendar import Calendar
from wire.settings import Settings, sentences
from wire.track import ALARMS
from wire.zone import CameraSettings, Fraction, Id, calendar_faults

DeviceId = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{2,63}$")]

VehicleKind = Literal["spoil_truck", "sanitation_vehicle", "enforcement_vehicle"]

T = TypeVar("T", bound="Settings")

GATEWAY = "gateway"
"""What the server of the terminals is called in health messages."""
STANDARD_PROFILE = "standard"

LEAST_CLOSE_UP = 0.1

_TERMINAL = re.compile(r"[0-9a-f]{1,20}")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")


def _is_part(part: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    left, top, right, bottom = part
    if right - left < LEAST_CLOSE_UP or bottom - top < LEAST_CLOSE_UP:
        raise ValueError(
            "must be [left, top, right, bottom], fractions of the picture, at least"
            f" {LEAST_CLOSE_UP} wide and high"
        )
    return part


CloseUp = Annotated[tuple[Fraction, Fraction, Fraction, Fraction], AfterValidator(_is_part)]
"""A part of the picture: left, top, right, bottom, fractions."""


class Position(Settings):
    """Where a camera hangs: WGS-84 degrees, heading clockwise from north."""

    lat: Annotated[float, Field(ge=-90, le=90)]
    lon: Annotated[float, Field(ge=-180, le=180)]
    heading_deg: Annotated[float, Field(ge=0, lt=360)] | None = None
    fov_deg: Annotated[float, Field(gt=0, le=360)] | None = None


class Place(Settings):
    """WGS-84 degrees."""

    lat: Annotated[float, Field(ge=-90, le=90)]
    lon: Annotated[float, Field(ge=-180, le=180)]


class Mount(Settings):
    """How a camera sits on its vehicle.

    `height_m`: over the road. `tilt_deg`: how far it looks down. `bearing_deg`: clockwise from the
    vehicle's front (90 looks to the right). `fov_deg`: from the left to the right of its picture.
    """

    height_m: Annotated[float, Field(ge=0.5, le=10)] = 1.5
    tilt_deg: Annotated[float, Field(ge=-30, le=80)] = 5.0
    bearing_deg: Annotated[float, Field(ge=0, lt=360)] = 0.0
    fov_deg: Annotated[float, Field(ge=20, le=150)] = 70.0


class MovingPosition(Settings):
    """A camera that moves: where it is, a receiver of the same device says.

    `max_age_s`: so long after a fix the place is still known; later it is the last known one, with
    a radius. `home`: where the vehicle stands while its receiver has never had a fix; only a
    recording that is replayed can do without.
    `least_looks`: a thing is an alert when seen in so many looks along the way.
    """

    receiver: Id = Field(alias="from")
    max_age_s: Annotated[float, Field(ge=0.5, le=60)] = 3.0
    home: Place | None = None
    mount: Mount = Mount()
    least_looks: Annotated[int, Field(ge=2, le=100)] = 3


def _form(given: Any) -> str:
    keys = given if isinstance(given, dict) else dir(given)
    return "[moving]" if "from" in keys or "receiver" in keys else "[fixed]"


AnyPosition = Annotated[
    Annotated[Position, Tag("[fixed]")] | Annotated[MovingPosition, Tag("[moving]")],
    Discriminator(_form),
]


class CameraConfig(CameraSettings):
    """One camera: where its pictures come from, where it hangs, what it watches.

    `source`: rtsp(s)://, http(s)://, a file, a folder of pictures, or usb:N. `looks_per_s`: how
    often a frame is analysed. `idle_gap_s`: where nothing moves the next look may wait so long, but
    never more than a fifteenth of the shortest dwell; 0: it never waits. `real_time`: play a file
    at its own pace (else as fast as possible).
    `close_ups`: parts looked at once more at their own size, for far and small things; each costs
    one more inference a look. `calendar`: the device's where it lists nothing itself.
    """

    id: Id
    name: str = ""
    source: str = ""
    real_time: bool = True
    loop: bool = False
    looks_per_s: Annotated[float, Field(gt=0, le=30)] = 1.0
    idle_gap_s: Annotated[float, Field(ge=0, le=60)] = 4.0
    close_ups: Annotated[list[CloseUp], Field(max_length=8)] = []
    position: AnyPosition | None = None
    time_zone: str = "Asia/Shanghai"
    calendar: Calendar = Calendar()

    @property
    def fixed(self) -> Position | None:
        """Where it hangs, if it hangs anywhere."""
        return self.position if isinstance(self.position, Position) else None

    @property
    def moving(self) -> MovingPosition | None:
        """By what it knows where it is, if it moves."""
        return self.position if isinstance(self.position, MovingPosition) else None

    @model_validator(mode="after")
    def _moves_or_has_ground(self) -> Self:
        if self.moving and self.ground_points:
            raise ValueError(
                "ground_points: the ground of a camera that moves changes; give position.mount"
            )
        return self

    @field_validator("time_zone")
    @classmethod
    def _is_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(
                "no such time zone; write it like Asia/Shanghai (package tzdata has them all)"
            ) from None
        return name


class ReceiverConfig(Settings):
    """A GNSS receiver in a vehicle. `source`: serial:/dev/…[?baud=N], tcp://, udp://, a file.

    `report_every_s`: how long fixes are gathered for one message.
    """

    id: Id
    vehicle: str
    plate: str = ""
    kind: VehicleKind = "enforcement_vehicle"
    source: str
    real_time: bool = True
    loop: bool = False
    report_every_s: Annotated[float, Field(ge=0.5, le=300)] = 10.0


def _alarm(name: object) -> object:
    if name not in (allowed := sorted(ALARMS.values())):
        raise ValueError(f"is not one of {', '.join(allowed)}")
    return name


AlarmName = Annotated[str, BeforeValidator(_alarm)]


def _digits(name: object) -> object:
    # YAML reads 0137… as an octal number: what was written cannot be known any more.
    if not isinstance(name, str) or not _TERMINAL.fullmatch(name):
        raise ValueError("a terminal is named by 1 to 20 digits (0-9, a-f) in quotes")
    return name


TerminalDigits = Annotated[str, BeforeValidator(_digits)]


class BitsConfig(Settings):
    """Where a terminal says something: the status, or the additional item with the ID `item`.

    `bit` counts from the lowest of the number that the bytes (`size` of them from `offset`, or all)
    are, big-endian. While the bit `fault` of the same number is set, nothing is known.
    """

    item: Annotated[int, Field(ge=0, le=255)] | None = None
    offset: Annotated[int, Field(ge=0, le=254)] = 0
    size: Annotated[int, Field(ge=1, le=255)] | None = None
    bit: Annotated[int, Field(ge=0, le=2039)]
    fault: Annotated[int, Field(ge=0, le=2039)] | None = None


class SwitchConfig(BitsConfig):
    """Something that is so or not: 1 for so, or with `inverted` 0."""

    inverted: bool = False


class LoadConfig(BitsConfig):
    """The load: what the `width` bits from `bit` on mean; other numbers are unknown."""

    width: Annotated[int, Field(ge=1, le=8)] = 1
    meaning: Annotated[dict[int, Literal["empty", "half", "full"]], Field(min_length=1)] = {
        0: "empty",
        1: "full",
    }


class ValueConfig(Settings):
    """A number of a maker's own: big-endian bytes of the item with the ID `item`.

    The value is the number × `scale` + `shift`; `signed`: two's complement.
    """

    item: Annotated[int, Field(ge=0, le=255)]
    offset: Annotated[int, Field(ge=0, le=254)] = 0
    size: Annotated[int, Field(ge=1, le=8)] | None = None
    signed: bool = False
    scale: float = 1.0
    shift: float = 0.0


class ProfileConfig(Settings):
    """What a model of terminal says of the body, and where; null = it does not.

    The standard knows the load alone: status bits 8 and 9 (JT/T 808-2013 table 25). `faults`: bits
    by which it says that a sensor of these is at fault. `values`: numbers of its own items, by a
    name of yours. `doors_as_2013`: a 2019 terminal that takes 1 for "lock the doors".
    """

    load: LoadConfig | None = LoadConfig(bit=8, width=2, meaning={0: "empty", 1: "half", 3: "full"})
    hopper: SwitchConfig | None = None
    cover: SwitchConfig | None = None
    lift_inhibited: SwitchConfig | None = None
    locked: SwitchConfig | None = None
    speed_limited: SwitchConfig | None = None
    faults: Annotated[list[BitsConfig], Field(max_length=16)] = []
    values: Annotated[dict[Id, ValueConfig], Field(max_length=32)] = {}
    doors_as_2013: bool = False


class TerminalConfig(Settings):
    """A vehicle terminal: whose it is. `profile`: which of its bits mean load, hopper and cover."""

    vehicle: Annotated[str, Field(min_length=1, max_length=64)]
    plate: Annotated[str, Field(max_length=200)] = ""
    kind: VehicleKind = "spoil_truck"
    profile: str = STANDARD_PROFILE


class GatewayConfig(Settings):
    """The JT/T 808 server. `terminals`: the digits a terminal calls itself by, and its vehicle.

    `profiles`: models of terminals with bits of their own, by name.
    `alerts`: which alarm bits of the terminals become alerts, by name; all travel with the fixes.
    `secret_file`: the key of the terminals' authentication codes; without it one is drawn and kept
    in `data_dir`. `open`: terminals that are not listed may speak, each as a vehicle named by its
    digits. `login_s`, `idle_s`: how long a stranger has to authenticate, and how long a terminal
    may say nothing.
    """

    host: str = "0.0.0.0"  # noqa: S104 - terminals come from outside
    port: Annotated[int, Field(ge=1, le=65535)] = 8808
    secret_file: Path | None = None
    open: bool = False
    terminals: dict[TerminalDigits, TerminalConfig] = {}
    profiles: dict[Id, ProfileConfig] = {}
    alerts: list[AlarmName] = [
        "emergency", "stolen", "illegal_ignition", "illegal_movement", "collision",
        "rollover_warning",
    ]  # fmt: skip
    login_s: Annotated[float, Field(ge=1, le=600)] = 30.0
    idle_s: Annotated[float, Field(ge=10, le=86_400)] = 300.0
    connections: Annotated[int, Field(ge=1, le=200_000)] = 20_000

    @model_validator(mode="after")
    def _lists_each_once(self) -> Self:
        named = Counter(("terminal", digits.lstrip("0")) for digits in self.terminals)
        named.update(("vehicle", terminal.vehicle) for terminal in self.terminals.values())
        if repeated := [f"{what} {name!r}" for (what, name), count in named.items() if count > 1]:
            raise ValueError(f"terminals: listed more than once: {', '.join(repeated)}")
        known = {STANDARD_PROFILE: ProfileConfig()} | self.profiles
        for digits, terminal in self.terminals.items():
            if terminal.profile not in known:
                raise ValueError(
                    f"terminals.{digits}.profile: {terminal.profile!r} is not one of"
                    f" {', '.join(known)}"
                )
        if not self.terminals and not self.open:
            raise ValueError("terminals: at least one is needed, or `open: true`")
        return self


class BrokerConfig(Settings):
    """Where the hub's broker listens and who we are there. No default password."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 1883
    password_file: Path | None = None
    ca_file: Path | None = None


class EdgeConfig(Settings):
    """One device: an agent beside its cameras or in a vehicle."""

    device: DeviceId
    broker: BrokerConfig = BrokerConfig()
    data_dir: Path
    model: str = "street-n"
    generated: bool = False
    calendar: Calendar = Calendar()
    cameras: list[CameraConfig] = []
    receivers: list[ReceiverConfig] = []
    gateway: GatewayConfig | None = None

    @model_validator(mode="after")
    def _has_something_to_do(self) -> Self:
        if not self.cameras and not self.receivers and self.gateway is None:
            raise ValueError(
                "cameras, receivers, gateway: at least one camera, receiver or gateway is needed"
            )
        ids = [c.id for c in self.cameras] + [r.id for r in self.receivers]
        ids += [GATEWAY] if self.gateway else []
        if len(set(ids)) < len(ids):
            raise ValueError(f"cameras, receivers: each id once, got {ids}")
        if any(not camera.source for camera in self.cameras):
            raise ValueError("cameras: each needs a source (rtsp://…, a file, a folder, usb:0)")
        if any(camera.position is None for camera in self.cameras):
            raise ValueError("cameras: each needs a position {lat, lon}, or {from: RECEIVER}")
        faults = list(self._lost_cameras())
        faults += [
            f"cameras.{i}.{fault}"
            for i, camera in enumerate(self.cameras)
            for fault in calendar_faults(camera.zones, camera.calendar or self.calendar)
        ]
        if faults:
            raise ValueError("; ".join(faults))
        return self

    def _lost_cameras(self) -> Iterator[str]:
        receivers = [receiver.id for receiver in self.receivers]
        for i, camera in enumerate(self.cameras):
            if camera.moving and camera.moving.receiver not in receivers:
                yield (
                    f"cameras.{i}.position.from: {camera.moving.receiver!r} is not a receiver of"
                    f" this device ({', '.join(receivers) or 'there is none'})"
                )
            if camera.moving and camera.moving.home is None:
                yield (
                    f"cameras.{i}.position.home: is needed {{lat, lon}}; an alert lies there while"
                    " the receiver has never had a fix"
                )


class BadConfig(ValueError):
    """All errors of one file at once, each naming its key, the value and what is allowed."""

    def __init__(self, path: Path, errors: list[str]) -> None:
        """Collect `errors` of the file at `path`."""
        super().__init__("\n".join(f"{path}: {error}" for error in errors))
        self.path = path
        self.errors = errors


def load_camera(path: Path) -> CameraConfig:
    """Read a camera file: one camera alone, a list of one, or a device's file that has one.

    `FILE#ID` names one of several. Raises BadConfig with every error.
    """
    file, _, wanted = str(path).partition("#") if not path.exists() else (path, "", "")
    path = Path(file)
    document = _document(path)
    if isinstance(document, dict) and "cameras" in document:
        device = _validated(path, document, EdgeConfig)
        cameras = [with_calendar(camera, device.calendar) for camera in device.cameras]
    else:
        entries = document if isinstance(document, list) and document else [document]
        cameras = [_validated(path, entry, CameraConfig) for entry in entries]
    if wanted:
        cameras_there = ", ".join(camera.id for camera in cameras) or "none"
        cameras = [camera for camera in cameras if camera.id == wanted]
        if not cameras:
            raise BadConfig(path, [f"has no camera {wanted!r}; there are: {cameras_there}"])
    if len(cameras) != 1:
        names = ", ".join(f"{path}#{camera.id}" for camera in cameras) or "none"
        raise BadConfig(path, [f"must name one camera; there are: {names}"])
    [camera] = cameras
    if faults := list(calendar_faults(camera.zones, camera.calendar)):
        raise BadConfig(path, faults)
    return camera


def with_calendar(camera: CameraConfig, calendar: Calendar) -> CameraConfig:
    """The camera with the device's calendar, where it has none of its own."""
    return camera if camera.calendar else camera.model_copy(update={"calendar": calendar})


def load_edge(path: Path) -> EdgeConfig:
    """Read a device's configuration; relative paths are relative to the file.

    Raises BadConfig with every error.
    """
    return anchored(_load(path, EdgeConfig), path.absolute().parent)


def anchored(config: EdgeConfig, folder: Path) -> EdgeConfig:
    """The same with absolute paths: a service does not start where its file lies."""

    def absolute(path: Path | None) -> Path | None:
        return path and folder / path

    def source(address: str) -> str:
        return address if _SCHEME.match(address) else str(folder / address)

    broker = config.broker.model_copy(
        update={
            "password_file": absolute(config.broker.password_file),
            "ca_file": absolute(config.broker.ca_file),
        }
    )
    gateway = config.gateway and config.gateway.model_copy(
        update={"secret_file": absolute(config.gateway.secret_file)}
    )
    return config.model_copy(
        update={
            "broker": broker,
            "gateway": gateway,
            "data_dir": folder / config.data_dir,
            "cameras": [c.model_copy(update={"source": source(c.source)}) for c in config.cameras],
            "receivers": [
                r.model_copy(update={"source": source(r.source)}) for r in config.receivers
            ],
        }
    )


def _load(path: Path, kind: type[T]) -> T:
    return _validated(path, _document(path), kind)


def _document(path: Path) -> Any:
    try:
        # The loader is SafeLoader with one more refusal.
        return yaml.load(path.read_text(encoding="utf-8"), _OnceLoader)  # noqa: S506
    except OSError as fault:
        raise BadConfig(path, [f"cannot be read: {fault.strerror}"]) from None
    except (yaml.YAMLError, UnicodeDecodeError) as fault:
        raise BadConfig(path, [f"is not YAML: {fault}"]) from None


def _validated(path: Path, document: Any, kind: type[T]) -> T:
    if not isinstance(document, dict):
        raise BadConfig(path, ["must be a YAML mapping of settings"])
    try:
        return kind.model_validate(document)
    except ValidationError as fault:
        raise BadConfig(path, sentences(fault, kind)) from None


class _OnceLoader(yaml.SafeLoader):
    """YAML lets the last of two equal keys win in silence; here it is an error."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> Any:  # noqa: FBT001, FBT002
        """Read a mapping whose keys stand once each."""
        keys = Counter(each.value for each, _ in node.value if isinstance(each, yaml.ScalarNode))
        for key in (key for key, count in keys.items() if count > 1):
            raise yaml.MarkedYAMLError(
                problem=f"key {key!r} stands twice", problem_mark=node.start_mark
            )
        return super().construct_mapping(node, deep)
