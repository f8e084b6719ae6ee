"""Four cameras of a generated district for the demo, each a script of three minutes that loops."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from scenes import light as lights_of, people, sheds, stalls
from scenes.refuse import Heap
from scenes.scenarios import LONG_BEFORE_S, Scenario, Want
from scenes.script import Actor, Bag, Bins
from scenes.stage import Stage, any_stage
from scenes.traffic import Vehicle
from scenes.video import camera_file, write_mp4

LOOP_S = 180.0
DWELL_S = 10.0


@dataclass(frozen=True)
class DemoCamera:
    """A camera of the demo by its id, its name on the map and its script."""

    id: str
    name: str
    scenario: Scenario

    @cached_property
    def position(self) -> tuple[float, float]:
        """Latitude and longitude."""
        return self.scenario.stage.camera.lat, self.scenario.stage.camera.lon

    def config(self, source: str) -> dict[str, Any]:
        """The camera's section of an edge configuration."""
        return camera_file(self.scenario, self.id, self.name, source=source, loop=True)

    def write(self, path: Path, start: datetime, fps: float = 5.0) -> None:
        """Render the loop as an MP4 with truth and camera file beside it."""
        write_mp4(self.scenario, path, fps=fps, start=start)


def _loop(
    name: str,
    title: str,
    stage: Stage,
    *,
    actors: list[Actor],
    wants: list[Want],
    light: lights_of.Light,
    deep_m: float = 0.0,
) -> Scenario:
    return Scenario(
        name=name,
        title=title,
        duration_s=LOOP_S,
        stage=stage,
        actors=tuple(actors),
        lights=((0.0, light),),
        wants=tuple(wants),
        dwell_s=DWELL_S,
        loop_s=LOOP_S,
        deep_m=deep_m,
    )


def market() -> Scenario:
    """A fruit stall within seconds, later a tricycle seller beside it, both gone at the end."""
    stage = any_stage(31, lat=32.68642, lon=109.02785, yaw_deg=14.0)
    rng = stage.rng(50)
    x, y = stage.spot(0.42, 0.34)
    first = Actor(
        "stall",
        stalls.Stall("table", 5, people.any_look(rng, seller=True)),
        ((2, x, y), (150, x, y)),
        ((2, 0.2), (8, 1.0), (140, 1.0), (150, 0.1)),
        6.0,
    )
    buyer = Actor(
        "buyer",
        people.any_look(rng),
        (
            (22, x - 12, y - 1.3),
            (32, x - 0.4, y - 1.3),
            (52, x - 0.4, y - 1.3),
            (64, x + 12, y - 1.3),
        ),
        facing="back",
    )
    x2, y2 = stage.spot(0.68, 0.3)
    second = Actor(
        "tricycle",
        stalls.Stall("tricycle", 11, people.any_look(rng, seller=True)),
        (
            (60, stage.x_at(1.1, y2), y2),
            (70, x2, y2),
            (160, x2, y2),
            (172, stage.x_at(1.12, y2), y2),
        ),
        (),
        -8.0,
    )
    wants = [
        Want(
            "street_vending",
            ("stall",),
            8.0,
            148.0,
            "alert",
            "set up from 2 to 8 s, packed up at 150 s",
        ),
        Want(
            "street_vending",
            ("tricycle",),
            70.0,
            160.0,
            "alert",
            "pushed in at 70 s, leaves at 160 s",
        ),
    ]
    around = stage.passers(LOOP_S, 7) + stage.traffic(LOOP_S, 5)
    return _loop(
        "demo_market",
        "Market street",
        stage,
        actors=[first, buyer, second, *around],
        wants=wants,
        light=lights_of.NOON,
    )


def bins() -> Scenario:
    """Bins that overflow, bags left beside them and taken away in the end."""
    stage = any_stage(44, lat=32.68317, lon=109.03164, yaw_deg=-12.0)
    rng = stage.rng(51)
    x, y = stage.spot(0.4, 0.5)
    full = Actor(
        "bins",
        Bins(23, 2, 14),
        ((LONG_BEFORE_S, x, y), (LOOP_S, x, y)),
        ((0, 0.0), (4, 0.3), (30, 1.0), (165, 1.0), (168, 0.0)),
    )
    x2, y2 = stage.spot(0.66, 0.4)
    bags = Actor("bags", Bag(5, 4), ((48, x2, y2), (130, x2, y2)))
    left, right = stage.x_at(-0.05, y2), stage.x_at(1.05, y2)
    one = Actor(
        "one",
        people.any_look(rng),
        ((36, right, y2), (47, x2 + 0.6, y2), (50, x2 + 0.6, y2), (66, left, y2)),
    )
    two = Actor(
        "two",
        people.any_look(rng, seller=True),
        ((114, left, y2), (129, x2 - 0.6, y2), (132, x2 - 0.6, y2), (142, right, y2)),
    )
    wants = [
        Want("garbage", ("bins",), 8.0, 167.0, "alert", "overflows from 4 s, emptied at 168 s"),
        Want("garbage", ("bags",), 50.0, 130.0, "alert", "left at 48 s, taken at 130 s"),
    ]
    around = stage.passers(LOOP_S, 5) + stage.traffic(LOOP_S, 4)
    return _loop(
        "demo_bins",
        "Bin corner",
        stage,
        actors=[full, bags, one, two, *around],
        wants=wants,
        light=lights_of.OVERCAST,
    )


