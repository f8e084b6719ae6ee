"""An episode of a vehicle as an alert: in the same queue and grids as what cameras see.

At most one alert a vehicle and cause within a time: a later episode of the cause joins the alert
and counts on it. The evidence is the stretch of track, kept with the alert.
"""

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from hub.alerts.alert import ACTIVE, ENDED, Alert
from hub.tracks.episode import Episode, Kind

EPOCH: Final = "rules"
MODEL: Final = "vehicle-rules"


@dataclass(frozen=True)
class Look:
    """How a kind of episode looks as an alert: label, severity, matter where the standard has one.

    Levels: 1 general, 2 serious, 3 urgent.
    """

    label: str
    level: int = 1
    matter: str | None = None


LOOKS: dict[Kind, Look] = {
    Kind.UNLOAD: Look("illegal_dumping", 2, "06011"),
    Kind.NO_PERMIT: Look("no_permit", 2),
    Kind.OFF_HOURS: Look("off_hours"),
    Kind.OFF_ROUTE: Look("off_route"),
    Kind.WRONG_SITE: Look("wrong_site", 2),
    Kind.UNCOVERED_LOAD: Look("uncovered_load", 1, "08011"),
    Kind.OVERSPEED: Look("overspeed"),
    Kind.NIGHT_RUNNING: Look("night_running"),
    Kind.SILENT_MOVING: Look("silent_moving"),
    Kind.OFFLINE: Look("offline"),
    Kind.JUMP: Look("jump"),
    Kind.IDLE: Look("idle"),
    Kind.FENCE_ENTER: Look("fence_enter"),
    Kind.FENCE_EXIT: Look("fence_exit"),
    Kind.FENCE_INSIDE: Look("fence_inside"),
    Kind.FENCE_CROSS: Look("fence_cross"),
}
DUMPING = ("illegal_place", "outside_hours")


@dataclass(frozen=True)
class Mover:
    """The vehicle of an alert."""

    id: str
    device: str
    vehicle: str
    plate: str
    generated: bool


def look_of(episode: Episode) -> Look | None:
    """How an episode looks as an alert; None where it is none: a stop, or a proper unloading."""
    if episode.kind is Kind.UNLOAD and episode.facts.get("verdict") not in DUMPING:
        return None
    return LOOKS.get(episode.kind)


def alert_of(
    episode: Episode,
    look: Look,
    mover: Mover,
    path: tuple[str, ...],
    *,
    delayed: bool,
    at: datetime,
) -> Alert:
    """The alert that an episode raises, heard of at `at`."""
    start_ms = round(episode.start.timestamp() * 1000)
    text = f"{mover.id}\n{look.label}\n{episode.subject}\n{start_ms}"
    alert = Alert(
        id=hashlib.sha256(text.encode()).hexdigest()[:20],
        device=mover.device,
        epoch=EPOCH,
        alert=f"{look.label}-{start_ms}",
        source=mover.vehicle,
        source_name=mover.plate or mover.vehicle,
        label=look.label,
        matter=look.matter,
        zone=episode.subject,
        state=ACTIVE,
        level=look.level,
        since=episode.start,
        at=episode.end,
        ended_at=None,
        received_at=at,
        delayed=delayed,
        clock_suspect=False,
        lat=episode.lat,
        lon=episode.lon,
        acc_m=15.0,
        place="vehicle",
        path=path,
        score=episode.certainty,
        model=MODEL,
        boxes=(),
        seq=0,
        generated=mover.generated,
        updated_at=at,
    )
    return gone_on(alert, episode, at)


def gone_on(alert: Alert, episode: Episode, at: datetime) -> Alert:
    """The alert after a later word about its episode."""
    return replace(
        alert,
        at=max(alert.at, episode.end),
        state=ENDED if episode.over else ACTIVE,
        ended_at=max(alert.at, episode.end) if episode.over else None,
        updated_at=at,
    )


def joined(alert: Alert, episode: Episode, at: datetime) -> Alert:
    """The alert after another episode of its cause."""
    return gone_on(replace(alert, times_seen=alert.times_seen + 1), episode, at)
