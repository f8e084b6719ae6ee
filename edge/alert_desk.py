"""What cameras tell of, as messages with their pictures in the outbox."""

import logging
import sqlite3
import threading
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from msgspec.structs import replace

from edge.camera.sources import is_recording
from edge.clock_quality import clock_quality
from edge.config import CameraConfig
from edge.detect.detection import Detection
from edge.detect.watch import AlertEvent
from edge.evidence_desk import outgoing, ref_of
from edge.open_alerts import OpenAlerts
from edge.outbox import ALERT, EvidenceFile, Outbox
from wire.alert import Alert, AlertState, Box, PlaceSource

log = logging.getLogger(__name__)

NAME_CHARACTERS = 64
MOST_BOXES = 50


class AlertDesk:
    """Stores alerts one after the other, and holds on to those that the disk refuses.

    Safe to use from several threads.
    """

    def __init__(self, outbox: Outbox, open_folder: Path, model: Callable[[], str]) -> None:
        """Write to `outbox`; `open_folder` keeps what is open, `model` is named in every alert."""
        self._outbox = outbox
        self._open = OpenAlerts(open_folder)
        self._model = model
        self._lock = threading.Lock()
        self._waiting: deque[tuple[Alert, list[EvidenceFile]]] = deque()

    def take(self, event: AlertEvent, camera: CameraConfig) -> None:
        """Store what has become of a thing; from the outbox it is sent."""
        alert = alert_of(event, camera, self._outbox, self._model())
        files = [outgoing(file) for file in event.evidence]
        self._waiting.append((alert, files))
        self.store()

    @property
    def has_waiting(self) -> bool:
        """Whether alerts wait for a disk that refused them."""
        return bool(self._waiting)

    def end_what_was_left(self) -> None:
        """End the alerts that were open when the agent was killed."""
        for alert in self._open.left():
            end = replace(
                alert,
                state=AlertState.END,
                epoch=self._outbox.epoch,
                ts=_ms(datetime.now(UTC)),
                evidence=[],
            )
            self._waiting.append((end, []))
        self.store()

    def store(self) -> None:
        """Store what waits, in order; what the disk refuses is tried again next time."""
        with self._lock:
            while self._waiting:
                alert, files = self._waiting[0]
                try:
                    self._write(alert, files)
                except (OSError, sqlite3.Error) as fault:
                    log.critical("%d alerts wait for the disk: %s", len(self._waiting), fault)
                    return
                self._waiting.popleft()

    def _write(self, alert: Alert, files: list[EvidenceFile]) -> None:
        # Noted before and forgotten after it is stored: a crash in between ends an alert twice,
        # which the hub takes for once, and leaves none open. A clip may follow after the end.
        if alert.state == AlertState.NEW or (
            alert.state == AlertState.UPDATE and self._open.has(alert.alert)
        ):
            self._open.note(alert)
        self._outbox.add(ALERT, lambda seq: replace(alert, seq=seq), files, alert.alert)
        if alert.state == AlertState.END:
            self._open.note(alert)


def alert_of(event: AlertEvent, camera: CameraConfig, outbox: Outbox, model: str) -> Alert:
    """The message that tells of `event`; its number is given by the outbox."""
    place = event.place
    if place is None:
        raise ValueError(f"camera {camera.id}: has no position, so its alerts have no place")
    return Alert(
        dev=outbox.dev,
        epoch=outbox.epoch,
        seq=0,
        ts=_ms(event.at),
        tq=clock_quality(),
        hist=is_recording(camera.source) and not camera.real_time,
        alert=_name(event.id),
        state=AlertState(event.state),
        source=camera.id,
        label=event.label,
        matter=event.matter,
        zone=_zone_name(camera, event.zone),
        since=_ms(event.since),
        last_clean=_ms(event.last_clean) if event.last_clean else None,
        level=event.level,
        lat=place.lat,
        lon=place.lon,
        acc=min(place.acc_m, 100_000.0),
        place=PlaceSource(place.source),
        score=_fraction(event.score),
        model=model,
        boxes=[_box(box) for box in event.boxes[:MOST_BOXES]],
        evidence=[ref_of(file) for file in event.evidence],
    )


def _zone_name(camera: CameraConfig, zone: str) -> str:
    """What people call the zone."""
    names = {each.id: each.name for each in camera.zones}
    return (names.get(zone) or zone)[:64]


def _box(box: Detection) -> Box:
    x, y = _fraction(box.x), _fraction(box.y)
    w, h = min(_fraction(box.w), 1 - x), min(_fraction(box.h), 1 - y)
    return Box(box.label, *(round(value, 4) for value in (_fraction(box.score), x, y, w, h)))


def _fraction(value: float) -> float:
    return min(max(float(value), 0.0), 1.0)


def _name(text: str) -> str:
    """Short enough for the wire; a long one keeps its beginning and the hash of the whole."""
    if len(text) <= NAME_CHARACTERS:
        return text
    return f"{text[:47]}-{sha256(text.encode()).hexdigest()[:16]}"


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)
