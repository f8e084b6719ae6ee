"""What `tianyan hub …` does: run, more processes beside it, migrate, check."""

import gc
import logging
import secrets
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import uvicorn

from hub import audit, auth, base_map, config as settings
from hub.app import Hub, create_app
from hub.config import HubConfig
from hub.datasets import store as dataset_store
from hub.datasets.archive import write_folder
from hub.datasets.dataset import Choice, summary
from hub.datasets.store import Wanted
from hub.errors import BadConfig, HubError
from hub.evidence.store import Vault
from hub.grid import store as grid_store
from hub.grid.errors import GridError
from hub.grid.geojson import load_document, problems
from hub.grid.places import Places
from hub.ingest import Ingest, password
from hub.judging import Judge
from hub.models import api as models_api
from hub.models.store import Shelf
from hub.pipeline import Site, grids_changed
from hub.proof.picture import Cover
from hub.roles import Actor, Role
from hub.store import Store, now
from hub.tracks.errors import TrackError
from hub.tracks.settings import settings_of
from wire.bundle import pack

log = logging.getLogger(__name__)

STOP_S = 2

Ready = Callable[["Running"], None]


class Running:
    """A hub that serves: its address, and how to stop it."""

    def __init__(self, url: str, server: uvicorn.Server, hub: Hub) -> None:
        """Remember what has to be stopped."""
        self.url = url
        self.hub = hub
        self._server = server

    def stop(self) -> None:
        """Ask the hub to stop; `run` returns soon after."""
        self.hub.bus.close()
        self._server.should_exit = True


