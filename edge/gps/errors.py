"""What can go wrong between a receiver's bytes and a fix."""


class GpsError(Exception):
    """Base of every error of this package; the message names the thing, the value, the remedy."""


class BadSource(GpsError):
    """A source's address cannot be used as written."""


class SourceLost(GpsError):
    """The device, link or server is gone for now; opening it again may help."""


class SourceEnded(GpsError):
    """A recording is over; there is nothing more to read."""


class BadField(GpsError):
    """A field of a sentence holds what the standard does not allow."""

    def __init__(self, reason: str, field: str, value: str) -> None:
        """Say which field, what it holds, and under which `reason` the sentence is refused."""
        super().__init__(f"{reason}: {field} {value!r}")
        self.reason = reason
