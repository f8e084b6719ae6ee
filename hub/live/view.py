"""Live views as one hub process holds them: the newest picture of a camera, and who looks at it.

Nothing of it is stored. Everything runs on the event loop of the server, so there are no locks.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

STILL_S = 15.0
"""Who has not asked for a picture for so long does not look any more."""


@dataclass(frozen=True)
class Shot:
    """A picture: JPEG, faces and plates covered. `sight`: what it says of its camera."""

    number: int
    taken_at: datetime
    sight: str
    jpeg: bytes


@dataclass
class View:
    """A camera that is looked at. `until_s`: when its order ends, on the clock of `Views`."""

    order: str = ""
    until_s: float = 0.0
    shot: Shot | None = None
    lookers: dict[str, float] = field(default_factory=dict)
    ordering: asyncio.Lock = field(default_factory=asyncio.Lock)
    changed: asyncio.Event = field(default_factory=asyncio.Event)


class Views:
    """All of them, by camera."""

    def __init__(self, clock_s: Callable[[], float] = time.monotonic) -> None:
        """Nobody looks."""
        self.clock_s = clock_s
        self._views: dict[str, View] = {}

    def look(self, camera: str, who: str) -> tuple[View, bool]:
        """Somebody begins to look, or goes on: the view, and whether he has just come."""
        self._forget()
        view = self._views.setdefault(camera, View())
        is_new = who not in view.lookers
        view.lookers[who] = self.clock_s()
        return view, is_new

    def goes_on(self, camera: str, who: str) -> View | None:
        """The view of somebody who looks already; None for anybody else."""
        self._forget()
        view = self._views.get(camera)
        if view is None or who not in view.lookers:
            return None
        view.lookers[who] = self.clock_s()
        return view

    def show(self, camera: str, taken_at: datetime, sight: str, jpeg: bytes) -> bool:
        """A picture has come. False where nobody looks: then none more is wanted."""
        self._forget()
        view = self._views.get(camera)
        if view is None:
            return False
        number = view.shot.number + 1 if view.shot is not None else 1
        view.shot = Shot(number, taken_at, sight, jpeg)
        view.changed.set()
        view.changed = asyncio.Event()
        return True

    async def newer(self, view: View, than: int, wait_s: float) -> Shot | None:
        """A picture other than number `than`; None when none comes in time."""
        until_s = time.monotonic() + wait_s
        while view.shot is None or view.shot.number == than:
            left_s = until_s - time.monotonic()
            if left_s <= 0:
                return None
            try:
                await asyncio.wait_for(view.changed.wait(), left_s)
            except TimeoutError:
                return None
        return view.shot

    def _forget(self) -> None:
        """Drop those who look no more, and views that nobody looks at."""
        since_s = self.clock_s() - STILL_S
        for camera, view in list(self._views.items()):
            view.lookers = {who: at_s for who, at_s in view.lookers.items() if at_s > since_s}
            if not view.lookers and not view.ordering.locked():
                del self._views[camera]
