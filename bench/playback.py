"""What the cameras find: rendered scenarios through the whole pipeline, held against their truth.

    python bench/playback.py [--model street-n] [--seeds 0,1] [--looks 1] [--harsh fps25] [NAME …]

A line of JSON a scenario, the last one over all. `found`: reported as what it is; `noticed`:
reported at all; `false`: alerts where nothing is wanted. The model has learnt from such scenes,
though from none of these streets: the figures compare versions of the pipeline, they do not
foretell a real street.
"""

import argparse
import json
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

from harsher import VARIANTS, harsher

from edge.camera.recording import recorded_at
from edge.config import load_camera
from edge.detect.commands import MODEL, replay
from scenes.judgement import Playback, judge
from scenes.scene import SCENARIOS, find
from scenes.video import camera_path, truth_path, write_mp4


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scenarios", nargs="*", default=list(SCENARIOS), metavar="SCENARIO")
    parser.add_argument("--model", default=MODEL)
    parser.add_argument("--seeds", default="0")
    parser.add_argument("--looks", type=float, default=1.0, help="looks a second")
    parser.add_argument("--harsh", choices=VARIANTS, help="as a worse camera sends it (harsher.py)")
    parser.add_argument("--keep", type=Path, help="a folder for the recordings: drawn once")
    options = parser.parse_args()
    played = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        for seed in (int(text) for text in options.seeds.split(",")):
            for name in options.scenarios:
                playback = play(name, seed, options, folder)
                harsh = {"harsh": options.harsh} if options.harsh else {}
                print(json.dumps({"seed": seed, **harsh, **row(playback)}), flush=True)
                played.append(playback)
    print(json.dumps({"summary": {"model": options.model, **total(played)}}))


def play(name: str, seed: int, options: argparse.Namespace, folder: Path) -> Playback:
    video = folder / f"{name}-{seed}.mp4"
    if not camera_path(video).exists():
        write_mp4(find(name, seed), video, fps=options.looks)
    start = recorded_at(video)
    if options.harsh is not None:
        video = harsher(video, options.harsh)
    camera = load_camera(camera_path(video)).model_copy(update={"looks_per_s": options.looks})
    truth = json.loads(truth_path(video).read_text(encoding="utf-8"))
    return judge(truth, replay(video, camera, start=start, model=options.model))


def row(playback: Playback) -> dict[str, Any]:
    return {
        "scenario": playback.scenario,
        "wanted": [
            {
                "label": verdict.label,
                "alerts": verdict.alerts,
                "delay_s": verdict.delay_s,
                "seen_as": sorted(set(verdict.seen_as)),
            }
            for verdict in playback.verdicts
        ],
        "false": [f"{label} at {at_s:.0f} s" for label, at_s in playback.false_alarms],
        "blind": playback.lines[-1]["summary"]["blind"],
    }


def total(played: list[Playback]) -> dict[str, Any]:
    """Over all scenarios; false alarms an hour leave the time-lapses out."""
    verdicts = [verdict for playback in played for verdict in playback.verdicts]
    live = [playback for playback in played if playback.seconds < 3600]
    hours = sum(playback.seconds for playback in live) / 3600
    false = sum(len(playback.false_alarms) for playback in live)
    delays = [verdict.delay_s for verdict in verdicts if verdict.delay_s is not None]
    return {
        "wanted": len(verdicts),
        "found": sum(verdict.is_found for verdict in verdicts),
        "noticed": sum(verdict.is_noticed for verdict in verdicts),
        "median_delay_s": median(delays) if delays else None,
        "false": false,
        "hours": round(hours, 2),
        "false_an_hour": round(false / hours, 1) if hours else None,
    }


if __name__ == "__main__":
    main()
