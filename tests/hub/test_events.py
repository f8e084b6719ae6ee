import asyncio
import json
from itertools import chain, repeat

import pytest

from hub import events, http
from hub.events import CATCH_UP, Bus, Change
from hub.feed import MOST_KEPT, Shown
from hub.positions import KIND, Position
from hub.roles import Spot
from tests.hub.world import NOON, told_in, undone


def render(_tx, changes):
    return {c: Shown(json.dumps({"id": c.item})) for c in changes if c.item != "gone"}


def nothing_moved(_tx, _since):
    return []


def write(store, *changes):
    with store.write() as tx:
        events.record(tx, [Change(*change) for change in changes], NOON)


async def read(stream, count):
    """The next events; what comes in the same piece after them is dropped."""
    found = []
    async with asyncio.timeout(60):
        while len(found) < count:
            found += told_in(await anext(stream))
    return found[:count]


def names(sent):
    return [(each.event, json.loads(each.data).get("id")) for each in sent]


async def until(is_so):
    for _ in range(6000):
        if await is_so():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("never")


async def opened(bus, pages=1):
    async def are_open():
        return bus.pages == pages

    await until(are_open)


async def handed_out(bus):
    """Pages have been handed all that is in the table."""

    async def are_even():
        return bus._last == await asyncio.to_thread(bus._newest)

    await until(are_even)


async def with_bus(store, body, moved=nothing_moved):
    bus = Bus(store, render, moved)
    store.after_commit = bus.wake
    running = asyncio.create_task(bus.run())
    await asyncio.sleep(0.01)
    try:
        return await body(bus)
    finally:
        bus.close()
        await running


def test_a_page_hears_what_is_committed_after_it_opened(store):
    write(store, ("alert", "before"))

    async def body(bus):
        stream = bus.stream(None)
        first = asyncio.create_task(read(stream, 3))
        await opened(bus)
        await asyncio.to_thread(write, store, ("alert", "a"), ("case", "7"), ("alert", "gone"))
        await asyncio.to_thread(write, store, ("alert", "b"))
        return await first

    assert names(asyncio.run(with_bus(store, body))) == [
        ("alert", "a"),
        ("case", "7"),
        ("alert", "b"),
    ]


def test_what_is_undone_is_not_told(store):
    write(store, ("alert", "first"))
    undone(store, lambda tx: events.record(tx, [Change("alert", "undone")], NOON))

    async def body(bus):
        write(store, ("alert", "real"))
        return await read(bus.stream(1), 1)

    assert names(asyncio.run(with_bus(store, body))) == [("alert", "real")]


def test_a_page_that_comes_back_catches_up(store):
    for name in "abc":
        write(store, ("alert", name))

    async def body(bus):
        everything = await read(bus.stream(0), 3)
        after_first = await read(bus.stream(int(everything[0].id)), 2)
        return names(everything), names(after_first)

    everything, after_first = asyncio.run(with_bus(store, body))
    assert everything == [("alert", "a"), ("alert", "b"), ("alert", "c")]
    assert after_first == everything[1:]


