"""All rendered scenarios through the camera pipeline: recall, delay, false alarms an hour.

python -m bench.playback [--seeds 0,1] [--looks 1] [SCENARIO …]
"""

import argparse
import tempfile
from pathlib import Path

from scenes.scene import SCENARIOS, find
from tests.flow.playback import Playback, play, record

TIME_LAPSE = "shed_ten_days"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scenarios", nargs="*", default=[n for n in SCENARIOS if n != TIME_LAPSE])
    parser.add_argument("--seeds", default="0")
    parser.add_argument("--looks", type=float, default=1.0, help="looks a second")
    options = parser.parse_args()
    played = []
    with tempfile.TemporaryDirectory() as folder:
        for seed in (int(text) for text in options.seeds.split(",")):
            for name in options.scenarios:
                video = record(find(name, seed), Path(folder), options.looks)
                playback = play(video, options.looks)
                print(row(playback, seed), flush=True)
                played.append(playback)
    print(total(played))


def row(playback: Playback, seed: int) -> str:
    parts = []
    for verdict in playback.verdicts:
        late = f"after {verdict.delay_s:.0f} s" if verdict.delay_s is not None else "missed"
        others = sorted(set(verdict.seen_as) - {verdict.label})
        parts.append(
            f"{verdict.label} {late}, {verdict.alerts} alert(s)"
            + (f", also as {', '.join(others)}" if others else "")
        )
    false = ", ".join(f"{label} at {at_s:.0f} s" for label, at_s in playback.false_alarms)
    wanted = "; ".join(parts) or "nothing wanted"
    return f"{playback.scenario:22} {seed:3}  {wanted:60} false: {false or 'none'}"


def total(played: list[Playback]) -> str:
    verdicts = [verdict for playback in played for verdict in playback.verdicts]
    false = sum(len(playback.false_alarms) for playback in played)
    hours = sum(playback.seconds for playback in played) / 3600
    found = sum(verdict.is_found for verdict in verdicts)
    noticed = sum(verdict.is_noticed for verdict in verdicts)
    delays = sorted(v.delay_s for v in verdicts if v.delay_s is not None)
    middle = delays[len(delays) // 2] if delays else float("nan")
    return (
        f"found {found} of {len(verdicts)}, noticed {noticed}, median delay {middle:.0f} s, "
        f"{false} false alarms in {hours:.2f} h ({false / hours:.1f} an hour)"
    )


if __name__ == "__main__":
    main()
