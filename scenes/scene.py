"""A scenario as pictures with their truth: the same second and seed give the same picture."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

from scenes.camera import Camera, Size
from scenes.light import Change, Light
from scenes.picture import Darkroom, Frame, TruthBox
from scenes.scenarios import SCENARIOS, Scenario, Want

__all__ = [
    "SCENARIOS",
    "Scenario",
    "TruthBox",
    "TruthEvent",
    "UnknownScenario",
    "events",
    "find",
    "render",
]

PICTURE: Size = (640, 360)
MOMENTS_PER_S = 25


class UnknownScenario(LookupError):
    """There is no scenario of this name."""

    def __init__(self, name: str) -> None:
        """Say which name was asked for and which there are."""
        super().__init__(f"scenario {name!r} is none of: {', '.join(sorted(SCENARIOS))}")


@dataclass(frozen=True)
class TruthEvent:
    """Something that happens in a scenario and whether an alert is wanted for it.

    `place` is its box (x, y, w, h; fractions, top-left corner), `ground` its latitude and
    longitude, `from_s` and `until_s` when it is there, `want` is "alert" or "none", `things` the
    ids of its truth boxes.
    """

    label: str
    place: tuple[float, float, float, float]
    ground: tuple[float, float]
    from_s: float
    until_s: float
    want: str
    note: str
    things: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """For the truth file."""
        return asdict(self)


@lru_cache(maxsize=16)
def find(name: str, seed: int = 0) -> Scenario:
    """The scenario of this name, cast and set by `seed`; raises UnknownScenario."""
    try:
        return SCENARIOS[name](seed)
    except KeyError:
        raise UnknownScenario(name) from None


@lru_cache(maxsize=8)
def _room(scenario: Scenario, size: Size) -> Darkroom:
    return Darkroom(scenario.stage.street, scenario.stage.camera, size)


def render(
    scenario: str | Scenario, at_s: float, size: Size = PICTURE, seed: int = 0
) -> tuple[Frame, list[TruthBox]]:
    """The picture (BGR uint8, height x width x 3) at a second and the boxes of what is in it.

    Raises UnknownScenario.
    """
    played = find(scenario, seed) if isinstance(scenario, str) else scenario
    moment = played.moment(at_s)
    view = _view(played, moment)
    things = [item for actor in played.actors for item in actor.things(moment, view)]
    room = _room(played, size)
    return room.frame(things, _light(played, moment), round(at_s * MOMENTS_PER_S), view)


def _view(scenario: Scenario, at_s: float) -> Camera:
    if not scenario.views:
        return scenario.stage.camera
    reached = bisect_right([t for t, _ in scenario.views], at_s)
    return scenario.views[reached - 1][1] if reached else scenario.stage.camera


def _light(scenario: Scenario, at_s: float) -> Light | Change:
    lights = scenario.lights
    reached = bisect_right([t for t, _ in lights], at_s)
    if reached == 0:
        return lights[0][1]
    if reached == len(lights):
        return lights[-1][1]
    (t0, first), (t1, second) = lights[reached - 1], lights[reached]
    if first == second:
        return first
    return Change(first, second, round((at_s - t0) / (t1 - t0), 2))


def events(scenario: Scenario) -> list[TruthEvent]:
    """The truth events, each with its box in the picture and its place on earth."""
    return [_event(scenario, want) for want in scenario.wants]


def _event(scenario: Scenario, want: Want) -> TruthEvent:
    place, ground = _where(scenario, want)
    return TruthEvent(
        label=want.label,
        place=place,
        ground=ground,
        from_s=want.from_s,
        until_s=want.until_s,
        want=want.want,
        note=want.note,
        things=want.actors,
    )


def _where(
    scenario: Scenario, want: Want
) -> tuple[tuple[float, float, float, float], tuple[float, float]]:
    """Box and place on earth of the actors half-way through; the whole picture without actors."""
    middle = scenario.moment((want.from_s + want.until_s) / 2)
    view, camera = _view(scenario, middle), scenario.stage.camera
    actors = [actor for actor in scenario.actors if actor.id in want.actors]
    if not actors:
        return (0.0, 0.0, 1.0, 1.0), camera.to_wgs84(*camera.ground_at(0.5, 0.7))
    things = [item for actor in actors for item in actor.things(middle, view)]
    _, boxes = _room(scenario, PICTURE).drawn(things, scenario.lights[0][1], view)
    left, top = min(b.x for b in boxes), min(b.y for b in boxes)
    right, low = max(b.x + b.w for b in boxes), max(b.y + b.h for b in boxes)
    lat, lon = camera.to_wgs84(*actors[0].at(middle))
    box = (round(left, 4), round(top, 4), round(right - left, 4), round(low - top, 4))
    return box, (round(lat, 7), round(lon, 7))
