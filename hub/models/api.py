"""Models and their rollouts over HTTP, and the bundles that devices fetch."""

import secrets
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path as PathParam, Query, Request
from fastapi.responses import FileResponse
from pydantic import BaseModel, Field
from sqlalchemy import func, select
from sqlalchemy.engine import Connection
from starlette.concurrency import run_in_threadpool

from hub import audit, events
from hub.auth import need
from hub.errors import Problem, not_found
from hub.events import Change
from hub.http import ERRORS, Body, CodedText, Listing, Page, Utc, coded_of, page
from hub.models import store as model_store
from hub.models.model import Model, check_address, read_bundle
from hub.models.rollout import BAD, DeviceState, Rollout, RolloutState, Target, is_complete, staged
from hub.models.store import Shelf, models, rollouts, to_model
from hub.roles import Actor, Right
from hub.store import Store, now, to_ms
from wire.coded import coded

Sha256 = Annotated[str, PathParam(pattern=r"^[0-9a-f]{64}$")]
DeviceName = Annotated[str, Field(max_length=64)]


class ModelItem(BaseModel):
    """A model that can be rolled out. `promotion`: what it was promoted on, by its manifest."""

    name: str
    version: str
    sha256: str
    size: int
    weights: str
    labels: list[str]
    licence: str
    promotion: dict[str, Any]
    added_at: Utc | None
    added_by: str


class TargetItem(BaseModel):
    """A device of a rollout; `stage` counts from 1, 0 = left aside after a failure.

    `coded`: `why` with its code, where it has one.
    """

    device: str
    stage: int
    state: DeviceState
    why: str
    coded: dict[str, CodedText] = {}
    received: int
    at: Utc | None


class RolloutItem(BaseModel):
    """A model on its way to devices. `stage` of `stages` is under way, counted from 1.

    `coded`: `why` with its code, where it has one.
    """

    id: int
    model: str
    version: str
    sha256: str
    state: RolloutState
    why: str
    coded: dict[str, CodedText] = {}
    stage: int
    stages: int
    stage_complete: bool
    clean_s: float | None
    trial_s: int
    made_at: Utc
    made_by: str
    counts: dict[str, int]
    devices: list[TargetItem]


class NewRollout(Body):
    """Which model, to whom in which order.

    `stages`: each a number of devices, a share of all as "10%", or a list of devices. `clean_s`:
    after so many seconds without a fault the next stage begins by itself; without it, on command.
    """

    model: Annotated[str, Field(max_length=64)]
    version: Annotated[str, Field(max_length=64)]
    stages: Annotated[
        list[int | str | list[DeviceName]],
        Field(min_length=1, max_length=20, default_factory=lambda: [1, "10%", "100%"]),
    ]
    clean_s: Annotated[float, Field(ge=0, le=2_592_000)] | None = None
    trial_s: Annotated[int, Field(ge=0, le=604_800)] = 600


class Move(Body):
    """What to do with a rollout: begin the `next` stage, `stop` it, `cancel` it for good.

    `next` of one that was stopped, or whose stage is not complete, needs a `note` that says why;
    devices that failed are left aside then.
    """

    action: Literal["next", "stop", "cancel"]
    note: Annotated[str, Field(max_length=500)] = ""


def rollout_items(tx: Connection, ids: Sequence[str]) -> dict[str, RolloutItem]:
    """Rollouts by number, as open pages hear of them."""
    numbers = [int(name) for name in ids]
    known, devices = model_store.load(tx, numbers), model_store.targets_of(tx, numbers)
    return {str(number): _rollout(each, devices[number]) for number, each in known.items()}


