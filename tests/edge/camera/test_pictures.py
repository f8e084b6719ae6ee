import logging
import os
import struct
from datetime import UTC, datetime

import cv2
import numpy as np
import pytest

from edge.camera.errors import BadSource
from edge.camera.health import Health
from edge.camera.sight import limits_at
from edge.camera.sources import open_source
from edge.camera.view import View
from edge.config import CameraConfig
from tests.edge.camera.footage import street
from wire.status import CameraState


def exif(taken="", offset="", orientation=1):
    """An APP1 segment: EXIF 2.32, tags 0x0112, 0x9003, 0x9011."""
    texts = [(0x9003, taken), (0x9011, offset)]
    texts = [(tag, text.encode() + b"\0") for tag, text in texts if text]
    tail_at = 8 + 2 + 2 * 12 + 4 + 2 + len(texts) * 12 + 4
    ifd0 = struct.pack("<H", 2) + struct.pack("<HHII", 0x0112, 3, 1, orientation)
    ifd0 += struct.pack("<HHII", 0x8769, 4, 1, 8 + 2 + 2 * 12 + 4) + bytes(4)
    inner, tail = struct.pack("<H", len(texts)), b""
    for tag, text in texts:
        inner += struct.pack("<HHII", tag, 2, len(text), tail_at + len(tail))
        tail += text
    body = b"Exif\0\0II*\0" + struct.pack("<I", 8) + ifd0 + inner + bytes(4) + tail
    return b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body


def take(path, image=None, **told):
    data = cv2.imencode(path.suffix, street() if image is None else image)[1].tobytes()
    if told:
        data = data[:2] + exif(**told) + data[2:]
    path.write_bytes(data)


def frames(folder, begins_at=None, **settings):
    camera = CameraConfig(id="gate", source=str(folder), **{"real_time": False} | settings)
    return list(open_source(camera, begins_at=begins_at))


def test_pictures_without_a_time_are_an_even_step_apart(tmp_path):
    for name in ("img10.jpg", "img2.png", "img1.jpg"):
        take(tmp_path / name, np.full((20, 30, 3), int(name[3:-4]) * 20, np.uint8))
    (tmp_path / "list.txt").write_text("not a picture")
    os.utime(tmp_path / "img1.jpg", (1_700_000_000, 1_700_000_000))
    shown = frames(tmp_path, looks_per_s=2)
    assert [round(frame.image.mean() / 20) for frame in shown] == [1, 2, 10]
    assert [frame.t_s for frame in shown] == [0, 0.5, 1]
    assert shown[0].at == datetime.fromtimestamp(1_700_000_000, UTC)
    assert frames(tmp_path, datetime(2026, 1, 1, tzinfo=UTC))[0].at.year == 2026


@pytest.mark.parametrize(
    ("told", "hour_utc"),
    [({}, 4), ({"offset": "+02:00"}, 10)],
    ids=["the camera's time zone", "the picture's offset"],
)
def test_pictures_are_timed_by_exif(tmp_path, told, hour_utc):
    for i, taken in enumerate(["12:00:00", "12:00:30", "12:45:00"]):
        take(tmp_path / f"{i}.jpg", taken=f"2026:05:01 {taken}", **told)
    shown = frames(tmp_path)
    assert [frame.t_s for frame in shown] == [0, 30, 2700]
    assert shown[0].at == datetime(2026, 5, 1, hour_utc, tzinfo=UTC)


@pytest.mark.parametrize(
    ("names", "t_s"),
    [
        (
            ["20260501T120000.jpg", "20260501T150000.jpg", "20260503T120000.jpg"],
            [0, 10_800, 172_800],
        ),
        (["gate 2026-05-01 12-00.jpg", "gate 2026-05-01 12-30.jpg"], [0, 1800]),
        (["20261301T120000.jpg", "20261301T120001.jpg"], [0, 1]),
        (["IMG_0001.jpg", "IMG_0002.jpg"], [0, 1]),
    ],
    ids=["days apart", "minutes", "no such month", "no date"],
)
def test_pictures_are_timed_by_their_names(tmp_path, names, t_s):
    for name in names:
        take(tmp_path / name)
    shown = frames(tmp_path)
    assert [frame.t_s for frame in shown] == t_s
    if t_s[1] > 1:
        assert shown[0].at == datetime(2026, 5, 1, 4, tzinfo=UTC)


