"""What `tianyan track analyse` does."""

import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime, tzinfo
from pathlib import Path
from typing import TextIO
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from hub.grid.crossing import GridCrossing
from hub.grid.geojson import load_document, load_grids
from hub.grid.index import GridIndex
from hub.tracks.cleaning import Doubt
from hub.tracks.episode import Episode
from hub.tracks.errors import TrackError
from hub.tracks.lifts import Lift, has_unloaded, verdict
from hub.tracks.motion import Gap, Stop, Trip
from hub.tracks.point import Point, read_points
from hub.tracks.settings import DEFAULTS, TrackSettings
from hub.tracks.sites import Site, read_sites
from hub.tracks.track import RULES, Event, TrackState, finish, follow, grid_rule

Line = dict[str, object]


def analyse(
    points: str | Path,
    grids: str | Path | None = None,
    sites: str | Path | None = None,
    tz: str = "Asia/Shanghai",
    *,
    settings: TrackSettings = DEFAULTS,
    stderr: TextIO | None = None,
) -> Iterator[Line]:
    """What happened on a track, in order of time, one JSON object each; a summary comes last.

    `type` is stop, trip, gap, enter, exit or unload. Bad rows of the table go to `stderr` with
    their line numbers, all of them, and the summary then has `refused`, how many.
    Raises OSError, GridError or TrackError for files and a time zone that cannot be used.
    """
    zone = _zone(tz)
    places = None if sites is None else read_sites(load_document(Path(sites)))
    rules = list(RULES)
    if grids is not None:
        rules.append(grid_rule(GridIndex(load_grids(Path(grids)))))
    with Path(points).open(encoding="utf-8", errors="surrogateescape", newline="") as source:
        track, bad = read_points(source)
    for row in bad:
        print(row, file=stderr or sys.stderr)
    state = TrackState()
    events = [*follow(track, state, rules, settings), *finish(state, rules, settings)]
    for event in sorted(events, key=_began):
        yield _line(event, places, zone, settings)
    yield _summary(track, events, state.doubts, len(bad))


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise TrackError(f"tz {name!r} is no time zone (Asia/Shanghai)") from None


def _began(event: Event) -> datetime:
    return event.at if isinstance(event, GridCrossing) else event.start


def _line(event: Event, sites: list[Site] | None, zone: tzinfo, settings: TrackSettings) -> Line:
    if isinstance(event, GridCrossing):
        return {"type": event.kind, "grid": event.grid, "at": _iso(event.at)}
    span: Line = {"start": _iso(event.start), "end": _iso(event.end)}
    if isinstance(event, Episode):
        return {"type": event.kind, **span, **event.facts}
    span["duration_s"] = (event.end - event.start).total_seconds()
    if isinstance(event, Stop):
        return {"type": "stop", **span, **_place(event)}
    if isinstance(event, Trip):
        way = {"distance_km": round(event.distance_m / 1000, 3)}
        return {"type": "trip", **span, **way, "top_speed_kmh": round(event.top_kmh, 1)}
    if isinstance(event, Gap):
        return {"type": "gap", **span}
    return {**_unload(event, sites, zone, settings), **span, **_place(event)}


def _unload(lift: Lift, sites: list[Site] | None, zone: tzinfo, settings: TrackSettings) -> Line:
    found, site = verdict(lift, sites, zone, settings)
    return {
        "type": "unload",
        "verdict": found,
        "site": site.name if site else None,
        "speed_kmh": round(lift.speed_kmh, 1),
        "load_before": lift.load_before,
        "load_after": lift.load_after,
        "unloaded": has_unloaded(lift),
        "over": lift.is_over,
    }


def _place(event: Stop | Lift) -> Line:
    return {"lat": round(event.lat, 6), "lon": round(event.lon, 6)}


def _iso(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def _summary(
    points: list[Point], events: Iterable[Event], doubts: Counter[Doubt], bad_count: int
) -> Line:
    found = list(events)
    line: Line = {
        "type": "summary",
        "points": len(points),
        "doubted": {str(doubt): count for doubt, count in sorted(doubts.items())},
        "stops": sum(isinstance(event, Stop) for event in found),
        "trips": sum(isinstance(event, Trip) for event in found),
        "gaps": sum(isinstance(event, Gap) for event in found),
        "lifts": sum(isinstance(event, Lift) for event in found),
        "distance_km": round(sum(e.distance_m for e in found if isinstance(e, Trip)) / 1000, 3),
    }
    return {**line, "refused": bad_count} if bad_count else line
