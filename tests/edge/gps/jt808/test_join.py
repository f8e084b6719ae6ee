"""Split messages put together."""

import pytest
from hypothesis import given, settings, strategies as st

from edge.gps.jt808.frame import Frame, Framer
from edge.gps.jt808.join import LONGEST_S, BadPacket, Incomplete, Joiner, Message, Room
from tests.edge.gps.jt808.reports import frame, packets

BODY = bytes(range(256)) * 4


def joined(*wires: bytes, now_s: float = 0.0, joiner: Joiner | None = None) -> list:
    joiner = joiner or Joiner()
    framer = Framer()
    frames = [out for wire in wires for out in framer.feed(wire)]
    assert all(isinstance(out, Frame) for out in frames)
    return [out for each in frames for out in joiner.add(each, now_s)]


def bodies(outcomes: list) -> list[bytes]:
    return [out.body for out in outcomes if isinstance(out, Message)]


@pytest.mark.parametrize(
    "order",
    [[0, 1, 2], [2, 1, 0], [1, 0, 2], [0, 0, 1, 1, 2], [2, 2, 2, 0, 1]],
)
def test_in_any_order_with_repeats_and_a_serial_that_wraps(order):
    parts = packets(0x0801, BODY, 400)
    (message,) = joined(*(parts[n] for n in order))
    assert (message.body, message.packets, message.header.serial) == (BODY, 3, 65534)


def test_a_whole_message_passes_at_once():
    (message,) = joined(frame(0x0002, serial=7))
    assert (message.body, message.packets, message.header.serial) == (b"", 1, 7)


def test_two_messages_mingled_and_of_two_terminals():
    mine, yours = packets(0x0801, BODY, 400), packets(0x0801, BODY[::-1], 400, serial=100)
    theirs = [frame(0x0801, part, 65534 + n, phone="013900000000", total=2, number=n + 1)
              for n, part in enumerate((b"a", b"b"))]  # fmt: skip
    wires = [mine[0], yours[0], theirs[0], yours[1], mine[1], theirs[1], mine[2], yours[2]]
    assert bodies(joined(*wires)) == [b"ab", BODY, BODY[::-1]]


@pytest.mark.parametrize(("total", "number"), [(3, 0), (3, 4), (0, 0), (0, 1)])
def test_a_number_that_does_not_fit_its_total_belongs_nowhere(total, number):
    (out,) = joined(frame(0x0801, b"x", total=total, number=number))
    assert isinstance(out, BadPacket)


def test_what_does_not_complete_in_time_is_told_with_what_is_missing():
    joiner = Joiner()
    parts = packets(0x0801, BODY, 200)
    assert joined(parts[1], parts[4], joiner=joiner) == []
    assert joiner.overdue(4.9, patience_s=5) == []
    (asked,) = joiner.overdue(5.0, patience_s=5)
    assert asked.missing == (1, 3, 4, 6)
    assert joiner.overdue(6.0, patience_s=5) == []
    assert [len(joiner.overdue(at_s, patience_s=5)) for at_s in (10.0, 15.0, 20.0)] == [1, 1, 0]
    assert joiner.expired(59.9) == []
    (lost,) = joiner.expired(60.0)
    assert (lost.missing, lost.header.serial, lost.asked) == ((1, 3, 4, 6), 65534, 3)
    assert joined(*parts[2:], now_s=61.0, joiner=joiner) == []


def test_who_still_sends_is_not_asked_and_not_given_up_but_once_it_takes_too_long():
    joiner = Joiner()
    parts = packets(0x0801, BODY * 8, 100)
    for second, part in enumerate(parts[:70]):
        assert joined(part, now_s=second * 4.0, joiner=joiner) == []
        assert joiner.overdue(second * 4.0 + 3.9, patience_s=5) == []
    (lost,) = joiner.expired(LONGEST_S)
    assert lost.missing[0] == 71


def test_a_room_is_shared_and_the_oldest_of_any_makes_way():
    room = Room(5_000)
    first, second = Joiner(room=room), Joiner(room=room)
    joined(frame(0x0801, b"x" * 900, 1, total=9, number=1), joiner=first)
    for serial in range(0, 50, 10):
        joined(frame(0x0801, b"x" * 900, serial, total=9, number=1), joiner=second)
    assert room.size <= 5_000
    assert not first.is_waiting
    assert second.is_waiting
    second.close()
    assert room.size == 0
    assert bodies(joined(*packets(0x0801, BODY, 400), joiner=first)) == [BODY]
    assert room.size == 0


def test_an_expired_one_makes_way_when_its_key_comes_again():
    joiner = Joiner()
    parts = packets(0x0801, BODY, 400)
    joined(parts[0], joiner=joiner)
    out = joined(*parts, now_s=100.0, joiner=joiner)
    assert [type(one) for one in out] == [Incomplete, Message]
    assert bodies(out) == [BODY]


def test_the_newest_body_of_a_number_counts():
    parts, again = packets(0x0801, BODY, 400), packets(0x0801, BODY[::-1], 400)
    assert bodies(joined(parts[1], again[0], again[1], again[2])) == [BODY[::-1]]


def test_the_end_tells_everything_unfinished():
    joiner = Joiner()
    joined(packets(0x0801, BODY, 400)[0], packets(0x0704, BODY, 400)[0], joiner=joiner)
    assert [out.header.msg_id for out in joiner.close()] == [0x0801, 0x0704]
    assert joiner.close() == []


def test_memory_is_bounded_in_messages_and_bytes():
    joiner = Joiner(most_bytes=50_000)
    given_up = 0
    for serial in range(1000):
        out = joined(frame(0x0801, b"x" * 500, serial * 7, total=50, number=1), joiner=joiner)
        given_up += len(out)
        assert joiner._size <= 50_000
    empty = frame(0x0801, b"", 9, total=0xFFFF, number=1)
    joined(empty, joiner=joiner)
    assert joiner._size > 0
    assert given_up > 900


@given(st.data())
@settings(max_examples=100, deadline=None)
def test_any_cut_and_any_order(data):
    body = data.draw(st.binary(min_size=1, max_size=3000))
    parts = packets(
        0x0704,
        body,
        data.draw(st.integers(max(1, len(body) // 40), 1023)),
        serial=data.draw(st.integers(0, 0xFFFF)),
    )
    order = data.draw(st.permutations(range(len(parts))))
    repeats = data.draw(st.lists(st.sampled_from(order[:-1] or [order[0]]), max_size=5))
    wires = [parts[n] for n in [*order[:-1], *(repeats if len(order) > 1 else []), order[-1]]]
    assert bodies(joined(*wires)) == [body]
