"""The scenarios: what happens in front of a camera, and whether an alert is wanted for it.

A scenario is a function of a seed; the seed chooses street, camera, stall, people and light.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from scenes import light as lights_of, people, sheds, stalls
from scenes.camera import Camera
from scenes.light import Light
from scenes.refuse import Heap
from scenes.script import Actor, Bag, Bins, Curve
from scenes.stage import Stage, any_stage
from scenes.traffic import Vehicle, any_vehicle

Lights = tuple[tuple[float, Light], ...]

DAY_S = 86_400.0
LONG_BEFORE_S = -600.0
DAYLIGHTS = ("noon", "morning", "afternoon", "overcast")


@dataclass(frozen=True)
class Want:
    """What the camera side should make of some actors: `want` is "alert" or "none"."""

    label: str
    actors: tuple[str, ...]
    from_s: float
    until_s: float
    want: str
    note: str


@dataclass(frozen=True)
class Scenario:
    """A stage, its actors and lights over `duration_s` seconds.

    `lights`: (second, Light), blended between. `views`: (second, Camera) from then on. `gaps`:
    spans in which no frame arrives. `step_s`: seconds between frames of a time-lapse. `loop_s`:
    the scene repeats after so long. `no_build`: its zone is watched over days.
    """

    name: str
    title: str
    duration_s: float
    stage: Stage
    actors: tuple[Actor, ...]
    lights: Lights
    wants: tuple[Want, ...]
    views: tuple[tuple[float, Camera], ...] = ()
    gaps: tuple[tuple[float, float], ...] = ()
    dwell_s: float = 20.0
    step_s: float | None = None
    loop_s: float | None = None
    deep_m: float = 0.0
    no_build: bool = False

    def moment(self, at_s: float) -> float:
        """The second of the script at a second of the recording."""
        return at_s % self.loop_s if self.loop_s else at_s


def _daylight(seed: int) -> Lights:
    return ((0.0, lights_of.LIGHTS[DAYLIGHTS[seed % len(DAYLIGHTS)]]),)


def _stall_at(
    stage: Stage,
    u: float,
    from_s: float,
    until_s: float,
    *,
    kind: str | None = None,
    growth: Curve = (),
    lane: float = 0.36,
) -> Actor:
    rng = stage.rng(105 + round(u * 50))
    x, y = stage.spot(u, lane)
    turn = float(rng.uniform(-15, 15))
    stall = stalls.any_stall(rng, kind)
    return Actor("stall", stall, ((from_s, x, y), (until_s, x, y)), growth, turn)


def _play(
    name: str,
    title: str,
    stage: Stage,
    duration_s: float,
    *,
    actors: Iterable[Actor],
    wants: Iterable[Want],
    lights: Lights | None = None,
    **more: Any,
) -> Scenario:
    return Scenario(
        name=name,
        title=title,
        duration_s=duration_s,
        stage=stage,
        actors=tuple(actors),
        lights=lights or _daylight(stage.seed),
        wants=tuple(wants),
        **more,
    )


def _around(
    stage: Stage, duration_s: float, people_: float = 5, vehicles: float = 4, *, lamps: bool = False
) -> list[Actor]:
    return stage.passers(duration_s, people_) + stage.traffic(duration_s, vehicles, lamps=lamps)


def stall_before_start(seed: int) -> Scenario:
    """A stall that stands there before the camera starts."""
    stage, end = any_stage(seed + 10), 120.0
    stall = _stall_at(stage, 0.45, LONG_BEFORE_S, end + 60)
    want = Want("street_vending", ("stall",), 0.0, end, "alert", "already there at the start")
    return _play(
        "stall_before_start",
        "Stall set up before the start",
        stage,
        end,
        actors=[stall, *_around(stage, end)],
        wants=[want],
    )


def stall_set_up(seed: int) -> Scenario:
    """A stall set up while the camera looks on."""
    stage, end = any_stage(seed + 20), 130.0
    stall = _stall_at(stage, 0.55, 20, end + 60, growth=((20, 0.1), (32, 1.0)))
    want = Want("street_vending", ("stall",), 32.0, end, "alert", "set up from 20 to 32 s")
    return _play(
        "stall_set_up",
        "Stall set up",
        stage,
        end,
        actors=[stall, *_around(stage, end)],
        wants=[want],
    )


def stall_taken_down(seed: int) -> Scenario:
    """A stall packed up and gone."""
    stage, end = any_stage(seed + 30), 150.0
    stall = _stall_at(stage, 0.4, LONG_BEFORE_S, 82, growth=((70, 1.0), (82, 0.1)))
    want = Want("street_vending", ("stall",), 0.0, 80.0, "alert", "packed up from 70 to 82 s")
    return _play(
        "stall_taken_down",
        "Stall taken down",
        stage,
        end,
        actors=[stall, *_around(stage, end)],
        wants=[want],
    )


def stall_moved(seed: int) -> Scenario:
    """A stall pushed three metres along the pavement: still one matter."""
    stage, end = any_stage(seed + 40), 150.0
    stall = _stall_at(stage, 0.42, LONG_BEFORE_S, end + 60, kind="cart")
    _, x, y = stall.track[0]
    stall = replace(
        stall, track=((LONG_BEFORE_S, x, y), (75, x, y), (82, x + 3.0, y), (end + 60, x + 3.0, y))
    )
    want = Want(
        "street_vending", ("stall",), 0.0, end, "alert", "moved 3 m at 75 s; one alert is enough"
    )
    return _play(
        "stall_moved",
        "Stall moved three metres",
        stage,
        end,
        actors=[stall, *_around(stage, end)],
        wants=[want],
    )


def stall_unattended(seed: int) -> Scenario:
    """A stall whose seller walks away for a while."""
    stage, end = any_stage(seed + 50), 140.0
    stall = _stall_at(stage, 0.5, LONG_BEFORE_S, end + 60, kind="table")
    stall = replace(stall, tended=((LONG_BEFORE_S, 50), (95, end + 60)))
    want = Want("street_vending", ("stall",), 0.0, end, "alert", "seller away from 50 to 95 s")
    return _play(
        "stall_unattended",
        "Stall left alone for a while",
        stage,
        end,
        actors=[stall, *_around(stage, end)],
        wants=[want],
    )


def tricycle_seller(seed: int) -> Scenario:
    """A seller who rides up with a loaded tricycle, sells for a while and rides on."""
    stage, end = any_stage(seed + 60), 150.0
    x, y = stage.spot(0.5, -0.12)
    rng = stage.rng(7)
    start = stage.x_at(1.05, y) + 3
    carrier = replace(any_vehicle(rng, "tricycle"), seed=int(rng.integers(1 << 30)))
    come = Actor("come", carrier, ((10, start, y), (20, x, y)))
    stall = Actor(
        "stall",
        stalls.any_stall(rng, "tricycle"),
        ((20, x, y), (105, x, y)),
        ((20, 0.4), (28, 1.0)),
        180.0,
    )
    leave = Actor("leave", carrier, ((105, x, y), (120, stage.x_at(-0.05, y) - 4, y)))
    want = Want(
        "street_vending", ("stall",), 24.0, 105.0, "alert", "sells from 20 to 105 s at the kerb"
    )
    return _play(
        "tricycle_seller",
        "Tricycle seller",
        stage,
        end,
        actors=[come, stall, leave, *_around(stage, end, 5, 0)],
        wants=[want],
    )


def seller_without_stall(seed: int) -> Scenario:
    """Someone who stands about alone for minutes, with nothing to sell."""
    stage, end = any_stage(seed + 70), 130.0
    x, y = stage.spot(0.5, 0.4)
    look = people.any_look(stage.rng(8), seller=True)
    waiting = Actor("waiting", look, ((LONG_BEFORE_S, x, y), (end + 60, x, y)))
    want = Want(
        "street_vending", ("waiting",), 0.0, end, "none", "a person alone, no goods, no stall"
    )
    return _play(
        "seller_without_stall",
        "Seller without a stall",
        stage,
        end,
        actors=[waiting, *_around(stage, end)],
        wants=[want],
    )


def passers_talking(seed: int) -> Scenario:
    """Passers-by who meet, stand and talk."""
    stage, end = any_stage(seed + 80), 140.0
    x, y = stage.spot(0.45, 0.45)
    rng, group = stage.rng(9), []
    for number, (dx, facing) in enumerate(((-0.4, "right"), (0.4, "left"), (0.1, "back"))):
        side = -8.0 if number % 2 else 8.0
        track = (
            (5 + 3 * number, x + side, y),
            (13 + 3 * number, x + dx, y - 0.3 * number),
            (115, x + dx, y - 0.3 * number),
            (125, x - side, y),
        )
        group.append(Actor(f"talker-{number}", people.any_look(rng), track, facing=facing))
    names = tuple(actor.id for actor in group)
    want = Want("street_vending", names, 15.0, 115.0, "none", "three people stand and talk")
    return _play(
        "passers_talking",
        "Passers-by standing and talking",
        stage,
        end,
        actors=[*group, *_around(stage, end)],
        wants=[want],
    )


def bin_overflow(seed: int) -> Scenario:
    """Bins that fill and overflow."""
    stage, end = any_stage(seed + 90), 150.0
    x, y = stage.spot(0.5, 0.3)
    bins = Bins(stage.seed, 2 + stage.seed % 2, 14)
    full = Actor("bins", bins, ((LONG_BEFORE_S, x, y), (end + 60, x, y)), ((20, 0.0), (80, 1.0)))
    want = Want("garbage", ("bins",), 40.0, end, "alert", "closed until 20 s, full at 80 s")
    return _play(
        "bin_overflow",
        "Bin overflowing",
        stage,
        end,
        actors=[full, *_around(stage, end)],
        wants=[want],
    )


def heap_growing(seed: int) -> Scenario:
    """A heap that grows by pieces."""
    stage, end = any_stage(seed + 100), 150.0
    x, y = stage.spot(0.58, 0.4)
    heap = Heap(stage.seed, 22, 1.0, 0.35, 24)
    grown = Actor("heap", heap, ((15, x, y), (end + 60, x, y)), ((15, 0.05), (90, 1.0)))
    want = Want("garbage", ("heap",), 25.0, end, "alert", "grows from 15 to 90 s")
    return _play(
        "heap_growing",
        "Heap growing",
        stage,
        end,
        actors=[grown, *_around(stage, end)],
        wants=[want],
    )


def bags_left_and_taken(seed: int) -> Scenario:
    """Bags that someone leaves and someone else takes away."""
    stage, end = any_stage(seed + 110), 170.0
    x, y = stage.spot(0.48, 0.4)
    rng = stage.rng(10)
    bags = Actor("bags", Bag(stage.seed, 4), ((20, x, y), (110, x, y)))
    left, right = x - 9, x + 9
    one = Actor(
        "one",
        people.any_look(rng),
        ((12, left, y), (19, x - 0.6, y), (22, x - 0.6, y), (30, right, y)),
    )
    two = Actor(
        "two",
        people.any_look(rng),
        ((101, right, y), (108, x + 0.6, y), (111, x + 0.6, y), (119, left, y)),
    )
    want = Want("garbage", ("bags",), 22.0, 110.0, "alert", "left at 20 s, taken at 110 s")
    return _play(
        "bags_left_and_taken",
        "Bags left and taken",
        stage,
        end,
        actors=[bags, one, two, *_around(stage, end)],
        wants=[want],
    )


def parked_van(seed: int) -> Scenario:
    """A van that parks and drives on: no matter of vending or garbage."""
    stage, end = any_stage(seed + 120), 140.0
    y = stage.street.far_kerb_y - 1.2
    x = stage.x_at(0.5, y)
    van = Vehicle("van", stage.seed)
    track = (
        (10.0, stage.x_at(1.05, y) + 5, y),
        (16.0, x, y),
        (110.0, x, y),
        (116.0, stage.x_at(-0.05, y) - 5, y),
    )
    parked = Actor("van", van, track, turn_deg=180.0)
    want = Want("unknown_object", ("van",), 16.0, 110.0, "none", "a parked vehicle")
    return _play(
        "parked_van",
        "Parked van",
        stage,
        end,
        actors=[parked, *_around(stage, end, 5, 2)],
        wants=[want],
    )


def delivery_stop(seed: int) -> Scenario:
    """A delivery: a van stops, cartons stand on the pavement for a moment, are carried in."""
    stage, end = any_stage(seed + 130), 120.0
    y = stage.street.far_kerb_y - 1.2
    x = stage.x_at(0.5, y)
    rng = stage.rng(11)
    track = (
        (8.0, stage.x_at(1.05, y) + 5, y),
        (14.0, x, y),
        (90.0, x, y),
        (96.0, stage.x_at(-0.05, y) - 5, y),
    )
    van = Actor("van", Vehicle("van", stage.seed), track, turn_deg=180.0)
    inner = stage.street.front_y - 0.3
    legs, t = [], 20.0
    for _ in range(5):
        legs += [
            (t, x + 1.5, y + 1.5),
            (t + 4, x + 2.0, inner),
            (t + 7, x + 2.0, inner),
            (t + 11, x + 1.5, y + 1.5),
        ]
        t += 13
    man = Actor("man", people.any_look(rng), tuple(legs))
    cartons = Actor(
        "cartons",
        Heap(stage.seed, 4, 0.35, 1.0, 0),
        ((22, x + 2.6, y + 1.7), (34, x + 2.6, y + 1.7)),
    )
    want = Want(
        "garbage", ("cartons",), 22.0, 34.0, "none", "cartons of a delivery, carried in after 12 s"
    )
    return _play(
        "delivery_stop",
        "Delivery stop",
        stage,
        end,
        actors=[van, man, cartons, *_around(stage, end, 4, 2)],
        wants=[want],
    )


def shed_ten_days(seed: int) -> Scenario:
    """A shed that goes up over ten days: 50 minutes between frames, nights and weather included."""
    stage, end = any_stage(seed + 140, vacant=True), 10 * DAY_S
    y = stage.street.front_y + 3.6
    x = stage.x_at(0.5, y)
    shed = sheds.Shed("steel", stage.seed, 7.0, 4.0, 2.9)
    curve: Curve = tuple(
        (DAY_S * (2 + day) + 3600 * hour, share)
        for day, low, high in (
            (0, 0.02, 0.18),
            (1, 0.18, 0.36),
            (2, 0.36, 0.5),
            (3, 0.5, 0.66),
            (4, 0.66, 0.8),
            (5, 0.8, 1.0),
        )
        for hour, share in ((0, low), (11, high))
    )
    built = Actor("shed", shed, ((2 * DAY_S, x, y), (end + DAY_S, x, y)), curve)
    want = Want(
        "illegal_structure",
        ("shed",),
        3 * DAY_S,
        end,
        "alert",
        "frame on day 3, walls on day 5, roof on day 7",
    )
    return _play(
        "shed_ten_days",
        "Shed going up over ten days",
        stage,
        end,
        actors=[built],
        wants=[want],
        lights=_ten_days(stage.seed),
        step_s=3000.0,
        dwell_s=DAY_S,
        deep_m=5.0,
        no_build=True,
    )


def van_parked_for_a_day(seed: int) -> Scenario:
    """Ten days in which nothing is built; a van stands there for a day and a night."""
    stage, end = any_stage(seed + 145, vacant=True), 10 * DAY_S
    y = stage.street.front_y + 3.6
    x = stage.x_at(0.5, y)
    since_s = 4 * DAY_S + 3 * 3600
    van = Actor("van", Vehicle("van", stage.seed), ((since_s, x, y), (since_s + 26 * 3600, x, y)))
    want = Want(
        "illegal_structure", ("van",), since_s, since_s + 26 * 3600, "none", "a van parked for 26 h"
    )
    return _play(
        "van_parked_for_a_day",
        "Van parked for a day",
        stage,
        end,
        actors=[van],
        wants=[want],
        lights=_ten_days(stage.seed),
        step_s=3000.0,
        dwell_s=DAY_S,
        deep_m=5.0,
        no_build=True,
    )


def _ten_days(seed: int) -> Lights:
    """Lights from 7 o'clock on: eleven hours of day, dusk, night, every day with its weather."""
    rng, found = np.random.default_rng([seed, 77]), []
    for day in range(11):
        cloudy = rng.random() < 0.4
        for hour in range(0, 24, 2):
            base = lights_of.NIGHT
            if hour <= 10:
                base = (
                    lights_of.OVERCAST
                    if cloudy
                    else replace(
                        lights_of.NOON,
                        azimuth_deg=-80.0 + 20 * hour,
                        elevation_deg=20.0 + 35 * np.sin(np.pi * hour / 10),
                    )
                )
            elif hour == 12:
                base = lights_of.DUSK
            found.append((day * DAY_S + hour * 3600.0, base))
            found.append((day * DAY_S + hour * 3600.0 + 7199.0, base))
    return tuple(found)


