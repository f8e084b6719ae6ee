"""Bodies and frames of terminals, for tests."""

import struct

from edge.gps.jt808.frame import Frame, Header, encode

ACC_LOCATED = 0b11


def header(msg_id: int = 0x0200, serial: int = 1, phone: str = "013912344321", **more) -> Header:
    return Header(msg_id, "2013", phone, serial, **more)


def header_2019(msg_id: int = 0x0200, serial: int = 1) -> Header:
    return Header(msg_id, "2019", "00000000013912344321", serial, protocol_version=1)


def frame(msg_id: int, body: bytes = b"", serial: int = 1, **more) -> bytes:
    return encode(Frame(header(msg_id, serial, **more), body))


def report(
    *,
    lat: float = 32.68,
    lon: float = 109.03,
    alarm: int = 0,
    status: int = ACC_LOCATED,
    alt_m: int = 250,
    speed_kmh: float = 36.5,
    heading: int = 90,
    at: str = "261001200000",
    items: bytes = b"",
) -> bytes:
    """Body of 0x0200; `at` in the terminal's own clock, GMT+8."""
    return (
        struct.pack(
            ">IIIIhHH",
            alarm,
            status,
            round(lat * 1e6),
            round(lon * 1e6),
            alt_m,
            round(speed_kmh * 10),
            heading,
        )
        + bytes.fromhex(at)
        + items
    )


def item(number: int, data: bytes) -> bytes:
    return bytes([number, len(data)]) + data


def packets(msg_id: int, body: bytes, size: int, serial: int = 65534) -> list[bytes]:
    """The body cut into packets of `size` bytes, each with its own serial."""
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    return [
        frame(msg_id, part, (serial + n) & 0xFFFF, total=len(parts), number=n + 1)
        for n, part in enumerate(parts)
    ]
