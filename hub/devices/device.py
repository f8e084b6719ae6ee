"""Devices and their cameras: which word about them is the newest, and when one is blind."""

from dataclasses import dataclass
from datetime import datetime

from wire.status import CameraState, State


@dataclass(frozen=True)
class Device:
    """A device as the hub knows it. `state_since` is when `online` took its present value.

    `revoked`: somebody took it off the list; nothing of it is taken until it is enrolled again.
    """

    id: str
    enrolled: bool = False
    revoked: bool = False
    online: bool = False
    state_since: datetime | None = None
    epoch: str = ""
    session: int = -1
    generated: bool = False


def is_newer(state: State, known: Device) -> bool:
    """Whether a state message may change what is known.

    A will of session n that arrives after the birth of session n+1 may not.
    """
    if state.epoch != known.epoch:
        return state.online or not known.epoch
    return state.session >= known.session


def is_blind(state: CameraState | str) -> bool:
    """Whether nothing can be said about what a camera in this state looks at."""
    return state != CameraState.OK