def test_a_time_that_is_missing_or_runs_back_is_a_step_on(tmp_path):
    for i, taken in enumerate(["2026:05:01 12:00:00", "", "2026:05:01 11:00:00", "0000:00:00"]):
        take(tmp_path / f"{i}.jpg", taken=taken, orientation=1)
    damaged = tmp_path / "4.jpg"
    take(damaged, taken="2026:05:01 12:00:00")
    damaged.write_bytes(damaged.read_bytes().replace(b"2026:", b"20\xed6:"))
    assert [frame.t_s for frame in frames(tmp_path)] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_pictures_stand_upright(tmp_path, orientation):
    path = tmp_path / "turned.jpg"
    take(path, orientation=orientation)
    expected = cv2.imread(str(path)).astype(int)
    shown = frames(tmp_path)[0].image
    assert shown.shape == expected.shape
    assert abs(shown - expected).mean() < 6  # chroma is interpolated otherwise


def test_unreadable_pictures_are_named_and_left_out(tmp_path, caplog):
    take(tmp_path / "1.jpg")
    (tmp_path / "2.jpg").write_bytes(b"\xff\xd8 no picture")
    (tmp_path / "3.png").touch()
    take(tmp_path / "4.jpg")
    with caplog.at_level(logging.WARNING):
        assert len(frames(tmp_path)) == 2
    assert "2.jpg" in caplog.text
    assert "3.png" in caplog.text


def test_a_folder_without_a_picture_is_an_error(tmp_path):
    with pytest.raises(BadSource, match="holds no picture"):
        frames(tmp_path)
    (tmp_path / "1.jpg").write_text("no picture")
    with pytest.raises(BadSource, match="none of its 1 pictures can be read"):
        frames(tmp_path)


def test_a_loop_shows_them_again(tmp_path):
    take(tmp_path / "1.jpg")
    take(tmp_path / "2.jpg")
    camera = CameraConfig(id="gate", source=str(tmp_path), real_time=False, loop=True)
    source = open_source(camera)
    assert [next(source).t_s for _ in range(5)] == [0, 1, 2, 3, 4]


class Waiting:
    """A clock that leaps over every wait."""

    def __init__(self):
        self.t_s = 0.0

    def now(self):
        return datetime(2026, 5, 6, tzinfo=UTC)

    def elapsed_s(self):
        return self.t_s

    def wait(self, seconds):
        self.t_s += max(seconds, 0.0)


def test_a_picture_that_is_only_not_due_yet_is_no_silence(tmp_path):
    for second in (0, 40, 80, 120, 600):
        at = datetime(2026, 5, 6, 9, second // 60, second % 60, tzinfo=UTC)
        take(tmp_path / f"{at:%Y%m%dT%H%M%S}.jpg")
    camera = CameraConfig(id="gate", source=str(tmp_path))
    clock = Waiting()
    health = Health(0.0, clock.now(), limits_at(1.0, recorded=True))
    stalled = []

    def heard():
        if change := health.heard(clock.t_s, clock.now()):
            stalled.append((change.after, clock.t_s))

    for frame in open_source(camera, clock, heard=heard):
        health.tick(clock.t_s, clock.now())
        stalled.append((health.state, clock.t_s))
        health.saw(View(), frame.t_s, frame.at)
    told = {state for state, t_s in stalled if 0 < t_s < 600}
    assert told == {CameraState.OK}
    assert stalled[-1] == (CameraState.STALLED, 600)
