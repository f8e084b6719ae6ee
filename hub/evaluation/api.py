"""Evaluation over HTTP: figures that open into their cases, rankings, entered scores, reports."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response
from pydantic import AwareDatetime, BaseModel, Field
from sqlalchemy.engine import Connection

from hub import audit
from hub.auth import need
from hub.cases import store as case_store
from hub.cases.case import State, state_zh
from hub.departments import store as department_store
from hub.errors import Problem, not_found
from hub.evaluation import store as evaluation_store
from hub.evaluation.confidence import Confidence
from hub.evaluation.errors import EvaluationError
from hub.evaluation.figures import RANKED_BY, Asked, Figures, Standing
from hub.evaluation.grouping import PERSONAL, By, Grouping
from hub.evaluation.indicator import BY_ID, INDICATORS, Better, Indicator, Measure, Unit, of_unit
from hub.evaluation.making import Maker
from hub.evaluation.period import Every, Period
from hub.evaluation.ranking import Place
from hub.evaluation.scheme import Award, Scheme, Version, check
from hub.evaluation.store import EnteredScore, StoredReport
from hub.exports import (
    FILES,
    MOST,
    AskedForm,
    Named,
    Several,
    Source,
    Word,
    sheet,
    table,
    worded,
)
from hub.grid.store import is_known
from hub.http import ERRORS, Body, Listing, Page, Utc, page
from hub.matters import matter, table as matter_table
from hub.people import person_names
from hub.roles import Actor, Right
from hub.scope import Reach
from hub.store import Store, now
from hub.words import Language, word
from wire.coded import coded, words_of

Reader = Annotated[Actor, Depends(need(Right.READ))]
Limited = Annotated[Actor, Depends(need(Right.READ, Reach.POSTS))]
"""Whoever reads: one whose posts are limited, of what they cover."""
Anybody = Annotated[Actor, Depends(need(Right.READ, Reach.ALL))]
Configurer = Annotated[Actor, Depends(need(Right.CONFIGURE))]
Names = Callable[[str], str]
MOST_PERIODS = 36
CASES_AT_ONCE = 500
FIGURE_TITLES = ("indicator", "indicator_name", "numerator", "denominator", "value")
CASE_COLUMNS: Mapping[str, Source] = {
    "number": "number", "title": "title", "state": worded("state", "state"),
    "state_zh": "state_zh",
    "department": "department", "generated": "generated",
}  # fmt: skip


class IndicatorItem(BaseModel):
    """A row of the table of indicators. `mark`: 2, 1 or P, see the reference page."""

    id: str
    name_zh: str
    name_en: str
    says_zh: str
    says_en: str
    mark: str
    better: Better
    unit: Unit


class Figure(BaseModel):
    """A share with its counts. `value`: 0 to 1, null of nothing; `ranked`: enough to compare."""

    indicator: str
    numerator: int
    denominator: int
    value: float | None
    ranked: bool


class Group(BaseModel):
    """The figures of one grid, department, matter or whatever was asked for."""

    group: str
    name: str
    figures: list[Figure]


class Trust(BaseModel):
    """How far a grid's evidence can be trusted, and the hours that say so."""

    value: float | None
    camera_h: float
    blind_h: float
    heard_h: float
    silent_h: float


class FiguresItem(BaseModel):
    """Figures of a period as known at `as_of`, by the scheme of that moment.

    `patrol_since`: the day from which visits were asked for, where that is not the whole period.
    """

    period: str
    as_of: Utc
    patrol_since: date | None
    scheme: int
    with_suspended: bool
    generated: bool
    by: By
    groups: list[Group]


class RankedItem(BaseModel):
    """A place of a ranking, or none with its counts. `self_score`: entered, stands beside."""

    group: str
    name: str
    place: int | None
    score: float | None
    figures: list[Figure]
    confidence: Trust | None
    in_bottom: int
    flagged: bool
    award: str | None
    award_amount: float | None
    self_score: float | None
    satisfaction: float | None


class RankingItem(BaseModel):
    """A ranking of a period as known at `as_of`."""

    period: str
    as_of: Utc
    scheme: int
    minimum: int
    generated: bool
    by: By
    places: list[RankedItem]


