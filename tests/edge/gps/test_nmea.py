"""Which positions a receiver vouches for, and when they were."""

import json
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pynmea2
import pytest
from hypothesis import given, settings, strategies as st

from edge.gps.fix import Fix
from edge.gps.nmea import NmeaDecoder
from edge.gps.sentence import Refused
from tests.edge.gps.lines import gga, line, rmc
from tests.shared import SHARED, needs_shared


def decoded(*chunks: bytes, received_at: datetime | None = None) -> list[Fix | Refused]:
    decoder = NmeaDecoder()
    return [out for c in chunks for out in decoder.feed(c, received_at)] + decoder.close()


def fixes(*chunks: bytes, received_at: datetime | None = None) -> list[Fix]:
    return [out for out in decoded(*chunks, received_at=received_at) if isinstance(out, Fix)]


def test_rmc_and_gga_of_one_time_are_one_fix():
    assert decoded(rmc() + gga()) == [
        Fix(
            at=datetime(2026, 10, 1, 12, tzinfo=UTC),
            lat=32.6666667,
            lon=109.0333333,
            speed_kmh=18.52,
            heading_deg=90.0,
            alt_m=250.5,
            satellites=9,
            hdop=0.9,
            quality="gnss",
        )
    ]


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param([gga(), rmc()], id="GGA first"),
        pytest.param([rmc(), rmc(), gga(), gga()], id="repeated lines"),
        pytest.param([rmc(), gga(talker="GP"), gga(talker="GL", quality="0")], id="GP and GL"),
        pytest.param([rmc(talker="BD"), gga(talker="BD")], id="BeiDou alone, old talker"),
        pytest.param([rmc(talker="GB"), gga(talker="GB")], id="BeiDou alone, new talker"),
        pytest.param([rmc("120000"), gga("120000.000")], id="fractions written differently"),
        pytest.param([rmc(), gga(), rmc("120001.00"), rmc()], id="an old epoch again"),
    ],
)
def test_one_fix_an_epoch(lines):
    at_noon = [fix for fix in fixes(*lines) if fix.at.second == 0]
    assert [(fix.lat, fix.alt_m) for fix in at_noon] == [(32.6666667, 250.5)]


@pytest.mark.parametrize(
    ("lines", "altitude"),
    [
        ([rmc()], None),
        ([rmc(), gga("120001.00")], None),
        ([rmc(), gga(alt="")], None),
        ([rmc(), gga(quality="")], None),
        (
            [rmc(), line("GNGNS,120000.00,3240.0000,N,10902.0000,E,ANNA,07,1.1,190.7,8.3,,0000")],
            190.7,
        ),
    ],
)
def test_altitude_comes_from_the_same_time_only(lines, altitude):
    assert [fix.alt_m for fix in fixes(*lines)] == [altitude]


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        pytest.param([rmc(status="V")], None, id="void"),
        pytest.param([line("GPRMC,,V,,,,,,,,,,N")], None, id="void without a time"),
        pytest.param([gga()], "no_date", id="GGA alone has no date"),
        pytest.param([rmc(status="V"), gga()], "rmc_gga_disagree", id="RMC void, GGA fix"),
        pytest.param([rmc(), gga(quality="0")], "rmc_gga_disagree", id="RMC fix, GGA none"),
        pytest.param([rmc(), gga(lat="3241.0000,N")], "rmc_gga_disagree", id="2 km apart"),
        pytest.param([rmc(), gga(quality="6")], "dead_reckoning", id="GGA estimates"),
        pytest.param([rmc(), gga(quality="7")], "manual", id="GGA by hand"),
        pytest.param([rmc(), gga(quality="8")], "simulated", id="GGA simulator"),
        pytest.param([rmc(rest=",,,E")], "dead_reckoning", id="mode E"),
        pytest.param([rmc(rest=",,,N")], "no_fix", id="mode N"),
        pytest.param([rmc(rest=",,,S")], "simulated", id="mode S"),
        pytest.param([rmc(rest=",,,M")], "manual", id="mode M"),
        pytest.param([rmc(rest=",,,A,U")], "unsafe", id="navigation status unsafe"),
        pytest.param([rmc(lat="0000.0000,N", lon="00000.0000,E")], "zero", id="0/0"),
        pytest.param([rmc(lat="9000.0001,N")], "out_of_range", id="beyond the pole"),
        pytest.param([rmc(lon="18000.0001,E")], "out_of_range", id="beyond the antimeridian"),
        pytest.param([rmc(lat="3260.0000,N")], "bad_field", id="60 minutes"),
        pytest.param([rmc(lat="3240.0000,E")], "bad_field", id="latitude to the east"),
        pytest.param([rmc(lat=",")], "bad_field", id="valid without a latitude"),
        pytest.param([rmc(lat="-3240.0000,N")], "bad_field", id="a sign"),
        pytest.param([rmc(tod="250000")], "bad_field", id="25 o'clock"),
        pytest.param([rmc(tod="")], "bad_field", id="valid without a time"),
        pytest.param([rmc(date="310226")], "bad_field", id="31 February"),
        pytest.param([rmc(date="")], "no_date", id="no date ever"),
        pytest.param([rmc(status="X")], "bad_field", id="neither A nor V"),
        pytest.param([rmc(speed="1e3")], "bad_field", id="speed with an exponent"),
        pytest.param([rmc(course="361")], "out_of_range", id="course"),
        pytest.param([line("GPRMC,120000,A")], "field_count", id="too few fields"),
        pytest.param([line("GPRMC" + "," * 40)], "field_count", id="too many fields"),
    ],
)
def test_what_the_receiver_does_not_vouch_for_is_no_fix(lines, reason):
    out = decoded(*lines)
    assert [getattr(one, "reason", one) for one in out] == ([reason] if reason else [])


