"""Grids in the database: what is in force, what was, and who brought it."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

import shapely
from sqlalchemy import (
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    func,
    select,
    update,
)
from sqlalchemy.engine import Connection, Row

from hub.grid.errors import GridError, Problem
from hub.grid.geodesy import metres_per_degree
from hub.grid.geojson import Reading, read
from hub.grid.grid import Grid
from hub.grid.places import GridStep, Places
from hub.grid.topology import topology_problems
from hub.store import Instant, Store, metadata

grids = Table(
    "grids",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("code", String(64), nullable=False),
    Column("name", String(200), nullable=False),
    Column("level", Integer),
    Column("parent", String(64)),
    Column("geometry", LargeBinary, nullable=False),
    Column("properties", Text, nullable=False),
    Column("area_m2", Float, nullable=False),
    Column("valid_from", Instant, nullable=False),
    Column("valid_until", Instant),
    Column("import_id", Integer, nullable=False),
    Index("ix_grids_code", "code", "valid_until"),
)
imports = Table(
    "grid_imports",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("actor", String(100), nullable=False),
    Column("source", String(500), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("changed", Integer, nullable=False),
)

IN_FORCE = grids.c.valid_until.is_(None)
_REVISION = select(func.max(imports.c.id))


@dataclass(frozen=True)
class Import:
    """What an import did: grids in the document, and how many of them are new or changed."""

    grids: int
    changed: int


@dataclass(frozen=True)
class Trial:
    """What an import would do: how many of the document's grids are new, differ, are the same.

    `staying`: grids in force that the document does not name. `problems`: of the document and of
    its fit with what stays; with any of them nothing would be imported.
    """

    reading: Reading
    new: int
    changed: int
    same: int
    staying: int
    problems: Sequence[Problem]


def try_out(tx: Connection, document: object) -> Trial:
    """What bringing in a FeatureCollection would do."""
    reading = read(document)
    here = in_force(tx)
    staying = [grid for grid in here if grid.code not in reading.places]
    found = [
        *reading.problems,
        *topology_problems([*reading.grids, *staying], reading.unusable),
    ]
    known = {grid.code for grid in here}
    new = sum(grid.code not in known for grid in reading.grids)
    differing = len(_differing(tx, reading.grids))
    same = len(reading.grids) - differing
    return Trial(reading, new, differing - new, same, len(staying), found)


def bring_in(tx: Connection, document: object, *, at: datetime, actor: str, source: str) -> Import:
    """Put the grids of a FeatureCollection in force, all or none.

    A grid of the same code is replaced and keeps an end date; grids the document does not name
    stay. Raises GridError with every problem of the document and of its fit with what stays.
    """
    trial = try_out(tx, document)
    reading = trial.reading
    if trial.problems:
        raise GridError.from_problems(trial.problems)
    number: int = tx.execute(
        imports.insert()
        .values(at=at, actor=actor, source=source, sha256=fingerprint(document), changed=0)
        .returning(imports.c.id)
    ).scalar_one()
    changed = _replace(tx, reading.grids, at, number)
    tx.execute(update(imports).where(imports.c.id == number).values(changed=changed))
    return Import(len(reading.grids), changed)


def is_here(tx: Connection, source: str, document: object) -> bool:
    """Whether the newest import of this source had the same content."""
    of_source = select(imports.c.sha256).where(imports.c.source == source)
    newest = tx.execute(of_source.order_by(imports.c.id.desc()).limit(1)).scalar()
    return newest == fingerprint(document)


def fingerprint(document: object) -> str:
    """SHA-256 of a document's content."""
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()


def in_force(tx: Connection) -> list[Grid]:
    """The grids in force."""
    return [_grid(row) for row in tx.execute(select(grids).where(IN_FORCE).order_by(grids.c.id))]


def is_known(tx: Connection, code: str) -> bool:
    """Whether a grid of that code is in force or ever was."""
    return tx.execute(select(grids.c.id).where(grids.c.code == code).limit(1)).first() is not None


def first_days(tx: Connection, zone: tzinfo) -> dict[str, date]:
    """The first whole day of every grid that was ever in force, by code."""
    first = func.min(grids.c.valid_from, type_=Instant)
    found = tx.execute(select(grids.c.code, first).group_by(grids.c.code))
    return {code: at.astimezone(zone).date() + timedelta(days=1) for code, at in found}


def revision(tx: Connection) -> int:
    """The number of the newest import, 0 before the first."""
    return tx.execute(_REVISION).scalar() or 0


def refresh(tx: Connection, places: Places) -> bool:
    """Let `places` hold the grids in force; whether anything had changed."""
    newest = revision(tx)
    if newest == places.revision:
        return False
    ended = select(grids.c.code, grids.c.name, grids.c.level).where(~IN_FORCE).order_by(grids.c.id)
    steps = [GridStep(code=r.code, name=r.name, level=r.level) for r in tx.execute(ended)]
    places.load(newest, in_force(tx), steps)
    return True


def area_m2(grid: Grid) -> float:
    """The area of a grid, to about a thousandth at the size of a town."""
    north, east = metres_per_degree(grid.geometry.centroid.y)
    return round(float(grid.geometry.area) * north * east, 1)


def load(store: Store, places: Places) -> None:
    """Fill `places` for the first time."""
    with store.read() as tx:
        refresh(tx, places)


def newest_imports(tx: Connection, limit: int, offset: int) -> list[Row[tuple[object, ...]]]:
    """Imports, the newest first, each with how many of the grids in force it brought."""
    still = select(func.count()).where(IN_FORCE, grids.c.import_id == imports.c.id)
    found = select(imports, still.scalar_subquery().label("in_force"))
    newest = found.order_by(imports.c.id.desc()).limit(limit).offset(offset)
    return list(tx.execute(newest).all())


def _differing(tx: Connection, new: Sequence[Grid]) -> list[dict[str, object]]:
    """The rows of those grids that are not in force as they are here."""
    old = {
        row.code: row
        for row in tx.execute(
            select(grids).where(IN_FORCE, grids.c.code.in_([grid.code for grid in new]))
        )
    }
    return [
        row
        for row in map(_row, new)
        if row["code"] not in old
        or any(value != getattr(old[row["code"]], key) for key, value in row.items())
    ]


def _replace(tx: Connection, new: Sequence[Grid], at: datetime, number: int) -> int:
    changed = _differing(tx, new)
    codes = [row["code"] for row in changed]
    tx.execute(update(grids).where(IN_FORCE, grids.c.code.in_(codes)).values(valid_until=at))
    if changed:
        tx.execute(
            grids.insert(), [{**row, "valid_from": at, "import_id": number} for row in changed]
        )
    return len(changed)


def _row(grid: Grid) -> dict[str, object]:
    return {
        "code": grid.code,
        "name": grid.name,
        "level": grid.level,
        "parent": grid.parent,
        "geometry": shapely.to_wkb(grid.geometry),
        "properties": json.dumps(dict(grid.properties), ensure_ascii=False, sort_keys=True),
        "area_m2": area_m2(grid),
    }


def _grid(row: Row[tuple[object, ...]]) -> Grid:
    return Grid(
        code=row.code,
        geometry=shapely.from_wkb(bytes(row.geometry)),
        name=row.name,
        level=row.level,
        parent=row.parent,
        properties=json.loads(row.properties),
    )