class TrendPoint(BaseModel):
    """The figures of one period of a series."""

    period: str
    figures: list[Figure]


class CountedCase(BaseModel):
    """A case behind a figure."""

    id: int
    number: str
    title: str
    state: State
    state_zh: str
    department: str | None
    generated: bool


class SchemeItem(BaseModel):
    """A version of the city's scheme; nobody made version 0."""

    version: int
    at: Utc | None
    by: str
    note: str
    weights: dict[str, float]
    minimum: int
    with_suspended: bool
    monthly_share: float
    streak: int
    bottom: int
    awards: list["AwardBody"]
    deductions: dict[str, float]


class AwardBody(Body):
    """A class of rewards; `places` 0 is all the others from a score on."""

    name: Annotated[str, Field(min_length=1, max_length=100)]
    places: Annotated[int, Field(ge=0, le=1000)]
    amount: Annotated[float, Field(ge=0, le=1e9)]
    from_score: Annotated[float, Field(ge=0, le=100)] = 0


class SchemeBody(Body):
    """A new scheme; what is not named is as it comes with the program."""

    weights: dict[str, float] | None = None
    minimum: int = Scheme().minimum
    with_suspended: bool = False
    monthly_share: float = Scheme().monthly_share
    streak: int = Scheme().streak
    bottom: int = Scheme().bottom
    awards: Annotated[tuple[AwardBody, ...], Field(max_length=20)] = ()
    deductions: dict[str, float] | None = None
    note: Annotated[str, Field(max_length=300)] = ""


class ScoreBody(Body):
    """A score to enter: of itself (`self`), of the year's end, or from a survey. 0 to 100."""

    kind: Literal["self", "year_end", "satisfaction"]
    subject_kind: Literal["grid", "department", "person"]
    subject: Annotated[str, Field(min_length=1, max_length=64)]
    period: Annotated[str, Field(max_length=10)]
    score: Annotated[float, Field(ge=0, le=100)]
    note: Annotated[str, Field(max_length=500)] = ""


class ScoreItem(ScoreBody):
    """An entered score; the latest of its kind, subject and period counts."""

    at: Utc
    by: str


class YearItem(BaseModel):
    """A year: monthly scores, the year-end score that was entered, and the whole of both."""

    group: str
    name: str
    months: dict[str, float]
    year_end: float | None
    score: float | None


class ReportItem(BaseModel):
    """A report that was made and kept."""

    id: int
    period: str
    every: Every
    as_of: Utc
    made_at: Utc
    by: str
    scheme: int
    form: Literal["xlsx", "pdf"]
    sha256: str


class ReportBody(Body):
    """A report to make. `as_of` null: the period's end, or now while it runs."""

    period: Annotated[str, Field(max_length=10)]
    form: Literal["xlsx", "pdf"]
    as_of: AwareDatetime | None = None


@dataclass(frozen=True, slots=True)
class Behind:
    """The cases behind a figure of a period."""

    indicator: str
    period: str
    cases: Sequence[int]


def question(figures: Figures, period: str, as_of: datetime | None,
             suspended: bool | None) -> Asked:  # fmt: skip
    """The period of a call.

    Raises Problem 422.
    """
    try:
        return figures.asked(Period.read(period), as_of, with_suspended=suspended)
    except EvaluationError as fault:
        raise Problem(422, "bad_period", words_of(fault)) from None


