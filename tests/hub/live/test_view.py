"""Who looks at a camera, and the newest picture of it, without a server."""

import asyncio

from hub.live.view import STILL_S, Views
from tests.hub.world import after

CAMERA = "cam-1/gate"


class Clock:
    """Stands still until it is told."""

    def __init__(self):
        self.s = 1000.0

    def __call__(self):
        return self.s


def test_pictures_are_wanted_while_somebody_looks():
    clock = Clock()
    views = Views(clock)
    assert not views.show(CAMERA, after(1), "ok", b"1")
    _, is_new = views.look(CAMERA, "li")
    assert is_new
    assert views.show(CAMERA, after(1), "ok", b"1")
    clock.s += STILL_S - 1
    assert views.goes_on(CAMERA, "li")
    assert not views.look(CAMERA, "li")[1]
    clock.s += STILL_S - 1
    assert views.show(CAMERA, after(2), "ok", b"2")
    clock.s += STILL_S
    assert not views.show(CAMERA, after(3), "ok", b"3")
    assert views.goes_on(CAMERA, "li") is None


def test_nobody_sees_a_camera_that_he_has_not_asked_for():
    views = Views(Clock())
    views.look(CAMERA, "li")
    assert views.goes_on(CAMERA, "wang") is None
    assert views.goes_on("cam-1/yard", "li") is None


def test_everybody_gets_each_newer_picture_at_once():
    async def scene():
        views = Views(Clock())
        view, _ = views.look(CAMERA, "li")
        views.look(CAMERA, "wang")
        waiting = [asyncio.create_task(views.newer(view, 0, 60)) for _ in range(2)]
        await asyncio.sleep(0)
        views.show(CAMERA, after(1), "ok", b"1")
        first = await asyncio.gather(*waiting)
        assert [(shot.number, shot.jpeg) for shot in first] == [(1, b"1")] * 2
        assert await views.newer(view, 1, 0) is None
        views.show(CAMERA, after(2), "black", b"2")
        views.show(CAMERA, after(3), "black", b"3")
        newest = await views.newer(view, 1, 0)
        assert (newest.number, newest.jpeg, newest.sight) == (3, b"3", "black")

    asyncio.run(scene())
