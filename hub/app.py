"""The wiring: which parts there are and what each is given. No rule lives here."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Header, Query, Request
from fastapi.responses import (
    FileResponse,
    HTMLResponse,
    PlainTextResponse,
    Response,
    StreamingResponse,
)
from fastapi.staticfiles import StaticFiles
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.engine import Connection
from starlette.middleware.gzip import GZipMiddleware

from hub import (
    accounts,
    audit_api,
    auth,
    base_map,
    deadlines,
    decisions,
    events,
    http,
    merging,
    past,
    pipeline,
    proving,
    published,
    quarantine,
    records,
    search,
    spot,
    steps,
    whereabouts,
)
from hub.alerts import (
    api as alerts_api,
    attention_api,
    correction,
    leads_api,
    store as alert_store,
    suppression_api,
    track_evidence,
)
from hub.auth import need
from hub.calendar import api as calendar_api
from hub.calendar.limit import TimeLimit
from hub.cases import (
    api as cases_api,
    clock_store,
    condition_api,
    dispatch_api,
    enforcement_api,
    record_api,
    store as case_store,
    table_api,
)
from hub.cases.api import Act, CaseAlerts
from hub.cases.case import WantedStep, state_zh
from hub.cases.record import Kind
from hub.config import HubConfig
from hub.datasets import api as datasets_api
from hub.departments import api as departments_api
from hub.desk import Desk
from hub.devices import api as devices_api, store as device_store
from hub.devices.ops import INTRODUCE, OPS as CAMERA_OPS
from hub.devices.orders import api as orders_api
from hub.devices.orders.desk import OrderDesk, place
from hub.devices.revisions import api as revisions_api
from hub.devices.store import devices
from hub.duty import api as duty_api
from hub.errors import SEE_API, Problem
from hub.evaluation import api as evaluation_api
from hub.evaluation.figures import Figures
from hub.evaluation.making import Maker
from hub.events import Bus, Change
from hub.evidence import api as evidence_api
from hub.evidence.items import evidence_url
from hub.evidence.store import Vault
from hub.feed import Shown
from hub.grid import api as grid_api, store as grid_store
from hub.grid.places import Places
from hub.housekeeping import keep_house, make_reports, watch_patrols
from hub.ingest import Ingest, take_again
from hub.intake import api as intake_api, open311_api, public_api
from hub.intake.open311_api import Standing
from hub.intake.sealing import Seal
from hub.judging import Judge
from hub.live import api as live_api
from hub.looks import api as looks_api, wall_api
from hub.models import api as models_api
from hub.models.store import Shelf
from hub.out import api as out_api
from hub.out.sender import keep_telling
from hub.patrol import api as patrol_api, phone_api
from hub.people import oidc_api, person_names, session_api, token_api, user_api
from hub.permits import api as permits_api
from hub.pipeline import Site
from hub.proof import api as proof_api, ledger_api
from hub.proof.picture import Cover
from hub.roles import Actor, Right, Spot
from hub.scope import Reach
from hub.store import Store, now
from hub.tracks import (
    api as tracks_api,
    day_api,
    drivers_api,
    event_api,
    fence_api,
    store as track_store,
    vehicle_orders_api,
)
from hub.tracks.api import DeviceFacts
from hub.tracks.settings import settings_of
from hub.tracks.store import vehicles
from hub.tracks.vehicle_ops import OPS as VEHICLE_OPS

log = logging.getLogger(__name__)

CONSOLE = Path(__file__).with_name("console") / "dist"
NO_CONSOLE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Tianyan</title>
<p>页面尚未构建。 The console is not built yet: run <code>make console</code> and reload.
<p>The API answers: <a href="/api/openapi.json">/api/openapi.json</a>"""
JUDGE_WAITS_FOR = 50

OPS = {**CAMERA_OPS, **VEHICLE_OPS}
"""Every operation that may be ordered from a device."""


