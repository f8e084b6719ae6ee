"""What judging costs a fix, beside what storing it costs, in one process on one SQLite file.

    .venv/bin/python bench/judging.py [--vehicles 200] [--rounds 10] [--fixes 30]

Each round stores a message of so many fixes from every vehicle and then judges them, with 40 fences
and a speed limit.
Episodes are stored, none rings: an alert costs some milliseconds more.
Then the visits of the same fixes are judged as a patrol's, in unit grids of 100 m and quarters.
Prints one JSON line: fixes a second of either step, how many vehicles with a fix each ten
seconds one core could judge, and what a fix costs until it is a visit.
"""

import argparse
import json
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
from shapely import box

from hub import pipeline
from hub.config import HubConfig
from hub.evidence.store import Vault
from hub.grid.fence import Circle
from hub.grid.grid import Grid
from hub.grid.index import GridIndex
from hub.grid.places import Places
from hub.inbox import Received
from hub.judging import Judge
from hub.patrol.judge import Work, judge_again
from hub.pipeline import Site
from hub.store import Store, to_ms
from hub.tracks import fence_store
from hub.tracks.geofence import Geofence
from hub.tracks.store import vehicles as vehicles_table
from wire.track import Track, TrackPoint

EVERY_S = 10
BEGUN = datetime(2026, 11, 23, 4, tzinfo=UTC)
CELL_DEG = 0.001


def message(vehicle: int, turn: int, fixes: int) -> Received[Track]:
    """Some fixes of a vehicle that drives east and stands a third of the time."""
    at = BEGUN + timedelta(seconds=turn * fixes * EVERY_S)
    stands = turn * fixes % 90 >= 60
    points = [
        TrackPoint(
            turn * fixes + i,
            to_ms(at) + i * EVERY_S * 1000,
            109.0 + (0 if stands else 0.001 * ((turn * fixes + i) % 200)),
            32.6 + vehicle / 2000,
            0.0 if stands else 36.0,
            90.0,
        )
        for i in range(fixes)
    ]
    track = Track(
        dev=f"car-{vehicle:04d}", epoch="0" * 16, seq=points[0].seq, ts=points[-1].ts, tq=2,
        vehicle="v", fixes=points,
    )  # fmt: skip
    received = at + timedelta(seconds=fixes * EVERY_S)
    return Received(track.dev, track, msgspec.json.encode(track), received)


def grids() -> list[Grid]:
    """Unit grids along the ways of the vehicles, and the quarters they lie in."""
    return [
        Grid(f"{level}-{col}-{row}", box(x, y, x + side, y + side), "", level, None)
        for level, side in ((3, 10 * CELL_DEG), (4, CELL_DEG))
        for col in range(round(0.2 / side))
        for row in range(round(0.1 / side))
        for x, y in [(109.0 + col * side, 32.6 + row * side)]
    ]


def visits_s(store: Store, config: HubConfig) -> float:
    """CPU seconds of judging every vehicle's day as that of a patrol."""
    with store.write() as tx:
        tx.execute(vehicles_table.update().values(kind=config.patrol.kinds[0]))
    work = Work(config, GridIndex(grids()), 1)
    day = BEGUN.astimezone(config.zone).date()
    begun = time.process_time()
    judge_again(store, work, day, day + timedelta(days=1), None)
    return time.process_time() - begun


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--vehicles", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--fixes", type=int, default=30)
    options = parser.parse_args()
    vehicles, turns = options.vehicles, options.rounds
    with tempfile.TemporaryDirectory() as folder:
        store = Store(f"sqlite:///{folder}/hub.sqlite")
        store.migrate()
        limits = {"speed_limits_kmh": {"default": 60}}
        config = HubConfig.model_validate({"data_dir": folder, "vehicles": limits})
        site = Site(config, Places(), Vault(Path(folder) / "evidence"))
        fences = [
            Geofence(f"f{n}", f"f{n}", Circle(32.6 + n / 400, 109.05, 300)) for n in range(40)
        ]
        with store.write() as tx:
            fence_store.put(tx, fences, "bench", BEGUN)
        judge = Judge(store, site, lambda: False)
        storing_s = judging_s = 0.0
        for turn in range(turns):
            arrived = [message(vehicle, turn, options.fixes) for vehicle in range(vehicles)]
            begun = time.process_time()
            with store.write() as tx:
                pipeline.take(tx, site, "track", arrived)
            stored = time.process_time()
            while judge.work():
                pass
            storing_s += stored - begun
            judging_s += time.process_time() - stored
        patrol_s = visits_s(store, config)
        store.close()
    fixes = vehicles * turns * options.fixes
    line = {
        "measure": "CPU of storing and of judging",
        "fixes_a_message": options.fixes,
        "stored_per_cpu_s": round(fixes / storing_s),
        "judged_per_cpu_s": round(fixes / judging_s),
        "judging_us_a_fix": round(judging_s / fixes * 1e6, 1),
        "vehicles_a_core": round(fixes / judging_s * EVERY_S),
        "visits_us_a_fix": round(patrol_s / fixes * 1e6, 1),
    }
    print(json.dumps(line))


if __name__ == "__main__":
    main()