def router(store: Store, figures: Figures, maker: Maker) -> APIRouter:
    """Everything under /api/evaluation."""
    api = APIRouter(prefix="/api/evaluation", tags=["evaluation"], responses=ERRORS)

    def asked(
        period: Annotated[str, Query(max_length=10)],
        as_of: AwareDatetime | None = None,
        suspended: bool | None = None,
    ) -> Asked:
        return question(figures, period, as_of, suspended)

    def grouping(
        actor: Limited,
        by: By = By.ALL,
        grid_level: Annotated[int, Query(ge=1, le=9)] = 3,
        within: Annotated[str | None, Query(max_length=64)] = None,
    ) -> Grouping:
        if by in PERSONAL and not actor.may(Right.PERSONAL):
            raise Problem(
                403,
                "forbidden",
                coded(
                    "no_figures",
                    "{who} ({role}) may not see figures of people",
                    who=actor.name,
                    role=actor.role,
                ),
                coded("right_personal", "the right personal"),
            )
        if within is not None:
            with store.read() as tx:
                _check_grid(tx, "within", within)
        right = Right.PERSONAL if by in PERSONAL else Right.READ
        posts = actor.posts_with(right) if actor.is_limited(right) else []
        return Grouping(by, grid_level, within, tuple(posts))

    about = Annotated[Asked, Depends(asked)]
    parted = Annotated[Grouping, Depends(grouping)]

    def ranked_by(group: parted) -> Grouping:
        if group.by is By.ALL:
            return Grouping(By.GRID, group.grid_level, group.within)
        if group.by not in RANKED_BY:
            raise Problem(
                422,
                "not_ranked",
                coded("unranked", "by {by}: is not ranked", by=group.by),
                ", ".join(sorted(RANKED_BY)),
            )
        return group

    ranks = Annotated[Grouping, Depends(ranked_by)]

    @api.get("/indicators")
    def list_indicators(_actor: Anybody) -> Listing[IndicatorItem]:
        items = [
            IndicatorItem(
                id=each.id, name_zh=each.zh, name_en=each.en, says_zh=each.says_zh,
                says_en=each.says_en, mark=each.mark, better=each.better, unit=each.unit,
            )
            for each in INDICATORS
        ]  # fmt: skip
        return Listing(items=items, total=len(items))

    @api.get("/figures")
    def the_figures(
        _actor: Limited,
        wanted: about,
        group: parted,
        indicator: Annotated[list[str] | None, Query(max_length=50)] = None,
    ) -> FiguresItem:
        with store.read() as tx:
            found = figures.by_group(tx, wanted, group, _indicators(indicator))
            scheme = figures.scheme(tx, wanted)
            names = names_of(tx, figures, wanted, group)
            span = figures.span(tx, wanted)
            generated = any(case.generated for case in figures.facts(tx, wanted).cases)
            patrol_since = figures.patrol_since(tx, wanted)
        return FiguresItem(
            period=wanted.period.name,
            as_of=wanted.as_of,
            patrol_since=patrol_since,
            scheme=scheme.number,
            with_suspended=span.with_suspended,
            generated=generated,
            by=group.by,
            groups=[
                Group(group=code, name=names(code), figures=_figures(found[code], scheme))
                for code in sorted(found)
            ],
        )

    @api.get("/figures/file", response_class=Response, responses=FILES)
    def figures_file(
        _actor: Limited,
        wanted: about,
        group: parted,
        form: AskedForm,
    ) -> Response:
        with store.read() as tx:
            found = figures.by_group(tx, wanted, group)
            names = names_of(tx, figures, wanted, group)
        titles = ("group", "name", *FIGURE_TITLES)
        rows = [
            (code, Word(names(code), ("whole",)), name, _called(name), len(each.numerator),
             len(each.denominator), each.value)
            for code in sorted(found)
            for name, each in found[code].items()
        ]  # fmt: skip
        return table("figures", titles, rows, form, wanted.period.name)

    def behind(
        wanted: about,
        by: parted,
        indicator: str,
        group: Annotated[str, Query(max_length=64)] = "all",
        side: Literal["numerator", "denominator", "rest"] = "denominator",
    ) -> Behind:
        (row,) = _indicators([indicator])
        with store.read() as tx:
            if by.by is By.GRID:
                _check_grid(tx, "group", group)
            found = figures.measure(tx, wanted, by, group, row)
            return Behind(row.id, wanted.period.name,
                          _case_ids(tx, figures, wanted, row, found, side))  # fmt: skip

    counts = Annotated[Behind, Depends(behind)]

    @api.get("/cases")
    def counted(
        _actor: Limited, found: counts, part: Annotated[Page, Depends(page)]
    ) -> Listing[CountedCase]:
        with store.read() as tx:
            items = _counted(tx, found.cases[part.offset : part.offset + part.limit])
        return Listing(items=items, total=len(found.cases))

    @api.get("/cases/file", response_class=Response, responses=FILES)
    def counted_file(_actor: Limited, found: counts, form: AskedForm) -> Response:
        """At most the first 20,000."""
        with store.read() as tx:
            items = _counted(tx, found.cases[:MOST])
        parts = found.indicator, found.period
        spoken = Several((_called(found.indicator), found.period), apart="-", kept=True)
        return sheet("counted", items, CASE_COLUMNS, form, "-".join(parts), spoken=spoken)

    def pointed(
        wanted: about,
        by: parted,
        group: Annotated[str, Query(max_length=64)] = "all",
        count: Annotated[int, Query(ge=2, le=MOST_PERIODS)] = 12,
        indicator: Annotated[list[str] | None, Query(max_length=50)] = None,
    ) -> list[TrendPoint]:
        rows = _indicators(indicator)
        with store.read() as tx:
            if by.by is By.GRID:
                _check_grid(tx, "group", group)
            scheme = figures.scheme(tx, wanted)
            series = figures.trend(tx, wanted, count, by, rows)
        return [
            TrendPoint(period=each.name, figures=_figures(found.get(group, {}), scheme))
            for each, found in series
        ]

    points = Annotated[list[TrendPoint], Depends(pointed)]

    @api.get("/trend")
    def trend(_actor: Limited, series: points) -> list[TrendPoint]:
        return series

    @api.get("/trend/file", response_class=Response, responses=FILES)
    def trend_file(_actor: Limited, wanted: about, series: points, form: AskedForm) -> Response:
        titles = ("period", *FIGURE_TITLES)
        rows = (
            (point.period, each.indicator, _called(each.indicator), each.numerator,
             each.denominator, each.value)
            for point in series
            for each in point.figures
        )  # fmt: skip
        return table("trend", titles, rows, form, wanted.period.name)

    @api.get("/ranking")
    def the_ranking(_actor: Reader, wanted: about, group: ranks) -> RankingItem:
        with store.read() as tx:
            standing = figures.standing(tx, wanted, group)
            names = names_of(tx, figures, wanted, group)
            entered = evaluation_store.entered(tx, wanted.period.name, wanted.as_of)
            generated = any(case.generated for case in figures.facts(tx, wanted).cases)
        return RankingItem(
            period=wanted.period.name,
            as_of=wanted.as_of,
            scheme=standing.scheme.number,
            minimum=standing.scheme.scheme.minimum,
            generated=generated,
            by=group.by,
            places=[
                _ranked(each, standing, names, _beside(entered, group)) for each in standing.places
            ],
        )

    @api.get("/ranking/file", response_class=Response, responses=FILES)
    def ranking_file(_actor: Reader, wanted: about, group: ranks, form: AskedForm) -> Response:
        with store.read() as tx:
            standing = figures.standing(tx, wanted, group)
            names = names_of(tx, figures, wanted, group)
        weights = list(standing.scheme.scheme.weights)
        titles = [
            "place", "group", "name", "score", "confidence", "bottom_running", "flagged", "award",
            *_count_heads(weights, form.language),
        ]  # fmt: skip
        rows = [
            (
                each.place, each.group, names(each.group), each.score,
                trust.value if (trust := standing.confidence.get(each.group)) else None,
                each.in_bottom, each.is_flagged,
                each.award[0] if each.award else "",
                *(count for name in weights for count in _counts(each.measures.get(name))),
            )
            for each in standing.places
        ]  # fmt: skip
        return table("ranking", titles, rows, form, wanted.period.name)

    @api.get("/deductions/file", response_class=Response, responses=FILES)
    def deductions_file(_actor: Reader, wanted: about, group: ranks, form: AskedForm) -> Response:
        with store.read() as tx:
            lines = figures.deductions(tx, wanted, group)
            names = names_of(tx, figures, wanted, group)
            numbers = case_store.numbers_of(tx, list({each.case for each in lines}))
        titles = ("group", "name", "indicator", "indicator_name", "case", "points")
        rows = [
            (each.group, names(each.group), each.indicator, _called(each.indicator),
             numbers.get(each.case, ""), -each.points)
            for each in lines
        ]  # fmt: skip
        return table("deductions", titles, rows, form, wanted.period.name)

    def years(wanted: about, group: ranks) -> list[YearItem]:
        if wanted.period.every is not Every.YEAR:
            raise Problem(
                422,
                "bad_period",
                coded("no_year", "{given} is no year", given=wanted.period.name),
                "2026",
            )
        with store.read() as tx:
            lines = figures.year(tx, wanted, group)
            names = names_of(tx, figures, wanted, group)
        return [
            YearItem(
                group=each.group, name=names(each.group), months=dict(each.months),
                year_end=each.year_end, score=each.score,
            )
            for each in lines
        ]  # fmt: skip

    in_year = Annotated[list[YearItem], Depends(years)]

    @api.get("/year")
    def the_year(_actor: Reader, items: in_year) -> Listing[YearItem]:
        return Listing(items=items, total=len(items))

    @api.get("/year/file", response_class=Response, responses=FILES)
    def year_file(_actor: Reader, wanted: about, items: in_year, form: AskedForm) -> Response:
        months = [each.name for each in wanted.period.parts(Every.MONTH)]
        rows = (
            (each.group, each.name, *(each.months.get(month) for month in months), each.year_end,
             each.score)
            for each in items
        )  # fmt: skip
        titles = ("group", "name", *months, "year_end", "score")
        return table("year", titles, rows, form, wanted.period.name)

    _add_scheme(api, store)
    _add_scores(api, store, figures)
    _add_reports(api, store, figures, maker)
    return api


