"""A real hub that answers pages, for as long as a block lasts."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from hub.app import Hub, create_app


@contextmanager
def answering(hub: Hub, port: int) -> Iterator[str]:
    """The address of a hub."""
    app = create_app(hub.config, hub)
    server = uvicorn.Server(
        uvicorn.Config(app, port=port, log_level="error", timeout_graceful_shutdown=1)
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{port}"
    hub.bus.close()
    server.should_exit = True
    thread.join(timeout=10)
