"""Terminals → reports → outbox: the JT/T 808 server of a device, on a thread of its own."""

import asyncio
import logging
import resource
import secrets
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from edge.config import GATEWAY, STANDARD_PROFILE, EdgeConfig, GatewayConfig, ProfileConfig
from edge.gps.alarms import AlarmDesk, Cover
from edge.gps.commands import plain
from edge.gps.errors import GpsError
from edge.gps.gateway import ANSWER_S, Absent, CannotListen, Gateway, Limits
from edge.gps.jt808.orders import SHOT
from edge.gps.jt808.session import Fleet, Reply
from edge.gps.profile import own_values
from edge.gps.reports import STANDARD, OutboxReports
from edge.orders import NotYet, OrderFailed
from edge.outbox import Outbox
from wire.coded import coded, words_of
from wire.status import ReceiverHealth, ReceiverState, VehicleBirth

log = logging.getLogger(__name__)

POLL_S = 0.2
RETRY_S = 5.0
STOP_TIMEOUT_S = 5.0
OWN_FILES = 100
PHOTO = "photo"
SECRET_BYTES = 32
_FAILED = coded("terminal_failed", "failed")
RESULTS = {
    1: _FAILED,
    2: coded("wrong_message", "the message is wrong"),
    3: coded("not_supported", "not supported"),
}
SHOT_RESULTS = {1: _FAILED, 2: coded("no_channel", "it has no such channel")}
STOPPED = coded("terminals_stopped", "the server of the terminals has stopped")


class BadSecret(GpsError):
    """The key of the authentication codes cannot be read."""


class Terminals:
    """All vehicle terminals that talk to this device."""

    def __init__(self, config: EdgeConfig, outbox: Outbox, on_change: Callable[[], None]) -> None:
        """Prepare; nothing listens before `start`.

        `on_change`: the server's state has changed. Raises BadSecret.
        """
        self._config = config.gateway or GatewayConfig(open=True)
        self._fleet = Fleet(
            {_key(digits): each.vehicle for digits, each in self._config.terminals.items()},
            secret_of(self._config, config.data_dir),
            is_open=self._config.open,
        )
        self._alarms = AlarmDesk(
            outbox, config.data_dir / "open-alarms", self._config.alerts, _cover(config.model)
        )
        self._profiles = _profiles(self._config)
        self._reports = OutboxReports(outbox, self._profiles, self._alarms)
        self._on_change = on_change
        self._gateway: Gateway | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._state, self._since = ReceiverState.STARTING, datetime.now(UTC)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="terminals", daemon=True)

    def start(self) -> None:
        """Listen from now on; an address that is in use is tried again."""
        _allow_files(self._config.connections + OWN_FILES)
        self._thread.start()

    def ask_to_stop(self) -> None:
        """Let the server end as soon as it can; returns at once."""
        self._stop.set()

    def stop(self) -> None:
        """Stop; what terminals were told is kept is in the outbox."""
        self.ask_to_stop()
        self._thread.join(STOP_TIMEOUT_S)

    def tick(self) -> None:
        """Nothing to do: the server has its own clock."""

    @property
    def has_ended(self) -> bool:
        """Never: terminals may always come."""
        return False

    @property
    def faults(self) -> list[str]:
        """None: what fails is tried again."""
        return []

    def births(self) -> list[VehicleBirth]:
        """The vehicles as configured."""
        return [
            VehicleBirth(each.vehicle, each.plate, each.kind)
            for each in self._config.terminals.values()
        ]

    def health(self) -> list[ReceiverHealth]:
        """Whether the server listens."""
        return [ReceiverHealth(GATEWAY, self._state, int(self._since.timestamp() * 1000))]

    @property
    def connected(self) -> int:
        """How many terminals are connected and known."""
        return len(self._gateway.connected) if self._gateway else 0

    def carry_out(self, name: str, arguments: dict[str, Any], order: str = "") -> dict[str, Any]:
        """Give the order `name` (see `jt808.orders`) to the terminal of `vehicle`.

        Gives what the terminal answers; `result` 0 where it only says that it is done.
        Raises OrderFailed; NotYet where the terminal is known and merely absent.
        """
        given = dict(arguments)
        vehicle = given.pop("vehicle", None)
        terminal = self._terminal_of(vehicle)
        profile = self._profiles.get(str(vehicle), STANDARD)
        if name == "doors":
            given.setdefault("as_2013", profile.doors_as_2013)
        gateway, loop = self._gateway, self._loop
        if gateway is None or loop is None:
            raise OrderFailed(coded("no_terminals", "the server of the terminals does not run"))
        if name == PHOTO:
            self._alarms.expect(str(vehicle), order)
        asked = asyncio.run_coroutine_threadsafe(gateway.ask(terminal, name, given), loop)
        try:
            reply = asked.result(ANSWER_S + 1)
        except Absent as fault:
            is_known = terminal in self._fleet.vehicles or gateway.knows(terminal)
            raise (NotYet if is_known else OrderFailed)(words_of(fault)) from None
        except (GpsError, TimeoutError, CancelledError) as fault:
            raise OrderFailed(words_of(fault) or STOPPED) from None
        if result := reply.values.get("result", 0):
            meaning = SHOT_RESULTS if reply.msg_id == SHOT else RESULTS
            said = meaning.get(result, f"result {result}")
            raise OrderFailed(coded("terminal_says", "the terminal says: {what}", what=said))
        return {name: plain(value) for name, value in _with_own_values(profile, reply)}

    def _terminal_of(self, vehicle: object) -> str:
        for terminal, name in self._fleet.vehicles.items():
            if name == vehicle:
                return terminal
        if self._fleet.is_open and isinstance(vehicle, str) and vehicle:
            return vehicle
        message = "vehicle {vehicle!r} has no terminal here"
        raise OrderFailed(coded("no_terminal", message, vehicle=vehicle))

    def code(self, digits: str) -> str:
        """Give the authentication code of a terminal."""
        return self._fleet.code(_key(digits))

    def _run(self) -> None:
        asyncio.run(self._serve_forever())
        log.info("fixes of terminals: %s", dict(self._reports.verdicts) or "none")

    async def _serve_forever(self) -> None:
        while not self._stop.is_set():
            try:
                await self._serve()
            except CannotListen as fault:
                self._change(ReceiverState.LOST, fault)
            except Exception as fault:
                log.exception("the server of the terminals failed; trying again")
                self._change(ReceiverState.LOST, fault)
            await asyncio.to_thread(self._stop.wait, RETRY_S)

    async def _serve(self) -> None:
        config = self._config
        limits = Limits(config.connections, config.login_s, config.idle_s)
        gateway = Gateway(
            self._fleet, self._reports, host=config.host, port=config.port, limits=limits
        )
        async with gateway:
            self._gateway, self._loop = gateway, asyncio.get_running_loop()
            self._change(ReceiverState.OK)
            while not await asyncio.to_thread(self._stop.wait, POLL_S):
                pass

    def _change(self, state: ReceiverState, because: Exception | None = None) -> None:
        if state == self._state:
            return
        if because is not None:
            log.error("%s; trying again every %.0f s", because, RETRY_S)
        self._state, self._since = state, datetime.now(UTC)
        self._on_change()


