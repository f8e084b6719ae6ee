"""The last picture of every camera: of an alert, or of a snapshot that somebody asked for."""

from datetime import datetime, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Depends
from pydantic import BaseModel
from sqlalchemy import and_, func, select
from sqlalchemy.engine import Connection

from hub.alerts.store import alerts
from hub.auth import need
from hub.devices.api import visible
from hub.devices.orders.store import orders
from hub.devices.store import cameras
from hub.evidence.items import evidence_url
from hub.evidence.order_key import key_of
from hub.evidence.refs import pictures_of
from hub.http import ERRORS, Listing, Utc
from hub.looks.pictures import SNAPSHOT
from hub.roles import Actor, Right
from hub.scope import Reach
from hub.store import Store, now

WITHIN = timedelta(days=7)
MOST_SNAPSHOTS = 4000
ROLES = ("clean", "annotated")


class CameraPicture(BaseModel):
    """A picture, faces and plates covered as always; `at` is when it was taken or asked for."""

    camera: str
    url: str
    at: Utc
    of: Literal["alert", "snapshot"]


def router(store: Store) -> APIRouter:
    """The wall of pictures."""
    api = APIRouter(prefix="/api", tags=["cameras"], responses=ERRORS)

    @api.get("/camera-pictures")
    def camera_pictures(
        actor: Annotated[Actor, Depends(need(Right.READ, Reach.POSTS))],
    ) -> Listing[CameraPicture]:
        """The newest of each camera within seven days; a camera without one is left out."""
        since = now() - WITHIN
        with store.read() as tx:
            mine = select(cameras.c.id).where(cameras.c.retired_at.is_(None), visible(actor))
            shown = set(tx.execute(mine).scalars())
            found = [*_of_alerts(tx, since), *_of_snapshots(tx, since)]
        newest: dict[str, CameraPicture] = {}
        for each in sorted(found, key=lambda each: each.at):
            if each.camera in shown:
                newest[each.camera] = each
        return Listing(items=list(newest.values()), total=len(newest))

    return api


def _of_alerts(tx: Connection, since: datetime) -> list[CameraPicture]:
    last = (
        select(alerts.c.device, alerts.c.source, func.max(alerts.c.at).label("at"))
        .where(alerts.c.at > since, alerts.c.place != "vehicle")
        .group_by(alerts.c.device, alerts.c.source)
        .subquery()
    )
    same = and_(
        alerts.c.device == last.c.device,
        alerts.c.source == last.c.source,
        alerts.c.at == last.c.at,
    )
    rows = tx.execute(
        select(alerts.c.id, alerts.c.device, alerts.c.source, alerts.c.at).join(last, same)
    ).all()
    pictures = _pictures(tx, [row.id for row in rows])
    return [
        CameraPicture(camera=f"{row.device}/{row.source}", url=url, at=row.at, of="alert")
        for row in rows
        if (url := pictures.get(row.id))
    ]


def _of_snapshots(tx: Connection, since: datetime) -> list[CameraPicture]:
    done = select(orders.c.id, orders.c.subject, orders.c.made_at).where(
        orders.c.op == SNAPSHOT, orders.c.state == "done", orders.c.made_at > since
    )
    rows = tx.execute(done.order_by(orders.c.made_at.desc()).limit(MOST_SNAPSHOTS)).all()
    newest = {row.subject: row for row in reversed(rows)}
    pictures = _pictures(tx, [key_of(row.id) for row in newest.values()])
    return [
        CameraPicture(camera=row.subject, url=url, at=row.made_at, of="snapshot")
        for row in newest.values()
        if (url := pictures.get(key_of(row.id)))
    ]


def _pictures(tx: Connection, keys: list[str]) -> dict[str, str]:
    """The address of a picture of each, the clean one where there is one."""
    found = {}
    for key, files in pictures_of(tx, keys).items():
        held = [each for each in files if each.held and "image" in each.type]
        best = sorted(held, key=lambda each: ROLES.index(each.role) if each.role in ROLES else 9)
        if best:
            found[key] = evidence_url(best[0].sha256)
    return found
