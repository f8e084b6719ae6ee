"""The stretch of track that shows what a vehicle did: kept with the alert, as it was judged."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends
from pydantic import BaseModel
from sqlalchemy import Column, Float, LargeBinary, String, Table, Text, select
from sqlalchemy.engine import Connection

from hub.auth import need
from hub.errors import not_found
from hub.http import ERRORS, Utc
from hub.roles import Actor, Right
from hub.store import Instant, Store, from_ms, metadata, upsert
from hub.tracks.episode import Episode, Fact
from wire.track import TrackPoint

BEFORE, AFTER = timedelta(minutes=2), timedelta(minutes=1)
MOST_FIXES = 2000

stretches = Table(
    "alert_tracks",
    metadata,
    Column("alert", String(20), primary_key=True),
    Column("vehicle", String(140), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("subject", String(64), nullable=False),
    Column("start", Instant, nullable=False),
    Column("end", Instant, nullable=False),
    Column("certainty", Float, nullable=False),
    Column("facts", Text, nullable=False),
    Column("fixes", LargeBinary, nullable=False),
    Column("sha256", String(64), nullable=False),
)
_fixes = msgspec.json.Decoder(list[TrackPoint]).decode


@dataclass(frozen=True)
class Stretch:
    """What shows an alert: fixes from a little before the episode until a little after it."""

    alert: str
    vehicle: str
    episode: Episode
    fixes: Sequence[TrackPoint]


def span(episode: Episode) -> tuple[datetime, datetime]:
    """From when until when the track is shown."""
    return episode.start - BEFORE, episode.end + AFTER


def keep(tx: Connection, stretch: Stretch) -> None:
    """Keep a stretch, or the longer one of an alert that goes on; evenly thinned if very long."""
    step = -(-len(stretch.fixes) // MOST_FIXES) or 1
    body = msgspec.json.encode(list(stretch.fixes)[::step])
    episode = stretch.episode
    row = {
        "alert": stretch.alert,
        "vehicle": stretch.vehicle,
        "kind": episode.kind.value,
        "subject": episode.subject,
        "start": episode.start,
        "end": episode.end,
        "certainty": episode.certainty,
        "facts": msgspec.json.encode(episode.facts).decode(),
        "fixes": body,
        "sha256": hashlib.sha256(body).hexdigest(),
    }
    upsert(tx, stretches, [row], ["alert"])


class StretchPoint(BaseModel):
    """A point of the stretch."""

    at: Utc
    lat: float
    lon: float
    speed_kmh: float | None


class StretchItem(BaseModel):
    """What a vehicle did and the track that shows it.

    `kind` as in /api/vehicle-events; `subject`: the fence, permit or site. `certainty`: below 1
    something was presumed. `sha256`: of the stored points, as they were when judged.
    """

    alert: str
    vehicle: str
    kind: str
    subject: str
    start: Utc
    end: Utc
    certainty: float
    facts: Mapping[str, Fact]
    points: list[StretchPoint]
    sha256: str


def router(store: Store) -> APIRouter:
    """The evidence of vehicles' alerts."""
    api = APIRouter(prefix="/api", tags=["alerts"], responses=ERRORS)

    @api.get("/alerts/{alert}/track")
    def track(alert: str, _actor: Annotated[Actor, Depends(need(Right.READ))]) -> StretchItem:
        with store.read() as tx:
            row = tx.execute(select(stretches).where(stretches.c.alert == alert)).one_or_none()
        if row is None:
            raise not_found("track of alert", alert)
        points = [
            StretchPoint(at=from_ms(fix.ts), lat=fix.lat, lon=fix.lon, speed_kmh=fix.speed_kmh)
            for fix in _fixes(row.fixes)
        ]
        return StretchItem(
            alert=row.alert,
            vehicle=row.vehicle,
            kind=row.kind,
            subject=row.subject,
            start=row.start,
            end=row.end,
            certainty=row.certainty,
            facts=msgspec.json.decode(row.facts),
            points=points,
            sha256=row.sha256,
        )

    return api