@pytest.mark.parametrize(
    "rest", ["", ",", ",,", ",2.1,W", ",0.0,E", ",,E", ",,,A", ",,,D,V", ",,,R,C"]
)
def test_every_version_of_rmc_is_read(rest):
    assert len(fixes(rmc(rest=rest))) == 1


@pytest.mark.parametrize(
    ("lat", "lon", "expected"),
    [
        ("3745.1234,S", "17444.07286,E", (-37.7520567, 174.7345477)),
        ("4404.13902,N", "12118.85371,W", (44.0689837, -121.3142285)),
        ("4405,N", "12118,W", (44.0833333, -121.3)),
        ("545.5,N", "45.5,E", (5.7583333, 0.7583333)),
        ("0000.0001,N", "00000.0000,E", (0.0000017, 0.0)),
        ("9000.0000,S", "18000.0000,W", (-90.0, -180.0)),
    ],
)
def test_degrees_and_minutes(lat, lon, expected):
    (fix,) = fixes(rmc(lat=lat, lon=lon))
    assert (fix.lat, fix.lon) == expected


@pytest.mark.parametrize(
    ("tod", "ddmmyy", "at"),
    [
        ("235959.949", "311299", datetime(1999, 12, 31, 23, 59, 59, 949000, UTC)),
        ("000000", "010100", datetime(2000, 1, 1, tzinfo=UTC)),
        ("235960.00", "311216", datetime(2017, 1, 1, tzinfo=UTC)),
        ("120000.123456789", "060180", datetime(1980, 1, 6, 12, 0, 0, 123456, UTC)),
        ("120000.", "311279", datetime(2079, 12, 31, 12, tzinfo=UTC)),
    ],
)
def test_times(tod, ddmmyy, at):
    assert [fix.at for fix in fixes(rmc(tod, date=ddmmyy))] == [at]


def test_midnight_between_gga_and_rmc():
    night = rmc("235959.00", date="300926") + gga("235959.00")
    morning = gga("000000.00") + rmc("000000.00", date="011026")
    assert [(fix.at.day, fix.alt_m) for fix in fixes(night + morning)] == [(30, 250.5), (1, 250.5)]


def test_rmc_without_date_takes_it_from_zda():
    zda = line("GNZDA,235959.00,30,09,2026,00,00")
    (fix,) = fixes(zda + rmc("000001.00", date=""))
    assert fix.at == datetime(2026, 10, 1, 0, 0, 1, tzinfo=UTC)


def test_the_same_time_of_two_days_is_two_epochs():
    assert [f.at.day for f in fixes(rmc(date="011026") + rmc(date="021026"))] == [1, 2]


def test_what_was_held_back_is_not_told_once_an_rmc_comes():
    early = b"".join(gga(f"1159{s:02d}.00") for s in range(50, 55))
    assert [fix.at.second for fix in fixes(early + rmc() + gga())] == [0]


def test_a_short_stream_without_rmc_is_told_at_its_end():
    stream = line("GNZDA,120000.00,01,10,2026,00,00") + gga() + gga("120001.00")
    assert [fix.at.second for fix in fixes(stream)] == [0, 1]


def test_a_stream_without_rmc_goes_by_gga_and_zda():
    stream = b"".join(
        line(f"GNZDA,1200{s:02d}.00,01,10,2026,00,00") + gga(f"1200{s:02d}.00") for s in range(30)
    )
    found = fixes(stream)
    assert found[-1].at == datetime(2026, 10, 1, 12, 0, 29, tzinfo=UTC)
    assert len(found) == 30  # the first ten were held back until it was known
    assert found[0].speed_kmh is None


@pytest.mark.parametrize(
    ("ddmmyy", "received_at", "at", "said"),
    [
        ("220899", datetime(2019, 4, 7, 13, tzinfo=UTC), date(2019, 4, 7), True),
        ("130107", datetime(2026, 8, 29, 13, tzinfo=UTC), date(2026, 8, 29), True),
        ("011026", datetime(2026, 10, 1, 13, tzinfo=UTC), date(2026, 10, 1), False),
        ("180315", datetime(2026, 10, 1, 13, tzinfo=UTC), date(2015, 3, 18), False),
        ("220899", None, date(1999, 8, 22), False),
        ("011020", datetime(2026, 10, 1, 13, tzinfo=UTC), date(2020, 10, 1), False),
    ],
)
def test_week_rollover_is_undone_by_the_receive_time_alone(ddmmyy, received_at, at, said):
    (fix,) = fixes(rmc(date=ddmmyy), received_at=received_at)
    assert fix.at == datetime.combine(at, time(12), UTC)
    assert (fix.said_at is not None) == said
    if said:
        assert fix.at - fix.said_at == timedelta(weeks=1024)