@dataclass
class Hub:
    """The parts of one hub process."""

    config: HubConfig
    store: Store
    site: Site
    bus: Bus
    ingest: Ingest
    judge: Judge
    figures: Figures
    maker: Maker

    @classmethod
    def build(cls, config: HubConfig, store: Store, cover: Cover | None = None) -> "Hub":
        """Make the parts; nothing runs yet. `cover`: covers faces and plates in photos."""
        places = Places()
        grid_store.load(store, places)
        site = Site(config, places, Vault(config.data_dir / "evidence"), cover=cover)
        bus = Bus(store, _renderer(places), track_store.moved_since)
        store.after_commit = bus.wake
        ingest = Ingest(store, site)
        judge = Judge(store, site, lambda: ingest.backlog() > JUDGE_WAITS_FOR)
        figures = Figures(store, config, places)
        maker = Maker(store, config, figures)
        return cls(config, store, site, bus, ingest, judge, figures, maker)


class CameraCount(BaseModel):
    """Cameras in use, and those that see."""

    total: int
    ok: int


class VehicleCount(BaseModel):
    """Vehicles in use, and those that can be reached."""

    total: int
    online: int


class AlertCount(BaseModel):
    """Things nobody has judged, and things first heard of today (the site's day)."""

    undecided: int
    today: int


class CaseCount(BaseModel):
    """Cases with work left, and all by state."""

    open: int
    by_state: dict[str, int]


class SiteItem(BaseModel):
    """The site and where its map opens."""

    name: str
    lat: float
    lon: float
    zoom: float
    time_zone: str
    base_map: base_map.BaseMapItem | None
    media_url: str


class Summary(BaseModel):
    """The whole at a glance. `generated`: some of it is made up for a demonstration.

    `blind`: the cameras nothing can be said of, the longest blind first, at most 200.
    """

    cameras: CameraCount
    blind: list[devices_api.BlindCamera]
    vehicles: VehicleCount
    alerts: AlertCount
    cases: CaseCount
    generated: bool
    site: SiteItem
    broker: str


class Health(BaseModel):
    """Whether the hub can store and receive."""

    status: str
    database: bool
    broker: bool


def create_app(config: HubConfig, hub: Hub | None = None) -> FastAPI:
    """The HTTP server of a hub, on a database that has its schema.

    Starting the app starts the ingest; stopping it stops it.
    """
    parts = hub or Hub.build(config, Store(config.database_url))
    app = FastAPI(
        title="Tianyan",
        version="1",
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=_lifespan(parts),
    )
    app.state.store = parts.store
    app.state.hub = parts
    app.state.access = config.access
    app.state.zone = config.zone
    app.state.whereabouts = whereabouts.THINGS
    app.state.grid_spots = partial(whereabouts.of_grid, parts.site.places)
    http.install(app, config.base_map.hosts if config.base_map else ())
    _include(app, parts)
    _add_events(app, parts)
    _add_overview(app, parts)
    _add_probes(app, parts)
    _add_console(app, config)
    return app


