"""Places of a street looked at again: with the thing, without it, and with what may mislead.

For tests and the benchmark of the look again; the truth of each trial is known.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from scenes import light as lights, stalls
from scenes.camera import Camera, Size
from scenes.light import Light
from scenes.picture import Darkroom, Frame, TruthBox
from scenes.refuse import Heap
from scenes.scenarios import DAYLIGHTS
from scenes.script import Actor, Bag, Bins
from scenes.stage import Stage, any_stage
from scenes.street import Street
from scenes.traffic import any_vehicle

KINDS = ("bags", "heap", "stall", "cart", "bins")
PASSERS = frozenset({"person", "car", "van", "truck", "bus", "motorcycle", "bicycle", "tricycle"})
ALWAYS = 1e6
PICTURE: Size = (640, 360)
LOOK_EVERY_S = 9.0
TURN_DEG = 2.5
SWAPPED = {"bags": "heap", "heap": "stall", "stall": "heap", "cart": "bags", "bins": "heap"}

Sight = tuple[Frame, list[TruthBox]]


@dataclass(frozen=True)
class Trial:
    """One look again. `truth`: is the thing there; None: something else stands in its place.

    `name` is what was done to the place, `light` by which light it is seen.
    """

    kind: str
    name: str
    light: str
    truth: bool | None
    stage: Stage
    actors: tuple[Actor, ...]
    camera: Camera

    def looks(self, count: int) -> Iterator[Sight]:
        """Fresh pictures with their truth boxes."""
        for number in range(count):
            at_s = 3.0 + number * LOOK_EVERY_S
            yield drawn(self.stage, self.actors, self.light, at_s, self.camera)


@dataclass(frozen=True)
class Spot:
    """A thing on a street: its box in the picture, and the pictures of before and after it came."""

    kind: str
    stage: Stage
    thing: Actor
    light: str
    box: TruthBox
    with_it: Frame
    without_it: Frame

    def trials(self, seed: int) -> Iterator[Trial]:
        """What it may look like when it is looked at again."""
        other = DAYLIGHTS[(DAYLIGHTS.index(self.light) + 1 + seed // 4) % len(DAYLIGHTS)]
        around = tuple(_around(self.stage, 5))
        stage, camera = self.stage, self.stage.camera

        def trial(
            name: str,
            light: str,
            truth: bool | None,  # noqa: FBT001
            *actors: Actor,
            view: Camera = camera,
        ) -> Trial:
            return Trial(self.kind, name, light, truth, stage, (*actors, *around), view)

        for light in (self.light, other, "rain", "night"):
            yield trial("still there", light, True, self.thing)
            yield trial("gone", light, False)
        yield trial("swapped", other, None, thing(stage, SWAPPED[self.kind], seed))
        if (part := _part_of(self.thing, seed)) is not None:
            yield trial("partly taken", other, True, part)
        yield trial("behind a van", self.light, True, self.thing, _van(stage, self.thing, seed))
        turned = replace(camera, yaw_deg=camera.yaw_deg + TURN_DEG)
        yield trial("camera turned", other, True, self.thing, view=turned)
        yield trial("camera turned, gone", other, False, view=turned)


def spot(kind: str, seed: int) -> Spot:
    """A thing of a kind on a street chosen by the seed."""
    stage, light = any_stage(seed * 10 + 1), DAYLIGHTS[seed % len(DAYLIGHTS)]
    put = thing(stage, kind, seed)
    _, boxes = drawn(stage, (put,), light, 0.0, stage.camera)
    own = [box for box in boxes if box.label not in PASSERS] or boxes
    x, y = min(box.x for box in own), min(box.y for box in own)
    right, low = max(box.x + box.w for box in own), max(box.y + box.h for box in own)
    few = tuple(_around(stage, 2))
    return Spot(
        kind,
        stage,
        put,
        light,
        TruthBox("thing", x, y, right - x, low - y, "thing", 1.0),
        drawn(stage, (put, *few), light, 20.0, stage.camera)[0],
        drawn(stage, few, light, 10.0, stage.camera)[0],
    )


def thing(stage: Stage, kind: str, seed: int) -> Actor:
    """What stands on the far pavement."""
    rng = np.random.default_rng([seed, 77])
    x, y = stage.spot(float(rng.uniform(0.35, 0.65)), float(rng.uniform(0.25, 0.6)))
    track = ((-ALWAYS, x, y), (ALWAYS, x, y))
    if kind == "bags":
        return Actor("thing", Bag(seed, 4), track)
    if kind == "heap":
        return Actor("thing", Heap(seed, 22, 1.0, 0.35, 24), track)
    if kind == "bins":
        return Actor("thing", Bins(seed, 2, 14), track, ((-ALWAYS, 1.0), (ALWAYS, 1.0)))
    if kind == "cart":
        left_alone = ((-3 * ALWAYS, -2 * ALWAYS),)
        return Actor("thing", stalls.any_stall(rng, "cart"), track, (), 0.0, left_alone)
    return Actor("thing", stalls.any_stall(rng), track, (), float(rng.uniform(-15, 15)))


def drawn(
    stage: Stage, actors: tuple[Actor, ...], light: str, at_s: float, camera: Camera
) -> Sight:
    """The picture at a second, with its truth."""
    things = [item for actor in actors for item in actor.things(at_s, camera)]
    room = _room(stage.street, camera, PICTURE)
    return room.frame(things, _light(light), round(at_s * 25), camera)


@lru_cache(maxsize=4)
def _room(street: Street, camera: Camera, size: Size) -> Darkroom:
    return Darkroom(street, camera, size)


def _light(name: str) -> Light:
    return lights.LIGHTS[name]


def _around(stage: Stage, people: float) -> list[Actor]:
    return stage.passers(120, people) + stage.traffic(120, 4)


def _part_of(put: Actor, seed: int) -> Actor | None:
    match put.spec:
        case Bag():
            return replace(put, spec=Bag(seed, 2))
        case Heap():
            return replace(put, spec=Heap(seed, 7, 0.6, 0.25, 24))
    return None


def _van(stage: Stage, put: Actor, seed: int) -> Actor:
    """Parked at the kerb before the thing."""
    rng = np.random.default_rng([seed, 5])
    x, _ = put.at(0.0)
    y = stage.street.far_kerb_y - 1.1
    return Actor("van", any_vehicle(rng, "van"), ((-ALWAYS, x, y), (ALWAYS, x, y)))
