"""Scenarios as recordings: an MP4 with the truth and a camera file beside it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import yaml

from scenes.camera import Size
from scenes.picture import Frame, TruthBox
from scenes.scene import PICTURE, Scenario, events, find, render

NOTICE = "示意画面 GENERATED SCENE: drawn by Tianyan, no real place, person or event"
LABELS = ("street_vending", "garbage", "illegal_structure", "unknown_object")
TICK = Fraction(1, 1000)
BOXES_EVERY_S = 1.0


def truth_path(video: Path) -> Path:
    """Where the truth of a recording lies."""
    return video.with_name(f"{video.name}.truth.json")


def camera_path(video: Path) -> Path:
    """Where the camera file of a recording lies."""
    return video.with_name(f"{video.name}.camera.yaml")


def frames(
    scenario: Scenario, fps: float = 5.0, size: Size = PICTURE
) -> Iterator[tuple[float, Frame, list[TruthBox]]]:
    """(second, picture, truth) of every frame that arrives; frames in a gap are left out."""
    step_s = scenario.step_s or 1 / fps
    for number in range(math.ceil(scenario.duration_s / step_s - 1e-6)):
        at_s = number * step_s
        if not any(start <= at_s < end for start, end in scenario.gaps):
            yield at_s, *render(scenario, at_s, size)


def write_mp4(
    scenario: str | Scenario,
    path: Path,
    fps: float = 5.0,
    *,
    start: datetime = datetime(2026, 5, 6, 1, 0, tzinfo=UTC),
    size: Size = PICTURE,
    keyframe_interval_s: float = 1.0,
    seed: int = 0,
) -> Scenario:
    """Write PATH (H.264), PATH.truth.json and PATH.camera.yaml; returns the scenario played.

    `start` is the UTC time of the first frame. Raises UnknownScenario, OSError.
    """
    played = find(scenario, seed) if isinstance(scenario, str) else scenario
    step_s = played.step_s or 1 / fps
    boxes: list[dict[str, Any]] = []
    due_s = 0.0
    with av.open(str(path), "w", options={"movflags": "+faststart"}) as container:
        container.metadata["creation_time"] = start.astimezone(UTC).isoformat()
        container.metadata["comment"] = NOTICE
        stream = _stream(container, step_s, size, keyframe_interval_s)
        for at_s, picture, truth in frames(played, fps, size):
            frame = av.VideoFrame.from_ndarray(picture, format="bgr24").reformat(format="yuv420p")
            frame.pts, frame.time_base = round(at_s / TICK), TICK
            container.mux(stream.encode(frame))
            if at_s >= due_s:
                boxes.append({"t_s": round(at_s, 3), "boxes": [asdict(box) for box in truth]})
                due_s = at_s + BOXES_EVERY_S - 1e-6
        container.mux(stream.encode(None))
    write_truth(played, path, start=start, step_s=step_s, size=size, boxes=boxes)
    camera_path(path).write_text(
        f"# {NOTICE}\n{yaml.safe_dump(camera_file(played), allow_unicode=True, sort_keys=False)}",
        encoding="utf-8",
    )
    return played


def _stream(container: Any, step_s: float, size: Size, keyframe_interval_s: float) -> Any:
    rate = Fraction(1 / step_s).limit_denominator(100_000)
    group = max(1, round(keyframe_interval_s / step_s))
    try:
        stream = container.add_stream("libx264", rate=rate)
        stream.options = {
            "preset": "veryfast",
            "crf": "26",
            "bf": "0",
            "g": str(group),
            "keyint_min": str(group),
            "sc_threshold": "0",
        }
    except (ValueError, av.FFmpegError):
        stream = container.add_stream("mpeg4", rate=rate)
        stream.options = {"q": "4", "bf": "0", "g": str(group)}
    stream.width, stream.height, stream.pix_fmt = size[0], size[1], "yuv420p"
    stream.codec_context.time_base = TICK
    stream.codec_context.thread_count = 1
    return stream


def write_truth(
    scenario: Scenario,
    path: Path,
    *,
    start: datetime,
    step_s: float,
    size: Size,
    boxes: list[dict[str, Any]],
) -> None:
    """Write the truth beside a recording: what happens, what is wanted, boxes every second."""
    document = {
        "generated": True,
        "notice": NOTICE,
        "scenario": scenario.name,
        "title": scenario.title,
        "seed": scenario.stage.seed,
        "start": start.astimezone(UTC).isoformat(),
        "duration_s": scenario.duration_s,
        "step_s": step_s,
        "width": size[0],
        "height": size[1],
        "dwell_s": scenario.dwell_s,
        "gaps": [list(gap) for gap in scenario.gaps],
        "events": [event.as_dict() for event in events(scenario)],
        "boxes": boxes,
    }
    truth_path(path).write_text(
        json.dumps(document, ensure_ascii=False, indent=1), encoding="utf-8"
    )


def camera_file(
    scenario: Scenario, id_: str | None = None, name: str | None = None, **more: Any
) -> dict[str, Any]:
    """The camera file of a scenario: position, ground points and one zone; ready for YAML."""
    camera = scenario.stage.camera
    return {
        "id": id_ or scenario.name.replace("_", "-"),
        "name": name or scenario.title,
        **more,
        "position": {
            "lat": round(camera.lat, 7),
            "lon": round(camera.lon, 7),
            "heading_deg": round(camera.heading_deg, 1) % 360,
            "fov_deg": round(camera.hfov_deg, 1),
        },
        "ground_points": scenario.stage.ground_points(),
        "zones": [
            {
                "id": "pavement",
                "name": "人行道 (示意)",
                "polygon": [
                    [round(x, 4), round(y, 4)] for x, y in scenario.stage.zone(scenario.deep_m)
                ],
                "labels": list(LABELS),
                "dwell_s": scenario.dwell_s,
                **({"no_build": True} if scenario.no_build else {}),
            }
        ],
    }
