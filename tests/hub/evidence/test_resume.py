"""The edge's upload against the hub's real server, through a line that is cut in the middle."""

import hashlib
import threading
import time
from http.client import HTTPException

import pytest
import uvicorn

from edge.detect.clip import Clip, make_clip
from edge.detect.faces import NoFinder
from edge.upload import RESUMED_FROM, upload
from hub.app import Hub, create_app
from hub.evidence.file import signed_path
from hub.store import now, to_ms
from tests.edge.detect.test_clip import _shots
from tests.hub.world import make_site
from tests.servers.port import free_port
from tests.servers.proxy import Proxy


@pytest.fixture
def hub(sqlite_store, tmp_path):
    site = make_site(sqlite_store, tmp_path)
    return Hub.build(site.config, sqlite_store)


@pytest.fixture
def line(hub):
    """A line to the hub's real HTTP server."""
    app = create_app(hub.config, hub)
    settings = uvicorn.Config(
        app, port=free_port(), log_config=None, lifespan="off", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(settings)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    proxy = Proxy(settings.port)
    yield proxy
    proxy.close()
    server.should_exit = True
    thread.join(5)


def test_a_clip_goes_on_where_the_line_was_cut(hub, line, tmp_path):
    film = make_clip(Clip("gate", _shots(range(3))), NoFinder()).data
    # A free box at its end makes the clip long and keeps it a clip.
    size = 4 * RESUMED_FROM
    film += (size - len(film)).to_bytes(4, "big") + b"free" + bytes(size - len(film) - 8)
    path, sha256 = tmp_path / "clip.mp4", hashlib.sha256(film).hexdigest()
    path.write_bytes(film)
    target = signed_path(
        hub.site.vault.key, sha256, dev="cam-1", size=size, kind="video/mp4",
        exp=to_ms(now()) + 60_000,
    )  # fmt: skip
    url = f"http://127.0.0.1:{line.port}{target}"
    sent = []

    def cut_after_half():
        sent.append(1)
        if len(sent) == 9:
            time.sleep(0.5)
            line.cut()

    with pytest.raises((OSError, HTTPException)):
        upload(url, path, "video/mp4", give_way=cut_after_half)
    line.mend()
    (part,) = hub.site.vault.incoming.iterdir()
    deadline = time.monotonic() + 5
    while not (here := part.stat().st_size) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert 0 < here < size
    again = []
    assert upload(url, path, "video/mp4", give_way=lambda: again.append(1)).is_stored
    assert len(again) < size // 65_536, "not all of it was sent again"
    assert hub.site.vault.read(sha256) == film
    assert list(hub.site.vault.incoming.iterdir()) == []
