"""The intake desk: a report comes in and joins the case it is about, opens one, or waits.

Every function is one transaction. Five people and a camera who tell of the same matter at the same
place make one case; each of them is answered.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

from sqlalchemy.engine import Connection

from hub import audit, events
from hub.cases import store as case_store
from hub.cases.case import Case, State
from hub.cases.opening import open_all
from hub.errors import Problem, not_found
from hub.events import Change
from hub.grid.places import Path
from hub.intake import store as intake_store
from hub.intake.report import NewReport, Report, ReportState
from hub.intake.sealing import Seal
from hub.matters import matter
from hub.pipeline import Site
from hub.proof import watching
from hub.proof.rebound import Coming
from hub.roles import Actor
from hub.store import Store, now
from wire.coded import coded, remarked


@dataclass(frozen=True)
class Desk:
    """What the desk works with."""

    store: Store
    site: Site
    seal: Seal

    def receive(self, new: NewReport, actor: Actor) -> Report:
        """Take a report in; the same one of another system again is an update, never a second."""
        return self.receive_all([new], actor)[0]

    def receive_all(self, new: Sequence[NewReport], actor: Actor) -> list[Report]:
        """Take reports in, all of them or none."""
        config, at = self.site.config, now()
        places = list(dict.fromkeys(each.place for each in new if each.place is not None))
        with self.store.write(urgent=True) as tx, _turn(tx, actor, at) as turn:
            numbering = intake_store.Numbering(tx, config.case_prefix, at, config.zone)
            turn.paths.update(zip(places, self.site.places.locate(places), strict=True))
            taken = [self._take_in(turn, numbering, each) for each in new]
            numbering.keep(tx)
            return taken

    def complete(
        self, number: str, code: str | None, place: tuple[float, float] | None, actor: Actor
    ) -> Report:
        """The clerk says what a report is about, or where; with both it enters a case."""
        at = now()
        with self.store.write(urgent=True) as tx, _turn(tx, actor, at) as turn:
            report = self._waiting(tx, number)
            new = replace(report.new, matter=code or report.new.matter)
            if place is not None:
                new = replace(new, lat=place[0], lon=place[1])
            turn.note(report, "classify", f"{new.matter or '?'} {new.place or '?'}")
            return self._kept(tx, self._placed(turn, replace(report, new=new, updated_at=at)))

    def refuse(self, number: str, reason: str, actor: Actor) -> Report:
        """A report that is no matter of the city's: its reporter is told why."""
        at = now()
        with self.store.write(urgent=True) as tx, _turn(tx, actor, at) as turn:
            report = self._waiting(tx, number)
            refused = replace(
                report, state=ReportState.REFUSED, reason=reason, answer=reason, answered_at=at,
                updated_at=at,
            )  # fmt: skip
            intake_store.save(tx, self.seal, refused)
            turn.note(report, "refuse", reason)
        return refused

    def answer(self, case_id: int, text: str, actor: Actor) -> int:
        """Answer everybody who reported a case and has no answer; returns how many."""
        at = now()
        with self.store.write(urgent=True) as tx:
            if case_store.lock(tx, case_id) is None:
                raise not_found("case", case_id)
            told = intake_store.of_cases(tx, self.seal, [case_id])[case_id]
            open_ones = [report for report in told if report.answered_at is None]
            for report in open_ones:
                answered = replace(report, answer=text, answered_at=at, updated_at=at)
                intake_store.save(tx, self.seal, answered)
            note = remarked(
                coded("so_many_reporters", "{count} reporters", count=len(open_ones)), text
            )
            act = audit.Entry(at, actor.name, actor.role, "case", str(case_id), "answer", note=note)
            audit.append(tx, [act])
            events.record(tx, [Change("case", str(case_id))], at)
        return len(open_ones)

    def _take_in(self, turn: "_Turn", numbering: intake_store.Numbering, new: NewReport) -> Report:
        known = intake_store.known(turn.tx, self.seal, new.external_system, new.external_id)
        if known is not None:
            return self._again(turn, known, new)
        report = Report(
            0, numbering.new(), ReportState.WAITING, new, (), None, "", "", None, turn.at,
        )  # fmt: skip
        turn.note(report, "receive", _through(new))
        return intake_store.add(turn.tx, self.seal, self._placed(turn, report))

    def _again(self, turn: "_Turn", known: Report, new: NewReport) -> Report:
        """What the clerk found stays; what the other system says newly counts."""
        kept = replace(
            new,
            matter=new.matter or known.new.matter,
            lat=new.lat if new.place else known.new.lat,
            lon=new.lon if new.place else known.new.lon,
            received_at=known.new.received_at,
        )
        report = replace(known, new=kept, updated_at=turn.at)
        turn.note(report, "update", _through(new))
        if known.state is ReportState.WAITING:
            report = self._placed(turn, report)
        return self._kept(turn.tx, report)

    def _kept(self, tx: Connection, report: Report) -> Report:
        intake_store.save(tx, self.seal, report)
        return report

    def _placed(self, turn: "_Turn", report: Report) -> Report:
        """In the case it is about, when matter and place are known; else still waiting."""
        new = report.new
        if new.matter is None or new.place is None:
            return report
        site, tx, (lat, lon) = self.site, turn.tx, new.place
        path = turn.paths.get(new.place)
        if path is None:
            (path,) = site.places.locate([new.place])
        near = case_store.open_near(tx, new.matter, lat, lon, site.config.intake.same_case_m)
        case = near[0] if near else self._watched(tx, report)
        case = case or self._new_case(tx, report, path, turn.actor)
        turn.changes.append(Change("case", str(case.id)))
        return replace(report, state=ReportState.IN_CASE, case_id=case.id, path=path)

    def _watched(self, tx: Connection, report: Report) -> Case | None:
        """The closed case that is watched there: reopened, unless the report is older."""
        new, at = report.new, report.updated_at
        if new.matter is None or new.place is None:
            return None
        config = self.site.config
        found = watching.of_report(tx, config, new.matter, new.place, new.received_at)
        if found is None:
            return None
        if found.coming is Coming.BEFORE:
            return found.case
        return watching.reopen(tx, config, found, kind="report", cause=report.number, at=at)

    def _new_case(self, tx: Connection, report: Report, path: Path, actor: Actor) -> Case:
        config = self.site.config
        draft = partial(_case_of, report, path, config.standard_ref)
        (case,) = open_all(
            tx, [draft], prefix=config.case_prefix, zone=config.zone, at=report.updated_at,
            actor=actor, note=report.number,
        )  # fmt: skip
        return case

    def _waiting(self, tx: Connection, number: str) -> Report:
        report = intake_store.lock(tx, self.seal, number)
        if report is None:
            raise not_found("report", number)
        if report.state is not ReportState.WAITING:
            raise Problem(
                409,
                "not_waiting",
                coded("report_is", "report {report} is {state}", report=number, state=report.state),
                coded("waiting_report", "a report that waits"),
            )
        return report


