"""The memory of what stays where: of a place in the picture, never of a tracker's number.

Something hidden for a while, seen by another id or with a wavering box is still the thing that
stays there. A sighting joins the stay whose place it shares; a stay that is ripe (`dwell.py`)
opens, is confirmed now and then, and closes when its place has been seen without it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial

import numpy as np
from numpy.typing import NDArray

from edge.detect.change import Change
from edge.detect.detection import Detection
from edge.detect.dwell import History, Verdict
from edge.detect.moment import Moment
from edge.detect.overlap import (
    NESTED_SIZES,
    Table,
    alike,
    areas,
    corners,
    covered_share,
    ious,
    nestings,
    touch,
)
from wire.zone import UNNAMED, Label, ZoneConfig

SAME_PLACE_IOU = 0.2
SAME_PLACE_NESTED = 0.6
"""Two boxes of one label are in one place from these on: by overlap, or one lying in the other."""

SAME_STALL_REACH = 0.75
"""A stall pushed along by less than this part of its size is still that stall."""

HIDDEN_SHARE = 0.5
"""A place is hidden while this share of it lies under passing people or vehicles."""

FORGET_LEAST_S, CLOSE_LEAST_S = 15.0, 20.0
PATIENCE = 0.5
"""Out of sight for this part of the dwell (hidden time not counted), but at least for so long,
what is not an alert yet is forgotten, and an alert ends."""

NAMED_SHARE = 0.3
"""A change has a name when it shares so much of the smaller box with a thing that has one."""

LOOKS_TO_FORGET = 4
"""However slow the looks: fewer misses than this are no proof that something has gone."""

GAP_LOOKS, GAP_LEAST_S = 5, 5.0
"""Looks so many times further apart than usual, and at least so far, left a gap between them."""


RIVALS_NESTED = 0.4
"""Two names are names of one thing when so much of the smaller box lies in the other."""

SURER = 1.25
"""Another name takes an alert's place when it is surer by this factor."""

HIDDEN_MOST_S = 900.0
UPDATE_S, UPDATES_A_DWELL = 600.0, 4
"""A lasting alert is confirmed every ten minutes, in slow zones every quarter of a dwell."""


class StayState(StrEnum):
    """The values of `wire.alert.AlertState`."""

    NEW = "new"
    UPDATE = "update"
    END = "end"


@dataclass(frozen=True)
class Sighting:
    """Something seen in one look that must not be there.

    `box`: with the matter's label and the score as a whole. `own`, `relation`, `stayed_s`: as in
    `dwell.History`. `parts`: what it was made of, for the picture. `since`: when it came, where
    the one who saw it knows better than the first sighting. `clean`: the last look before it came
    that showed its place clean, if there was one. `least`: where more than the label's threshold is
    asked of it, the score that half of all looks must reach.
    """

    box: Detection
    own: float
    relation: float = 0.0
    stayed_s: float = 0.0
    parts: tuple[Detection, ...] = ()
    since: Moment | None = None
    clean: Moment | None = None
    least: float = 0.0


Placed = tuple[ZoneConfig, Sighting]
"""A sighting in the zone where it counts."""


@dataclass(frozen=True, eq=False)
class Stay:
    """Something that stays in one place. `number` counts the alerts of a camera, 0 = none yet.

    `clean`: the last look before `since` that showed the place clean, if there was one.

    `hidden_s`, `blind_s`: of the time since it was `seen`, how long something stood before it, and
    how long the camera could not be judged by. `least`: as in its sightings.
    """

    label: Label
    zone: ZoneConfig
    box: Detection
    since: Moment
    seen: Moment
    told: Moment
    history: History
    parts: tuple[Detection, ...] = ()
    hidden_s: float = 0.0
    blind_s: float = 0.0
    clean: Moment | None = None
    number: int = 0
    score: float = 0.0
    least: float = 0.0

    @property
    def is_open(self) -> bool:
        """Whether it is an alert."""
        return self.number > 0

    def judge(self, now: Moment, threshold: float) -> Verdict:
        """Whether it has stayed long enough by now; `threshold`: of its label."""
        lasted_s = now.t_s - self.since.t_s
        return self.history.judge(lasted_s, self.zone.dwell_s, threshold, self.least)


@dataclass(frozen=True)
class StayEvent:
    """A stay became an alert, is one still, or is one no longer."""

    state: StayState
    stay: Stay


