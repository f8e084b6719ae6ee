"""Extra training pictures: endless different streets with everything in them labelled."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from scenes import people, refuse, sheds, stalls, street, traffic
from scenes.camera import Camera, Size
from scenes.light import any_light
from scenes.people import Posture
from scenes.picture import Darkroom, Frame, Thing, TruthBox
from scenes.script import facing
from scenes.solid import Piece, Stand, place
from scenes.texture import Rng

Label = tuple[str, float, float, float, float]
LABELS = (
    "street_vending",
    "garbage",
    "illegal_structure",
    "person",
    "bicycle",
    "car",
    "motorcycle",
    "bus",
    "truck",
    "tricycle",
)
FRAMES_A_STREET = 4
LEAST_VISIBLE = 0.35
LEAST_SIDE_PX = 6


def training_frames(
    n: int, seed: int, size: Size = (640, 360)
) -> Iterator[tuple[Frame, list[Label]]]:
    """`n` labelled pictures (BGR uint8) with (label, x, y, w, h), top-left corner, fractions.

    The same `n` and `seed` give the same pictures. Things hidden by more than two thirds or
    smaller than 6 px are drawn and not labelled.
    """
    for number in range(n):
        if number % FRAMES_A_STREET == 0:
            rng = np.random.default_rng([seed, number // FRAMES_A_STREET])
            place_ = street.any_street(rng)
            room = Darkroom(place_, any_camera(place_, rng), size)
            light = any_light(rng)
        things = _Crowd(room, rng).things()
        frame, truth = room.training_frame(
            things,
            light,
            int(rng.integers(1 << 20)),
            mirrored=bool(rng.random() < 0.5),
            corner=int(rng.integers(4)),
        )
        yield frame, _kept(truth, size)


def _kept(truth: list[TruthBox], size: Size) -> list[Label]:
    return [
        (box.label, box.x, box.y, box.w, box.h)
        for box in truth
        if box.visible >= LEAST_VISIBLE
        and box.w * size[0] >= LEAST_SIDE_PX
        and box.h * size[1] >= LEAST_SIDE_PX
    ]


def any_camera(place_: street.Street, rng: Rng) -> Camera:
    """A pole camera, a zoomed one or, now and then, a view from eye level."""
    roll = rng.random()
    if roll < 0.2:
        return Camera(
            height_m=rng.uniform(1.5, 3.0),
            yaw_deg=rng.uniform(-50, 50),
            pitch_deg=rng.uniform(2, 9),
            hfov_deg=rng.uniform(45, 70),
        )
    height, yaw = rng.uniform(4.5, 8.0), rng.uniform(-52, 52)
    reach = (place_.far_kerb_y + 1.5) / math.cos(math.radians(yaw))
    if roll < 0.52:
        aim = math.degrees(math.atan2(height - 0.8, reach)) + rng.uniform(-3, 3)
        return Camera(height, yaw, aim, rng.uniform(-2, 2), rng.uniform(20, 42))
    aim = math.degrees(math.atan2(height, reach)) * rng.uniform(0.6, 1.0)
    return Camera(height, yaw, aim, rng.uniform(-2, 2), rng.uniform(45, 85))


class _Crowd:
    """Fills a street with things that do not stand in one another."""

    def __init__(self, room: Darkroom, rng: Rng) -> None:
        self.room, self.rng = room, rng
        self.taken: list[tuple[float, float, float]] = []
        self.made: list[Thing] = []

    def things(self) -> list[Thing]:
        rng = self.rng
        for _ in range(int(rng.choice([0, 1, 2], p=[0.62, 0.33, 0.05]))):
            self._shed()
        for _ in range(int(rng.choice([0, 1, 2, 3, 5], p=[0.38, 0.3, 0.17, 0.1, 0.05]))):
            self._stall()
        for _ in range(int(rng.choice([0, 1, 2, 3], p=[0.45, 0.3, 0.16, 0.09]))):
            self._garbage()
        for _ in range(int(rng.choice([0, 1, 2, 4], p=[0.4, 0.3, 0.2, 0.1]))):
            self._vehicle()
        for lure, chance in (
            (self._clean_bins, 0.3),
            (self._parked_row, 0.25),
            (self._talkers, 0.25),
            (self._delivery, 0.12),
        ):
            if rng.random() < chance:
                lure()
        for _ in range(int(rng.choice([0, 1, 3, 6, 9], p=[0.15, 0.25, 0.3, 0.2, 0.1]))):
            self._person()
        return self.made

    def _spot(self, band: tuple[float, float], radius: float) -> tuple[float, float] | None:
        for _ in range(30):
            y = self.rng.uniform(*band)
            x = y * math.tan(math.radians(self.room.camera.yaw_deg)) + self.rng.normal(0, y * 0.6)
            u, v = self.room.camera.fraction_of(x, y)
            if not (0.02 < u < 0.98 and 0.1 < v < 1.02) or y < 1.0:
                continue
            if all(math.hypot(x - a, y - b) > radius + r for a, b, r in self.taken):
                self.taken.append((x, y, radius))
                return x, y
        return None

    def _pavement(self, depth: float) -> tuple[float, float]:
        place_, roll = self.room.street, self.rng.random()
        if roll < 0.12 and place_.kerb_y > 2:
            return 1.6, place_.kerb_y
        if roll < 0.28:
            return place_.far_kerb_y - 1.6, place_.far_kerb_y
        low, high = place_.far_kerb_y + depth / 2, place_.front_y - depth / 2 - 0.2
        return (low, high) if high > low else (low, low + 0.3)

    def _name(self, kind: str) -> str:
        return f"{kind}-{len(self.made)}"

    def _add(self, label: str | None, pieces: list[Piece], kind: str) -> None:
        name = self._name(kind)
        self.made.append(Thing(name, ((label, name),) if label else (), tuple(pieces)))

    def _stall(self) -> None:
        rng = self.rng
        stall = stalls.any_stall(rng)
        spot = self._spot(self._pavement(1.6), 1.5)
        if spot is None:
            return
        turn = rng.uniform(-25, 25) + (180 if rng.random() < 0.12 else 0)
        name = self._name("stall")
        box = ("street_vending", name)
        pool = stalls.lamp_pool(stall, *spot)
        lamp = stalls.LAMP if pool else 0.0
        pieces = tuple(place(stalls.build(stall), *spot, turn))
        self.made.append(Thing(name, (box,), pieces, None, pool, lamp))
        if rng.random() < 0.93:
            stands = stalls.seller(stall, reach=rng.uniform(0, 1), turned=int(rng.integers(4)))
            seller = f"{name}-seller"
            stand = tuple(place(stands, *spot, turn))
            self.made.append(Thing(seller, (box, ("person", seller)), stand, None, (), lamp))
        for _ in range(int(rng.choice([0, 1, 2], p=[0.5, 0.3, 0.2]))):
            x, y = spot[0] + rng.uniform(-0.9, 0.9), spot[1] - rng.uniform(1.0, 1.6)
            back = Posture("back", reach=float(rng.uniform(0, 0.5)))
            self._add("person", [people.person(people.any_look(rng), back, x, y)], "customer")

    def _garbage(self) -> None:
        rng, roll = self.rng, self.rng.random()
        spot = self._spot(self._pavement(1.2), 1.1)
        if spot is None:
            return
        seed = int(rng.integers(1 << 30))
        if roll < 0.5:
            large = rng.random() < 0.35
            pieces = refuse.heap(
                refuse.Heap(
                    seed,
                    int(rng.integers(18, 60)) if large else int(rng.integers(1, 14)),
                    rng.uniform(1.0, 2.4) if large else rng.uniform(0.25, 0.9),
                    rng.uniform(0, 0.7),
                    int(rng.integers(2, 40)),
                    bool(rng.random() < 0.2),
                )
            )
        elif roll < 0.82:
            pieces = refuse.overflowing(
                seed, int(rng.integers(1, 4)), 1.0, int(rng.integers(4, 18))
            )
        elif roll < 0.9:
            pieces = refuse.rubble(seed)
        else:
            self._add(None, refuse.bin_(seed, *spot), "bin")
            return
        self._add("garbage", place(pieces, *spot, rng.uniform(-30, 30)), "garbage")

    def _clean_bins(self) -> None:
        """Closed bins in a row: nothing to report."""
        count, seed = int(self.rng.integers(1, 5)), int(self.rng.integers(1 << 30))
        spot = self._spot(self._pavement(0.9), 0.4 * count)
        if spot is None:
            return
        row: list[Piece] = []
        for index in range(count):
            row += refuse.bin_(seed + index // 2, (index - (count - 1) / 2) * 0.75)
        self._add(None, place(row, *spot, self.rng.uniform(-12, 12)), "bins")

    def _parked_row(self) -> None:
        """Scooters and bicycles side by side on the pavement: labelled, no matter."""
        rng, count = self.rng, int(self.rng.integers(3, 9))
        spot = self._spot(self._pavement(1.9), 0.35 * count)
        if spot is None:
            return
        turn = rng.uniform(60, 120)
        for index in range(count):
            kind = "motorcycle" if rng.random() < 0.65 else "bicycle"
            vehicle = traffic.any_vehicle(rng, kind, ridden=False)
            x = spot[0] + (index - (count - 1) / 2) * rng.uniform(0.6, 0.75)
            pieces = place(traffic.build(vehicle), x, spot[1], turn + rng.normal(0, 5))
            self._add(traffic.LABELS[kind], pieces, kind)

    def _talkers(self) -> None:
        """Two or three people who stand together."""
        rng = self.rng
        spot = self._spot(self._pavement(0.8), 0.7)
        if spot is None:
            return
        for side in ("right", "left", "back")[: int(rng.integers(2, 4))]:
            dx = {"right": -0.42, "left": 0.42, "back": 0.0}[side] + rng.normal(0, 0.06)
            y = spot[1] - (0.35 if side == "back" else 0.0)
            body = people.person(people.any_look(rng), Posture(side), spot[0] + dx, y)
            self._add("person", [body], "talker")

    def _delivery(self) -> None:
        """A van at the kerb with its driver beside it."""
        rng, place_ = self.rng, self.room.street
        y = place_.far_kerb_y - 1.1
        spot = self._spot((y - 0.1, y + 0.1), 2.6)
        if spot is None or spot[1] < 6.5:
            return
        van = traffic.any_vehicle(rng, "van")
        self._add("car", place(traffic.build(van), *spot, 180 * int(rng.integers(2))), "van")
        driver = people.person(
            people.any_look(rng), Posture("left"), spot[0] + rng.uniform(-2, 2), y + 1.4
        )
        self._add("person", [driver], "driver")

    def _shed(self) -> None:
        rng, place_ = self.rng, self.room.street
        shed = sheds.any_shed(rng)
        back = place_.front_y - shed.depth_m / 2
        if place_.vacant and shed.kind != "scaffold" and rng.random() < 0.5:
            x = rng.uniform(*place_.vacant)
            y = place_.front_y + rng.uniform(0, 5)
        else:
            spot = self._spot((back - 0.2, back - 0.05), shed.width_m / 2 + 0.3)
            if spot is None:
                return
            x, y = spot
        progress = 1.0 if rng.random() < 0.65 else rng.uniform(0.4, 1.0)
        turn = 0.0 if shed.kind == "scaffold" else rng.uniform(-6, 6)
        self._add("illegal_structure", place(sheds.build(shed, progress), x, y, turn), "shed")

    def _vehicle(self) -> None:
        rng, place_ = self.rng, self.room.street
        vehicle = traffic.any_vehicle(rng, ridden=bool(rng.random() < 0.7))
        light_one = vehicle.kind in ("motorcycle", "bicycle", "tricycle")
        parked = vehicle.rider is None and light_one
        length = traffic.LENGTHS[vehicle.kind]
        band = (place_.kerb_y + 1.4, place_.far_kerb_y - 1.3)
        if parked:
            band = (place_.far_kerb_y + 0.6, place_.front_y - 0.6)
        spot = self._spot(band, length / 2 if not light_one else 0.9)
        if spot is None:
            return
        if length > 0.75 * spot[1]:
            return
        turn = rng.uniform(60, 120) if parked and rng.random() < 0.6 else rng.normal(0, 4)
        turn += 180 * int(rng.random() < 0.5)
        label = traffic.LABELS[vehicle.kind]
        name = self._name(vehicle.kind)
        along = math.radians(turn)
        pieces = traffic.build(vehicle, facing(math.cos(along), math.sin(along), self.room.camera))
        rider = [piece for piece in pieces if isinstance(piece, Stand)]
        body = [piece for piece in pieces if not isinstance(piece, Stand)]
        self.made.append(Thing(name, ((label, name),), tuple(place(body, *spot, turn))))
        if rider:
            self.made.append(
                Thing(
                    f"{name}-rider",
                    (("person", f"{name}-rider"),),
                    tuple(place(rider, *spot, turn)),
                )
            )

    def _person(self) -> None:
        rng, place_ = self.rng, self.room.street
        band = (place_.far_kerb_y + 0.3, place_.front_y - 0.3)
        if rng.random() < 0.25:
            band = (1.5, place_.far_kerb_y)
        spot = self._spot(band, 0.35)
        if spot is None:
            return
        side = str(rng.choice(["left", "right", "front", "back"], p=[0.35, 0.35, 0.15, 0.15]))
        posture = Posture(side, float(rng.random()), bool(rng.random() < 0.75))
        self._add("person", [people.person(people.any_look(rng), posture, *spot)], "person")
