"""What the hub asks a device to do, and what became of it."""

from enum import StrEnum
from typing import Annotated, Any

from msgspec import Meta

from wire.envelope import DeviceId, Name, Text, UnixMs, Versioned


class Command(Versioned, kw_only=True, frozen=True):
    """Hub to device: do `op` with `args` before `exp` (ms UTC), in the name of `by`.

    A command that is sent again has the same `id` and is carried out once. After `exp` it is not
    carried out at all: what waited for a network must not act later. A device's clock may be
    wrong: `left_ms` is what was left when the hub sent it to the device's connection `session`. In
    that connection it counts from its arrival, whatever the clock says; in a later one the command
    has waited nobody knows how long, and the hub sends it anew while it holds.
    """

    dev: DeviceId
    id: Name
    op: Name
    args: dict[str, Any] = {}
    exp: UnixMs
    by: Text = ""
    session: Annotated[int, Meta(ge=0)] | None = None
    left_ms: Annotated[int, Meta(ge=0)] | None = None


class CommandState(StrEnum):
    """What became of a command; all but `accepted` are final."""

    ACCEPTED = "accepted"
    DONE = "done"
    FAILED = "failed"
    EXPIRED = "expired"
    UNKNOWN = "unknown"


class Reply(Versioned, kw_only=True, frozen=True):
    """Device to hub: what became of the command `id`; `why` it failed, or what it gave in `out`.

    `said`: code and values of `why`, for other languages (`wire.coded`); older devices send none.
    """

    dev: DeviceId
    id: Name
    st: CommandState
    why: Annotated[str, Meta(max_length=500)] = ""
    said: dict[str, Any] = {}
    out: dict[str, Any] = {}
