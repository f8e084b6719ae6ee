"""Looks on request: fresh frames only, spread over their time, and never waited for in vain."""

import threading
import time
from datetime import timedelta

import msgspec
import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from edge import looks
from edge.camera.frame import Frame, Whole
from edge.config import CameraConfig
from edge.detect.detection import Detection
from edge.device_key import DeviceKey
from edge.looks import LookDesk, Request, Requests
from edge.orders import OrderFailed
from edge.outbox import Outbox
from edge.place_memory import PlaceMemory
from edge.show import Shower
from edge.signature import Signer
from tests.edge.detect.scripted import START, Scripted, noisy, street
from tests.edge.test_signature import raw
from wire.alert import EvidenceRef
from wire.statement import Scene, signed_bytes, statement_of
from wire.status import CameraState

BOX = {"x": 0.4, "y": 0.4, "w": 0.2, "h": 0.3}


class Post:
    """A camera whose frames the test hands in."""

    def __init__(self, **settings):
        self.camera = CameraConfig(id="gate", **settings)
        self.requests = Requests()
        self.state = CameraState.OK
        self._stop = threading.Event()

    def run(self, sight=CameraState.OK):
        def hand_in():
            number = 0
            while not self._stop.wait(0.1):
                picture = noisy(noisy(street(), number), number // 16, sigma=3)  # never the same
                at = START + timedelta(seconds=number)
                self.requests.offer(Frame(Whole(picture), at, float(number), number, sight))
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
def desk(post, tmp_path):
    detector = Scripted(lambda _: [Detection("garbage", 0.9, 0.4, 0.4, 0.2, 0.3)])
    return LookDesk({"gate": post}, detector, PlaceMemory(tmp_path / "places"), None)


def test_the_first_frame_may_be_an_old_one_and_is_not_taken():
    taken = []
    request = Request(2, 0, taken.append)
    frames = [Frame(Whole(np.zeros((2, 2, 3), np.uint8)), START, float(i), i) for i in range(4)]
    for frame in frames:
        request.offer(frame)
    assert [frame.index for frame in taken] == [1, 2]
    assert request.done.is_set()


def test_looks_are_spread_over_the_stated_time(desk, post, monkeypatch):
    monkeypatch.setattr(looks, "GRACE_S", 600)  # all have come: nothing more is waited for
    post.run()
    began_s = time.monotonic()
    found = desk.look("look", {"camera": "gate", "box": BOX, "label": "garbage",
                               "seconds": 2, "looks": 3})  # fmt: skip
    assert time.monotonic() - began_s >= 1.9
    assert (found["looks"], found["answer"], found["reasons"]) == (3, "present", ["seen"])


def test_a_flaw_of_the_camera_is_the_answer(desk, post):
    post.run(sight=CameraState.DARK)
    found = desk.look("look", {"camera": "gate", "box": BOX, "seconds": 2, "looks": 3})
    assert (found["answer"], found["reasons"]) == ("cannot_tell", ["camera"])
    assert found["details"] == ["dark: 3"]


def test_a_camera_that_gives_nothing_gives_that_as_the_answer(desk, post, monkeypatch):
    monkeypatch.setattr(looks, "GRACE_S", 0.1)
    monkeypatch.setattr(looks, "SNAPSHOT_S", 0.3)
    post.state = CameraState.UNREACHABLE
    found = desk.look("look", {"camera": "gate", "box": BOX, "seconds": 2, "looks": 3})
    assert (found["answer"], found["details"]) == ("cannot_tell", ["unreachable"])
    with pytest.raises(OrderFailed, match="gate gives no picture: it is unreachable"):
        desk.snapshot("snapshot", {"camera": "gate"})


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"camera": "roof", "box": BOX}, "this device has no 'roof' (it has gate)"),
        ({"camera": "gate"}, "an alert, a box or lat and lon are needed"),
        ({"camera": "gate", "box": BOX | {"x": 2}}, "box.x: "),
        ({"camera": "gate", "box": BOX, "seconds": 9000}, "seconds: "),
        ({"camera": "gate", "box": BOX, "zoom": 2}, "zoom: unknown key"),
        ({"camera": "gate", "lat": 32.7, "lon": 109.0}, "has no ground_points"),
        ({"camera": "gate", "alert": "gate-7"}, "is not known here (any more)"),
        ({"camera": "gate", "alert": "../../etc/passwd"}, "is not known here (any more)"),
        ({"camera": "gate", "box": BOX, "with_it": "?"}, "no base64"),
    ],
)
def test_an_order_that_cannot_be_carried_out_says_why(desk, arguments, says):
    with pytest.raises(OrderFailed) as refused:
        desk.look("look", arguments)
    assert says in str(refused.value)


def test_an_agent_that_stops_waits_for_no_look(desk):
    threading.Timer(0.3, desk.ask_to_stop).start()
    with pytest.raises(OrderFailed, match="the agent stops"):
        desk.look("look", {"camera": "gate", "box": BOX, "seconds": 600, "looks": 3})


class NoFaces:
    """Finds none."""

    def find(self, _image):
        return []


def test_the_reply_says_what_was_signed_so_that_the_other_side_can_check_it(tmp_path, post):
    key = DeviceKey(tmp_path / "key.pem")
    outbox = Outbox(tmp_path / "outbox.db", "box-0007", lambda: 0)
    show = Shower(outbox, Signer(key, lambda: "rev-1"), NoFaces())
    detector = Scripted(lambda _: [Detection("person", 0.9, 0.4, 0.4, 0.2, 0.3)])
    desk = LookDesk({"gate": post}, detector, PlaceMemory(tmp_path / "places"), show)
    post.run()
    look = {"camera": "gate", "alert": "gate-7", "box": BOX, "seconds": 2, "looks": 3}
    for out, subject in (
        (desk.look("look", look, "a1"), "look-a1-gate-7"),
        (desk.snapshot("snapshot", {"camera": "gate"}, "a2"), "snapshot-a2-gate"),
    ):
        arrived = msgspec.json.decode(msgspec.json.encode(out))
        scene = msgspec.convert(arrived["scene"], Scene)
        assert (scene.dev, scene.subject, scene.source) == ("box-0007", subject, "gate")
        refs = msgspec.convert(arrived["evidence"], list[EvidenceRef])
        assert {ref.sealed for ref in refs} == {True, False}
        public = Ed25519PublicKey.from_public_bytes(raw(key.public))
        for ref in refs:
            public.verify(raw(ref.sig), signed_bytes(statement_of(scene, ref)))
    outbox.close()
