"""What a camera saw lately, in memory: so that an alert can show what came before it.

Two series of JPEGs share a bound in bytes. *Stills* are whole pictures, few and far between: what
it was like before. *Looks* are small and close together: what a clip is made of. A street where
nothing moves adds a look every ten seconds only; one that looks like the last tells nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from edge.camera.frame import Frame
from edge.detect.evidence import jpeg
from edge.detect.mask import Patch

STILLS, STILL_LEAST_S = 8, 20.0
LOOK_SIDE, LOOK_QUALITY = 960, 75
IDLE_LOOK_S = 10.0
STILLS_SHARE = 0.5
"""Of the bytes; the looks have the rest."""

Span = tuple[float, float]


@dataclass(frozen=True)
class Shot:
    """A picture of the past: JPEG as the camera gave it, and what of it is to be covered."""

    t_s: float
    at: datetime
    data: bytes
    patches: tuple[Patch, ...]


class Album:
    """Of one camera. `dwell_s`: the longest of its zones; the stills reach back twice as far."""

    def __init__(self, dwell_s: float, max_bytes: int) -> None:
        """Nothing yet; never more than `max_bytes` are held."""
        self._every_s = max(STILL_LEAST_S, 2 * dwell_s / STILLS)
        self._stills_bytes = int(max_bytes * STILLS_SHARE)
        self._looks_bytes = max_bytes - self._stills_bytes
        self._stills: list[Shot] = []
        self._looks: list[Shot] = []

    @property
    def size(self) -> int:
        """Bytes held."""
        return _size(self._stills) + _size(self._looks)

    def keep(
        self, frame: Frame, patches: tuple[Patch, ...], *, moved: bool, wanted: Sequence[Span] = ()
    ) -> None:
        """Take in a picture where the series want one.

        `moved`: something differs from the last look. `wanted`: seconds that a clip will show;
        of them the last looks are thinned out.
        """
        if not self._stills or frame.t_s - self._stills[-1].t_s >= self._every_s:
            self._stills.append(Shot(frame.t_s, frame.at, jpeg(frame.image), patches))
            while self._stills and (
                len(self._stills) > STILLS or _size(self._stills) > self._stills_bytes
            ):
                self._stills.pop(0)
        if moved or not self._looks or frame.t_s - self._looks[-1].t_s >= IDLE_LOOK_S:
            self._looks.append(_small(frame, patches))
            while _size(self._looks) > self._looks_bytes:
                del self._looks[_spare(self._looks, wanted)]

    def before(self, t_s: float) -> Shot | None:
        """The last whole picture from before that second, if there is one."""
        return next((shot for shot in reversed(self._stills) if shot.t_s < t_s), None)

    def between(self, first_s: float, last_s: float) -> tuple[Shot, ...]:
        """The looks of those seconds that are left, and the one that was still true at first."""
        earlier = [shot for shot in self._looks if shot.t_s < first_s][-1:]
        return (*earlier, *(shot for shot in self._looks if first_s <= shot.t_s <= last_s))


def _small(frame: Frame, patches: tuple[Patch, ...]) -> Shot:
    small = frame.picture.sized(LOOK_SIDE)
    height, width = small.shape[:2]
    # H.264 in 4:2:0 has even sides.
    even = small[: max(height // 2 * 2, 1), : max(width // 2 * 2, 1)]
    return Shot(frame.t_s, frame.at, jpeg(even, LOOK_QUALITY), patches)


def _spare(looks: Sequence[Shot], wanted: Sequence[Span]) -> int:
    """The look that is missed least: the oldest no clip wants, else the one closest to others."""
    for i, look in enumerate(looks):
        if not any(first <= look.t_s <= last for first, last in wanted):
            return i
    if len(looks) < 3:
        return 0
    newest = looks[-1].t_s

    def closeness(i: int) -> float:
        return (looks[i + 1].t_s - looks[i - 1].t_s) / (newest - looks[i].t_s + 1.0)

    return min(range(1, len(looks) - 1), key=closeness)


def _size(shots: Sequence[Shot]) -> int:
    return sum(len(shot.data) for shot in shots)
