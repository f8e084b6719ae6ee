"""A permit to haul spoil: which vehicles, from where to where, on which way, when."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, tzinfo

from hub.grid.errors import GridError
from hub.grid.fence import Corridor
from hub.grid.hours import ALWAYS, Hours
from wire.coded import coded

NUMBER_LENGTH, PLATE_LENGTH, SITE_LENGTH = 64, 40, 200
MOST_VEHICLES, MOST_VERTICES = 500, 5000
DEFAULT_HALF_WIDTH_M = 50.0
HALF_WIDTHS_M = (5.0, 2000.0)

ROUTES = coded("routes", "lon,lat;lon,lat;… or LINESTRING(lon lat, …)")

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
    found: list[tuple[str, str, str]] = []
    if not 0 < len(permit.number) <= NUMBER_LENGTH:
        allowed = coded("signs", "1 to {most} signs", most=NUMBER_LENGTH)
        message = coded("no_permit_number", "{given!r} is no number", given=permit.number)
        found.append(("number", message, allowed))
    if not 0 < len(permit.vehicles) <= MOST_VEHICLES:
        allowed = coded("plates", "1 to {most} plates", most=MOST_VEHICLES)
        message = coded("vehicles", "{count} vehicles are named", count=len(permit.vehicles))
        found.append(("vehicles", message, allowed))
    if any(len(plate) > PLATE_LENGTH for plate in permit.vehicles):
        allowed = coded("signs_at_most", "up to {most} signs", most=PLATE_LENGTH)
        found.append(("vehicles", coded("long_plate", "a plate is too long"), allowed))
    for name in ("loading_site", "dump_site"):
        value = getattr(permit, name)
        if not 0 < len(value) <= SITE_LENGTH:
            message = coded("no_site", "{given!r} names no site", given=value)
            found.append((name, message, coded("a_site", "the code or name of a site")))
    if permit.last < permit.first:
        message = coded("before", "{last} is before {first}", last=permit.last, first=permit.first)
        found.append(("valid_until", message, coded("later_date", "a later date")))
    return found + _route_faults(permit)


def _route_faults(permit: Permit) -> list[tuple[str, str, str]]:
    least, most = HALF_WIDTHS_M
    if not least <= permit.half_width_m <= most:
        width = f"{permit.half_width_m:g}"
        message = coded("bad_width", "{given} m are not allowed", given=width)
        return [("half_width_m", message, f"{least:g} to {most:g}")]
    if len(permit.route) > MOST_VERTICES:
        message = coded("vertices", "{count} vertices are too many", count=len(permit.route))
        return [("route", message, coded("up_to", "up to {most}", most=MOST_VERTICES))]
    try:
        permit.corridor()
    except GridError as fault:
        return [("route", fault.message, ROUTES)]
    return []
