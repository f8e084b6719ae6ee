"""五定, posts, people, shifts and attendance over HTTP."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field
from sqlalchemy.engine import Connection
from starlette.concurrency import run_in_threadpool

from hub import audit
from hub.auth import need
from hub.config import HubConfig
from hub.duty import store as duty_store
from hub.duty.attendance import Presence
from hub.duty.duty import TEXTS, Five, Person, PersonRole, Post, Text, missing
from hub.duty.errors import BadDuty
from hub.duty.roll import Asked, Line, Place, roll, settings_of
from hub.duty.shift import Shift
from hub.duty.table import Duty, read_duty, read_rows
from hub.errors import SEE_PROBLEMS, Problem, not_found
from hub.exports import FILES, AskedForm, Cell, Word, table
from hub.grid.errors import GridError
from hub.grid.grid import Grid
from hub.grid.places import GridRef, Places
from hub.http import ERRORS, Body, Listing, LocalDay, Page, Utc, page
from hub.roles import Actor, Right
from hub.scope import Reach
from hub.store import Store, now
from wire.coded import coded, joined

MOST_DAYS = 62
KindName = Literal["posts", "people", "duties", "tasks", "rewards", "shifts"]
TextKind = Literal["duties", "tasks", "rewards"]
RowKind = Literal["posts", "people", "shifts"]


class PersonItem(BaseModel):
    """Somebody at a post. Who may not act sees a surname and no telephone number."""

    id: str
    name: str
    role: PersonRole
    post: str
    phone: str
    trackers: list[str]


class PostItem(BaseModel):
    """A post: the grid it belongs to, the grids it patrols, its shifts and people."""

    code: str
    name: str
    grid: GridRef
    patrols: list[GridRef]
    shifts: list[str]
    people: list[PersonItem]


class ShiftItem(BaseModel):
    """A shift: `days` are daily, workdays or names of weekdays; local times of day."""

    code: str
    name: str
    days: list[str]
    start: str
    end: str


class FiveItem(BaseModel):
    """五定 of a grid, and which of the five it lacks. `in_force`: the grid has an area."""

    grid: GridRef
    level: int | None
    parent: str | None
    in_force: bool
    synthetic: bool
    complete: bool
    missing: list[Five]
    heads: int
    people: int
    duties: list[str]
    tasks: list[str]
    rewards: list[str]


class AttendanceItem(BaseModel):
    """One shift of one person. `null` in late, left_early or away: the positions do not tell.

    `presence` unknown with `no_positions`: nothing was heard; that is no absence.
    """

    person: str
    name: str
    role: PersonRole
    post: str
    post_name: str
    grid: GridRef
    shift: str
    shift_name: str
    day: date
    start: Utc
    end: Utc
    presence: Presence
    no_positions: bool
    late: bool | None
    left_early: bool | None
    away: bool | None
    first_at: Utc | None
    last_at: Utc | None
    inside_s: int
    away_s: int
    unknown_s: int
    trackers: list[str]


class Taken(BaseModel):
    """What an import took in, row counts by kind."""

    rows: dict[str, int]


class Rows(Body):
    """Rows of one kind with the columns of its table; all or none are taken."""

    kind: KindName
    rows: Annotated[list[dict[str, str]], Field(min_length=1, max_length=5000)]


class Said(Body):
    """What is said of a grid, in this order; empty takes all of it back."""

    texts: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=2000)]], Field(max_length=200)
    ]


class BadTable(Problem):
    """A table with all its bad rows."""

    def __init__(self, fault: BadDuty) -> None:
        """Carry every problem: whoever mends a table wants to do it once."""
        count = len(fault.problems)
        super().__init__(
            422,
            "bad_rows",
            coded(
                "table_problems", "{count} problems in the table; nothing was taken", count=count
            ),
            SEE_PROBLEMS,
        )
        self.problems = [problem.line() for problem in fault.problems]


def router(store: Store, places: Places, config: HubConfig) -> APIRouter:
    """Duty."""
    api = APIRouter(prefix="/api/duty", tags=["duty"], responses=ERRORS)
    reader = Annotated[Actor, Depends(need(Right.READ))]
    of_grid = Annotated[Actor, Depends(need(Right.READ, Reach.GRID))]
    admin = Annotated[Actor, Depends(need(Right.ADMIN))]
    asked = Annotated[Asked, Depends(_asked(config))]

    @api.get("/grids")
    def grids(
        _actor: reader,
        part: Annotated[Page, Depends(page)],
        complete: bool | None = None,
        level: Annotated[int | None, Query(ge=1, le=9)] = None,
        lacks: Five | None = None,
    ) -> Listing[FiveItem]:
        with store.read() as tx:
            items = _fives(tx, places)
        found = [
            item
            for item in items
            if complete in (None, item.complete)
            and level in (None, item.level)
            and (lacks is None or lacks in item.missing)
        ]
        return Listing(items=found[part.offset : part.offset + part.limit], total=len(found))

    @api.get("/posts")
    def posts(
        actor: of_grid, part: Annotated[Page, Depends(page)], grid: str | None = None
    ) -> Listing[PostItem]:
        with store.read() as tx:
            found = [p for p in duty_store.load_posts(tx) if grid in (None, p.grid)]
            shown = found[part.offset : part.offset + part.limit]
            people = duty_store.load_people(
                tx, duty_store.people.c.post.in_([post.code for post in shown])
            )
        return Listing(
            items=[_post_item(post, people, places, actor) for post in shown], total=len(found)
        )

    @api.get("/shifts")
    def shifts(
        _actor: Annotated[Actor, Depends(need(Right.READ, Reach.ALL))],
    ) -> Listing[ShiftItem]:
        with store.read() as tx:
            items = [_shift_item(shift) for shift in duty_store.load_shifts(tx)]
        return Listing(items=items, total=len(items))

    @api.post("/import")
    async def bring_in(request: Request, actor: admin, kind: KindName | None = None) -> Taken:
        body = await request.body()
        return await run_in_threadpool(_import, store, body, kind or "", actor)

    @api.put("/rows")
    def put_rows(rows: Rows, actor: admin) -> Taken:
        with store.write() as tx:
            try:
                duty = read_rows(rows.kind, rows.rows, duty_store.known(tx))
            except BadDuty as fault:
                raise BadTable(fault) from None
            return _take(tx, duty, actor)

    @api.put("/grids/{code}/{kind}")
    def put_texts(code: str, kind: TextKind, said: Said, actor: admin) -> Said:
        with store.write() as tx:
            if code not in duty_store.known(tx).grids:
                raise not_found("grid", code)
            texts = [text.strip() for text in said.texts if text.strip()]
            duty_store.put_texts(tx, code, Five(kind), texts)
            _write_down(tx, actor, code, _counted({kind: len(texts)}))
        return Said(texts=texts)

    @api.delete("/{kind}/{key}")
    def remove(kind: RowKind, key: str, actor: admin) -> Taken:
        with store.write() as tx:
            if user := duty_store.is_referred_to(tx, kind, key):
                raise Problem(
                    409,
                    "in_use",
                    coded(
                        "used_by",
                        "{key} of {thing} is in use by {who}",
                        key=key,
                        thing=kind,
                        who=user,
                    ),
                    coded("change_these", "change these first"),
                )
            if not duty_store.remove(tx, kind, key):
                raise not_found(kind, key)
            _write_down(tx, actor, key, coded("thing_removed", "{thing}: removed", thing=kind))
        return Taken(rows={kind: 1})

    def lines(which: Asked) -> list[Line]:
        with store.read() as tx:
            place = Place(places.index[1].grids, config.zone, tolerances)
            return roll(tx, which, place, now())

    tolerances = settings_of(config.patrol.attendance)

    @api.get("/attendance")
    def attendance(
        actor: of_grid,
        which: asked,
        part: Annotated[Page, Depends(page)],
        presence: Presence | None = None,
    ) -> Listing[AttendanceItem]:
        found = [each for each in lines(which) if presence in (None, each.found.presence)]
        shown = found[part.offset : part.offset + part.limit]
        return Listing(
            items=[_attendance_item(each, places, actor) for each in shown], total=len(found)
        )

    @api.get(
        "/attendance/file",
        response_class=Response,
        responses=FILES,
    )
    def attendance_file(actor: of_grid, which: asked, form: AskedForm) -> Response:
        items = (_attendance_item(each, places, actor) for each in lines(which))
        return table("attendance", TITLES, _cells(items), form, str(which.since))

    return api


TITLES = (
    "day", "post", "post_name", "person", "name", "shift", "start", "end", "presence",
    "no_positions", "late", "left_early", "away", "first_at", "last_at", "inside_min", "away_min",
    "unknown_min",
)  # fmt: skip


def _asked(config: HubConfig) -> Callable[..., Asked]:
    def asked(
        since: LocalDay | None = None,
        until: LocalDay | None = None,
        grid: str | None = None,
        post: str | None = None,
        person: str | None = None,
        shift: str | None = None,
    ) -> Asked:
        first = since or now().astimezone(config.zone).date()
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
        return Asked(first, last, grid, post, person, shift)

    return asked


def _import(store: Store, body: bytes, kind: str, actor: Actor) -> Taken:
    with store.read() as tx:
        known = duty_store.known(tx)
    try:
        duty = read_duty(body, known, kind)
    except BadDuty as fault:
        raise BadTable(fault) from None
    except GridError as fault:
        raise Problem(
            422, "bad_file", fault.message, coded("xlsx_or_csv", "a .xlsx workbook or a CSV")
        ) from None
    with store.write() as tx:
        return _take(tx, duty, actor)


def _take(tx: Connection, duty: Duty, actor: Actor) -> Taken:
    duty_store.put(tx, duty)
    counts = {
        "posts": len(duty.posts),
        "people": len(duty.people),
        "shifts": len(duty.shifts),
        **{kind.value: sum(text.kind is kind for text in duty.texts) for kind in TEXTS},
    }
    taken = {kind: count for kind, count in counts.items() if count}
    _write_down(tx, actor, "all", _counted(taken))
    return Taken(rows=taken)


def _counted(taken: Mapping[str, int]) -> str:
    return joined(
        [coded("so_many", "{count} {thing}", count=n, thing=kind) for kind, n in taken.items()]
    )


def _write_down(tx: Connection, actor: Actor, item: str, note: str) -> None:
    audit.append(tx, [audit.Entry(now(), actor.name, actor.role, "duty", item, "set", note=note)])


def _fives(tx: Connection, places: Places) -> list[FiveItem]:
    """Every grid in force, then those that are not but have duties or people still."""
    grids: Sequence[Grid] = places.index[1].grids
    said = duty_store.load_texts(tx)
    grid_of = {post.code: post.grid for post in duty_store.load_posts(tx)}
    roles: dict[str, list[PersonRole]] = {}
    for person in duty_store.load_people(tx):
        if person.post in grid_of:
            roles.setdefault(grid_of[person.post], []).append(person.role)
    items = [_five(grid, roles.get(grid.code, []), said.get(grid.code, [])) for grid in grids]
    here = {grid.code for grid in grids}
    for code in sorted({*said, *grid_of.values()} - here):
        step = places.steps((code,))[0]
        gone = _five(None, roles.get(code, []), said.get(code, []))
        named = {"grid": GridRef(code=code, name=step.name), "level": step.level}
        items.append(gone.model_copy(update=named))
    return items


def _five(grid: Grid | None, roles: Sequence[PersonRole], said: Sequence[Text]) -> FiveItem:
    lacks = missing(is_in_force=grid is not None, roles=roles, texts=[text.kind for text in said])
    heads = sum(role in (PersonRole.GRID_HEAD, PersonRole.CHIEF_GRID_HEAD) for role in roles)
    words = {kind.value: [text.text for text in said if text.kind is kind] for kind in TEXTS}
    return FiveItem(
        grid=GridRef(code=grid.code if grid else "", name=grid.name if grid else ""),
        level=grid.level if grid else None,
        parent=grid.parent if grid else None,
        in_force=grid is not None,
        synthetic=bool(grid.properties.get("synthetic", False)) if grid else False,
        complete=not lacks,
        missing=list(lacks),
        heads=heads,
        people=len(roles),
        duties=words["duties"],
        tasks=words["tasks"],
        rewards=words["rewards"],
    )


def _shown(person: Person, actor: Actor) -> Person:
    return person if actor.may(Right.ACT) else duty_store.masked(person)


def _post_item(post: Post, people: Sequence[Person], places: Places, actor: Actor) -> PostItem:
    def ref(code: str) -> GridRef:
        return places.ref((code,)) or GridRef(code=code, name="")

    return PostItem(
        code=post.code,
        name=post.name,
        grid=ref(post.grid),
        patrols=[ref(code) for code in post.patrols],
        shifts=list(post.shifts),
        people=[
            PersonItem(
                id=each.id,
                name=each.name,
                role=each.role,
                post=each.post,
                phone=each.phone,
                trackers=list(each.trackers),
            )
            for each in (_shown(person, actor) for person in people if person.post == post.code)
        ],
    )


def _shift_item(shift: Shift) -> ShiftItem:
    return ShiftItem(
        code=shift.code,
        name=shift.name,
        days=list(shift.days),
        start=f"{shift.start:%H:%M}",
        end=f"{shift.end:%H:%M}",
    )


def _attendance_item(line: Line, places: Places, actor: Actor) -> AttendanceItem:
    person, found = _shown(line.person, actor), line.found
    return AttendanceItem(
        person=person.id,
        name=person.name,
        role=person.role,
        post=line.post.code,
        post_name=line.post.name,
        grid=places.ref((line.post.grid,)) or GridRef(code=line.post.grid, name=""),
        shift=line.shift.code,
        shift_name=line.shift.name,
        day=line.day,
        start=line.start,
        end=line.end,
        presence=found.presence,
        no_positions=found.no_positions,
        late=found.late,
        left_early=found.left_early,
        away=found.away,
        first_at=found.first_at,
        last_at=found.last_at,
        inside_s=found.inside_s,
        away_s=found.away_s,
        unknown_s=found.unknown_s,
        trackers=list(person.trackers),
    )


def _cells(items: Iterator[AttendanceItem]) -> Iterator[list[Cell]]:
    def word(value: bool | None) -> Word:
        return Word("unknown" if value is None else "yes" if value else "no", ("yesNo",))

    for i in items:
        yield [
            i.day.isoformat(), i.post, i.post_name, i.person, i.name, i.shift, i.start,
            i.end, Word(i.presence, ("duty",)), word(i.no_positions), word(i.late),
            word(i.left_early), word(i.away), i.first_at,
            i.last_at, round(i.inside_s / 60, 1),
            round(i.away_s / 60, 1), round(i.unknown_s / 60, 1),
        ]  # fmt: skip
