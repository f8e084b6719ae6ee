"""A vehicle's day over HTTP: the report, and the same as a table for a spreadsheet."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.engine import Connection

from hub.auth import need
from hub.errors import not_found
from hub.exports import FILES, AskedForm, Cell, Word, table
from hub.http import ERRORS, LocalDay, Utc
from hub.roles import Actor, Right
from hub.store import Store, now, to_ms
from hub.tracks import judged_store
from hub.tracks.day import Day, bounds, day_of
from hub.tracks.episode import Episode, Kind
from hub.tracks.event_api import VehicleEvent, event_item, facts_cell
from hub.tracks.fence_store import Fences, refresh
from hub.tracks.judged_store import vehicle_events
from hub.tracks.judgement import Court
from hub.tracks.settings import TrackSettings
from hub.tracks.store import IS_VEHICLE, vehicles
from hub.tracks.track import RULES

COMPUTED = (Kind.STOP, Kind.TRIP, Kind.GAP, Kind.IDLE)
TITLES = (
    "kind", "start", "end", "duration_s", "distance_km", "top_kmh", "lat", "lon", "subject",
    "certainty", "late", "facts",
)  # fmt: skip


class DaySpan(BaseModel):
    """A part of the day."""

    start: Utc
    end: Utc
    duration_s: float


class DayStop(DaySpan):
    """The vehicle stood; the middle of its points."""

    lat: float
    lon: float


class DayTrip(DaySpan):
    """The vehicle went, from this place."""

    lat: float
    lon: float
    distance_km: float
    top_kmh: float


class VehicleDay(BaseModel):
    """What is known of a vehicle's day (the site's local day; for today, until now).

    Stops and trips that go on over midnight are cut there. `positions`: how many fixes came, how
    many were located, and `doubts`, why others are not believed (not_located, zero, duplicate,
    same_time, jump, future), with `repaired` ones counted beside. `known_s` and `unknown`: of how
    much of the day anything is known; silence is neither stop nor move. `events`: as in
    /api/vehicle-events; `superseded`: how many more late fixes have disproved.
    """

    vehicle: str
    plate: str
    date: date
    start: Utc
    end: Utc
    until: Utc
    positions: int
    located: int
    doubts: Mapping[str, int]
    distance_km: float
    trips: list[DayTrip]
    stops: list[DayStop]
    idle: list[DayStop]
    driving_s: float
    standing_s: float
    idle_s: float
    known_s: float
    unknown_s: float
    unknown: list[DaySpan]
    events: list[VehicleEvent]
    superseded: int


def router(store: Store, zone: Any, settings: TrackSettings) -> APIRouter:
    """Days of vehicles, of local time in `zone`."""
    api = APIRouter(prefix="/api", tags=["vehicles"], responses=ERRORS)
    reader = Annotated[Actor, Depends(need(Right.READ))]

    def read(tx: Connection, vehicle: str, day: date) -> VehicleDay:
        found = select(vehicles.c.id, vehicles.c.plate, vehicles.c.vehicle)
        row = tx.execute(found.where(vehicles.c.id == vehicle, IS_VEHICLE)).one_or_none()
        if row is None:
            raise not_found("vehicle", vehicle)
        span = bounds(day, zone)
        view = Fences()
        refresh(tx, view)
        court = Court(RULES, settings, zone, view.sites)
        first_ms, last_ms = (to_ms(each) for each in span)
        heard = judged_store.heard_between(tx, vehicle, first_ms, last_ms)
        known = day_of(heard, span, now(), court)
        events, superseded = _events(tx, vehicle, known)
        return _item(vehicle, row.plate or row.vehicle, day, known, events, superseded)

    @api.get("/vehicles/{vehicle:path}/days/{day}")
    def one(vehicle: str, day: LocalDay, _actor: reader) -> VehicleDay:
        with store.read() as tx:
            return read(tx, vehicle, day)

    @api.get("/vehicles/{vehicle:path}/days/{day}/file", response_class=Response, responses=FILES)
    def file(vehicle: str, day: LocalDay, _actor: reader, form: AskedForm) -> Response:
        with store.read() as tx:
            known = read(tx, vehicle, day)
        return table("vehicle-day", TITLES, _rows(known), form, str(day))

    return api


def _events(tx: Connection, vehicle: str, day: Day) -> tuple[list[VehicleEvent], int]:
    event = vehicle_events.c
    found = select(vehicle_events).where(
        event.vehicle == vehicle,
        event.start < day.end,
        event.end >= day.start,
        event.kind.not_in([kind.value for kind in COMPUTED]),
    )
    rows = tx.execute(found.order_by(event.start, event.id)).all()
    items = [event_item(row) for row in rows if row.superseded_at is None]
    return items, len(rows) - len(items)


def _item(
    vehicle: str,
    plate: str,
    day: date,
    known: Day,
    events: Sequence[VehicleEvent],
    superseded: int,
) -> VehicleDay:
    length_s = (known.until - known.start).total_seconds()
    return VehicleDay(
        vehicle=vehicle,
        plate=plate,
        date=day,
        start=known.start,
        end=known.end,
        until=known.until,
        positions=known.fixes,
        located=known.located,
        doubts=known.doubts,
        distance_km=round(known.distance_m / 1000, 3),
        trips=[
            DayTrip(
                **_span(each),
                lat=each.lat,
                lon=each.lon,
                distance_km=float(each.facts["distance_m"] or 0.0) / 1000,
                top_kmh=float(each.facts["top_kmh"] or 0.0),
            )
            for each in known.of(Kind.TRIP)
        ],
        stops=[DayStop(**_span(e), lat=e.lat, lon=e.lon) for e in known.of(Kind.STOP)],
        idle=[DayStop(**_span(e), lat=e.lat, lon=e.lon) for e in known.of(Kind.IDLE)],
        driving_s=known.seconds(Kind.TRIP),
        standing_s=known.seconds(Kind.STOP),
        idle_s=known.seconds(Kind.IDLE),
        known_s=length_s - known.unknown_s,
        unknown_s=known.unknown_s,
        unknown=[
            DaySpan(start=a, end=b, duration_s=(b - a).total_seconds()) for a, b in known.unknown
        ],
        events=list(events),
        superseded=superseded,
    )


def _span(episode: Episode) -> dict[str, Any]:
    start, end = episode.start, episode.end
    return {"start": start, "end": end, "duration_s": (end - start).total_seconds()}


def _rows(day: VehicleDay) -> list[list[Cell]]:
    """Everything of a day in order of time."""
    rows: list[tuple[datetime, list[Cell]]] = []
    for trip in day.trips:
        way = [trip.distance_km, trip.top_kmh, trip.lat, trip.lon]
        rows.append((trip.start, [_kind("trip"), *_times(trip), *way, "", 1.0, "", ""]))
    for kind, stops in (("stop", day.stops), ("idle", day.idle)):
        for stop in stops:
            place = ["", "", stop.lat, stop.lon]
            rows.append((stop.start, [_kind(kind), *_times(stop), *place, "", 1.0, "", ""]))
    nothing = [""] * (len(TITLES) - 4)
    rows += [(gap.start, [_kind("unknown"), *_times(gap), *nothing]) for gap in day.unknown]
    for event in day.events:
        span = DaySpan(
            start=event.start,
            end=event.end,
            duration_s=(event.end - event.start).total_seconds(),
        )
        subject = Word(event.subject, ("alarm",))
        what = [subject, event.certainty, event.late, facts_cell(event.facts)]
        place = [event.lat, event.lon]
        rows.append((event.start, [_kind(event.kind), *_times(span), "", "", *place, *what]))
    return [row for _, row in sorted(rows, key=lambda each: each[0])]


def _kind(name: str) -> Word:
    return Word(name, ("event",))


def _times(span: DaySpan) -> list[Cell]:
    return [span.start, span.end, round(span.duration_s)]
