"""Every setting of the hub, checked before it starts; an unknown key is an error.

One YAML document. Relative paths are relative to the file.
"""

from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from hub.calendar.limit import Unit
from hub.errors import BadConfig

Port = Annotated[int, Field(ge=0, le=65535)]
Label = Annotated[str, Field(min_length=1, max_length=64)]
Clock = Annotated[str, Field(pattern=r"^(([01]\d|2[0-3]):[0-5]\d|24:00)$")]
PhotoFault = Literal[
    "same_file", "reused", "too_far", "before_dispatch", "in_future", "too_old", "no_time",
    "no_place",
]  # fmt: skip
VehicleAlert = Literal[
    "illegal_dumping", "no_permit", "off_hours", "off_route", "wrong_site", "uncovered_load",
    "overspeed", "night_running", "silent_moving", "offline", "jump", "idle",
    "fence_enter", "fence_exit", "fence_inside", "fence_cross",
]  # fmt: skip


class Settings(BaseModel):
    """What every section shares: unknown keys are refused, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=False)


class Listen(Settings):
    """Where the HTTP server listens; port 0 takes a free one."""

    host: str = "127.0.0.1"
    port: Port = 8000


class Broker(Settings):
    """The MQTT broker and who the hub is there.

    `shared`: whether members share the messages among them (`$share`); `auto` tries it out.
    `accounts_file`: the broker's own password file when the hub may add devices to it (a private
    Mosquitto); `pid_file` names the process that is told to read it again.
    """

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 1883
    username: str = "hub"
    password_file: Path | None = None
    ca_file: Path | None = None
    shared: Literal["auto", "yes", "no"] = "auto"
    accounts_file: Path | None = None
    pid_file: Path | None = None


class Receipts(Settings):
    """How long messages are gathered into one transaction, and how often receipts go out."""

    alert_gather_ms: Annotated[float, Field(ge=0, le=50)] = 5
    track_gather_ms: Annotated[float, Field(ge=0, le=1000)] = 50
    track_every_s: Annotated[float, Field(ge=0.1, le=5)] = 1.0


class Rule(Settings):
    """When an alert opens a case: when a person confirms it, or at once from these values on."""

    open_case: Literal["on_confirm", "at_once"] = "on_confirm"
    min_level: Annotated[int, Field(ge=1, le=3)] = 1
    min_score: Annotated[float, Field(ge=0, le=1)] = 0.0


class Dedupe(Settings):
    """Alerts of one matter this near in metres and seconds are one thing seen again.

    `passing_…`: where a camera in a vehicle saw one of them, in passing; it comes by again on
    another day, and tells two heaps apart that are further from each other.
    """

    radius_m: Annotated[float, Field(ge=0, le=500)] = 30
    within_s: Annotated[float, Field(ge=0, le=604_800)] = 900
    passing_radius_m: Annotated[float, Field(ge=0, le=100)] = 15
    passing_within_s: Annotated[float, Field(ge=0, le=2_592_000)] = 604_800


class Suppression(Settings):
    """When a place is held back: so many false alarms of one label within so many days.

    `overlap`: from which share (intersection over union) two boxes are one place. `for_days`: how
    long it is held back. `false_alarms: 0` switches it off.
    """

    false_alarms: Annotated[int, Field(ge=0, le=100)] = 3
    within_days: Annotated[float, Field(gt=0, le=365)] = 14
    for_days: Annotated[float, Field(gt=0, le=365)] = 14
    overlap: Annotated[float, Field(gt=0, le=1)] = 0.4


class Oidc(Settings):
    """The city's identity provider (OpenID Connect); off without an `issuer`.

    `claim`: what it calls a person by the name he has here. `label`: the words on the button.
    """

    issuer: Annotated[str, Field(max_length=200)] = ""
    client_id: Annotated[str, Field(max_length=200)] = ""
    client_secret_file: Path | None = None
    claim: Annotated[str, Field(min_length=1, max_length=64)] = "preferred_username"
    scopes: list[Annotated[str, Field(pattern=r"^[!#-\[\]-~]{1,64}$")]] = ["openid", "profile"]
    label: Annotated[str, Field(max_length=40)] = ""

    @model_validator(mode="after")
    def _is_whole(self) -> "Oidc":
        if bool(self.issuer) != bool(self.client_id):
            raise ValueError("issuer and client_id belong together")
        parts = urlsplit(self.issuer)
        is_here = parts.scheme == "http" and is_loopback(parts.hostname or "")
        if self.issuer and parts.scheme != "https" and not is_here:
            raise ValueError("issuer must begin with https://")
        return self


class Access(Settings):
    """People's sessions: how long one lasts at most, and how long nobody may use it."""

    session_hours: Annotated[float, Field(gt=0, le=168)] = 12
    idle_minutes: Annotated[float, Field(ge=1, le=10_080)] = 120
    oidc: Oidc = Oidc()

    @property
    def life(self) -> timedelta:
        """The longest life of a session."""
        return timedelta(hours=self.session_hours)

    @property
    def idle(self) -> timedelta:
        """After so long without use a session is over."""
        return timedelta(minutes=self.idle_minutes)


