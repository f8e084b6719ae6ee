"""The demo's patrol of the day before looks, passes, parks and leaves out: each is to be seen."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hub.grid.ankang import ankang_grids
from hub.grid.geojson import read
from hub.grid.index import GridIndex
from hub.patrol.coverage import ANKANG_PLAN, Span, coverage
from hub.patrol.report import Row, Standing
from hub.patrol.visit import DEFAULT_VISIT, Walk, visits_of_walk
from hub.tracks.point import Point
from scenes.vehicles import YESTERDAY, drive, wgs84
from tianyan.street import REPORT_EVERY_S, YESTERDAY_S

DAY, ZONE = date(2026, 11, 23), ZoneInfo("Asia/Shanghai")
MORNING = datetime(2026, 11, 23, 0, tzinfo=UTC)


def test_every_standing_of_a_grid_is_there():
    moves = drive(YESTERDAY[0], MORNING, YESTERDAY_S).moves
    points = [
        Point(MORNING + timedelta(seconds=second), *wgs84(move.east_m, move.north_m))
        for second, move in enumerate(moves)
    ][:: int(REPORT_EVERY_S)]
    index = GridIndex(read(ankang_grids()).grids)
    numbers = index.locate_levels_many([p.lat for p in points], [p.lon for p in points])
    walk, names = Walk.of(points, DEFAULT_VISIT), [grid.code for grid in index.grids]
    made = [visit for level in numbers.T for visit in visits_of_walk(walk, level, names)]
    span = Span(DAY, DAY + timedelta(days=1), ZONE, DAY + timedelta(days=1))
    communities = [grid for grid in index.grids if grid.level == 3]
    days = {}
    for visit in made:
        days.setdefault(visit.grid, {}).setdefault(visit.manner, []).append(DAY)
    found = coverage(communities, days, ANKANG_PLAN, span)
    standings = [
        Row(grid, each, 0, 0.0, None).standing
        for grid, each in zip(communities, found, strict=True)
    ]
    kinds = (Standing.VISITED, Standing.PASSED, Standing.PARKED, Standing.MISSED)
    assert all(standings.count(kind) for kind in kinds), standings
    assert standings.count(Standing.VISITED) >= 5
