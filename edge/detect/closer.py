"""A closer look at what stays: what it is, a few looks at it alone say best.

In a look at the whole a stall at the kerb is sixty pixels high; from so far a rack of clothes is a
heap to a network, and a heap a hut. That something is there all looks say; its name is told by
those that show it about twice as large. They find nothing that looks at the whole do not see, and
of what they do not see nobody is told.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from edge.camera.frame import Frame
from edge.detect.close_ups import seen_in
from edge.detect.detection import Detection, Part
from edge.detect.detectors import Detector
from edge.detect.moment import Moment
from edge.detect.overlap import corners, covered_share, ious, nestings
from edge.detect.places import Sighting
from edge.detect.relations import PERSON
from edge.detect.tracking import FORGET_STAYING_S, Track
from wire.zone import LABELS

LOOKS = 3
"""At one thing, at each quarter of its dwell: before it may be an alert, and not at one moment."""

AROUND = 1.5
"""Of the thing's longer side: what it stands among is seen, too."""

LARGEST = 0.6
"""Of the picture's sides: a look at more is hardly closer."""

MAGNIFIED = 2.0
"""Shown so many times as large as the camera's own pixels, a thing shows nothing more."""

SAME_THING = 0.3
"""IoU from which on two boxes are of one thing, also when they have two names."""

WITHIN = 0.6
"""Of the smaller of two boxes: so much in common, and something of the thing is there."""

SEEN = 0.5
"""Of its threshold a name must reach so much on average, else there is nothing."""

SURER = 1.25
"""Another name than the first must be surer by this factor."""

HIDDEN_SHARE = 0.25
"""A thing of which people who pass hide so much is looked at later."""

FAINT = 0.05
"""Down to this score closer looks are believed; below it there is hardly anything to add up."""

Dwell = Callable[[Detection], float | None]


@dataclass
class Said:
    """What closer looks said of a thing: of its place, whatever looks at the whole call it there.

    `asked_t_s`: since when it stays where somebody asks for it. By name, the sums of scores over
    the threshold: `whole` of what is the thing, `within` also of what lies in it.
    """

    box: Detection
    asked_t_s: float
    seen_t_s: float
    looks: int = 0
    whole: dict[str, float] = field(default_factory=dict)
    within: dict[str, float] = field(default_factory=dict)

    def strength_of(self, name: str) -> float:
        """Of the whole, on average; 1 at the name's threshold."""
        return self.whole.get(name, 0.0) / self.looks

    def presence_of(self, name: str) -> float:
        """Of what is or lies within it, likewise."""
        return self.within.get(name, 0.0) / self.looks


