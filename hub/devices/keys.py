"""The keys that devices sign with: the first one heard is pinned, another waits for an admin."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Column, String, Table, select, update
from sqlalchemy.engine import Connection

from hub.store import Instant, insert_new, metadata

keys = Table(
    "device_keys",
    metadata,
    Column("device", String(64), primary_key=True),
    Column("key", String(64), primary_key=True),
    Column("first_seen_at", Instant, nullable=False),
    Column("accepted_at", Instant),
    Column("accepted_by", String(100)),
    Column("retired_at", Instant),
)


def accepted(
    tx: Connection, devices: Collection[str]
) -> dict[str, list[tuple[str, datetime, datetime | None]]]:
    """The keys of devices that were ever accepted, each with the times from and until it is good.

    What is signed with a key is believed from before it was accepted, too.
    """
    found: dict[str, list[tuple[str, datetime, datetime | None]]] = {name: [] for name in devices}
    rows = select(keys).where(keys.c.device.in_(list(devices)), keys.c.accepted_at.is_not(None))
    for row in tx.execute(rows.order_by(keys.c.accepted_at)):
        found[row.device].append((row.key, row.accepted_at, row.retired_at))
    return found


def current(tx: Connection, devices: Collection[str]) -> dict[str, str]:
    """The key in force of each device that has one."""
    return {
        name: key
        for name, listed in accepted(tx, devices).items()
        for key, _, retired_at in listed
        if retired_at is None
    }


def waiting(tx: Connection, devices: Collection[str]) -> dict[str, str]:
    """The newest key of each device that nobody has accepted."""
    rows = select(keys).where(keys.c.device.in_(list(devices)), keys.c.accepted_at.is_(None))
    return {row.device: row.key for row in tx.execute(rows.order_by(keys.c.first_seen_at))}


def heard(tx: Connection, device: str, key: str, at: datetime) -> bool:
    """Note the key a device says it has; True when it is its first, and pinned."""
    known = select(keys.c.key).where(keys.c.device == device)
    if key in (listed := list(tx.execute(known).scalars())):
        return False
    by = "first seen" if not listed else None
    row = {
        "device": device,
        "key": key,
        "first_seen_at": at,
        "accepted_at": at if not listed else None,
        "accepted_by": by,
        "retired_at": None,
    }
    insert_new(tx, keys, [row], ["device", "key"])
    return not listed


def accept(tx: Connection, device: str, key: str, by: str, at: datetime) -> bool:
    """Put a waiting key in force and retire the others; False when it does not wait."""
    of_device = keys.c.device == device
    this = of_device & (keys.c.key == key)
    if not tx.execute(select(keys).where(this & keys.c.accepted_at.is_(None))).first():
        return False
    others = of_device & keys.c.accepted_at.is_not(None) & keys.c.retired_at.is_(None)
    tx.execute(update(keys).where(others).values(retired_at=at))
    tx.execute(update(keys).where(this).values(accepted_at=at, accepted_by=by))
    return True