def _include(app: FastAPI, hub: Hub) -> None:
    store, places, config = hub.store, hub.site.places, hub.config
    _include_people(app, hub)
    app.include_router(grid_api.router(store, places, pipeline.grids_changed))
    _include_devices(app, hub)
    orders = OrderDesk(store, OPS, hub.ingest.wake)
    app.include_router(orders_api.router(store, orders))
    app.include_router(revisions_api.router(store, hub.ingest.wake))
    app.include_router(looks_api.router(store, orders))
    app.include_router(wall_api.router(store))
    app.include_router(live_api.router(store, config, hub.site.vault.key, hub.ingest.wake))
    online = vehicles.c.device.in_(select(devices.c.id).where(devices.c.online))
    thresholds = settings_of(config.vehicles.thresholds)
    app.include_router(day_api.router(store, config.zone, thresholds))
    app.include_router(leads_api.router(store, thresholds, config.vehicles.trucks))
    app.include_router(tracks_api.router(store, places, _device_facts, online))
    app.include_router(departments_api.router(store))
    app.include_router(duty_api.router(store, places, config))
    app.include_router(patrol_api.router(store, places, config))
    app.include_router(fence_api.router(store))
    app.include_router(permits_api.router(store, config.zone))
    app.include_router(event_api.router(store))
    app.include_router(track_evidence.router(store))
    app.include_router(vehicle_orders_api.router(store, orders))
    app.include_router(drivers_api.router(store))

    _include_alerts(app, hub)
    app.include_router(datasets_api.router(store, hub.site.vault, config))
    shelf = Shelf(config.data_dir / "models")
    app.include_router(models_api.router(store, shelf, hub.site.vault.key, hub.ingest.wake))

    def take_step(case: int, act: Act, actor: Actor) -> None:
        wanted = WantedStep(**act.model_dump())
        steps.take_step(store, hub.site, case, wanted, actor)

    def alert_items(tx: Connection, which: Sequence[str]) -> dict[str, alerts_api.AlertItem]:
        return alerts_api.alert_items(tx, places, cases_api.case_refs, which)

    app.include_router(cases_api.router(store, places, case_alerts, alert_items, take_step))
    app.include_router(table_api.router(store, places, case_alerts))
    app.include_router(dispatch_api.router(store, places, config))
    app.include_router(record_api.router(store, _record_acts(hub)))
    app.include_router(enforcement_api.router(store, config.zone))
    app.include_router(condition_api.router(store, config.standard_ref))
    app.include_router(proof_api.router(store, lambda: hub.site.proof))
    app.include_router(ledger_api.router(store, places, config))
    _include_intake(app, hub)
    app.include_router(calendar_api.router(store, config.zone))
    app.include_router(evaluation_api.router(store, hub.figures, hub.maker))

    def arrived(sha256: str, kind: str, size: int, device: str, sealed: bool) -> None:  # noqa: FBT001
        proving.file_arrived(store, sha256, kind, size, device, sealed=sealed)
        hub.ingest.confirm_file(device, sha256)

    differs = partial(proving.file_differs, store)
    app.include_router(
        evidence_api.router(store, hub.site.vault, config.evidence, arrived, differs)
    )


def _include_devices(app: FastAPI, hub: Hub) -> None:
    store, broker = hub.store, hub.config.broker

    def remove_account(device: str) -> bool:
        hub.site.admitted.pop(device, None)
        return accounts.remove(broker, device)

    add_account, accept_key = (
        partial(accounts.add, broker),
        partial(proving.accept_key, store),
    )
    places = hub.site.places

    def greet(tx: Connection, device: str, actor: Actor) -> None:
        if quarantine.has_of(tx, device):
            place(tx, OPS, device, INTRODUCE, {}, actor=actor)

    app.include_router(
        devices_api.router(store, places, add_account, remove_account, accept_key, greet)
    )
    app.include_router(quarantine.router(store, partial(take_again, hub.site)))


def _include_people(app: FastAPI, hub: Hub) -> None:
    store, is_grid = hub.store, partial(whereabouts.is_grid, hub.site.places)
    app.include_router(session_api.router(store, hub.config))
    if hub.config.access.oidc.issuer:
        app.include_router(oidc_api.router(store, hub.config))
    app.include_router(phone_api.router(store, hub.config))
    app.include_router(token_api.router(store, is_grid))
    idle = hub.config.access.idle
    app.include_router(user_api.router(store, idle, is_grid, whereabouts.is_department))
    app.include_router(person_names.router(store))
    app.include_router(audit_api.router(store))
    seal = Seal(hub.config.data_dir)
    app.include_router(out_api.router(store, seal, hub.config.out, is_grid))


