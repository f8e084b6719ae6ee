"""A month of a whole city, made up with a known truth: 91 grids, 20,000 reports, planted faults.

Every problem is a `Plan` of what happens to it and when; `live` takes the plans through the real
desk, pipeline, steps, checks and watch in order of time, and keeps house at midnight. A fake fix is
one that a visit finds still there; a rebound is a report that the watch knows the closed case of.
Where a camera saw the thing first it looks again: it says that it is gone, or it cannot tell, and
somebody goes and takes a photo. What the evaluation must find is read off the plans.
"""

import gc
import hashlib
import os
import random
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import numpy as np
from PIL import Image
from sqlalchemy import bindparam, select

from hub import decisions, pipeline, steps
from hub.alerts.alert import alert_id
from hub.calendar.store import built_in, calendar_of
from hub.cases import store as case_store
from hub.cases.case import State
from hub.cases.condition import USUAL
from hub.departments import store as department_store
from hub.departments.department import Department
from hub.evidence.store import Vault
from hub.grid import store as grid_store
from hub.grid.ankang import ankang_grids
from hub.grid.geojson import read
from hub.grid.places import Places
from hub.intake import store as intake_store
from hub.intake.report import Caller, Channel, NewReport
from hub.pipeline import Site
from hub.proof import checking, store as proof_store, watching
from hub.proof.check import Means, Result
from hub.proof.desk import Incoming
from hub.proof.photo import Taken, Use
from hub.roles import Actor, Role
from tests.hub.evaluation.city import CLERK, City
from tests.hub.proof import pictures
from tests.hub.world import alert_message, birth, make_site, received
from wire.alert import Box
from wire.command import CommandState, Reply

SEED = 2026
ZONE = ZoneInfo("Asia/Shanghai")
FIRST, END = date(2026, 11, 1), date(2026, 12, 1)
SIZE = float(os.environ.get("TIANYAN_MONTH", "1"))
"""How much of the month is lived through: by default all of its 20,000 reports."""
REPORTS = round(20_000 * SIZE)
PROBLEMS = round(4_600 * SIZE)
LETTERS = round(500 * SIZE)
MATTERS = {
    "06010": "garbage", "09006": "street_vending", "06001": "illegal_structure", "06036": "",
    "07001": "", "09001": "", "09009": "", "06012": "", "08004": "", "06042": "", "01001": "",
    "02005": "",
}  # fmt: skip
CHANNELS = {
    Channel.PATROL: 50, Channel.HOTLINE_12345: 14, Channel.PHONE: 8, Channel.WECHAT: 9,
    Channel.APP: 6, Channel.FORM: 3, Channel.PROPERTY: 4, Channel.HOTLINE_12319: 2,
    Channel.OPEN311: 2, Channel.LETTER: 1, Channel.MEDIA: 1,
}  # fmt: skip
DEPARTMENTS = ("CG", "ZJ", "JT", "SH", "GA")
INSPECTOR = Actor("inspector", Role.SUPERVISOR)
LIVED_FROM = datetime(2026, 1, 1, tzinfo=UTC)
BOX = Box("garbage", 0.8, 0.25, 0.5, 0.125, 0.25)
LOOKED_AGAIN = frozenset({"seen_first", "unseen"})
"""Problems that a camera saw in its picture; of the others' alerts no place in it is known."""
VERSION = select(case_store.cases.c.version).where(case_store.cases.c.id == bindparam("case"))
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
STEP_DEG = 0.0008
"""Problems lie at least some 75 metres apart: none is taken for another."""
STEP = timedelta(minutes=4)

PLANTED = {
    "rejected": 300, "cancelled": 60, "misfiled": 40, "late_file": 250, "late_dispatch": 200,
    "returned": 150, "suspended": 90, "never_handled": 180, "late": 600, "fake": 380,
    "rebound": 240, "seen_first": 180, "seen_after": 120, "unseen": 120,
}  # fmt: skip
"""How many problems of the whole month have each fault; none has two."""


