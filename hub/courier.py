"""What goes down to devices: found in the database after its commit, sent, then noted as sent.

Whatever dies in between, it is found again and sent again; a device does nothing twice. Sources
look in tables of their own (orders, configurations, models): none of them knows MQTT.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from hub import events
from hub.events import Change
from hub.store import Store, now

log = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0
REST_S = 0.05
WITHOUT_DATABASE_S = 5.0


@dataclass(frozen=True)
class Letter:
    """A message for a device: `name` is one of `wire.topics.DOWN`, `key` its source's own."""

    key: str
    dev: str
    name: str
    payload: bytes
    retain: bool = False


@dataclass(frozen=True)
class Source:
    """A table of things to send: what is due at a time, and to note what has been sent."""

    due: Callable[[Connection, datetime], Sequence[Letter]]
    sent: Callable[[Connection, Sequence[str], datetime], Sequence[Change]]


Send = Callable[[Sequence[Letter]], Sequence[Letter]]
"""Gives letters to the broker; returns those it has confirmed."""


class Courier:
    """Carries what the sources have to the broker, woken by a commit or each second."""

    def __init__(self, store: Store, sources: Sequence[Source], send: Send) -> None:
        """Nothing is sent before `start`."""
        self._store = store
        self._sources = sources
        self._send = send
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, name="courier", daemon=True)

    def start(self) -> None:
        """Carry from now on."""
        self._thread.start()

    def wake(self) -> None:
        """Something was committed that has to go down: look at once. Any thread may call."""
        self._wake.set()

    def ask_to_stop(self) -> None:
        """Finish the round and end."""
        self._stopping.set()
        self._wake.set()

    def join(self) -> None:
        """Wait for the end."""
        if self._thread.is_alive():
            self._thread.join(2.0)

    def deliver(self) -> int:
        """One round over all sources; how many letters the broker has taken."""
        at = now()
        with self._store.read() as tx:
            found = [(source, source.due(tx, at)) for source in self._sources]
        delivered = 0
        for source, letters in found:
            taken = self._send(letters) if letters else ()
            if taken:
                delivered += len(taken)
                with self._store.write() as tx:
                    at = now()
                    changes = source.sent(tx, [letter.key for letter in taken], at)
                    events.record(tx, changes, at)
        return delivered

    def _work(self) -> None:
        while not self._stopping.is_set():
            self._wake.wait(LOOK_EVERY_S)
            self._wake.clear()
            try:
                self.deliver()
            except DBAPIError as fault:
                log.warning("Letters to devices wait for the database: %s", fault.orig)
                self._stopping.wait(WITHOUT_DATABASE_S)
            except Exception:
                log.exception("Letters to devices could not be sent")
                self._stopping.wait(WITHOUT_DATABASE_S)
            self._stopping.wait(REST_S)