def _include_alerts(app: FastAPI, hub: Hub) -> None:
    store, places, config = hub.store, hub.site.places, hub.config

    def decide(alert: str, decision: str, note: str, actor: Actor) -> None:
        decisions.decide(store, hub.site, alert, decision, note=note, actor=actor)

    def merge(alert: str, into: alerts_api.Merge, actor: Actor) -> None:
        other = ("cases", into.case) if into.case is not None else ("alerts", into.alert)
        whereabouts.check(store, *other, actor=actor, right=Right.DECIDE)
        if into.case is not None:
            merging.merge_into_case(
                store, hub.site, alert, into.case, note=into.note.strip(), actor=actor
            )
        else:
            merging.merge_into_alert(
                store, alert, into.alert or "", note=into.note.strip(), actor=actor
            )

    app.include_router(alerts_api.router(store, places, cases_api.case_refs, decide, merge))
    alert_detail = partial(alerts_api.detail, store, places, cases_api.case_refs)
    app.include_router(attention_api.router(store, alert_detail))
    app.include_router(spot.router(store, config.zone))
    app.include_router(search.router(store, places))
    app.include_router(deadlines.router(store, places, config))
    app.include_router(past.router(store))
    app.include_router(base_map.router(config.base_map))

    def lift(number: int, note: str, actor: Actor) -> None:
        decisions.lift_suppression(store, hub.site, number, note=note, actor=actor)

    app.include_router(suppression_api.router(store, lift))
    app.include_router(correction.router(store, config.learning.labels))


def _record_acts(hub: Hub) -> record_api.Acts:
    store, site = hub.store, hub.site

    def record(case: int, new: record_api.NewRecord, actor: Actor) -> None:
        extra = TimeLimit(new.number, new.unit) if new.number and new.unit else None
        wanted = records.WantedRecord(
            Kind(new.kind),
            new.version,
            new.note,
            new.until,
            extra,
            new.reason,
            new.department,
            new.officer,
        )
        records.record(store, site, case, wanted, actor)

    def decide(record: int, wanted: record_api.Decision, actor: Actor) -> int:
        said = records.Said(wanted.version, wanted.note)
        return records.decide(store, site, record, said, approve=wanted.approve, actor=actor)

    def answer(record: int, wanted: record_api.Answer, actor: Actor) -> int:
        said = records.Said(wanted.version, wanted.note)
        return records.answer(store, site, record, said, actor=actor)

    return record_api.Acts(record, decide, answer)


def _include_intake(app: FastAPI, hub: Hub) -> None:
    store, config = hub.store, hub.config
    seal = Seal(config.data_dir)
    desk = Desk(store, hub.site, seal)
    app.include_router(
        intake_api.router(
            store, desk, seal, hub.site.vault, hub.site.places, config.zone, case_store.numbers_of
        )
    )
    app.include_router(
        open311_api.router(
            store, seal, desk.receive, standing, url=config.base_url, public=config.intake.public
        )
    )
    if config.intake.public:
        app.include_router(
            public_api.router(
                store, seal, desk.receive, standing, config.intake.per_hour, hub.site.vault
            )
        )
        view = config.view
        site = published.PublicSite(
            name=config.name,
            lat=view.lat,
            lon=view.lon,
            time_zone=config.time_zone,
            matters=published.matters(),
            grids=[],
        )
        app.include_router(published.router(store, hub.site.places, seal, site))


def standing(tx: Connection, ids: Sequence[int]) -> dict[int, Standing]:
    """How cases stand, as those see it who reported them."""
    due = {case: clock.due_at for case, clock in clock_store.load(tx, ids).items()}
    return {
        case.id: Standing(case.is_open, state_zh(case.state), due.get(case.id), case.updated_at)
        for case in case_store.load(tx, ids).values()
    }


def case_alerts(tx: Connection, cases: Collection[int]) -> dict[int, CaseAlerts]:
    """The alerts of each case and a picture, best an annotated one."""
    ids = alert_store.of_case(tx, cases)
    shown = alert_store.pictures_of(tx, [name for names in ids.values() for name in names[:10]])
    found = {}
    for case, names in ids.items():
        files = [p for name in names[:10] for p in shown[name] if p.held and "image" in p.type]
        best = sorted(files, key=lambda p: p.role != "annotated")
        url = evidence_url(best[0].sha256) if best else None
        found[case] = CaseAlerts(tuple(names), url)
    return found


def _device_facts(tx: Connection, ids: Sequence[str]) -> dict[str, DeviceFacts]:
    return {
        name: DeviceFacts(online=device.online, generated=device.generated)
        for name, device in device_store.known(tx, ids).items()
    }


