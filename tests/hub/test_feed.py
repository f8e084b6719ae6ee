import json

from hub.feed import MOST_KEPT, Feed, Shown, Told
from hub.newest import Newest
from hub.roles import Spot
from tests.hub.world import told_in


def told(number, item, kind="alert", **spot):
    shown = Shown(json.dumps({"id": item}), Spot(**spot) if spot else None)
    return Told(number, kind, item, shown)


def items(raw):
    return [(each.event, json.loads(each.data).get("id")) for each in told_in(raw)]


def test_what_came_after_a_number_is_the_newest_of_each():
    newest = Newest()
    assert newest.add([("a", 1), ("b", 2)]) == []
    assert newest.add([("a", 3)]) == [1]
    assert list(newest.since(0)) == [3, 2]
    assert list(newest.since(1)) == [3]
    assert list(newest.since(2)) == []
    assert newest.drop_oldest() == (1, 2)


def test_a_page_gets_each_thing_once_in_the_order_of_its_last_change():
    feed = Feed()
    feed.add([told(1, "a"), told(2, "b")])
    feed.add([told(3, "a"), told(0, "car", "vehicle")])
    assert items(feed.since(0)) == [("alert", "b"), ("alert", "a"), ("vehicle", "car")]
    assert items(feed.since(1)) == [("alert", "a"), ("vehicle", "car")]
    assert feed.since(feed.number) == b""


def test_pages_at_the_same_place_share_the_bytes():
    feed = Feed()
    feed.add([told(1, "a")])
    assert feed.since(0) is feed.since(0)


def test_a_page_hears_of_what_it_may_see():
    feed = Feed()
    feed.add([told(1, "here", path=("city",)), told(2, "there", path=("other",))])
    sees = feed.since(0, lambda spot: spot is not None and spot.path == ("city",))
    assert items(sees) == [("alert", "here")]


def test_what_everybody_may_see_is_told_to_those_of_one_place_too():
    feed = Feed()
    feed.add([Told(1, "name", "li.na", Shown('{"id": "li.na"}', for_all=True)), told(2, "rollout")])
    assert items(feed.since(0, lambda spot: spot is not None)) == [("name", "li.na")]


def test_only_numbered_changes_put_a_page_too_far_behind():
    feed = Feed()
    feed.add([told(1, "first")])
    feed.add([told(0, f"car-{n}", "vehicle") for n in range(2 * MOST_KEPT)])
    assert len(items(feed.since(0))) == 2 * MOST_KEPT + 1
    feed.add([told(2 + n, f"{n}") for n in range(MOST_KEPT)])
    (again,) = told_in(feed.since(0, lambda _: False))
    assert (again.event, again.id) == ("resync", str(MOST_KEPT + 1))
    assert len(items(feed.since(2))) == MOST_KEPT
