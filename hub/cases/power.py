"""Which level of grids may settle what (小事不出网格、大事不出镇办): a table of the city.

Level 3 is a community or village, 2 a town or office, 1 the whole city. A level settles what its
power says and what the levels below it settle.
"""

from collections.abc import Iterable
from dataclasses import dataclass

LOWEST = 3
USUAL_POWER = {1: 3, 2: 2, 3: 1}
"""By severity, for what the city's table does not have. The project's own values."""


@dataclass(frozen=True, slots=True)
class Power:
    """The lowest level that may settle a matter (code or class, None any) of these severities."""

    matter: str | None
    level_from: int
    level_to: int
    grid_level: int

    def holds(self, matter: str | None, level: int) -> bool:
        """Whether it is said of such a case."""
        fits = self.matter is None or (matter or "").startswith(self.matter)
        return fits and self.level_from <= level <= self.level_to


def settling_level(matter: str | None, level: int, powers: Iterable[Power]) -> int:
    """The lowest level of grids that may settle a case: by the finest row that holds."""
    held = [power for power in powers if power.holds(matter, level)]
    if not held:
        return USUAL_POWER.get(level, LOWEST)
    finest = max(
        held,
        key=lambda p: (len(p.matter or ""), p.level_from - p.level_to, -p.grid_level),
    )
    return finest.grid_level
