"""Drivers of vehicles over HTTP; names in full only for those who may see evidence."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.engine import Connection, Row

from hub.auth import need
from hub.errors import not_found
from hub.http import ERRORS, Listing, Page, Utc, page
from hub.roles import Actor, Right
from hub.store import Store
from hub.tracks import drivers
from hub.tracks.store import vehicles


class DriverCardItem(BaseModel):
    """A driver's card put in or taken out.

    `read`: `read`, or why the card could not be; empty when it was taken out. `name`: masked, and
    `certificate` null, for those who may not see evidence. `expires_on`: the certificate's last
    day; empty where the card does not say. `present`: this driver drives now.
    """

    at: Utc
    inserted: bool
    read: str
    name: str
    certificate: str | None
    issuer: str
    expires_on: str
    present: bool


def router(store: Store) -> APIRouter:
    """The drivers of a vehicle."""
    api = APIRouter(prefix="/api", tags=["vehicles"], responses=ERRORS)

    @api.get("/vehicles/{vehicle:path}/drivers")
    def list_drivers(
        vehicle: str,
        actor: Annotated[Actor, Depends(need(Right.READ))],
        part: Annotated[Page, Depends(page)],
    ) -> Listing[DriverCardItem]:
        with store.read() as tx:
            check_known(tx, vehicle)
            rows, total = drivers.of(tx, vehicle, part.limit, part.offset)
            present = drivers.present(tx, [vehicle]).get(vehicle)
        may = actor.may(Right.EVIDENCE)
        items = [
            _item(row, may=may, present=present is not None and row.at == present.since)
            for row in rows
        ]
        return Listing(items=items, total=total)

    return api


def check_known(tx: Connection, vehicle: str) -> None:
    """Raises Problem 404 unless the vehicle is known."""
    if tx.execute(select(vehicles.c.id).where(vehicles.c.id == vehicle)).first() is None:
        raise not_found("vehicle", vehicle)


def _item(row: Row[Any], *, may: bool, present: bool) -> DriverCardItem:
    return DriverCardItem(
        at=row.at,
        inserted=row.inserted,
        read=row.read,
        name=row.driver if may else drivers.masked(row.driver),
        certificate=row.certificate if may else None,
        issuer=row.issuer,
        expires_on=row.expires_on,
        present=present and row.inserted,
    )
