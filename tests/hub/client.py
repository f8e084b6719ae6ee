"""Calls to an app without a socket, all tests of a process on one event loop.

Starlette's client starts a loop in a thread, and its workers, anew for every single call: nearly
half of what a short call costs.
"""

from contextlib import ExitStack

from anyio.from_thread import start_blocking_portal
from starlette.testclient import TestClient

_running = ExitStack()
_loops = []


class Client(TestClient):
    """A client whose app starts and stops in a `with` alone, as Starlette's."""

    def __init__(self, app, **options):
        super().__init__(app, **options)
        if not _loops:
            _loops.append(_running.enter_context(start_blocking_portal()))
        self.portal = _loops[0]


def close():
    """Ends the loop; the next client starts another."""
    _loops.clear()
    _running.close()
