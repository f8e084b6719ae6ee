"""The topic tree: `ty/v1/{dev}/up|down/{name}`. Depth is fixed, so every filter is exact.

Nothing that can change (site, grid, owner) is in a topic: moving a camera changes neither its
credentials nor its history. `{dev}` equals the MQTT user name and the client id's beginning.
"""

import re
from dataclasses import dataclass

from wire.coded import coded
from wire.version import VERSION

ROOT = f"ty/v{VERSION}"
DEVICE_ID = re.compile(r"[a-z0-9][a-z0-9._-]{2,63}")
RESERVED_DEVICE = "host"

UP = (
    "state", "birth", "health", "alert", "track", "driver", "evidence", "gap", "reply", "settings",
)  # fmt: skip
DOWN = ("receipt", "grant", "cmd", "config", "update")


class BadTopic(ValueError):
    """A topic outside the tree; says which and what is allowed."""


@dataclass(frozen=True)
class UpTopic:
    """Where an upward message came from: the device and the message's name."""

    dev: str
    name: str


def check_device_id(dev: str) -> str:
    """Return `dev` when it may name a device.

    Raises BadTopic when it may not.
    """
    if not DEVICE_ID.fullmatch(dev) or dev == RESERVED_DEVICE:
        raise BadTopic(
            coded(
                "bad_device_id",
                "device id {given!r}: must be 3 to 64 of a-z 0-9 . _ - beginning with a letter or "
                "digit, and not {reserved!r}",
                given=dev,
                reserved=RESERVED_DEVICE,
            )
        )
    return dev


def up(dev: str, name: str) -> str:
    """Topic on which device `dev` publishes `name` (one of UP)."""
    return f"{ROOT}/{dev}/up/{name}"


def down(dev: str, name: str) -> str:
    """Topic on which the hub publishes `name` (one of DOWN) to device `dev`."""
    return f"{ROOT}/{dev}/down/{name}"


def host_state(hub: str) -> str:
    """Topic of the retained message that says whether the hub is online."""
    return f"{ROOT}/host/{hub}/state"


ANY_HOST_STATE = f"{ROOT}/host/+/state"


def parse_up(topic: str) -> UpTopic:
    """Read an upward topic.

    Raises BadTopic for any other topic.
    """
    parts = topic.split("/")
    if len(parts) != 5 or "/".join(parts[:2]) != ROOT or parts[3] != "up" or parts[4] not in UP:
        allowed = f"{ROOT}/DEVICE/up/NAME, NAME one of {UP}"
        raise BadTopic(
            coded("bad_topic", "topic {given!r}: must be {allowed}", given=topic, allowed=allowed)
        )
    return UpTopic(check_device_id(parts[2]), parts[4])
