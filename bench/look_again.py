"""How often the look again is right, on drawn streets whose truth is known.

    python bench/look_again.py [SEEDS]

A line for what was done to a place and the light it was seen by: how often each answer was given,
and how often it was wrong. The thing has no class: the scene alone is the witness.
"""

import sys
from collections import Counter, defaultdict

from edge.detect.detection import Detection
from edge.detect.look_again import Answer, Look, LookAgain, Place, Surroundings
from scenes.looks import KINDS, PASSERS, Spot, Trial, spot

LOOKS = 6
WRONG = {(True, Answer.GONE), (False, Answer.PRESENT), (None, Answer.GONE), (None, Answer.PRESENT)}


def answer(there: Spot, trial: Trial) -> Answer:
    box = there.box
    where = Detection("unknown_object", 0.9, box.x, box.y, box.w, box.h)
    pictures = (Surroundings.of(each, where) for each in (there.with_it, there.without_it))
    again = LookAgain(Place(where, "unknown_object", *pictures), knows_class=False)
    for picture, boxes in trial.looks(LOOKS):
        passers = [
            Detection(each.label, 0.9, each.x, each.y, each.w, each.h)
            for each in boxes
            if each.label in PASSERS and each.id != "thing"
        ]
        again.take(Look(picture, [], passers))
    return again.answer().answer


def main(seeds: int) -> None:
    counts: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for seed in range(seeds):
        for kind in KINDS:
            there = spot(kind, seed)
            for trial in there.trials(seed):
                said = answer(there, trial)
                light = "as then" if trial.light == there.light else trial.light
                light = light if light in {"as then", "rain", "night"} else "another"
                counts[trial.name, light][str(said)] += 1
                counts[trial.name, light]["wrong"] += (trial.truth, said) in WRONG
    print(f"{'place':<22}{'light':<10}{'present':>9}{'gone':>6}{'cannot tell':>13}{'wrong':>7}")
    for (name, light), count in sorted(counts.items()):
        said = [count[each] for each in ("present", "gone", "cannot_tell", "wrong")]
        print(f"{name:<22}{light:<10}{said[0]:>9}{said[1]:>6}{said[2]:>13}{said[3]:>7}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