def camera_knocked(seed: int) -> Scenario:
    """Someone knocks the camera; the stall in view is the same as before."""
    stage, end = any_stage(seed + 150), 140.0
    stall = _stall_at(stage, 0.5, LONG_BEFORE_S, end + 60)
    camera = stage.camera
    views = [
        (
            70.0 + 0.2 * step,
            replace(
                camera, yaw_deg=camera.yaw_deg + dy, pitch_deg=camera.pitch_deg + dp, roll_deg=dr
            ),
        )
        for step, (dy, dp, dr) in enumerate(
            ((4.0, 2.0, 2.0), (9.0, -1.0, 4.0), (6.0, 2.5, 2.5), (7.0, 1.5, 3.0))
        )
    ]
    want = Want(
        "street_vending",
        ("stall",),
        0.0,
        70.0,
        "alert",
        "the camera is knocked at 70 s; one alert is enough",
    )
    return _play(
        "camera_knocked",
        "Camera knocked",
        stage,
        end,
        actors=[stall, *_around(stage, end)],
        wants=[want],
        views=tuple(views),
    )


def night_stall(seed: int) -> Scenario:
    """A stall at night, with headlights passing."""
    stage, end = any_stage(seed + 160), 130.0
    stall = _stall_at(stage, 0.5, 15, end + 60, growth=((15, 0.1), (25, 1.0)))
    want = Want("street_vending", ("stall",), 25.0, end, "alert", "at night")
    actors = [stall, *_around(stage, end, 3, 5, lamps=True)]
    return _play(
        "night_stall",
        "Stall at night",
        stage,
        end,
        actors=actors,
        wants=[want],
        lights=((0.0, lights_of.NIGHT),),
    )


