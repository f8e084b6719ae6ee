"""One alert: what a camera or vehicle saw, where, since when, and the files that show it."""

from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct

from wire.envelope import Envelope, Fraction, Lat, Lon, Name, Sha256, Text, UnixMs
from wire.media import PATTERN


class AlertState(StrEnum):
    """`new` once, `update` while it lasts, `end` once."""

    NEW = "new"
    UPDATE = "update"
    END = "end"


class PlaceSource(StrEnum):
    """How the position of an alert is known.

    `vehicle`: by the receiver of the vehicle that saw it. `last`: that one was silent; this is
    the last place it knew, and the true one lies within `acc`.
    """

    GROUND = "ground"
    CAMERA = "camera"
    VEHICLE = "vehicle"
    LAST = "last"


class Box(Struct, frozen=True, omit_defaults=True):
    """A rectangle in a picture; x, y = top-left corner, all four as fractions of the picture."""

    label: Name
    score: Fraction
    x: Fraction
    y: Fraction
    w: Fraction
    h: Fraction


class EvidenceRef(Struct, frozen=True, omit_defaults=True):
    """A file that shows the alert, or its sound; it travels apart and later, named by its SHA-256.

    `at`: ms UTC, when it was taken. `sealed`: it shows faces and plates as they are and is for few
    eyes. `original`: the sealed file that this one was made from. `sig`: the device's Ed25519
    signature over `wire.statement.signed_bytes`, base64 without padding.
    """

    sha256: Sha256
    size: Annotated[int, Meta(ge=1, le=100_000_000)]
    type: Annotated[str, Meta(pattern=PATTERN)]
    role: Annotated[str, Meta(pattern=r"^(clean|annotated|before|after|clip)$")]
    at: UnixMs = 0
    sealed: bool = False
    original: Sha256 | None = None
    sig: Annotated[str, Meta(max_length=88)] = ""


class Alert(Envelope, kw_only=True, frozen=True):
    """Something that stayed long enough where it must not be (or a vehicle rule broken).

    `alert`: the same for `new`, `update` and `end` of one thing. `matter`: five-digit code of
    GB/T 47678.5-2026. `since`: ms UTC when it was first seen; `last_clean`: ms UTC of the last look
    before that showed its place clean, null when nobody can tell. `level`: severity, 1 general,
    2 serious, 3 urgent. `acc`: metres, the radius within which the place lies. `config_rev`: the
    revision of the configuration that judged it. `order`: the command that asked for what
    `evidence` shows; then it is no alert but that command's answer.
    """

    alert: Name
    state: AlertState
    source: Name
    label: Name
    matter: Annotated[str, Meta(pattern=r"^\d{5}$")] | None = None
    zone: Annotated[str, Meta(max_length=64)] = ""
    since: UnixMs
    last_clean: UnixMs | None = None
    level: Annotated[int, Meta(ge=1, le=3)] = 1
    lat: Lat
    lon: Lon
    acc: Annotated[float, Meta(ge=0, le=100_000)] = 0.0
    place: PlaceSource = PlaceSource.CAMERA
    score: Fraction
    model: Annotated[str, Meta(max_length=64)] = ""
    config_rev: Text = ""
    boxes: Annotated[list[Box], Meta(max_length=50)] = []
    evidence: Annotated[list[EvidenceRef], Meta(max_length=10)] = []
    order: Annotated[str, Meta(max_length=64)] = ""
