"""What reading costs at 100,000 cases: the list, a case, the search and the evaluation over HTTP.

    python -m bench.reading [--cases 100000] [--times 50] [--database sqlite|postgres]

The calls go through the whole application in this process, one after the other, without a socket.
Prints a JSON object for each: milliseconds of the processor a call (of the database too, on
SQLite), how many such calls a second that is on one core, and p50 and p99 by the clock.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.engine import Connection
from starlette.testclient import TestClient

from bench.evaluation import fill
from hub import auth
from hub.app import Hub, create_app
from hub.roles import Role
from hub.store import Store
from tests.hub.world import make_site
from tests.servers.postgres import postgres

CALLS = {
    "cases, first page": "/api/cases?limit=50",
    "cases, page 1,000": "/api/cases?limit=50&offset=50000",
    "cases by deadline": "/api/cases?limit=50&order=due",
    "open cases by deadline": "/api/cases?limit=50&order=due&open=true",
    "cases at work": "/api/cases?limit=50&state=handling",
    "cases of a grid": "/api/cases?limit=50&grid=grid-7",
    "one case": "/api/cases/54321",
    "search, a number": "/api/search?q=B54321",
    "search, two letters": "/api/search?q=zz",
    "search, nothing there": "/api/search?q=nowhere",
    "city's numbers": "/api/summary",
    "figures of 91 grids": "/api/evaluation/figures?period=2026-11&by=grid&level=3",
    "ranking": "/api/evaluation/ranking?period=2026-11&by=grid&level=3",
}
SLOW = 20
"""The evaluation is asked for so many times less."""


def work_left(tx: Connection) -> None:
    """One case in ten is at work, and every case has its clock."""
    tx.execute(text("UPDATE cases SET state = 'handling', closed_at = NULL WHERE id % 10 = 0"))
    tx.exec_driver_sql(
        "INSERT INTO case_clocks (case_id, opening, closing, number, unit, due_at,"
        " calendar_version, is_provisional, marks)"
        " SELECT case_id, '', '', 3, 'work_day', max(due_at), 0, false, '[]' FROM clock_history"
        " GROUP BY case_id"
    )


@contextmanager
def database(kind: str, folder: Path) -> Iterator[str]:
    """The URL of an empty database."""
    if kind == "sqlite":
        yield f"sqlite:///{folder}/hub.sqlite"
        return
    with postgres() as server:
        yield server.url(server.new_database())


def measure(call: TestClient, path: str, times: int) -> dict[str, object]:
    """Ask so many times."""
    waits = []
    call.get(path).raise_for_status()
    cpu_s = time.process_time()
    for _ in range(times):
        begun = time.perf_counter()
        call.get(path)
        waits.append((time.perf_counter() - begun) * 1000)
    cpu_s = time.process_time() - cpu_s
    waits.sort()
    return {
        "cpu_ms": round(cpu_s / times * 1000, 1),
        "calls_a_second": round(times / cpu_s, 1),
        "p50_ms": round(waits[times // 2], 1),
        "p99_ms": round(waits[min(times - 1, int(times * 0.99))], 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--times", type=int, default=50)
    parser.add_argument("--database", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--only", nargs="+", default=[""], help="calls whose name has one of these")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, database(chosen.database, Path(name)) as url:
        store = Store(url)
        store.migrate()
        site = make_site(store, Path(name))
        with store.write() as tx:
            fill(tx, chosen.cases)
            work_left(tx)
            token = auth.issue_token(tx, "bench", Role.ADMIN)
            if chosen.database == "postgres":
                tx.exec_driver_sql("ANALYZE")
        hub = Hub.build(site.config, store)
        headers = {"Authorization": f"Bearer {token}"}
        client = TestClient(
            create_app(hub.config, hub), base_url="http://127.0.0.1:8000", headers=headers
        )
        for what, path in CALLS.items():
            if not any(word in what for word in chosen.only):
                continue
            times = max(1, chosen.times // (SLOW if "evaluation" in path else 1))
            found = measure(client, path, times)
            print(json.dumps({"call": what, "database": chosen.database, **found}), flush=True)
        store.close()


if __name__ == "__main__":
    main()
