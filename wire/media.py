"""The kinds of file that are taken as evidence, and how each begins. No other kind is."""

SUFFIXES: dict[str, str] = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/tiff": "tif",
    "audio/mpeg": "mp3",
    "audio/wav": "wav",
    "video/mp4": "mp4",
    "video/x-ms-wmv": "wmv",
}
PATTERN = r"^(image/jpeg|image/png|image/tiff|audio/mpeg|audio/wav|video/mp4|video/x-ms-wmv)$"
HEAD = 12
"""Bytes that tell the kind."""

_ASF = bytes.fromhex("3026b2758e66cf11")
_BEGINNINGS: tuple[tuple[bytes, str], ...] = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"II*\0", "image/tiff"),
    (b"MM\0*", "image/tiff"),
    (b"ID3", "audio/mpeg"),
    (_ASF, "video/x-ms-wmv"),
)


def type_of(head: bytes) -> str | None:
    """The kind that the first twelve bytes of a file tell; None for one that is not taken."""
    if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
        return "audio/wav"
    if head[4:8] == b"ftyp":
        return "video/mp4"
    known = next((kind for magic, kind in _BEGINNINGS if head.startswith(magic)), None)
    return known or ("audio/mpeg" if _is_mpeg_audio(head) else None)


def _is_mpeg_audio(head: bytes) -> bool:
    """The header of an MPEG audio frame of layer 3: no reserved version, bit rate or frequency."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return False
    version, layer = head[1] >> 3 & 3, head[1] >> 1 & 3
    bit_rate, frequency = head[2] >> 4, head[2] >> 2 & 3
    return version != 1 and layer == 1 and bit_rate not in (0, 15) and frequency != 3
