"""Coverage, missed grids, visits and sweeping over HTTP."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Annotated, Any

import shapely
from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response
from pydantic import BaseModel, Field
from shapely import STRtree
from shapely.geometry.base import BaseGeometry

from hub import audit
from hub.auth import need
from hub.config import HubConfig
from hub.errors import Problem, not_found
from hub.exports import FILES, AskedForm, Cell, Several, Word, table
from hub.grid import store as grid_store
from hub.grid.grid import Grid
from hub.grid.places import GridRef, Places
from hub.http import ERRORS, Body, Listing, LocalDay, Page, Utc, page
from hub.patrol import phone, report, store as patrol_store
from hub.patrol.errors import PatrolError
from hub.patrol.judge import Work, judge_again
from hub.patrol.phone_api import shown_tracker
from hub.patrol.report import Question, Row, Standing
from hub.patrol.settings import plan_of, sweep_settings
from hub.patrol.sweeping import Pass, band, swept
from hub.patrol.visit import Manner
from hub.roles import Actor, Right
from hub.scope import Reach
from hub.store import Store, now
from wire.coded import coded, words_of

MOST_DAYS = 366
MOST_AGAIN_DAYS = 31
GEOJSON: dict[int | str, dict[str, Any]] = {200: {"content": {"application/geo+json": {}}}}


class Totals(BaseModel):
    """Visits over all grids of the answer; `share`: made of due, null where nothing was due.

    `visited`, `open`, `parked`, `passed`, `missed`: how many grids stand so.
    """

    required: int
    due: int
    made: int
    open_visits: int
    missed_visits: int
    share: float | None
    grids: int
    visited: int
    open: int
    parked: int
    passed: int
    missed: int


class CoverageItem(BaseModel):
    """A grid: visits required of it, made, due so far, and the days (weeks: Mondays) it missed.

    `open`: visits that can still be made in time. `parked`, `passed`: those of the missed days on
    which somebody was there without looking. `visits`, `looked_s`: all that were made and
    the seconds at the pace of looking. `synthetic`: 示意网格，非行政界线.
    """

    grid: GridRef
    level: int | None
    parent: str | None
    synthetic: bool
    standing: Standing
    required: int
    due: int
    made: int
    open: int
    missed: list[date]
    parked: list[date]
    passed: list[date]
    share: float | None
    visits: int
    looked_s: float
    last_visit: Utc | None


class FrequencyItem(BaseModel):
    """How often grids of a level must be visited; `level` null is a flat set."""

    level: int | None
    times: int
    period: str


class CoverageReport(BaseModel):
    """Coverage over the local days from `since` before `until`."""

    since: date
    until: date
    time_zone: str
    frequency: list[FrequencyItem]
    totals: Totals
    items: list[CoverageItem]
    total: int


class VisitItem(BaseModel):
    """Who was in which grid, from when to when, and how long at the pace of looking.

    `manner`: only who `looked` made a visit that counts; who `parked` or `passed` did not look long
    enough. `inside_s` are all seconds in the grid, `moving_s` those moving slowly, `standing_s`
    those standing, `slow_m` the metres so moved, `passes` how often he came in; null where the
    visit was judged before that was kept.

    Its stretch of track is `/api/vehicles/{vehicle}/track?from={start}&to={end}`; of a person on
    patrol that of `/api/patrols/{patrol}/track`, and `vehicle` names him to few.
    """

    vehicle: str
    patrol: str | None
    plate: str
    grid: GridRef
    start: Utc
    end: Utc
    manner: Manner
    looked_s: float
    inside_s: float | None
    moving_s: float | None
    standing_s: float | None
    slow_m: float | None
    passes: int | None


class SweptItem(BaseModel):
    """How much of a grid was swept: once, at least twice, how often on average where it was."""

    grid: GridRef
    level: int | None
    area_m2: float
    swept_m2: float
    twice_m2: float
    share: float
    passes: float
    length_m: float


class Again(Body):
    """The local days, from `since` before `until`, and the vehicles to judge anew; null: all."""

    since: LocalDay
    until: LocalDay
    vehicles: Annotated[list[str], Field(max_length=1000)] | None = None


class JudgedAgain(BaseModel):
    """How many vehicle-days were judged anew."""

    days: int


class Width(Body):
    """How wide a vehicle sweeps."""

    sweep_width_m: Annotated[float, Field(gt=0, lt=100)]


def router(store: Store, places: Places, config: HubConfig) -> APIRouter:
    """Patrol coverage and sweeping."""
    api = APIRouter(prefix="/api/patrol", tags=["patrol"], responses=ERRORS)
    reader = Annotated[Actor, Depends(need(Right.READ))]
    of_grid = Annotated[Actor, Depends(need(Right.READ, Reach.GRID))]
    asked = Annotated[Question, Depends(_question(config))]

    def found(which: Question) -> list[Row]:
        today = now().astimezone(config.zone).date()
        with store.read() as tx:
            return report.rows(tx, config, places.index[1].grids, which, today)

    @api.get("/coverage")
    def coverage(
        _actor: of_grid,
        which: asked,
        part: Annotated[Page, Depends(page)],
        standing: Standing | None = None,
    ) -> CoverageReport:
        rows = found(which)
        shown = [row for row in rows if standing is None or row.standing is standing]
        return CoverageReport(
            since=which.since,
            until=which.until,
            time_zone=config.time_zone,
            frequency=_frequency(config),
            totals=_totals(rows),
            items=[_item(row) for row in shown[part.offset : part.offset + part.limit]],
            total=len(shown),
        )

    @api.get("/coverage/file", response_class=Response, responses=FILES)
    def coverage_file(_actor: of_grid, which: asked, form: AskedForm) -> Response:
        return table("coverage", COVERAGE_TITLES, _lines(found(which)), form, str(which.since))

    @api.get("/missed", response_class=Response, responses=GEOJSON)
    def missed(
        _actor: of_grid,
        which: asked,
        every: Annotated[bool, Query(alias="all")] = False,
    ) -> Response:
        shown = [row for row in found(which) if every or row.coverage.missed]
        return _geojson([(_properties(row), row.grid.geometry) for row in shown])

    @api.get("/visits")
    def visits(
        actor: of_grid,
        which: asked,
        part: Annotated[Page, Depends(page)],
        vehicle: str | None = None,
        manner: Manner | None = None,
    ) -> Listing[VisitItem]:
        today = now().astimezone(config.zone).date()
        with store.read() as tx:
            looked = report.look_up(tx, config, places.index[1].grids, which, today)
            names = {grid.code: grid.name for grid in looked.grids}
            if which.grid is not None:
                names = {code: name for code, name in names.items() if code == which.grid}
            of = replace(looked.which, since=which.since, until=which.until, manner=manner)
            if len(names) <= report.MOST_NAMED:
                of = replace(of, grids=names.keys())
            numbers = [
                number
                for number, grid, who in patrol_store.find(tx, of)
                if grid in names and (vehicle is None or shown_tracker(who, actor) == vehicle)
            ]
            made = patrol_store.load(tx, numbers[part.offset : part.offset + part.limit])
            plates = patrol_store.plates_of(tx, {each.vehicle for each in made})
            patrols = phone.at_moments(tx, {(e.vehicle, e.visit.start) for e in made})
        items = [
            VisitItem(
                vehicle=shown_tracker(each.vehicle, actor),
                patrol=patrols.get((each.vehicle, each.visit.start)),
                plate=plates.get(each.vehicle, ""),
                grid=GridRef(code=each.visit.grid, name=names[each.visit.grid]),
                start=each.visit.start,
                end=each.visit.end,
                manner=each.visit.manner,
                looked_s=each.visit.slow_s,
                **{name: getattr(each.visit.way, name, None) for name in patrol_store.WAY},
            )
            for each in made
        ]
        return Listing(items=items, total=len(numbers))

    @api.post("/recompute")
    def recompute(again: Again, actor: Annotated[Actor, Depends(need(Right.ADMIN))]) -> JudgedAgain:
        count = (again.until - again.since).days
        if not 1 <= count <= MOST_AGAIN_DAYS:
            raise Problem(
                422,
                "bad_days",
                coded("days_from", "{count} days from {since}", count=count, since=again.since),
                coded("days_at_most", "1 to {most} days", most=MOST_AGAIN_DAYS),
            )
        revision, index = places.index
        work = Work(config, index, revision)
        done = judge_again(store, work, again.since, again.until, again.vehicles)
        with store.write() as tx:
            note = coded(
                "judged_again",
                "{first} before {last}: {count} vehicle-days",
                first=again.since,
                last=again.until,
                count=done,
            )
            act = audit.Entry(
                now(), actor.name, actor.role, "patrol", "all", "recompute", note=note
            )
            audit.append(tx, [act])
        return JudgedAgain(days=done)

    @api.get("/sweeping")
    def sweeping(
        _actor: of_grid,
        which: asked,
        part: Annotated[Page, Depends(page)],
        vehicle: str | None = None,
    ) -> Listing[SweptItem]:
        lines = [_swept_item(grid, near) for grid, near in swept_grids(which, vehicle)]
        return Listing(items=lines[part.offset : part.offset + part.limit], total=len(lines))

    @api.get("/sweeping/file", response_class=Response, responses=FILES)
    def sweeping_file(
        _actor: of_grid, which: asked, form: AskedForm, vehicle: str | None = None
    ) -> Response:
        items = [_swept_item(grid, near) for grid, near in swept_grids(which, vehicle)]
        lines: Iterator[list[Cell]] = (
            [i.grid.code, i.grid.name, i.level, round(i.area_m2), round(i.swept_m2),
             round(i.twice_m2), round(i.share, 4), round(i.passes, 2), round(i.length_m)]
            for i in items
        )  # fmt: skip
        return table("sweeping", SWEEPING_TITLES, lines, form, str(which.since))

    @api.get("/sweeping.geojson", response_class=Response, responses=GEOJSON)
    def bands(_actor: reader, which: asked, vehicle: str | None = None) -> Response:
        made = [
            (
                {
                    "vehicle": name,
                    "start": each.start.isoformat(),
                    "end": each.end.isoformat(),
                    "width_m": each.width_m,
                    "length_m": round(each.length_m, 1),
                },
                band(each),
            )
            for name, each in passes(which, vehicle)
        ]
        return _geojson(made)

    def passes(which: Question, vehicle: str | None) -> list[tuple[str, Pass]]:
        names = None if vehicle is None else [vehicle]
        with store.read() as tx:
            return patrol_store.passes_between(tx, which.since, which.until, names)

    def swept_grids(which: Question, vehicle: str | None) -> list[tuple[Grid, list[Pass]]]:
        """The grids of the question that any pass touches, with the passes near each."""
        made = [each for _, each in passes(which, vehicle)]
        grids = report.chosen_grids(places.index[1].grids, which, None)
        if not made or not grids:
            return []
        tree = STRtree([each.line for each in made])
        near = [sorted(tree.query(grid.geometry, predicate="intersects")) for grid in grids]
        return [
            (grid, [made[n] for n in numbers])
            for grid, numbers in zip(grids, near, strict=True)
            if numbers
        ]

    @api.put("/sweepers/{vehicle:path}")
    def set_width(
        vehicle: str, width: Width, actor: Annotated[Actor, Depends(need(Right.ADMIN))]
    ) -> Width:
        with store.write() as tx:
            if not patrol_store.kinds_of(tx, [vehicle]):
                raise not_found("vehicle", vehicle)
            patrol_store.set_width(tx, vehicle, width.sweep_width_m)
            at = now()
            note = coded("sweeps_wide", "sweeps {m:g} m wide", m=width.sweep_width_m)
            today = at.astimezone(config.zone).date()
            patrol_store.note(tx, vehicle, today, at)
            act = audit.Entry(at, actor.name, actor.role, "vehicle", vehicle, "width", note=note)
            audit.append(tx, [act])
        return width

    @api.get("/sweepers/{vehicle:path}")
    def get_width(vehicle: str, _actor: reader) -> Width:
        with store.read() as tx:
            if not patrol_store.kinds_of(tx, [vehicle]):
                raise not_found("vehicle", vehicle)
            default_m = sweep_settings(config.patrol).width_m
            return Width(sweep_width_m=patrol_store.width_of(tx, vehicle, default_m))

    return api


COVERAGE_TITLES = (
    "grid", "name", "level", "parent", "standing", "required", "due", "made", "open", "share",
    "missed", "parked", "passed", "visits", "looked_s", "last_visit",
)  # fmt: skip
SWEEPING_TITLES = (
    "grid", "name", "level", "area_m2", "swept_m2", "twice_m2", "share", "passes", "length_m",
)  # fmt: skip


def _question(config: HubConfig) -> Callable[..., Question]:
    def question(
        since: LocalDay | None = None,
        until: LocalDay | None = None,
        level: Annotated[int | None, Query(ge=1, le=9)] = None,
        grid: str | None = None,
        post: str | None = None,
        shift: str | None = None,
    ) -> Question:
        first = since or (
            until - timedelta(days=1) if until else now().astimezone(config.zone).date()
        )
        last = until or first + timedelta(days=1)
        if not 1 <= (last - first).days <= MOST_DAYS:
            raise Problem(
                422,
                "bad_days",
                coded(
                    "no_days_between", "no days from {first} before {last}", first=first, last=last
                ),
                coded("days_at_most", "1 to {most} days", most=MOST_DAYS),
            )
        try:
            return Question(first, last, level, grid, post, shift)
        except PatrolError as fault:
            raise Problem(
                422, "bad_days", words_of(fault), coded("some_days", "a span of days")
            ) from None

    return question


def _frequency(config: HubConfig) -> list[FrequencyItem]:
    plan = plan_of(config.patrol)
    return [
        FrequencyItem(level=level, times=each.times, period=each.period.value)
        for level, each in sorted(plan.items(), key=lambda item: item[0] or 0)
    ]


def _totals(rows: Sequence[Row]) -> Totals:
    due = sum(row.coverage.due for row in rows)
    made = sum(row.coverage.made for row in rows)
    standings = [row.standing for row in rows]
    return Totals(
        required=sum(row.coverage.required for row in rows),
        due=due,
        made=made,
        open_visits=sum(row.coverage.open for row in rows),
        missed_visits=due - made,
        share=made / due if due else None,
        grids=len(rows),
        visited=standings.count(Standing.VISITED),
        open=standings.count(Standing.OPEN),
        parked=standings.count(Standing.PARKED),
        passed=standings.count(Standing.PASSED),
        missed=standings.count(Standing.MISSED),
    )


def _item(row: Row) -> CoverageItem:
    grid, found = row.grid, row.coverage
    return CoverageItem(
        grid=GridRef(code=grid.code, name=grid.name),
        level=grid.level,
        parent=grid.parent,
        synthetic=bool(grid.properties.get("synthetic", False)),
        standing=row.standing,
        required=found.required,
        due=found.due,
        made=found.made,
        open=found.open,
        missed=list(found.missed),
        parked=list(found.parked),
        passed=list(found.passed),
        share=found.share,
        visits=row.visits,
        looked_s=round(row.slow_s, 1),
        last_visit=row.last,
    )


def _lines(rows: Sequence[Row]) -> Iterator[list[Cell]]:
    for item in map(_item, rows):
        yield [
            item.grid.code, item.grid.name, item.level, item.parent,
            Word(item.standing, ("patrol",)), item.required, item.due, item.made, item.open,
            None if item.share is None else round(item.share, 4),
            *(Several(days, " ", kept=True)
              for days in (item.missed, item.parked, item.passed)),
            item.visits, item.looked_s, item.last_visit,
        ]  # fmt: skip


def _properties(row: Row) -> dict[str, Any]:
    item = _item(row).model_dump(mode="json")
    return {**item.pop("grid"), **item}


def _swept_item(grid: Grid, passes: Sequence[Pass]) -> SweptItem:
    found = swept(grid.geometry, passes)
    return SweptItem(
        grid=GridRef(code=grid.code, name=grid.name),
        level=grid.level,
        area_m2=grid_store.area_m2(grid),
        swept_m2=round(found.swept_m2, 1),
        twice_m2=round(found.twice_m2, 1),
        share=round(found.share, 6),
        passes=round(found.passes, 3),
        length_m=round(found.length_m, 1),
    )


def _geojson(features: Sequence[tuple[Mapping[str, Any], BaseGeometry]]) -> Response:
    """Features by their properties and shapes."""
    shapes = shapely.to_geojson([shape for _, shape in features])
    parts = (
        f'{{"type":"Feature","properties":{json.dumps(properties, ensure_ascii=False)},'
        f'"geometry":{shape}}}'
        for (properties, _), shape in zip(features, shapes, strict=True)
    )
    text = f'{{"type":"FeatureCollection","features":[{",".join(parts)}]}}'
    return Response(text, media_type="application/geo+json")