def _renderer(places: Places) -> events.Render:
    def camera(tx: Connection, ids: Sequence[str]) -> dict[str, Any]:
        return devices_api.camera_items(tx, places, ids)

    def vehicle(tx: Connection, ids: Sequence[str]) -> dict[str, Any]:
        return tracks_api.vehicle_items(tx, places, _device_facts, ids)

    def alert(tx: Connection, ids: Sequence[str]) -> dict[str, Any]:
        return alerts_api.alert_items(tx, places, cases_api.case_refs, ids)

    def case(tx: Connection, ids: Sequence[str]) -> dict[str, Any]:
        items = cases_api.case_items(tx, places, case_alerts, [int(name) for name in ids])
        return {str(name): item for name, item in items.items()}

    by_kind = {
        "alert": alert,
        "claim": attention_api.claim_items,
        "case": case,
        "camera": camera,
        "vehicle": vehicle,
        "device": devices_api.device_items,
        "order": orders_api.order_news,
        "revision": revisions_api.revision_news,
        "rollout": models_api.rollout_items,
        person_names.NAME: person_names.name_items,
    }

    def render(tx: Connection, changes: Sequence[Change]) -> dict[Change, Shown]:
        shown = {}
        for kind, items_of in by_kind.items():
            ids = [change.item for change in changes if change.kind == kind]
            for name, item in (items_of(tx, ids) if ids else {}).items():
                spot = whereabouts.of_item(item)
                for_all = kind == person_names.NAME
                shown[Change(kind, name)] = Shown(item.model_dump_json(), spot, for_all)
        return shown

    return render


def _lifespan(hub: Hub) -> Callable[[FastAPI], Any]:
    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        tasks = [
            asyncio.create_task(hub.bus.run(), name="events"),
            asyncio.create_task(keep_house(hub.store, hub.site), name="housekeeping"),
            asyncio.create_task(watch_patrols(hub.store, hub.site), name="patrol"),
            asyncio.create_task(make_reports(hub.store, hub.maker), name="reports"),
            asyncio.create_task(
                keep_telling(
                    hub.store,
                    hub.site.places,
                    Seal(hub.config.data_dir),
                    hub.config.out,
                    lambda: hub.config.base_url,
                ),
                name="webhooks",
            ),
        ]
        hub.ingest.start()
        if hub.config.vehicles.judge:
            hub.judge.start()
        try:
            yield
        finally:
            hub.bus.close()
            for task in tasks:
                task.cancel()
            for task in tasks:
                with suppress(asyncio.CancelledError):
                    await task
            await asyncio.to_thread(hub.ingest.stop)
            await asyncio.to_thread(hub.judge.stop)
            hub.store.close()

    return lifespan


def _add_events(app: FastAPI, hub: Hub) -> None:
    @app.get(
        "/api/events",
        tags=["events"],
        response_class=StreamingResponse,
        responses={**http.ERRORS, 200: {"content": {"text/event-stream": {}}}},
    )
    async def follow(
        request: Request,
        actor: Annotated[Actor, Depends(need(Right.READ, Reach.POSTS))],
        last_event_id: Annotated[str | None, Header()] = None,
        last: Annotated[str | None, Query(alias="last_event_id")] = None,
    ) -> http.Pushed:
        given = last_event_id or last or ""
        after = int(given) if given.isdigit() and len(given) < 19 else None
        sees_all = actor.at([], Right.READ) is not None

        def may_see(spot: Spot | None) -> bool:
            return actor.at([spot] if spot else [], Right.READ) is not None

        return http.Pushed(
            hub.bus.stream(
                after,
                None if sees_all else may_see,
                lambda: auth.identify(request, touch=False) == actor,
            ),
            headers={"X-Accel-Buffering": "no", "Cache-Control": "no-store"},
        )