def router(
    store: Store, shelf: Shelf, key: bytes, wake: Callable[[], None] = lambda: None
) -> APIRouter:
    """Models and rollouts. `wake` tells the courier that something is to be sent."""
    api = APIRouter(tags=["models"], responses=ERRORS)
    admin = Annotated[Actor, Depends(need(Right.ADMIN))]

    @api.get("/api/models")
    def list_models(
        _actor: Annotated[Actor, Depends(need(Right.READ))], part: Annotated[Page, Depends(page)]
    ) -> Listing[ModelItem]:
        with store.read() as tx:
            total = tx.execute(select(func.count()).select_from(models)).scalar_one()
            newest = select(models).order_by(models.c.id.desc())
            rows = tx.execute(newest.limit(part.limit).offset(part.offset)).all()
        return Listing(items=[_model(to_model(row)) for row in rows], total=total)

    @api.post(
        "/api/models",
        status_code=201,
        openapi_extra={"requestBody": {"content": {"application/zip": {}}, "required": True}},
    )
    async def add(request: Request, actor: admin) -> ModelItem:
        file = shelf.incoming / f"{secrets.token_hex(8)}.tmp"
        try:
            with file.open("wb") as stream:
                async for chunk in request.stream():
                    await run_in_threadpool(stream.write, chunk)
            model = await run_in_threadpool(add_model, store, shelf, file, actor)
        finally:
            file.unlink(missing_ok=True)
        return _model(model)

    @api.get("/api/rollouts")
    def list_rollouts(
        _actor: Annotated[Actor, Depends(need(Right.READ))], part: Annotated[Page, Depends(page)]
    ) -> Listing[RolloutItem]:
        with store.read() as tx:
            total = tx.execute(select(func.count()).select_from(rollouts)).scalar_one()
            found = model_store.newest(tx, part.limit, part.offset)
            devices = model_store.targets_of(tx, [each.id for each in found])
        return Listing(items=[_rollout(each, devices[each.id]) for each in found], total=total)

    @api.get("/api/rollouts/{number}")
    def one(number: int, _actor: Annotated[Actor, Depends(need(Right.READ))]) -> RolloutItem:
        with store.read() as tx:
            return _one(tx, number)

    @api.post("/api/rollouts", status_code=201)
    def begin(wanted: NewRollout, actor: admin) -> RolloutItem:
        with store.write() as tx:
            number = _begin(tx, wanted, actor)
            item = _one(tx, number)
        wake()
        return item

    @api.post("/api/rollouts/{number}/actions")
    def move(number: int, wanted: Move, actor: admin) -> RolloutItem:
        with store.write() as tx:
            _move(tx, number, wanted, actor)
            item = _one(tx, number)
        wake()
        return item

    @api.get("/download/models/{sha256}", response_class=FileResponse)
    def download(
        sha256: Sha256,
        dev: Annotated[str, Query(max_length=64)],
        exp: int,
        sig: Annotated[str, Query(max_length=64)],
    ) -> FileResponse:
        check_address(key, sha256, dev=dev, exp=exp, sig=sig, now_ms=to_ms(now()))
        path = shelf.path(sha256)
        if not path.is_file():
            raise not_found("model", sha256)
        return FileResponse(path, media_type="application/zip")

    return api


def add_model(store: Store, shelf: Shelf, file: Path, actor: Actor) -> Model:
    """Take a bundle in: check it, keep it, write it down.

    Raises Problem: not a model's bundle, or another one has its name and version.
    """
    model = read_bundle(file)
    with store.read() as tx:
        model_store.is_here(tx, model)
    if not shelf.path(model.sha256).is_file():
        shelf.put(file, model.sha256)
    at = now()
    with store.write() as tx:
        if model_store.add(tx, model, at, actor.name):
            note = f"sha256 {model.sha256}"
            subject = f"{model.name} {model.version}"[:64]
            act = audit.Entry(at, actor.name, actor.role, "model", subject, "add", note=note)
            audit.append(tx, [act])
    return model