class Places:
    """All stays of one camera. `threshold`: the score from which a label counts."""

    def __init__(self, threshold: Callable[[str], float] = lambda _: 0.25) -> None:
        """Nothing stays yet."""
        self._threshold = threshold
        self._stays: list[Stay] = []
        self._opened = 0
        self._last_t_s: float | None = None
        self._interval_s = 0.0

    @property
    def stays(self) -> tuple[Stay, ...]:
        """All that is remembered, alert or not yet."""
        return tuple(self._stays)

    def update(
        self,
        sightings: Sequence[Placed],
        passers: Sequence[Detection],
        now: Moment,
        *,
        is_sure: bool = True,
    ) -> list[StayEvent]:
        """Take in one look. `passers`: people and vehicles, behind which a place may be hidden.

        Not `is_sure`: what it does not show may be there all the same.
        """
        elapsed_s = self._tick(now)
        joined = self._join(sightings)
        stays = []
        for number, stay in enumerate(self._stays):
            if number in joined:
                stays.append(_seen(stay, joined[number], now))
            elif not is_sure:
                stays.append(_not_judged(stay, now.t_s, elapsed_s))
            else:
                stays.append(_unseen(stay, passers, now, elapsed_s))
        self._stays = stays + [_first_seen(*s, now) for s in self._strangers(sightings, joined)]
        self._drop_doubles()
        return self._close(now) + self._confirm(now) + self._open(now)

    def recognised(
        self, changes: Sequence[Change], now: Moment
    ) -> tuple[list[Placed], list[Change]]:
        """Part changes into those that show a known stay to last, and those of unknown things.

        A detector may lose a thing that has not moved; that the scene is still changed where it
        stands says that it is still there.
        """
        lasting, unknown = [], []
        for change in changes:
            stay = next((s for s in self._stays if self._explains(s, change.box, now)), None)
            if stay is None:
                unknown.append(change)
            elif stay.is_open:
                box = replace(stay.box, score=stay.score)
                lasting.append((stay.zone, Sighting(box, stay.score, parts=stay.parts)))
        return lasting, unknown

    def _explains(self, stay: Stay, change: Detection, now: Moment) -> bool:
        """Whether a change is (a piece of) something that has a class."""
        if stay.label == UNNAMED:
            return False
        if stay.is_open:
            return touch(stay.box, change)
        nested = float(nestings(corners([stay.box]), corners([change]))[0, 0])
        return nested >= NAMED_SHARE and self._judge(stay, now).is_believed

    def _judge(self, stay: Stay, now: Moment) -> Verdict:
        return stay.judge(now, self._threshold(stay.label))

    def blind(self, now: Moment) -> None:
        """A look that could not be judged: of nothing can be told whether it is there."""
        elapsed_s = self._tick(now)
        self._stays = [_not_judged(stay, now.t_s, elapsed_s) for stay in self._stays]

    def shift(self, dx: float, dy: float) -> None:
        """The camera was turned: every place lies elsewhere in the picture now."""
        moved = []
        for stay in self._stays:
            x = min(max(stay.box.x + dx, 0.0), 1 - stay.box.w)
            y = min(max(stay.box.y + dy, 0.0), 1 - stay.box.h)
            moved.append(replace(stay, box=replace(stay.box, x=x, y=y)))
        self._stays = moved

    def rezone(self, zones: Sequence[ZoneConfig]) -> list[StayEvent]:
        """The zones are others from now on; what stays where nothing asks for it any more ends."""
        by_id = {zone.id: zone for zone in zones}
        kept, over = [], []
        for stay in self._stays:
            zone = by_id.get(stay.zone.id)
            if zone is not None and stay.label in zone.labels:
                kept.append(replace(stay, zone=zone))
            elif stay.is_open:
                over.append(StayEvent(StayState.END, stay))
        self._stays = kept
        return over

    def finish(self) -> list[StayEvent]:
        """Nothing more will be seen: end every open alert."""
        events = [StayEvent(StayState.END, stay) for stay in self._stays if stay.is_open]
        self._stays = []
        return events

    def _tick(self, now: Moment) -> float:
        """Seconds this look stands for; a gap in the looks before it counts as blind time."""
        elapsed_s = 0.0 if self._last_t_s is None else max(now.t_s - self._last_t_s, 0.0)
        self._last_t_s = now.t_s
        usual_s = self._interval_s or elapsed_s
        most_s = max(GAP_LOOKS * usual_s, GAP_LEAST_S)
        self._interval_s = usual_s + 0.2 * (min(elapsed_s, most_s) - usual_s)
        if elapsed_s <= most_s:
            return elapsed_s
        gap_s = elapsed_s - usual_s
        self._stays = [_not_judged(stay, now.t_s - usual_s, gap_s) for stay in self._stays]
        return usual_s

    def _join(self, sightings: Sequence[Placed]) -> dict[int, list[Sighting]]:
        """Number of the stay → what was seen of it."""
        if not self._stays or not sightings:
            return {}
        shared = _alike([s.box for _, s in sightings], [stay.box for stay in self._stays])
        shared *= alike([zone.id for zone, _ in sightings], [s.zone.id for s in self._stays])
        shared *= _same_age([s.least for _, s in sightings], self._stays)
        joined: dict[int, list[Sighting]] = {}
        for row, (_, sighting) in enumerate(sightings):
            best = int(shared[row].argmax())
            if shared[row, best] > 0:
                joined.setdefault(best, []).append(sighting)
        return joined

    def _strangers(
        self,
        sightings: Sequence[Placed],
        joined: dict[int, list[Sighting]],
    ) -> list[Placed]:
        known = {id(sighting) for group in joined.values() for sighting in group}
        return [(zone, s) for zone, s in sightings if id(s) not in known]

    def _drop_doubles(self) -> None:
        """Where two stays have come to share a place, the open, then the older one remains."""
        stays = sorted(self._stays, key=lambda s: (not s.is_open, s.since.t_s))
        if len(stays) < 2:
            return
        boxes = [stay.box for stay in stays]
        table = corners(boxes)
        part_of_alert = nestings(table, table) >= SAME_PLACE_NESTED
        part_of_alert &= np.array([stay.is_open for stay in stays])
        labels, zones = [box.label for box in boxes], [stay.zone.id for stay in stays]
        twins = (_alike(boxes, boxes) > 0) | part_of_alert
        twins &= alike(labels, labels) & alike(zones, zones)
        twins &= _same_age([stay.least for stay in stays], stays)
        kept: list[int] = []
        for number, stay in enumerate(stays):
            if stay.is_open or not twins[number, kept].any():
                kept.append(number)
        self._stays = [stays[number] for number in kept]

    def _close(self, now: Moment) -> list[StayEvent]:
        gone = [stay for stay in self._stays if self._is_gone(stay, now)]
        self._stays = [stay for stay in self._stays if stay not in gone]
        return [StayEvent(StayState.END, stay) for stay in gone if stay.is_open]

    def _is_gone(self, stay: Stay, now: Moment) -> bool:
        unknown_s = min(stay.hidden_s, HIDDEN_MOST_S) + stay.blind_s
        out_of_sight_s = now.t_s - stay.seen.t_s - unknown_s
        least_s = CLOSE_LEAST_S if stay.is_open else FORGET_LEAST_S
        patience_s = max(least_s, PATIENCE * stay.zone.dwell_s)
        return out_of_sight_s > max(patience_s, LOOKS_TO_FORGET * self._interval_s)

    def _confirm(self, now: Moment) -> list[StayEvent]:
        """Say of each open alert that is in sight, now and then, that it lasts."""
        events = []
        for i, stay in enumerate(self._stays):
            every_s = max(UPDATE_S, stay.zone.dwell_s / UPDATES_A_DWELL)
            if stay.is_open and stay.seen == now and now.t_s - stay.told.t_s >= every_s:
                self._stays[i] = replace(stay, told=now, score=self._judge(stay, now).score)
                events.append(StayEvent(StayState.UPDATE, self._stays[i]))
        return events

    def _open(self, now: Moment) -> list[StayEvent]:
        """Make alerts of what is ripe, the surest first: a place has one name at a time."""
        events = []
        ripe = [
            replace(stay, told=now, score=verdict.score)
            for stay in self._stays
            if not stay.is_open
            and stay.seen == now
            and now.t_s - stay.since.t_s >= stay.zone.dwell_s
            and (verdict := self._judge(stay, now)).is_ripe
        ]
        strength = partial(self._strength, now=now)
        for stay in sorted(ripe, key=strength, reverse=True):
            rivals = [s for s in self._stays if s.is_open and _are_rivals(stay, s)]
            if any(strength(stay) <= SURER * strength(rival) for rival in rivals):
                continue
            self._opened += 1
            opened = replace(stay, number=self._opened)
            others = [s for s in self._stays if s.history is not stay.history and s not in rivals]
            self._stays = [*others, opened]
            events += [StayEvent(StayState.END, rival) for rival in rivals]
            events.append(StayEvent(StayState.NEW, opened))
        return events

    def _strength(self, stay: Stay, now: Moment) -> float:
        """How sure its name is by all looks, beside what its label takes; without a class, not.

        A name that few looks gave is worth less, however sure they were.
        """
        if stay.label == UNNAMED:
            return 0.0
        verdict = self._judge(stay, now)
        return verdict.score * verdict.share / max(self._threshold(stay.label), stay.least)