def rain_stall(seed: int) -> Scenario:
    """A stall in the rain."""
    stage, end = any_stage(seed + 170), 130.0
    stall = _stall_at(stage, 0.45, 15, end + 60, kind="tent", growth=((15, 0.1), (27, 1.0)))
    want = Want("street_vending", ("stall",), 27.0, end, "alert", "in the rain")
    return _play(
        "rain_stall",
        "Stall in the rain",
        stage,
        end,
        actors=[stall, *_around(stage, end, 3, 5)],
        wants=[want],
        lights=((0.0, lights_of.RAIN),),
    )


def light_changes(seed: int) -> Scenario:
    """Clouds, an exposure jump and dusk over a street where nothing stays."""
    stage, end = any_stage(seed + 180), 180.0
    noon, cloudy = lights_of.NOON, lights_of.OVERCAST
    lights = (
        (0.0, noon),
        (30.0, noon),
        (33.0, cloudy),
        (55.0, cloudy),
        (57.0, noon),
        (80.0, noon),
        (80.2, replace(noon, gain=1.45)),
        (95.0, replace(noon, gain=1.45)),
        (95.4, noon),
        (115.0, cloudy),
        (160.0, lights_of.DUSK),
    )
    want = Want("unknown_object", (), 0.0, end, "none", "light alone")
    return _play(
        "light_changes",
        "Changing light",
        stage,
        end,
        actors=_around(stage, end, 5, 5),
        wants=[want],
        lights=lights,
    )