class Intake(Settings):
    """Reports by people and other systems.

    `same_case_m`: a report joins the open case of its matter this near. `public`: whether citizens
    may report and ask without an account; `per_hour`: how many reports one address may send.
    """

    same_case_m: Annotated[float, Field(ge=0, le=1000)] = 50
    public: bool = False
    per_hour: Annotated[int, Field(ge=1, le=10_000)] = 20


class After(Settings):
    """A time limit: so much of a unit."""

    number: Annotated[float, Field(gt=0, le=10_000)] = 1
    unit: Unit = Unit.WORK_DAY


class Escalation(Settings):
    """Whether a case goes up a level by itself that is overdue at one for so long."""

    on_overdue: bool = True
    after: After = After()


class Proof(Settings):
    """What proves that a case was dealt with, and how long it is watched afterwards.

    `photos: required`: no feedback without one. A photo is `too_far` from the case's place beyond
    `far_m`, `too_old` when taken `old_h` before the feedback. `refuse`: what refuses the feedback;
    the rest marks the photo. `look`: a camera that sees the place looks again after a feedback,
    `looks` times in `look_s`. `check: required`: no closing before a check found it gone.
    `watch_days`: how long after closing the same matter within `rebound_m` reopens the case.
    """

    photos: Literal["required", "optional"] = "required"
    max_photo_mb: Annotated[float, Field(gt=0, le=100)] = 20
    max_video_mb: Annotated[float, Field(gt=0, le=1000)] = 200
    max_mb_per_day: Annotated[float, Field(gt=0)] = 2000
    far_m: Annotated[float, Field(gt=0, le=10_000)] = 200
    old_h: Annotated[float, Field(gt=0, le=8760)] = 24
    refuse: list[PhotoFault] = [
        "same_file", "reused", "too_far", "before_dispatch", "in_future",
    ]  # fmt: skip
    look: bool = True
    look_s: Annotated[float, Field(ge=2, le=600)] = 60
    looks: Annotated[int, Field(ge=3, le=60)] = 12
    check: Literal["required", "optional"] = "required"
    watch_days: Annotated[float, Field(ge=0, le=365)] = 15
    watch_days_by_matter: dict[Label, Annotated[float, Field(ge=0, le=365)]] = {}
    rebound_m: Annotated[float, Field(gt=0, le=1000)] = 50


class Ledgers(Settings):
    """When a case or a place is in a ledger (台账).

    `long_days`: open for so long, or suspended or extended `long_times`. A place is recurring when
    the same matter came there `recur_times` within `recur_m` in `recur_days`.
    """

    long_days: Annotated[float, Field(gt=0, le=3650)] = 30
    long_times: Annotated[int, Field(ge=1, le=100)] = 2
    recur_times: Annotated[int, Field(ge=2, le=1000)] = 3
    recur_m: Annotated[float, Field(gt=0, le=1000)] = 50
    recur_days: Annotated[float, Field(gt=0, le=3650)] = 90


class Smtp(Settings):
    """The mail server for messages by e-mail. `password_file`: its first line."""

    host: str = ""
    port: Port = 587
    tls: Literal["starttls", "tls", "none"] = "starttls"
    username: str = ""
    password_file: Path | None = None
    sender: str = ""


