"""A rendered scenario through the real camera pipeline, judged by its truth file."""

import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from unittest.mock import patch

from edge.config import load_camera
from edge.detect.commands import replay
from edge.detect.selftest import open_proven
from scenes.judgement import Playback, judge
from scenes.scene import Scenario, find
from scenes.video import camera_path, truth_path, write_mp4

one_detector = cache(open_proven)
"""A detector remembers nothing: one is opened for all recordings."""


def record(scenario: Scenario, folder: Path, looks_per_s: float) -> Path:
    """The scenario as a file with its truth beside it: a frame a look."""
    video = folder / f"{scenario.name}-{scenario.stage.seed}.mp4"
    if not truth_path(video).exists():
        write_mp4(scenario, video, fps=looks_per_s)
    return video


def play(video: Path, looks_per_s: float) -> Playback:
    """Replay a recording with its camera file and hold the alerts against its truth."""
    camera = load_camera(camera_path(video)).model_copy(update={"looks_per_s": looks_per_s})
    truth = json.loads(truth_path(video).read_text(encoding="utf-8"))
    with patch("edge.detect.commands.open_proven", one_detector):
        return judge(truth, replay(video, camera))


def cut(name: str, seconds: float, seed: int = 0) -> Scenario:
    """The beginning of a scenario."""
    return replace(find(name, seed), duration_s=seconds)