def plot() -> Scenario:
    """A shed that rises in a vacant plot, days told in minutes, and a heap beside the road."""
    stage = any_stage(58, lat=32.68921, lon=109.03472, vacant=True, yaw_deg=8.0)
    y = stage.street.front_y + 3.4
    x = stage.x_at(0.48, y)
    shed = Actor(
        "shed",
        sheds.Shed("steel", 12, 6.5, 3.8, 2.9),
        ((3, x, y), (LOOP_S, x, y)),
        ((3, 0.05), (40, 0.36), (100, 0.78), (135, 1.0)),
    )
    x2, y2 = stage.spot(0.75, 0.45)
    heap = Actor(
        "heap",
        Heap(77, 18, 0.9, 0.4, 20),
        ((70, x2, y2), (LOOP_S, x2, y2)),
        ((70, 0.1), (110, 1.0)),
    )
    wants = [
        Want(
            "illegal_structure",
            ("shed",),
            40.0,
            LOOP_S,
            "alert",
            "frame at 40 s, walls at 100 s, roof at 135 s",
        ),
        Want("garbage", ("heap",), 76.0, LOOP_S, "alert", "grows from 70 to 110 s"),
    ]
    around = stage.passers(LOOP_S, 3) + stage.traffic(LOOP_S, 4)
    return _loop(
        "demo_plot",
        "Vacant plot",
        stage,
        actors=[shed, heap, *around],
        wants=wants,
        light=replace(lights_of.AFTERNOON, azimuth_deg=-140.0),
        deep_m=5.5,
    )


def crossing() -> Scenario:
    """Evening: people talking, a parked van, and a food cart that is there from the start."""
    stage = any_stage(63, lat=32.68108, lon=109.02371, yaw_deg=-20.0)
    rng = stage.rng(52)
    x, y = stage.spot(0.6, 0.36)
    cart = Actor(
        "cart",
        stalls.Stall("cart", 3, people.any_look(rng, seller=True)),
        ((LONG_BEFORE_S, x, y), (125, x, y), (140, stage.x_at(1.1, y), y)),
        (),
        -5.0,
    )
    x2, y2 = stage.spot(0.28, 0.5)
    talk = [
        Actor(
            f"talker-{i}",
            people.any_look(rng),
            (
                (10 + 2 * i, x2 + dx * 9, y2),
                (20 + 2 * i, x2 + dx * 0.45, y2),
                (90, x2 + dx * 0.45, y2),
                (100, x2 - dx * 9, y2),
            ),
            facing=facing,
        )
        for i, (dx, facing) in enumerate(((-1, "right"), (1, "left")))
    ]
    vy = stage.street.kerb_y + stage.street.road_m * 0.2
    vx = stage.x_at(0.3, vy)
    van = Actor(
        "van",
        Vehicle("van", 9),
        (
            (30, stage.x_at(-0.1, vy) - 6, vy),
            (36, vx, vy),
            (120, vx, vy),
            (126, stage.x_at(1.1, vy) + 6, vy),
        ),
    )
    wants = [
        Want(
            "street_vending",
            ("cart",),
            0.0,
            126.0,
            "alert",
            "there from the start, leaves at 125 s",
        ),
        Want("street_vending", ("talker-0", "talker-1"), 22.0, 90.0, "none", "two people talk"),
        Want("unknown_object", ("van",), 36.0, 120.0, "none", "a parked vehicle"),
    ]
    around = stage.passers(LOOP_S, 6) + stage.traffic(LOOP_S, 4)
    light = replace(lights_of.OVERCAST, sky=0.7, sky_colour=(0.94, 0.99, 1.05))
    return _loop(
        "demo_crossing",
        "Evening crossing",
        stage,
        actors=[cart, *talk, van, *around],
        wants=wants,
        light=light,
    )


DEMO_CAMERAS: tuple[DemoCamera, ...] = (
    DemoCamera("cam-market", "示意 集市街口", market()),
    DemoCamera("cam-bins", "示意 垃圾投放点", bins()),
    DemoCamera("cam-plot", "示意 空地", plot()),
    DemoCamera("cam-crossing", "示意 傍晚路口", crossing()),
)
