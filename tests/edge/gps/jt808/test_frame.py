"""Which frames stand in a stream of bytes."""

import pytest
from hypothesis import given, settings, strategies as st

from edge.gps.jt808.frame import LONGEST, BadFrame, Frame, Framer, Header, Refused, encode, parse
from tests.edge.gps.jt808.reports import frame, header, header_2019

HEARTBEAT = frame(0x0002)
OTHER = frame(0x0102, b"code", serial=2)


def framed(*chunks: bytes) -> list[Frame | Refused]:
    framer = Framer()
    return [out for chunk in chunks for out in framer.feed(chunk)] + framer.close()


def outcomes(*chunks: bytes) -> list[int | str]:
    return [out.header.msg_id if isinstance(out, Frame) else out.reason for out in framed(*chunks)]


def test_the_standards_own_example_of_escaping():
    assert encode(Frame(header(0x0002), b"\x30\x7e\x08\x7d\x55"))[13:-2] == bytes.fromhex(
        "307d02087d0155"
    )


@pytest.mark.parametrize(
    ("wire", "expected"),
    [
        (
            "7e000200000123456789017fff0a7e",
            Header(0x0002, "2013", "012345678901", 32767),
        ),
        (
            "7e000240000100000000017299841738ffff027e",
            Header(0x0002, "2019", "00000000017299841738", 65535, protocol_version=1),
        ),
        (
            "7e0801200500123456789002de001a00022808000102537e",
            Header(0x0801, "2013", "001234567890", 734, total=26, number=2),
        ),
        (
            "7e0801040500123456789002de001a000221757e",
            Header(0x0801, "2013", "001234567890", 734, encrypt=1),
        ),
        (
            "7e0002000000000000067900007d017e",
            Header(0x0002, "2013", "000000000679", 0),
        ),
    ],
)
def test_headers_of_every_version(wire, expected):
    (found,) = framed(bytes.fromhex(wire))
    assert isinstance(found, Frame)
    assert found.header == expected


def test_a_terminal_is_the_same_in_both_versions():
    assert header().terminal == header_2019().terminal == "13912344321"
    assert Header(2, "2013", "000000000000", 0).terminal == "0"
    (found,) = framed(frame(0x0002, phone="86412345abcd"))
    assert isinstance(found, Frame)
    assert found.header.terminal == "86412345abcd"


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        (HEARTBEAT + OTHER, [0x0002, 0x0102]),
        (HEARTBEAT[:-1] + OTHER, [0x0002, 0x0102]),
        (b"\x7e\x7e\x7e" + HEARTBEAT + b"\x7e\x7e", [0x0002]),
        (b"noise" + HEARTBEAT, ["no_start", 0x0002]),
        (HEARTBEAT + b"noise" + OTHER, [0x0002, "too_short", 0x0102]),
        (HEARTBEAT + b"a longer piece of noise" + OTHER, [0x0002, "bad_checksum", 0x0102]),
        (OTHER[:9] + HEARTBEAT, ["too_short", 0x0002]),
        (OTHER[:-3] + HEARTBEAT, ["bad_checksum", 0x0002]),
        (b"\x7e\x00\x02\x7d\x03" + HEARTBEAT, ["bad_escape", 0x0002]),
        (b"\x7e\x00\x02\x7d" + HEARTBEAT, ["bad_escape", 0x0002]),
        (HEARTBEAT + OTHER[:8], [0x0002, "cut"]),
        (HEARTBEAT + b"x" * 3 * LONGEST + OTHER, [0x0002, "too_long", 0x0102]),
        (b"\x7e" + b"x" * 3 * LONGEST, ["too_long"]),
    ],
)
def test_a_stream(stream, expected):
    assert outcomes(stream) == expected
    assert outcomes(*(stream[n : n + 1] for n in range(len(stream)))) == expected


@pytest.mark.parametrize("size", [0, 3, 5])
def test_a_length_that_does_not_fit_is_refused(size):
    data = bytearray(frame(0x0102, b"code")[1:-1])
    data[-1] ^= data[3] ^ size  # keep the checksum right
    data[3] = size
    with pytest.raises(BadFrame, match="bad_length"):
        parse(bytes(data))


def test_every_changed_byte_is_seen():
    for at in range(1, len(OTHER) - 1):
        damaged = bytearray(OTHER)
        damaged[at] ^= 0x10
        assert [out for out in framed(bytes(damaged)) if isinstance(out, Frame)] == []


def test_refused_bytes_say_where_they_stood():
    (_, refused) = framed(HEARTBEAT, b"noise\x7e")
    assert refused == Refused("too_short", len(HEARTBEAT), b"noise")


def test_memory_is_bounded():
    framer = Framer()
    for _ in range(100):
        framer.feed(b"x" * 1000)
    assert len(framer._rest) <= LONGEST


HEADERS = st.builds(
    Header,
    msg_id=st.integers(0, 0xFFFF),
    version=st.just("2013"),
    phone=st.text("0123456789abcdef", min_size=12, max_size=12),
    serial=st.integers(0, 0xFFFF),
    encrypt=st.integers(0, 7),
) | st.builds(
    Header,
    msg_id=st.integers(0, 0xFFFF),
    version=st.just("2019"),
    phone=st.text("0123456789", min_size=20, max_size=20),
    serial=st.integers(0, 0xFFFF),
    protocol_version=st.integers(0, 255),
    total=st.just(7),
    number=st.integers(0, 0xFFFF),
)
BODIES = st.binary(max_size=1023) | st.text("\x7d\x7e\x01\x02", max_size=500).map(
    lambda text: text.encode("latin-1")
)


@given(HEADERS, BODIES)
@settings(max_examples=200, deadline=None)
def test_what_is_written_is_read_back(head, body):
    wire = encode(Frame(head, body))
    assert wire.count(b"\x7e") == 2
    assert framed(wire) == [Frame(head, body)]


@given(st.binary(max_size=600), st.lists(st.integers(1, 40), min_size=1))
@settings(max_examples=200, deadline=None)
def test_any_split_of_any_bytes_gives_the_same(noise, sizes):
    data = OTHER + noise + HEARTBEAT + noise[: len(noise) // 2]
    chunks, at, turn = [], 0, 0
    while at < len(data):
        size = sizes[turn % len(sizes)]
        chunks.append(data[at : at + size])
        at, turn = at + size, turn + 1
    assert framed(*chunks) == framed(data)


def test_a_body_too_long_for_one_packet_is_an_error():
    with pytest.raises(ValueError, match="1024 bytes; 1023 fit"):
        encode(Frame(header(), b"x" * 1024))
