"""Live pictures on request: for their time, to whom somebody looks, covered, after any alert."""

import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import cv2
import numpy as np
import pytest

from edge import live
from edge.camera.frame import Frame, Whole
from edge.config import CameraConfig
from edge.detect.detection import Detection
from edge.detect.faces import NoFinder
from edge.live import LiveDesk
from edge.looks import Requests
from edge.orders import OrderFailed
from tests.edge.detect.scripted import START, Scripted, street
from tests.hub.broker import wait_for
from wire.looks import WatchArgs
from wire.status import CameraState

PERSON = Detection("person", 0.9, 0.4, 0.3, 0.2, 0.6)


class Taker(ThreadingHTTPServer):
    """Takes pictures as the hub does; `says` is the answer to each."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Putting)
        self.says, self.taken, self.came = 204, [], threading.Event()
        threading.Thread(target=self.serve_forever, args=[0.05], daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/live/box-1/gate?exp=1&sig=a"


class Putting(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_PUT(self):
        data = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.taken.append((self.path, dict(self.headers), data))
        self.server.came.set()
        self.send_response(self.server.says)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


class Post:
    """A camera that shows a person before a brick wall, frame after frame."""

    def __init__(self):
        self.camera, self.requests = CameraConfig(id="gate"), Requests()
        self.state = CameraState.OK
        self._stop = threading.Event()
        grain = np.random.default_rng(7).integers(0, 255, (720, 1280, 3), np.uint8)
        self.picture = cv2.addWeighted(street(size=(1280, 720)), 0.5, grain, 0.5, 0)

    def run(self):
        def hand_in():
            number = 0
            while not self._stop.wait(0.02):
                at = START + timedelta(seconds=number)
                self.requests.offer(Frame(Whole(self.picture), at, float(number), number))
                number += 1

        threading.Thread(target=hand_in, daemon=True).start()

    def stop(self):
        self._stop.set()


@pytest.fixture
def post():
    made = Post()
    yield made
    made.stop()


@pytest.fixture
def taker():
    server = Taker()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def desk(post):
    made = LiveDesk({"gate": post}, Scripted(lambda _: [PERSON]), NoFinder())
    yield made
    made.ask_to_stop()


def wanted(taker, **more):
    return {"camera": "gate", "url": taker.url, "seconds": 60, "per_s": 4, **more}


def begun(desk, arguments):
    """A watch on a thread of its own, and what became of it."""
    told = []
    thread = threading.Thread(target=lambda: told.append(desk.watch("watch", arguments)))
    thread.start()
    return thread, told


def test_pictures_are_sent_for_the_stated_time(desk, post, taker):
    post.run()
    given = wanted(taker, seconds=5, per_s=4)
    told = desk.watch("watch", given)
    assert told["ended"] == "time"
    assert 1 <= told["pictures"] <= 21
    assert told["pictures"] == len(taker.taken)
    assert told["bytes"] == sum(len(data) for _, _, data in taker.taken)
    path, headers, data = taker.taken[0]
    assert path == "/live/box-1/gate?exp=1&sig=a"
    assert (headers["Content-Type"], headers["X-Sight"]) == ("image/jpeg", "ok")
    assert int(headers["X-Taken-Ms"]) >= START.timestamp() * 1000
    assert not post.requests.any
    assert cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR).shape[1] <= 960


def test_heads_are_covered_and_a_picture_keeps_its_bounds(desk, post):
    args = WatchArgs(camera="gate", url="http://x/y?z", longest=640, most_bytes=40_000)
    data = desk.picture(Frame(Whole(post.picture), START, 0.0, 0), args)
    assert len(data) <= 40_000
    shown = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert max(shown.shape) <= 640
    height, width = shown.shape
    head = shown[int(0.34 * height) : int(0.4 * height), int(0.45 * width) : int(0.55 * width)]
    legs = shown[int(0.74 * height) : int(0.8 * height), int(0.45 * width) : int(0.55 * width)]
    edges = [np.abs(np.diff(part.astype(float), axis=1)).mean() for part in (head, legs)]
    assert edges[0] < edges[1] / 2, "the head is a mosaic, the legs are not"


def test_it_ends_when_nobody_looks(desk, post, taker):
    taker.says = 410
    post.run()
    assert desk.watch("watch", wanted(taker))["ended"] == "nobody"
    assert len(taker.taken) == 1


def test_a_later_order_goes_on_where_one_is_under_way(desk, post, taker):
    post.run()
    first, told = begun(desk, wanted(taker))
    assert taker.came.wait(60)
    second, _ = begun(desk, wanted(taker))
    first.join(60)
    assert told[0]["ended"] == "continued"
    so_far = len(taker.taken)
    wait_for(lambda: len(taker.taken) > so_far, 60)
    desk.ask_to_stop()
    second.join(60)
    assert not second.is_alive()


def test_no_picture_goes_before_an_alert(desk, post, taker):
    may_go, asked = threading.Event(), threading.Event()

    def give_way():
        asked.set()
        may_go.wait(60)

    desk.give_way = give_way
    post.run()
    thread, _ = begun(desk, wanted(taker))
    assert asked.wait(60)
    assert taker.taken == []
    may_go.set()
    assert taker.came.wait(60)
    desk.ask_to_stop()
    thread.join(60)


def test_only_so_many_cameras_are_watched_at_a_time(post, taker, monkeypatch):
    monkeypatch.setattr(live, "MOST_CAMERAS", 1)
    desk = LiveDesk({"gate": post, "yard": Post()}, Scripted(lambda _: []), NoFinder())
    post.run()
    thread, _ = begun(desk, wanted(taker))
    assert taker.came.wait(60)
    with pytest.raises(OrderFailed, match="gate are watched already; 1 at a time"):
        desk.watch("watch", wanted(taker, camera="yard"))
    desk.ask_to_stop()
    thread.join(60)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"camera": "yard"}, "this device has no 'yard' \\(it has gate\\)"),
        ({"url": "file:///etc/passwd"}, "url"),
        ({"per_s": 25}, "per_s"),
        ({"seconds": 3600}, "seconds"),
    ],
)
def test_what_cannot_be_watched_says_why(desk, taker, given, why):
    with pytest.raises(OrderFailed, match=why):
        desk.watch("watch", wanted(taker) | given)


def test_a_hub_that_refuses_or_is_away_ends_it(desk, post, taker):
    post.run()
    taker.says = 403
    with pytest.raises(OrderFailed, match="the hub answered 403"):
        desk.watch("watch", wanted(taker))
    away = wanted(taker, url="http://127.0.0.1:9/live?x")
    with pytest.raises(OrderFailed, match="cannot be sent"):
        desk.watch("watch", away)


def test_a_camera_that_gives_nothing_says_what_it_is(desk, post, taker, monkeypatch):
    post.state = CameraState.STALLED
    monkeypatch.setattr(live, "FRAME_WAIT_S", 0.01)
    with pytest.raises(OrderFailed, match="gives no picture: it is stalled"):
        desk.watch("watch", wanted(taker, seconds=5))
