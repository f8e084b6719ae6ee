"""What each page of the console asks of a city with a year behind it, the slowest first.

    python -m bench.pages [--cases 100000] [--days 365] [--keep FOLDER]

Ankang's grids with unit grids (`bench.patrol`); 100,000 cases with their histories, 200,000 alerts,
20,000 reports, 60 patrols every day, 560 vehicles with 100,000 events and a week of positions, 200
cameras. Chromium opens every page of the menu and some with a question; each call that a page made
is asked again of the whole application in this process, without a socket. Prints a JSON object a
call: milliseconds of the processor (SQLite) of a first call, bytes, the page.
"""

import argparse
import json
import sys
import tempfile
import time
from datetime import date, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Page, Request, sync_playwright
from sqlalchemy.engine import Connection
from starlette.testclient import TestClient

from bench import evaluation, patrol
from bench.reading import work_left
from hub import auth, pipeline
from hub.app import Hub, create_app
from hub.grid import store as grid_store
from hub.roles import Role
from hub.store import Store, now, path_text, to_ms
from tests.browser.conftest import CHROMIUM, FLAGS, NO_WEBGL
from tests.browser.running import answering
from tests.hub.world import alert_message, birth, make_site, received, track_message
from tests.servers.port import free_port
from wire.status import CameraBirth, VehicleBirth

ALERTS, REPORTS, EVENTS, BATCHES = 200_000, 20_000, 100_000, 70_000
QUIET_S, MOST_S = 1.5, 40.0
"""A page that asked for nothing for so long has all it wants; so long is waited at most."""

ROUTES = (
    "/", "/cases", "/cases/54321", "/reports", "/ledgers", "/cameras", "/cameras/box/c1",
    "/vehicles", "/dispatch", "/learning", "/patrol", "/patrol?since={month}&until={day}&level=",
    "/patrol?since={month}&until={day}&level=4", "/evaluation", "/evaluation?period={last}",
    "/wall", "/duty", "/duty?tab=roll", "/duty?tab=sweep",
    "/vehicles/day?id=fleet/v1&day={day}",
    "/vehicles/permits", "/admin/people", "/admin/keys", "/admin/webhooks", "/admin/history",
    "/admin/grids", "/admin/matters", "/admin/devices", "/admin/devices/box", "/admin/quarantine",
)  # fmt: skip


def copies(tx: Connection, table: str, count: int, **changes: str) -> None:
    """So many more of the one row of a table, with columns as SQL expressions of `n`."""
    names = [row[1] for row in tx.exec_driver_sql(f"PRAGMA table_info({table})")]
    columns = ", ".join(f'"{name}"' for name in names)
    made = ", ".join(changes.get(name, f'"{name}"') for name in names)
    tx.exec_driver_sql(
        f"INSERT INTO {table} ({columns}) WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL"
        f" SELECT n + 1 FROM s WHERE n < {count})"
        f" SELECT {made} FROM s, (SELECT * FROM {table} LIMIT 1)"
    )


