"""Data sets over HTTP, for administrators: what there is, and the ZIP."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse
from pydantic import AwareDatetime, BaseModel

from hub import audit
from hub.auth import need
from hub.config import HubConfig
from hub.datasets import store as dataset_store
from hub.datasets.archive import stream_zip
from hub.datasets.dataset import Choice, Dataset, summary
from hub.datasets.store import Wanted
from hub.evidence.store import Vault
from hub.http import ERRORS
from hub.roles import Actor, Right
from hub.store import Store, now
from wire.coded import coded


class DatasetSummary(BaseModel):
    """What an export would hold.

    `empty`: pictures with no box, from false alarms. `skipped`: judged alerts that give no
    picture, by reason.
    """

    pictures: int
    train: int
    val: int
    empty: int
    corrected: int
    generated: int
    cameras: int
    boxes: dict[str, int]
    skipped: dict[str, int]


class Asked(BaseModel):
    """Which verdicts, and how they are parted."""

    wanted: Wanted
    choice: Choice


def _asked(
    since: AwareDatetime | None = None,
    until: AwareDatetime | None = None,
    camera: str | None = None,
    val_share: Annotated[float, Query(ge=0, le=1)] = 0.2,
    generated: bool = False,
) -> Asked:
    return Asked(
        wanted=Wanted(since, until, camera),
        choice=Choice(val_share=val_share, generated=generated),
    )


def router(store: Store, vault: Vault, config: HubConfig) -> APIRouter:
    """Data sets of verdicts."""
    api = APIRouter(prefix="/api", tags=["datasets"], responses=ERRORS)

    def dataset(asked: Asked) -> Dataset:
        with store.read() as tx:
            return dataset_store.read(tx, config, asked.wanted, asked.choice)

    @api.get("/datasets/verdicts")
    def count(
        _actor: Annotated[Actor, Depends(need(Right.ADMIN))],
        asked: Annotated[Asked, Depends(_asked)],
    ) -> DatasetSummary:
        return DatasetSummary.model_validate(summary(dataset(asked)))

    @api.get(
        "/datasets/verdicts.zip",
        response_class=StreamingResponse,
        responses={200: {"content": {"application/zip": {}}}},
    )
    def download(
        actor: Annotated[Actor, Depends(need(Right.ADMIN))],
        asked: Annotated[Asked, Depends(_asked)],
    ) -> StreamingResponse:
        found = dataset(asked)
        note = coded("so_many_pictures", "{count} pictures", count=len(found.samples))
        with store.write() as tx:
            act = audit.Entry(
                now(), actor.name, actor.role, "dataset", "verdicts", "export", note=note
            )
            audit.append(tx, [act])
        return StreamingResponse(
            stream_zip(found, vault, config.learning, config.name),
            media_type="application/zip",
            headers={
                "Content-Disposition": 'attachment; filename="verdicts.zip"',
                "Cache-Control": "no-store",
            },
        )

    return api