class _Server(uvicorn.Server):
    """A server that says when it serves, and whose streams end when it is told to stop."""

    def __init__(self, config: uvicorn.Config, hub: Hub, ready: Callable[[], None]) -> None:
        """Call `ready` once the port answers."""
        super().__init__(config)
        self._hub = hub
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then tell."""
        await super().startup(sockets)
        if self.started:
            settle()
            self._ready()

    def handle_exit(self, sig: int, _frame: FrameType | None) -> None:
        """End the event streams first: open ones would hold the server.

        The signal is not raised again afterwards: a stop that was asked for is no failure.
        """
        self._hub.bus.close()
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.should_exit = True


def settle() -> None:
    """Let the collector of garbage look no more at what is here to stay.

    Going through all of it stopped every thread of a hub for 0.2 to 0.4 s, now for 0.05.
    """
    gc.collect()
    gc.freeze()


def load(path: Path) -> HubConfig:
    """Read a configuration and check the files it names.

    Raises BadConfig with every error.
    """
    config = settings.load(path)
    errors = [*settings.check(config), *base_map.faults_of(config.base_map)]
    try:
        settings_of(config.vehicles.thresholds)
    except TrackError as fault:
        errors.append(f"vehicles.thresholds.{fault}")
    if errors:
        raise BadConfig(path, errors)
    return config


def check(path: Path) -> list[str]:
    """Every error of a configuration and of the grids it names; empty when all is well."""
    try:
        config = load(path)
    except BadConfig as fault:
        return fault.errors
    errors = []
    for i, grids in enumerate(config.grids):
        try:
            found = list(problems(load_document(grids)))
        except GridError as fault:
            found = list(fault.problems)
        errors += [f"grids.{i}: {p.where}: {p.message} ({p.allowed})" for p in found]
    return errors


def migrate(path: Path) -> int:
    """Bring the database up to this program's schema.

    Raises SchemaError when it is newer.
    """
    config = load(path)
    config.data_dir.mkdir(parents=True, exist_ok=True)
    store = Store(config.database_url)
    before, after = store.migrate()
    log.info("%s: schema %s, now %s", store.name, before or "none", after)
    store.close()
    return 0


def export_dataset(
    path: Path, out: Path, wanted: Wanted, choice: Choice
) -> Iterator[dict[str, Any]]:
    """Write what people decided as a labelled data set to the folder `out`; a summary.

    Raises HubError.
    """
    config = load(path)
    store = Store(config.database_url)
    try:
        store.check_schema()
        with store.read() as tx:
            dataset = dataset_store.read(tx, config, wanted, choice)
        vault = Vault(config.data_dir / "evidence")
        write_folder(dataset, vault, config.learning, config.name, out)
    finally:
        store.close()
    yield {"summary": {"folder": str(out), **summary(dataset)}}


def add_model(path: Path, folder: Path) -> Iterator[dict[str, Any]]:
    """Take a promoted model's folder in, so that it can be rolled out; what was added.

    Raises HubError, BadBundle, OSError.
    """
    config = load(path)
    store = Store(config.database_url)
    shelf = Shelf(config.data_dir / "models")
    file = shelf.incoming / f"{secrets.token_hex(8)}.tmp"
    try:
        store.check_schema()
        pack(folder, file)
        model = models_api.add_model(store, shelf, file, Actor("command line", Role.ADMIN))
    finally:
        file.unlink(missing_ok=True)
        store.close()
    yield {
        "model": model.name,
        "version": model.version,
        "sha256": model.sha256,
        "size": model.size,
    }


def verify_audit(path: Path) -> list[str]:
    """Every break of the chain of acts, a sentence each; empty when nobody touched it."""
    store = Store(load(path).database_url)
    store.check_schema()
    with store.read() as tx:
        faults = audit.verify(tx)
    store.close()
    return faults


def run(path: Path, ready: Ready | None = None, cover: Cover | None = None) -> int:
    """Serve until told to stop (SIGTERM, SIGINT, or `Running.stop` from another thread).

    An empty database gets its schema, an older one is brought up to date, a newer one refused.
    `ready` is called when the hub serves. `cover`: covers faces and plates in photos.
    Raises HubError when it cannot start.
    """
    config = load(path)
    password(config.broker)
    store = _open(config)
    token_file = auth.issue_first_token(store, config.data_dir)
    if token_file is not None:
        log.info("A token for the administrator is in %s", token_file)
    listener = _listen(config)
    host, port = listener.getsockname()[:2]
    url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    if not config.public_url:
        config = config.model_copy(update={"public_url": url})
    hub = Hub.build(config, store, cover)
    app = create_app(config, hub)
    server = _Server(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=STOP_S,
        ),
        hub,
        lambda: ready(running) if ready is not None else None,
    )
    running = Running(url, server, hub)
    log.info("Hub %s serves %s", config.name, url)
    server.run(sockets=[listener])
    listener.close()
    return 0


def ingest(path: Path, ready: Callable[[], None] | None = None) -> int:
    """Be one more member that stores alerts and tracks; serve no pages. Returns on SIGTERM."""
    with _beside(load(path)) as (store, site, stopping):
        members = Ingest(store, site, is_host=False)
        members.start()
        if ready is not None and members.wait_connected(30):
            ready()
        stopping.wait()
        members.stop()
    return 0


def judge(path: Path, ready: Callable[[], None] | None = None) -> int:
    """Judge vehicles in a process of its own, beside `run`. Returns on SIGTERM.

    Raises HubError when `run` judges already.
    """
    config = load(path)
    if config.vehicles.judge:
        raise HubError(
            "vehicles.judge is true: tianyan hub run judges already; "
            "false leaves it to this process"
        )
    with _beside(config) as (store, site, stopping):
        judging = Judge(store, site, lambda: False)
        judging.start()
        if ready is not None:
            ready()
        stopping.wait()
        judging.stop()
    return 0


@contextmanager
def _beside(config: HubConfig) -> Iterator[tuple[Store, Site, threading.Event]]:
    """What a process beside the hub works with; the event is set when it is told to stop."""
    store = Store(config.database_url)
    before, head = store.check_schema()
    if before != head:
        raise HubError(f"{store.name}: schema {before}, needed {head}: tianyan hub migrate")
    places = Places()
    grid_store.load(store, places)
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    yield store, Site(config, places, Vault(config.data_dir / "evidence")), stopping
    store.close()


def bring_in_grids(store: Store, config: HubConfig) -> None:
    """Import the grid files of a configuration that are new or changed.

    Raises HubError with every problem of a file.
    """
    for path in config.grids:
        try:
            document = load_document(path)
            with store.write() as tx:
                if grid_store.is_here(tx, str(path), document):
                    continue
                done = grid_store.bring_in(tx, document, at=now(), actor="config", source=str(path))
                places = Places()
                grid_store.refresh(tx, places)
                grids_changed(tx, places)
        except GridError as fault:
            raise HubError(f"{path}:\n{fault}") from None
        log.info("%s: %d grids, %d new or changed", path, done.grids, done.changed)


def _open(config: HubConfig) -> Store:
    config.data_dir.mkdir(parents=True, exist_ok=True)
    store = Store(config.database_url)
    store.migrate()
    bring_in_grids(store, config)
    return store


def _listen(config: HubConfig) -> socket.socket:
    listen = config.listen
    family = socket.AF_INET6 if ":" in listen.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((listen.host, listen.port))
    except OSError as fault:
        listener.close()
        raise HubError(
            f"listen: {listen.host}:{listen.port} cannot be used ({fault.strerror}); "
            f"stop the other program or choose another port"
        ) from None
    listener.listen(2048)
    return listener