def _add_scheme(api: APIRouter, store: Store) -> None:
    @api.get("/schemes")
    def schemes(_actor: Anybody) -> Listing[SchemeItem]:
        with store.read() as tx:
            items = [_scheme(each) for each in evaluation_store.versions(tx)]
        return Listing(items=items, total=len(items))

    @api.put("/scheme")
    def put_scheme(body: SchemeBody, actor: Configurer) -> SchemeItem:
        given = body.model_dump(exclude_none=True, exclude={"note", "awards"})
        awards = tuple(Award(**each.model_dump()) for each in body.awards)
        try:
            scheme = check(Scheme(**given, awards=awards))
        except EvaluationError as fault:
            raise Problem(422, "bad_scheme", words_of(fault)) from None
        at = now()
        with store.write() as tx:
            version = evaluation_store.put_scheme(tx, scheme, at=at, by=actor.name, note=body.note)
            _write(tx, actor, at, "scheme", str(version.number), body.note)
        return _scheme(version)


def _add_scores(api: APIRouter, store: Store, figures: Figures) -> None:
    @api.get("/scores")
    def list_scores(
        _actor: Reader, period: Annotated[str, Query(max_length=10)]
    ) -> Listing[ScoreItem]:
        wanted = question(figures, period, None, None)
        with store.read() as tx:
            found = evaluation_store.entered(tx, wanted.period.name, now())
        items = [_score(each) for each in found if each.subject_kind != By.PERSON]
        return Listing(items=items, total=len(items))

    @api.post("/scores", status_code=201)
    def enter(
        body: ScoreBody, actor: Annotated[Actor, Depends(need(Right.HANDLE, Reach.POSTS))]
    ) -> ScoreItem:
        """A self-score: whoever holds a post of the very grid or department.

        All others, and one that came on paper: whoever configures the whole city.
        """
        wanted = question(figures, body.period, None, None)
        if not _may_enter(body, actor):
            raise Problem(
                403,
                "forbidden",
                coded(
                    "may_not_enter",
                    "{who} may not enter {kind} of {subject}",
                    who=actor.name,
                    kind=body.kind,
                    subject=body.subject,
                ),
                coded("own_post", "self, of the grid or department of one's own post"),
            )
        if body.kind == "year_end" and wanted.period.every is not Every.YEAR:
            raise Problem(
                422,
                "bad_period",
                coded("no_year_quoted", "period {given!r} is no year", given=body.period),
                "2026",
            )
        at = now()
        made = EnteredScore(
            body.kind, body.subject_kind, body.subject, wanted.period.name, body.score, body.note,
            at, actor.name,
        )  # fmt: skip
        with store.write() as tx:
            if body.subject_kind == "grid":
                _check_grid(tx, "subject", body.subject)
            evaluation_store.enter(tx, made)
            note = f"{body.kind} {body.subject_kind} {body.subject}: {body.score:g}"
            _write(tx, actor, at, "score", wanted.period.name, note)
        return _score(made)


