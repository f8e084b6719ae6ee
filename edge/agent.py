"""The wiring of one device: cameras, receivers, terminals → outbox → hub."""

import fcntl
import logging
import shutil
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Protocol

from msgspec.structs import replace

from edge.config import CameraConfig, EdgeConfig
from edge.device_key import FILE as KEY_FILE, DeviceKey
from edge.link import TRACKS_IN_FLIGHT, Link, Reports
from edge.moving import courses_of
from edge.orders import OrderDesk
from edge.outbox import ALERT, TRACK, Outbox
from edge.revision import Revisions
from edge.signature import Signer
from wire.status import Birth, CameraBirth, CameraHealth, Health, ReceiverHealth, VehicleBirth
from wire.update import ModelUpdate

if TYPE_CHECKING:
    from edge.model_keeper import ModelKeeper

log = logging.getLogger(__name__)

TICK_S = 0.5
DRAIN_S = 30.0
FAREWELL_S = 1.0
MEGABYTE = 1_000_000
VEHICLES_A_BIRTH = 200
LOOKS_AT_ONCE = 4
WATCHES_AT_ONCE = 8
TRACKS_OF_A_FLEET = 5_000
"""A message a report, 1,000 of them a second, and a hub that answers each second."""


class AlreadyRunning(RuntimeError):
    """Another agent uses the same folder; two would use each other's numbers."""


class Part(Protocol):
    """Something the agent keeps running; it puts what it has to tell into the outbox."""

    def start(self) -> None:
        """Begin."""

    def ask_to_stop(self) -> None:
        """Begin to end; returns at once."""

    def stop(self) -> None:
        """End; what is known is in the outbox afterwards."""

    def tick(self) -> None:
        """Time has passed."""

    @property
    def has_ended(self) -> bool:
        """Nothing will come any more: its sources were recordings."""
        ...

    @property
    def faults(self) -> list[str]:
        """What can never be done as configured."""
        ...