def furnish(hub: Hub, store: Store, cases: int, since: date, until: date) -> None:
    """A year of everything, mostly as copies of one thing that came in the usual way."""
    grids = patrol.city()
    with store.write() as tx:
        patrol.fill(tx, grids, since, until)
    grid_store.load(store, hub.site.places)
    begun = datetime(since.year, since.month, since.day, tzinfo=patrol.ZONE)
    span_ms = to_ms(now()) - to_ms(begun)
    above = {grid.code: grid.parent for grid in grids}
    paths = []
    for grid in grids:
        path, code = [], grid.code if grid.level == 4 else None
        while code is not None:
            path.insert(0, code)
            code = above[code]
        if path:
            paths.append(tuple(path))
    with store.write() as tx:
        evaluation.fill(tx, cases, begun, span_ms // 60_000, paths)
        work_left(tx)
        tx.exec_driver_sql("UPDATE audit_head SET last_id = (SELECT max(id) FROM audit)")
        cameras = [CameraBirth(id=f"c{n}", name=f"路口 {n}", lat=32.68 + n % 20 / 500,
                               lon=109.0 + n // 20 / 200) for n in range(200)]  # fmt: skip
        fleet = [VehicleBirth(id=f"v{n}", plate=f"陕G·{n:05}", kind="spoil_truck")
                 for n in range(500)]  # fmt: skip
        cars = [VehicleBirth(id="v1", plate=f"陕G·9{n:04}", kind="enforcement_vehicle")
                for n in range(patrol.PATROLS)]  # fmt: skip
        for dev, more in (
            ("box", {"cameras": cameras}),
            ("fleet", {"vehicles": fleet}),
            *((f"car-{n}", {"vehicles": [car]}) for n, car in enumerate(cars)),
        ):
            born = birth(dev, **{"cameras": [], "vehicles": []} | more)
            pipeline.take(tx, hub.site, "birth", [received(born)])
        message = alert_message(at=now(), dev="box", source="c1")
        pipeline.take(tx, hub.site, "alert", [received(message)])
        pipeline.take(tx, hub.site, "track", [received(track_message(0, 30, at=now(), step_s=10))])
        ago = f"{to_ms(now())} - (n * 7919 % 100003) * {span_ms} / 100003"
        places = {
            "path": f"(SELECT path FROM cases WHERE id = 1 + n % {cases})",
            "lat": "32.66 + n % 200 / 2500.0", "lon": "108.98 + n % 173 / 2000.0",
        }  # fmt: skip
        copies(tx, "alerts", ALERTS, id="'a' || n", alert="'a' || n", seq="n", since=ago, at=ago,
               received_at=ago, updated_at=ago, ended_at=f"{ago} + 60000",
               source="'c' || (n % 200)", decision="CASE WHEN n % 2000 THEN 'confirmed' END",
               decided_by="'bench'", decided_at=f"{ago} + 60000", topic="'t' || n",
               case_id=f"CASE WHEN n <= {cases} THEN n END", state="'ended'", **places)  # fmt: skip
        tx.exec_driver_sql(
            "INSERT INTO reports (number, state, channel, external_system, external_id, content,"
            " received_at, category_hint, place_text, path, urgency, confidential, wants_reply,"
            " caller, files, case_id, reason, answer, updated_at, generated)"
            " WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s"
            f" WHERE n < {REPORTS}) SELECT 'R' || n, CASE WHEN n % 500 THEN 'joined' ELSE"
            f" 'new' END, 'hotline', '', '', 'words ' || n, {ago}, '', '', ?, 0, false, true,"
            f" x'', '[]', CASE WHEN n % 500 THEN n END, '', '', {ago}, false FROM s",
            (path_text(paths[0]),),
        )
        tx.exec_driver_sql(
            'INSERT INTO vehicle_events (vehicle, kind, subject, start, "end", over, lat, lon,'
            " certainty, facts, begun_ms, known_ms, late, judged_at)"
            " WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s"
            f" WHERE n < {EVENTS}) SELECT 'fleet/v' || (n % 500),"
            " CASE n % 3 WHEN 0 THEN 'overspeed' WHEN 1 THEN 'stop' ELSE 'trip' END, '',"
            f" {ago}, {ago} + 600000, true, 32.7, 109.0, 0.9, '{{}}', {ago}, {ago}, false, {ago}"
            " FROM s"
        )
        weeks_ms = f"{to_ms(now())} - n % 2016 * 300000"
        copies(tx, "track_batches", BATCHES, device="'fleet'", vehicle="'fleet/v' || (n / 2016)",
               first="n % 2016 * 30 + 100", last="n % 2016 * 30 + 129", from_ms=weeks_ms,
               until_ms=f"{weeks_ms} + 290000", received_ms=weeks_ms)  # fmt: skip


def asked_of(page: Page, address: str) -> list[str]:
    """What a page asks the hub for until it has all it wants."""
    found: dict[str, None] = {}
    open_calls: set[Request] = set()
    changed = time.monotonic()

    def begin(request: Request) -> None:
        nonlocal changed
        url = urlsplit(request.url)
        if url.path.startswith("/api/") and url.path != "/api/events":
            changed = time.monotonic()
            open_calls.add(request)
            if request.method == "GET":
                found[url.path + ("?" + url.query if url.query else "")] = None

    def end(request: Request) -> None:
        nonlocal changed
        changed = time.monotonic()
        open_calls.discard(request)

    page.on("request", begin)
    page.on("requestfinished", end)
    page.on("requestfailed", end)
    page.goto("about:blank")
    page.goto(address)
    limit = time.monotonic() + MOST_S
    while time.monotonic() < limit and (open_calls or time.monotonic() - changed < QUIET_S):
        page.wait_for_timeout(200)
    for name, listener in (("request", begin), ("requestfinished", end), ("requestfailed", end)):
        page.remove_listener(name, listener)
    return list(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--keep", type=Path, help="a folder for the city, to be used again")
    chosen = parser.parse_args()
    until = now().astimezone(patrol.ZONE).date()
    since = until - timedelta(days=chosen.days)
    named = {"day": until, "month": until - timedelta(days=30),
             "last": (until.replace(day=1) - timedelta(days=1)).strftime("%Y-%m")}  # fmt: skip
    with tempfile.TemporaryDirectory() as name:
        folder = chosen.keep or Path(name)
        is_new = not (folder / "hub.sqlite").exists()
        folder.mkdir(exist_ok=True, parents=True)
        store, port = Store(f"sqlite:///{folder}/hub.sqlite"), free_port()
        store.migrate()
        site = make_site(store, folder, broker={"port": 1}, listen={"port": port})
        hub = Hub.build(site.config, store)
        if is_new:
            furnish(hub, store, chosen.cases, since, until)
        with store.write() as tx:
            token = auth.issue_token(tx, f"bench {time.time()}", Role.ADMIN)
        pages: dict[str, str] = {}
        with answering(hub, port) as url, sync_playwright() as driver:
            browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
            context = browser.new_context(viewport={"width": 1440, "height": 900})
            context.add_init_script(NO_WEBGL)
            headers = {"X-Tianyan": "1"}
            context.request.post(f"{url}/api/session", data={"token": token}, headers=headers)
            page = context.new_page()
            for route in ROUTES:
                print(route, file=sys.stderr, flush=True)
                for call in asked_of(page, f"{url}/#{route.format(**named)}"):
                    pages.setdefault(call, route)
            browser.close()
        told = []
        for call, route in pages.items():
            # A hub of its own, so that nothing is remembered from the page's call.
            client = TestClient(
                create_app(hub.config, Hub.build(site.config, store)),
                base_url=f"http://127.0.0.1:{port}",
                headers={"Authorization": f"Bearer {token}"},
            )
            grid_store.load(store, site.places)
            client.get("/api/session")
            begun = time.process_time()
            answer = client.get(call)
            first_ms = round((time.process_time() - begun) * 1000)
            told.append({"call": call, "page": route, "status": answer.status_code,
                         "first_ms": first_ms, "bytes": len(answer.content)})  # fmt: skip
        for each in sorted(told, key=lambda one: -int(str(one["first_ms"]))):
            print(json.dumps(each), flush=True)
        store.close()


if __name__ == "__main__":
    main()
