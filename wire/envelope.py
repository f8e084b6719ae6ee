"""The fields every message from a device carries, and the kinds of number they are made of.

Unknown fields are ignored by the reader (a newer edge must not lose alerts at an older hub);
missing, ill-typed or out-of-range ones are refused with a code (see `wire.codec`).
"""

from typing import Annotated

from msgspec import Meta, Struct

from wire.version import VERSION

Text = Annotated[str, Meta(max_length=200)]
Name = Annotated[str, Meta(min_length=1, max_length=64)]
DeviceId = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9._-]{2,63}$")]
Epoch = Annotated[str, Meta(pattern=r"^[0-9a-f]{16}$")]
Sha256 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]
Seq = Annotated[int, Meta(ge=0, le=2**53)]
UnixMs = Annotated[int, Meta(ge=0, le=4_102_444_800_000)]
Fraction = Annotated[float, Meta(ge=0, le=1)]
Lat = Annotated[float, Meta(ge=-90, le=90)]
Lon = Annotated[float, Meta(ge=-180, le=180)]


class Envelope(Struct, kw_only=True, frozen=True):
    """Identity and time of a message. (`dev`, `epoch`, stream, `seq`) is stored once.

    `epoch`: 16 hex digits drawn when the outbox file was made, so that a number is never used
    twice whatever the clock or disk did. `ts`: ms since 1970 UTC on the device's clock. `tq`:
    that clock's quality, 0 none, 1 NTP, 2 GNSS. `hist`: sent later than live; such a message
    moves no last position and rings no live alarm without the mark "delayed".
    """

    v: Annotated[int, Meta(ge=VERSION, le=VERSION)] = VERSION
    dev: DeviceId
    epoch: Epoch
    seq: Seq
    ts: UnixMs
    tq: Annotated[int, Meta(ge=0, le=2)] = 0
    hist: bool = False


class Versioned(Struct, kw_only=True, frozen=True):
    """A message with no sequence: state, health, and everything sent down."""

    v: Annotated[int, Meta(ge=VERSION, le=VERSION)] = VERSION
