"""What a month of a city costs to evaluate, beside asking for each case's history by itself.

    .venv/bin/python bench/evaluation.py [--cases 100000] [--sample 500]

Every case was reported, filed, dispatched, accepted, reported done, checked and closed.
Prints one JSON line: seconds of the processor to read the facts and to count every indicator for
91 grids; the same for the naive way, from a sample of cases; and the ratio of the two.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.engine import Connection

from hub import audit
from hub.cases import clock_store, store as case_store
from hub.evaluation.evidence import Question, load
from hub.evaluation.facts import CaseFacts
from hub.evaluation.grouping import By, Grouping
from hub.evaluation.history import story
from hub.evaluation.indicator import INDICATORS, measure_by, of_unit
from hub.evaluation.period import Period
from hub.store import Store, path_text, put, to_ms

ZONE = ZoneInfo("Asia/Shanghai")
BEGUN = datetime(2026, 11, 2, 1, tzinfo=UTC)
STEPS = (
    ("report", "", "reported", 0), ("file", "reported", "filed", 5),
    ("dispatch", "filed", "dispatched", 10), ("accept", "dispatched", "handling", 30),
    ("feedback", "handling", "handled", 600),
    ("verify_result", "handled", "verifying_result", 610),
    ("close", "verifying_result", "closed", 620),
)  # fmt: skip


PATHS = [("ak", f"town-{grid % 8}", f"grid-{grid}") for grid in range(91)]


def fill(
    tx: Connection,
    count: int,
    begun_at: datetime = BEGUN,
    minutes: int = 30_000,
    paths: Sequence[tuple[str, ...]] = PATHS,
) -> None:
    """Cases with their histories, as plain rows, reported within so many minutes."""
    apart = max(1, minutes // count)
    cases, acts, said = [], [], []
    for number in range(1, count + 1):
        begun = to_ms(begun_at + timedelta(minutes=number * apart % minutes))
        cases.append(
            {
                "id": number, "number": f"B{number}", "state": "closed", "stage": "verify_close",
                "version": 7, "title": "t", "label": "garbage", "matter": "06010",
                "standard_ref": "s", "level": 1, "lat": 32.7, "lon": 109.0,
                "path": path_text(paths[number % len(paths)]), "source": "patrol",
                "generated": False, "opened_at": begun, "updated_at": begun, "closed_at": begun,
                "handlers": "[]", "ownerless": False,
            }
        )  # fmt: skip
        for action, before, after, later in STEPS:
            at = begun + later * 60_000
            acts.append((len(acts) + 1, at, "a", "r", "case", str(number), action, before, after,
                         "", "", ""))  # fmt: skip
            due = begun + 259_200_000 if later >= 10 else None
            said.append((number, at, due, at + 900_000, None, None, 3.0, "work_day", 0))
    names = tuple(cases[0])
    put(tx, case_store.cases, names, [tuple(case[name] for name in names) for case in cases])
    put(tx, audit.entries, ("id", "at", "actor", "role", "kind", "subject", "action", "from_state",
                            "to_state", "note", "previous", "hash"), acts)  # fmt: skip
    clock_names = ("case_id", "at", "due_at", "stage_due_at", "stopped_at", "done_at", "number",
                   "unit", "calendar_version")  # fmt: skip
    put(tx, clock_store.history, clock_names, said)


def naive(tx: Connection, count: int) -> Iterator[CaseFacts]:
    """One case after the other, two questions each."""
    clock = clock_store.history.c
    for number in range(1, count + 1):
        case = case_store.load(tx, [number])[number]
        turns = [(to_ms(act.at), act.action, act.from_state, act.to_state, 0, "")
                 for act in audit.of(tx, "case", str(number))]  # fmt: skip
        rows = tx.execute(select(clock.at, clock.due_at, clock.stage_due_at).where(
            clock.case_id == number).order_by(clock.id))  # fmt: skip
        said = [(to_ms(at), due and to_ms(due), stage and to_ms(stage), number)
                for at, due, stage in rows]  # fmt: skip
        about = {"id": number, "channel": case.source, "matter": case.matter, "path": case.path}
        yield from story(about, turns, said).rounds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--sample", type=int, default=500)
    options = parser.parse_args()
    month = Period.read("2026-11")
    as_of = datetime(2026, 12, 1, tzinfo=UTC)
    span = month.span(ZONE, as_of)
    with tempfile.TemporaryDirectory() as folder:
        store = Store(f"sqlite:///{folder}/hub.sqlite")
        store.migrate()
        with store.write() as tx:
            fill(tx, options.cases)
        with store.read() as tx:
            begun = time.process_time()
            facts = load(tx, Question(span, month.first, month.end, as_of, ZONE, {}))
            read = time.process_time()
            groups = {
                each.id: measure_by(each, of_unit(facts, each.unit), span,
                                    Grouping(By.GRID, 3).key())
                for each in INDICATORS
            }  # fmt: skip
            counted = time.process_time()
            one_by_one = list(naive(tx, options.sample))
            asked = time.process_time()
        store.close()
    naive_s = (asked - counted) / options.sample * options.cases
    line = {
        "measure": "one month, every indicator, 91 grids; CPU seconds on SQLite",
        "cases": len(facts.cases),
        "read_s": round(read - begun, 2),
        "count_s": round(counted - read, 2),
        "naive_read_s": round(naive_s, 1),
        "times_faster": round(naive_s / (read - begun), 1),
        "same_answers": [each.closed_ms for each in one_by_one]
        == [each.closed_ms for each in sorted(facts.cases, key=lambda c: c.id)[: options.sample]],
        "closed": sum(len(each.numerator) for each in groups["close_rate"].values()),
    }
    print(json.dumps(line))


if __name__ == "__main__":
    main()