def headlights(seed: int) -> Scenario:
    """Headlights over an empty street at night."""
    stage, end = any_stage(seed + 190), 120.0
    want = Want("unknown_object", (), 0.0, end, "none", "headlights alone")
    return _play(
        "headlights",
        "Headlights at night",
        stage,
        end,
        actors=_around(stage, end, 2, 9, lamps=True),
        wants=[want],
        lights=((0.0, lights_of.NIGHT),),
    )


def bus_occlusion(seed: int) -> Scenario:
    """A bus hides a stall for eight seconds: still one alert."""
    stage, end = any_stage(seed + 200, height_m=4.6, yaw_deg=float(-8 + 16 * (seed % 2))), 140.0
    stall = _stall_at(stage, 0.5, LONG_BEFORE_S, end + 60, kind="cart", lane=0.22)
    y = stage.street.far_kerb_y - 1.5
    x = stall.at(60)[0] * y / stall.at(60)[1]
    track = (
        (64.0, stage.x_at(1.05, y) + 12, y),
        (68.0, x, y),
        (76.0, x, y),
        (80.0, stage.x_at(-0.05, y) - 12, y),
    )
    bus = Actor("bus", Vehicle("bus", stage.seed), track, turn_deg=180.0)
    want = Want(
        "street_vending",
        ("stall",),
        0.0,
        end,
        "alert",
        "hidden by a bus from 68 to 76 s; one alert is enough",
    )
    return _play(
        "bus_occlusion",
        "Stall hidden by a bus",
        stage,
        end,
        actors=[stall, bus, *_around(stage, end, 4, 2)],
        wants=[want],
    )