@dataclass(frozen=True)
class _Turn:
    """What is done with reports in one transaction; its history and news are written once."""

    tx: Connection
    actor: Actor
    at: datetime
    paths: dict[tuple[float, float], Path] = field(default_factory=dict)
    notes: list[audit.Entry] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)

    def note(self, report: Report, act: str, note: str) -> None:
        """An act in a report's history."""
        who, number = self.actor, report.number
        self.notes.append(
            audit.Entry(self.at, who.name, who.role, "report", number, act, note=note)
        )


@contextmanager
def _turn(tx: Connection, actor: Actor, at: datetime) -> Iterator[_Turn]:
    turn = _Turn(tx, actor, at)
    yield turn
    audit.append(tx, turn.notes)
    events.record(tx, turn.changes, at)


def _through(new: NewReport) -> str:
    """The channel of a report, for the history."""
    return coded("by_channel", "{channel}", channel=new.channel)


def _case_of(report: Report, path: Path, standard_ref: str, number: str) -> Case:
    new, known = report.new, matter(report.new.matter)
    lat, lon = new.place or (0.0, 0.0)
    what = known.name_zh if known else str(new.matter)
    return Case(
        id=0,
        number=number,
        state=State.REPORTED,
        version=1,
        title=f"{what} · {new.place_text}"[:300] if new.place_text else what,
        label=known.identifier if known else "report",
        matter=new.matter,
        standard_ref=standard_ref,
        level=new.urgency,
        lat=lat,
        lon=lon,
        path=path,
        source=new.channel,
        generated=new.generated,
        opened_at=report.updated_at,
        updated_at=report.updated_at,
    )
