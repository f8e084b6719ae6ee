"""Parameters of a terminal: ID → name and form; reading 0x0104, writing 0x8103 and 0x8106.

Source: JT/T 808-2013 table 12, 808-2019 table 12. Numbers are DWORD, WORD or BYTE, texts STRING.
A parameter without a row is a maker's own: its bytes are given and taken in hex.
"""

from collections.abc import Sequence
from typing import Any, Literal

DWORD, WORD, BYTE = 4, 2, 1
TEXT = 0
"""In the place of a number's size: a STRING of any length."""

Value = int | str | dict[Literal["hex"], str]

PARAMETERS: dict[int, tuple[str, int]] = {
    0x0001: ("heartbeat_s", DWORD),
    0x0002: ("tcp_timeout_s", DWORD),
    0x0003: ("tcp_retries", DWORD),
    0x0004: ("udp_timeout_s", DWORD),
    0x0005: ("udp_retries", DWORD),
    0x0006: ("sms_timeout_s", DWORD),
    0x0007: ("sms_retries", DWORD),
    0x0010: ("apn", TEXT),
    0x0011: ("apn_user", TEXT),
    0x0012: ("apn_password", TEXT),
    0x0013: ("server", TEXT),
    0x0014: ("backup_apn", TEXT),
    0x0015: ("backup_apn_user", TEXT),
    0x0016: ("backup_apn_password", TEXT),
    0x0017: ("backup_server", TEXT),
    0x0018: ("tcp_port", DWORD),
    0x0019: ("udp_port", DWORD),
    0x001A: ("card_server", TEXT),
    0x001B: ("card_tcp_port", DWORD),
    0x001C: ("card_udp_port", DWORD),
    0x001D: ("card_backup_server", TEXT),
    0x0020: ("report_strategy", DWORD),
    0x0021: ("report_scheme", DWORD),
    0x0022: ("interval_no_driver_s", DWORD),
    0x0023: ("second_apn", TEXT),
    0x0024: ("second_apn_user", TEXT),
    0x0025: ("second_apn_password", TEXT),
    0x0026: ("second_server", TEXT),
    0x0027: ("interval_asleep_s", DWORD),
    0x0028: ("interval_emergency_s", DWORD),
    0x0029: ("interval_s", DWORD),
    0x002C: ("distance_m", DWORD),
    0x002D: ("distance_no_driver_m", DWORD),
    0x002E: ("distance_asleep_m", DWORD),
    0x002F: ("distance_emergency_m", DWORD),
    0x0030: ("corner_deg", DWORD),
    0x0031: ("fence_radius_m", WORD),
    0x0040: ("platform_phone", TEXT),
    0x0041: ("reset_phone", TEXT),
    0x0042: ("factory_reset_phone", TEXT),
    0x0043: ("sms_phone", TEXT),
    0x0044: ("alarm_sms_phone", TEXT),
    0x0045: ("answer_strategy", DWORD),
    0x0046: ("longest_call_s", DWORD),
    0x0047: ("longest_calls_month_s", DWORD),
    0x0048: ("listen_phone", TEXT),
    0x0049: ("privileged_phone", TEXT),
    0x0050: ("alarms_off", DWORD),
    0x0051: ("alarms_by_sms", DWORD),
    0x0052: ("alarms_with_picture", DWORD),
    0x0053: ("alarms_with_picture_stored", DWORD),
    0x0054: ("key_alarms", DWORD),
    0x0055: ("top_speed_kmh", DWORD),
    0x0056: ("overspeed_s", DWORD),
    0x0057: ("longest_drive_s", DWORD),
    0x0058: ("longest_drive_day_s", DWORD),
    0x0059: ("least_rest_s", DWORD),
    0x005A: ("longest_stop_s", DWORD),
    0x005B: ("overspeed_warning_tenth_kmh", WORD),
    0x005C: ("fatigue_warning_s", WORD),
    0x005D: ("collision", WORD),
    0x005E: ("rollover_deg", WORD),
    0x0064: ("pictures_by_time", DWORD),
    0x0065: ("pictures_by_distance", DWORD),
    0x0070: ("picture_quality", DWORD),
    0x0071: ("picture_brightness", DWORD),
    0x0072: ("picture_contrast", DWORD),
    0x0073: ("picture_saturation", DWORD),
    0x0074: ("picture_chroma", DWORD),
    0x0080: ("odometer_tenth_km", DWORD),
    0x0081: ("province", WORD),
    0x0082: ("city", WORD),
    0x0083: ("plate", TEXT),
    0x0084: ("plate_color", BYTE),
    0x0090: ("gnss_mode", BYTE),
    0x0091: ("gnss_baud", BYTE),
    0x0092: ("gnss_rate", BYTE),
    0x0093: ("gnss_every_s", DWORD),
    0x0094: ("gnss_upload", BYTE),
    0x0095: ("gnss_upload_setting", DWORD),
    0x0100: ("can_1_every_ms", DWORD),
    0x0101: ("can_1_upload_s", WORD),
    0x0102: ("can_2_every_ms", DWORD),
    0x0103: ("can_2_upload_s", WORD),
}
IDS = {name: number for number, (name, _) in PARAMETERS.items()}


def read_parameter(number: int, data: bytes) -> dict[str, Any]:
    """Give a parameter with its name and value where both are known."""
    said: dict[str, Any] = {"id": number, "hex": data.hex()}
    if number not in PARAMETERS:
        return said
    name, size = PARAMETERS[number]
    if size == TEXT:
        return said | {"name": name, "value": data.strip(b"\0").decode("gb18030", "replace")}
    if len(data) != size:
        return said | {"name": name}
    return said | {"name": name, "value": int.from_bytes(data)}


def parameter_id(name: str) -> int:
    """Give the ID of a parameter named in words or by its ID in hex. Raises ValueError."""
    if name in IDS:
        return IDS[name]
    try:
        number = int(name, 16)
    except ValueError:
        number = -1
    if not 0 <= number <= 0xFFFF_FFFF:
        raise ValueError("is no parameter: an ID in hex (0029) or a name (interval_s) is needed")
    return number


def write_parameter(number: int, value: Value) -> bytes:
    """Write ID, length and value. Raises ValueError that says what is allowed."""
    data = _data(number, value)
    if len(data) > 0xFF:
        raise ValueError(f"{len(data)} bytes, at most 255 are allowed")
    return number.to_bytes(4) + bytes([len(data)]) + data


def write_ids(numbers: Sequence[int]) -> bytes:
    """Write the body of 0x8106: how many, then each."""
    return bytes([len(numbers)]) + b"".join(number.to_bytes(4) for number in numbers)


def _data(number: int, value: Value) -> bytes:
    if isinstance(value, dict):
        return bytes.fromhex(value.get("hex", ""))
    if number not in PARAMETERS:
        raise ValueError('a maker\'s own parameter is given as {"hex": "…"}')
    _, size = PARAMETERS[number]
    if isinstance(value, str) != (size == TEXT):
        raise ValueError(f"a {'text' if size == TEXT else 'number'} is needed")
    if isinstance(value, str):
        return value.encode("gb18030")
    if not 0 <= value < 1 << 8 * size:
        raise ValueError(f"0 to {(1 << 8 * size) - 1} is allowed")
    return value.to_bytes(size)
