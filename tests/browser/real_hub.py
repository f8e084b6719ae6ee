"""A real hub behind a port, for pages that need more than the made-up city."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hub import auth
from hub.app import Hub
from hub.roles import Role
from hub.store import Store
from tests.browser.running import answering
from tests.hub.world import make_site
from tests.servers.port import free_port


@contextmanager
def real_hub(
    folder: Path, furnish: Callable[[Hub], None], **settings: Any
) -> Iterator[tuple[str, str]]:
    """Address of a hub on SQLite, without a broker, and an administrator's token."""
    store = Store(f"sqlite:///{folder}/hub.sqlite")
    store.migrate()
    port = free_port()
    site = make_site(store, folder, broker={"port": 1}, listen={"port": port}, **settings)
    hub = Hub.build(site.config, store)
    furnish(hub)
    with store.write() as tx:
        token = auth.issue_token(tx, "root", Role.ADMIN)
    with answering(hub, port) as url:
        yield url, token
