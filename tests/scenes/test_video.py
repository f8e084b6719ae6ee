import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import av
import pytest

from edge.config import load_camera
from scenes.demo import DEMO_CAMERAS
from scenes.scene import Scenario, find
from scenes.video import camera_path, truth_path, write_mp4

START = datetime(2026, 5, 6, 1, 30, tzinfo=UTC)


def short(scenario: Scenario, duration_s: float) -> Scenario:
    return replace(scenario, duration_s=duration_s)


def stamps(video: Path) -> list[tuple[float, bool]]:
    with av.open(str(video)) as container:
        return [
            (float(frame.pts * frame.time_base), frame.key_frame)
            for frame in container.decode(video=0)
        ]


def test_a_recording_decodes_to_every_frame_at_its_time(tmp_path: Path) -> None:
    video = tmp_path / "stall.mp4"
    write_mp4(short(find("stall_set_up"), 6.0), video, fps=5, start=START, size=(320, 180))
    found = stamps(video)
    assert [t for t, _ in found] == pytest.approx([n / 5 for n in range(30)], abs=0.002)
    assert [n for n, (_, key) in enumerate(found) if key] == list(range(0, 30, 5))
    with av.open(str(video)) as container:
        assert (container.streams.video[0].width, container.streams.video[0].height) == (320, 180)
        assert container.streams.video[0].codec_context.name in {"h264", "mpeg4"}
        made = datetime.fromisoformat(container.metadata["creation_time"])
        assert abs(made - START) < timedelta(seconds=1)


def test_a_lost_stream_leaves_a_gap_in_the_stamps(tmp_path: Path) -> None:
    video = tmp_path / "loss.mp4"
    scenario = replace(find("stream_loss"), duration_s=8.0, gaps=((3.0, 6.0),))
    write_mp4(scenario, video, fps=2, start=START, size=(160, 90))
    assert [t for t, _ in stamps(video)] == pytest.approx(
        [0, 0.5, 1, 1.5, 2, 2.5, 6, 6.5, 7, 7.5], abs=0.002
    )


def test_a_time_lapse_keeps_its_days(tmp_path: Path) -> None:
    video = tmp_path / "shed.mp4"
    write_mp4(short(find("shed_ten_days"), 12_000.0), video, start=START, size=(160, 90))
    assert stamps(video) == [(0.0, True), (3000.0, True), (6000.0, True), (9000.0, True)]


def test_truth_and_camera_lie_beside_the_recording(tmp_path: Path) -> None:
    video = tmp_path / "stall.mp4"
    scenario = short(find("stall_before_start"), 4.0)
    write_mp4(scenario, video, fps=1, start=START, size=(320, 180))
    truth = json.loads(truth_path(video).read_text(encoding="utf-8"))
    assert truth["generated"] is True
    assert "示意画面" in truth["notice"]
    assert datetime.fromisoformat(truth["start"]) == START
    assert [event["want"] for event in truth["events"]] == ["alert"]
    assert [entry["t_s"] for entry in truth["boxes"]] == [0, 1, 2, 3]
    camera = load_camera(camera_path(video))
    assert len(camera.ground_points) >= 4
    assert camera.zones[0].dwell_s == scenario.dwell_s
    assert camera.position is not None
    assert (camera.position.lat, camera.position.lon) == (
        scenario.stage.camera.lat,
        scenario.stage.camera.lon,
    )


def test_the_demo_has_four_cameras_in_hanbin_that_act_early() -> None:
    assert len(DEMO_CAMERAS) == 4
    assert len({camera.id for camera in DEMO_CAMERAS}) == 4
    for camera in DEMO_CAMERAS:
        lat, lon = camera.position
        assert 32.6 < lat < 32.75
        assert 108.95 < lon < 109.1
    first = min(
        want.from_s
        for camera in DEMO_CAMERAS
        for want in camera.scenario.wants
        if want.want == "alert"
    )
    assert first <= 10


def test_a_demo_script_loops() -> None:
    scenario = DEMO_CAMERAS[0].scenario
    assert scenario.moment(12.0) == scenario.moment(12.0 + scenario.duration_s)
