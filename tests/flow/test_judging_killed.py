"""The process that judges is ended in the middle again and again; every event is there once."""

import signal
import subprocess
import sys

import pytest
from msgspec import structs
from sqlalchemy import select

from hub import pipeline
from hub.alerts.store import alerts
from hub.store import Store
from hub.tracks.judged_store import vehicle_events
from tests.hub.test_judging import GATE, fences, judge_all, message, numbered, truck, way
from tests.hub.world import make_site, received
from wire.status import VehicleBirth

VEHICLES = 12
KILLED_AFTER_S = (0.05, 0.1, 0.15, 0.1, 0.05)
"""Of work, not of time: a slow machine is no nearer to the end when they have passed."""
JUDGING = """
import signal
import sys
from pathlib import Path
from hub import judging
from hub.judging import Judge
from hub.store import Store
from tests.hub.world import make_site
judging.MOST_VEHICLES = 1  # many short rounds, so that a kill falls into one
store = Store(sys.argv[1])
judge = Judge(store, make_site(store, Path(sys.argv[2])), lambda: False)
# The kernel ends it then as kill -9 would: nothing is tidied up.
signal.setitimer(signal.ITIMER_VIRTUAL, float(sys.argv[3]))
while judge.work():
    pass
"""

pytestmark = pytest.mark.timeout(600)


def filled(folder):
    """A hub's database with a day of several trucks that nobody has judged yet."""
    store = Store(f"sqlite:///{folder}/hub.sqlite")
    store.migrate()
    site = make_site(store, folder)
    fences(store, GATE)
    names = [f"v{n}" for n in range(VEHICLES)]
    truck(store, site, vehicles=[VehicleBirth(n, plate=n, kind="spoil_truck") for n in names])
    for number, name in enumerate(names):
        rounds = [
            leg
            for turn in range(6)
            for leg in (
                way(turn * 3600, 900, kmh=0),
                way(turn * 3600 + 900, 600, 0, kmh=90 if turn % 2 else 50),
                way(turn * 3600 + 1500, 900, 15_000 + number, kmh=0),
            )
        ]
        first = number * 100_000
        fixes = [structs.replace(each, seq=first + each.seq) for each in numbered(*rounds)]
        for start in range(0, len(fixes), 300):
            some = fixes[start : start + 300]
            with store.write() as tx:
                told = message(some, vehicle=name)
                pipeline.take(tx, site, "track", [received(told)])
    return store, site


def told(store):
    """What history and alerts say, each as often as it is there."""
    event = vehicle_events.c
    asked = select(event.vehicle, event.kind, event.subject, event.start, event.end, event.over)
    with store.read() as tx:
        events = sorted(map(tuple, tx.execute(asked.where(event.superseded_at.is_(None)))))
        rung = sorted(
            map(tuple, tx.execute(select(alerts.c.source, alerts.c.label, alerts.c.since)))
        )
    return events, rung


def test_a_judge_killed_again_and_again_tells_every_event_once(tmp_path):
    (tmp_path / "whole").mkdir()
    (tmp_path / "cut").mkdir()
    whole, site = filled(tmp_path / "whole")
    judge_all(whole, site)
    expected = told(whole)
    assert len(expected[0]) > 20 * VEHICLES
    assert expected[1]

    store, _ = filled(tmp_path / "cut")
    arguments = [f"sqlite:///{tmp_path}/cut/hub.sqlite", str(tmp_path / "cut")]
    judging = [sys.executable, "-c", JUDGING, *arguments]
    ends = [subprocess.run([*judging, str(s)], check=False) for s in KILLED_AFTER_S]
    cut_short = sum(end.returncode == -signal.SIGVTALRM for end in ends)
    assert cut_short >= 2, "it was over before it was killed"
    subprocess.run([*judging, "0"], check=True)
    assert told(store) == expected
    store.close()
    whole.close()
