"""A server that answers pages, for as long as a block lasts."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

from hub.app import Hub, create_app


@contextmanager
def listening(app: Any, port: int) -> Iterator[str]:
    """The address of an application."""
    server = uvicorn.Server(
        uvicorn.Config(app, port=port, log_level="error", timeout_graceful_shutdown=1)
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), f"no server came up at port {port}"
        time.sleep(0.02)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(timeout=10)


@contextmanager
def answering(hub: Hub, port: int) -> Iterator[str]:
    """The address of a hub."""
    with listening(create_app(hub.config, hub), port) as url:
        try:
            yield url
        finally:
            hub.bus.close()
