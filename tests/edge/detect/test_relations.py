import pytest

from edge.detect.relations import stalls
from edge.detect.tracking import Track
from tests.edge.detect.scripted import box

SELLER = box("person", 0.40, 0.40, 0.06, 0.25)


def _stalls(*boxes, still=()):
    tracks = [Track(n, b, 40.0, 0.0, b.foot) for n, b in enumerate(boxes)]
    return stalls(tracks, still, 16 / 9)


@pytest.mark.parametrize(
    ("things", "is_stall"),
    [
        ([box("bowl", 0.44, 0.55, 0.03, 0.03)], True),
        ([box("banana", 0.35, 0.55, 0.03, 0.03), box("umbrella", 0.35, 0.3, 0.2, 0.1)], True),
        ([box("dining table", 0.45, 0.5, 0.1, 0.1), box("umbrella", 0.35, 0.3, 0.2, 0.1)], True),
        ([box("umbrella", 0.35, 0.3, 0.2, 0.1)], False),
        ([box("bowl", 0.80, 0.55, 0.03, 0.03)], False),
        ([box("handbag", 0.41, 0.5, 0.03, 0.06)], False),
        ([box("bottle", 0.42, 0.5, 0.01, 0.03), box("handbag", 0.41, 0.5, 0.03, 0.06)], False),
        ([box("bicycle", 0.45, 0.5, 0.1, 0.15)], False),
        ([box("bench", 0.38, 0.55, 0.2, 0.1)], False),
        ([box("bicycle", 0.3 + 0.02 * n, 0.5, 0.1, 0.15) for n in range(8)], False),
        ([box("car", 0.46, 0.4, 0.3, 0.3)], False),
        ([box("garbage", 0.42, 0.5, 0.1, 0.1), box("bowl", 0.44, 0.55, 0.03, 0.03)], False),
        ([box("person", 0.47, 0.4, 0.06, 0.25), box("person", 0.34, 0.4, 0.06, 0.25)], False),
        ([], False),
    ],
)
def test_a_person_beside_goods_is_a_stall_and_beside_anything_else_is_not(things, is_stall):
    assert bool(_stalls(SELLER, *things)) is is_stall


def test_goods_alone_are_no_stall():
    assert _stalls(box("bowl", 0.4, 0.5), box("banana", 0.45, 0.5), box("garbage", 0.4, 0.5)) == []


def test_a_parasol_with_goods_under_it_is_a_stall_while_its_seller_is_away():
    parasol = box("umbrella", 0.35, 0.3, 0.2, 0.1)
    assert _stalls(parasol, box("garbage", 0.40, 0.5, 0.1, 0.1))
    assert _stalls(parasol) == []


def test_an_umbrella_held_in_the_hand_is_no_parasol():
    held = box("umbrella", 0.38, 0.36, 0.08, 0.06)
    assert _stalls(SELLER, held, box("bottle", 0.5, 0.5, 0.01, 0.03, score=0.2)) == []


def test_unsure_goods_say_less():
    sure = _stalls(SELLER, box("bowl", 0.44, 0.55, 0.03, 0.03, score=0.6))
    assert sure[0].relation == pytest.approx(0.55)
    assert _stalls(SELLER, box("bowl", 0.44, 0.55, 0.03, 0.03, score=0.2)) == []


def test_a_thing_without_a_class_that_came_to_stay_adds_to_the_goods():
    thing = box("unknown_object", 0.46, 0.5, 0.1, 0.1)
    umbrella = box("umbrella", 0.35, 0.3, 0.2, 0.1)
    assert _stalls(SELLER, still=[thing]) == []
    assert _stalls(SELLER, umbrella, still=[thing])


def test_the_stall_is_the_rectangle_around_all_and_knows_how_long_its_seller_stays():
    bowl = box("bowl", 0.5, 0.6, 0.05, 0.1)
    (stall,) = _stalls(SELLER, bowl)
    assert (stall.box.x, stall.box.y) == (SELLER.x, SELLER.y)
    assert stall.box.w == pytest.approx(0.15)
    assert stall.box.h == pytest.approx(0.3)
    assert stall.parts == (SELLER, bowl)
    assert stall.stayed_s == 40
