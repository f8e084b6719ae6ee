"""The newest of each of many things, and which of them came after a moment."""

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class Newest(Generic[Key, Value]):
    """Values by key, in the order in which they came. `number`: of the last that were added.

    Who follows keeps the number up to which he has been told.
    """

    def __init__(self) -> None:
        """None yet."""
        self.number = 0
        self._kept: OrderedDict[Key, tuple[int, Value]] = OrderedDict()

    def add(self, values: Iterable[tuple[Key, Value]]) -> list[Value]:
        """Add what came together; returns those that it took the place of."""
        self.number += 1
        replaced = []
        for key, value in values:
            if (before := self._kept.pop(key, None)) is not None:
                replaced.append(before[1])
            self._kept[key] = self.number, value
        return replaced

    def since(self, number: int) -> Iterator[Value]:
        """What came after `number`, the newest first."""
        for of_number, value in reversed(self._kept.values()):
            if of_number <= number:
                break
            yield value

    def drop_oldest(self) -> tuple[int, Value]:
        """Forget what came before all else; returns its number and value."""
        return self._kept.popitem(last=False)[1]
