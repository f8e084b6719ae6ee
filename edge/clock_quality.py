"""How far this machine's clock can be trusted, as `tq` of a message says it."""

import ctypes

NONE, NTP, GNSS = 0, 1, 2

_TIME_ERROR = 5
_TIMEX_BYTES = 512


def clock_quality() -> int:
    """NTP when the kernel's clock is being kept (adjtimex(2) reports no TIME_ERROR), else NONE."""
    try:
        state: int = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))
    except (OSError, AttributeError):
        return NONE
    return NTP if 0 <= state < _TIME_ERROR else NONE