def _cover(model: str) -> Cover:
    """What covers faces in photographs, where OpenCV is installed; else they stay sealed."""
    try:
        from edge.detect.cover import Cover as Covering  # noqa: PLC0415
    except ImportError as fault:
        log.info("photographs of terminals stay sealed: %s; pip install 'tianyan[edge]'", fault)
        return lambda _: None
    return Covering(model).cover


def secret_of(config: GatewayConfig, folder: Path) -> bytes:
    """Read the key of the authentication codes; without a file of its own draw it once.

    Raises BadSecret.
    """
    path = config.secret_file or folder / "gateway.secret"
    try:
        if config.secret_file is None and not path.exists():
            path.touch(mode=0o600)
            path.write_text(secrets.token_hex(SECRET_BYTES) + "\n", encoding="ascii")
        secret = path.read_bytes().strip()
    except OSError as fault:
        raise BadSecret(f"gateway.secret_file: {path}: {fault.strerror}") from None
    if not secret:
        raise BadSecret(f"gateway.secret_file: {path}: is empty; it must hold the secret")
    return secret


def _profiles(config: GatewayConfig) -> dict[str, ProfileConfig]:
    """Profiles by vehicle."""
    known = {STANDARD_PROFILE: ProfileConfig()} | config.profiles
    return {each.vehicle: known[each.profile] for each in config.terminals.values()}


def _with_own_values(profile: ProfileConfig, reply: Reply) -> Iterator[tuple[str, Any]]:
    """What a terminal answered, and what its model's own items in a position say."""
    yield from reply.values.items()
    for position in reply.values.get("positions", ()):
        if said := own_values(profile, position):
            yield "own_values", said


def _key(digits: str) -> str:
    return digits.lstrip("0") or "0"


def _allow_files(count: int) -> None:
    """Let this process hold so many connections, as far as the system allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count if hard == resource.RLIM_INFINITY else min(count, hard)
    if wanted > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    if wanted < count:
        log.warning("gateway.connections: the system allows %d open files, %d needed: raise"
                    " LimitNOFILE or ulimit -n", wanted, count)  # fmt: skip