class Agent:
    """One device: its parts, its outbox and its link to the hub."""

    def __init__(self, config: EdgeConfig, config_rev: str = "") -> None:
        """Prepare everything; nothing is opened to the outside before `run`.

        Raises AlreadyRunning, BadKey, BadModel, BadGround, BadSource, BadSecret, BadBroker.
        """
        self._config_rev = config_rev
        self._began_s = time.monotonic()
        self._lock = locked(config.data_dir)
        self._revisions = Revisions(config.data_dir / "revision.json", config)
        self._config = config = self._revisions.config
        self._key = DeviceKey(config.data_dir / KEY_FILE)
        self._signer = Signer(self._key, self._revision)
        self._outbox = Outbox(
            config.data_dir / "outbox.db", config.device, now_ms, finish=self._signer.finish
        )
        self._orders = OrderDesk(config.data_dir / "orders.db", config.device, now_ms)
        self._link = Link(
            config.broker,
            self._outbox,
            Reports(
                self._births,
                self._health,
                self._orders.take,
                self._revisions.take,
                self._revisions.settings,
                self._take_update,
            ),
            now_ms,
            TRACKS_OF_A_FLEET if config.gateway else TRACKS_IN_FLIGHT,
        )
        self._models: ModelKeeper | None = None
        self._orders.offer("device.introduce", self._introduce, at_once=1)
        self._camera_births: Callable[[], list[CameraBirth]] = list
        self._vehicle_births: list[Callable[[], list[VehicleBirth]]] = []
        self._camera_health: Callable[[], list[CameraHealth]] = list
        self._receiver_health: list[Callable[[], list[ReceiverHealth]]] = []
        self._terminals: Callable[[], int] = int
        self._parts: list[Part] = []
        self._courses = courses_of(config)
        if config.cameras:
            self._add_cameras()
        if config.receivers:
            self._add_receivers()
        if config.gateway:
            self._add_terminals()

    # A vehicle unit has no OpenCV, a camera box no serial port: each imports its own side only.

    def _add_cameras(self) -> None:
        from edge.lookout import Lookout  # noqa: PLC0415

        lookout = Lookout(
            self._config, self._outbox, self._link.health_changed, self._courses, self._signer
        )
        self._models = lookout.models
        self._camera_births, self._camera_health = lookout.births, lookout.health
        self._parts.append(lookout)

        self._orders.offer("camera.snapshot", lookout.looks.snapshot, at_once=2)
        self._orders.offer("camera.look", lookout.looks.look, at_once=LOOKS_AT_ONCE)
        lookout.live.give_way = self._link.give_way
        self._orders.offer("camera.watch", lookout.live.watch, at_once=WATCHES_AT_ONCE)

        def adopt(cameras: Sequence[CameraConfig]) -> None:
            lookout.adopt(cameras)
            self._link.introduce()
            self._link.health_changed()

        self._revisions.on_adopt = adopt

    def _add_receivers(self) -> None:
        from edge.vehicles import Vehicles  # noqa: PLC0415

        vehicles = Vehicles(self._config, self._outbox, self._link.health_changed, self._courses)
        self._vehicle_births.append(vehicles.births)
        self._receiver_health.append(vehicles.health)
        self._parts.append(vehicles)

    def _add_terminals(self) -> None:
        from edge.terminals import Terminals  # noqa: PLC0415

        terminals = Terminals(self._config, self._outbox, self._link.health_changed)
        self._vehicle_births.append(terminals.births)
        self._receiver_health.append(terminals.health)
        self._terminals = lambda: terminals.connected
        self._orders.offer("terminal", terminals.carry_out)
        self._parts.append(terminals)

    def run(self, stop: threading.Event) -> list[str]:
        """Work until `stop`, or until all sources are recordings and over.

        In the second case the outbox is given 30 s to empty; what is left is sent next time.
        Returns what could not be done as configured.
        """
        self._link.start()
        for part in self._parts:
            part.start()
        try:
            while not stop.wait(TICK_S) and not all(part.has_ended for part in self._parts):
                for part in self._parts:
                    part.tick()
                self._orders.tick()
            self._drain(DRAIN_S, stop)
        finally:
            self._shut_down()
        return [fault for part in self._parts for fault in part.faults]

    def _drain(self, seconds: float, stop: threading.Event) -> None:
        """Wait for the hub's receipts, unless we are to stop."""
        deadline_s = time.monotonic() + seconds
        while self._outbox.depth() and not stop.is_set() and time.monotonic() < deadline_s:
            stop.wait(0.1)

    def _shut_down(self) -> None:
        for part in self._parts:
            part.ask_to_stop()
        for part in self._parts:
            part.stop()
        deadline_s = time.monotonic() + FAREWELL_S
        while self._has_news() and time.monotonic() < deadline_s:
            time.sleep(0.05)
        self._link.stop()
        if depth := self._outbox.depth():
            log.info("kept for the next start: %s", depth)
        self._revisions.close()
        self._orders.close()
        self._outbox.close()
        self._lock.close()

    def _has_news(self) -> bool:
        """Whether the last words can be told at once, which is kinder than after a restart."""
        return self._link.is_online and not {ALERT, TRACK}.isdisjoint(self._outbox.depth())

    def _births(self, session: int) -> list[Birth]:
        """Cameras and the first vehicles, then the vehicles that did not fit."""
        vehicles = [vehicle for births in self._vehicle_births for vehicle in births()]
        # Of an open gateway nobody knows all vehicles: none may be taken for given up.
        whole = not (self._config.gateway and self._config.gateway.open)
        first = self._birth(session, vehicles[:VEHICLES_A_BIRTH] if whole else [])
        later = range(VEHICLES_A_BIRTH if whole else 0, len(vehicles), VEHICLES_A_BIRTH)
        return [first] + [
            replace(first, cameras=[], vehicles=vehicles[at : at + VEHICLES_A_BIRTH], more=True)
            for at in later
        ]

    def _birth(self, session: int, vehicles: list[VehicleBirth]) -> Birth:
        return Birth(
            dev=self._config.device,
            epoch=self._outbox.epoch,
            session=session,
            ts=now_ms(),
            agent=version("tianyan"),
            model=self._models.title if self._models else "",
            config_rev=self._revision(),
            revision=self._revisions.number,
            generated=self._config.generated,
            cameras=self._camera_births(),
            vehicles=vehicles,
            key=self._key.public,
        )

    def _revision(self) -> str:
        """The device's file and the hub's revision in force."""
        number = self._revisions.number
        return self._config_rev + (f"+{number}" if number else "")

    def _health(self) -> Health:
        return Health(
            dev=self._config.device,
            ts=now_ms(),
            uptime_s=round(time.monotonic() - self._began_s, 1),
            outbox_depth=self._outbox.depth(),
            outbox_oldest_s=round(self._outbox.oldest_s(), 1),
            refused=self._outbox.refused_count(),
            disk_free_mb=round(shutil.disk_usage(self._config.data_dir).free / MEGABYTE, 1),
            cameras=self._camera_health(),
            receivers=[state for health in self._receiver_health for state in health()],
            terminals=self._terminals(),
            revision=self._revisions.number,
            model=self._models.state() if self._models else None,
        )

    def _introduce(self, _op: str, _args: dict[str, Any], _id: str) -> dict[str, Any]:
        """Say who we are once more: the hub may not have taken it when we came."""
        self._link.introduce()
        self._link.health_changed()
        return {}

    def _take_update(self, update: ModelUpdate) -> None:
        if self._models is not None:
            self._models.take(update)


def now_ms() -> int:
    """Wall clock, ms since 1970 UTC."""
    return int(time.time() * 1000)


def locked(folder: Path) -> IO[bytes]:
    """A file that holds `folder` for this process until it is closed.

    Raises AlreadyRunning.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file = (folder / "lock").open("wb")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        with suppress(OSError):
            file.close()
        raise AlreadyRunning(
            f"data_dir {folder}: another agent is running there; each needs a folder of its own"
        ) from None
    return file