class Out(Settings):
    """What goes out. `allow`: hosts and networks inside that webhooks may call, and by http.

    `keep_days`: how long messages that were sent or given up are kept.
    """

    allow: list[Annotated[str, Field(min_length=1, max_length=200)]] = []
    keep_days: Annotated[float, Field(ge=1, le=3650)] = 30
    smtp: Smtp = Smtp()


class Learning(Settings):
    """What verdicts become: the labels people may give, and whose the pictures are."""

    labels: Annotated[list[Label], Field(min_length=1)] = [
        "street_vending", "garbage", "illegal_structure",
    ]  # fmt: skip
    owner: str = ""
    licence: str = "not for publication"


class Quarantine(Settings):
    """Bounds of the store of refused messages."""

    max_rows: Annotated[int, Field(ge=1, le=1_000_000)] = 10_000
    max_rows_per_device: Annotated[int, Field(ge=1, le=100_000)] = 200
    keep_days: Annotated[float, Field(gt=0, le=3650)] = 30


class Evidence(Settings):
    """Limits of uploaded files. `grant_s`: how long a signed address holds."""

    max_image_mb: Annotated[float, Field(gt=0, le=100)] = 10
    max_clip_mb: Annotated[float, Field(gt=0, le=1000)] = 100
    max_pixels: Annotated[int, Field(ge=10_000, le=500_000_000)] = 50_000_000
    max_device_mb_per_day: Annotated[float, Field(gt=0)] = 5_000
    grant_s: Annotated[int, Field(ge=10, le=900)] = 900


class Retention(Settings):
    """How long things are kept."""

    track_days: Annotated[float, Field(gt=0, le=36_500)] = 365
    order_days: Annotated[float, Field(ge=1, le=36_500)] = 365
    event_rows: Annotated[int, Field(ge=100, le=1_000_000)] = 10_000


Amount = Annotated[float, Field(gt=0, le=1_000_000)]


class PatrolFrequency(Settings):
    """How often a grid must be visited: so many times in every day or week (from Monday)."""

    times: Annotated[int, Field(ge=1, le=100)] = 1
    period: Literal["day", "week"] = "day"


class Visits(Settings):
    """What makes a true visit: `dwell_s` seconds in a grid, not faster than `pace_kmh`.

    Between positions more than `leg_max_s` apart nobody knows; back within `again_s` is one visit.
    Within `stand_m` of a place for `stand_s` is standing; for more than `park_s` it is parking, and
    no looking.
    """

    pace_kmh: Amount = 20
    dwell_s: Amount = 20
    leg_max_s: Amount = 120
    again_s: Amount = 900
    stand_m: Amount = 20
    stand_s: Amount = 60
    park_s: Amount = 900


class Sweeping(Settings):
    """At which speed a sweeper sweeps, and how wide where nobody has said it of the vehicle."""

    least_kmh: Amount = 1.5
    most_kmh: Amount = 20
    width_m: Annotated[float, Field(gt=0, lt=100)] = 3
    leg_max_s: Amount = 60
    least_m: Amount = 10

    @model_validator(mode="after")
    def _speeds_ascend(self) -> Self:
        if self.most_kmh <= self.least_kmh:
            raise ValueError(f"most_kmh must be above least_kmh {self.least_kmh:g}")
        return self


class Attendance(Settings):
    """Tolerances of attendance; `silence_s`: between positions further apart nobody knows.

    `known_share`: the part of a shift with positions that makes an absence certain. `margin_m`:
    so near to the grid is inside.
    """

    silence_s: Amount = 600
    late_s: Annotated[float, Field(ge=0, le=86_400)] = 600
    early_s: Annotated[float, Field(ge=0, le=86_400)] = 600
    away_s: Annotated[float, Field(ge=0, le=86_400)] = 1800
    margin_m: Annotated[float, Field(ge=0, le=5000)] = 50
    known_share: Annotated[float, Field(gt=0, le=1)] = 0.8
    inside_s: Annotated[float, Field(ge=1, le=86_400)] = 60


