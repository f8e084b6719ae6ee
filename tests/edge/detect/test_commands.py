import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import av
import cv2
import pytest

from edge.camera.errors import BadSource
from edge.config import CameraConfig
from edge.detect.commands import detect_paths, replay
from edge.detect.errors import BadModel
from tests.edge.detect.scripted import frames, street
from tests.shared import SHARED, needs_shared
from wire.zone import ZoneConfig

START = datetime(2026, 5, 6, 1, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    """A minute of a street in which something is put down after 15 s."""
    path = tmp_path_factory.mktemp("recording") / "left.mp4"

    def draw(t_s):
        picture = street()
        if t_s >= 15:
            picture[200:260, 300:380] = street(seed=99)[:60, :80] // 2 + 90
        return picture

    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=2)
        stream.width, stream.height, stream.pix_fmt = 640, 360, "yuv420p"
        stream.options = {"g": "2", "crf": "23"}
        for frame in frames(60, 0.5, draw):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame.image, format="bgr24")))
        container.mux(stream.encode(None))
    return path


UNNAMED = CameraConfig(id="gate", zones=[ZoneConfig(id="all", labels=["unknown_object"])])


def _lines(recording, **more):
    lines = list(replay(recording, more.pop("camera", None), start=START, **more))
    assert json.loads(json.dumps(lines)) == lines
    return lines[:-1], lines[-1]["summary"]


def test_a_recording_gives_its_alerts_on_its_own_clock(recording, tmp_path):
    alerts, summary = _lines(recording, camera=UNNAMED, dwell_s=15, evidence_dir=tmp_path / "e")
    new = alerts[0]
    assert (new["kind"], new["state"], new["zone"]) == ("alert", "new", "all")
    assert new["t_s"] == pytest.approx(31, abs=3)
    assert new["since"].startswith("2026-05-06T01:00:1")
    assert new["at"].endswith("Z")
    assert alerts[-1]["state"] == "end"
    assert (summary["frames"], summary["looks"], summary["alerts"]) == (120, 60, 1)
    assert summary["seconds"] == pytest.approx(60, abs=1)
    assert [each["state"] for each in alerts] == ["new", "update", "end"]
    (clip,) = alerts[1]["evidence"]
    assert (clip["role"], clip["type"]) == ("clip", "video/mp4")
    assert clip["at"] < new["since"], "it begins before the thing came"
    for file in (*new["evidence"], clip):
        path = Path(file["path"])
        assert path.parent == (tmp_path / "e" / "sealed" if file["sealed"] else tmp_path / "e")
        assert path.stat().st_size == file["size"]


def test_twice_the_same_recording_is_twice_the_same(recording):
    (first, _), (second, _) = (_lines(recording, dwell_s=15) for _ in range(2))
    assert first == second


def test_without_a_dwell_a_short_recording_sets_a_third_of_its_length(recording):
    _, summary = _lines(recording)
    assert summary["dwell_s"] == 20


def test_a_camera_file_sets_zones_and_a_dwell_on_top_of_it(recording):
    corner = [(0.0, 0.0), (0.2, 0.0), (0.2, 0.2), (0.0, 0.2)]
    camera = CameraConfig(id="gate", source="rtsp://x", zones=[ZoneConfig(id="c", polygon=corner)])
    alerts, summary = _lines(recording, camera=camera, dwell_s=10)
    assert alerts == []
    assert summary["dwell_s"] == 10


def test_what_cannot_be_played_is_refused_by_name(tmp_path):
    empty = tmp_path / "empty.mp4"
    empty.write_bytes(b"")
    with pytest.raises(BadSource, match=r"empty.mp4: is empty"):
        list(replay(empty))
    with pytest.raises(BadSource, match=r"no such file"):
        list(replay(tmp_path / "none.mp4"))
    with pytest.raises(BadModel, match=r"'x' is not known"):
        replay(empty, model="x")


def test_pictures_are_walked_and_a_broken_one_has_its_own_line(tmp_path):
    good = tmp_path / "a" / "good.png"
    good.parent.mkdir()
    cv2.imwrite(str(good), street())
    (tmp_path / "a" / "broken.jpg").write_bytes(b"\xff\xd8\xff broken")
    (tmp_path / "a" / "empty.jpg").write_bytes(b"")
    (tmp_path / "a" / "notes.txt").write_text("not asked")
    lines = list(detect_paths([tmp_path, tmp_path / "none.jpg"]))
    by_name = {line["path"].rsplit("/", 1)[1]: line for line in lines}
    assert set(by_name) == {"good.png", "broken.jpg", "empty.jpg", "none.jpg"}
    assert (by_name["good.png"]["width"], by_name["good.png"]["height"]) == (640, 360)
    assert isinstance(by_name["good.png"]["boxes"], list)
    assert "cannot be read" in by_name["none.jpg"]["error"]
    assert "0 bytes" in by_name["empty.jpg"]["error"]
    assert "decoded" in by_name["broken.jpg"]["error"]


def test_a_threshold_says_how_much_is_shown(tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), street())
    (few,), (many,) = (list(detect_paths([tmp_path], conf=c)) for c in (0.9, 0.01))
    assert len(few["boxes"]) <= len(many["boxes"])
    assert many["boxes"]
    assert set(many["boxes"][0]) == {"label", "score", "x", "y", "w", "h"}


@needs_shared
def test_people_walking_across_a_yard_are_no_alert(tmp_path):
    source = SHARED / "data/videos/pedestrians_vtest.mp4"
    video = shutil.copy(source, tmp_path / "yard.mp4")
    alerts, summary = _lines(video, dwell_s=10)
    assert alerts == []
    assert summary["analysed"] > 70


@needs_shared
def test_a_heap_on_a_real_photograph_that_stands_for_a_minute_is_an_alert(tmp_path):
    folder = tmp_path / "stills"
    folder.mkdir()
    picture = min((SHARED / "data/images/val").glob("garbage_dfayzur*"))
    for number in range(40):
        shutil.copy(picture, folder / f"{number:03}.jpg")
    alerts, _ = _lines(folder, dwell_s=30)
    assert [a["label"] for a in alerts if a["state"] == "new"] == ["garbage"]