@pytest.mark.parametrize("last", [10**9, 1])
def test_a_page_too_far_behind_starts_anew(sqlite_store, last):
    for number in range(3):
        write(sqlite_store, *(("alert", f"{number}-{i}") for i in range(CATCH_UP // 2)))

    async def body(bus):
        return await read(bus.stream(last), 1)

    (told,) = asyncio.run(with_bus(sqlite_store, body))
    assert told.event == "resync"


def test_a_page_that_reads_too_slowly_starts_anew(sqlite_store):
    async def body(bus):
        stream = bus.stream(None)
        opening = asyncio.create_task(read(stream, 1))
        await opened(bus)
        for number in range(4):
            items = [("alert", f"{number}-{i}") for i in range(MOST_KEPT // 2)]
            await asyncio.to_thread(write, sqlite_store, *items)
            await handed_out(bus)
        await opening
        return await read(stream, 1)

    (told,) = asyncio.run(with_bus(sqlite_store, body))
    assert told.event == "resync"


def test_a_page_that_reads_slowly_hears_the_newest_of_each_thing(sqlite_store):
    async def body(bus):
        slow, quick = bus.stream(None), bus.stream(None)
        opening = [asyncio.create_task(read(stream, 1)) for stream in (slow, quick)]
        await opened(bus, 2)
        await asyncio.to_thread(write, sqlite_store, ("alert", "first"))
        first, _ = await asyncio.gather(*opening)
        for name in ("a", "b", "a"):
            await asyncio.to_thread(write, sqlite_store, ("alert", name))
            await read(quick, 1)
        return first, await read(slow, 2)

    first, rest = asyncio.run(with_bus(sqlite_store, body))
    assert names(first) == [("alert", "first")]
    assert names(rest) == [("alert", "b"), ("alert", "a")]
    assert [told.id for told in rest] == ["3", "4"]


def at(name, lat=32.0, path=("city",), rest=None):
    return Position((name, 1000, lat, 109.0, None, None), Spot(path), rest)


def rows(sent):
    """Names and latitudes, as told."""
    found = [row for each in sent if each.event == KIND for row in json.loads(each.data)]
    return [(name, lat) for name, _at, lat, *_ in found]


def test_a_fleet_larger_than_any_queue_is_told_whole_in_portions(sqlite_store, monkeypatch):
    monkeypatch.setattr(events, "PORTION", MOST_KEPT)
    fleet = [at(f"v{number}") for number in range(3 * MOST_KEPT)]

    async def body(bus):
        stream, told = bus.stream(None), []
        async with asyncio.timeout(60):
            while len({name for name, _ in rows(told)}) < len(fleet):
                told += told_in(await anext(stream))
        return told

    told = asyncio.run(with_bus(sqlite_store, body, lambda _tx, _since: fleet))
    assert {each.event for each in told} == {KIND}
    assert len(told) >= 3
    assert told[0].id is None


def test_an_alert_does_not_wait_for_a_fleet(sqlite_store, monkeypatch):
    monkeypatch.setattr(events, "PORTION", 1)  # so that the fleet takes a minute
    fleet = [at(f"v{number}") for number in range(3 * MOST_KEPT)]

    async def body(bus):
        stream, told = bus.stream(None), []
        async with asyncio.timeout(120):
            told += told_in(await anext(stream))
            await asyncio.to_thread(write, sqlite_store, ("alert", "a"))
            while not any(each.event == "alert" for each in told):
                told += told_in(await anext(stream))
        return told

    told = asyncio.run(with_bus(sqlite_store, body, lambda _tx, _since: fleet))
    assert told[0].event == KIND
    assert len(rows(told)) < len(fleet)


def test_vehicles_that_moved_are_told_once_a_second(sqlite_store):
    asked = []

    def moved(_tx, since):
        asked.append(since)
        return [at("v1", lat=float(len(asked)))]

    async def body(bus):
        return await read(bus.stream(None), 2)

    told = asyncio.run(with_bus(sqlite_store, body, moved))
    assert rows(told) == [("v1", 1.0), ("v1", 2.0)]
    assert (asked[1] - asked[0]).total_seconds() >= 1


def test_a_vehicle_of_which_more_changed_is_told_whole(sqlite_store):
    turns = chain(["a grid"], repeat("another"))

    async def body(bus):
        return await read(bus.stream(None), 4)

    told = asyncio.run(
        with_bus(sqlite_store, body, lambda _tx, _since: [at("v1", rest=next(turns))])
    )
    assert [each.event for each in told] == [KIND, "vehicle", KIND, KIND]


def test_a_page_hears_of_the_vehicles_that_it_may_see(sqlite_store):
    fleet = [at("mine", path=("city", "q01")), at("other", path=("city", "q02"))]

    async def body(bus):
        return await read(bus.stream(None, lambda spot: "q01" in spot.path), 1)

    (told,) = asyncio.run(with_bus(sqlite_store, body, lambda _tx, _since: fleet))
    assert rows([told]) == [("mine", 32.0)]


def test_closing_ends_every_stream(sqlite_store):
    async def body(bus):
        stream = bus.stream(None)
        waiting = asyncio.create_task(anext(stream, "end"))
        await opened(bus)
        bus.close()
        return await asyncio.wait_for(waiting, 60)

    assert asyncio.run(with_bus(sqlite_store, body)) == "end"


def test_old_events_are_forgotten_and_numbers_go_on(store):
    for name in "abcde":
        write(store, ("alert", name))
    with store.write() as tx:
        events.forget_old(tx, 2)
        left = [row.item for row in tx.execute(events.events.select().order_by(events.events.c.id))]
    assert left == ["d", "e"]


def test_a_silent_stream_shows_that_it_lives(sqlite_store, monkeypatch):
    monkeypatch.setattr(events, "TURN_S", 0.0)
    monkeypatch.setattr(events, "PING_S", 0.0)

    async def body(bus):
        async with asyncio.timeout(60):
            return await anext(bus.stream(None))

    assert asyncio.run(with_bus(sqlite_store, body)) == b": still here\r\n\r\n"


def test_a_reader_who_may_no_longer_read_hears_no_more(sqlite_store, monkeypatch):
    monkeypatch.setattr(events, "TURN_S", 0.0)
    monkeypatch.setattr(events, "STILL_EVERY_S", 0.0)

    async def body(bus):
        async with asyncio.timeout(60):
            return [piece async for piece in bus.stream(None, still=lambda: False)]

    assert asyncio.run(with_bus(sqlite_store, body)) == []


def test_a_reader_that_takes_nothing_is_left(monkeypatch):
    monkeypatch.setattr(http, "TAKEN_WITHIN_S", 0.01)
    ended = []

    async def pieces():
        try:
            while True:
                yield b"data: x\n\n"
        finally:
            ended.append(True)

    async def send(message):
        if message.get("body"):
            await asyncio.Event().wait()

    async def body():
        await http.Pushed(pieces(), {}).stream_response(send)

    with pytest.raises(TimeoutError):
        asyncio.run(body())
    assert ended