class CloserLooks:
    """One camera's. `detector`: one that looks at the picture it is given, whole."""

    def __init__(self, detector: Detector) -> None:
        """Nothing looked at."""
        self._detector = detector
        self._said: list[Said] = []
        self._of: dict[int, Said] = {}
        self._renamed: dict[Detection, Said] = {}

    def look(self, frame: Frame, tracks: Sequence[Track], dwell_of: Dwell) -> None:
        """Take the closer look that is due next, if one is.

        `tracks`: what was seen in this frame. `dwell_of`: how long a thing must stay where it is
        to be told of, None where nobody asks for it.
        """
        self._recognise(tracks, frame.t_s)
        width, height = frame.picture.width, frame.picture.height
        least = self._detector.side / (MAGNIFIED * max(width, height))
        due: list[tuple[Said, Track, Part]] = []
        for track in tracks:
            said, dwell_s = self._asked(track, frame.t_s, dwell_of)
            part = part_around(track.box, least)
            if said is None or part is None or said.looks == LOOKS or not track.stays:
                continue
            is_due = frame.t_s - said.asked_t_s >= dwell_s * (said.looks + 1) / (LOOKS + 1)
            if is_due and not _is_hidden(track.box, tracks):
                due.append((said, track, part))
        if due:
            said, track, part = min(due, key=lambda each: each[0].looks)
            said.looks += 1
            seen = seen_in(self._detector, part, frame.image, FAINT)
            self._add(said, track.box, [box for box in seen if box.label in LABELS])

    def named(self, track: Track) -> Track:
        """The same under the name it has by closer looks, as sure as they are."""
        said = self._of.get(track.id)
        if said is None or not said.looks or track.box.label not in LABELS:
            return track
        name = max(LABELS, key=said.strength_of)
        own = said.strength_of(track.box.label)
        if said.strength_of(name) < max(SURER * own, 1.0):
            return track
        score = min(said.strength_of(name) * self._detector.threshold(name), 1.0)
        box = replace(track.box, label=name, score=score)
        self._renamed[box] = said
        return replace(track, box=box)

    def denies(self, named: Track, least: float) -> bool:
        """Whether closer looks, once all were taken, see nothing there.

        `least`: the score that must be reached, where more than its threshold is asked of it.
        """
        said = self._of.get(named.id)
        if said is None or said.looks < LOOKS:
            return False
        label = named.box.label
        is_faint = said.presence_of(label) * self._detector.threshold(label) < least
        return is_faint or max(map(said.presence_of, LABELS)) < SEEN

    def dated(self, sighting: Sighting, now: Moment) -> Sighting:
        """Of a thing that stays for longer than it has its name: since it has been asked for."""
        said = self._renamed.get(sighting.box)
        if said is None or sighting.since is not None:
            return sighting
        by = timedelta(seconds=now.t_s - said.asked_t_s)
        return replace(sighting, since=Moment(now.at - by, said.asked_t_s))

    def _add(self, said: Said, thing: Detection, seen: Sequence[Detection]) -> None:
        """The best of each name counts."""
        mine, theirs = corners([thing]), corners(seen)
        is_it = ious(mine, theirs)[0] >= SAME_THING
        is_there = is_it | (nestings(mine, theirs)[0] >= WITHIN)
        for sums, counts in ((said.whole, is_it), (said.within, is_there)):
            best: dict[str, float] = {}
            for box, does in zip(seen, counts, strict=True):
                if does:
                    best[box.label] = max(best.get(box.label, 0.0), box.score)
            for label, score in best.items():
                sums[label] = sums.get(label, 0.0) + score / self._detector.threshold(label)

    def _recognise(self, tracks: Sequence[Track], t_s: float) -> None:
        """Find out which of the things seen are known from before."""
        self._said = [said for said in self._said if t_s - said.seen_t_s <= FORGET_STAYING_S]
        self._of, self._renamed = {}, {}
        matters = [track for track in tracks if track.box.label in LABELS]
        if not matters or not self._said:
            return
        overlaps = ious(corners([t.box for t in matters]), corners([s.box for s in self._said]))
        for track, row in zip(matters, overlaps, strict=True):
            if row.max() >= SAME_THING:
                said = self._of[track.id] = self._said[int(row.argmax())]
                said.box, said.seen_t_s = track.box, t_s

    def _asked(self, track: Track, t_s: float, dwell_of: Dwell) -> tuple[Said | None, float]:
        """What is known of a thing that somebody asks for, and how long it must stay."""
        said, dwell_s = self._of.get(track.id), dwell_of(self.named(track).box)
        if dwell_s is None:
            if said is not None:
                said.asked_t_s = t_s
            return None, 0.0
        if said is None:
            said = self._of[track.id] = Said(track.box, t_s, t_s)
            self._said.append(said)
        return said, dwell_s


def part_around(box: Detection, least: float) -> Part | None:
    """The part of the picture that shows a thing and what is around it; None: not closer.

    `least`: share of the picture of which less shows nothing more.
    """
    side = max(AROUND * max(box.w, box.h), least)
    if side > LARGEST:
        return None
    x, y = box.centre
    left, top = (min(max(centre - side / 2, 0.0), 1 - side) for centre in (x, y))
    return left, top, left + side, top + side


def _is_hidden(box: Detection, tracks: Sequence[Track]) -> bool:
    passing = [other.box for other in tracks if other.box.label == PERSON and not other.stays]
    return covered_share(box, passing) >= HIDDEN_SHARE