def _called(indicator: str) -> Named:
    return Named(BY_ID[indicator].zh, BY_ID[indicator].en)


def _count_heads(indicators: Sequence[str], language: Language | None) -> list[str]:
    """Two columns an indicator: what counts, and of how much."""
    parts = {"n": "numerator", "of": "denominator"}
    if language is None:
        return [f"{name} {part}" for name in indicators for part in parts]
    names = [BY_ID[name].zh if language == "zh" else BY_ID[name].en for name in indicators]
    heads = [word(language, "head", part).lower() for part in parts.values()]
    return [f"{name} {head}" for name in names for head in heads]


def _may_enter(body: ScoreBody, actor: Actor) -> bool:
    if actor.may(Right.CONFIGURE) and not actor.is_limited(Right.CONFIGURE):
        return True
    own: dict[str, set[str | None]] = {
        "grid": {post.grid for post in actor.posts_with(Right.ACT) if post.department is None},
        "department": {post.department for post in actor.posts_with(Right.HANDLE)},
        "person": {actor.name},
    }
    return body.kind == "self" and body.subject in own[body.subject_kind]


def _add_reports(api: APIRouter, store: Store, figures: Figures, maker: Maker) -> None:
    @api.get("/reports")
    def list_reports(
        _actor: Reader,
        part: Annotated[Page, Depends(page)],
        period: Annotated[str | None, Query(max_length=10)] = None,
    ) -> Listing[ReportItem]:
        with store.read() as tx:
            found, total = evaluation_store.reports_kept(
                tx, period=period, limit=part.limit, offset=part.offset
            )
        return Listing(items=[_report(each) for each in found], total=total)

    @api.post("/reports", status_code=201)
    def make(body: ReportBody, actor: Annotated[Actor, Depends(need(Right.ACT))]) -> ReportItem:
        wanted = question(figures, body.period, body.as_of, None)
        made = maker.make(wanted, body.form, actor.name)
        with store.write() as tx:
            _write(tx, actor, made.made_at, "report", made.period, f"{made.form} {made.sha256}")
        return _report(made)

    @api.get("/reports/{report}/file", response_class=Response, responses=REPORT_FILES)
    def report_file(report: int, _actor: Reader) -> Response:
        with store.read() as tx:
            found = evaluation_store.content_of(tx, report)
        if found is None:
            raise not_found("report", report)
        about, content = found
        name = f"evaluation-{about.period}.{about.form}"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(content, media_type=REPORT_TYPES[about.form], headers=headers)


