"""What the patrol page asks of a city with unit grids: coverage of a day, a month, by shift.

    python -m bench.patrol [--days 31] [--times 3] [--database sqlite|postgres] [--whole]

Ankang's 100 grids with the unit grids of its four subdistrict offices (`--whole`: of all towns) and
what 60 patrols a day leave in them. The calls go through the whole application in this process,
one after the other, without a socket. Prints a JSON object for each: milliseconds of the processor
(of the database too, on SQLite), p50 by the clock, bytes of the answer.
"""

import argparse
import json
import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy.engine import Connection
from starlette.testclient import TestClient

from bench.reading import database
from hub import auth
from hub.app import Hub, create_app
from hub.duty import store as duty_store
from hub.duty.shift import Shift, read_clock
from hub.duty.table import Duty
from hub.grid import store as grid_store
from hub.grid.ankang import TOWNS, ankang_grids
from hub.grid.geojson import feature_collection, read
from hub.grid.grid import Grid
from hub.patrol import store as patrol_store
from hub.patrol.visit import Manner
from hub.roles import Role
from hub.store import Store, now, put, to_ms
from tests.hub.world import make_site

ZONE = ZoneInfo("Asia/Shanghai")
PATROLS = 60
STAYS = 80
"""Unit grids that a patrol comes to on a day."""
VISIT = ("vehicle", "day", "grid", "start", "end", "slow_s", "manner", *patrol_store.WAY)


def city(*, whole: bool = False) -> list[Grid]:
    """The city, its towns, communities, and unit grids of the offices or of all towns."""
    grids = list(read(ankang_grids()).grids)
    towns = {town.id for town in TOWNS if whole or town.name.endswith("办")}
    for each in [grid for grid in grids if grid.parent in towns]:
        grids += [grid for grid in read(ankang_grids(each.code)).grids if grid.level == 4]
    return grids


def visits(grids: list[Grid], day: date) -> Iterator[tuple[object, ...]]:
    """What the patrols leave on a day: unit grids one after the other, and what is above them."""
    dice = random.Random(day.toordinal())
    above = {grid.code: grid.parent for grid in grids}
    units = [grid.code for grid in grids if grid.level == 4]
    manners = [Manner.LOOKED] * 6 + [Manner.PASSED] * 3 + [Manner.PARKED]
    morning = to_ms(datetime(day.year, day.month, day.day, 7, tzinfo=ZONE))
    for patrol in range(PATROLS):
        first = dice.randrange(len(units))
        seen: set[str | None] = set()
        for n in range(STAYS):
            at = morning + n * 450_000 + dice.randrange(60_000)
            code: str | None = units[(first + n) % len(units)]
            manner = dice.choice(manners)
            while code is not None and code not in seen:
                seen.add(code)
                slow_s = 90.0 if manner is Manner.LOOKED else 0.0
                yield (f"car-{patrol}/v1", day.isoformat(), code, at, at + 120_000, slow_s,
                       manner.value, 120.0, 60.0, 30.0, 50.0, 1)  # fmt: skip
                code, manner = above[code], Manner.LOOKED


def fill(tx: Connection, grids: list[Grid], since: date, until: date) -> None:
    """The grids, known from the first day on, and visits, as plain rows."""
    at = datetime(since.year, since.month, since.day, tzinfo=ZONE) - timedelta(days=1)
    document = feature_collection(grids) | {"datum": "WGS-84"}
    grid_store.bring_in(tx, document, at=at, actor="bench", source="bench")
    for day in (since + timedelta(days=n) for n in range((until - since).days)):
        put(tx, patrol_store.visits, VISIT, list(visits(grids, day)))
    shift = Shift("am", "早班", ("daily",), read_clock("s", "07:00"), read_clock("e", "12:00"))
    duty_store.put(tx, Duty(shifts=[shift]))


def calls(since: date, until: date, unit: str) -> dict[str, str]:
    """What the page asks for."""
    asked = f"since={since}&until={until}"
    path = "/api/patrol"
    return {
        "coverage, all levels": f"{path}/coverage?{asked}&limit=500",
        "map, all levels": f"{path}/missed?{asked}&all=true",
        "coverage, unit grids": f"{path}/coverage?{asked}&limit=500&level=4",
        "coverage, communities": f"{path}/coverage?{asked}&limit=500&level=3",
        "coverage, all levels, a shift": f"{path}/coverage?{asked}&limit=500&shift=am",
        "coverage, all levels, a day": f"{path}/coverage?since={since}&limit=500",
        "XLSX, all levels": f"{path}/coverage/file?{asked}&format=xlsx",
        "CSV, all levels": f"{path}/coverage/file?{asked}&format=csv",
        "visits of a unit grid": f"{path}/visits?{asked}&grid={unit}&limit=200",
        "visits of a community": f"{path}/visits?{asked}&grid=ak-xincheng-01&limit=200",
        "visits of the city": f"{path}/visits?{asked}&grid=ak&limit=200",
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--days", type=int, default=31)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--database", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--whole", action="store_true", help="unit grids of all towns")
    parser.add_argument("--only", nargs="+", default=[""], help="calls whose name has one of these")
    chosen = parser.parse_args()
    until = now().astimezone(ZONE).date()
    since = until - timedelta(days=chosen.days)
    with tempfile.TemporaryDirectory() as name, database(chosen.database, Path(name)) as url:
        store = Store(url)
        store.migrate()
        site = make_site(store, Path(name))
        grids = city(whole=chosen.whole)
        with store.write() as tx:
            fill(tx, grids, since, until)
            token = auth.issue_token(tx, "bench", Role.ADMIN)
            if chosen.database == "postgres":
                tx.exec_driver_sql("ANALYZE")
        grid_store.load(store, site.places)
        hub = Hub.build(site.config, store)
        headers = {"Authorization": f"Bearer {token}"}
        client = TestClient(
            create_app(hub.config, hub), base_url="http://127.0.0.1:8000", headers=headers
        )
        unit = next(grid.code for grid in grids if grid.level == 4)
        for what, path in calls(since, until, unit).items():
            if any(word in what for word in chosen.only):
                found = measure(client, path, chosen.times)
                print(json.dumps({"call": what, "grids": len(grids), **found}), flush=True)
        store.close()


def measure(client: TestClient, path: str, times: int) -> dict[str, object]:
    """Ask so many times."""
    waits, cpu = [], []
    for _ in range(times):
        begun, cpu_begun = time.perf_counter(), time.process_time()
        answer = client.get(path)
        cpu.append((time.process_time() - cpu_begun) * 1000)
        waits.append((time.perf_counter() - begun) * 1000)
        answer.raise_for_status()
    return {
        "cpu_ms": round(min(cpu)),
        "p50_ms": round(statistics.median(waits)),
        "bytes": len(answer.content),
    }


if __name__ == "__main__":
    main()