class Patrol(Settings):
    """Patrols and duty. `frequency` by level of grids (安政发〔2020〕20号); 0 is a flat set.

    `kinds`: vehicles whose visits count, besides whatever people on duty carry.
    `every_s`: how often new fixes are looked at. `phone_acc_m`: a phone's position that may be
    further off proves nothing.
    """

    kinds: list[Label] = ["enforcement_vehicle"]
    sweeper_kinds: list[Label] = ["sanitation_vehicle"]
    frequency: dict[Annotated[int, Field(ge=0, le=9)], PatrolFrequency] = {
        0: PatrolFrequency(),
        1: PatrolFrequency(period="week"),
        2: PatrolFrequency(),
        3: PatrolFrequency(),
        4: PatrolFrequency(),
    }
    visits: Visits = Visits()
    sweeping: Sweeping = Sweeping()
    attendance: Attendance = Attendance()
    every_s: Annotated[float, Field(ge=10, le=3600)] = 60
    phone_acc_m: Amount = 100


class Vehicles(Settings):
    """By what vehicles are judged, by kind of vehicle.

    `speed_limits_kmh`: limits by kind, `default` for all others. `night`: hours of local time, and
    `night_kinds` those who are watched then. `trucks`: who needs a permit and may tip loads.
    `alerts`: what becomes an alert, at most one a vehicle and cause within `again_s`; the rest is
    stored. `thresholds`: of `hub.tracks.settings`. `judge: false` leaves it to `tianyan hub judge`.
    """

    judge: bool = True
    speed_limits_kmh: dict[Label, Annotated[float, Field(ge=5, le=300)]] = {
        "spoil_truck": 60, "sanitation_vehicle": 60,
    }  # fmt: skip
    night: list[tuple[Clock, Clock]] = [("23:00", "05:00")]
    night_kinds: list[Label] = []
    trucks: list[Label] = ["spoil_truck"]
    alerts: list[VehicleAlert] = [
        "illegal_dumping", "no_permit", "off_hours", "off_route", "wrong_site", "uncovered_load",
        "overspeed", "night_running", "silent_moving", "jump",
        "fence_enter", "fence_exit", "fence_inside", "fence_cross",
    ]  # fmt: skip
    again_s: Annotated[float, Field(ge=0, le=86_400)] = 7200
    thresholds: dict[Label, Annotated[float, Field(gt=0)]] = {}

    @field_validator("night")
    @classmethod
    def _are_hours(cls, night: list[tuple[str, str]]) -> list[tuple[str, str]]:
        if any(start == end for start, end in night):
            raise ValueError("an interval must not be empty")
        return night

    def limit_kmh(self, kind: str) -> float | None:
        """The speed limit of a kind of vehicle; None for no limit."""
        return self.speed_limits_kmh.get(kind, self.speed_limits_kmh.get("default"))


TileAddress = Annotated[
    str, Field(pattern=r"^https?://[^\s/]+/\S*\{[zxy]\}\S*\{[zxy]\}\S*\{[zxy]\}\S*$")
]


class View(Settings):
    """Where the map opens."""

    lat: Annotated[float, Field(ge=-90, le=90)] = 32.69
    lon: Annotated[float, Field(ge=-180, le=180)] = 109.03
    zoom: Annotated[float, Field(ge=0, le=22)] = 12


MediaUrl = Annotated[str, Field(max_length=500, pattern=r"^(https?://[^\s/]+/?\S*)?$")]
"""Where the site's own media server shows a camera; {device} and {camera} stand for its ids."""


class Live(Settings):
    """The live view: an order of `seconds`, again as long as somebody looks.

    At most `per_s` pictures a second, of `longest` pixels on the longer side and `most_kb` each.
    """

    seconds: Annotated[float, Field(ge=10, le=120)] = 60
    per_s: Annotated[float, Field(ge=0.1, le=4)] = 1
    longest: Annotated[int, Field(ge=160, le=1920)] = 960
    most_kb: Annotated[int, Field(ge=10, le=400)] = 120