def _begin(tx: Connection, wanted: NewRollout, actor: Actor) -> int:
    model = model_store.find(tx, wanted.model, wanted.version)
    if model is None:
        raise not_found("model", f"{wanted.model} {wanted.version}")
    stages = staged(wanted.stages, model_store.watching(tx), model.sha256)
    at = now()
    rollout = Rollout(
        id=0,
        model=model.name,
        version=model.version,
        sha256=model.sha256,
        stages=len(stages),
        stage=0,
        state=RolloutState.RUNNING,
        clean_s=wanted.clean_s,
        trial_s=wanted.trial_s,
        made_at=at,
        made_by=actor.name,
    )
    number = model_store.begin(tx, rollout, stages)
    note = coded(
        "stages_of",
        "{model} {version}: {devices} devices",
        model=model.name,
        version=model.version,
        devices="+".join(str(len(stage)) for stage in stages),
    )
    _write_down(tx, number, "begin", actor, note)
    return number


def _move(tx: Connection, number: int, wanted: Move, actor: Actor) -> None:
    rollout = model_store.load(tx, [number]).get(number)
    if rollout is None:
        raise not_found("rollout", number)
    if rollout.state in (RolloutState.DONE, RolloutState.CANCELLED):
        raise Problem(
            409,
            "over",
            coded(
                "rollout_is", "rollout {rollout} is {state}", rollout=number, state=rollout.state
            ),
            coded("new_rollout", "a new rollout"),
        )
    if wanted.action == "cancel":
        state, stage, why = RolloutState.CANCELLED, rollout.stage, wanted.note
    elif wanted.action == "stop":
        state, stage, why = RolloutState.STOPPED, rollout.stage, wanted.note
    else:
        state, stage, why = RolloutState.RUNNING, _next(tx, rollout, wanted.note), ""
    model_store.set_standing(tx, number, state, stage, why)
    _write_down(tx, number, wanted.action, actor, wanted.note)


def _next(tx: Connection, rollout: Rollout, note: str) -> int:
    """The stage that begins; a reason is asked for where the one before is not complete.

    One that was stopped goes on with its own stage while devices of it are still to get the model.
    """
    targets = model_store.counted(model_store.targets_of(tx, [rollout.id])[rollout.id])
    begun = [target for target in targets if target.stage <= rollout.stage]
    if not is_complete(begun) or rollout.state is RolloutState.STOPPED:
        if not note:
            waiting = [f"{t.device} {t.state}" for t in begun if t.state is not DeviceState.ACTIVE]
            raise Problem(
                409,
                "not_complete",
                coded(
                    "stage_waits",
                    "stage {stage} is not complete: {names}",
                    stage=rollout.stage + 1,
                    names=", ".join(waiting) or "stopped",
                ),
                coded("note_to_go_on", "a note that says why to go on"),
            )
        model_store.forgive(tx, rollout.id, now())
        left = [target for target in begun if target.state not in BAD]
        if rollout.state is RolloutState.STOPPED and not is_complete(left):
            return rollout.stage
    return min(rollout.stage + 1, rollout.stages - 1)


def _write_down(tx: Connection, number: int, action: str, actor: Actor, note: str) -> None:
    act = audit.Entry(now(), actor.name, actor.role, "rollout", str(number), action, note=note)
    audit.append(tx, [act])
    events.record(tx, [Change("rollout", str(number))], now())


def _one(tx: Connection, number: int) -> RolloutItem:
    found = rollout_items(tx, [str(number)])
    if str(number) not in found:
        raise not_found("rollout", number)
    return found[str(number)]


def _model(model: Model) -> ModelItem:
    return ModelItem(**{**vars(model), "labels": list(model.labels)})


def _rollout(rollout: Rollout, devices: Sequence[Target]) -> RolloutItem:
    values = {name: getattr(rollout, name) for name in vars(rollout)}
    begun = [t for t in model_store.counted(devices) if t.stage <= rollout.stage]
    states = [target.state for target in devices]
    values |= {
        "coded": coded_of({"why": rollout.why}),
        "stage": rollout.stage + 1,
        "stage_complete": is_complete(begun),
        "counts": {str(state): states.count(state) for state in dict.fromkeys(states)},
        "devices": [
            TargetItem(
                **{**vars(target), "stage": target.stage + 1},
                coded=coded_of({"why": target.why}),
            )
            for target in devices
        ],
    }
    return RolloutItem(**values)