def stream_loss(seed: int) -> Scenario:
    """The stream breaks off for twelve seconds while a stall stands there."""
    stage, end = any_stage(seed + 210), 140.0
    stall = _stall_at(stage, 0.55, 10, end + 60, growth=((10, 0.1), (18, 1.0)))
    want = Want(
        "street_vending",
        ("stall",),
        18.0,
        end,
        "alert",
        "no pictures from 60 to 72 s; one alert is enough",
    )
    return _play(
        "stream_loss",
        "Stream loss",
        stage,
        end,
        actors=[stall, *_around(stage, end)],
        wants=[want],
        gaps=((60.0, 72.0),),
    )


def busy_street(seed: int) -> Scenario:
    """A busy street on which nothing stays."""
    stage, end = any_stage(seed + 220), 300.0
    want = Want("unknown_object", (), 0.0, end, "none", "passers-by and traffic")
    return _play(
        "busy_street", "Busy street", stage, end, actors=_around(stage, end, 14, 10), wants=[want]
    )


SCENARIOS: dict[str, Callable[[int], Scenario]] = {
    play.__name__: play
    for play in (
        stall_before_start,
        stall_set_up,
        stall_taken_down,
        stall_moved,
        stall_unattended,
        tricycle_seller,
        seller_without_stall,
        passers_talking,
        bin_overflow,
        heap_growing,
        bags_left_and_taken,
        parked_van,
        delivery_stop,
        shed_ten_days,
        van_parked_for_a_day,
        camera_knocked,
        night_stall,
        rain_stall,
        light_changes,
        headlights,
        bus_occlusion,
        stream_loss,
        busy_street,
    )
}