def _are_rivals(a: Stay, b: Stay) -> bool:
    """Whether they are two names for one thing; what has no class is a piece of what it touches."""
    if UNNAMED in (a.label, b.label) and a.label != b.label:
        return touch(a.box, b.box)
    return _nested(a, b) >= RIVALS_NESTED


def _same_age(least: Sequence[float], stays: Sequence[Stay]) -> NDArray[np.bool_]:
    """N × M: what is new and what always stood there are two things, until one is an alert."""
    is_open = np.array([stay.is_open for stay in stays], bool)
    asked = np.array([stay.least for stay in stays])
    return np.asarray((np.array(least)[:, None] == asked[None]) | is_open[None], bool)


def _nested(stay: Stay, other: Stay) -> float:
    return float(nestings(corners([stay.box]), corners([other.box]))[0, 0])


def _first_seen(zone: ZoneConfig, sighting: Sighting, now: Moment) -> Stay:
    history = History()
    history.seen(now.t_s, sighting.own, sighting.relation, sighting.stayed_s)
    return Stay(
        label=sighting.box.label,  # type: ignore[arg-type]
        zone=zone,
        box=sighting.box,
        since=sighting.since or now,
        seen=now,
        told=now,
        history=history,
        parts=sighting.parts,
        clean=sighting.clean,
        least=sighting.least,
    )


