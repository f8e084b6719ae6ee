"""What a device signs of an evidence file: what it is, and which sighting it shows.

Both sides build the same bytes: the device from what it knows, the hub from the message that
named the file. A signature therefore covers the file's SHA-256 together with the alert, the
camera, the place, the time with the clock's quality, the model and the configuration.
"""

from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from wire.alert import Alert, EvidenceRef
from wire.envelope import DeviceId, Epoch, Lat, Lon, Name, Sha256, Text, UnixMs

PREFIX = b"tianyan evidence 1\n"
"""Begins what is signed, so that no signature over anything else can be taken for one."""


class Scene(Struct, kw_only=True, frozen=True):
    """What files show: the alert (or look) `subject` of the camera or vehicle `source`.

    WGS-84 degrees; `acc`: metres; `tq`: the clock's quality as in the envelope.
    """

    dev: DeviceId
    epoch: Epoch
    subject: Name
    source: Name
    label: Annotated[str, Meta(max_length=64)] = ""
    model: Annotated[str, Meta(max_length=64)] = ""
    config_rev: Text = ""
    tq: Annotated[int, Meta(ge=0, le=2)] = 0
    lat: Lat
    lon: Lon
    acc: Annotated[float, Meta(ge=0, le=100_000)] = 0.0


class Statement(Scene, kw_only=True, frozen=True):
    """One file of a scene. `at`: ms UTC, when it was taken; `original`: what it was made from."""

    role: str
    type: str
    sha256: Sha256
    size: int
    sealed: bool = False
    original: Sha256 | None = None
    at: UnixMs = 0


def scene_of(alert: Alert) -> Scene:
    """What the files that an alert names show."""
    return Scene(
        dev=alert.dev,
        epoch=alert.epoch,
        subject=alert.alert,
        source=alert.source,
        label=alert.label,
        model=alert.model,
        config_rev=alert.config_rev,
        tq=alert.tq,
        # A whole number must be written in one way on both sides.
        lat=float(alert.lat),
        lon=float(alert.lon),
        acc=float(alert.acc),
    )


def look_subject(alert: str, camera: str, order: str = "") -> str:
    """What the pictures of a look again show: an alert's place, or one that has no alert.

    `order`: by which it was asked for, so that no picture answers twice. Devices that do not sign
    it yet leave it out.
    """
    return "-".join(filter(None, ("look", order, alert or camera)))[:64]


def snapshot_subject(camera: str, order: str = "") -> str:
    """What a picture taken on request shows; `order` as for a look."""
    return "-".join(filter(None, ("snapshot", order, camera)))[:64]


def statement_of(scene: Scene, ref: EvidenceRef) -> Statement:
    """What is said of one file."""
    return Statement(
        **msgspec.structs.asdict(scene),
        role=ref.role,
        type=ref.type,
        sha256=ref.sha256,
        size=ref.size,
        sealed=ref.sealed,
        original=ref.original,
        at=ref.at,
    )


def signed_bytes(statement: Statement) -> bytes:
    """The bytes that are signed: the same for the same statement, whoever writes it."""
    return PREFIX + msgspec.json.encode(statement, order="sorted")