@dataclass
class Plan:
    """What happens to one problem. `acts`: (when, action, more); `told`: (when, channel)."""

    number: int
    matter: str
    place: tuple[float, float]
    path: tuple[str, ...]
    fault: str
    department: str
    begun: datetime
    told: list[tuple[datetime, Channel]] = field(default_factory=list)
    seen_at: datetime | None = None
    acts: list[tuple[datetime, str, dict]] = field(default_factory=list)
    case: int | None = None

    @property
    def channel(self):
        """Who told of it first, camera or report."""
        if self.seen_at is not None and self.seen_at < self.told[0][0]:
            return "camera"
        return self.told[0][1]

    def when(self, action, nth=1):
        """The moment of the nth such act; None when there is none."""
        found = [at for at, each, _ in self.acts if each == action]
        return found[nth - 1] if len(found) >= nth else None

    def dues(self):
        """The deadlines of its rounds, reckoned from when each was sent out."""
        calendar = calendar_of(built_in(), ZONE)
        starts = [at for at, each, _ in self.acts if each == "dispatch"]
        wanted = starts[:1] + (starts[-1:] if self.fault == "rebound" else [])
        return [calendar.due(at, USUAL[1]).at for at in wanted]


def plans():
    """Every problem of the month; the same at every call."""
    dice = random.Random(SEED)
    calendar = calendar_of(built_in(), ZONE)
    days = [FIRST + timedelta(days=n) for n in range((END - FIRST).days)]
    days = [day for day in days if calendar.is_workday(day)]
    faults = [name for name, count in PLANTED.items() for _ in range(round(count * SIZE))]
    faults += [""] * (PROBLEMS - len(faults))
    dice.shuffle(faults)
    made = []
    for number, (place, path, fault) in enumerate(zip(*spots(dice), faults, strict=True)):
        # What needs weeks to show itself begins early in the month.
        early = fault in ("rebound", "late", "fake")
        day = dice.choice(days[:11] if early else days)
        begun = datetime.combine(day, time(9), ZONE) + STEP * dice.randrange(15)
        matter = dice.choice(list(MATTERS))
        if "seen" in fault:
            matter = "06010"
        plan = Plan(number, matter, place, path, fault, dice.choice(DEPARTMENTS),
                    begun.astimezone(UTC))  # fmt: skip
        _tell(plan, dice)
        _act(plan, dice)
        made.append(plan)
    _fill(made, dice)
    return made


@cache
def grids():
    """The city's grids as GeoJSON; drawing them takes two seconds."""
    return ankang_grids()


def spots(dice):
    """Places and their grids, each of the 91 communities among them."""
    places = Places()
    places.load(1, read(grids()).grids, ())
    lattice = [
        (round(32.60 + STEP_DEG * i, 6), round(108.88 + STEP_DEG * j, 6))
        for i in range(230)
        for j in range(360)
    ]
    inside = [
        (place, path)
        for place, path in zip(lattice, places.locate(lattice), strict=True)
        if len(path) == 3
    ]
    dice.shuffle(inside)
    first_of = {path: (place, path) for place, path in reversed(inside)}
    rest = [each for each in inside if first_of[each[1]] != each]
    chosen = [*first_of.values(), *rest][:PROBLEMS]
    dice.shuffle(chosen)
    return [place for place, _ in chosen], [path for _, path in chosen]


def _tell(plan, dice):
    channels, weights = list(CHANNELS), list(CHANNELS.values())
    at = plan.begun
    if plan.fault == "seen_first":
        plan.told = [(at, Channel.PATROL)]
        plan.seen_at = at + STEP
    elif plan.fault in ("seen_after", "unseen"):
        plan.seen_at = at
        plan.told = [(at + STEP, Channel.PATROL)]
    else:
        plan.told = [(at, dice.choices(channels, weights)[0])]


def _fill(made, dice):
    """More people tell of the same problems, until the month has its reports."""
    channels, weights = list(CHANNELS), list(CHANNELS.values())
    missing = REPORTS - LETTERS - sum(len(plan.told) for plan in made)
    for _ in range(missing):
        plan = dice.choice(made)
        # By the time it is filed nobody has gone away yet: all of them are of this case.
        plan.told.append((plan.begun + STEP, dice.choices(channels, weights)[0]))
    for plan in made:
        plan.told.sort(key=lambda each: each[0])


