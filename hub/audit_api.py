"""The history of every act over HTTP, for administrators: searched, taken out, verified."""

import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response
from pydantic import AwareDatetime, BaseModel
from sqlalchemy.engine import Connection

from hub import audit, exports
from hub.auth import need
from hub.cases import store as case_store
from hub.departments import store as department_store
from hub.errors import Problem
from hub.exports import Cell, Several, Word
from hub.http import ERRORS, CodedText, Listing, Page, Utc, coded_of, iso, page
from hub.people import person_names
from hub.roles import Actor, Right
from hub.store import Store, now
from hub.tracks import fence_store
from wire.coded import coded

MOST_ROWS = 100_000
MOST_FAULTS = 100
TITLES = (
    "number", "at", "actor", "role", "kind", "subject", "action", "from_state", "to_state",
    "note", "hash", "actor_name",
)  # fmt: skip

Admin = Annotated[Actor, Depends(need(Right.ADMIN))]
Sought = Annotated[str | None, Query(max_length=100)]


class ActItem(BaseModel):
    """One act. `kind` and `subject` name the thing; `hash` chains it to the one before.

    `called`: what people call the thing, where that is something else than its subject.
    """

    number: int
    at: Utc
    actor: str
    role: str
    kind: str
    subject: str
    called: str
    action: str
    from_state: str
    to_state: str
    note: str
    hash: str
    coded: dict[str, CodedText] = {}


class Words(BaseModel):
    """What one can search for."""

    kinds: list[str]
    actions: list[str]


class ChainItem(BaseModel):
    """What computing the chain again found. `faults`: the first hundred of `broken`."""

    whole: bool
    entries: int
    broken: int
    faults: list[str]
    checked_at: Utc
    took_s: float


def router(store: Store) -> APIRouter:
    """The history."""
    api = APIRouter(prefix="/api", tags=["audit"], responses=ERRORS)
    one_at_a_time = threading.Lock()

    @api.get("/audit")
    def search(
        _actor: Admin,
        wanted: Annotated[audit.Wanted, Depends(filters)],
        part: Annotated[Page, Depends(page)],
    ) -> Listing[ActItem]:
        """The latest first."""
        with store.read() as tx:
            kept, total = audit.found(tx, wanted, part.limit, part.offset)
            called = _called(tx, [each.entry for each in kept])
        return Listing(items=[_item(each, called) for each in kept], total=total)

    @api.get("/audit/words")
    def words(_actor: Admin) -> Words:
        with store.read() as tx:
            return Words(kinds=audit.words(tx, "kind"), actions=audit.words(tx, "action"))

    @api.get("/audit/chain")
    def chain(_actor: Admin) -> ChainItem:
        """Compute the whole chain again; one call at a time, the others wait."""
        with one_at_a_time, store.read() as tx:
            begun = time.monotonic()
            found = audit.walk(tx)
        return ChainItem(
            whole=not found.faults,
            entries=found.entries,
            broken=len(found.faults),
            faults=list(found.faults[:MOST_FAULTS]),
            checked_at=now(),
            took_s=round(time.monotonic() - begun, 3),
        )

    @api.get("/audit-table", response_class=Response, responses=exports.FILES)
    def take_out(
        actor: Admin,
        wanted: Annotated[audit.Wanted, Depends(filters)],
        form: exports.AskedForm,
    ) -> Response:
        """What was searched for, at most 100,000 entries; that it was taken out is written down."""
        with store.read() as tx:
            kept, total = audit.found(tx, wanted, MOST_ROWS)
            names = person_names.shown(tx, {each.entry.actor for each in kept})
        if total > MOST_ROWS:
            message = coded(
                "many_entries", "{total} entries are more than one table holds", total=total
            )
            raise Problem(
                422,
                "too_many",
                message,
                coded("shorter_time", "at most {most}: name a shorter time", most=MOST_ROWS),
            )
        with store.write() as tx:
            note, named = coded("so_many_entries", "{count} entries", count=total), said(wanted)
            if named:
                note = coded("entries_of", "{what} {named}", what=note, named=named)
            act = audit.Entry(now(), actor.name, actor.role, "audit", "table", "export", note=note)
            audit.append(tx, [act])
        return exports.table("audit", TITLES, _rows(kept, names), form)

    return api


def filters(
    actor: Sought = None,
    kind: Sought = None,
    subject: Sought = None,
    action: Sought = None,
    since: Annotated[AwareDatetime | None, Query(alias="from")] = None,
    until: Annotated[AwareDatetime | None, Query(alias="to")] = None,
    q: Annotated[str, Query(max_length=100)] = "",
) -> audit.Wanted:
    """Who, what thing, which act, when; `q`: what stands in the note."""
    return audit.Wanted(actor, kind, subject, action, since, until, q)


def said(wanted: audit.Wanted) -> str:
    """What was searched for, in one line for the history."""
    return ", ".join(
        f"{name} {iso(value) if isinstance(value, datetime) else value}"
        for name, value in vars(wanted).items()
        if value
    )


def _rows(kept: list[audit.Kept], names: Mapping[str, str]) -> Iterator[list[Cell]]:
    for each in kept:
        act = each.entry
        yield [
            each.number, act.at, Word(act.actor, ("actor",)), Word(act.role, ("role",)),
            Word(act.kind, ("auditKind",)), act.subject, _action(act),
            _state(act, act.from_state), _state(act, act.to_state), act.note, each.hash,
            names.get(act.actor, ""),
        ]  # fmt: skip


def _action(act: audit.Entry) -> Cell:
    """What was done; of an order, what was ordered."""
    verb, space, ordered = act.action.partition(" ")
    if verb != "order" or not space:
        return Word(act.action, ("action",))
    return Several((Word(verb, ("auditKind",)), Word(ordered, ("op",))), " ", kept=True)


def _state(act: audit.Entry, name: str) -> Word:
    return Word(name, ("rollout",) if act.kind == "rollout" else ("state",))


def _called(tx: Connection, acts: list[audit.Entry]) -> dict[tuple[str, str], str]:
    """What people call things, by kind and subject: the number of a case, names of the rest."""
    subjects: defaultdict[str, set[str]] = defaultdict(set)
    for act in acts:
        subjects[act.kind].add(act.subject)
    ids = [int(subject) for subject in subjects["case"] if subject.isdecimal()]
    names = {
        "case": {str(key): number for key, number in case_store.numbers_of(tx, ids).items()},
        "department": department_store.names(tx, subjects["department"]),
        "fence": fence_store.names(tx, subjects["fence"]),
    }
    return {(kind, key): name for kind, found in names.items() for key, name in found.items()}


def _item(kept: audit.Kept, called: Mapping[tuple[str, str], str]) -> ActItem:
    act = kept.entry
    name = called.get((act.kind, act.subject), "")
    coded = coded_of({"note": act.note})
    return ActItem(number=kept.number, hash=kept.hash, called=name, coded=coded, **vars(act))
