"""What a terminal is answered, and what becomes of what it says."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings, strategies as st

from edge.gps.jt808.body import read_fields
from edge.gps.jt808.frame import Frame, Framer, Header, encode
from edge.gps.jt808.session import (
    MOST_PLAIN_BYTES,
    MOST_RUBBISH,
    MOST_STRANGE,
    Fleet,
    Memory,
    Session,
    Turn,
)
from tests.edge.gps.jt808.reports import frame, header_2019, packets, report

NOON = datetime(2026, 10, 1, 12, tzinfo=UTC)
FLEET = Fleet({"13912344321": "truck-7"}, secret=b"not so secret")
CODE = FLEET.code("13912344321").encode()
REGISTRATION = b"\x00\x3d\x03\x86" + b"\0" * 32 + b"\x02" + "陕G12345".encode("gb18030")


def session(memory: Memory | None = None) -> Session:
    kept = memory or Memory()
    return Session(FLEET, lambda _: kept)


def feed(one: Session, *wires: bytes, now_s: float = 0.0) -> Turn:
    turn = one.feed(b"".join(wires), now_s, NOON)
    one.kept(turn)
    return turn


def authenticated(memory: Memory | None = None) -> Session:
    one = session(memory)
    assert answers(feed(one, frame(0x0102, CODE))) == [(0x8001, "0001010200")]
    return one


def answers(turn: Turn) -> list[tuple[int, str]]:
    frames = [out for wire in turn.answers for out in Framer().feed(wire)]
    return [(out.header.msg_id, out.body.hex()) for out in frames if isinstance(out, Frame)]


def batch(kind: int, *bodies: bytes) -> bytes:
    parts = b"".join(len(body).to_bytes(2) + body for body in bodies)
    return len(bodies).to_bytes(2) + bytes([kind]) + parts


def test_registration_gives_the_code_that_authenticates():
    one = session()
    ((msg_id, body),) = answers(feed(one, frame(0x0100, REGISTRATION, serial=5)))
    values, code = read_fields(bytes.fromhex(body), (("serial", 2, int.from_bytes),))
    assert (msg_id, values, code) == (0x8100, {"serial": 5}, b"\0" + CODE)
    assert answers(feed(one, frame(0x0102, code[1:], serial=6))) == [(0x8001, "0006010200")]
    assert one.terminal == "13912344321"


def test_a_2019_terminal_is_answered_in_its_own_version():
    one = session()
    body = bytes([len(CODE)]) + CODE + b"1" * 15 + b"\0" * 20
    turn = feed(one, encode(Frame(header_2019(0x0102, 9), body)))
    (out,) = Framer().feed(turn.answers[0])
    assert isinstance(out, Frame)
    assert out.header == Header(0x8001, "2019", "00000000013912344321", 0, protocol_version=1)
    assert out.body.hex() == "0009010200"
    feed(one, encode(Frame(header_2019(0x0002, 10), b"")))
    assert one.terminal == "13912344321"


@pytest.mark.parametrize(
    ("wire", "answer"),
    [
        (frame(0x0002, serial=7), (0x8001, "0007000200")),
        (frame(0x0004, serial=7), (0x8004, "261001120000")),
        (frame(0x0200, report(), serial=7), (0x8001, "0007020000")),
        (frame(0x0200, b"short", serial=7), (0x8001, "0007020002")),
        (frame(0x0200, report(), serial=7, encrypt=1), (0x8001, "0007020003")),
        (frame(0x7777, b"?", serial=7), (0x8001, "0007777703")),
        (frame(0x0801, bytes(8) + report() + b"\xff\xd8\xff", serial=7), (0x8800, "00000000")),
        (frame(0x0801, b"x", serial=7, total=2, number=3), (0x8001, "0007080102")),
        (frame(0x0801, b"x", serial=7, total=2, number=1), (0x8001, "0007080100")),
        (frame(0x0003, serial=7), (0x8001, "0007000300")),
    ],
)
def test_every_message_is_answered(wire, answer):
    assert answers(feed(authenticated(), wire)) == [answer]


def test_an_answer_is_not_answered():
    assert answers(feed(authenticated(), frame(0x0001, bytes(5)))) == []


def test_a_stranger_is_told_so_and_shown_out():
    one = session()
    turn = feed(one, frame(0x0200, report()))
    assert (answers(turn), turn.reports, turn.end) == ([(0x8001, "0001020001")], [], "")
    turn = feed(one, *[frame(0x0200, report(), serial=n) for n in range(50)])
    assert len(turn.answers) == MOST_STRANGE - 1
    assert "without authentication" in turn.end


@pytest.mark.parametrize("phone", ["013912344321", "013900000000"])
def test_a_wrong_code_ends_the_connection(phone):
    turn = feed(session(), frame(0x0102, b"guess", phone=phone))
    assert answers(turn) == [(0x8001, "0001010201")]
    assert phone.lstrip("0") in turn.end


def test_a_terminal_nobody_entered_gets_no_code():
    turn = feed(session(), frame(0x0100, REGISTRATION, phone="013900000000"))
    assert answers(turn) == [(0x8100, "000104")]
    open_fleet = Fleet({}, secret=b"x", is_open=True)
    one = Session(open_fleet, lambda _: Memory())
    feed(one, frame(0x0102, open_fleet.code("13900000000").encode(), phone="013900000000"))
    turn = feed(one, frame(0x0200, report(), phone="013900000000"))
    assert [each.vehicle for each in turn.reports] == ["13900000000"]


def test_nobody_speaks_for_another_terminal():
    turn = feed(authenticated(), frame(0x0200, report(), phone="013900000000"))
    assert (turn.reports, answers(turn)) == ([], [(0x8001, "0001020001")])


def test_positions_are_reported_with_their_vehicle():
    one = authenticated()
    wires = [frame(0x0200, report(), 2), frame(0x0704, batch(1, report(), report()), 3)]
    turn = feed(one, *wires, frame(0x0201, b"\0\1" + report(), 4))
    assert [(each.vehicle, each.position.backfill) for each in turn.reports] == [
        ("truck-7", False),
        ("truck-7", True),
        ("truck-7", True),
        ("truck-7", False),
    ]


def test_a_repeat_is_confirmed_again_and_reported_once_across_connections():
    memory = Memory()
    wire = frame(0x0200, report(), serial=7)
    first = feed(authenticated(memory), wire, wire)
    again = feed(authenticated(memory), wire)
    assert (len(first.reports), len(first.answers)) == (1, 2)
    assert (len(again.reports), len(again.answers)) == (0, 1)
    other = feed(authenticated(memory), frame(0x0200, report(speed_kmh=1.0), serial=7))
    assert len(other.reports) == 1


def test_what_was_not_kept_is_reported_again():
    one = authenticated()
    wire = frame(0x0200, report(alarm=1), serial=7)
    lost = one.feed(wire, 0.0, NOON)
    again = one.feed(wire, 0.0, NOON)
    assert [each.raised for each in (*lost.reports, *again.reports)] == [1, 1]


def test_an_alarm_is_raised_and_cleared_once():
    one = authenticated()
    edges = []
    for serial, alarm in enumerate((0, 0b11, 0b11, 0b10, 0, 0)):
        (told,) = feed(one, frame(0x0200, report(alarm=alarm), serial)).reports
        edges.append((told.raised, told.cleared))
    assert edges == [(0, 0), (0b11, 0), (0, 0), (0, 0b01), (0, 0b10), (0, 0)]


def test_backfill_raises_no_alarm():
    one = authenticated()
    feed(one, frame(0x0200, report(alarm=2), 1))
    turn = feed(one, frame(0x0704, batch(1, report(alarm=1)), 2))
    assert [(each.raised, each.cleared) for each in turn.reports] == [(0, 0)]
    assert feed(one, frame(0x0200, report(alarm=2), 3)).reports[0].raised == 0


def test_a_split_message_is_confirmed_packet_by_packet_and_reported_once():
    one = authenticated()
    first, second = packets(0x0704, batch(0, report()), 20, serial=65535)
    turn = feed(one, first)
    assert (turn.reports, answers(turn)) == ([], [(0x8001, "ffff070400")])
    turn = feed(one, second)
    assert (len(turn.reports), answers(turn)) == (1, [(0x8001, "0000070400")])
    late = feed(one, first, second, now_s=59.0)
    assert (late.reports, len(late.answers)) == ([], 2)
    assert not one.is_waiting


def test_missing_packets_are_asked_for_three_times():
    one = authenticated()
    parts = packets(0x0704, batch(0, *[report()] * 4), 30, serial=10)
    feed(one, parts[1], now_s=0.0)
    assert one.is_waiting
    assert one.tick(4.9).answers == []
    for at_s in (5.0, 10.0, 15.0):
        assert answers(one.tick(at_s)) == [(0x8003, "000a040001000300040005")]
        assert one.tick(at_s + 1).answers == []
    turn = feed(one, parts[0], *parts[2:], now_s=20.0)
    assert len(turn.reports) == 4
    assert not one.is_waiting


def test_media_are_asked_for_in_their_own_way_first():
    one = authenticated()
    body = bytes.fromhex("0000000900000000") + report() + b"\xff\xd8\xff" * 34
    parts = packets(0x0801, body, 30, serial=10)
    feed(one, parts[0], parts[2], now_s=0.0)
    asked = [answers(one.tick(at_s)) for at_s in (5.0, 10.0, 15.0)]
    assert asked == [
        [(0x8800, "0000000903000200040005")],
        [(0x8003, "000a03000200040005")],
        [(0x8800, "0000000903000200040005")],
    ]
    turn = feed(one, parts[1], *parts[3:], now_s=17.0)
    assert answers(turn)[-1] == (0x8800, "00000009")
    assert [type(each).__name__ for each in turn.reports] == ["Media"]


def test_a_driver_is_told_of_once():
    one = authenticated()
    name = "王强".encode("gb18030")
    body = bytes.fromhex("0126100120000000") + bytes([len(name)]) + name
    body += b"612401".ljust(20, b"\0") + b"\0" + bytes.fromhex("20301231")
    wire = frame(0x0702, body, 5)
    turn = feed(one, wire, wire, frame(0x0702, bytes.fromhex("02261001210000"), 6))
    assert [answer[0] for answer in answers(turn)] == [0x8001] * 3
    came, left = turn.reports
    assert (came.vehicle, came.inserted, came.read, came.driver) == (
        "truck-7",
        True,
        "read",
        "王强",
    )
    assert (came.certificate, came.expires_on) == ("612401", "2030-12-31")
    assert (left.inserted, left.read, left.at.hour) == (False, "", 21)


def test_a_message_of_absurd_size_is_called_wrong():
    one = authenticated()
    report_size = len(report()) + 2
    body = batch(0, *[report()] * (MOST_PLAIN_BYTES // report_size + 1))
    turn = feed(one, *packets(0x0704, body, 1000, serial=1))
    assert turn.reports == []
    assert answers(turn)[-1][1].endswith("070402")


def test_a_stranger_cannot_fill_the_memory_with_packets():
    one = session()
    turn = feed(one, *[frame(0x0100, b"x" * 1000, n, total=9, number=1) for n in range(99)])
    assert turn.end
    assert not one.is_waiting


def test_endless_rubbish_ends_the_connection():
    one = authenticated()
    turn = feed(one, b"\x7e".join(b"\x00" * 500 for _ in range(MOST_RUBBISH // 500 + 2)))
    assert "rubbish" in turn.end
    one = authenticated()
    for _ in range(MOST_RUBBISH // 500 + 2):
        assert feed(one, b"\x7e" + b"\x00" * 500, frame(0x0002)).end == ""


@given(st.lists(st.binary(max_size=200) | st.builds(
    frame,
    st.sampled_from([0x0001, 0x0002, 0x0005, 0x0100, 0x0102, 0x0104, 0x0200, 0x0704, 0x0801, 9]),
    st.binary(max_size=90),
    st.integers(0, 5),
    total=st.none() | st.integers(0, 3),
    number=st.integers(0, 4),
)))  # fmt: skip
@settings(max_examples=200, deadline=None)
def test_nothing_a_terminal_says_raises(wires):
    one = authenticated()
    for now_s, wire in enumerate(wires):
        feed(one, wire, now_s=float(now_s))
        one.tick(float(now_s))