NOTHING = timedelta(0)
DONE = [(STEP, "gone"), (STEP, "close")]
LOOKED = [(STEP, "look_gone"), (STEP, "close")]
GONE_TO_SEE = [(STEP, "look_cannot_tell"), (HOUR, "photo"), (STEP, "close")]
AGAIN = [(3 * DAY, "reopen"), (STEP, "dispatch"), (STEP, "accept"), (HOUR, "feedback"), *DONE]
INSTEAD = {
    "rejected": [(NOTHING, "reject")],
    "cancelled": [(NOTHING, "file"), (STEP, "cancel")],
}
BEFORE_WORK = {
    "returned": [(STEP, "return"), (NOTHING, "dispatch")],
    "misfiled": [(STEP, "return"), (NOTHING, "correct"), (NOTHING, "dispatch")],
}
WORK = {
    "never_handled": [],
    "suspended": [(HOUR, "suspend")],
    "late": [(9 * DAY, "feedback"), *DONE],
    "fake": [(DAY, "feedback"), (STEP, "present"), (STEP, "feedback"), *DONE],
    "rebound": [(DAY, "feedback"), *DONE, *AGAIN],
    "seen_first": [(DAY, "feedback"), *LOOKED],
    "unseen": [(DAY, "feedback"), *GONE_TO_SEE],
}  # fmt: skip


def course(fault):
    """The steps of a case, each so long after the one before; in time but for its fault."""
    if fault in INSTEAD:
        return INSTEAD[fault]
    return [
        (HOUR if fault == "late_file" else NOTHING, "file"),
        (HOUR if fault == "late_dispatch" else STEP, "dispatch"),
        *BEFORE_WORK.get(fault, []),
        (STEP, "accept"),
        *WORK.get(fault, [(DAY, "feedback"), *DONE]),
    ]


def _act(plan, dice):
    at = plan.begun + 2 * STEP
    for after, action in course(plan.fault):
        at += after
        if action == "reopen":
            plan.told.append((at, dice.choices(list(CHANNELS), list(CHANNELS.values()))[0]))
        more = {"department": plan.department} if action == "dispatch" else {}
        plan.acts.append((at, action, more))