REPORT_TYPES = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pdf": "application/pdf",
}
REPORT_FILES: dict[int | str, dict[str, object]] = {
    200: {"content": {kind: {} for kind in REPORT_TYPES.values()}}
}


def names_of(tx: Connection, figures: Figures, asked: Asked, grouping: Grouping) -> Names:
    """What people call the groups."""
    known: Mapping[str, str] = {}
    if grouping.by is By.GRID:
        known = figures.grid_names(tx, asked)
    elif grouping.by is By.DEPARTMENT:
        listed = department_store.listed(tx)
        known = {each.department.code: each.department.name_zh for each in listed}
    elif grouping.by is By.MATTER_CLASS:
        known = {each.code: each.name_zh for each in matter_table().classes}
    elif grouping.by is By.PERSON:
        known = person_names.shown(tx)
    elif grouping.by is By.MATTER:
        return lambda code: found.name_zh if (found := matter(code)) else code
    return lambda code: known.get(code, code)


def _counted(tx: Connection, which: Sequence[int]) -> list[CountedCase]:
    """Cases by id, in the order they were asked for; one that is gone is left out."""
    parts = (which[at : at + CASES_AT_ONCE] for at in range(0, len(which), CASES_AT_ONCE))
    shown = {number: case for part in parts for number, case in case_store.load(tx, part).items()}
    department = department_store.names(tx, {each.department for each in shown.values()})
    return [
        CountedCase(
            id=case.id, number=case.number, title=case.title, state=case.state,
            state_zh=state_zh(case.state), generated=case.generated,
            department=department.get(case.department or ""),
        )
        for number in which
        if (case := shown.get(number)) is not None
    ]  # fmt: skip


