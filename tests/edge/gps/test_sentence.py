"""Which sentences stand in a stream of bytes."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from edge.gps.sentence import LONGEST, Framer, Refused, Sentence
from tests.edge.gps.lines import line, rmc
from tests.shared import SHARED, needs_shared

GLL = line("GPGLL,3240.0000,N,10902.0000,E,120000,A")
TEXT = GLL.decode().strip()[1:]


def framed(*chunks: bytes) -> list[Sentence | Refused]:
    framer = Framer()
    return [out for chunk in chunks for out in framer.feed(chunk)] + list(framer.close())


def texts(*chunks: bytes) -> list[str]:
    return [out.text for out in framed(*chunks) if isinstance(out, Sentence)]


def reasons(*chunks: bytes) -> list[str]:
    return [out.reason for out in framed(*chunks) if isinstance(out, Refused)]


@pytest.mark.parametrize(
    "around",
    [
        pytest.param(lambda one: one, id="CR LF"),
        pytest.param(lambda one: one.replace(b"\r\n", b"\n"), id="LF"),
        pytest.param(lambda one: one.replace(b"\r\n", b"\r"), id="CR"),
        pytest.param(lambda one: one.replace(b"\r\n", b"\r\r\n"), id="CR CR LF"),
        pytest.param(lambda one: one.strip(), id="no line end"),
        pytest.param(lambda one: b"\0\0" + one + b"\0", id="NULs between"),
        pytest.param(lambda one: b"$" + one, id="doubled dollar"),
        pytest.param(
            lambda one: b"\xb5\x62\x01\x07\x04\x00\x24\xff\x00\x13" + one, id="UBX before"
        ),
        pytest.param(lambda one: b"\xd3\x00\x04\x4c\xe0\x00\x80\xed" + one, id="RTCM before"),
        pytest.param(lambda one: b"$GNGGA,120000.00,3240.0" + one, id="cut line before"),
        pytest.param(lambda one: one.decode().encode("utf-16-le"), id="UTF-16 little endian"),
        pytest.param(lambda one: one.decode().encode("utf-16-be"), id="UTF-16 big endian"),
        pytest.param(lambda one: one[:-4] + one[-4:].lower(), id="small checksum digits"),
    ],
)
def test_a_sentence_is_found_wherever_it_stands(around):
    found = texts(around(GLL) * 3)
    assert [text.upper() for text in found] == [TEXT] * 3


@pytest.mark.parametrize(
    ("given_bytes", "reason"),
    [
        (b"$GPGLL,3240.0000,N*00\r\n", "bad_checksum"),
        (b"$GPGLL,3240.0000,N\r\n", "no_checksum"),
        (b"$GPGLL,3240.0000,N*\r\n", "no_checksum"),
        (b"$GPGLL,3240.0000,N*4\r\n", "no_checksum"),
        (b"$GPGLL,3240.0000,N*4G\r\n", "no_checksum"),
        (b"$GPGLL,3240.00" + GLL, "cut"),
        (b"$GPGLL,3240.00", "cut"),
        (b"$GPGLL,3240.00*4", "cut"),
        (b"$GPGLL," + b"1" * 2 * LONGEST, "too_long"),
    ],
)
def test_what_is_refused_is_named_once(given_bytes, reason):
    assert reasons(given_bytes) == [reason]


@pytest.mark.parametrize("noise", [b"$$$$", b"$\x81\x02\r\n", b"\x00$\x00", b"no dollar at all"])
def test_a_dollar_in_noise_is_no_sentence(noise):
    assert framed(noise) == []


def test_refused_text_says_where_and_what():
    (refused,) = framed(b"\xff\xff\0$GPGLL,32\xfe40*00\r\n")
    assert refused == Refused("bad_checksum", 3, "$GPGLL,32\\xfe40*00")


@pytest.mark.parametrize(
    ("body", "talker", "kind"),
    [
        ("GNRMC,", "GN", "RMC"),
        ("BDGSV,", "BD", "GSV"),
        ("PGRMC,A,218.8", "P", ""),
        ("PMTK001,869,3", "P", ""),
    ],
)
def test_the_address_names_talker_and_kind(body, talker, kind):
    (sentence,) = framed(line(body))
    assert (sentence.talker, sentence.kind) == (talker, kind)


def test_a_line_of_another_language_is_neither_sentence_nor_error():
    assert framed(line("LOG108,1,100,100,0,0,5,0,4,462")) == []


def test_an_unfinished_sentence_keeps_no_more_than_its_limit():
    framer = Framer()
    for _ in range(1000):
        list(framer.feed(b"$" + b"A" * 999))
    assert len(framer._rest) <= LONGEST + 1


PIECES = st.lists(
    st.one_of(
        st.just(GLL),
        st.just(rmc()),
        st.binary(max_size=40),
        st.sampled_from([b"$", b"*", b"\r\n", b"\0", b"$GP", b"*4", b"$$", b"," * 50, b"*\0"]),
        st.integers(0, len(GLL)).map(lambda n: GLL[:n]),
    ),
    max_size=20,
)


@given(PIECES, st.lists(st.integers(1, 60), min_size=1))
@settings(max_examples=300, deadline=None)
def test_any_split_gives_the_same(pieces, sizes):
    data = b"".join(pieces)
    chunks, at, turn = [], 0, 0
    while at < len(data):
        size = sizes[turn % len(sizes)]
        chunks.append(data[at : at + size])
        at, turn = at + size, turn + 1
    assert framed(*chunks) == framed(data)


@given(st.binary(max_size=2000))
@settings(max_examples=200, deadline=None)
def test_random_bytes_never_raise_and_offsets_point_at_a_dollar(data):
    for out in framed(data):
        assert data[out.offset] == ord("$")


@needs_shared
@pytest.mark.parametrize("size", [1, 7, 1000, 10**6])
def test_real_logs_hold_what_was_counted_in_them(size):
    assert SHARED is not None
    folder: Path = SHARED / "data/gps/nmea"
    for name, expected in json.loads((folder / "expect.json").read_text()).items():
        data = (folder / name).read_bytes()
        if size == 1:
            data = data[:4000]
        found = framed(*(data[at : at + size] for at in range(0, len(data), size)))
        if size == 1:
            assert found == framed(data), name
            continue
        kinds = [out.kind for out in found if isinstance(out, Sentence)]
        assert len(kinds) == expected["counts"]["checksum_ok"], name
        for kind in ("rmc", "gga", "gns", "gsa", "gsv", "zda"):
            assert kinds.count(kind.upper()) == expected["counts"].get(kind, 0), (name, kind)


@pytest.mark.parametrize(
    ("stream", "offsets"),
    [
        (GLL[1:], [0]),
        (GLL[1:].strip(), [0]),
        (GLL + GLL[1:] + GLL, [len(GLL)]),
        (b"noise\r" + GLL[1:] + GLL[1:], [6, 5 + len(GLL)]),
        (b"noise" + GLL[1:], []),
        (GLL.strip() + GLL[1:], []),
        (b"x" * 5000 + GLL[1:], []),
        (b"GPGLL,no digits\r\nPGRMC,1*00\r\nhello, world*00\r\n", []),
        (b"GPGLL," + b"9" * 201 + b"*00\r\n", []),
    ],
)
@pytest.mark.parametrize("size", [1, 3, 10_000])
def test_a_line_without_its_dollar_is_told_of_with_its_place(stream, offsets, size):
    pieces = [stream[at : at + size] for at in range(0, len(stream), size)]
    found = [out for out in framed(*pieces) if isinstance(out, Refused)]
    assert [(out.reason, out.offset, out.raw) for out in found] == [
        ("no_start", offset, GLL[1:].strip().decode()) for offset in offsets
    ]
