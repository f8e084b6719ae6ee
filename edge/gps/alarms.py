"""Alarm bits of terminals as alerts: one when a bit rises, one when it falls; and their pictures.

A picture that an order of the hub asked for is no alert: it goes out as what that order gave.

What stands is kept on disk, so that an alarm that outlasts a restart is neither told twice nor left
open. An alarm in a report from a blind area is over when it is heard of: it is told once, ended and
marked as late.
"""

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from msgspec.structs import replace

from edge.clock_quality import GNSS
from edge.gps.fix import Fix
from edge.open_alerts import OpenAlerts
from edge.outbox import ALERT, EvidenceFile, Outbox
from wire.alert import Alert, AlertState, EvidenceRef, PlaceSource
from wire.track import ALARMS

PICTURE = "vehicle_picture"
ASKED_FOR = 0
"""The event of a picture that a platform ordered."""

AWAITED_S = 86_400.0
"""A terminal out of coverage sends it when it is back."""

ALARM_OF_EVENT = {2: "emergency", 3: "collision"}
GENERAL, SERIOUS, URGENT = 1, 2, 3
LEVELS = {"emergency": URGENT, "collision": URGENT, "rollover_warning": URGENT, "stolen": SERIOUS}


@dataclass(frozen=True)
class Heard:
    """What a report says of a vehicle's alarms: all that stand `at` its time, and where it is."""

    vehicle: str
    alarm: int
    at: datetime
    place: Fix | None
    is_old: bool = False


@dataclass(frozen=True)
class Shown:
    """A picture, sound or film from a vehicle and why it was taken (see `jt808.session.Media`)."""

    vehicle: str
    event: int
    at: datetime
    place: Fix
    file: EvidenceFile


Cover = Callable[[bytes], bytes | None]
"""Gives a picture with its faces and plates covered; None when that cannot be done."""


class AlarmDesk:
    """Tells of those alarms that are `watched`, by name."""

    def __init__(
        self, outbox: Outbox, folder: Path, watched: Collection[str], cover: Cover = lambda _: None
    ) -> None:
        """Write to `outbox`; `folder` keeps what stands; `cover` covers faces in pictures."""
        self._outbox = outbox
        self._cover = cover
        self._bits = {bit: name for bit, name in ALARMS.items() if name in watched}
        self._notes = OpenAlerts(folder)
        self._open = {(alert.source, alert.label): alert for alert in self._notes.left()}
        self._mask = sum(1 << bit for bit in self._bits)
        self._standing: dict[str, int] = {}
        for bit, name in self._bits.items():
            for vehicle in (source for source, label in self._open if label == name):
                self._standing[vehicle] = self._standing.get(vehicle, 0) | 1 << bit
        self._old: dict[str, int] = {}
        self._awaited: dict[str, tuple[str, float]] = {}

    def expect(self, vehicle: str, order: str) -> None:
        """Pictures that are asked for of this vehicle are for that order. Any thread may call."""
        self._awaited[vehicle] = (order, time.monotonic())

    def take(self, heard: Sequence[Heard]) -> None:
        """Store what began and what ended. Raises OutboxFull, OSError, sqlite3.Error."""
        self._old = {}
        for each in heard:
            for alert in self._old_edges(each) if each.is_old else self._edges(each):
                self._tell(alert)

    def show(self, shown: Shown) -> None:
        """Store a file: with the alarm it belongs to while that stands, else told of by itself.

        Raises as `take` does.
        """
        label = ALARM_OF_EVENT.get(shown.event, PICTURE)
        heard = Heard(shown.vehicle, 0, shown.at, shown.place)
        alone = replace(
            self._alert(heard, shown.place, label), state=AlertState.END, order=self._order(shown)
        )
        stands = self._open.get((shown.vehicle, label))
        files = self._files(shown.file)
        alert = replace(
            alone if stands is None else replace(stands, state=AlertState.UPDATE),
            evidence=[_ref(file, shown.at, shown.file) for file in files],
        )
        self._outbox.add(ALERT, lambda seq: replace(alert, seq=seq), files, alert.alert)

    def _order(self, shown: Shown) -> str:
        """What asked for a picture; nothing here, where the terminal has another platform, too."""
        order, given_s = self._awaited.get(shown.vehicle, ("", 0.0))
        is_for_it = shown.event == ASKED_FOR and time.monotonic() - given_s < AWAITED_S
        return order if is_for_it else ""

    def _files(self, taken: EvidenceFile) -> list[EvidenceFile]:
        """What everybody may see of a picture, and the sealed original; sounds stay sealed."""
        covered = self._cover(taken.data) if taken.type.startswith("image/") else None
        if covered is None:
            return [taken]
        if covered == taken.data:
            return [EvidenceFile(taken.data, taken.type)]
        return [EvidenceFile(covered, "image/jpeg"), taken]

    def _edges(self, heard: Heard) -> Iterator[Alert]:
        standing = self._standing.get(heard.vehicle, 0)
        changed = (heard.alarm ^ standing) & self._mask
        for bit, name in self._bits.items() if changed else ():
            if not changed >> bit & 1:
                continue
            if standing >> bit & 1:
                before = self._open[heard.vehicle, name]
                yield replace(before, state=AlertState.END, ts=_ms(heard.at))
            elif heard.place is not None:
                yield self._alert(heard, heard.place, name)
            else:
                continue
            self._standing[heard.vehicle] = self._standing.get(heard.vehicle, 0) ^ 1 << bit

    def _old_edges(self, heard: Heard) -> Iterator[Alert]:
        before = self._old.get(heard.vehicle, 0)
        self._old[heard.vehicle] = heard.alarm
        for bit, name in self._bits.items():
            if heard.alarm & ~before & 1 << bit and heard.place is not None:
                alert = self._alert(heard, heard.place, name)
                yield replace(alert, state=AlertState.END, hist=True)

    def _alert(self, heard: Heard, place: Fix, name: str) -> Alert:
        at_ms = _ms(heard.at)
        return Alert(
            dev=self._outbox.dev,
            epoch=self._outbox.epoch,
            seq=0,
            ts=at_ms,
            tq=GNSS,
            alert=_id(heard.vehicle, name, at_ms),
            state=AlertState.NEW,
            source=heard.vehicle,
            label=name,
            since=at_ms,
            level=LEVELS.get(name, GENERAL),
            lat=place.lat,
            lon=place.lon,
            place=PlaceSource.VEHICLE,
            score=1.0,
        )

    def _tell(self, alert: Alert) -> None:
        # As with cameras: noted before and forgotten after it is stored.
        if alert.state == AlertState.NEW:
            self._notes.note(alert)
        self._outbox.add(ALERT, lambda seq: replace(alert, seq=seq), alert=alert.alert)
        if alert.state == AlertState.NEW:
            self._open[alert.source, alert.label] = alert
        elif not alert.hist:
            self._notes.note(alert)
            self._open.pop((alert.source, alert.label), None)


def _ref(file: EvidenceFile, at: datetime, original: EvidenceFile) -> EvidenceRef:
    return EvidenceRef(
        file.sha256,
        len(file.data),
        file.type,
        "clean" if file.type.startswith("image/") else "clip",
        at=_ms(at),
        sealed=file.sealed,
        original=original.sha256 if file.data != original.data else None,
    )


def _id(vehicle: str, name: str, at_ms: int) -> str:
    """The same for a report that is sent again."""
    return sha256(f"{vehicle}\n{name}\n{at_ms}".encode()).hexdigest()[:32]


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)
