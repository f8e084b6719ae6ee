"""A permit to haul spoil: which vehicles, from where to where, on which way, when."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, tzinfo

from hub.grid.errors import GridError
from hub.grid.fence import Corridor
from hub.grid.hours import ALWAYS, Hours

NUMBER_LENGTH, PLATE_LENGTH, SITE_LENGTH = 64, 40, 200
MOST_VEHICLES, MOST_VERTICES = 500, 5000
DEFAULT_HALF_WIDTH_M = 50.0
HALF_WIDTHS_M = (5.0, 2000.0)

Route = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Permit:
    """One permit; `route` are (lat, lon) in WGS-84, empty where the way is free.

    `loading_site` and `dump_site` are codes or names of fences with that purpose. `hours` are of
    local time, every day from `first` until `last`, both included.
    """

    number: str
    vehicles: frozenset[str]
    loading_site: str
    dump_site: str
    first: date
    last: date
    hours: Hours = ALWAYS
    route: Route = ()
    half_width_m: float = DEFAULT_HALF_WIDTH_M

    def is_valid(self, at: datetime, zone: tzinfo) -> bool:
        """Whether it is valid on the day of a moment."""
        return self.first <= at.astimezone(zone).date() <= self.last

    def names(self, vehicle: Iterable[str]) -> bool:
        """Whether it is for a vehicle called so (plate or id)."""
        return not self.vehicles.isdisjoint(plate_key(name) for name in vehicle)

    def corridor(self) -> Corridor | None:
        """The route with its width; None where the way is free."""
        return Corridor(self.route, self.half_width_m) if self.route else None


def plate_key(plate: str) -> str:
    """A plate as it is compared: without the dots, spaces and cases people write it with."""
    return "".join(each for each in plate.upper() if each not in " ·•.-　")


def faults(permit: Permit) -> list[tuple[str, str, str]]:
    """What is wrong with a permit: (field, message, what is allowed)."""
    found = []
    if not 0 < len(permit.number) <= NUMBER_LENGTH:
        found.append(("number", f"{permit.number!r} is no number", f"1 to {NUMBER_LENGTH} signs"))
    if not 0 < len(permit.vehicles) <= MOST_VEHICLES:
        allowed = f"1 to {MOST_VEHICLES} plates"
        found.append(("vehicles", f"{len(permit.vehicles)} vehicles are named", allowed))
    if any(len(plate) > PLATE_LENGTH for plate in permit.vehicles):
        found.append(("vehicles", "a plate is too long", f"up to {PLATE_LENGTH} signs"))
    for name in ("loading_site", "dump_site"):
        value = getattr(permit, name)
        if not 0 < len(value) <= SITE_LENGTH:
            found.append((name, f"{value!r} names no site", "the code or name of a site"))
    if permit.last < permit.first:
        found.append(("valid_until", f"{permit.last} is before {permit.first}", "a later date"))
    return found + _route_faults(permit)


def _route_faults(permit: Permit) -> list[tuple[str, str, str]]:
    least, most = HALF_WIDTHS_M
    if not least <= permit.half_width_m <= most:
        given = f"{permit.half_width_m:g} m are not allowed"
        return [("half_width_m", given, f"{least:g} to {most:g}")]
    if len(permit.route) > MOST_VERTICES:
        given = f"{len(permit.route)} vertices are too many"
        return [("route", given, f"up to {MOST_VERTICES}")]
    try:
        permit.corridor()
    except GridError as fault:
        return [("route", str(fault), "lon,lat;lon,lat;… or LINESTRING(lon lat, …)")]
    return []