def _add_overview(app: FastAPI, hub: Hub) -> None:
    config, view = hub.config, hub.config.view
    online = vehicles.c.device.in_(select(devices.c.id).where(devices.c.online))

    @app.get("/api/summary", tags=["overview"], responses=http.ERRORS)
    def summary(
        actor: Annotated[Actor, Depends(need(Right.READ, Reach.POSTS))],
    ) -> Summary:
        at = now()
        midnight = _midnight(at, config)
        with hub.store.read() as tx:
            total, seeing = devices_api.counts(tx, devices_api.visible(actor))
            blind = devices_api.blind_now(tx, devices_api.visible(actor))
            in_use, reachable = tracks_api.counts(tx, online, tracks_api.visible(actor))
            undecided, today = alert_store.counts(tx, midnight, at, alerts_api.visible(actor))
            is_open, by_state = case_store.counts(tx, cases_api.visible(actor))
            some = select(devices.c.id).where(devices.c.generated).limit(1)
            generated = tx.execute(some).first() is not None
        return Summary(
            cameras=CameraCount(total=total, ok=seeing),
            blind=blind,
            vehicles=VehicleCount(total=in_use, online=reachable),
            alerts=AlertCount(undecided=undecided, today=today),
            cases=CaseCount(open=is_open, by_state=by_state),
            generated=generated,
            site=SiteItem(
                name=config.name,
                lat=view.lat,
                lon=view.lon,
                zoom=view.zoom,
                time_zone=config.time_zone,
                base_map=base_map.item_of(config.base_map),
                media_url=config.media_url,
            ),
            broker=_broker(hub.ingest.broker_name),
        )


def _midnight(at: datetime, config: HubConfig) -> datetime:
    local = at.astimezone(config.zone)
    return local - timedelta(
        hours=local.hour, minutes=local.minute, seconds=local.second, microseconds=local.microsecond
    )


def _broker(name: str) -> str:
    lowered = name.lower()
    known = ("mosquitto", "amqtt", "emqx", "nats", "vernemq", "hivemq")
    return next((each for each in known if each in lowered), name or "unknown")


def _add_probes(app: FastAPI, hub: Hub) -> None:
    def local_or_reader(request: Request) -> None:
        if not auth.is_from_here(request):
            need(Right.READ)(request)

    probe = [Depends(local_or_reader)]

    @app.get("/healthz", tags=["probes"], dependencies=probe)
    def healthz(response: Response) -> Health:
        try:
            hub.store.ping()
            database = True
        except Exception:  # noqa: BLE001 - the answer says it
            database = False
        broker = hub.ingest.is_connected()
        if not database:
            response.status_code = 503
        status = "ok" if database and broker else "degraded"
        return Health(status=status, database=database, broker=broker)

    @app.get("/metrics", tags=["probes"], dependencies=probe, response_class=PlainTextResponse)
    def metrics() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


def _add_console(app: FastAPI, config: HubConfig) -> None:
    @app.get("/api/{rest:path}", include_in_schema=False)
    def nothing_here(rest: str) -> None:
        raise Problem(
            404,
            "not_found",
            f"/api/{rest} does not exist",
            SEE_API,
        )

    if (CONSOLE / "index.html").is_file():
        if config.intake.public:
            _add_page(app, "/public/", "public.html")
        _add_page(app, "/phone", "phone.html")
        pages = GZipMiddleware(_Console(directory=CONSOLE, html=True), compresslevel=6)
        app.mount("/", pages, name="console")
        return

    @app.get("/", include_in_schema=False)
    def no_console() -> HTMLResponse:
        return HTMLResponse(NO_CONSOLE, status_code=503)


def _add_page(app: FastAPI, path: str, file: str) -> None:
    """A small page of its own, for phones: it may ask for the place and take photos."""

    @app.get(path, include_in_schema=False)
    def page() -> FileResponse:
        return FileResponse(
            CONSOLE / file,
            headers={
                "Cache-Control": "no-cache",
                "Permissions-Policy": "camera=(self), microphone=(self), geolocation=(self)",
            },
        )


class _Console(StaticFiles):
    """The built pages: hashed assets may be kept for ever, the page itself not at all."""

    async def get_response(self, path: str, scope: Any) -> Response:
        """A file, or the page for an address within it."""
        response = await super().get_response(path, scope)
        kept = path.startswith("assets/") and response.status_code == 200
        value = "public, max-age=31536000, immutable" if kept else "no-cache"
        response.headers["Cache-Control"] = value
        return response