def _seen(stay: Stay, sightings: Sequence[Sighting], now: Moment) -> Stay:
    """The best of each sighting speaks for the look; the box slowly follows the whole thing.

    A detector names a stall and the parasol over it alike: the larger of two such boxes is it.
    """
    best = max(s.box.score for s in sightings)
    whole = max((s for s in sightings if s.box.score >= best / 2), key=lambda s: s.box.area)
    stayed_s = max(s.stayed_s for s in sightings)
    relation = max(s.relation for s in sightings)
    stay.history.seen(now.t_s, max(s.own for s in sightings), relation, stayed_s)
    since, clean = stay.since, stay.clean
    if whole.since is not None:
        if whole.since.t_s < since.t_s:
            since, clean = whole.since, whole.clean
        elif not stay.is_open:
            clean = _later(clean, whole.clean)
    return replace(
        stay,
        box=_between(stay.box, whole.box),
        seen=now,
        since=since,
        clean=clean if clean is not None and clean.t_s < since.t_s else None,
        hidden_s=0.0,
        blind_s=0.0,
        parts=whole.parts,
    )


def _later(a: Moment | None, b: Moment | None) -> Moment | None:
    return max((each for each in (a, b) if each), key=lambda each: each.t_s, default=None)


def _unseen(stay: Stay, passers: Sequence[Detection], now: Moment, elapsed_s: float) -> Stay:
    if covered_share(stay.box, passers) >= HIDDEN_SHARE:
        stay.history.hidden(now.t_s)
        return replace(stay, hidden_s=stay.hidden_s + elapsed_s)
    stay.history.missed(now.t_s)
    return stay


def _not_judged(stay: Stay, t_s: float, blind_s: float) -> Stay:
    stay.history.hidden(t_s)
    return replace(stay, blind_s=stay.blind_s + blind_s)


def _between(old: Detection, new: Detection) -> Detection:
    def step(a: float, b: float) -> float:
        return a + 0.3 * (b - a)

    return Detection(
        new.label,
        new.score,
        step(old.x, new.x),
        step(old.y, new.y),
        step(old.w, new.w),
        step(old.h, new.h),
    )


def _alike(a: Sequence[Detection], b: Sequence[Detection]) -> Table:
    """N × M: how much boxes of one label share a place; 0 = they do not."""
    a_corners, b_corners = corners(a), corners(b)
    iou, nested = ious(a_corners, b_corners), nestings(a_corners, b_corners)
    a_area, b_area = areas(a_corners)[:, None], areas(b_corners)[None]
    similar = np.maximum(a_area, b_area) <= NESTED_SIZES * np.minimum(a_area, b_area)
    shared = (iou >= SAME_PLACE_IOU) | ((nested >= SAME_PLACE_NESTED) & similar)
    same_label = alike([x.label for x in a], [y.label for y in b])
    is_stall = np.array([x.label == "street_vending" for x in a])[:, None]
    near = _nearness(a_corners, b_corners) * is_stall if is_stall.any() else 0.0
    return np.asarray(np.where(shared, 1 + iou + nested, near) * same_label, float)


def _nearness(a: Table, b: Table) -> Table:
    """N × M: 1 at the same centre, 0 out of a pushed stall's reach."""
    centres = [(table[:, :2] + table[:, 2:]) / 2 for table in (a, b)]
    apart = np.linalg.norm(centres[0][:, None] - centres[1][None], axis=2)
    sizes = np.minimum((a[:, 2:] - a[:, :2])[:, None], (b[:, 2:] - b[:, :2])[None])
    reach = np.maximum(SAME_STALL_REACH * sizes.max(axis=2), 1e-9)
    return np.asarray(np.maximum(1 - apart / reach, 0), float)
