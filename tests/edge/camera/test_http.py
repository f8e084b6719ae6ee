import base64
import threading
import time
from datetime import UTC, datetime
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise

import pytest

from edge.camera import stream
from edge.camera.errors import SourceLost
from edge.camera.sources import open_source
from edge.config import CameraConfig
from tests.edge.camera.footage import moving_square, record
from tests.servers.mjpeg import MjpegServer


def camera(url, **settings):
    return CameraConfig(id="gate", source=url, **settings)


def picture(second):
    return moving_square(second, (320, 180))


def test_motion_jpeg_is_timed_as_it_comes():
    heard = []
    with MjpegServer(picture) as server:
        source = open_source(camera(server.url, looks_per_s=4), heard=lambda: heard.append(1))
        timed = [(datetime.now(UTC), next(source), datetime.now(UTC)) for _ in range(5)]
        source.close()
    frames = [frame for _, frame, _ in timed]
    assert frames[0].image.shape == (180, 320, 3)
    assert [frame.index for frame in frames] == [0, 1, 2, 3, 4]
    gaps = [b.t_s - a.t_s for a, b in pairwise(frames[1:])]
    assert all(gap > 0.1 for gap in gaps)
    assert all(asked <= frame.at <= given for asked, frame, given in timed)
    assert len(heard) > len(frames)


def test_a_camera_that_goes_silent_or_away_is_lost(monkeypatch):
    monkeypatch.setattr(stream, "READ_TIMEOUT_S", 4.0)
    with MjpegServer(picture) as server:
        source = open_source(camera(server.url, looks_per_s=5))
        next(source)
        server.silent.set()
        with pytest.raises(SourceLost, match="went silent"):
            list(source)
        url = server.url
    with pytest.raises(SourceLost, match="Connection refused"):
        list(open_source(camera(url)))


@pytest.mark.parametrize("login", ["admin:geheim", "admin:falsch"])
def test_a_camera_with_a_password(login):
    secret = "Basic " + base64.b64encode(b"admin:geheim").decode()
    with MjpegServer(picture, login=secret) as server:
        source = open_source(camera(server.url.replace("://", f"://{login}@")))
        if login == "admin:geheim":
            assert next(source).image.shape == (180, 320, 3)
            source.close()
            return
        with pytest.raises(SourceLost, match="user or password refused") as refused:
            next(source)
    assert "falsch" not in str(refused.value)
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture
def folder(tmp_path):
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=tmp_path)) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield tmp_path, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_recording_on_a_server_is_played_at_its_own_pace_and_ends(folder):
    path, url = folder
    record(path / "street.mp4", seconds=1.5)
    begun = time.monotonic()
    frames = list(open_source(camera(f"{url}/street.mp4", looks_per_s=5)))
    assert time.monotonic() - begun > 1
    assert len(frames) == 8
    with pytest.raises(SourceLost, match="Not Found"):
        list(open_source(camera(f"{url}/nowhere.mp4")))


def test_what_is_not_video_is_said_so(folder):
    path, url = folder
    (path / "page").write_text("<html>login</html>" * 100)
    with pytest.raises(SourceLost, match="not video"):
        list(open_source(camera(f"{url}/page")))
