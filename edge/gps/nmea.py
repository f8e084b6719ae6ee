"""NMEA 0183 sentences → fixes, one per epoch of the receiver. No I/O, no clock of its own.

The theory: RMC is the trigger, for it alone carries date, time, position, speed and course; GGA
and GNS of the same time of day add altitude, satellites and quality, and a second opinion. An
epoch ends where a sentence with another time of day begins (or at `flush`), and becomes a fix
only if every sentence in it that has a say vouches for the position. A stream that never sends
RMC is triggered by GGA or GNS with the date of ZDA instead. Fields are split and named by
pynmea2; their values are read here, because pynmea2 hands on what it cannot read.

Source: IEC 61162-1 (NMEA 0183 4.11), clauses 8.3 GGA, GNS, RMC, ZDA.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from math import cos, hypot, radians
from typing import Any

import pynmea2

from edge.gps.errors import BadField
from edge.gps.fix import Fix, Quality, undo_rollover
from edge.gps.sentence import NO_START, RAW_SHOWN, Framer, Refused, Sentence

KMH_PER_KNOT = 1.852
METRES_PER_DEGREE = 111_195.0

DISAGREE_M = 100.0
"""RMC and GGA of one epoch further apart than this are not one position."""

EPOCHS_WITHOUT_RMC = 10
"""So many epochs before a stream counts as one that has no RMC; they are held back until then."""

EPOCHS_REMEMBERED = 256
"""How far back a repeated epoch is recognised."""

MODES_REFUSED = {"N": "no_fix", "E": "dead_reckoning", "M": "manual", "S": "simulated"}
QUALITIES_REFUSED = {0: "rmc_gga_disagree", 6: "dead_reckoning", 7: "manual", 8: "simulated"}
# V says that the receiver gives no navigation status, which most do not; S safe, C caution.
NAV_STATUS_REFUSED = {"U": "unsafe"}

QUALITY_OF_GGA: dict[int, Quality] = {
    1: "gnss", 2: "differential", 3: "pps", 4: "rtk_fixed", 5: "rtk_float", 9: "differential",
}  # fmt: skip
QUALITY_OF_MODE: dict[str, Quality] = {
    "A": "gnss", "D": "differential", "P": "pps", "R": "rtk_fixed", "F": "rtk_float",
}  # fmt: skip
# GNS has one mode letter a system; the best of them says what GGA would.
GGA_OF_GNS_MODE = {"R": 4, "F": 5, "D": 2, "P": 3, "A": 1, "E": 6, "M": 7, "S": 8}

_TIME = re.compile(r"([01]\d|2[0-3])([0-5]\d)([0-5]\d|60)(?:\.(\d*))?")
_DATE = re.compile(r"(\d\d)(\d\d)(\d\d)")
_LATITUDE = re.compile(r"(\d{0,2})([0-5]\d(?:\.\d*)?)")
_LONGITUDE = re.compile(r"(\d{0,3})([0-5]\d(?:\.\d*)?)")
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)")


@dataclass(frozen=True, slots=True)
class Rmc:
    """Recommended minimum: it `vouches` by status A. Degrees; `tod` = time since midnight UTC."""

    sentence: Sentence
    tod: timedelta | None
    vouches: bool
    mode: str = ""
    nav_status: str = ""
    day: date | None = None
    lat: float = 0.0
    lon: float = 0.0
    speed_kmh: float | None = None
    heading_deg: float | None = None


@dataclass(frozen=True, slots=True)
class Solution:
    """GGA, or GNS put in its terms. `quality` None: the receiver did not say."""

    sentence: Sentence
    tod: timedelta | None
    quality: int | None
    lat: float | None = None
    lon: float | None = None
    satellites: int | None = None
    hdop: float | None = None
    alt_m: float | None = None

    @property
    def vouches(self) -> bool:
        """Whether it says that there is a position."""
        return self.quality in QUALITY_OF_GGA


@dataclass(frozen=True, slots=True)
class Zda:
    """Date with a four-digit year."""

    tod: timedelta | None
    day: date | None


@dataclass(slots=True)
class Counts:
    """What a decoder has met: candidates for a sentence, good checksums, fixes, refusals."""

    sentences: int = 0
    checksum_ok: int = 0
    fixes: int = 0
    refused: int = 0


class NmeaDecoder:
    """Bytes in any chunks → fixes and refusals, in the order in which they became certain."""

    def __init__(self) -> None:
        """Start with an empty stream."""
        self.counts = Counts()
        self._framer = Framer()
        self._epochs = _Epochs()

    def feed(self, chunk: bytes, received_at: datetime | None = None) -> list[Fix | Refused]:
        """Read the next bytes; `received_at` (UTC) is the reference for a week rollover."""
        return [out for item in self._framer.feed(chunk) for out in self._take(item, received_at)]

    def flush(self) -> list[Fix | Refused]:
        """End the epoch now: the receiver has been silent since its last sentence."""
        return [self._count(out) for out in self._epochs.flush()]

    def close(self) -> list[Fix | Refused]:
        """End the input: also what is unfinished or held back is told."""
        cut = [out for item in self._framer.close() for out in self._take(item, None)]
        held = self.flush() + [self._count(out) for out in self._epochs.give_held()]
        return held + cut

    def _take(
        self, item: Sentence | Refused, received_at: datetime | None
    ) -> Iterator[Fix | Refused]:
        # A line without "$" is no candidate for a sentence by the standard.
        self.counts.sentences += not (isinstance(item, Refused) and item.reason == NO_START)
        if isinstance(item, Refused):
            yield self._count(item)
            return
        self.counts.checksum_ok += 1
        if item.kind not in READERS:
            return
        try:
            value = READERS[item.kind](item)
        except BadField as fault:
            yield self._count(_refusal(fault.reason, item))
            return
        for out in self._epochs.join(value, received_at):
            yield self._count(out)

    def _count(self, out: Fix | Refused) -> Fix | Refused:
        if isinstance(out, Fix):
            self.counts.fixes += 1
        else:
            self.counts.refused += 1
        return out


def _refusal(reason: str, sentence: Sentence) -> Refused:
    raw = sentence.text[:RAW_SHOWN].encode("latin-1").decode("ascii", "backslashreplace")
    return Refused(reason, sentence.offset, "$" + raw)


# Fields ------------------------------------------------------------------------------------------


def read_rmc(sentence: Sentence) -> Rmc:
    """Read RMC. Raises BadField; a void one (status V) is read no further than its time."""
    text = _fields(sentence, "RMC", 9, 16)
    tod = _time(text("timestamp"))
    status = text("status")
    if status not in {"A", "V"}:
        raise BadField("bad_field", "status", status)
    if status == "V":
        return Rmc(sentence, tod, vouches=False)
    if tod is None:
        raise BadField("bad_field", "timestamp", "")
    lat, lon = _position(text)
    return Rmc(
        sentence,
        tod,
        vouches=True,
        mode=text("mode_indicator"),
        nav_status=text("nav_status"),
        day=_date(text("datestamp")),
        lat=lat,
        lon=lon,
        speed_kmh=_scaled(_number(text, "spd_over_grnd", 0, 2000), KMH_PER_KNOT),
        heading_deg=_heading(_number(text, "true_course", 0, 360)),
    )


def read_gga(sentence: Sentence) -> Solution:
    """Read GGA. Raises BadField; without a position it is read no further than its quality."""
    text = _fields(sentence, "GGA", 9, 17)
    quality = text("gps_qual")
    if quality and (len(quality) != 1 or quality not in "0123456789"):
        raise BadField("bad_field", "gps_qual", quality)
    said = int(quality) if quality else None
    return _solution(sentence, text, said, "num_sats", "horizontal_dil")


def read_gns(sentence: Sentence) -> Solution:
    """Read GNS, one mode letter per system. Raises BadField."""
    text = _fields(sentence, "GNS", 9, 14)
    letters = text("mode_indicator")
    qualities = [said for letter, said in GGA_OF_GNS_MODE.items() if letter in letters]
    said = (qualities or [0])[0] if letters else None
    return _solution(sentence, text, said, "num_sats", "hdop")


def read_zda(sentence: Sentence) -> Zda:
    """Read ZDA. Raises BadField."""
    text = _fields(sentence, "ZDA", 4, 6)
    day, month, year = text("day"), text("month"), text("year")
    if not day or not month or not year:
        return Zda(None, None)
    return Zda(_time(text("timestamp")), _calendar_date(year, month, day))


READERS: dict[str, Callable[[Sentence], Rmc | Solution | Zda]] = {
    "RMC": read_rmc,
    "GGA": read_gga,
    "GNS": read_gns,
    "ZDA": read_zda,
}

_Text = Callable[[str], str]


def _fields(sentence: Sentence, kind: str, fewest: int, most: int) -> _Text:
    """Split by pynmea2; the answer maps its name of a field to the text there, empty if none."""
    try:
        message: Any = pynmea2.parse(sentence.text, check=True)
    except pynmea2.ParseError:
        raise BadField("unreadable", kind, sentence.text[:RAW_SHOWN]) from None
    data, index = message.data, message.name_to_idx
    if not fewest <= len(data) <= most:
        raise BadField("field_count", kind, str(len(data)))
    return lambda name: data[index[name]] if index[name] < len(data) else ""


def _solution(
    sentence: Sentence, text: _Text, quality: int | None, satellites: str, hdop: str
) -> Solution:
    tod = _time(text("timestamp"))
    if quality not in QUALITY_OF_GGA:
        return Solution(sentence, tod, quality)
    lat, lon = _position(text)
    count = _number(text, satellites, 0, 255)
    return Solution(
        sentence,
        tod,
        quality,
        lat,
        lon,
        satellites=None if count is None else int(count),
        hdop=_number(text, hdop, 0, 1000),
        alt_m=_number(text, "altitude", -20_000, 1_000_000),
    )


def _time(text: str) -> timedelta | None:
    if not text:
        return None
    if not (match := _TIME.fullmatch(text)):
        raise BadField("bad_field", "timestamp", text)
    hours, minutes, seconds, fraction = match.groups()
    micros = int(((fraction or "") + "000000")[:6])
    return timedelta(
        hours=int(hours), minutes=int(minutes), seconds=int(seconds), microseconds=micros
    )


def _date(text: str) -> date | None:
    if not text:
        return None
    if not (match := _DATE.fullmatch(text)):
        raise BadField("bad_field", "datestamp", text)
    day, month, year = match.groups()
    # GPS time begins in 1980: 80 to 99 can only be the last century.
    return _calendar_date(("19" if year >= "80" else "20") + year, month, day)


def _calendar_date(year: str, month: str, day: str) -> date:
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        raise BadField("bad_field", "date", f"{year}-{month}-{day}") from None


def _position(text: _Text) -> tuple[float, float]:
    lat = _degrees(text, "lat", _LATITUDE, 90, {"N": 1, "S": -1})
    lon = _degrees(text, "lon", _LONGITUDE, 180, {"E": 1, "W": -1})
    if lat == 0 and lon == 0:
        raise BadField("zero", "lat, lon", "0, 0")
    return lat, lon


def _degrees(
    text: _Text, name: str, form: re.Pattern[str], limit: int, signs: dict[str, int]
) -> float:
    value, side = text(name), text(f"{name}_dir")
    match = form.fullmatch(value)
    if not match or side not in signs:
        raise BadField("bad_field", name, f"{value},{side}")
    degrees = int(match[1] or 0) + float(match[2]) / 60
    if degrees > limit:
        raise BadField("out_of_range", name, f"{value},{side}")
    return round(signs[side] * degrees, 7)


def _number(text: _Text, name: str, lowest: float, highest: float) -> float | None:
    value = text(name)
    if not value:
        return None
    if not _NUMBER.fullmatch(value):
        raise BadField("bad_field", name, value)
    if not lowest <= float(value) <= highest:
        raise BadField("out_of_range", name, value)
    return float(value)


def _scaled(value: float | None, factor: float) -> float | None:
    return None if value is None else round(value * factor, 3)


def _heading(value: float | None) -> float | None:
    return None if value is None else value % 360


# Epochs ------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Epoch:
    tod: timedelta
    received_at: datetime | None
    rmc: Rmc | None = None
    solution: Solution | None = None


@dataclass(slots=True)
class _Calendar:
    """The date a sentence without one belongs to: that of the last dated one, seen from there."""

    day: date | None = None
    tod: timedelta = timedelta()

    def note(self, day: date | None, tod: timedelta | None) -> None:
        if day is not None and tod is not None:
            self.day, self.tod = day, tod

    def day_at(self, tod: timedelta) -> date | None:
        """Give the date; more than 12 h back or forth means that midnight lies between."""
        if self.day is None:
            return None
        half_a_day = timedelta(hours=12)
        days = (tod - self.tod < -half_a_day) - (tod - self.tod > half_a_day)
        try:
            return self.day + timedelta(days=days)
        except OverflowError:
            return None


@dataclass(slots=True)
class _Epochs:
    """Sentences in their order → the fix of each epoch, once."""

    epoch: _Epoch | None = None
    calendar: _Calendar = field(default_factory=_Calendar)
    has_rmc: bool = False
    closed: int = 0
    held: list[_Epoch] = field(default_factory=list)
    emitted: dict[datetime, None] = field(default_factory=dict)

    def join(
        self, value: Rmc | Solution | Zda, received_at: datetime | None
    ) -> Iterator[Fix | Refused]:
        if isinstance(value, Zda):
            self.calendar.note(value.day, value.tod)
            return
        if value.tod is None:
            return
        if self.epoch is None or not _belongs(value, self.epoch):
            yield from self.flush()
            self.epoch = _Epoch(value.tod, received_at)
        epoch = self.epoch
        if isinstance(value, Rmc):
            self.has_rmc = True
            self.calendar.note(value.day, value.tod)
            epoch.rmc = max(filter(None, (epoch.rmc, value)), key=_rmc_rank)
        else:
            epoch.solution = max(filter(None, (epoch.solution, value)), key=_solution_rank)

    def flush(self) -> Iterator[Fix | Refused]:
        epoch, self.epoch = self.epoch, None
        if epoch is None:
            return
        self.closed += 1
        if self.has_rmc:
            self.held.clear()
            yield from self._end(epoch)
            return
        self.held.append(epoch)
        if self.closed > EPOCHS_WITHOUT_RMC:
            yield from self.give_held()

    def give_held(self) -> Iterator[Fix | Refused]:
        """Give the epochs of a stream that has no RMC."""
        held, self.held = self.held, []
        for epoch in held:
            yield from self._end(epoch)

    def _end(self, epoch: _Epoch) -> Iterator[Fix | Refused]:
        outcome = self._outcome(epoch)
        if isinstance(outcome, Refused):
            yield outcome
        elif outcome is not None and self._is_new(outcome):
            yield _dated_by(outcome, epoch.received_at)

    def _outcome(self, epoch: _Epoch) -> Fix | Refused | None:
        trigger = epoch.rmc or (None if self.has_rmc else epoch.solution)
        if trigger is None:
            return None
        if reason := objection(epoch.rmc, epoch.solution):
            return _refusal(reason, trigger.sentence)
        if not trigger.vouches:
            return None
        day = (epoch.rmc and epoch.rmc.day) or self.calendar.day_at(epoch.tod)
        if day is None:
            return _refusal("no_date", trigger.sentence)
        return _build(datetime.combine(day, time(), UTC) + epoch.tod, epoch)

    def _is_new(self, fix: Fix) -> bool:
        if fix.at in self.emitted:
            return False
        self.emitted[fix.at] = None
        if len(self.emitted) > EPOCHS_REMEMBERED:
            del self.emitted[next(iter(self.emitted))]
        return True


def _belongs(value: Rmc | Solution, epoch: _Epoch) -> bool:
    if value.tod != epoch.tod:
        return False
    if not isinstance(value, Rmc) or epoch.rmc is None:
        return True
    return value.day == epoch.rmc.day or None in {value.day, epoch.rmc.day}


def _rmc_rank(rmc: Rmc) -> tuple[bool, bool]:
    return rmc.vouches, rmc.sentence.talker == "GN"


def _solution_rank(solution: Solution) -> tuple[bool, bool, bool]:
    # One epoch may come as GPGGA and GLGGA: it takes one system to have a position.
    sentence = solution.sentence
    return solution.vouches, sentence.kind == "GGA", sentence.talker == "GN"


def objection(rmc: Rmc | None, solution: Solution | None) -> str:
    """Say why the sentences of one epoch are together not a fix; empty when nothing speaks against.

    A receiver that calls itself void is no objection: it claims nothing.
    """
    if rmc is None:
        return ""
    if not rmc.vouches:
        return "rmc_gga_disagree" if solution is not None and solution.vouches else ""
    if reason := MODES_REFUSED.get(rmc.mode) or NAV_STATUS_REFUSED.get(rmc.nav_status):
        return reason
    if solution is None or solution.quality is None:
        return ""
    if solution.lat is None or solution.lon is None:
        return QUALITIES_REFUSED.get(solution.quality, "rmc_gga_disagree")
    metres = hypot(rmc.lat - solution.lat, (rmc.lon - solution.lon) * cos(radians(rmc.lat)))
    return "rmc_gga_disagree" if metres * METRES_PER_DEGREE > DISAGREE_M else ""


def _build(at: datetime, epoch: _Epoch) -> Fix:
    rmc, solution = epoch.rmc, epoch.solution
    if rmc is not None:
        quality = QUALITY_OF_MODE.get(rmc.mode)
        fix = Fix(at, rmc.lat, rmc.lon, rmc.speed_kmh, rmc.heading_deg, quality=quality)
        return fix if solution is None else _with_solution(fix, solution)
    assert solution is not None  # noqa: S101 - one of the two is the trigger
    return _with_solution(Fix(at, solution.lat or 0.0, solution.lon or 0.0), solution)


def _with_solution(fix: Fix, solution: Solution) -> Fix:
    if solution.quality is None:
        return fix
    return replace(
        fix,
        alt_m=solution.alt_m,
        satellites=solution.satellites,
        hdop=solution.hdop,
        quality=QUALITY_OF_GGA[solution.quality],
    )


def _dated_by(fix: Fix, received_at: datetime | None) -> Fix:
    if received_at is None:
        return fix
    at = undo_rollover(fix.at, received_at)
    said_at = fix.at if at != fix.at else None
    return replace(fix, at=at, said_at=said_at, received_at=received_at)
