"""What open pages are told of changes, made into bytes once for all of them.

A page keeps the number up to which it has been told and gets, of each thing that changed since, the
newest. One that is too far behind is told to read everything anew.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property

from sse_starlette import ServerSentEvent

from hub.newest import Newest
from hub.roles import Spot

RESYNC = "resync"
MOST_KEPT = 1000
"""Numbered changes that a page may be behind."""

MaySee = Callable[[Spot | None], bool]


@dataclass(frozen=True)
class Shown:
    """An item as pages hear of it, and where it is; None for what is the whole city's.

    `for_all`: everybody who reads may hear of it, whatever his posts cover.
    """

    json: str
    spot: Spot | None = None
    for_all: bool = False


@dataclass(frozen=True)
class Told:
    """A change as it goes out: `id` 0 for what cannot be asked for again."""

    id: int
    kind: str
    item: str
    shown: Shown

    @cached_property
    def raw(self) -> bytes:
        """As it goes to every page."""
        number = str(self.id) if self.id else None
        return ServerSentEvent(data=self.shown.json, event=self.kind, id=number).encode()

    @property
    def is_for_all(self) -> bool:
        """Whether everybody hears of it: it shows nothing, or what everybody may see."""
        return self.kind == RESYNC or self.shown.for_all


def resync(newest: int) -> Told:
    """Read everything anew; what comes after the change `newest` will be told."""
    return Told(newest, RESYNC, "", Shown("{}"))


def piece(told: Sequence[Told], may_see: MaySee | None) -> bytes:
    """What may be seen of it, as it goes out. `may_see`: None for everything."""
    return b"".join(
        each.raw for each in told if may_see is None or each.is_for_all or may_see(each.shown.spot)
    )


class Feed:
    """The newest change of each thing."""

    def __init__(self) -> None:
        """Nothing has changed yet."""
        self._newest = Newest[tuple[str, str], Told]()
        self._numbered = 0
        self._last_id = 0
        self._dropped = 0
        self._for_all = cache(lambda number: piece(self._told_since(number), None))

    @property
    def number(self) -> int:
        """Up to where there is something to tell."""
        return self._newest.number

    def add(self, told: Sequence[Told]) -> None:
        """What pages are told next."""
        self._for_all.cache_clear()
        newest = {(each.kind, each.item): each for each in told}
        replaced = self._newest.add(newest.items())
        self._numbered += sum(each.id > 0 for each in newest.values())
        self._numbered -= sum(each.id > 0 for each in replaced)
        self._last_id = max([self._last_id, *(each.id for each in told)])
        while self._numbered > MOST_KEPT:
            self._dropped, oldest = self._newest.drop_oldest()
            self._numbered -= oldest.id > 0

    def since(self, number: int, may_see: MaySee | None = None) -> bytes:
        """The changes after `number`; nothing when there are none.

        `may_see`: whether a page hears of what is there; None: of everything.
        """
        if may_see is None:
            return self._for_all(number)
        return piece(self._told_since(number), may_see)

    def _told_since(self, number: int) -> list[Told]:
        if number < self._dropped:
            return [resync(self._last_id)]
        return list(self._newest.since(number))[::-1]
