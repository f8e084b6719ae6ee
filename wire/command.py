"""What the hub asks a device to do, and what became of it."""

from enum import StrEnum
from typing import Annotated, Any

from msgspec import Meta

from wire.envelope import DeviceId, Name, Text, UnixMs, Versioned


class Command(Versioned, kw_only=True, frozen=True):
    """Hub to device: do `op` with `args` before `exp` (ms UTC), in the name of `by`.

    A command that is sent again has the same `id` and is carried out once. After `exp` it is not
    carried out at all: what waited for a network must not act later.
    """

    dev: DeviceId
    id: Name
    op: Name
    args: dict[str, Any] = {}
    exp: UnixMs
    by: Text = ""


class CommandState(StrEnum):
    """What became of a command; all but `accepted` are final."""

    ACCEPTED = "accepted"
    DONE = "done"
    FAILED = "failed"
    EXPIRED = "expired"
    UNKNOWN = "unknown"


class Reply(Versioned, kw_only=True, frozen=True):
    """Device to hub: what became of the command `id`; `why` it failed, or what it gave in `out`."""

    dev: DeviceId
    id: Name
    st: CommandState
    why: Annotated[str, Meta(max_length=500)] = ""
    out: dict[str, Any] = {}
