"""A rollout: which devices get a model when, and what stops it.

```
running ─► done
   │  ▲
   ▼  │ next (a person, with a reason: its stage goes on, or the one after it)
stopped          cancelled
```
A stage is a list of devices. Where all of it is active the next one begins on command, or by itself
after a clean time. One device that fails or falls back stops the whole: those that have the model
keep it, nobody else gets it.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from hub.errors import Problem
from wire.coded import coded
from wire.update import UpdateState


class RolloutState(StrEnum):
    """Where a rollout stands."""

    RUNNING = "running"
    STOPPED = "stopped"
    DONE = "done"
    CANCELLED = "cancelled"


class DeviceState(StrEnum):
    """Where a device stands: `waiting` for its stage or its line, `sent`, then as it says."""

    WAITING = "waiting"
    SENT = "sent"
    DOWNLOADING = "downloading"
    TESTING = "testing"
    TRIAL = "trial"
    ACTIVE = "active"
    FAILED = "failed"
    FELL_BACK = "fell_back"


BAD = frozenset({DeviceState.FAILED, DeviceState.FELL_BACK})
FINAL = BAD | {DeviceState.ACTIVE}


@dataclass(frozen=True)
class Target:
    """A device of a rollout. `at`: when its state began."""

    device: str
    stage: int
    state: DeviceState = DeviceState.WAITING
    why: str = ""
    received: int = 0
    at: datetime | None = None


@dataclass(frozen=True)
class Rollout:
    """A model on its way. `stage` counts from 0; `clean_s`: None = the next stage on command.

    `trial_s`: how long a device watches it before it is kept.
    """

    id: int
    model: str
    version: str
    sha256: str
    stages: int
    stage: int
    state: RolloutState
    clean_s: float | None
    trial_s: int
    made_at: datetime
    made_by: str
    why: str = ""


def judge(
    rollout: Rollout, targets: Sequence[Target], at: datetime
) -> tuple[RolloutState, int, str]:
    """Where a rollout stands now: state, stage, and the reason it was stopped for."""
    if rollout.state is not RolloutState.RUNNING:
        return rollout.state, rollout.stage, rollout.why
    begun = [target for target in targets if target.stage <= rollout.stage]
    bad = [target for target in begun if target.state in BAD]
    if bad:
        first = bad[0]
        return RolloutState.STOPPED, rollout.stage, stopped_by(first)
    if not is_complete(begun):
        return RolloutState.RUNNING, rollout.stage, ""
    if rollout.stage + 1 >= rollout.stages:
        return RolloutState.DONE, rollout.stage, ""
    clean_since = max((target.at for target in begun if target.at), default=rollout.made_at)
    if rollout.clean_s is not None and at - clean_since >= timedelta(seconds=rollout.clean_s):
        return RolloutState.RUNNING, rollout.stage + 1, ""
    return RolloutState.RUNNING, rollout.stage, ""


def stopped_by(target: Target) -> str:
    """Why a rollout stops: what became of its model on a device."""
    if target.state is DeviceState.FELL_BACK:
        return coded("fell_back", "{device} fell_back: {why}", device=target.device, why=target.why)
    return coded("device_failed", "{device} failed: {why}", device=target.device, why=target.why)


def is_complete(begun: Sequence[Target]) -> bool:
    """Whether every device that was to get it looks with it."""
    return all(target.state is DeviceState.ACTIVE for target in begun)


def said(known: Target, state: UpdateState) -> DeviceState | None:
    """The device's state after its word; None where it changes nothing."""
    new = DeviceState(state)
    return new if new is not known.state else None


def staged(
    wanted: Sequence[int | str | Sequence[str]], devices: Mapping[str, bool], salt: str
) -> list[list[str]]:
    """The devices of each stage: a number, a share as "10%", or names.

    A share counts all devices, with those of earlier stages. `devices`: id → whether it is online;
    the first stages take such. The same salt gives the same order.
    Raises Problem 422 that names the stage.
    """
    order = sorted(devices, key=lambda name: (not devices[name], _rank(salt, name)))
    taken: list[str] = []
    stages = []
    for i, stage in enumerate(wanted):
        if isinstance(stage, int | str):
            more = order[: _count(i, stage, len(order))]
        else:
            more = list(stage)
            if unknown := [name for name in more if name not in devices]:
                raise Problem(
                    422,
                    "bad_stage",
                    coded(
                        "stage_camera",
                        "stages.{at}: {device!r} has no camera here",
                        at=i,
                        device=unknown[0],
                    ),
                    ", ".join(sorted(devices)[:50]),
                )
        fresh = [name for name in dict.fromkeys(more) if name not in taken]
        if fresh:
            stages.append(fresh)
            taken += fresh
    if not stages:
        raise Problem(
            422,
            "bad_stage",
            coded("empty_stages", "stages: no device is in any of them"),
            "1, 10%, 100%",
        )
    return stages


def _count(i: int, stage: int | str, of: int) -> int:
    text = str(stage)
    number = text.removesuffix("%")
    try:
        value = float(number)
    except ValueError:
        value = -1
    is_share = text.endswith("%")
    if value <= 0 or (is_share and value > 100) or (not is_share and value != int(value)):
        raise Problem(
            422,
            "bad_stage",
            coded(
                "no_stage",
                "stages.{at}: {given!r} is no number of devices and no share",
                at=i,
                given=stage,
            ),
            coded("stage_forms", '1, "10%", a list of devices'),
        )
    return -int(-of * value // 100) if is_share else int(value)


def _rank(salt: str, name: str) -> str:
    return hashlib.sha256(f"{salt} {name}".encode()).hexdigest()
