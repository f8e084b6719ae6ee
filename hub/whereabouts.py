"""Where things are, for posts that are limited: in which grids, about what, whose work."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from pydantic import BaseModel
from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.engine import Connection

from hub.alerts.store import alerts
from hub.cases import record_store, store as case_store
from hub.departments import store as department_store
from hub.devices.store import cameras
from hub.errors import Problem
from hub.evidence.refs import pictures
from hub.grid.places import Places
from hub.intake.store import reports
from hub.proof import store as proof_store
from hub.roles import Actor, Right, Spot
from hub.scope import Whereabouts
from hub.store import Store
from hub.tracks.store import vehicles
from wire.coded import coded

Params = Mapping[str, Any]


def of_cases(tx: Connection, ids: Sequence[int]) -> dict[int, Spot]:
    """Where cases are, by id; they are their partners' too."""
    partners = record_store.partners(tx, ids)
    return {
        case.id: replace(
            case.spot, departments=case.spot.departments | partners.get(case.id, frozenset())
        )
        for case in case_store.load(tx, ids).values()
    }


def of_grid(places: Places, code: str) -> list[Spot]:
    """A grid as a place: within itself and all above it; nothing for an unknown one."""
    parents = {grid.code: grid.parent for grid in places.index[1].grids}
    path: list[str] = []
    step: str | None = code
    while step in parents and step not in path:
        path.insert(0, step)
        step = parents[step]
    return [Spot(tuple(path))] if path else []


def of_item(item: BaseModel) -> Spot | None:
    """Where an item is that pages hear of; None for what is the whole city's."""
    steps = getattr(item, "grids", None)
    if steps is None:
        return None
    matter, department = getattr(item, "matter", None), getattr(item, "department", None)
    departments = frozenset([department.code]) if department else frozenset()
    return Spot(tuple(step.code for step in steps), matter.code if matter else None, departments)


def check(store: Store, kind: str, name: object, *, actor: Actor, right: Right) -> None:
    """Raises Problem when a thing that a call names in its body is beyond the actor's posts."""
    with store.read() as tx:
        spots = THINGS[kind](tx, {"name": name})
    if spots is not None and actor.at(spots, right) is None:
        raise Problem(
            403,
            "elsewhere",
            coded(
                "posts_not_cover", "{who}'s posts do not cover {name}", who=actor.name, name=name
            ),
            coded("what_they_cover", "what they cover"),
        )


def is_department(tx: Connection, code: str) -> bool:
    """Whether a code is that of a department in force."""
    known = department_store.one(tx, code)
    return known is not None and known.retired_at is None


def is_grid(places: Places, code: str) -> bool:
    """Whether a code is that of a grid in force."""
    return bool(of_grid(places, code))


def _case(tx: Connection, params: Params) -> list[Spot] | None:
    number = _only(params)
    if not number.isdecimal() or len(number) > 9:
        return None
    return list(of_cases(tx, [int(number)]).values()) or None


def _record(tx: Connection, params: Params) -> list[Spot] | None:
    number = _only(params)
    if not number.isdecimal() or len(number) > 9:
        return None
    found = record_store.listed(tx, record_store.records.c.id == int(number))
    return list(of_cases(tx, [each.case_id for each in found]).values()) or None


def _alert(tx: Connection, params: Params) -> list[Spot] | None:
    return _alerts(tx, [_only(params)]) or None


def _alerts(tx: Connection, ids: Sequence[str]) -> list[Spot]:
    """An alert is where it was seen, and its case's department may see it too."""
    rows = tx.execute(
        select(alerts.c.path, alerts.c.matter, alerts.c.case_id).where(alerts.c.id.in_(ids))
    ).all()
    of_case = of_cases(tx, [row.case_id for row in rows if row.case_id is not None])
    return [_with_case(row, of_case) for row in rows]


def _report(tx: Connection, params: Params) -> list[Spot] | None:
    return _reports(tx, reports.c.number == _only(params)) or None


def _reports(tx: Connection, which: ColumnElement[bool]) -> list[Spot]:
    found = select(reports.c.path, reports.c.matter, reports.c.case_id).where(which)
    rows = tx.execute(found).all()
    of_case = of_cases(tx, [row.case_id for row in rows if row.case_id is not None])
    return [_with_case(row, of_case) for row in rows]


def _with_case(row: Any, of_case: Mapping[int, Spot]) -> Spot:
    case = of_case.get(row.case_id or 0, Spot())
    return Spot(row.path, row.matter, case.departments)


def _evidence(tx: Connection, params: Params) -> list[Spot]:
    """A file is wherever the things are that it shows; one that shows nothing is nowhere."""
    sha256 = _only(params)
    shown = tx.execute(select(pictures.c.alert).where(pictures.c.sha256 == sha256)).scalars().all()
    told = reports.c.files.contains(f'"{sha256}"', autoescape=True)
    fixes = proof_store.photos.c
    of_fix = select(fixes.case_id).where((fixes.sha256 == sha256) | (fixes.shown == sha256))
    of_case = of_cases(tx, tx.execute(of_fix).scalars().all())
    return [*_alerts(tx, shown), *_reports(tx, told), *of_case.values()]


def _vehicle(tx: Connection, params: Params) -> list[Spot] | None:
    return _first_path(tx, select(vehicles.c.grid_path).where(vehicles.c.id == _only(params)))


def _camera(tx: Connection, params: Params) -> list[Spot] | None:
    name = "/".join(str(value) for value in params.values())
    return _first_path(tx, select(cameras.c.grid_path).where(cameras.c.id == name))


def _first_path(tx: Connection, found: Select[Any]) -> list[Spot] | None:
    row = tx.execute(found).first()
    return None if row is None else [Spot(row.grid_path)]


def _only(params: Params) -> str:
    return str(next(iter(params.values())))


THINGS: Whereabouts = {
    "alerts": _alert,
    "cameras": _camera,
    "case-records": _record,
    "cases": _case,
    "evidence": _evidence,
    "reports": _report,
    "vehicles": _vehicle,
}