def test_silence_ends_an_epoch():
    decoder = NmeaDecoder()
    assert decoder.feed(rmc() + gga()) == []
    assert [type(out) for out in decoder.flush()] == [Fix]
    assert decoder.feed(gga()) == []
    assert decoder.close() == []


def test_counts():
    decoder = NmeaDecoder()
    decoder.feed(rmc() + b"$GPGGA,12*00\r\n" + gga() + line("GPGSV,1,1,00") + b"$GPG")
    decoder.close()
    counts = decoder.counts
    assert (counts.sentences, counts.checksum_ok, counts.fixes, counts.refused) == (5, 3, 1, 2)


LOG = b"".join(
    rmc(f"1200{s:02d}.00") + gga(f"1200{s:02d}.00") + line("GPGSV,1,1,01,05,30,046,22")
    for s in range(20)
)


@given(st.lists(st.integers(1, len(LOG)), min_size=1, max_size=30))
@settings(max_examples=60, deadline=None)
def test_any_split_gives_the_same(sizes):
    chunks, at = [], 0
    for size in [*sizes, len(LOG)]:
        chunks.append(LOG[at : at + size])
        at += size
    assert decoded(*chunks) == decoded(LOG)


FIELD = st.text(st.sampled_from("0123456789.,ANSEWVGPRMC-*\xe9 "), max_size=40)


KIND = st.sampled_from(["RMC", "GGA", "GNS", "ZDA", "GSV"])


@given(st.lists(st.builds(lambda kind, rest: line(f"GN{kind},{rest}"), KIND, FIELD)))
@settings(max_examples=300, deadline=None)
def test_nonsense_with_a_right_checksum_never_raises(lines):
    for fix in fixes(*lines):
        assert -90 <= fix.lat <= 90
        assert -180 <= fix.lon <= 180


@given(
    st.lists(st.tuples(st.integers(0, len(LOG) - 1), st.integers(0, 255)), max_size=30),
    st.binary(max_size=200),
)
@settings(max_examples=100, deadline=None)
def test_damage_never_invents_a_position(changes, noise):
    data = bytearray(LOG)
    for at, value in changes:
        data[at] = value
    for fix in fixes(bytes(data), noise):
        if len(changes) < 2:  # one wrong byte is always seen
            assert (fix.lat, fix.lon) == (32.6666667, 109.0333333)


# Real receivers ----------------------------------------------------------------------------------


def _logs() -> dict[str, dict]:
    if SHARED is None:
        return {}
    return json.loads((SHARED / "data/gps/nmea/expect.json").read_text())


def _log(name: str) -> bytes:
    assert SHARED is not None
    return Path(SHARED / "data/gps/nmea" / name).read_bytes()


@needs_shared
@pytest.mark.parametrize("name", _logs() or ["none"])
def test_real_log(name):
    expected = _logs()[name]
    found = fixes(_log(name))
    assert len(found) == expected["distinct_rmc_valid_epochs"]
    ends = [(found[0], "rmc_first"), (found[-1], "rmc_last")] if found else []
    for fix, key in ends:
        said = expected[key]
        assert fix.at == datetime.fromisoformat(said["time"])
        assert (fix.lat, fix.lon) == (said["lat"], said["lon"])
        assert fix.speed_kmh == pytest.approx(said["speed_kn"] * 1.852, abs=0.001)
        assert fix.heading_deg == said["course"]
    tod = {f"{fix.at:%H%M%S}": fix for fix in found}
    for key in ("gga_first", "gga_last"):
        said = expected.get(key)
        fix = said and tod.get(said["tod"].partition(".")[0])
        if fix and fix.alt_m is not None and "bt451" not in name:
            assert (fix.satellites, fix.alt_m) == (said["sats"], said["alt"])


@needs_shared
@pytest.mark.parametrize("name", _logs() or ["none"])
def test_real_log_reads_as_pynmea2_reads_it(name):
    """A second opinion on every valid RMC: the library's own properties."""
    by_time = {fix.at: fix for fix in fixes(_log(name))}
    for text in _log(name).decode("latin-1").splitlines():
        try:
            message = pynmea2.parse("$" + text.rpartition("$")[2], check=True)
        except pynmea2.ParseError:
            continue
        if isinstance(message, pynmea2.RMC) and message.status == "A":
            fix = by_time[message.datetime.replace(tzinfo=UTC)]
            assert fix.lat == pytest.approx(message.latitude, abs=1e-7)
            assert fix.lon == pytest.approx(message.longitude, abs=1e-7)
