"""What the hub answers to devices: numbers gathered into ranges, in messages of bounded size."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from wire.receipt import Receipt, Refusal

T = TypeVar("T")
Range = tuple[int, int]
Stream = tuple[str, str, str]

MOST = 1000


def ranges(seqs: Iterable[int]) -> list[Range]:
    """Numbers as ranges [first, last], ascending, none touching the next."""
    found: list[Range] = []
    for seq in sorted(set(seqs)):
        if found and found[-1][1] + 1 == seq:
            found[-1] = (found[-1][0], seq)
        else:
            found.append((seq, seq))
    return found


class Answers:
    """Answers waiting to go out, by (device, epoch, stream)."""

    def __init__(self) -> None:
        """Begin with nothing to say."""
        self._seqs: dict[Stream, set[int]] = {}
        self._refused: dict[Stream, list[Refusal]] = {}

    def stored(self, stream: Stream, seqs: Iterable[int]) -> None:
        """Say that numbers are in the store."""
        self._seqs.setdefault(stream, set()).update(seqs)

    def refused(self, stream: Stream, seq: int, code: str, message: str) -> None:
        """Say that a number will never be taken."""
        self._refused.setdefault(stream, []).append(Refusal(seq, code, message[:200]))

    def take(self) -> list[Receipt]:
        """All receipts; nothing waits afterwards."""
        seqs, refused = self._seqs, self._refused
        self._seqs, self._refused = {}, {}
        return [
            receipt
            for stream in dict.fromkeys((*seqs, *refused))
            for receipt in _receipts(stream, ranges(seqs.get(stream, ())), refused.get(stream, []))
        ]


def _receipts(stream: Stream, stored: list[Range], refused: list[Refusal]) -> Iterator[Receipt]:
    dev, epoch, name = stream
    for some in _parts(stored):
        yield Receipt(dev=dev, epoch=epoch, stream=name, seqs=list(some))
    for others in _parts(refused):
        yield Receipt(dev=dev, epoch=epoch, stream=name, refused=list(others))


def _parts(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), MOST):
        yield items[start : start + MOST]
