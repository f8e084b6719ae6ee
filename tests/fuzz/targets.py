"""What is fuzzed: bytes → a parser, and what must hold whatever they are."""

import io
import json
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from edge.gps.commands import decode_jt808, decode_nmea, plain
from edge.gps.filters import Memory as FilterMemory, judge
from edge.gps.fix import Fix
from edge.gps.jt808 import frame as jt808
from edge.gps.jt808.body import BODIES, read_body
from edge.gps.jt808.frame import Framer, Header
from edge.gps.jt808.position import BadBody
from edge.gps.jt808.session import Fleet, Memory, Session
from edge.gps.nmea import NmeaDecoder
from edge.gps.sentence import Refused
from hub.grid import geojson
from hub.grid.errors import GridError
from hub.permits.sheet import read_permits
from hub.tracks.geofence import read_fences
from hub.tracks.point import read_points
from hub.tracks.sites import read_sites

NOON = datetime(2026, 10, 1, 12, tzinfo=UTC)
FLEET = Fleet({}, secret=b"fuzz", is_open=True)
PHONES = ("013912344321", "00000000013912344321")
MOST_HELD = 8_192


def chunks(data: bytes) -> list[bytes]:
    """Cut the rest of the bytes where the first one says: 0 = a byte at a time."""
    size = data[0] if data else 1
    body = data[1:]
    return [body[at : at + max(1, size)] for at in range(0, len(body), max(1, size))]


def jt808_stream(data: bytes) -> None:
    """Frames do not depend on chunks; a refusal tells where its bytes stand."""
    pieces = chunks(data)
    whole = b"".join(pieces)
    framer, other = Framer(), Framer()
    out = [each for piece in pieces for each in framer.feed(piece)]
    assert len(framer._rest) <= MOST_HELD
    out += framer.close()
    if b"\x7e" in whole:
        once = other.feed(whole) + other.close()
        kinds = [_frame_key(each) for each in out]
        assert kinds == [_frame_key(each) for each in once]
    for each in out:
        if isinstance(each, jt808.Refused) and each.reason != "too_long":
            assert whole[each.offset : each.offset + len(each.raw)] == each.raw
    *lines, last = decode_jt808(io.BytesIO(whole))
    json.dumps(lines, allow_nan=False)
    assert last["summary"]["refused"] == sum(line["kind"] == "refused" for line in lines)


def _frame_key(out: jt808.Frame | jt808.Refused) -> object:
    # What is too long is cut where its chunk ended.
    if isinstance(out, jt808.Refused) and out.reason == "too_long":
        return (out.reason, out.offset)
    return out


def jt808_hex(data: bytes) -> None:
    """A file of hex lines, whatever is in it, gives lines of JSON."""
    *lines, last = decode_jt808(io.BytesIO(data), is_hex=True)
    json.dumps(lines, allow_nan=False)
    assert set(last) == {"summary"}


def jt808_body(data: bytes) -> None:
    """A body of any message is read, or refused as BadBody."""
    if len(data) < 2:
        return
    msg_id = sorted(BODIES)[data[0] % len(BODIES)]
    version, phone = (("2013", PHONES[0]), ("2019", PHONES[1]))[data[1] & 1]
    try:
        values = read_body(Header(msg_id, version, phone, 1), data[2:])
    except BadBody:
        return
    assert values is not None
    json.dumps({name: plain(value) for name, value in values.items()}, allow_nan=False)
    for position in values.get("positions", ()):
        judge(FilterMemory(), position.fix(NOON))


def jt808_session(data: bytes) -> None:
    """Nothing a terminal sends raises; what is held is bounded; what is kept has a vehicle."""
    session = Session(FLEET, lambda _: Memory())
    login = jt808.Header(0x0102, "2013", PHONES[0], 0)
    code = FLEET.code("13912344321").encode()
    session.feed(jt808.encode(jt808.Frame(login, code)), 0.0, NOON)
    for second, chunk in enumerate(chunks(data)):
        turn = session.feed(chunk, float(second), NOON)
        session.kept(turn)
        session.tick(float(second))
        assert all(each.vehicle == "13912344321" for each in turn.reports)
        if turn.end:
            break
    session.close()
    assert not session.is_waiting


def nmea_stream(data: bytes) -> None:
    """Fixes do not depend on chunks, lie on the earth, and every refusal has its place."""
    pieces = chunks(data)
    whole = b"".join(pieces)
    decoder, other = NmeaDecoder(), NmeaDecoder()
    out = [each for piece in pieces for each in decoder.feed(piece)] + decoder.close()
    assert out == other.feed(whole) + other.close()
    assert len(decoder._framer._rest) <= MOST_HELD
    for each in out:
        if isinstance(each, Fix):
            assert -90 <= each.lat <= 90
            assert -180 <= each.lon <= 180
            assert each.lat or each.lon
        else:
            assert isinstance(each, Refused)
            assert 0 <= each.offset < len(whole)
    counts = decoder.counts
    assert counts.checksum_ok <= counts.sentences
    json.dumps(list(decode_nmea(io.BytesIO(whole), NOON)), allow_nan=False)


def track_csv(data: bytes) -> None:
    """Every row is a point or a refusal with its line; the points are in order."""
    lines = io.StringIO(data.decode("utf-8", "surrogateescape"), newline="").readlines()
    try:
        points, bad = read_points(lines)
    except GridError:
        return
    numbers = [row.line for row in bad]
    assert numbers == sorted(numbers)
    assert all(1 <= number <= len(lines) for number in numbers)
    assert len(points) + len(bad) <= len(lines)
    assert all(a.at <= b.at for a, b in pairwise(points))
    assert all(timedelta(0) == point.at.utcoffset() for point in points)


def grid_geojson(data: bytes) -> None:
    """Any JSON is grids and problems, each problem with its place; nothing raises."""
    if (document := _json(data)) is None:
        return
    reading = geojson.read(document)
    assert all(problem.where for problem in reading.problems)
    list(geojson.problems(document))


def sites_geojson(data: bytes) -> None:
    """Any JSON is sites, or refused with every problem."""
    if (document := _json(data)) is None:
        return
    with suppress(GridError):
        read_sites(document)


def fences_geojson(data: bytes) -> None:
    """Any JSON is fences, or refused with every problem."""
    if (document := _json(data)) is not None:
        with suppress(GridError):
            read_fences(document)


def permit_csv(data: bytes) -> None:
    """Every row is a permit or has its faults, each with its place."""
    reading = read_permits(data)
    assert all(fault.row >= 1 for fault in reading.faults)
    assert len(reading.permits) <= reading.rows
    json.dumps([fault.line() for fault in reading.faults])


def _json(data: bytes) -> object:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None


TARGETS: dict[str, Callable[[bytes], None]] = {
    each.__name__: each
    for each in (
        jt808_stream, jt808_hex, jt808_body, jt808_session, nmea_stream, track_csv, grid_geojson,
        sites_geojson, fences_geojson, permit_csv,
    )
}  # fmt: skip
