"""Live fixes gathered for one message: 30 of them, or those of 10 seconds."""

from edge.gps.fix import Fix

FULL = 30
LONGEST_WAIT_S = 10.0


class Batches:
    """Gathers fixes in order; the caller brings the clock (monotonic seconds)."""

    def __init__(self, full: int = FULL, longest_wait_s: float = LONGEST_WAIT_S) -> None:
        """Give out `full` fixes at once, or fewer when the first has waited `longest_wait_s`."""
        self._full = full
        self._longest_wait_s = longest_wait_s
        self._fixes: list[Fix] = []
        self._since_s = 0.0

    def add(self, fix: Fix, now_s: float) -> list[Fix]:
        """Take a fix; give the batch it completes, else an empty list."""
        if not self._fixes:
            self._since_s = now_s
        self._fixes.append(fix)
        return self.take() if len(self._fixes) >= self._full else self.due(now_s)

    def due(self, now_s: float) -> list[Fix]:
        """Give the batch that has waited long enough, else an empty list."""
        waited = bool(self._fixes) and now_s - self._since_s >= self._longest_wait_s
        return self.take() if waited else []

    def take(self) -> list[Fix]:
        """Give what there is, full or not."""
        fixes, self._fixes = self._fixes, []
        return fixes