class BaseMap(Settings):
    """Streets under the map; without it the map draws grids alone. Either `tiles` or `pmtiles`.

    `tiles`: addresses with {z}, {x} and {y}, XYZ or the tile address of a WMTS; a key stands in
    them. They come to the browser from where they are: the hub fetches none and lets pages ask
    those hosts alone. `pmtiles`: a PMTiles file (v3, pictures or Protomaps vector tiles) that the
    hub serves; its header says its zoom. `datum`: what the tiles are drawn in; only for gcj02 is
    what lies on them moved.
    """

    tiles: Annotated[list[TileAddress], Field(max_length=8)] = []
    pmtiles: Path | None = None
    tile_size: Literal[256, 512] = 256
    max_zoom: Annotated[int, Field(ge=1, le=24)] = 18
    datum: Literal["wgs84", "cgcs2000", "gcj02"] = "wgs84"
    attribution: Annotated[str, Field(max_length=200)] = ""

    @model_validator(mode="after")
    def _is_one_of_both(self) -> Self:
        if bool(self.tiles) == (self.pmtiles is not None):
            raise ValueError("either tiles (1 to 8 addresses) or pmtiles (a file) is needed")
        return self

    @property
    def hosts(self) -> list[str]:
        """The origins the tiles come from."""
        parts = (urlsplit(address) for address in self.tiles)
        return sorted({f"{part.scheme}://{part.netloc}" for part in parts})


class HubConfig(Settings):
    """One hub.

    `public_url`: how devices and pages reach it, used in signed upload addresses. `database`:
    SQLAlchemy URL; SQLite in `data_dir` when not given. `case_prefix`: begins every case number.
    `enrol`: whether an unknown device is taken (`open`) or refused (`listed`). `demo`: anyone at
    this machine may open an operator's session; only on a loopback address.
    """

    name: Annotated[str, Field(min_length=1, max_length=100)] = "Tianyan"
    hub_id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")] = "hub"
    member: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")] = "1"
    time_zone: str = "Asia/Shanghai"
    listen: Listen = Listen()
    public_url: str = ""
    database: str = ""
    data_dir: Path
    broker: Broker = Broker()
    grids: list[Path] = []
    view: View = View()
    base_map: BaseMap | None = None
    media_url: MediaUrl = ""
    live: Live = Live()
    case_prefix: Annotated[str, Field(pattern=r"^[A-Z]{1,6}$")] = "TY"
    standard_ref: str = "GB/T 47678.5-2026"
    enrol: Literal["open", "listed"] = "open"
    demo: bool = False
    receipts: Receipts = Receipts()
    rules: dict[Label, Rule] = {}
    dedupe: Dedupe = Dedupe()
    access: Access = Access()
    intake: Intake = Intake()
    escalation: Escalation = Escalation()
    proof: Proof = Proof()
    ledgers: Ledgers = Ledgers()
    out: Out = Out()
    suppression: Suppression = Suppression()
    learning: Learning = Learning()
    quarantine: Quarantine = Quarantine()
    evidence: Evidence = Evidence()
    retention: Retention = Retention()
    patrol: Patrol = Patrol()
    vehicles: Vehicles = Vehicles()
    silent_after_s: Annotated[float, Field(ge=30, le=86_400)] = 120

    @field_validator("time_zone")
    @classmethod
    def _is_a_zone(cls, name: str) -> str:
        if name not in available_timezones():
            raise ValueError("must be a time zone such as Asia/Shanghai")
        return name

    @field_validator("database")
    @classmethod
    def _is_a_url(cls, url: str) -> str:
        if not url:
            return url
        try:
            backend = make_url(url).get_backend_name()
        except ArgumentError:
            raise ValueError("must be a URL: sqlite:///… or postgresql+psycopg://…") from None
        if backend not in ("sqlite", "postgresql"):
            raise ValueError("must be sqlite:///… or postgresql+psycopg://…")
        return url

    @field_validator("public_url")
    @classmethod
    def _is_http(cls, url: str) -> str:
        if url and not url.startswith(("http://", "https://")):
            raise ValueError("must begin with http:// or https://")
        return url.rstrip("/")

    @model_validator(mode="after")
    def _demo_is_local(self) -> Self:
        if self.demo and not is_loopback(self.listen.host):
            raise ValueError(
                f"demo: true is allowed only with listen.host 127.0.0.1 or ::1, "
                f"not {self.listen.host}"
            )
        return self

    @property
    def zone(self) -> ZoneInfo:
        """The site's time zone."""
        return ZoneInfo(self.time_zone)

    @property
    def database_url(self) -> str:
        """The database in use."""
        return self.database or f"sqlite:///{self.data_dir / 'hub.sqlite'}"

    @property
    def base_url(self) -> str:
        """How devices reach the hub."""
        return self.public_url or f"http://{self.listen.host}:{self.listen.port}"

    def rule(self, label: str) -> Rule:
        """The rule for alerts of `label`."""
        return self.rules.get(label, Rule())


