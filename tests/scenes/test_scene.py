from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from scenes.scene import SCENARIOS, UnknownScenario, events, find, render
from scenes.video import camera_file

MATTERS = {"street_vending", "garbage", "illegal_structure", "unknown_object"}


def test_same_second_and_seed_give_the_same_picture() -> None:
    first, boxes = render("heap_growing", 60.0)
    render("heap_growing", 20.0)
    find.cache_clear()
    again, same = render("heap_growing", 60.0)
    assert np.array_equal(first, again)
    assert boxes == same


def test_another_seed_is_another_street() -> None:
    first, _ = render("heap_growing", 60.0, seed=0)
    other, _ = render("heap_growing", 60.0, seed=1)
    assert np.abs(first.astype(int) - other).mean() > 15


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(UnknownScenario, match=r"'rodeo'.*stall_set_up"):
        render("rodeo", 0.0)


@pytest.mark.parametrize("size", [(640, 360), (320, 180)])
def test_a_picture_has_the_size_asked_for(size: tuple[int, int]) -> None:
    picture, _ = render("stall_set_up", 40.0, size)
    assert picture.shape == (size[1], size[0], 3)
    assert picture.dtype == np.uint8


ACTED = {
    "stall_set_up": ("street_vending", 10.0, 60.0),
    "tricycle_seller": ("street_vending", 0.0, 60.0),
    "bin_overflow": ("garbage", 10.0, 100.0),
    "bags_left_and_taken": ("garbage", 10.0, 60.0),
}


@pytest.mark.parametrize("name", ACTED)
def test_the_picture_changes_where_the_truth_says(name: str) -> None:
    """With and without the thing: what differs lies in its box, shadow aside."""
    label, before_s, after_s = ACTED[name]
    scenario = find(name)
    wanted = scenario.wants[0].actors
    alone = replace(scenario, actors=tuple(a for a in scenario.actors if a.id in wanted))
    empty, none = render(replace(alone, actors=()), after_s)
    full, boxes = render(alone, after_s)
    assert not [box for box in none if box.label == label]
    assert not [b for b in render(scenario, before_s)[1] if b.label == label]
    (box,) = [box for box in boxes if box.label == label]
    changed = np.abs(full.astype(int) - empty).max(axis=2) > 40
    height, width = changed.shape
    rows = slice(int(box.y * height), int((box.y + box.h) * height) + 1)
    cols = slice(int(box.x * width), int((box.x + box.w) * width) + 1)
    assert changed[rows, cols].mean() > 0.25
    outside = changed.copy()
    outside[rows, cols] = False
    assert changed[rows, cols].sum() > 2 * outside.sum()


@pytest.mark.parametrize("name", sorted(SCENARIOS))
def test_truth_fits_picture_and_zone_and_the_frame_is_marked(name: str) -> None:
    scenario = find(name)
    zone = camera_file(scenario)["zones"][0]["polygon"]
    for event in events(scenario):
        x, y, w, h = event.place
        assert event.label in MATTERS
        assert event.want in {"alert", "none"}
        assert 0 <= event.from_s < event.until_s <= scenario.duration_s
        assert 0 <= x < x + w <= 1.0001
        assert 0 <= y < y + h <= 1.0001
        if event.want == "alert":
            assert 0.0004 < w * h < 0.3
            assert inside((x + w / 2, y + h), zone)
    picture, boxes = render(scenario, scenario.duration_s * 0.4)
    assert is_marked(picture)
    for box in boxes:
        assert -1e-6 <= box.x <= box.x + box.w <= 1 + 1e-6
        assert -1e-6 <= box.y <= box.y + box.h <= 1 + 1e-6
        assert 0 <= box.visible <= 1


def is_marked(picture: NDArray[np.uint8]) -> bool:
    """White strokes on a dark rim in the lower right corner."""
    corner = picture[340:, 500:].astype(int).max(axis=2)
    return bool((corner > 200).mean() > 0.04 and (corner < 90).mean() > 0.04)


def inside(point: tuple[float, float], polygon: list[list[float]]) -> bool:
    odd = False
    for (x1, y1), (x2, y2) in zip(polygon, polygon[1:] + polygon[:1], strict=True):
        if (y1 > point[1]) != (y2 > point[1]):
            odd ^= point[0] < (x2 - x1) * (point[1] - y1) / (y2 - y1) + x1
    return odd


def test_the_ground_of_an_event_is_where_its_box_stands() -> None:
    scenario = find("stall_set_up")
    (event,) = events(scenario)
    camera = scenario.stage.camera
    u, v = camera.fraction_of(*camera.from_wgs84(*event.ground))
    x, y, w, h = event.place
    assert x < u < x + w
    assert y + 0.4 * h < v < y + 1.1 * h


def test_a_bus_hides_the_stall_for_eight_seconds() -> None:
    def visible(at_s: float) -> float:
        boxes = render("bus_occlusion", at_s)[1]
        return next(box.visible for box in boxes if box.label == "street_vending")

    assert visible(60.0) > 0.9
    assert max(visible(at_s) for at_s in (69.0, 72.0, 75.0)) < 0.25
    assert visible(82.0) > 0.9


def test_a_shed_grows_over_ten_days() -> None:
    scenario = find("shed_ten_days")
    day_s = 86_400.0
    assert not [b for b in render(scenario, 1.2 * day_s)[1] if b.label == "illegal_structure"]
    (shed,) = scenario.actors
    camera = scenario.stage.camera
    built = [len(shed.things(day * day_s, camera)[0].pieces) for day in (2.3, 3.2, 4.5)]
    assert built[0] < built[1] < built[2]
    (box,) = [b for b in render(scenario, 9.2 * day_s)[1] if b.label == "illegal_structure"]
    assert box.visible > 0.8
