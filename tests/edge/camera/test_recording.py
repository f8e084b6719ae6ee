import logging
import os
import random
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest

from edge.camera.errors import BadSource
from edge.camera.recording import extent, recorded_at
from edge.camera.sources import open_source
from edge.config import CameraConfig
from tests.edge.camera.footage import record

TOLD = datetime(2025, 3, 4, 5, 6, 7, tzinfo=UTC)
CHANGED = datetime(2024, 2, 2, tzinfo=UTC)
NOON = datetime(2026, 5, 1, 4, tzinfo=UTC)


def frames(path, begins_at=None, **settings):
    camera = CameraConfig(id="gate", source=str(path), **{"real_time": False} | settings)
    return list(open_source(camera, begins_at=begins_at))


@pytest.mark.parametrize("kind", ["mp4", "mkv", "avi", "ts", "mov"])
def test_frames_are_timed_by_the_recording(tmp_path, kind):
    played = frames(record(tmp_path / f"street.{kind}", seconds=5), begins_at=NOON)
    assert [round(frame.t_s, 1) for frame in played] == [0, 1, 2, 3, 4]
    assert [frame.index for frame in played] == [0, 1, 2, 3, 4]
    seconds = [frame.at - NOON - timedelta(seconds=frame.t_s) for frame in played]
    assert seconds == [timedelta(0)] * 5
    assert played[0].image.shape == (180, 320, 3)


def test_half_the_frame_rate_gives_the_same_times(tmp_path):
    times = [
        [frame.t_s for frame in frames(record(tmp_path / f"{fps}.mp4", seconds=6, fps=fps))]
        for fps in (10, 5)
    ]
    assert times[0] == pytest.approx(times[1], abs=0.2)


@pytest.mark.parametrize(
    ("metadata", "begins_at", "expected"),
    [
        ({}, NOON, NOON),
        ({"creation_time": "2025-03-04T05:06:07.000000Z"}, NOON, NOON),
        ({"creation_time": "2025-03-04T05:06:07.000000Z"}, None, TOLD),
        ({"creation_time": "1970-01-01T00:00:00.000000Z"}, None, CHANGED),
        ({}, None, CHANGED),
    ],
)
def test_when_a_recording_begins(tmp_path, metadata, begins_at, expected):
    path = record(tmp_path / "street.mp4", seconds=1, metadata=metadata)
    os.utime(path, (CHANGED.timestamp(), CHANGED.timestamp()))
    assert frames(path, begins_at)[0].at == expected
    assert begins_at or recorded_at(path) == expected


def test_a_recording_twice_over_is_the_same_twice(tmp_path):
    path = record(tmp_path / "street.mp4", seconds=3)
    one, two = frames(path), frames(path)
    assert [(f.at, f.t_s) for f in one] == [(f.at, f.t_s) for f in two]
    assert all((a.image == b.image).all() for a, b in zip(one, two, strict=True))


def test_a_loop_goes_on_in_time(tmp_path):
    path = record(tmp_path / "street.mp4", seconds=3)
    camera = CameraConfig(id="gate", source=str(path), real_time=False, loop=True)
    source = open_source(camera)
    times = [next(source).t_s for _ in range(7)]
    assert times == pytest.approx([0, 1, 2, 3, 4, 5, 6], abs=0.11)


def test_real_time_plays_the_recording_as_now(tmp_path):
    path = record(tmp_path / "street.mp4", seconds=1)
    begins_at, begins_s = datetime.now(UTC), time.monotonic()
    played = frames(path, real_time=True, looks_per_s=5)
    assert time.monotonic() - begins_s >= 0.8
    assert all(abs(f.at - begins_at - timedelta(seconds=f.t_s)) < timedelta(1) for f in played)
    assert len(played) == 5


def test_stamps_that_do_not_begin_at_nought(tmp_path):
    path = record(tmp_path / "street.ts", seconds=3, start_s=40)
    assert [round(frame.t_s) for frame in frames(path)] == [0, 1, 2]


TEN_GB = 10_000_000_000


