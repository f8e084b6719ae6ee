"""A real hub behind a port, for pages that need more than the made-up city."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn

from hub import auth
from hub.app import Hub, create_app
from hub.roles import Role
from hub.store import Store
from tests.hub.world import make_site


@contextmanager
def real_hub(
    folder: Path, furnish: Callable[[Hub], None], **settings: Any
) -> Iterator[tuple[str, str]]:
    """Address of a hub on SQLite, without a broker, and an administrator's token."""
    store = Store(f"sqlite:///{folder}/hub.sqlite")
    store.migrate()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    site = make_site(store, folder, broker={"port": 1}, listen={"port": port}, **settings)
    hub = Hub.build(site.config, store)
    furnish(hub)
    with store.write() as tx:
        token = auth.issue_token(tx, "root", Role.ADMIN)
    server = uvicorn.Server(
        uvicorn.Config(
            create_app(site.config, hub), port=port, log_level="error", timeout_graceful_shutdown=1
        )
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{port}", token
    hub.bus.close()
    server.should_exit = True
    thread.join(timeout=10)
