"""Whose certificates are believed when the hub's addresses are called."""

import ssl
from pathlib import Path


def believed(ca_file: Path | None) -> ssl.SSLContext:
    """The system's authorities and, where a file names some, the city's own: those of the broker.

    Raises OSError, ssl.SSLError: the file cannot be read or holds none.
    """
    context = ssl.create_default_context()
    if ca_file is not None:
        context.load_verify_locations(ca_file)
    return context