@pytest.mark.parametrize("start_s", [0, 40_000])
def test_the_length_of_joined_files_is_what_is_played(tmp_path, start_s):
    """Stamps that step back or leap between them would make an hour of false alarms a day of it."""
    parts = [record(tmp_path / f"{at}.ts", seconds=3, start_s=at) for at in (100, start_s)]
    joined = tmp_path / "joined.ts"
    joined.write_bytes(b"".join(part.read_bytes() for part in parts))
    assert extent(joined).frames == 60
    assert extent(joined).seconds == pytest.approx(6, abs=0.3)


def cut(path, share):
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    return path


def bad_files(tmp_path):
    text = tmp_path / "notes.txt"
    text.write_text("camera 3 is broken\n" * 500)
    empty = tmp_path / "empty.mp4"
    empty.touch()
    told = tmp_path / "told.mp4"
    told.write_text("camera 3 is broken\n" * 500)
    huge = tmp_path / "huge.mp4"
    with huge.open("wb") as file:
        file.truncate(TEN_GB)
    noise = tmp_path / "noise.mp4"
    noise.write_bytes(random.Random(0).randbytes(20_000))
    picture = tmp_path / "picture.mp4"
    picture.write_bytes(b"\xff\xd8\xff\xe0" + bytes(500))
    return [
        ("no such file", tmp_path / "nowhere.mp4"),
        (r"empty \(0 bytes\)", empty),
        ("not a video", text),
        ("not a video", told),
        ("not a video", huge),
        ("not a video", noise),
        ("not a video", picture),
        ("damaged or cut off", cut(record(tmp_path / "cut.mp4", seconds=2), 0.5)),
    ]


def test_a_file_that_cannot_be_played_is_one_clear_error(tmp_path):
    for reason, path in bad_files(tmp_path):
        with pytest.raises(BadSource, match=reason) as refused:
            frames(path)
        assert str(path) in str(refused.value)


@pytest.mark.parametrize("kind", ["mkv", "ts", "avi"])
def test_a_recording_cut_off_gives_what_it_has(tmp_path, kind, caplog):
    path = cut(record(tmp_path / f"cut.{kind}", seconds=10), 0.5)
    with caplog.at_level(logging.WARNING):
        played = frames(path)
    assert 3 <= len(played) <= 7


def test_damage_in_the_middle_is_read_past(tmp_path):
    path = record(tmp_path / "street.ts", seconds=10, size=(640, 360))
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 3000] = random.Random(0).randbytes(3000)
    path.write_bytes(data)
    played = frames(path)
    assert played[-1].t_s == pytest.approx(9, abs=0.3)
    assert len(played) >= 8


def test_a_recording_with_ten_gigabytes_of_nothing_behind_it_is_played(tmp_path):
    """As a recorder leaves it that reserves its disk in advance."""
    path = record(tmp_path / "street.mp4", seconds=3)
    with path.open("r+b") as file:
        file.truncate(TEN_GB)
    begun_s = time.process_time()
    assert len(frames(path)) == 3
    assert time.process_time() - begun_s < 5


def test_metadata_in_another_encoding_do_no_harm(tmp_path):
    path = record(tmp_path / "street.mkv", seconds=2, metadata={"title": "ANKANG STREET"})
    title = "安康".encode("gbk") + b" STREET.."
    path.write_bytes(path.read_bytes().replace(b"ANKANG STREET", title))
    assert len(frames(path)) == 2


@pytest.mark.parametrize("kind", ["mp4", "mkv", "ts", "avi"])
def test_no_damage_is_worse_than_a_clear_error(tmp_path, kind):
    whole = record(tmp_path / f"whole.{kind}", seconds=4, size=(160, 96)).read_bytes()
    chance = random.Random(kind)
    for _ in range(15):
        data = bytearray(whole)
        for _ in range(chance.randrange(1, 60)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        path = tmp_path / f"damaged.{kind}"
        path.write_bytes(data[: chance.randrange(len(data) // 2, len(data))])
        with suppress(BadSource):
            times = [frame.t_s for frame in frames(path)]
            assert times == sorted(times)


def test_a_folder_or_file_with_chinese_signs(tmp_path):
    folder = tmp_path / "汉滨区 路口"
    folder.mkdir()
    assert len(frames(record(folder / "摄像头@1.mp4", seconds=2))) == 2