def _check_grid(tx: Connection, name: str, code: str) -> None:
    """Raises Problem 422 for what never was a grid; one that has ended has its past figures."""
    if not is_known(tx, code):
        raise Problem(
            422,
            "bad_grid",
            coded("no_grid_named", "{field} {given!r}: no such grid", field=name, given=code),
            coded("grid_in_force", "a code of GET /api/grids"),
        )


def _indicators(wanted: Sequence[str] | None) -> list[Indicator]:
    if not wanted:
        return list(INDICATORS)
    unknown = [name for name in wanted if name not in BY_ID]
    if unknown:
        raise Problem(
            422,
            "bad_indicator",
            coded("no_indicator", "{names}: not an indicator", names=", ".join(unknown)),
            ", ".join(BY_ID),
        )
    return [BY_ID[name] for name in wanted]


def _case_ids(
    tx: Connection, figures: Figures, asked: Asked, row: Indicator, found: Measure, side: str
) -> list[int]:
    """The cases behind a figure; of reports and opinions those they are of, of visits none."""
    if side == "rest":
        inside = set(found.numerator)
        ids = [each for each in found.denominator if each not in inside]
    else:
        ids = list(getattr(found, side))
    if row.unit is Unit.VISIT:
        return []
    if row.unit in (Unit.REPORT, Unit.OPINION):
        case_of = {each.id: each.case.id for each in of_unit(figures.facts(tx, asked), row.unit)}
        ids = [case_of[each] for each in ids if case_of.get(each)]
    return list(dict.fromkeys(ids))


def _figures(found: Mapping[str, Measure], scheme: Version) -> list[Figure]:
    return [
        Figure(
            indicator=name,
            numerator=len(each.numerator),
            denominator=len(each.denominator),
            value=each.value,
            ranked=each.is_ranked(scheme.scheme.minimum),
        )
        for name, each in found.items()
    ]


def _beside(entered: Sequence[EnteredScore], group: Grouping) -> dict[tuple[str, str], float]:
    return {
        (each.kind, each.subject): each.score for each in entered if each.subject_kind == group.by
    }


def _ranked(
    place: Place, standing: Standing, names: Names, beside: Mapping[tuple[str, str], float]
) -> RankedItem:
    trust = standing.confidence.get(place.group)
    return RankedItem(
        group=place.group,
        name=names(place.group),
        place=place.place,
        score=place.score,
        figures=_figures(place.measures, standing.scheme),
        confidence=_trust(trust) if trust else None,
        in_bottom=place.in_bottom,
        flagged=place.is_flagged,
        award=place.award[0] if place.award else None,
        award_amount=place.award[1] if place.award else None,
        self_score=beside.get(("self", place.group)),
        satisfaction=beside.get(("satisfaction", place.group)),
    )


def _trust(trust: Confidence) -> Trust:
    return Trust(
        value=trust.value, camera_h=trust.camera_h, blind_h=trust.blind_h, heard_h=trust.heard_h,
        silent_h=trust.silent_h,
    )  # fmt: skip


def _counts(measure: Measure | None) -> tuple[int, int]:
    return (len(measure.numerator), len(measure.denominator)) if measure else (0, 0)


def _scheme(version: Version) -> SchemeItem:
    scheme = version.scheme
    return SchemeItem(
        version=version.number,
        at=version.at,
        by=version.by,
        note=version.note,
        weights=dict(scheme.weights),
        minimum=scheme.minimum,
        with_suspended=scheme.with_suspended,
        monthly_share=scheme.monthly_share,
        streak=scheme.streak,
        bottom=scheme.bottom,
        awards=[
            AwardBody(
                name=each.name, places=each.places, amount=each.amount, from_score=each.from_score
            )
            for each in scheme.awards
        ],
        deductions=dict(scheme.deductions),
    )


def _score(score: EnteredScore) -> ScoreItem:
    return ScoreItem.model_validate({name: getattr(score, name) for name in score.__slots__})


def _report(report: StoredReport) -> ReportItem:
    return ReportItem.model_validate({name: getattr(report, name) for name in report.__slots__})


def _write(tx: Connection, actor: Actor, at: datetime, what: str, subject: str, note: str) -> None:
    act = audit.Entry(at, actor.name, actor.role, "evaluation", subject, what, note=note)
    audit.append(tx, [act])
