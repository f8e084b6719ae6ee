"""NMEA sentences per second, beside pynmea2 in a plain loop: `python bench/gps.py [LOG…]`.

Without logs a made one is used: four systems, twenty sentences an epoch, as a modern receiver
sends them. The rival gets clean lines and a right answer for free; `lazy` only parses, `fields`
also reads what a fix needs from RMC and GGA. Both run here, in turn; look at the ratios.
"""

import io
import sys
import time
from collections.abc import Callable
from functools import reduce
from operator import xor
from pathlib import Path

import pynmea2

from edge.gps.commands import decode_nmea

EPOCH = (
    "GNRMC,{tod},A,3240.00{n:03d},N,10902.00{n:03d},E,10.040,90.0,011026,,,D,V",
    "GNVTG,,T,,M,0.040,N,0.075,K,D",
    "GNGGA,{tod},3240.00{n:03d},N,10902.00{n:03d},E,2,12,0.54,83.1,M,-29.5,M,,0000",
    *["GNGSA,A,3,29,20,18,16,51,13,44,26,,,,,0.99,0.54,0.83,1"] * 4,
    *["GPGSV,4,1,16,05,01,047,,10,29,224,,13,22,062,23,15,40,094,,1"] * 11,
    "GNGLL,3240.00{n:03d},N,10902.00{n:03d},E,{tod},A,D",
    "GNZDA,{tod},01,10,2026,00,00",
)


def made_log(epochs: int = 2000) -> bytes:
    lines = []
    for n in range(epochs):
        tod = f"{10 + n // 3600:02d}{n // 60 % 60:02d}{n % 60:02d}.00"
        lines += [body.format(tod=tod, n=n % 1000) for body in EPOCH]
    return b"".join(b"$%b*%02X\r\n" % (b.encode(), reduce(xor, b.encode())) for b in lines)


def ours(data: bytes) -> int:
    *_, last = decode_nmea(io.BytesIO(data))
    return last["summary"]["checksum_ok"]


def rival_lazy(data: bytes) -> int:
    read = 0
    for text in data.decode("latin-1").splitlines():
        try:
            pynmea2.parse(text, check=True)
        except pynmea2.ParseError:
            continue
        read += 1
    return read


def rival_fields(data: bytes) -> int:
    read = 0
    for text in data.decode("latin-1").splitlines():
        try:
            message = pynmea2.parse(text, check=True)
        except pynmea2.ParseError:
            continue
        read += 1
        if isinstance(message, pynmea2.RMC) and message.status == "A":
            _ = (message.datetime, message.latitude, message.longitude, message.spd_over_grnd)
        elif isinstance(message, pynmea2.GGA) and message.gps_qual:
            _ = (message.latitude, message.longitude, message.altitude, message.num_sats)
    return read


def rate(work: Callable[[bytes], int], data: bytes) -> float:
    best = 0.0
    for _ in range(3):
        began = time.perf_counter()
        read = work(data)
        best = max(best, read / (time.perf_counter() - began))
    return best


def main() -> None:
    logs = {path: Path(path).read_bytes() for path in sys.argv[1:]} or {"made log": made_log()}
    for name, data in logs.items():
        repeated = data * max(1, 2_000_000 // len(data))
        own = rate(ours, repeated)
        print(f"{name}: {own:,.0f} sentences/s with framing, epochs and fixes")
        for label, work in (("lazy", rival_lazy), ("fields", rival_fields)):
            other = rate(work, repeated)
            print(f"  pynmea2 {label}: {other:,.0f}/s, ratio {own / other:.2f}")


if __name__ == "__main__":
    main()