class Month(City):
    """The city of the paper, its departments and its month."""

    def __init__(self, store, folder):
        proof = {"photos": "optional", "check": "required", "look": True}
        config = make_site(store, folder, proof=proof).config
        places = Places()
        with store.write() as tx:
            tx.execute(grid_store.grids.update().values(valid_until=LIVED_FROM))
            grid_store.bring_in(tx, grids(), at=LIVED_FROM,
                                actor="test", source="ankang")  # fmt: skip
            named = [Department(code, f"{code}局") for code in DEPARTMENTS]
            department_store.put(tx, named, LIVED_FROM)
        grid_store.load(store, places)
        super().__init__(store, Site(config, places, Vault(folder / "evidence")), folder)
        self._take("birth", birth(), LIVED_FROM)

    def live(self, made, until, at_once=400):
        """Everything that happens before `until`, in order of time; returns how many acts."""
        happenings = sorted(self._happenings(made), key=lambda each: each[:2])
        wanted = [each for each in happenings if self.lived <= each[0] < until]
        gc.freeze()  # the plans are no garbage, and looking through them took a tenth of the time
        try:
            for start in range(0, len(wanted), at_once):
                with self.store.block():
                    for at, _, do in wanted[start : start + at_once]:
                        self.at(at)
                        do(at)
        finally:
            gc.unfreeze()
        self.lived = until
        return len(wanted)

    lived = LIVED_FROM

    def _happenings(self, made):
        reports = {}
        for plan in made:
            for nth, (at, channel) in enumerate(plan.told):
                reports.setdefault(at, []).append((plan, nth, channel))
            if plan.seen_at:
                yield plan.seen_at, 1, lambda at, plan=plan: self._see(plan, at)
            for nth, (at, action, more) in enumerate(plan.acts):
                yield (
                    at,
                    2 + nth,
                    lambda at, plan=plan, action=action, more=more: self._step(
                        plan, action, at, more
                    ),
                )
        for at, told in reports.items():
            yield at, 0, lambda at, told=told: self._receive(told, at)
        for number in range(LETTERS):
            at = datetime(2026, 11, 2 + number % 5, 2, 1, tzinfo=UTC)
            yield at, 0, lambda at, number=number: self._letter(number, at)
        for day in range(80):
            yield datetime(2026, 11, 1, 15, tzinfo=UTC) + day * DAY, 99, self._keep_house

    def _receive(self, told, at):
        new = [_report(plan, nth, channel, at) for plan, nth, channel in told]
        # The hotline sends one in ten of its reports again: an update, never a second.
        again = [each for each in new if each.external_id and int(each.external_id[1:]) % 10 == 0]
        for (plan, _, _), report in zip(told, self.desk.receive_all(new, CLERK), strict=True):
            plan.case = report.case_id
        if again:
            self.desk.receive_all(again, CLERK)

    def _letter(self, number, at):
        letter = NewReport(Channel.LETTER, "noise at night", at)
        report = self.desk.receive(letter, CLERK)
        if number % 2:
            self.desk.refuse(report.number, "not the city's", CLERK)

    def _see(self, plan, at):
        lat, lon = plan.place
        boxes = [BOX] if plan.fault in LOOKED_AGAIN else []
        message = alert_message(
            at=at, alert=f"a-{plan.number}", seq=plan.number, label="garbage", lat=lat, lon=lon,
            boxes=boxes,
        )  # fmt: skip
        self._take("alert", message, at)
        decisions.decide(self.store, self.site, alert_id(message), "confirmed", note="",
                         actor=CLERK)  # fmt: skip

    def _step(self, plan, action, at, more):
        if plan.case is None:
            raise AssertionError(f"problem {plan.number} has no case at {at}")
        if action in ("present", "gone"):
            self._visit(self._case(plan.case), Result(action), at)
        elif action == "photo":
            case = self._case(plan.case)
            self._visit(case, Result.GONE, at, [self._photo(plan, case, at)])
        elif action.startswith("look_"):
            self._look(self._case(plan.case), Result(action.removeprefix("look_")), at)
        elif action == "reopen":
            assert self._case(plan.case).state is State.REOPENED
        else:
            self.versions[plan.case] = self._version(plan.case)
            self.step(plan.case, action, at, **more)

    def _take(self, name, message, at):
        with self.store.write() as tx:
            pipeline.take(tx, self.site, name, [received(message, at)])

    def _look(self, case, result, at):
        """The camera that was asked answers."""
        with self.store.read() as tx:
            (check,) = (each for each in self._checks(tx, case) if each.is_awaited)
        assert check.means is Means.LOOK
        out = {"answer": result.value, "confidence": 0.9, "reasons": [], "looks": 5}
        said = Reply(dev="cam-1", id=check.look, st=CommandState.DONE, out=out)
        self._take("reply", said, at)

    def _photo(self, plan, case, at):
        """Somebody is there and takes one, as his phone writes it."""
        dice = np.random.default_rng(plan.number)
        small = dice.integers(0, 255, (7, 9, 3), dtype=np.uint8)
        picture = Image.fromarray(small).resize((240, 180), Image.Resampling.BICUBIC)
        data = pictures.photo(picture, at.astimezone(ZONE), plan.place)
        file = Incoming("image/jpeg", hashlib.sha256(data).hexdigest(), len(data), data)
        return self.site.proof.take(self.store, case.id, file, use=Use.VISIT, told=Taken(),
                               actor=INSPECTOR).id  # fmt: skip

    def _visit(self, case, result, at, photos=()):
        """Somebody goes and sees."""
        with self.store.write() as tx:
            (check,) = (each for each in self._checks(tx, case) if each.is_awaited)
            brought = self.site.proof.claimed(tx, case, photos, Use.VISIT, at)
            checking.visited(tx, self.site.proof, case, check, result=result, photos=brought,
                             note="", actor=INSPECTOR, at=at)  # fmt: skip

    def _checks(self, tx, case):
        return proof_store.checks_of(tx, [case.id])[case.id]

    def _version(self, case_id):
        with self.store.read() as tx:
            return tx.execute(VERSION, {"case": case_id}).scalar_one()

    def _case(self, case_id):
        with self.store.read() as tx:
            return case_store.load(tx, [case_id])[case_id]

    def _keep_house(self, at):
        while steps.say_what_is_due(self.store, at):
            pass
        while watching.look_after(self.store, self.site.config, intake_store.owed_a_reply, at):
            pass


