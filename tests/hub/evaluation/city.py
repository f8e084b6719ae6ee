"""A city at work for tests: reports and steps through the real path, at times that tests choose."""

import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import time_machine

from hub import steps
from hub.cases.case import WantedStep
from hub.cases.record import SuspensionReason
from hub.desk import Desk
from hub.intake.report import Channel, NewReport
from hub.intake.sealing import Seal
from hub.roles import Actor, Role
from tests.hub.world import LAT, LON

CLERK = Actor("clerk", Role.OPERATOR)
WORKER = Actor("worker", Role.OPERATOR)
CHIEF = Actor("chief", Role.SUPERVISOR)
MONDAY = datetime(2026, 11, 2, 1, 0, tzinfo=UTC)
"""09:00 in Ankang, a working hour."""


class Together:
    """A store whose writes of one block are one transaction: a test that takes ten thousand steps
    waits for the disk once.
    """

    def __init__(self, store):
        self._store = store
        self._held = threading.local()

    def __getattr__(self, name):
        return getattr(self._store, name)

    @contextmanager
    def block(self):
        with self._store.write() as tx:
            self._held.tx = tx
            try:
                yield
            finally:
                self._held.tx = None

    @contextmanager
    def write(self, *, urgent=False):
        held = getattr(self._held, "tx", None)
        if held is not None:
            yield held
            return
        with self._store.write(urgent=urgent) as tx:
            yield tx

    @contextmanager
    def read(self):
        held = getattr(self._held, "tx", None)
        if held is not None:
            yield held
            return
        with self._store.read() as tx:
            yield tx


class City:
    """Reports come in and cases go their way; the clock stands still in between."""

    def __init__(self, store, site, folder):
        self.store, self.site = Together(store), site
        self.desk = Desk(self.store, site, Seal(folder))
        self.versions = {}
        self.places = 0
        self._clock = time_machine.travel(MONDAY, tick=False)
        self.clock = self._clock.start()
        self.moment = MONDAY

    def stop(self):
        self._clock.stop()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def at(self, moment):
        if moment != self.moment:
            self.clock.move_to(moment)
            self.moment = moment

    def new_place(self):
        """A place where nothing else is near."""
        self.places += 1
        n = self.places
        return LAT - 0.09 + 0.0012 * (n % 130), LON - 0.01 + 0.0012 * (n // 130)

    def report(self, at, channel=Channel.PATROL, matter="06010", place=None, **more):
        self.at(at)
        lat, lon = place or self.new_place()
        new = NewReport(channel, "seen", at, matter=matter, lat=lat, lon=lon, **more)
        return self.desk.receive(new, CLERK).case_id

    def step(self, case_id, action, at, actor=None, note="done", **more):
        self.at(at)
        version = self.versions.get(case_id, 1)
        if action == "suspend":
            more = {"until": at + timedelta(days=60), "reason": SuspensionReason.SEASON, **more}
        who = actor or (WORKER if action in ("accept", "feedback", "return") else CHIEF)
        wanted = WantedStep(action, version, note, **more)
        steps.take_step(self.store, self.site, case_id, wanted, who)
        self.versions[case_id] = version + 1

    def steps(self, case_id, at, *actions, every=timedelta(minutes=1)):
        """Steps one after the other, the first at `at`; returns when the last was taken."""
        for action in actions:
            self.step(case_id, action, at)
            at += every
        return at - every

    def to_work(self, at, **report):
        """A case that somebody works on, from `at` on."""
        case_id = self.report(at, **report)
        self.steps(case_id, at, "file", "dispatch", "accept", every=timedelta(0))
        return case_id

    def close(self, case_id, at):
        self.steps(case_id, at, "feedback", "verify_result", "close", every=timedelta(0))
