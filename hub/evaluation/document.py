"""A report as a document: what it says, before it is a sheet or a page.

Made of nothing but the evidence, the scheme and the moment it is as of, so that the report of a
past day comes out the same whenever it is made again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy.engine import Connection

from hub.evaluation.confidence import of as confidence_of
from hub.evaluation.figures import Asked, Deduction, Figures, YearLine
from hub.evaluation.grouping import By, Grouping
from hub.evaluation.indicator import Measure
from hub.evaluation.period import Every, Period
from hub.evaluation.ranking import Place
from hub.evaluation.scheme import Version

TITLES = {
    Every.DAY: ("日督导", "Daily supervision"),
    Every.WEEK: ("周通报", "Weekly bulletin"),
    Every.MONTH: ("月排名", "Monthly ranking"),
    Every.QUARTER: ("季点评", "Quarterly review"),
    Every.YEAR: ("年度考核", "Yearly assessment"),
}
COMPARED = {Every.DAY: 7, Every.WEEK: 4, Every.MONTH: 6, Every.QUARTER: 4, Every.YEAR: 2}
SECTIONS = (
    (By.GRID, 2, "二级网格", "Second-level grids"),
    (By.GRID, 3, "三级网格", "Third-level grids"),
    (By.DEPARTMENT, 0, "责任部门", "Departments"),
)


@dataclass(frozen=True, slots=True)
class Section:
    """A ranking of the report. `confidence` by group, for grids."""

    title_zh: str
    title_en: str
    places: tuple[Place, ...]
    names: Mapping[str, str]
    confidence: Mapping[str, float | None]


@dataclass(frozen=True, slots=True)
class Document:
    """What a report says. `city`: the whole, `earlier`: the same of the periods before."""

    site: str
    title_zh: str
    title_en: str
    period: Period
    asked: Asked
    scheme: Version
    generated: bool
    patrol_since: date | None
    city: Mapping[str, Measure]
    earlier: tuple[tuple[Period, Mapping[str, Measure]], ...]
    matters: tuple[tuple[str, Mapping[str, Measure]], ...]
    sections: tuple[Section, ...]
    deductions: tuple[Deduction, ...]
    years: tuple[YearLine, ...]
    numbers: Mapping[int, str]

    @property
    def notes(self) -> list[str]:
        """What a reader must know of the figures before them."""
        said = []
        if self.generated:
            said.append("含演示数据，不作考核依据 · Some of it is made up for a demonstration")
        if self.patrol_since is not None:
            day = self.patrol_since
            said.append(f"巡查类指标自 {day} 起计 · Patrol counts from {day}")
        return said


def document(
    tx: Connection, figures: Figures, asked: Asked, site: str, departments: Mapping[str, str]
) -> Document:
    """The report of a period."""
    whole = Grouping()
    grids = figures.grid_names(tx, asked)
    sections = []
    for by, level, zh, en in SECTIONS:
        standing = figures.standing(tx, asked, Grouping(by, level or 3))
        names = grids if by is By.GRID else departments
        trust = {
            place.group: confidence_of(standing.confidence, place.group)
            for place in standing.places
        }
        if standing.places:
            sections.append(Section(zh, en, tuple(standing.places), names, trust))
    series = figures.trend(tx, asked, COMPARED[asked.period.every], whole, figures.all)
    kinds = figures.by_group(tx, asked, Grouping(By.MATTER_CLASS))
    lines = figures.deductions(tx, asked, Grouping(By.GRID, 3))
    return Document(
        site=site,
        title_zh=TITLES[asked.period.every][0],
        title_en=TITLES[asked.period.every][1],
        period=asked.period,
        asked=asked,
        scheme=figures.scheme(tx, asked),
        generated=any(case.generated for case in figures.facts(tx, asked).cases),
        patrol_since=figures.patrol_since(tx, asked),
        city=figures.by_group(tx, asked, whole).get("all", {}),
        earlier=tuple((period, found.get("all", {})) for period, found in series[:-1]),
        matters=tuple(sorted(kinds.items())),
        sections=tuple(sections),
        deductions=tuple(lines),
        years=tuple(figures.year(tx, asked, Grouping(By.GRID, 3)))
        if asked.period.every is Every.YEAR
        else (),
        numbers=figures.case_numbers(tx, {line.case for line in lines}),
    )
