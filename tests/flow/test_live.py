"""A live view end to end: a running agent, a real broker and hub, and two people who look."""

from contextlib import closing

import cv2
import httpx2 as httpx
import numpy as np
import pytest

from hub import auth
from hub.live import view as live_view
from hub.roles import Role
from tests.flow.stage import DEV, LONG_S, staged
from tests.hub.broker import wait_for

LIVE = f"/api/cameras/{DEV}/gate/live"


@pytest.fixture
def world(tmp_path, monkeypatch):
    with staged(tmp_path, monkeypatch) as (built, _):
        yield built


class Person:
    """Somebody with a page open on the hub's own server."""

    def __init__(self, world, name):
        with world.hub.store.write() as tx:
            token = auth.issue_token(tx, name, Role.OPERATOR)
        self._http = httpx.Client(
            base_url=world.hub.config.base_url,
            headers={"Authorization": f"Bearer {token}"},
            timeout=60,
        )
        self.last = 0

    def close(self):
        self._http.close()

    def asks(self):
        return self._http.post(LIVE)

    def sees(self):
        """The next picture."""

        def came():
            answer = self._http.get(LIVE, params={"after": self.last})
            return answer if answer.status_code == 200 else None

        picture = wait_for(came, LONG_S)
        self.last = int(picture.headers["x-number"])
        return picture


@pytest.mark.timeout(300)
def test_two_look_at_one_stream_that_ends_when_both_have_left(world, monkeypatch):
    with closing(Person(world, "li")) as li, closing(Person(world, "wang")) as wang:
        order = seen_by(li, wang, world)

    monkeypatch.setattr(live_view, "STILL_S", 0.0)

    def ended():
        known = world.call("GET", f"/api/orders/{order}").json()
        return known["state"] == "done" and known["out"]

    out = wait_for(ended, LONG_S)
    assert out["ended"] == "nobody"
    assert out["pictures"] >= li.last


def seen_by(li, wang, world):
    """Both see what one order brings."""
    assert [person.asks().status_code for person in (li, wang)] == [200, 200]
    orders = world.call("GET", "/api/orders", params={"op": "camera.watch"}).json()["items"]
    assert len(orders) == 1

    pictures = [li.sees(), wang.sees(), li.sees(), li.sees()]
    numbers = [int(picture.headers["x-number"]) for picture in pictures]
    assert numbers[3] > numbers[2] > numbers[0]
    frame = np.frombuffer(pictures[0].content, np.uint8)
    assert cv2.imdecode(frame, cv2.IMREAD_COLOR).shape == (180, 320, 3)
    return orders[0]["id"]
