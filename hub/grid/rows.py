"""Rows of a CSV table with their line numbers; a damaged row costs that row alone."""

import csv
import math
import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from hub.grid.errors import GridError
from wire.coded import coded

# A quoted field may hold line breaks; one that runs on for longer was never closed.
MAX_LINES_PER_ROW = 50
# What UTF-16 and bytes of other encodings look like where UTF-8 was expected.
NO_TEXT = re.compile(r"[\0\udc80-\udcff]")


@dataclass(frozen=True, slots=True)
class BadRow:
    """A refused row: its line number from 1, why, and its text where it is no CSV at all."""

    line: int
    message: str
    text: str = ""

    def __str__(self) -> str:
        return f"line {self.line}: {self.message}"


class BadValue(ValueError):
    """A field that cannot be used; the message says which, its value and what is allowed."""

    def __init__(self, message: str) -> None:
        """Keep the message, coded where it is."""
        super().__init__(message)
        self.message = message


class Rows:
    """The rows of a table: `(line, fields)`, or a BadRow where a line is no CSV.

    `header` has the column names, in small letters and without spaces around them.
    """

    def __init__(self, lines: Iterable[str], required: Sequence[str]) -> None:
        """Read the header. Raises GridError where `required` columns are missing."""
        self._lines = iter(lines)
        self._again: deque[str] = deque()
        self._taken: list[str] = []
        self._line = 0
        self._rows = self._read()
        self.titles = self._titles()
        self.header = [title.strip().lower() for title in self.titles]
        for name in required:
            if self.header.count(name) != 1:
                there = ", ".join(self.header) or "none"
                if NO_TEXT.search(there):
                    message = "line 1: not text in UTF-8 (save the table as CSV in UTF-8)"
                    raise GridError(coded("not_utf8", message))
                count = "no" if name not in self.header else "more than one"
                raise GridError(f"line 1: {count} column {name!r} (columns: {there})")

    def __iter__(self) -> Iterator[tuple[int, list[str]] | BadRow]:
        return self._rows

    def _titles(self) -> list[str]:
        first = next(self._rows, None)
        if isinstance(first, BadRow):
            raise GridError(
                coded("line_fault", "line {line}: {what}", line=first.line, what=first.message)
            )
        titles = first[1] if first else []
        return [titles[0].removeprefix("\ufeff"), *titles[1:]] if titles else []

    def _read(self) -> Iterator[tuple[int, list[str]] | BadRow]:
        while True:
            self._taken.clear()
            try:
                for fields in csv.reader(self._feed(), strict=True):
                    line = self._line - len(self._taken) + 1
                    self._taken.clear()
                    if fields:
                        yield line, fields
            except csv.Error as error:
                yield self._give_back(str(error))
            else:
                return

    def _feed(self) -> Iterator[str]:
        while True:
            line = self._again.popleft() if self._again else next(self._lines, None)
            if line is None:
                return
            self._line += 1
            self._taken.append(line)
            if len(self._taken) > MAX_LINES_PER_ROW:
                raise csv.Error("a quoted field is not closed")
            yield line

    def _give_back(self, message: str) -> BadRow:
        """Refuse the first line of a broken row and read the lines after it once more."""
        bad = self._line - len(self._taken) + 1
        self._again.extendleft(reversed(self._taken[1:]))
        self._line = bad
        return BadRow(
            bad, coded("no_csv", "not CSV: {why}", why=message), self._taken[0].rstrip("\r\n")
        )


def check_width(fields: Sequence[str], header: Sequence[str]) -> None:
    """Raises BadValue for a row with more or fewer fields than the header."""
    if len(fields) != len(header):
        raise BadValue(
            coded(
                "bad_width_of_row",
                "{count} fields where the header has {wanted}",
                count=len(fields),
                wanted=len(header),
            )
        )


def degrees(name: str, text: str, limit: float) -> float:
    """A latitude (limit 90) or longitude (limit 180). Raises BadValue."""
    value = number(name, text)
    if not abs(value) <= limit:
        raise BadValue(f"{name} {text!r} is not allowed (-{limit:g} to {limit:g})")
    return value


def number(name: str, text: str) -> float:
    """A finite number. Raises BadValue."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or "_" in text:
        raise BadValue(f"{name} {text!r} is not a number")
    return value
