"""Dispatch rules over HTTP: keep them, try them, and see why a case went where it went."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from pydantic import AwareDatetime, BaseModel, Field
from sqlalchemy import select
from sqlalchemy.engine import Connection
from starlette.concurrency import run_in_threadpool

from hub import audit, exports
from hub.auth import need
from hub.calendar import store as calendar_store
from hub.cases import dispatch_store, store as case_store
from hub.cases.api import DepartmentRef, department_ref
from hub.cases.dispatch import (
    BadRule,
    Conditions,
    Dimension,
    Match,
    Question,
    Rule,
    Target,
    checked,
    offered,
)
from hub.cases.dispatch_sheet import HEADINGS, Codes, known, read_rules, row_of
from hub.cases.dispatch_store import IN_FORCE, Dispatch, Kept, dispatch_rules
from hub.cases.dispatching import Proposal, propose
from hub.config import HubConfig
from hub.departments import store as department_store
from hub.duty.duty import PersonRole
from hub.errors import LOOK_AGAIN, Problem, not_found
from hub.grid.places import Places
from hub.grid.store import IN_FORCE as GRID_IN_FORCE, grids
from hub.grid.titled import SHEET_BODY, BadSheet, BadTable, of_field, titles
from hub.http import ERRORS, Body, Listing, Utc
from hub.matters import matter, table
from hub.roles import Actor, Right
from hub.scope import Reach
from hub.store import Store, now
from wire.coded import coded


class RuleBody(Body):
    """When a rule holds, and who a case is sent to then.

    `matter`: five digits, or two of a class. `grid`: at any level. `hours`: empty for any time,
    `work`, `off`, or a span of local time such as 22:00-06:00. Either `officer`, a person by name,
    or `role`, whoever of that role is on duty nearest to the case.
    """

    matter: Annotated[str | None, Field(pattern=r"^\d{2}(\d{3})?$")] = None
    grid: Annotated[str | None, Field(min_length=1, max_length=64)] = None
    level_from: Annotated[int, Field(ge=1, le=3)] = 1
    level_to: Annotated[int, Field(ge=1, le=3)] = 3
    hours: Annotated[str, Field(max_length=11)] = ""
    department: Annotated[str, Field(min_length=1, max_length=32)]
    officer: Annotated[str, Field(max_length=100)] = ""
    role: PersonRole | None = None
    note: Annotated[str, Field(max_length=300)] = ""


class NewRule(Body):
    """A rule to put in force. `from_case`: the corrected case it is made after."""

    rule: RuleBody
    from_case: int | None = None


class RuleChange(Body):
    """A rule and the version it was made from."""

    version: Annotated[int, Field(ge=1)]
    rule: RuleBody


class RuleItem(BaseModel):
    """A version of a rule. `until`: since when it is not in force. `names`: of its codes."""

    id: int
    number: int
    version: int
    rule: RuleBody
    department: DepartmentRef
    grid_name: str
    matter_zh: str
    matter_en: str
    by: str
    since: Utc
    until: Utc | None
    from_case: int | None


class ReasonItem(BaseModel):
    """Why a rule holds: what it says in a dimension, and what the case is."""

    dimension: Dimension
    rule: str
    case: str


class MatchItem(BaseModel):
    """A rule that holds. `yields_by`: in what it is less specific than the winner."""

    rule: RuleItem
    reasons: list[ReasonItem]
    yields_by: Dimension | None


class ProposalItem(BaseModel):
    """Who the rules would send a case to, by which rule, and which others hold too.

    `by_territory`: nobody owns it, so it goes to whoever serves the ground it lies on.
    """

    department: DepartmentRef | None
    officer: str | None
    by_territory: bool
    winner: MatchItem | None
    others: list[MatchItem]


class DispatchItem(BaseModel):
    """A dispatch. `rule`: the version that sent it; empty where a person chose.

    `corrected_at`: it had gone to the wrong department.
    """

    at: Utc
    by: str
    department: DepartmentRef | None
    officer: str | None
    rule: RuleItem | None
    corrected_at: Utc | None
    corrected_by: str | None
    reason: str


class CaseDispatch(BaseModel):
    """Who a case would be sent to now, its dispatches so far, and a rule after its correction."""

    proposal: ProposalItem
    sent: list[DispatchItem]
    offered: RuleBody | None


class RulesImported(BaseModel):
    """What a table brought. `dry_run`: nothing was changed, this is what would be."""

    rows: int
    changed: int
    ended: int
    dry_run: bool


def router(store: Store, places: Places, config: HubConfig) -> APIRouter:
    """Dispatch rules."""
    api = APIRouter(prefix="/api", tags=["dispatch"], responses=ERRORS)
    reader = Annotated[Actor, Depends(need(Right.READ, Reach.ALL))]
    editor = Annotated[Actor, Depends(need(Right.CONFIGURE))]

    @api.get("/dispatch-rules")
    def rules(_actor: reader) -> Listing[RuleItem]:
        with store.read() as tx:
            found = dispatch_store.kept(tx, IN_FORCE)
            items = _items(tx, places, found)
        return Listing(items=[items[each.rule.id] for each in found], total=len(found))

    @api.post("/dispatch-rules", status_code=201)
    def add(wanted: NewRule, actor: editor) -> RuleItem:
        rule = _rule(wanted.rule)
        with store.write() as tx:
            if wanted.from_case is not None and not case_store.load(tx, [wanted.from_case]):
                raise not_found("case", wanted.from_case)
            return _put(tx, places, rule, actor, wanted.from_case)

    @api.get("/dispatch-rules/try")
    def try_out(
        _actor: reader,
        of_matter: Annotated[str | None, Query(alias="matter", pattern=r"^\d{5}$")] = None,
        grid: Annotated[str | None, Query(max_length=64)] = None,
        level: Annotated[int, Query(ge=1, le=3)] = 1,
        at: AwareDatetime | None = None,
    ) -> ProposalItem:
        with store.read() as tx:
            question = Question(of_matter, _path_of(tx, grid), level, at or now())
            return _proposal(tx, places, _propose(tx, question, config))

    @api.get("/dispatch-rules/{number}/versions")
    def versions(number: int, _actor: reader) -> Listing[RuleItem]:
        with store.read() as tx:
            found = dispatch_store.kept(tx, dispatch_rules.c.number == number)
            items = _items(tx, places, found)
        if not found:
            raise not_found("rule", number)
        return Listing(items=[items[each.rule.id] for each in found], total=len(found))

    @api.put("/dispatch-rules/{number}")
    def change(number: int, wanted: RuleChange, actor: editor) -> RuleItem:
        rule = _rule(wanted.rule)
        with store.write() as tx:
            before = _in_force(tx, number)
            if before.version != wanted.version:
                raise Problem(
                    409,
                    "stale",
                    coded(
                        "rule_changed",
                        "rule {rule} was changed since: it is version {version}",
                        rule=number,
                        version=before.version,
                    ),
                    LOOK_AGAIN,
                )
            next_one = Rule(0, number, before.version, rule.when, rule.to, rule.note)
            return _put(tx, places, next_one, actor, None)

    @api.delete("/dispatch-rules/{number}", status_code=204)
    def end(number: int, actor: editor) -> None:
        at = now()
        with store.write() as tx:
            _in_force(tx, number)
            dispatch_store.end(tx, number, at)
            _note(tx, actor, str(number), "end", "", at)

    @api.get("/dispatch-rule-table", response_class=Response, responses=exports.FILES)
    def export(_actor: reader, form: exports.AskedForm) -> Response:
        with store.read() as tx:
            found = dispatch_store.in_force(tx)
        rows = (row_of(rule, form.language) for rule in found)
        return exports.table(
            "dispatch-rules", titles(HEADINGS, form.language), rows, form, are_heads=True
        )

    @api.put("/dispatch-rule-table", openapi_extra=SHEET_BODY)
    async def bring_in(
        request: Request, actor: editor, dry_run: Annotated[bool, Query()] = False
    ) -> RulesImported:
        data = await request.body()
        return await run_in_threadpool(_import, store, data, actor, dry_run=dry_run)

    @api.get("/cases/{case_id}/dispatch")
    def of_case(case_id: int, _actor: reader) -> CaseDispatch:
        with store.read() as tx:
            case = case_store.load(tx, [case_id]).get(case_id)
            if case is None:
                raise not_found("case", case_id)
            sent = dispatch_store.of_case(tx, case_id)
            corrected = [each for each in sent if each.corrected_at is not None]
            offer = None
            if corrected and case.department:
                reason = corrected[-1].reason
                offer = offered(case, case.department, dispatch_store.in_force(tx), reason)
            asked = Question.of(case, now())
            found = _propose(tx, asked, config, ownerless=case.ownerless)
            return CaseDispatch(
                proposal=_proposal(tx, places, found),
                sent=_dispatch_items(tx, places, sent),
                offered=None if offer is None else _body(offer),
            )

    return api


def _propose(
    tx: Connection, question: Question, config: HubConfig, *, ownerless: bool = False
) -> Proposal:
    calendar = calendar_store.calendar(tx, config.zone)
    return propose(tx, question, calendar, ownerless=ownerless)


def _path_of(tx: Connection, code: str | None) -> tuple[str, ...]:
    """The grids from the largest down to one."""
    if code is None:
        return ()
    found = select(grids.c.code, grids.c.parent).where(GRID_IN_FORCE)
    parents = {row.code: row.parent for row in tx.execute(found)}
    if code not in parents:
        raise Problem(
            422,
            "bad_grid",
            coded("no_grid_in_force", "{given!r} is no grid in force", given=code),
            coded("grid_in_force", "a code of GET /api/grids"),
        )
    path = [code]
    while (parent := parents.get(path[-1])) and parent not in path:
        path.append(parent)
    return tuple(reversed(path))


def _rule(body: RuleBody) -> Rule:
    when = Conditions(body.matter, body.grid, body.level_from, body.level_to, body.hours)
    to = Target(body.department, body.officer, body.role or "")
    return Rule(0, 0, 0, when, to, body.note)


def _body(rule: Rule) -> RuleBody:
    when, to = rule.when, rule.to
    return RuleBody(
        matter=when.matter,
        grid=when.grid,
        level_from=when.level_from,
        level_to=when.level_to,
        hours=when.hours,
        department=to.department,
        officer=to.officer,
        role=PersonRole(to.role) if to.role else None,
        note=rule.note,
    )


def _in_force(tx: Connection, number: int) -> Rule:
    found = dispatch_store.kept(tx, IN_FORCE, dispatch_rules.c.number == number)
    if not found:
        raise not_found("rule", number)
    return found[0].rule


def _put(
    tx: Connection, places: Places, rule: Rule, actor: Actor, from_case: int | None
) -> RuleItem:
    try:
        known(checked(rule.when), rule.to, _codes(tx))
    except BadRule as fault:
        what = of_field(fault.field, fault.message)
        raise Problem(422, "bad_rule", what, fault.allowed) from None
    for other in dispatch_store.in_force(tx):
        if other.when == rule.when and other.number != rule.number:
            message = coded("rule_alike", "rule {rule} has the same conditions", rule=other.number)
            raise Problem(
                409,
                "same_conditions",
                message,
                coded("change_that_rule", "change that rule, or other conditions"),
            )
    at = now()
    made = dispatch_store.put(tx, rule, by=actor.name, at=at, from_case=from_case)
    note = coded(
        "rule_version", "version {version}: {what}", version=made.version, what=_said(made)
    )
    if from_case is not None:
        note = coded("after_case", "{what}, after case {case}", what=note, case=from_case)
    _note(tx, actor, str(made.number), "put", note, at)
    return _items(tx, places, list(dispatch_store.by_id(tx, [made.id]).values()))[made.id]


def _said(rule: Rule) -> str:
    """A rule in one line of the history."""
    when, to = rule.when, rule.to
    conditions = (when.matter, when.grid, f"{when.level_from}-{when.level_to}", when.hours)
    target = " / ".join(filter(None, (to.department, to.officer or to.role)))
    return f"{' × '.join(each or '*' for each in conditions)} → {target}"


def _import(store: Store, data: bytes, actor: Actor, *, dry_run: bool) -> RulesImported:
    at = now()
    with store.write() as tx:
        try:
            wanted = read_rules(data, _codes(tx))
        except BadSheet as fault:
            raise BadTable(fault) from None
        change = dispatch_store.changes(tx, wanted)
        if not dry_run:
            for number in change.ended:
                dispatch_store.end(tx, number, at)
            for rule in change.put:
                dispatch_store.put(tx, rule, by=actor.name, at=at)
            note = coded(
                "rows_changed_ended",
                "{rows} rows, {changed} changed, {ended} ended",
                rows=len(wanted),
                changed=len(change.put),
                ended=len(change.ended),
            )
            _note(tx, actor, "all", "import", note, at)
    return RulesImported(
        rows=len(wanted), changed=len(change.put), ended=len(change.ended), dry_run=dry_run
    )


def _codes(tx: Connection) -> Codes:
    found = [each.department for each in department_store.listed(tx, department_store.IN_FORCE)]
    known_matters = table()
    return Codes(
        {each.code for each in known_matters.matters} | {c.code for c in known_matters.classes},
        set(tx.execute(select(grids.c.code).where(GRID_IN_FORCE)).scalars()),
        {each.code for each in found},
        {each.name_zh: each.code for each in found},
    )


def _note(tx: Connection, actor: Actor, subject: str, action: str, note: str, at: datetime) -> None:
    act = audit.Entry(at, actor.name, actor.role, "dispatch_rule", subject, action, note=note)
    audit.append(tx, [act])


def _items(tx: Connection, places: Places, found: list[Kept]) -> dict[int, RuleItem]:
    names = department_store.names(tx, {each.rule.to.department for each in found})
    return {each.rule.id: _item(each, places, names) for each in found}


def _item(each: Kept, places: Places, names: Mapping[str, str]) -> RuleItem:
    rule = each.rule
    grid = places.ref((rule.when.grid,)) if rule.when.grid else None
    zh, en = _matter_names(rule.when.matter)
    code = rule.to.department
    return RuleItem(
        id=rule.id,
        number=rule.number,
        version=rule.version,
        rule=_body(rule),
        department=DepartmentRef(code=code, name_zh=names.get(code, code)),
        grid_name=grid.name if grid else "",
        matter_zh=zh,
        matter_en=en,
        by=each.by,
        since=each.since,
        until=each.until,
        from_case=each.from_case,
    )


def _matter_names(code: str | None) -> tuple[str, str]:
    if code is not None and len(code) == 2:
        found = next((each for each in table().classes if each.code == code), None)
        return (found.name_zh, found.name_en) if found else (code, code)
    known_matter = matter(code)
    return (known_matter.name_zh, known_matter.name_en) if known_matter else ("", "")


def _proposal(tx: Connection, places: Places, proposal: Proposal) -> ProposalItem:
    winner, others = proposal.explanation.winner, proposal.explanation.others
    matches = [*([winner] if winner else []), *others]
    items = _items(
        tx, places, list(dispatch_store.by_id(tx, [each.rule.id for each in matches]).values())
    )

    def item(match: Match) -> MatchItem:
        reasons = [
            ReasonItem(dimension=r.dimension, rule=r.rule, case=r.case) for r in match.reasons
        ]
        return MatchItem(rule=items[match.rule.id], reasons=reasons, yields_by=match.yields_by)

    names = department_store.names(tx, [proposal.department])
    return ProposalItem(
        department=department_ref(proposal.department, names),
        officer=proposal.officer,
        by_territory=proposal.by_territory,
        winner=item(winner) if winner else None,
        others=[item(each) for each in others],
    )


def _dispatch_items(tx: Connection, places: Places, sent: list[Dispatch]) -> list[DispatchItem]:
    rules = _items(
        tx, places, list(dispatch_store.by_id(tx, {each.rule for each in sent}).values())
    )
    names = department_store.names(tx, {each.department for each in sent})
    return [
        DispatchItem(
            at=each.at,
            by=each.by,
            department=department_ref(each.department, names),
            officer=each.officer,
            rule=rules.get(each.rule) if each.rule is not None else None,
            corrected_at=each.corrected_at,
            corrected_by=each.corrected_by,
            reason=each.reason,
        )
        for each in sent
    ]
