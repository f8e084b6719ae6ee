"""Where vehicles are, as open pages hear of it: a short row each, made into bytes once for all.

A position that a page has not heard of yet is overtaken by the next one: a page remembers the
number up to which it has been told, and gets the newest row of every vehicle that moved since.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from zlib import crc32

import msgspec
from sse_starlette import ServerSentEvent

from hub.feed import MaySee
from hub.newest import Newest
from hub.roles import Spot

KIND = "positions"
WHOLE_EVERY_S = 60.0
"""A vehicle that moves is told whole so often, for pages that missed what else changed of it."""

Row = tuple[str, int, float, float, float | None, float | None]
"""Vehicle, ms UTC, degrees WGS-84 (latitude, longitude), km/h, degrees from north."""


@dataclass(frozen=True)
class Position:
    """A vehicle's newest. `rest`: all else that pages show of it, to be compared."""

    row: Row
    spot: Spot
    rest: object = None

    @property
    def vehicle(self) -> str:
        """Its id."""
        return self.row[0]


class Positions:
    """The newest of each vehicle."""

    def __init__(self) -> None:
        """None yet."""
        self._newest = Newest[str, tuple[bytes, Spot]]()
        self._for_all = cache(lambda number: self._event(number, lambda _: True))
        self._whole: dict[str, tuple[object, float]] = {}

    @property
    def number(self) -> int:
        """Of the last that were added."""
        return self._newest.number

    def add(self, positions: Sequence[Position]) -> None:
        """What pages are told next."""
        self._for_all.cache_clear()
        self._newest.add(
            (each.vehicle, (msgspec.json.encode(each.row), each.spot)) for each in positions
        )

    def since(self, number: int, may_see: MaySee | None = None) -> bytes:
        """An event with the rows that came after `number`; nothing when there are none.

        `may_see`: whether a page hears of what is there; None: of everything.
        """
        if may_see is None:
            return self._for_all(number)
        return self._event(number, may_see)

    def to_be_told_whole(self, positions: Sequence[Position], at_s: float) -> list[str]:
        """The vehicles of which more changed than the position, or that were not told for long.

        `at_s`: on any clock that goes on. What is seen for the first time has just been told: it
        is born by an event of its own, and pages read all vehicles when they open.
        """
        due = []
        for each in positions:
            rest, until_s = self._whole.get(each.vehicle, (each.rest, None))
            if until_s is None:
                share = crc32(each.vehicle.encode()) % 1000 / 1000
                self._whole[each.vehicle] = each.rest, at_s + share * WHOLE_EVERY_S
            elif rest != each.rest or at_s >= until_s:
                self._whole[each.vehicle] = each.rest, at_s + WHOLE_EVERY_S
                due.append(each.vehicle)
        return due

    def _event(self, number: int, may_see: MaySee) -> bytes:
        rows = [row for row, spot in self._newest.since(number) if may_see(spot)]
        if not rows:
            return b""
        data = b"[" + b",".join(rows) + b"]"
        return ServerSentEvent(data=data.decode(), event=KIND).encode()