def _report(plan, nth, channel, at):
    lat, lon = plan.place
    system, number = "", ""
    if channel is Channel.HOTLINE_12345:
        system, number = "12345", f"G{plan.number * 100 + nth}"
    return NewReport(
        channel, f"problem {plan.number}", at, external_system=system, external_id=number,
        matter=plan.matter, lat=lat + 0.00002 * (nth % 5), lon=lon, urgency=1,
        caller=Caller("王小明", f"138{plan.number:08d}"), wants_reply=channel is Channel.PHONE,
    )  # fmt: skip


def came_back(made, as_of):
    """The cases closed in November that had come back by a moment."""
    return sorted(
        plan.case
        for plan in made
        if plan.fault == "rebound" and plan.when("reopen") <= as_of
        and plan.when("close") < datetime.combine(END, time(), ZONE)
    )  # fmt: skip


def truth(made, as_of):
    """What the evaluation must find of November as of a moment: (numerator, denominator)."""
    begins = datetime.combine(FIRST, time(), ZONE)
    ends = min(datetime.combine(END, time(), ZONE), as_of + timedelta(milliseconds=1))

    def past(at):
        return at is not None and at <= as_of

    def within(at):
        return at is not None and begins <= at < ends

    filed = [plan for plan in made if within(plan.when("file"))]
    sent = [plan for plan in filed if within(plan.when("dispatch"))]
    rounds = [
        (plan, nth, due)
        for plan in made
        if plan.fault != "suspended"
        for nth, due in enumerate(plan.dues(), 1)
        if within(due)
    ]

    def finished(plan, nth, action):
        acts = [at for at, each, _ in plan.acts if each == action]
        place = nth - 1 if plan.fault != "fake" else len(acts) - 1
        return acts[place] if place < len(acts) else None

    closed = [each for each in rounds if past(finished(each[0], each[1], "close"))]
    on_time = [
        (plan, nth, due)
        for plan, nth, due in closed
        if finished(plan, nth, "feedback") <= due
        and not (plan.fault == "rebound" and nth == 1 and past(plan.when("reopen")))
    ]
    handled = [each for each in rounds if past(finished(each[0], each[1], "feedback"))]
    closings = [
        plan for plan in made for at, each, _ in plan.acts if each == "close" and within(at)
    ]
    checks = [
        (plan, each)
        for plan in made
        for at, each, _ in plan.acts
        if each in ("close", "present") and within(at)
    ]
    cameras = [plan for plan in made if plan.seen_at and within(plan.seen_at)]
    told = [plan for plan in made for at, _ in plan.told if within(at)]
    valid = [plan for plan in told if past(plan.when("file"))]
    back = [plan for plan in made if plan.fault == "rebound" and within(plan.when("close"))]
    return {
        "close_rate": (len(closed), len(rounds)),
        "on_time_close_rate": (len(on_time), len(rounds)),
        "handle_rate": (len(handled), len(rounds)),
        "overdue_open_rate": (len(rounds) - len(handled), len(rounds)),
        "rework_rate": (sum(plan.fault == "fake" for plan, _, _ in rounds), len(rounds)),
        "false_rectification_rate": (sum(each == "present" for _, each in checks), len(checks)),
        "rebound_rate": (sum(past(plan.when("reopen")) for plan in back), len(closings)),
        "on_time_file_rate": (sum(plan.fault != "late_file" for plan in filed), len(filed)),
        "file_accuracy": (
            sum(plan.fault not in ("cancelled", "misfiled") for plan in filed), len(filed),
        ),
        "dispatch_rate": (len(sent), len(filed)),
        "patrol_share": (sum(plan.channel == Channel.PATROL for plan in filed), len(filed)),
        "discovery_rate": (sum(plan.fault == "seen_first" for plan in cameras), len(cameras)),
        "open_rate": (
            sum(not past(plan.when("close")) for plan in made if within(plan.begun)),
            sum(within(plan.begun) for plan in made),
        ),
        "valid_report_rate": (len(valid), len(told) + LETTERS),
    }  # fmt: skip