def is_loopback(host: str) -> bool:
    """Whether `host` names this machine only."""
    if host == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def load(path: Path) -> HubConfig:
    """Read a configuration.

    Raises BadConfig with every error.
    """
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as fault:
        raise BadConfig(path, [f"cannot be read: {fault.strerror}"]) from None
    except (yaml.YAMLError, UnicodeDecodeError) as fault:
        raise BadConfig(path, [f"is not YAML: {fault}"]) from None
    if not isinstance(document, dict):
        raise BadConfig(path, ["must be a YAML mapping of settings"])
    try:
        config = HubConfig.model_validate(document)
    except ValidationError as fault:
        raise BadConfig(path, [_sentence(error) for error in fault.errors()]) from None
    return _rooted(config, path.resolve().parent)


def check(config: HubConfig) -> list[str]:
    """What is wrong with the files a configuration names; empty when all is well."""
    errors = []
    for i, grids in enumerate(config.grids):
        if not grids.is_file():
            errors.append(f"grids.{i}: {grids} is not a file; GeoJSON is needed")
    for key in ("password_file", "ca_file"):
        file = getattr(config.broker, key)
        if file is not None and not file.is_file():
            errors.append(f"broker.{key}: {file} is not a file")
    secret = config.access.oidc.client_secret_file
    if secret is not None and not secret.is_file():
        errors.append(f"access.oidc.client_secret_file: {secret} is not a file")
    return errors


def _rooted(config: HubConfig, root: Path) -> HubConfig:
    broker = config.broker
    files = {
        key: root / file
        for key in ("password_file", "ca_file", "accounts_file", "pid_file")
        if (file := getattr(broker, key)) is not None
    }
    database = config.database
    if database.startswith("sqlite:///") and not database.startswith("sqlite:////"):
        database = f"sqlite:///{root / database.removeprefix('sqlite:///')}"
    base_map = config.base_map
    if base_map is not None and base_map.pmtiles is not None:
        base_map = base_map.model_copy(update={"pmtiles": root / base_map.pmtiles})
    smtp = config.out.smtp
    if smtp.password_file is not None:
        smtp = smtp.model_copy(update={"password_file": root / smtp.password_file})
    access, oidc = config.access, config.access.oidc
    if oidc.client_secret_file is not None:
        oidc = oidc.model_copy(update={"client_secret_file": root / oidc.client_secret_file})
        access = access.model_copy(update={"oidc": oidc})
    return config.model_copy(
        update={
            "access": access,
            "out": config.out.model_copy(update={"smtp": smtp}),
            "base_map": base_map,
            "data_dir": root / config.data_dir,
            "grids": [root / grids for grids in config.grids],
            "broker": broker.model_copy(update=files),
            "database": database,
        }
    )


def _sentence(error: Any) -> str:
    key = ".".join(str(part) for part in error["loc"]) or "document"
    if error["type"] == "extra_forbidden":
        return f"{key}: unknown key (allowed: {_allowed(error['loc'][:-1])})"
    if error["type"] == "missing":
        return f"{key}: is missing"
    value = error["input"] if not isinstance(error["input"], dict | list) else "…"
    return f"{key}: {error['msg']} (got {value!r})"


def _allowed(where: tuple[str | int, ...]) -> str:
    kind: Any = HubConfig
    for part in where:
        field = kind.model_fields.get(part)
        kind = field.annotation if field is not None else Rule
        if not (isinstance(kind, type) and issubclass(kind, BaseModel)):
            kind = Rule
    return ", ".join(kind.model_fields)
