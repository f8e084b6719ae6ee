"""What `tianyan grid check` and `tianyan grid locate` do."""

import csv
import io
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TextIO

import numpy as np
from numpy.typing import NDArray

from hub.grid.errors import GridError
from hub.grid.geojson import load_document, load_grids, problems
from hub.grid.index import GridIndex
from hub.grid.rows import BadRow, BadValue, Rows, check_width, degrees

ROWS_AT_ONCE = 20_000


def check_file(path: str | Path) -> Iterator[dict[str, object]]:
    """Every problem of a GeoJSON file of grids, one JSON object each; nothing where it is good."""
    try:
        document = load_document(Path(path))
    except GridError as error:
        yield from (problem.line() for problem in error.problems)
        return
    for problem in problems(document):
        yield problem.line()


def locate_csv(
    grids_path: str | Path, stdin: TextIO, stdout: TextIO, stderr: TextIO | None = None
) -> int:
    """Copy a table with columns `lat`, `lon` and add the grid of each row.

    A flat set adds the column `grid`; a set of levels adds `level1`, `level2` and so on, empty
    where the point lies outside. Bad rows are copied with these columns empty and named on
    `stderr` by line number. Returns the exit status: 1 where there was a bad row.
    Raises GridError for a file of grids or a header that cannot be used.
    """
    index = GridIndex(load_grids(Path(grids_path)))
    rows = Rows(_as_utf8(stdin), required=("lat", "lon"))
    columns = [level_column(level) for level in index.levels]
    taken = [name for name in columns if name in rows.header]
    if taken:
        raise GridError(f"line 1: the table already has a column {taken[0]!r}")
    writer = csv.writer(_as_utf8(stdout), lineterminator="\n")
    writer.writerow([*rows.titles, *columns])
    bad_count = 0
    source = iter(rows)
    while batch := list(islice(source, ROWS_AT_ONCE)):
        located, bad = _locate_batch(index, rows.header, batch)
        writer.writerows(located)
        for row in bad:
            print(row, file=stderr or sys.stderr)
        bad_count += len(bad)
    return 1 if bad_count else 0


def level_column(level: int | None) -> str:
    """Name of the column that holds a level's grid."""
    return "grid" if level is None else f"level{level}"


def _as_utf8(stream: TextIO) -> TextIO:
    """Text as it is: bytes that are no UTF-8 pass through, line ends are the table's own."""
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(encoding="utf-8", errors="surrogateescape", newline="")
    return stream


def _locate_batch(
    index: GridIndex, header: list[str], batch: list[tuple[int, list[str]] | BadRow]
) -> tuple[list[list[str]], list[BadRow]]:
    bad: list[BadRow] = []
    lines: list[list[str]] = []
    lats, lons = np.full(len(batch), np.nan), np.full(len(batch), np.nan)
    lat_at, lon_at = header.index("lat"), header.index("lon")
    for number, row in enumerate(batch):
        if isinstance(row, BadRow):
            lines.append([row.text, *[""] * (len(header) - 1)])
            bad.append(row)
            continue
        line, fields = row
        lines.append(fields)
        try:
            check_width(fields, header)
            lats[number] = degrees("lat", fields[lat_at], 90)
            lons[number] = degrees("lon", fields[lon_at], 180)
        except BadValue as error:
            fields += [""] * (len(header) - len(fields))
            lats[number] = np.nan
            bad.append(BadRow(line, str(error)))
    names = _names(index, index.locate_levels_many(lats, lons))
    return [fields + name for fields, name in zip(lines, names, strict=True)], bad


def _names(index: GridIndex, numbers: NDArray[np.int64]) -> list[list[str]]:
    codes = np.array([*(grid.code for grid in index.grids), ""], dtype=object)
    names: list[list[str]] = codes[numbers].tolist()
    return names
