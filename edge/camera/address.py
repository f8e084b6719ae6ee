"""The address of a source as it may be written to a log."""

import re

_USER_INFO = re.compile(r"(?<=://).*@", re.DOTALL)
_SECRET_VALUE = re.compile(
    r"(?i)([?&;](?:user(?:name)?|usr|login|pass(?:word|wd)?|pwd|token|auth|key|secret|sig(?:n|nature)?)=)[^&;#\s]*"
)


def masked(source: str) -> str:
    """The address without user, password and secret query values.

    Everything up to the last @ goes: a password with an unescaped / or @ in it must not leak
    because the address is ill-formed.
    """
    return _SECRET_VALUE.sub(r"\1***", _USER_INFO.sub("***@", source))
