"""NMEA sentences for tests, with the checksum they need."""

from functools import reduce
from operator import xor


def line(body: str, end: str = "\r\n") -> bytes:
    """Frame `GPRMC,…` as a receiver does."""
    data = body.encode("latin-1")
    return b"$%b*%02X%b" % (data, reduce(xor, data, 0), end.encode())


def rmc(
    tod: str = "120000.00",
    lat: str = "3240.0000,N",
    lon: str = "10902.0000,E",
    *,
    talker: str = "GN",
    status: str = "A",
    speed: str = "10.0",
    course: str = "90.0",
    date: str = "011026",
    rest: str = ",,,A",
) -> bytes:
    """A recommended minimum sentence near Ankang."""
    return line(f"{talker}RMC,{tod},{status},{lat},{lon},{speed},{course},{date}{rest}")


def gga(
    tod: str = "120000.00",
    lat: str = "3240.0000,N",
    lon: str = "10902.0000,E",
    *,
    talker: str = "GN",
    quality: str = "1",
    satellites: str = "09",
    hdop: str = "0.9",
    alt: str = "250.5",
) -> bytes:
    """A fix sentence near Ankang."""
    return line(f"{talker}GGA,{tod},{lat},{lon},{quality},{satellites},{hdop},{alt},M,-20.0,M,,")
