"""The alarm bits of a terminal: one event for each time a bit rises, over when it falls.

A held bit repeats in every report and is told once. A bit that flaps is told up to
`alarms_an_hour` times an hour; the event after that takes in all that follows, however often, until
the bit has been down for an hour. Nothing here rings: the gateway's `alerts` do.
"""

from datetime import datetime, timedelta

from msgspec import Struct, structs

from hub.tracks.episode import Episode, Fact, Kind
from hub.tracks.point import Point
from hub.tracks.settings import TrackSettings
from wire.track import ALARMS

HOUR = timedelta(hours=1)


class Bit(Struct, frozen=True):
    """A bit that stands or stood within the last hour.

    `starts`: of its events of the last hour, the last one's with its place. `fell_at`: None while
    it stands. `times`: how often it rose in this event. `is_open`: the event lasts.
    """

    starts: list[datetime]
    lat: float
    lon: float
    fell_at: datetime | None = None
    times: int = 1
    is_open: bool = True


class Alarms(Struct, frozen=True):
    """What a terminal's alarms were at the last report, by their bit."""

    bits: dict[int, Bit] = {}


def alarms(
    state: Alarms | None, point: Point, settings: TrackSettings
) -> tuple[Alarms | None, tuple[Episode, ...]]:
    """Move on by one report."""
    known = state.bits if state is not None else {}
    if not point.alarm and not known:
        return None, ()
    bits: dict[int, Bit] = {}
    said: list[Episode] = []
    for number in ALARMS:
        stands = bool(point.alarm >> number & 1)
        if not stands and number not in known:
            continue
        bit, told = _moved(known.get(number), number, point, settings, stands=stands)
        said += told
        if bit is not None:
            bits[number] = bit
    return Alarms(bits), tuple(said)


def finish(state: Alarms | None, _settings: TrackSettings) -> tuple[Episode, ...]:
    """The alarms that last."""
    known = state.bits.items() if state is not None else ()
    return tuple(_episode(number, bit) for number, bit in known if bit.is_open)


def _moved(
    bit: Bit | None, number: int, point: Point, settings: TrackSettings, *, stands: bool
) -> tuple[Bit | None, list[Episode]]:
    said: list[Episode] = []
    if bit is not None and bit.fell_at is not None and point.at - bit.fell_at >= HOUR:
        said += [_episode(number, bit, bit.fell_at)] if bit.is_open else []
        bit = None
    if not stands:
        if bit is None or bit.fell_at is not None:
            return bit, said
        flaps = bit.times > 1 or len(_recent(bit, point.at)) >= settings.alarms_an_hour
        bit = structs.replace(bit, fell_at=point.at, is_open=flaps)
        return bit, said if flaps else [*said, _episode(number, bit, point.at)]
    if bit is not None and bit.fell_at is None:
        return bit, said
    if bit is not None and bit.is_open:
        return structs.replace(bit, fell_at=None, times=bit.times + 1), said
    starts = _recent(bit, point.at) if bit is not None else []
    bit = Bit([*starts, point.at], point.lat, point.lon)
    return bit, [*said, _episode(number, bit)]


def _recent(bit: Bit, at: datetime) -> list[datetime]:
    return [start for start in bit.starts if at - start < HOUR]


def _episode(number: int, bit: Bit, end: datetime | None = None) -> Episode:
    start = bit.starts[-1]
    facts: dict[str, Fact] = {"times": bit.times} if bit.times > 1 else {}
    return Episode(
        Kind.TERMINAL_ALARM,
        start,
        end or start,
        bit.lat,
        bit.lon,
        ALARMS[number],
        over=end is not None,
        facts=facts,
    )
