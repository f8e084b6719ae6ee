"""Sites where loads may be tipped, with their hours."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from hub.grid.errors import GridError, Problem
from hub.grid.fence import Area, Fence, contains
from hub.grid.geojson import NamedArea, read_areas
from hub.grid.hours import ALWAYS, Hours
from hub.tracks.geofence import Geofence
from wire.coded import coded


@dataclass(frozen=True, slots=True)
class Site:
    """A place where vehicles may unload while it is open.

    `fence`: where it comes from, with weekdays and validity besides the hours.
    """

    name: str
    area: Fence
    hours: Hours = ALWAYS
    fence: Geofence | None = None

    def is_open(self, at: datetime, zone: tzinfo) -> bool:
        """Whether vehicles may unload there at a moment."""
        if self.fence is not None:
            return self.fence.is_in_force(at, zone)
        return self.hours.are_open(at, zone)


def read_sites(document: object) -> list[Site]:
    """Sites of a FeatureCollection, properties `name` and `hours`; no hours: always open.

    Raises GridError with every problem of the document.
    """
    areas, found = read_areas(document)
    sites = []
    for named in areas:
        try:
            sites.append(_site(named))
        except GridError as error:
            where = f"{named[0]}.properties"
            allowed = coded("name_and_hours", "a name and hours")
            found.append(Problem("bad_site", None, where, error.message, allowed))
    if found:
        raise GridError.from_problems(found)
    return sites


def _site(named: NamedArea) -> Site:
    _, properties, area = named
    name = properties.get("name")
    if not isinstance(name, str) or not name:
        raise GridError(coded("no_name", "name {given!r} is no text", given=name))
    hours = properties.get("hours")
    return Site(name, Area(area), ALWAYS if hours is None else Hours.read(hours))


def at_place(sites: Iterable[Site], lat: float, lon: float) -> list[Site]:
    """The sites that hold a point, open or not."""
    return [site for site in sites if contains(site.area, lat, lon)]


def open_at(sites: Sequence[Site], at: datetime, zone: tzinfo) -> Site | None:
    """The first of the sites that is open at a moment."""
    return next((site for site in sites if site.is_open(at, zone)), None)
