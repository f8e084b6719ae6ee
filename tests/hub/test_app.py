"""The order in which a hub stops."""

import asyncio

from hub import app
from tests.hub.client import Client
from tests.hub.test_api import LOCAL, hub  # noqa: F401

LOOPS = ("keep_house", "watch_patrols", "make_reports", "keep_telling")


def test_loops_end_before_what_they_need_is_closed(hub, monkeypatch):  # noqa: F811
    order = []

    def loop(name):
        async def run(*_):
            try:
                await asyncio.Event().wait()
            finally:
                order.append(name)

        return run

    for name in LOOPS:
        monkeypatch.setattr(app, name, loop(name))
    monkeypatch.setattr(hub.ingest, "start", lambda: None)
    monkeypatch.setattr(hub.ingest, "stop", lambda: order.append("ingest"))
    monkeypatch.setattr(hub.store, "close", lambda: order.append("store"))
    with Client(app.create_app(hub.config, hub), **LOCAL):
        assert order == []
    assert {*order[: len(LOOPS)]} == {*LOOPS}
    assert order[len(LOOPS) :] == ["ingest", "store"]
