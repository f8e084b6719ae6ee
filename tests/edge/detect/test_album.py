from datetime import timedelta

import cv2
import numpy as np

from edge.camera.frame import Frame, Whole
from edge.detect.album import Album
from tests.edge.detect.scripted import START, street

ROOM = 4_000_000


def _frame(t_s, picture=None):
    image = street(int(t_s)) if picture is None else picture
    return Frame(Whole(image), START + timedelta(seconds=t_s), t_s, int(t_s))


def test_the_album_shows_what_it_was_like_before():
    album = Album(60, ROOM)
    for t_s in range(60):
        album.keep(_frame(t_s), (), moved=True)
    shot = album.before(50)
    assert 30 <= shot.t_s < 50
    shown = cv2.imdecode(np.frombuffer(shot.data, np.uint8), cv2.IMREAD_COLOR)
    assert np.abs(shown.astype(int) - street(int(shot.t_s))).mean() < 3
    assert album.before(0) is None


def test_an_idle_street_adds_next_to_nothing():
    album, still = Album(60, ROOM), street()
    for t_s in range(600):
        album.keep(_frame(t_s, still), (), moved=False)
    assert len(album.between(0, 600)) == 60


def test_memory_is_bounded_whatever_the_size_of_the_pictures():
    noise = np.random.default_rng(1).integers(0, 256, (1080, 1920, 3), np.uint8)
    album = Album(60, ROOM)
    for t_s in range(0, 900, 25):
        album.keep(_frame(t_s, noise), (), moved=True)
        assert album.size <= ROOM
    assert album.between(0, 900)


def test_what_a_clip_will_show_is_thinned_last():
    album = Album(60, 2_000_000)
    wanted = [(100.0, 130.0)]
    for t_s in range(600):
        album.keep(_frame(t_s), (), moved=True, wanted=wanted if t_s > 100 else ())
    kept = [shot.t_s for shot in album.between(100, 600)]
    assert [t for t in kept if 100 <= t <= 130] == list(range(100, 131))
    assert kept[-1] == 599


def test_a_clip_of_a_still_street_begins_with_what_was_true_then():
    album = Album(60, ROOM)
    album.keep(_frame(0), (), moved=True)
    album.keep(_frame(30), (), moved=True)
    assert [shot.t_s for shot in album.between(20, 40)] == [0, 30]
