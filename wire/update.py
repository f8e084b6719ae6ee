"""Another model for a device: where it can be had, and how far the device has come with it."""

from enum import StrEnum
from typing import Annotated, Any

from msgspec import Meta, Struct

from wire.envelope import DeviceId, Name, Sha256, Text, UnixMs, Versioned

LARGEST_BUNDLE = 500_000_000


class ModelUpdate(Versioned, kw_only=True, frozen=True):
    """Hub to device: take this model into use, once, however often it is said.

    `id`: the rollout's. `sha256`, `size`: of the bundle (see `wire.bundle`) at `url`, which holds
    until `exp` (ms UTC) by the hub's clock: the hub refuses it afterwards and sends another. The
    device, whose own clock may be wrong, goes by that refusal. `trial_s`: how long it must look
    without a fault before it is kept.
    """

    dev: DeviceId
    id: Name
    model: Name
    version: Text
    url: Annotated[str, Meta(max_length=2000)]
    sha256: Sha256
    size: Annotated[int, Meta(ge=1, le=LARGEST_BUNDLE)]
    exp: UnixMs
    trial_s: Annotated[int, Meta(ge=0, le=604_800)] = 600


class UpdateState(StrEnum):
    """How far a device is. `trial`: in use and watched; the last three are final."""

    DOWNLOADING = "downloading"
    TESTING = "testing"
    TRIAL = "trial"
    ACTIVE = "active"
    FAILED = "failed"
    FELL_BACK = "fell_back"


class UpdateReport(Struct, frozen=True, omit_defaults=True):
    """What became of the update `id`; `why` it failed; bytes `received` while downloading.

    `said`: code and values of `why`, for other languages (`wire.coded`); older devices send none.
    """

    id: Name
    model: Name
    version: Text
    state: UpdateState
    why: Annotated[str, Meta(max_length=500)] = ""
    received: int = 0
    said: dict[str, Any] = {}


class ModelState(Struct, frozen=True, omit_defaults=True):
    """The model in use, and the last update the device was told of."""

    name: Name
    version: Text = ""
    sha256: Annotated[str, Meta(max_length=64)] = ""
    update: UpdateReport | None = None
